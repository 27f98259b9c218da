"""Figures of an analysis by synthetic control: what was measured, and gaps by time since the areas' own starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from evalkit.core.formats import count, number
from evalkit.core.quantities import Unavailable
from evalkit.core.words import counted
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Column
from evalkit.report.figures.areas import WELL_FOLLOWED
from evalkit.report.figures.style import BLUE, GREY, QUIET, SHADE, SMALL, VERMILION, canvas, drawn, ink, say_empty
from evalkit.report.tables.data import plain

if TYPE_CHECKING:
    from evalkit.diagnose.kinds.synthetic import PooledStudy, SyntheticOutcomeResults


def means_plot(found: SyntheticOutcomeResults, who: str) -> Figure:
    """Return the treated areas' mean beside that of all donors, where no weights are made."""
    start = min(found.plan.starts.values())
    years = [one.year for one in found.means]
    with canvas() as (figure, axes):
        ax = axes[0]
        if years:
            _shaded(ax, start, years[-1])
            ax.plot(years, [one.treated for one in found.means], color=VERMILION, marker="o", markersize=4)
            ax.plot(years, [one.donors for one in found.means], color=BLUE, linestyle="--")
            for words, height, colour in (
                (who, found.means[-1].treated, VERMILION),
                ("mean of the donors", found.means[-1].donors, BLUE),
            ):
                at = (years[-1] + 0.3, height)
                ax.annotate(words, at, color=ink(colour), va="center", annotation_clip=False)
            ax.set_xlabel("Year")
            ax.set_ylabel(found.label)
        else:
            say_empty(axes, "No year has a value of every treated area.")
        png, svg = drawn(figure)
    columns = (
        Column("year", "Year"),
        Column("treated", "Treated", "number"),
        Column("donors", "Mean of the donors", "number"),
    )
    rows = [(str(one.year), one.treated, one.donors) for one in found.means]
    caption = (
        f"{found.label}: {who} and the plain mean of {counted(len(found.plan.donors), 'donor')}; no weights are made"
    )
    alt = f"Line chart. {caption}. The programme began in {start}."
    return Figure(png=png, svg=svg, alt=alt, caption=caption, data=plain("Numbers behind the figure", columns, rows))


def _shaded(ax: Axes, start: float, last: float) -> None:
    """Shade what comes from the start on, and name it."""
    ax.axvspan(start - 0.5, last + 0.5, color=SHADE, linewidth=0, zorder=-1)
    ax.axvline(start - 0.5, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)), zorder=-1)
    middle = ((start + last) / 2, 1.01)
    ax.annotate("programme", middle, xycoords=("data", "axes fraction"), ha="center", fontsize=SMALL, color=BLUE)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.margins(x=0.02)


def pooled_plot(pooled: PooledStudy, label: str, unit: str) -> Figure:
    """Return the mean gap by time since the start among those of sets of donors that were given the starts."""
    control, placebos = pooled.control, pooled.placebos
    fit, is_shown = control.fit, not isinstance(control.estimate, Unavailable)
    times = list(range(-fit.n_lags, fit.n_leads))
    limit = WELL_FOLLOWED * max(fit.pre_rmse, placebos.floor)
    near = [gap for gap in placebos.gaps if float((gap[: fit.n_lags] ** 2).mean()) ** 0.5 <= limit]
    with canvas() as (figure, axes):
        ax = axes[0]
        _shaded(ax, 0, times[-1])
        for gap in near:
            ax.plot(times, gap, color=QUIET, linewidth=0.6, alpha=0.5, zorder=1)
        ax.axhline(0, color=GREY, linewidth=1, zorder=2)
        ax.plot(times, fit.gap, color=VERMILION, linewidth=2.2, marker="o", markersize=4, zorder=3)
        ax.set_xlabel("Years since the start")
        ax.set_ylabel(f"Mean gap ({unit})")
        if not is_shown:
            say_empty(axes, "No estimate is shown, as the fit before the starts is poor.")
        png, svg = drawn(figure)
    n = len(control.design.treated)
    caption = (
        f"{label}: the mean gap of {n} areas to their synthetic series, by time since the start, over the times that "
        f"all have. Grey: {count(len(near))} of {counted(len(placebos.gaps), 'set')} of donors with the same starts, "
        f"those whose error before is at most {WELL_FOLLOWED:g} times the treated ones'"
    )
    columns = (Column("time", "Years since the start", "label"), Column("gap", "Mean gap", "estimate"))
    rows = [
        (str(one.event_time), one.gap) for one in control.by_event_time if -fit.n_lags <= one.event_time < fit.n_leads
    ]
    told = number(control.estimate) if not isinstance(control.estimate, Unavailable) else "not shown"
    alt = f"Line chart of gaps. {n} treated areas: {told} on average from their starts on."
    return Figure(png=png, svg=svg, alt=alt, caption=caption, data=plain("Numbers behind the figure", columns, rows))
