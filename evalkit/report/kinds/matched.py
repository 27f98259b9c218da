"""What documents show of a matched comparison: who was matched with whom, the answer, what it withstands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from evalkit.core.formats import as_sentence, interval_text, level_text, lower_first, mean_of, p_equals, visible
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted, listed
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.kinds.matched import OutcomeMatch
from evalkit.design.project.set_rule import SUCH_SETS
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.matched import MatchedOutcome, MatchedResults, MatchedStage, estimate_label
from evalkit.diagnose.matched.balance import MatchBalance
from evalkit.estimate.effect import Effect
from evalkit.estimate.matched.after_matching import AFTER_NAMES
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Figure, Heading, Part, Parts, Prose, sentences
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.tables.design import measures_compared, participants_left
from evalkit.report.tables.matched import match_balance_table, match_findings_table, match_means, sensitivity
from evalkit.report.tables.review import permuted_bounds, permuted_bounds_words, pre_trends, pre_trends_words
from evalkit.report.words.matched import design_sentences, method_words
from evalkit.report.words.names import capital, units_of

_BRACKET: Final = "Change and analysis of covariance"
_MOST_COVARIATES: Final = 6


def matched_of(results: AnalysisResults) -> MatchedResults:
    """Return what the kind's own pipeline found."""
    return details_of(results, MatchedResults)


def stage_of(plan: AnalysisPlan) -> MatchedStage:
    """Return the kind's own plan with its balance."""
    return details_of(plan, MatchedStage)


def estimand(plan: AnalysisPlan) -> dict[str, str]:
    """Return the rows of the estimand table that this kind has words of its own for."""
    stage, post = stage_of(plan), mean_of(plan.project.exposure.post)
    pre = next((one.pre for one in stage.plan.outcomes if one.outcome == plan.project.primary.code), ())
    asked = stage.plan.options.estimate or ("change" if pre else "difference")
    change = f"the change from {mean_of(pre) if pre else 'the years before'} to {post}"
    what = {
        "change": f"{change}, less that of those compared with them",
        "ancova": f"the mean in {post} less that of those compared with them, given what was known before",
        "difference": f"the mean in {post} less that of those compared with them",
    }[asked]
    weighed = {"ATT": "treated ", "ATE": "treated and compared ", "ATC": "compared "}[stage.plan.options.estimand]
    return {
        "comparator": _comparator(stage, plan.project.primary.code),
        "summary": f"The average over the {weighed}{units_of(plan.project)} of {what}.",
    }


def _comparator(stage: MatchedStage, primary: str) -> str:
    """Return who is compared, how they were chosen and on what, and from where they may come."""
    plan = stage.plan
    design = next((one.design for one in plan.outcomes if one.outcome == primary), None)
    units, where = units_of(plan.project), "outside the areas of participants"
    if plan.neighbours is not None:
        where = "in the statistical neighbours of the treated areas"
    if design is None:
        return f"{capital(units)} {where}."
    on = listed([str(name) for name in design.baseline.covariates], _MOST_COVARIATES)
    return f"{capital(units)} {where}, by {method_words(design)}, compared on {on}."


def would_have(results: AnalysisResults) -> str:
    """Return what the answer rests on, which differs between a change and a difference afterwards."""
    asked = matched_of(results).outcomes[0].estimates.asked if matched_of(results).outcomes else "difference"
    return {
        "change": "would have moved as those compared with them did",
        "ancova": "would have done as those compared that were like them in what was known before",
        "difference": "would have done as those compared with them did: that nothing which was not measured tells them "
        "apart",
    }[asked]


# The plan, before outcomes.


def equation(plan: AnalysisPlan) -> tuple[str, ...]:
    """Return the estimate as an equation, and what its letters mean."""
    pre = any(one.pre for one in stage_of(plan).plan.outcomes if one.outcome == plan.project.primary.code)
    asked = stage_of(plan).plan.options.estimate or ("change" if pre else "difference")
    what = {
        "change": "zᵢ: the mean of unit i after less its mean before",
        "ancova": "zᵢ: the mean of unit i after; of those compared its prediction at the treated's own years before "
        "and covariates, by least squares with the weights of the match",
        "difference": "zᵢ: the mean of unit i after",
    }[asked]
    return (
        "T = Σ wᵢDᵢzᵢ/Σ wᵢDᵢ − Σ wᵢ(1 − Dᵢ)zᵢ/Σ wᵢ(1 − Dᵢ)",
        f"wᵢ: the weight that the match gives unit i; Dᵢ: 1 for the treated, 0 for those compared; {what}.",
    )


def design_parts(plan: AnalysisPlan) -> tuple[Part, ...]:
    """Return who is matched with whom, on what, and how alike they are, of the plan of an analysis."""
    left = participants_left(plan, "With a result in every year before the programme")
    return (*left, measures_compared(plan), *_design(stage_of(plan), plan.project.primary.code))


def design_shown(plan: AnalysisPlan) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(design_parts(plan))


def _design(stage: MatchedStage, primary: str) -> Iterator[Part]:
    yield matches_table(stage)
    for found, balance in zip(stage.plan.outcomes, stage.balance, strict=True):
        if found.outcome == primary and found.design is not None and balance is not None:
            yield sentences(
                *design_sentences(found.design, 0, is_distance_told=False), _left_out(found), _judged(found)
            )
            yield match_means(balance)
            yield match_balance_table(balance)


def _left_out(found: OutcomeMatch) -> str:
    treated, other = found.n_left_out
    if not treated and not other:
        return ""
    return (
        f"Left out, as something they would be matched on is not known: {counted(treated, 'treated school')} and "
        f"{counted(other, 'other')}."
    )


def _judged(found: OutcomeMatch) -> str:
    """Return by what the estimate will be judged, decided before outcomes."""
    if found.sets is None:
        return "The treated lie in no known areas; errors take schools, or matched sets, as independent."
    n = len(found.sets.treated)
    if not found.is_by_sets:
        return f"The treated lie in {n} areas: errors are clustered by area."
    like = " like them before the programme" if found.sets.rule == "like" else ""
    sets = SUCH_SETS["rule"] if found.sets.rule == "rule" else f"sets of as many schools{like}"
    what = "whole areas" if found.sets.is_whole else sets
    return f"The estimate is placed among those of {what} in other areas, each matched in the same way."


def matches_table(stage: MatchedStage) -> ReleasedTable:
    """Return, for each outcome, how many schools are matched and how far apart the groups are at most."""
    columns = (
        Column("outcome", "Outcome"),
        Column("treated", "Treated", "school_count"),
        Column("matched", "Matched", "school_count"),
        Column("comparison", "Comparison schools used", "school_count"),
        Column("effective_n", "Worth, in equally weighted schools", "number", decimals=1),
        Column("smd_before", "Largest SMD before", "estimate", decimals=3),
        Column("smd_after", "Largest SMD after", "estimate", decimals=3),
    )
    rows = tuple(map(_match_row, stage.plan.outcomes, stage.balance))
    note = "SMD: standardised mean difference, in standard deviations of the treated before matching."
    return release(Table(caption="Who is matched", columns=columns, rows=rows, notes=(note,)), 0)


def _match_row(found: OutcomeMatch, balance: MatchBalance | None) -> tuple[Cell, ...]:
    n = int(found.everyone.is_treated.sum())
    if found.design is None or balance is None:
        none = Unavailable(f"Not estimated: {found.too_few}.")
        return (found.label, n, none, none, none, none, none)
    design = found.design
    return (
        found.label,
        n,
        design.n_treated,
        design.n_comparison,
        design.effective_comparison,
        _largest(balance, is_after=False),
        _largest(balance, is_after=True),
    )


def _largest(balance: MatchBalance, *, is_after: bool) -> Cell:
    """Return the largest standardised difference, with its sign, of all covariates."""
    found = [(row.after if is_after else row.before).smd for row in balance.covariates]
    known = [one for one in found if not isinstance(one, Unavailable)]
    return max(known, key=abs) if known else Unavailable("No covariate has a standardised difference.")


# The answer.


def answer_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the answer in a sentence, every estimate beside it, and what the first two say together."""
    return tuple(_answer(matched_of(results)))


def answer_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(answer_parts(results))


def _answer(found: MatchedResults) -> Iterator[Part]:
    yield sentences(*map(_headline, found.outcomes[:1]), found.reason)
    yield estimates_table(found)
    for one in found.outcomes[:1]:
        if one.sets is not None:
            yield sets_table(found)
        yield sentences(*_bracket(one), *_lost(one))


def _headline(one: MatchedOutcome) -> str:
    """Return the estimate asked for, as a sentence that claims no more than the design allows."""
    main = next((effect for effect in one.effects if effect.is_main), None)
    if main is None:
        reason = one.estimates.main.reason if isinstance(one.estimates.main, Unavailable) else "It was not estimated."
        return as_sentence(reason)
    assumed = {
        "change": "if without the programme they would have moved as their comparison schools did",
        "ancova": "if nothing but what was known before tells them from their comparison schools",
        "difference": "if nothing that was not measured tells them from their comparison schools",
    }[one.estimates.asked]
    is_own = "." in one.plan.outcome  # an own table's units need not be schools
    whose = main.estimand.label_of_units if is_own else main.estimand.label
    return f"{one.plan.label}, {whose}: {_numbers(main, one.plan.unit)}, {assumed}."


def _numbers(effect: Effect, unit: str) -> str:
    if isinstance(effect.estimate, Unavailable):
        return lower_first(effect.estimate.reason.rstrip("."))
    text = f"{visible(effect.estimate)} {unit}"
    if not isinstance(effect.interval, Interval):
        return f"{text} ({lower_first(effect.interval.reason.rstrip('.'))})"
    p = "" if isinstance(effect.p_value, Unavailable) else f", {p_equals(effect.p_value)}"
    return f"{text} ({level_text(effect.interval.level)} interval {interval_text(effect.interval)}{p})"


def estimates_table(found: MatchedResults) -> ReleasedTable:
    """Return every estimate of every outcome: by sets where these judge it, and by area or school beside it."""
    level = level_text(found.project.inference.level)
    columns = (
        Column("outcome", "Outcome"),
        Column("estimate_name", "Estimate"),
        Column("estimate", "Points", "estimate", decimals=2),
        Column("interval", f"{level} interval", "interval", decimals=2),
        Column("p", "p", "p"),
        Column("inference", "Judged by"),
        Column("n_treated", "Treated", "school_count"),
        Column("n_comparison", "Comparison", "school_count"),
    )
    labels = {one.outcome: one.label for one in found.plan.outcomes}
    rows = tuple(_estimate_row(effect, labels) for effect in found.effects)
    is_change = any(effect.design == "matched_change" for effect in found.effects)
    others = "analysis of covariance and difference need that nothing else differs."
    notes = (f"Change needs parallel trends; {others}" if is_change else capital(others),)
    return release(Table(caption="Estimates after matching", columns=columns, rows=rows, notes=notes), 0)


_JUDGED: Final = {"sets": "sets of other areas", "cluster": "errors by area", "units": "errors by school or set"}


def _estimate_row(effect: Effect, labels: dict[str, str]) -> tuple[Cell, ...]:
    name = effect.design.removeprefix("matched_")
    label = next(estimate_label(one) for one in AFTER_NAMES if one == name)
    return (
        labels[effect.outcome],
        label.removeprefix("Matched: ") + (" (main)" if effect.is_main else ""),
        effect.estimate,
        effect.interval,
        effect.p_value,
        _JUDGED.get(effect.inference, effect.inference),
        effect.n_treated,
        effect.n_comparison,
    )


def sets_table(found: MatchedResults) -> ReleasedTable:
    """Return what sets drawn in other areas say of each estimate: how many there were, and what they gained."""
    columns = (
        Column("outcome", "Outcome"),
        Column("estimate_name", "Estimate"),
        Column("observed", "As it is", "estimate", decimals=2),
        Column("expected", "Mean of the sets", "estimate", decimals=2),
        Column("n_areas", "Areas, the treated included", "count"),
        Column("n_sets", "Sets", "count"),
        Column("n_lost", "Sets without a match", "count"),
        Column("error", "Monte Carlo error of p", "number", decimals=4),
    )
    rows = tuple(
        (
            one.plan.label,
            estimate_label(name).removeprefix("Matched: "),
            sets.estimate,
            sets.expected,
            sets.n_areas,
            sets.n_sets,
            sets.n_lost,
            sets.monte_carlo_error,
        )
        for one in found.outcomes
        for name, sets in (one.sets or {}).items()
        if sets.estimate == sets.estimate
    )
    note = "The matching is made again for each set; areas that were treated are nobody's comparison."
    return release(Table(caption="Sets of schools of other areas", columns=columns, rows=rows, notes=(note,)), 0)


def _bracket(one: MatchedOutcome) -> tuple[str, ...]:
    finding = next((found for found in one.findings if found.name == "bracket"), None)
    return () if finding is None else (f"{_BRACKET}: {lower_first(str(finding.sentence))}",)


def _lost(one: MatchedOutcome) -> tuple[str, ...]:
    treated, other = one.n_lost
    if not treated and not other:
        return ()
    lost = [counted(treated, "matched treated school"), counted(other, "comparison school")]
    return (f"Without a result afterwards, and left out with those matched to them: {listed(lost)}.",)


# What could be wrong.


def review_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return what could be wrong with the matched comparison, and what it withstands of what was not measured."""
    return tuple(_review(matched_of(results)))


def review_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(review_parts(results))


def _review(found: MatchedResults) -> Iterator[Part]:
    for one in found.outcomes[:1]:  # its findings stand with those of the other analyses, in the review
        yield Heading(2, "What would it take that was not measured?")
        if isinstance(one.sensitivity, Unavailable):
            yield Prose((as_sentence(one.sensitivity.reason),))
        else:
            yield sensitivity(one.sensitivity, "schools")
        yield Heading(2, "How far may trends part before the rank is lost?")
        if isinstance(one.violations.bounds, Unavailable):
            yield Prose((as_sentence(one.violations.bounds.reason),))
        else:
            yield permuted_bounds_words(one.violations.bounds)
            yield permuted_bounds(one.violations.bounds)
        if not isinstance(one.violations.pre_trends, Unavailable):
            yield Heading(2, "Which earlier trends would have been seen?")
            yield pre_trends_words(one.violations.pre_trends)
            yield pre_trends(one.violations.pre_trends)


# Files.


def tables(results: AnalysisResults) -> dict[str, ReleasedTable]:
    """Return every table of the analysis by the name of its file."""
    found, stage = matched_of(results), stage_of(results.plan)
    made = {"matched": matches_table(stage), "estimates": estimates_table(found)}
    for one in found.outcomes[:1]:
        made |= {"balance": match_balance_table(one.balance), "means": match_means(one.balance)}
        made |= {"findings": match_findings_table(one.findings, "schools")}
        if one.sets is not None:
            made["sets"] = sets_table(found)
        if not isinstance(one.sensitivity, Unavailable):
            made["sensitivity"] = sensitivity(one.sensitivity, "schools")
    return made


def figures(results: AnalysisResults) -> dict[str, Callable[[], Figure | None]]:
    """Return what draws each figure of the analysis, by the name of its files."""
    return {name: partial(drawing, results) for name, drawing in _FIGURES.items()}


def balance_figure(results: AnalysisResults) -> Figure | None:
    """Return how alike the groups are before and after matching, of the first outcome."""
    from evalkit.report.figures.matching import match_love_plot

    return next((match_love_plot(one.balance) for one in matched_of(results).outcomes[:1]), None)


def overlap_figure(results: AnalysisResults) -> Figure | None:
    """Return the scores of both groups, None where the method has no score."""
    from evalkit.report.figures.matching import overlap_plot

    found = [one for one in matched_of(results).outcomes[:1] if one.design.score is not None]
    return next((overlap_plot(one.design, "schools") for one in found), None)


_FIGURES: Final = {"balance": balance_figure, "overlap": overlap_figure}
