"""Figures of a matched or weighted comparison: love plot, overlap, distributions, and the years before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from evalkit.core.arrays import Bools, Floats
from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.formats import number
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.design.matching.features import balance_columns
from evalkit.design.matching.matched import MatchedDesign
from evalkit.diagnose.matched.balance import MatchBalance
from evalkit.diagnose.matched.balance_registry import ADJUSTABLE, SATISFIED
from evalkit.report.border.disclosure import release
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.figures.style import BLUE, GREY, QUIET, SMALL, VERMILION, canvas, drawn, ink, say_empty, spread
from evalkit.report.tables.matched import Unit

# Standardised differences before and after as dots on a line: the drawing that every love plot shares.

THRESHOLDS: Final = (SATISFIED, ADJUSTABLE)
"""Where lines are drawn: dashed at the first, dotted at the second."""
LINES: Final = f"dashed lines at {SATISFIED}, dotted at {ADJUSTABLE}"


@dataclass(frozen=True, slots=True)
class LoveRow:
    """A covariate's name on the page and its standardised difference before and after."""

    label: str
    before: Quantity
    after: Quantity


def love_panel(ax: Axes, rows: Sequence[LoveRow], labels: Sequence[str]) -> None:
    """Draw a dot before and a dot after for each row, at the place of its label from the top."""
    for limit in THRESHOLDS:
        for side in (-limit, limit):
            ax.axvline(side, color=QUIET, linestyle=":" if limit == THRESHOLDS[1] else "--", linewidth=1, zorder=0)
    ax.axvline(0, color=GREY, linewidth=1, zorder=0)
    for row in rows:
        place = list(labels).index(row.label)
        if not isinstance(row.before, Unavailable) and not isinstance(row.after, Unavailable):
            ax.plot([row.before, row.after], [place, place], color=QUIET, linewidth=1, zorder=1)
        if not isinstance(row.before, Unavailable):
            ax.plot(row.before, place, "o", markerfacecolor="white", markeredgecolor=VERMILION, markersize=8)
        if not isinstance(row.after, Unavailable):
            ax.plot(row.after, place, "o", color=BLUE, markersize=7)
    ax.set_yticks(range(len(labels)), list(labels))
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.margins(x=0.14)


def love_legend(figure: Canvas) -> None:
    """Say once, above the panels, which mark is which."""
    marks = (
        Line2D([], [], marker="o", linestyle="", markerfacecolor="white", markeredgecolor=VERMILION, markersize=8),
        Line2D([], [], marker="o", linestyle="", color=BLUE, markersize=7),
    )
    figure.legend(marks, ("before", "after"), loc="outside upper left", ncols=2, frameon=False, fontsize=SMALL)


# Figures of a matched or weighted comparison: balance, overlap, distributions, and the years before.

N_BINS: Final = 20
LEVELS: Final = np.arange(0.05, 0.96, 0.05)
"""Quantiles that stand for a distribution."""


def match_love_plot(balance: MatchBalance) -> Figure:
    """Return standardised differences before and after."""
    rows = [LoveRow(row.covariate.replace("_", " "), row.before.smd, row.after.smd) for row in balance.rows]
    with canvas(1.7 + 0.34 * len(rows)) as (figure, axes):
        love_panel(axes[0], rows, [row.label for row in rows])
        love_legend(figure)
        figure.supxlabel("Standardised difference, treated less comparison", fontsize=10)
        png, svg = drawn(figure)
    worst = balance.worst
    alt = "Dot plot of standardised differences before and after."
    if not isinstance(worst, Unavailable) and not isinstance(worst.after.smd, Unavailable):
        alt += f" The largest left is {number(worst.after.smd)}, in {worst.covariate.replace('_', ' ')}."
    columns = (
        Column("covariate", "Covariate"),
        Column("smd_before", "Before", "estimate"),
        Column("smd_after", "After", "estimate"),
    )
    cells = tuple((row.label, row.before, row.after) for row in rows)
    data = release(Table(caption="Numbers behind the figure of balance", columns=columns, rows=cells), 0)
    caption = f"How alike the groups are before and after ({LINES})"
    return Figure(png=png, svg=svg, alt=alt, caption=caption, data=data)


def overlap_plot(design: MatchedDesign, unit: Unit = "people") -> Figure:
    """Return the shares of both arms by score, treated upwards and comparison downwards, before and after.

    Of people each bin holds nobody of an arm, or no fewer than may be told of, and the ends of the range, which are
    the scores of single people, are not given.
    """
    score, is_treated = design.score, design.baseline.is_treated
    caption = "Overlap: shares of treated (up) and comparison units (down) by their score, before and after"
    reason = "This design used no score." if score is None else _too_few(design)
    with canvas(3.4, 2) as (figure, axes):
        rows: tuple[tuple[Cell, ...], ...] = ()
        parts: list[Floats] = []
        if score is None or reason:
            say_empty(axes, reason)
        else:
            edges = np.linspace(score.min(), score.max(), N_BINS + 1)
            if unit == "people":
                edges = _wide_enough(edges, [score[sample] for sample in _samples(design)])
            for ax, weights, title in zip(
                axes, (np.ones(len(score)), design.weights), ("Before", "After"), strict=True
            ):
                shares = [_shares(score[arm], weights[arm], edges) for arm in (is_treated, ~is_treated)]
                parts += shares
                _mirrored(ax, edges, shares, title)
            figure.supxlabel("Score", fontsize=10)
            rows = tuple(
                (label, *(float(part[at]) for part in parts))
                for at, label in enumerate(_bin_labels(edges, has_ends=unit != "people"))
            )
        png, svg = drawn(figure)
    columns = (
        Column("score", "Score"),
        *(
            Column(f"{arm}_{when}", f"{arm.capitalize()}, {when}", "estimate")
            for when in ("before", "after")
            for arm in ("treated", "comparison")
        ),
    )
    data = release(Table(caption="Numbers behind the figure of overlap (shares)", columns=columns, rows=rows), 0)
    alt = reason or _overlap_alt(parts)
    return Figure(png=png, svg=svg, alt=alt, caption=caption, data=data)


def _samples(design: MatchedDesign) -> list[Bools]:
    """Return who is in each histogram: all units of each arm, and those of them that are used and that are not."""
    arms = (design.baseline.is_treated, ~design.baseline.is_treated)
    return [part for arm in arms for part in (arm, arm & design.is_used, arm & ~design.is_used)]


def _wide_enough(edges: Floats, samples: list[Floats]) -> Floats:
    """Return edges with neighbouring bins joined until each holds nobody of a sample or enough people of it."""
    counts = np.array([np.histogram(sample, edges)[0] for sample in samples])
    kept, inside = [edges[0]], np.zeros(len(samples), dtype=int)
    for at in range(counts.shape[1]):
        inside = inside + counts[:, at]
        if not ((inside > 0) & (inside < FEWEST_PEOPLE)).any():
            kept.append(edges[at + 1])
            inside = np.zeros(len(samples), dtype=int)
    if inside.any() or len(kept) == 1:
        kept = [*(kept[:-1] if len(kept) > 1 else kept), edges[-1]]
    merged = np.array(kept)
    held = np.array([np.histogram(sample, merged)[0] for sample in samples])
    is_few = ((held > 0) & (held < FEWEST_PEOPLE)).any()
    return _wide_enough(merged[[0, *range(2, len(merged))]], samples) if is_few and len(merged) > 2 else merged


def _bin_labels(edges: Floats, has_ends: bool) -> list[str]:
    """Return the range of each bin; the outermost are open where their ends are the scores of single people."""
    labels = [f"{low:.3g} to {high:.3g}" for low, high in pairwise(edges.tolist())]
    if has_ends:
        return labels
    if len(labels) == 1:
        return ["All"]
    return [f"Below {edges[1]:.3g}", *labels[1:-1], f"{edges[-2]:.3g} and above"]


def _overlap_alt(parts: list[Floats]) -> str:
    """Return how much of the two histograms overlaps, before and after: the sum over scores of the smaller share."""
    before, after = (float(np.minimum(parts[at], parts[at + 1]).sum()) for at in (0, 2))
    return (
        "Mirrored histograms of the scores of treated units (up) and comparison units (down). Their shares overlap by "
        f"{before:.0%} before and {after:.0%} after."
    )


def _too_few(design: MatchedDesign) -> str:
    fewest = min(design.n_treated, design.n_comparison)
    if fewest >= FEWEST_PEOPLE:
        return ""
    return f"An arm has fewer than {FEWEST_PEOPLE} units: their distribution is not shown."


def _shares(values: Floats, weights: Floats, edges: Floats) -> Floats:
    heights, _ = np.histogram(values, edges, weights=weights)
    shares: Floats = heights / weights.sum()
    return shares


def _mirrored(ax: Axes, edges: Floats, shares: list[Floats], title: str) -> None:
    middle, width = (edges[1:] + edges[:-1]) / 2, np.diff(edges) * 0.92
    ax.bar(middle, shares[0], width, color=VERMILION)
    ax.bar(middle, -shares[1], width, color=BLUE)
    ax.axhline(0, color=GREY, linewidth=1)
    ax.set_title(title)
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):.0%}")
    ax.text(0.98, 0.97, "treated", color=ink(VERMILION), ha="right", va="top", transform=ax.transAxes)
    ax.text(0.98, 0.03, "comparison", color=BLUE, ha="right", va="bottom", transform=ax.transAxes)


def distribution_plot(design: MatchedDesign, covariate: str, unit: Unit = "people") -> Figure:
    """Return the quantiles of one covariate in both arms, before and after: a line for each arm.

    Of people only as many quantiles are given as leave enough people between any two, and beyond the outermost.
    """
    columns, names = balance_columns(design.baseline)
    values = columns[:, names.index(covariate)]
    is_treated, label = design.baseline.is_treated, covariate.replace("_", " ")
    lines = {
        "treated": (values[is_treated], design.weights[is_treated], VERMILION, "-"),
        "comparison, before": (values[~is_treated], np.ones((~is_treated).sum()), GREY, ":"),
        "comparison, after": (values[~is_treated], design.weights[~is_treated], BLUE, "-"),
    }
    levels = _levels(design) if unit == "people" else LEVELS
    reason = _too_few(design) or ("" if len(levels) else _NO_QUANTILE)
    found = {name: _quantiles(own, weights, levels) for name, (own, weights, _, _) in lines.items()}
    with canvas(3.4) as (figure, axes):
        if reason:
            say_empty(axes, reason)
        else:
            for name, (_, _, colour, style) in lines.items():
                axes[0].plot(found[name], levels, color=colour, linestyle=style, marker="" if len(levels) > 1 else "o")
            _name_curves(axes[0], {name: (found[name], colour) for name, (_, _, colour, _) in lines.items()}, levels)
            axes[0].set_xlabel(label)
            axes[0].yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
            axes[0].set_ylabel("Units at or below")
        png, svg = drawn(figure)
    cells: tuple[tuple[Cell, ...], ...] = (
        ()
        if reason
        else tuple((f"{level:.0%}", *(float(found[name][at]) for name in lines)) for at, level in enumerate(levels))
    )
    table = Table(
        caption=f"Quantiles of {label}",
        columns=(
            Column("level", "At or below"),
            *(Column(f"q{at}", name, "estimate") for at, name in enumerate(lines)),
        ),
        rows=cells,
    )
    middles = "" if reason else ", ".join(f"{n} {number(float(found[n][len(levels) // 2]))}" for n in lines)
    alt = reason or f"Cumulative distributions of {label}. Half of the units are at or below: {middles}."
    caption = f"{label}: distribution among treated and comparison units"
    return Figure(png=png, svg=svg, alt=alt, caption=caption, data=release(table, 0))


_NO_QUANTILE: Final = "An arm has too few units for a quantile that rests on enough of them."


def _levels(design: MatchedDesign) -> Floats:
    """Return quantiles in steps that hold enough people of either arm, the median the middle one of them."""
    n_steps = min(design.n_treated, design.n_comparison) // FEWEST_PEOPLE
    n_steps -= n_steps % 2
    steps = np.linspace(0, 1, n_steps + 1)[1:-1] if n_steps > 1 else np.empty(0)
    return LEVELS if len(steps) > len(LEVELS) else steps


def _name_curves(ax: Axes, curves: dict[str, tuple[Floats, str]], levels: Floats) -> None:
    """Name curves of distributions at their upper ends, from the left to the right, the words under each other."""
    order = sorted(curves, key=lambda name: float(curves[name][0][-1]), reverse=True)
    for at, name in enumerate(order):
        values, colour = curves[name]
        level = max(len(levels) - 1 - 3 * at, 0)
        place = (float(values[level]), float(levels[level]))
        ax.annotate(
            name,
            place,
            xytext=(1.02, 0.95 - 0.16 * at),
            textcoords="axes fraction",
            va="center",
            fontsize=SMALL,
            color=ink(colour),
            arrowprops={"arrowstyle": "-", "color": ink(colour), "linewidth": 0.8},
            annotation_clip=False,
        )


def _quantiles(values: Floats, weights: Floats, levels: Floats) -> Floats:
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weights[order]) / weights.sum()
    at = np.minimum(np.searchsorted(share, levels - 1e-12), len(values) - 1)
    return values[order][at]


def earlier_plot(design: MatchedDesign, measures: tuple[str, ...], values: Floats, n_before: int) -> Figure:
    """Return the mean of a repeated measure in the treated, the comparison group chosen, and all comparison units.

    `values` has one column for each of `measures`, shape (n_units, k), in order of time; the first `n_before` are
    from before the programme. Units without a value are left out of that point.
    """
    is_treated = design.baseline.is_treated
    arms = {
        "treated": (is_treated & design.is_used, design.weights, VERMILION, "-"),
        "comparison chosen": (~is_treated & design.is_used, design.weights, BLUE, "-"),
        "all comparison": (~is_treated, np.ones(len(is_treated)), GREY, ":"),
    }
    means = {name: _means(values[arm], weights[arm]) for name, (arm, weights, _, _) in arms.items()}
    with canvas(3.6) as (figure, axes):
        ax, places = axes[0], np.arange(len(measures))
        if n_before < len(measures):
            ax.axvline(n_before - 0.5, color=GREY, linestyle="--", linewidth=1)
            ax.annotate(
                "programme", (n_before - 0.5, 1.01), xycoords=("data", "axes fraction"), ha="center", fontsize=SMALL
            )
        for name, (_, _, colour, style) in arms.items():
            ax.plot(places, means[name], color=colour, linestyle=style, marker="o", markersize=4)
        low, high = ax.get_ylim()
        ends = spread([float(means[name][-1]) for name in arms], 0.06 * (high - low))
        for (name, (_, _, colour, _)), height in zip(arms.items(), ends, strict=True):
            ax.annotate(f" {name}", (places[-1] + 0.03, height), color=ink(colour), va="center", fontsize=SMALL)
        ax.set_xticks(places, [measure.replace("_", " ") for measure in measures])
        ax.set_xlim(-0.3, len(measures) - 1 + 0.25 * len(measures))
        png, svg = drawn(figure)
    columns = (Column("measure", "Measure"), *(Column(f"m{at}", name, "estimate") for at, name in enumerate(arms)))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (measure.replace("_", " "), *(float(means[name][at]) for name in arms)) for at, measure in enumerate(measures)
    )
    data = release(Table(caption="Means behind the figure", columns=columns, rows=rows), 0)
    said = [f"{name} from {number(float(means[name][0]))} to {number(float(means[name][-1]))}" for name in arms]
    first, last = (measure.replace("_", " ") for measure in (measures[0], measures[-1]))
    alt = f"Lines of the mean of each measure in time, {first} to {last}: {'; '.join(said)}."
    return Figure(png=png, svg=svg, alt=alt, caption="The outcome over time, before and after", data=data)


def _means(values: Floats, weights: Floats) -> Floats:
    known = np.isfinite(values)
    shares = np.where(known, weights[:, None], 0.0)
    means: Floats = (np.where(known, values, 0.0) * shares).sum(axis=0) / shares.sum(axis=0)
    return means
