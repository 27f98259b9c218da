"""Every effect of one outcome, or why there is none: the main one, those beside it, the years and their band."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL, SERIAL, Executor
from evalkit.core.project import InferenceChoices, Project
from evalkit.core.quantities import Estimand, Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.data.measures import measure_of
from evalkit.data.panel import Panel
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords
from evalkit.design.project import labels
from evalkit.design.project.areas import TREATED_GROUP, AreaComparisons, without_areas
from evalkit.design.project.group_matching import GroupMatches
from evalkit.design.project.plan import OutcomeDesign
from evalkit.estimate.areas.area_effects import AreaEffects, effects_by_area, effects_of_matches
from evalkit.estimate.areas.changes_arrays import TIE, PermutationTest, permutation_test
from evalkit.estimate.areas.clusters import clustered_by_area
from evalkit.estimate.areas.sample import Changes, changes_before, changes_less_trend, changes_to, outcome_panel
from evalkit.estimate.effect import MAIN, Effect, EffectSize, PermutationDetail, find_effect
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
    """One way of measuring an effect: changes, who is compared, and whether it is standardised."""

    design: str
    period: str
    changes: Changes
    comparison: AreaComparisons | GroupMatches
    is_main: bool = False


def estimate_outcome(
    project: Project, intake: ProjectData, design: OutcomeDesign, role: str, executor: Executor = SERIAL
) -> OutcomeEffects:
    """Estimate every effect of one outcome against every comparison of its design, one choice a chunk."""
    records = intake.records[measure_of(project, design.outcome).key_stage]
    panel = outcome_panel(project, records, design, project.pool.require_all_years)
    outcome = OutcomeEffects(design.outcome, role, panel, (), {}, _pupils(project, records))
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

    outcome = _estimate(
        project, design, outcome, list(_plans(project, records, design, panel)), size=size, executor=executor
    )
    by_area = (replace(one, effect_size=size(one)) for one in _by_area(outcome, records, design, project))
    return replace(outcome, effects=(*outcome.effects, *by_area))


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
    by_plan = list(executor.map(partial(_areas, project, design), plans))
    effects: list[Effect] = []
    for plan, areas in zip(plans, by_plan, strict=True):
        key = _key(project, design, outcome, plan.design, plan.period, areas.n_lost)
        effect = permutation_effect(key, areas, design.treated_group, project.inference)
        effects.append(replace(effect, effect_size=size(effect)) if plan.is_main else effect)
        effects.append(school_cluster_effect(key, areas, design.treated_group))
    areas_of = {(plan.design, plan.period): areas for plan, areas in zip(plans, by_plan, strict=True)}
    return replace(outcome, effects=tuple(effects), areas=areas_of)


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
    exposure, pupils = project.exposure, _mean_pupils(project, records)
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


def _mean_pupils(project: Project, records: SchoolRecords) -> pd.Series:
    """Return each school's mean number of pupils before the programme, over the years that have it."""
    return records.pupils[[year for year in project.exposure.pre if year in records.pupils]].mean(axis=1)


def _pupils(project: Project, records: SchoolRecords) -> pd.Series | None:
    return _mean_pupils(project, records) if project.estimation.weights == "pupils" else None


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


# From area effects to effects that can be reported: estimand, sample, method, uncertainty.


NO_P_FOR_SCHOOLS = (
    "Clustering by school covers school sampling only and excludes area shocks, so it gives no p-value and no "
    "interval here."
)
NO_ERROR_FROM_PERMUTATION = "The permutation compares areas directly and gives no standard error."
PART_OF_AREA = "Not given, as the listed schools are only part of their area."
NOBODY_LEFT = (
    "No treated school has both a result after the programme and a school to compare with, so there is no estimate."
)
NOT_STUDENTISED = "An area has no school-sampling error, so effects cannot be studentised."
FEW_AREAS = "Fewer than {needed} areas could be analysed the same way, so no interval at this level exists."


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectKey:
    """What an effect is an effect of, and how many areas hold the treated schools."""

    outcome: str
    role: str
    design: str
    period: str
    estimand: Estimand
    method: str
    n_treated_clusters: int


def permutation_effect(key: EffectKey, areas: AreaEffects, treated_group: int, inference: InferenceChoices) -> Effect:
    """Return the treated group's effect with its place among all areas analysed the same way.

    Schools treated by name are not a whole area, so that no other area can stand in for them.
    """
    effect = _estimated(key, areas, treated_group, PART_OF_AREA)
    if treated_group == TREATED_GROUP:
        return effect
    at = areas.position(treated_group)
    if at < 0:
        return effect
    plain, studentised = (_tested(areas, at, kind, inference.level) for kind in ("unstudentised", "studentised"))
    p, interval, test = studentised if inference.statistic == "studentised" else plain
    if test is None:
        return replace(effect, interval=interval, p_value=p, p_value_one_sided=p)
    return replace(
        effect,
        interval=interval,
        p_value=p,
        p_value_one_sided=test.p_value_one_sided,
        permutation=PermutationDetail(
            rank=test.rank,
            n_areas=test.n,
            smallest_p=1 / test.n,
            studentised_p=studentised[0],
            studentised_interval=studentised[1],
            plain_p=plain[0],
            plain_interval=plain[1],
        ),
    )


def _tested(
    areas: AreaEffects, at: int, kind: str, level: float
) -> tuple[Quantity, IntervalOrReason, PermutationTest | None]:
    """Return the p-value of one statistic, the interval of effects it does not reject, and the test; or the reason."""
    statistic = permuted_statistic(areas, kind)
    if not np.isfinite(statistic).all():
        none = Unavailable(NOT_STUDENTISED)
        return none, none, None
    test = permutation_test(statistic, at, 1 - level)
    scale = float(areas.std_errors[at]) if kind == "studentised" else 1.0
    return test.p_value, _interval(float(areas.effects[at]), test.reach * scale, level), test


def school_cluster_effect(key: EffectKey, areas: AreaEffects, treated_group: int) -> Effect:
    """Return the treated group's effect with its school-sampling standard error, and nothing inferred from it."""
    at = areas.position(treated_group)
    effect = replace(
        _estimated(key, areas, treated_group, NO_P_FOR_SCHOOLS), inference="cluster", cluster_level="school"
    )
    if at < 0:
        return effect
    error = float(areas.std_errors[at])
    single = Unavailable("A single school has no sampling variance.")
    return replace(effect, std_error=error if np.isfinite(error) else single, n_treated_clusters=int(areas.n[at]))


def unavailable_effects(key: EffectKey, reason: str, n_treated: int, n_comparison: int) -> tuple[Effect, Effect]:
    """Return the two records of an effect that cannot be estimated, each with the reason."""
    none = replace(_none(key, reason, n_treated), n_comparison=n_comparison)
    return none, replace(none, inference="cluster", cluster_level="school", n_treated_clusters=n_treated)


def _none(key: EffectKey, reason: str, n_treated: int) -> Effect:
    none = Unavailable(reason)
    return Effect(
        outcome=key.outcome,
        role=key.role,
        design=key.design,
        estimand=key.estimand,
        period=key.period,
        estimate=none,
        std_error=none,
        interval=none,
        p_value=none,
        p_value_one_sided=none,
        inference="permutation",
        cluster_level="local_authority",
        n_treated=n_treated,
        n_comparison=0,
        n_treated_clusters=key.n_treated_clusters,
        method=key.method,
    )


def _estimated(key: EffectKey, areas: AreaEffects, treated_group: int, reason: str) -> Effect:
    """Return an effect with its estimate and counts, and the reason wherever inference would stand."""
    at = areas.position(treated_group)
    if at < 0:
        return _none(key, NOBODY_LEFT, 0)
    return replace(
        _none(key, reason, int(areas.n[at])),
        estimate=float(areas.effects[at]),
        n_comparison=int(areas.n_comparison[at]),
        std_error=Unavailable(NO_ERROR_FROM_PERMUTATION),
    )


def permuted_statistic(areas: AreaEffects, kind: str) -> NDArray[np.float64]:
    """Return what areas are compared by: their effects, or with `studentised` those over their sampling errors."""
    if kind == "unstudentised":
        return areas.effects
    with np.errstate(invalid="ignore", divide="ignore"):
        return areas.effects / areas.std_errors


def _interval(estimate: float, reach: float, level: float) -> IntervalOrReason:
    if not np.isfinite(reach):
        return Unavailable(FEW_AREAS.format(needed=round(1 / (1 - level))))
    return Interval(estimate - reach, estimate + reach, level)
