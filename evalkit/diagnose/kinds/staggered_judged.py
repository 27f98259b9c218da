"""The overall effect of staggered starts on any outcomes by unit and year, as an analysis is quoted by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Ints
from evalkit.core.draws import SERIAL, Executor
from evalkit.core.errors import DesignError
from evalkit.core.project import Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.design.kinds.staggered import StaggeredOutcome, StaggeredPlan
from evalkit.design.panel.staggered import staggered_design
from evalkit.diagnose.kinds.staggered import OutcomeWork, design_options, matched_design
from evalkit.diagnose.missing.sample import Judged
from evalkit.estimate.areas.set_draws import FEWER_SETS, N_SETS, SetOptions, Sets
from evalkit.estimate.staggered.overall_inference import overall_inference, recommendation
from evalkit.estimate.staggered.relabelled import N_RERUNS, StaggeredStatistic, staggered_sets
from evalkit.estimate.staggered.summaries import overall_effect
from evalkit.estimate.two_way.recommended import InferenceOptions

_SHARE_BESIDE: Final = 4
"""Sets of the answer for each one beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeOptions:
    """How outcomes are judged once more: the estimate alone, or among a quarter of the sets of the answer."""

    executor: Executor = SERIAL
    is_number_alone: bool = False


def judged_values(
    project: Project, plan: StaggeredPlan, outcome: StaggeredOutcome, values: pd.DataFrame, options: JudgeOptions
) -> Judged:
    """Return the overall effect on any outcomes by unit and year, by the inference that it is quoted by."""
    work = work_of(project, plan, outcome, values, options.executor)
    if isinstance(work, str):
        return Judged.none(work)
    design = work.design
    if outcome.sets is not None or options.is_number_alone:
        return _judged_by_sets(work, options)
    effects = work.effects()
    advice = recommendation(effects)
    two_way = InferenceOptions(level=work.uncertainty.level, seed=work.uncertainty.seed)
    estimate: Quantity = Unavailable("There is no overall effect.")
    if plan.choices.estimator == "twfe":
        from evalkit.estimate.two_way.two_way import two_way_effect

        regression = two_way_effect(design.panel, two_way)
        estimate, inference = float(regression.estimate.value), regression.inference
    else:
        found = overall_effect(effects).estimate
        estimate = found if isinstance(found, Unavailable) else float(found.value)
        inference = overall_inference(effects, advice, two_way)
    return Judged(
        estimate=estimate,
        interval=inference.interval,
        p_value=inference.p_value,
        std_error=inference.std_error,
        df=inference.df,
        **_counts(work),
    )


def work_of(
    project: Project, plan: StaggeredPlan, outcome: StaggeredOutcome, values: pd.DataFrame, executor: Executor
) -> OutcomeWork | str:
    """Return the design of any outcomes by unit and year, or why there is none."""
    try:
        whole = staggered_design(outcome.panel(values), design_options(plan.choices))
        design = whole if outcome.match is None else matched_design(outcome, whole, values)
    except DesignError as problem:
        return str(problem)
    return OutcomeWork(
        project=project, choices=plan.choices, outcome=outcome, design=design, whole=whole, executor=executor
    )


def _judged_by_sets(work: OutcomeWork, options: JudgeOptions) -> Judged:
    """Return the overall effect placed among sets, or alone as it is."""
    statistic = StaggeredStatistic(
        design=work.whole,
        area=work.area,
        estimator=work.choices.estimator,
        method=work.method,
        matching=work.matching(),
    )
    none = Unavailable("Sets are ranked, without an error.")
    if options.is_number_alone:
        treated = np.flatnonzero(work.is_treated)
        value = float(statistic(_actual(work, treated))[0, 0])
        estimate: Quantity = value if np.isfinite(value) else none
        return Judged(estimate=estimate, interval=none, p_value=none, std_error=none, df=None, **_counts(work))
    assert work.outcome.sets is not None
    usual = FEWER_SETS if statistic.matching is not None else N_SETS if statistic.is_from_sums else N_RERUNS
    chosen = SetOptions(
        rule=work.outcome.sets.rule,
        seed=work.project.seed,
        level=work.uncertainty.level,
        draws_more=False,
        n_sets=usual // _SHARE_BESIDE,
    )
    found = staggered_sets(statistic, work.pool(), chosen, work.executor).inference(0, work.uncertainty.level)
    estimate = found.estimate if isinstance(found.adjusted, Unavailable) else found.adjusted
    return Judged(
        estimate=estimate, interval=found.interval, p_value=found.p_value, std_error=none, df=None, **_counts(work)
    )


def _actual(work: OutcomeWork, treated: Ints) -> Sets:
    """Return those treated, with their starts, as the one set."""
    start = np.asarray(work.whole.cohorts, dtype=float)[work.whole.stratum[treated]]
    areas = np.unique(work.area[treated])[None, :]
    return Sets(members=treated[None, :], place=np.zeros(len(treated), dtype=np.int64), areas=areas, start=start)


def _counts(work: OutcomeWork) -> dict[str, int]:
    n = int((work.design.stratum < len(work.design.cohorts)).sum())
    return {"n_treated": n, "n_comparison": len(work.design.panel.units) - n}
