"""What documents and results.json show of an analysis of the kind `areas`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any, Final

from evalkit.core.disclosure import few
from evalkit.core.plain import plain
from evalkit.core.project import Project
from evalkit.core.quantities import Unavailable
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.project.plan import DesignStage
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.project.evaluation import AreaDistribution, AreasResults, ClaimCheck, Headline
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure, Heading, Part, Prose
from evalkit.report.documents.released import effect_record
from evalkit.report.figures.area_map import area_map
from evalkit.report.figures.choices import choices_plot, specification_curve
from evalkit.report.figures.design import love_plot, participant_flow
from evalkit.report.figures.main_effect import interval_plot, permutation_plot
from evalkit.report.figures.years import event_study_plot, trajectories_plot
from evalkit.report.tables import design as of_design
from evalkit.report.tables import effects as of_effects
from evalkit.report.tables import outcomes as of_outcomes
from evalkit.report.tables import review as of_review
from evalkit.report.tables.checklist import checklist
from evalkit.report.tables.effects import inference, key_numbers
from evalkit.report.words import sentences, statements, summary

_NO_COST = Unavailable("The project file states no cost.")
_NO_MEASURE = Unavailable("No outcome of this project bears on it.")


def areas_of(results: AnalysisResults) -> AreasResults:
    """Return what the kind's own pipeline found."""
    return details_of(results, AreasResults)


def record(results: AnalysisResults) -> dict[str, Any]:
    """Return what results.json holds of the primary analysis beside its entry among the analyses."""
    evaluation = areas_of(results)
    design = evaluation.design
    return {
        "headline": _headline_record(evaluation.headline),
        "effects": [effect_record(effect, evaluation.project) for effect in evaluation.effects],
        "balance": plain(design.balance),
        "flow": plain(evaluation.flow.rows),
        "findings": plain(evaluation.findings),
        "outcomes": plain(evaluation.outcomes),
        "trajectories": plain(evaluation.trajectories),
        "areas": plain(design.areas),
        "distributions": [_distribution_record(one, evaluation.project) for one in evaluation.distributions],
        "bands": plain(evaluation.bands),
        "matches": plain(design.matches),
        "identity": plain(design.identity),
        "participants": plain(design.participants),
        "conversions": plain(evaluation.conversions),
        "detectable": plain(evaluation.detectable),
        "attrition": plain(evaluation.attrition),
        "intraclass": plain(evaluation.intraclass),
        "rating": plain(evaluation.rating),
        "judgements": plain(results.judgements),
        "claims": [_claim_record(check) for check in evaluation.claims],
        "cost": plain(evaluation.cost or _NO_COST),
        "limits": plain(evaluation.limits),
        "given_baseline": plain(evaluation.given),
        "dilution": plain(evaluation.dilution),
        "bounds": plain(evaluation.bounds),
        "pre_trends": plain(evaluation.pre_trends),
        "influence": plain(evaluation.influences),
    }


def _headline_record(headline: Headline) -> dict[str, Any]:
    counts = {key: getattr(headline, key) for key in ("n_areas", "n_as_large")}
    record: dict[str, Any] = plain(headline)
    return record | {key: plain(n) if isinstance(n, Unavailable) else int(n) for key, n in counts.items()}


def _distribution_record(distribution: AreaDistribution, project: Project) -> dict[str, Any]:
    """Return the changes of all areas, and where they stood before; numbers of few schools stay in."""
    record: dict[str, Any] = {
        key: plain(getattr(distribution, key))
        for key in ("outcome", "design", "areas", "names", "effects", "treated_area")
    }
    if distribution.before is None:
        return record
    threshold = project.disclosure.threshold
    schools = [plain(n if n >= threshold else _few_schools(threshold)) for n in distribution.before.n_schools]
    return {**record, **plain(distribution.before), "n_schools": schools}


def _few_schools(threshold: int) -> Unavailable:
    return Unavailable(few(threshold, "schools"))


def _claim_record(check: ClaimCheck) -> dict[str, Any]:
    claim = check.claim
    held = {field.name: getattr(claim, field.name) for field in fields(claim)}
    if claim.measure is None:
        held["measure"] = Unavailable(claim.reason) if claim.reason else _NO_MEASURE
    return {"claim": plain(held), "verdict": check.verdict, "sentence": check.sentence}


# What a reader sees of it, in the summary, the body and the annexes.


def stage_of(plan: AnalysisPlan) -> DesignStage:
    """Return the design of the kind's own pipeline, as a reader may see it."""
    stage: DesignStage = plan.details.stage  # type: ignore[attr-defined]  # the plan's class is of a room above
    return stage


def whom(plan: AnalysisPlan) -> str:
    """Return whom the evaluation is about: a whole area with the dilution this implies, or named schools."""
    return statements.whom(stage_of(plan))


def estimand(plan: AnalysisPlan) -> dict[str, str]:
    """Return the rows of the estimand table that this kind has words of its own for."""
    return statements.estimand(stage_of(plan))


def answer(results: AnalysisResults) -> Prose:
    """Return the answer in one sentence, no stronger than the interval allows, and what it cannot say."""
    return summary.summary_answer(areas_of(results))


def summary_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the figure and the small table of the page of the summary."""
    return interval_plot(areas_of(results)), key_numbers(areas_of(results))


def comparison(results: AnalysisResults) -> Prose:
    """Return who was compared with whom: schools, areas and years."""
    return summary.summary_comparison(areas_of(results))


def certainty(results: AnalysisResults) -> Prose:
    """Return how sure the answer is and why, in a few short sentences."""
    return summary.summary_certainty(areas_of(results))


def cost_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the cost in all, for each school and pupil, and for a unit of effect only where that can be given."""
    return (summary.cost_in_short(areas_of(results)),)


def limits(results: AnalysisResults) -> Prose:
    """Return what this evaluation cannot do."""
    return of_review.limits(areas_of(results))


def answer_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the headline with what it rests on, and the years behind it."""
    found = areas_of(results)
    return sentences.headline(found), sentences.headline_explained(found), trajectories_plot(found)


def equation(plan: AnalysisPlan) -> tuple[str, ...]:
    """Return the estimate as an equation, and what its letters mean."""
    weigh = "each pupil" if plan.project.estimation.weights == "pupils" else "each school"
    return (
        "T = Σₐ (nₐ/n) [ (Ȳₐ,after − Ȳₐ,before) − (C̄ₐ,after − C̄ₐ,before) ]",
        f"a: a treated area, with nₐ of the n treated schools; Ȳ: the mean over its schools, {weigh} weighing alike; "
        "C̄: that over the schools of its neighbours; before and after: the means of the years named above.",
    )


def design_parts(plan: AnalysisPlan) -> tuple[Part, ...]:
    """Return everything that was decided before outcomes."""
    design = stage_of(plan)
    return shown(
        "Which schools count as taking part?",
        of_design.participants(design),
        "Which choices were made?",
        Prose(("Every one stands in the project file, where a reviewer can change it and run the report again.",)),
        of_design.choices(design),
        "Which areas serve as comparison?",
        statements.areas_compared(design),
        of_design.areas(design),
        area_map(design),
        of_design.contamination(design),
        "Which schools were lost on the way, and why?",
        of_design.flow_before(design),
        "How were schools followed when they changed identity?",
        of_design.identity(design),
        "Whom does matching pick?",
        of_design.matches(design),
        "Are the schools compared alike?",
        love_plot(design),
        of_design.balance(design),
        "What must be known of the measures?",
        of_design.measures(design),
        "How small a difference could this design detect?",
        of_design.detectable_at_design(design),
    )


def review_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return what could be wrong with it, and how others would judge it."""
    found = areas_of(results)
    return shown(
        "Which choices move the answer?",
        choices_plot(found),
        specification_curve(found),
        *_diluted(found),
        "How far may trends part before the rank is lost?",
        of_review.bounds_words(found),
        of_review.bounds(found),
        "Which earlier trends would have been seen?",
        *_trends(found),
        "Who moves the result?",
        of_review.influence(found),
        "What else changed in these schools?",
        of_review.conversions(found),
        "How small a difference could have been seen?",
        of_review.detectable(found),
        "What was claimed, and what do these data show?",
        of_review.claims(found),
        "What did it cost, item by item?",
        of_review.cost(found),
        "What does a reviewer ask for, and where is it?",
        checklist(found),
    )


def _trends(found: AreasResults) -> tuple[Part, ...]:
    """Return which trends before the programme would have been found, or why none could have been."""
    if isinstance(found.pre_trends, Unavailable):
        return (Prose((found.pre_trends.reason,)),)
    return of_review.pre_trends_words(found.pre_trends), of_review.pre_trends(found.pre_trends)


def _diluted(found: AreasResults) -> tuple[Part | str, ...]:
    """Return what the whole areas' change would be on the listed schools, where they are part of their areas."""
    return ("What if the change of the whole area were the programme's?", of_effects.dilution(found)) * bool(
        found.dilution
    )


def shown(*parts: Part | str | None) -> tuple[Part, ...]:
    """Return parts with a heading for each text among them; what there is none of is left out."""
    return tuple(Heading(3, part) if isinstance(part, str) else part for part in parts if part is not None)


TABLES: Final[dict[str, Callable[[AreasResults], ReleasedTable]]] = {
    "areas": lambda evaluation: of_design.areas(evaluation.design),
    "flow": of_design.flow,
    "flow_before": lambda evaluation: of_design.flow_before(evaluation.design),
    "identity": lambda evaluation: of_design.identity(evaluation.design),
    "participants": lambda evaluation: of_design.participants(evaluation.design),
    "matches": lambda evaluation: of_design.matches(evaluation.design),
    "balance": lambda evaluation: of_design.balance(evaluation.design),
    "measures": lambda evaluation: of_design.measures(evaluation.design),
    "choices": of_design.choices,
    "contamination": of_design.contamination,
    "key_numbers": key_numbers,
    "outcomes": of_outcomes.outcomes,
    "outcome_results": of_outcomes.outcome_results,
    "intraclass": of_outcomes.intraclass,
    "attrition": of_outcomes.attrition,
    "effects": of_effects.effects,
    "other_effects": of_effects.other_effects,
    "event_study": of_effects.event_study,
    "inference": inference,
    "dilution": of_effects.dilution,
    "effect_sizes": of_effects.effect_sizes,
    "findings": of_review.findings,
    "claims": of_review.claims,
    "conversions": of_review.conversions,
    "detectable": of_review.detectable,
    "bounds": of_review.bounds,
    "influence": of_review.influence,
    "cost": of_review.cost,
    "checklist": checklist,
}
FIGURES: Final[dict[str, Callable[[AreasResults], Figure | None]]] = {
    "interval": interval_plot,
    "trajectories": trajectories_plot,
    "event_study": event_study_plot,
    "permutation": permutation_plot,
    "choices": choices_plot,
    "balance": lambda evaluation: love_plot(evaluation.design),
    "flow": participant_flow,
    "specifications": specification_curve,
    "map": lambda evaluation: area_map(evaluation.design),
}


def tables(results: AnalysisResults) -> dict[str, ReleasedTable]:
    """Return every table of the analysis by the name of its file."""
    return {name: table(areas_of(results)) for name, table in TABLES.items()}


def figures(results: AnalysisResults) -> dict[str, Callable[[], Figure | None]]:
    """Return what draws each figure of the analysis, by the name of its files."""
    return {name: partial(drawing, areas_of(results)) for name, drawing in FIGURES.items()}
