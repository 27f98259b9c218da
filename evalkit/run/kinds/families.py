"""Effects of declared families judged together, over the same areas or sets; what is in none is exploratory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from evalkit.core.draws import SERIAL, Executor
from evalkit.core.project_parts import Family
from evalkit.core.quantities import Unavailable
from evalkit.data.published.project_data import ProjectData
from evalkit.design.analysis_plan import AnalysisPlan
from evalkit.diagnose.evaluation import AnalysisResults, Evaluation, FamilyResults, FamilyTest
from evalkit.estimate.areas.together import PlacedStatistic, TogetherOptions, place_together
from evalkit.estimate.effect import Effect, holm_adjusted

Place = Callable[[AnalysisPlan, str, ProjectData], PlacedStatistic | Unavailable]
"""The statistic of an outcome of an analysis as what can be placed beside others, whatever its kind."""


def with_families(evaluation: Evaluation, intake: ProjectData, place: Place, executor: Executor = SERIAL) -> Evaluation:
    """Return an evaluation with its families judged, and each effect with its family, or marked as exploratory."""
    project = evaluation.project
    named = [
        (family, [evaluation.analysis(name) for name in family.analyses or (project.primary_analysis.name,)])
        for family in project.families
    ]
    named += [(family, [results]) for results in evaluation.analyses for family in results.analysis.families]
    if not named:
        return evaluation
    families = tuple(_judged(family, analyses, intake, place, executor) for family, analyses in named)
    marked = tuple(_marked(results, families, project.exploratory) for results in evaluation.analyses)
    return replace(evaluation, analyses=marked, families=families)


def _judged(
    family: Family, analyses: Sequence[AnalysisResults], intake: ProjectData, place: Place, executor: Executor
) -> FamilyResults:
    """Return the tests of a family: those of its outcomes in each of its analyses, as far as they can be placed."""
    asked = [(one, code) for one in analyses for code in family.outcomes if _takes(one, code)]
    placed = [place(one.plan, code, intake) for one, code in asked]
    known = [one for one in placed if not isinstance(one, Unavailable)]
    project = analyses[0].project
    options = TogetherOptions(level=project.inference.level, seed=project.seed)
    together = place_together(known, options, executor) if known else Unavailable("No effect of it could be placed.")
    if isinstance(together, Unavailable):
        tests = tuple(
            _without(one, code, together if found in known else found)
            for (one, code), found in zip(asked, placed, strict=True)
        )
        return FamilyResults(name=family.name, tests=tests)
    ranks = together.p_values().tolist()
    t, adjusted, holm = together.standardised(), together.adjusted(), holm_adjusted(ranks)
    tests_of_known = iter(range(len(known)))
    return FamilyResults(
        name=family.name,
        tests=tuple(
            _without(one, code, found)
            if isinstance(found, Unavailable)
            else FamilyTest(
                analysis=one.analysis.name,
                outcome=code,
                statistic=t if isinstance(t, Unavailable) else float(t[at]),
                p_value=float(ranks[at]),
                p_adjusted=adjusted if isinstance(adjusted, Unavailable) else float(adjusted[at]),
                holm=holm[at],
            )
            for (one, code), found in zip(asked, placed, strict=True)
            for at in ([-1] if isinstance(found, Unavailable) else [next(tests_of_known)])
        ),
        n_areas=together.n_areas,
        n_sets=together.n_sets,
        least_p=together.least_p,
    )


def _takes(results: AnalysisResults, code: str) -> bool:
    return any(one.code == code for one in results.project.outcomes)


def _without(results: AnalysisResults, code: str, reason: Any) -> FamilyTest:
    why = reason if isinstance(reason, Unavailable) else Unavailable("It could not be placed with the others.")
    return FamilyTest(
        analysis=results.analysis.name, outcome=code, statistic=why, p_value=why, p_adjusted=why, holm=why
    )


def _marked(
    results: AnalysisResults, families: Sequence[FamilyResults], exploratory: frozenset[str]
) -> AnalysisResults:
    """Return results whose effects say which family they are judged in, wherever the kind keeps them."""
    effects = tuple(_effects(results.analysis.name, results.effects, families, exploratory))
    details: Any = results.details
    if is_dataclass(details) and any(one.name == "effects" for one in fields(details)):
        details = replace(details, effects=effects)  # type: ignore[type-var]  # a noun, not a class
    return replace(results, effects=effects, details=details)


def _effects(
    name: str, effects: Sequence[Effect], families: Sequence[FamilyResults], exploratory: frozenset[str]
) -> Iterator[Effect]:
    tests = {(one.analysis, one.outcome): (family.name, one) for family in families for one in family.tests}
    for effect in effects:
        family, test = tests.get((name, effect.outcome), ("", None))
        whole = effect.outcome.partition("-")[0]
        yield replace(
            effect,
            family=family,
            p_adjusted=test.p_adjusted if test is not None and effect.is_main else None,
            is_exploratory=whole in exploratory and not family,
        )
