"""All of one project's results: what results.json holds and every document is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from evalkit.core.project import Claim, Project
from evalkit.core.quantities import Estimand, Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.data.flow import Flow
from evalkit.design.project.plan import DesignStage, DetectableEffect
from evalkit.diagnose.finding import Finding
from evalkit.diagnose.project.area_icc import IntraclassCorrelation
from evalkit.diagnose.project.costs import CostSummary
from evalkit.diagnose.project.evidence_rating import EvidenceRating
from evalkit.diagnose.project.flows import Attrition
from evalkit.estimate.areas.year_bands import YearBand
from evalkit.estimate.effect import MAIN, Effect, InferenceName, find_effect

NOT_RATED: Final = EvidenceRating(Unavailable("No check has been made."), "Not rated: no check has been made.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The numbers of the first sentence; each equals its entry in results.json.

    `lead` is the earlier relative gain (treated less neighbours) between the first and last year
    before the programme; `adjusted` the effect left if that trend had continued; `n_as_large`
    counts areas whose change was at least as large in either direction, the treated one included.
    """

    measure_label: str
    place: str
    n_schools: int
    pre_label: str
    post_label: str
    list_year: str
    estimate: Quantity
    interval: IntervalOrReason
    n_areas: Quantity
    n_as_large: Quantity
    p_value: Quantity
    placebo_label: str
    placebo_estimate: Quantity
    contrast_label: str
    contrast_estimate: Quantity
    contrast_p: Quantity
    lead: Quantity
    lead_label: str
    adjusted: Quantity

    @property
    def interval_contains_zero(self) -> bool:
        """Return whether the data leave open on which side of zero the effect lies."""
        return not isinstance(self.interval, Interval) or 0.0 in self.interval


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmYear:
    """Mean outcome of one arm in one year. `arm` is treated, neighbours, matched or england."""

    outcome: str
    arm: str
    year: int
    mean: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeSummary:
    """One row of the table of outcomes: counts, means before and after, the difference after, the adjusted p-value.

    `n_pupils_…` are pupils of the tested year in the schools analysed, the mean of the years before; `raw_difference`
    is treated less compared after the programme; `detectable_sd` the least detectable effect in pupil-level standard
    deviations, the larger of planned and realised; `p_adjusted` the p-value of the main comparison adjusted for the
    number of outcomes that the programme aimed at (Holm), which a placebo is not.
    """

    outcome: str
    label: str
    role: str
    unit: str
    n_treated: int
    n_comparison: int
    n_pupils_treated: int | Unavailable
    n_pupils_comparison: int | Unavailable
    treated_pre: Quantity
    treated_post: Quantity
    comparison_pre: Quantity
    comparison_post: Quantity
    raw_difference: Quantity
    p_adjusted: Quantity
    detectable_sd: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaBaselines:
    """Where areas stood before: mean, gap to the areas each is compared with, and schools; and the years of both."""

    pre_means: tuple[float, ...]
    baseline_gaps: tuple[float, ...]
    n_schools: tuple[int, ...]
    pre: tuple[int, ...]
    post: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaDistribution:
    """The change of every area analysed the same way, the treated area's among them.

    `before` says where the areas stood, in their order; it is given for the main comparison.
    """

    outcome: str
    design: str
    areas: tuple[int, ...]
    names: tuple[str, ...]
    effects: tuple[float, ...]
    treated_area: int
    before: AreaBaselines | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCheck:
    """A stakeholder's claim against what these data show."""

    claim: Claim
    verdict: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """An entry of a published appraisal scale, in words."""

    scale: str
    domain: str
    judgement: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionRow:
    """Schools of an arm that changed legal identity within the window of the analysis."""

    arm: str
    n_converted: int
    n_schools: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Evaluation(Shown):
    """All of one project's results."""

    project: Project
    design: DesignStage
    headline: Headline
    effects: tuple[Effect, ...]
    flow: Flow
    outcomes: tuple[OutcomeSummary, ...]
    trajectories: tuple[ArmYear, ...]
    distributions: tuple[AreaDistribution, ...]
    detectable: tuple[DetectableEffect, ...]
    findings: tuple[Finding, ...]
    judgements: tuple[Judgement, ...]
    claims: tuple[ClaimCheck, ...]
    conversions: tuple[ConversionRow, ...]
    cost: CostSummary | None
    limits: tuple[str, ...]
    measure_labels: dict[str, str]
    bands: tuple[YearBand, ...] = ()
    attrition: tuple[Attrition, ...] = ()
    intraclass: tuple[IntraclassCorrelation, ...] = ()
    rating: EvidenceRating = NOT_RATED

    def effect(
        self, outcome: str, design: str = MAIN[0], period: str = MAIN[1], inference: InferenceName = "permutation"
    ) -> Effect | None:
        """Return the effect of an outcome, design, period and kind of inference, if it was asked for."""
        return find_effect(self.effects, outcome, (design, period), inference)

    @property
    def main_effect(self) -> Effect | None:
        """Return the main comparison's effect on the primary outcome, if it was asked for."""
        return self.effect(self.project.primary.measure)

    @property
    def estimand(self) -> Estimand:
        """Return the estimand of the main comparison on the primary outcome."""
        return self.main_effect.estimand if self.main_effect else Estimand.ATT
