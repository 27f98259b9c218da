"""The statistics of balance: each with its key, function, label, thresholds and the sentence for a reader."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from evalkit.core.formats import visible
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.diagnose.matched.balance_arrays import ArmContrast, ratio

SATISFIED: Final = 0.05
"""Baseline differences up to this many SD satisfy the What Works Clearinghouse (Standards Handbook, baseline
equivalence)."""
ADJUSTABLE: Final = 0.25
"""Differences up to this many SD satisfy it if the effect is adjusted for them; larger ones never do."""
_COX: Final = 1.65
"""What a log odds ratio is divided by to be on the scale of standard deviations (Cox, 1970)."""


class WwcClass(StrEnum):
    """What the What Works Clearinghouse says of a baseline difference."""

    SATISFIED = "satisfied"
    NEEDS_ADJUSTMENT = "satisfied if adjusted for"
    NOT_SATISFIED = "not satisfied"


def wwc_class(difference: float) -> WwcClass:
    """Return the class of a baseline difference in standard deviations."""
    size = abs(difference)
    if size <= SATISFIED:
        return WwcClass.SATISFIED
    return WwcClass.NEEDS_ADJUSTMENT if size <= ADJUSTABLE else WwcClass.NOT_SATISFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceStatistic:
    """One statistic of how alike two arms are in a covariate.

    Attributes
    ----------
    function : from a `ArmContrast` to a number, NaN where there is none
    label : its name in a table
    within : the least and the largest value that counts as alike; None where no rule is agreed on
    reading : what the number says, with {covariate} and {value} in it
    lacking : from a `ArmContrast` to the reason why there is no number
    """

    key: str
    function: Callable[[ArmContrast], float]
    label: str
    within: tuple[float, float] | None
    reading: str
    lacking: Callable[[ArmContrast], str]

    def of(self, arms: ArmContrast) -> Quantity:
        """Return the statistic, or the reason why there is none."""
        value = self.function(arms)
        return value if math.isfinite(value) else Unavailable(self.lacking(arms))

    def is_within(self, value: Quantity) -> bool:
        """Return whether a value counts as alike: False where there is no value, True where no rule is agreed on."""
        if isinstance(value, Unavailable):
            return False
        return self.within is None or self.within[0] <= value <= self.within[1]

    def sentence(self, covariate: str, value: Quantity) -> str:
        """Return what the number says of a covariate, or the reason why there is none."""
        if isinstance(value, Unavailable):
            return value.reason
        return self.reading.format(covariate=covariate, value=visible(value))


def smd(arms: ArmContrast) -> float:
    """Return (m1 − m0) / denominator."""
    return ratio(arms.mean[0] - arms.mean[1], arms.spread)


def variance_ratio(arms: ArmContrast) -> float:
    """Return s1² / s0² of weighted variances; NaN for two values, whose variances the means determine."""
    return math.nan if arms.is_binary else ratio(*arms.variance)


def ecdf_mean(arms: ArmContrast) -> float:
    """Return the mean of |F1 − F0| over the different values of the covariate in the unmatched sample."""
    return float(np.einsum("i,i->", arms.ecdf_gap, arms.gap_length) / arms.gap_length.sum())


def ecdf_max(arms: ArmContrast) -> float:
    """Return the largest |F1 − F0|: the Kolmogorov–Smirnov statistic."""
    return float(np.max(arms.ecdf_gap))


def overlap(arms: ArmContrast) -> float:
    """Return ∫ min(f1, f0)."""
    return arms.overlap


def pair_distance(arms: ArmContrast) -> float:
    """Return the mean |difference| over pairs / denominator."""
    return ratio(arms.pair_difference, arms.spread)


def wwc_g(arms: ArmContrast) -> float:
    """Return Hedges' g as the What Works Clearinghouse defines it: the pooled SD of these arms, small-sample corrected.

    g = (1 − 3 / (4N − 9)) (m1 − m0) / √[((n1 − 1) s1² + (n0 − 1) s0²) / (N − 2)], N = n1 + n0 units used;
    0 for equal means whatever the spread.
    """
    if arms.mean[0] == arms.mean[1]:
        return 0.0
    squares = sum((n - 1) * v for n, v in zip(arms.n, arms.variance, strict=True) if n > 1 and math.isfinite(v))
    n = sum(arms.n)
    if n < 3 or not squares > 0:
        return math.nan
    return _corrected((arms.mean[0] - arms.mean[1]) / math.sqrt(squares / (n - 2)), n)


def cox_index(arms: ArmContrast) -> float:
    """Return ln(odds ratio) / 1.65, small-sample corrected: the What Works Clearinghouse's g for two values."""
    width = arms.high - arms.low
    shares = [(mean - arms.low) / width for mean in arms.mean] if width > 0 else [0.0]
    n = sum(arms.n)
    if n < 3 or not all(0 < share < 1 for share in shares):
        return math.nan
    odds = [share / (1 - share) for share in shares]
    # The same small-sample factor as Hedges' g, as the Clearinghouse applies it to both.
    return _corrected(math.log(odds[0] / odds[1]) / _COX, n)


def _corrected(value: float, n: int) -> float:
    return value * (1 - 3 / (4 * n - 9))


def no_spread(arms: ArmContrast) -> str:
    """Return why a difference cannot be standardised."""
    return "One value within each arm: no standard deviation."


def _no_variance_ratio(arms: ArmContrast) -> str:
    if arms.is_binary:
        return "Two values: their variance follows from the mean."
    if min(arms.n) < 2:
        return "One unit has no variance."
    return "No variance among comparison units."


def _no_overlap(arms: ArmContrast) -> str:
    return "Too few or too similar units for a density."


def _no_pairs(arms: ArmContrast) -> str:
    return no_spread(arms) if math.isfinite(arms.pair_difference) else "No pairs or strata."


def _no_g(arms: ArmContrast) -> str:
    return "Fewer than three units." if sum(arms.n) < 3 else no_spread(arms)


REGISTRY: Final[tuple[BalanceStatistic, ...]] = (
    BalanceStatistic(
        key="smd",
        function=smd,
        label="Standardised difference",
        within=(-SATISFIED, SATISFIED),
        reading="The means of {covariate} differ by {value} standard deviations, treated less comparison.",
        lacking=no_spread,
    ),
    BalanceStatistic(
        key="variance_ratio",
        function=variance_ratio,
        label="Variance ratio",
        within=(0.5, 2.0),
        reading="The variance of {covariate} among the treated is {value} times that of the comparison units.",
        lacking=_no_variance_ratio,
    ),
    BalanceStatistic(
        key="ecdf_mean",
        function=ecdf_mean,
        label="eCDF difference, mean",
        within=None,
        reading="Over the values of {covariate} the shares of the arms up to a value differ by {value} on average.",
        lacking=no_spread,
    ),
    BalanceStatistic(
        key="ecdf_max",
        function=ecdf_max,
        label="eCDF difference, largest (Kolmogorov–Smirnov)",
        within=None,
        reading="The shares of the arms up to one and the same value of {covariate} differ by at most {value}.",
        lacking=no_spread,
    ),
    BalanceStatistic(
        key="overlap",
        function=overlap,
        label="Overlap coefficient",
        within=None,
        reading="The distributions of {covariate} have {value} of their area in common (1: the same, 0: nothing).",
        lacking=_no_overlap,
    ),
    BalanceStatistic(
        key="pair_distance",
        function=pair_distance,
        label="Pair distance",
        within=None,
        reading="Units put together differ by {value} standard deviations in {covariate} on average.",
        lacking=_no_pairs,
    ),
    BalanceStatistic(
        key="wwc_g",
        function=wwc_g,
        label="Hedges' g (WWC)",
        within=(-SATISFIED, SATISFIED),
        reading="In {covariate} the arms differ by g = {value} as the What Works Clearinghouse measures baselines.",
        lacking=_no_g,
    ),
)
"""Every statistic of balance, in the order of a table."""

BY_KEY: Final = {statistic.key: statistic for statistic in REGISTRY}
"""The same statistics by key."""

COX_INDEX: Final = BalanceStatistic(
    key="wwc_g",
    function=cox_index,
    label="Cox index (WWC)",
    within=(-SATISFIED, SATISFIED),
    reading="In {covariate} the arms differ by {value} on the Cox index, as the What Works Clearinghouse measures it.",
    lacking=lambda arms: "A share of 0 or 1 has no log odds, so the Cox index does not exist.",
)
"""What stands for Hedges' g where a covariate has two values and the Cox index is asked for."""
