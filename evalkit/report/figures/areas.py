"""Figures of one or few treated areas: beside their synthetic series, and their gap among placebos."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from evalkit.core.disclosure import FEWEST_PUBLISHED
from evalkit.core.formats import count, number
from evalkit.core.quantities import Unavailable
from evalkit.core.words import counted, listed
from evalkit.estimate.synthetic.placebos import PlaceboInSpace
from evalkit.estimate.synthetic.result import SyntheticControl
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.figures.style import (
    BLUE,
    GREY,
    QUIET,
    SHADE,
    SMALL,
    VERMILION,
    canvas,
    drawn,
    ink,
    say_empty,
    spread,
)

WELL_FOLLOWED: Final = 5.0
"""Placebos whose error before the start is more than this many times the treated areas' are not drawn, as nothing could
be seen beside them; the p-value counts them all."""
MOST_DRAWN: Final = 999
"""Of more placebos the first so many are drawn and stand in the numbers behind the figure: their order is random."""
Name = Callable[[object], str]


def synthetic_plot(synthetic: SyntheticControl, name: Name = str) -> Figure:
    """Return the treated areas' outcome beside the synthetic one; `name` gives the words for an id."""
    who = _treated(synthetic, name)
    drawn_rows = [row for row in synthetic.gaps if not isinstance(row.synthetic, Unavailable)]
    with canvas() as (figure, axes):
        ax = axes[0]
        _from_the_start(ax, synthetic)
        ax.plot(
            synthetic.design.periods, [row.treated for row in synthetic.gaps], color=VERMILION, marker="o", markersize=4
        )
        ax.plot(
            [row.period for row in drawn_rows],
            [_float(row.synthetic) for row in drawn_rows],
            color=BLUE,
            linestyle="--",
        )
        ax.set_ylabel(synthetic.design.outcome)
        _names_at_the_end(ax, synthetic, who)
        png, svg = drawn(figure)
    caption = f"{synthetic.design.outcome}: {who} and its synthetic counterpart ({synthetic.method.name})"
    if isinstance(synthetic.estimate, Unavailable):
        caption += ". From the start on it is not shown, as the fit before the start is poor"
    return Figure(png=png, svg=svg, alt=_alt(synthetic, who), caption=caption, data=_series_table(synthetic))


def gaps_plot(synthetic: SyntheticControl, space: PlaceboInSpace, name: Name = str) -> Figure:
    """Return the treated areas' gap in every period among those of donors as if treated."""
    who, is_shown = _treated(synthetic, name), not isinstance(synthetic.estimate, Unavailable)
    limit = WELL_FOLLOWED * max(synthetic.pre_rmse, space.floor)
    near = [gap for gap, error in zip(space.gaps, space.pre_rmse, strict=True) if error <= limit][:MOST_DRAWN]
    with canvas() as (figure, axes):
        ax = axes[0]
        _from_the_start(ax, synthetic)
        for gap in near:
            ax.plot(synthetic.design.periods, gap, color=QUIET, linewidth=0.8, zorder=1)
        ax.axhline(0, color=GREY, linewidth=1, zorder=2)
        ax.plot(synthetic.design.periods, synthetic.fit.gap, color=VERMILION, linewidth=2.2, zorder=3)
        ax.annotate(
            who,
            (synthetic.design.periods[-1] + 0.6, synthetic.fit.gap[-1]),
            color=ink(VERMILION),
            va="center",
            annotation_clip=False,
        )
        ax.set_ylabel(f"Gap to the synthetic series ({synthetic.design.outcome})")
        if not is_shown:
            say_empty(axes, "No estimate is shown, as the fit before the start is poor.")
        png, svg = drawn(figure)
    drawn_of = f"{count(len(near))} of {counted(len(space.gaps), 'placebo')}" if is_shown else "none"
    caption = (
        f"{synthetic.design.outcome}: the gap of {who} among donors as if treated. Drawn: {drawn_of}, those whose "
        f"error before the start is at most {WELL_FOLLOWED:g} times the treated one's"
    )
    return Figure(
        png=png,
        svg=svg,
        alt=_gaps_alt(synthetic, space, who),
        caption=caption,
        data=_gaps_table(synthetic, space, name),
    )


def _treated(synthetic: SyntheticControl, name: Name) -> str:
    names = [name(area) for area in synthetic.design.treated]
    return listed(names) if len(names) < 3 else f"{len(names)} treated areas (mean)"


def _float(value: float | Unavailable) -> float:
    assert not isinstance(value, Unavailable)
    return value


def _from_the_start(ax: Axes, synthetic: SyntheticControl) -> None:
    """Shade the periods from the start on, and name them."""
    start, last = synthetic.design.start, synthetic.design.periods[-1]
    ax.axvspan(start - 0.5, last + 0.5, color=SHADE, linewidth=0, zorder=-1)
    ax.axvline(start - 0.5, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)), zorder=-1)
    middle = (start + last) / 2
    ax.annotate(
        "programme", (middle, 1.01), xycoords=("data", "axes fraction"), ha="center", fontsize=SMALL, color=BLUE
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("Period")
    ax.margins(x=0.02)


def _names_at_the_end(ax: Axes, synthetic: SyntheticControl, who: str) -> None:
    last = synthetic.gaps[-1]
    ends = [(who, last.treated, VERMILION)]
    if not isinstance(last.synthetic, Unavailable):
        ends.append(("synthetic", last.synthetic, BLUE))
    low, high = ax.get_ylim()
    heights = spread([height for _, height, _ in ends], (high - low) * 0.07)
    for (words, _, colour), height in zip(ends, heights, strict=True):
        at = (last.period + 0.6, height)
        ax.annotate(words, at, color=ink(colour), va="center", annotation_clip=False)


def _alt(synthetic: SyntheticControl, who: str) -> str:
    first, last = synthetic.gaps[0], synthetic.gaps[-1]
    end = "is not shown" if isinstance(last.synthetic, Unavailable) else f"{number(last.synthetic)} in {last.period}"
    return (
        f"Line chart. {who}: from {number(first.treated)} in {first.period} to {number(last.treated)} in "
        f"{last.period}; the synthetic series: from {number(_float(first.synthetic))} in {first.period} to {end}. "
        f"The programme began in {synthetic.design.start}."
    )


def _gaps_alt(synthetic: SyntheticControl, space: PlaceboInSpace, who: str) -> str:
    if isinstance(synthetic.estimate, Unavailable):
        return f"No gap is drawn. {synthetic.estimate.reason}"
    p = f"; p = {number(space.p_value, 3)}" if not isinstance(space.p_value, Unavailable) else ""
    return (
        f"Line chart of gaps. {who}: {number(synthetic.estimate)} on average from {synthetic.design.start} on, among "
        f"{counted(len(space.gaps), 'placebo')}{p}."
    )


def _series_table(synthetic: SyntheticControl) -> ReleasedTable:
    columns = (
        Column("period", "Period"),
        Column("treated", "Treated", "number"),
        Column("synthetic", "Synthetic", "number"),
        Column("gap", "Gap", "estimate"),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple((str(r.period), r.treated, r.synthetic, r.gap) for r in synthetic.gaps)
    return release(
        Table(caption="Numbers behind the figure of the series", columns=columns, rows=rows), FEWEST_PUBLISHED
    )


def _gaps_table(synthetic: SyntheticControl, space: PlaceboInSpace, name: Name) -> ReleasedTable:
    columns = (
        Column("area", "Area"),
        Column("estimate", "Mean gap from the start on", "estimate"),
        Column("pre_rmse", "Error before the start", "number"),
    )
    means = space.gaps[:, synthetic.design.n_pre :].mean(axis=1).tolist() if len(space.gaps) else []
    treated: tuple[Cell, ...] = (f"{_treated(synthetic, name)} (treated)", synthetic.estimate, synthetic.pre_rmse)
    others: list[tuple[Cell, ...]] = [
        (listed([name(area) for area in areas], 20), mean, error)
        for areas, mean, error in zip(space.areas, means, space.pre_rmse.tolist(), strict=True)
    ]
    rows = (treated, *others[:MOST_DRAWN])
    table = Table(caption="Numbers behind the figure of gaps", columns=columns, rows=rows)
    return release(table, FEWEST_PUBLISHED)
