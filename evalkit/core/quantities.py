"""Numbers that carry their uncertainty, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass

from evalkit.core.errors import EvalkitError


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Stands where a number cannot be given, and says why in a sentence."""

    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise EvalkitError("An unavailable quantity must give its reason.")


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval at a stated level."""

    lower: float
    upper: float
    level: float = 0.95

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lower) and math.isfinite(self.upper) and self.lower <= self.upper):
            raise EvalkitError(f"An interval needs two finite ends in order, not {self.lower} and {self.upper}.")

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper

    def scaled(self, factor: float) -> Interval:
        """Return the interval with both ends multiplied by a positive `factor`."""
        return Interval(self.lower * factor, self.upper * factor, self.level)

    def divided(self, divisor: float) -> Interval:
        """Return the interval with both ends divided by a positive `divisor`."""
        return Interval(self.lower / divisor, self.upper / divisor, self.level)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A point estimate in units of the outcome, with its standard error and degrees of freedom."""

    value: float
    std_error: float | Unavailable
    df: float | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise EvalkitError("An estimate must be a finite number; use Unavailable(reason) where there is none.")


Quantity = float | Unavailable
"""A finite number, or the reason why there is none."""

IntervalOrReason = Interval | Unavailable
"""An interval, or the reason why there is none."""
