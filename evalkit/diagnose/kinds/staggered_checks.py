"""What could be wrong with the effect of an analysis of staggered starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalkit.core.formats import p_equals, visible
from evalkit.core.quantities import Unavailable
from evalkit.core.words import counted
from evalkit.design.kinds.staggered import StaggeredChoices
from evalkit.diagnose.finding import (
    CheckPower,
    Finding,
    FindingKind,
    Verdict,
    design_fact,
    not_assessable,
    statement,
)
from evalkit.diagnose.kinds.staggered import StaggeredFindings, StaggeredOutcomeResults
from evalkit.diagnose.power.pre_trends import SlopePower
from evalkit.estimate.staggered.results_by_sets import TrendPower


def findings_of(found: StaggeredFindings) -> tuple[Finding, ...]:
    """Return what could be wrong with the primary outcome's effect, each check named and judged."""
    primary = found.primary
    checks = [
        _before_the_start(primary),
        _estimators_agree(primary, found.plan.choices),
        _left_out_share(primary),
        *_without_one(primary),
        *(_placebo(one) for one in found.outcomes if one.role == "placebo"),
        *(design_fact("first_year", Verdict.CAUTION, 1.0, text) for text in found.plan.cautions),
    ]
    return tuple(checks)


_POWER: Final = 0.5
"""A test that finds a trend as large as the least detectable effect less often than this says nothing by passing."""


def _before_the_start(found: StaggeredOutcomeResults) -> Finding:
    test, name = found.results.pre_test, "before_the_start"
    if isinstance(test, Unavailable):
        return not_assessable(name, test.reason, FindingKind.FALSIFICATION)
    verdict = _ranked(test.p_value)
    power = _power(found)
    sentence = test.sentence
    checked: CheckPower | Unavailable = Unavailable("No power was reckoned.")
    if isinstance(power, TrendPower):
        checked = CheckPower(violation=power.bias, at_half=power.at_half, at_one=power.at_one, at_twice=power.at_twice)
        sentence += (
            f" A trend of {visible(power.slope)} a period, which would bias the effect by {visible(power.bias)}, would "
            f"be found in {power.at_one:.0%} of cases."
        )
        if verdict is Verdict.REASSURING and power.at_one < _POWER:
            verdict = Verdict.UNINFORMATIVE
    n_areas = found.overall.n_areas if found.overall is not None else Unavailable("Errors are by cluster.")
    return Finding(name, verdict, test.statistic, sentence, FindingKind.FALSIFICATION, test.p_value, n_areas, checked)


def _power(found: StaggeredOutcomeResults) -> TrendPower | Unavailable:
    """Return the power of the test: among sets where they judge, else by the covariance of the effects before."""
    if isinstance(found.power, TrendPower) or isinstance(found.pre_trends, Unavailable) or found.overall is not None:
        return found.power
    joint = found.pre_trends.tests[0]
    if not isinstance(joint.at_violation, SlopePower) or isinstance(joint.at_violation.bias, Unavailable):
        return found.power
    half, one, twice = joint.powers_at
    slope, bias = joint.at_violation.slope, joint.at_violation.bias
    return TrendPower(slope=slope, bias=bias, at_half=half, at_one=one, at_twice=twice)


def _ranked(p_value: float) -> Verdict:
    return Verdict.SERIOUS if p_value <= 0.05 else Verdict.CAUTION if p_value <= 0.20 else Verdict.REASSURING


def _estimators_agree(found: StaggeredOutcomeResults, choices: StaggeredChoices) -> Finding:
    known = {row.estimator: row.estimate for row in found.checks.rows if not isinstance(row.estimate, Unavailable)}
    if len(known) < 2 or choices.estimator not in known:
        return not_assessable("estimators", "Fewer than two estimators give an effect.")
    low, high = min(known, key=lambda one: known[one]), max(known, key=lambda one: known[one])
    sentence = (
        f"By {counted(len(known), 'estimator')} the overall effect lies between {visible(known[low])} ({low}) and "
        f"{visible(known[high])} ({high}); {choices.estimator} is quoted."
    )
    return statement("estimators", known[high] - known[low], sentence)


def _left_out_share(found: StaggeredOutcomeResults) -> Finding:
    """Return which share of participants is not analysed, held against the usual bands of attrition."""
    lost = sum(len(one.units) for one in found.left_out if "to compare with" not in one.reason)
    share = lost / (lost + found.results.n_treated)
    verdict = Verdict.SERIOUS if share > 0.2 else Verdict.CAUTION if share > 0.1 else Verdict.REASSURING
    sentence = f"{share:.0%} of the participants that could have been analysed are not."
    return design_fact("left_out", verdict, share, sentence)


def _without_one(found: StaggeredOutcomeResults) -> Iterator[Finding]:
    estimate = found.results.simple.estimate
    known = {one.left_out: one.estimate for one in found.without if not isinstance(one.estimate, Unavailable)}
    if isinstance(estimate, Unavailable) or not known:
        return
    largest = max(known, key=lambda name: abs(known[name] - estimate))
    sentence = (
        f"Without {largest} the effect is {visible(known[largest])} in place of {visible(estimate)}: no other of "
        f"{counted(len(known), 'part')} of the participants moves it more."
    )
    yield statement("without_one", known[largest] - estimate, sentence)


def _placebo(found: StaggeredOutcomeResults) -> Finding:
    simple, name = found.results.simple, "placebo_outcome"
    if isinstance(simple.p_value, Unavailable) or isinstance(simple.estimate, Unavailable):
        reason = simple.p_value.reason if isinstance(simple.p_value, Unavailable) else "There is no estimate."
        return not_assessable(name, f"{found.label}: {reason}", FindingKind.FALSIFICATION)
    sentence = (
        f"{found.label}, which the programme should not move, changed by {visible(simple.estimate)} more than among "
        f"those compared ({p_equals(simple.p_value)})."
    )
    n_areas = found.overall.n_areas if found.overall is not None else Unavailable("Errors are by cluster.")
    return Finding(
        name, _ranked(simple.p_value), simple.estimate, sentence, FindingKind.FALSIFICATION, simple.p_value, n_areas
    )
