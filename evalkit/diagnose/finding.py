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
    """What a check says about the result; none divides by the estimate or otherwise depends on its size.

    `UNINFORMATIVE` is a falsification test that was passed but would most often be passed whatever was wrong;
    `NO_VERDICT` a statement about the result itself, which nothing but the result could judge.
    """

    REASSURING = "reassuring"
    UNINFORMATIVE = "uninformative"
    CAUTION = "caution"
    SERIOUS = "serious"
    NOT_ASSESSABLE = "not assessable"
    NO_VERDICT = "no verdict"


class FindingKind(StrEnum):
    """What a verdict rests on: a fixed threshold from outside, a rank among areas, or nothing (no verdict)."""

    DESIGN_FACT = "design fact"
    FALSIFICATION = "falsification test"
    STATEMENT = "statement"


DIFFERENTIAL: Final = (0.05, 0.10)
"""Differences between the arms in the share lost, or converted: a caution, and serious. The bounds of the What Works
Clearinghouse at low overall attrition lie near them as the kit understands them (unverified)."""
NOT_RANKED: Final = Unavailable("Only falsification tests are ranked among areas.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPower:
    """Shares of areas in which a falsification test would find (p ≤ 0.05) a planted flaw.

    The flaw biases the effect by 0.5, 1 or 2 times the least effect that the design was to detect (`violation`, in
    points, known before outcomes).
    """

    violation: float
    at_half: float
    at_one: float
    at_twice: float


@dataclass(frozen=True, slots=True)
class Finding(Shown):
    """A check's name, verdict, statistic and the sentence a reader needs: a `Sentence` where it counts people.

    `p_value`, `n_areas` (the treated one counted) and `power` are those of a falsification test.
    """

    name: str
    verdict: Verdict
    statistic: Quantity
    sentence: str
    kind: FindingKind = FindingKind.STATEMENT
    p_value: Quantity = NOT_RANKED
    n_areas: int | Unavailable = NOT_RANKED
    power: CheckPower | Unavailable = NOT_RANKED

    def __repr__(self) -> str:
        return f"[{self.verdict}] {self.name.replace('_', ' ')}: {self.sentence}"


def statement(name: str, statistic: Quantity, sentence: str) -> Finding:
    """Return what a reader must know of the result and no check can judge."""
    return Finding(name, Verdict.NO_VERDICT, statistic, sentence)


def released_finding(finding: Finding, fewest: int) -> Finding:
    """Return a finding in which counts of people under `fewest` are withheld, and with them its statistic."""
    sentence = finding.sentence
    if not isinstance(sentence, Sentence):
        return finding
    hidden = finding.statistic if sentence.is_told(fewest) else Unavailable(few(fewest))
    return replace(finding, statistic=hidden, sentence=sentence.written(fewest))


def design_fact(name: str, verdict: Verdict, statistic: Quantity, sentence: str) -> Finding:
    """Return a fact of the design held against a fixed threshold."""
    return Finding(name, verdict, statistic, sentence, FindingKind.DESIGN_FACT)


def not_assessable(name: str, sentence: str, kind: FindingKind = FindingKind.STATEMENT) -> Finding:
    """Return a check that could not be made, with the reason."""
    return Finding(name, Verdict.NOT_ASSESSABLE, Unavailable(sentence), sentence, kind)


def banded(size: float, caution: float, serious: float) -> Verdict:
    """Return the verdict of a design fact: caution above the first threshold, serious above the second."""
    return Verdict.SERIOUS if size > serious else Verdict.CAUTION if size > caution else Verdict.REASSURING
