"""How the answer moves with what one compares with: the specification curve and the map of choices."""

from __future__ import annotations

from textwrap import fill
from typing import Final

from matplotlib.axes import Axes

from evalkit.core.formats import level_text, number, visible
from evalkit.core.project import Project
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted
from evalkit.design.project import labels
from evalkit.design.project.labels import NEIGHBOURS, design_label
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.estimate.effect import Effect
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.figures.style import BLUE, GREY, PALE, SMALL, VERMILION, canvas, drawn, ink, say_empty, stacked
from evalkit.report.tables.design import released
from evalkit.report.words.names import one_per_design, outcome_label, short_label, unit_of, with_unit

# The specification curve: every estimate of the primary outcome in order of size, and the choices behind each.

Choices = tuple[str, str, str, str]
ASPECTS: Final = ("Compared with", "Schools", "Weights", "Earlier trend")
"""What the specifications differ in, in the order of the rows."""


def specification_curve(evaluation: AreasResults) -> Figure:
    """Return every estimate of the primary outcome, smallest first, with its interval and the choices it makes."""
    main = evaluation.project.primary.code
    effects = _in_order(evaluation)
    choices = {effect.design: choices_of(effect.design, evaluation.project) for effect in effects}
    rows = _rows(list(choices.values()))
    with stacked((2.5, 0.42 + 0.23 * (len(rows) + len(ASPECTS)))) as (figure, axes):
        if effects:
            _curve(axes[0], effects)
            axes[0].set_ylabel(f"Difference in change\n({unit_of(evaluation, main)})")
            _grid(axes[1], effects, choices, rows)
        else:
            say_empty(axes, "No estimate can be given; the tables give the reasons.")
        png, svg = drawn(figure, evaluation.design.data_kind)
    level = level_text(evaluation.project.inference.level)
    caption = (
        f"{outcome_label(evaluation, main)}: every estimate in order of size with its {level} interval, and below it "
        "the choices it makes; the diamond is the main comparison. A mark without a line has no interval"
    )
    data = _curve_data(evaluation, effects, choices)
    return Figure(
        name="specifications", png=png, svg=svg, alt=_curve_alt(evaluation, effects), caption=caption, data=data
    )


def choices_of(design: str, project: Project) -> Choices:
    """Return what a design chooses in each of `ASPECTS`, in words."""
    plain = "by pupils" if project.estimation.weights == "pupils" else "each school one"
    required = "published in every year" if project.pool.require_all_years else "published before and after"
    against, schools, weights, trend = f"neighbours, list of {_list(project)}", required, plain, "not taken off"
    if design in (labels.MATCHED, labels.MATCHED_WITHOUT_OUTCOMES, labels.ENGLAND):
        against = "all of England outside the area" if design == labels.ENGLAND else short_label(design).lower()
    elif design.startswith("neighbours_20"):
        against = f"neighbours, list of {design.removeprefix('neighbours_')}"
    schools = {
        labels.UNRESTRICTED: "published before and after",
        labels.WITHOUT_CONVERSIONS: "without those that converted",
        labels.WITHOUT_CONTAMINATED: "without areas of another programme",
    }.get(design, schools)
    weights = {labels.PUPIL_WEIGHTED: "by pupils", labels.SCHOOL_WEIGHTED: "each school one"}.get(design, weights)
    weights = {labels.AREA_WEIGHTED: "each area one"}.get(design, weights)
    if design == labels.OWN_AREA:
        against = "other schools of the same areas"
    schools = {labels.WHOLE_AREA: "every school of the areas"}.get(design, schools)
    drawn = {labels.SETS_LIKE: ", sets like the list", labels.SETS_SIMPLE: ", sets at random"}
    against += drawn.get(design, "")
    trend = "continued and taken off" if design == labels.TREND_ADJUSTED else trend
    return against, schools, weights, trend


def _list(project: Project) -> str:
    return labels.LIST_YEAR[project.pool.neighbours]


def _in_order(evaluation: AreasResults) -> list[Effect]:
    """Return the estimated effects on the primary outcome, smallest first, the order of designs deciding ties."""
    effects = one_per_design(evaluation, evaluation.project.primary.code)
    return sorted((e for e in effects if not isinstance(e.estimate, Unavailable)), key=_value)


def _value(effect: Effect) -> float:
    assert not isinstance(effect.estimate, Unavailable)
    return effect.estimate


def _rows(choices: list[Choices]) -> list[tuple[int, str]]:
    """Return the rows of the grid: each aspect's choices that some estimate makes, in order of first use."""
    return [(at, choice) for at in range(len(ASPECTS)) for choice in dict.fromkeys(made[at] for made in choices)]


def _curve(ax: Axes, effects: list[Effect]) -> None:
    ax.axhline(0, color=GREY, linewidth=1, zorder=0)
    for place, effect in enumerate(effects):
        is_main = effect.design == labels.NEIGHBOURS
        colour = VERMILION if is_main else BLUE
        if isinstance(effect.interval, Interval):
            ax.vlines(place, effect.interval.lower, effect.interval.upper, color=colour, linewidth=2)
        ax.plot(place, _value(effect), "D" if is_main else "o", color=colour, markersize=7 if is_main else 6)
        ax.annotate(
            number(_value(effect)),
            (place, _value(effect)),
            xytext=(5, 3),
            textcoords="offset points",
            fontsize=SMALL,
            color=ink(colour),
            fontweight="bold" if is_main else "normal",
        )
    ax.set_xlim(-0.6, len(effects) - 0.3)
    ax.margins(y=0.08)
    ax.tick_params(axis="x", length=0, labelbottom=False)
    ax.spines["bottom"].set_visible(False)


def _grid(ax: Axes, effects: list[Effect], choices: dict[str, Choices], rows: list[tuple[int, str]]) -> None:
    """Draw a dot where an estimate makes the choice of a row; rows stand under the name of what they choose."""
    places = [row + aspect + 1 for row, (aspect, _) in enumerate(rows)]
    for height, (aspect, choice) in zip(places, rows, strict=True):
        ax.axhline(height, color=PALE, linewidth=0.8, zorder=0)
        for place, effect in enumerate(effects):
            if choices[effect.design][aspect] == choice:
                is_main = effect.design == labels.NEIGHBOURS
                ax.plot(place, height, "D" if is_main else "o", color=VERMILION if is_main else BLUE, markersize=6)
    heads = [
        next(h for h, (chosen, _) in zip(places, rows, strict=True) if chosen == at) - 1 for at in range(len(ASPECTS))
    ]
    ax.set_yticks([*places, *heads], [*(choice for _, choice in rows), *ASPECTS], fontsize=SMALL)
    for label in ax.get_yticklabels()[len(places) :]:
        label.set_fontweight("bold")
    ax.set_ylim(len(rows) + len(ASPECTS) - 0.4, -0.6)
    ax.tick_params(length=0, labelbottom=False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def _curve_alt(evaluation: AreasResults, effects: list[Effect]) -> str:
    if not effects:
        return "No specification curve is drawn, as no estimate of the primary outcome can be given."
    values = [_value(effect) for effect in effects]
    apart = [e for e in effects if isinstance(e.interval, Interval) and 0.0 not in e.interval]
    main = next((e for e in effects if e.design == labels.NEIGHBOURS), None)
    of_main = f" The main comparison, the diamond, gives {visible(_value(main))}." if main else ""
    ends = ", ".join(f"{short_label(e.design)} {visible(_value(e))}" for e in (effects[0], effects[-1]))
    return (
        f"Specification curve of {outcome_label(evaluation, effects[0].outcome)}: {counted(len(values), 'estimate')} "
        f"from {visible(min(values))} to {visible(max(values))}; zero lies outside {len(apart)} of their intervals. "
        f"Smallest and largest: {ends}.{of_main}"
    )


def _curve_data(evaluation: AreasResults, effects: list[Effect], choices: dict[str, Choices]) -> ReleasedTable:
    keys = ("against", "schools", "weights", "trend")
    columns = (
        *(Column(key, aspect) for key, aspect in zip(keys, ASPECTS, strict=True)),
        Column("estimate", "Estimate", "estimate"),
        Column("interval", "Interval", "interval"),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple((*choices[e.design], e.estimate, e.interval) for e in effects)
    caption = "Numbers behind the specification curve"
    return released(evaluation, Table(caption=caption, columns=columns, rows=rows))


# The map of choices: how the answer moves with what one compares with.

Panels = dict[str, list[Effect]]


def choices_plot(evaluation: AreasResults) -> Figure:
    """Return the estimate and interval of every design, one panel for each outcome."""
    panels = _panels(evaluation)
    designs = list(dict.fromkeys(effect.design for effects in panels.values() for effect in effects))
    main = evaluation.project.primary.code
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
        name="choices",
        png=png,
        svg=svg,
        alt=_map_alt(evaluation, panels),
        caption=caption,
        data=_map_data(evaluation, panels),
    )


def _panels(evaluation: AreasResults) -> Panels:
    """Return the effects of each outcome that has an estimate; of every outcome where none has."""
    every = {o.code: one_per_design(evaluation, o.code) for o in evaluation.project.outcomes}
    known = {code: row for code, row in every.items() if any(not _is_lacking(effect) for effect in row)}
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


def _map_alt(evaluation: AreasResults, panels: Panels) -> str:
    """Return the range of estimates of each outcome over the designs."""
    parts = []
    for outcome, effects in panels.items():
        known = [e.estimate for e in effects if not isinstance(e.estimate, Unavailable)]
        if known:
            label = outcome_label(evaluation, outcome)
            parts.append(f"{label}: {len(known)} estimates from {visible(min(known))} to {visible(max(known))}")
    return (
        "Dot chart of estimates by design; diamonds mark the main comparison. "
        + ("; ".join(parts) or "No estimate can be given")
        + "."
    )


def _map_data(evaluation: AreasResults, panels: Panels) -> ReleasedTable:
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
