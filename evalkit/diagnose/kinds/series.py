"""Results of a comparative interrupted time series: the effect by year, its place among areas, and what stands beside.

The years compared are those in which every treated area, and most of the others, has a value, on the programme's side
of any break of level; an area that lacks one of them is in no mean and stands in for nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats
from evalkit.core.errors import DesignError
from evalkit.core.formats import Precision
from evalkit.core.manifest import DataKind
from evalkit.core.project import Project
from evalkit.core.quantities import IntervalOrReason, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.core.words import counted, listed
from evalkit.data.flow import LeftOut
from evalkit.data.measures import Break, measure_of
from evalkit.data.published.area_records import AreaSource
from evalkit.data.published.project_data import ProjectData
from evalkit.design.kinds.area_series import AreaOutcome, area_outcome
from evalkit.design.kinds.series import AFTER_FOR_SLOPES, BEFORE_FOR_SLOPES, SeriesChoices, SeriesOutcome, SeriesPlan
from evalkit.design.kinds.staggered import usable_years
from evalkit.design.project.set_rule import no_interval_of_sets
from evalkit.diagnose.finding import CheckPower
from evalkit.estimate.areas.gap_series import (
    GapSeries,
    Placed,
    Places,
    Ranked,
    SetCounts,
    by_start,
    in_connected_sets,
    placed,
    places_of,
)
from evalkit.estimate.areas.gap_series_arrays import neighbour_correlation
from evalkit.estimate.published_spread import Spreads, conditional_spread, unconditional_spread

_MOST: Final = 0.5
"""Share of the areas of a plan that must have a value in a year for it to be compared."""
_FOR_PLACEBO: Final = 4
"""Years before the first start from which a start that was none is put into the middle of them."""
_FOR_TREND: Final = 3
"""Years before from which a gap has a trend that can be told from its level."""
BY_LEVELS: Final = "levels alone"
BY_LINES: Final = "lines before and after"
OWN_SERIES: Final = "the treated areas alone"
ALL_AREAS: Final = "less all other areas"
_NOBODY: Final = Unavailable("There is no other area to compare with.")
_FEW_YEARS: Final = "There are fewer than {needed} years before the start, too few for this."


# The results.


@dataclass(frozen=True, slots=True, kw_only=True)
class YearPoint:
    """The treated areas at one time: `at` is a year, or years since the start where areas start in different years.

    `own` is their mean, `compared` that of those they are compared with, `gap` the difference;
    `fitted` what the regression gives, and `without` how the line before goes on. `is_used` is false of a year left out
    of the regression.
    """

    at: int
    own: float
    compared: Quantity
    gap: float
    fitted: float
    without: float
    n_areas: int
    is_used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeEffect:
    """The effect so many years after the start, with its place among areas; `year` is 0 where areas' years differ."""

    since: int
    year: int
    ranked: Ranked


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The mean effect by another choice; no p-value, as one choice decides."""

    name: str
    estimate: float
    interval: IntervalOrReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Averages over the treated areas: trend of the gap before, change of its level at the start and of its slope."""

    trend: float
    level: float
    slope: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class SeriesOutcomeResults(Shown):
    """What was found for one outcome.

    Attributes
    ----------
    code, label, unit, role : the outcome, in words for readers
    plan : what was decided before outcomes
    years, before, after : years with values; those compared before the first start, and from it on
    years_left_out : years with values that are not compared, by the reason
    has_slope : whether lines are fitted, or levels compared
    areas : ids of the areas of `series`
    overall : the mean effect over the years from the start on, and its place
    by_time : the effect of each year
    lines : what the regression gives, averaged over the treated
    points : the series as it is drawn
    beside : the mean effect by other choices
    given, trend, unsteadiness, placebo_start : the effect given the line before, that line's slope, the distance from
        it, and the effect at a start that was none, each ranked, or why it cannot be given
    trend_power, placebo_power : how often two of these checks find a flaw as large as the least detectable effect
    correlation : of the residuals a year apart, averaged over the treated
    without_one : the mean effect without each area that the treated are compared with, by name
    compared : ids of the areas that the treated are compared with
    breaks : changes in how the outcome is made that lie among the years compared
    left_out : areas and schools left out, with the reason
    spreads : standard deviations by which the effect is standardised
    level : of intervals
    """

    code: str
    label: str
    unit: str
    role: str
    plan: SeriesOutcome
    years: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    years_left_out: tuple[tuple[str, tuple[int, ...]], ...]
    has_slope: bool
    areas: tuple[str, ...]
    overall: Ranked
    by_time: tuple[TimeEffect, ...]
    lines: Lines
    points: tuple[YearPoint, ...]
    beside: tuple[Beside, ...]
    given: Ranked | Unavailable
    trend: Ranked | Unavailable
    unsteadiness: Ranked | Unavailable
    placebo_start: Ranked | Unavailable
    trend_power: CheckPower | Unavailable
    placebo_power: CheckPower | Unavailable
    correlation: Quantity
    without_one: tuple[tuple[str, float], ...]
    compared: tuple[str, ...]
    breaks: tuple[Break, ...]
    left_out: tuple[LeftOut, ...]
    spreads: Spreads
    level: float
    source: AreaSource | None = None

    @property
    def is_single(self) -> bool:
        """Return whether the areas are followed by themselves, as there is no other to compare with."""
        return not self.compared

    @property
    def made(self) -> Precision:
        """Return how finely numbers of this outcome are written."""
        interval = self.overall.interval
        size = None if isinstance(interval, Unavailable) else (interval.upper - interval.lower) / 4
        return Precision.of(size, abs(self.overall.estimate), max(abs(point.gap) for point in self.points))

    @property
    def common_start(self) -> int | None:
        """Return the first treated year where it is that of every treated area."""
        starts = set(self.plan.starts.values())
        return starts.pop() if len(starts) == 1 else None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class SeriesFindings(Shown):
    """The results of a comparative interrupted time series by outcome, the plan they follow, and the kind of data."""

    kind: DataKind
    plan: SeriesPlan
    outcomes: tuple[SeriesOutcomeResults, ...]

    @property
    def primary(self) -> SeriesOutcomeResults:
        """Return the results of the primary outcome, the first where an analysis takes others only."""
        return next((one for one in self.outcomes if one.role == "primary"), self.outcomes[0])


def series_outcomes(project: Project, plan: SeriesPlan, intake: ProjectData) -> SeriesFindings:
    """Estimate every outcome of a plan, and place the treated areas among all others as the plan says.

    Raises `DesignError` where an outcome cannot be estimated at all.
    """
    made = [_outcome(project, plan.choices, intake, outcome) for outcome in plan.outcomes.values()]
    return SeriesFindings(kind=intake.kind, plan=plan, outcomes=tuple(made))


# One outcome.


def _outcome(
    project: Project, choices: SeriesChoices, intake: ProjectData, plan: SeriesOutcome
) -> SeriesOutcomeResults:
    made = area_outcome(project, intake, plan.code)
    years, years_left_out = _years(choices, plan, made)
    kept, lost = _complete(plan, made, years)
    series = _series(plan, kept, years, has_slope=False)
    _require_after(plan, series)
    has_slope = _has_slope(choices, plan, series)
    series = replace(series, has_slope=has_slope)
    judged = _judged(plan, series, kept, project.seed)
    places, level = places_of(judged, project.seed), project.inference.level
    found = placed(judged, places, by_start(judged, GapSeries.effects))
    declared = next(one for one in project.outcomes if one.code == plan.code)
    first = plan.first_start
    return SeriesOutcomeResults(
        code=plan.code,
        label=plan.label,
        unit=plan.unit,
        role=declared.role,
        plan=plan,
        years=years,
        before=tuple(year for year in years if year < first and not (plan.partial and year == first - 1)),
        after=tuple(year for year in years if year >= first),
        years_left_out=years_left_out,
        has_slope=has_slope,
        areas=kept.areas,
        overall=found.ranked(0, level),
        by_time=tuple(_by_time(plan, series, found, level)),
        lines=_lines(series),
        points=tuple(_points(plan, series)),
        beside=tuple(_beside(project, plan, series, places, judged.of_sets)),
        given=_of(judged, places, GapSeries.given_before, 0, level),
        trend=_needs(series, _FOR_TREND) or _of(judged, places, GapSeries.before, 1, level),
        unsteadiness=_needs(series, _FOR_TREND + 1) or _of(judged, places, GapSeries.unsteadiness, 0, level),
        placebo_start=_placebo_start(judged, places, level),
        trend_power=_trend_power(judged, places, found),
        placebo_power=_placebo_power(judged, places, found),
        correlation=_correlation(series),
        without_one=tuple(_without_one(plan, series, kept)),
        compared=_compared(series, kept),
        breaks=tuple(one for one in plan.breaks if years[0] <= one.before and one.after <= years[-1]),
        left_out=(*plan.left_out, *lost),
        spreads=_spreads(project, intake, plan.code),
        level=level,
        source=made.source,
    )


def _judged(plan: SeriesOutcome, series: GapSeries, kept: AreaOutcome, seed: int) -> GapSeries:
    """Return the series as the treated areas are placed in it: of areas, or of sets of areas that border each other."""
    if plan.borders is None:
        return series
    ids = [area for area, is_so in zip(kept.areas, series.stands_in, strict=True) if is_so]
    at = [plan.stand_ins.index(area) for area in ids]
    return in_connected_sets(series, plan.borders[np.ix_(at, at)], seed)


_NO_SCHOOL_SD: Final = Unavailable("An effect on areas is not divided by how far schools differ.")


def _spreads(project: Project, intake: ProjectData, code: str) -> Spreads:
    """Return the standard deviations of pupils by which an effect is divided, as far as they are known."""
    known = measure_of(project, code)
    return Spreads(
        unconditional=unconditional_spread(known, intake.shares.get(code)),
        conditional=conditional_spread(known, intake.limits.get(code)),
        school_sd=_NO_SCHOOL_SD,
        table=project.effect_sizes.months_table,
    )


def _years(
    choices: SeriesChoices, plan: SeriesOutcome, made: AreaOutcome
) -> tuple[tuple[int, ...], tuple[tuple[str, tuple[int, ...]], ...]]:
    """Return the years compared, and those that are not by the reason."""
    every = made.series.periods
    asked = tuple(year for year in every if year not in choices.without_years)
    unbroken = usable_years(asked, plan.breaks, plan.first_start)
    at = [made.areas.index(area) for area in plan.starts]
    planned = np.isin(np.array(made.areas, dtype=object), list(plan.compared))
    known = np.isfinite(made.series.values)
    of_treated = {year for n, year in enumerate(every) if known[at, n].all()}
    of_most = {year for n, year in enumerate(every) if known[planned, n].mean() >= _MOST}
    kept = tuple(year for year in unbroken if year in of_treated and year in of_most)
    reasons = (
        ("the project leaves them out", set(every) - set(asked)),
        ("how it is measured changed between them and the last year before the start", set(asked) - set(unbroken)),
        ("a treated area has no value", set(unbroken) - of_treated),
        ("fewer than half of the areas have a value", (set(unbroken) & of_treated) - of_most),
    )
    return kept, tuple((reason, tuple(sorted(years))) for reason, years in reasons if years)


def _complete(plan: SeriesOutcome, made: AreaOutcome, years: Sequence[int]) -> tuple[AreaOutcome, tuple[LeftOut, ...]]:
    """Return the areas of the plan that have every year compared, and those that lack one after the first start."""
    complete = made.is_complete(years)
    planned = np.isin(np.array(made.areas, dtype=object), list(plan.compared))
    lost = tuple(np.array(made.areas, dtype=object)[planned & ~complete].tolist())
    reason = "lacks a value in some of the years from the first start on"
    return made.of_years(years).of_areas(planned & complete), ((LeftOut(reason, lost, len(lost)),) if lost else ())


def _series(plan: SeriesOutcome, kept: AreaOutcome, years: Sequence[int], *, has_slope: bool) -> GapSeries:
    ids = kept.areas
    compared = np.array([np.isin(ids, plan.compared[area]) for area in ids], dtype=bool).reshape(len(ids), len(ids))
    alone = [plan.name(area) for area in plan.starts if not compared[ids.index(area)].any()]
    if alone and not plan.is_single:
        raise DesignError(
            f"{plan.label}: no area that {listed(alone, 5)} is compared with has a value in every year. Take years "
            "that few areas have off by `without_years`, or say `comparison: all`."
        )
    stands_in = np.isin(ids, plan.stand_ins) & compared.any(axis=1)
    weight = np.ones(len(ids))
    if kept.n_schools is not None:
        before = [n for n, year in enumerate(kept.series.periods) if year < plan.first_start]
        weight = kept.n_schools[:, before].mean(axis=1)
    return GapSeries(
        values=kept.series.values,
        years=np.array(years, dtype=np.int64),
        compared=compared,
        treated=np.array([ids.index(area) for area in plan.starts], dtype=np.int64),
        starts=np.array(list(plan.starts.values()), dtype=np.int64),
        stands_in=stands_in,
        weight=weight,
        has_slope=has_slope,
        is_partial=plan.partial,
        is_alone=plan.is_single,
        why_unranked=plan.why_never_ranked,
    )


def _require_after(plan: SeriesOutcome, series: GapSeries) -> None:
    """Raise where a treated area has no year compared from its start on, or none before it."""
    for area, start in plan.starts.items():
        used = series.years[series.used(start)]
        for is_there, side in (((used < start).any(), "before"), ((used >= start).any(), "from")):
            if not is_there:
                held = [str(year) for year in series.years]
                broken = [one.sentence for one in plan.breaks if one.kind == "level"]
                raise DesignError(
                    f"{plan.label}: {plan.name(area)} has no year {side} its start, {start}, that can be compared: "
                    f"{listed(held, 20) or 'none'} can.{' ' + ' '.join(broken) if broken else ''} Supply more years, "
                    "or take another outcome."
                )


def _has_slope(choices: SeriesChoices, plan: SeriesOutcome, series: GapSeries) -> bool:
    """Return whether lines are fitted; raise where they are asked for and years are too few."""
    counts = []
    for start in series.starts:
        used = series.years[series.used(int(start))]
        counts.append((int((used < start).sum()), int((used >= start).sum())))
    enough = all(n >= BEFORE_FOR_SLOPES and m >= AFTER_FOR_SLOPES for n, m in counts)
    if choices.slope == "yes" and not enough:
        n, m = min(counts)
        raise DesignError(
            f"{plan.label}: `slope: yes` needs {BEFORE_FOR_SLOPES} years before and {AFTER_FOR_SLOPES} from the start "
            f"on, and there are {n} and {m}. Say `slope: auto`, or supply more years."
        )
    return enough and choices.slope != "no"


def _by_time(plan: SeriesOutcome, series: GapSeries, found: Placed, level: float) -> Iterator[TimeEffect]:
    starts = set(plan.starts.values())
    for n, since in enumerate(series.event_times):
        year = min(starts) + since if len(starts) == 1 else 0
        yield TimeEffect(since=since, year=year, ranked=found.ranked(1 + n, level))


def _averaged(series: GapSeries, by_area: Floats) -> Floats:
    """Return the weighted average over the treated areas of what is theirs, shape (A, …)."""
    return np.asarray(np.average(by_area, axis=0, weights=series.weight[series.treated]))


def _lines(series: GapSeries) -> Lines:
    fits = [series.fit(int(start)) for start in series.starts]
    of_each = [
        [fit.trend[at], fit.level[at], fit.slope[at]] for fit, at in zip(fits, series.treated, strict=True)
    ]  # fmt: skip
    trend, level, slope = _averaged(series, np.array(of_each)).tolist()
    return Lines(trend=trend, level=level, slope=slope)


def _points(plan: SeriesOutcome, series: GapSeries) -> Iterator[YearPoint]:
    """Yield the treated areas' means by year, or by years since the start where starts differ."""
    is_common = len(set(plan.starts.values())) == 1
    rows: dict[int, list[tuple[float, float, float, float, bool]]] = {}
    for at, start in zip(series.treated, series.starts, strict=True):
        fit, used = series.fit(int(start)), series.used(int(start))
        for n, year in enumerate(series.years):
            row = (series.values[at, n], series.gap[at, n], fit.fitted[at, n], fit.without[at, n], bool(used[n]))
            rows.setdefault(int(year if is_common else year - start), []).append((*row[:4], row[4]))
    for when in sorted(rows):
        own, gap, fitted, without = (float(np.mean([row[k] for row in rows[when]])) for k in range(4))
        yield YearPoint(
            at=when,
            own=own,
            compared=_NOBODY if series.is_alone else own - gap,
            gap=gap,
            fitted=fitted,
            without=without,
            n_areas=len(rows[when]),
            is_used=all(row[4] for row in rows[when]),
        )


# What stands beside, and what could be wrong.


def _beside(
    project: Project, plan: SeriesOutcome, series: GapSeries, places: Places, of_sets: SetCounts | None
) -> Iterator[Beside]:
    """Yield the mean effect by levels alone or by lines, less all other areas, and of the treated by themselves."""
    if of_sets is not None:
        no_interval = Unavailable(no_interval_of_sets(of_sets.n_disjoint))
        nobody = Places(np.empty((0, len(series.treated)), dtype=np.int64), is_drawn=False)
        yield from (replace(one, interval=no_interval) for one in _beside(project, plan, series, nobody, None))
        return
    level = project.inference.level
    if series.has_slope:
        yield _otherwise(BY_LEVELS, replace(series, has_slope=False), places, level)
    elif all(_n_used(series, int(start)) for start in series.starts):
        yield _otherwise(BY_LINES, replace(series, has_slope=True), places, level)
    if plan.is_single:
        return
    everyone = _everyone(series)
    if (everyone[series.treated] != series.compared[series.treated]).any():
        yield _otherwise(ALL_AREAS, replace(series, compared=everyone), places, level)
    alone = Unavailable("Without a comparison nothing says how far such a series moves by itself.")
    own = _otherwise(OWN_SERIES, replace(series, is_alone=True), places, level)
    yield replace(own, interval=alone)


def _n_used(series: GapSeries, start: int) -> bool:
    used = series.years[series.used(start)]
    return bool((used < start).sum() >= BEFORE_FOR_SLOPES and (used >= start).sum() >= AFTER_FOR_SLOPES)


def _everyone(series: GapSeries) -> Bools:
    """Return the comparison of each area with all that anybody is compared with."""
    anybody = series.compared.any(axis=0) | series.stands_in
    found: Bools = np.tile(anybody, (len(anybody), 1)) & ~np.eye(len(anybody), dtype=bool)
    found[:, series.treated] = False
    return found


def _otherwise(name: str, series: GapSeries, places: Places, level: float) -> Beside:
    found = placed(series, places, by_start(series, GapSeries.effects)).ranked(0, level)
    return Beside(name=name, estimate=found.estimate, interval=found.interval)


def _needs(series: GapSeries, needed: int) -> Unavailable | None:
    """Return why years before are too few for something, None where they are enough."""
    n = min(int((series.used(int(start)) & (series.years < start)).sum()) for start in series.starts)
    return Unavailable(_FEW_YEARS.format(needed=needed)) if n < needed else None


def _of(
    series: GapSeries, places: Places, number: Callable[[GapSeries, int], Floats], column: int, level: float
) -> Ranked | Unavailable:
    """Return a number's place among areas; a reason where no area could take the treated ones' places."""
    if series.is_alone:
        return _NOBODY
    found = placed(series, places, by_start(series, number)).ranked(column, level)
    return Unavailable(found.p_value.reason) if isinstance(found.p_value, Unavailable) else found


def _placebo_start(series: GapSeries, places: Places, level: float) -> Ranked | Unavailable:
    """Return the effect at a start in the middle of the years before the first one."""
    earlier = _put_back(series)
    if isinstance(earlier, Unavailable):
        return earlier
    return _of(earlier, places, GapSeries.effects, 0, level)


def _put_back(series: GapSeries) -> GapSeries | Unavailable:
    """Return the years before the first start alone, as if it had come in the middle of them."""
    first = int(series.starts.min())
    before = series.years[(series.years < first) & series.used(first)]
    if len(before) < _FOR_PLACEBO:
        return Unavailable(_FEW_YEARS.format(needed=_FOR_PLACEBO))
    start = int(before[len(before) - len(before) // 2])
    kept = np.isin(series.years, before)
    earlier = replace(
        series,
        values=series.values[:, kept],
        years=series.years[kept],
        starts=np.full(len(series.starts), start, dtype=np.int64),
        has_slope=False,
        is_partial=False,
    )
    return replace(earlier, has_slope=series.has_slope and _n_used(earlier, start))


DETECTABLE: Final = 2.8
"""Root mean squares of the effect where nothing happened that one needs to be found in 80% of cases at 5%."""
_NO_POWER: Final = Unavailable("There is no ranked test whose power could be told.")


def _between(series: GapSeries) -> float:
    """Return how many years lie between the mean year before a start and that from it on, over the treated areas."""
    found = []
    for start in series.starts:
        used = series.years[series.used(int(start))]
        found.append(used[used >= start].mean() - used[used < start].mean())
    return float(_averaged(series, np.array(found)))


def _trend_power(series: GapSeries, places: Places, found: Placed) -> CheckPower | Unavailable:
    """Return how often a trend before is found that biases the effect by levels by its least detectable size."""
    if series.has_slope or _needs(series, _FOR_TREND) is not None:
        return _NO_POWER
    return _power(series, placed(series, places, by_start(series, GapSeries.before)), 1, found, 1 / _between(series))


def _placebo_power(series: GapSeries, places: Places, found: Placed) -> CheckPower | Unavailable:
    """Return how often a start put back shows a flaw that biases the effect by its least detectable size.

    By levels that flaw is a trend; by lines, which carry a trend on, a jump of that size in the middle of the years.
    """
    earlier = _put_back(series)
    if isinstance(earlier, Unavailable):
        return _NO_POWER
    moved = 1.0 if series.has_slope else _between(earlier) / _between(series)
    return _power(series, placed(earlier, places, by_start(earlier, GapSeries.effects)), 0, found, moved)


def _power(series: GapSeries, check: Placed, column: int, found: Placed, per_point: float) -> CheckPower | Unavailable:
    """Return the power of a check of which a flaw that biases the effect by one point moves the number by so much."""
    spread = found.ranked().spread
    if (
        series.of_sets is not None
        or series.is_alone
        or isinstance(spread, Unavailable)
        or isinstance(found.ranked().p_value, Unavailable)
    ):
        return _NO_POWER
    least = DETECTABLE * spread
    half, one, twice = (check.detected(column, times * least * per_point) for times in (0.5, 1.0, 2.0))
    return CheckPower(violation=least, at_half=half, at_one=one, at_twice=twice)


def _correlation(series: GapSeries) -> Quantity:
    """Return the correlation of residuals a year apart, averaged over the treated areas."""
    found = []
    for at, start in zip(series.treated, series.starts, strict=True):
        residuals = series.fit(int(start)).residuals[[at]]
        found.append(float(neighbour_correlation(residuals, series.years[series.used(int(start))])[0]))
    known = [one for one in found if np.isfinite(one)]
    return float(np.mean(known)) if known else Unavailable("The regression leaves nothing over.")


def _compared(series: GapSeries, kept: AreaOutcome) -> tuple[str, ...]:
    anyone = np.asarray(series.compared[series.treated].any(axis=0))
    return tuple(area for area, is_so in zip(kept.areas, anyone, strict=True) if is_so)


_MOST_PARTS: Final = 40
"""Leaving out one compared area at a time is told of so many at most; of more none weighs much."""


def _without_one(plan: SeriesOutcome, series: GapSeries, kept: AreaOutcome) -> Iterator[tuple[str, float]]:
    """Yield the mean effect without each area that the treated are compared with."""
    anyone = np.flatnonzero(series.compared[series.treated].any(axis=0))
    if not 2 <= len(anyone) <= _MOST_PARTS or (series.compared[series.treated].sum(axis=1) < 2).any():
        return
    nobody = Places(np.empty((0, len(series.treated)), dtype=np.int64), is_drawn=False)
    for at in anyone:
        compared = series.compared.copy()
        compared[:, at] = False
        found = placed(less := replace(series, compared=compared), nobody, by_start(less, GapSeries.effects))
        yield plan.name(kept.areas[at]), float(found.observed[0])


def years_words(one: SeriesOutcomeResults) -> str:
    """Return how many years lie before and from the first start on, in words."""
    return f"{counted(len(one.before), 'year')} before and {len(one.after)} from the start on"
