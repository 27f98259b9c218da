"""Checks of what the arms would have done anyway: earlier trends and levels, outcomes not aimed at, matching."""

from __future__ import annotations

from dataclasses import replace

from evalkit.core.formats import interval_text, lower_first, number, p_equals, visible
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted
from evalkit.data.measures import measure_of
from evalkit.design.project import labels
from evalkit.diagnose.finding import CheckPower, Finding, FindingKind, Verdict, not_assessable, statement
from evalkit.diagnose.project import falsification
from evalkit.diagnose.project.falsification import Falsification
from evalkit.diagnose.project.given_baseline import given_baseline
from evalkit.diagnose.project.results import Results

SHOCK = "An area shock moves both; this check cannot tell it from a programme that also moved {}."
"""What no outcome that was not aimed at can tell: changes of subjects go together over areas."""


def ranked(results: Results, test: Falsification, parts: tuple[str, str, str]) -> Finding:
    """Return the finding of a ranked test: what it gives, how many areas give as much, and what passing is worth.

    `parts` are the sentence on what was seen, what other areas did at least as much, and the flaw in words.
    """
    sentences, did, flaw = parts
    power = test.power(falsification.detectable_at_design(results))
    n, k = test.size, test.n_as_large
    who = f"{k} of {n} areas, the treated one among them," if k > 1 else f"Of {n} areas only the treated one"
    if test.is_of_sets:
        who = f"{number(100 * test.share_as_large, 0)}% of {_drawn(results)}"
    sentence = f"{sentences} {who} {did} ({p_equals(test.p_value)}). {_worth(power, flaw)}"
    return Finding(
        name=test.name,
        verdict=test.verdict(power),
        statistic=test.value,
        sentence=sentence,
        kind=FindingKind.FALSIFICATION,
        p_value=test.p_value,
        n_areas=test.size,
        power=power,
    )


def _drawn(results: Results) -> str:
    """Return in words what the treated are placed among: sets of one area in turn, or draws of several at a time."""
    sets = results.locked.outcomes[results.primary].sets
    if sets is None or len(sets.treated) == 1:
        return "sets of schools drawn in other areas, each area counting once,"
    return f"draws of {'' if sets.is_whole else 'as many schools in '}{len(sets.treated)} other areas"


def unranked(name: str, reason: Unavailable, sentences: str = "") -> Finding:
    """Return a falsification test that could not be ranked, with the reason after what can be said."""
    sentence = f"{sentences} {reason.reason}".strip()
    return Finding(name, Verdict.NOT_ASSESSABLE, reason, sentence, FindingKind.FALSIFICATION, reason, reason, reason)


def _worth(power: CheckPower | Unavailable, flaw: str) -> str:
    """Return how often the check would find a flaw as large as the least detectable effect."""
    if isinstance(power, Unavailable):
        return f"What passing is worth is not known: {lower_first(power.reason)}"
    often = number(100 * power.at_one, 0)
    weak = power.at_one < falsification.ENOUGH_POWER
    return (
        f"{flaw} biased the effect by {visible(power.violation)} points, the least that the design was to detect, "
        f"would reach p ≤ 0.05 in {often}% of areas" + (", so that passing says little." if weak else ".")
    )


def pre_trend(results: Results) -> Finding:
    """Say whether the treated schools were already moving differently before the programme."""
    test, sentences = falsification.earlier_movement(results), _movement(results)
    if isinstance(test, Unavailable):
        return unranked("pre_trend", test, sentences)
    return ranked(results, test, (sentences, "moved at least as far, up or down", "A straight line that"))


def _movement(results: Results) -> str:
    pre = results.project.exposure.pre
    effect = results.effect(results.primary, labels.LEAD, str(max(pre)))
    if effect is None or isinstance(effect.estimate, Unavailable):
        return ""
    reach = f" ({interval_text(effect.interval)})" if isinstance(effect.interval, Interval) else ""
    adjusted, main = results.estimate(results.primary, labels.TREND_ADJUSTED), results.estimate(results.primary)
    left = (
        f" Had that gone on in a straight line, {visible(adjusted)} points would be left in place of {visible(main)}."
        if isinstance(adjusted, float) and isinstance(main, float)
        else ""
    )
    return (
        f"Between {min(pre)} and {max(pre)}, before the programme, the treated schools moved by "
        f"{visible(abs(effect.estimate))} points {'less' if effect.estimate < 0 else 'more'} than their "
        f"neighbours{reach}.{left}"
    )


def placebo_start(results: Results) -> Finding:
    """Say what a start before the last earlier year, which can have had no effect, would have been found to do."""
    test = falsification.placebo_start(results)
    if isinstance(test, Unavailable):
        return unranked("placebo_start", test)
    last = max(results.project.exposure.pre)
    sentences = f"Had the programme begun before the tests of {last}, its effect would be {visible(test.value)} points."
    return ranked(results, test, (sentences, "showed at least as much, up or down", "A straight line that"))


def placebo_outcome(results: Results) -> Finding:
    """Say how far an outcome moved that the programme did not aim at."""
    test, code = falsification.placebo_outcome(results), falsification.placebo_code(results)
    value = results.estimate(code) if code else Unavailable("None is named.")
    if isinstance(value, Unavailable):
        return unranked("placebo_outcome", test if isinstance(test, Unavailable) else value)
    known = measure_of(results.project, code)
    subject = known.said
    sentences = (
        f"{known.label}, which the programme did not aim at, moved by {visible(value)} points against neighbours."
    )
    limit = f"{SHOCK.format(subject)}{_beside(results)}"
    if isinstance(test, Unavailable):
        return unranked("placebo_outcome", test, f"{sentences} {limit}")
    did = f"moved in {subject} at least as far, up or down"
    found = ranked(results, test, (sentences, did, "A shock to the area that moved both alike and"))
    return replace(found, sentence=f"{found.sentence} {limit}")


def _beside(results: Results) -> str:
    """Return the contrast with its own p-value, which stands beside the outcome not aimed at."""
    effect = results.effect(results.contrast())
    if effect is None or isinstance(effect.estimate, Unavailable):
        return ""
    first = results.project.contrasts[0]
    p = f" ({p_equals(effect.p_value)})" if isinstance(effect.p_value, float) else ""
    label, minus = (
        measure_of(results.project, first.measure).label,
        measure_of(results.project, first.minus).said,
    )
    return f" {label} less {minus} moved by {visible(effect.estimate)} points{p}."


def joint(results: Results) -> Finding:
    """Say how unlikely the falsification tests are together: the one of them that a rating counts."""
    name, tests = falsification.JOINT, falsification.ranked_tests(results)
    found = falsification.joint_of(tests)
    if isinstance(found, Unavailable):
        return unranked(name, found)
    p, n = found.p_value, found.n_areas
    detectable = falsification.detectable_at_design(results)
    passed = [test.verdict(test.power(detectable)) for test in tests]
    verdict = Verdict.SERIOUS if p <= falsification.SERIOUS else Verdict.CAUTION
    if p > falsification.CAUTION:
        verdict = Verdict.UNINFORMATIVE if set(passed) == {Verdict.UNINFORMATIVE} else Verdict.REASSURING
    statistic = float(found.statistic[found.treated])
    where = f"{round(p * n)} of {n} areas, the treated one among them"
    if found.weights is not None:
        total = float(found.weights.sum())
        where = f"{number(100 * (p * total - 1) / (total - 1), 0)}% of {_drawn(results)}".removesuffix(",")
    sentence = (
        f"Taken together, the {counted(len(tests), 'falsification test')} are as unlikely or less likely in "
        f"{where} ({p_equals(p)}): Q, the sum of −log p, is "
        f"{visible(statistic)}. Of several checks each at 5% one is often serious by chance, so that the rating counts "
        "this one alone."
    )
    no_power = Unavailable("Power is given for each check.")
    return Finding(name, verdict, statistic, sentence, FindingKind.FALSIFICATION, p, n, no_power)


def level_and_change(results: Results) -> Finding:
    """Say how much of the change areas with such a level before tend to show anyway."""
    given = given_baseline(results, results.primary)
    if isinstance(given, Unavailable):
        sets = results.locked.outcomes[results.primary].sets
        of_sets = _SEVERAL_WHOLE if sets and sets.is_whole and len(sets.treated) > 1 else _LIKE_SETS
        return not_assessable("level_and_change", of_sets if results.listed else given.reason)
    below = "below" if given.gap < 0 else "above"
    sentence = (
        f"Before the programme the treated schools stood {visible(abs(given.gap))} points {below} their "
        f"neighbours. Other areas that stood so changed by {visible(given.expected)} points relative to theirs on "
        f"average (a straight line through {given.n_areas - 1} areas). Allowing for that would leave "
        f"{visible(given.estimate)} of the {visible(given.estimate + given.expected)} points "
        f"({p_equals(given.p_value)}). Part of such a change is "
        "chance in the earlier scores, so this is an indication, not a correction."
    )
    return statement("level_and_change", given.expected, sentence)


_SEVERAL_WHOLE = "It is seen of one whole area by a line through all others, and not of several at once."
_LIKE_SETS = (
    "Of listed schools it is seen from sets that are like the list before the programme: what such sets gain where "
    "nothing happened stands beside the estimate."
)


def triple_difference(results: Results) -> Finding:
    """Give the effect on the outcome aimed at less that on the one not aimed at."""
    effect = results.effect(results.contrast())
    if effect is None or not isinstance(effect.estimate, float):
        return not_assessable("triple_difference", "The project asks for no triple difference that could be estimated.")
    p = f"; {p_equals(effect.p_value)}" if isinstance(effect.p_value, float) else ""
    reach = f" ({interval_text(effect.interval)}{p})" if isinstance(effect.interval, Interval) else ""
    contrast = results.project.contrasts[0]
    aimed, other = (measure_of(results.project, code) for code in (contrast.measure, contrast.minus))
    sentence = (
        f"{aimed.label} less {other.said} within the same schools moved by "
        f"{visible(effect.estimate)} points{reach}. This removes what moved both subjects alike, and would hide an "
        "effect that did."
    )
    return statement("triple_difference", effect.estimate, sentence)


def matching_assumptions(results: Results) -> Finding:
    """Set the estimates matched with and without earlier outcomes side by side, with what chance does to each."""
    with_, without = (
        results.estimate(results.primary, name) for name in (labels.MATCHED, labels.MATCHED_WITHOUT_OUTCOMES)
    )
    rows = [r for r in results.stage.balance if r.outcome == results.primary and r.design == labels.NEIGHBOURS]
    if not (isinstance(with_, float) and isinstance(without, float) and rows):
        return not_assessable("matching_assumptions", "The two matched comparisons could not both be made.")
    lower = rows[0].mean_treated < rows[0].mean_comparison_before
    sentence = (
        f"Matched on earlier outcomes the estimate is {visible(with_)} points; matched without them "
        f"{visible(without)}. They rest on different assumptions: the first that schools with the same noisy past "
        "scores would have moved alike, the second that trends were parallel. The treated schools scored "
        f"{'lower' if lower else 'higher'} than other schools before; schools matched to them on noisy scores were "
        f"partly {'low' if lower else 'high'} by chance and tend to move back, which pulls the first estimate "
        f"{'down' if lower else 'up'}; a passing {'dip' if lower else 'peak'} of the treated schools pushes the "
        f"second {'up' if lower else 'down'}."
    )
    return statement("matching_assumptions", with_ - without, sentence)
