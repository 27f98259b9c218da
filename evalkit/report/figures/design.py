"""Figures of the design, before outcomes."""

from __future__ import annotations

from textwrap import fill

from matplotlib.axes import Axes

from evalkit.core.formats import number
from evalkit.core.quantities import Unavailable
from evalkit.design.project.plan import BalanceRow, DesignStage
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Column, Table
from evalkit.report.figures.matching import LINES, LoveRow, love_legend, love_panel
from evalkit.report.figures.style import SMALL, canvas, drawn
from evalkit.report.tables.design import released
from evalkit.report.words.names import outcome_label, short_label


def love_plot(design: DesignStage) -> Figure:
    """Return standardised differences before and after each design, for the primary outcome."""
    rows = [row for row in design.balance if row.outcome == design.project.primary.measure]
    designs = list(dict.fromkeys(row.design for row in rows)) or ["matched"]
    labels = list(dict.fromkeys(row.label for row in rows))
    with canvas(1.9 + 0.42 * len(labels), len(designs)) as (figure, axes):
        for ax in axes[1:]:
            ax.sharex(axes[0])
        for ax, name in zip(axes, designs, strict=True):
            _panel(ax, name, [row for row in rows if row.design == name], labels)
        love_legend(figure)
        figure.supxlabel("Standardised difference, treated less compared", fontsize=10)
        png, svg = drawn(figure, design.data_kind)
    return Figure(name="balance", png=png, svg=svg, alt=_alt(rows), caption=_caption(design), data=_data(design, rows))


def _panel(ax: Axes, name: str, rows: list[BalanceRow], labels: list[str]) -> None:
    love_panel(ax, [LoveRow(row.label, row.smd_before, row.smd_after) for row in rows], labels)
    ax.set_title(fill(short_label(name), 18), fontsize=SMALL)


def _alt(rows: list[BalanceRow]) -> str:
    """Return the largest difference left by each design, in words."""
    parts = []
    for name in dict.fromkeys(row.design for row in rows):
        after = [(row.smd_after, row.label) for row in rows if row.design == name]
        known = [(value, label) for value, label in after if not isinstance(value, Unavailable)]
        if known:
            value, label = max(known, key=lambda pair: abs(pair[0]))
            parts.append(f"{short_label(name)}: the largest difference left is {number(value)}, in {label}")
    return (
        "Dot plot of standardised differences before and after. "
        + (". ".join(parts) or "No balance can be given")
        + "."
    )


def _caption(design: DesignStage) -> str:
    label = outcome_label(design, design.project.primary.measure)
    return f"{label}: how alike the schools are before and after each design ({LINES})"


def _data(design: DesignStage, rows: list[BalanceRow]) -> ReleasedTable:
    columns = (
        Column("design", "Design"),
        Column("covariate", "Covariate"),
        Column("smd_before", "Before", "number"),
        Column("smd_after", "After", "number"),
    )
    cells = tuple((short_label(row.design), row.label, row.smd_before, row.smd_after) for row in rows)
    return released(design, Table(caption="Numbers behind the figure of balance", columns=columns, rows=cells))
