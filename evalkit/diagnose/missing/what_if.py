"""What the estimate would be if missing results were imputed, at worst, at best, or trimmed; and what would tip it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools
from evalkit.core.disclosure import FEWEST_PEOPLE, few, is_few
from evalkit.core.draws import stream
from evalkit.core.missing import Missing
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.scipy_parts import brentq
from evalkit.data.published.codes import CODE_REASONS, NO_ROW
from evalkit.diagnose.missing.extremes import is_suppressed, worst_and_best
from evalkit.diagnose.missing.sample import Judged, MissingSample, Outcomes, Words
from evalkit.estimate.missing.area_bounds import JudgedBounds, bounds_without
from evalkit.estimate.missing.pooled_arrays import Pooled, ShiftedEstimates, rigid_tipping_point
from evalkit.estimate.missing.predictive_arrays import imputed

LossReason = Literal["closed", "suppressed", "low_coverage", "not_published"]
LOSS_REASONS: Final[tuple[LossReason, ...]] = ("closed", "suppressed", "low_coverage", "not_published")
Assumption = Literal["published", "imputed", "worst", "best", "bounds"]
_EXTREMES: Final[tuple[Literal["worst", "best"], ...]] = ("worst", "best")
_ARMS: Final[tuple[Literal["treated", "comparison"], ...]] = ("treated", "comparison")
_STEP: Final = 1.0
_MOST_TIMES: Final = 16.0
"""Times the shift of a straight line up to which one is searched for."""
_NEAR: Final = 1e-4
"""Share of itself to which it is found: it is told with three digits."""
NOT_ASKED: Final = "The project leaves it out."
BOUNDS_ALONE: Final = "Bounds are two estimates, of no one sample and without a p-value."
NONE_MISSING: Final = "No {one} with a result before lacks one."
NOBODY_IMPUTED: Final = "No result after the programme began is imputed for {arm}."
NO_SHIFT: Final = "No shift of up to {most:g} times the one at which a straight line would reach zero does it."
OUT_OF_RANGE: Final = "No results that are possible would make the interval reach zero."
HOLDS_ZERO: Final = "The interval of the imputed outcomes holds zero as it is."
NO_POOLING: Final = "A completed table has no estimate."


# What was found.


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmLosses:
    """How many schools of one arm have a result before, and what became of them: the counts add up.

    `never_matched` participants without any record are beside them; `lacking_before` lack a year before, `lost` one
    after by reason, and `with_result` have all. `share_lost` is that of the schools with every result before.
    """

    arm: Literal["treated", "comparison"]
    never_matched: int
    n_schools: int
    lacking_before: int | Unavailable
    lost: dict[LossReason, int | Unavailable]
    with_result: int | Unavailable
    share_lost: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What the analysis says under one assumption about missing results.

    `lower` and `upper` are the bounds of the estimate, both the estimate itself where there is one.
    """

    assumption: Assumption
    estimate: Quantity
    lower: Quantity
    upper: Quantity
    interval: IntervalOrReason
    p_value: Quantity
    n_treated: int | Unavailable
    n_comparison: int | Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class TippingPoint:
    """The shift of imputed outcomes of the treated at which the interval reaches zero, or why there is none.

    `slope` is by how much the estimate moves for a shift of one.
    """

    shift: Quantity
    slope: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputationDetail:
    """How outcomes were imputed: completed tables, percentage of schools with a gap, and cells filled in by arm.

    `missing_share` is the share of the variance that is due to what is missing, where errors are pooled.
    """

    draws: int
    percent_incomplete: Quantity
    n_cells_treated: int | Unavailable
    n_cells_comparison: int | Unavailable
    missing_share: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingOutcome:
    """What missing results could do to the estimate of one outcome."""

    outcome: str
    losses: tuple[ArmLosses, ...]
    differential: Quantity
    rows: tuple[WhatIf, ...]
    tipping: TippingPoint
    imputation: ImputationDetail | Unavailable
    bounds: JudgedBounds
    words: Words
    note: str = ""


def what_if(sample: MissingSample, main: Judged, choices: Missing, seed: int, level: float) -> MissingOutcome:
    """Return what an analysis says of one outcome under each assumption that the project declares.

    `main` is what it says of the results that were published, which stays the answer.
    """
    is_people = sample.words.is_people
    losses = tuple(_losses(sample.outcomes, arm) for arm in _ARMS)
    hides = is_people and any(_is_of_few(one) for one in losses)
    found = _imputed(sample, choices, seed, level) if choices.imputation is not None else _Imputed.none(NOT_ASKED)
    bounds = bounds_without(NOT_ASKED)
    if choices.bounds == "lee":
        bounds = bounds_without(sample.no_bounds) if sample.bounds is None else sample.bounds()
        bounds = bounds.without_shares(few(FEWEST_PEOPLE, "pupils")) if hides else bounds
    rows = [
        _published(sample, main),
        *((found.row,) if choices.imputation is not None else ()),
        *(_at_ends(sample) if choices.suppressed == "worst-best" else ()),
        *((_bounds_row(bounds),) if choices.bounds == "lee" else ()),
    ]
    return MissingOutcome(
        outcome=sample.outcome,
        losses=tuple(_told(one) for one in losses) if is_people else losses,
        differential=Unavailable(few(FEWEST_PEOPLE, "pupils")) if hides else _differential(losses),
        rows=tuple(rows),
        tipping=found.tipping if choices.tipping else _Imputed.none(NOT_ASKED).tipping,
        imputation=_told_detail(found.detail) if hides else found.detail,
        bounds=bounds,
        words=_words(sample),
        note=sample.note,
    )


def _words(sample: MissingSample) -> Words:
    ends = sample.extremes
    if isinstance(ends, Unavailable):
        return replace(sample.words, end="", end_note="")
    return replace(sample.words, end=ends.row, end_note=ends.note)


def _published(sample: MissingSample, main: Judged) -> WhatIf:
    row = _row("published", main)
    if sample.counts is None:
        return row
    return replace(row, n_treated=sample.counts[0], n_comparison=sample.counts[1])


def _row(assumption: Assumption, found: Judged) -> WhatIf:
    return WhatIf(
        assumption=assumption,
        estimate=found.estimate,
        lower=found.estimate,
        upper=found.estimate,
        interval=found.interval,
        p_value=found.p_value,
        n_treated=found.n_treated,
        n_comparison=found.n_comparison,
    )


def _without(assumption: Assumption, reason: str) -> WhatIf:
    none = Unavailable(reason)
    return WhatIf(
        assumption=assumption,
        estimate=none,
        lower=none,
        upper=none,
        interval=none,
        p_value=none,
        n_treated=none,
        n_comparison=none,
    )


def _at_ends(sample: MissingSample) -> Iterator[WhatIf]:
    """Yield what the missing results could do at worst and at best, or why that is not said."""
    tables = worst_and_best(sample)
    for assumption in _EXTREMES:
        if isinstance(tables, Unavailable):
            yield _without(assumption, tables.reason)
        else:
            yield _row(assumption, sample.judge(sample.of_table(tables[assumption])))


def _bounds_row(found: JudgedBounds) -> WhatIf:
    if isinstance(found.lower, Unavailable):
        return _without("bounds", found.lower.reason)
    row = _without("bounds", BOUNDS_ALONE)
    return replace(row, lower=found.lower, upper=found.upper, interval=found.interval)


# Who was lost.


def _losses(outcomes: Outcomes, arm: Literal["treated", "comparison"]) -> ArmLosses:
    """Count the schools of an arm that have a result before by what became of them."""
    is_own = (outcomes.arm == arm).to_numpy() & outcomes.has_some_before
    whole = is_own & outcomes.has_all_before
    is_lost = whole & ~outcomes.has_all_after
    cells = outcomes.missing & outcomes.after
    first = cells.argmax(axis=1)
    reasons = outcomes.reasons.to_numpy(dtype=object)[np.arange(len(first)), first]
    named = [_kind_of_loss(str(reason)) for reason in reasons[is_lost]]
    n = int(whole.sum())
    return ArmLosses(
        arm=arm,
        never_matched=sum(outcomes.unmatched.values()) if arm == "treated" else 0,
        n_schools=int(is_own.sum()),
        lacking_before=int(is_own.sum()) - n,
        lost={one: named.count(one) for one in LOSS_REASONS},
        with_result=int((whole & ~is_lost).sum()),
        share_lost=int(is_lost.sum()) / n if n else Unavailable("No school of this arm has every result before."),
    )


def _is_of_few(one: ArmLosses) -> bool:
    """Return whether a count of an arm is of few people, which it or what is left would tell."""
    counts = (one.lacking_before, *one.lost.values(), one.with_result)
    return any(isinstance(n, int) and is_few(n) for n in counts)


def _told(one: ArmLosses) -> ArmLosses:
    """Return what may be told of people: nothing of an arm in which some count is of few."""
    if not _is_of_few(one):
        return one
    none = Unavailable(few(FEWEST_PEOPLE, "pupils"))
    return replace(one, lacking_before=none, lost=dict.fromkeys(one.lost, none), with_result=none, share_lost=none)


def _told_detail(detail: ImputationDetail | Unavailable) -> ImputationDetail | Unavailable:
    if isinstance(detail, Unavailable):
        return detail
    none = Unavailable(few(FEWEST_PEOPLE, "pupils"))
    return replace(detail, percent_incomplete=none, n_cells_treated=none, n_cells_comparison=none)


def _kind_of_loss(reason: str) -> LossReason:
    if reason == NO_ROW:
        return "closed"
    if is_suppressed(reason):
        return "suppressed"
    return "low_coverage" if reason == CODE_REASONS["LOWCOV"] else "not_published"


def _differential(losses: tuple[ArmLosses, ...]) -> Quantity:
    treated, comparison = (one.share_lost for one in losses)
    if isinstance(treated, Unavailable) or isinstance(comparison, Unavailable):
        return treated if isinstance(treated, Unavailable) else comparison
    return treated - comparison


# Imputed results.


@dataclass(frozen=True, slots=True)
class _Imputed:
    """What imputed outcomes say."""

    row: WhatIf
    tipping: TippingPoint
    detail: ImputationDetail | Unavailable

    @classmethod
    def none(cls, reason: str) -> _Imputed:
        """Return that nothing was imputed, and why."""
        none = Unavailable(reason)
        return cls(_without("imputed", reason), TippingPoint(shift=none, slope=none), none)


def _imputed(sample: MissingSample, choices: Missing, seed: int, level: float) -> _Imputed:
    """Return the estimate of completed tables, pooled or of their mean, and what would tip it."""
    outcomes = sample.outcomes
    rows = outcomes.has_some_before
    gaps = outcomes.missing & rows[:, None]
    if sample.no_imputation:
        return _Imputed.none(sample.no_imputation)
    if not gaps[outcomes.is_in_arm].any():
        return _Imputed.none(NONE_MISSING.format(one=sample.words.one))
    if not (~outcomes.missing[rows]).any(axis=0).all():
        return _Imputed.none(f"In some year no {sample.words.one} has a result, so that there is none to impute from.")
    percent = 100 * float(gaps[rows].any(axis=1).mean())
    assert choices.imputation is not None
    m = max(choices.imputation.draws, math.ceil(percent))
    tables = _tables(sample, m, seed)
    is_treated = (outcomes.arm == "treated").to_numpy()
    shifted = _of_table(gaps & outcomes.after & is_treated[:, None], outcomes, tables[0])
    mean = sum(tables[1:], tables[0]) / m
    first = sample.judge(mean)
    detail = ImputationDetail(
        draws=m,
        percent_incomplete=percent,
        n_cells_treated=int((gaps & outcomes.after)[is_treated].sum()),
        n_cells_comparison=int((gaps & outcomes.after)[(outcomes.arm == "comparison").to_numpy()].sum()),
        missing_share=Unavailable("No errors are pooled: the mean of the completed tables is ranked."),
    )
    if isinstance(first.estimate, Unavailable):
        return _Imputed.none(first.estimate.reason)
    if isinstance(first.std_error, Unavailable):
        tipped = (_rigid if sample.is_rigid else _searched)(sample, mean, first, shifted)
        return _Imputed(_row("imputed", first), _possible(sample, mean, shifted, tipped), detail)
    found = _shifted(sample, tables, shifted)
    if isinstance(found, Unavailable):
        return _Imputed.none(found.reason)
    one = found.at(0.0)
    return _Imputed(
        replace(
            _row("imputed", first),
            estimate=one.estimate,
            lower=one.estimate,
            upper=one.estimate,
            interval=_around(one, level),
            p_value=one.p_value,
        ),
        _possible(sample, mean, shifted, _tipped(sample, found.tipping_point(level), found.slope, _around(one, level))),
        replace(detail, missing_share=one.missing_share),
    )


def _tables(sample: MissingSample, m: int, seed: int) -> list[pd.DataFrame]:
    """Return what m completed tables give that is judged; units without any result before keep their gaps."""
    outcomes = sample.outcomes
    rows = outcomes.has_some_before
    values, covariates = (one[rows].to_numpy(dtype=float) for one in (outcomes.values, outcomes.covariates))
    area = outcomes.area[rows].to_numpy(dtype=np.int64)
    tables = []
    for number in range(m):
        rng = stream(seed, f"imputation {number} of {sample.outcome}")
        table = outcomes.values.copy()
        table.loc[rows] = imputed(values, covariates, area, rng, sample.imputation)
        tables.append(sample.of_table(table))
    return tables


def _of_table(cells: Bools, outcomes: Outcomes, table: pd.DataFrame) -> Bools:
    """Return cells by unit and year as cells of a table that is judged."""
    frame = pd.DataFrame(cells, outcomes.values.index, outcomes.values.columns)
    return np.asarray(frame.reindex(index=table.index, columns=table.columns).to_numpy(dtype=bool))


def _nobody(sample: MissingSample) -> TippingPoint:
    return _Imputed.none(NOBODY_IMPUTED.format(arm=f"the {sample.words.treated} {sample.words.many}")).tipping


def _rigid(sample: MissingSample, mean: pd.DataFrame, first: Judged, shifted: Bools) -> TippingPoint:
    """Return what tips an interval that moves with the estimate: its length is that of the placebos."""
    if not shifted.any():
        return _nobody(sample)
    still, moved = (sample.judge(mean + step * shifted, is_number_alone=True).estimate for step in (0.0, _STEP))
    if isinstance(moved, Unavailable) or isinstance(still, Unavailable):
        return _nobody(sample)
    slope = (moved - still) / _STEP
    if isinstance(first.interval, Unavailable):
        return TippingPoint(shift=first.interval, slope=slope)
    shift = rigid_tipping_point(first.interval.lower, first.interval.upper, slope)
    return _tipped(sample, shift, slope, first.interval)


def _possible(sample: MissingSample, mean: pd.DataFrame, shifted: Bools, found: TippingPoint) -> TippingPoint:
    """Return a tipping point, or that imputed results would leave the range that they have."""
    if sample.limits is None or isinstance(found.shift, Unavailable):
        return found
    at = float(mean.to_numpy(dtype=float)[shifted].mean())
    low, high = (limit - at for limit in sample.limits)
    return found if low <= found.shift <= high else TippingPoint(shift=Unavailable(OUT_OF_RANGE), slope=found.slope)


def _searched(sample: MissingSample, mean: pd.DataFrame, first: Judged, shifted: Bools) -> TippingPoint:
    """Return what tips an interval whose length hangs on the shift too: the nearer end is followed until it is zero."""
    start = _rigid(sample, mean, first, shifted)
    if isinstance(start.shift, Unavailable) or isinstance(first.interval, Unavailable):
        return start
    is_above = first.interval.lower > 0

    def end(shift: float) -> float:
        found = sample.judge(mean + shift * shifted).interval
        if isinstance(found, Unavailable):
            return math.nan
        return found.lower if is_above else found.upper

    low, high = 0.0, start.shift
    while not math.isnan(now := end(high)) and (now > 0) == is_above:
        low, high = high, 2 * high
        if abs(high) > _MOST_TIMES * abs(start.shift):
            return TippingPoint(shift=Unavailable(NO_SHIFT.format(most=_MOST_TIMES)), slope=start.slope)
    if math.isnan(now):
        return TippingPoint(shift=Unavailable("Where outcomes are shifted there is no interval."), slope=start.slope)
    at = brentq(end, low, high, xtol=_NEAR * abs(high), rtol=_NEAR)
    return TippingPoint(shift=float(at), slope=start.slope)


def _shifted(sample: MissingSample, tables: list[pd.DataFrame], shifted: Bools) -> ShiftedEstimates | Unavailable:
    """Return the estimates and variances of every completed table with the treated's imputed outcomes shifted.

    Each table is judged as it is and with a shift of one. How a variance bends hangs on which cells are shifted alone,
    so that the first table says it for all, and the rest of the other side follows.
    """
    found: list[list[tuple[float, float]]] = []
    df = math.inf
    for table in tables:
        row = []
        for step in (0.0, _STEP, -_STEP)[: (2 + (not found)) if shifted.any() else 1]:
            one = sample.judge(table + step * shifted)
            if isinstance(one.estimate, Unavailable) or isinstance(one.std_error, Unavailable):
                return one.std_error if isinstance(one.std_error, Unavailable) else Unavailable(NO_POOLING)
            row.append((one.estimate, one.std_error**2))
            df = min(df, math.inf if one.df is None else one.df)
        found.append(row)
    if not shifted.any():
        found = [row * 3 for row in found]
    bend = found[0][1][1] + found[0][2][1] - 2 * found[0][0][1]
    still, up = (np.array([row[at] for row in found]) for at in (0, 1))
    down = 2 * still - up + np.array([0.0, bend])
    columns = [np.column_stack([one[:, at] for one in (down, still, up)]) for at in (0, 1)]
    return ShiftedEstimates(estimates=columns[0], variances=columns[1], step=_STEP, complete_df=df)


def _around(found: Pooled, level: float) -> Interval:
    half = found.half_length(level)
    return Interval(found.estimate - half, found.estimate + half, level)


def _tipped(sample: MissingSample, shift: float, slope: float, interval: Interval) -> TippingPoint:
    if 0 in interval:
        return TippingPoint(shift=Unavailable(HOLDS_ZERO), slope=slope)
    if slope == 0 or math.isnan(shift):
        return replace(_nobody(sample), slope=slope)
    return TippingPoint(shift=shift, slope=slope)
