"""The headline: the first thing a reader sees, no stronger than the numbers behind it."""

from __future__ import annotations

from typing import Final

from evalkit.core.formats import (
    as_sentence,
    count,
    interval_text,
    level_text,
    lower_first,
    number,
    p_equals,
    visible,
)
from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable
from evalkit.core.words import counted, listed, possessive
from evalkit.design.project.labels import LEAD, TREND_ADJUSTED
from evalkit.design.project.set_rule import SUCH_SETS
from evalkit.diagnose.project.evaluation import AreasResults, Headline
from evalkit.estimate.effect import Effect, SetsDetail
from evalkit.report.border.parts import Prose
from evalkit.report.words.names import (
    capital,
    clustered,
    has_several_areas,
    is_listed,
    phase,
    subject,
    treated_areas,
    unit_of,
)

_SCALES: Final = {
    "progress points": "A progress score compares pupils across England: 0 is the national average for pupils with the "
    "same earlier results, and +1 is about one point more on the test scale.",
    "Progress 8 points": "A Progress 8 score compares pupils across England: 0 is the national average for pupils with "
    "the same earlier results, and +1 is about one grade more in each subject.",
    "scaled-score points": "A scaled score runs from 80 to 120; 100 is the expected standard, 110 the higher one.",
    "percentage points": "A percentage point is one pupil more in a hundred.",
    "Attainment 8 points": "Attainment 8 adds up the points of a pupil's eight subjects, English and maths counting "
    "twice: 10 points more are about one grade more in each.",
}

POINT: Final = {
    "progress points": "A progress point is about one point on the test scale; 0 is the average for pupils in England "
    "with the same earlier results.",
    "Progress 8 points": "A Progress 8 point is about one grade in each subject; 0 is the average for pupils in "
    "England with the same earlier results.",
    "scaled-score points": "A scaled score runs from 80 to 120; 100 is the expected standard, 110 the higher one.",
    "percentage points": "A percentage point is one pupil more in a hundred.",
    "Attainment 8 points": "Ten Attainment 8 points are about one grade in each of eight subjects.",
}
"""What a point is, in a sentence, for readers of the summary."""

PLAIN: Final = "unstudentised"


def headline(evaluation: AreasResults) -> Prose:
    """Return the headline: the estimate, its rank among areas, what was not targeted, and what cannot be known."""
    facts = evaluation.headline
    sentences = (
        _opening(evaluation),
        rank(evaluation),
        _not_targeted(facts),
        _earlier(evaluation),
        _cannot(evaluation),
    )
    return Prose(tuple(sentence for sentence in sentences if sentence), "headline")


def headline_explained(evaluation: AreasResults) -> Prose:
    """Return what the headline's numbers are: the scale, the years and schools of each movement, the intervals left."""
    main = evaluation.project.primary.code
    sentences = (
        _SCALES.get(unit_of(evaluation, main), ""),
        given_baseline(evaluation),
        _lead_explained(evaluation),
        _adjusted_explained(evaluation),
    )
    return Prose(tuple(sentence for sentence in sentences if sentence), "list")


def given_baseline(evaluation: AreasResults) -> str:
    """Return what is left of the effect given where the area stood before, where it stood further off than most."""
    given = next((one for one in evaluation.given if one.outcome == evaluation.project.primary.code), None)
    if given is None or not given.is_called_for:
        return ""
    side = "below" if given.gap < 0 else "above"
    return (
        f"Before the programme {evaluation.headline.place} stood {points(given.gap)} {side} its neighbours, further "
        f"than most areas; given that, {visible(given.estimate)} of the "
        f"{visible(given.estimate + given.expected)} is left ({p_equals(given.p_value)})."
    )


def _lead_explained(evaluation: AreasResults) -> str:
    """Return the years, the comparison and the interval of the movement before, and what the others are relative to."""
    facts, pre = evaluation.headline, evaluation.project.exposure.pre
    near = "relative to the same neighbours"
    labels = [label for label in (facts.placebo_label, facts.contrast_label) if label]
    others = f"The movements of {listed([lower_first(label) for label in labels])} are {near}" if labels else ""
    effect = evaluation.effect(evaluation.project.primary.code, LEAD, str(max(pre)))
    if isinstance(facts.lead, Unavailable) or effect is None:
        return as_sentence(others) if others else ""
    lead = (
        f"The earlier movement of {subject(evaluation)}, {visible(facts.lead)}, is from {min(pre)} to {max(pre)}, "
        f"{near} ({_short_interval(effect.interval)})."
    )
    return f"{lead} {others} too." if others else lead


def _adjusted_explained(evaluation: AreasResults) -> str:
    adjusted = evaluation.headline.adjusted
    effect = evaluation.effect(evaluation.project.primary.code, TREND_ADJUSTED)
    if isinstance(adjusted, Unavailable) or effect is None:
        return ""
    return (
        f"The {visible(adjusted)} that would be left, had the earlier movement continued in a straight line, is "
        f"uncertain itself ({_short_interval(effect.interval)})."
    )


def _schools(evaluation: AreasResults) -> str:
    """Return who the estimate is about: `Knowsley's 49 primaries`."""
    facts = evaluation.headline
    what = f"{count(facts.n_schools)} {phase(evaluation.project, facts.n_schools)}"
    if is_listed(evaluation):
        return f"the {what} in the programme in {treated_areas(evaluation)}"
    return f"{possessive(facts.place)} {what}"


def _neighbours(evaluation: AreasResults) -> str:
    """Return whom they are compared with: `its 2021-list neighbours`."""
    whose = "their areas'" if is_listed(evaluation) or has_several_areas(evaluation) else "its"
    return f"{whose} {evaluation.headline.list_year}-list neighbours"


def _opening(evaluation: AreasResults) -> str:
    facts = evaluation.headline
    schools = _schools(evaluation)
    when = f"from {facts.pre_label} to {facts.post_label}"
    if isinstance(facts.estimate, Unavailable):
        why = as_sentence(facts.estimate.reason)
        return f"The data do not show how {lower_first(facts.measure_label)} in {schools} changed {when}. {why}"
    if facts.interval_contains_zero:
        return (
            f"The data do not show whether {lower_first(facts.measure_label)} in {schools} rose by more "
            f"or by less {when} than in {_neighbours(evaluation)}: the estimate is {points(facts.estimate)} "
            f"{_more(facts.estimate)} ({_interval(evaluation, facts.interval)})."
        )
    size, interval = points(abs(facts.estimate)), _interval(evaluation, facts.interval)
    if not rose(evaluation):
        side = "below" if facts.estimate < 0 else "above"
        return (
            f"The change in {lower_first(facts.measure_label)} in {schools} {when} was {size} {side} that of "
            f"{_neighbours(evaluation)} ({interval})."
        )
    return (
        f"{facts.measure_label} in {schools} rose by {size} {_more(facts.estimate)} {when} than in "
        f"{_neighbours(evaluation)} ({interval})."
    )


def rose(evaluation: AreasResults) -> bool:
    """Return whether the treated schools' own mean rose."""
    main = next(row for row in evaluation.outcomes if row.outcome == evaluation.project.primary.code)
    before, after = main.treated_pre, main.treated_post
    return isinstance(before, float) and isinstance(after, float) and after > before


def _more(estimate: float) -> str:
    return "less" if estimate < 0 else "more"


def points(value: float) -> str:
    text = visible(abs(value))
    return f"{text} {'point' if text == '1.00' else 'points'}"


def _interval(evaluation: AreasResults, interval: IntervalOrReason) -> str:
    """Return the interval with its level, or why there is none; for listed schools a sentence of its own says why."""
    if isinstance(interval, Unavailable) and is_listed(evaluation):
        return "no interval can be given"
    if isinstance(interval, Unavailable):
        return f"no interval can be given: {lower_first(interval.reason).rstrip('.')}"
    return _short_interval(interval)


def _short_interval(interval: IntervalOrReason) -> str:
    if isinstance(interval, Interval):
        return f"{level_text(interval.level)} interval {interval_text(interval)}"
    return "an interval cannot be given for it"


def rank(evaluation: AreasResults) -> str:
    """Return where the treated area stands among all areas, or what the uncertainty of listed schools rests on."""
    facts, statistic = evaluation.headline, evaluation.project.inference.statistic
    main = evaluation.main_effect
    is_placed = main is not None and main.sets is not None
    if (is_listed(evaluation) or is_placed) and not isinstance(facts.estimate, Unavailable):
        return no_rank(evaluation)
    parts = (facts.n_areas, facts.n_as_large, facts.p_value)
    lacking = next((part for part in parts if isinstance(part, Unavailable)), None)
    if lacking or isinstance(facts.n_areas, Unavailable) or isinstance(facts.n_as_large, Unavailable):
        why = as_sentence(lacking.reason if lacking else "No area permutation was made")
        return f"How {facts.place} ranks among areas analysed the same way cannot be given. {why}"
    among = f"{facts.place} itself" if facts.n_as_large == 1 else f"{facts.place} among them"
    p = "" if isinstance(facts.p_value, Unavailable) else f" ({p_equals(facts.p_value)})"
    return (
        f"Of {count(int(facts.n_areas))} areas analysed the same way, {count(int(facts.n_as_large))} ({among}) "
        f"changed at least as much in either direction{' for their school sampling error' * (statistic != PLAIN)}{p}."
    )


def no_rank(evaluation: AreasResults) -> str:
    """Return where listed schools stand among sets, or what their interval rests on instead, or why there is none."""
    main = evaluation.main_effect
    if main is not None and main.sets is not None and isinstance(main.p_value, float):
        return _among_sets(main, main.sets, main.p_value)
    effect = clustered(evaluation, "local_authority")
    if main is not None and main.inference == "sets" and isinstance(main.p_value, Unavailable) and effect is None:
        return f"{subject(evaluation).capitalize()} cannot be placed among sets. {as_sentence(main.p_value.reason)}"
    whole = "Schools listed by name are part of their area, so they cannot be ranked among whole areas"
    if effect is None:
        return (
            f"{whole}; and as all lie in one area, no interval can allow for what happens to an area as a "
            "whole, so none "
            "is given."
        )
    if isinstance(effect.interval, Unavailable):
        return f"{whole}; nor is there an interval: {lower_first(effect.interval.reason).rstrip('.')}."
    p = "" if isinstance(effect.p_value, Unavailable) else f" ({p_equals(effect.p_value)})"
    return (
        f"{whole}; the interval lets the schools of an area share what happened there, and rests on the "
        f"{counted(effect.n_treated_clusters, 'area')} they lie in{p}."
    )


def _among_sets(main: Effect, detail: SetsDetail, p: float) -> str:
    """Return how often sets of schools in other areas changed as much, and what is taken off for low lists."""
    if detail.is_whole:
        what = f"draws of {counted(detail.n_treated_areas, 'whole area')}" if detail.n_treated_areas > 1 else "areas"
    else:
        what = SUCH_SETS["rule"] if detail.rule == "rule" else f"sets of {count(main.n_treated)} schools"
    where = counted(detail.n_areas - detail.n_treated_areas, "other area")
    alike = ", each area counting the same," if detail.n_treated_areas == 1 else ""
    told = (
        f"Of {count(detail.n_sets)} {what} drawn in {where}, {number(100 * _share(detail, p), 1)}%{alike} changed at "
        f"least as much in either direction ({p_equals(p)})."
    )
    if detail.rule == "simple" or isinstance(detail.expected, Unavailable):
        return told
    return (
        f"{told} {capital(SUCH_SETS[detail.rule])} gained {visible(detail.expected)} where nothing happened: this is "
        f"taken off the {visible(detail.unadjusted)} by which the listed schools differ."
    )


def _share(detail: SetsDetail, p: float) -> float:
    """Return the share of other areas' sets that are as large, from p, in which the list counts as one area more."""
    total = detail.n_areas if detail.n_treated_areas == 1 else detail.n_sets + 1
    return (p * total - 1) / (total - 1)


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
    return f"{label}, not targeted, {'lost' if placebo < 0 else 'gained'} {points(placebo)} on the same areas"


def _contrast(facts: Headline) -> str:
    label, contrast = facts.contrast_label, facts.contrast_estimate
    if not label:
        return ""
    if isinstance(contrast, Unavailable):
        return f"{label} cannot be given: {lower_first(contrast.reason).rstrip('.')}"
    p = "no p-value" if isinstance(facts.contrast_p, Unavailable) else p_equals(facts.contrast_p)
    return f"{label} {visible(contrast)} ({p})"


def _earlier(evaluation: AreasResults) -> str:
    """Return the sentence on the movement before the programme, and what its continuing would leave."""
    facts, who = evaluation.headline, subject(evaluation)
    if isinstance(facts.lead, Unavailable):
        return f"How {who} moved before the programme cannot be given: {as_sentence(lower_first(facts.lead.reason))}"
    was, whose = ("were", who[:1].upper() + who[1:]) if is_listed(evaluation) else ("was", who)
    if visible(facts.lead) == "0.00":
        return f"{whose} {was} neither gaining nor falling from {facts.lead_label}."
    way = "gained" if facts.lead > 0 else "lost"
    start = f"{whose} had already {way} {points(facts.lead)} on similar areas from {facts.lead_label}"
    if isinstance(facts.adjusted, Unavailable):
        return (
            f"{start}; what continuing that would leave cannot be given: "
            f"{as_sentence(lower_first(facts.adjusted.reason))}"
        )
    return f"{start}; continuing that would leave {visible(facts.adjusted)}."


def _cannot(evaluation: AreasResults) -> str:
    start = "The design cannot separate the programme from anything else that changed in"
    if is_listed(evaluation):
        return f"{start} these schools."
    return f"{start} {evaluation.headline.place}. {evaluation.project.participants.whole_area_reason}"
