"""What documents show of an analysis of staggered starts: who starts when, the effect by time, six estimators."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from evalkit.core.formats import Precision, as_sentence, decimals_for, level_text, p_equals
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted, listed
from evalkit.data.flow import LeftOut
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.clusters import conservative_sentence
from evalkit.design.kinds.staggered import StaggeredOutcome, StaggeredPlan
from evalkit.design.project.set_rule import LESS_EXPECTED, sets_hold
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.staggered import StaggeredFindings, StaggeredOutcomeResults
from evalkit.estimate.bounds.violation_bounds import ViolationBounds
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Figure, Heading, Part, Parts, Prose, sentences
from evalkit.report.border.table import Cell, Column, Table, measured
from evalkit.report.tables import staggered as of_effects
from evalkit.report.tables.design import measures_compared, participants_left
from evalkit.report.tables.matched import match_findings_table
from evalkit.report.tables.review import pre_trends, pre_trends_words
from evalkit.report.words import bounds as of_bounds

_MOST_IDS: Final = 6
_COMPARED: Final = {
    "never": "Each cohort is compared with units that never start.",
    "not-yet": "Each cohort is compared with units that never start or have not started yet.",
}
_ESTIMATOR: Final = {
    "group-time": "the effect on each cohort in each year, averaged (Callaway and Sant'Anna, 2021)",
    "imputation": "results less what untreated ones predict (Borusyak, Jaravel and Spiess, 2024)",
    "sun-abraham": "the interaction-weighted event study (Sun and Abraham, 2021)",
    "extended": "extended two-way fixed effects (Wooldridge, 2021)",
    "two-stage": "two stages (Gardner, 2022)",
    "twfe": "two-way fixed effects, which mislead where effects grow or differ",
}


def staggered_of(results: AnalysisResults) -> StaggeredFindings:
    """Return what the kind's own pipeline found."""
    return details_of(results, StaggeredFindings)


def plan_of(plan: AnalysisPlan) -> StaggeredPlan:
    """Return the kind's own plan."""
    return details_of(plan, StaggeredPlan)


# What stands in the front, the summary and the body.


def whom(plan: AnalysisPlan) -> str:
    """Return whom the evaluation is about, in a sentence."""
    first = plan_of(plan).outcomes[plan.project.primary.code]
    years = listed([str(year) for year in sorted(first.cohort.unique().tolist())], 12)
    return (
        f"About the participants, whose first summers in the programme are {years}; each is followed from before its "
        "own start."
    )


def estimand(plan: AnalysisPlan) -> dict[str, str]:
    """Return the rows of the estimand table that this kind has words of its own for."""
    found = plan_of(plan)
    first = found.outcomes[plan.project.primary.code]
    n_areas = counted(len(first.treated_areas), "area")
    return {
        "population": f"The participants that could be analysed, in {n_areas}.",
        "treatment": f"{plan.project.programme.name}, from each participant's own start on.",
        "comparator": _COMPARED[found.choices.compared] + " None of them lies in an area of a participant.",
        "summary": (
            "The average over cohorts and years since the start, each cohort weighted by its size, of the change since "
            "the last summer before the start less that of those compared."
        ),
        "leavers": _UNBALANCED[found.choices.unbalanced or "pairs"],
    }


_UNBALANCED: Final = {
    "pairs": "A unit without a result in some year serves the comparisons for which it has both years.",
    "complete": "Units without a result in some year are left out.",
    "levels": "Units without a result in some year stay in: each year's results are taken as of other units.",
}


def answer(results: AnalysisResults) -> Prose:
    """Return the answer in a sentence or two, no stronger than the interval allows."""
    return Prose((headline(staggered_of(results).primary),), "headline")


def summary_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the effect by time since the start, drawn."""
    return (event_study_figure(results),)


def comparison(results: AnalysisResults) -> Prose:
    """Return who was compared with whom."""
    one, plan = staggered_of(results).primary, plan_of(results.plan)
    many = (
        f"{counted(one.results.n_treated, 'participant')} in {counted(one.n_treated_areas, 'area')} are compared with "
        f"{counted(one.results.n_comparison, 'unit')} that never start, over {one.periods[0]} to {one.periods[-1]}."
    )
    return sentences(many, _COMPARED[plan.choices.compared])


def certainty(results: AnalysisResults) -> Prose:
    """Return how sure the answer is, and why."""
    found = staggered_of(results)
    one = found.primary
    reason = found.plan.reason if one.overall is not None else one.recommended.reason
    test = one.results.pre_test
    before = as_sentence(test.reason) if isinstance(test, Unavailable) else test.sentence
    told = (reason, one.inference.note, _conservative(one), before, _spread_of_estimators(one))
    return Prose(tuple(as_sentence(text) for text in told if text), "list")


def _spread_of_estimators(one: StaggeredOutcomeResults) -> str:
    known = [row.estimate for row in one.checks.rows if not isinstance(row.estimate, Unavailable)]
    if len(known) < 2:
        return ""
    sizes = [
        (row.interval.upper - row.interval.lower) / 4 for row in one.checks.rows if isinstance(row.interval, Interval)
    ]
    made = Precision(decimals_for(*(sizes or map(abs, known))))
    return f"{len(known)} estimators give effects between {made.number(min(known))} and {made.number(max(known))}."


def limits(results: AnalysisResults) -> Prose:
    """Return what the analysis cannot do."""
    plan = plan_of(results.plan)
    return Prose(
        (
            "It says nothing of participants that had started by the first year with results.",
            "If participants joined because they were about to change anyway, their change is not the programme's.",
            "Later effects rest on the cohorts that started early; averages over time mix cohorts.",
            *plan.cautions,
        ),
        "list",
    )


# The plan, before outcomes.


def equation(plan: AnalysisPlan) -> tuple[str, ...]:
    """Return the estimate as an equation, and what its letters mean."""
    return (
        "ATT(g, t) = E[Yₜ − Y_b | G = g] − E[Yₜ − Y_b | C = 1];  T = Σ_{t ≥ g} p_g ATT(g, t) / Σ_{t ≥ g} p_g",
        "g: the year of the start; t: a year from the start on; b: the last year before the start; C: those compared; "
        f"p_g: the share of cohort g. Estimated by {plan_of(plan).choices.estimator}.",
    )


def design_parts(plan: AnalysisPlan) -> tuple[Part, ...]:
    """Return who starts when, who is compared, and how it will be judged, of the plan of an analysis."""
    told = (*participants_left(plan, "With results"), measures_compared(plan))
    return (*told, *_design(plan_of(plan), plan.project.primary.code))


def design_shown(plan: AnalysisPlan) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(design_parts(plan))


def _design(plan: StaggeredPlan, primary: str) -> Iterator[Part]:
    yield starts_table(plan)
    choices = plan.choices
    early = f"The programme may act {counted(choices.anticipation or 0, 'year')} before a start."
    yield sentences(
        _COMPARED[choices.compared],
        "Units of areas in which anybody takes part are compared with nobody.",
        f"The estimator that is quoted: {_ESTIMATOR[choices.estimator]}.",
        f"Comparisons are adjusted for {listed(list(choices.covariates))}." if choices.covariates else "",
        early if choices.anticipation else "",
        plan.reason,
        _rule(plan.outcomes[primary]),
        *plan.cautions,
    )
    lost = plan.outcomes[primary].left_out
    if lost:
        yield Prose(tuple(map(_loss, lost)), "list")


def _rule(outcome: StaggeredOutcome) -> str:
    """Return how sets are drawn, where they judge."""
    sets = outcome.sets
    if sets is None:
        return ""
    if sets.too_few:
        return as_sentence(sets.too_few)
    if sets.is_whole:
        return f"Whole areas are drawn, from {sets.n_areas:,} that could have taken part, the treated counted."
    like = sets_hold(sets.rule, "results before the first start")
    why = ""
    if isinstance(sets.below, float):
        side = "below" if sets.below > 0 else "above"
        why = f": before the first start the listed lay {abs(sets.below):.2f} school SDs {side} their areas' means"
    unknown = f" {as_sentence(sets.below.reason)}" if isinstance(sets.below, Unavailable) else ""
    return f"Sets hold {like}{why}; {sets.n_areas:,} areas could hold one, the treated counted.{unknown}"


def _loss(lost: LeftOut) -> str:
    ids = listed(list(lost.units), _MOST_IDS)
    return f"{counted(len(lost.units), 'unit')} left out: {lost.reason} ({ids})."


def starts_table(plan: StaggeredPlan) -> ReleasedTable:
    """Return how many units start in each year, and how many may be compared, for each outcome."""
    years = sorted({int(year) for one in plan.outcomes.values() for year in one.cohort.unique()})
    columns = (
        Column("outcome", "Outcome"),
        *(Column(f"from_{year}", f"First summer {year}", "school_count") for year in years),
        Column("treated", "Participants", "school_count"),
        Column("areas", "Areas they lie in", "count"),
        Column("pool", "Units that may be compared", "school_count"),
    )
    rows = tuple(_starts_row(plan.labels[code], one, years) for code, one in plan.outcomes.items())
    sums = (("treated", *(f"from_{year}" for year in years)),)
    caption = "Who starts when, and who may be compared"
    return release(Table(caption=caption, columns=columns, rows=rows, column_sums=sums), 0)


def _starts_row(label: str, one: StaggeredOutcome, years: Sequence[int]) -> tuple[Cell, ...]:
    starts = (int((one.cohort == year).sum()) for year in years)
    return (label, *starts, len(one.cohort), len(one.treated_areas), len(one.pool))


# The answer.


def answer_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the answer in a sentence, the effect of every outcome, and what judges it."""
    return tuple(_answer(staggered_of(results)))


def answer_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(answer_parts(results))


def _answer(found: StaggeredFindings) -> Iterator[Part]:
    primary = found.primary
    yield sentences(headline(primary), primary.recommended.reason if primary.overall is None else found.plan.reason)
    yield outcomes_table(found)
    if primary.overall is not None:
        yield sets_table(found)
    yield sentences(primary.inference.note, _conservative(primary), primary.inference.assumes)


def headline(one: StaggeredOutcomeResults) -> str:
    """Return the overall effect in a sentence that claims no more than the design allows."""
    simple = one.quoted.simple
    quoted = simple.estimate
    if isinstance(quoted, Unavailable):
        return f"{one.label}: the effect cannot be given. {as_sentence(quoted.reason)}"
    interval = simple.interval
    size = (interval.upper - interval.lower) / 4 if isinstance(interval, Interval) else abs(quoted)
    made = Precision.of(size, abs(quoted))
    p = "" if isinstance(simple.p_value, Unavailable) else f", {p_equals(simple.p_value)}"
    sure = ""
    if isinstance(interval, Interval):
        sure = f" ({level_text(interval.level)} interval {made.interval(interval)}{p})"
    side = "higher" if quoted > 0 else "lower"
    told = (
        f"{one.label}: from their start on the participants stood {made.number(abs(quoted))} {one.unit} {side} "
        f"than expected{sure}, if without the programme they would have moved as those compared did."
    )
    if not isinstance(interval, Interval):
        return f"{told} How uncertain this is cannot be given. {as_sentence(interval.reason)}"
    return told + (" The interval includes zero." if 0.0 in interval else "")


def _conservative(one: StaggeredOutcomeResults) -> str:
    made = one.inference
    return conservative_sentence(made.interval, one.results.level, made.df, made.n_ranked)


def outcomes_table(found: StaggeredFindings) -> ReleasedTable:
    """Return the overall effect on each outcome by the quoted estimator."""
    level = level_text(found.primary.results.level)
    made = Precision(_decimals(found))
    columns = (
        Column("outcome", "Outcome"),
        measured("effect", "Effect", "estimate", made),
        measured("interval", f"{level} interval", "interval", made),
        Column("p", "p", "p"),
        Column("inference", "Judged by"),
        Column("n_treated", "Participants", "school_count"),
        Column("n_comparison", "Compared", "school_count"),
    )
    rows = tuple(map(_outcome_row, found.outcomes))
    return release(Table(caption="The effect from the start on", columns=columns, rows=rows, notes=_like(found)), 0)


def _outcome_row(one: StaggeredOutcomeResults) -> tuple[Cell, ...]:
    simple = one.quoted.simple
    return (
        f"{one.label} ({one.unit})",
        simple.estimate,
        simple.interval,
        simple.p_value,
        one.inference.method if not isinstance(simple.interval, Unavailable) else "none",
        one.results.n_treated,
        one.results.n_comparison,
    )


def _like(found: StaggeredFindings) -> tuple[str, ...]:
    if all(one.overall is None or one.overall.rule == "simple" for one in found.outcomes):
        return ()
    return (LESS_EXPECTED.format(what="effect"),)


def _decimals(found: StaggeredFindings) -> int | None:
    sizes = [
        (one.results.simple.interval.upper - one.results.simple.interval.lower) / 4
        for one in found.outcomes
        if isinstance(one.results.simple.interval, Interval)
    ]
    estimates = [e for one in found.outcomes if not isinstance(e := one.results.simple.estimate, Unavailable)]
    return decimals_for(*sizes, *(abs(each) for each in estimates))


def sets_table(found: StaggeredFindings) -> ReleasedTable:
    """Return what sets drawn in other areas say of each outcome, by the rule that leads and the one beside it."""
    made = Precision(_decimals(found))
    columns = (
        Column("outcome", "Outcome"),
        Column("rule", "Sets"),
        measured("estimate", "Effect as it is", "estimate", made),
        measured("expected", "Mean of the sets", "estimate", made),
        measured("interval", "Interval", "interval", made),
        Column("p", "p", "p"),
        Column("n_areas", "Areas, the treated included", "count"),
        Column("n_sets", "Sets drawn", "count"),
        Column("error", "Monte Carlo error of p", "number", decimals=4),
    )
    rows = tuple(
        (
            one.label,
            {"simple": "at random", "like": "like the list", "rule": "by the rule"}[rule] + mark,
            sets.estimate,
            sets.expected,
            sets.interval,
            sets.p_value,
            sets.n_areas,
            sets.n_sets,
            sets.monte_carlo_error,
        )
        for one in found.outcomes
        if one.overall is not None
        for rule, sets, mark in ((one.overall.rule, one.overall, " (quoted)"), *((r, s, "") for r, s in one.beside))
    )
    note = "Each set takes the places and the starts of the list; the estimator is rerun for each."
    return release(Table(caption="Sets of units of other areas", columns=columns, rows=rows, notes=(note,)), 0)


def effects_shown(results: AnalysisResults) -> Parts:
    """Return the effect by time since the start, cohort and year, of the primary outcome."""
    return Parts(tuple(_effects(staggered_of(results).primary)))


def _effects(one: StaggeredOutcomeResults) -> Iterator[Part]:
    yield of_effects.by_event_time(one.quoted)
    yield of_effects.by_cohort(one.quoted)
    yield of_effects.by_period(one.quoted)
    yield of_effects.by_cohort_and_period(one.quoted)
    if not isinstance(one.quoted.simple.estimate, Unavailable):
        yield sentences(_WEIGHTS)
    if one.years_left_out:
        years = listed([str(year) for year in one.years_left_out])
        yield sentences(
            f"Left out, as how it is measured changed between them and the last year before the first start: {years}."
        )


_WEIGHTS: Final = (
    "The effect that is quoted weights every cohort and year by the size of the cohort; the last rows of these tables "
    "weight times, cohorts or years, and may differ from it."
)


def event_study_figure(results: AnalysisResults) -> Figure:
    """Return the effect on the primary outcome by time since the start, with the band."""
    from evalkit.report.figures.staggered import staggered_plot

    primary = staggered_of(results).primary
    return staggered_plot(primary.quoted, primary.label)


# What could be wrong.


def review_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return what could be wrong: the checks, before the start, the six estimators, errors by cluster beside."""
    return tuple(_review(staggered_of(results)))


def review_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(review_parts(results))


def _review(found: StaggeredFindings) -> Iterator[Part]:
    primary = found.primary  # its findings stand with those of the other analyses, in the review
    yield of_effects.estimators(primary.checks)
    yield of_effects.before_the_start(primary.results)
    yield Heading(3, "How far could trends part before the interval reaches 0?")
    yield from of_bounds.bounds_parts(primary.bounds, draw_bounds(primary))
    yield Heading(3, "Which earlier trends would have been seen?")
    if isinstance(primary.pre_trends, Unavailable):
        yield sentences(primary.pre_trends.reason)
    else:
        yield pre_trends_words(primary.pre_trends)
        yield pre_trends(primary.pre_trends)
    if primary.without:
        yield Heading(3, "Who moves the result?")
        yield without_table(primary)
    yield Heading(3, "What was left out, and why?")
    yield left_out(primary.left_out)
    yield sentences(_without_pair(found.plan, primary))
    if primary.by_clusters is not None and not isinstance(primary.by_clusters.simple.interval, Unavailable):
        yield Heading(3, "What do errors by area say?")
        yield of_effects.averages(primary.by_clusters)


def draw_bounds(one: StaggeredOutcomeResults) -> Callable[[ViolationBounds], Figure]:
    """Return what draws the bounds of an outcome."""
    from evalkit.report.figures.bounds import bounds_plot

    return partial(bounds_plot, outcome=one.label)


def left_out(lost: Sequence[LeftOut]) -> Prose:
    """Return what was left out and why."""
    return Prose(tuple(map(_loss, lost)), "list") if lost else sentences("Nothing.")


def _without_pair(plan: StaggeredPlan, one: StaggeredOutcomeResults) -> str:
    """Return how many of those that may be compared have too few results for it."""
    n_pool = len(plan.outcomes[one.code].pool)
    lost = n_pool - one.results.n_comparison
    named_elsewhere = sum(len(each.units) for each in one.left_out)
    if lost <= 0 or named_elsewhere:
        return ""
    return (
        f"Of the {counted(n_pool, 'unit')} that may be compared, {lost:,} have too few results for a comparison and "
        "count in none."
    )


def without_table(one: StaggeredOutcomeResults) -> ReleasedTable:
    """Return the overall effect without each part of the participants, the one that moves it most first."""
    estimate = one.results.simple.estimate
    own = 0.0 if isinstance(estimate, Unavailable) else estimate
    known = [each.estimate for each in one.without if not isinstance(each.estimate, Unavailable)]
    columns = (
        Column("left_out", "Left out"),
        measured("effect", "Effect without it", "estimate", Precision(decimals_for(*map(abs, known)))),
    )
    order = sorted(
        one.without, key=lambda each: -1.0 if isinstance(each.estimate, Unavailable) else -abs(each.estimate - own)
    )
    rows = tuple((each.left_out, each.estimate) for each in order)
    return release(Table(caption="Without one part of the participants", columns=columns, rows=rows), 0)


# Files.


def tables(results: AnalysisResults) -> dict[str, ReleasedTable]:
    """Return every table of the analysis by the name of its file."""
    found = staggered_of(results)
    primary = found.primary
    made = {
        "starts": starts_table(plan_of(results.plan)),
        "outcomes": outcomes_table(found),
        "by_event_time": of_effects.by_event_time(primary.quoted),
        "by_cohort": of_effects.by_cohort(primary.quoted),
        "by_year": of_effects.by_period(primary.quoted),
        "by_cohort_and_year": of_effects.by_cohort_and_period(primary.quoted),
        "estimators": of_effects.estimators(primary.checks),
        "findings": match_findings_table(results.findings, "schools"),
    }
    if primary.overall is not None:
        made["sets"] = sets_table(found)
    if not isinstance(primary.bounds, Unavailable):
        made["bounds"] = of_bounds.bounds_table(primary.bounds)
    if primary.without:
        made["without_one"] = without_table(primary)
    if not isinstance(primary.pre_trends, Unavailable):
        made["pre_trends"] = pre_trends(primary.pre_trends)
    return made


def figures(results: AnalysisResults) -> dict[str, Callable[[], Figure | None]]:
    """Return what draws each figure of the analysis, by the name of its files."""
    made: dict[str, Callable[[], Figure | None]] = {"event_study": partial(event_study_figure, results)}
    primary = staggered_of(results).primary
    if isinstance(primary.bounds, Unavailable):
        return made
    return made | {"bounds": partial(draw_bounds(primary), primary.bounds)}
