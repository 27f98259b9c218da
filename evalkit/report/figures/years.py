"""The axis of years: when tests were sat, when the programme ran, which year saw only part of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from matplotlib.axes import Axes

from evalkit.core.project import Project, day_of_tests
from evalkit.report.figures.style import BLUE, QUIET, SHADE, SMALL

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def when(year: int) -> float:
    """Return the time of a summer's tests, mid-May, in years."""
    return _time(day_of_tests(year))


def _time(day: date) -> float:
    return day.year + (day.timetuple().tm_yday - 1) / 365.25


def month(day: date) -> str:
    """Return a day's month: `Feb 2018`."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def programme_period(ax: Axes, project: Project) -> None:
    """Shade the programme from its first day to its last, and say above when it ran."""
    facts = project.programme
    start, end = _time(facts.start), _time(facts.end)
    ax.axvspan(start, end, color=SHADE, linewidth=0, zorder=-1)
    for edge in (start, end):
        ax.axvline(edge, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)), zorder=-1)
    ax.annotate(
        f"programme,\n{month(facts.start)} – {month(facts.end)}",
        ((start + end) / 2, 1.01),
        xycoords=("data", "axes fraction"),
        ha="center",
        va="bottom",
        fontsize=SMALL,
        color=BLUE,
    )


def free_of_edges(project: Project, year: int) -> float:
    """Return where words about a summer's tests may begin: at the tests, or at an end of the programme soon after."""
    at, end = when(year), _time(project.programme.end)
    return end if at < end < at + 0.5 else at


def year_axis(ax: Axes, years: Sequence[int], partial: Sequence[int]) -> None:
    """Put a mark at each summer of tests, and say which summer saw only part of the programme."""
    words = [f"{year}\n(part of the year)" if year in partial else str(year) for year in years]
    ax.set_xticks([when(year) for year in years], words)
    ax.set_xlabel("Summer of the tests")
