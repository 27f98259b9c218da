"""What every analysis of a project gives, whatever its kind, and all of them together: documents are drawn of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from evalkit.core.manifest import DataKind
from evalkit.core.plan_lock import PlanKept
from evalkit.core.project import Analysis, Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.design.analysis_plan import AnalysisPlan, ProjectDesign
from evalkit.diagnose.appraisal.judgement import Judgement
from evalkit.diagnose.finding import Finding
from evalkit.estimate.areas.together import Difference, Over
from evalkit.estimate.effect import Effect

if TYPE_CHECKING:
    from evalkit.diagnose.curve.specification_curve import SpecificationCurve
    from evalkit.diagnose.missing.results import MissingResults

NOT_LOOKED_AT: Final = Unavailable("What missing results could do was not looked at.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AnalysisResults(Shown):
    """The results of one analysis.

    Attributes
    ----------
    plan : what was decided before outcomes were read
    estimand : what is estimated, in words: population, treatment, comparator, outcome, summary
    recommended : the inference by which the analysis is quoted, named as `evalkit power` names it
    reason : why it is that one, in a sentence
    effects : every effect; the one by which the analysis is quoted for an outcome has `is_main`
    findings : what could be wrong with it
    details : the kind's own results
    missing : what missing results could do to it, or why that is not said
    extra : what the kind adds to its entry of results.json: `group_time`, `event_study`, `weights`, `pairs`
    subgroups : the results for the subgroups of each `by`, and how they differ
    judgements : its entries on published scales, none of which rests on an estimate; none where it describes
    lasting : what became of the effect after the programme's end; None where that was not asked
    """

    plan: AnalysisPlan
    estimand: str
    recommended: str
    reason: str
    effects: tuple[Effect, ...]
    findings: tuple[Finding, ...]
    details: object
    missing: MissingResults | Unavailable = NOT_LOOKED_AT
    extra: Mapping[str, object] = field(default_factory=dict)
    subgroups: tuple[SubgroupResults, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    lasting: LastingResults | Unavailable | None = None

    @property
    def analysis(self) -> Analysis:
        """Return what the project file says of the analysis."""
        return self.plan.analysis

    @property
    def project(self) -> Project:
        """Return the project as the analysis sees it."""
        return self.plan.project

    def main(self, outcome: str) -> Effect | None:
        """Return the effect by which the analysis is quoted for an outcome, None where it does not take that."""
        return next((one for one in self.effects if one.is_main and one.outcome == outcome), None)


# What a kind found, outcome by outcome.


class OfOutcome(Protocol):
    """Results of one outcome."""

    @property
    def code(self) -> str:
        """The outcome's code."""
        ...

    @property
    def role(self) -> str:
        """Its role in the project."""
        ...


R = TypeVar("R", bound=OfOutcome)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class ByOutcome(Shown, Generic[R]):
    """The results of an analysis, outcome by outcome, in the order in which it takes them."""

    outcomes: tuple[R, ...]

    @property
    def primary(self) -> R:
        """Return the results of the primary outcome, the first where an analysis takes others only."""
        return next((one for one in self.outcomes if one.role == "primary"), self.outcomes[0])

    def of(self, code: str) -> R:
        """Return the results of an outcome."""
        return next(one for one in self.outcomes if one.code == code)


# The same analysis for subgroups, and how they differ.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubgroupEffect:
    """The effect on an outcome (its code among the project's) in one subgroup, in words, or why there is none.

    `common` is that of the schools with results of every subgroup; None where schools are of one subgroup each.
    """

    outcome: str
    words: str
    effect: Effect | Unavailable
    common: Effect | Unavailable | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Interaction:
    """The effect in one subgroup less that in another, placed among the same difference in areas or sets.

    `p_adjusted` allows for all pairs of subgroups of the outcome; None where there is one pair.
    """

    outcome: str
    first: str
    second: str
    difference: Difference
    p_adjusted: Quantity | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubgroupResults:
    """The results of an analysis for the subgroups of one `by`: each effect, and each pair's difference.

    `left_out` are the outcomes without such subgroups, by code; `are_areas` where effects count areas, not schools.
    """

    by: str
    is_of_pupils: bool
    effects: tuple[SubgroupEffect, ...]
    interactions: tuple[Interaction, ...]
    left_out: tuple[str, ...] = ()
    are_areas: bool = False


WHILE_IT_RAN: Final = "while the programme ran"
"""The words of the effect of all years of `exposure.post` that came before the programme's end."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LastingResults:
    """The same analysis for the years while a programme ran and for each year after its end, and how these differ.

    `during` and `after` are years of `exposure.post`, the last of `during` that of the programme's last day at the
    latest. `effects` has one for all of `during` and one for each later year; each of `differences` is a later year's
    less that of `during`.
    """

    during: tuple[int, ...]
    after: tuple[int, ...]
    effects: tuple[SubgroupEffect, ...]
    differences: tuple[Interaction, ...]


# Outcomes that are judged together.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FamilyTest:
    """One effect of a family: t over its spread among areas or sets, p by itself, as it is quoted, and adjusted.

    `p_adjusted` is by step-down and never below `p_value`; `holm` by Holm's method.
    """

    analysis: str
    outcome: str
    statistic: Quantity
    p_value: Quantity
    p_adjusted: Quantity
    holm: Quantity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FamilyResults:
    """The effects of a family judged together, over areas (`n_areas`, the treated counted) or sets (`n_sets`).

    `over` says which, or that it is draws of areas or dealings of doses, `n_sets` of them. `least_p` is the smallest
    p-value that such ranks can have.
    """

    name: str
    tests: tuple[FamilyTest, ...]
    n_areas: int = 0
    n_sets: int = 0
    over: Over = "areas"
    least_p: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Evaluation(Shown):
    """Everything that one project gives: the results of all its analyses, in the order of its file.

    `kept` says whether its plan was locked before outcomes were read, and what was done otherwise.
    """

    project: Project
    design: ProjectDesign
    analyses: tuple[AnalysisResults, ...]
    families: tuple[FamilyResults, ...] = ()
    kept: PlanKept = field(default_factory=PlanKept)
    curve: SpecificationCurve | None = None

    @property
    def primary(self) -> AnalysisResults:
        """Return the results that the headline is of."""
        return self.analysis(self.project.primary_analysis.name)

    @property
    def data_kind(self) -> DataKind:
        """Return whether the data are real or synthetic."""
        return self.design.data_kind

    def analysis(self, name: str) -> AnalysisResults:
        """Return the results of the analysis of that name."""
        return next(one for one in self.analyses if one.analysis.name == name)
