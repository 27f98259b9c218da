"""What could be wrong with the effect of an analysis of pupils in schools."""

from __future__ import annotations

from typing import Final

from evalkit.core.formats import p_equals, visible
from evalkit.core.quantities import Estimate, Quantity, Unavailable
from evalkit.core.sentence import Count, Derived, Sentence, count
from evalkit.core.words import counted
from evalkit.diagnose.finding import (
    DIFFERENTIAL,
    Finding,
    FindingKind,
    Verdict,
    banded,
    design_fact,
    not_assessable,
    statement,
)
from evalkit.diagnose.kinds.pupils import PupilFindings, PupilOutcomeResults, SchoolTest
from evalkit.diagnose.kinds.pupils_effects import total_sd
from evalkit.diagnose.matched.balance_registry import ADJUSTABLE, SATISFIED
from evalkit.estimate.areas.sets import SetsInference

_SMALL_SHARES: Final = (0.1, 0.2)
"""Shares of schools with fewer than ten pupils: a caution, and serious."""


def findings_of(found: PupilFindings) -> tuple[Finding, ...]:
    """Return what could be wrong with the primary outcome's effect, each check named and judged."""
    primary = found.primary
    checks = [
        _baseline(primary),
        _attrition(primary, found.plan.is_linked),
        _small_schools(primary),
        _before(primary),
        _model_and_means(primary),
        *(_placebo(one) for one in found.outcomes if one.role == "placebo"),
        *(design_fact("areas_unknown", Verdict.CAUTION, 1.0, text) for text in found.plan.cautions),
    ]
    return tuple(checks)


def _baseline(found: PupilOutcomeResults) -> Finding:
    gap = found.gap
    if isinstance(gap, Unavailable):
        return not_assessable("baseline", gap.reason, FindingKind.DESIGN_FACT)
    side = "above" if gap >= 0 else "below"
    sentence = (
        f"Before the programme the treated schools' pupils stood {visible(abs(gap))} standard deviations of pupils "
        f"{side} those compared. The What Works Clearinghouse asks for at most {SATISFIED}, or {ADJUSTABLE} with "
        "adjustment; a comparison of changes tolerates a difference in level only if level and later change are "
        "unrelated."
    )
    return design_fact("baseline", banded(abs(gap), SATISFIED, ADJUSTABLE), gap, sentence)


def _attrition(found: PupilOutcomeResults, is_linked: bool) -> Finding:
    treated, compared = found.losses
    if not treated.n or not compared.n:
        return not_assessable("attrition", "An arm has no pupils.", FindingKind.DESIGN_FACT)
    apart = abs(treated.share - compared.share)
    parts: dict[str, Count | Derived] = {}
    for name, arm in (("treated", treated), ("compared", compared)):
        lost = count(arm.n - arm.kept, of="pupils", among=arm.n)  # with `among` neither it nor its rest is of few
        parts |= {
            f"{name}_lost": lost,
            f"{name}_n": count(arm.n, of="pupils"),
            f"{name}_share": Derived(f"{visible(100 * arm.share, 1)}%", lost),
        }
    sentence = Sentence(
        "Of {treated_n} pupils of treated schools "
        + ("with a result before" if is_linked else "after the programme")
        + " {treated_lost} ({treated_share}), and of {compared_n} of those compared {compared_lost} ({compared_share}) "
        + ("have no later result" if is_linked else "have no result")
        + " or lack a covariate.",
        **parts,
    )
    return design_fact("attrition", banded(apart, *DIFFERENTIAL), apart, sentence)


def _small_schools(found: PupilOutcomeResults) -> Finding:
    small = found.small
    if not small.n:
        return not_assessable("few_pupils", "No school is in the model.", FindingKind.DESIGN_FACT)
    share = small.n_small / small.n
    sentence = (
        f"{counted(small.n_small, 'school')} of {small.n:,} have fewer than ten pupils on a side of the comparison: "
        "the model trusts their means less, school means with equal weights do not."
    )
    return design_fact("few_pupils", banded(share, *_SMALL_SHARES), share, sentence)


def _before(found: PupilOutcomeResults) -> Finding:
    test, name = found.before, "before_the_programme"
    if isinstance(test, Unavailable):
        return not_assessable(name, test.reason, FindingKind.FALSIFICATION)
    said = "From the earlier years before the programme to the last of them the treated schools moved by {} more than "
    return _ranked_finding(name, test, said + "those compared")


def _placebo(found: PupilOutcomeResults) -> Finding:
    said = f"{found.label}, which the programme should not move, changed by {{}} more than among those compared"
    return _ranked_finding("placebo_outcome", found.means, said)


def _ranked_finding(name: str, test: SchoolTest, said: str) -> Finding:
    estimate, p = test.estimate, p_of(test)
    if isinstance(estimate, Unavailable) or isinstance(p, Unavailable):
        reason = p.reason if isinstance(p, Unavailable) else str(estimate)
        return not_assessable(name, reason, FindingKind.FALSIFICATION)
    verdict = Verdict.SERIOUS if p <= 0.05 else Verdict.CAUTION if p <= 0.20 else Verdict.REASSURING
    by_cluster = Unavailable("Errors are by cluster.")
    n_areas = test.sets.n_areas if isinstance(test.sets, SetsInference) else by_cluster
    sentence = f"{said.format(visible(estimate))} ({p_equals(p)})."
    return Finding(name, verdict, estimate, sentence, FindingKind.FALSIFICATION, p, n_areas)


def p_of(test: SchoolTest) -> Quantity:
    """Return the p-value of what judges a difference."""
    if test.inference is not None:
        return test.inference.p_value
    return test.sets.p_value if isinstance(test.sets, SetsInference) else Unavailable("No set was drawn.")


def _model_and_means(found: PupilOutcomeResults) -> Finding:
    name, effect, means = "model_and_means", found.model.effect, found.means.estimate
    if not isinstance(effect, Estimate) or isinstance(means, Unavailable):
        return not_assessable(name, "The model or schools' means give no effect.")
    apart = effect.value - means
    beside = "" if isinstance(found.pupils, Unavailable) else f", pupils taken together {visible(found.pupils)}"
    sentence = (
        f"The model gives {visible(effect.value)}, schools' means give {visible(means)}{beside}: model and means are "
        f"{visible(abs(apart) / total_sd(found.empty)[0])} standard deviations of pupils apart. They differ in what "
        "each school counts, and where areas are set against their own neighbours in whom each is compared with."
    )
    return statement(name, apart, sentence)
