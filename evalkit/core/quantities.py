"""Numbers that carry their uncertainty, or the reason why there is none; the estimand, named before any method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evalkit.core.draws import LEVEL, require_level
from evalkit.core.errors import EvalkitError

# Numbers that carry their uncertainty, or the reason why there is none.


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
    level: float = LEVEL

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

    def interval(self, level: float = LEVEL) -> IntervalOrReason:
        """Return value ± quantile × standard error: Student's t with `df`, the normal where `df` is None."""
        if isinstance(self.std_error, Unavailable):
            return self.std_error
        reach = critical_value(level, self.df) * self.std_error
        return Interval(self.value - reach, self.value + reach, level)

    @property
    def p_value(self) -> Quantity:
        """Return the two-sided p-value of no effect, or why there is none."""
        if isinstance(self.std_error, Unavailable):
            return self.std_error
        if self.std_error == 0:
            return Unavailable("The standard error is zero, so no test exists.")
        from evalkit.core.scipy_parts import special

        statistic = abs(self.value / self.std_error)
        return float(2 * (special.ndtr(-statistic) if self.df is None else special.stdtr(self.df, -statistic)))


def critical_value(level: float, df: float | None = None) -> float:
    """Return the quantile of a two-sided interval at a level: Student's t with `df`, the normal where it is None."""
    require_level(level)
    from evalkit.core.scipy_parts import special

    tail = 0.5 + level / 2
    return float(special.ndtri(tail) if df is None else special.stdtrit(df, tail))


Quantity = float | Unavailable
"""A finite number, or the reason why there is none."""

IntervalOrReason = Interval | Unavailable
"""An interval, or the reason why there is none."""

ROUNDING: Final = 1e-11
"""Residuals and errors below this share of the largest outcome are rounding."""
_LEFT_OVER: Final = 1e-14
"""What arithmetic leaves of an effect of zero is below this share of the largest outcome."""


def without_rounding(value: float, size: float) -> float:
    """Return an effect, 0 where it is what arithmetic leaves of zero beside outcomes of that size."""
    return 0.0 if abs(value) <= _LEFT_OVER * size else value


# The quantity wanted, named before any method.


class Estimand(StrEnum):
    """What an effect is an effect of; a design derives it, nobody sets it."""

    ATT = "ATT"
    ATT_AMONG_MATCHED = "ATT_AMONG_MATCHED"
    ATC = "ATC"
    ATC_AMONG_MATCHED = "ATC_AMONG_MATCHED"
    ATE = "ATE"
    ATE_AMONG_MATCHED = "ATE_AMONG_MATCHED"
    AREA_ITT = "AREA_ITT"
    AREA_ITT_AMONG_MATCHED = "AREA_ITT_AMONG_MATCHED"
    DOSE_SLOPE = "DOSE_SLOPE"
    AT_THRESHOLD = "AT_THRESHOLD"

    @property
    def label(self) -> str:
        """Return the words a report uses."""
        return _LABELS[self]

    @property
    def label_of_units(self) -> str:
        """Return the same words for a table of any units."""
        return self.label.replace("participating schools", "treated units").replace("schools", "units")


_LABELS = {
    Estimand.ATT: "average effect on the schools that took part",
    Estimand.ATT_AMONG_MATCHED: "average effect on the participating schools that could be matched",
    Estimand.ATC: "average effect that the comparison units would have had",
    Estimand.ATC_AMONG_MATCHED: "average effect that the comparison units that could be matched would have had",
    Estimand.ATE: "average effect on all units, treated and comparison",
    Estimand.ATE_AMONG_MATCHED: "average effect on the units, treated and comparison, that could be matched",
    Estimand.AREA_ITT: "area-level intention to treat: average effect on all eligible schools of the area, "
    "whether or not they took part",
    Estimand.AREA_ITT_AMONG_MATCHED: "area-level intention to treat among the area's schools that could be matched",
    Estimand.DOSE_SLOPE: "how much more those schools changed that had one unit more of the programme",
    Estimand.AT_THRESHOLD: "effect on participants who met the threshold, if trends are parallel, and the offer did "
    "nothing to those below it",
}
