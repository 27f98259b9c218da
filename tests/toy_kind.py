"""A kind of analysis that nothing in the kit knows: the change of the treated schools less that of all others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.core.quantities import Estimand, Unavailable
from evalkit.data.measures import measure
from evalkit.design.analysis_plan import AnalysisPlan
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.finding import statement
from evalkit.estimate.effect import Effect
from evalkit.run.kinds.registry import EstimateRequest, Kind, PlanRequest
from evalkit.run.project.plain_yaml import Complaint

NO_ERROR = Unavailable("A toy has no error.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyOptions:
    """What a project file may say of a toy."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "use_attribute_docstrings": True}
    doubled: bool = False
    """Whether the difference is doubled."""


@dataclass(frozen=True, slots=True)
class ToyPlan:
    """The schools in and not in the programme that have results in every year before."""

    treated: tuple[str, ...]
    others: tuple[str, ...]


def _complaints(project, analysis):
    if len(project.outcomes_of(analysis)) != 1:
        yield Complaint(("analyses",), "a toy takes one outcome")


def _plan(request: PlanRequest) -> AnalysisPlan:
    project = request.project.of_analysis(request.analysis)
    known = measure(project.primary.code)
    scores = request.intake.records[known.key_stage].values[known.code][list(project.exposure.pre)].dropna()
    treated = set(request.intake.treated.schools[known.key_stage])
    found = ToyPlan(
        tuple(one for one in scores.index if one in treated), tuple(one for one in scores.index if one not in treated)
    )
    return AnalysisPlan(
        analysis=request.analysis,
        project=project,
        label=TOY.label,
        details=found,
        record={"treated": list(found.treated), "n_others": len(found.others)},
    )


def _estimate(request: EstimateRequest) -> AnalysisResults:
    project, plan = request.plan.project, request.plan.details
    known = measure(project.primary.code)
    scores = request.intake.records[known.key_stage].values[known.code]
    change = scores[list(project.exposure.post)].mean(axis=1) - scores[list(project.exposure.pre)].mean(axis=1)
    options = request.plan.analysis.options
    difference = _mean(change, plan.treated) - _mean(change, plan.others)
    effect = Effect(
        outcome=known.code,
        role=project.primary.role,
        design="toy",
        estimand=Estimand.ATT,
        period="post",
        estimate=float(difference * (2 if options.doubled else 1)),
        std_error=NO_ERROR,
        interval=NO_ERROR,
        p_value=NO_ERROR,
        p_value_one_sided=NO_ERROR,
        inference="cluster",
        cluster_level="school",
        n_treated=len(plan.treated),
        n_comparison=len(plan.others),
        n_treated_clusters=1,
        method="Difference in mean change, as a toy has it.",
        is_main=True,
    )
    return AnalysisResults(
        plan=request.plan,
        estimand="The toy's own average effect.",
        recommended="none",
        reason="A toy has no error, so nothing is inferred.",
        effects=(effect,),
        findings=(statement("toy", float(difference), "A toy says nothing of what could be wrong with it."),),
        details=plan,
        extra={"weights": {"treated": 1}},
    )


def _mean(change: pd.Series, schools: tuple[str, ...]) -> float:
    return float(np.nanmean(change.loc[list(schools)].to_numpy()))


TOY = Kind(
    name="toy",
    label="a toy",
    options=ToyOptions,
    plan=_plan,
    estimate=_estimate,
    complaints=_complaints,
    notebook=Path(__file__).with_name("2_toy.ipynb"),
)
