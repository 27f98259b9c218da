"""The specification curve: every estimate in order of size, and below it which options are behind small and large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from evalkit.core.arrays import Floats
from evalkit.core.formats import number, visible
from evalkit.core.words import counted
from evalkit.diagnose.curve.specification_curve import Specification, SpecificationCurve
from evalkit.diagnose.evaluation import Evaluation
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure, Heading, Part, Parts
from evalkit.report.figures.style import BLUE, GREY, SMALL, VERMILION, clipped, drawn, ink, stacked
from evalkit.report.tables.curve import MOST_SHOWN, curve_words, option_shares, specification_ledger
from evalkit.report.words.names import choice_words, measure_label, measure_unit

WHETHER_OTHERWISE: Final = "Would other defensible choices have given another answer?"
_MOST_COLUMNS: Final = 150
_LONGEST: Final = 34


def other_choices(evaluation: Evaluation) -> Parts:
    """Return the specification curve in words, drawn and in tables; nothing where the project declares no choices."""
    curve = evaluation.curve
    return Parts(()) if curve is None else Parts(tuple(_parts(evaluation, curve)))


def _parts(evaluation: Evaluation, curve: SpecificationCurve) -> Iterator[Part]:
    yield Heading(2, WHETHER_OTHERWISE)
    yield curve_words(evaluation.project, curve)
    ledger = specification_ledger(evaluation.project, curve, MOST_SHOWN)
    if not curve.estimated:
        yield ledger
        return
    yield curve_plot(evaluation, curve, ledger)
    yield option_shares(evaluation.project, curve)


def curve_plot(evaluation: Evaluation, curve: SpecificationCurve, data: ReleasedTable) -> Figure:
    """Return every estimate of a curve, smallest first, the locked one marked, over a map of the options taken.

    With more estimates than columns of the map a cell is as dark as the share of its estimates that take the option.
    `data` are the numbers behind it.
    """
    ordered = sorted(curve.estimated, key=lambda one: (_value(one), one.number))
    rows = _rows(curve, ordered)
    heads = len({choice for choice, _ in rows})
    with stacked((2.6, 0.5 + 0.21 * (len(rows) + heads))) as (figure, axes):
        _draw_estimates(axes[0], ordered)
        axes[0].set_ylabel(f"Estimate\n({measure_unit(evaluation.project, curve.outcome)})")
        _draw_options(axes[1], curve, ordered, rows)
        png, svg = drawn(figure, evaluation.data_kind)
    label = measure_label(evaluation.project, curve.outcome)
    caption = (
        f"{label}: every combination of the declared choices in order of its estimate, the locked one a diamond, and "
        "below it which options these take: the darker, the more of them"
    )
    return Figure(name="specification_curve", png=png, svg=svg, alt=_alt(label, ordered), caption=caption, data=data)


def _value(one: Specification) -> float:
    return one.estimate if isinstance(one.estimate, float) else 0.0


def _rows(curve: SpecificationCurve, ordered: list[Specification]) -> list[tuple[str, str]]:
    """Return each choice with each option that an estimate takes, the analyses first where there are several."""
    analyses = list(dict.fromkeys(one.analysis for one in ordered))
    rows = [("analysis", name) for name in analyses] if len(analyses) > 1 else []
    for at, choice in enumerate(curve.choices):
        taken = {one.options[at] for one in ordered} - {""}
        options = dict.fromkeys(one.options[at] for one in curve.specifications)
        rows += [(choice, option) for option in options if option in taken]
    return rows


def _draw_estimates(ax: Axes, ordered: list[Specification]) -> None:
    values = np.array([_value(one) for one in ordered])
    ax.axhline(0, color=GREY, linewidth=1, zorder=0)
    ax.plot(range(len(values)), values, "o", color=BLUE, markersize=max(1.0, min(6.0, 300 / len(values))), linewidth=0)
    for at, one in enumerate(ordered):
        if one.is_locked:
            ax.plot(at, values[at], "D", color=VERMILION, markersize=8)
            ax.annotate(
                f"locked: {number(values[at])}",
                (at, values[at]),
                xytext=(0, 9),
                textcoords="offset points",
                ha="left" if at < len(values) / 2 else "right",
                fontsize=SMALL,
                color=ink(VERMILION),
                fontweight="bold",
            )
    ax.margins(y=0.18)
    ax.tick_params(axis="x", length=0, labelbottom=False)
    ax.spines["bottom"].set_visible(False)


def _draw_options(
    ax: Axes, curve: SpecificationCurve, ordered: list[Specification], rows: list[tuple[str, str]]
) -> None:
    """Draw the map: a row an option, under the name of its choice."""
    shares, labels, is_head, before = [], [], [], ""
    edges = np.linspace(0, len(ordered), min(len(ordered), _MOST_COLUMNS) + 1)
    for choice, option in rows:
        if choice != before:
            shares.append(np.full(len(edges) - 1, np.nan))
            labels.append(choice_words(choice))
            is_head.append(True)
            before = choice
        shares.append(_shares(curve, ordered, choice, option, edges))
        labels.append(clipped(option, _LONGEST))
        is_head.append(False)
    heights = np.arange(len(shares) + 1) - 0.5
    ax.pcolormesh(edges - 0.5, heights, np.array(shares), cmap="Blues", vmin=0, vmax=1.1, rasterized=True)
    ax.set_yticks(range(len(labels)), labels, fontsize=SMALL)
    for label, head in zip(ax.get_yticklabels(), is_head, strict=True):
        label.set_fontweight("bold" if head else "normal")
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.tick_params(length=0, labelbottom=False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def _shares(curve: SpecificationCurve, ordered: list[Specification], choice: str, option: str, edges: Floats) -> Floats:
    at = -1 if choice == "analysis" else curve.choices.index(choice)
    takes = np.array([float((one.analysis if at < 0 else one.options[at]) == option) for one in ordered])
    column = np.clip(np.searchsorted(edges, np.arange(len(ordered)), side="right") - 1, 0, len(edges) - 2)
    found: Floats = np.bincount(column, takes, len(edges) - 1) / np.maximum(
        np.bincount(column, minlength=len(edges) - 1), 1
    )
    return found


def _alt(label: str, ordered: list[Specification]) -> str:
    values = [_value(one) for one in ordered]
    locked = next((f" The locked choices give {visible(_value(one))}." for one in ordered if one.is_locked), "")
    middle = float(np.median(values))
    return (
        f"Specification curve of {label}: {counted(len(values), 'estimate')} from {visible(values[0])} to "
        f"{visible(values[-1])}, the middle one {visible(middle)}; {sum(value > 0 for value in values):,} lie above "
        f"zero.{locked}"
    )
