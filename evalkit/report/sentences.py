"""The headline: the first thing a reader sees, no stronger than the numbers behind it."""

from __future__ import annotations

from typing import Final

from evalkit.core.formats import (
    as_sentence,
    careful,
    count,
    interval_text,
    level_text,
    lower_first,
    p_equals,
)
from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable
from evalkit.core.words import listed
from evalkit.design.labels import LEAD, TREND_ADJUSTED
from evalkit.diagnose.evaluation import Evaluation, Headline
from evalkit.report.names import phase, unit_of
from evalkit.report.prose import Prose

_SCALES: Final = {
    "progress points": "A progress score compares pupils across England: 0 is the national average for pupils with the "
    "same earlier results, and +1 is about one point more on the test scale.",
    "Progress 8 points": "A Progress 8 score compares pupils across England: 0 is the national average for pupils with "
    "the same earlier results, and +1 is about one grade more in each subject.",
    "Attainment 8 points": "Attainment 8 adds up the points of a pupil's eight subjects, English and maths counting "
    "twice: 10 points more are about one grade more in each.",
}

_PLAIN = "unstudentised"


def headline(evaluation: Evaluation) -> Prose:
    """Return the headline: the estimate, its rank among areas, what was not targeted, and what cannot be known."""
    facts = evaluation.headline
    sentences = (
        _opening(evaluation),
        _rank(facts, evaluation.project.inference.statistic),
        _not_targeted(facts),
        _earlier(facts),
        _cannot(evaluation),
    )
    return Prose(tuple(sentence for sentence in sentences if sentence), "headline")


def headline_explained(evaluation: Evaluation) -> Prose:
    """Return what the headline's numbers are: the scale, the years and schools of each movement, the intervals left."""
    main = evaluation.project.primary.measure
    sentences = (
        _SCALES.get(unit_of(evaluation, main), ""),
        _lead_explained(evaluation),
        _adjusted_explained(evaluation),
    )
    return Prose(tuple(sentence for sentence in sentences if sentence), "list")


def _lead_explained(evaluation: Evaluation) -> str:
    """Return the years, the comparison and the interval of the movement before, and what the others are relative to."""
    facts, pre = evaluation.headline, evaluation.project.exposure.pre
    near = "relative to the same neighbours"
    labels = [label for label in (facts.placebo_label, facts.contrast_label) if label]
    others = f"The movements of {listed([lower_first(label) for label in labels])} are {near}" if labels else ""
    effect = evaluation.effect(evaluation.project.primary.measure, LEAD, str(max(pre)))
    if isinstance(facts.lead, Unavailable) or effect is None:
        return as_sentence(others) if others else ""
    lead = (
        f"The earlier movement of {facts.place}, {careful(facts.lead)}, is from {min(pre)} to {max(pre)}, {near} "
        f"({_interval(effect.interval)})."
    )
    return f"{lead} {others} too." if others else lead


def _adjusted_explained(evaluation: Evaluation) -> str:
    adjusted = evaluation.headline.adjusted
    effect = evaluation.effect(evaluation.project.primary.measure, TREND_ADJUSTED)
    if isinstance(adjusted, Unavailable) or effect is None:
        return ""
    return (
        f"The {careful(adjusted)} that would be left, had the earlier movement continued in a straight line, is "
        f"uncertain itself ({_interval(effect.interval)})."
    )


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
            f"{whom}: the estimate is {_points(facts.estimate)} {_more(facts.estimate)} ({_interval(facts.interval)})."
        )
    size = _points(abs(facts.estimate))
    more = _more(facts.estimate)
    if not _rose(evaluation):
        side = "below" if facts.estimate < 0 else "above"
        return (
            f"The change in {lower_first(facts.measure_label)} in {schools} {when} was {size} {side} that of its "
            f"{facts.list_year}-list neighbours ({_interval(facts.interval)})."
        )
    return f"{facts.measure_label} in {schools} rose by {size} {more} {when} {whom} ({_interval(facts.interval)})."


def _rose(evaluation: Evaluation) -> bool:
    """Return whether the treated schools' own mean rose."""
    main = next(row for row in evaluation.outcomes if row.outcome == evaluation.project.primary.measure)
    before, after = main.treated_pre, main.treated_post
    return isinstance(before, float) and isinstance(after, float) and after > before


def _more(estimate: float) -> str:
    return "less" if estimate < 0 else "more"


def _points(value: float) -> str:
    text = careful(abs(value))
    return f"{text} {'point' if text == '1.00' else 'points'}"


def _interval(interval: IntervalOrReason) -> str:
    if isinstance(interval, Interval):
        return f"{level_text(interval.level)} interval {interval_text(interval)}"
    return f"no interval can be given: {lower_first(interval.reason).rstrip('.')}"


def _rank(facts: Headline, statistic: str) -> str:
    parts = (facts.n_areas, facts.n_as_large, facts.p_value)
    lacking = next((part for part in parts if isinstance(part, Unavailable)), None)
    if lacking or isinstance(facts.n_areas, Unavailable) or isinstance(facts.n_as_large, Unavailable):
        why = as_sentence(lacking.reason if lacking else "No area permutation was made")
        return f"How {facts.place} ranks among areas analysed the same way cannot be given. {why}"
    among = f"{facts.place} itself" if facts.n_as_large == 1 else f"{facts.place} among them"
    p = "" if isinstance(facts.p_value, Unavailable) else f" ({p_equals(facts.p_value)})"
    return (
        f"Of {count(int(facts.n_areas))} areas analysed the same way, {count(int(facts.n_as_large))} ({among}) "
        f"changed at least as much in either direction{' for their school sampling error' * (statistic != _PLAIN)}{p}."
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
