"""Tables of an analysis by dose: who had how much, the lines, and what stands against those outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalkit.core.formats import Precision, level_text
from evalkit.core.quantities import Unavailable
from evalkit.design.kinds.dose import DoseOptions, DosePlan
from evalkit.design.project.set_rule import LESS_EXPECTED
from evalkit.diagnose.kinds.dose import DoseFindings, DoseOutcomeResults
from evalkit.estimate.dose.listed import AgainstComparison
from evalkit.estimate.dose.within import DoseSlope
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.table import Cell, Column, Table, measured


def thirds_before(plan: DosePlan) -> ReleasedTable:
    """Return participants by third of the dose, and where each third stood before, for each outcome."""
    columns = (
        Column("outcome", "Outcome"),
        Column("third", "Third of the dose"),
        Column("doses", f"Doses ({plan.options.amount(2).partition(' ')[2]})", "label"),
        Column("n", "Participants", "school_count"),
        Column("before", "Mean before the programme", "estimate"),
    )
    rows = tuple(
        (plan.labels[code], group.name, _range(group.low, group.high), group.n, group.mean_before)
        for code, one in plan.outcomes.items()
        for group in one.thirds
    )
    caption = "How much the participants had, and where they stood before"
    return release(Table(caption=caption, columns=columns, rows=rows, panel_by="outcome"), 0)


def _range(low: float, high: float) -> str:
    return f"{low:,.6g}" if low == high else f"{low:,.6g} to {high:,.6g}"


def slopes_table(found: DoseFindings) -> ReleasedTable:
    """Return the slope on every outcome, with what is held and with areas alone."""
    level = level_text(found.plan.project.inference.level)
    options = found.plan.options
    lines = [("all that is named held", "slope"), ("areas alone held", "plain")]
    lines = lines if options.covariates else lines[1:]
    if not options.area_effects:
        lines = [(words.replace("areas alone held", "nothing held"), name) for words, name in lines]
    columns = (
        Column("outcome", "Outcome"),
        Column("held", "Held"),
        Column("effect", f"Change per {options.per}", "estimate"),
        Column("interval", f"{level} interval", "interval"),
        Column("p", "p", "p"),
        Column("n", "Participants", "school_count"),
        Column("areas", "Areas", "count"),
    )
    rows = tuple(_slope_row(one, words, getattr(one, name)) for one in found.outcomes for words, name in lines)
    return release(Table(caption="Change by dose among participants", columns=columns, rows=rows), 0)


def _slope_row(one: DoseOutcomeResults, words: str, slope: DoseSlope) -> tuple[Cell, ...]:
    label = f"{one.label} ({one.unit})"
    return label, words, slope.estimate, slope.interval, slope.p_value, slope.n, slope.n_areas


def thirds_table(found: DoseFindings) -> ReleasedTable:
    """Return how each third of the participants by dose stood before and changed, for each outcome."""
    options = found.plan.options
    columns = (
        Column("outcome", "Outcome"),
        Column("third", "Third of the dose"),
        Column("doses", f"Doses ({options.amount(2).partition(' ')[2]})", "label"),
        Column("n", "Participants analysed", "school_count"),
        Column("before", "Mean before the programme", "estimate"),
        Column("change", "Mean change", "estimate"),
    )
    rows = tuple(
        (
            f"{one.label} ({one.unit})",
            each.group.name,
            _range(each.group.low, each.group.high),
            each.n,
            each.group.mean_before,
            each.mean_change,
        )
        for one in found.outcomes
        for each in one.thirds
    )
    note = "Where the third with the most stood lower before, part of a larger change is what low results regain."
    caption = "Participants by how much they had"
    return release(Table(caption=caption, columns=columns, rows=rows, notes=(note,), panel_by="outcome"), 0)


def against_table(found: DoseFindings) -> ReleasedTable:
    """Return what stands against schools outside: the line with them at 0, all listed, and the threshold."""
    options, level = found.plan.options, level_text(found.plan.project.inference.level)
    columns = (
        Column("outcome", "Outcome"),
        Column("what", "What"),
        Column("effect", "Effect", "estimate"),
        Column("interval", f"{level} interval", "interval"),
        Column("p", "p", "p"),
        Column("listed", "Schools it is about", "school_count"),
        Column("compared", "Compared", "school_count"),
        Column("areas", "Areas ranked, the treated counted", "count"),
    )
    rows = tuple(row for one in found.outcomes for row in _against_rows(one, options))
    notes = (
        "The interval at the threshold holds every effect that is not rejected (an Anderson–Rubin set).",
        *_centred(found),
    )
    return release(
        Table(
            caption="Against schools outside the programme", columns=columns, rows=rows, notes=notes, panel_by="outcome"
        ),
        0,
    )


def _centred(found: DoseFindings) -> tuple[str, ...]:
    if all(one.plan.sets is None or one.plan.sets.rule == "simple" for one in found.outcomes):
        return ()
    return (LESS_EXPECTED.format(what="effect"),)


def _against_rows(one: DoseOutcomeResults, options: DoseOptions) -> Iterator[tuple[Cell, ...]]:
    label = f"{one.label} ({one.unit})"
    yield (label, f"Per {options.per}, schools outside at 0", *_against_cells(one.shock))
    yield (label, "All listed schools", *_against_cells(one.whole))
    found = one.threshold
    if options.threshold is None:
        return
    what = f"Those with {options.amount(options.threshold)} or more"
    if isinstance(found, Unavailable):
        yield (label, what, *(found,) * 6)
        return
    whole = _against_cells(one.whole)
    yield (label, what, found.estimate, found.interval, found.p_value, found.n_met, *whole[4:])


def _against_cells(found: AgainstComparison | Unavailable) -> tuple[Cell, ...]:
    if isinstance(found, Unavailable):
        return (found,) * 6
    none = Unavailable("errors by area")
    ranked: Cell = none if found.sets is None else found.sets.n_areas
    return found.estimate, found.interval, found.p_value, found.n_listed, found.n_compared, ranked


def before_table(found: DoseFindings) -> ReleasedTable:
    """Return the same line through the change before the programme, for each outcome."""
    pre, options = found.plan.project.exposure.pre, found.plan.options
    level = level_text(found.plan.project.inference.level)
    columns = (
        Column("outcome", "Outcome"),
        Column("effect", f"Change per {options.per}", "estimate"),
        Column("interval", f"{level} interval", "interval"),
        Column("p", "p", "p"),
        Column("n", "Participants", "school_count"),
    )
    rows = tuple((f"{one.label} ({one.unit})", *_before_cells(one.before)) for one in found.outcomes)
    caption = f"Change by dose from {min(pre)} to {max(pre)}, before the programme"
    return release(Table(caption=caption, columns=columns, rows=rows), 0)


def _before_cells(found: DoseSlope | Unavailable) -> tuple[Cell, ...]:
    if isinstance(found, Unavailable):
        return (found,) * 4
    return found.estimate, found.interval, found.p_value, found.n


def without_table(one: DoseOutcomeResults, options: DoseOptions) -> ReleasedTable:
    """Return the slope without each participant, the one that moves it most first: five of them."""
    own = 0.0 if isinstance(one.slope.estimate, Unavailable) else one.slope.estimate
    known = [(each.left_out, each.estimate) for each in one.without if not isinstance(each.estimate, Unavailable)]
    known.sort(key=lambda each: -abs(each[1] - own))
    made = Precision.of(*(abs(value) for _, value in known[:1]))
    columns = (Column("left_out", "Left out"), measured("effect", f"Change per {options.per}", "estimate", made))
    rows = tuple(known[:_MOST_WITHOUT])
    note = f"All {len(known):,} were left out in turn; those that move the line most are shown."
    return release(Table(caption="The line without one participant", columns=columns, rows=rows, notes=(note,)), 0)


_MOST_WITHOUT: Final = 5
