"""Figures of the design, before outcomes: its balance, and what it could detect."""

from __future__ import annotations

from textwrap import fill
from typing import Final

from matplotlib.axes import Axes

from evalkit.core.formats import level_text, number
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.design.project.plan import BalanceRow, DesignStage
from evalkit.diagnose.power.report import OutcomePower, PowerReport, in_pupil_sd
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Column, Table
from evalkit.report.figures.matching import LINES, LoveRow, love_legend, love_panel
from evalkit.report.figures.style import BLACK, BLUE, PALE, SMALL, VERMILION, canvas, drawn, say_empty
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


# What a project could detect, on one scale.

_MARKS: Final = {
    "panel": ("panel", "o", VERMILION),
    "simulated": ("by simulation", "s", BLUE),
    "two_level": ("single schools chosen", "D", BLACK),
}
"""Each kind of least effect: what it is called, its mark and its colour."""
_LONGEST_LABEL: Final = 40


def power_plot(report: PowerReport) -> Figure:
    """Return the least detectable effects on each outcome in standard deviations of pupils."""
    rows = [(one.label, _sizes(one)) for one in report.outcomes]
    power = level_text(report.options.power)
    with canvas(1.6 + 0.4 * len(rows)) as (figure, axes):
        ax = axes[0]
        if not any(isinstance(size, float) for _, sizes in rows for size in sizes.values()):
            say_empty(axes, "No least detectable effect can be given in standard deviations.")
        else:
            for key, (label, mark, colour) in _MARKS.items():
                places = [(size, at) for at, (_, sizes) in enumerate(rows) if isinstance(size := sizes[key], float)]
                ax.plot(*zip(*places, strict=True) if places else ([], []), mark, color=colour, label=label, zorder=2)
            ax.hlines(range(len(rows)), 0, ax.get_xlim()[1], color=PALE, linewidth=1, zorder=1)
            ax.set_yticks(range(len(rows)), [_clipped(label) for label, _ in rows])
            ax.set_ylim(len(rows) - 0.4, -0.6)
            ax.set_xlim(left=0)
            ax.set_xlabel(f"Least effect found with {power} probability, in standard deviations of pupils")
            figure.legend(loc="outside upper left", ncols=len(_MARKS), frameon=False, fontsize=SMALL)
        png, svg = drawn(figure, report.data_kind)
    columns = (Column("outcome", "Outcome"), *(Column(key, said, "number") for key, (said, _, _) in _MARKS.items()))
    cells = tuple((label, *(sizes[key] for key in _MARKS)) for label, sizes in rows)
    data = release(Table(caption="Numbers behind the figure of least effects", columns=columns, rows=cells), 0)
    caption = f"Least effects that would be found with {power} probability, in standard deviations of pupils"
    return Figure(png=png, svg=svg, alt=_least_alt(rows), caption=caption, data=data)


def _sizes(one: OutcomePower) -> dict[str, Quantity]:
    simulated = one.simulated if isinstance(one.simulated, Unavailable) else one.simulated.effect
    return {"panel": one.panel_g, "simulated": in_pupil_sd(simulated, one.pupil_sd), "two_level": one.two_level}


def _clipped(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1].rstrip() + "…"


def _least_alt(rows: list[tuple[str, dict[str, Quantity]]]) -> str:
    said = []
    for label, sizes in rows:
        known = [f"{_MARKS[key][0]} {number(size)}" for key, size in sizes.items() if isinstance(size, float)]
        said.append(f"{label}: {', '.join(known) or 'none can be given'}")
    return f"Marks on a scale for each outcome. {'; '.join(said)}."
