"""The plan of an analysis of pupils in schools: who is compared, how the effect will be modelled and judged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.disclosure import FEWEST_PEOPLE, few, is_few
from evalkit.core.errors import DesignError
from evalkit.core.project import OWN_GROUP, Exposure, NeighbourList, Outcome, Project
from evalkit.core.shown import Shown
from evalkit.core.words import counted
from evalkit.data.flow import LeftOut
from evalkit.data.measures import measure_of
from evalkit.data.own_tables.people_table import PeopleRows
from evalkit.data.published.list_rule import picked_of
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords
from evalkit.design.clusters import OVER_SETS
from evalkit.design.kinds.staggered import are_own_areas, area_names_of, treated_areas_of, unit_areas
from evalkit.design.project.areas import TREATED_GROUP, AreaComparisons, neighbour_comparisons, rest_of_england
from evalkit.design.project.set_rule import MOST_AREAS, SetDesign, set_design

_CONFIG = {"extra": "forbid", "use_attribute_docstrings": True, "str_strip_whitespace": True}

# What a project file may say of an analysis of pupils.


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilPool:
    """Which schools may be compared, decided before outcomes; those of treated areas never are."""

    __pydantic_config__: ClassVar = _CONFIG
    minor_groups: tuple[str, ...] | None = None
    """School groups that count as mainstream and state-funded; by default those of the project's `pool`."""
    neighbours: NeighbourList | None = None
    """Compare each area with those that this list calls like it; by default with all others."""
    exclude_areas: tuple[int, ...] = ()
    """Areas never used for comparison, by DfE code, beside those of the project's `pool`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilChoices:
    """What an analysis of the kind `pupils` may say for itself."""

    __pydantic_config__: ClassVar = _CONFIG
    model: Literal["cross-sections", "waves"] = "cross-sections"
    """Other pupils in each year, compared before and after; or the same pupils, their later score given the earlier."""
    pre_score: str | None = None
    """With `waves`: the column of the earlier score (table.column); by default the outcome of the same pupil in the
    last year before."""
    covariates: tuple[str, ...] = ()
    """Numbers known of each pupil (table.column) that the model is adjusted for, such as prior attainment."""
    shock: Literal["span", "period"] | None = None
    """With `cross-sections`: what the random intercept stands for, a school before and after (default) or a school in
    a year."""
    weights: Literal["schools", "pupils"] = "schools"
    """What each school weighs among school means: one, or its pupils with a result before the programme."""
    likelihood: Literal["REML", "ML"] = "REML"
    """How the model is fitted."""
    pool: PupilPool | None = None
    """Which schools may be compared."""
    exposure: Exposure | None = None
    """Which years are before, partial and after; by default the project's."""


BY_SETS: Final = (
    "The treated schools lie in {areas}. A two-level model has no area level, so that it cannot tell what their areas "
    "went through from the programme: its interval is withheld, and sets of schools of other areas judge the schools' "
    "means."
)
BY_CLUSTERS: Final = (
    "The treated schools lie in {areas}, enough for errors of the model's effect that are clustered by area."
)
OVER_PUPILS: Final = "the two-level model"


# The plan.


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PupilOutcome:
    """Who is compared with whom for one outcome.

    Attributes
    ----------
    code, table, column : the outcome, and where it stands
    treated : schools that take part and have pupils with a result before
    pool : schools that the treated are compared with
    everyone : all schools that could be analysed, the treated, others of their areas, and those that may stand in
    area : code of each school's area
    comparison : whom the treated and every area are compared with
    level : mean before the programme, by school
    n_before : pupils with a result before, by school
    sets : how sets of schools will judge, None where areas are clusters enough
    left_out : schools that cannot be analysed, with the reason
    """

    code: str
    table: str
    column: str
    treated: pd.Index
    pool: pd.Index
    everyone: pd.Index
    area: pd.Series
    comparison: AreaComparisons
    level: pd.Series
    n_before: pd.Series
    sets: SetDesign | None
    left_out: tuple[LeftOut, ...]

    @property
    def treated_areas(self) -> tuple[int, ...]:
        """Return the codes of the areas that hold treated schools."""
        return tuple(sorted(self.area.reindex(self.treated).unique().tolist()))

    def group(self, schools: pd.Index) -> pd.Series:
        """Return `TREATED_GROUP` for each treated school and the code of its area for every other."""
        return self.area.reindex(schools).where(~schools.isin(self.treated), TREATED_GROUP)

    def pupils_before(self, schools: pd.Index) -> int:
        """Return how many pupils of some schools have a result before the programme."""
        return int(self.n_before.reindex(schools).sum())

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data; counts of few pupils are withheld."""
        pupils = {"treated": self.pupils_before(self.treated), "pool": self.pupils_before(self.pool)}
        return {
            "treated": sorted(map(str, self.treated)),
            "treated_areas": list(self.treated_areas),
            "n_pool": len(self.pool),
            "pool_sha256": _digest(sorted(map(str, self.pool))),
            "pupils_before": {arm: few(FEWEST_PEOPLE) if is_few(n) else n for arm, n in pupils.items()},
            "judged_by": OVER_SETS if self.sets is not None else "clusters",
            "sets_drawn": self.sets.rule if self.sets is not None else "",
            "left_out": {one.reason: len(one.units) for one in self.left_out},
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class PupilPlan(Shown):
    """The plan of every outcome, and the choices behind it; `area_names` by code, as far as they are known."""

    choices: PupilChoices
    exposure: Exposure
    outcomes: Mapping[str, PupilOutcome]
    labels: Mapping[str, str]
    area_names: Mapping[int, str]
    reason: str
    cautions: tuple[str, ...] = ()

    @property
    def is_linked(self) -> bool:
        """Return whether the same pupils are found in the year before and the year after."""
        return self.choices.model == "waves" and self.choices.pre_score is None

    @property
    def pre_score(self) -> str | None:
        """Return the column of the earlier score, None where it is the outcome of the year before."""
        return None if self.choices.pre_score is None else self.choices.pre_score.partition(".")[2]

    @property
    def covariates(self) -> tuple[str, ...]:
        """Return the columns that the model is adjusted for."""
        return tuple(name.partition(".")[2] for name in self.choices.covariates)

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data."""
        return {"outcomes": {code: outcome.record() for code, outcome in self.outcomes.items()}}


def pupil_plan(project: Project, choices: PupilChoices, intake: ProjectData) -> PupilPlan:
    """Decide who is compared and how it will be judged, from what was known before the programme.

    Raises
    ------
    DesignError
        Where no treated school, or nobody to compare with, is left for an outcome.
    """
    outcomes = {one.code: _outcome(project, choices, intake, one) for one in project.outcomes}
    first = outcomes[project.primary.code]
    areas = counted(len(first.treated_areas), "area")
    return PupilPlan(
        choices=choices,
        exposure=project.exposure,
        outcomes=outcomes,
        labels={one.code: measure_of(project, one.code).label for one in project.outcomes},
        area_names=area_names_of(intake),
        reason=(BY_SETS if first.sets is not None else BY_CLUSTERS).format(areas=areas),
        cautions=tuple(_cautions(intake.records[first.table])),
    )


def _cautions(records: SchoolRecords) -> Iterator[str]:
    if are_own_areas(records):
        yield (
            "No school's area is known, so that each counts as an area of its own: what schools of one area share is "
            "then in no error. Name the column of areas as `area` in the project file, where there is one."
        )


def _outcome(project: Project, choices: PupilChoices, intake: ProjectData, one: Outcome) -> PupilOutcome:
    table, column = str(one.table), str(one.column)
    records, label = intake.records[table], measure_of(project, one.code).label
    area, level, n_before = unit_areas(records), *_before(choices, project, intake.people[table], column)
    participants = pd.Index(sorted(intake.treated.schools.get(table, ())), dtype=object)
    reasons = _reasons(project, choices, records, area, n_before)
    usable = reasons.index[reasons == ""].sort_values()
    treated = participants[participants.isin(usable)]
    if not len(treated):
        raise DesignError(
            f"{label}: no participant is left that could be analysed. Run `evalkit check {project.slug}` to see why "
            "each was left out."
        )
    treated_areas, excluded = treated_areas_of(intake, table), _excluded(project, choices)
    comparison = _comparison(choices, intake, (usable, area), treated_areas, excluded)
    compared = {code for codes in comparison.own.values() for code in codes}
    pool = usable[area.reindex(usable).isin(list(compared))]
    if not len(pool):
        raise DesignError(
            f"{label}: nobody is left to compare with outside the areas in which anybody takes part. Give pupils of "
            "schools of other areas as well, or widen `pool`."
        )
    stand_ins = set(area.reindex(usable)) - {*treated_areas, *excluded}
    sets = None
    if area.reindex(treated).nunique() <= MOST_AREAS:
        known, place, picked = level.reindex(usable), area.reindex(usable), picked_of(records.schools)
        sets = set_design(known, place, usable, treated, sorted(stand_ins), picked=picked)
    return PupilOutcome(
        code=one.code,
        table=table,
        column=column,
        treated=treated,
        pool=pool,
        everyone=usable,
        area=area.reindex(usable).astype("int64"),
        comparison=comparison,
        level=level.reindex(usable),
        n_before=n_before.reindex(usable),
        sets=sets,
        left_out=tuple(_left_out(reasons, participants)),
    )


def _before(choices: PupilChoices, project: Project, rows: PeopleRows, column: str) -> tuple[pd.Series, pd.Series]:
    """Return mean and number of pupils with a result before, by school: of the outcome, or of the earlier score."""
    name = column if choices.pre_score is None else choices.pre_score.partition(".")[2]
    values = rows.values[name]
    keep = np.isfinite(values)
    if choices.pre_score is None:
        keep &= np.isin(rows.period, _years_before(choices, project))
    n = np.bincount(rows.unit[keep], minlength=len(rows.units))
    with np.errstate(invalid="ignore"):
        mean = np.bincount(rows.unit[keep], values[keep], len(rows.units)) / n
    return pd.Series(mean, rows.units), pd.Series(n, rows.units)


def _years_before(choices: PupilChoices, project: Project) -> list[int]:
    """Return the years whose results serve as before: of two waves the last alone."""
    pre = sorted(project.exposure.pre)
    return pre[-1:] if choices.model == "waves" else pre


def _reasons(
    project: Project, choices: PupilChoices, records: SchoolRecords, area: pd.Series, n_before: pd.Series
) -> pd.Series:
    """Return why each school cannot be analysed, an empty text where it can."""
    reason = pd.Series("", records.schools.index, dtype=object)
    reason[~reason.index.isin(area.index)] = "no local authority is given for it"
    own = choices.pool.minor_groups if choices.pool is not None else None
    groups = {*(project.pool.minor_groups if own is None else own), OWN_GROUP}
    reason[(reason == "") & ~records.schools["minor_group"].isin(list(groups))] = "not mainstream and state-funded"
    reason[(reason == "") & n_before.reindex(reason.index).eq(0)] = "no pupil of it has a result before the programme"
    return reason


def _excluded(project: Project, choices: PupilChoices) -> tuple[int, ...]:
    return (*project.pool.exclude_areas, *(choices.pool.exclude_areas if choices.pool else ()))


def _comparison(
    choices: PupilChoices,
    intake: ProjectData,
    places: tuple[pd.Index, pd.Series],
    treated: tuple[int, ...],
    excluded: tuple[int, ...],
) -> AreaComparisons:
    """Return whom the treated and every area are compared with; `places` are the schools and their areas."""
    usable, area = places
    groups = {*area.reindex(usable).astype(int).tolist(), TREATED_GROUP}
    chosen = choices.pool.neighbours if choices.pool is not None else None
    if chosen is None:
        return rest_of_england(groups, {TREATED_GROUP: treated}, excluded)
    return neighbour_comparisons(groups, intake.neighbours[chosen], {TREATED_GROUP: treated}, excluded)


def _left_out(reasons: pd.Series, participants: pd.Index) -> Iterator[LeftOut]:
    own = reasons.reindex(participants).fillna("it is not among the schools of the table")
    for reason in sorted(set(own) - {""}):
        units = tuple(map(str, own.index[own == reason]))
        yield LeftOut(reason, units, len(units))


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
