"""What a project declares of missing outcomes, before outcomes are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal

from evalkit.core.project_parts import CONFIG

FEWEST_IMPUTED: Final = 20
"""Completed data sets below which the estimate still moves with the draws."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imputation:
    """How missing outcomes are filled in, beside the analysis of what was published."""

    __pydantic_config__: ClassVar = CONFIG
    draws: int = FEWEST_IMPUTED
    """Completed data sets, at least; where more than so many per cent of the schools lack a result, as many as that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What stands beside every analysis where outcomes are missing; the analysis itself is of those published."""

    __pydantic_config__: ClassVar = CONFIG
    bounds: Literal["lee", "none"] = "lee"
    """`lee`: bounds that trim the arm whose outcomes are published more often."""
    imputation: Imputation | None = field(default_factory=Imputation)
    """Imputation by predictive mean matching; `null` leaves it out."""
    tipping: bool = True
    """By how much imputed outcomes of the treated must differ until the interval reaches zero."""
    suppressed: Literal["worst-best", "none"] = "worst-best"
    """`worst-best`: what suppressed results could do at most, in either direction."""
