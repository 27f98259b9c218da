"""The effect by time since the start: each time's interval, and the band that holds for all times together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from evalkit.core.draws import LEVEL
from evalkit.core.formats import MINUS, Precision, level_text, lower_first
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.estimate.staggered.results import StaggeredResults
from evalkit.estimate.two_way.two_way import TwoWayEventStudy
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure
from evalkit.report.border.told_effects import told_effects
from evalkit.report.figures.style import BLUE, GREY, QUIET, SHADE, SMALL, canvas, drawn, say_empty
from evalkit.report.tables.staggered import by_event_time
from evalkit.report.tables.two_way import two_way_event_study

_CAP: Final = 0.09
"""Half the width of the end of a band, in periods."""


@dataclass(frozen=True, slots=True)
class _Time:
    """The effect at one time since the start; `band` is None where none was made."""

    at: int
    estimate: Quantity
    interval: IntervalOrReason
    band: IntervalOrReason | None = None

    @property
    def ends(self) -> list[Interval]:
        """Return what is drawn around the estimate."""
        return [one for one in (self.interval, self.band) if isinstance(one, Interval)]


def staggered_plot(results: StaggeredResults, outcome: str = "") -> Figure:
    """Return the event study of cohorts that start in different periods; what rests on too few people is not drawn.

    `outcome` is what the effect is on, where that is known.
    """
    released = told_effects(results)
    times = [_Time(_at(part.label), part.estimate, part.interval, part.band) for part in released.event_study.parts]
    return _event_study(times, outcome, results.level, by_event_time(results))


def two_way_plot(study: TwoWayEventStudy, outcome: str = "", level: float = LEVEL) -> Figure:
    """Return the event study of the classic two-way regression, the period it is measured from at zero."""
    times = [_Time(one.event_time, one.estimate.value, one.estimate.interval(level)) for one in study.times]
    return _event_study(times, outcome, level, two_way_event_study(study, level))


def _at(label: int | None) -> int:
    assert label is not None  # only an average over all times has none
    return label


def _event_study(times: Sequence[_Time], outcome: str, level: float, data: ReleasedTable) -> Figure:
    known = [time for time in times if not isinstance(time.estimate, Unavailable)]
    with canvas() as (figure, axes):
        if known:
            _draw(axes[0], known, outcome)
        else:
            say_empty(axes, "No time has an estimate; the table gives the reasons.")
        png, svg = drawn(figure)
    of_what = f" on '{outcome}'" if outcome else ""
    caption = f"The effect{of_what} by time since the start{_key(known, level)}"
    return Figure(png=png, svg=svg, alt=_alt(times, outcome), caption=caption, data=data)


def _draw(ax: Axes, times: Sequence[_Time], outcome: str) -> None:
    """Draw each time: hollow before the start, a thick line for its interval, a thin one with ends for the band."""
    last = max(time.at for time in times)
    if last >= 0:
        ax.axvspan(-0.5, last + 0.5, color=SHADE, linewidth=0, zorder=-1)
        ax.axvline(-0.5, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)), zorder=-1)
        middle = ((last + 0.5) / 2 - 0.25, 1.01)
        ax.annotate("programme", middle, xycoords=("data", "axes fraction"), ha="center", fontsize=SMALL, color=BLUE)
    ax.axhline(0, color=GREY, linewidth=1, zorder=0)
    for time in times:
        _point(ax, time)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("Periods since the start")
    ax.set_ylabel(_effect_on(outcome))
    ax.margins(x=0.03, y=0.08)


def _point(ax: Axes, time: _Time) -> None:
    if isinstance(time.estimate, Unavailable):
        return
    if isinstance(time.band, Interval):
        ax.vlines(time.at, time.band.lower, time.band.upper, color=BLUE, linewidth=1, zorder=1)
        ends = [time.band.lower, time.band.upper]
        ax.hlines(ends, time.at - _CAP, time.at + _CAP, color=BLUE, linewidth=1.4, zorder=1)
    if isinstance(time.interval, Interval):
        ax.vlines(time.at, time.interval.lower, time.interval.upper, color=BLUE, linewidth=4.5, zorder=2)
    fill = "white" if time.at < 0 else BLUE
    ax.plot(time.at, time.estimate, "o", markersize=8, markeredgecolor=BLUE, markerfacecolor=fill, zorder=3)


def _key(times: Sequence[_Time], level: float) -> str:
    """Return what the lines and the hollow dots are."""
    marks = []
    if any(isinstance(time.interval, Interval) for time in times):
        marks.append(f"thick lines, each time's {level_text(level)} interval")
    if any(isinstance(time.band, Interval) for time in times):
        marks.append(f"thin lines, the {level_text(level)} band that holds for all times together")
    if any(time.at < 0 for time in times):
        marks.append("hollow, before the start")
    return f": {'; '.join(marks)}" if marks else ""


def _alt(times: Sequence[_Time], outcome: str) -> str:
    widths = [(one.upper - one.lower) / 4 for time in times for one in time.ends]
    sizes = [abs(time.estimate) for time in times if not isinstance(time.estimate, Unavailable)]
    made = Precision.of(*widths, *sizes)
    words = "; ".join(f"{str(time.at).replace('-', MINUS)}: {_words(time, made)}" for time in times)
    return f"Dot chart of the {lower_first(_effect_on(outcome))} by periods since the start. {words}."


def _effect_on(outcome: str) -> str:
    return f"Effect on {outcome}" if outcome else "Effect"


def _words(time: _Time, made: Precision) -> str:
    if isinstance(time.estimate, Unavailable):
        return f"not available: {time.estimate.reason.rstrip('.')}"
    interval = f" ({made.interval(time.interval)})" if isinstance(time.interval, Interval) else ""
    return f"{made.number(time.estimate)}{interval}"
