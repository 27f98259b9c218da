"""Results of a staggered estimator whose every number is judged by sets of units of other areas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.formats import Precision
from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable
from evalkit.design.clusters import OVER_SETS
from evalkit.estimate.areas.sets import SetsInference, SetStatistics
from evalkit.estimate.effect import Inference
from evalkit.estimate.staggered.pre_test import NOTHING_BEFORE, PreTest
from evalkit.estimate.staggered.relabelled import OVERALL, Kind, Numbered
from evalkit.estimate.staggered.results import Reported, ReportedCell, ReportedSet, StaggeredResults

NO_STD_ERROR: Final = "Sets of other units give a p-value and an interval, but no standard error."
ASSUMES: Final = (
    "Judged by sets of units of other areas that take the places of the listed ones, with their starts. What happens "
    "to an area is then in every number as it is in the estimate; fair if other areas could as well have taken part."
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NumbersBySets:
    """What sets say of each number of an estimator; `level` is that of intervals."""

    statistics: SetStatistics
    numbers: tuple[Numbered, ...]
    level: float

    def of(self, number: Numbered) -> SetsInference | None:
        """Return what is said of a number, None where sets have no such number."""
        return self.statistics.inference(self.numbers.index(number), self.level) if number in self.numbers else None

    @property
    def overall(self) -> SetsInference:
        """Return what is said of the overall effect."""
        return self.statistics.inference(self.numbers.index(OVERALL), self.level)

    def bands(self) -> Mapping[Numbered, IntervalOrReason]:
        """Return the band over the event times: all its intervals hold together."""
        times = [number for number in self.numbers if number.of == "time" and self._varies(number)]
        found = self.statistics.band([self.numbers.index(number) for number in times], self.level) if times else ()
        return dict(zip(times, found, strict=True))

    def _varies(self, number: Numbered) -> bool:
        column = self.statistics.values[:, self.numbers.index(number)]
        return bool((np.abs(np.nan_to_num(column)) > 0).any())

    def leads(self, before: int) -> list[int]:
        """Return the columns of event times before `before` at which anything varies."""
        of_leads = [one for one in self.numbers if one.of == "time" and (one.label or 0) < before]
        return [self.numbers.index(one) for one in of_leads if self._varies(one)]


def results_by_sets(results: StaggeredResults, by_sets: NumbersBySets, anticipation: int = 0) -> StaggeredResults:
    """Return the same estimates, each with interval, p-value and band by sets in the place of errors by cluster.

    Where sets are like the list, these are of the estimate less what such sets gain; `less_expected` gives that. The
    joint test before the start becomes the rank of the largest lead, in standard deviations of those of the sets.
    """
    bands = by_sets.bands()
    times = tuple(
        replace(_judged(part, by_sets, Numbered("time", part.label)), band=bands.get(Numbered("time", part.label)))
        for part in results.event_study.parts
    )
    return replace(
        results,
        group_time=tuple(_judged_cell(cell, by_sets) for cell in results.group_time),
        simple=_judged(results.simple, by_sets, OVERALL),
        by_cohort=_judged_set(results.by_cohort, by_sets, ("cohorts", "cohort")),
        calendar=_judged_set(results.calendar, by_sets, ("periods", "period")),
        event_study=ReportedSet(
            overall=_judged(results.event_study.overall, by_sets, Numbered("times")),
            parts=tuple(_with_own_reason(part) for part in times),
        ),
        pre_test=largest_lead(by_sets, -anticipation),
        assumes=ASSUMES,
    )


def less_expected(results: StaggeredResults, by_sets: NumbersBySets) -> StaggeredResults:
    """Return results in which every estimate is less the mean of the sets, where these are like the list.

    Intervals, p-values and bands of `results_by_sets` are of these estimates; where sets are random nothing changes.
    """
    if by_sets.overall.rule == "simple":
        return results

    def of_set(found: ReportedSet, mean: Kind, part: Kind) -> ReportedSet:
        parts = tuple(_less(one, by_sets.of(Numbered(part, one.label))) for one in found.parts)
        return ReportedSet(overall=_less(found.overall, by_sets.of(Numbered(mean))), parts=parts)

    cells = tuple(_less(cell, by_sets.of(Numbered("cell", cell.cohort, cell.period))) for cell in results.group_time)
    return replace(
        results,
        group_time=cells,
        simple=_less(results.simple, by_sets.overall),
        by_cohort=of_set(results.by_cohort, "cohorts", "cohort"),
        calendar=of_set(results.calendar, "periods", "period"),
        event_study=of_set(results.event_study, "times", "time"),
    )


N = TypeVar("N", Reported, ReportedCell)


def _less(one: N, found: SetsInference | None) -> N:
    is_known = found is not None and one.method == OVER_SETS and not isinstance(one.estimate, Unavailable)
    return replace(one, estimate=found.adjusted) if is_known and found is not None else one


def inference_by_sets(found: SetsInference, level: float) -> Inference:
    """Return what sets say of a number in the form of every other inference."""
    return Inference(
        method=OVER_SETS,
        std_error=Unavailable(NO_STD_ERROR),
        df=None,
        interval=found.interval,
        p_value=found.p_value,
        note=note_of(found),
        assumes=ASSUMES,
        n_ranked=n_ranked(found),
    )


def n_ranked(found: SetsInference) -> int:
    """Return among how many results a number was ranked: areas in turn, or draws of several areas and the list."""
    return found.n_areas if found.n_treated_areas == 1 else found.n_sets + 1


def note_of(found: SetsInference) -> str:
    """Return how sets were drawn and, where they are like the list, what such a list gains where nothing happened."""
    drawn = {
        "simple": "as many units at random",
        "like": "units like the list before the programme",
        "rule": "the units that the declared rule picks",
    }[found.rule]
    what = "all units" if found.is_whole else drawn
    if found.n_treated_areas == 1:
        made = f"{found.n_sets:,} sets of {what}, in {found.n_areas - 1} other areas."
    else:
        made = f"{found.n_sets:,} draws of {found.n_treated_areas} other areas, with {what} of each."
    if found.rule == "simple" or isinstance(found.expected, Unavailable):
        return made
    return f"{made} {_less_expected(found, found.expected)}"


_GAIN: Final = "Such sets gain "
_REDUCED: Final = "which reduces what a list chosen for low results gains by itself, and does not remove it."


def _less_expected(found: SetsInference, expected: float) -> str:
    """Return what sets gain where nothing happened, as finely as the interval that it is taken off tells."""
    interval = found.interval
    size = (interval.upper - interval.lower) / 4 if isinstance(interval, Interval) else abs(expected)
    shown = Precision.of(size, abs(expected)).number(expected)
    return f"{_GAIN}{shown} where nothing happened: interval and p-value are of the effect less that, {_REDUCED}"


def notes_of(reported: Iterable[Reported | ReportedCell]) -> tuple[str, ...]:
    """Return the notes of several numbers, each once; of what sets gain, which differs, one note for all."""
    notes = list(dict.fromkeys(one.note for one in reported if one.note))
    gains = [note for note in notes if note.startswith(_GAIN)]
    if len(gains) < 2:
        return tuple(notes)
    once = f"Such sets gain something where nothing happened: each interval is of the effect less that, {_REDUCED}"
    return (*(note for note in notes if note not in gains), once)


def _judged(one: Reported, by_sets: NumbersBySets, number: Numbered) -> Reported:
    """Return a number with what sets say of it; one that is no estimate, or zero by definition, stays as it is."""
    found = by_sets.of(number)
    if found is None or isinstance(one.estimate, Unavailable) or _is_base(one):
        return one
    return replace(
        one,
        std_error=Unavailable(NO_STD_ERROR),
        interval=found.interval,
        p_value=found.p_value,
        method=OVER_SETS,
        df=None,
        n_ranked=n_ranked(found),
        note=""
        if found.rule == "simple" or isinstance(found.expected, Unavailable)
        else _less_expected(found, found.expected),
    )


def _is_base(one: Reported) -> bool:
    return one.estimate == 0 and isinstance(one.std_error, Unavailable) and "by definition" in one.std_error.reason


def _with_own_reason(part: Reported) -> Reported:
    """Return an event time whose band, where it has none, is missing for the reason that its interval is."""
    if part.band is not None:
        return part
    return replace(part, band=part.interval if isinstance(part.interval, Unavailable) else Unavailable(NO_VARIATION))


NO_VARIATION: Final = "Nothing varies between sets here, so that there is no band."


def _judged_set(found: ReportedSet, by_sets: NumbersBySets, names: tuple[Kind, Kind]) -> ReportedSet:
    mean, part = names
    return ReportedSet(
        overall=_judged(found.overall, by_sets, Numbered(mean)),
        parts=tuple(_judged(one, by_sets, Numbered(part, one.label)) for one in found.parts),
    )


def _judged_cell(cell: ReportedCell, by_sets: NumbersBySets) -> ReportedCell:
    found = by_sets.of(Numbered("cell", cell.cohort, cell.period))
    if found is None or isinstance(cell.estimate, Unavailable):
        return cell
    return replace(
        cell,
        std_error=Unavailable(NO_STD_ERROR),
        interval=found.interval,
        method=OVER_SETS,
        df=None,
        n_ranked=n_ranked(found),
    )


def largest_lead(by_sets: NumbersBySets, before: int = 0) -> PreTest | Unavailable:
    """Return the rank of the largest effect at an event time before `before`, among those of sets.

    Each event time is divided by its standard deviation over sets, centred where sets are like the list.
    """
    columns = by_sets.leads(before)
    if not columns:
        return Unavailable(NOTHING_BEFORE)
    made = _of_largest(by_sets.statistics, columns)
    found = made.inference(0, by_sets.level)
    if isinstance(found.p_value, Unavailable):
        return found.p_value
    return PreTest(
        statistic=found.estimate, df=len(columns), p_value=found.p_value, kind="rank", of="event time", note=""
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPower:
    """How often the test before the start would find a trend of its own in the treated, at 5%.

    `slope` is the trend, a period, that would bias the overall effect by `bias`; the shares are of sets in which the
    test finds half of it, it, and twice of it.
    """

    slope: float
    bias: float
    at_half: float
    at_one: float
    at_twice: float


DETECTABLE: Final = 2.8
"""Standard deviations over sets that an effect needs to be found in 80% of cases at 5%."""


def trend_power(by_sets: NumbersBySets, of_trend: Floats, before: int = 0) -> TrendPower | Unavailable:
    """Return how often the largest lead would be found of a trend that biases the effect by its least detectable size.

    `of_trend`, shape (n_numbers,), is what a trend of 1 a period in the treated adds to each number. The detectable
    size is `DETECTABLE` standard deviations of the overall effect over sets.
    """
    columns, statistics = by_sets.leads(before), by_sets.statistics
    overall = by_sets.numbers.index(OVERALL)
    spread = float(np.nanstd(statistics.values[:, overall])) if len(statistics.values) else 0.0
    if not columns or spread == 0 or abs(of_trend[overall]) < 1e-12 or isinstance(by_sets.overall.p_value, Unavailable):
        return Unavailable("There is no test before the start whose power could be told.")
    bias = DETECTABLE * spread
    slope = bias / abs(float(of_trend[overall]))
    found = statistics.values[:, columns]
    found = found[np.isfinite(found).all(axis=1)]
    size = np.where(found.std(axis=0) > 0, found.std(axis=0), 1.0)
    critical = float(np.quantile(np.abs(found / size).max(axis=1), 0.95))
    shares = [
        float((np.abs((found + times * slope * of_trend[columns]) / size).max(axis=1) >= critical).mean())
        for times in (0.5, 1.0, 2.0)
    ]
    return TrendPower(slope=slope, bias=bias, at_half=shares[0], at_one=shares[1], at_twice=shares[2])


def _of_largest(statistics: SetStatistics, columns: list[int]) -> SetStatistics:
    """Return the largest |lead| in standard deviations of each set, and of the list, as statistics of their own."""
    values, observed = statistics.values[:, columns], statistics.observed[columns]
    known = values[np.isfinite(values).all(axis=1)]
    centre = known.mean(axis=0) if statistics.draws.rule != "simple" else np.zeros(len(columns))
    spread = known.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    draws = replace(statistics.draws, rule="simple")  # already centred
    return replace(
        statistics,
        draws=draws,
        observed=np.array([_largest((observed - centre) / spread)]),
        values=np.array([_largest(row) for row in (values - centre) / spread])[:, None],
    )


def _largest(row: Floats) -> float:
    return float(np.abs(row).max())
