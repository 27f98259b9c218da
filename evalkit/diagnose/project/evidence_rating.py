"""How secure an evaluation's main result is, on six steps: indicative, and not a rating by the EEF."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from evalkit.core.formats import lower_first, number, visible
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.words import counted, listed

BEST_OF_DESIGN: Final = 4
"""Changes set against those of a comparison group deal with selection on what does not change: 4 of 5 at most."""
_DETECTABLE: Final = (0.20, 0.30, 0.40, 0.50, 0.60)
_ATTRITION: Final = (0.10, 0.20, 0.30, 0.40, 0.50)
_HIGHEST: Final = 5
JOINT_LEVEL: Final = 0.05
"""A rating falls where fewer areas than this share have falsification tests as unlikely together."""
NOT_TESTED: Final = Unavailable("No falsification test could be ranked among areas.")
_JOINT: Final = "falsification tests that are unlikely together"
RULES: Final = (
    "The rating is the lowest of three steps (4 for a comparison of changes; a least detectable effect of up to 0.2, "
    "0.3 … 0.6 standard deviations; up to 10%, 20% … 50% of eligible schools without a result), less one for each "
    "serious design fact and one where the falsification tests together are among the 5% least likely of all areas. "
    "Single falsification tests are shown and not counted, and a test that was passed raises nothing."
)


@dataclass(frozen=True, slots=True)
class EvidenceRating:
    """Steps from 0 (least) to 5 (most secure), or why there are none, and the sentence that says how."""

    value: int | Unavailable
    sentence: str

    @property
    def label(self) -> str:
        """Return the rating as it is shown: `3 of 5`, or `not rated`."""
        return "not rated" if isinstance(self.value, Unavailable) else f"{self.value} of {_HIGHEST}"


def evidence_rating(
    detectable: Quantity, attrition: float, n_serious: int, joint_p: Quantity = NOT_TESTED
) -> EvidenceRating:
    """Return the indicative rating of a design that compares changes between areas.

    Parameters
    ----------
    detectable : least detectable effect in pupil-level standard deviations
    attrition : share of eligible schools without a result, in the arm where it is larger
    n_serious : design facts whose verdict is serious
    joint_p : p-value of all falsification tests together, or why there is none

    The rules are `RULES`. The steps follow the Education Endowment Foundation's classification of the security of
    findings (2019) as the kit understands it: two of its peer reviewers would judge, a machine cannot. Single
    falsification tests do not count, and none that was passed adds anything.
    """
    if isinstance(detectable, Unavailable):
        return EvidenceRating(detectable, f"Not rated: {detectable.reason}")
    steps = {
        "the design": BEST_OF_DESIGN,
        f"a least detectable effect of {visible(detectable)} SD": _step(detectable, _DETECTABLE),
        f"{number(100 * attrition, 0)}% of eligible schools without a result": _step(attrition, _ATTRITION),
    }
    lowest = min(steps.values())
    is_joint = isinstance(joint_p, float) and joint_p <= JOINT_LEVEL
    off = min(n_serious + is_joint, lowest)
    named = next(name for name, step in steps.items() if step == lowest)
    reasons = [counted(n_serious, "serious design fact")] * bool(n_serious) + [_JOINT] * is_joint
    less = f", less {off} for {listed(reasons)}" if off else ""
    untested = f"; {lower_first(joint_p.reason)}" if isinstance(joint_p, Unavailable) and joint_p.reason else "."
    return EvidenceRating(lowest - off, f"{lowest} for {named}{less}{untested}")


def _step(value: float, limits: tuple[float, ...]) -> int:
    return _HIGHEST - bisect_left(limits, value)
