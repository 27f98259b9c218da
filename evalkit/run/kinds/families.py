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
from evalkit.estimate.areas.together import PlacedStatistic, Together, TogetherOptions, place_together
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
    placed = [_placed(one, code, intake, place) for one, code in asked]
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
    of_known = [each for each, found in zip(asked, placed, strict=True) if not isinstance(found, Unavailable)]
    judged = iter(_tests(of_known, together))
    return FamilyResults(
        name=family.name,
        tests=tuple(
            _without(one, code, found) if isinstance(found, Unavailable) else next(judged)
            for (one, code), found in zip(asked, placed, strict=True)
        ),
        n_areas=together.n_areas,
        n_sets=together.n_sets,
        over=together.over,
        least_p=together.least_p,
    )


def _placed(results: AnalysisResults, code: str, intake: ProjectData, place: Place) -> PlacedStatistic | Unavailable:
    """Return the statistic that judges an effect; an effect that is quoted without a p-value gets none here either."""
    main = results.main(code)
    if main is not None and isinstance(main.p_value, Unavailable):
        return main.p_value
    found = place(results.plan, code, intake)
    return found if isinstance(found, Unavailable) else found.as_judged


def _tests(asked: Sequence[tuple[AnalysisResults, str]], together: Together) -> Iterator[FamilyTest]:
    """Yield the test of each effect that could be placed.

    p by itself is that by which the effect is quoted, from draws of its own, and an adjusted one is never below it: of
    one effect no two p-values may be told that contradict each other. Raising a p-value raises no false alarm.
    """
    t, adjusted = together.standardised(), together.adjusted()
    alone = [_quoted(one, code, p) for (one, code), p in zip(asked, together.p_values().tolist(), strict=True)]
    for at, ((one, code), holm) in enumerate(zip(asked, holm_adjusted(alone), strict=True)):
        yield FamilyTest(
            analysis=one.analysis.name,
            outcome=code,
            statistic=t if isinstance(t, Unavailable) else float(t[at]),
            p_value=alone[at],
            p_adjusted=adjusted if isinstance(adjusted, Unavailable) else max(alone[at], float(adjusted[at])),
            holm=holm,
        )


def _quoted(results: AnalysisResults, code: str, rank: float) -> float:
    """Return the p-value by which an effect is quoted, or else that of its rank among the family's draws."""
    main = results.main(code)
    return main.p_value if main is not None and isinstance(main.p_value, float) else float(rank)


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
