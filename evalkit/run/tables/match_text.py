"""The result of `evalkit match` as a text for a person."""

from __future__ import annotations

from collections.abc import Iterator

from evalkit.core.formats import as_sentence, level_text, lower_first, p_equals
from evalkit.core.quantities import Interval, Quantity, Unavailable
from evalkit.core.words import cleaned, listed
from evalkit.design.matching.options import PairRules
from evalkit.diagnose.matched.balance_registry import ADJUSTABLE, SATISFIED
from evalkit.estimate.matched.matched_effect import MatchedEffect
from evalkit.report.border.disclosure import told
from evalkit.run.tables.did_layout import Footnotes, Writer, aligned, wrapped
from evalkit.run.tables.match_answer import MatchAnswer
from evalkit.run.tables.match_border import ToldMatch, design_sentence, hidden_covariates, told_match, unused_sentence

_MOST_IDS = 10
_METHODS = {
    "nearest": "nearest-neighbour matching",
    "optimal": "optimal matching",
    "full": "full matching",
    "exact": "exact matching",
    "cem": "coarsened exact matching",
    "subclass": "subclassification",
    "profile": "profile matching",
    "entropy": "entropy balancing",
    "ipw": "inverse-probability weighting",
    "cbps": "covariate-balancing propensity scores",
}


def match_text(answer: MatchAnswer) -> str:
    """Return everything that may be told of a match, in sentences and aligned tables."""
    return cleaned("\n".join(_lines(told_match(answer))))


def _lines(match: ToldMatch) -> Iterator[str]:
    answer = match.answer
    yield from _design_lines(match)
    yield from _balance_lines(match)
    yield from _effect_lines(answer)
    yield from _finding_lines(match)
    notes = [*answer.design.notes, *_effect_notes(answer), *answer.reading]
    if notes:
        yield "\nNotes"
    for note in dict.fromkeys(notes):
        yield from wrapped(as_sentence(note), "  - ")


def _effect_notes(answer: MatchAnswer) -> tuple[str, ...]:
    """Return what a reader must know of the effect; notes on an error that is not given are left out."""
    effect = answer.effect
    if isinstance(effect, Unavailable) or isinstance(effect.estimate.std_error, Unavailable):
        return ()
    return effect.notes


def _design_lines(match: ToldMatch) -> Iterator[str]:
    answer = match.answer
    design, request = answer.design, answer.request
    yield f"{request.file.name}: {method_words(answer)}"
    yield "\nWho is compared with whom"
    yield from wrapped(design_sentence(match), "  ")
    yield from wrapped(f"What an effect would be: {estimand_words(answer)} ({design.estimand}).", "  ")
    if not isinstance(design.total_distance, Unavailable) and match.withheld is None:
        yield from wrapped(f"The sum of distances over pairs is {design.total_distance:.6g}.", "  ")
    yield from wrapped(unused_sentence(match, _MOST_IDS), "  ")


def method_words(answer: MatchAnswer) -> str:
    """Return in words how the comparison group was made."""
    option = answer.design.option
    words = _METHODS[answer.request.method]
    if isinstance(option, PairRules):
        words += f" on the {_DISTANCES[option.distance]}"
        if option.exact:
            words += f", the same {listed(list(option.exact))}"
        if option.anti_exact:
            words += f", not the same {listed(list(option.anti_exact))}"
    return words


_DISTANCES = {
    "logit": "propensity score (logit)",
    "linear-logit": "linear propensity score (log odds)",
    "probit": "propensity score (probit)",
    "mahalanobis": "Mahalanobis distance",
    "robust-mahalanobis": "rank-based Mahalanobis distance",
    "euclidean": "standardised Euclidean distance",
    "own": "given score",
}


def _balance_lines(match: ToldMatch) -> Iterator[str]:
    balance, notes = match.answer.balance, Footnotes()
    yield "\nHow alike they are"
    if match.withheld is not None:
        yield from wrapped(match.withheld.reason, "  ")
        return
    rows = []
    for row in balance.rows:
        cells = [_means(row.after.mean_treated, row.denominator), _means(row.after.mean_comparison, row.denominator)]
        cells += [_BALANCE.cell(value, notes) for value in (row.before.smd, row.after.smd, row.after.variance_ratio)]
        cells += [_BALANCE.cell(row.after.ecdf_mean, notes), _BALANCE.cell(row.denominator, notes)]
        rows.append([row.covariate, *cells])
    header = ("", "treated", "comparison", "SMD before", "after", "variance ratio", "eCDF", "SMD divides by")
    yield from aligned(header, rows)
    yield from notes.lines()
    yield from wrapped(hidden_covariates(match), "  ")
    rules = dict.fromkeys(row.denominator_rule for row in balance.covariates)
    yield from wrapped(
        f"Means after matching. A standardised mean difference (SMD) divides by the {'; or the '.join(rules)}. Up to "
        f"{SATISFIED} needs nothing, up to {ADJUSTABLE} adjustment; more is too far apart (What Works Clearinghouse).",
        "  ",
    )


_BALANCE = Writer(3)


def _means(mean: Quantity, spread: object) -> str:
    if isinstance(mean, Unavailable):
        return "withheld"
    return Writer.for_errors(spread).number(mean)


def _effect_lines(answer: MatchAnswer) -> Iterator[str]:
    yield "\nThe effect"
    effect = answer.effect
    if isinstance(effect, Unavailable):
        yield from wrapped(effect.reason, "  ")
        return
    yield from wrapped(effect_sentence(answer, effect), "  ")
    if answer.unadjusted is not None:
        yield from wrapped(f"Without adjustment: {_numbers(answer.unadjusted)}.", "  ")
    has_error = not isinstance(effect.estimate.std_error, Unavailable)
    errors = f" Errors: {effect.inference}. {effect.assumes}" if has_error else ""
    yield from wrapped(f"How: {effect.method}.{errors}", "  ")


def effect_sentence(answer: MatchAnswer, effect: MatchedEffect) -> str:
    """Return the effect in a sentence that claims no more than the design allows."""
    return (
        f"Effect on '{answer.request.outcome}', {estimand_words(answer)}: {_numbers(effect)}, if nothing that was not "
        "measured made treated and comparison units differ."
    )


def estimand_words(answer: MatchAnswer) -> str:
    """Return whose average effect it is, in the words of a table of any units."""
    return answer.design.estimand.label_of_units


def _numbers(effect: MatchedEffect) -> str:
    writer = Writer.for_errors(effect.estimate.std_error, abs(effect.estimate.value))
    interval, p = effect.interval, effect.estimate.p_value
    text = writer.number(effect.estimate.value)
    if not isinstance(interval, Interval):
        return f"{text} ({lower_first(interval.reason.rstrip('.'))})"
    said = "" if isinstance(p, Unavailable) else f", {p_equals(p)}"
    return f"{text} ({level_text(effect.level)} interval {writer.interval(interval)}{said})"


def _finding_lines(match: ToldMatch) -> Iterator[str]:
    answer = match.answer
    yield "\nWhat could be wrong"
    for finding in answer.findings:
        name = finding.name.replace("_", " ")
        yield from wrapped(f"[{finding.verdict}] {name}: {as_sentence(finding.sentence)}", "  - ", "    ")
    yield from _sensitivity_lines(match)


def _sensitivity_lines(match: ToldMatch) -> Iterator[str]:
    yield "\nWhat was not measured"
    found = match.answer.sensitivity
    if isinstance(found, Unavailable):
        yield from wrapped(as_sentence(found.reason), "  - ")
        return
    for sentence in found.sentences:
        yield from wrapped(as_sentence(told(sentence, match.fewest) if match.fewest else sentence), "  - ")
