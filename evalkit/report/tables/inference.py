"""How uncertain the main estimate is, by every kind of inference."""

from __future__ import annotations

from typing import Final

from evalkit.core.formats import count, level_text, number
from evalkit.core.quantities import IntervalOrReason, Quantity, Unavailable
from evalkit.design.conservative import conservative_sentence
from evalkit.design.labels import ENGLAND
from evalkit.diagnose.evaluation import Evaluation
from evalkit.estimate.effect import Effect
from evalkit.report.disclosure import ReleasedTable
from evalkit.report.names import clustered, outcome_label, unit_of
from evalkit.report.sentences import PLAIN
from evalkit.report.table import Cell, Column, Table
from evalkit.report.tables.design import released

_NO_ERROR: Final = Unavailable("None: areas are compared directly.")
_ONE_SIDED: Final = Unavailable("None: a one-sided test bounds the effect on one side only.")


def inference(evaluation: Evaluation) -> ReleasedTable:
    """Return how uncertain the main estimate is by every kind of inference, each with what it allows for."""
    main = evaluation.project.primary.measure
    level = level_text(evaluation.project.inference.level)
    columns = (
        Column("inference", "Inference"),
        Column("allows", "What it allows for"),
        Column("estimate", "Estimate", "estimate"),
        Column("std_error", "Standard error", "number"),
        Column("interval", f"{level} interval", "interval"),
        Column("p_value", "p", "p"),
    )
    table = Table(
        caption=f"{outcome_label(evaluation, main)}: how uncertain the estimate is",
        columns=columns,
        rows=(*_permutation_rows(evaluation), *_cluster_rows(evaluation)),
        unit=unit_of(evaluation, main),
        notes=_smallest(evaluation),
    )
    return released(evaluation, table)


def _smallest(evaluation: Evaluation) -> tuple[str, ...]:
    effect = evaluation.effect(evaluation.project.primary.measure)
    if effect is None or effect.permutation is None:
        return ()
    detail = effect.permutation
    level = evaluation.project.inference.level
    conservative = conservative_sentence(effect.interval, level, n_ranked=detail.n_areas)
    return (
        *((conservative,) if conservative else ()),
        f"Rank {detail.rank} of {detail.n_areas} areas by size of change in either direction; the smallest p-value "
        f"attainable is 1/{detail.n_areas} = {number(detail.smallest_p, 3)}.",
    )


def _permutation_rows(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
    main = evaluation.project.primary.measure
    effect, england = evaluation.effect(main), evaluation.effect(main, ENGLAND)
    rows: list[tuple[Cell, ...]] = []
    if effect is not None:
        rows = _by_statistic(evaluation, effect)
    if england is not None:
        allows = "The same, each area against all others of England"
        rows.append(_permuted("against England, two-sided", allows, england, england.interval, england.p_value))
    return rows


def _by_statistic(evaluation: Evaluation, effect: Effect) -> list[tuple[Cell, ...]]:
    """Return the rows of the statistic that the project asks for, one- and two-sided, and that of the other one."""
    spread, detail = "Spread of changes across areas", effect.permutation
    kinds = ["", "each change over its standard error (studentised), "]
    allows = [spread, f"{spread}, over school sampling error"]
    reason = effect.p_value if isinstance(effect.p_value, Unavailable) else Unavailable("Areas were not permuted.")
    other: tuple[IntervalOrReason, Quantity] = (reason, reason)
    is_plain = evaluation.project.inference.statistic == PLAIN
    if detail is not None and is_plain:
        other = (detail.studentised_interval, detail.studentised_p)
    elif detail is not None:
        other = (detail.plain_interval, detail.plain_p)
    if not is_plain:
        kinds, allows = ["each change over its standard error (studentised), ", "changes themselves, "], allows[::-1]
    return [
        _permuted(f"{kinds[0]}two-sided", allows[0], effect, effect.interval, effect.p_value),
        _permuted(f"{kinds[0]}one-sided (rose more)", allows[0], effect, _ONE_SIDED, effect.p_value_one_sided),
        _permuted(f"{kinds[1]}two-sided", allows[1], effect, *other),
    ]


def _permuted(kind: str, allows: str, effect: Effect, interval: IntervalOrReason, p: Quantity) -> tuple[Cell, ...]:
    """Return a row of the permutation, one reason where nothing at all can be given."""
    lacking = p if isinstance(effect.interval, Unavailable) and isinstance(p, Unavailable) else None
    numbers: tuple[Cell, ...] = (lacking,) * 3 if lacking else (_NO_ERROR, interval, p)
    return f"Area permutation, {kind}", allows, effect.estimate, *numbers


def _cluster_rows(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
    """Return the rows for clustering: by school without a p-value, by area where it can be had."""
    rows: list[tuple[Cell, ...]] = []
    school, area = clustered(evaluation, "school"), clustered(evaluation, "local_authority")
    if school is not None:
        allows = "School sampling only; excludes shocks to areas"
        rows.append(("Clustered by school", allows, school.estimate, school.std_error, school.interval, school.p_value))
    if area is not None:
        allows = f"Shocks to areas, {count(area.n_treated_clusters)} of them treated"
        numbers = _same_reason(area.std_error, area.interval, area.p_value)
        rows.append(("Clustered by local authority", allows, area.estimate, *numbers))
    return rows


def _same_reason(std_error: Quantity, interval: IntervalOrReason, p: Quantity) -> tuple[Cell, ...]:
    return (std_error,) * 3 if isinstance(std_error, Unavailable) else (std_error, interval, p)
