"""Answers to a questionnaire or an audit tool: its items and scales, and a table with a row for each person asked.

The layout: one row for each person and wave, with the school in `unit`, the person in `person`, the wave (a year) in
`period`, and a column for each item that holds a point of its scale. Whoever was asked and did not answer has a row in
which every item is empty, so that response can be told; an item left out is empty, or a code such as NA.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.errors import DataError
from evalkit.core.project_parts import CONFIG
from evalkit.core.words import counted, listed
from evalkit.data.own_tables.people_table import PeopleRows

MOST_WAVES: Final = 2
"""Waves of which the change is told."""
LEAST_ANSWERED: Final = 0.5
"""Share of a scale's items that a respondent must have answered for a score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question, or one line of an audit tool."""

    __pydantic_config__: ClassVar = CONFIG
    column: str
    """Column of its answers in the table."""
    text: str
    """Its wording, as it was put."""
    reversed: bool = False
    """Whether a high point means little of what the scale measures; it is turned round before it is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Items that measure one thing together."""

    __pydantic_config__: ClassVar = CONFIG
    name: str
    """Short name: lower-case letters, digits and hyphens; it stands in results."""
    label: str
    """What the scale is called in reports."""
    items: tuple[Item, ...]
    """Its items, in the order of the questionnaire."""
    points: dict[str, str] = field(default_factory=dict)
    """The points of its items, the lowest first, and what each means; by default those of the analysis."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns of its items."""
        return tuple(item.column for item in self.items)

    @property
    def numbers(self) -> Floats:
        """Return its points as numbers, ascending, shape (K,)."""
        return np.array([float(point) for point in self.points])

    @property
    def span(self) -> tuple[float, float]:
        """Return the lowest and the highest point."""
        return float(self.numbers[0]), float(self.numbers[-1])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Answers:
    """The rows of a table of answers as arrays of one length, reversed items turned round.

    Attributes
    ----------
    units : ids of the schools
    school : position of each row's school among them, shape (n,)
    person : number of each row's person, the same in both waves, shape (n,)
    wave : position of each row's wave, shape (n,)
    values : point of each item of each scale, by the scale's name, shape (n, k); NaN where it was not answered
    known : other numbers known of everyone asked, by column, shape (n,)
    """

    units: pd.Index
    school: Ints
    person: Ints
    wave: Ints
    values: dict[str, Floats]
    known: dict[str, Floats]

    @property
    def responded(self) -> Bools:
        """Return who answered any item, shape (n,)."""
        found: Bools = np.any([np.isfinite(one).any(axis=1) for one in self.values.values()], axis=0)
        return found

    def score(self, scale: str) -> Floats:
        """Return each row's mean over the items answered, shape (n,), NaN where fewer than half were."""
        values = self.values[scale]
        answered = np.isfinite(values)
        n = answered.sum(axis=1)
        with np.errstate(invalid="ignore"):
            mean = np.where(answered, values, 0.0).sum(axis=1) / n
        return np.where(n >= LEAST_ANSWERED * values.shape[1], mean, np.nan)


def answers_of(
    rows: PeopleRows, scales: Sequence[Scale], waves: Sequence[int], file: str, known: Sequence[str] = ()
) -> Answers:
    """Return the answers of some waves, each checked against the points of its scale.

    Raises
    ------
    DataError
        Where an answer is no point of its scale, a wave has no row, or rows are of a wave that is not named.
    """
    found = np.unique(rows.period).tolist()
    absent = [str(wave) for wave in waves if wave not in found]
    if absent:
        raise DataError(
            f"{file}: there is no row of the wave {listed(absent)}; its waves are {listed([str(w) for w in found])}. "
            "Correct `waves`, or supply those rows."
        )
    others = [str(wave) for wave in found if wave not in waves]
    if others:
        n = int((~np.isin(rows.period, list(waves))).sum())
        raise DataError(
            f"{file}: {counted(n, 'row')} of {listed(others)}, which is none of the waves "
            f"{listed([str(wave) for wave in waves])}. Name it under `waves`, or choose rows by `where`."
        )
    values = {scale.name: np.column_stack(list(_items(rows, scale, file))) for scale in scales}
    return Answers(
        units=rows.units,
        school=rows.unit,
        person=rows.person,
        wave=np.searchsorted(np.array(waves), rows.period).astype(np.int64),
        values=values,
        known={column: rows.values[column] for column in known},
    )


def _items(rows: PeopleRows, scale: Scale, file: str) -> Iterator[Floats]:
    low, high = scale.span
    for item in scale.items:
        points = rows.values[item.column]
        odd = np.isfinite(points) & ~np.isin(points, scale.numbers)
        if odd.any():
            shown = listed([f"{one:.12g}" for one in np.unique(points[odd])], 5)
            raise DataError(
                f"{file}: the item '{item.column}' holds {shown} ({counted(int(odd.sum()), 'such row')}), which is no "
                f"point of its scale: {listed(list(scale.points), 12)}. Correct the cells, or leave them empty where "
                "there is no answer."
            )
        yield low + high - points if item.reversed else points
