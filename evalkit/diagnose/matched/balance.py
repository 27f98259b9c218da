"""How alike the arms of a matched design are, before and after matching, in every covariate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np

from evalkit.core.disclosure import is_dominated
from evalkit.core.errors import EvalkitError
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.shown import Several, Shown
from evalkit.core.words import did_you_mean
from evalkit.design.matching.features import balance_columns
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import Target
from evalkit.diagnose.matched.balance_arrays import (
    Arm,
    ArmContrast,
    SortedColumn,
    arms_of,
    contrast,
    denominators,
    pair_difference,
    reference_bandwidth,
    sorted_column,
    stratum_difference,
)
from evalkit.diagnose.matched.balance_registry import COX_INDEX, REGISTRY, WwcClass, no_spread, wwc_class

# The balance of a matched design as rows that a table, a figure and a finding are made from.


@dataclass(frozen=True, slots=True)
class ArmBalance:
    """How many units of an arm count, and how many equally weighted ones would be as informative."""

    n: int
    effective_n: float


@dataclass(frozen=True, slots=True)
class BalanceValues:
    """Both means of a covariate and every statistic of the registry, each under its key."""

    mean_treated: Quantity
    mean_comparison: Quantity
    smd: Quantity
    variance_ratio: Quantity
    ecdf_mean: Quantity
    ecdf_max: Quantity
    overlap: Quantity
    pair_distance: Quantity
    wwc_g: Quantity

    @property
    def ks(self) -> Quantity:
        """Return the Kolmogorov–Smirnov statistic: the largest eCDF difference under its other name."""
        return self.ecdf_max


def class_of_balance(values: BalanceValues) -> WwcClass | Unavailable:
    """Return the class of the difference in a covariate by its g.

    A covariate that separates the arms, one value in each, has no g and is not satisfied.
    """
    g = values.wwc_g
    if isinstance(g, Unavailable):
        return g if values.mean_treated == values.mean_comparison else WwcClass.NOT_SATISFIED
    return wwc_class(g)


@dataclass(frozen=True, slots=True, kw_only=True)
class CovariateBalance:
    """One covariate (or the score) before and after matching.

    `denominator` is what differences in means are divided by, before and after, and `denominator_rule` says
    what it is. It `is_dominated` where one or two units make up most of the mean of an arm, which would tell them where
    units are people. `wwc` is the What Works Clearinghouse's verdict on the difference that is left.
    """

    covariate: str
    is_score: bool
    is_binary: bool
    denominator: Quantity
    denominator_rule: str
    before: BalanceValues
    after: BalanceValues
    wwc: WwcClass | Unavailable
    is_dominated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MatchBalance(Shown):
    """The balance of a matched design: a row for the score where there is one, and one for each covariate.

    `treated` and `comparison` give the units of each arm, before and after.
    """

    rows: tuple[CovariateBalance, ...]
    target: Target
    treated: tuple[ArmBalance, ArmBalance]
    comparison: tuple[ArmBalance, ArmBalance]

    @property
    def covariates(self) -> tuple[CovariateBalance, ...]:
        """Return the rows without the score."""
        return tuple(row for row in self.rows if not row.is_score)

    @property
    def worst(self) -> CovariateBalance | Unavailable:
        """Return the covariate with the largest standardised difference after matching."""
        known = [row for row in self.covariates if not isinstance(row.after.smd, Unavailable)]
        return max(known, key=smd_size) if known else NO_SMD

    def row(self, covariate: str) -> CovariateBalance:
        """Return the row of a covariate by the name of its column."""
        for row in self.rows:
            if row.covariate == covariate:
                return row
        names = [row.covariate for row in self.rows]
        raise EvalkitError(f"There is no balance of '{covariate}'.{did_you_mean(covariate, names)}")


NO_SMD: Final = Unavailable("No covariate varies within an arm, so no difference can be standardised.")


def smd_size(row: CovariateBalance) -> float:
    """Return the size of the standardised difference after matching, 0 where there is none."""
    return 0.0 if isinstance(row.after.smd, Unavailable) else abs(row.after.smd)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StratumBalance(Shown):
    """One stratum: its units by arm, and the values of each covariate by name, every unit counting the same."""

    stratum: int
    n_treated: int
    n_comparison: int
    rows: tuple[tuple[str, BalanceValues], ...]


# How alike the arms of a matched design are, before and after matching, in every covariate.

BinaryEffect = Literal["g", "cox"]

SCORE: Final = "score"
"""The name of the row of the propensity score (or own score)."""
MOST_STRATA: Final = 50
"""Strata up to which balance is given within each; more are matched sets, which pair distances describe."""

_TARGETS: Final[dict[Target, str]] = {
    "ATT": "of the treated",
    "ATC": "of the comparison units",
    "ATE": "of both arms (root of the mean of their variances)",
}


def match_balance(design: MatchedDesign, binary_effect: BinaryEffect = "g") -> MatchBalance:
    """Return the balance of every covariate, and of the score where there is one, before and after.

    Before is every unit of the baseline with weight one. The denominator of a standardised difference belongs
    to the target group before matching and is the same before and after. `binary_effect="cox"` gives the What
    Works Clearinghouse's Cox index for covariates of two values in place of Hedges' g.

    >>> import evalkit
    >>> import pandas as pd
    >>> schools = pd.DataFrame(
    ...     {"school": range(40), "before": [i * 7 % 40 for i in range(40)], "helped": [i % 4 == 0 for i in range(40)]}
    ... )
    >>> later = schools["before"] + 2 * schools["helped"] + schools["school"] % 3 / 10
    >>> roles = evalkit.BaselineRoles(treated="helped", covariates=("before",), unit="school")
    >>> baseline = evalkit.Baseline.from_frame(schools, roles)
    >>> design = evalkit.match(baseline, evalkit.NearestNeighbour())
    >>> row = evalkit.match_balance(design).row("before")
    >>> round(row.before.smd, 2), round(row.after.smd, 2), str(row.wwc)
    (-0.17, -0.08, 'satisfied if adjusted for')
    """
    is_treated = design.baseline.is_treated
    arms = arms_of(np.ones(len(is_treated)), is_treated), arms_of(design.weights, is_treated)
    rows = tuple(_row(design, arms, column, binary_effect) for column in _columns(design))
    before, after = (tuple(ArmBalance(arm.n, arm.effective_n) for arm in pair) for pair in arms)
    return MatchBalance(
        rows=rows,
        target=design.target,
        treated=(before[0], after[0]),
        comparison=(before[1], after[1]),
    )


def stratum_balance(design: MatchedDesign) -> tuple[StratumBalance, ...] | Unavailable:
    """Return the balance within each stratum, by denominators of the whole sample, or why there is none.

    >>> import evalkit
    >>> import pandas as pd
    >>> schools = pd.DataFrame(
    ...     {"school": range(40), "before": [i * 7 % 40 for i in range(40)], "helped": [i % 4 == 0 for i in range(40)]}
    ... )
    >>> later = schools["before"] + 2 * schools["helped"] + schools["school"] % 3 / 10
    >>> roles = evalkit.BaselineRoles(treated="helped", covariates=("before",), unit="school")
    >>> baseline = evalkit.Baseline.from_frame(schools, roles)
    >>> design = evalkit.match(baseline, evalkit.Subclassification(n_subclasses=3))
    >>> [(stratum.stratum, stratum.n_treated, stratum.n_comparison) for stratum in evalkit.stratum_balance(design)]
    [(0, 3, 12), (1, 3, 9), (2, 4, 9)]
    """
    if design.strata is None:
        return Unavailable("This method makes no strata.")
    strata = np.unique(design.strata[design.is_used & (design.strata >= 0)])
    if len(strata) > MOST_STRATA:
        return Unavailable(
            f"There are {len(strata):,} strata: matched sets rather than subclasses. The pair distance says how far "
            "apart their units are."
        )
    columns = tuple(_columns(design))
    return Several(_within(design, int(stratum), columns) for stratum in strata)


def denominator_of(column: SortedColumn, arms: tuple[Arm, Arm], target: Target) -> tuple[float, str]:
    """Return what differences in means are divided by, 0 where nothing varies, and the rule in words."""
    treated, comparison = denominators(column, arms)
    spread = {"ATT": treated, "ATC": comparison, "ATE": math.sqrt((treated**2 + comparison**2) / 2)}[target]
    kind = "√(p(1 − p))" if column.is_binary else "SD"
    if spread > 0:
        return spread, f"{kind} {_TARGETS[target]}, before"
    sizes = [arm.n if column.is_binary or arm.n > 1 else 0 for arm in arms]
    pooled = (sizes[0] * treated**2 + sizes[1] * comparison**2) / max(sum(sizes), 1)
    if pooled > 0:
        return math.sqrt(pooled), f"{kind} within both arms, before (none {_TARGETS[target]})"
    return 0.0, "none"


class BalanceColumn(NamedTuple):
    """A covariate, or the score, by name."""

    name: str
    column: SortedColumn
    is_score: bool


def _columns(design: MatchedDesign) -> Iterator[BalanceColumn]:
    if design.score is not None:
        yield BalanceColumn(SCORE, sorted_column(design.score), True)
    values, names = balance_columns(design.baseline)
    for k, name in enumerate(names):
        yield BalanceColumn(name, sorted_column(values[:, k]), False)


def _row(
    design: MatchedDesign,
    arms: tuple[tuple[Arm, Arm], tuple[Arm, Arm]],
    balanced: BalanceColumn,
    binary_effect: BinaryEffect,
) -> CovariateBalance:
    column = balanced.column
    spread, rule = denominator_of(column, arms[0], design.target)
    bandwidth = _bandwidth(column, arms[0], design.target)
    before = contrast(column, arms[0], spread, bandwidth)
    after = contrast(column, arms[1], spread, bandwidth, _pair_difference(design, column))
    cox = binary_effect == "cox" and column.is_binary
    values = balance_values(before, cox), balance_values(after, cox)
    return CovariateBalance(
        covariate=balanced.name,
        is_score=balanced.is_score,
        is_binary=column.is_binary,
        denominator=spread if spread > 0 else Unavailable(no_spread(before)),
        denominator_rule=rule,
        before=values[0],
        after=values[1],
        wwc=class_of_balance(values[1]),
        is_dominated=any(is_dominated(column.values[arm.rows] * arm.share) for pair in arms for arm in pair),
    )


def balance_values(found: ArmContrast, cox: bool = False) -> BalanceValues:
    """Return every statistic of the registry for one covariate and one set of weights."""
    chosen = [COX_INDEX if cox and s.key == COX_INDEX.key else s for s in REGISTRY]
    statistics: dict[str, Quantity] = {statistic.key: statistic.of(found) for statistic in chosen}
    return BalanceValues(found.mean[0], found.mean[1], **statistics)


def _bandwidth(column: SortedColumn, arms: tuple[Arm, Arm], target: Target) -> float:
    """Return the kernel's width, from the target group before matching as the denominators are."""
    if column.is_binary:
        return 0.0
    target_arms = {"ATT": arms[:1], "ATC": arms[1:], "ATE": arms}[target]
    widths = [reference_bandwidth(column.values[arm.rows]) for arm in target_arms]
    return min(width for width in widths) if all(width > 0 for width in widths) else max(widths)


def _pair_difference(design: MatchedDesign, column: SortedColumn) -> float:
    if design.pairs is not None:
        return pair_difference(column.values, design.pairs.treated, design.pairs.comparison)
    if design.strata is not None:
        strata = np.where(design.is_used, design.strata, -1)
        return stratum_difference(column.values, design.baseline.is_treated, strata, column.order)
    return math.nan


def _within(design: MatchedDesign, stratum: int, columns: tuple[BalanceColumn, ...]) -> StratumBalance:
    assert design.strata is not None
    is_treated = design.baseline.is_treated
    whole = arms_of(np.ones(len(is_treated)), is_treated)
    arms = arms_of((design.strata == stratum) & design.is_used, is_treated)
    rows = []
    for name, column, _ in columns:
        spread, _ = denominator_of(column, whole, design.target)
        rows.append((name, balance_values(contrast(column, arms, spread, _bandwidth(column, whole, design.target)))))
    return StratumBalance(stratum=stratum, n_treated=arms[0].n, n_comparison=arms[1].n, rows=tuple(rows))
