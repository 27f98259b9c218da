"""The result of `evalkit match` as a document with figures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evalkit.core.formats import as_sentence
from evalkit.core.quantities import Unavailable
from evalkit.report.border.parts import Document, Heading, Part, sentences
from evalkit.report.figures.matching import distribution_plot, earlier_plot, match_love_plot, overlap_plot
from evalkit.report.tables.matched import (
    Unit,
    match_balance_table,
    match_effects,
    match_findings_table,
    match_units,
    sensitivity,
)
from evalkit.run.tables.match_answer import MatchAnswer
from evalkit.run.tables.match_border import ToldMatch, hidden_covariates, told_match
from evalkit.run.tables.match_text import effect_sentence, estimand_words, method_words


def match_document(answer: MatchAnswer) -> Document:
    """Return the result as a document."""
    match = told_match(answer)
    return Document(title=_title(answer), face=_face(match.answer), sections=(tuple(_parts(match)),))


def _title(answer: MatchAnswer) -> str:
    subject = f"the effect on {answer.request.outcome}" if answer.request.outcome else "a comparison group"
    return f"{answer.request.file.stem}: {subject}, by {method_words(answer)}"


def _face(answer: MatchAnswer) -> tuple[str, ...]:
    effect = answer.effect
    said = effect.reason if isinstance(effect, Unavailable) else effect_sentence(answer, effect)
    return as_sentence(said), f"What is estimated: {estimand_words(answer)} ({answer.design.estimand})."


def _parts(match: ToldMatch) -> Iterator[Part]:
    answer: MatchAnswer = match.answer
    unit: Unit = "people" if answer.request.are_people else "schools"
    yield Heading(1, "Who is compared with whom")
    yield match_units(answer.balance, unit)
    yield from (sentences(as_sentence(note)) for note in answer.design.notes)
    yield Heading(1, "How alike they are")
    yield from _balance(match, unit)
    if answer.over_time is not None:
        measures, values = answer.over_time
        yield earlier_plot(answer.design, measures, np.asarray(values), len(answer.request.earlier))
    yield Heading(1, "The effect")
    if isinstance(answer.effect, Unavailable):
        yield sentences(answer.effect.reason)
    else:
        yield match_effects(tuple(e for e in (answer.effect, answer.unadjusted) if e is not None))
    yield Heading(1, "What could be wrong")
    yield match_findings_table(answer.findings, unit)
    yield Heading(1, "What was not measured")
    found = answer.sensitivity
    yield sentences(found.reason) if isinstance(found, Unavailable) else sensitivity(found, unit)


def _balance(match: ToldMatch, unit: Unit) -> Iterator[Part]:
    """Yield balance as a table and figures, or why none is shown."""
    if match.withheld is not None:
        yield sentences(match.withheld.reason)
        return
    answer = match.answer
    yield match_balance_table(answer.balance)
    if match.hidden_covariates:
        yield sentences(hidden_covariates(match))
    yield match_love_plot(answer.balance)
    yield overlap_plot(answer.design, unit)
    worst = answer.balance.worst
    if not isinstance(worst, Unavailable):
        yield distribution_plot(answer.design, worst.covariate, unit)
