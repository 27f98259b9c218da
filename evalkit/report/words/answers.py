"""What all analyses of a project say, in sentences that follow their kind and their estimand, whatever the kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Final

from evalkit.core.errors import EvalkitError
from evalkit.core.formats import as_sentence, count, interval_text, lower_first, p_equals, pounds, visible
from evalkit.core.project import Project
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted, listed
from evalkit.design.analysis_plan import AnalysisPlan, ProjectDesign
from evalkit.diagnose.evaluation import AnalysisResults, Evaluation
from evalkit.diagnose.finding import Finding, Verdict
from evalkit.estimate.effect import Effect
from evalkit.report.border.parts import Heading, Part, Parts, Prose
from evalkit.report.kinds.kind_module import T, said_by_kind
from evalkit.report.kinds.locked import locked_parts
from evalkit.report.tables.missing import missing_parts
from evalkit.report.words.judged import judgement_parts
from evalkit.report.words.names import capital, effect_unit, measure_label, units_counted, units_of

NOT_AN_EFFECT: Final = (
    "Nothing here says what the programme changed: whatever else happened over these years is part of every number."
)
"""What stands below every headline of an analysis that describes."""
NOTHING_SHOWN: Final = "This kind of analysis shows nothing more here."
_MOST_FINDINGS: Final = 3

# Which effects an analysis is quoted by, and what it is called.


def main_effects(results: AnalysisResults) -> tuple[Effect, ...]:
    """Return the effect by which an analysis is quoted for each outcome, in the order of the project's outcomes.

    Where none is marked it is the first of each outcome.
    """
    marked = [effect for effect in results.effects if effect.is_main]
    first: dict[str, Effect] = {}
    for effect in marked or results.effects:
        first.setdefault(effect.outcome, effect)
    order = [outcome.code for outcome in results.project.outcomes]
    return tuple(sorted(first.values(), key=lambda one: order.index(one.outcome) if one.outcome in order else 99))


def main_effect(results: AnalysisResults) -> Effect | None:
    """Return the effect by which an analysis is quoted for the primary outcome, the first one where it lacks that."""
    shown = main_effects(results)
    own = (one for one in shown if results.project.outcomes and one.outcome == results.project.primary.code)
    return next(chain(own, shown), None)


def title_of(plan: AnalysisPlan) -> str:
    """Return what an analysis is called in headings: its kind in words, and its name."""
    return f"{capital(plan.label)} (“{plan.analysis.name}”)"


def in_order(evaluation: Evaluation) -> tuple[AnalysisResults, ...]:
    """Return the results of all analyses, those of the primary one first."""
    return tuple(sorted(evaluation.analyses, key=lambda one: not one.analysis.primary))


# The answer of the primary analysis, who was compared with whom, how sure it is.


def summary(evaluation: Evaluation) -> Parts:
    """Return the answer of the primary analysis in a sentence, and its key numbers."""
    results = evaluation.primary
    more: Iterable[Part] = said_by_kind("summary_parts", results, lambda _: ())
    return Parts((bounded_answer(results), *more))


def bounded_answer(results: AnalysisResults) -> Prose:
    """Return the answer of an analysis; of one that describes with what it is not, and refused where it claims more.

    Raises
    ------
    EvalkitError
        If an analysis that describes speaks of an effect in its headline.
    """
    own: Prose = said_by_kind("answer", results, answer_sentence)
    if not results.analysis.describes:
        return own
    claimed = _CLAIMS.search(own.text.replace(NOT_AN_EFFECT, ""))
    if claimed:
        raise EvalkitError(
            f"The headline of '{results.analysis.name}' says “{claimed[0]}”, and an analysis of the kind "
            f"`{results.analysis.kind}` describes: it may say “change”, “met” or “missed”, and never of an effect."
        )
    return Prose((*(one for one in own.sentences if one != NOT_AN_EFFECT), NOT_AN_EFFECT), "headline")


_CLAIMS: Final = re.compile(r"\b(effects?|impacts?|caus(?:e|es|ed|al)|because of|due to|thanks to|led to)\b", re.I)
"""Words by which a headline would put what was measured down to a programme."""


def answer_sentence(results: AnalysisResults) -> Prose:
    """Return the answer of an analysis in a sentence no stronger than its interval allows, and what it rests on."""
    if results.analysis.describes:
        return Prose((f"{capital(results.plan.label)}: what was found stands below.", NOT_AN_EFFECT), "headline")
    effect = main_effect(results)
    if effect is None:
        return Prose(("The analysis gives no effect.",), "headline")
    would = said_by_kind("would_have", results, lambda _: "would have moved as those compared")
    rests = f"It holds only if, without the programme, {_treated(results, effect)} {would}."
    is_told = not isinstance(effect.estimate, Unavailable)
    return Prose((_answer(results, effect), *((rests,) if is_told else ())), "headline")


def _answer(results: AnalysisResults, effect: Effect) -> str:
    project = results.project
    what, who = lower_first(measure_label(project, effect.outcome)), _treated(results, effect)
    if isinstance(effect.estimate, Unavailable):
        return f"The data do not show how {what} changed in {who}: {lower_first(effect.estimate.reason).rstrip('.')}."
    unit = effect_unit(project, effect)
    best = f"{visible(abs(effect.estimate))} {unit} {'lower' if effect.estimate < 0 else 'higher'}"
    if not isinstance(effect.interval, Interval):
        why = lower_first(effect.interval.reason).rstrip(".")
        if not isinstance(effect.p_value, Unavailable):
            return (
                f"The best estimate is that {what} in {who} was {best} than the comparison leads one to expect. If the "
                f"programme had changed nothing, {_as_far(effect)} ({p_equals(effect.p_value)}); which other effects "
                f"fit the data is not known ({why})."
            )
        return (
            f"The data do not show whether {what} was higher in {who} than it would have been: the best estimate is "
            f"{best}, and how far chance could have moved it is not known ({why})."
        )
    fits = f"anything from {interval_text(effect.interval)} fits the data"
    if 0.0 in effect.interval:
        return (
            f"The data do not show whether {what} was higher in {who} than it would have been: the best estimate is "
            f"{best}, but {fits}."
        )
    return f"{capital(what)} in {who} was {best} than the comparison leads one to expect; {fits}."


def _treated(results: AnalysisResults, effect: Effect) -> str:
    units = units_counted(results.project, (results.plan,))
    named = units if effect.n_treated != 1 else units.removesuffix("s")
    return f"the {count(effect.n_treated)} {named} of the programme"


def comparison(evaluation: Evaluation) -> Prose:
    """Return who was compared with whom in the primary analysis, and how the others differ."""
    own: Prose = said_by_kind("comparison", evaluation.primary, _comparison)
    others = [results.plan for results in in_order(evaluation)[1:]]
    if not others:
        return own
    names = listed([f"“{plan.analysis.name}” ({plan.label})" for plan in others], 9)
    beside = "Another analysis stands" if len(others) == 1 else f"{capital(count(len(others)))} other analyses stand"
    return Prose((*own.sentences, f"{beside} beside it: {names}."), own.kind)


def _comparison(results: AnalysisResults) -> Prose:
    if results.analysis.describes:
        return Prose(("Nobody is compared as treated and untreated: no effect is estimated.",))
    effect = main_effect(results)
    if effect is None:
        return Prose((f"{capital(results.plan.label)}.",))
    return Prose(
        (
            f"{capital(results.plan.label)}: {_treated(results, effect)} are compared with "
            f"{count(effect.n_comparison)} others.",
            as_sentence(results.estimand),
        )
    )


def certainty(evaluation: Evaluation) -> Prose:
    """Return how sure the answer of the primary analysis is and why, and whether the other analyses agree."""
    own: Prose = said_by_kind("certainty", evaluation.primary, _certainty)
    agreement = _agreement(evaluation)
    return Prose((*own.sentences, *((agreement,) if agreement else ())), "list")


def _certainty(results: AnalysisResults) -> Prose:
    if results.analysis.describes:
        return Prose(tuple(as_sentence(str(finding.sentence)) for finding in worst_findings(results)), "list")
    effect = main_effect(results)
    sentences = [f"Its uncertainty is that of the {_method(results)}. {as_sentence(results.reason)}"]
    if effect is not None and not isinstance(effect.p_value, Unavailable):
        sentences.insert(0, f"If the programme had changed nothing, {_as_far(effect)} ({p_equals(effect.p_value)}).")
    sentences += [as_sentence(str(finding.sentence)) for finding in worst_findings(results)]
    return Prose(tuple(sentences), "list")


def _as_far(effect: Effect) -> str:
    p = effect.p_value
    assert not isinstance(p, Unavailable)
    share = f"about {count(int(100 * p + 0.5))} in 100" if p >= 0.01 else "fewer than 1 in 100"
    return f"{share} such results would lie as far from none"


def _method(results: AnalysisResults) -> str:
    return results.recommended.replace("_", " ") or "analysis itself"


def worst_findings(results: AnalysisResults) -> tuple[Finding, ...]:
    """Return the gravest findings of an analysis, at most three: serious ones, then cautions."""
    grave = [
        one for verdict in (Verdict.SERIOUS, Verdict.CAUTION) for one in results.findings if one.verdict == verdict
    ]
    return tuple(grave[:_MOST_FINDINGS])


def _agreement(evaluation: Evaluation) -> str:
    """Return what the other analyses give for the primary outcome, in a sentence."""
    if evaluation.primary.analysis.describes:
        return ""
    code = evaluation.primary.project.primary.code
    others = [
        (results, effect)
        for results in in_order(evaluation)[1:]
        for effect in main_effects(results)
        if effect.outcome == code
    ]
    told = [
        f"{visible(effect.estimate)}{_unit(results, effect)}{_ends(effect)} (“{results.analysis.name}”)"
        for results, effect in others
        if not isinstance(effect.estimate, Unavailable)
    ]
    if not told:
        return ""
    verb = "The other analysis gives" if len(told) == 1 else "The other analyses give"
    return f"{verb} {listed(told, 9)}."


def _unit(results: AnalysisResults, effect: Effect) -> str:
    """Return the unit of an effect that has another than its outcome, before its interval."""
    return f" {effect_unit(results.project, effect)}" if effect.unit else ""


def _ends(effect: Effect) -> str:
    return f", {interval_text(effect.interval)}" if isinstance(effect.interval, Interval) else ", without an interval"


# What it cost, and what no analysis can do.


def cost_in_all(evaluation: Evaluation) -> Parts:
    """Return what the programme cost, and of its effect what the primary analysis allows to be said beside that."""
    parts: Iterable[Part] = said_by_kind("cost_parts", evaluation.primary, lambda one: (cost_in_short(one.project),))
    return Parts(tuple(parts))


def cost_in_short(project: Project) -> Prose:
    """Return the cost in all and for each school it was spent on."""
    spent = project.cost
    if spent is None:
        return Prose(("The project file states no cost.",))
    each = f"{pounds(spent.total_gbp / spent.schools)} for each of the {counted(spent.schools, 'school')}"
    return Prose(
        (
            f"The programme cost {pounds(spent.total_gbp)}: {each} it was spent on.",
            f"Source: {as_sentence(spent.source)}",
            "It is the funder's grant only: staff time in schools and other costs are not known.",
        )
    )


# What each kind adds: in the body of the report for the primary analysis, in the annexes for all.


def answer_in_short(evaluation: Evaluation) -> Parts:
    """Return what a reader must see of the primary analysis's answer, by its kind."""
    parts: Iterable[Part] = said_by_kind("answer_parts", evaluation.primary, lambda _: ())
    return Parts(tuple(parts))


def plans_in_full(design: ProjectDesign) -> Parts:
    """Return what each kind shows of its plan, under a heading for each analysis where there are several.

    Of a kind that shows nothing of its own it is what the plan locks.
    """
    plans = sorted(design.plans, key=lambda plan: not plan.analysis.primary)
    return Parts(tuple(_of_each(plans, "design_parts", lambda plan: plan, otherwise=locked_parts)))


def reviews_in_full(evaluation: Evaluation) -> Parts:
    """Return what each kind shows of what could be wrong, under a heading for each analysis where there are several."""
    every = list(in_order(evaluation))
    return Parts(tuple(_of_each(every, "review_parts", lambda results: results.plan, _of_any_kind)))


def _of_any_kind(results: AnalysisResults) -> tuple[Part, ...]:
    return (*missing_parts(results), *judgement_parts(results))


def _nothing_more(of: object) -> tuple[Part, ...]:
    return ()


def _of_each(
    several: list[T],
    verb: str,
    plan_of: Callable[[T], AnalysisPlan],
    more: Callable[[Any], tuple[Part, ...]] = _nothing_more,
    otherwise: Callable[[Any], tuple[Part, ...]] = _nothing_more,
) -> Iterator[Part]:
    """Yield what the kind of each says under a verb, or `otherwise`, and `more` that is said of any kind."""
    for one in several:
        parts: tuple[Part, ...] = tuple(said_by_kind(verb, one, otherwise))
        parts += more(one)
        parts = parts or (Prose((NOTHING_SHOWN,)),)
        if len(several) > 1:
            yield Heading(2, title_of(plan_of(one)))
            yield from parts
        else:
            yield from (Heading(part.level - 1, part.text) if isinstance(part, Heading) else part for part in parts)


def limits(evaluation: Evaluation) -> Prose:
    """Return what the primary analysis cannot do."""
    found: Prose = said_by_kind("limits", evaluation.primary, _limits)
    return found


def _limits(results: AnalysisResults) -> Prose:
    if results.analysis.describes:
        return Prose((NOT_AN_EFFECT, "It says what was measured, and no more of those who were not."), "list")
    units = units_of(results.project)
    return Prose(
        (
            f"No comparison can tell the programme from whatever else changed in the same {units} at the same time.",
            "It says what happened on average, not in any one of them, and nothing of other places.",
        ),
        "list",
    )
