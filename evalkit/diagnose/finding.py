"""One type for everything that could sink a result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from evalkit.core.disclosure import few
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.sentence import Sentence
from evalkit.core.shown import Shown


class Verdict(StrEnum):
    """What a check says about the result."""

    REASSURING = "reassuring"
    CAUTION = "caution"
    SERIOUS = "serious"
    NOT_ASSESSABLE = "not assessable"


@dataclass(frozen=True, slots=True)
class Finding(Shown):
    """A check's name, verdict, statistic and the sentence a reader needs: a `Sentence` where it counts people."""

    name: str
    verdict: Verdict
    statistic: Quantity
    sentence: str

    def __repr__(self) -> str:
        return f"[{self.verdict}] {self.name.replace('_', ' ')}: {self.sentence}"


LARGE_DIFFERENCE: Final = 0.25
"""Points by which two ways of estimating may differ before the result counts as resting on the choice."""


def released_finding(finding: Finding, fewest: int) -> Finding:
    """Return a finding in which counts of people under `fewest` are withheld, and with them its statistic."""
    sentence = finding.sentence
    if not isinstance(sentence, Sentence):
        return finding
    hidden = finding.statistic if sentence.is_told(fewest) else Unavailable(few(fewest))
    return replace(finding, statistic=hidden, sentence=sentence.written(fewest))


def has_moved(estimate: float, main: float) -> bool:
    """Return whether an estimate differs from the main one in sign, by more than half of it, or by 0.25 points."""
    apart = abs(estimate - main)
    return estimate * main < 0 or apart > abs(main) / 2 or apart >= LARGE_DIFFERENCE


def not_assessable(name: str, sentence: str) -> Finding:
    """Return a check that could not be made, with the reason."""
    return Finding(name, Verdict.NOT_ASSESSABLE, Unavailable(sentence), sentence)
