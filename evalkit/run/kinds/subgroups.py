"""An analysis of any kind made again for each subgroup, and how the effects of the subgroups differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Final, Literal

import pandas as pd

from evalkit.core.draws import SERIAL, Executor
from evalkit.core.errors import DesignError, InputError
from evalkit.core.project import Analysis, Project
from evalkit.core.quantities import Unavailable
from evalkit.core.words import counted, listed
from evalkit.data.measures import measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import exclusion_reasons
from evalkit.data.published.subgroups import (
    of_people,
    of_schools,
    on_common_people,
    on_common_sample,
    people_subgroups,
    school_subgroups,
    schools_of_people,
)
from evalkit.data.subgroups import MOST_SUBGROUPS, PeopleOf, Subgroup, is_of_pupils, pupil_subgroups
from evalkit.design.analysis_plan import AnalysisPlan, SubgroupPlan
from evalkit.diagnose.evaluation import AnalysisResults, Interaction, SubgroupEffect, SubgroupResults
from evalkit.estimate.areas.together import (
    Difference,
    PlacedStatistic,
    Together,
    TogetherOptions,
    place_together,
)
from evalkit.estimate.effect import Effect

MakePlan = Callable[[Project, Analysis, ProjectData], AnalysisPlan]
MakeResults = Callable[[AnalysisPlan, ProjectData], AnalysisResults]
Place = Callable[[AnalysisPlan, str, ProjectData], PlacedStatistic | Unavailable]
"""What a kind does: its plan, its results, and the statistic of an outcome as what can be placed beside others."""
Rows = Literal["schools", "areas", "pupils"]
"""What the estimates of a kind are made of, and its effects count."""

_ONE: Final = (
    "all treated schools are of one subgroup ({subgroup}), so that there is nothing to compare. Leave it out of `by`"
)
_NONE: Final = "no treated school is known to be of any subgroup. Leave it out of `by`, or fill the column"
_MANY: Final = (
    "the treated schools are of {n} subgroups, and at most {most} are told apart. Name a column that groups them"
)
_ARE_AREAS: Final = (
    "the series are of whole areas, one row for each, in which there are no schools or pupils to be parted. Name an "
    "outcome for each subgroup and judge them together as a family, or leave it out of `by`"
)
_ARE_PUPILS: Final = (
    "it is a column of a table of pupils, and this kind of analysis parts schools. Leave it out (`by: []`), name a "
    "column of a table of schools, or analyse by `kind: pupils`"
)
_ONE_VALUE: Final = "the column has fewer than two values in the years before, so that there is nothing to compare"


# Before outcomes.


def with_subgroups(
    plan: AnalysisPlan, project: Project, intake: ProjectData, make: MakePlan, rows: Rows = "schools"
) -> AnalysisPlan:
    """Return a plan with that of each subgroup; `intake` holds the years before, and `make` is the kind's own verb.

    `rows` is what the kind's estimates are made of. Raises `DesignError` with everything that stands against any.
    """
    plans: list[SubgroupPlan] = []
    problems: list[str] = []
    for by in project.by_of(plan.analysis):
        try:
            plans += _parted(plan, by, intake, make, rows)
        except InputError as problem:
            problems.append(f"`by: {by}`: {problem}")
    if problems:
        raise DesignError("\n".join(problems))
    record = {**plan.record, "subgroups": _record(plans)} if plans else plan.record
    return replace(plan, subgroups=tuple(plans), record=record)


def _parted(plan: AnalysisPlan, by: str, intake: ProjectData, make: MakePlan, rows: Rows) -> Iterator[SubgroupPlan]:
    """Yield the plan of each subgroup of one `by`; raise `DesignError` where the kind's rows cannot be parted so."""
    if rows == "areas" and _are_areas(plan, intake):
        raise DesignError(_ARE_AREAS)
    if is_of_pupils(by):
        return _of_pupils(plan, by, intake, make)
    if by.partition(".")[0] not in intake.people:
        return _of_schools(plan, by, intake, make)
    if rows != "pupils":
        raise DesignError(_ARE_PUPILS)
    return _of_people(plan, by, intake, make)


def _are_areas(plan: AnalysisPlan, intake: ProjectData) -> bool:
    """Return whether each unit that the primary outcome is known of is an area."""
    area = intake.records[measure_of(plan.project, plan.project.primary.code).key_stage].schools["area"].dropna()
    return bool(area.is_unique)


def _of_people(plan: AnalysisPlan, by: str, intake: ProjectData, make: MakePlan) -> Iterator[SubgroupPlan]:
    """Yield the plan of each subgroup of the pupils of an own table, by one of its columns."""
    found = people_subgroups(intake, by)
    if len(found) < 2:
        raise DesignError(_ONE_VALUE)
    if len(found) > MOST_SUBGROUPS:
        raise DesignError(f"the column has {len(found)} values, and at most {MOST_SUBGROUPS} subgroups are told apart")
    common = on_common_people(intake, found)
    treated = set(intake.treated.schools.get(found[0].table, ()))
    _require_enough(plan.project, [(one.words, len(treated & {*schools_of_people(common, one)})) for one in found])
    pairs = tuple((one.code, one.code) for one in plan.project.outcomes)
    for one in found:
        subgroup = Subgroup(by=by, name=f"{one.value:g}", words=one.words, outcomes=pairs)
        own, together = (_made(plan, subgroup, of_people(held, one), make) for held in (intake, common))
        yield SubgroupPlan(subgroup=subgroup, plan=own, common=together, people=one)


def _record(plans: Sequence[SubgroupPlan]) -> dict[str, object]:
    """Return what is locked of subgroups: of each its outcomes, its plan, and that of the common sample."""
    found: dict[str, dict[str, object]] = {}
    for one in plans:
        common = {} if one.common is None else {"common_sample": one.common.record}
        schools = {} if one.kept is None else {"schools": {stage: len(kept) for stage, kept in one.kept.items()}}
        entry = {"outcomes": dict(one.subgroup.outcomes), **schools, "plan": one.plan.record, **common}
        found.setdefault(one.subgroup.by, {})[one.subgroup.name] = entry
    return dict(found)


def _of_pupils(plan: AnalysisPlan, by: str, intake: ProjectData, make: MakePlan) -> Iterator[SubgroupPlan]:
    """Yield the plan of each subgroup of pupils, by the breakdowns that are published."""
    subgroups = _read_subgroups(plan, by, intake)
    common = on_common_sample(intake, subgroups)
    counts = [(subgroup.words, len(_usable(plan, common, subgroup.outcomes[0][1]))) for subgroup in subgroups]
    _require_enough(plan.project, counts)
    for subgroup in subgroups:
        own, together = (_made(plan, subgroup, held, make) for held in (intake, common))
        yield SubgroupPlan(subgroup=subgroup, plan=own, common=together)


def _read_subgroups(plan: AnalysisPlan, by: str, intake: ProjectData) -> tuple[Subgroup, ...]:
    """Return the subgroups of pupils of the outcomes whose breakdowns were read."""
    read = {code for records in intake.records.values() for code in records.values}
    subgroups = pupil_subgroups(plan.project, by)
    whole = {code for subgroup in subgroups for code, part in subgroup.outcomes}
    lacking = {code for subgroup in subgroups for code, part in subgroup.outcomes if part not in read}
    if not whole - lacking:
        raise DesignError(f"no breakdown by {by} was read of {listed(sorted(whole))}. Leave it out of `by`")
    return tuple(
        replace(subgroup, outcomes=tuple(pair for pair in subgroup.outcomes if pair[0] not in lacking))
        for subgroup in subgroups
    )


def _usable(plan: AnalysisPlan, intake: ProjectData, code: str) -> pd.Index:
    """Return the treated schools that can be analysed for an outcome by the years before."""
    project = plan.project
    for stage, records in intake.records.items():
        if code in records.values:
            years = project.exposure_of(plan.analysis).pre if plan.analysis.uses_exposure else records.years
            reasons = exclusion_reasons(records, code, years, project.pool.minor_groups)
            treated = pd.Index(list(intake.treated.schools[stage]))
            return treated[(reasons.reindex(treated) == "").to_numpy()]
    return pd.Index([])


def _require_enough(project: Project, counts: Sequence[tuple[str, int]]) -> None:
    fewest = project.pool.minimum_treated
    few = [f"{words}: {counted(n, 'treated school')}" for words, n in counts if n < fewest]
    if few:
        raise DesignError(
            f"too few treated schools with results of them in every year before ({listed(few)}); "
            f"`pool.minimum_treated` asks for {fewest}. Leave it out of `by`, or part the schools otherwise"
        )


def _project_of(plan: AnalysisPlan, subgroup: Subgroup) -> tuple[Project, Analysis]:
    """Return the project and the analysis with the breakdowns in the place of the outcomes."""
    parts = dict(subgroup.outcomes)
    outcomes = tuple(
        replace(one, measure=parts[one.code]) if parts[one.code] != one.code else one
        for one in plan.project.outcomes
        if one.code in parts
    )
    analysis = replace(plan.analysis, outcomes=(), by=(), families=())
    project = replace(plan.project, outcomes=outcomes, contrasts=(), by=(), families=())
    return project, analysis


def _of_schools(plan: AnalysisPlan, by: str, intake: ProjectData, make: MakePlan) -> Iterator[SubgroupPlan]:
    """Yield the plan of each subgroup of schools in which treated ones are."""
    subgroups = school_subgroups(intake, by)
    project = plan.project
    stage = measure_of(project, project.primary.code).key_stage
    own = subgroups[stage].reindex(_usable(plan, intake, project.primary.code)).dropna()
    names = sorted(own.unique())
    if len(names) < 2:
        raise DesignError(_ONE.format(subgroup=names[0]) if names else _NONE)
    if len(names) > MOST_SUBGROUPS:
        raise DesignError(_MANY.format(n=len(names), most=MOST_SUBGROUPS))
    _require_enough(project, [(name, int((own == name).sum())) for name in names])
    held = {one.code: _subgroups_with_treated(plan, intake, one.code, subgroups) for one in project.outcomes}
    pairs = tuple((code, code) for code, found in held.items() if found >= set(names))
    for name in names:
        subgroup = Subgroup(by=by, name=name, words=name, outcomes=pairs)
        kept = {of: found.index[found == name] for of, found in subgroups.items()}
        made = _made(plan, subgroup, of_schools(intake, kept), make)
        yield SubgroupPlan(subgroup=subgroup, plan=made, kept=kept)


def _subgroups_with_treated(
    plan: AnalysisPlan, intake: ProjectData, code: str, subgroups: Mapping[str, pd.Series]
) -> set[str]:
    """Return the subgroups with treated schools that can be analysed for an outcome."""
    usable = _usable(plan, intake, code)
    return {str(name) for found in subgroups.values() for name in found.reindex(usable).dropna().unique()}


def _made(plan: AnalysisPlan, subgroup: Subgroup, intake: ProjectData, make: MakePlan) -> AnalysisPlan:
    """Return the plan of a subgroup; raise `DesignError` with its name where none can be made."""
    project, analysis = _project_of(plan, subgroup)
    try:
        return make(project, analysis, intake)
    except InputError as problem:
        raise DesignError(f"{subgroup.words}: {problem}") from None


# With outcomes.


def subgroup_results(
    plan: AnalysisPlan,
    intake: ProjectData,
    estimate: MakeResults,
    place: Place | Unavailable,
    executor: Executor = SERIAL,
    rows: Rows = "schools",
) -> Iterator[SubgroupResults]:
    """Yield the results of each `by` of a plan; `intake` holds every year, `estimate` and `place` are the kind's."""
    for by in dict.fromkeys(one.subgroup.by for one in plan.subgroups):
        own = [one for one in plan.subgroups if one.subgroup.by == by]
        data, common = _data_of(own, intake)
        found = [estimate(one.plan, held) for one, held in zip(own, data, strict=True)]
        together = [
            None if one.common is None else estimate(one.common, held) for one, held in zip(own, common, strict=True)
        ]
        codes = [one.code for one in plan.project.outcomes if all(one.code in dict(of.subgroup.outcomes) for of in own)]
        effects = [
            _subgroup_effect(code, one, (results, beside), rows)
            for code in codes
            for one, results, beside in zip(own, found, together, strict=True)
        ]
        yield SubgroupResults(
            by=by,
            is_of_pupils=own[0].common is not None,
            effects=tuple(effects),
            interactions=tuple(
                difference
                for code in codes
                for difference in _interactions(code, own, common, _why_not(code, effects) or place, executor)
            ),
            left_out=tuple(one.code for one in plan.project.outcomes if one.code not in codes),
            are_areas=rows == "areas",
        )


def _data_of(plans: Sequence[SubgroupPlan], intake: ProjectData) -> tuple[list[ProjectData], list[ProjectData]]:
    """Return the data of each subgroup, and those in which subgroups are set against each other."""
    if plans[0].kept is not None:
        own = [of_schools(intake, one.kept) for one in plans if one.kept is not None]
        return own, own
    people: list[PeopleOf] = [one.people for one in plans if one.people is not None]
    if people:
        common = on_common_people(intake, people)
        return [of_people(intake, one) for one in people], [of_people(common, one) for one in people]
    together = on_common_sample(intake, [one.subgroup for one in plans])
    return [intake] * len(plans), [together] * len(plans)


def _subgroup_effect(
    code: str, plan: SubgroupPlan, results: tuple[AnalysisResults, AnalysisResults | None], rows: Rows
) -> SubgroupEffect:
    part, (own, common) = dict(plan.subgroup.outcomes)[code], results
    return SubgroupEffect(
        outcome=code,
        words=plan.subgroup.words,
        effect=_main(own, part, rows),
        common=None if common is None else _main(common, part, rows),
    )


def _why_not(code: str, effects: Sequence[SubgroupEffect]) -> Unavailable | None:
    """Return why the subgroups of an outcome are not set against each other: one of them has too few schools."""
    compared = (one.effect if one.common is None else one.common for one in effects if one.outcome == code)
    return next((one for one in compared if isinstance(one, Unavailable)), None)


def _main(results: AnalysisResults, code: str, rows: Rows) -> Effect | Unavailable:
    """Return the effect by which an outcome is quoted, or why a subgroup has none: few schools are left of it.

    Effects on whole areas count these; how many schools their means need the plan has said.
    """
    found = results.main(code) or next((one for one in results.effects if one.outcome == code), None)
    if found is None:
        return Unavailable("The analysis gives no effect on it.")
    fewest = 1 if rows == "areas" else results.project.pool.minimum_treated
    if isinstance(found.estimate, float) and found.n_treated < fewest:
        left = counted(found.n_treated, "treated school")
        return Unavailable(f"{left} with results afterwards: too few (`pool.minimum_treated` asks for {fewest}).")
    return found


def _interactions(
    code: str,
    plans: Sequence[SubgroupPlan],
    data: Sequence[ProjectData],
    place: Place | Unavailable,
    executor: Executor,
) -> Iterator[Interaction]:
    """Yield the difference of each pair of subgroups; sets hold what they need of every subgroup at once."""
    together = _placed(code, plans, data, place, executor)
    pairs = list(combinations(range(len(plans)), 2))
    for first, second in pairs:
        found = (
            Difference.unavailable(together)
            if isinstance(together, Unavailable)
            else together.difference(first, second)
        )
        yield Interaction(
            outcome=code, first=plans[first].subgroup.words, second=plans[second].subgroup.words, difference=found,
            p_adjusted=None if len(pairs) == 1 else _adjusted(together, pairs, (first, second)),
        )  # fmt: skip


def _placed(
    code: str,
    plans: Sequence[SubgroupPlan],
    data: Sequence[ProjectData],
    place: Place | Unavailable,
    executor: Executor,
) -> Together | Unavailable:
    if isinstance(place, Unavailable):
        return place
    found: list[PlacedStatistic] = []
    for one, held in zip(plans, data, strict=True):
        plan = one.plan if one.common is None else one.common
        placed = place(plan, dict(one.subgroup.outcomes)[code], held)
        if isinstance(placed, Unavailable):
            return placed
        found.append(placed)
    project = plans[0].plan.project
    options = TogetherOptions(level=project.inference.level, seed=project.seed, is_apart=plans[0].kept is not None)
    return place_together(found, options, executor)


def _adjusted(
    together: Together | Unavailable, pairs: Sequence[tuple[int, int]], pair: tuple[int, int]
) -> float | Unavailable:
    """Return the p-value of one pair's difference, adjusted for all pairs by step-down over the same draws."""
    if isinstance(together, Unavailable):
        return together
    found = together.differences(pairs).adjusted()
    return found if isinstance(found, Unavailable) else float(found[pairs.index(pair)])
