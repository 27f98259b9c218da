"""Every effect of one outcome: the main comparison, those shown beside it, and the years around the programme."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from evalkit.core.estimand import Estimand
from evalkit.core.executor import SERIAL, Executor
from evalkit.core.project import Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.intake import Intake
from evalkit.data.measures import measure
from evalkit.data.panel import Panel
from evalkit.data.records import SchoolRecords
from evalkit.design import labels
from evalkit.design.areas import TREATED_GROUP, AreaComparisons, without_areas
from evalkit.design.group_matching import GroupMatches
from evalkit.design.plan import OutcomeDesign
from evalkit.estimate.area_clusters import clustered_by_area
from evalkit.estimate.area_effects import AreaEffects, effects_by_area, effects_of_matches
from evalkit.estimate.effect import Effect, EffectSize
from evalkit.estimate.effect_size import effect_size
from evalkit.estimate.effects import EffectKey, permutation_effect, school_cluster_effect, unavailable_effects
from evalkit.estimate.sample import Changes, changes_before, changes_less_trend, changes_to, outcome_panel


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

    def weighed(self, changes: Changes) -> Changes:
        """Return changes with the weights of the main comparison."""
        return changes if self.weights is None else changes.scaled(self.weights)


@dataclass(frozen=True, slots=True, eq=False)
class _Spec:
    """One way of measuring an effect: changes, who is compared, and whether it is standardised."""

    design: str
    period: str
    changes: Changes
    comparison: AreaComparisons | GroupMatches
    is_main: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Ask:
    """What is estimated: the outcome's name and role, under which design of which project."""

    project: Project
    design: OutcomeDesign
    outcome: str
    role: str
    weights: pd.Series | None
    executor: Executor

    def key(self, design: str, period: str, lost: int = 0) -> EffectKey:
        return EffectKey(
            outcome=self.outcome,
            role=self.role,
            design=design,
            period=period,
            estimand=_estimand(self.design, lost),
            method=_method(self.project, design, period),
            n_treated_clusters=len(self.design.treated_areas),
        )


def estimate_outcome(
    project: Project, intake: Intake, design: OutcomeDesign, role: str, executor: Executor = SERIAL
) -> OutcomeEffects:
    """Estimate every effect of one outcome against every comparison of its design, one choice a chunk."""
    records = intake.records[measure(design.outcome).key_stage]
    panel = outcome_panel(project, records, design, project.pool.require_all_years)
    ask = _Ask(project, design, design.outcome, role, _pupils(project, records), executor)
    groups = panel.by_unit()["cluster"]
    n_treated = int((groups == design.treated_group).sum())
    if design.too_few or n_treated < project.pool.minimum_treated:
        near = int(groups.isin(design.comparisons[labels.NEIGHBOURS].of(design.treated_group)).sum())
        reason = design.too_few or f"{n_treated} schools with published results: too few for an estimate"
        reason = reason[:1].upper() + reason[1:]
        effects = unavailable_effects(ask.key(labels.NEIGHBOURS, "post"), reason, n_treated, near)
        return OutcomeEffects(design.outcome, role, panel, effects, {}, None)
    school_sd = _school_sd(panel, project)

    def size(effect: Effect) -> EffectSize | None:
        return _size(effect, intake, school_sd, project)

    found = _estimate(ask, panel, list(_specs(project, records, design, panel)), size)
    by_area = (replace(one, effect_size=size(one)) for one in _by_area(found, records, design, project))
    return replace(found, effects=(*found.effects, *by_area))


def _by_area(
    found: OutcomeEffects, records: SchoolRecords, design: OutcomeDesign, project: Project
) -> Iterator[Effect]:
    """Yield the main effect clustered by area, for schools listed by name that lie in several areas."""
    main = next(e for e in found.effects if (e.design, e.period) == (labels.NEIGHBOURS, "post"))
    if design.treated_group != TREATED_GROUP or len(design.treated_areas) < 2 or not isinstance(main.estimate, float):
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
    specs = [_Spec(found, "post", changes, comparison) for found, comparison in every.items()]
    ask = _Ask(project, design, name, "contrast", first.weights, executor)
    return _estimate(ask, panel, specs, lambda _: None)


def _estimate(
    ask: _Ask, panel: Panel, specs: list[_Spec], size: Callable[[Effect], EffectSize | None]
) -> OutcomeEffects:
    """Estimate every specification; those marked as main are standardised too."""
    found_areas = ask.executor.map(partial(_areas, ask.project, ask.design), specs)
    areas = {(s.design, s.period): found for s, found in zip(specs, found_areas, strict=True)}
    own, effects = ask.design.treated_group, list[Effect]()
    for spec in specs:
        found = areas[spec.design, spec.period]
        key = ask.key(spec.design, spec.period, found.n_lost)
        effect = permutation_effect(key, found, own, ask.project.inference)
        effects.append(replace(effect, effect_size=size(effect)) if spec.is_main else effect)
        effects.append(school_cluster_effect(key, found, own))
    return OutcomeEffects(ask.outcome, ask.role, panel, tuple(effects), areas, ask.weights)


def _specs(project: Project, records: SchoolRecords, design: OutcomeDesign, panel: Panel) -> Iterator[_Spec]:
    """Yield the main comparison first, then those beside it, then each year on the headline's base."""
    exposure, pupils = project.exposure, _cohort(project, records)
    by_pupils = project.estimation.weights == "pupils"

    def weighed(changes: Changes) -> Changes:
        return changes.scaled(pupils) if by_pupils else changes

    plain = changes_to(panel, exposure, exposure.post)
    main = design.comparisons[labels.NEIGHBOURS]
    every: dict[str, AreaComparisons | GroupMatches] = {**design.comparisons, **design.matches}
    for name, comparison in every.items():
        yield _Spec(name, "post", weighed(plain), comparison, is_main=True)
    other = labels.SCHOOL_WEIGHTED if by_pupils else labels.PUPIL_WEIGHTED
    yield _Spec(other, "post", plain if by_pupils else plain.scaled(pupils), main)
    if project.pool.require_all_years:
        loose = changes_to(outcome_panel(project, records, design, every_year=False), exposure, exposure.post)
        yield _Spec(labels.UNRESTRICTED, "post", weighed(loose), main)
    unconverted = records.schools.index[~records.schools["is_converted"]]
    yield _Spec(labels.WITHOUT_CONVERSIONS, "post", weighed(plain).keep(unconverted), main)
    contaminated = {area for entry in project.contamination for area in entry.areas}
    remaining = without_areas(main, contaminated)
    if set(main.of(design.treated_group)) & contaminated and remaining.of(design.treated_group):
        yield _Spec(labels.WITHOUT_CONTAMINATED, "post", weighed(plain), remaining)
    if len(exposure.pre) > 1:
        yield _Spec(labels.TREND_ADJUSTED, "post", weighed(changes_less_trend(panel, exposure)), main)
        yield _Spec(labels.LEAD, str(max(exposure.pre)), weighed(changes_before(panel, exposure)), main)
    for year in exposure.years:
        yield _Spec(labels.NEIGHBOURS, str(year), weighed(changes_to(panel, exposure, [year])), main)


def _cohort(project: Project, records: SchoolRecords) -> pd.Series:
    """Return each school's mean cohort size before the programme, over the years that have it."""
    return records.cohort[[year for year in project.exposure.pre if year in records.cohort]].mean(axis=1)


def _pupils(project: Project, records: SchoolRecords) -> pd.Series | None:
    return _cohort(project, records) if project.estimation.weights == "pupils" else None


def _areas(project: Project, design: OutcomeDesign, spec: _Spec) -> AreaEffects:
    """Return the effect of every area; excluded areas serve neither as comparison nor in the permutation."""
    fewest, own = project.pool.minimum_area_schools, design.treated_group
    if isinstance(spec.comparison, GroupMatches):
        found = effects_of_matches(spec.changes, spec.comparison, own, fewest)
    else:
        found = effects_by_area(spec.changes, spec.comparison, own, fewest)
    return found.without(set(project.pool.exclude_areas) - {own})


def _estimand(design: OutcomeDesign, lost: int) -> Estimand:
    if design.treated_group == TREATED_GROUP:
        return Estimand.ATT_AMONG_MATCHED if lost else Estimand.ATT
    return Estimand.AREA_ITT_AMONG_MATCHED if lost else Estimand.AREA_ITT


def _method(project: Project, name: str, period: str) -> str:
    pre, first = " and ".join(map(str, project.exposure.pre)), min(project.exposure.pre)
    post = " and ".join(map(str, project.exposure.post)) if period == "post" else period
    change = f"{post} less the mean of {pre}" if name != labels.LEAD else f"change from {first} to {period}"
    return f"Difference in mean change ({change}). {labels.design_label(name)}."


def _size(effect: Effect, intake: Intake, school_sd: Quantity, project: Project) -> EffectSize | None:
    if not isinstance(effect.estimate, float):
        return None
    limits = intake.limits.get(effect.outcome)
    return effect_size(effect.estimate, effect.interval, limits, school_sd, project.effect_sizes.months_table)


def _school_sd(panel: Panel, project: Project) -> Quantity:
    """Return the SD of school scores in the last year before, over the analysed untreated schools of England."""
    frame = panel.frame
    scores: pd.Series = frame.loc[(frame["period"] == max(project.exposure.pre)) & frame["cohort"].isna(), "outcome"]
    if len(scores) < 2:
        return Unavailable("Fewer than two untreated schools have a score in the last year before the programme.")
    return float(np.std(scores.to_numpy(dtype=float), ddof=1))
