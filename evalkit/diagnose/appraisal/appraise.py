"""Every analysis of a project on published scales: its facts, and the judgements that follow from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from evalkit.core.plan_lock import PlanKept
from evalkit.core.project import Project
from evalkit.core.quantities import Interval, Quantity, Unavailable
from evalkit.data.measures import measure_of
from evalkit.diagnose.appraisal.judgement import EEF, MARYLAND, ROBINS, WWC, Against, DesignFacts, Judgement, Measured
from evalkit.diagnose.appraisal.scales import maryland, n_serious_facts, robins, wwc
from evalkit.diagnose.evaluation import AnalysisResults, Evaluation
from evalkit.diagnose.finding import released_finding
from evalkit.diagnose.project.evaluation import NOT_TESTED, RULES, evidence_rating
from evalkit.estimate.effect import Effect

_BY_FACTS: Final = (ROBINS, MARYLAND, WWC)
"""Scales that every analysis with effects is judged on here; a kind may bring entries of others."""
_SHARES: Final = ("left_out", "units_lost")
"""Checks whose statistic is the share of the treated that could not be analysed."""
_NOT_LOST: Final = Unavailable("No check of this analysis gives the share of the treated without a result.")
_NO_SIZE: Final = Unavailable("No least detectable effect in pupil-level standard deviations can be given.")
_DETECTS: Final = (1.959964 + 0.841621) / 1.959964
"""Least effect detected in four cases of five, as a multiple of the half-length of its 95 % interval."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What the effects of a kind rest on: whom the treated are compared with, and whether with results before."""

    against: Against | None = "untreated"
    has_before: bool = True


def appraised(evaluation: Evaluation, bases: dict[str, Basis]) -> Evaluation:
    """Return an evaluation in which each analysis with effects is judged on published scales.

    `bases` has what each kind rests on. Entries of scales that a kind brings itself stay as they are.
    """
    judged = tuple(
        one
        if one.analysis.describes
        else replace(one, judgements=tuple(_judged(one, facts_of(one, bases[one.analysis.kind], evaluation.kept))))
        for one in evaluation.analyses
    )
    return replace(evaluation, analyses=judged)


def _judged(results: AnalysisResults, facts: DesignFacts) -> Iterator[Judgement]:
    yield from robins(facts)
    yield maryland(facts)
    yield from wwc(facts)
    own = [one for one in results.judgements if one.scale not in _BY_FACTS]
    if all(one.scale != EEF for one in own):
        yield security_of(facts)
    yield from own


def security_of(facts: DesignFacts) -> Judgement:
    """Return the indicative security of a result whose kind does not rank its falsification tests together."""
    rating = (
        evidence_rating(facts.detectable_sd, 0.0, 0)
        if isinstance(facts.lost, Unavailable)
        else evidence_rating(facts.detectable_sd, facts.lost, n_serious_facts(facts), NOT_TESTED)
    )
    if isinstance(facts.lost, Unavailable) and not isinstance(rating.value, Unavailable):
        label, why = "not rated", f"Not rated: {facts.lost.reason}"
    else:
        label, why = rating.label, rating.sentence
    return Judgement(scale=EEF, domain="Overall", judgement=label, sentence=why, rule=RULES)


def facts_of(results: AnalysisResults, basis: Basis, kept: PlanKept) -> DesignFacts:
    """Return what a judgement may rest on; the estimate is not among it."""
    project = results.project
    findings = tuple(released_finding(one, project.disclosure.threshold) for one in results.findings)
    alone = any(one.name == "compared" and one.statistic == 0.0 for one in findings)
    main = _main(results)
    return DesignFacts(
        against=None if alone else basis.against,
        has_before=basis.has_before,
        n_treated_areas=main.n_treated_clusters if main and main.cluster_level == "local_authority" else None,
        counts_whole_area=not project.participants.is_listed,
        measured=_measured(project),
        findings=findings,
        lost=next((one.statistic for one in findings if one.name in _SHARES), _NOT_LOST),
        detectable_sd=detectable_in_sd(main),
        kept=kept,
    )


def _main(results: AnalysisResults) -> Effect | None:
    return results.main(results.project.primary.code) or next((one for one in results.effects if one.is_main), None)


def _measured(project: Project) -> Measured:
    if project.primary.is_own:
        return "own table"
    return "teachers" if measure_of(project, project.primary.code).teacher_assessed else "outside"


def detectable_in_sd(effect: Effect | None) -> Quantity:
    """Return the least effect that an interval's length would detect, in pupil-level standard deviations.

    1.429 times half the length of the interval of g: where it lies does not count.
    """
    reach = effect.effect_size.hedges_g_interval if effect and effect.effect_size else _NO_SIZE
    return _DETECTS * (reach.upper - reach.lower) / 2 if isinstance(reach, Interval) else _NO_SIZE
