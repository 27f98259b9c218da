"""How strongly something not measured would have to go with both taking part and the outcome (the E-value)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from evalkit.core.errors import DesignError
from evalkit.core.formats import number
from evalkit.core.quantities import Estimate, Interval, IntervalOrReason, Quantity, Unavailable, critical_value

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
        point=_e_value(ratio),
        limit=_of_limit(ratio, interval),
        sd_used=Unavailable("A risk ratio is not divided by an SD."),
    )


def e_value_of_difference(estimate: Estimate, sd: float, level: float = 0.95) -> EValue:
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
        ratio=ratio, interval=interval, point=_e_value(ratio), limit=_of_limit(ratio, interval), sd_used=float(sd)
    )


def _interval(centre: float, reach: float, level: float) -> Interval:
    return Interval(_exp(centre - reach), _exp(centre + reach), level)


def _exp(power: float) -> float:
    if abs(power) > 300:
        raise DesignError("The difference is so many SDs that its risk ratio is no number. Check the outcome's unit.")
    return math.exp(power)


def _e_value(ratio: float) -> float:
    ratio = ratio if ratio >= 1 else 1 / ratio
    return ratio + math.sqrt(ratio * (ratio - 1))


def _of_limit(ratio: float, interval: IntervalOrReason) -> Quantity:
    if isinstance(interval, Unavailable):
        return interval
    if 1 in interval:
        return 1.0
    return _e_value(interval.lower if ratio >= 1 else interval.upper)
