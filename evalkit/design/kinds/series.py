"""The plan of a comparative interrupted time series: which areas are followed, and less the mean of which others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np

from evalkit.core.arrays import Bools
from evalkit.core.errors import DesignError
from evalkit.core.project import NeighbourList, Project
from evalkit.core.project_parts import CONFIG
from evalkit.core.shown import Shown
from evalkit.core.words import counted, listed
from evalkit.data.flow import LeftOut
from evalkit.data.measures import Break, measure_of
from evalkit.data.published.area_records import AreaSource
from evalkit.data.published.project_data import ProjectData
from evalkit.design.kinds.area_series import AreaOutcome, Compared, area_outcome, bordering_areas
from evalkit.design.kinds.staggered import usable_years
from evalkit.design.project.inference import PERMUTATION, WHOLE_SETS
from evalkit.design.project.set_rule import P_NEEDS, too_few_areas

BEFORE_FOR_SLOPES: Final = 4
"""Years before with which a line is fitted on either side of the start; with fewer, levels alone."""
AFTER_FOR_SLOPES: Final = 3
"""Years from the start on with which a line is fitted on either side."""

ONE_AREA: Final = (
    "One area is treated, so that no error within its own series tells its own shocks from the programme: the same "
    "regression is made for every other area, and the treated one placed among them."
)
SEVERAL_AREAS: Final = (
    "{areas} are treated, each with shocks of its own: as many other areas at a time, drawn at random, take their "
    "places and their starts."
)
ALONE: Final = (
    "There is no other area whose series could show how far one moves without a programme, and tests from the errors "
    "of a single short series reject far too often: the estimate and the picture are given, and no p-value."
)


TOGETHER: Final = (
    "The {n} treated areas all lie in one region ({region}), so that what happened there happened to all of them, and "
    "draws of areas from all over England would pretend to {n} shocks where there may be one. Sets of as many that do "
    "not overlap number {sets}, and {needed} are needed before a rank among them can be unlikely: there is no p-value."
)


CONNECTED: Final = (
    "{areas} that lie together are treated, and whatever else happened there happened to all of them: they are placed "
    "among sets of as many areas that border each other, grown at random. Sets that overlap are not other evidence, so "
    "that no p-value is below one over the number of sets without an area in common and one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesChoices:
    """What an analysis of the kind `series` may say for itself."""

    __pydantic_config__: ClassVar = CONFIG
    comparison: Compared = "neighbours"
    """What an area's series is taken less of: the mean of its statistical neighbours, or of `all` other areas."""
    neighbours: NeighbourList | None = None
    """The list of neighbours, by default that of the project's `pool`."""
    slope: Literal["auto", "yes", "no"] = "auto"
    """Whether a line is fitted on either side of the start: where years are enough (4 before, 3 from the start on),
    always, or never; without it the levels before and after are compared."""
    without_years: tuple[int, ...] = ()
    """Years left out of every area's series, such as one of which only a part was exposed."""
    placebo: Literal["areas", "connected"] = "areas"
    """Who takes the place of several treated areas: areas from anywhere, or sets of areas that border each other."""

    @property
    def needs_borders(self) -> bool:
        """Return whether it must be known which areas border each other."""
        return self.placebo == "connected"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesOutcome:
    """Which areas are followed for one outcome, decided from years before the first start.

    Attributes
    ----------
    code, label, unit, stage : the outcome, and the records that hold it
    starts : first treated year by treated area
    before : years before the first start that are compared
    partial : whether the year before a start was exposed for part of it, and is left out for its area
    compared : of every area that could be analysed, the ids of those it is compared with
    stand_ins : areas without the programme that the same regression is made for
    left_out : areas, and schools, that could not be analysed, with the reason
    names : of areas, by id
    region : in which all treated areas lie where they are several, empty where they do not
    breaks : changes in how the outcome is made
    is_averaged : whether areas' values are means of schools
    is_own : whether it is a column of an own table, of which only the project file knows changes
    source : where a measure that is published of authorities was read; None of other outcomes
    borders : which stand-ins border each other, shape (n_stand_ins, n_stand_ins); None where that is not asked
    """

    code: str
    label: str
    unit: str
    stage: str
    starts: Mapping[str, int]
    before: tuple[int, ...]
    partial: bool
    compared: Mapping[str, tuple[str, ...]]
    stand_ins: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    names: Mapping[str, str]
    region: str
    breaks: tuple[Break, ...]
    is_averaged: bool
    is_own: bool
    source: AreaSource | None = None
    borders: Bools | None = None

    @property
    def treated(self) -> tuple[str, ...]:
        """Return the areas that take part."""
        return tuple(self.starts)

    @property
    def first_start(self) -> int:
        """Return the first treated year of any area."""
        return min(self.starts.values())

    @property
    def n_areas(self) -> int:
        """Return J: the areas among which the treated are placed, they themselves counted."""
        return len(self.stand_ins) + len(self.starts)

    @property
    def is_single(self) -> bool:
        """Return whether there is no other area to compare with."""
        return not any(self.compared.get(area) for area in self.starts)

    @property
    def why_never_ranked(self) -> str:
        """Return why no rank among areas says anything, however many there are, or an empty text."""
        n = len(self.starts)
        n_sets = self.n_areas // n
        if self.is_single:
            return ALONE
        if n > 1 and self.region and n_sets < P_NEEDS and self.borders is None:
            return TOGETHER.format(n=n, region=self.region, sets=n_sets, needed=P_NEEDS)
        return ""

    @property
    def why_unranked(self) -> str:
        """Return why no rank among areas can be given, or an empty text."""
        few = "" if self.borders is not None else too_few_areas(self.n_areas, len(self.starts))
        return self.why_never_ranked or few

    @property
    def recommended(self) -> str:
        """Return the inference by name."""
        if self.why_unranked:
            return "none"
        return PERMUTATION if len(self.starts) == 1 else WHOLE_SETS

    @property
    def reason(self) -> str:
        """Return why it is that one, or why there is none."""
        if self.why_unranked:
            return self.why_unranked
        if self.borders is not None:
            return CONNECTED.format(areas=counted(len(self.starts), "area"))
        return ONE_AREA if len(self.starts) == 1 else SEVERAL_AREAS.format(areas=counted(len(self.starts), "area"))

    def name(self, area: str) -> str:
        """Return what a reader calls an area."""
        return self.names.get(area, area)

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data."""
        lists = [f"{area}:{','.join(self.compared[area])}" for area in sorted(self.compared)]
        return {
            "starts": dict(self.starts),
            "years_before": list(self.before),
            "compared": {area: list(self.compared.get(area, ())) for area in self.starts},
            "n_stand_ins": len(self.stand_ins),
            "stand_ins_sha256": _digest(sorted(self.stand_ins)),
            "compared_sha256": _digest(lists),
            "judged_by": self.recommended,
            "left_out": {one.reason: len(one.units) for one in self.left_out},
            **({} if self.source is None else {"read_of": self.source.record()}),
            **({} if self.borders is None else {"n_borders": int(self.borders.sum()) // 2}),
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SeriesPlan(Shown):
    """The plan of every outcome, and the choices behind it."""

    choices: SeriesChoices
    outcomes: Mapping[str, SeriesOutcome]

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data."""
        chosen = {"comparison": self.choices.comparison, "slope": self.choices.slope}
        years = {"without_years": list(self.choices.without_years)}
        return {**chosen, **years, "outcomes": {code: outcome.record() for code, outcome in self.outcomes.items()}}


def series_plan(project: Project, choices: SeriesChoices, intake: ProjectData) -> SeriesPlan:
    """Decide which areas are followed and compared, from what was known before the programme.

    Raises
    ------
    DesignError
        Where a treated area has no year before its start, or nobody to compare with though there are other areas.
    """
    return SeriesPlan(
        choices=choices, outcomes={one.code: _outcome(project, choices, intake, one.code) for one in project.outcomes}
    )


def _outcome(project: Project, choices: SeriesChoices, intake: ProjectData, code: str) -> SeriesOutcome:
    made = area_outcome(project, intake, code)
    before = _before(choices, made)
    complete = made.is_complete(before)
    lacking = [made.series.name(one) for one in made.treated if not complete[made.areas.index(one)]]
    if lacking:
        raise DesignError(
            f"{made.label}: {listed(lacking, 5)} lacks a value in some of the years {_years(before)}, and each treated "
            "area needs them all. Name those years under `without_years` of the analysis, or supply them."
        )
    kept = made.of_areas(complete)
    compared = kept.compared(choices.comparison, intake.neighbours[choices.neighbours or project.pool.neighbours])
    _require_comparison(choices, kept, compared)
    is_averaged = made.n_schools is not None
    small = _too_small(kept, before, project.pool.minimum_area_schools)
    can_stand_in = ~kept.is_treated & compared.any(axis=1) & ~small
    can_stand_in &= ~np.isin(np.array(kept.areas, dtype=object), list(kept.excluded))
    ids = np.array(kept.areas, dtype=object)
    stand_ins = tuple(ids[can_stand_in].tolist())
    return SeriesOutcome(
        code=code,
        label=made.label,
        unit=made.unit,
        stage=made.stage,
        starts=kept.starts,
        before=before,
        partial=project.participants.first_year == "partial",
        compared={area: tuple(ids[compared[at]].tolist()) for at, area in enumerate(kept.areas)},
        stand_ins=stand_ins,
        left_out=(*made.left_out, *made.incomplete(before), *_no_stand_ins(kept, can_stand_in, compared, small)),
        names={one: made.series.name(one) for one in made.areas},
        region=_region(kept),
        breaks=measure_of(project, code).breaks,
        is_averaged=is_averaged,
        is_own=next(one.is_own for one in project.outcomes if one.code == code),
        source=made.source,
        borders=_borders(intake, kept, stand_ins) if choices.needs_borders else None,
    )


def _borders(intake: ProjectData, kept: AreaOutcome, stand_ins: Sequence[str]) -> Bools:
    """Return which areas that may stand in border each other; raise where the treated ones are no set like theirs."""
    if len(set(kept.starts.values())) > 1:
        raise DesignError(
            f"{kept.label}: areas that start in different years are judged by areas from anywhere. Say `placebo: "
            "areas`, or evaluate the areas of one start at a time."
        )
    return bordering_areas(intake, kept, stand_ins, "placebo: areas")


def _region(kept: AreaOutcome) -> str:
    """Return the one region in which several treated areas lie, an empty text where they do not."""
    found = {kept.regions.get(area, "") for area in kept.starts}
    return found.pop() if len(found) == 1 and len(kept.starts) > 1 else ""


def _before(choices: SeriesChoices, made: AreaOutcome) -> tuple[int, ...]:
    """Return the years before the first start that are compared: none across a break of level, none left out."""
    first = made.first_start
    earlier = [year for year in made.series.periods if year < first and year not in choices.without_years]
    kept = usable_years(earlier, made.series.breaks, first) if earlier else ()
    if not kept:
        raise DesignError(
            f"{made.label}: no year before {first}, the first treated one, has a value, so there is nothing to measure "
            "a change from. Supply earlier years, or take years off `without_years`."
        )
    return kept


def _require_comparison(choices: SeriesChoices, kept: AreaOutcome, compared: Bools) -> None:
    """Raise where a treated area has nobody to compare with though others are there: that is no single series."""
    alone = [one for one in kept.treated if not compared[kept.areas.index(one)].any()]
    if alone and len(alone) == len(kept.treated) == len(kept.areas):
        return
    if not alone:
        return
    names = listed([kept.series.name(one) for one in alone], 5)
    remedy = (
        "Give the file of neighbours, or say `comparison: all`"
        if choices.comparison == "neighbours"
        else "Take areas off `pool.exclude_areas`"
    )
    raise DesignError(
        f"{kept.label}: no area that {names} could be compared with has values in every year before. {remedy}."
    )


def _too_small(kept: AreaOutcome, before: Sequence[int], fewest: int) -> Bools:
    """Return which areas' means are, in some year before, of fewer schools than an area must have to stand in."""
    if kept.n_schools is None:
        return np.zeros(len(kept.areas), dtype=bool)
    at = [kept.series.periods.index(year) for year in before]
    return np.asarray((kept.n_schools[:, at] < fewest).any(axis=1))


def _no_stand_ins(kept: AreaOutcome, can_stand_in: Bools, compared: Bools, small: Bools) -> Iterator[LeftOut]:
    """Yield the areas without the programme that the same regression is not made for, with the reason."""
    ids = np.array(kept.areas, dtype=object)
    excluded = np.isin(ids, list(kept.excluded))
    rest = ~can_stand_in & ~kept.is_treated
    reasons = (
        (excluded, "excluded by the project"),
        (small & ~excluded, "has fewer schools than an area needs to stand in for a treated one"),
        (~compared.any(axis=1) & ~small & ~excluded, "has nobody to be compared with"),
    )
    for is_so, reason in reasons:
        units = tuple(ids[rest & is_so].tolist())
        if units:
            yield LeftOut(reason, units, len(units))


def _years(years: Sequence[int]) -> str:
    return listed([str(year) for year in years], 12)


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
