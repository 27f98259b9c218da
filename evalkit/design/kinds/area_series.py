"""One outcome of areas by year, as a project compares them: who takes part from when, and who is like whom."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.errors import DesignError
from evalkit.core.project import OWN_GROUP, Project
from evalkit.core.shown import Shown
from evalkit.core.words import counted, listed
from evalkit.data.areas.series import AreaSeries
from evalkit.data.flow import LeftOut
from evalkit.data.ids import id_order
from evalkit.data.measures import measure_of
from evalkit.data.published.area_records import AreaSource
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords

Compared = Literal["neighbours", "all"]
"""With whom an area is compared: those that the list calls like it, or every other one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AreaOutcome(Shown):
    """One outcome of a project by area and year, with all that both kinds of area series need to know of it.

    Attributes
    ----------
    code, label, unit, stage : the outcome, in words for readers, and the records that hold it
    series : areas by their ids as texts (DfE's code where they have one), NaN where an area lacks a year
    starts : first treated year of each area that takes part, in the order of ids
    excluded : areas that the project compares nobody with
    regions : region of each area, as far as it is known
    weights : shape (n_areas, n_periods), pupils or schools that each value rests on; None where that is not known
    n_schools : shape (n_areas, n_periods), schools that each mean is of; None where the units are areas themselves
    left_out : units that are in no area's series, with the reason
    source : where a measure that is published of authorities was read; None of other outcomes
    """

    code: str
    label: str
    unit: str
    stage: str
    series: AreaSeries
    starts: Mapping[str, int]
    excluded: tuple[str, ...] = ()
    regions: Mapping[str, str] = field(default_factory=dict)
    weights: Floats | None = None
    n_schools: Ints | None = None
    left_out: tuple[LeftOut, ...] = ()
    source: AreaSource | None = None

    @property
    def areas(self) -> tuple[str, ...]:
        """Return the id of every area, in the order of the rows."""
        return tuple(map(str, self.series.areas))

    @property
    def treated(self) -> tuple[str, ...]:
        """Return the areas that take part, in the order of ids."""
        return tuple(self.starts)

    @property
    def is_treated(self) -> Bools:
        """Return which areas take part, shape (n_areas,)."""
        return np.isin(np.array(self.areas, dtype=object), list(self.starts))

    @property
    def first_start(self) -> int:
        """Return the first year in which any area is treated."""
        return min(self.starts.values())

    def is_complete(self, years: Collection[int]) -> Bools:
        """Return which areas have a value in each of some years, shape (n_areas,)."""
        at = [self.series.periods.index(year) for year in years]
        return np.asarray(np.isfinite(self.series.values[:, at]).all(axis=1))

    def of_years(self, years: Collection[int]) -> AreaOutcome:
        """Return the same with some years alone, as far as it has them."""
        at = [n for n, year in enumerate(self.series.periods) if year in set(years)]
        periods = tuple(self.series.periods[n] for n in at)
        return replace(
            self,
            series=replace(self.series, periods=periods, values=self.series.values[:, at]),
            weights=None if self.weights is None else self.weights[:, at],
            n_schools=None if self.n_schools is None else self.n_schools[:, at],
        )

    def of_areas(self, is_kept: Bools) -> AreaOutcome:
        """Return the same with some areas alone."""
        areas = self.series.areas[is_kept]
        kept = set(map(str, areas))
        return replace(
            self,
            series=replace(self.series, areas=areas, values=self.series.values[is_kept]),
            starts={area: year for area, year in self.starts.items() if area in kept},
            weights=None if self.weights is None else self.weights[is_kept],
            n_schools=None if self.n_schools is None else self.n_schools[is_kept],
        )

    def compared(self, by: Compared, table: NeighbourTable) -> Bools:
        """Return whether the area of a row is compared with that of a column, shape (n_areas, n_areas).

        Nobody is compared with itself, with an area that takes part, or with one that the project excludes.
        """
        ids, size = self.areas, len(self.areas)
        may_be = ~self.is_treated & ~np.isin(np.array(ids, dtype=object), list(self.excluded))
        found: Bools = np.tile(may_be, (size, 1)) & ~np.eye(size, dtype=bool)
        if by == "neighbours":
            like = [{str(code) for code in table.of(int(one))} if one.isdigit() else set() for one in ids]
            found &= np.array([[other in near for other in ids] for near in like], dtype=bool).reshape(size, size)
        return found

    def incomplete(self, years: Collection[int]) -> tuple[LeftOut, ...]:
        """Return the areas that lack some of these years."""
        lost = tuple(np.array(self.areas, dtype=object)[~self.is_complete(years)].tolist())
        reason = f"lacks a value in some of the {counted(len(years), 'year')} compared"
        return (LeftOut(reason, lost, len(lost)),) if lost else ()


def area_outcome(project: Project, intake: ProjectData, code: str) -> AreaOutcome:
    """Return an outcome of a project by area and year, of the years that were read.

    Units that are areas themselves stand as they are, but for values that rest on fewer pupils than may be told.
    Schools, and units of an own table of which several lie in one area, are averaged in each year: over those that have
    a result, each weighing one, or with `estimation.weights: pupils` its mean number of pupils in the years before the
    first start, which no result after it can move.

    Raises
    ------
    DesignError
        Where participants are schools listed one by one, none lies in an area with results, or one has no start.
    """
    known = measure_of(project, code)
    records = intake.records[known.key_stage]
    ids, names = _ids(records)
    starts = _starts(project, intake, known.key_stage, ids)
    first = min(starts.values())
    usable = records.schools["minor_group"].isin([*project.pool.minor_groups, OWN_GROUP])
    has_area = ids != ""
    kept = records.schools.index[usable & has_area]
    made = _averaged(project, records, code, ids[kept], first)
    told = {str(one): str(region) for one, region in zip(ids, records.schools["region"], strict=True) if one}
    series = AreaSeries(
        outcome=known.label,
        areas=made.areas,
        periods=made.periods,
        values=made.values,
        names={one: names[one] for one in made.areas},
        breaks=known.breaks,
    )
    lacking = sorted(set(starts) - set(made.areas))
    if lacking:
        raise DesignError(
            f"{known.label}: {listed([names[one] for one in lacking], 5)} takes part and has no value in any year "
            "read. Take it off the participants, or supply its results."
        )
    return AreaOutcome(
        code=code,
        label=known.label,
        unit=known.unit,
        stage=known.key_stage,
        series=series,
        starts=starts,
        excluded=tuple(map(str, project.pool.exclude_areas)),
        regions={one: told[one] for one in made.areas},
        weights=made.weights,
        n_schools=made.n_schools,
        left_out=tuple(_lost(records, usable, has_area)),
        source=intake.area_sources.get(code),
    )


_UNKNOWN: Final = "no local authority is given for it"


def _lost(records: SchoolRecords, usable: pd.Series, has_area: pd.Series) -> Iterator[LeftOut]:
    reasons = ((~usable, "not mainstream and state-funded"), (usable & ~has_area, _UNKNOWN))
    for is_lost, reason in reasons:
        units = tuple(map(str, records.schools.index[is_lost]))
        if units:
            yield LeftOut(reason, units, len(units))


def _ids(records: SchoolRecords) -> tuple[pd.Series, dict[str, str]]:
    """Return the id of the area that each unit lies in, or is, and the name of each; empty where none is given."""
    schools = records.schools
    codes = pd.to_numeric(schools["area"], errors="coerce")
    if codes.isna().all():
        own = pd.Series(schools.index.astype(str), schools.index, dtype=object)
        return own, dict(zip(own, schools["name"].astype(str), strict=True))
    ids = pd.Series(["" if np.isnan(code) else str(int(code)) for code in codes.astype(float)], schools.index)
    return ids.astype(object), dict(zip(ids, schools["area_name"].astype(str), strict=True))


def _starts(project: Project, intake: ProjectData, stage: str, ids: pd.Series) -> dict[str, int]:
    """Return the first treated year of each area that takes part, in the order of ids."""
    units = [unit for unit in intake.treated.schools.get(stage, ()) if ids.get(unit)]
    label = "of whole areas" if ids.is_unique else "of areas with all their schools"
    if not intake.treated.is_whole_area and not ids[ids != ""].is_unique:
        raise DesignError(
            f"A series is {label}, and the participants are listed one by one within their areas. Name the areas as "
            "`participants.areas` where all of each took part; else compare the schools, by `kind: areas`, `matched` "
            "or `staggered`."
        )
    cohort = intake.treated.facts["cohort"].reindex(units)
    if not len(units):
        raise DesignError("No area takes part for which there is a series. Check `participants` and the outcome.")
    if cohort.isna().any():
        lacking = cohort.index[cohort.isna()].tolist()
        raise DesignError(
            f"{counted(len(lacking), 'participant')} of {len(units):,} without a start ({listed(lacking, 5)}). Fill "
            "the column `start` in, or leave it out for all of them: the programme's first day is then everyone's."
        )
    first = cohort.astype("int64").groupby(ids.reindex(units).to_numpy()).min()
    return {str(area): int(first[area]) for area in _ordered(first.index.tolist())}


def _ordered(ids: Sequence[object]) -> list[str]:
    """Return ids once each, in the order of ids: numbers by size, texts by length and then by letter."""
    index = pd.Index(sorted(set(map(str, ids))))
    order = id_order(index)
    return [str(one) for one in (index if order is None else index[order])]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Means:
    """What units give by area and year."""

    areas: pd.Index
    periods: tuple[int, ...]
    values: Floats
    weights: Floats | None
    n_schools: Ints | None


def _averaged(project: Project, records: SchoolRecords, code: str, ids: pd.Series, first: int) -> _Means:
    """Return the mean of each area in each year in which any area has a value."""
    wide = records.values[code].reindex(ids.index)
    years = [int(year) for year in wide.columns if wide[year].notna().any()]
    areas = pd.Index(_ordered(ids.tolist()), dtype=object)
    place = areas.get_indexer(pd.Index(ids))
    cells = wide[years].to_numpy(dtype=float)
    pupils = records.pupils.reindex(index=ids.index, columns=years).to_numpy(dtype=float)
    if ids.is_unique:
        cells = np.where(pupils < project.disclosure.threshold, np.nan, cells)
        values = np.full((len(areas), len(years)), np.nan)
        values[place] = cells
        of_area = np.full(values.shape, np.nan)
        of_area[place] = pupils
        rests_on = of_area if np.isfinite(of_area).any() else None
        found = _Means(areas=areas, periods=tuple(years), values=values, weights=rests_on, n_schools=None)
    else:
        found = _weighted(cells, _weight(project, pupils, years, first), place, areas, years)
    has_any = np.asarray(np.isfinite(found.values).any(axis=1))
    return _Means(
        areas=areas[has_any],
        periods=found.periods,
        values=found.values[has_any],
        weights=None if found.weights is None else found.weights[has_any],
        n_schools=None if found.n_schools is None else found.n_schools[has_any],
    )


def _weight(project: Project, pupils: Floats, years: Sequence[int], first: int) -> Floats:
    """Return what each school weighs, the same in every year: one, or its mean number of pupils before; 0 for none."""
    if project.estimation.weights == "schools":
        return np.ones(len(pupils))
    before = pupils[:, [n for n, year in enumerate(years) if year < first]]
    has_any = np.isfinite(before)
    weight: Floats = np.where(has_any, before, 0.0).sum(axis=1) / np.maximum(has_any.sum(axis=1), 1)
    return weight


def _weighted(cells: Floats, weight: Floats, place: Ints, areas: pd.Index, years: Sequence[int]) -> _Means:
    shape = (len(areas), len(years))
    weights, values, counts = np.zeros(shape), np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
    for at in range(len(years)):
        counted_in = np.isfinite(cells[:, at]) & (weight > 0)
        rows, w = place[counted_in], weight[counted_in]
        weights[:, at] = np.bincount(rows, w, len(areas))
        counts[:, at] = np.bincount(rows, minlength=len(areas))
        total = np.bincount(rows, w * cells[counted_in, at], len(areas))
        has_any = weights[:, at] > 0
        values[has_any, at] = total[has_any] / weights[has_any, at]
    return _Means(areas=areas, periods=tuple(years), values=values, weights=weights, n_schools=counts)


def bordering_areas(intake: ProjectData, outcome: AreaOutcome, others: Sequence[str], otherwise: str) -> Bools:
    """Return which of some other areas border each other, shape (n, n).

    `otherwise` is what a project says who draws no sets of areas that lie together, such as `placebo: donors`.

    Raises
    ------
    DesignError
        Where the treated areas are no such set themselves: one alone, one whose borders are not known, or apart.
    """
    treated, name = outcome.treated, outcome.series.name
    if len(treated) < 2:
        raise DesignError(f"{outcome.label}: one area is treated, and sets of one border nothing. Say `{otherwise}`.")
    unknown = [name(one) for one in treated if one not in intake.borders]
    if unknown:
        raise DesignError(
            f"{outcome.label}: it is not known what borders {listed(unknown, 5)}. Give a list as `data.borders`."
        )
    reached, edge = {treated[0]}, [treated[0]]
    while edge:
        near = set(intake.borders[edge.pop()]) & set(treated)
        edge += sorted(near - reached)
        reached |= near
    if len(reached) < len(treated):
        apart = listed([name(one) for one in treated if one not in reached], 5)
        raise DesignError(
            f"{outcome.label}: the treated areas do not lie together ({apart}), so that sets of areas that do are no "
            f"placebos of theirs. Say `{otherwise}`."
        )
    known = [set(intake.borders.get(one, ())) for one in others]
    return np.array([[other in near for other in others] for near in known], dtype=bool).reshape(len(others), -1)
