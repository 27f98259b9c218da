"""Checks of what the arms would have done anyway: earlier trends and levels, outcomes not aimed at, matching."""

from __future__ import annotations

import numpy as np

from evalkit.core.formats import careful, interval_text, p_equals
from evalkit.core.quantities import Interval
from evalkit.data.measures import measure
from evalkit.design import labels
from evalkit.diagnose.finding import Finding, Verdict, has_moved, not_assessable
from evalkit.diagnose.results import Results
from evalkit.estimate.area_effects import effects_by_area
from evalkit.estimate.arrays.area_changes import permutation_test, residuals_without
from evalkit.estimate.sample import levels_before

_FEWEST_AREAS = 20


def pre_trend(results: Results) -> Finding:
    """Say whether the treated schools were already moving differently before the programme."""
    pre = results.project.exposure.pre
    lead = results.estimate(results.primary, labels.LEAD, str(max(pre)))
    adjusted, main = results.estimate(results.primary, labels.TREND_ADJUSTED), results.estimate(results.primary)
    if not (isinstance(lead, float) and isinstance(adjusted, float) and isinstance(main, float)):
        return not_assessable(
            "pre_trend", "Only one year was observed before the programme, so no earlier trend can be seen."
        )
    effect = results.effect(results.primary, labels.LEAD, str(max(pre)))
    reach = f" ({interval_text(effect.interval)})" if effect and isinstance(effect.interval, Interval) else ""
    less = abs(adjusted) < abs(main) / 2 or adjusted * main < 0
    sentence = (
        f"Between {min(pre)} and {max(pre)}, before the programme, the treated schools moved by {careful(abs(lead))} "
        f"points {'less' if lead < 0 else 'more'} than their neighbours{reach}. If that had continued in a straight "
        f"line, {careful(adjusted)} points would be left in place of {careful(main)}. "
        f"{'Two years give one free comparison, too noisy' if len(pre) == 2 else 'So few years are too noisy'} to "
        "rule such a trend in or out."
    )
    return Finding("pre_trend", Verdict.SERIOUS if less else Verdict.CAUTION, lead, sentence)


def level_and_change(results: Results) -> Finding:
    """Say how much of the change areas with such a level before tend to show anyway."""
    found, design = results.outcomes.get(results.primary), results.locked.outcomes[results.primary]
    areas = found.areas.get((labels.NEIGHBOURS, "post")) if found else None
    if found is None or areas is None or len(areas.groups) < _FEWEST_AREAS or design.treated_group <= 0:
        return not_assessable("level_and_change", "Too few areas could be analysed the same way to see this.")
    levels = effects_by_area(
        found.weighed(levels_before(found.panel, results.project.exposure)),
        design.comparisons[labels.NEIGHBOURS],
        design.treated_group,
        results.project.pool.minimum_area_schools,
    )
    own = areas.position(design.treated_group)
    gap = levels.effects[np.searchsorted(levels.groups, areas.groups)]
    left = residuals_without(areas.effects, gap, own)
    estimate, expected = float(areas.effects[own]), float(areas.effects[own] - left[own])
    p = permutation_test(left, own).p_value
    below = "below" if gap[own] < 0 else "above"
    sentence = (
        f"Before the programme the treated schools stood {careful(abs(float(gap[own])))} points {below} their "
        f"neighbours. Other areas that stood so changed by {careful(expected)} points relative to theirs on average "
        f"(a straight line through {len(left) - 1} areas). Allowing for that would leave {careful(float(left[own]))} "
        f"of the {careful(estimate)} points ({p_equals(p)}). Part of such a change is chance in the earlier scores, "
        "so this is an indication, not a correction."
    )
    share = expected / estimate if estimate else 0.0
    verdict = Verdict.SERIOUS if share >= 0.5 else Verdict.CAUTION if share >= 0.1 else Verdict.REASSURING
    return Finding("level_and_change", verdict, expected, sentence)


def placebo_outcome(results: Results) -> Finding:
    """Say how far an outcome moved that the programme did not aim at."""
    code = next((o.measure for o in results.project.outcomes if o.role == "placebo"), "")
    effect, main = results.effect(code), results.estimate(results.primary)
    if effect is None or not isinstance(effect.estimate, float) or not isinstance(main, float):
        return not_assessable("placebo_outcome", "The project names no placebo outcome that could be estimated.")
    share = effect.estimate / main if main else float("inf")
    verdict = Verdict.SERIOUS if share >= 1 else Verdict.CAUTION if abs(share) >= 0.5 else Verdict.REASSURING
    p = f" ({p_equals(effect.p_value)})" if isinstance(effect.p_value, float) else ""
    inside = not isinstance(effect.interval, Interval) or 0.0 in effect.interval
    sentence = (
        f"{measure(code).label}, which the programme did not aim at, moved by {careful(effect.estimate)} points "
        "against "
        f"neighbours{p}; {measure(results.primary).label.lower()} by {careful(main)}. "
        + (
            "This is too uncertain to tell from none. If it is real, something else was at work: a "
            if inside
            else "Something other than the programme was at work: a "
        )
        + "reason to expect part of the main estimate without the programme, unless teaching one subject helps the "
        "other."
    )
    return Finding("placebo_outcome", verdict, effect.estimate, sentence)


def triple_difference(results: Results) -> Finding:
    """Give the effect on the outcome aimed at less that on the one not aimed at."""
    effect = results.effect(results.contrast())
    if effect is None or not isinstance(effect.estimate, float):
        return not_assessable("triple_difference", "The project asks for no triple difference that could be estimated.")
    inside = not isinstance(effect.interval, Interval) or 0.0 in effect.interval
    p = f"; {p_equals(effect.p_value)}" if isinstance(effect.p_value, float) else ""
    reach = f" ({interval_text(effect.interval)}{p})" if isinstance(effect.interval, Interval) else ""
    first = results.project.contrasts[0]
    sentence = (
        f"{measure(first.measure).label} less {measure(first.minus).label.lower()} within the same schools moved by "
        f"{careful(effect.estimate)} points{reach}. This removes what moved both subjects alike, and would hide an "
        "effect that did."
    )
    return Finding("triple_difference", Verdict.CAUTION if inside else Verdict.REASSURING, effect.estimate, sentence)


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
        f"Matched on earlier outcomes the estimate is {careful(with_)} points; matched without them "
        f"{careful(without)}. They rest on different assumptions: the first that schools with the same noisy past "
        "scores would have moved alike, the second that trends were parallel. The treated schools scored "
        f"{'lower' if lower else 'higher'} than other schools before; schools matched to them on noisy scores were "
        f"partly {'low' if lower else 'high'} by chance and tend to move back, which pulls the first estimate "
        f"{'down' if lower else 'up'}; a passing {'dip' if lower else 'peak'} of the treated schools pushes the "
        f"second {'up' if lower else 'down'}."
    )
    apart = has_moved(with_, without)
    return Finding("matching_assumptions", Verdict.CAUTION if apart else Verdict.REASSURING, with_ - without, sentence)
