"""The results of a matched comparison: estimates and their inference, balance, sensitivity, what could be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats
from evalkit.core.draws import SERIAL, Executor
from evalkit.core.errors import DesignError
from evalkit.core.formats import mean_of, visible
from evalkit.core.project import Project
from evalkit.core.quantities import Estimand, IntervalOrReason, Quantity, Unavailable
from evalkit.core.sentence import Sentence
from evalkit.core.shown import Shown
from evalkit.data.measures import measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.design.clusters import CR2, ClusterCounts
from evalkit.design.kinds.matched import MatchedPlan, OutcomeMatch, stand_ins
from evalkit.design.matching.matched import MatchedDesign, without_units
from evalkit.design.matching.options import AfterName, FullMatching, ProfileMatching
from evalkit.design.matching.rerun import MatchingRerun
from evalkit.design.project.inference import SETS, WHOLE_SETS
from evalkit.diagnose.finding import Finding, FindingKind, Verdict, not_assessable
from evalkit.diagnose.kinds.matched_conversions import matched_conversions
from evalkit.diagnose.kinds.matched_violations import MatchedViolations, steps_of, violations_of
from evalkit.diagnose.matched.balance import MatchBalance, match_balance
from evalkit.diagnose.matched.findings import match_findings
from evalkit.diagnose.matched.regression_to_mean import NAME as REGRESSION_TO_MEAN
from evalkit.diagnose.matched.regression_to_mean import regression_to_mean
from evalkit.diagnose.matched.sensitivity import MatchSensitivity, SensitivityOptions, match_sensitivity
from evalkit.diagnose.missing.sample import Judged
from evalkit.estimate.areas.effect_records import sets_detail
from evalkit.estimate.areas.set_draws import FEWER_SETS, SetOptions, SetPool
from evalkit.estimate.areas.sets import SLOW_CHUNK, SetsInference, SetStatistics, set_statistics
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.estimate.effect import Effect, EffectSize
from evalkit.estimate.matched.after_matching import AFTER_NAMES, AfterMatching, adjustment_columns, after_matching
from evalkit.estimate.matched.matched_effect import MatchedEffect, is_weighting
from evalkit.estimate.matched.set_statistic import COLUMN, MatchedStatistic, said_by_name
from evalkit.estimate.matched.task import EffectOptions, Errors
from evalkit.estimate.published_spread import effect_size, spreads_of

BY_UNIT: Final = "errors by matched set or school"
_FEWER: Final = {FullMatching: 500, ProfileMatching: 200}
"""Sets drawn where a matching takes long."""
_SHARE_BESIDE: Final = 4


# The plan as a reader may see it, before outcomes.


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MatchedStage(Shown):
    """The plan of a matched comparison with how alike the groups are, by outcome; None where none was made."""

    plan: MatchedPlan
    balance: tuple[MatchBalance | None, ...]


def matched_stage(plan: MatchedPlan) -> MatchedStage:
    """Return a plan with the balance of every matching."""
    return MatchedStage(plan, tuple(None if one.design is None else match_balance(one.design) for one in plan.outcomes))


# What was found.


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MatchedOutcome:
    """What a matched comparison found of one outcome.

    Attributes
    ----------
    plan : who was matched with whom
    design : the same, of the schools that have an outcome afterwards
    balance : how alike these are
    estimates : change, analysis of covariance, difference
    sets : what sets drawn in other areas say of each of the three; None where they are not used
    violations : how far trends may part, and which would have been seen before, by the same sets
    sensitivity : how much that was not measured the estimate withstands
    n_lost : matched schools, treated and comparison, without an outcome afterwards
    effects, findings : as they stand among those of the analysis
    """

    plan: OutcomeMatch
    design: MatchedDesign
    balance: MatchBalance
    estimates: AfterMatching
    sets: dict[AfterName, SetsInference] | None
    violations: MatchedViolations
    sensitivity: MatchSensitivity | Unavailable
    n_lost: tuple[int, int]
    effects: tuple[Effect, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class MatchedResults(Shown):
    """What a matched comparison found, by outcome; `not_estimated` says why an outcome has no estimate."""

    project: Project
    plan: MatchedPlan
    outcomes: tuple[MatchedOutcome, ...]
    not_estimated: tuple[Effect, ...]
    recommended: str
    reason: str

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Return every effect."""
        return (*(effect for one in self.outcomes for effect in one.effects), *self.not_estimated)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what could be wrong, of the first outcome that was estimated."""
        return self.outcomes[0].findings if self.outcomes else ()


def estimate_matched(plan: MatchedPlan, intake: ProjectData, executor: Executor = SERIAL) -> MatchedResults:
    """Estimate every outcome of a plan; `intake` holds all the years that the project names."""
    outcomes, none = [], []
    for one in _primary_first(plan):
        found = _outcome(plan, one, intake, executor)
        if isinstance(found, Effect):
            none.append(found)
        else:
            outcomes.append(found)
    recommended, reason = inference_of(plan.outcomes[0] if not outcomes else outcomes[0].plan)
    return MatchedResults(
        project=plan.project,
        plan=plan,
        outcomes=tuple(outcomes),
        not_estimated=tuple(none),
        recommended=recommended,
        reason=reason,
    )


def _primary_first(plan: MatchedPlan) -> list[OutcomeMatch]:
    first = plan.project.primary.code
    return sorted(plan.outcomes, key=lambda one: one.outcome != first)


def inference_of(found: OutcomeMatch) -> tuple[str, str]:
    """Return the inference by which an outcome is quoted, and why it is that one."""
    if found.design is None:
        return "none", f"Not estimated: {found.too_few}."
    if found.sets is None:
        return BY_UNIT, "The treated lie in no known areas, so that they count as independent of each other."
    n_areas = len(found.sets.treated)
    if not found.is_by_sets:
        return CR2, f"The treated lie in {n_areas} areas, clusters enough for errors by area."
    what = "whole areas" if found.sets.is_whole else "sets of as many schools"
    where = "one area" if n_areas == 1 else f"{n_areas} areas"
    return WHOLE_SETS if found.sets.is_whole else SETS, (
        f"The treated lie in {where}, whose own shocks no error within them can tell from the programme: {what} of "
        "other areas are matched in the same way and stand beside them."
    )


def _outcome(
    plan: MatchedPlan, found: OutcomeMatch, intake: ProjectData, executor: Executor
) -> MatchedOutcome | Effect:
    project, values = plan.project, _values(plan, found, intake)
    if found.design is None:
        return _no_effect(project, found, found.too_few)
    units = found.design.baseline.units.index
    after = values.after.reindex(units)
    try:
        design = without_units(found.design, after.isna().to_numpy())
    except DesignError as problem:
        return _no_effect(project, found, str(problem))
    before = values.before.reindex(units)
    estimates = after_matching(design, before, after, plan.options.estimate, _options(project, found, design))
    statistics = _drawn(plan, found, values, executor, beside=steps_of(found, values.before, values.after))
    made = MatchedOutcome(
        plan=found,
        design=design,
        balance=match_balance(design),
        estimates=estimates,
        sets=None if statistics is None else said_by_name(statistics, project.inference.level),
        violations=violations_of(plan, found, statistics),
        sensitivity=_sensitivity(design, before, after, estimates, project),
        n_lost=(found.design.n_treated - design.n_treated, found.design.n_comparison - design.n_comparison),
    )
    stage = measure_of(project, found.outcome).key_stage
    converted = matched_conversions(intake.records, stage, project.exposure, design, estimates, (before, after))
    made = replace(made, findings=tuple(map(_of_schools, (*_findings(made, before, after), converted))))
    sizes = _Sizes(project, intake, found, _school_sd(values, found))
    return replace(made, effects=tuple(_effects(project, made, sizes)))


# The outcome, before and after, of every school of a plan.


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """The outcome in each year before and on average after, by school; missing where not published."""

    before: pd.DataFrame
    after: pd.Series


def _values(plan: MatchedPlan, found: OutcomeMatch, intake: ProjectData) -> _Values:
    records = intake.records[measure_of(plan.project, found.outcome).key_stage]
    return _values_of(plan, found, records.values[found.outcome])


def _values_of(plan: MatchedPlan, found: OutcomeMatch, wide: pd.DataFrame) -> _Values:
    values = wide.reindex(found.everyone.units.index)
    post = [year for year in plan.project.exposure.post if year in values]
    after = values[post].mean(axis=1, skipna=False) if post else pd.Series(np.nan, values.index)
    return _Values(values[list(found.pre)].astype(float), after.astype(float))


def _options(project: Project, found: OutcomeMatch, design: MatchedDesign) -> EffectOptions:
    """Return how errors are made: by area where areas are known, else as suits the design."""
    level, seed = project.inference.level, project.seed
    area = found.area.reindex(design.baseline.units.index)
    if area[design.is_used].isna().any():
        return EffectOptions(level=level, seed=seed)
    # pairs are no clusters where the treated share an area: the area is, and CR2 as clusters may be few
    errors: Errors = "default" if is_weighting(design) else "CR2"
    return EffectOptions(level=level, seed=seed, cluster=area.astype(object), errors=errors)


# What sets drawn in other areas say.


def _sets(
    plan: MatchedPlan, found: OutcomeMatch, values: _Values, executor: Executor, n_sets: int | None = None
) -> dict[AfterName, SetsInference] | None:
    statistics = _drawn(plan, found, values, executor, n_sets)
    return None if statistics is None else said_by_name(statistics, plan.project.inference.level)


def _drawn(
    plan: MatchedPlan,
    found: OutcomeMatch,
    values: _Values,
    executor: Executor,
    n_sets: int | None = None,
    *,
    beside: Floats | None = None,
) -> SetStatistics | None:
    """Return the estimates of every set, and the differences `beside` them; None where sets do not judge."""
    if not found.is_by_sets or plan.options.estimand != "ATT":
        return None
    assert found.sets is not None
    options = SetOptions(
        rule=found.sets.rule,
        n_sets=n_sets or _FEWER.get(type(found.option), FEWER_SETS),
        seed=plan.project.seed,
        level=plan.project.inference.level,
        draws_more=False,
    )
    statistic = replace(matched_statistic(plan, found, values), beside=beside)
    return set_statistics(statistic, _pool(plan, found, values), options, executor, SLOW_CHUNK)


def placed_matched(plan: MatchedPlan, outcome: str, intake: ProjectData) -> PlacedStatistic | Unavailable:
    """Return the estimate asked for of an outcome as what can be placed beside others; or why it is not placed."""
    found = next(one for one in plan.outcomes if one.outcome == outcome)
    if found.design is None:
        return Unavailable(f"Not estimated: {found.too_few}.")
    if not found.is_by_sets or found.sets is None or plan.options.estimand != "ATT":
        return Unavailable("Errors by area or by school judge this analysis, and no sets that differences could be of.")
    values = _values(plan, found, intake)
    asked = plan.options.estimate or ("change" if found.pre else "difference")
    return PlacedStatistic(
        pool=_pool(plan, found, values),
        statistic=matched_statistic(plan, found, values),
        column=COLUMN[asked],
        rule=found.sets.rule,
        n_sets=_FEWER.get(type(found.option), FEWER_SETS),
        chunk=SLOW_CHUNK,
    )


def sets_beside(found: OutcomeMatch) -> int:
    """Return the sets for which a matching is made again beside the answer, a quarter of those for it."""
    return _FEWER.get(type(found.option), FEWER_SETS) // _SHARE_BESIDE


def judged_values(
    plan: MatchedPlan, found: OutcomeMatch, wide: pd.DataFrame, executor: Executor, is_number_alone: bool = False
) -> Judged:
    """Return the effect asked for on any outcomes by school and year, by the inference that leads.

    Where sets judge there are `sets_beside` of them; with `is_number_alone` none are drawn and nothing is inferred.
    """
    assert found.design is not None
    values = _values_of(plan, found, wide)
    units = found.design.baseline.units.index
    after, before = values.after.reindex(units), values.before.reindex(units)
    try:
        design = without_units(found.design, after.isna().to_numpy())
    except DesignError as problem:
        return Judged.none(str(problem))
    made = after_matching(design, before, after, plan.options.estimate, _options(plan.project, found, design))
    if isinstance(made.main, Unavailable):
        return Judged.none(made.main.reason)
    estimate = made.main.estimate
    own = Judged(
        estimate=float(estimate.value),
        interval=made.main.interval,
        p_value=estimate.p_value,
        std_error=estimate.std_error,
        df=estimate.df,
        n_treated=made.main.n_treated,
        n_comparison=made.main.n_comparison,
    )
    if not found.is_by_sets or plan.options.estimand != "ATT":
        return own
    unranked = replace(own, std_error=Unavailable("Sets are ranked, without an error."), df=None)
    sets = None if is_number_alone else _sets(plan, found, values, executor, sets_beside(found))
    if sets is None:
        return unranked
    placed = sets[made.asked]
    centred = placed.adjusted if placed.rule != "simple" else own.estimate
    return replace(unranked, estimate=centred, interval=placed.interval, p_value=placed.p_value)


def set_pool(plan: MatchedPlan, found: OutcomeMatch, wide: pd.DataFrame) -> tuple[MatchedStatistic, SetPool]:
    """Return what finds the estimates of any set on outcomes by school and year, and who may be in a set."""
    values = _values_of(plan, found, wide)
    return matched_statistic(plan, found, values), _pool(plan, found, values)


def power_sets(
    plan: MatchedPlan, found: OutcomeMatch, intake: ProjectData, executor: Executor
) -> tuple[Quantity, float | None]:
    """Return how far the estimate asked for moves by chance, the last year before standing in for those after.

    The spread over sets, or the standard error with areas as clusters and its degrees of freedom.
    """
    assert found.design is not None
    known = _values(plan, found, intake).before
    earlier, last = sorted(found.pre)[:-1], max(found.pre)
    units = found.design.baseline.units.index
    after = known[last].reindex(units)
    shifted = replace(found, pre=tuple(earlier))
    sets = _sets(plan, shifted, _Values(known[earlier], known[last]), executor)
    asked = plan.options.estimate or "change"
    if sets is not None:
        return sets[asked].spread, None
    design = without_units(found.design, after.isna().to_numpy())
    options = _options(plan.project, found, design)
    made = after_matching(design, known[earlier].reindex(units), after, plan.options.estimate, options).main
    if isinstance(made, Unavailable):
        return made, None
    return made.estimate.std_error, made.estimate.df


def matched_statistic(plan: MatchedPlan, found: OutcomeMatch, values: Any) -> MatchedStatistic:
    """Return what finds the three estimates of any set of a plan's schools; `values` are before and after by school."""
    before = values.before.to_numpy(dtype=float)
    assert found.design is not None
    return MatchedStatistic(
        rerun=MatchingRerun.of(found.everyone, found.option),
        area=_codes(found.area),
        never=np.array(plan.never, dtype=np.int64),
        before=before,
        after=values.after.to_numpy(dtype=float),
        columns=adjustment_columns_of_all(found, before),
        neighbours=None
        if plan.neighbours is None
        else {int(code): np.array(plan.neighbours.of(int(code))) for code in found.area.dropna().unique()},
    )


def adjustment_columns_of_all(found: OutcomeMatch, before: Floats) -> Floats:
    """Return what the analysis of covariance adjusts for, of every school of a plan."""
    n = len(found.everyone.units)
    everyone = MatchedDesign(
        baseline=found.everyone,
        option=found.option,
        target="ATT",
        weights=np.ones(n),
        discarded=np.zeros(n, dtype=bool),
    )
    return adjustment_columns(everyone, before)[0]


def _codes(area: pd.Series) -> Any:
    return area.fillna(-1).to_numpy(dtype=np.int64)


def _pool(plan: MatchedPlan, found: OutcomeMatch, values: _Values) -> SetPool:
    """Return who was listed and who could have been: schools with an outcome afterwards, others out of every set."""
    assert found.sets is not None
    is_listed = found.everyone.is_treated
    level = values.before.mean(axis=1, skipna=False).to_numpy(dtype=float) if found.pre else None
    return SetPool(
        ids=[str(unit) for unit in found.everyone.units.index],
        area=_codes(found.area),
        is_listed=is_listed,
        stand_ins=stand_ins(plan, found.area),
        level=level,
        is_whole=found.sets.is_whole,
        picked=found.sets.picked_among(found.everyone.units.index),
    )


# What could be wrong.


def _sensitivity(
    design: MatchedDesign, before: pd.DataFrame, after: pd.Series, estimates: AfterMatching, project: Project
) -> MatchSensitivity | Unavailable:
    """Return what the estimate asked for withstands of what was not measured."""
    effect = estimates.main
    if isinstance(effect, Unavailable):
        return effect
    outcome = after - before.mean(axis=1) if estimates.asked == "change" else after
    try:
        return match_sensitivity(design, outcome, effect, SensitivityOptions(level=project.inference.level))
    except DesignError as problem:
        return Unavailable(str(problem))


def _findings(made: MatchedOutcome, before: pd.DataFrame, after: pd.Series) -> Iterator[Finding]:
    yield from match_findings(made.design, made.balance)
    if before.columns.empty:
        yield not_assessable(REGRESSION_TO_MEAN, "The outcome was not observed before the programme.")
    else:
        yield regression_to_mean(made.design, before.to_numpy(dtype=float), after.to_numpy(dtype=float))
    yield _bracket_finding(made)
    if not isinstance(made.sensitivity, Unavailable):
        yield from made.sensitivity.findings


def _of_schools(finding: Finding) -> Finding:
    """Return a finding whose units are the schools or areas of a project, which no page withholds the number of."""
    if not isinstance(finding.sentence, Sentence):
        return finding
    return replace(finding, sentence=finding.sentence.counting("schools"))


def _bracket_finding(made: MatchedOutcome) -> Finding:
    """Say between which two estimates the effect lies where the treated were chosen on low scores."""
    bracket, unit = made.estimates.bracket, made.plan.unit
    if isinstance(bracket, Unavailable):
        return not_assessable("bracket", bracket.reason)
    return Finding(
        "bracket",
        Verdict.NO_VERDICT,
        bracket.upper - bracket.lower,
        f"Between {visible(bracket.lower)} and {visible(bracket.upper)} {unit}: change needs that the treated would "
        "have moved as their comparison schools did, analysis of covariance that nothing but what was known before "
        "tells them apart. Where schools were chosen for low scores, the effect lies between the two (Ding and Li, "
        "2019).",
        FindingKind.STATEMENT,
    )


# Effects as records.

_ESTIMATES: Final[dict[AfterName, str]] = {
    "change": "Matched: difference in change",
    "ancova": "Matched: analysis of covariance",
    "difference": "Matched: difference afterwards",
}


def estimate_label(name: AfterName) -> str:
    """Return the words for an estimate after matching."""
    return _ESTIMATES[name]


@dataclass(frozen=True, slots=True, eq=False)
class _Sizes:
    """What effects on one outcome are standardised by."""

    project: Project
    intake: ProjectData
    found: OutcomeMatch
    school_sd: Quantity

    def of(self, estimate: Quantity, interval: IntervalOrReason) -> EffectSize | None:
        """Return an effect in standard deviations, None where there is no effect."""
        if not isinstance(estimate, float):
            return None
        spreads = spreads_of(self.project, self.intake, self.found.outcome, self.school_sd)
        return effect_size(estimate, interval, spreads)


def _school_sd(values: _Values, found: OutcomeMatch) -> Quantity:
    """Return the SD of school scores in the last year before, over the schools that were not treated."""
    if not found.pre:
        return Unavailable("The outcome was not observed before the programme, so no spread of schools is known.")
    scores = values.before[max(found.pre)][~found.everyone.is_treated].dropna()
    if len(scores) < 2:
        return Unavailable("Fewer than two untreated schools have a score in the last year before the programme.")
    return float(scores.std(ddof=1))


def _effects(project: Project, made: MatchedOutcome, sizes: _Sizes) -> Iterator[Effect]:
    """Yield the effect asked for by its recommended inference first, then the others and the cross-checks."""
    asked = made.estimates.asked
    for name in sorted(AFTER_NAMES, key=lambda one: one != asked):
        found = made.estimates.of(name)
        if isinstance(found, Unavailable):
            continue
        own = _with_errors(project, made, name, found)
        leading = own if made.sets is None else _by_sets(own, made.sets[name])
        size = sizes.of(leading.estimate, leading.interval) if name == asked else None
        yield replace(leading, is_main=name == asked, effect_size=size)
        if made.sets is not None and not isinstance(own.std_error, Unavailable):
            yield own


def _with_errors(project: Project, made: MatchedOutcome, name: AfterName, found: MatchedEffect) -> Effect:
    """Return an estimate with its clustered errors, or those by unit where no areas are known."""
    role = next(one.role for one in project.outcomes if one.code == made.plan.outcome)
    sets = made.plan.sets
    return Effect(
        outcome=made.plan.outcome,
        role=role,
        design=f"matched_{name}",
        estimand=_estimand(made.design.estimand, sets is not None and sets.is_whole),
        period="post",
        estimate=float(found.estimate.value),
        std_error=found.estimate.std_error,
        interval=found.interval,
        p_value=found.estimate.p_value,
        p_value_one_sided=Unavailable("One-sided p-values are given for ranks alone."),
        inference="units" if sets is None else "cluster",
        cluster_level="school" if sets is None else "local_authority",
        n_treated=found.n_treated,
        n_comparison=found.n_comparison,
        n_treated_clusters=0 if sets is None else len(sets.treated),
        method=f"{estimate_label(name)} ({_years(project, made.plan)}). {found.inference}.",
    )


def _estimand(found: Estimand, is_whole: bool) -> Estimand:
    """Return the estimand of a design; of whole areas it is that of all their schools."""
    of_areas = {Estimand.ATT: Estimand.AREA_ITT, Estimand.ATT_AMONG_MATCHED: Estimand.AREA_ITT_AMONG_MATCHED}
    return of_areas.get(found, found) if is_whole else found


def _years(project: Project, found: OutcomeMatch) -> str:
    before = f", before: {mean_of(found.pre)}" if found.pre else ""
    return f"after: {mean_of(project.exposure.post)}{before}"


def _by_sets(own: Effect, found: SetsInference) -> Effect:
    """Return an estimate as sets judge it: less what sets like the list gain without a programme, where that is so."""
    centred = found.adjusted if found.rule != "simple" else own.estimate
    unadjusted = own.estimate if isinstance(own.estimate, float) else found.estimate
    return replace(
        own,
        estimate=centred,
        std_error=Unavailable("The estimate is placed among sets of other areas, which gives no standard error."),
        interval=found.interval,
        p_value=found.p_value,
        p_value_one_sided=found.p_value_one_sided,
        inference="sets",
        sets=replace(sets_detail(found), unadjusted=unadjusted),
        method=f"{_made(own)} {found.n_sets:,} sets of other areas, the matching made again for each.",
    )


def _made(own: Effect) -> str:
    """Return how an estimate was made, without its errors."""
    return f"{own.method.split('). ')[0]})."


def _no_effect(project: Project, found: OutcomeMatch, reason: str) -> Effect:
    """Return the record of an outcome that is not estimated, with the reason."""
    none = Unavailable(f"Not estimated: {reason.rstrip('.')}.")
    counts = ClusterCounts(0, 0) if found.sets is None else ClusterCounts(len(found.sets.treated), 0)
    return Effect(
        outcome=found.outcome,
        role=next(one.role for one in project.outcomes if one.code == found.outcome),
        design="matched_change" if found.pre else "matched_difference",
        estimand=Estimand.ATT,
        period="post",
        estimate=none,
        std_error=none,
        interval=none,
        p_value=none,
        p_value_one_sided=none,
        inference="sets",
        cluster_level="local_authority",
        n_treated=int(found.everyone.is_treated.sum()),
        n_comparison=0,
        n_treated_clusters=counts.n_treated,
        method="Matched comparison.",
        is_main=True,
    )
