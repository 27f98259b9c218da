"""The map of choices: how the answer moves with what one compares with."""

from __future__ import annotations

from textwrap import fill

from matplotlib.axes import Axes

from evalkit.core.formats import careful, level_text
from evalkit.core.quantities import Interval, Unavailable
from evalkit.design.labels import NEIGHBOURS, design_label
from evalkit.diagnose.evaluation import Evaluation
from evalkit.estimate.effect import Effect
from evalkit.report.disclosure import ReleasedTable
from evalkit.report.figure import Figure
from evalkit.report.figures.style import BLUE, GREY, VERMILION, canvas, drawn, say_empty
from evalkit.report.names import one_per_design, outcome_label, short_label, unit_of, with_unit
from evalkit.report.table import Column, Table
from evalkit.report.tables.design import released

Panels = dict[str, list[Effect]]


def choices_plot(evaluation: Evaluation) -> Figure:
    """Return the estimate and interval of every design, one panel for each outcome."""
    panels = _panels(evaluation)
    designs = list(dict.fromkeys(effect.design for effects in panels.values() for effect in effects))
    main = evaluation.project.primary.measure
    with canvas(1.6 + 0.52 * len(designs), len(panels)) as (figure, axes):
        if len({unit_of(evaluation, outcome) for outcome in panels}) == 1:
            for ax in axes[1:]:
                ax.sharex(axes[0])
        for ax, (outcome, effects) in zip(axes, panels.items(), strict=True):
            _panel(ax, effects, designs)
            ax.set_title(fill(with_unit(evaluation, outcome), 18))
        axes[0].set_yticks(range(len(designs)), [fill(short_label(name), 28) for name in designs])
        axes[0].set_ylim(len(designs) - 0.5, -0.5)
        if all(_is_lacking(effect) for effects in panels.values() for effect in effects):
            say_empty(axes, "No estimate can be given; the tables give the reasons.")
        figure.supxlabel(f"Difference in change ({unit_of(evaluation, main)})", fontsize=10)
        png, svg = drawn(figure, evaluation.design.data_kind)
    level = level_text(evaluation.project.inference.level)
    caption = (
        f"The map of choices: each estimate with its {level} interval, by what the schools are compared with; the "
        "diamonds are the main comparison"
    )
    return Figure(
        name="choices", png=png, svg=svg, alt=_alt(evaluation, panels), caption=caption, data=_data(evaluation, panels)
    )


def _panels(evaluation: Evaluation) -> Panels:
    """Return the effects of each outcome that has an estimate; of every outcome where none has."""
    every = {o.measure: one_per_design(evaluation, o.measure) for o in evaluation.project.outcomes}
    known = {code: found for code, found in every.items() if any(not _is_lacking(effect) for effect in found)}
    return known or every


def _is_lacking(effect: Effect) -> bool:
    return isinstance(effect.estimate, Unavailable)


def _panel(ax: Axes, effects: list[Effect], designs: list[str]) -> None:
    """Draw a dot and interval a design; the main comparison stands out, a dot without an interval is hollow."""
    ax.axvline(0, color=GREY, linewidth=1, zorder=0)
    for effect in effects:
        if isinstance(effect.estimate, Unavailable):
            continue
        place, colour = designs.index(effect.design), VERMILION if effect.design == NEIGHBOURS else BLUE
        has_interval = isinstance(effect.interval, Interval)
        if isinstance(effect.interval, Interval):
            ax.hlines(place, effect.interval.lower, effect.interval.upper, color=colour, linewidth=2)
        mark, size = ("D", 7) if effect.design == NEIGHBOURS else ("o", 6)
        inside = colour if has_interval else "white"
        ax.plot(effect.estimate, place, mark, markersize=size, color=colour, markerfacecolor=inside)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.08)


def _alt(evaluation: Evaluation, panels: Panels) -> str:
    """Return the range of estimates of each outcome over the designs."""
    parts = []
    for outcome, effects in panels.items():
        known = [e.estimate for e in effects if not isinstance(e.estimate, Unavailable)]
        if known:
            label = outcome_label(evaluation, outcome)
            parts.append(f"{label}: {len(known)} estimates from {careful(min(known))} to {careful(max(known))}")
    return (
        "Dot chart of estimates by design; diamonds mark the main comparison. "
        + ("; ".join(parts) or "No estimate can be given")
        + "."
    )


def _data(evaluation: Evaluation, panels: Panels) -> ReleasedTable:
    columns = (
        Column("outcome", "Outcome"),
        Column("design", "Compared with"),
        Column("estimate", "Estimate", "estimate"),
        Column("interval", "Interval", "interval"),
    )
    rows = tuple(
        (outcome_label(evaluation, code), design_label(e.design), e.estimate, e.interval)
        for code, effects in panels.items()
        for e in effects
    )
    return released(evaluation, Table(caption="Numbers behind the map of choices", columns=columns, rows=rows))
