"""Results of an analysis of staggered starts: six estimators, what judges them, and what could be wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, cast, get_args

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Ints
from evalkit.core.draws import SERIAL, Executor
from evalkit.core.errors import DesignError
from evalkit.core.project import Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.data.flow import LeftOut
from evalkit.data.measures import measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.design.clusters import OVER_SETS, Recommendation
from evalkit.design.kinds.staggered import StaggeredChoices, StaggeredOutcome, StaggeredPlan, usable_years, values_of
from evalkit.design.matching.matched import without_units
from evalkit.design.matching.rerun import MatchingRerun
from evalkit.design.panel.staggered import (
    StaggeredDesign,
    StaggeredOptions,
    staggered_design,
    with_universal_base,
)
from evalkit.design.project.set_rule import SetRule
from evalkit.diagnose.cross_checks import CrossCheck, CrossChecks, cross_checks, open_design
from evalkit.diagnose.evaluation import ByOutcome
from evalkit.diagnose.kinds.matched_violations import MATCHED_ON_OUTCOME, is_matched_on_outcome
from evalkit.diagnose.power.event_leads import sets_pre_trends, staggered_pre_trends
from evalkit.diagnose.power.pre_trends import PreTrendPower
from evalkit.estimate.areas.set_draws import FEWER_SETS, SetOptions, SetPool, Sets
from evalkit.estimate.areas.sets import FAST_CHUNK, SLOW_CHUNK, SetsInference
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.estimate.bounds.of_effects import event_study_bounds
from evalkit.estimate.bounds.violation_bounds import ViolationBounds
from evalkit.estimate.effect import Inference
from evalkit.estimate.published_spread import Spread, Spreads, spreads_of
from evalkit.estimate.staggered.bands import Uncertainty
from evalkit.estimate.staggered.cells import GroupTimeEffects
from evalkit.estimate.staggered.group_time_arrays import Method
from evalkit.estimate.staggered.overall_inference import overall_inference, recommendation
from evalkit.estimate.staggered.relabelled import (
    N_RERUNS,
    OVERALL,
    MatchedFirst,
    StaggeredStatistic,
    UnlistedUnits,
    effects_of,
    staggered_pool,
    staggered_sets,
    staggered_statistic,
)
from evalkit.estimate.staggered.relabelled_arrays import Estimator
from evalkit.estimate.staggered.results import StaggeredResults, staggered_results
from evalkit.estimate.staggered.results_by_sets import (
    ASSUMES,
    NO_STD_ERROR,
    NumbersBySets,
    TrendPower,
    inference_by_sets,
    less_expected,
    results_by_sets,
    trend_power,
)
from evalkit.estimate.two_way.recommended import InferenceOptions

NOT_RERUN: Final = Unavailable(
    "Sets are drawn for the quoted estimator alone, as with covariates each set takes a rerun of everything."
)

NOT_BOUNDED: Final = Unavailable(
    "Bounds on violations start from errors by cluster; this analysis is judged by sets of units, as too few areas "
    "take part for such errors."
)

# The results.


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutOne:
    """The overall effect without one participant, group or area of participants."""

    left_out: str
    estimate: Quantity


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class StaggeredOutcomeResults(Shown):
    """What was found for one outcome.

    Attributes
    ----------
    code, label, unit, role : the outcome, in words for readers
    results : every estimate of the quoted estimator, with the inference that judges it
    quoted : the same, each estimate less what sets gain where they are like the list: what a reader is shown
    by_clusters : the same with errors by cluster, where sets judge; None where clusters do
    overall : what sets say of the overall effect, None where clusters judge
    beside : what sets drawn by the other rule say, by the rule's name
    checks : the overall effect by six estimators
    inference : of the overall effect
    recommended : its name and why
    periods, cohorts : of the panel
    n_treated_areas : areas that hold analysed participants
    left_out : units left out before the panel, and by its design
    years_left_out : years that may not be compared with the last before the first start
    without : the overall effect without each area, group or participant
    power : of the test before the start
    pre_trends : trends that tests before the start would find, by the group-time estimator, or by rank where sets judge
    spreads : standard deviations by which the effect is standardised
    is_whole : whether all units of the treated areas take part
    bounds : the mean effect over times if trends are not parallel, from a universal base, or why there are none
    """

    code: str
    label: str
    unit: str
    role: str
    results: StaggeredResults
    quoted: StaggeredResults
    by_clusters: StaggeredResults | None
    overall: SetsInference | None
    beside: tuple[tuple[str, SetsInference], ...]
    checks: CrossChecks
    inference: Inference
    recommended: Recommendation
    periods: tuple[int, ...]
    cohorts: tuple[int, ...]
    n_treated_areas: int
    left_out: tuple[LeftOut, ...]
    years_left_out: tuple[int, ...]
    without: tuple[WithoutOne, ...]
    power: TrendPower | Unavailable
    pre_trends: PreTrendPower | Unavailable
    spreads: Spreads
    is_whole: bool
    bounds: ViolationBounds | Unavailable = NOT_BOUNDED


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class StaggeredFindings(ByOutcome[StaggeredOutcomeResults]):
    """The results of an analysis of staggered starts, outcome by outcome, and the plan they follow."""

    plan: StaggeredPlan


def staggered_outcomes(
    project: Project, plan: StaggeredPlan, intake: ProjectData, executor: Executor = SERIAL
) -> StaggeredFindings:
    """Estimate every outcome of a plan by every estimator, and judge it as the plan says.

    Raises `DesignError` where the outcome in question cannot be estimated at all.
    """
    made = [_outcome(project, plan, intake, outcome, executor) for outcome in plan.outcomes.values()]
    return StaggeredFindings(plan=plan, outcomes=tuple(made))


# One outcome.


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OutcomeWork:
    """One outcome's design and what its numbers are made with.

    `whole` is the design before any matching, from which sets are drawn; where none is made it is `design` itself.
    """

    project: Project
    choices: StaggeredChoices
    outcome: StaggeredOutcome
    design: StaggeredDesign
    whole: StaggeredDesign
    executor: Executor

    @property
    def area(self) -> Ints:
        """Return the code of each unit's area, in the order of the units of the whole design."""
        return self.outcome.area.reindex(self.whole.panel.units).to_numpy(dtype=np.int64)

    @property
    def is_treated(self) -> Bools:
        """Return which units of the whole design are treated."""
        return np.asarray(self.whole.stratum < len(self.whole.cohorts))

    @property
    def uncertainty(self) -> Uncertainty:
        """Return level, draws and seed of errors by cluster."""
        return Uncertainty(
            level=self.project.inference.level,
            n_draws=self.choices.bootstrap or 0,
            seed=self.project.seed,
            executor=self.executor,
        )

    @property
    def method(self) -> Method:
        """Return how the group-time estimator adjusts for covariates."""
        return self.choices.method or "dr"

    def effects(self) -> GroupTimeEffects:
        """Return the effects by the quoted estimator; those of the group-time estimator for one regression."""
        estimator = "group-time" if self.choices.estimator == "twfe" else self.choices.estimator
        return effects_of(self.design, estimator, self.method)

    def pool(self) -> SetPool:
        """Return who was listed and who could have been."""
        outcome = self.outcome
        others = UnlistedUnits(
            ids=tuple(map(str, outcome.others)),
            area=outcome.area.reindex(outcome.others).to_numpy(dtype=np.int64),
            level=outcome.level.reindex(outcome.others).to_numpy(dtype=float),
        )
        level = outcome.level.reindex(self.whole.panel.units).to_numpy(dtype=float)
        pool = staggered_pool(self.whole, self.area, others, level)
        picked = None if outcome.sets is None else outcome.sets.picked_among(pd.Index(pool.ids, dtype=object))
        return replace(pool, picked=picked)

    def matching(self) -> MatchedFirst | None:
        """Return the matching that is made again for each set, None where none comes first."""
        found = self.outcome.match
        if found is None:
            return None
        ids = found.everyone.units.index
        return MatchedFirst(
            rerun=MatchingRerun.of(found.everyone, found.option),
            unit=self.whole.panel.units.get_indexer(ids).astype(np.int64),
            area=self.outcome.area.reindex(ids).fillna(-1).to_numpy(dtype=np.int64),
            may_compare=np.asarray(ids.isin(self.outcome.pool)),
        )


def design_options(choices: StaggeredChoices) -> StaggeredOptions:
    """Return the design's options; estimators that compare with everyone untreated need no never-treated units."""
    has_choice = choices.estimator in ("group-time", "extended")
    return StaggeredOptions(
        comparison=choices.compared if has_choice else "not-yet",
        anticipation=choices.anticipation or 0,
        base_period=choices.base_period or "varying",
        unbalanced=choices.unbalanced or "pairs",
    )


def placed_staggered(
    project: Project, plan: StaggeredPlan, outcome: str, intake: ProjectData
) -> PlacedStatistic | Unavailable:
    """Return the overall effect on an outcome as what can be placed beside others; or why it is not placed."""
    found = next(one for one in plan.outcomes.values() if one.code == outcome)
    if found.sets is None:
        return Unavailable("Errors by cluster judge this analysis, and no sets that differences could be of.")
    work = _work(project, plan, intake, found, SERIAL)
    statistic = _statistic(work, work.choices.estimator)
    is_fast = statistic.is_from_sums and statistic.matching is None
    return PlacedStatistic(
        pool=work.pool(),
        statistic=statistic,
        rule=found.sets.rule,
        n_sets=None if is_fast else FEWER_SETS if statistic.is_from_sums else N_RERUNS,
        chunk=FAST_CHUNK if is_fast else SLOW_CHUNK,
    )


def _work(
    project: Project, plan: StaggeredPlan, intake: ProjectData, outcome: StaggeredOutcome, executor: Executor
) -> OutcomeWork:
    """Return an outcome's design, made of all its years, and what its numbers are made with."""
    values = values_of(intake.records[outcome.stage], outcome.code)
    years, _ = panel_years(project, outcome, values)
    try:
        whole = staggered_design(outcome.panel(values[list(years)]), design_options(plan.choices))
        design = whole if outcome.match is None else matched_design(outcome, whole, values[list(years)])
    except DesignError as problem:
        raise DesignError(f"{plan.labels[outcome.code]}: {problem}") from None
    return OutcomeWork(
        project=project, choices=plan.choices, outcome=outcome, design=design, whole=whole, executor=executor
    )


def _outcome(
    project: Project, plan: StaggeredPlan, intake: ProjectData, outcome: StaggeredOutcome, executor: Executor
) -> StaggeredOutcomeResults:
    values = values_of(intake.records[outcome.stage], outcome.code)
    other_years = panel_years(project, outcome, values)[1]
    work = _work(project, plan, intake, outcome, executor)
    declared = next(one for one in project.outcomes if one.code == outcome.code)
    made = _with_sets(work) if outcome.sets is not None else _with_clusters(work)
    return replace(
        made,
        label=plan.labels[outcome.code],
        unit=measure_of(project, outcome.code).unit,
        role=declared.role,
        left_out=(*outcome.left_out, *_units(made.results.dropped)),
        years_left_out=other_years,
        without=tuple(
            replace(one, left_out=plan.name_of(one.left_out, intake.records[outcome.stage].schools))
            for one in _without(work)
        ),
        spreads=_spreads(project, intake, outcome, values),
        bounds=_bounds(work),
    )


def matched_design(outcome: StaggeredOutcome, whole: StaggeredDesign, values: pd.DataFrame) -> StaggeredDesign:
    """Return the design of those that were matched, weighed by the matching; pairs without results are left out."""
    assert outcome.match is not None
    assert outcome.match.design is not None
    ids = outcome.match.design.baseline.units.index
    matched = without_units(outcome.match.design, np.asarray(~ids.isin(whole.panel.units)))
    return staggered_design(outcome.panel(values, pd.Series(matched.weights, ids)), whole.options)


def _units(dropped: Sequence[LeftOut]) -> Iterator[LeftOut]:
    """Yield what a design left out, counted by unit as the plan's own losses are."""
    for one in dropped:
        yield replace(one, n_rows=len(one.units))


def panel_years(
    project: Project, outcome: StaggeredOutcome, values: pd.DataFrame
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the years with results that may be compared with each other, and those that may not."""
    breaks = measure_of(project, outcome.code).breaks
    every = tuple(int(year) for year in values.columns if values[year].notna().any())
    kept = usable_years(every, breaks, int(outcome.cohort.min()))
    return kept, tuple(year for year in every if year not in kept)


def _with_clusters(work: OutcomeWork) -> StaggeredOutcomeResults:
    """Return the results with errors by cluster, as `evalkit did` makes them."""
    effects = work.effects()
    results = _estimated(work, effects)
    advice = recommendation(effects)
    options = InferenceOptions(level=work.uncertainty.level, seed=work.uncertainty.seed)
    inference = overall_inference(effects, advice, options)
    by_cell = _quoted_first(work, effects)
    checks = cross_checks(by_cell, replace(work.uncertainty, n_draws=0))
    seen: PreTrendPower | Unavailable = MATCHED_ON_OUTCOME
    if work.outcome.match is None or not is_matched_on_outcome(work.outcome.match):
        seen = staggered_pre_trends(by_cell, work.uncertainty.level, work.uncertainty.seed)
    if work.choices.estimator == "twfe":
        results, advice, inference = _two_way(work, results)
    return replace(_made(work, results, checks, inference, advice), pre_trends=seen)


def _bounds(work: OutcomeWork) -> ViolationBounds | Unavailable:
    """Return the mean effect under violations of parallel trends; effects are made anew where their base varies."""
    if work.outcome.sets is not None:
        return NOT_BOUNDED
    universal = replace(work, design=with_universal_base(work.design))
    return event_study_bounds(universal.effects(), level=work.uncertainty.level, seed=work.uncertainty.seed)


def _estimated(work: OutcomeWork, effects: GroupTimeEffects) -> StaggeredResults:
    """Return every number of the quoted estimator with errors by cluster."""
    if work.choices.draw == "clusters":
        from evalkit.estimate.cluster_bootstrap import cluster_bootstrap

        estimator = partial(effects_of, estimator=work.choices.estimator, method=work.method)
        return cluster_bootstrap(work.design, estimator, work.uncertainty)
    results = staggered_results(effects, work.uncertainty, work.choices.balanced_until)
    if work.choices.estimator != "imputation":
        return results
    from evalkit.estimate.staggered.imputation_leads import with_leads

    return with_leads(results, effects.design)


def _quoted_first(work: OutcomeWork, effects: GroupTimeEffects) -> GroupTimeEffects:
    """Return the group-time effects, which the six estimators' table starts from."""
    if work.choices.estimator in ("group-time", "twfe"):
        return effects
    return effects_of(work.design, "group-time", work.method)


def _two_way(work: OutcomeWork, results: StaggeredResults) -> tuple[StaggeredResults, Recommendation, Inference]:
    """Return results whose overall effect is that of one regression with unit and period effects."""
    from evalkit.estimate.two_way.two_way import two_way_effect

    options = InferenceOptions(level=work.uncertainty.level, seed=work.uncertainty.seed)
    found = two_way_effect(work.design.panel, options)
    simple = replace(
        results.simple,
        estimate=found.estimate.value,
        std_error=found.inference.std_error,
        interval=found.inference.interval,
        p_value=found.inference.p_value,
        method=found.inference.method,
        df=found.inference.df,
        n_ranked=found.inference.n_ranked,
        note=found.meaning,
    )
    return replace(results, simple=simple), found.recommendation, found.inference


def _made(
    work: OutcomeWork, results: StaggeredResults, checks: CrossChecks, inference: Inference, advice: Recommendation
) -> StaggeredOutcomeResults:
    areas = work.outcome.area.reindex(work.design.panel.units[work.design.stratum < len(work.design.cohorts)])
    return StaggeredOutcomeResults(
        code=work.outcome.code,
        label=work.outcome.code,
        unit="",
        role="",
        results=results,
        quoted=results,
        by_clusters=None,
        overall=None,
        beside=(),
        checks=checks,
        inference=inference,
        recommended=advice,
        periods=work.design.observations.periods,
        cohorts=work.design.cohorts,
        n_treated_areas=len(np.unique(areas)),
        left_out=(),
        years_left_out=(),
        without=(),
        power=Unavailable("The power of the test before the start is told where sets judge."),
        pre_trends=Unavailable("No test before the start was looked at."),
        spreads=_NO_SPREADS,
        is_whole=not len(work.outcome.others),
    )


_NO_SPREADS: Final = Spreads(
    unconditional=Spread.unavailable("None was looked for."),
    conditional=Spread.unavailable("None was looked for."),
    school_sd=Unavailable("None was looked for."),
)


def _spreads(project: Project, intake: ProjectData, outcome: StaggeredOutcome, values: pd.DataFrame) -> Spreads:
    """Return the standard deviations by which effects are divided: of pupils, given prior attainment, of units."""
    before = [year for year in values.columns if int(year) < int(outcome.cohort.min())]
    scores = values.reindex(outcome.pool)[max(before)].dropna() if before else pd.Series(dtype=float)
    unknown = Unavailable("Fewer than two units outside the programme have a result in the last year before it.")
    return spreads_of(project, intake, outcome.code, float(scores.std(ddof=1)) if len(scores) > 1 else unknown)


# Where sets judge.


def _with_sets(work: OutcomeWork) -> StaggeredOutcomeResults:
    """Return the results with every number judged by sets, those by cluster beside them."""
    clustered = _with_clusters(work)
    assert work.outcome.sets is not None
    pool, level = work.pool(), work.uncertainty.level
    leading = work.outcome.sets.rule
    others: tuple[SetRule, SetRule] = ("like", "simple")
    rules: list[SetRule] = [leading, *(rule for rule in others if rule != leading)]
    statistic = _statistic(work, work.choices.estimator)
    by_rule: dict[SetRule, NumbersBySets] = {}
    has_one = work.outcome.sets.is_whole or not statistic.is_from_sums or statistic.matching is not None
    # sets like the list need the level before of every listed unit: one observed only later has none
    is_known = pool.level is not None and bool(np.isfinite(pool.level[pool.is_listed]).all())
    for rule in rules if is_known and not has_one else rules[:1]:
        options = SetOptions(rule=rule, seed=work.project.seed, level=level, draws_more=rule == rules[0])
        found = staggered_sets(statistic, pool, options, work.executor)
        by_rule[rule] = NumbersBySets(statistics=found, numbers=statistic.numbers, level=level)
    by_sets = by_rule[rules[0]]
    anticipation = work.choices.anticipation or 0
    power: TrendPower | Unavailable = Unavailable("With covariates every set is a rerun; no power was reckoned.")
    seen: PreTrendPower | Unavailable = Unavailable("With covariates every set is a rerun; no power was reckoned.")
    if statistic.is_from_sums:
        rise = statistic.of_trend(by_sets.statistics.draws.listed)[0, : len(statistic.numbers)]
        power = trend_power(by_sets, rise, -anticipation)
        seen = sets_pre_trends(by_sets, rise, -anticipation)
    if clustered.pre_trends == MATCHED_ON_OUTCOME:
        seen = MATCHED_ON_OUTCOME
    judged = results_by_sets(clustered.results, by_sets, anticipation)
    return replace(
        clustered,
        results=judged,
        quoted=less_expected(judged, by_sets),
        by_clusters=clustered.results,
        overall=by_sets.overall,
        beside=tuple((rule, found.overall) for rule, found in by_rule.items() if rule != rules[0]),
        checks=_checks_by_sets(work, clustered.checks, pool, by_sets),
        inference=inference_by_sets(by_sets.overall, level),
        recommended=Recommendation(OVER_SETS, clustered.recommended.reason),
        power=power,
        pre_trends=seen,
    )


def _statistic(work: OutcomeWork, estimator: Estimator) -> StaggeredStatistic:
    """Return the quoted estimator's numbers as a function of who is treated; after a matching the others' beside."""
    own = staggered_statistic(work.design, _area_of(work), estimator, work.method, work.choices.balanced_until)
    matching = work.matching()
    others = tuple(name for name in get_args(Estimator) if name != estimator)
    return replace(
        own, design=work.whole, area=work.area, matching=matching, beside=others if matching is not None else ()
    )


def _area_of(work: OutcomeWork) -> Ints:
    return work.outcome.area.reindex(work.design.panel.units).to_numpy(dtype=np.int64)


def _checks_by_sets(work: OutcomeWork, checks: CrossChecks, pool: SetPool, quoted: NumbersBySets) -> CrossChecks:
    """Return the six estimators' table with intervals by sets; every estimator is rerun for each set."""
    others = [name for name in get_args(Estimator) if name != work.choices.estimator]
    rows = []
    for row in checks.rows:
        if row.estimator == work.choices.estimator:
            found: SetsInference | None = quoted.overall
        elif work.outcome.match is not None:  # the matching was made once for all of them
            at = len(quoted.numbers) + others.index(row.estimator)
            found = quoted.statistics.inference(at, work.uncertainty.level)
        else:
            found = _overall_by_sets(work, row, pool)
        rows.append(_check(row, found))
    return CrossChecks(level=checks.level, rows=tuple(rows), assumes=ASSUMES)


def _check(row: CrossCheck, found: SetsInference | None) -> CrossCheck:
    if isinstance(row.estimate, Unavailable):
        return row
    if found is None:
        return replace(row, std_error=NOT_RERUN, interval=NOT_RERUN)
    known = row.estimate if isinstance(found.adjusted, Unavailable) or found.rule == "simple" else found.adjusted
    return replace(row, estimate=known, std_error=Unavailable(NO_STD_ERROR), interval=found.interval)


def _overall_by_sets(work: OutcomeWork, row: CrossCheck, pool: SetPool) -> SetsInference | None:
    """Return what sets say of another estimator's overall effect; None where each would be a rerun."""
    assert work.outcome.sets is not None
    design = work.design if row.estimator == "group-time" else open_design(work.design)
    statistic = StaggeredStatistic(
        design=design, area=work.area, estimator=cast(Estimator, row.estimator), numbers=(OVERALL,)
    )
    if not statistic.is_from_sums or isinstance(row.estimate, Unavailable):
        return None
    options = SetOptions(
        rule=work.outcome.sets.rule, seed=work.project.seed, level=work.uncertainty.level, draws_more=False
    )
    return staggered_sets(statistic, pool, options, work.executor).inference(0, work.uncertainty.level)


# Without one of those treated.


def _without(work: OutcomeWork) -> Iterator[WithoutOne]:
    """Yield the overall effect without each group of participants, each area where there are several, or each unit."""
    units = work.whole.panel.units
    treated = np.flatnonzero(work.is_treated)
    parts = _parts(work, units[treated])
    statistic = StaggeredStatistic(
        design=work.whole,
        area=work.area,
        estimator=work.choices.estimator,
        method=work.method,
        matching=work.matching(),
    )
    if not parts:
        return
    start = np.asarray(work.whole.cohorts, dtype=float)[work.whole.stratum[treated]]
    members = np.array([np.where(units[treated].isin(part), -1, treated) for _, part in parts])
    areas = np.tile(np.unique(work.area[treated]), (len(parts), 1))
    sets = Sets(members=members, place=np.zeros(len(treated), dtype=np.int64), areas=areas, start=start)
    for (name, _), value in zip(parts, statistic(sets)[:, 0].tolist(), strict=True):
        none = Unavailable(f"Without {name} there is no effect to estimate.")
        yield WithoutOne(left_out=name, estimate=value if np.isfinite(value) else none)


_MOST_PARTS: Final = 40
"""Leaving out one at a time is told of so many parts at most; of more none weighs much."""


def _parts(work: OutcomeWork, treated: pd.Index) -> list[tuple[str, pd.Index]]:
    """Return the parts of the treated left out in turn: clusters or areas where there are several, or units."""
    by = work.outcome.cluster.reindex(treated)
    if by.nunique() < 2:
        by = pd.Series(treated.astype(str), treated)
    if by.nunique() < 2 or by.nunique() > _MOST_PARTS:
        return []
    return [(str(name), part.index) for name, part in by.groupby(by, sort=True)]
