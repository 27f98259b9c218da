"""The balance of a matched design as rows that a table, a figure and a finding are made from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evalkit.core.errors import EvalkitError
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.core.words import did_you_mean
from evalkit.design.matching_options import Target
from evalkit.diagnose.balance_registry import ADJUSTABLE, SATISFIED


class WwcClass(StrEnum):
    """What the What Works Clearinghouse says of a baseline difference."""

    SATISFIED = "satisfied"
    NEEDS_ADJUSTMENT = "satisfied if adjusted for"
    NOT_SATISFIED = "not satisfied"


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


def wwc_class(values: BalanceValues) -> WwcClass | Unavailable:
    """Return the class of a baseline difference: |g| up to 0.05, up to 0.25, or more.

    A covariate that separates the arms, one value in each, has no g and is not satisfied.
    """
    g = values.wwc_g
    if isinstance(g, Unavailable):
        return g if values.mean_treated == values.mean_comparison else WwcClass.NOT_SATISFIED
    if abs(g) <= SATISFIED:
        return WwcClass.SATISFIED
    return WwcClass.NEEDS_ADJUSTMENT if abs(g) <= ADJUSTABLE else WwcClass.NOT_SATISFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class CovariateBalance:
    """One covariate (or the score) before and after matching.

    `denominator` is what differences in means are divided by, before and after, and `denominator_rule` says
    what it is. `wwc` is the What Works Clearinghouse's verdict on the difference that is left.
    """

    covariate: str
    is_score: bool
    is_binary: bool
    denominator: Quantity
    denominator_rule: str
    before: BalanceValues
    after: BalanceValues
    wwc: WwcClass | Unavailable


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
