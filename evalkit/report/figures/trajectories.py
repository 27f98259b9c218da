"""The mean of the primary outcome, year by year: treated and compared."""

from __future__ import annotations

from textwrap import fill
from typing import Final

from matplotlib.axes import Axes

from evalkit.core.formats import number
from evalkit.diagnose.evaluation import ArmYear, Evaluation
from evalkit.report.disclosure import ReleasedTable
from evalkit.report.figure import Figure
from evalkit.report.figures.style import ARM_COLOURS, QUIET, canvas, drawn, ink, say_empty, spread
from evalkit.report.figures.years import free_of_edges, month, programme_period, when, year_axis
from evalkit.report.names import arm_label, outcome_label, treated_label, unit_of
from evalkit.report.table import Column, Table
from evalkit.report.tables.design import released

_MARKS: Final = {"treated": "o", "neighbours": "s", "england": "^", "matched": "D"}
_DASHES: Final = {"treated": "-", "neighbours": "-", "england": "--", "matched": "-."}


def trajectories_plot(evaluation: Evaluation) -> Figure:
    """Return the mean of the primary outcome in each year: treated, neighbours and the rest of England."""
    main = evaluation.project.primary.measure
    points = [point for point in evaluation.trajectories if point.outcome == main]
    arms = [arm for arm in ARM_COLOURS if any(point.arm == arm for point in points)]
    label, unit = outcome_label(evaluation, main), unit_of(evaluation, main)
    with canvas() as (figure, axes):
        if points:
            _lines(axes[0], evaluation, points, arms)
            axes[0].set_ylabel(f"{label} ({unit})")
        else:
            say_empty(axes, "No mean can be given; the tables give the reasons.")
        png, svg = drawn(figure, evaluation.design.data_kind)
    caption = f"{label}: mean of schools in each summer, in {unit}"
    alt = _alt(evaluation, points, arms)
    return Figure(name="trajectories", png=png, svg=svg, alt=alt, caption=caption, data=_data(evaluation, points))


def _lines(ax: Axes, evaluation: Evaluation, points: list[ArmYear], arms: list[str]) -> None:
    programme_period(ax, evaluation.project)
    for arm in arms:
        own = _of(points, arm)
        ax.plot(
            [when(p.year) for p in own],
            [p.mean for p in own],
            color=ARM_COLOURS[arm],
            linestyle=_DASHES[arm],
            linewidth=2.4 if arm == "treated" else 1.8,
            marker=_MARKS[arm],
            markersize=6,
        )
    low, high = ax.get_ylim()
    if low < 0 < high:
        ax.axhline(0, color=QUIET, linewidth=1, zorder=0)
    year_axis(ax, sorted({p.year for p in points}), evaluation.project.exposure.partial)
    _names_at_the_end(ax, evaluation, points, arms)


def _of(points: list[ArmYear], arm: str) -> list[ArmYear]:
    return sorted((p for p in points if p.arm == arm), key=lambda p: p.year)


def _arm_words(evaluation: Evaluation, arm: str) -> str:
    return treated_label(evaluation) if arm == "treated" else arm_label(arm)


def _names_at_the_end(ax: Axes, evaluation: Evaluation, points: list[ArmYear], arms: list[str]) -> None:
    """Name each line at its last point, the names kept apart."""
    last = [_of(points, arm)[-1] for arm in arms]
    low, high = ax.get_ylim()
    names = [fill(_arm_words(evaluation, arm), 18) for arm in arms]
    heights = spread([point.mean for point in last], (high - low) * (0.11 if any("\n" in n for n in names) else 0.07))
    for arm, name, point, height in zip(arms, names, last, heights, strict=True):
        ax.annotate(
            name,
            (free_of_edges(evaluation.project, point.year), height),
            xytext=(7, 0),
            textcoords="offset points",
            color=ink(ARM_COLOURS[arm]),
            fontweight="bold" if arm == "treated" else "normal",
            va="center",
            annotation_clip=False,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )


def _alt(evaluation: Evaluation, points: list[ArmYear], arms: list[str]) -> str:
    if not points:
        return "No line is drawn, as no mean of the outcome can be given."
    ends = [(arm, _of(points, arm)[0], _of(points, arm)[-1]) for arm in arms]
    parts = [
        f"{_arm_words(evaluation, arm)} from {number(first.mean)} in {first.year} to {number(last.mean)} in {last.year}"
        for arm, first, last in ends
    ]
    facts = evaluation.project.programme
    ran = f"The programme ran from {month(facts.start)} to {month(facts.end)}; its period is shaded."
    return f"Line chart of yearly means. {'; '.join(parts)}. {ran}"


def _data(evaluation: Evaluation, points: list[ArmYear]) -> ReleasedTable:
    columns = (
        Column("arm", "Schools"),
        Column("year", "Summer"),
        Column("mean", "Mean", "number"),
        Column("n_schools", "Number of schools", "school_count"),
    )
    rows = tuple((_arm_words(evaluation, p.arm), str(p.year), p.mean, p.n) for p in points)
    return released(evaluation, Table(caption="Numbers behind the figure of yearly means", columns=columns, rows=rows))
