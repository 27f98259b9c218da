"""Which effects of repeated cross-sections may be told: none that rests on too few people, nor what would give it away.

A cell that compares fewer people than may be told of in one of its four parts is hidden. Averages are weighted sums
of cells, with weights that a reader may know; a number is told only while no sum of the numbers told consists of
hidden cells alone. With the told numbers as the rows of a matrix over cells, that is so as long as it has the same
rank without the columns of the hidden cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.disclosure import FEWEST_PEOPLE, few
from evalkit.core.quantities import Unavailable
from evalkit.estimate.staggered.pre_test import PreTest
from evalkit.estimate.staggered.results import Reported, ReportedCell, ReportedSet, StaggeredResults
from evalkit.report.border.disclosure import told, told_where_typed

OF_FEW: Final = Unavailable(few(FEWEST_PEOPLE))
REMEDY: Final = (
    f"Some effects are withheld: a cohort has fewer than {FEWEST_PEOPLE} people in a period that is compared, or "
    "the number would let such an effect be worked out. Leave such cohorts out, or join periods, to see the others."
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ToldResults(StaggeredResults):
    """Results of people that have passed the border: every number in them may be told."""


def rests_on_few(results: StaggeredResults) -> bool:
    """Return whether some cell rests on too few people to be told."""
    return any(cell.is_of_few for cell in results.group_time)


def told_effects(results: StaggeredResults) -> StaggeredResults:
    """Return results with what may not be told withheld; the same results where units are not people.

    Results that are told already come back as they are: to find what may be told takes long where there are many cells.
    What a reader wants first is kept first: the overall effect, times since the start, cohorts, periods, cells, and
    last the averages over each of these.
    """
    if isinstance(results, ToldResults) or all(cell.fewest_people is None for cell in results.group_time):
        return results
    released = _without_few(results)
    return ToldResults(**{field.name: getattr(released, field.name) for field in fields(released)})


def _without_few(results: StaggeredResults) -> StaggeredResults:
    """Return results without the cells that rest on too few people, and what would let them be worked out."""
    cells = tuple(replace(cell, note=told(cell.note, FEWEST_PEOPLE)) for cell in results.group_time)
    results = replace(results, notes=tuple(told_where_typed(note, FEWEST_PEOPLE) for note in results.notes))
    if not rests_on_few(results):
        return replace(results, group_time=cells)
    sets = (results.event_study, results.by_cohort, results.calendar)
    hidden = np.array([cell.is_of_few for cell in cells])
    unknown = np.array([cell.fewest_people is not None for cell in cells])
    single = np.eye(len(cells))
    rows = [results.simple, *(part for one in sets for part in one.parts)]
    overall = [one.overall for one in sets]
    order = [*(_cells_of(row, len(cells)) for row in rows), *single, *(_cells_of(row, len(cells)) for row in overall)]
    is_told = iter(may_be_told([row[unknown] for row in order], hidden[unknown]).tolist())
    simple = _told(results.simple, next(is_told), hidden)
    parts = [tuple(_told(part, next(is_told), hidden) for part in one.parts) for one in sets]
    cells = tuple(_told_cell(cell, next(is_told)) for cell in cells)
    study, by_cohort, calendar = (
        ReportedSet(overall=_told(one.overall, next(is_told), hidden), parts=told_parts)
        for one, told_parts in zip(sets, parts, strict=True)
    )
    return replace(
        results,
        group_time=cells,
        simple=simple,
        event_study=study,
        by_cohort=by_cohort,
        calendar=calendar,
        pre_test=OF_FEW if isinstance(results.pre_test, PreTest) and _tests_few(cells) else results.pre_test,
        notes=(*results.notes, REMEDY),
    )


def may_be_told(sums: Sequence[Floats], hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which sums of cells may be told, taken in order; `hidden`, shape (n_cells,), says which cells may not.

    A sum of no cell is told: nothing can be worked out of it.
    """
    kept: list[Floats] = []
    is_told = np.ones(len(sums), dtype=bool)
    for at, row in enumerate(sums):
        if not np.any(row):
            continue
        matrix = np.array([*kept, row / np.abs(row).max()])
        rank = np.linalg.matrix_rank(matrix)
        is_told[at] = rank == np.linalg.matrix_rank(matrix[:, ~hidden]) if (~hidden).any() else False
        if is_told[at] and rank > len(kept):
            kept.append(matrix[-1])
    return is_told


def _cells_of(one: Reported, n_cells: int) -> Floats:
    """Return the weights of the cells that a number is made of, shape (n_cells,); 0 where it is made of none."""
    return np.array(one.weights or (0.0,) * n_cells, dtype=float)


def _tests_few(cells: tuple[ReportedCell, ...]) -> bool:
    return any(cell.is_of_few for cell in cells if cell.period < cell.cohort)


def _told(one: Reported, is_told: bool, hidden: NDArray[np.bool_]) -> Reported:
    """Return a number as it may be told; of one that holds a hidden cell nothing is said of its clusters either.

    A number that is made of no cell (a lead of a regression of its own) may rest on the hidden ones alone.
    """
    if not is_told or (not one.weights and not isinstance(one.estimate, Unavailable)):
        return replace(
            one,
            estimate=OF_FEW,
            std_error=OF_FEW,
            interval=OF_FEW,
            p_value=OF_FEW,
            band=None if one.band is None else OF_FEW,
            plain_error=OF_FEW,
            df=None,
            note="",
        )
    return replace(one, note="") if np.any(np.array(one.weights)[hidden[: len(one.weights)]]) else one


def _told_cell(cell: ReportedCell, is_told: bool) -> ReportedCell:
    if is_told and not cell.is_of_few:
        return cell
    return replace(cell, estimate=OF_FEW, std_error=OF_FEW, interval=OF_FEW, plain_error=OF_FEW, df=None, note="")
