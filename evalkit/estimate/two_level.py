"""What a two-level model of pupils in schools gives: coefficients, variances, the intraclass correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, IntervalOrReason, Unavailable
from evalkit.core.shown import Shown

Likelihood = Literal["REML", "ML"]
Engine = Literal["own", "statsmodels"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilColumns:
    """Which column of a table of pupils plays which part.

    `treated` is 0 or 1 and the same for all pupils of a school; without it the model only describes.
    """

    outcome: str
    school: str
    treated: str | None = None
    covariates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoLevelOptions:
    """How a two-level model is fitted.

    Attributes
    ----------
    likelihood : "REML" (restricted, the default: variances allow for the fixed part) or "ML"
    engine : "own" (from group sums, exact at any size) or "statsmodels" (the ratio of variances from MixedLM, up to
        50,000 rows; a check, not more exact)
    level : level of every interval, in (0, 1)
    """

    likelihood: Likelihood = "REML"
    engine: Engine = "own"
    level: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise DesignError(f"The level of an interval lies between 0 and 1, not at {self.level}.")
        if self.likelihood not in ("REML", "ML") or self.engine not in ("own", "statsmodels"):
            raise DesignError("A two-level model is fitted by 'REML' or 'ML', and by 'own' or 'statsmodels'.")


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceParts:
    """Variance between and within groups, in squared units of the outcome, and the share that lies between.

    `icc_interval` is the profile-likelihood interval: every intraclass correlation that the likelihood-ratio test
    with one degree of freedom does not reject; it includes 0 where that is not rejected.
    """

    between: float
    within: float
    icc: float
    icc_interval: IntervalOrReason

    @property
    def total(self) -> float:
        """Return the variance between and within groups together."""
        return self.between + self.within


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """One fixed coefficient; `df_rule` says in words which degrees of freedom its interval uses."""

    name: str
    estimate: Estimate
    df_rule: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TwoLevelModel(Shown):
    """A fitted random-intercept model.

    Attributes
    ----------
    effect : the coefficient of the programme, or why there is none
    estimand : one sentence: an effect of what, on whom, given what
    coefficients : every fixed coefficient but absorbed constants
    conditional : variance parts given the fixed part
    unconditional : variance parts of the outcome with nothing but a constant, the treatment not in it either
    grouping : what the random intercept stands for: "school", "school and period" or "school and span"
    n_groups : groups of that kind
    log_likelihood : restricted under REML, so that only models with the same fixed part can be compared by it
    notes : what a reader must know of this fit
    """

    effect: Estimate | Unavailable
    estimand: str
    coefficients: tuple[Coefficient, ...]
    conditional: VarianceParts
    unconditional: VarianceParts
    grouping: str
    n_pupils: int
    n_groups: int
    n_schools: int
    n_treated_schools: int
    n_comparison_schools: int
    log_likelihood: float
    likelihood: Likelihood
    engine: Engine
    level: float
    notes: tuple[str, ...] = ()

    def coefficient(self, name: str) -> Estimate:
        """Return the estimate of one coefficient; raise `DesignError` where the model has none of that name."""
        for found in self.coefficients:
            if found.name == name:
                return found.estimate
        raise DesignError(f"The model has no coefficient '{name}'. It has: {[c.name for c in self.coefficients]}.")

    @property
    def effect_interval(self) -> IntervalOrReason:
        """Return the interval of the effect at the model's level, or why there is none."""
        return self.effect if isinstance(self.effect, Unavailable) else self.effect.interval(self.level)
