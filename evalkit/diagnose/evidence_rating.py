"""How secure an evaluation's main result is, on six steps: indicative, and not a rating by the EEF."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from evalkit.core.formats import careful, number
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.words import counted

BEST_OF_DESIGN: Final = 4
"""Changes set against those of a comparison group deal with selection on what does not change: 4 of 5 at most."""
_DETECTABLE: Final = (0.20, 0.30, 0.40, 0.50, 0.60)
_ATTRITION: Final = (0.10, 0.20, 0.30, 0.40, 0.50)
_HIGHEST: Final = 5
_MOST_OFF: Final = 2


@dataclass(frozen=True, slots=True)
class EvidenceRating:
    """Steps from 0 (least) to 5 (most secure), or why there are none, and the sentence that says how."""

    value: int | Unavailable
    sentence: str

    @property
    def label(self) -> str:
        """Return the rating as it is shown: `3 of 5`, or `not rated`."""
        return "not rated" if isinstance(self.value, Unavailable) else f"{self.value} of {_HIGHEST}"


def evidence_rating(detectable: Quantity, attrition: float, n_serious: int) -> EvidenceRating:
    """Return the indicative rating of a design that compares changes between areas.

    Parameters
    ----------
    detectable : least detectable effect in pupil-level standard deviations
    attrition : share of eligible schools without a result, in the arm where it is larger
    n_serious : checks whose verdict is serious

    The lowest of three steps (4 for the design; detectable effect up to 0.2, 0.3 … 0.6; attrition up to 10%, 20% …
    50%), less one where one check is serious and two where more are. The steps follow the Education Endowment
    Foundation's classification of the security of findings (2019) as the kit understands it: two of its peer
    reviewers would judge, a machine cannot.
    """
    if isinstance(detectable, Unavailable):
        return EvidenceRating(detectable, f"Not rated: {detectable.reason}")
    steps = {
        "the design": BEST_OF_DESIGN,
        f"a least detectable effect of {careful(detectable)} SD": _step(detectable, _DETECTABLE),
        f"{number(100 * attrition, 0)}% of eligible schools without a result": _step(attrition, _ATTRITION),
    }
    lowest = min(steps.values())
    off = min(n_serious, _MOST_OFF, lowest)
    named = next(name for name, step in steps.items() if step == lowest)
    less = f", less {off} for {counted(n_serious, 'serious finding')}" if off else ""
    return EvidenceRating(lowest - off, f"{lowest} for {named}{less}.")


def _step(value: float, limits: tuple[float, ...]) -> int:
    return _HIGHEST - bisect_left(limits, value)
