"""The interval of an effect as violations of parallel trends grow, and where it reaches 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evalkit.core.formats import level_text
from evalkit.core.quantities import Interval, Quantity, Unavailable
from evalkit.report.border.parts import Figure
from evalkit.report.figures.style import BLUE, GREY, SMALL, VERMILION, canvas, drawn, ink, say_empty
from evalkit.report.words.bounds import bounds_table, effect_of, ends_of, precision_of, size_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from evalkit.estimate.bounds.violation_bounds import BoundedInterval, ViolationBounds


def bounds_plot(bounds: ViolationBounds, outcome: str = "") -> Figure:
    """Return the intervals by size of the violations, under each bound; `outcome` is what the effect is on."""
    both = (
        ("Times the largest step before", bounds.relative, bounds.breakdown_relative),
        ("Change of slope a period", bounds.smoothness, bounds.breakdown_smoothness),
    )
    shown = [one for one in both if ends_of(one[1])]
    with canvas(columns=max(len(shown), 1)) as (figure, axes):
        if not shown:
            say_empty(axes, "No size has an interval; the table gives the reasons.")
        for ax, (name, found, breakdown) in zip(axes, shown, strict=False):
            _draw(ax, bounds.original, found, breakdown)
            ax.set_xlabel(name)
        if shown:
            axes[0].set_ylabel(f"Effect on {outcome}" if outcome else "Effect")
        png, svg = drawn(figure)
    on = f" on '{outcome}'" if outcome else ""
    caption = (
        f"{effect_of(bounds)}{on} if trends are not parallel: {level_text(bounds.level)} intervals by size of the "
        "violation; hollow, with parallel trends; dashed, where the interval reaches 0"
    )
    return Figure(png=png, svg=svg, alt=_alt(bounds), caption=caption, data=bounds_table(bounds))


def _draw(ax: Axes, original: Interval, found: tuple[BoundedInterval, ...], breakdown: Quantity) -> None:
    """Draw each interval as a line, sizes side by side in order, the one with parallel trends hollow before them."""
    ends = sorted(ends_of(found))
    sizes, places = [m for m, _ in ends], range(1, len(ends) + 1)
    ax.axhline(0, color=GREY, linewidth=1, zorder=0)
    ax.vlines(0, original.lower, original.upper, color=BLUE, linewidth=6, zorder=1)
    ax.vlines(0, original.lower, original.upper, color="white", linewidth=3, zorder=2)
    for at, (_, interval) in zip(places, ends, strict=True):
        ax.vlines(at, interval.lower, interval.upper, color=BLUE, linewidth=4.5, zorder=2)
    if not isinstance(breakdown, Unavailable) and sizes[0] <= breakdown <= sizes[-1]:
        where = float(np.interp(breakdown, sizes, list(places)))
        ax.axvline(where, color=VERMILION, linewidth=1, linestyle=(0, (4, 3)), zorder=-1)
        words, place = size_text(breakdown), ("data", "axes fraction")
        ax.annotate(words, (where, 1.01), xycoords=place, ha="center", fontsize=SMALL, color=ink(VERMILION))
    ax.set_xticks([0, *places], ["parallel", *(f"{m:g}" for m in sizes)])
    ax.set_xlim(-0.6, len(sizes) + 0.6)


def _alt(bounds: ViolationBounds) -> str:
    made = precision_of(bounds)
    words = [f"with parallel trends {made.interval(bounds.original)}"]
    for name, found in (("relative", bounds.relative), ("smoothness", bounds.smoothness)):
        words += [f"{name} {m:g}: {made.interval(interval)}" for m, interval in ends_of(found)]
    return f"Line chart of intervals by size of the violation of parallel trends. {'; '.join(words)}."
