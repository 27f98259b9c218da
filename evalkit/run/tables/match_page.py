"""The result of `evalkit match` as a page and as a Word document: the same parts in the same order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evalkit.core.formats import as_sentence
from evalkit.core.quantities import Unavailable
from evalkit.report.documents.plain_page import plain_page
from evalkit.report.documents.word import PlainPart, word_document
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


def match_html(answer: MatchAnswer) -> str:
    """Return the page."""
    match = told_match(answer)
    return plain_page(_title(answer), _face(match.answer), list(_parts(match)))


def match_word(answer: MatchAnswer) -> bytes:
    """Return the Word document."""
    match = told_match(answer)
    return word_document(_title(answer), [*_face(match.answer), *_parts(match)])


def _title(answer: MatchAnswer) -> str:
    subject = f"the effect on {answer.request.outcome}" if answer.request.outcome else "a comparison group"
    return f"{answer.request.file.stem}: {subject}, by {method_words(answer)}"


def _face(answer: MatchAnswer) -> list[str]:
    effect = answer.effect
    said = effect.reason if isinstance(effect, Unavailable) else effect_sentence(answer, effect)
    return [as_sentence(said), f"What is estimated: {estimand_words(answer)} ({answer.design.estimand})."]


def _parts(match: ToldMatch) -> Iterator[PlainPart]:
    answer: MatchAnswer = match.answer
    unit: Unit = "people" if answer.request.are_people else "schools"
    yield "# Who is compared with whom"
    yield match_units(answer.balance, unit)
    yield from (as_sentence(note) for note in answer.design.notes)
    yield "# How alike they are"
    yield from _balance(match, unit)
    if answer.over_time is not None:
        measures, values = answer.over_time
        yield earlier_plot(answer.design, measures, np.asarray(values), len(answer.request.earlier))
    yield "# The effect"
    if isinstance(answer.effect, Unavailable):
        yield answer.effect.reason
    else:
        yield match_effects(tuple(e for e in (answer.effect, answer.unadjusted) if e is not None))
    yield "# What could be wrong"
    yield match_findings_table(answer.findings, unit)
    yield "# What was not measured"
    found = answer.sensitivity
    yield found.reason if isinstance(found, Unavailable) else sensitivity(found, unit)


def _balance(match: ToldMatch, unit: Unit) -> Iterator[PlainPart]:
    """Yield balance as a table and figures, or why none is shown."""
    if match.withheld is not None:
        yield match.withheld.reason
        return
    answer = match.answer
    yield match_balance_table(answer.balance)
    if match.hidden_covariates:
        yield hidden_covariates(match)
    yield match_love_plot(answer.balance)
    yield overlap_plot(answer.design, unit)
    worst = answer.balance.worst
    if not isinstance(worst, Unavailable):
        yield distribution_plot(answer.design, worst.covariate, unit)
