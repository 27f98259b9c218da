"""What a portfolio needs to know of one finished project, its error for whole areas among it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Literal

from evalkit.core.manifest import DataKind, Vintage
from evalkit.core.project import AIMED_AT
from evalkit.core.quantities import Estimand, Interval, IntervalOrReason, Quantity, Unavailable, critical_value
from evalkit.data.measures import MEASURES
from evalkit.design.project.labels import LIST_LABEL, design_label
from evalkit.diagnose.project.evaluation import EvidenceRating
from evalkit.estimate.areas.placebo_pool import AreaTable

Phase = Literal["primary", "secondary", "not known"]
ErrorSource = Literal["placebo areas", "interval", "areas as clusters", "none"]
CONTRAST: Final = "contrast"


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
    vintage: Vintage = field(default_factory=Vintage)

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


# The standard error of an effect that allows for what happens to a whole area, from what a report holds.


SCHOOLS_ONLY: Final = (
    "Its standard error is clustered by school: it leaves out what happened to the whole area, so it is too small to "
    "be weighed with others."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEffect:
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


def area_error(found: RecordedEffect) -> tuple[Quantity, ErrorSource]:
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
