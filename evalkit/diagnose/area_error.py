"""The standard error of an effect that allows for what happens to a whole area, from what a report holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable, critical_value
from evalkit.diagnose.project_record import ErrorSource

SCHOOLS_ONLY: Final = (
    "Its standard error is clustered by school: it leaves out what happened to the whole area, so it is too small to "
    "be weighed with others."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEffect:
    """What one record of results.json says about the uncertainty of an effect.

    `placebos` are the changes of the other areas, analysed the same way; `is_studentised` says whether the permutation
    compared changes over their errors rather than changes.
    """

    inference: str
    cluster_level: str
    std_error: Quantity
    interval: IntervalOrReason
    placebos: tuple[float, ...] = ()
    is_studentised: bool = False


def area_error(found: FoundEffect) -> tuple[Quantity, ErrorSource]:
    """Return the standard error and where it comes from, or the reason why there is none.

    A permutation gives no standard error. The changes of areas without the programme show how large an effect of
    nothing is: their root mean square about zero, which is what the permutation measures too. Elsewhere it is half the
    report's interval over the normal quantile of its level, which carries along what the interval allows for few areas.
    """
    if found.cluster_level != "local_authority":
        return Unavailable(SCHOOLS_ONLY), "none"
    if found.inference == "permutation" and found.placebos and not found.is_studentised:
        if isinstance(found.interval, Unavailable):
            return found.interval, "none"
        return math.sqrt(sum(change**2 for change in found.placebos) / len(found.placebos)), "placebo areas"
    if isinstance(found.interval, Interval):
        half = (found.interval.upper - found.interval.lower) / 2
        return half / critical_value(found.interval.level), "interval"
    if isinstance(found.std_error, Unavailable):
        return found.interval, "none"
    return found.std_error, "areas as clusters"
