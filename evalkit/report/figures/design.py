"""Figures of the design: how alike the schools are, how they came into it, and what it could detect."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill, wrap
from typing import Final

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from evalkit.core.formats import count, level_text, number
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.words import counted, listed
from evalkit.data.flow import Flow
from evalkit.design.project.plan import BalanceRow, DesignStage
from evalkit.diagnose.power.report import OutcomePower, PowerReport, in_pupil_sd
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Column, Table, sums_by
from evalkit.report.figures.matching import LINES, LoveRow, love_legend, love_panel
from evalkit.report.figures.style import (
    ARM_COLOURS,
    BLACK,
    BLUE,
    GREY,
    PALE,
    SMALL,
    VERMILION,
    WIDTH,
    canvas,
    clipped,
    drawn,
    say_empty,
    sheet,
)
from evalkit.report.tables.design import released
from evalkit.report.words.names import arm_label, outcome_label, short_label, treated_label


def love_plot(design: DesignStage) -> Figure:
    """Return standardised differences before and after each design, for the primary outcome."""
    rows = [row for row in design.balance if row.outcome == design.project.primary.code]
    designs = list(dict.fromkeys(row.design for row in rows)) or ["matched"]
    labels = list(dict.fromkeys(row.label for row in rows))
    with canvas(1.9 + 0.42 * len(labels), len(designs)) as (figure, axes):
        for ax in axes[1:]:
            ax.sharex(axes[0])
        for ax, name in zip(axes, designs, strict=True):
            _balance_panel(ax, name, [row for row in rows if row.design == name], labels)
        love_legend(figure)
        figure.supxlabel("Standardised difference, treated less compared", fontsize=10)
        png, svg = drawn(figure, design.data_kind)
    return Figure(
        name="balance",
        png=png,
        svg=svg,
        alt=_balance_alt(rows),
        caption=_balance_caption(design),
        data=_balance_data(design, rows),
    )


def _balance_panel(ax: Axes, name: str, rows: list[BalanceRow], labels: list[str]) -> None:
    love_panel(ax, [LoveRow(row.label, row.smd_before, row.smd_after) for row in rows], labels)
    ax.set_title(fill(short_label(name), 18), fontsize=SMALL)


def _balance_alt(rows: list[BalanceRow]) -> str:
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


def _balance_caption(design: DesignStage) -> str:
    label = outcome_label(design, design.project.primary.code)
    return f"{label}: how alike the schools are before and after each design ({LINES})"


def _balance_data(design: DesignStage, rows: list[BalanceRow]) -> ReleasedTable:
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
            ax.set_yticks(range(len(rows)), [clipped(label, _LONGEST_LABEL) for label, _ in rows])
            ax.set_ylim(len(rows) - 0.4, -0.6)
            ax.set_xlim(left=0)
            ax.set_xlabel(f"Least effect found with {power} probability, in standard deviations of pupils")
            figure.legend(loc="outside upper left", ncols=len(_MARKS), frameon=False, fontsize=SMALL)
        png, svg = drawn(figure, report.data_kind)
    columns = (Column("outcome", "Outcome"), *(Column(key, name, "number") for key, (name, _, _) in _MARKS.items()))
    cells = tuple((label, *(sizes[key] for key in _MARKS)) for label, sizes in rows)
    data = release(Table(caption="Numbers behind the figure of least effects", columns=columns, rows=cells), 0)
    caption = f"Least effects that would be found with {power} probability, in standard deviations of pupils"
    return Figure(png=png, svg=svg, alt=_least_alt(rows), caption=caption, data=data)


def _sizes(one: OutcomePower) -> dict[str, Quantity]:
    simulated = one.simulated if isinstance(one.simulated, Unavailable) else one.simulated.effect
    return {"panel": one.panel_g, "simulated": in_pupil_sd(simulated, one.pupil_sd), "two_level": one.two_level}


def _least_alt(rows: list[tuple[str, dict[str, Quantity]]]) -> str:
    outcomes = []
    for label, sizes in rows:
        known = [f"{_MARKS[key][0]} {number(size)}" for key, size in sizes.items() if isinstance(size, float)]
        outcomes.append(f"{label}: {', '.join(known) or 'none can be given'}")
    return f"Marks on a scale for each outcome. {'; '.join(outcomes)}."


# How schools came into the analysis: those listed, those left out and why, those analysed.

_ARMS: Final = {"treated": "treated", "comparison": "neighbours", "rest_of_england": "england"}
"""The arms of a flow, and the arm whose colour they have."""
_YEAR: Final = re.compile(r"\d{4}: ")
_BRACKETS: Final = re.compile(r" \([^)]*\)$")
_LINE: Final = 0.18
"""Inches from one line of small type to the next."""
_BOX: Final = 0.62
_GAP: Final = 0.24
_LETTERS: Final = 23
"""Letters of small type that fit into a box of reasons, and of bold type above a column."""


@dataclass(frozen=True, slots=True)
class _Arm:
    """One column of the flow: its name, how many schools were listed, left out by reason, and analysed."""

    key: str
    name: str
    listed: int
    lost: tuple[tuple[str, int], ...]
    analysed: int

    @property
    def n_lost(self) -> int:
        return sum(n for _, n in self.lost)

    @property
    def lines(self) -> list[str]:
        """Return the words of the box of reasons, as broken into lines."""
        reasons = [f"{count(n)} {reason}" for reason, n in self.lost]
        return [f"{count(self.n_lost)} left out:", *(line for text in reasons for line in _hanging(text))]


def participant_flow(evaluation: AreasResults) -> Figure:
    """Return the flow of schools for the primary outcome: listed, left out with reasons, analysed."""
    main = evaluation.project.primary.code
    arms = _arms(evaluation.flow, main, treated_label(evaluation))
    lines = max((len(arm.lines) for arm in arms if arm.n_lost), default=0)
    middle = lines * _LINE + 0.16 if lines else 0.0
    head = 0.18 + _LINE * max((len(wrap(arm.name, _LETTERS)) for arm in arms), default=1)
    height = head + 2 * _BOX + middle + (2 if lines else 1) * _GAP + 0.1
    with sheet(height) as (figure, ax):
        wide = (WIDTH - 0.2) / max(len(arms), 1)
        for at, arm in enumerate(arms):
            _column(ax, arm, (0.1 + at * wide, wide - 0.12), height, head)
        png, svg = drawn(figure, evaluation.design.data_kind)
    label = outcome_label(evaluation, main)
    caption = f"{label}: schools from listed to analysed, with the reasons of those left out"
    return Figure(
        name="flow", png=png, svg=svg, alt=_flow_alt(arms), caption=caption, data=_flow_data(evaluation, arms)
    )


def _hanging(text: str) -> list[str]:
    first, *rest = wrap(text, _LETTERS)
    return [f"• {first}", *(f"   {line}" for line in rest)]


def _arms(flow: Flow, outcome: str, place: str) -> list[_Arm]:
    present = dict.fromkeys(row.arm for row in flow.rows if row.outcome == outcome)
    names = {
        arm: place if arm == "treated" else arm_label("neighbours" if arm == "comparison" else arm) for arm in _ARMS
    }
    return [
        _Arm(
            arm,
            names[arm],
            flow.count(outcome, arm, "listed"),
            _reasons(flow, outcome, arm),
            flow.count(outcome, arm, "analysed"),
        )
        for arm in _ARMS
        if arm in present
    ]


def _reasons(flow: Flow, outcome: str, arm: str) -> tuple[tuple[str, int], ...]:
    """Return the reasons of an arm in short, most frequent first; those of several years are put together."""
    counts: dict[str, int] = {}
    for row in flow.rows:
        if (row.outcome, row.arm, row.stage) == (outcome, arm, "excluded") and row.n:
            reason = _short(row.reason)
            counts[reason] = counts.get(reason, 0) + row.n
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _short(reason: str) -> str:
    """Return a reason without its details: which year, which kind of school, which code."""
    if _YEAR.match(reason):
        return "missing from a year's table" if "no row" in reason else "without a published result in every year"
    return _BRACKETS.sub("", reason)


def _column(ax: Axes, arm: _Arm, place: tuple[float, float], height: float, head: float) -> None:
    """Draw one arm from the top: its name, the schools listed, those left out to the side, those analysed."""
    colour = ARM_COLOURS[_ARMS[arm.key]]
    (left, wide), top = place, height - head
    ax.text(left, top + 0.06, fill(arm.name, _LETTERS), va="bottom", fontweight="bold")
    _box(ax, (left, top - _BOX, wide, _BOX), colour, count(arm.listed), "listed")
    bottom = 0.1 + _BOX
    line = left + 0.16
    ax.annotate(
        "", (line, bottom), xytext=(line, top - _BOX), arrowprops={"arrowstyle": "-|>", "color": GREY, "linewidth": 1.2}
    )
    if arm.n_lost:
        tall = len(arm.lines) * _LINE + 0.12
        upper = top - _BOX - _GAP
        ax.plot([line, left + 0.3], [upper - tall / 2] * 2, color=GREY, linewidth=1.2)
        _reasons_box(ax, (left + 0.3, upper - tall, wide - 0.3, tall), arm.lines)
    _box(ax, (left, 0.1, wide, _BOX), colour, count(arm.analysed), "analysed")


def _frame(ax: Axes, place: tuple[float, float, float, float], colour: str, width: float) -> None:
    left, bottom, wide, tall = place
    pad = 0.03
    style = f"round,pad={pad},rounding_size=0.05"
    size = (wide - 2 * pad, tall - 2 * pad)
    ax.add_patch(
        FancyBboxPatch((left + pad, bottom + pad), *size, boxstyle=style, fill=False, color=colour, linewidth=width)
    )


def _box(ax: Axes, place: tuple[float, float, float, float], colour: str, number: str, words: str) -> None:
    left, bottom, wide, tall = place
    _frame(ax, place, colour, 2)
    ax.text(left + wide / 2, bottom + 0.6 * tall, number, ha="center", va="center", fontsize=13, fontweight="bold")
    ax.text(left + wide / 2, bottom + 0.25 * tall, f"schools {words}", ha="center", va="center", fontsize=SMALL)


def _reasons_box(ax: Axes, place: tuple[float, float, float, float], lines: Sequence[str]) -> None:
    left, bottom, _, tall = place
    _frame(ax, place, GREY, 1)
    for at, line in enumerate(lines):
        ax.text(left + 0.1, bottom + tall - 0.06 - at * _LINE - _LINE / 2, line, va="center", fontsize=SMALL)


def _flow_alt(arms: list[_Arm]) -> str:
    if not arms:
        return "No flow is drawn, as no school was listed for the primary outcome."
    parts = [
        f"{arm.name}: {counted(arm.listed, 'school')} listed, {count(arm.n_lost)} left out"
        + (f" ({listed([f'{count(n)} {reason}' for reason, n in arm.lost])})" if arm.n_lost else "")
        + f", {count(arm.analysed)} analysed"
        for arm in arms
    ]
    return f"Flow chart. {'; '.join(parts)}."


def _flow_data(evaluation: AreasResults, arms: list[_Arm]) -> ReleasedTable:
    columns = (
        Column("arm", "Schools"),
        Column("stage", "Stage"),
        Column("reason", "Reason"),
        Column("n", "Number of schools", "school_count"),
    )
    rows = [
        row
        for arm in arms
        for row in (
            (arm.name, "listed", "–", arm.listed),
            *((arm.name, "left out", reason, n) for reason, n in arm.lost),
            (arm.name, "analysed", "–", arm.analysed),
        )
    ]
    sums = sums_by([str(arm) for arm, *_ in rows])
    caption = "Numbers behind the flow"
    return released(evaluation, Table(caption=caption, columns=columns, rows=tuple(rows), row_sums=sums))
