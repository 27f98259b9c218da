"""Change by dose: a point for each participant that may be drawn, the line through them, and the thirds' means."""

from __future__ import annotations

from typing import Final

from matplotlib.axes import Axes

from evalkit.core.formats import Precision, visible
from evalkit.core.quantities import Unavailable
from evalkit.core.words import counted, listed
from evalkit.design.kinds.dose import DoseOptions
from evalkit.diagnose.kinds.dose import DoseOutcomeResults
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure
from evalkit.report.figures.style import BLUE, GREY, VERMILION, canvas, drawn, say_empty

_FEWEST: Final = 3
"""Points below which none is drawn."""


def dose_plot(one: DoseOutcomeResults, options: DoseOptions, data: ReleasedTable) -> Figure:
    """Return change against dose, areas and what else is held taken out of the change; `data` is behind it.

    Points are schools without their names; those with a year that rests on fewer pupils than may be told are not drawn.
    """
    points, slope = one.points, one.slope.estimate
    is_drawn = len(points.dose) >= _FEWEST and not isinstance(slope, Unavailable)
    with canvas() as (figure, axes):
        if is_drawn:
            _draw(axes[0], one, options)
        else:
            say_empty(axes, "No line can be drawn; the text says why.")
        png, svg = drawn(figure)
    hidden = (
        f" {counted(points.n_hidden, 'participant')} with results of few pupils not drawn." if points.n_hidden else ""
    )
    less = f", less what {listed(options.held, 9)} say of it" if options.held else ""
    caption = f"{one.label}: change of each participant by how much it had{less}.{hidden}"
    return Figure(name="dose", png=png, svg=svg, alt=_alt(one, options, is_drawn), caption=caption, data=data)


def _draw(ax: Axes, one: DoseOutcomeResults, options: DoseOptions) -> None:
    points, slope = one.points, one.slope.estimate
    assert not isinstance(slope, Unavailable)
    dose, held = points.dose, points.held
    ax.axhline(0, color=GREY, linewidth=1, zorder=0)
    ax.plot(dose, held, "o", color=BLUE, markerfacecolor="white", markersize=7, markeredgewidth=1.6, zorder=2)
    ends = [float(dose.min()), float(dose.max())]
    at = float(held.mean()), float(dose.mean())
    ax.plot(ends, [at[0] + slope * (end - at[1]) for end in ends], color=VERMILION, linewidth=2.2, zorder=3)
    ax.set_xlabel(options.amount(2).partition(" ")[2].capitalize())
    ax.set_ylabel(f"Change ({one.unit})")
    if options.threshold is not None:
        ax.axvline(options.threshold, color=GREY, linewidth=1, linestyle="--", zorder=1)
        ax.text(options.threshold, 1.0, " threshold", transform=ax.get_xaxis_transform(), va="top", color=GREY)
    ax.margins(0.06)


def _alt(one: DoseOutcomeResults, options: DoseOptions, is_drawn: bool) -> str:
    slope = one.slope.estimate
    if not is_drawn or isinstance(slope, Unavailable):
        return "Nothing is drawn: no line can be drawn."
    side = "rises" if slope > 0 else "falls"
    means = [
        f"{group.group.name} {visible(group.mean_change)}"
        for group in one.thirds
        if not isinstance(group.mean_change, Unavailable)
    ]
    made = Precision.of(abs(slope))
    return (
        f"Dots for {counted(len(one.points.dose), 'participant')}, change against dose. The line through them {side} "
        f"by {made.number(abs(slope))} {one.unit} for each {options.per}. Mean change by third of the dose: "
        f"{', '.join(means)}."
    )
