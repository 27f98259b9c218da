"""What an analysis of pupils in schools could detect, from years before the programme alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats
from evalkit.core.errors import DataError, DesignError
from evalkit.core.project import Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.measures import measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.design.clusters import OVER_SETS, ClusterCounts, Concentration, recommended_inference
from evalkit.design.kinds.pupils import OVER_PUPILS, PupilOutcome, PupilPlan
from evalkit.design.power.mdes import TwoLevelPlan, averaging_factor, multiplier, two_level_mdes
from evalkit.diagnose.kinds.pupils import before_test
from evalkit.diagnose.power.report import AnalysisPower, PowerOptions
from evalkit.estimate.pupils.multilevel import two_level_model
from evalkit.estimate.pupils.two_level import PupilColumns, TwoLevelModel

_NO_WAVES: Final = Unavailable(
    "Two waves have one year before, in which no change is seen, and where few areas are treated no formula for "
    "schools that are independent applies."
)


def pupils_power(
    project: Project, plan: PupilPlan, analysis: str, intake: ProjectData, options: PowerOptions
) -> Iterator[AnalysisPower]:
    """Yield what each outcome's effect could be detected from.

    Changes of schools' means between years before, judged as the effect will be, where two such years are known; for
    two waves over many areas the two-level formula with the ICC of the wave before, covariates taken to explain
    nothing. Raises `DesignError` where a later year is in memory.
    """
    late = sorted(set(intake.years) - set(plan.exposure.pre))
    if late:
        raise DesignError(f"Power is computed before outcomes are read, and {late[0]} is in memory.")
    for code, outcome in plan.outcomes.items():
        least, method = _least(project, plan, outcome, intake, options)
        leads = OVER_SETS if outcome.sets is not None else _by_area(outcome)
        yield AnalysisPower(
            analysis=analysis,
            kind="pupils",
            outcome=code,
            label=plan.labels[code],
            unit=measure_of(project, code).unit,
            least=least,
            leads=leads,
            why=plan.reason,
            method=method if isinstance(least, float) else "none",
        )


def _by_area(outcome: PupilOutcome) -> str:
    """Return the inference that the run will make with areas as clusters, every school weighing one."""
    arms: list[Floats] = [
        outcome.area.reindex(schools).value_counts().to_numpy().astype(float)
        for schools in (outcome.treated, outcome.pool)
    ]
    counts = ClusterCounts(n_treated=len(arms[0]), n_comparison=len(arms[1]))
    return recommended_inference(counts, "area", Concentration.of(*arms)).inference


def _least(
    project: Project, plan: PupilPlan, outcome: PupilOutcome, intake: ProjectData, options: PowerOptions
) -> tuple[Quantity, str]:
    rows, pre = intake.people[outcome.table], plan.exposure.pre
    if plan.choices.model == "waves":
        if outcome.sets is not None:
            return _NO_WAVES, "none"
        return _by_formula(plan, outcome, intake, options), f"{OVER_PUPILS}, with the ICC of the wave before"
    test = before_test(project, plan, outcome, rows)
    if isinstance(test, Unavailable):
        return test, "none"
    spread, df = test.spread
    if isinstance(spread, Unavailable):
        return spread, "none"
    # means over several years move less than single ones
    factor = averaging_factor(len(pre), len(plan.exposure.post)) / averaging_factor(len(pre) - 1, 1)
    least = multiplier(df, options.level, options.power) * spread * factor
    return least, f"changes of schools' means from the years before to {max(pre)}"


def _by_formula(plan: PupilPlan, outcome: PupilOutcome, intake: ProjectData, options: PowerOptions) -> Quantity:
    """Return the least effect of two arms of schools, in points: the two-level formula times the total SD."""
    empty = _empty(plan, outcome, intake)
    if isinstance(empty, Unavailable):
        return empty
    sizes = outcome.n_before.reindex(outcome.treated.append(outcome.pool)).to_numpy(dtype=float)
    design = TwoLevelPlan(
        n_treated=len(outcome.treated),
        n_comparison=len(outcome.pool),
        pupils=float(len(sizes) / (1 / sizes).sum()),
        icc=empty.unconditional.icc,
    )
    least = two_level_mdes(design, options.level, options.power)
    return least if isinstance(least, Unavailable) else least * float(np.sqrt(empty.unconditional.total))


def _empty(plan: PupilPlan, outcome: PupilOutcome, intake: ProjectData) -> TwoLevelModel | Unavailable:
    rows = intake.people[outcome.table]
    if plan.pre_score is not None:
        return Unavailable("How the outcome varies is not known of the earlier score alone.")
    keep = np.isin(rows.unit, rows.units.get_indexer(outcome.treated.append(outcome.pool)))
    keep &= (rows.period == max(plan.exposure.pre)) & np.isfinite(rows.values[outcome.column])
    frame = pd.DataFrame({"school": rows.unit[keep], "score": rows.values[outcome.column][keep]})
    try:
        return two_level_model(frame, PupilColumns(outcome="score", school="school"))
    except (DataError, DesignError) as problem:
        return Unavailable(str(problem))
