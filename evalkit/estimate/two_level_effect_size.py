"""The effect of a two-level model in standard deviations that the same model gives."""

from __future__ import annotations

import math
from typing import Final

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Unavailable
from evalkit.estimate.standardised import SdName, StandardisedEffect, standardised_estimate
from evalkit.estimate.two_level import TwoLevelModel, VarianceParts

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
