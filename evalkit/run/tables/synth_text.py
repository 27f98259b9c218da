"""The result of `evalkit synth` as a text for a person."""

from __future__ import annotations

from collections.abc import Iterator

from evalkit.core.formats import as_sentence, level_text, number, p_equals
from evalkit.core.quantities import Interval, Quantity, Unavailable
from evalkit.core.words import cleaned, counted, listed
from evalkit.estimate.synthetic.placebos import LeaveOneDonorOut, PlaceboInTime
from evalkit.run.tables.did_layout import Footnotes, Writer, aligned, wrapped
from evalkit.run.tables.synth_answer import SynthAnswer

_MOST_IDS, _MOST_WEIGHTS = 10, 15


def synth_text(answer: SynthAnswer) -> str:
    """Return everything that was found, in sentences and aligned tables."""
    return cleaned("\n".join(_lines(answer)))


def _lines(answer: SynthAnswer) -> Iterator[str]:
    request, found = answer.request, answer.found
    writer = Writer.for_errors(answer.space.std_error, found.pre_fit.spread / 20)
    yield f"{request.file.name}: the effect on '{request.outcome}', {found.method.name}"
    yield from _design_lines(answer)
    yield "\nThe effect"
    yield from wrapped(_effect(answer, writer), "  ")
    yield "\nThe fit before the start"
    yield from wrapped(found.pre_fit.sentence, "  ")
    yield from _gap_lines(answer, writer)
    yield from _weight_lines(answer)
    yield "\nHow unusual it is"
    for sentence in _inference(answer, writer):
        yield from wrapped(as_sentence(sentence), "  - ")
    if answer.notes:
        yield "\nNotes"
        for note in answer.notes:
            yield from wrapped(as_sentence(note), "  - ")


def _design_lines(answer: SynthAnswer) -> Iterator[str]:
    design = answer.found.design
    yield "\nWho is compared with whom"
    yield from wrapped(
        f"{listed([str(area) for area in design.treated], _MOST_IDS)}, treated from {design.start} on, and "
        f"{counted(len(design.donors), 'donor')}, in {counted(len(design.periods), 'period')} ({design.periods[0]} to "
        f"{design.periods[-1]}), {design.n_pre} of them before the start.",
        "  ",
    )
    for lost in design.dropped:
        who = counted(len(lost.units), "area")
        yield from wrapped(f"{who} left out ({lost.reason}): {listed(list(lost.units), _MOST_IDS)}.", "  ")


def _effect(answer: SynthAnswer, writer: Writer) -> str:
    found = answer.found
    if isinstance(found.estimate, Unavailable):
        return f"No estimate is shown. {found.estimate.reason}"
    one = len(found.design.treated) == 1
    was = "was" if found.design.n_post == 1 else "was on average"
    where = f"'{answer.request.outcome}' in the treated area{'' if one else 's'}"
    size = writer.number(abs(found.estimate))
    apart = f"{size} {'higher' if found.estimate > 0 else 'lower'} than in the synthetic one"
    if size == writer.number(0.0):
        apart = "as in the synthetic one"
    interval = answer.interval
    shown = ""
    if isinstance(interval, Interval):
        shown = f" ({level_text(interval.level)} interval {writer.interval(interval)}, from {answer.interval_from})"
    return (
        f"From {found.design.start} on {where} {was} {apart}{shown}, an effect if without the programme "
        f"{'it' if one else 'they'} would have moved as the weighted donors did."
    )


def _gap_lines(answer: SynthAnswer, writer: Writer) -> Iterator[str]:
    yield "\nPeriod by period"
    notes, single = Footnotes(), {one.period: one for one in answer.conformal.by_period}
    rows = []
    for row in answer.found.gaps:
        test = single.get(row.period)
        p = "" if test is None else _p(test.p_value, notes)
        values = [writer.cell(value, notes) for value in (row.treated, row.synthetic, row.gap)]
        rows.append([str(row.period), *values, "" if test is None else writer.cell(test.interval, notes), p])
    header = ["period", "treated", "synthetic", "gap", f"{level_text(answer.request.level)} interval", "p"]
    if not single:
        header, rows = header[:4], [row[:4] for row in rows]
    yield from aligned(header, rows)
    yield from notes.lines()


def _p(value: Quantity, notes: Footnotes) -> str:
    return notes.mark(value.reason) if isinstance(value, Unavailable) else number(value, 3)


def _weight_lines(answer: SynthAnswer) -> Iterator[str]:
    """Yield the heaviest donors."""
    found = answer.found
    ranked = sorted(found.weight_of.items(), key=lambda pair: -abs(pair[1]))
    shown = [(donor, weight) for donor, weight in ranked if abs(weight) > 1e-6]
    yield f"\nDonors ({len(shown)} of {len(ranked)} carry weight)"
    yield from aligned(["donor", "weight"], [[str(d), number(w, 3)] for d, w in shown[:_MOST_WEIGHTS]])
    if len(shown) > _MOST_WEIGHTS:
        rest = sum(weight for _, weight in shown[_MOST_WEIGHTS:])
        yield f"  and {len(shown) - _MOST_WEIGHTS} more, together {number(rest, 3)}"


def _inference(answer: SynthAnswer, writer: Writer) -> Iterator[str]:
    if isinstance(answer.found.estimate, Unavailable):
        yield "No inference is made without an estimate"
        return
    yield from dict.fromkeys([_space(answer), _conformal(answer)])
    yield _time(answer.time, writer)
    yield _left_out(answer.left_out, writer)


def _space(answer: SynthAnswer) -> str:
    space = answer.space
    if isinstance(space.p_value, Unavailable):
        return space.p_value.reason
    size = len(answer.found.design.treated)
    who = f"{len(space.ratios)} donors" if size == 1 else f"{len(space.ratios)} sets of {size} donors"
    return (
        f"Placebo areas: {p_equals(space.p_value)}, the share of the {who}, each as if treated, and of the treated "
        f"area{'' if size == 1 else 's'}, whose error after the start is at least as many times that before it"
    )


def _conformal(answer: SynthAnswer) -> str:
    found = answer.conformal
    if isinstance(found.p_value, Unavailable):
        return found.p_value.reason
    rest = "" if isinstance(found.interval, Interval) else f". No interval: {found.interval.reason}"
    return f"Conformal inference over {found.n_periods} periods: {p_equals(found.p_value)} of no effect{rest}"


def _left_out(left: LeaveOneDonorOut | Unavailable, writer: Writer) -> str:
    if isinstance(left, Unavailable):
        return left.reason
    return (
        f"One donor left out: the estimate lies between {writer.number(left.lowest)} and "
        f"{writer.number(left.highest)}; it moves most without {left.influential} "
        f"(to {writer.number(left.without_influential)})"
    )


def _time(found: PlaceboInTime | Unavailable, writer: Writer) -> str:
    if isinstance(found, Unavailable):
        return found.reason
    if isinstance(found.estimate, Unavailable):
        return f"A start put back to {found.start}: {found.estimate.reason}"
    p = "" if isinstance(found.p_value, Unavailable) else f", {p_equals(found.p_value)}"
    return f"A start put back to {found.start}, where there was no programme yet: {writer.number(found.estimate)}{p}"
