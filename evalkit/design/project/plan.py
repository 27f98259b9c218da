"""The design of a project, made and locked before outcomes are read, and everything decided with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from evalkit.core.errors import DesignError
from evalkit.core.manifest import DataKind
from evalkit.core.project import Project, first_summer
from evalkit.core.quantities import Quantity
from evalkit.core.shown import Shown
from evalkit.data.areas.boundaries import Boundaries
from evalkit.data.baseline import Baseline
from evalkit.data.flow import CountedCase, Flow
from evalkit.data.measures import measure_of
from evalkit.data.published.list_rule import picked_of
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords, exclusion_reasons
from evalkit.design.project.areas import TREATED_GROUP, AreaComparisons, neighbour_comparisons, rest_of_england
from evalkit.design.project.group_matching import GroupMatches, GroupNeighbours, match_groups
from evalkit.design.project.labels import ENGLAND, MATCHED, MATCHED_WITHOUT_OUTCOMES, NEIGHBOURS, neighbours_of
from evalkit.design.project.set_rule import SetDesign, set_design

# The design of a project, made and locked before outcomes are read.


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeDesign:
    """Who is compared with whom for one outcome.

    `groups` gives each school that may be treated or compared its group: its area's code, or `TREATED_GROUP` where it
    is treated by name. A school that is in no group lies in a treated area without taking part, or no list gives its
    area. `comparisons` holds the designs by area, `matches` those by school. `too_few` says why the outcome is not
    estimated, or is empty. `sets` says how schools listed by name, or several whole areas, are judged, and
    `matched_on` how the matches of `matches` were made.
    """

    outcome: str
    groups: pd.Series
    treated_group: int
    treated_areas: tuple[int, ...]
    baseline: Baseline
    comparisons: dict[str, AreaComparisons]
    matches: dict[str, GroupMatches]
    too_few: str
    sets: SetDesign | None = None
    matched_on: dict[str, GroupNeighbours] = field(default_factory=dict)

    @property
    def is_whole_area(self) -> bool:
        """Return whether the treated group is one area with all its schools, rather than schools listed by name."""
        return self.treated_group != TREATED_GROUP


@dataclass(frozen=True, slots=True, eq=False)
class LockedDesign:
    """The design of every outcome, from baseline data alone."""

    project: Project
    outcomes: dict[str, OutcomeDesign]

    def to_json(self) -> str:
        """Return the design as text: pairs of the treated schools, areas compared, a hash of every other match."""
        content = {code: _record(design) for code, design in self.outcomes.items()}
        return json.dumps({"schema_version": 1, "project": self.project.slug, "outcomes": content}, indent=1) + "\n"


def make_design(project: Project, intake: ProjectData) -> LockedDesign:
    """Decide who is compared with whom, using no year after the programme began.

    Raises
    ------
    DesignError
        If no treated school, or no school to compare with, is left.
    """
    return LockedDesign(project, {o.code: outcome_design(project, intake, o.code) for o in project.outcomes})


def treated_group(project: Project, intake: ProjectData) -> int:
    """Return the group of the treated schools: the area's code, or 0 where schools are listed by name."""
    areas = intake.treated.areas
    return areas[0] if len(areas) == 1 else TREATED_GROUP


def outcome_design(project: Project, intake: ProjectData, code: str, *, is_matched: bool = True) -> OutcomeDesign:
    """Decide who is compared with whom for one outcome; unless `is_matched`, by areas alone.

    Raises
    ------
    DesignError
        As `make_design`.
    """
    records = intake.records[measure_of(project, code).key_stage]
    groups = groups_of(project, intake, records)
    group_of_treated = treated_group(project, intake)
    areas = treated_areas_of(project, intake)
    reasons = exclusion_reasons(records, code, project.exposure.pre, project.pool.minor_groups)
    usable = groups[reasons.reindex(groups.index) == ""]
    count = int((usable == group_of_treated).sum())
    _require_treated(project, code, count)
    baseline = _baseline(project, intake, code, usable)
    few = _too_few(count, project) if count < project.pool.minimum_treated else ""
    present = sorted({*usable.tolist(), group_of_treated})
    comparisons = _comparisons(project, intake, present, group_of_treated, areas)
    options = {} if few or not is_matched else _matching_options(project, baseline)
    matches = _matches(project, baseline, options, group_of_treated, present)
    usable_schools = reasons.index[reasons == ""]
    sets = sets_of(project, records, code, usable_schools, comparisons[NEIGHBOURS], usable)
    return OutcomeDesign(code, groups, group_of_treated, areas, baseline, comparisons, matches, few, sets, options)


def sets_of(
    project: Project,
    records: SchoolRecords,
    code: str,
    schools: pd.Index,
    near: AreaComparisons,
    groups: pd.Series,
    *,
    before: pd.Series | None = None,
) -> SetDesign | None:
    """Return how listed schools are judged by sets, of the schools that can be analysed before outcomes.

    Where the list lies is told by the mean of the years before, or by `before` where lower numbers are better.
    """
    if TREATED_GROUP not in near.groups:
        return None
    level = records.values[code][list(project.exposure.pre)].mean(axis=1) if before is None else before
    level = level.dropna()
    area = records.schools["area"].dropna().astype("int64")
    fewest = project.pool.minimum_area_schools
    treated, picked = groups.index[groups == TREATED_GROUP], picked_of(records.schools)
    found = set_design(level, area, schools, treated, stand_ins_of(near, project), picked=picked)
    if found.rule != "rule" and not found.is_whole:
        return found
    sizes = groups.value_counts()
    large = [group for group in stand_ins_of(near, project) if sizes.get(group, 0) >= fewest]
    return set_design(level, area, schools, treated, large, picked=picked)


def stand_ins_of(near: AreaComparisons, project: Project) -> list[int]:
    """Return the areas without participants that have neighbours and are not excluded."""
    has_neighbours = [group for group, row in zip(near.groups, near.compared, strict=True) if row.any()]
    return sorted(set(has_neighbours) - {TREATED_GROUP, *near.own, *project.pool.exclude_areas})


def treated_areas_of(project: Project, intake: ProjectData) -> tuple[int, ...]:
    """Return the areas the participants of any key stage lie in."""
    if intake.treated.areas:
        return tuple(sorted(intake.treated.areas))
    areas = {
        area
        for stage, records in intake.records.items()
        for area in records.schools.loc[list(intake.treated.schools[stage]), "area"].tolist()
    }
    return tuple(sorted(area for area in areas if pd.notna(area)))


def groups_of(project: Project, intake: ProjectData, records: SchoolRecords) -> pd.Series:
    """Return each school's area as its group; the treated have one of their own, their areas' other schools none."""
    areas = records.schools["area"]
    if len(intake.treated.areas) == 1:
        return areas.dropna().astype("int64")
    groups = areas.mask(areas.isin(treated_areas_of(project, intake)))
    groups[list(intake.treated.schools[records.key_stage])] = TREATED_GROUP
    return groups.dropna().astype("int64")


def _require_treated(project: Project, code: str, n: int) -> None:
    if n == 0 and code == project.primary.code:
        known = measure_of(project, code)
        raise DesignError(
            f"No treated school is left: none of the participants has a published {known.said} "
            f"score in every year before the programme. Run `evalkit check {project.slug}` to see why each was left "
            "out."
        )


_NOT_SCORES: Final = ("cohort_size", "fsm_share")
_WORDS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _too_few(n: int, project: Project) -> str:
    count = _WORDS[n] if n < len(_WORDS) else str(n)
    return (
        f"{count} school{'' if n == 1 else 's'}: too few for an estimate (the project asks for at least "
        f"{project.pool.minimum_treated})"
    )


def _baseline(project: Project, intake: ProjectData, code: str, groups: pd.Series) -> Baseline:
    records = intake.records[measure_of(project, code).key_stage]
    pre = list(project.exposure.pre)
    units = pd.DataFrame({"group": groups, "region": records.schools["region"].reindex(groups.index)})
    units["is_treated"] = units["group"] == treated_group(project, intake)
    scores = records.values[code].reindex(groups.index)[pre].rename(columns=lambda year: f"{code}_{year}")
    sizes = records.pupils.reindex(groups.index)[pre].rename(columns=lambda year: f"cohort_size_{year}")
    covariates = pd.concat([scores, sizes.dropna(axis=1, how="all")], axis=1)
    if intake.fsm_share is not None:
        covariates["fsm_share_2223"] = intake.fsm_share.reindex(groups.index)
    return Baseline.of(units, covariates, pre, first_summer(project.programme.start))


def _comparisons(
    project: Project, intake: ProjectData, present: Sequence[int], group_of_treated: int, areas: tuple[int, ...]
) -> dict[str, AreaComparisons]:
    pool, treated = project.pool, {group_of_treated: areas}
    lists = {NEIGHBOURS: pool.neighbours, neighbours_of(pool.alternative_neighbours): pool.alternative_neighbours}
    by_neighbours = {
        name: neighbour_comparisons(present, intake.neighbours[list_name], treated, pool.exclude_areas)
        for name, list_name in lists.items()
    }
    return {**by_neighbours, ENGLAND: rest_of_england(present, treated, pool.exclude_areas)}


def _matching_options(project: Project, baseline: Baseline) -> dict[str, GroupNeighbours]:
    """Return how schools are matched, with earlier outcomes and without them."""
    matching, columns = project.matching, [str(name) for name in baseline.covariates]
    named_covariates = tuple(c for name in matching.covariates for c in columns if c.startswith(name))
    scores = tuple(c for c in columns if not c.startswith(_NOT_SCORES))
    covariates_of = {
        MATCHED_WITHOUT_OUTCOMES: named_covariates or tuple(c for c in columns if c.startswith("cohort_size"))
    }
    if "pre_outcomes" in matching.covariates:
        covariates_of = {MATCHED: (*scores, *named_covariates), **covariates_of}
    return {
        name: GroupNeighbours(ratio=matching.ratio, covariates=covariates, within_region=matching.exact_region)
        for name, covariates in covariates_of.items()
        if covariates  # the wide tables give the cohort of their own summer alone, so a lone year before may have none
    }


def _matches(
    project: Project,
    baseline: Baseline,
    options: dict[str, GroupNeighbours],
    group_of_treated: int,
    present: Sequence[int],
) -> dict[str, GroupMatches]:
    excluded = set(project.pool.exclude_areas)
    groups = (
        [group for group in present if group not in excluded]
        if group_of_treated != TREATED_GROUP
        else [group_of_treated]
    )
    pool = baseline if not excluded else _without(baseline, excluded)
    return {name: match_groups(pool, option, groups, group_of_treated) for name, option in options.items()}


def _without(baseline: Baseline, areas: set[int]) -> Baseline:
    units = baseline.units[~baseline.units["group"].isin(areas)]
    return Baseline.of(units, baseline.covariates.loc[units.index], baseline.years, baseline.first_treated)


def _record(design: OutcomeDesign) -> dict[str, object]:
    group_of_treated = design.treated_group
    return {
        "treated_areas": list(design.treated_areas),
        "not_estimated": design.too_few,
        "comparison_areas": {
            name: list(c.of(group_of_treated)) for name, c in design.comparisons.items() if name != ENGLAND
        },
        "pairs": {name: _pairs(m, group_of_treated) for name, m in design.matches.items()},
        "all_matches_sha256": {name: _digest(m) for name, m in design.matches.items()},
        **({} if design.sets is None else {"sets": _set_record(design.sets)}),
    }


def _set_record(sets: SetDesign) -> dict[str, object]:
    below = sets.below if isinstance(sets.below, float) else sets.below.reason
    return {
        "rule": sets.rule,
        "below_their_areas": round(below, 9) if isinstance(below, float) else below,
        "whole_areas": sets.is_whole,
        "areas": sets.n_areas,
    }


def _pairs(matches: GroupMatches, group: int) -> list[list[object]]:
    pairs = matches.pairs(group)
    return [
        [a, b, round(float(d), 9)]
        for a, b, d in zip(pairs["treated"], pairs["comparison"], pairs["distance"], strict=True)
    ]


def _digest(matches: GroupMatches) -> str:
    text = "\n".join(matches.units).encode() + matches.partners.tobytes()
    return hashlib.sha256(text).hexdigest()


# Everything decided before a follow-up outcome is read.


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSummary:
    """What a matching used: schools matched, comparison schools used, and their effective number.

    `effective_n` is (Σw)²/Σw² of the comparison weights; `most_used` how often the most used
    comparison school serves; `lost` the treated schools without a match.
    """

    outcome: str
    design: str
    n_treated: int
    n_comparison: int
    effective_n: float
    most_used: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRow:
    """Balance of one covariate before and after a design.

    `smd_…` are differences in means over `denominator`, the standard deviation of the treated
    schools before matching; `variance_ratio_…` is treated over comparison; `effective_n` the effective
    number of comparison schools after.
    """

    outcome: str
    design: str
    covariate: str
    label: str
    mean_treated: float
    mean_comparison_before: float
    mean_comparison_after: float
    denominator: float
    smd_before: Quantity
    smd_after: Quantity
    variance_ratio_before: Quantity
    variance_ratio_after: Quantity
    effective_n: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectableEffect:
    """Least effect the design could detect, before outcomes; `realised` is filled in afterwards."""

    outcome: str
    at_design: Quantity
    realised: Quantity
    n_areas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureNote:
    """What a reader must know of a measure before comparing its years."""

    measure: str
    label: str
    unit: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaComparison:
    """The treated area, its comparison areas, and those of the list that could not be used.

    Areas are given as (code, name); `absent` are codes on the list without schools in the data.
    """

    list_name: str
    list_label: str
    treated: tuple[tuple[int, str], ...]
    comparison: tuple[tuple[int, str], ...]
    absent: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DesignStage(Shown):
    """The design as a reader may see it before outcomes: who is compared with whom, and how well."""

    project: Project
    data_kind: DataKind
    areas: tuple[AreaComparison, ...]
    flow: Flow
    identity: tuple[CountedCase, ...]
    participants: tuple[CountedCase, ...]
    matches: tuple[MatchSummary, ...]
    balance: tuple[BalanceRow, ...]
    detectable: tuple[DetectableEffect, ...]
    measures: tuple[MeasureNote, ...]
    area_names: dict[int, str] = field(default_factory=dict)
    boundaries: Boundaries | None = None
