"""What a matched comparison withstands of what was not measured: every measure of it that applies, side by side."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL
from evalkit.core.errors import DesignError
from evalkit.core.formats import lower_first, number
from evalkit.core.quantities import Estimate, Interval, IntervalOrReason, Quantity, Unavailable, critical_value
from evalkit.core.sentence import Sentence, count
from evalkit.core.shown import Several, Shown
from evalkit.core.words import did_you_mean, listed
from evalkit.design.clusters import AT_ALL, independence_by
from evalkit.design.matching.features import score_columns
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.weights_arrays import effective_n
from evalkit.diagnose.finding import Finding
from evalkit.diagnose.matched.oster import OsterDelta, oster_delta
from evalkit.diagnose.matched.robustness_value import RegressionRows, RobustnessValue, robustness_value, without_tests
from evalkit.diagnose.matched.rosenbaum import GAMMAS, RosenbaumBounds, pair_differences, rosenbaum_bounds
from evalkit.estimate.matched.matched_effect import MatchedEffect

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityOptions:
    """What is chosen in the measures of sensitivity.

    `benchmarks` are covariates that what was not measured is set against (all of them by default), at `times` their
    strength. `sample` is what the regressions are made on: all units that were not discarded, equally weighted
    (matching has made benchmarks weak in the matched sample by design), or the matched sample with its weights.
    `r2_most` is the R² assumed with everything measured; 1.3 times that of the regression, at most 1, by default.
    """

    level: float = LEVEL
    gammas: tuple[float, ...] = GAMMAS
    benchmarks: tuple[str, ...] | None = None
    times: tuple[float, ...] = (1.0, 2.0, 3.0)
    sample: Literal["all", "matched"] = "all"
    r2_most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MatchSensitivity(Shown):
    """Each measure, or the reason why it does not apply.

    Attributes
    ----------
    hidden_bias : bounds by the strength of a hidden bias within pairs
    e_value : the risk ratio that a hidden factor needs on both sides
    robustness : the shares of variance that it needs, against benchmarks
    selection : how much more it must matter than what was measured
    regression_on : in words, the units the last two are from
    n_lacking : units used by the design whose outcome is missing
    """

    hidden_bias: RosenbaumBounds | Unavailable
    e_value: EValue | Unavailable
    robustness: RobustnessValue | Unavailable
    selection: OsterDelta | Unavailable
    level: float
    regression_on: Sentence
    n_lacking: int

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return the findings of the measures that give one."""
        found = (self.hidden_bias, self.robustness, self.selection)
        return Several(one.finding for one in found if not isinstance(one, Unavailable))

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return one sentence for each measure: what it says, or why it does not apply."""
        paired = (_said(self.hidden_bias), _said(self.e_value))
        robust = self.robustness
        more = robust.benchmark_sentence if isinstance(robust, RobustnessValue) else ""
        regressed = [self._of_regression(robust, more), self._of_regression(self.selection)]
        return (*paired, *regressed)

    def _of_regression(self, found: RobustnessValue | OsterDelta | Unavailable, more: str = "") -> str:
        if isinstance(found, Unavailable):
            return found.reason
        return Sentence(
            "In a regression on {sample}: {said}{more}",
            sample=self.regression_on,
            said=lower_first(found.sentence),
            more=f" {more}" if more else "",
        )


def match_sensitivity(
    design: MatchedDesign,
    outcome: pd.Series,
    effect: Estimate | MatchedEffect,
    options: SensitivityOptions | None = None,
) -> MatchSensitivity:
    """Return how much of what was not measured a matched or weighted comparison withstands.

    Parameters
    ----------
    design : MatchedDesign
    outcome : Series on the units' ids, missing where it is not known
        Units without an outcome are left out, with their partner.
    effect : Estimate or MatchedEffect
        The design's effect with its standard error, in units of the outcome; the E-value is of this one.
    options : SensitivityOptions

    Raises
    ------
    DesignError
        Where the outcome is of other units, or a benchmark is not a covariate of the design.

    Examples
    --------
    >>> import evalkit
    >>> import pandas as pd
    >>> schools = pd.DataFrame(
    ...     {"school": range(40), "before": [i * 7 % 40 for i in range(40)], "helped": [i % 4 == 0 for i in range(40)]}
    ... )
    >>> later = schools["before"] + 2 * schools["helped"] + schools["school"] % 3 / 10
    >>> roles = evalkit.BaselineRoles(treated="helped", covariates=("before",), unit="school")
    >>> baseline = evalkit.Baseline.from_frame(schools, roles)
    >>> design = evalkit.match(baseline, evalkit.NearestNeighbour())
    >>> effect = evalkit.matched_effect(design, later.to_numpy())
    >>> found = evalkit.match_sensitivity(design, later.rename(index=dict(schools["school"])), effect)
    >>> round(found.robustness.value, 2)
    0.99
    """
    options = options or SensitivityOptions()
    estimate = effect.estimate if isinstance(effect, MatchedEffect) else effect
    values = _aligned(design, outcome)
    benchmarks = _benchmarks(design, options)
    rows = _rows(design, values, options)
    refused = no_inference(estimate)
    is_clustered = isinstance(effect, MatchedEffect) and effect.assumes == independence_by("cluster", AT_ALL)
    robustness = _or_reason(lambda: robustness_value(rows, benchmarks, options.times, options.level), refused)
    if is_clustered and isinstance(robustness, RobustnessValue):
        robustness = without_tests(robustness, OF_CLUSTERS)
    alone = OF_CLUSTERS if is_clustered else None
    return MatchSensitivity(
        hidden_bias=_or_reason(lambda: _hidden_bias(design, values, options), refused or alone),
        e_value=_or_reason(lambda: _e_value(design, values, estimate, options.level)),
        robustness=robustness,
        selection=_or_reason(lambda: oster_delta(rows, options.r2_most)),
        level=options.level,
        regression_on=_sample_words(len(rows.outcome), len(values), options),
        n_lacking=int((design.is_used & ~np.isfinite(values)).sum()),
    )


def no_inference(effect: Estimate) -> Unavailable | None:
    """Return why no test of units is made beside an effect whose own interval was refused, None where it has one."""
    if not isinstance(effect.std_error, Unavailable):
        return None
    return Unavailable(f"{_AS_REFUSED} {effect.std_error.reason}")


_AS_REFUSED: Final = "Its test takes units as independent, and the effect has no interval of that kind."
OF_CLUSTERS: Final = Unavailable(
    "Its test takes units as independent, and those of one cluster are not. Leave the clusters out to see it."
)


def _said(found: RosenbaumBounds | EValue | Unavailable) -> str:
    """Return what a measure says; its numbers are odds, shares and p-values, none of them a count."""
    return found.reason if isinstance(found, Unavailable) else Sentence("{said}", said=found.sentence)


def regression_rows(design: MatchedDesign, outcome: Floats, weight: Floats) -> RegressionRows:
    """Return the design's covariates as blocks of columns, of units with an outcome and a weight."""
    baseline = design.baseline
    kept = np.isfinite(outcome) & (weight > 0)
    blocks = {str(name): _block(design, str(name))[kept] for name in baseline.covariates}
    blocks = {name: columns for name, columns in blocks.items() if columns.shape[1]}  # a text of one value has none
    return RegressionRows(outcome[kept], baseline.is_treated[kept].astype(float), blocks, weight[kept])


def _block(design: MatchedDesign, name: str) -> Floats:
    return score_columns(design.baseline, (name,))[0]


def _rows(design: MatchedDesign, outcome: Floats, options: SensitivityOptions) -> RegressionRows:
    weight = design.weights if options.sample == "matched" else (~design.discarded).astype(float)
    return regression_rows(design, outcome, weight)


def _sample_words(n: int, n_units: int, options: SensitivityOptions) -> Sentence:
    units = count(n, among=n_units)
    if options.sample == "matched":
        return Sentence("the {n} units of the matched sample that have an outcome, with their weights", n=units)
    return Sentence("all {n} units that were not discarded and have an outcome, equally weighted", n=units)


def _aligned(design: MatchedDesign, outcome: pd.Series) -> Floats:
    units = design.baseline.units.index
    is_same = outcome.index.equals(units)  # the usual case, and looking ids up takes seconds where they are many
    if not is_same and (not outcome.index.is_unique or not units.isin(outcome.index).any()):
        raise DesignError("The outcome must stand on the units' ids, one value for each unit.")
    values = (outcome if is_same else outcome.reindex(units)).to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(values).any():
        raise DesignError(f"The outcome '{outcome.name}' is infinite for a unit. Correct it, or leave it missing.")
    return np.asarray(values)


def _benchmarks(design: MatchedDesign, options: SensitivityOptions) -> tuple[str, ...]:
    known = [str(name) for name in design.baseline.covariates]
    for name in options.benchmarks or ():
        if name not in known:
            raise DesignError(
                f"'{name}' is no covariate of the design.{did_you_mean(name, known)} It has: {listed(known, 20)}."
            )
    return tuple(known) if options.benchmarks is None else options.benchmarks


def _or_reason(measure: Callable[[], T], refused: Unavailable | None = None) -> T | Unavailable:
    if refused is not None:
        return refused
    try:
        return measure()
    except DesignError as problem:
        return Unavailable(str(problem))


def _hidden_bias(design: MatchedDesign, outcome: Floats, options: SensitivityOptions) -> RosenbaumBounds:
    differences, _ = pair_differences(design, outcome)
    return rosenbaum_bounds(differences, options.gammas, options.level)


def _e_value(design: MatchedDesign, outcome: Floats, effect: Estimate, level: float) -> EValue:
    known = np.isfinite(outcome)
    if not np.isin(outcome[known], (0.0, 1.0)).all():
        if known.sum() < 2:
            raise DesignError("Fewer than two units have an outcome, so it has no SD.")
        return e_value_of_difference(effect, float(outcome[known].std(ddof=1)), level)
    return _ratio_of_shares(design, outcome, level, no_inference(effect))


def _ratio_of_shares(design: MatchedDesign, outcome: Floats, level: float, refused: Unavailable | None) -> EValue:
    """Return the E-value of the ratio of weighted shares; var(ln ratio) = Σ(1 − p)/(effective n · p) over arms.

    Where the effect's own interval was `refused`, the ratio has none either.
    """
    shares, variance = [], 0.0
    for arm in (design.baseline.is_treated, ~design.baseline.is_treated):
        rows = arm & design.is_used & np.isfinite(outcome)
        share = float(np.average(outcome[rows], weights=design.weights[rows])) if rows.any() else 0.0
        if not share > 0:
            raise DesignError("In one arm nobody has the outcome, so there is no risk ratio.")
        shares.append(share)
        variance += (1 - share) / share / effective_n(design.weights[rows])
    if refused is not None:
        return e_value_of_ratio(shares[0] / shares[1], refused)
    centre, reach = float(np.log(shares[0] / shares[1])), critical_value(level) * float(np.sqrt(variance))
    interval = Interval(float(np.exp(centre - reach)), float(np.exp(centre + reach)), level)
    return e_value_of_ratio(float(np.exp(centre)), interval)


# How strongly something not measured would have to go with both taking part and the outcome (the E-value).


_PER_SD: Final = 0.91
_REACH_95: Final = 1.78
"""ln(risk ratio) ≈ 0.91 d, its 95% limits 0.91 d ± 1.78 s (VanderWeele and Ding, 2017, table 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EValue:
    """The least risk ratio with which a hidden factor must go with taking part and with the outcome to explain all.

    Attributes
    ----------
    ratio, interval : the risk ratio that is to be explained, and its interval
    point : the E-value of the ratio
    limit : the E-value of the interval's end nearer to 1; 1 where the interval holds 1
    sd_used : the SD that a difference was divided by, or why none was used
    """

    ratio: float
    interval: IntervalOrReason
    point: float
    limit: Quantity
    sd_used: Quantity

    @property
    def sentence(self) -> str:
        """Return what a reader needs to know."""
        text = (
            f"Something not measured would have to make both taking part and a {'high' if self.ratio >= 1 else 'low'} "
            f"outcome {number(self.point)} times as likely, over and above everything measured, to explain the whole "
            "difference"
        )
        if isinstance(self.limit, Unavailable):
            return text + "."
        if self.limit == 1:
            return text + "; the interval contains no difference as it stands, without any hidden factor."
        return text + f"; {number(self.limit)} times would be enough for the interval to contain no difference."


def e_value_of_ratio(ratio: float, interval: IntervalOrReason) -> EValue:
    """Return the E-value of a risk ratio and of its interval (VanderWeele and Ding, 2017).

    E = RR + √(RR(RR − 1)), of 1/RR where RR is under 1. Raise `DesignError` where a ratio is not positive.
    """
    ends = () if isinstance(interval, Unavailable) else (interval.lower, interval.upper)
    if not (ratio > 0 and math.isfinite(ratio) and all(end > 0 for end in ends)):
        raise DesignError("A risk ratio and the ends of its interval are positive numbers. Check what was passed.")
    return EValue(
        ratio=ratio,
        interval=interval,
        point=_of_ratio(ratio),
        limit=_of_limit(ratio, interval),
        sd_used=Unavailable("A risk ratio is not divided by an SD."),
    )


def e_value_of_difference(estimate: Estimate, sd: float, level: float = LEVEL) -> EValue:
    """Return the E-value of a difference in means, by the approximate risk ratio exp(0.91 d) with d = difference/SD.

    The limits are exp(0.91 d ± 1.78 s), s the standard error over the SD; at other levels 1.78 is scaled by the
    normal quantile. Raise `DesignError` where the SD is not positive.
    """
    if not (sd > 0 and math.isfinite(sd)):
        raise DesignError("The outcome does not vary, so that a difference in it has no size in SDs.")
    centre = _PER_SD * estimate.value / sd
    if isinstance(estimate.std_error, Unavailable):
        interval: IntervalOrReason = estimate.std_error
    else:
        reach = _REACH_95 * critical_value(level) / critical_value(0.95) * estimate.std_error / sd
        interval = _interval(centre, reach, level)
    ratio = _exp(centre)
    return EValue(
        ratio=ratio, interval=interval, point=_of_ratio(ratio), limit=_of_limit(ratio, interval), sd_used=float(sd)
    )


def _interval(centre: float, reach: float, level: float) -> Interval:
    return Interval(_exp(centre - reach), _exp(centre + reach), level)


def _exp(power: float) -> float:
    if abs(power) > 300:
        raise DesignError("The difference is so many SDs that its risk ratio is no number. Check the outcome's unit.")
    return math.exp(power)


def _of_ratio(ratio: float) -> float:
    ratio = ratio if ratio >= 1 else 1 / ratio
    return ratio + math.sqrt(ratio * (ratio - 1))


def _of_limit(ratio: float, interval: IntervalOrReason) -> Quantity:
    if isinstance(interval, Unavailable):
        return interval
    if 1 in interval:
        return 1.0
    return _of_ratio(interval.lower if ratio >= 1 else interval.upper)
