"""Change, analysis of covariance and difference after matching, and the bracket of the first two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, get_args

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats
from evalkit.core.errors import DataError, DesignError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.core.shown import Shown
from evalkit.core.words import counted, did_you_mean, listed
from evalkit.design.clusters import AT_ALL, independence_by
from evalkit.design.matching.features import score_columns
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import AfterName
from evalkit.estimate.matched.after_matching_arrays import (
    SPARE_UNITS,
    covariance_adjusted,
    independent_columns,
    weighted_difference,
)
from evalkit.estimate.matched.matched_effect import MatchedEffect, matched_effect
from evalkit.estimate.matched.task import EffectOptions, in_order, outcome_of

AFTER_NAMES: Final[tuple[AfterName, ...]] = get_args(AfterName)

NOT_OBSERVED_BEFORE: Final = "The outcome was not observed before the programme, so that there is no change in it."
_METHODS: Final[dict[AfterName, str]] = {
    "change": "weighted difference in change from the mean of the years before",
    "ancova": "weighted least squares of the outcome on treatment, what was known before and their products, "
    "centred at the treated (Lin, 2013)",
    "difference": "weighted difference in means",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """The two estimates between which the effect lies where the treated were chosen on low scores (Ding and Li, 2019).

    `lower` and `upper` are the lesser and the greater of change and analysis of covariance, `gap` the treated's mean
    before less their comparison units', by the design's weights.
    """

    lower: float
    upper: float
    gap: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AfterMatching(Shown):
    """The estimates that a matched design gives of one outcome.

    Attributes
    ----------
    asked : name of the estimate that was asked for
    change : weighted mean change of the treated less that of the comparison units
    ancova : what the treated have more than the comparison units' line says of what was known of them before
    difference : weighted difference after the programme
    bracket : of change and ancova
    """

    asked: AfterName
    change: MatchedEffect | Unavailable
    ancova: MatchedEffect | Unavailable
    difference: MatchedEffect | Unavailable
    bracket: Bracket | Unavailable

    @property
    def main(self) -> MatchedEffect | Unavailable:
        """Return the estimate that was asked for."""
        return self.of(self.asked)

    def of(self, name: AfterName) -> MatchedEffect | Unavailable:
        """Return an estimate by its name."""
        found: MatchedEffect | Unavailable = getattr(self, name)
        return found


def after_matching(
    design: MatchedDesign,
    before: pd.DataFrame,
    after: pd.Series,
    asked: AfterName | None = None,
    options: EffectOptions | None = None,
) -> AfterMatching:
    """Return change, analysis of covariance and difference of an outcome from a matched or weighted design.

    Parameters
    ----------
    design : MatchedDesign
    before : DataFrame by unit, a column of the outcome for each year before the programme
        Known for every unit that the design uses; no column where the outcome was not observed before.
    after : Series by unit
    asked : which of them leads; None for change, or for difference where the outcome was not observed before
    options : errors, clusters and level; what to adjust for is the business of the analysis of covariance

    Raises
    ------
    DataError
        Where a unit that the design uses lacks an outcome, before or after.
    DesignError
        Where what is asked for needs an outcome before and there is none, or an option names what to adjust for.

    Notes
    -----
    Change needs that the treated would have moved as the comparison units did; analysis of covariance (all years
    before and the covariates of the match, weights of the match, no effects of pairs) that nothing else tells the arms
    apart. Where the treated were chosen on low scores the effect lies between the two (Ding and Li, 2019).

    Examples
    --------
    >>> import evalkit
    >>> import pandas as pd
    >>> schools = pd.DataFrame(
    ...     {"school": range(40), "before": [i * 7 % 40 for i in range(40)], "helped": [i % 4 == 0 for i in range(40)]}
    ... )
    >>> roles = evalkit.BaselineRoles(treated="helped", covariates=("before",), unit="school")
    >>> design = evalkit.match(evalkit.Baseline.from_frame(schools, roles), evalkit.NearestNeighbour())
    >>> later = schools["before"] * 0.5 + 2 * schools["helped"] + schools["school"] % 3 / 10
    >>> found = evalkit.after_matching(design, schools[["before"]], later)
    >>> [round(found.of(name).estimate.value, 1) for name in ("change", "ancova", "difference")]
    [2.5, 2.0, 1.5]
    """
    chosen = options or EffectOptions()
    _require_whole(chosen, asked, before)
    name: AfterName = asked or ("change" if len(before.columns) else "difference")
    post = outcome_of(design, after)
    difference = _effect(design, post, chosen, "difference")
    if before.columns.empty:
        none = Unavailable(NOT_OBSERVED_BEFORE)
        ancova = _covariance(design, np.empty((len(post), 0)), post, chosen)
        return AfterMatching(asked=name, change=none, ancova=ancova, difference=difference, bracket=none)
    pre = _before(design, before)
    change = _effect(design, post - pre.mean(axis=1), chosen, "change")
    ancova = _covariance(design, pre, post, chosen, tuple(map(str, before.columns)))
    return AfterMatching(
        asked=name, change=change, ancova=ancova, difference=difference, bracket=_bracket(design, pre, change, ancova)
    )


def _require_whole(options: EffectOptions, asked: str | None, before: pd.DataFrame) -> None:
    """Raise `DesignError` where what was asked for cannot be."""
    if asked is not None and asked not in AFTER_NAMES:
        raise DesignError(
            f"'{asked}' is no estimate.{did_you_mean(asked, AFTER_NAMES)} There are: {listed(AFTER_NAMES)}."
        )
    if asked == "change" and before.columns.empty:
        raise DesignError(f"{NOT_OBSERVED_BEFORE} Ask for the difference.")
    if options.adjust or options.adjustment is not None:
        raise DesignError(
            "The analysis of covariance adjusts for what the design knew before. Leave `adjust` and `adjustment` out."
        )


def _before(design: MatchedDesign, before: pd.DataFrame) -> Floats:
    """Return outcomes before, shape (n_units, n_years); raise `DataError` where a used unit lacks one."""
    columns = [in_order(design, before[name], "outcome before").to_numpy(dtype=float) for name in before]
    pre: Floats = np.column_stack(columns)
    lacking = design.is_used & ~np.isfinite(pre).all(axis=1)
    if lacking.any():
        raise DataError(
            f"The outcome before the programme is missing for {counted(int(lacking.sum()), 'matched unit')}. Leave "
            "units without one out before matching, so that the loss is counted."
        )
    return pre


def _effect(design: MatchedDesign, values: Floats, options: EffectOptions, name: AfterName) -> MatchedEffect:
    """Return a weighted difference; where no error can be made, with the reason in its place."""
    try:
        return replace(matched_effect(design, values, options), method=_METHODS[name])
    except DesignError as problem:
        value = weighted_difference(np.where(design.is_used, values, 0.0), design.baseline.is_treated, design.weights)
        return _without_error(design, value, options, name, str(problem))


def _covariance(
    design: MatchedDesign, pre: Floats, post: Floats, options: EffectOptions, years: tuple[str, ...] = ()
) -> MatchedEffect | Unavailable:
    """Return the analysis of covariance, of the columns that the arms compared with tell apart."""
    columns, names = adjustment_columns(design, pre, years)
    kept, fewest = _kept(design, columns)
    if not len(kept):
        return Unavailable("What was known before does not vary among the matched comparison units.")
    if fewest <= len(kept) + SPARE_UNITS:
        return Unavailable(
            f"An arm has {counted(fewest, 'matched unit')}: too few for a line through "
            f"{counted(len(kept), 'covariate')}."
        )
    chosen = tuple(names[at] for at in kept)
    frame = pd.DataFrame(columns[:, kept], index=design.baseline.units.index, columns=list(chosen))
    try:
        found = matched_effect(design, post, replace(options, adjust=chosen, columns=frame, adjustment="g-computation"))
    except DesignError as problem:
        if design.target != "ATT":
            return Unavailable(str(problem))
        value = covariance_adjusted(
            np.where(design.is_used, post, 0.0), columns[:, kept], design.baseline.is_treated, design.weights
        )
        found = _without_error(design, value, options, "ancova", str(problem))
    notes = (*found.notes, *_left_out(names, chosen))
    return replace(found, method=_METHODS["ancova"], adjusted_for=chosen, notes=notes)


def adjustment_columns(
    design: MatchedDesign, pre: Floats, years: tuple[str, ...] = ()
) -> tuple[Floats, tuple[str, ...]]:
    """Return what the analysis of covariance adjusts for, shape (n_units, k), and names: years before, covariates.

    Units that are not used hold zeros, so that what they lack does not spread.
    """
    covariates, names = score_columns(design.baseline)
    # a year before that was matched on as well is one column, not two that follow from each other
    is_new = [not any(np.array_equal(column, year) for year in pre.T) for column in covariates.T]
    columns = np.where(design.is_used[:, None], np.column_stack([pre, covariates[:, is_new]]), 0.0)
    before = tuple(f"outcome before ({year})" for year in years)
    return columns, (*before, *(name for name, new in zip(names, is_new, strict=True) if new))


def _kept(design: MatchedDesign, columns: Floats) -> tuple[list[int], int]:
    """Return the columns with a slope in each arm whose line is used, and the fewest units of such an arm."""
    is_treated, used = design.baseline.is_treated, design.is_used
    arms: list[Bools] = [used & ~is_treated] if design.target == "ATT" else [used & is_treated]
    if design.target == "ATE":
        arms.append(used & ~is_treated)
    kept = set(range(columns.shape[1]))
    for arm in arms:
        kept &= set(independent_columns(columns[arm], design.weights[arm]).tolist())
    return sorted(kept), min(int(arm.sum()) for arm in arms)


def _left_out(names: tuple[str, ...], kept: tuple[str, ...]) -> tuple[str, ...]:
    left_out = [repr(name) for name in names if name not in kept]
    if not left_out:
        return ()
    verb = "follows" if len(left_out) == 1 else "follow"
    return (f"{listed(left_out, 8)} {verb} from the other columns among the matched units, and nothing hangs on it.",)


def _without_error(
    design: MatchedDesign, value: float, options: EffectOptions, name: AfterName, reason: str
) -> MatchedEffect:
    return MatchedEffect(
        estimate=Estimate(value, Unavailable(reason)),
        estimand=design.estimand,
        method=_METHODS[name],
        inference="none",
        level=options.level,
        n_treated=design.n_treated,
        n_comparison=design.n_comparison,
        effective_comparison=design.effective_comparison,
        assumes=independence_by("unit" if options.cluster is None else "cluster", AT_ALL),
    )


def _bracket(
    design: MatchedDesign, pre: Floats, change: MatchedEffect, ancova: MatchedEffect | Unavailable
) -> Bracket | Unavailable:
    if isinstance(ancova, Unavailable):
        return ancova
    ends = sorted((change.estimate.value, ancova.estimate.value))
    level = np.where(design.is_used, pre.mean(axis=1), 0.0)
    gap = weighted_difference(level, design.baseline.is_treated, design.weights)
    return Bracket(lower=ends[0], upper=ends[1], gap=gap)
