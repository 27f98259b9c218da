"""The classic two-way effect for a person: its error, its event study, and what it is an average of."""

from __future__ import annotations

from collections.abc import Iterator

from evalkit.core.formats import MINUS, as_sentence, level_text, number, p_equals
from evalkit.core.quantities import Unavailable
from evalkit.estimate.two_way.bacon import BaconDecomposition
from evalkit.run.tables.did_answer import TwoWayAnswer
from evalkit.run.tables.did_layout import Footnotes, Writer, aligned, wrapped


def two_way_lines(found: TwoWayAnswer, level: float) -> Iterator[str]:
    """Yield the lines of a two-way answer after its sentence."""
    effect, notes = found.effect, Footnotes()
    writer = Writer.for_errors(effect.estimate.std_error, abs(effect.estimate.value))
    own, robust = effect.inference, effect.as_told
    yield "\nTwo-way fixed effects"
    rows = [
        [own.method, *(writer.cell(value, notes) for value in (robust.value, own.std_error, own.interval))],
        [
            "as regression programs print it",
            *(
                writer.cell(value, notes)
                for value in (robust.value, robust.std_error, effect.why_no_plain_test or robust.interval(level))
            ),
        ],
    ]
    yield from aligned(["inference", "effect", "std. error", f"{level_text(level)} interval"], rows)
    yield from notes.lines()
    test = "" if isinstance(own.p_value, Unavailable) else f" Two-sided test of no effect: {p_equals(own.p_value)}."
    yield from wrapped(as_sentence(own.note) + test, "  ")
    yield from _event_lines(found, writer, level)
    yield from _bacon_lines(found.bacon, writer)


def _event_lines(found: TwoWayAnswer, writer: Writer, level: float) -> Iterator[str]:
    yield "\nBy time since the start"
    study = found.event_study
    if isinstance(study, Unavailable):
        yield from wrapped(as_sentence(study.reason), "  ")
        return
    notes = Footnotes()
    rows = [
        [
            str(time.event_time).replace("-", MINUS),
            *(
                writer.cell(value, notes)
                for value in (time.estimate.value, time.estimate.std_error, time.estimate.interval(level))
            ),
        ]
        for time in study.times
    ]
    yield from aligned(["event time", "effect", "std. error", f"{level_text(level)} interval"], rows)
    yield from notes.lines()
    yield f"  Measured from event time {number(study.base_time, 0)}."


def _bacon_lines(bacon: BaconDecomposition | Unavailable, writer: Writer) -> Iterator[str]:
    yield "\nWhat the one number is an average of (Goodman-Bacon)"
    if isinstance(bacon, Unavailable):
        yield from wrapped(as_sentence(bacon.reason), "  ")
        return
    notes = Footnotes()
    rows = [[total.kind, number(total.weight, 4), writer.cell(total.estimate, notes)] for total in bacon.totals]
    if bacon.within_share:
        share, own = number(bacon.within_share, 4), writer.number(bacon.within_estimate)
        rows.append(["within cohorts, by covariates", share, own])
    yield from aligned(["comparison", "weight", "effect"], rows)
    yield from notes.lines()
