"""What every analysis of a project gives, whatever its kind, and all of them together: documents are drawn of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from evalkit.core.manifest import DataKind
from evalkit.core.project import Analysis, Project
from evalkit.core.quantities import Unavailable
from evalkit.core.shown import Shown
from evalkit.design.analysis_plan import AnalysisPlan, ProjectDesign
from evalkit.diagnose.finding import Finding
from evalkit.estimate.effect import Effect

if TYPE_CHECKING:
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Evaluation(Shown):
    """Everything that one project gives: the results of all its analyses, in the order of its file."""

    project: Project
    design: ProjectDesign
    analyses: tuple[AnalysisResults, ...]

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
