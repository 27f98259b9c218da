"""Every effect of one outcome, or why there is none: the main one, those beside it, the years and their band."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL, SERIAL, Executor
from evalkit.core.project import AIMED_AT, Project
from evalkit.core.quantities import Estimand, Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.data.measures import measure_of
from evalkit.data.panel import Panel
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords
from evalkit.design.project import labels
from evalkit.design.project.areas import TREATED_GROUP, AreaComparisons, without_areas
from evalkit.design.project.group_matching import GroupMatches
from evalkit.design.project.plan import OutcomeDesign
from evalkit.design.project.set_rule import MOST_AREAS, SetDesign, SetRule
from evalkit.estimate.areas.area_effects import AreaEffects, effects_by_area, effects_of_matches
from evalkit.estimate.areas.changes_arrays import TIE, permutation_test
from evalkit.estimate.areas.clusters import clustered_by_area
from evalkit.estimate.areas.effect_records import (
    FEW_AREAS,
    NOBODY_LEFT,
    NOT_STUDENTISED,
    PART_OF_AREA,
    EffectKey,
    others_effect,
    permutation_effect,
    permuted_statistic,
    school_cluster_effect,
    sets_effect,
    unavailable_effects,
)
from evalkit.estimate.areas.sample import Changes, changes_before, changes_less_trend, changes_to, outcome_panel
from evalkit.estimate.areas.set_draws import SetOptions, SetPool
from evalkit.estimate.areas.set_effects import MANY_AREAS, ListedChanges, Placing, listed_effect, sets_of_changes
from evalkit.estimate.areas.set_matches import sets_of_matches
from evalkit.estimate.areas.sets import SetsInference, against_others
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.estimate.effect import MAIN, Effect, EffectSize, find_effect
from evalkit.estimate.published_spread import Spreads, conditional_spread, effect_size, unconditional_spread

# A band for the effects of single years that holds in all years together, from the area permutation.


@dataclass(frozen=True, slots=True, kw_only=True)
class YearBand:
    """The band of one outcome in one year; at its level it holds in all years of that outcome together."""

    outcome: str
    year: int
    band: IntervalOrReason


@dataclass(frozen=True, slots=True, kw_only=True)
class BandOptions:
    """The level of the band, and the statistic the areas are compared by: studentised or unstudentised."""

    level: float = LEVEL
    statistic: str = "unstudentised"


def year_bands(
    outcome: str, years: Mapping[int, AreaEffects], treated_group: int, options: BandOptions
) -> tuple[YearBand, ...]:
    """Return a band for every year such that all of them hold together at the level (max-t over the permutation).

    Each year's permutation interval is stretched by one factor c. With r_t the reach of year t's interval and
    θ_jt area j's effect (or statistic) in that year, M_j = max_t |θ_jt| / r_t; c is the reach of the permutation
    of M, as if it were one statistic, so that the band is rejected by no more than the asked share of areas. c is
    never below 1. Areas without an effect in some year take no part; a year that is zero for every area (a base of
    one year) has a band of no width. The reach leaves the treated area out, which moves the level by less than
    1/J (Westfall and Young, 1993, for the maximum over years; Fisher's permutation for areas).
    """
    common = reduce(np.intersect1d, [found.groups for found in years.values()]) if years else np.array([])
    reason = _why_none(treated_group, common, options.level)
    if reason:
        return tuple(YearBand(outcome=outcome, year=year, band=Unavailable(reason)) for year in years)
    by_year = {year: found.without(set(found.groups.tolist()) - set(common.tolist())) for year, found in years.items()}
    statistics = np.array([permuted_statistic(found, options.statistic) for found in by_year.values()])
    if not np.isfinite(statistics).all():
        return tuple(YearBand(outcome=outcome, year=year, band=Unavailable(NOT_STUDENTISED)) for year in years)
    at = next(iter(by_year.values())).position(treated_group)
    reaches, factor = stretched(statistics, at, 1 - options.level)
    scales = [found.std_errors[at] if options.statistic == "studentised" else 1.0 for found in by_year.values()]
    halves = [factor * reach * scale for reach, scale in zip(reaches, scales, strict=True)]
    return tuple(
        YearBand(outcome=outcome, year=year, band=_around(float(found.effects[at]), float(half), options.level))
        for (year, found), half in zip(by_year.items(), halves, strict=True)
    )


def set_bands(
    found: OutcomeEffects, design: OutcomeDesign, project: Project, years: Sequence[int]
) -> tuple[YearBand, ...]:
    """Return the band of every year of listed schools, from the same sets in all years (max-t over the sets).

    As `year_bands`, with the shares of areas' sets in the place of the areas; schools without one of the years take no
    part.
    """
    sets = design.sets
    if sets is None or len(sets.treated) > MOST_AREAS or not years:
        return tuple(YearBand(outcome=found.outcome, year=year, band=MANY_AREAS) for year in years)
    each = [found.weighed(changes_to(found.panel, project.exposure, [year])) for year in years]
    common = reduce(lambda left, right: left.intersection(right), [one.units for one in each])
    kept = [one.keep(common) for one in each]
    values = np.column_stack([one.change for one in kept])
    comparison = design.comparisons[labels.NEIGHBOURS]
    statistics = sets_of_changes(kept[0], sets, comparison, placing_of(project), values=values)
    if statistics is None:
        return tuple(YearBand(outcome=found.outcome, year=year, band=Unavailable(NOBODY_LEFT)) for year in years)
    bands = statistics.band(range(len(years)), project.inference.level)
    return tuple(YearBand(outcome=found.outcome, year=y, band=band) for y, band in zip(years, bands, strict=True))


def stretched(statistics: Floats, treated: int, alpha: float) -> tuple[Floats, float]:
    """Return the reach of each year's own interval, and the factor that makes them hold together.

    Parameters
    ----------
    statistics : shape (T, J)
        One statistic for each year and area, areas in one order.
    treated : int
        Position of the treated area.
    alpha : float
        One less the level; there are at least 1/alpha areas.

    Returns
    -------
    reaches : shape (T,)
    factor : float, at least 1
    """
    reaches = np.array([permutation_test(row, treated, alpha).reach for row in statistics])
    moving = reaches > TIE
    if not moving.any():
        return reaches, 1.0
    largest = (np.abs(statistics[moving]) / reaches[moving, None]).max(axis=0)
    return reaches, max(permutation_test(largest, treated, alpha).reach, 1.0)


def _why_none(treated_group: int, common: NDArray[np.int64], level: float) -> str:
    """Return why there can be no band, or an empty text."""
    if treated_group == TREATED_GROUP:
        return PART_OF_AREA
    if treated_group not in common:
        return NOBODY_LEFT
    if len(common) * (1 - level) < 1 - TIE:
        return FEW_AREAS.format(needed=round(1 / (1 - level)))
    return ""


def _around(estimate: float, half: float, level: float) -> Interval:
    return Interval(estimate - half, estimate + half, level)


# Every effect of one outcome: the main comparison, those shown beside it, and the years around the programme.


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeEffects:
    """The effects of one outcome, with the area effects behind each (by design, then period).

    `weights` are pupils before the programme by school, where the project weighs by pupils.
    """

    outcome: str
    role: str
    panel: Panel
    effects: tuple[Effect, ...]
    areas: dict[tuple[str, str], AreaEffects]
    weights: pd.Series | None

    @property
    def main_areas(self) -> AreaEffects | None:
        """Return the effect of every area by the main comparison, None where nothing was estimated."""
        return self.areas.get(MAIN)

    def weighed(self, changes: Changes) -> Changes:
        """Return changes with the weights of the main comparison."""
        return changes if self.weights is None else changes.scaled(self.weights)


@dataclass(frozen=True, slots=True, eq=False)
class EffectPlan:
    """One way of measuring an effect: changes, who is compared, and whether it is standardised.

    Of listed schools `sets` says how they are placed where not as the design says, `by_area` whether areas weigh the
    same, and `draws_more` whether ten times the sets are drawn where p is near 5 or 10%.
    """

    design: str
    period: str
    changes: Changes
    comparison: AreaComparisons | GroupMatches
    is_main: bool = False
    sets: SetDesign | None = None
    by_area: bool = False
    draws_more: bool = False


def estimate_outcome(
    project: Project,
    intake: ProjectData,
    design: OutcomeDesign,
    role: str,
    executor: Executor = SERIAL,
    *,
    is_brief: bool = False,
) -> OutcomeEffects:
    """Estimate every effect of one outcome against every comparison of its design, one choice a chunk.

    With `is_brief` that of the main comparison alone, over the years after taken together.
    """
    records = intake.records[measure_of(project, design.outcome).key_stage]
    panel = outcome_panel(project, records, design, project.pool.require_all_years)
    outcome = OutcomeEffects(design.outcome, role, panel, (), {}, pupils_to_weigh(project, records))
    groups = panel.by_unit()["cluster"]
    n_treated = int((groups == design.treated_group).sum())
    if design.too_few or n_treated < project.pool.minimum_treated:
        near = int(groups.isin(design.comparisons[labels.NEIGHBOURS].of(design.treated_group)).sum())
        reason = design.too_few or f"{n_treated} schools with published results: too few for an estimate"
        reason = reason[:1].upper() + reason[1:]
        effects = unavailable_effects(_key(project, design, outcome, *MAIN), reason, n_treated, near)
        return replace(outcome, effects=effects, weights=None)
    school_sd = _school_sd(panel, project)

    def size(effect: Effect) -> EffectSize | None:
        return _size(effect, intake, school_sd, project)

    plans = [*_plans(project, records, design, panel)][: 1 if is_brief else None]
    plans += [] if is_brief else _plans_of_listed(project, records, design, panel)
    if role in AIMED_AT:
        plans = [replace(plan, draws_more=plan.period == "post") for plan in plans]
    outcome = _estimate(project, design, outcome, plans, size=size, executor=executor)
    by_area = (replace(one, effect_size=size(one)) for one in _by_area(outcome, records, design, project))
    beside = () if is_brief else _against_others(outcome, records, design, project)
    return replace(outcome, effects=(*outcome.effects, *by_area, *beside))


def _by_area(
    found: OutcomeEffects, records: SchoolRecords, design: OutcomeDesign, project: Project
) -> Iterator[Effect]:
    """Yield the main effect clustered by area, for schools listed by name that lie in several areas."""
    main = find_effect(found.effects, found.outcome)
    if design.is_whole_area or len(design.treated_areas) < 2:
        return
    if main is None or not isinstance(main.estimate, float):
        return
    changes = found.weighed(changes_to(found.panel, project.exposure, project.exposure.post))
    comparison = design.comparisons[labels.NEIGHBOURS]
    yield clustered_by_area(main, changes, records.schools["area"], design, comparison, project)


def placed_outcome(project: Project, intake: ProjectData, design: OutcomeDesign) -> PlacedStatistic | Unavailable:
    """Return the main comparison of an outcome as what can be placed beside others; or why it is not placed."""
    records = intake.records[measure_of(project, design.outcome).key_stage]
    panel = outcome_panel(project, records, design, project.pool.require_all_years)
    plain, pupils = changes_to(panel, project.exposure, project.exposure.post), pupils_to_weigh(project, records)
    changes = plain if pupils is None else plain.scaled(pupils)
    few = too_few_treated(project, design, treated_in(panel, design))
    return few or placed_changes(project, design, changes, design.comparisons[labels.NEIGHBOURS])


def treated_in(panel: Panel, design: OutcomeDesign) -> int:
    """Return how many treated schools are analysed."""
    return int((panel.by_unit()["cluster"] == design.treated_group).sum())


def too_few_treated(project: Project, design: OutcomeDesign, n_treated: int) -> Unavailable | None:
    """Return why an outcome is not estimated at all, None where it is."""
    if design.too_few or n_treated < project.pool.minimum_treated:
        return Unavailable(design.too_few or f"{n_treated} schools with published results: too few for an estimate")
    return None


def placed_changes(
    project: Project, design: OutcomeDesign, changes: Changes, comparison: AreaComparisons | GroupMatches
) -> PlacedStatistic | Unavailable:
    """Return any changes of schools, compared in any way, as what can be placed beside others."""
    if design.is_whole_area or design.sets is None:
        areas = _areas(project, design, EffectPlan(*MAIN, changes, comparison))
        return PlacedStatistic(areas=areas, group=design.treated_group)
    if len(design.sets.treated) > MOST_AREAS:
        return MANY_AREAS
    if isinstance(comparison, GroupMatches):
        return Unavailable("Listed schools are matched anew for each set by the kind `matched`: let it be an analysis.")
    listed = ListedChanges.of(changes, changes.change[:, None], design.sets, comparison)
    if not listed.is_listed.any():
        return Unavailable(NOBODY_LEFT)
    pool = listed.pool(design.sets, placing_of(project))
    return PlacedStatistic(pool=pool, statistic=listed.statistic, rule=design.sets.rule)


def estimate_contrast(
    project: Project, design: OutcomeDesign, name: str, panel: Panel, first: OutcomeEffects, executor: Executor = SERIAL
) -> OutcomeEffects:
    """Estimate a triple difference: the effect on `first` less another outcome within the same schools."""
    changes = first.weighed(changes_to(panel, project.exposure, project.exposure.post))
    every: dict[str, AreaComparisons | GroupMatches] = {**design.comparisons, **design.matches}
    plans = [EffectPlan(label, "post", changes, comparison) for label, comparison in every.items()]
    contrast = OutcomeEffects(name, "contrast", panel, (), {}, first.weights)
    return _estimate(project, design, contrast, plans, size=lambda _: None, executor=executor)


def _estimate(
    project: Project,
    design: OutcomeDesign,
    outcome: OutcomeEffects,
    plans: list[EffectPlan],
    *,
    size: Callable[[Effect], EffectSize | None],
    executor: Executor,
) -> OutcomeEffects:
    """Return an outcome with the effect of every plan; those marked as main are standardised too."""
    by_plan = list(executor.map(partial(_placed, project, design), plans))
    effects: list[Effect] = []
    for plan, (areas, sets) in zip(plans, by_plan, strict=True):
        key = _key(project, design, outcome, plan.design, plan.period, areas.n_lost)
        if sets is None:
            effect = permutation_effect(key, areas, design.treated_group, project.inference)
        else:
            effect = sets_effect(key, areas, sets)
        effects.append(replace(effect, effect_size=size(effect)) if plan.is_main else effect)
        effects.append(school_cluster_effect(key, areas, design.treated_group))
    areas_of = {(plan.design, plan.period): areas for plan, (areas, _) in zip(plans, by_plan, strict=True)}
    return replace(outcome, effects=tuple(effects), areas=areas_of)


def _placed(
    project: Project, design: OutcomeDesign, plan: EffectPlan
) -> tuple[AreaEffects, SetsInference | Unavailable | None]:
    """Return the effect of every area; of listed schools theirs alone, and what sets of others say of it."""
    sets = plan.sets or design.sets
    if design.is_whole_area or sets is None:
        return _areas(project, design, plan), None
    matched = isinstance(plan.comparison, GroupMatches)
    own = _areas(project, design, plan) if matched else listed_effect(plan.changes, sets, plan.comparison)  # type: ignore[arg-type]  # one of the two
    if len(sets.treated) > MOST_AREAS:
        return own, MANY_AREAS
    placing = placing_of(project, plan.draws_more)
    if isinstance(plan.comparison, GroupMatches):
        found = sets_of_matches(plan.changes, design, plan.design, own, placing)
    else:
        found = sets_of_changes(plan.changes, sets, plan.comparison, placing, by_area=plan.by_area)
    if found is None:
        return own, Unavailable(NOBODY_LEFT)
    return own, found.inference(0, placing.level)


def main_effects(
    project: Project,
    design: OutcomeDesign,
    role: str,
    changes: Changes,
    areas: pd.Series,
    is_number_alone: bool = False,
) -> tuple[Effect, ...]:
    """Return the main comparison of any changes of schools: placed among areas or sets, and clustered by area.

    `changes` are weighed, `areas` by school. With `is_number_alone` no sets are drawn, so that nothing is inferred.
    """
    main = design.comparisons[labels.NEIGHBOURS]
    if is_number_alone and design.sets is not None:
        own: AreaEffects = listed_effect(changes, design.sets, main)
        sets: SetsInference | Unavailable | None = Unavailable("The estimate alone was asked for.")
    else:
        own, sets = _placed(project, design, EffectPlan(*MAIN, changes, main))
    key = EffectKey(
        outcome=design.outcome,
        role=role,
        design=MAIN[0],
        period=MAIN[1],
        estimand=_estimand(design, own.n_lost),
        method=_method(project, *MAIN),
        n_treated_clusters=len(design.treated_areas),
    )
    if sets is None:
        return (permutation_effect(key, own, design.treated_group, project.inference),)
    effect = sets_effect(key, own, sets)
    if is_number_alone or not isinstance(effect.estimate, float) or len(design.treated_areas) < 2:
        return (effect,)
    return effect, clustered_by_area(effect, changes, areas, design, main, project)


def placing_of(project: Project, draws_more: bool = False) -> Placing:
    """Return how a project places listed schools among sets."""
    pool = project.pool
    return Placing(
        level=project.inference.level,
        seed=project.seed,
        draws_more=draws_more,
        excluded=pool.exclude_areas,
        fewest=pool.minimum_area_schools,
    )


def _key(
    project: Project, design: OutcomeDesign, outcome: OutcomeEffects, name: str, period: str, n_lost: int = 0
) -> EffectKey:
    return EffectKey(
        outcome=outcome.outcome,
        role=outcome.role,
        design=name,
        period=period,
        estimand=_estimand(design, n_lost),
        method=_method(project, name, period),
        n_treated_clusters=len(design.treated_areas),
    )


def _plans(project: Project, records: SchoolRecords, design: OutcomeDesign, panel: Panel) -> Iterator[EffectPlan]:
    """Yield the main comparison first, then those beside it, then each year on the headline's base."""
    exposure, pupils = project.exposure, mean_pupils(project, records)
    by_pupils = project.estimation.weights == "pupils"

    def weighed(changes: Changes) -> Changes:
        return changes.scaled(pupils) if by_pupils else changes

    plain = changes_to(panel, exposure, exposure.post)
    main = design.comparisons[labels.NEIGHBOURS]
    every: dict[str, AreaComparisons | GroupMatches] = {**design.comparisons, **design.matches}
    for name, comparison in every.items():
        yield EffectPlan(name, "post", weighed(plain), comparison, is_main=True)
    other = labels.SCHOOL_WEIGHTED if by_pupils else labels.PUPIL_WEIGHTED
    yield EffectPlan(other, "post", plain if by_pupils else plain.scaled(pupils), main)
    if project.pool.require_all_years:
        loose = changes_to(outcome_panel(project, records, design, every_year=False), exposure, exposure.post)
        yield EffectPlan(labels.UNRESTRICTED, "post", weighed(loose), main)
    unconverted = records.schools.index[~records.schools["is_converted"]]
    yield EffectPlan(labels.WITHOUT_CONVERSIONS, "post", weighed(plain).keep(unconverted), main)
    contaminated = {area for entry in project.contamination for area in entry.areas}
    remaining = without_areas(main, contaminated)
    if set(main.of(design.treated_group)) & contaminated and remaining.of(design.treated_group):
        yield EffectPlan(labels.WITHOUT_CONTAMINATED, "post", weighed(plain), remaining)
    if len(exposure.pre) > 1:
        yield EffectPlan(labels.TREND_ADJUSTED, "post", weighed(changes_less_trend(panel, exposure)), main)
        yield EffectPlan(labels.LEAD, str(max(exposure.pre)), weighed(changes_before(panel, exposure)), main)
    for year in exposure.years:
        yield EffectPlan(labels.NEIGHBOURS, str(year), weighed(changes_to(panel, exposure, [year])), main)


def _plans_of_listed(
    project: Project, records: SchoolRecords, design: OutcomeDesign, panel: Panel
) -> Iterator[EffectPlan]:
    """Yield what stands beside the main comparison of listed schools: other draws, other weights, all schools."""
    sets, exposure, main = design.sets, project.exposure, design.comparisons[labels.NEIGHBOURS]
    if sets is None or len(sets.treated) > MOST_AREAS:
        return
    pupils = pupils_to_weigh(project, records)
    plain = changes_to(panel, exposure, exposure.post)
    changes = plain if pupils is None else plain.scaled(pupils)
    if not sets.is_whole:
        beside: dict[SetRule, str] = {"like": labels.SETS_LIKE, "simple": labels.SETS_SIMPLE}
        for rule, name in beside.items():
            if rule != sets.rule:
                yield EffectPlan(name, "post", changes, main, sets=replace(sets, rule=rule))
    if len(sets.treated) > 1:
        yield EffectPlan(labels.AREA_WEIGHTED, "post", changes, main, by_area=True)
    if not sets.is_whole:
        every = _every_school(project, records, design)
        whole = replace(sets, is_whole=True, rule="simple", others=sets.others[:0])
        listed = Changes(every.units, np.where(np.isin(every.group, sets.treated), TREATED_GROUP, every.group),
                         every.change, every.weight)  # fmt: skip
        yield EffectPlan(labels.WHOLE_AREA, "post", listed, main, sets=whole)


def _every_school(project: Project, records: SchoolRecords, design: OutcomeDesign) -> Changes:
    """Return changes with those of the other schools of treated areas, which are in no arm, by their area."""
    sets, exposure = design.sets, project.exposure
    others = sets.area.loc[sets.others] if sets else pd.Series(dtype="int64")
    wide = replace(design, groups=pd.concat([design.groups, others]).sort_index())
    panel = outcome_panel(project, records, wide, project.pool.require_all_years)
    changes, pupils = changes_to(panel, exposure, exposure.post), pupils_to_weigh(project, records)
    return changes if pupils is None else changes.scaled(pupils)


def _against_others(
    found: OutcomeEffects, records: SchoolRecords, design: OutcomeDesign, project: Project
) -> Iterator[Effect]:
    """Yield the listed schools against the others of their areas, which may feel the programme: never a headline."""
    sets = design.sets
    if sets is None or sets.is_whole or MAIN not in found.areas:
        return
    changes = _every_school(project, records, design)
    area = sets.area.reindex(changes.units).fillna(-1).to_numpy(dtype=np.int64)
    is_own = np.isin(area, sets.treated)
    pool = SetPool(
        ids=changes.units[is_own].astype(str).tolist(),
        area=area[is_own],
        is_listed=changes.group[is_own] == TREATED_GROUP,
        stand_ins=(),
    )
    compared = against_others(changes.change[is_own], changes.weight[is_own], pool, SetOptions(seed=project.seed))
    yield others_effect(_key(project, design, found, labels.OWN_AREA, "post"), compared)


def mean_pupils(project: Project, records: SchoolRecords) -> pd.Series:
    """Return each school's mean number of pupils before the programme, over the years that have it."""
    return records.pupils[[year for year in project.exposure.pre if year in records.pupils]].mean(axis=1)


def pupils_to_weigh(project: Project, records: SchoolRecords) -> pd.Series | None:
    return mean_pupils(project, records) if project.estimation.weights == "pupils" else None


def _areas(project: Project, design: OutcomeDesign, plan: EffectPlan) -> AreaEffects:
    """Return the effect of every area; excluded areas serve neither as comparison nor in the permutation."""
    fewest, treated_group = project.pool.minimum_area_schools, design.treated_group
    if isinstance(plan.comparison, GroupMatches):
        found = effects_of_matches(plan.changes, plan.comparison, treated_group, fewest)
    else:
        found = effects_by_area(plan.changes, plan.comparison, treated_group, fewest)
    # The treated area stays even if the project excludes areas by a list that names it.
    return found.without(set(project.pool.exclude_areas) - {treated_group})


def _estimand(design: OutcomeDesign, lost: int) -> Estimand:
    if not design.is_whole_area:
        return Estimand.ATT_AMONG_MATCHED if lost else Estimand.ATT
    return Estimand.AREA_ITT_AMONG_MATCHED if lost else Estimand.AREA_ITT


def _method(project: Project, name: str, period: str) -> str:
    pre, first = " and ".join(map(str, project.exposure.pre)), min(project.exposure.pre)
    post = " and ".join(map(str, project.exposure.post)) if period == "post" else period
    change = f"{post} less the mean of {pre}" if name != labels.LEAD else f"change from {first} to {period}"
    return f"Difference in mean change ({change}). {labels.design_label(name)}."


def _size(effect: Effect, intake: ProjectData, school_sd: Quantity, project: Project) -> EffectSize | None:
    if not isinstance(effect.estimate, float):
        return None
    known = measure_of(project, effect.outcome)
    spreads = Spreads(
        unconditional=unconditional_spread(known, intake.shares.get(known.code)),
        conditional=conditional_spread(known, intake.limits.get(known.code)),
        school_sd=school_sd,
        table=project.effect_sizes.months_table,
    )
    return effect_size(effect.estimate, effect.interval, spreads)


def _school_sd(panel: Panel, project: Project) -> Quantity:
    """Return the SD of school scores in the last year before, over the analysed untreated schools of England."""
    frame = panel.frame
    scores: pd.Series = frame.loc[(frame["period"] == max(project.exposure.pre)) & frame["cohort"].isna(), "outcome"]
    if len(scores) < 2:
        return Unavailable("Fewer than two untreated schools have a score in the last year before the programme.")
    return float(np.std(scores.to_numpy(dtype=float), ddof=1))
