"""What documents show of an analysis of pupils in schools; nothing that rests on fewer than ten pupils is told."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.formats import Precision, as_sentence, decimals_for, level_text, mean_of, p_equals
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted, listed
from evalkit.data.flow import LeftOut
from evalkit.design.analysis_plan import AnalysisPlan
from evalkit.design.clusters import conservative_sentence
from evalkit.design.kinds.pupils import PupilOutcome, PupilPlan
from evalkit.design.project.set_rule import LESS_EXPECTED, sets_hold
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.pupils import PupilFindings, PupilOutcomeResults, SchoolTest
from evalkit.diagnose.kinds.pupils_effects import MEANS, MODEL, PUPILS, total_sd
from evalkit.estimate.areas.sets import SetsInference
from evalkit.estimate.effect import Effect
from evalkit.report.border.disclosure import ReleasedTable, release, rests_on_few
from evalkit.report.border.parts import Figure, Heading, Part, Parts, Prose, sentences
from evalkit.report.border.table import Cell, Column, Table, measured
from evalkit.report.tables.matched import match_findings_table

_MOST_IDS: Final = 6
NAMES: Final = {
    MODEL: "Two-level model",
    MEANS: "Schools' means",
    PUPILS: "All pupils together",
}
_ARMS: Final = {"treated": "Treated schools", "comparison": "Schools compared"}


def pupils_of(results: AnalysisResults) -> PupilFindings:
    """Return what the kind's own pipeline found."""
    found = results.details
    assert isinstance(found, PupilFindings)
    return found


def plan_of(plan: AnalysisPlan) -> PupilPlan:
    """Return the kind's own plan."""
    found = plan.details
    assert isinstance(found, PupilPlan)
    return found


# What stands in the front, the summary and the body.


def whom(plan: AnalysisPlan) -> str:
    """Return whom the evaluation is about, in a sentence."""
    found = plan_of(plan)
    after = mean_of(found.exposure.post)
    if found.is_linked:
        return f"About pupils of the participating schools, followed from {max(found.exposure.pre)} to {after}."
    return f"About pupils of the participating schools in {after}."


def estimand(plan: AnalysisPlan) -> dict[str, str]:
    """Return the rows of the estimand table that this kind has words of its own for."""
    found = plan_of(plan)
    first = found.outcomes[plan.project.primary.code]
    return {
        "population": f"Pupils of the treated schools that could be analysed, in "
        f"{counted(len(first.treated_areas), 'area')}.",
        "treatment": f"{plan.project.programme.name}: being a pupil of a school that takes part.",
        "comparator": "Pupils of schools outside the areas in which any school takes part.",
        "summary": _SUMMARY[found.choices.model],
        "leavers": _LEAVERS["linked" if found.is_linked else "other"],
    }


_SUMMARY: Final = {
    "cross-sections": (
        "The change of pupils' results from the years before to those after, other pupils each year, less that of "
        "those compared, given school, year and covariates."
    ),
    "waves": "The difference in later results between pupils of both arms, given their earlier ones and covariates.",
}
_LEAVERS: Final = {
    "linked": "Pupils count in the school of the wave before, wherever they are later; those not found are left out.",
    "other": "Pupils count in the school where they took the test.",
}


def answer(results: AnalysisResults) -> Prose:
    """Return the answer in a sentence or two, no stronger than the interval allows."""
    return Prose((headline(results),), "headline")


def headline(results: AnalysisResults) -> str:
    """Return the effect on the primary outcome in a sentence that claims no more than the design allows."""
    one = pupils_of(results).primary
    main = results.main(one.code)
    if main is None or isinstance(main.estimate, Unavailable):
        reason = "" if main is None or not isinstance(main.estimate, Unavailable) else main.estimate.reason
        return f"{one.label}: the effect cannot be given. {as_sentence(reason)}"
    quoted, interval = main.estimate, main.interval
    size = (interval.upper - interval.lower) / 4 if isinstance(interval, Interval) else abs(quoted)
    made = Precision.of(size, abs(quoted))
    p = "" if isinstance(main.p_value, Unavailable) else f", {p_equals(main.p_value)}"
    sure = ""
    if isinstance(interval, Interval):
        sure = f" ({level_text(interval.level)} interval {made.interval(interval)}{p})"
    side = "higher" if quoted > 0 else "lower"
    condition = {
        "cross-sections": "if without the programme results would have moved as those of the pupils compared did",
        "waves": "if, given their earlier results, pupils of both arms would not have differed without the programme",
    }[plan_of(results.plan).choices.model]
    told = (
        f"{one.label}: pupils of the treated schools stood {made.number(abs(quoted))} {one.unit} {side} than "
        f"expected{sure}, {condition}."
    )
    if not isinstance(interval, Interval):
        return f"{told} How uncertain this is cannot be given. {as_sentence(interval.reason)}"
    return told + (" The interval includes zero." if 0.0 in interval else "")


def summary_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the means by year, drawn."""
    return (means_figure(results),)


def comparison(results: AnalysisResults) -> Prose:
    """Return who was compared with whom."""
    plan = plan_of(results.plan)
    one = plan.outcomes[pupils_of(results).primary.code]
    return sentences(
        f"Pupils of {counted(len(one.treated), 'treated school')} in {counted(len(one.treated_areas), 'area')} are "
        f"compared with pupils of {counted(len(one.pool), 'school')} elsewhere.",
        _HOW[plan.choices.model],
    )


_HOW: Final = {
    "cross-sections": "Other pupils sit the tests each year, so that schools are followed and pupils are not.",
    "waves": "Each pupil's later result is set against its earlier one.",
}


def certainty(results: AnalysisResults) -> Prose:
    """Return how sure the answer is, and why."""
    found = pupils_of(results)
    test = _judge(found.primary)
    told = (found.plan.reason, _note(test), _conservative(test, results), _icc_sentence(found.primary))
    return Prose(tuple(as_sentence(text) for text in told if text), "list")


def _judge(one: PupilOutcomeResults) -> SchoolTest:
    return one.means if one.as_weighted is None else one.as_weighted


def _note(test: SchoolTest) -> str:
    if test.inference is not None:
        return test.inference.note
    if isinstance(test.sets, SetsInference):
        return (
            f"{test.sets.n_sets:,} sets of schools in {counted(test.sets.n_areas, 'area')}, the treated counted, took "
            "the places of the treated schools."
        )
    return ""


def _conservative(test: SchoolTest, results: AnalysisResults) -> str:
    level = results.project.inference.level
    if test.inference is not None:
        return conservative_sentence(test.inference.interval, level, test.inference.df, test.inference.n_ranked)
    if isinstance(test.sets, SetsInference) and test.sets.n_treated_areas == 1:
        return conservative_sentence(test.sets.interval, level, None, test.sets.n_areas)
    return ""


def _icc_sentence(one: PupilOutcomeResults) -> str:
    icc, interval = one.empty.unconditional.icc, one.empty.unconditional.icc_interval
    said = ""
    if isinstance(interval, Interval):
        said = f" ({level_text(interval.level)} interval {interval.lower:.2f} to {interval.upper:.2f})"
    return f"The share of pupils' variance that lies between schools (ICC) is {icc:.2f}{said}."


def limits(results: AnalysisResults) -> Prose:
    """Return what the analysis cannot do."""
    plan = plan_of(results.plan)
    told = {
        "cross-sections": (
            "If other kinds of pupils came to the treated schools after the programme began, their results are taken "
            "for its effect, as far as the covariates do not show it."
        ),
        "waves": (
            "Earlier scores are measured with error, so that a difference between arms before is not wholly allowed "
            "for; pupils of both arms must be alike given them."
        ),
    }[plan.choices.model]
    return Prose((told, "The two-level model takes schools of one area to share nothing.", *plan.cautions), "list")


# The plan, before outcomes.


def design_parts(plan: AnalysisPlan) -> tuple[Part, ...]:
    """Return who is compared, how the effect is modelled and how it will be judged."""
    return tuple(_design(plan))


def design_shown(plan: AnalysisPlan) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(design_parts(plan))


def _design(plan: AnalysisPlan) -> Iterator[Part]:
    found = plan_of(plan)
    yield plan_table(found)
    given = [*([found.choices.pre_score] if found.choices.pre_score else []), *found.choices.covariates]
    yield sentences(
        _HOW[found.choices.model],
        f"Before: {mean_of(found.exposure.pre)}; after: {mean_of(found.exposure.post)}.",
        f"The model is adjusted for {listed(given)}." if given else "",
        found.reason,
        _rule(found.outcomes[plan.project.primary.code]),
        f"Nothing that rests on fewer than {FEWEST_PEOPLE} pupils is told.",
        *found.cautions,
    )
    lost = found.outcomes[plan.project.primary.code].left_out
    if lost:
        yield Prose(tuple(map(_loss, lost)), "list")


def _rule(outcome: PupilOutcome) -> str:
    sets = outcome.sets
    if sets is None:
        return ""
    if sets.too_few:
        return as_sentence(sets.too_few)
    if sets.is_whole:
        return f"Whole areas are drawn, from {sets.n_areas:,} that could have taken part, the treated counted."
    like = sets_hold(sets.rule, "results before")
    return f"Sets hold {like}; {sets.n_areas:,} areas could hold one, the treated counted."


def _loss(lost: LeftOut) -> str:
    return f"{counted(len(lost.units), 'school')} left out: {lost.reason} ({listed(list(lost.units), _MOST_IDS)})."


def plan_table(plan: PupilPlan) -> ReleasedTable:
    """Return schools, areas and pupils before the programme by arm, for each outcome."""
    columns = (
        Column("outcome", "Outcome"),
        Column("treated", "Treated schools", "school_count"),
        Column("areas", "Areas they lie in", "count"),
        Column("treated_pupils", "Their pupils before", "pupil_count"),
        Column("pool", "Schools compared", "school_count"),
        Column("pool_pupils", "Their pupils before", "pupil_count"),
    )
    rows = tuple(
        (
            plan.labels[code],
            len(one.treated),
            len(one.treated_areas),
            one.pupils_before(one.treated),
            len(one.pool),
            one.pupils_before(one.pool),
        )
        for code, one in plan.outcomes.items()
    )
    caption = "Who is compared, and with how many pupils"
    return release(Table(caption=caption, columns=columns, rows=rows), FEWEST_PEOPLE)


# The answer.


def answer_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the answer in a sentence, the effect of every outcome, and what each way of weighing schools gives."""
    return tuple(_answer(results))


def answer_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(answer_parts(results))


def _answer(results: AnalysisResults) -> Iterator[Part]:
    yield sentences(headline(results), pupils_of(results).plan.reason)
    yield effects_table(results)
    yield sizes_table(results)
    test = _judge(pupils_of(results).primary)
    yield sentences(_note(test), _conservative(test, results))


def effects_table(results: AnalysisResults) -> ReleasedTable:
    """Return the effect on each outcome by the model, by schools' means and by pupils together; the quoted marked."""
    level = level_text(results.project.inference.level)
    made = Precision(_decimals(results))
    columns = (
        Column("outcome", "Outcome"),
        Column("way", "Way"),
        measured("effect", "Effect", "estimate", made),
        measured("interval", f"{level} interval", "interval", made),
        Column("p", "p", "p"),
        Column("n_treated", "Treated schools", "school_count"),
        Column("n_comparison", "Compared", "school_count"),
    )
    rows = tuple(_effect_row(results, effect) for effect in results.effects)
    notes = tuple(_like(pupils_of(results)))
    return release(Table(caption="The effect on pupils", columns=columns, rows=rows, notes=notes), FEWEST_PEOPLE)


def _effect_row(results: AnalysisResults, effect: Effect) -> tuple[Cell, ...]:
    one = next(each for each in pupils_of(results).outcomes if each.code == effect.outcome)
    name = NAMES[effect.design] + (" (quoted)" if effect.is_main else "")
    counts = (effect.n_treated, effect.n_comparison)
    return (f"{one.label} ({one.unit})", name, effect.estimate, effect.interval, effect.p_value, *counts)


def _like(found: PupilFindings) -> Iterator[str]:
    if any(isinstance(one.means.sets, SetsInference) and one.means.sets.rule != "simple" for one in found.outcomes):
        yield LESS_EXPECTED.format(what="effect")


def _decimals(results: AnalysisResults) -> int | None:
    sizes = [
        (effect.interval.upper - effect.interval.lower) / 4
        for effect in results.effects
        if isinstance(effect.interval, Interval)
    ]
    return decimals_for(*sizes, *(abs(e.estimate) for e in results.effects if not isinstance(e.estimate, Unavailable)))


def sizes_table(results: AnalysisResults) -> ReleasedTable:
    """Return effects in standard deviations of pupils, and what they were divided by."""
    level = level_text(results.project.inference.level)
    columns = (
        Column("outcome", "Outcome"),
        Column("way", "Way"),
        Column("g", "Hedges' g", "estimate", decimals=3),
        Column("interval", f"{level} interval", "interval", decimals=3),
        Column("sd", "SD divided by", "number", decimals=2),
        Column("given", "By the conditional SD", "estimate", decimals=3),
    )
    rows = []
    for effect in results.effects:
        size = effect.effect_size
        if size is not None:
            name = NAMES[effect.design] + (" (quoted)" if effect.is_main else "")
            label = plan_of(results.plan).labels[effect.outcome]
            rows.append((label, name, size.hedges_g, size.hedges_g_interval, size.sd_used, size.hedges_g_conditional))
    notes = (
        "The standard deviation is the total one between pupils, from a model of the later results with nothing but a "
        "constant, both arms together (the means of several years taken out); that it is estimated is not in the "
        "interval.",
    )
    caption = "The effect in standard deviations of pupils"
    return release(Table(caption=caption, columns=columns, rows=tuple(rows), notes=notes), FEWEST_PEOPLE)


def variance_table(results: AnalysisResults) -> ReleasedTable:
    """Return the variance between and within schools of every outcome, and the share between (ICC)."""
    found = pupils_of(results)
    decimals = decimals_for(found.primary.empty.unconditional.within)
    columns = (
        Column("outcome", "Outcome"),
        Column("model", "Model"),
        Column("between", "Between", "number", decimals=decimals),
        Column("within", "Within", "number", decimals=decimals),
        Column("icc", "Share between (ICC)", "number", decimals=3),
        Column("icc_interval", f"{level_text(found.primary.empty.level)} interval of the ICC", "interval", decimals=3),
        Column("sd", "Total SD", "number", decimals=2),
    )
    rows: list[tuple[Cell, ...]] = []
    for one in found.outcomes:
        for name, parts in (
            ("Empty: pupils in schools", one.empty.unconditional),
            (f"As fitted: pupils in {one.model.grouping}", one.model.conditional),
        ):
            numbers = (parts.between, parts.within, parts.icc, parts.icc_interval, math.sqrt(parts.total))
            rows.append((one.label, name, *numbers))
    notes = tuple(dict.fromkeys(note for one in found.outcomes for note in one.model.notes))
    caption = "How much pupils differ, between and within schools"
    return release(Table(caption=caption, columns=columns, rows=tuple(rows), notes=notes), FEWEST_PEOPLE)


def means_figure(results: AnalysisResults) -> Figure:
    """Return the mean primary outcome of the pupils of both arms by year."""
    from evalkit.report.figures.pupils import pupil_means_plot

    one = pupils_of(results).primary
    return pupil_means_plot(one.years, one.label, one.unit, total_sd(one.empty)[0], results.project.data.kind)


def sets_table(results: AnalysisResults) -> ReleasedTable:
    """Return what sets of schools of other areas say of each outcome."""
    made = Precision(_decimals(results))
    columns = (
        Column("outcome", "Outcome"),
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
            sets.estimate,
            sets.expected,
            sets.interval,
            sets.p_value,
            sets.n_areas,
            sets.n_sets,
            sets.monte_carlo_error,
        )
        for one in pupils_of(results).outcomes
        if isinstance(sets := one.means.sets, SetsInference)
    )
    return release(Table(caption="Sets of schools of other areas", columns=columns, rows=rows), FEWEST_PEOPLE)


# What could be wrong.


def review_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return what could be wrong: variance and ICC, pupils lost by arm, sets, schools left out."""
    return tuple(_review(results))


def review_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(review_parts(results))


def _review(results: AnalysisResults) -> Iterator[Part]:
    found = pupils_of(results)
    yield variance_table(results)
    yield losses_table(results)
    if found.primary.means.sets is not None:
        yield sets_table(results)
    yield Heading(3, "Which schools were left out, and why?")
    lost = found.primary.left_out
    yield Prose(tuple(map(_loss, lost)), "list") if lost else sentences("None.")


def losses_table(results: AnalysisResults) -> ReleasedTable:
    """Return how many pupils of each arm are in the model; a number that would tell of few is withheld."""
    found = pupils_of(results)
    columns = (
        Column("arm", "Pupils of"),
        Column("n", "With a result before" if found.plan.is_linked else "After the programme", "pupil_count"),
        Column("kept", "In the model", "pupil_count"),
        Column("share", "Lost", "percentage"),
    )
    hidden = rests_on_few(FEWEST_PEOPLE)
    rows = tuple(
        (
            f"{_ARMS[one.arm]}, {each.label}",
            one.n,
            one.kept if one.is_told else hidden,
            100 * one.share if one.is_told else hidden,
        )
        for each in found.outcomes
        for one in each.losses
    )
    return release(Table(caption="Pupils lost, by arm", columns=columns, rows=rows), FEWEST_PEOPLE)


# Files.


def tables(results: AnalysisResults) -> dict[str, ReleasedTable]:
    """Return every table of the analysis by the name of its file."""
    made = {
        "plan": plan_table(plan_of(results.plan)),
        "effects": effects_table(results),
        "effect_sizes": sizes_table(results),
        "variance": variance_table(results),
        "losses": losses_table(results),
        "findings": match_findings_table(results.findings, "people"),
    }
    if pupils_of(results).primary.means.sets is not None:
        made["sets"] = sets_table(results)
    return made


def figures(results: AnalysisResults) -> dict[str, Callable[[], Figure | None]]:
    """Return what draws each figure of the analysis, by the name of its files."""
    return {"pupil_means": partial(means_figure, results)}
