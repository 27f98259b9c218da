"""What `evalkit match` tells: one document for every drawing of it, each unit as CSV, and everything as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from evalkit.core.disclosure import CONTAINS_PEOPLE
from evalkit.core.formats import as_sentence
from evalkit.core.plain import plain_or_reason as given
from evalkit.core.quantities import Unavailable
from evalkit.core.sentence import count
from evalkit.design.matching.matched import MatchedDesign
from evalkit.diagnose.finding import Finding
from evalkit.diagnose.matched.balance import CovariateBalance
from evalkit.estimate.matched.matched_effect import MatchedEffect
from evalkit.report.border.disclosure import told
from evalkit.report.border.parts import Document, Heading, Part, Prose, sentences
from evalkit.report.tables.matched import (
    Unit,
    match_balance_table,
    match_effects,
    match_findings_table,
    match_means,
    match_units,
    sensitivity,
)
from evalkit.report.words.matched import design_sentences, effect_notes, effect_sentence, hidden_covariates, not_used
from evalkit.run.tables.match_answer import FEW, MEASURES, MatchAnswer, ToldMatch, told_match
from evalkit.run.tables.written import CommandAnswer, frame_csv

Json = dict[str, Any]


def told_of_match(answer: MatchAnswer) -> CommandAnswer:
    """Return everything that may be told of a match, each form made when it is asked for."""
    match = told_match(answer)
    return CommandAnswer(
        document=lambda has_figures: match_document(match, has_figures),
        csv=lambda: frame_csv(unit_table(answer.design, answer.request.are_people)),
        record=lambda: match_record(match),
        fewest=match.fewest,
    )


# The answer as a document.


def match_document(match: ToldMatch, has_figures: bool) -> Document:
    """Return the answer as the tables and sentences that reports and notebooks use of the same nouns."""
    return Document(
        title=_title(match), face=(as_sentence(_headline(match)),), sections=(tuple(_parts(match, has_figures)),)
    )


def _title(match: ToldMatch) -> str:
    request = match.answer.request
    return f"{request.file.name}: {f'the effect on {request.outcome}' if request.outcome else 'a comparison group'}"


def _headline(match: ToldMatch) -> str:
    effect, outcome = match.answer.effect, match.answer.request.outcome
    return effect.reason if isinstance(effect, Unavailable) else effect_sentence(effect, str(outcome))


def _parts(match: ToldMatch, has_figures: bool) -> Iterator[Part]:
    answer = match.answer
    unit: Unit = "people" if answer.request.are_people else "schools"
    yield Heading(1, "Who is compared with whom")
    yield match_units(answer.balance, unit)
    yield sentences(
        not_used(answer.unmatched, match.n_target),
        *design_sentences(answer.design, match.fewest, is_distance_told=match.withheld is None),
    )
    yield Heading(1, "How alike they are")
    yield from _balance(match)
    if has_figures:
        yield from _figures(match, unit)
    yield Heading(1, "The effect")
    yield from _effect(answer)
    yield Heading(1, "What could be wrong")
    yield match_findings_table(answer.findings, unit)
    yield Heading(1, "What was not measured")
    found = answer.sensitivity
    yield sentences(as_sentence(found.reason)) if isinstance(found, Unavailable) else sensitivity(found, unit)
    if answer.reading:
        yield Heading(1, "How the table was read")
        yield Prose(tuple(map(as_sentence, answer.reading)), "list")


def _balance(match: ToldMatch) -> Iterator[Part]:
    """Yield means and balance as tables, or why none are shown."""
    if match.withheld is not None:
        yield sentences(match.withheld.reason)
        return
    yield match_balance_table(match.answer.balance)
    yield match_means(match.answer.balance)
    if match.hidden_covariates:
        yield sentences(hidden_covariates(match.hidden_covariates, match.fewest))


def _figures(match: ToldMatch, unit: Unit) -> Iterator[Part]:
    """Yield how alike the arms are and the outcome over time as figures, of what may be told."""
    from evalkit.report.figures.matching import distribution_plot, earlier_plot, match_love_plot, overlap_plot

    answer = match.answer
    if match.withheld is None:
        yield match_love_plot(answer.balance)
        yield overlap_plot(answer.design, unit)
        worst = answer.balance.worst
        if not isinstance(worst, Unavailable):
            yield distribution_plot(answer.design, worst.covariate, unit)
    if answer.over_time is not None:
        measures, values = answer.over_time
        yield earlier_plot(answer.design, measures, np.asarray(values), len(answer.request.earlier))


def _effect(answer: MatchAnswer) -> Iterator[Part]:
    """Yield the effect, adjusted and not, with what a reader must know of it, or why there is none."""
    if isinstance(answer.effect, Unavailable):
        yield sentences(as_sentence(answer.effect.reason))
        return
    yield match_effects(tuple(effect for effect in (answer.effect, answer.unadjusted) if effect is not None))
    if notes := effect_notes(answer.effect):
        yield Prose(notes, "list")


# Each unit with its part in the design.


def unit_table(design: MatchedDesign, are_people: bool = False) -> pd.DataFrame:
    """Return each unit with its arm, weight, matched set (empty where it is in none) and score.

    Where units are people the last column says in every row that the table lists them.
    """
    columns: dict[str, object] = {
        "treated": design.baseline.is_treated.astype(int),
        "weight": design.weights,
        "set": pd.array([pd.NA] * len(design.weights), dtype="Int64"),
    }
    if design.strata is not None:
        strata = pd.Series(design.strata + 1, dtype="Int64")
        columns["set"] = strata.mask((design.strata < 0) | ~design.is_used).array
    if design.score is not None:
        columns["score"] = design.score
    if are_people:
        columns["contains_people"] = CONTAINS_PEOPLE
    return pd.DataFrame(columns, index=design.baseline.units.index.rename("id"))


# Everything as plain data; what cannot be given is `{"unavailable": reason}`.


def match_record(match: ToldMatch) -> Json:
    """Return everything that may be told, as plain lists, texts and numbers; it lists the units, and says so."""
    answer = match.answer
    design = answer.design
    record: Json = {
        "n": _counts(match),
        "estimand": str(design.estimand),
        "total_distance": given(match.withheld or design.total_distance),
        "pairs": pairs_of(design),
        "weights": weights_of(design),
        "balance": [_balance_record(row) for row in answer.balance.covariates]
        if match.withheld is None
        else given(match.withheld),
        "effect": _effect_record(answer.effect, match.is_difference_few),
    }
    if answer.unadjusted is not None:
        record["unadjusted_effect"] = _effect_record(answer.unadjusted, match.is_difference_few)
    record["score_balance"] = next(
        (_balance_record(row) for row in answer.balance.rows if row.is_score),
        given(match.withheld or Unavailable("No score was used.")),
    )
    record["method"] = answer.request.method
    record["unmatched"] = list(answer.unmatched)
    record["findings"] = [_finding_record(finding) for finding in answer.findings]
    record["sensitivity"] = _sensitivity_record(match)
    record["notes"] = [*design.notes, *answer.reading]
    if match.hidden_covariates:
        record["withheld_covariates"] = list(match.hidden_covariates)
    says_so = {"contains_people": CONTAINS_PEOPLE} if match.fewest else {}
    return record | _settings(answer) | says_so


def _counts(match: ToldMatch) -> Json:
    design = match.answer.design
    discarded = count(int(design.discarded.sum()), among=len(design.weights))
    worth = {"comparison": design.effective_comparison, "treated": design.effective_treated}
    arms = {"treated": match.treated, "comparison": match.comparison}
    return {
        **{arm: given(match.told(counts.n)) for arm, counts in arms.items()},
        **{f"{arm}_matched": given(match.told(counts.used)) for arm, counts in arms.items()},
        **{
            f"effective_{arm}": given(n if arms[arm].used.is_told(match.fewest) else match.told(arms[arm].used))
            for arm, n in worth.items()
        },
        "discarded": given(match.told(discarded)),
    }


def pairs_of(design: MatchedDesign) -> list[list[Any]]:
    """Return the pairs of a design as plain data: ids of the treated and of the comparison unit, and their distance."""
    pairs, ids = design.pairs, [str(unit) for unit in design.baseline.units.index]
    if pairs is None:
        return []
    columns = (pairs.treated.tolist(), pairs.comparison.tolist(), pairs.distance.tolist())
    return [[ids[a], ids[b], distance] for a, b, distance in zip(*columns, strict=True)]


def weights_of(design: MatchedDesign) -> Json:
    """Return the weight of every unit of a design by its id."""
    ids = [str(unit) for unit in design.baseline.units.index]
    return dict(zip(ids, design.weights.tolist(), strict=True))


def _balance_record(row: CovariateBalance) -> Json:
    return {
        "covariate": row.covariate,
        "smd_before": given(row.before.smd),
        "smd_after": given(row.after.smd),
        "variance_ratio_after": given(row.after.variance_ratio),
        "ecdf_mean_after": given(row.after.ecdf_mean),
        "denominator": given(row.denominator),
        "denominator_rule": row.denominator_rule,
        "mean_treated_after": given(row.after.mean_treated),
        "mean_comparison_before": given(row.before.mean_comparison),
        "mean_comparison_after": given(row.after.mean_comparison),
        "variance_ratio_before": given(row.before.variance_ratio),
        "ecdf_max_after": given(row.after.ecdf_max),
        "pair_distance_after": given(row.after.pair_distance),
        "wwc_g": given(row.after.wwc_g),
        "wwc": given(row.wwc) if isinstance(row.wwc, Unavailable) else str(row.wwc),
    }


def _effect_record(effect: MatchedEffect | Unavailable, is_few: bool = False) -> Json:
    if isinstance(effect, Unavailable):
        return {"unavailable": effect.reason}
    estimate = effect.estimate
    df = FEW if is_few else estimate.df
    return {
        "estimate": given(estimate.value),
        "std_error": given(estimate.std_error),
        "interval": given(effect.interval),
        "inference": effect.inference,
        "df": {"unavailable": "The normal distribution is used."} if estimate.df is None else given(df),
        "p_value": given(estimate.p_value),
        "method": effect.method,
        "assumes": effect.assumes,
        "adjusted_for": list(effect.adjusted_for),
        "notes": list(effect.notes),
    }


def _finding_record(finding: Finding) -> Json:
    return {
        "name": finding.name,
        "verdict": str(finding.verdict),
        "statistic": given(finding.statistic),
        "sentence": finding.sentence,
        "kind": str(finding.kind),
    }


_COUNTS = ("n_pairs", "n_ties", "df")
"""What a measure keeps that counts units, or tells their number."""


def _sensitivity_record(match: ToldMatch) -> Json:
    found = match.answer.sensitivity
    if isinstance(found, Unavailable):
        return {"unavailable": found.reason}
    record = {}
    for name, sentence in zip(MEASURES, found.sentences, strict=True):
        measure = given(getattr(found, name))
        if match.fewest:
            sentence = told(sentence, match.fewest)
            measure = {key: value if key not in _COUNTS else _few_of(value, match) for key, value in measure.items()}
        record[name] = measure if "unavailable" in measure else {"sentence": sentence, **measure}
    return record


def _few_of(n: int, match: ToldMatch) -> Any:
    """Return a count of pairs, or degrees of freedom, unless it is small or tells how many are not used."""
    return given(FEW if match.is_difference_few or 0 < n < match.fewest else n)


def _settings(answer: MatchAnswer) -> Json:
    request = answer.request
    return {
        "file": request.file.name,
        "covariates": list(request.on),
        "option": given(asdict(answer.design.option)),
        "level": request.level,
    }
