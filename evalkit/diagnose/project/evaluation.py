"""All of one project's results, its rating and intraclass correlation among them: what every document is drawn from."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from evalkit.core.draws import LEVEL
from evalkit.core.errors import EvalkitError
from evalkit.core.formats import lower_first, number, visible
from evalkit.core.project import Claim, Exposure, Project
from evalkit.core.quantities import Estimand, Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.core.words import counted, listed
from evalkit.data.flow import Flow
from evalkit.data.panel import Panel
from evalkit.design.project.plan import DesignStage, DetectableEffect
from evalkit.diagnose.appraisal.judgement import Judgement
from evalkit.diagnose.finding import Finding
from evalkit.diagnose.power.pre_trends import PreTrendPower
from evalkit.diagnose.project.flows import Attrition
from evalkit.estimate.areas.outcome_effects import YearBand
from evalkit.estimate.areas.sets import Diluted
from evalkit.estimate.bounds.permuted_bounds import PermutedBounds
from evalkit.estimate.effect import MAIN, Effect, InferenceName, find_effect
from evalkit.estimate.pupils.multilevel import two_level_model
from evalkit.estimate.pupils.two_level import PupilColumns, TwoLevelOptions, VarianceParts

# How secure an evaluation's main result is, on six steps: indicative, and not a rating by the EEF.

BEST_OF_DESIGN: Final = 4
"""Changes set against those of a comparison group deal with selection on what does not change: 4 of 5 at most."""
NOT_LOOKED_AT: Final = Unavailable("This was not looked at.")
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


# All of one project's results: what results.json holds and every document is drawn from.

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
class SetDistribution:
    """How the changes of sets drawn in other areas are spread on one outcome, the listed schools' own among them.

    `edges` has one more entry than `shares`, the weight of the sets between two edges, each area counting the same;
    `treated` is what is placed among them, and where sets are like the list both are less what such sets gain.
    """

    outcome: str
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    treated: float
    n_areas: int
    n_sets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCheck:
    """A stakeholder's claim against what these data show."""

    claim: Claim
    verdict: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionRow:
    """Schools of an arm that changed legal identity within the window of the analysis, or why that is not known."""

    arm: str
    n_converted: int | Unavailable
    n_schools: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSummary:
    """What it cost, in pounds, and whether a cost-effectiveness ratio can be given.

    `n_pupils` is the roll of the treated schools of every phase (of all eligible schools where a whole area counts);
    `per_pupil_gbp` divides by it, for listed schools by the schools paid for times the mean roll of those listed;
    `years` the length of the programme; `band` that of the cost scale of the EEF Toolkit for `per_pupil_year_gbp`.
    `per_tenth_sd_interval` is the ratio at the upper and at the lower end of the interval of the effect.
    """

    total_gbp: float
    schools: int
    per_school_gbp: float
    source: str
    n_pupils: int | Unavailable
    n_pupil_schools: int
    per_pupil_gbp: Quantity
    years: float
    per_pupil_year_gbp: Quantity
    band: str | Unavailable
    per_tenth_sd_gbp: Quantity
    per_tenth_sd_interval: IntervalOrReason


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBaseline:
    """An effect less what the line of effects on gaps before, fitted to the other areas alone, leads one to expect.

    Attributes
    ----------
    estimate : what the line leaves of the effect; `expected` what it gives for the treated area's gap
    p_value : rank of what it leaves among what it leaves of all areas
    gap : by how much the treated schools stood above their neighbours before
    median_gap : median over areas of the size of that gap
    n_areas : J
    """

    outcome: str
    estimate: float
    expected: float
    p_value: float
    slope: float
    gap: float
    median_gap: float
    n_areas: int

    @property
    def is_called_for(self) -> bool:
        """Return whether the area stood further from its neighbours than most, so that this belongs to the headline."""
        return abs(self.gap) > self.median_gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Dilution:
    """The effect on the whole area as one on its listed schools, under what the others may have felt of it.

    `share` is the listed schools' share of the areas' pupils; the p-value is that of the whole area.
    """

    outcome: str
    share: float
    p_value: Quantity
    parts: tuple[Diluted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeBounds:
    """How far trends may part before the effect on one outcome is lost, or why that is not known."""

    outcome: str
    found: PermutedBounds | Unavailable


PartKind = Literal["treated school", "comparison school", "trust or network", "treated area", "comparison area"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutPart:
    """The effect without one part: what was left out, of how many schools, and by how much the effect moves."""

    kind: PartKind
    name: str
    n_schools: int
    estimate: Quantity
    moved: Quantity

    @property
    def size(self) -> float:
        """Return how far the effect moves, without limit where there would be none."""
        return abs(self.moved) if isinstance(self.moved, float) else float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Influences:
    """Who moves the primary outcome's effect: parts that were left out one at a time, the largest move first.

    `spread` is the standard deviation of the effect over areas, or sets, where nothing happened; `n_looked_at` how
    many parts of each kind were left out, of which schools only the few that move it most are among `parts`.
    """

    estimate: float
    spread: Quantity
    parts: tuple[LeftOutPart, ...]
    n_looked_at: dict[str, int]
    notes: tuple[str, ...] = ()

    def of(self, *kinds: str) -> tuple[LeftOutPart, ...]:
        """Return the parts of some kinds, the largest move first."""
        return tuple(one for one in self.parts if one.kind in kinds)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AreasResults(Shown):
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
    given: tuple[GivenBaseline, ...] = ()
    dilution: tuple[Dilution, ...] = ()
    placed: SetDistribution | None = None
    bounds: tuple[OutcomeBounds, ...] = ()
    pre_trends: PreTrendPower | Unavailable = NOT_LOOKED_AT
    influences: Influences | Unavailable = NOT_LOOKED_AT

    def effect(
        self, outcome: str, design: str = MAIN[0], period: str = MAIN[1], inference: InferenceName | None = None
    ) -> Effect | None:
        """Return the effect of an outcome, design and period, placed among areas or sets unless otherwise asked."""
        return find_effect(self.effects, outcome, (design, period), inference)

    @property
    def main_effect(self) -> Effect | None:
        """Return the main comparison's effect on the primary outcome, if it was asked for."""
        return self.effect(self.project.primary.code)

    @property
    def estimand(self) -> Estimand:
        """Return the estimand of the main comparison on the primary outcome."""
        return self.main_effect.estimand if self.main_effect else Estimand.ATT


# How alike the schools of one area change: the intraclass correlation that makes areas, not schools, the sample.

_FEWEST_AREAS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class IntraclassCorrelation:
    """Share of the variance of schools' changes that lies between areas, over schools outside the programme.

    `icc` is that of the changes as they are, `conditional` that given each school's level before; the intervals are
    by profile likelihood.
    """

    outcome: str
    icc: Quantity
    interval: IntervalOrReason
    conditional: Quantity
    conditional_interval: IntervalOrReason
    n_schools: int
    n_areas: int


def area_icc(outcome: str, panel: Panel, exposure: Exposure, level: float = LEVEL) -> IntraclassCorrelation:
    """Return how far schools of one area change together, from the schools of a panel that were never treated."""
    changes = _changes(panel, exposure)
    n_areas = int(changes["area"].nunique())
    if n_areas < _FEWEST_AREAS:
        reason = Unavailable(f"Schools in only {n_areas} areas outside the programme; {_FEWEST_AREAS} are needed.")
        return _made(outcome, changes, (reason, reason))
    return _made(outcome, changes, (_parts(changes, (), level), _parts(changes, ("before",), level)))


def _changes(panel: Panel, exposure: Exposure) -> pd.DataFrame:
    """Return area, level before and change of each untreated school with results before and after."""
    wide, units = panel.wide(), panel.by_unit()
    before = wide[list(exposure.pre)].mean(axis=1)
    change = wide[list(exposure.post)].mean(axis=1) - before
    table = pd.DataFrame({"area": units["cluster"], "before": before, "change": change})
    return table[units["cohort"].isna()].dropna()


def _parts(changes: pd.DataFrame, given: tuple[str, ...], level: float) -> VarianceParts | Unavailable:
    columns = PupilColumns(outcome="change", school="area", covariates=given)
    try:
        model = two_level_model(changes, columns, TwoLevelOptions(level=level))
    except EvalkitError:
        return Unavailable("The changes of these schools do not let the variance between areas be told apart.")
    return model.conditional if given else model.unconditional


def _made(
    outcome: str, changes: pd.DataFrame, parts: tuple[VarianceParts | Unavailable, VarianceParts | Unavailable]
) -> IntraclassCorrelation:
    icc, conditional = ((p, p) if isinstance(p, Unavailable) else (p.icc, p.icc_interval) for p in parts)
    return IntraclassCorrelation(
        outcome=outcome,
        icc=icc[0],
        interval=icc[1],
        conditional=conditional[0],
        conditional_interval=conditional[1],
        n_schools=len(changes),
        n_areas=int(changes["area"].nunique()),
    )
