"""What a portfolio needs to know of one finished project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from evalkit.core.estimand import Estimand
from evalkit.core.manifest import DataKind
from evalkit.core.quantities import IntervalOrReason, Quantity, Unavailable
from evalkit.data.measures import MEASURES
from evalkit.design.labels import LIST_LABEL, design_label
from evalkit.diagnose.evidence_rating import EvidenceRating
from evalkit.estimate.placebo_pool import AreaTable

Phase = Literal["primary", "secondary", "not known"]
ErrorSource = Literal["placebo areas", "interval", "areas as clusters", "none"]
AIMED_AT: Final = ("primary", "secondary")
CONTRAST: Final = "contrast"
State = Literal["current", "changed", "renamed", "gone", "not known"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vintage:
    """What a report was made from: version and commit of the kit, hash of its data, day, and the state of its project.

    `state` compares the project's files with those the report was made from: `current`, `changed` since, `renamed`
    where it bears another slug now, `gone`, or `not known` where it cannot be told where the project is. What is not
    known is an empty text.
    """

    kit: str = ""
    commit: str = ""
    data: str = ""
    made: str = ""
    state: State = "not known"

    @property
    def label(self) -> str:
        """Return the vintage in words: `evalkit 0.1.0, commit 1f19207, data 3fa9c1d2, 2026-11-29`."""
        commit = self.commit[:7] + (" (changed)" if "(changed)" in self.commit else "")
        parts = (("evalkit", self.kit), ("commit", commit), ("data", self.data[:8]), ("", self.made))
        said = ", ".join(f"{word} {value or 'not known'}".strip() for word, value in parts)
        return f"{said}. {STATES[self.state]}".strip() if STATES[self.state] else said


STATES: Final[dict[State, str]] = {
    "current": "",
    "changed": "Its project has changed since.",
    "renamed": "Its project has another slug now.",
    "gone": "Its project is gone.",
    "not known": "",
}
"""What is said beside a report of the state of its project."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How an effect was made: estimates are pooled only where all of this is the same."""

    design: str
    neighbour_list: str
    weights: str
    estimand: Estimand

    @property
    def label(self) -> str:
        """Return the comparison in words."""
        lists = f"list of {LIST_LABEL.get(self.neighbour_list, self.neighbour_list)}"
        weights = "each school weighing one" if self.weights == "schools" else "schools weighed by pupils"
        return f"{design_label(self.design)}, {lists}, {weights}; {self.estimand.label}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRecord:
    """One project's main estimate of one outcome; `std_error` allows for area shocks, or says why not.

    `table` holds every area's change as the project measures it, or why none can stand in for its schools.
    """

    outcome: str
    role: str
    comparison: Comparison
    estimate: Quantity
    std_error: Quantity
    error_source: ErrorSource
    interval: IntervalOrReason
    hedges_g: Quantity
    hedges_g_interval: IntervalOrReason
    sd_used: Quantity
    sd_name: str
    n_treated: int
    table: AreaTable | Unavailable

    @property
    def label(self) -> str:
        """Return the outcome in words."""
        return outcome_label(self.outcome)

    @property
    def unit(self) -> str:
        """Return the unit of the outcome."""
        return outcome_unit(self.outcome)

    @property
    def phase(self) -> Phase:
        """Return which schools the outcome is measured in."""
        known = MEASURES.get(self.outcome.partition("-")[0])
        if known is None:
            return "not known"
        return "primary" if known.key_stage == "KS2" else "secondary"

    @property
    def is_aimed_at(self) -> bool:
        """Return whether the programme was to move the outcome."""
        return self.role in AIMED_AT


def outcome_label(code: str) -> str:
    """Return an outcome or a contrast of two in words: `Reading progress less maths progress`."""
    parts = [MEASURES[one].label if one in MEASURES else one for one in code.split("-")]
    return " less ".join([parts[0], *(part.lower() for part in parts[1:])])


def outcome_unit(code: str) -> str:
    """Return the unit of an outcome or of a contrast of two."""
    known = MEASURES.get(code.partition("-")[0])
    return known.unit if known else "points"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRecord:
    """A finished project: who was treated and compared when, what was found, how sure, and where the report is.

    `treated` and `compared` are areas by DfE code; `post` the years after; `report` a link relative to the portfolio;
    `n_serious` counts serious design facts, `joint_p` is that of all falsification tests together.
    """

    slug: str
    title: str
    place: str
    theme: str
    region: str
    data_kind: DataKind
    treated: tuple[int, ...]
    compared: tuple[int, ...]
    area_names: tuple[tuple[int, str], ...]
    pre: tuple[int, ...]
    post: tuple[int, ...]
    primary: str
    outcomes: tuple[OutcomeRecord, ...]
    rating: EvidenceRating
    n_serious: int
    joint_p: Quantity
    threshold: int
    report: str
    vintage: Vintage = Vintage()

    @property
    def main(self) -> OutcomeRecord:
        """Return the record of the primary outcome."""
        return next(record for record in self.outcomes if record.outcome == self.primary)

    @property
    def phase(self) -> Phase:
        """Return the phase of the primary outcome."""
        return self.main.phase


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A project whose last run did not end well, in the words of its record; `where` may be empty."""

    slug: str
    kind: str
    where: str
    message: str
    has_earlier_report: bool


@dataclass(frozen=True, slots=True)
class UnreadFolder:
    """A folder among the outputs that is not counted, and why."""

    name: str
    reason: str
