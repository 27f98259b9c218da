"""The primary analysis of a project rehearsed where nothing happened: in years before, or in other areas."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats
from evalkit.core.errors import DesignError
from evalkit.core.project import Analysis, Exposure, Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.measures import measure_of
from evalkit.data.published.list_rule import rule_words
from evalkit.data.published.project_data import ProjectData
from evalkit.design.project.set_rule import SUCH_SETS, SetRule
from evalkit.diagnose.power.rehearsal import (
    Judgement,
    OutcomeRehearsal,
    OwnChange,
    PseudoProgrammes,
    Rehearsal,
    not_rehearsed,
    rehearse_outcome,
)
from evalkit.diagnose.power.rehearsal_arrays import over_areas
from evalkit.estimate.areas.set_draws import SetOptions, Sets
from evalkit.estimate.areas.sets import SetStatistics, set_statistics
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.run.kinds.registry import PlacedRequest, kind_of, plan_of

_SETS: Final = 2_000
_NO_YEARS: Final = Unavailable("The outcome is not in the files year by year.")


def rehearsed_project(project: Project, is_locked: bool) -> Project:
    """Return the project whose years are those of the rehearsal.

    Before the plan is locked the last year before the programme stands for the years after, so that no follow-up is
    read; a rule goes by the years that are left before it. Afterwards the years are the real ones.

    Raises
    ------
    DesignError
        If there is one year before alone, or the primary analysis takes years of each unit's own.
    """
    analysis = project.primary_analysis
    if analysis.describes:
        raise DesignError(
            f"'{analysis.name}' describes and gives no effect, so that there is nothing to rehearse: a rehearsal asks "
            "how often a programme that did nothing would seem to have done something."
        )
    if not analysis.uses_exposure:
        raise DesignError(
            f"'{analysis.name}' takes the years of each unit's own start, and cannot be rehearsed by moving one start. "
            "`evalkit power` says what it could detect."
        )
    if is_locked:
        return replace(project, analyses=(analysis,))
    exposure = project.exposure_of(analysis)
    if len(exposure.pre) < 2:
        raise DesignError(
            "A rehearsal takes the last year before the programme as the year after, and needs another before it; the "
            "project names one year before alone. After `evalkit lock` it is made over the real years of other areas."
        )
    moved = Exposure(pre=exposure.pre[:-1], partial=(), post=exposure.pre[-1:])
    rule = project.participants.rule
    if rule is not None:
        kept = tuple(year for year in rule.years if year in moved.pre) or moved.pre
        rule = replace(rule, years=kept)
    return replace(
        project,
        analyses=(_of_years(analysis, moved),),
        exposure=moved,
        participants=replace(project.participants, rule=rule),
        contrasts=(),
        claims=None,
        cost=None,
        by=(),
        families=(),
        choices=None,
    )


def _of_years(analysis: Analysis, exposure: Exposure) -> Analysis:
    if analysis.exposure is None:
        return replace(analysis, by=(), families=())
    options = replace(analysis.options, exposure=exposure)
    return replace(analysis, exposure=exposure, options=options, by=(), families=())


def rehearse(project: Project, data: ProjectData, is_locked: bool) -> Rehearsal:
    """Rehearse the primary analysis of a project, whose years are those of `rehearsed_project`, in every other area.

    `data` has those years and no later one.
    """
    analysis = project.primary_analysis
    plan = plan_of(project, analysis, data)
    kind, exposure = kind_of(analysis.kind), project.exposure_of(analysis)
    outcomes = []
    for outcome in plan.project.outcomes:
        known = measure_of(project, outcome.code)
        label = (known.label, known.unit)
        if kind.placed is None:
            outcomes.append(not_rehearsed(label, "This kind of analysis has no placebo areas or sets to rehearse in."))
            continue
        placed = kind.placed(PlacedRequest(plan=plan, outcome=outcome.code, intake=data))
        change = _own_change(data, project, outcome.code, exposure)
        outcomes.append(_outcome(label, placed, change, project))
    rule = project.participants.rule
    return Rehearsal(
        project=project,
        data_kind=data.kind,
        analysis=analysis.name,
        how_listed="as the project lists them" if rule is None else rule_words(rule),
        pre=exposure.pre,
        post=exposure.post,
        is_locked=is_locked,
        outcomes=tuple(outcomes),
    )


def _own_change(data: ProjectData, project: Project, code: str, exposure: Exposure) -> pd.Series | Unavailable:
    records = data.records.get(measure_of(project, code).key_stage)
    if records is None or code not in records.values:
        return _NO_YEARS
    values = records.values[code]
    change: pd.Series = values[list(exposure.post)].mean(axis=1, skipna=False) - values[list(exposure.pre)].mean(axis=1)
    return change


def _outcome(
    label: tuple[str, str], placed: PlacedStatistic | Unavailable, change: pd.Series | Unavailable, project: Project
) -> OutcomeRehearsal:
    if isinstance(placed, Unavailable):
        return not_rehearsed(label, placed.reason)
    places, several = placed.places, "Several areas are judged by draws of as many areas, and not one by one."
    if places is not None:
        if len(places.treated) > 1:
            return not_rehearsed(label, several)
        found = places.statistic([(one,) for one in places.stand_ins]).reshape(len(places.stand_ins), -1)
        every = PseudoProgrammes(statistic=found[:, placed.column], area=np.arange(len(found)))
        own = OwnChange(listed=Unavailable("Whole areas take part."), others=Unavailable("Whole areas take part."))
        judgement = Judgement(judged_by="all other areas", among=every, is_centred=False)
        return rehearse_outcome(label, every, (judgement,), own, project.inference.level)
    if placed.pool is None or placed.statistic is None:
        return not_rehearsed(label, "It is judged by dealings among participants, which other areas have none of.")
    if len(placed.pool.treated_areas) > 1:
        return not_rehearsed(label, several)
    return _by_sets(label, placed, change, project)


def _by_sets(
    label: tuple[str, str], placed: PlacedStatistic, change: pd.Series | Unavailable, project: Project
) -> OutcomeRehearsal:
    rules: list[SetRule] = [placed.rule, *(one for one in ("like", "simple") if one != placed.rule)]
    is_whole = placed.pool is not None and placed.pool.is_whole
    found = {rule: _drawn(placed, rule, project) for rule in (rules[:1] if is_whole else rules)}
    leading = found[placed.rule]
    if isinstance(leading, Unavailable):
        return not_rehearsed(label, leading.reason)
    judgements = tuple(
        Judgement(judged_by=SUCH_SETS[rule], among=_pseudo(made), is_centred=rule != "simple")
        for rule, made in found.items()
        if isinstance(made, SetStatistics)
    )
    own = change if isinstance(change, Unavailable) else _own(leading, placed, change)
    if isinstance(own, Unavailable):
        own = OwnChange(listed=own, others=own)
    return rehearse_outcome(label, _pseudo(leading), judgements, own, project.inference.level)


def _drawn(placed: PlacedStatistic, rule: SetRule, project: Project) -> SetStatistics | Unavailable:
    assert placed.pool is not None
    assert placed.statistic is not None
    options = SetOptions(
        rule=rule, n_sets=placed.n_sets or _SETS, seed=project.seed, level=project.inference.level, draws_more=False
    )
    if rule == "like" and (
        placed.pool.level is None or not np.isfinite(placed.pool.level[placed.pool.is_listed]).all()
    ):
        return Unavailable("The level before is not known of every listed school.")
    found = set_statistics(placed.statistic, placed.pool, options, chunk=placed.chunk)
    if not len(found.draws):
        return Unavailable(found.draws.reason or "No other area could hold such a set.")
    return replace(found, values=found.values[:, [placed.column]], observed=found.observed[[placed.column]])


def _pseudo(found: SetStatistics) -> PseudoProgrammes:
    is_known = np.isfinite(found.values[:, 0])
    return PseudoProgrammes(statistic=found.values[is_known, 0], area=found.draws.area[is_known, 0])


def _own(found: SetStatistics, placed: PlacedStatistic, change: pd.Series) -> OwnChange:
    """Return how the schools of pseudo-programmes changed, and the other schools of their areas."""
    assert placed.pool is not None
    own = change.reindex([*map(str, placed.pool.ids)]).to_numpy(dtype=float)
    area = placed.pool.area
    listed, others = [], []
    for sets in found.draws.chunks(500):
        inside, outside = _means(sets, own, area)
        listed.append(inside)
        others.append(outside)
    at = found.draws.area[:, 0]
    return OwnChange(listed=_mean(np.concatenate(listed), at), others=_mean(np.concatenate(others), at))


def _means(sets: Sets, own: Floats, area: np.ndarray) -> tuple[Floats, Floats]:
    inside, outside = np.full(len(sets), np.nan), np.full(len(sets), np.nan)
    for at in range(len(sets)):
        units = sets.members[at][sets.members[at] >= 0]
        is_other = area == sets.areas[at, 0]
        is_other[units] = False
        inside[at] = np.nanmean(own[units]) if np.isfinite(own[units]).any() else np.nan
        outside[at] = np.nanmean(own[is_other]) if np.isfinite(own[is_other]).any() else np.nan
    return inside, outside


def _mean(values: Floats, area: np.ndarray) -> Quantity:
    is_known = np.isfinite(values)
    if not is_known.any():
        return Unavailable("No such school has a result in every year.")
    return over_areas(values[is_known], area[is_known])[0]
