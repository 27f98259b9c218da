"""An entry of a published appraisal scale, and the facts of a design that such entries follow from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from evalkit.core.plan_lock import PlanKept
from evalkit.core.quantities import Quantity
from evalkit.diagnose.finding import Finding

ROBINS: Final = "ROBINS-I (2016)"
MARYLAND: Final = "Maryland Scientific Methods Scale"
WWC: Final = "What Works Clearinghouse"
EEF: Final = "EEF security rating (indicative, not an EEF rating)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """An entry of a published appraisal scale, in words: the judgement, why, and the rule that gives it."""

    scale: str
    domain: str
    judgement: str
    sentence: str
    rule: str = ""


Against = Literal["untreated", "doses"]
"""Whom the treated are compared with: others without the programme, or participants that had less of it."""
Measured = Literal["outside", "teachers", "own table"]
"""How the primary outcome is measured: by tests or exams set and marked outside, by teachers, or as the table says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignFacts:
    """What is known of a design without its estimate: all that a judgement may rest on.

    Attributes
    ----------
    against : whom the treated are compared with; None where with nobody
    has_before : whether results before the programme enter the comparison
    n_treated_areas : local authorities that hold the treated, or why that is not known
    counts_whole_area : whether every eligible school of an area counts as treated
    measured : how the primary outcome is measured
    findings : every check of the analysis, with its verdict
    lost : share of the eligible treated without a result, or why it is not known
    detectable_sd : least detectable effect in pupil-level standard deviations, or why it is not known
    kept : whether the plan was locked before outcomes were read, and what differs from it
    """

    against: Against | None
    has_before: bool
    n_treated_areas: int | None
    counts_whole_area: bool
    measured: Measured
    findings: tuple[Finding, ...]
    lost: Quantity
    detectable_sd: Quantity
    kept: PlanKept
