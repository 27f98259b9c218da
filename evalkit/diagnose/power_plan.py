"""The two-level plan of a project from its own years before the programme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.project import Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.intake import Intake
from evalkit.data.measures import measure
from evalkit.design.labels import NEIGHBOURS
from evalkit.design.plan import OutcomeDesign
from evalkit.design.power_two_level import TwoLevelPlan

_MOST: Final = 0.99
_FEWEST: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFromRecords:
    """A two-level plan and where its numbers came from, in words."""

    plan: TwoLevelPlan
    source: str


def plan_from_records(
    project: Project, intake: Intake, design: OutcomeDesign, sd: Quantity
) -> PlanFromRecords | Unavailable:
    """Return the plan of as many schools of as many pupils, its variances from schools' scores before the programme.

    With σ the spread of all pupils, V the variance of schools' scores and n their harmonic mean of pupils:
    τ² = (V − σ²/n)/(1 − 1/n), icc = τ²/σ²; r2_school = (cov(two last years)/τ²)², what last year's score says of the
    schools' own part of this year's; r2_pupil = 0, because progress already allows for prior attainment.
    """
    if design.too_few:
        return Unavailable(f"Not estimated: {design.too_few}.")
    if isinstance(sd, Unavailable):
        return Unavailable(f"An intraclass correlation needs the spread of pupils. {sd.reason}")
    scores, pupils = _scores(project, intake, design)
    if len(scores) < _FEWEST:
        return Unavailable(f"Only {len(scores)} schools have both a score and a number of pupils before the programme.")
    size = 1 / float((1 / pupils).mean())
    between = (float(scores.iloc[:, -1].var()) - sd**2 / size) / (1 - 1 / size)
    if between <= 0:
        return Unavailable("Schools' scores before the programme vary no more than chance among their pupils would.")
    icc = min(between / sd**2, _MOST)
    r2 = _kept(scores, between)
    groups = design.baseline.units["group"].to_numpy()
    areas = design.comparisons[NEIGHBOURS].of(design.treated_group)
    plan = TwoLevelPlan(
        n_treated=int((groups == design.treated_group).sum()),
        n_comparison=int(np.isin(groups, areas).sum()),
        pupils=size,
        icc=icc,
        r2_school=r2 if r2 is not None else 0.0,
        n_school_covariates=0 if r2 is None else 1,
    )
    last = max(project.exposure.pre)
    return PlanFromRecords(plan=plan, source=f"scores of {len(scores):,} schools in {last} and their published limits")


def _scores(project: Project, intake: Intake, design: OutcomeDesign) -> tuple[pd.DataFrame, pd.Series]:
    """Return scores of the years before (latest last) and pupils of the latest, of schools that have all."""
    records = intake.records[measure(design.outcome).key_stage]
    years = sorted(project.exposure.pre)[-2:]
    scores = records.values[design.outcome].loc[design.baseline.units.index, years]
    pupils = records.cohort[years[-1]].reindex(scores.index)
    known = scores.notna().all(axis=1) & (pupils > 1)
    return scores[known], pupils[known]


def _kept(scores: pd.DataFrame, between: float) -> float | None:
    """Return the share of schools' own variance that the year before explains; None where one year is known."""
    if scores.shape[1] < 2:
        return None
    shared = float(scores.iloc[:, 0].cov(scores.iloc[:, 1]))
    return min(max(shared / between, 0.0) ** 2, _MOST)
