"""The headline: the first thing a reader sees, no stronger than the numbers behind it."""

from __future__ import annotations

from evalkit.core.formats import (
    as_sentence,
    careful,
    count,
    interval_text,
    level_text,
    lower_first,
    p_equals,
)
from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.evaluation import Evaluation, Headline
from evalkit.report.names import phase
from evalkit.report.prose import Prose


def headline(evaluation: Evaluation) -> Prose:
    """Return the headline: the estimate, its rank among areas, what was not targeted, and what cannot be known."""
    facts = evaluation.headline
    sentences = (
        _opening(evaluation),
        _rank(facts),
        _not_targeted(facts),
        _earlier(facts),
        _cannot(evaluation),
    )
    return Prose(tuple(sentence for sentence in sentences if sentence), "headline")


def _schools(evaluation: Evaluation) -> str:
    """Return who the estimate is about: `Knowsley's 49 primaries`."""
    facts = evaluation.headline
    what = f"{count(facts.n_schools)} {phase(evaluation.project, facts.n_schools)}"
    if evaluation.project.participants.rule == "file":
        return f"the {what} in the programme in {facts.place}"
    return f"{facts.place}'s {what}"


def _opening(evaluation: Evaluation) -> str:
    facts = evaluation.headline
    schools = _schools(evaluation)
    when = f"between {facts.pre_label} and {facts.post_label}"
    whom = f"than in its {facts.list_year}-list neighbours"
    if isinstance(facts.estimate, Unavailable):
        why = as_sentence(facts.estimate.reason)
        return f"The data do not show how {lower_first(facts.measure_label)} in {schools} changed {when}. {why}"
    if facts.interval_contains_zero:
        return (
            f"The data do not show whether {lower_first(facts.measure_label)} in {schools} rose by more "
            f"or by less {when} "
            f"{whom}: the estimate is {_points(facts.estimate)} {_more(facts.estimate)} ({_interval(facts)})."
        )
    size = _points(abs(facts.estimate))
    more = _more(facts.estimate)
    return f"{facts.measure_label} in {schools} rose by {size} {more} {when} {whom} ({_interval(facts)})."


def _more(estimate: float) -> str:
    return "less" if estimate < 0 else "more"


def _points(value: float) -> str:
    text = careful(abs(value))
    return f"{text} {'point' if text == '1.00' else 'points'}"


def _interval(facts: Headline) -> str:
    if isinstance(facts.interval, Interval):
        return f"{level_text(facts.interval.level)} interval {interval_text(facts.interval)}"
    return f"no interval can be given: {lower_first(facts.interval.reason).rstrip('.')}"


def _rank(facts: Headline) -> str:
    parts = (facts.n_areas, facts.n_as_large, facts.p_value)
    lacking = next((part for part in parts if isinstance(part, Unavailable)), None)
    if lacking or isinstance(facts.n_areas, Unavailable) or isinstance(facts.n_as_large, Unavailable):
        why = as_sentence(lacking.reason if lacking else "No area permutation was made")
        return f"How {facts.place} ranks among areas analysed the same way cannot be given. {why}"
    among = f"{facts.place} itself" if facts.n_as_large == 1 else f"{facts.place} among them"
    p = "" if isinstance(facts.p_value, Unavailable) else f" ({p_equals(facts.p_value)})"
    return (
        f"Of {count(int(facts.n_areas))} areas analysed the same way, {count(int(facts.n_as_large))} ({among}) "
        f"changed at least as much in either direction{p}."
    )


def _not_targeted(facts: Headline) -> str:
    """Return the sentence on the outcome the programme did not aim at, and the difference between the two."""
    parts = [part for part in (_placebo(facts), _contrast(facts)) if part]
    return as_sentence("; ".join(parts)) if parts else ""


def _placebo(facts: Headline) -> str:
    label, placebo = facts.placebo_label, facts.placebo_estimate
    if not label:
        return ""
    if isinstance(placebo, Unavailable):
        return f"{label}, not targeted, cannot be given: {lower_first(placebo.reason).rstrip('.')}"
    return f"{label}, not targeted, moved {careful(placebo)}"


def _contrast(facts: Headline) -> str:
    label, contrast = facts.contrast_label, facts.contrast_estimate
    if not label:
        return ""
    if isinstance(contrast, Unavailable):
        return f"{label} cannot be given: {lower_first(contrast.reason).rstrip('.')}"
    p = "no p-value" if isinstance(facts.contrast_p, Unavailable) else p_equals(facts.contrast_p)
    return f"{label} {careful(contrast)} ({p})"


def _earlier(facts: Headline) -> str:
    """Return the sentence on the movement before the programme, and what its continuing would leave."""
    if isinstance(facts.lead, Unavailable):
        return (
            f"How {facts.place} moved before the programme cannot be given: "
            f"{as_sentence(lower_first(facts.lead.reason))}"
        )
    if careful(facts.lead) == "0.00":
        return f"{facts.place} was neither gaining nor falling in {facts.lead_label}."
    way = "gaining" if facts.lead > 0 else "falling"
    start = f"{facts.place} was already {way} by {_points(facts.lead)} in {facts.lead_label}"
    if isinstance(facts.adjusted, Unavailable):
        return (
            f"{start}; what continuing that would leave cannot be given: "
            f"{as_sentence(lower_first(facts.adjusted.reason))}"
        )
    return f"{start}; continuing that would leave {careful(facts.adjusted)}."


def _cannot(evaluation: Evaluation) -> str:
    place = evaluation.headline.place
    start = f"The design cannot separate the programme from anything else that changed in {place}"
    if evaluation.project.participants.rule == "local_authority":
        return f"{start}; which schools took part is not public."
    return f"{start}."
