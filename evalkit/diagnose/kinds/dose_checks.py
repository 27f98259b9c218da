"""What could be wrong with a line by dose, and its effects in the form that every kind gives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from evalkit.core.formats import mean_of, p_equals, visible
from evalkit.core.project import Project
from evalkit.core.quantities import Estimand, Quantity, Unavailable
from evalkit.core.scipy_parts import special
from evalkit.core.words import counted, listed
from evalkit.design.kinds.dose import DoseOptions
from evalkit.diagnose.finding import (
    CheckPower,
    Finding,
    FindingKind,
    Verdict,
    banded,
    design_fact,
    not_assessable,
    statement,
)
from evalkit.diagnose.kinds.dose import DoseFindings, DoseOutcomeResults
from evalkit.estimate.areas.effect_records import sets_detail
from evalkit.estimate.dose.listed import AgainstComparison, ThresholdEffect
from evalkit.estimate.dose.within import DoseSlope
from evalkit.estimate.effect import Effect, InferenceName

_NEAR, _FAR = 0.05, 0.25
"""Standard deviations between groups before, above which a difference is a caution, and serious."""
_CARRIES: Final = (0.25, 0.5)
"""Shares of one participant in what a line rests on, above which that is a caution, and serious."""
_LOST: Final = (0.1, 0.2)
_HALF: Final = 0.5
_AT_5: Final = 1.959963984540054


def findings_of(found: DoseFindings, project: Project) -> tuple[Finding, ...]:
    """Return what could be wrong with the primary outcome's line, each check named and judged."""
    one, options = found.primary, found.plan.options
    checks = [
        _need(one),
        _before(one, project, options),
        *(_placebo(other, options) for other in found.outcomes if other.role == "placebo"),
        _carried(one),
        *_without(one, options),
        _left_out(one),
        *_below_threshold(one, options),
    ]
    return tuple(checks)


def _need(one: DoseOutcomeResults) -> Finding:
    name, need, thirds = "dose_follows_need", one.plan.need, one.plan.thirds
    if isinstance(need, Unavailable):
        return not_assessable(name, need.reason, FindingKind.DESIGN_FACT)
    gap = thirds[-1].mean_before - thirds[0].mean_before
    side = "below" if gap < 0 else "above"
    sentence = (
        f"Nobody drew lots for the dose. Before the programme the third of the participants with the most stood "
        f"{visible(abs(gap))} {one.unit} {side} the third with the least ({abs(need):.2f} standard deviations within "
        "areas)"
    )
    if need < -_NEAR:
        sentence += ": it went where results were low, and low results rise by themselves."
    elif need > _NEAR:
        sentence += ": it went where results were high, and high results fall by themselves."
    else:
        sentence += ", so that what they stood at does not show who had more. What else did is not known."
    return design_fact(name, banded(abs(need), _NEAR, _FAR), need, sentence)


def _before(one: DoseOutcomeResults, project: Project, options: DoseOptions) -> Finding:
    name, lead = "pre_trend", one.before
    if isinstance(lead, Unavailable):
        return not_assessable(name, lead.reason, FindingKind.FALSIFICATION)
    if isinstance(lead.p_value, Unavailable) or isinstance(lead.estimate, Unavailable):
        reason = lead.p_value.reason if isinstance(lead.p_value, Unavailable) else "There is no slope."
        return not_assessable(name, reason, FindingKind.FALSIFICATION)
    pre, verdict = project.exposure.pre, _ranked(lead.p_value)
    sentence = (
        f"From {min(pre)} to {max(pre)}, before the programme, one {options.per} more went with a change of "
        f"{visible(lead.estimate)} {one.unit} ({p_equals(lead.p_value)}), which the programme cannot have caused."
    )
    power = _power(one, lead, project)
    if isinstance(power, CheckPower):
        sentence += (
            f" A difference in trend that would bias the slope by {visible(power.violation)} would be found in "
            f"{power.at_one:.0%} of cases."
        )
        if verdict is Verdict.REASSURING and power.at_one < _HALF:
            verdict = Verdict.UNINFORMATIVE
    n_ranked = Unavailable("Doses are dealt out anew among participants.")
    return Finding(name, verdict, lead.estimate, sentence, FindingKind.FALSIFICATION, lead.p_value, n_ranked, power)


def _power(one: DoseOutcomeResults, lead: DoseSlope, project: Project) -> CheckPower | Unavailable:
    """Return how often the check finds a trend by dose that biases the slope by the least detectable one."""
    if isinstance(one.least, Unavailable) or isinstance(lead.spread, Unavailable) or lead.spread <= 0:
        return Unavailable("No power was reckoned.")
    exposure = project.exposure
    ahead = sum(exposure.post) / len(exposure.post) - sum(exposure.pre) / len(exposure.pre)
    seen = one.least * (max(exposure.pre) - min(exposure.pre)) / ahead / lead.spread

    def found(times: float) -> float:
        return float(special.ndtr(times * seen - _AT_5) + special.ndtr(-times * seen - _AT_5))

    return CheckPower(violation=one.least, at_half=found(0.5), at_one=found(1.0), at_twice=found(2.0))


def _ranked(p_value: float) -> Verdict:
    return Verdict.SERIOUS if p_value <= 0.05 else Verdict.CAUTION if p_value <= 0.20 else Verdict.REASSURING


def _placebo(one: DoseOutcomeResults, options: DoseOptions) -> Finding:
    found, name = one.slope, "placebo_outcome"
    if isinstance(found.p_value, Unavailable) or isinstance(found.estimate, Unavailable):
        reason = found.p_value.reason if isinstance(found.p_value, Unavailable) else "There is no slope."
        return not_assessable(name, f"{one.label}: {reason}", FindingKind.FALSIFICATION)
    sentence = (
        f"{one.label}, which the programme should not move, changed by {visible(found.estimate)} {one.unit} for each "
        f"{options.per} more ({p_equals(found.p_value)})."
    )
    none = Unavailable("Doses are dealt out anew among participants.")
    return Finding(
        name,
        _ranked(found.p_value),
        found.estimate,
        sentence,
        FindingKind.FALSIFICATION,
        found.p_value,
        none,
        Unavailable("No power was reckoned."),
    )


def _carried(one: DoseOutcomeResults) -> Finding:
    share, name = one.slope.largest_share, "one_participant"
    if isinstance(share, Unavailable):
        return not_assessable(name, share.reason, FindingKind.DESIGN_FACT)
    sentence = (
        f"One of {counted(one.slope.n, 'participant')} carries {share:.0%} of the differences in dose that the line "
        "rests on."
    )
    return design_fact(name, banded(share, *_CARRIES), share, sentence)


def _without(one: DoseOutcomeResults, options: DoseOptions) -> Iterator[Finding]:
    own = one.slope.estimate
    known = {each.left_out: each.estimate for each in one.without if not isinstance(each.estimate, Unavailable)}
    if isinstance(own, Unavailable) or not known:
        return
    largest = max(known, key=lambda name: abs(known[name] - own))
    sentence = (
        f"Without {largest} the slope is {visible(known[largest])} {one.unit} per {options.per} in place of "
        f"{visible(own)}: no other participant moves it more."
    )
    yield statement("influence", known[largest] - own, sentence)


def _left_out(one: DoseOutcomeResults) -> Finding:
    lost = sum(len(each.units) for each in one.left_out)
    share = lost / max(lost + one.slope.n, 1)
    sentence = f"{share:.0%} of the participants are not on the line."
    return design_fact("left_out", banded(share, *_LOST), share, sentence)


def _below_threshold(one: DoseOutcomeResults, options: DoseOptions) -> Iterator[Finding]:
    found = one.threshold
    if isinstance(found, Unavailable) or options.threshold is None:
        return
    share = found.n_some / found.n_listed
    if not found.n_some:
        sentence = "Every participating school met the threshold or had nothing, so that nobody lies between."
        yield design_fact("partial_take_up", Verdict.REASSURING, 0.0, sentence)
        return
    sentence = (
        f"{counted(found.n_some, 'participating school')} of {found.n_listed:,} had some of it and less than "
        f"{options.amount(found.threshold)}. If that did anything, the effect at the threshold is overstated; the "
        "line by dose stands beside it."
    )
    yield design_fact("partial_take_up", Verdict.CAUTION, share, sentence)


# The effects.

_ONLY_QUOTED: Final = Unavailable("A dealing of doses gives no standard error.")


def effects_of(one: DoseOutcomeResults, options: DoseOptions) -> Iterator[Effect]:
    """Yield the slope among participants, marked as the main effect, and what stands beside it."""
    yield _of_slope(one, one.slope, "dose", _method(options.held), options, is_main=True)
    if options.covariates:
        yield _of_slope(one, one.plain, "dose_areas_alone", _method(replace(options, covariates=()).held), options)
    if not isinstance(one.shock, Unavailable):
        method = "Least squares on the dose, with schools outside the programme at a dose of 0."
        if "pre_mean" in options.covariates:
            method += " Where each stood before is held, as change goes with it outside the programme."
        yield _against(
            one, one.shock, ("dose_against_comparison", Estimand.DOSE_SLOPE, f"{one.unit} per {options.per}"), method
        )
    if not isinstance(one.whole, Unavailable):
        method = "Mean change of the participating schools less that of those compared."
        yield _against(
            one,
            one.whole,
            ("listed", Estimand.AREA_ITT if one.plan.sets is not None and one.plan.sets.is_whole else Estimand.ATT, ""),
            method,
        )
    if not isinstance(one.threshold, Unavailable):
        yield _at_threshold(one, one.threshold, options)


def _method(held: tuple[str, ...]) -> str:
    return f"Least squares on the dose{f', with {listed(held, 9)} held' if held else ''}."


def _of_slope(
    one: DoseOutcomeResults, found: DoseSlope, design: str, method: str, options: DoseOptions, *, is_main: bool = False
) -> Effect:
    return Effect(
        outcome=one.code,
        role=one.role,
        design=design,
        estimand=Estimand.DOSE_SLOPE,
        period="post",
        estimate=found.estimate,
        std_error=_ONLY_QUOTED if isinstance(found.estimate, float) else found.estimate,
        interval=found.interval,
        p_value=found.p_value,
        p_value_one_sided=found.p_value_one_sided,
        inference="dealt",
        cluster_level="school",
        n_treated=found.n,
        n_comparison=0,
        n_treated_clusters=found.n_areas,
        method=method,
        is_main=is_main,
        unit=f"{one.unit} per {options.per}",
    )


def _against(one: DoseOutcomeResults, found: AgainstComparison, what: tuple[str, Estimand, str], method: str) -> Effect:
    design, estimand, unit = what
    inference: InferenceName = "cluster" if found.sets is None else "sets"
    return Effect(
        outcome=one.code,
        role=one.role,
        design=design,
        estimand=estimand,
        period="post",
        estimate=found.estimate,
        std_error=found.std_error,
        interval=found.interval,
        p_value=found.p_value,
        p_value_one_sided=found.p_value_one_sided,
        inference=inference,
        cluster_level="local_authority",
        n_treated=found.n_listed,
        n_comparison=found.n_compared,
        n_treated_clusters=found.n_areas,
        method=method,
        sets=None if found.sets is None else sets_detail(found.sets),
        unit=unit,
    )


def _at_threshold(one: DoseOutcomeResults, found: ThresholdEffect, options: DoseOptions) -> Effect:
    whole = one.whole
    assert isinstance(whole, AgainstComparison)
    none: Quantity = Unavailable("The values that are not rejected are given, and no standard error.")
    return Effect(
        outcome=one.code,
        role=one.role,
        design="threshold",
        estimand=Estimand.AT_THRESHOLD,
        period="post",
        estimate=found.estimate,
        std_error=none,
        interval=found.interval,
        p_value=found.p_value,
        p_value_one_sided=whole.p_value_one_sided,
        inference="cluster" if whole.sets is None else "sets",
        cluster_level="local_authority",
        n_treated=found.n_met,
        n_comparison=whole.n_compared,
        n_treated_clusters=whole.n_areas,
        method=f"The effect on all participants over the share that had {options.amount(found.threshold)} or more.",
    )


def estimand_of(project: Project, options: DoseOptions) -> str:
    """Return what is estimated, in words."""
    exposure = project.exposure
    held = " that stood alike before" if "pre_mean" in options.covariates else ""
    where = " of the same area" if options.area_effects else ""
    return (
        f"How much more a participant{where}{held} changed for each {options.per} of {project.programme.name}: the "
        f"slope on the dose of the change to {mean_of(exposure.post)} from {mean_of(exposure.pre)}."
    )
