"""One type for everything that could sink a result."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from evalkit.core.quantities import Quantity


class Verdict(StrEnum):
    """What a check says about the result."""

    REASSURING = "reassuring"
    CAUTION = "caution"
    SERIOUS = "serious"
    NOT_ASSESSABLE = "not assessable"


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's name, verdict, statistic and the sentence a reader needs."""

    name: str
    verdict: Verdict
    statistic: Quantity
    sentence: str
