"""The plan of a synthetic control: which areas are followed from when, which may be donors, and how it is judged."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools
from evalkit.core.errors import DesignError
from evalkit.core.project import NeighbourList, Project
from evalkit.core.shown import Shown
from evalkit.core.words import counted, listed
from evalkit.data.areas.series import AreaSeries
from evalkit.data.flow import LeftOut
from evalkit.data.measures import MEASURES, measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.design.kinds.area_series import AreaOutcome, area_outcome, bordering_areas
from evalkit.design.panel.area_design import AreaDesign, area_design
from evalkit.design.panel.area_starts import AreaStarts, area_starts

_CONFIG = {"extra": "forbid", "use_attribute_docstrings": True, "str_strip_whitespace": True}
FEWEST_BEFORE: Final = 5
"""With fewer years before a start weights on outcomes alone are refused: two fit almost any area exactly."""

# What a project file may say of an analysis by synthetic control.


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticPool:
    """Which areas may be donors, decided before outcomes; those that take part never are."""

    __pydantic_config__: ClassVar = _CONFIG
    exclude_areas: tuple[int | str, ...] = ()
    """Areas that are no donors, by DfE code or by their id in an own table, beside those of the project's `pool`: those
    that the programme may have reached, or that had one of their own."""
    exclude_regions: tuple[str, ...] = ()
    """Regions none of whose areas is a donor, as the list of neighbours names them; London is both its parts."""
    neighbours: NeighbourList | None = None
    """Take as donors only areas that this list calls like a treated one; by default all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticChoices:
    """What an analysis of the kind `synthetic` may say for itself."""

    __pydantic_config__: ClassVar = _CONFIG
    method: Literal["sc", "augmented", "sdid"] = "sc"
    """How donors are weighted: synthetic control, ridge-augmented, or synthetic difference-in-differences."""
    covariates: tuple[str, ...] = ()
    """What weights must follow beside the outcome, each as much as one year: an outcome (its mean of the years before),
    CODE_YEAR of a year before, or table.column."""
    several: Literal["together", "pooled"] | None = None
    """Several treated areas: as one, the plain mean of their outcomes (`together`, where all start in one year), or
    each with weights of its own that also fit their mean (`pooled`, the default where starts differ)."""
    nu: float | None = None
    """With `pooled`: how much the fit of the mean counts, from 0 (each area by itself) to 1; chosen by the data before
    the starts where it is not given."""
    placebo: Literal["donors", "connected"] = "donors"
    """Who takes the treated areas' place: donors from anywhere, or sets of donors that border each other."""
    draws: int | None = None
    """Sets of donors drawn, where several areas are treated: 999 by default, 9,999 of connected ones."""
    since: int | None = None
    """First year of the series that is used; by default the first there is."""
    until: int | None = None
    """Last year of the series that is used; by default the last there is."""
    without_years: tuple[int, ...] = ()
    """Years left out for every area, such as one in which a treated area's result is suppressed."""
    pool: SyntheticPool | None = None
    """Which areas may be donors."""

    @property
    def needs_borders(self) -> bool:
        """Return whether it must be known which areas border each other."""
        return self.placebo == "connected"


# The plan.


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SyntheticOutcome:
    """Which areas are followed and which may be donors, for one outcome.

    Attributes
    ----------
    before : treated areas and donors over the years before the first start that are used
    is_donor : which areas of `before` are donors
    dropped : areas that are neither, with the reason
    partial_year : the school year of the start, where it counts as neither before nor after; None elsewhere
    features : what weights must follow beside the outcome, by area; no columns where there is nothing
    how : whether one area is followed, several as one, or each with weights of its own
    refused : why no weights can be made, empty where they can
    weights : of each donor, by the years before the start alone; None where they depend on more than these
    borders : which donors border each other, shape (n_donors, n_donors); None where that is not asked
    """

    before: AreaOutcome
    is_donor: Bools
    dropped: tuple[LeftOut, ...]
    partial_year: int | None
    features: pd.DataFrame
    how: Literal["one", "together", "pooled"]
    refused: str = ""
    weights: Mapping[str, float] | None = None
    borders: Bools | None = None

    @property
    def code(self) -> str:
        """Return the outcome."""
        return self.before.code

    @property
    def starts(self) -> Mapping[str, int]:
        """Return the first treated year of each treated area."""
        return self.before.starts

    @property
    def donors(self) -> tuple[str, ...]:
        """Return the areas that may be donors, in the order of ids."""
        return tuple(np.array(self.before.areas, dtype=object)[self.is_donor].tolist())

    @property
    def n_before(self) -> int:
        """Return how many years lie before the first start."""
        return len(self.before.series.periods)

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data."""
        known = self.features.round(9).to_csv() if len(self.features.columns) else ""
        return {
            "starts": dict(self.starts),
            "how": self.how,
            "years_before": list(self.before.series.periods),
            "donors": list(self.donors),
            "covariates": list(map(str, self.features.columns)),
            "covariates_sha256": hashlib.sha256(known.encode()).hexdigest(),
            **({} if self.weights is None else {"weights": {k: round(v, 6) for k, v in self.weights.items()}}),
            **({} if self.borders is None else {"n_borders": int(self.borders.sum()) // 2}),
            "left_out": {one.reason: list(one.units) for one in self.dropped},
            "refused": self.refused,
            **({} if self.before.source is None else {"read_of": self.before.source.record()}),
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class SyntheticPlan(Shown):
    """The plan of every outcome, and the choices behind it."""

    choices: SyntheticChoices
    outcomes: Mapping[str, SyntheticOutcome]
    cautions: tuple[str, ...] = field(default=())

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data."""
        return {
            "method": self.choices.method,
            "placebo": self.choices.placebo,
            "outcomes": {code: one.record() for code, one in self.outcomes.items()},
        }


def synthetic_plan(project: Project, choices: SyntheticChoices, intake: ProjectData) -> SyntheticPlan:
    """Decide which areas are followed and which may be donors, from what was known before the programme.

    Raises
    ------
    DesignError
        Where a treated area lacks a year before its start, or fewer than two donors are left.
    """
    return SyntheticPlan(
        choices=choices, outcomes={one.code: _outcome(project, choices, intake, one.code) for one in project.outcomes}
    )


def _outcome(project: Project, choices: SyntheticChoices, intake: ProjectData, code: str) -> SyntheticOutcome:
    whole = area_outcome(project, intake, code)
    starts = sorted(set(whole.starts.values()))
    partial = _partial_year(project, starts)
    first = starts[0] if partial is None else partial
    years = [year for year in used_years(choices, whole.series.periods) if year < first]
    if not years:
        raise DesignError(f"{whole.label}: no year is used before the first start in {first}.{_years_there(whole)}")
    before = whole.of_years(years)
    _require_whole(before)
    is_donor, dropped = _donors(choices, intake, before, project)
    if is_donor.sum() < 2:
        raise DesignError(
            f"{whole.label}: {counted(int(is_donor.sum()), 'donor')} left, and a synthetic control weights at least 2. "
            "Add areas without the programme, or widen `pool`."
        )
    before = before.of_areas(is_donor | before.is_treated)
    return SyntheticOutcome(
        before=before,
        is_donor=~before.is_treated,
        dropped=dropped,
        partial_year=partial,
        features=_features(project, choices, intake, before),
        how=_how(choices, before),
        refused=_refused(choices, len(years)),
        borders=_borders(intake, before) if choices.needs_borders else None,
    )


def _partial_year(project: Project, starts: list[int]) -> int | None:
    """Return the year that counts as neither before nor after, None where the first year counts as treated."""
    if project.participants.first_year == "full":
        return None
    if len(starts) > 1:
        raise DesignError(
            "`participants.first_year` is `partial` and areas start in different years: one area's partial year is "
            "another's year before. Say `full`, or give as `start` the first summer that counts."
        )
    return starts[0] - 1


def used_years(choices: SyntheticChoices, years: Collection[int]) -> list[int]:
    """Return the years of a series that the analysis uses."""
    first = min(years, default=0) if choices.since is None else choices.since
    last = max(years, default=0) if choices.until is None else choices.until
    return [year for year in years if first <= year <= last and year not in choices.without_years]


def _years_there(whole: AreaOutcome) -> str:
    years = listed([str(year) for year in whole.series.periods], 20)
    return f" There are results before it in {years}." if years else ""


def _require_whole(before: AreaOutcome) -> None:
    """Raise where a treated area lacks a year before."""
    for area in before.treated:
        row = before.series.values[before.series.position(area)]
        lacking = [str(year) for year, value in zip(before.series.periods, row, strict=True) if np.isnan(value)]
        if lacking:
            raise DesignError(
                f"{before.label}: {before.series.name(area)} takes part and has no value in {listed(lacking)}. Leave "
                "these years out for every area (`without_years`), begin later (`since`), or take the area off."
            )


def _donors(
    choices: SyntheticChoices, intake: ProjectData, before: AreaOutcome, project: Project
) -> tuple[Bools, tuple[LeftOut, ...]]:
    """Return which areas may be donors, and the others that are not treated, by the reason."""
    pool, ids = choices.pool or SyntheticPool(), np.array(before.areas, dtype=object)
    excluded = {*map(str, pool.exclude_areas), *before.excluded}
    _require_known(pool, before)
    in_region = np.array(
        [_is_in(before.regions.get(one, ""), pool.exclude_regions) for one in before.areas], dtype=bool
    )
    rules = [
        ("excluded by name", np.isin(ids, list(excluded))),
        (f"in a region that is excluded ({listed(list(pool.exclude_regions))})", in_region),
    ]
    if pool.neighbours is not None:
        table = intake.neighbours[pool.neighbours]
        near = {str(code) for one in before.treated if one.isdigit() for code in table.of(int(one))}
        rules.append(("not like a treated area by the list of neighbours", ~np.isin(ids, list(near))))
    years = before.series.periods
    rules.append((f"lacks some of the {counted(len(years), 'year')} before the start", ~before.is_complete(years)))
    left = ~before.is_treated
    dropped = []
    for reason, is_out in rules:
        out = left & is_out
        if out.any():
            dropped.append(LeftOut(reason, tuple(before.series.name(one) for one in ids[out]), int(out.sum())))
        left &= ~is_out
    return left, tuple(dropped)


def _require_known(pool: SyntheticPool, before: AreaOutcome) -> None:
    """Raise for an area or a region that is excluded and not there."""
    for one in map(str, pool.exclude_areas):
        if one not in before.areas:
            before.series.position(one)  # says which is meant
        if one in before.treated:
            raise DesignError(f"`pool.exclude_areas` names {before.series.name(one)}, which takes part.")
    for region in pool.exclude_regions:
        if not any(_is_in(one, (region,)) for one in before.regions.values()):
            known = listed(sorted({one for one in before.regions.values() if one}), 12) or "none"
            raise DesignError(f"`pool.exclude_regions` names '{region}'. Regions that are known: {known}.")


def _is_in(region: str, names: Collection[str]) -> bool:
    """Return whether a region is one of those named, or part of one: London (Inner) is part of London."""
    return any(region.casefold() in (one, *(f"{one} ({part})" for part in ("inner", "outer")))
               for one in map(str.casefold, names))  # fmt: skip


def _how(choices: SyntheticChoices, before: AreaOutcome) -> Literal["one", "together", "pooled"]:
    """Return how several areas are followed."""
    n_starts = len(set(before.starts.values()))
    if len(before.treated) == 1:
        return "one"
    how = choices.several or ("pooled" if n_starts > 1 else "together")
    if how == "pooled" and choices.placebo == "connected":
        raise DesignError(
            f"{before.label}: areas with weights of their own are judged by donors from anywhere. Say `several: "
            "together` where all start in one year, or `placebo: donors`."
        )
    if how == "together" and n_starts > 1:
        raise DesignError(
            f"{before.label}: areas start in {n_starts} different years, so that they have no series in common. Say "
            "`several: pooled`, or leave it out."
        )
    if how == "pooled" and (choices.method != "sc" or choices.covariates):
        what = "covariates" if choices.covariates else f"method: {choices.method}"
        raise DesignError(
            f"{before.label}: areas with weights of their own are followed by the plain synthetic control on outcomes "
            f"alone, and the project says `{what}`. Leave it out, or evaluate the areas of one start at a time."
        )
    return how


def _borders(intake: ProjectData, before: AreaOutcome) -> Bools:
    """Return which donors border each other."""
    donors = [one for one in before.areas if one not in before.starts]
    return bordering_areas(intake, before, donors, "placebo: donors")


def _refused(choices: SyntheticChoices, n_before: int) -> str:
    if n_before >= FEWEST_BEFORE or choices.covariates:
        return ""
    there = "is 1 year" if n_before == 1 else f"are {n_before} years"
    return (
        f"There {there} before the start, and weights on outcomes alone need {FEWEST_BEFORE} at least: with fewer "
        "some average of donors follows almost any area exactly, and the fit says nothing of what comes after."
    )


# What weights must follow beside the outcome.


def _features(project: Project, choices: SyntheticChoices, intake: ProjectData, before: AreaOutcome) -> pd.DataFrame:
    areas = list(before.areas)
    columns = {name: _feature(project, intake, name, before).reindex(areas) for name in choices.covariates}
    return pd.DataFrame(columns, index=areas)


def _feature(project: Project, intake: ProjectData, name: str, before: AreaOutcome) -> pd.Series:
    """Return what was known of each area before the first start; raise `DesignError` for what was not."""
    codes = {one.code for one in project.outcomes}
    code, _, year = name.rpartition("_")
    if name in codes or (code in codes and year.isdigit()):
        series = area_outcome(project, intake, name if name in codes else code).series
        years = [int(year)] if name not in codes else [t for t in series.periods if t <= max(before.series.periods)]
        if set(years) <= set(series.periods) and years:
            values = series.values[:, [series.periods.index(t) for t in years]]
            return pd.Series(values.mean(axis=1), index=list(map(str, series.areas)))
    if name in intake.columns:
        stage = measure_of(project, before.code).key_stage
        area = pd.to_numeric(intake.records[stage].schools["area"], errors="coerce")
        ids = [str(int(a)) if np.isfinite(a) else str(unit) for unit, a in area.astype(float).items()]
        by_unit = pd.to_numeric(intake.columns[name], errors="coerce").reindex(area.index)
        return by_unit.groupby(np.array(ids, dtype=object)).mean()
    hint = " It is a published measure: make it an outcome of the project." if name in MEASURES else ""
    raise DesignError(
        f"The covariate '{name}' is not known of the areas before the first start.{hint} Name an outcome of the "
        "project, CODE_YEAR of a year before, or table.column."
    )


# The design that is estimated, once every year has been read.


def design_of(plan: SyntheticOutcome, choices: SyntheticChoices, whole: AreaOutcome) -> AreaDesign:
    """Return the comparison over every year used, of the areas that the plan names, by their names; one start for all.

    Donors that lack a year after the start are left out and counted; a treated area that lacks one is refused.
    """
    series = _series(plan, choices, whole)
    made = area_design(series, plan.before.treated, min(plan.starts.values()))
    made = made.with_features(plan.features) if len(plan.features.columns) else made
    return replace(
        made,
        treated=tuple(map(series.name, made.treated)),
        donors=tuple(map(series.name, made.donors)),
        dropped=(*plan.dropped, *(_named(one, series.names) for one in made.dropped)),
    )


def starts_of(plan: SyntheticOutcome, choices: SyntheticChoices, whole: AreaOutcome) -> AreaStarts:
    """Return the same of areas with starts of their own."""
    series = _series(plan, choices, whole)
    made = area_starts(series, plan.starts)
    return replace(
        made,
        treated=tuple(map(series.name, made.treated)),
        donors=tuple(map(series.name, made.donors)),
        dropped=(*plan.dropped, *(_named(one, series.names) for one in made.dropped)),
    )


def _series(plan: SyntheticOutcome, choices: SyntheticChoices, whole: AreaOutcome) -> AreaSeries:
    """Return the areas of a plan over every year used."""
    series = whole.of_areas(np.isin(np.array(whole.areas, dtype=object), list(plan.before.areas))).series
    years = [year for year in used_years(choices, series.periods) if year != plan.partial_year]
    at = [series.periods.index(year) for year in years]
    return replace(series, periods=tuple(years), values=series.values[:, at])


def _named(lost: LeftOut, names: Mapping[object, str]) -> LeftOut:
    return replace(lost, units=tuple(names.get(one, one) for one in lost.units))


def design_before(plan: SyntheticOutcome) -> AreaDesign:
    """Return the part of the comparison that lies before the start: what weights are fitted to."""
    before = plan.before
    known = [before.series.position(one) for one in before.treated]
    made = AreaDesign(
        outcome=before.label,
        treated=before.treated,
        donors=plan.donors,
        periods=before.series.periods,
        start=min(plan.starts.values()),
        n_pre=len(before.series.periods),
        treated_values=before.series.values[known],
        donor_values=before.series.values[plan.is_donor],
    )
    return made.with_features(plan.features) if len(plan.features.columns) else made


def names_of(plan: SyntheticOutcome) -> Mapping[str, str]:
    """Return the names of areas by id."""
    return {one: plan.before.series.name(one) for one in plan.before.areas}


def notes_of(lost: tuple[LeftOut, ...]) -> Iterator[str]:
    """Yield a sentence for each reason for which areas were left out."""
    for one in lost:
        yield f"{counted(len(one.units), 'area')} left out: {one.reason} ({listed(list(one.units), 6)})."
