"""From what `evalkit bounds` is asked and its two files to an answer, and from the answer to all that is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from evalkit.core.plain import plain_or_reason
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.questions import BoundsQuestion
from evalkit.data.own_tables.event_study import read_event_study
from evalkit.estimate.bounds.violation_bounds import RELATIVE, BoundedInterval, ViolationBounds, violation_bounds
from evalkit.report.border.parts import Document, Heading, Part
from evalkit.report.words.bounds import bounds_parts, bounds_table
from evalkit.run.tables.written import CommandAnswer

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundsAnswer:
    """What `evalkit bounds` was asked, and what it found."""

    question: BoundsQuestion
    bounds: ViolationBounds


def bounds_answer(question: BoundsQuestion) -> BoundsAnswer:
    """Read coefficients and covariance and return their bounds; raise `InputError` where there can be none."""
    study = read_event_study(question.file, question.covariance)
    bounds = violation_bounds(
        study.estimates,
        study.covariance,
        event_times=study.event_times,
        relative=RELATIVE if question.relative is None else question.relative,
        smoothness=question.smoothness,
        event_time=question.event_time,
        average=question.average,
        sign=question.sign,
        monotone=question.monotone,
        level=question.level,
    )
    return BoundsAnswer(question=question, bounds=bounds)


def bounds_told(answer: BoundsAnswer) -> CommandAnswer:
    """Return everything that is told of an answer, as a document, as CSV and as plain data."""
    return CommandAnswer(
        document=partial(_document, answer),
        csv=lambda: bounds_table(answer.bounds).to_csv(),
        record=lambda: bounds_record(answer.bounds),
    )


def _document(answer: BoundsAnswer, has_figures: bool) -> Document:
    title = f"{answer.question.file.name}: bounds on violations of parallel trends"
    return Document(title=title, sections=(tuple(_parts(answer.bounds, has_figures)),))


def _parts(bounds: ViolationBounds, has_figures: bool) -> Iterator[Part]:
    yield Heading(1, "If trends are not parallel")
    if not has_figures:
        yield from bounds_parts(bounds)
        return
    from evalkit.report.figures.bounds import bounds_plot

    yield from bounds_parts(bounds, bounds_plot)


def bounds_record(bounds: ViolationBounds | Unavailable) -> Json:
    """Return bounds as plain data; what cannot be given is `{"unavailable": reason}`."""
    if isinstance(bounds, Unavailable):
        return {"unavailable": bounds.reason}
    return {
        "relative": [_sized(one) for one in bounds.relative],
        "smoothness": [_sized(one) for one in bounds.smoothness],
        "breakdown": {
            "relative": plain_or_reason(bounds.breakdown_relative),
            "smoothness": plain_or_reason(bounds.breakdown_smoothness),
        },
        "original": {
            "lower": bounds.original.lower,
            "upper": bounds.original.upper,
            "estimate": bounds.estimate,
            "std_error": bounds.std_error,
        },
        "event_times": list(bounds.times),
        "sign": bounds.sign,
        "monotone": bounds.monotone,
        "level": bounds.level,
        "notes": list(bounds.notes),
    }


def _sized(one: BoundedInterval) -> Json:
    if isinstance(one.interval, Interval):
        return {"m": one.m, "lower": one.interval.lower, "upper": one.interval.upper, "method": one.method}
    reason = plain_or_reason(one.interval)
    return {"m": one.m, "lower": reason, "upper": reason, "method": one.method}
