"""Sentences on a matched or weighted comparison: how it was made, whom it leaves out, and what its effect says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evalkit.core.formats import Precision, as_sentence, level_text, lower_first, p_equals
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.sentence import Count, Derived, Sentence, count
from evalkit.core.words import listed
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import PairRules
from evalkit.estimate.matched.abadie_imbens import MatchingEstimate
from evalkit.estimate.matched.matched_effect import MatchedEffect
from evalkit.report.border.disclosure import told_where_typed

_KINDS: Final = {
    "NearestNeighbour": "nearest-neighbour matching",
    "OptimalMatching": "optimal matching",
    "FullMatching": "full matching",
    "ExactMatching": "exact matching",
    "CoarsenedExact": "coarsened exact matching",
    "Subclassification": "subclassification",
    "ProfileMatching": "profile matching",
    "EntropyBalancing": "entropy balancing",
    "InverseProbability": "inverse-probability weighting",
    "CovariateBalancing": "covariate-balancing propensity scores",
}
_DISTANCES: Final = {
    "logit": "propensity score (logit)",
    "linear-logit": "linear propensity score (log odds)",
    "probit": "propensity score (probit)",
    "mahalanobis": "Mahalanobis distance",
    "robust-mahalanobis": "rank-based Mahalanobis distance",
    "euclidean": "standardised Euclidean distance",
    "own": "given score",
}
_MOST_NAMES: Final = 12
_MOST_IDS: Final = 10
UNLESS_HIDDEN: Final = "if nothing that was not measured made treated and comparison units differ"
"""What every effect of a matched comparison rests on."""


def method_words(design: MatchedDesign) -> str:
    """Return in words how the comparison group was made: `nearest-neighbour matching on the Mahalanobis distance`."""
    option = design.option
    words = _KINDS[type(option).__name__]
    if isinstance(option, PairRules):
        words += f" on the {_DISTANCES[option.distance]}"
        if option.exact:
            words += f", the same {listed(list(option.exact))}"
        if option.anti_exact:
            words += f", not the same {listed(list(option.anti_exact))}"
    return words


def design_sentences(design: MatchedDesign, fewest: int, is_distance_told: bool = True) -> tuple[str, ...]:
    """Return how the comparison group was made, on what, what an effect would be of, and what a reader must know."""
    covariates = [str(name) for name in design.baseline.covariates]
    total = design.total_distance
    is_total = is_distance_told and not isinstance(total, Unavailable)
    return (
        as_sentence(method_words(design)),
        f"Compared on {listed(covariates, _MOST_NAMES)}.",
        f"An effect would be the {design.estimand.label_of_units} ({design.estimand}).",
        *((f"The sum of distances over pairs is {total:.6g}.",) if is_total else ()),
        *(as_sentence(told_where_typed(note, fewest)) for note in design.notes),
    )


def not_used(ids: Sequence[str], n_target: int) -> str:
    """Return how many units of the target group are not used and, unless they are people, which; empty for none."""
    if not ids:
        return ""
    return Sentence(
        "Not used: {n} of the target group{which}.",
        n=count(len(ids), "units", "unit", among=n_target),
        which=Derived(f" ({listed(list(ids), _MOST_IDS)})", Count(1), instead=""),
    )


def hidden_covariates(names: Sequence[str], fewest: int) -> str:
    """Return which covariates have no row, as their means would tell of too few people; empty for none."""
    if not names:
        return ""
    which = listed([name.replace("_", " ") for name in names], _MOST_NAMES)
    return (
        f"Of {which} nothing is shown: fewer than {fewest} people of an arm have or lack it, or one or two of them "
        "make up most of its mean."
    )


def effect_sentence(effect: MatchedEffect, outcome: str) -> str:
    """Return the effect on an outcome in a sentence that claims no more than the design allows."""
    return f"Effect on '{outcome}', {effect.estimand.label_of_units}: {_numbers(effect)}, {UNLESS_HIDDEN}."


def _numbers(effect: MatchedEffect) -> str:
    precision = Precision.of(effect.estimate.std_error, abs(effect.estimate.value))
    interval, p = effect.interval, effect.estimate.p_value
    text = precision.number(effect.estimate.value)
    if not isinstance(interval, Interval):
        return f"{text} ({lower_first(interval.reason.rstrip('.'))})"
    said = "" if isinstance(p, Unavailable) else f", {p_equals(p)}"
    return f"{text} ({level_text(effect.level)} interval {precision.interval(interval)}{said})"


def effect_notes(effect: MatchedEffect | MatchingEstimate) -> tuple[str, ...]:
    """Return what a reader must know of an effect; notes on an error that is not given are left out."""
    if isinstance(effect, MatchingEstimate) or isinstance(effect.estimate.std_error, Unavailable):
        return ()
    return tuple(map(as_sentence, effect.notes))
