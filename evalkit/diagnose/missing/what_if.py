"""What the estimate would be if missing results were imputed, at worst, at best, or trimmed; and what would tip it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools
from evalkit.core.draws import stream
from evalkit.core.project import Missing
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.words import counted
from evalkit.data.published.codes import CODE_REASONS, NO_ROW
from evalkit.diagnose.missing.sample import Judged, MissingSample, Outcomes
from evalkit.estimate.missing.area_bounds import JudgedBounds, bounds_without
from evalkit.estimate.missing.pooled_arrays import Pooled, ShiftedEstimates, rigid_tipping_point
from evalkit.estimate.missing.predictive_arrays import ImputationOptions, imputed

SIZES: Final = (6, 10)
"""Pupils of the smallest published cohorts, which stand for those whose results are suppressed."""
TAILS: Final = (5.0, 95.0)
"""Percentiles of their results that stand for the worst and the best."""
FEWEST_SMALL: Final = 20
"""Schools of such a size below which a percentile of them says nothing."""
SUPPRESSED: Final = ("suppressed", "confidential", "redacted")
LossReason = Literal["closed", "suppressed", "low_coverage", "not_published"]
LOSS_REASONS: Final[tuple[LossReason, ...]] = ("closed", "suppressed", "low_coverage", "not_published")
Assumption = Literal["published", "imputed", "worst", "best", "bounds"]
_ARMS: Final[tuple[Literal["treated", "comparison"], ...]] = ("treated", "comparison")
_EXTREMES: Final[tuple[Assumption, ...]] = ("worst", "best")
_STEP: Final = 1.0
NOT_ASKED: Final = "The project leaves it out."
BOUNDS_ALONE: Final = "Bounds are two estimates, of no one sample and without a p-value."
NONE_MISSING: Final = "No school with a result before lacks one."
NONE_SUPPRESSED: Final = "No result after the programme began is suppressed."
NOBODY_IMPUTED: Final = "No result of a treated school after the programme began is imputed."
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
    lacking_before: int
    lost: dict[LossReason, int]
    with_result: int
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
    percent_incomplete: float
    n_cells_treated: int
    n_cells_comparison: int
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
    note: str = ""


def what_if(sample: MissingSample, main: Judged, choices: Missing, seed: int, level: float) -> MissingOutcome:
    """Return what an analysis says of one outcome under each assumption that the project declares.

    `main` is what it says of the results that were published, which stays the answer.
    """
    losses = tuple(_losses(sample.outcomes, arm) for arm in _ARMS)
    found = _imputed(sample, choices, seed, level) if choices.imputation is not None else _Imputed.none(NOT_ASKED)
    bounds = bounds_without(NOT_ASKED)
    if choices.bounds == "lee":
        bounds = bounds_without(sample.no_bounds) if sample.bounds is None else sample.bounds()
    rows = [
        _row("published", main),
        *((found.row,) if choices.imputation is not None else ()),
        *(_suppressed(sample) if choices.suppressed == "worst-best" else ()),
        *((_bounds_row(bounds),) if choices.bounds == "lee" else ()),
    ]
    return MissingOutcome(
        outcome=sample.outcome,
        losses=losses,
        differential=_differential(losses),
        rows=tuple(rows),
        tipping=found.tipping if choices.tipping else _Imputed.none(NOT_ASKED).tipping,
        imputation=found.detail,
        bounds=bounds,
        note=sample.note,
    )


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


def _kind_of_loss(reason: str) -> LossReason:
    if reason == NO_ROW:
        return "closed"
    if reason.startswith(SUPPRESSED):
        return "suppressed"
    return "low_coverage" if reason == CODE_REASONS["LOWCOV"] else "not_published"


def _differential(losses: tuple[ArmLosses, ...]) -> Quantity:
    treated, comparison = (one.share_lost for one in losses)
    if isinstance(treated, Unavailable) or isinstance(comparison, Unavailable):
        return treated if isinstance(treated, Unavailable) else comparison
    return treated - comparison


# Suppressed results at worst and at best.


def _suppressed(sample: MissingSample) -> Iterator[WhatIf]:
    """Yield what suppressed results could do: the treated's low and all others' high, and the reverse.

    One completed table each, analysed as the analysis itself is; all other gaps stay gaps.
    """
    outcomes = sample.outcomes
    reasons = outcomes.reasons.to_numpy(dtype=object)
    hidden = np.array([[str(one).startswith(SUPPRESSED) for one in row] for row in reasons]).reshape(reasons.shape)
    filled = hidden & outcomes.missing & outcomes.after & outcomes.has_all_before[:, None]
    is_arm = outcomes.arm.isin(_ARMS).to_numpy()
    if not filled[is_arm].any():
        yield from (_without(one, NONE_SUPPRESSED) for one in _EXTREMES)
        return
    try:
        ends = {at: _extremes(outcomes, at) for at in np.flatnonzero(filled.any(axis=0)).tolist()}
    except LookupError as problem:
        yield from (_without(one, str(problem)) for one in _EXTREMES)
        return
    is_treated = (outcomes.arm == "treated").to_numpy()
    for assumption in _EXTREMES:
        values = outcomes.values.copy()
        for at, (low, high) in ends.items():
            own, others = (low, high) if assumption == "worst" else (high, low)
            year = values.columns[at]
            values.loc[filled[:, at] & is_treated, year] = own
            values.loc[filled[:, at] & ~is_treated, year] = others
        yield _row(assumption, sample.judge(values))


def _extremes(outcomes: Outcomes, at: int) -> tuple[float, float]:
    """Return the 5th and 95th percentile of the results of schools with 6 to 10 pupils in the year at a place.

    Where the files tell no cohort of that year, a school's cohort is that of the last year before of which they do.
    """
    year, values = outcomes.values.columns[at], outcomes.values.iloc[:, at]
    known = outcomes.pupils.iloc[:, : at + 1].dropna(axis=1, how="all")
    pupils = known.iloc[:, -1] if len(known.columns) else outcomes.pupils.iloc[:, at]
    small = values[pupils.between(*SIZES) & values.notna()]
    if len(small) < FEWEST_SMALL:
        raise LookupError(
            f"{counted(len(small), 'school')} of {SIZES[0]} to {SIZES[1]} pupils had a result in {year}: too few to "
            "say what the suppressed ones could be at worst."
        )
    low, high = np.percentile(small.to_numpy(dtype=float), TAILS)
    return float(low), float(high)


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
    is_arm = outcomes.arm.isin(_ARMS).to_numpy()
    if not gaps[is_arm].any():
        return _Imputed.none(NONE_MISSING)
    if not (~outcomes.missing[rows]).any(axis=0).all():
        return _Imputed.none("In some year no school has a result, so that there is none to impute from.")
    percent = 100 * float(gaps[rows].any(axis=1).mean())
    assert choices.imputation is not None
    m = max(choices.imputation.draws, math.ceil(percent))
    tables = _tables(sample, m, seed)
    is_treated = (outcomes.arm == "treated").to_numpy()
    shifted = gaps & outcomes.after & is_treated[:, None]
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
        return _Imputed(_row("imputed", first), _rigid(sample, mean, first, shifted), detail)
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
        _tipped(found.tipping_point(level), found.slope, _around(one, level)),
        replace(detail, missing_share=one.missing_share),
    )


def _tables(sample: MissingSample, m: int, seed: int) -> list[pd.DataFrame]:
    """Return m completed tables; units without any result before keep their gaps."""
    outcomes = sample.outcomes
    rows = outcomes.has_some_before
    values, covariates = (one[rows].to_numpy(dtype=float) for one in (outcomes.values, outcomes.covariates))
    area = outcomes.area[rows].to_numpy(dtype=np.int64)
    tables = []
    for number in range(m):
        rng = stream(seed, f"imputation {number} of {sample.outcome}")
        table = outcomes.values.copy()
        table.loc[rows] = imputed(values, covariates, area, rng, ImputationOptions())
        tables.append(table)
    return tables


def _rigid(sample: MissingSample, mean: pd.DataFrame, first: Judged, shifted: Bools) -> TippingPoint:
    """Return what tips an interval that moves with the estimate: its length is that of the placebos."""
    if not shifted.any():
        return _Imputed.none(NOBODY_IMPUTED).tipping
    still, moved = (sample.judge(mean + step * shifted, is_number_alone=True).estimate for step in (0.0, _STEP))
    if isinstance(moved, Unavailable) or isinstance(still, Unavailable):
        return _Imputed.none(NOBODY_IMPUTED).tipping
    slope = (moved - still) / _STEP
    if isinstance(first.interval, Unavailable):
        return TippingPoint(shift=first.interval, slope=slope)
    return _tipped(rigid_tipping_point(first.interval.lower, first.interval.upper, slope), slope, first.interval)


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


def _tipped(shift: float, slope: float, interval: Interval) -> TippingPoint:
    if 0 in interval:
        return TippingPoint(shift=Unavailable(HOLDS_ZERO), slope=slope)
    if slope == 0 or math.isnan(shift):
        return TippingPoint(shift=Unavailable(NOBODY_IMPUTED), slope=slope)
    return TippingPoint(shift=shift, slope=slope)
