"""What a two-level model of pupils in schools gives: coefficients, variances, the ICC, effect sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from evalkit.core.draws import LEVEL, require_level
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, IntervalOrReason, Unavailable
from evalkit.core.shown import ShownModel
from evalkit.estimate.effect_sizes import SdName, StandardisedEffect, standardised_estimate

# What a two-level model of pupils in schools gives: coefficients, variances, the intraclass correlation.

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
    level: float = LEVEL

    def __post_init__(self) -> None:
        require_level(self.level)
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
class TwoLevelModel(ShownModel):
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


# The effect of a two-level model in standard deviations that the same model gives.

_TOTALS: Final = (SdName.TOTAL_UNCONDITIONAL, SdName.TOTAL_CONDITIONAL)
_CONDITIONAL: Final = (SdName.TOTAL_CONDITIONAL, SdName.WITHIN_CONDITIONAL)
_OF_MODEL: Final = (*_TOTALS, SdName.WITHIN_UNCONDITIONAL, SdName.WITHIN_CONDITIONAL)


def two_level_effect_size(
    model: TwoLevelModel, sd_name: SdName = SdName.TOTAL_UNCONDITIONAL
) -> StandardisedEffect | Unavailable:
    """Return the model's effect over one of the model's standard deviations, or why there is none.

    The error is J²(SE²/S² + d²/(2 df)). df of a spread within schools: pupils − schools; of a total one, by
    Satterthwaite with n pupils a school: 2S⁴/[2(τ² + σ²/n)²/(schools − 2) + 2(1 − 1/n)²σ⁴/(pupils − schools)].
    """
    if sd_name not in _OF_MODEL:
        raise DesignError(f"A model does not give the standard deviation '{sd_name}'; use `standardised_estimate`.")
    if isinstance(model.effect, Unavailable):
        return model.effect
    if sd_name in _TOTALS and model.grouping != "school":
        return Unavailable("School constants take out what schools differ by for good, so no total spread is left.")
    parts = model.conditional if sd_name in _CONDITIONAL else model.unconditional
    variance = parts.total if sd_name in _TOTALS else parts.within
    df = _total_df(model, parts) if sd_name in _TOTALS else float(model.n_pupils - model.n_groups)
    if df <= 1:
        return Unavailable("There are too few schools or pupils to know their spread.")
    return standardised_estimate(model.effect, math.sqrt(variance), sd_name, df, model.level)


def _total_df(model: TwoLevelModel, parts: VarianceParts) -> float:
    size = model.n_pupils / model.n_groups
    between = (parts.between + parts.within / size) ** 2 / max(model.n_groups - 2, 1)
    within = ((1 - 1 / size) * parts.within) ** 2 / (model.n_pupils - model.n_groups)
    return parts.total**2 / (between + within)
