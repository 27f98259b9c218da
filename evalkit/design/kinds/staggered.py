"""The plan of an analysis of staggered starts: who starts when, who is compared, and how it will be judged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.errors import DesignError
from evalkit.core.project import OWN_GROUP, Exposure, NeighbourList, Project, first_summer
from evalkit.core.shown import Shown
from evalkit.core.words import counted, listed
from evalkit.data.flow import LeftOut
from evalkit.data.measures import marked, measure_of
from evalkit.data.panel import Panel
from evalkit.data.published.list_rule import picked_of
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords
from evalkit.data.roles import Roles
from evalkit.design.clusters import OVER_SETS
from evalkit.design.kinds.matched import MatchedOptions, MatchedPool, OutcomeMatch, match_record, plan_matched
from evalkit.design.project.set_rule import MOST_AREAS, SetDesign, set_design

_CONFIG = {"extra": "forbid", "use_attribute_docstrings": True, "str_strip_whitespace": True}

# What a project file may say of an analysis of staggered starts.


@dataclass(frozen=True, slots=True, kw_only=True)
class StaggeredPool:
    """Which units may be compared, decided before outcomes; those of treated areas never are."""

    __pydantic_config__: ClassVar = _CONFIG
    minor_groups: tuple[str, ...] | None = None
    """School groups that count as mainstream and state-funded; by default those of the project's `pool`."""
    neighbours: NeighbourList | None = None
    """Compare only with areas that this list calls like a treated one; by default with all others."""
    exclude_areas: tuple[int, ...] = ()
    """Areas never used for comparison, by DfE code, beside those of the project's `pool`."""
    match: MatchedOptions | None = None
    """Match first, by what was known before the first start, and compare with those matched: options as of the kind
    `matched`, without `estimate`, `pool` and `exposure`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaggeredChoices:
    """What an analysis of the kind `staggered` may say for itself: the options of `evalkit did` by the same names."""

    __pydantic_config__: ClassVar = _CONFIG
    estimator: Literal["group-time", "imputation", "sun-abraham", "extended", "two-stage", "twfe"] = "group-time"
    """The estimator that is quoted; all six stand side by side in the review."""
    method: Literal["dr", "ipw", "reg"] | None = None
    """How the group-time estimator adjusts for covariates: doubly robust by default."""
    comparison: Literal["never", "not-yet"] | None = None
    """Who is compared with: units never treated (default), or also those that start later (default of `extended`)."""
    covariates: tuple[str, ...] = ()
    """What comparisons are adjusted for: `cohort_size`, a measure before the first start (CODE or CODE_YEAR), or a
    column of an own table without periods (table.column)."""
    weights: Literal["units", "pupils"] = "units"
    """What each unit weighs: one, or its mean number of pupils before the first start."""
    anticipation: int | None = None
    """Years before the start with an early effect."""
    base_period: Literal["varying", "universal"] | None = None
    """What years before the start are measured from: the one before each (default), or the last before the start."""
    unbalanced: Literal["pairs", "complete", "levels"] | None = None
    """Units that lack years: each serves the comparisons it has both years for (default), or only complete units do,
    or rows are taken as repeated cross-sections."""
    balanced_until: int | None = None
    """Event study of cohorts seen so many years after their start."""
    bootstrap: int | None = None
    """Draws of a bootstrap, such as 999; for errors by cluster only."""
    draw: Literal["multipliers", "clusters"] | None = None
    """What a bootstrap draws."""
    cluster: Literal["area", "group", "unit"] = "area"
    """What errors are clustered by; with `area` and up to 20 treated areas, sets of units of other areas judge."""
    pool: StaggeredPool | None = None
    """Which units may be compared."""

    @property
    def compared(self) -> Literal["never", "not-yet"]:
        """Return who is compared with."""
        return self.comparison or ("not-yet" if self.estimator == "extended" else "never")


AREA: Final = "area"
"""What a cluster that is an area is called, before its code."""
BY_SETS: Final = (
    "The participants lie in {areas}, so that no error among them tells their areas' own course from the programme: "
    "sets of units of other areas take their places, with their starts."
)
BY_CLUSTERS: Final = "The participants lie in {areas}, enough for errors clustered by area."
BY_OTHERS: Final = {
    "group": "Errors are clustered by participants' groups, and by area where a unit has none, as the project asks.",
    "unit": "Errors are clustered by unit, as the project asks: what units of one area share is then in no error.",
}


# The plan.


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StaggeredOutcome:
    """Who is compared with whom for one outcome.

    Attributes
    ----------
    code, stage : the outcome, and the records that hold it
    cohort : first treated summer of each participant, by unit
    pool : units that may be compared, none of a treated area
    others : units of treated areas that take no part: nobody's comparison
    area : code of each unit's area, for all of these
    cluster : what each unit's errors are clustered by
    weight : of each unit
    covariates : by unit, known before the first start; no columns where there are none
    level : mean outcome before the first start, by unit
    sets : how sets will judge, None where clusters do
    left_out : units that cannot be analysed, with the reason
    match : who is matched with whom first, None where all of the pool are compared
    """

    code: str
    stage: str
    cohort: pd.Series
    pool: pd.Index
    others: pd.Index
    area: pd.Series
    cluster: pd.Series
    weight: pd.Series
    covariates: pd.DataFrame
    level: pd.Series
    sets: SetDesign | None
    left_out: tuple[LeftOut, ...]
    match: OutcomeMatch | None = None

    @property
    def treated_areas(self) -> tuple[int, ...]:
        """Return the codes of the areas that hold participants."""
        return tuple(sorted(self.area.reindex(self.cohort.index).unique().tolist()))

    @property
    def recommended(self) -> str:
        """Return the inference by name where sets judge, else an empty text: the clusters that remain decide."""
        return OVER_SETS if self.sets is not None else ""

    def panel(self, values: pd.DataFrame, matched: pd.Series | None = None) -> Panel:
        """Return the panel of participants and pool from results by unit and year; gaps are no rows.

        `matched` are weights by unit from a matching, by which units weigh; those without one are not in the panel.
        """
        units = self.cohort.index.append(self.pool)
        weight = self.weight
        if matched is not None:
            units = units[matched.reindex(units).gt(0).to_numpy()]
            weight = weight * matched.reindex(weight.index)
        wide = values.reindex(units)
        at, year = np.nonzero(wide.notna().to_numpy())
        frame = pd.DataFrame({"unit": wide.index[at], "period": wide.columns.astype(int)[year]})
        frame["outcome"] = wide.to_numpy(dtype=float)[at, year]
        by_unit = {"cohort": self.cohort.astype(float), "cluster": self.cluster, "weight": weight}
        for name, column in by_unit.items():
            frame[name] = frame["unit"].map(column)
        for covariate in self.covariates:
            frame[covariate] = frame["unit"].map(self.covariates[covariate])
        roles = Roles(
            unit="unit",
            period="period",
            outcome="outcome",
            cohort="cohort",
            cluster="cluster",
            weight="weight",
            covariates=tuple(map(str, self.covariates)),
        )
        return Panel.from_frame(frame, roles)

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data."""
        cohorts = {
            str(start): sorted(map(str, self.cohort.index[self.cohort == start]))
            for start in sorted(self.cohort.unique())
        }
        adjusted = self.covariates.round(9).sort_index().to_csv() if len(self.covariates.columns) else ""
        return {
            "cohorts": cohorts,
            "treated_areas": list(self.treated_areas),
            "n_pool": len(self.pool),
            "pool_sha256": _digest(sorted(map(str, self.pool))),
            "covariates": list(map(str, self.covariates)),
            "covariates_sha256": _digest([adjusted]),
            "judged_by": self.recommended or "clusters",
            "sets_drawn": self.sets.rule if self.sets is not None else "",
            **({} if self.match is None else {"match": match_record(self.match)}),
            "left_out": {one.reason: len(one.units) for one in self.left_out},
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class StaggeredPlan(Shown):
    """The plan of every outcome, and the choices behind it; `area_names` by code, as far as they are known."""

    choices: StaggeredChoices
    outcomes: Mapping[str, StaggeredOutcome]
    labels: Mapping[str, str]
    area_names: Mapping[int, str]
    reason: str
    cautions: tuple[str, ...] = ()

    def name_of(self, cluster: str, units: pd.DataFrame) -> str:
        """Return the name of a cluster or unit: its own where it has one, else as it stands in the data."""
        if cluster in units.index:
            return str(units.loc[cluster, "name"]) or cluster
        word, _, code = cluster.partition(" ")
        return self.area_names.get(int(code), cluster) if word == AREA and code.isdigit() else cluster

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data."""
        return {"outcomes": {code: outcome.record() for code, outcome in self.outcomes.items()}}


def staggered_plan(project: Project, choices: StaggeredChoices, intake: ProjectData) -> StaggeredPlan:
    """Decide who starts when and who is compared, from what was known before the programme.

    Raises
    ------
    DesignError
        Where no participant, or nobody to compare with, is left for an outcome, or a start is missing.
    """
    outcomes = {one.code: _outcome(project, choices, intake, one.code) for one in project.outcomes}
    first = outcomes[project.primary.code]
    return StaggeredPlan(
        choices=choices,
        outcomes=outcomes,
        labels={one.code: marked(project, one.code, measure_of(project, one.code).label) for one in project.outcomes},
        area_names=area_names_of(intake),
        reason=_reason(choices, first),
        cautions=tuple(_cautions(project, choices)),
    )


def area_names_of(intake: ProjectData) -> dict[int, str]:
    """Return the names of areas by code; a unit that is an area of its own has its own name."""
    names: dict[int, str] = {}
    for records in intake.records.values():
        area = unit_areas(records)
        column = "name" if are_own_areas(records) else "area_name"
        names |= dict(zip(area.tolist(), records.schools[column].reindex(area.index).astype(str), strict=True))
    return names


def _reason(choices: StaggeredChoices, outcome: StaggeredOutcome) -> str:
    if choices.cluster != "area":
        return BY_OTHERS[choices.cluster]
    areas = counted(len(outcome.treated_areas), "area")
    return (BY_SETS if outcome.sets is not None else BY_CLUSTERS).format(areas=areas)


def _cautions(project: Project, choices: StaggeredChoices) -> Iterator[str]:
    if project.participants.first_year == "partial" and not choices.anticipation:
        yield (
            "The summer of the school year in which a participant started counts as before its programme, and effects "
            "are measured from it, though it was exposed for part of that year. With `anticipation: 1` they are "
            "measured from the summer before."
        )


def values_of(records: SchoolRecords, code: str) -> pd.DataFrame:
    """Return what was measured, by unit and year: under the outcome's code, or its column's name in an own table."""
    return records.values[code] if code in records.values else records.values[code.partition(".")[2]]


# Who starts when.


def cohorts_of(intake: ProjectData, stage: str) -> pd.Series:
    """Return the cohort of each participant of a key stage or own table, by unit: its first treated summer.

    A start belongs to its school year and that to its summer; without any starts the programme's first day is that of
    every participant. Raise `DesignError` where a list has some starts, and lacks others.
    """
    units = pd.Index(sorted(intake.treated.schools.get(stage, ())), dtype=object)
    known = intake.treated.facts["cohort"].reindex(units)
    if known.isna().any():
        lacking = known.index[known.isna()].tolist()
        raise DesignError(
            f"{counted(len(lacking), 'participant')} of {len(units):,} without a start ({listed(lacking, 5)}), and "
            "the kind `staggered` compares by start. Fill the column `start` in, or leave it out for all of them: the "
            "programme's first day is then that of every one."
        )
    return known.astype("int64")


# Who is compared.


def _outcome(project: Project, choices: StaggeredChoices, intake: ProjectData, code: str) -> StaggeredOutcome:
    stage = measure_of(project, code).key_stage
    records = intake.records[stage]
    cohort = cohorts_of(intake, stage)
    area = unit_areas(records)
    reasons = _reasons(project, choices, records, area)
    treated = cohort[reasons.reindex(cohort.index).eq("")]
    if not len(treated):
        raise DesignError(
            f"{measure_of(project, code).label}: no participant is left that could be analysed. Run `evalkit check "
            f"{project.slug}` to see why each was left out."
        )
    usable = reasons.index[reasons == ""]
    is_near = area.reindex(usable).isin(treated_areas_of(intake, stage))
    others = usable[is_near & ~usable.isin(cohort.index)]
    pool = _pool(project, choices, intake, (stage, area), usable[~is_near])
    if not len(pool):
        raise DesignError(
            f"{measure_of(project, code).label}: nobody is left to compare with outside the areas in which "
            "anybody takes part. Give units of other areas as well, or widen `pool`."
        )
    before = int(treated.min()) - (choices.anticipation or 0)
    everyone = treated.index.append(pool).append(others)
    level = _mean_before(values_of(records, code), before).reindex(everyone)
    sets = _sets(choices, treated, area, pool, level, picked=picked_of(records.schools))
    covariates = _covariates(project, choices, intake, before, treated.index.append(pool))
    weight = pd.Series(1.0, everyone) if choices.weights == "units" else _pupils(records, before).reindex(everyone)
    lost = [*_left_out(reasons, cohort.index), *_incomplete(covariates, weight, treated.index)]
    complete = covariates.notna().all(axis=1) & weight.reindex(covariates.index).gt(0)
    kept = covariates.index[complete]
    return StaggeredOutcome(
        code=code,
        stage=stage,
        cohort=treated[treated.index.isin(kept)],
        pool=pool[pool.isin(kept)],
        others=others,
        area=area.reindex(everyone).astype("int64"),
        cluster=_clusters(choices, intake, area.reindex(everyone)),
        weight=weight,
        covariates=covariates.loc[kept],
        level=level,
        sets=sets,
        left_out=tuple(lost),
        match=_matched(project, choices, intake, code, before),
    )


def _matched(
    project: Project, choices: StaggeredChoices, intake: ProjectData, code: str, before: int
) -> OutcomeMatch | None:
    """Return the matching that comes first, on what was known before the first start; None where none is asked for."""
    if choices.pool is None or choices.pool.match is None:
        return None
    known = measure_of(project, code)
    first = min(before, first_summer(project.programme.start))
    pre = tuple(int(year) for year in values_of(intake.records[known.key_stage], code).columns if int(year) < first)
    outcomes = tuple(one for one in project.outcomes if one.code == code)
    seen = replace(project, outcomes=outcomes, exposure=Exposure(pre=pre))
    pool = MatchedPool(
        minor_groups=choices.pool.minor_groups,
        exclude_areas=(*project.pool.exclude_areas, *choices.pool.exclude_areas),
        neighbours=choices.pool.neighbours,
    )
    found = plan_matched(seen, replace(choices.pool.match, pool=pool), intake).outcomes[0]
    if found.design is None:
        raise DesignError(f"{known.label}: nobody is matched. {found.too_few[:1].upper()}{found.too_few[1:]}.")
    return found


def unit_areas(records: SchoolRecords) -> pd.Series:
    """Return the code of each unit's area; where no unit has one, each is an area of its own."""
    area = pd.to_numeric(records.schools["area"], errors="coerce")
    if are_own_areas(records):
        return pd.Series(np.arange(1, len(area) + 1), area.index, dtype="int64")
    return area.dropna().astype("int64")


def are_own_areas(records: SchoolRecords) -> bool:
    """Return whether units are areas themselves, or their areas are not known."""
    return bool(records.schools["area"].isna().all())


def _reasons(project: Project, choices: StaggeredChoices, records: SchoolRecords, area: pd.Series) -> pd.Series:
    """Return why each unit cannot be analysed, an empty text where it can."""
    reason = pd.Series("", records.schools.index, dtype=object)
    reason[~reason.index.isin(area.index)] = "no local authority is given for it"
    own = choices.pool.minor_groups if choices.pool is not None else None
    groups = {*(project.pool.minor_groups if own is None else own), OWN_GROUP}
    reason[(reason == "") & ~records.schools["minor_group"].isin(list(groups))] = "not mainstream and state-funded"
    return reason


def treated_areas_of(intake: ProjectData, stage: str) -> tuple[int, ...]:
    """Return the areas in which any unit takes part, whatever the key stage or table it is listed for."""
    if are_own_areas(intake.records[stage]):
        stages = [stage]
    else:
        stages = [one for one, records in intake.records.items() if not are_own_areas(records)]
    found = {
        int(area)
        for one in stages
        for area in unit_areas(intake.records[one]).reindex(list(intake.treated.schools.get(one, ()))).dropna()
    }
    return tuple(sorted(found))


def _pool(
    project: Project, choices: StaggeredChoices, intake: ProjectData, places: tuple[str, pd.Series], outside: pd.Index
) -> pd.Index:
    """Return the units outside treated areas that may be compared; `places` are a stage and its units' areas."""
    stage, area = places
    excluded = {*project.pool.exclude_areas, *(choices.pool.exclude_areas if choices.pool else ())}
    place = area.reindex(outside)
    keep = ~place.isin(list(excluded))
    chosen = choices.pool.neighbours if choices.pool is not None else None
    if chosen is not None:
        like = {code for one in treated_areas_of(intake, stage) for code in intake.neighbours[chosen].of(one)}
        keep &= place.isin(list(like))
    return outside[keep].sort_values()


def _mean_before(values: pd.DataFrame, before: int) -> pd.Series:
    """Return the mean of the years before the first start."""
    years = [year for year in values.columns if int(year) < before]
    return values[years].mean(axis=1)


def _pupils(records: SchoolRecords, before: int) -> pd.Series:
    return _mean_before(records.pupils, before)


def _sets(
    choices: StaggeredChoices,
    treated: pd.Series,
    area: pd.Series,
    pool: pd.Index,
    level: pd.Series,
    *,
    picked: pd.Index | None,
) -> SetDesign | None:
    """Return how sets judge, None where errors by cluster do."""
    if choices.cluster != "area" or area.reindex(treated.index).nunique() > MOST_AREAS:
        return None
    stand_ins = area.reindex(pool).unique().tolist()
    return set_design(level, area, level.index, treated.index, stand_ins, picked=picked)


def _clusters(choices: StaggeredChoices, intake: ProjectData, area: pd.Series) -> pd.Series:
    """Return what each unit's errors are clustered by, as texts."""
    if choices.cluster == "unit":
        return pd.Series(area.index.astype(str), area.index)
    by_area = area.map(lambda code: f"{AREA} {int(code)}")
    if choices.cluster == "area":
        return by_area
    own = intake.treated.facts["group"].reindex(area.index)
    if (own.isna() | (own == "")).all():
        raise DesignError(
            "Errors are to be clustered by `group`, and no participant has one. Add the column `group` (a trust or "
            "network) to the participants file, or say `cluster: area`."
        )
    return by_area.where(own.isna() | (own == ""), own.astype(str))


def _left_out(reasons: pd.Series, participants: pd.Index) -> Iterator[LeftOut]:
    own = reasons.reindex(participants).fillna("it is not among the units of the outcome's records")
    for reason in sorted(set(own) - {""}):
        units = tuple(map(str, own.index[own == reason]))
        yield LeftOut(reason, units, len(units))


def _incomplete(covariates: pd.DataFrame, weight: pd.Series, treated: pd.Index) -> Iterator[LeftOut]:
    """Yield units that lack a covariate or weight, participants and others apart."""
    lacks = covariates.isna().any(axis=1) | ~weight.reindex(covariates.index).gt(0)
    for units, who in ((treated, "a participant"), (covariates.index.difference(treated), "a unit to compare with")):
        lost = tuple(map(str, units[lacks.reindex(units)]))
        if lost:
            yield LeftOut(f"{who} without a covariate or weight before the first start", lost, len(lost))


# What comparisons are adjusted for.


def _covariates(
    project: Project, choices: StaggeredChoices, intake: ProjectData, before: int, units: pd.Index
) -> pd.DataFrame:
    columns = {name: _covariate(project, intake, name, before).reindex(units) for name in choices.covariates}
    return pd.DataFrame(columns, index=units)


def _covariate(project: Project, intake: ProjectData, name: str, before: int) -> pd.Series:
    """Return what was known of each unit before the first start; raise `DesignError` for what was not."""
    if name == "cohort_size":
        records = intake.records[measure_of(project, project.primary.code).key_stage]
        return _pupils(records, before)
    if name in intake.columns:
        return pd.to_numeric(intake.columns[name])
    code, _, year = name.rpartition("_")
    for records in intake.records.values():
        if name in records.values:
            return _mean_before(records.values[name], before)
        if code in records.values and year.isdigit() and int(year) < before and int(year) in records.values[code]:
            return records.values[code][int(year)]
    raise DesignError(
        f"The covariate '{name}' is not known of the units before {before}, the first start. Name `cohort_size`, an "
        "outcome of the project (the mean of the years before), CODE_YEAR of a year before, or table.column."
    )


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def usable_years(years: Sequence[int], breaks: Sequence[object], first_start: int) -> tuple[int, ...]:
    """Return the years that may be compared with the last one before the first start: no break of level lies between.

    A break has `before`, `after` and `kind`; those of the kind "year-common" move every unit alike and may be crossed.

    >>> from evalkit.core.project import OwnBreak
    >>> usable_years((2014, 2015, 2016, 2017), (OwnBreak(before=2015, after=2016, sentence="New tests."),), 2017)
    (2016, 2017)
    """
    earlier = [year for year in years if year < first_start]
    base = max(earlier) if earlier else min(years)
    kept = []
    for year in years:
        low, high = sorted((year, base))
        crossed = [one for one in breaks if getattr(one, "kind", "") == "level" and _lies_within(one, low, high)]
        kept += [] if crossed else [year]
    return tuple(kept)


def _lies_within(one: object, low: int, high: int) -> bool:
    return low <= getattr(one, "before", high) and high >= getattr(one, "after", high + 1)
