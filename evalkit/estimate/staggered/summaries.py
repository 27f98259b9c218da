"""Weighted sums of group-time effects: overall, by cohort, by time since the start, by calendar period."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.formats import MINUS
from evalkit.core.quantities import ROUNDING, Estimate, Unavailable, without_rounding
from evalkit.core.shown import Shown
from evalkit.core.words import listed
from evalkit.estimate.staggered.cells import REFERENCE, GroupTimeEffects

NO_CELL = "No cohort has an estimate that belongs here."
ONE_TREATED = (
    "All treated units lie in one cluster, whose own shock is in no standard error. Use randomisation or Conley–Taber "
    "inference."
)
ONE_COMPARISON = (
    "All comparison units, or those that most of the weight rests on, lie in one cluster, whose own shock is in no "
    "standard error."
)
SINGLES = (
    "Most of the weight lies on cohorts of which a single cluster is treated ({cohorts}): one cluster does not "
    "deviate from its own mean, so that the standard error would leave its shock out. "
    "Use randomisation or Conley–Taber inference."
)
SINGLES_NOTE = (
    "Of cohort {cohorts} a single cluster is treated, whose own shock shows in no deviation: plain clustered errors "
    "leave it out, CR2 takes it to vary as other clusters do."
)
ONE_COMPARISON_NOTE = (
    "Some comparisons are with a single cluster, whose own shock shows in no deviation: plain clustered errors leave "
    "it out, CR2 takes it to vary as other clusters do."
)
NO_VARIATION = "What is compared here does not vary between units, so there is no standard error."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Summary(Shown):
    """A weighted sum of group-time effects, or why there is none.

    Attributes
    ----------
    label : cohort, event time or calendar period; None for an average of all
    estimate : Estimate (its `std_error` may be a reason), or Unavailable
    weights : shape (n_cells + n_cohorts,), the sum as a vector over the columns of the influence
    lacking : cells (cohort, period) that belong here but have no estimate
    note : what a reader must know, or an empty text
    is_of_few : whether some cell of the same effects rests on too few people to be told
    """

    label: int | None
    estimate: Estimate | Unavailable
    weights: Floats
    lacking: tuple[tuple[int, int], ...] = ()
    note: str = ""
    is_of_few: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Summaries(Shown):
    """An average over everything after the start, and the parts it is made of."""

    overall: Summary
    parts: tuple[Summary, ...]

    @property
    def weights(self) -> Floats:
        """Return the parts as columns over the influence, shape (n_cells + n_cohorts, n_parts)."""
        return np.column_stack([part.weights for part in self.parts])


def overall_effect(effects: GroupTimeEffects) -> Summary:
    """Return the average of every effect after the start, each weighted by the size of its cohort.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 6 and t >= 3), 3 if i < 6 else None)
    ...     for i in range(18) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> design = evalkit.staggered_design(panel)
    >>> effects = evalkit.group_time_effects(design)
    >>> round(evalkit.overall_effect(effects).estimate.value, 2)
    1.0
    """
    return _average(effects, _labels(effects, "event_time") >= 0, None)


def effects_by_cohort(effects: GroupTimeEffects) -> Summaries:
    """Return the mean effect after the start of each cohort, and their average weighted by size of cohort.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 6 and t >= 3), 3 if i < 6 else None)
    ...     for i in range(18) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> design = evalkit.staggered_design(panel)
    >>> effects = evalkit.group_time_effects(design)
    >>> [(part.label, round(part.estimate.value, 2)) for part in evalkit.effects_by_cohort(effects).parts]
    [(3, 1.0)]
    """
    after, cohort = _labels(effects, "event_time") >= 0, _labels(effects, "cohort")
    parts = [_average(effects, after & (cohort == g), int(g)) for g in np.unique(cohort[after])]
    counted = after & effects.is_available
    # 1/length gives a cohort's cells its size between them, however many they are: θ_sel of Callaway and Sant'Anna
    # (2021), "group" in R's did.
    length = np.array([max((counted & (cohort == g)).sum(), 1) for g in cohort])
    return Summaries(overall=_average(effects, after, None, 1 / length), parts=tuple(parts))


def event_study(effects: GroupTimeEffects, balanced_until: int | None = None) -> Summaries:
    """Return the average effect at each time since the start, and the mean over all times from 0 on.

    With `balanced_until` = e only cohorts seen for at least e periods after their start count, up to e, and from
    0 on only times at which all of them are seen, so that the composition of the curve does not change; before
    the start cohorts have unlike numbers of periods, and it may.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 6 and t >= 3), 3 if i < 6 else None)
    ...     for i in range(18) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> design = evalkit.staggered_design(panel)
    >>> effects = evalkit.group_time_effects(design)
    >>> [(part.label, round(part.estimate.value, 2)) for part in evalkit.event_study(effects).parts]
    [(-2, -0.02), (-1, -0.03), (0, 1.02), (1, 0.99)]
    """
    inside = np.ones(len(effects.cells), dtype=bool)
    if balanced_until is not None:
        inside = _balanced(effects, balanced_until)
    time = _labels(effects, "event_time")
    # Times count alike in the mean, however many cohorts are seen at each: "dynamic" in R's did.
    parts = [_average(effects, inside & (time == e), int(e)) for e in np.unique(time[inside])]
    return Summaries(overall=_mean(effects, [part for part in parts if (part.label or 0) >= 0]), parts=tuple(parts))


def _balanced(effects: GroupTimeEffects, until: int) -> NDArray[np.bool_]:
    periods = effects.design.observations.periods
    lowest, is_long = until - (periods[-1] - periods[0]), periods[-1] - _labels(effects, "cohort") >= until
    time, n_long = _labels(effects, "event_time"), sum(periods[-1] - g >= until for g in effects.design.cohorts)
    n_seen = np.array([(is_long & (time == e)).sum() for e in time])
    inside: NDArray[np.bool_] = is_long & (time >= lowest) & (time <= until) & ((time < 0) | (n_seen == n_long))
    return inside


def effects_by_period(effects: GroupTimeEffects) -> Summaries:
    """Return the average effect in each calendar period on the cohorts treated by then, and the mean over periods.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 6 and t >= 3), 3 if i < 6 else None)
    ...     for i in range(18) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> design = evalkit.staggered_design(panel)
    >>> effects = evalkit.group_time_effects(design)
    >>> [(part.label, round(part.estimate.value, 2)) for part in evalkit.effects_by_period(effects).parts]
    [(3, 1.02), (4, 0.99)]
    """
    after, period = _labels(effects, "event_time") >= 0, _labels(effects, "period")
    parts = [_average(effects, after & (period == t), int(t)) for t in np.unique(period[after])]
    return Summaries(overall=_mean(effects, parts), parts=tuple(parts))


def combination(effects: GroupTimeEffects, weights: Floats, label: int | None = None) -> Summary:
    """Return any weighted sum of cells; `weights` has shape (n_cells,), and cells without an estimate must weigh 0."""
    full = np.concatenate([weights, np.zeros(len(effects.cohort_weight))])
    chosen = weights != 0
    return _summary(effects, full, float(weights @ effects.values), chosen, label)


def single_cell(effects: GroupTimeEffects, at: int) -> Summary:
    """Return one cell, which must have an estimate, as a summary of its own."""
    return combination(effects, (np.arange(len(effects.cells)) == at).astype(float))


def _labels(effects: GroupTimeEffects, name: str) -> NDArray[np.int64]:
    """Return an attribute of every cell, shape (n_cells,)."""
    cohorts, periods = effects.cohorts_of_cells, effects.periods_of_cells
    return {"cohort": cohorts, "period": periods, "event_time": periods - cohorts}[name]


def _average(
    effects: GroupTimeEffects,
    belongs: NDArray[np.bool_],
    label: int | None,
    within: Floats | None = None,
) -> Summary:
    """Return the average of cells by weight of cohort × `within`, with the estimation of the cohorts' shares.

    θ = Σ p_c m_c v_c / Σ p_c m_c, so that ∂θ/∂v_c = p_c m_c / Σ and ∂θ/∂p_h = Σ_{c of h} m_c (v_c − θ) / Σ.
    """
    chosen, note = _beside_bases(effects, belongs & effects.is_available, label)
    absent = np.flatnonzero(belongs & ~effects.is_available)
    lacking = tuple((effects.cells[at].cohort, effects.cells[at].period) for at in absent)
    n_cohorts = len(effects.cohort_weight)
    if not chosen.any():
        first = effects.cells[int(np.argmax(belongs))].value if belongs.any() else NO_CELL
        none = first if isinstance(first, Unavailable) else Unavailable(NO_CELL)
        empty = np.zeros(len(effects.cells) + n_cohorts)
        return Summary(label=label, estimate=none, weights=empty, lacking=lacking, is_of_few=_is_of_few(effects))
    of_cohort = np.searchsorted(effects.design.cohorts, effects.cohorts_of_cells)
    size = effects.cohort_weight[of_cohort] if effects.cell_weight is None else effects.cell_weight
    within_cohort = np.where(chosen, 1.0 if within is None else within, 0.0)
    total = float((size * within_cohort).sum())
    weights = size * within_cohort / total
    value = float(weights @ effects.values)
    of_shares = np.zeros(n_cohorts)
    if effects.shares == "estimated" and effects.cell_weight is None:
        of_shares = np.bincount(of_cohort, within_cohort * (effects.values - value), n_cohorts) / total
    return _summary(effects, np.concatenate([weights, of_shares]), value, chosen, label, lacking, note=note)


def _beside_bases(
    effects: GroupTimeEffects, chosen: NDArray[np.bool_], label: int | None
) -> tuple[NDArray[np.bool_], str]:
    """Return the cells that an average is of, and what to say of the bases among them, which are none where others are.

    A base is zero by definition, not by estimation: where years are missing, a cohort's base has the event time of
    other cohorts' estimates, and would pull their average and its error to zero.
    """
    bases = chosen & effects.is_reference
    if not bases.any() or bases.sum() == chosen.sum():
        return chosen, ""
    cohorts = listed([str(cohort) for cohort in effects.cohorts_of_cells[bases]])
    time = str(label).replace("-", MINUS)
    return chosen & ~bases, f"Event time {time} is the base period of cohort {cohorts}, which is not in its average."


def _mean(effects: GroupTimeEffects, parts: Sequence[Summary]) -> Summary:
    """Return the plain mean of the parts that have an estimate."""
    lacking = tuple(cell for part in parts for cell in part.lacking)
    known = [part for part in parts if isinstance(part.estimate, Estimate)]
    if not known:
        none = parts[0].estimate if parts else Unavailable(NO_CELL)
        assert isinstance(none, Unavailable)
        empty = np.zeros(len(effects.cells) + len(effects.cohort_weight))
        return Summary(label=None, estimate=none, weights=empty, lacking=lacking, is_of_few=_is_of_few(effects))
    weights = np.mean([part.weights for part in known], axis=0)
    value = float(np.mean([part.estimate.value for part in known if isinstance(part.estimate, Estimate)]))
    return _summary(effects, weights, value, weights[: len(effects.cells)] != 0, None, lacking)


def _summary(
    effects: GroupTimeEffects,
    weights: Floats,
    value: float,
    chosen: NDArray[np.bool_],
    label: int | None,
    lacking: tuple[tuple[int, int], ...] = (),
    *,
    note: str = "",
) -> Summary:
    """Return a weighted sum with its standard error, or the reason why it has none."""
    reason, caution = _error_faults(effects, chosen, np.abs(weights[: len(effects.cells)]))
    # Rounding may leave a variance of zero just below it.
    error = math.sqrt(max(float(weights @ effects.covariance @ weights), 0.0))
    if not reason and error <= ROUNDING * max(effects.scale, 1e-300):
        reason = NO_VARIATION
    std_error: float | Unavailable = Unavailable(reason) if reason else error
    estimate = Estimate(without_rounding(value, effects.scale), std_error, effects.df)
    notes = " ".join(one for one in (note, caution) if one)
    return Summary(
        label=label,
        estimate=estimate,
        weights=weights,
        lacking=lacking,
        note=notes,
        is_of_few=_is_of_few(effects),
    )


def _is_of_few(effects: GroupTimeEffects) -> bool:
    return any(cell.is_of_few for cell in effects.cells)


def _error_faults(effects: GroupTimeEffects, chosen: NDArray[np.bool_], size: Floats) -> tuple[str, str]:
    """Return why cells can have no standard error, or else what it leaves out; empty texts where neither."""
    cells = [(effects.cells[at], size[at]) for at in np.flatnonzero(chosen) if not effects.cells[at].is_reference]
    if not cells:
        return REFERENCE, ""
    if effects.design.treated_clusters(tuple(sorted({cell.cohort for cell, _ in cells}))) < 2:
        return ONE_TREATED, ""
    half = sum(weight for _, weight in cells) / 2
    single = [(cell.cohort, weight) for cell, weight in cells if cell.n_treated_clusters < 2]
    lone = [weight for cell, weight in cells if cell.n_comparison_clusters < 2]
    names = listed([str(cohort) for cohort in sorted({cohort for cohort, _ in single})])
    if sum(weight for _, weight in single) > half:
        return SINGLES.format(cohorts=names), ""
    if sum(lone) > half:
        return ONE_COMPARISON, ""
    notes = [SINGLES_NOTE.format(cohorts=names)] if single else []
    return "", " ".join(notes + ([ONE_COMPARISON_NOTE] if lone else []))
