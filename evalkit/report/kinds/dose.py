"""What documents show of an analysis by dose: who had how much, the line, and what stands against those outside."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from evalkit.core.formats import Precision, as_sentence, level_text, mean_of, p_equals, visible
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.words import counted, listed
from evalkit.data.flow import LeftOut
from evalkit.design.analysis_plan import AnalysisPlan
from evalkit.design.kinds.dose import DoseOptions, DoseOutcome, DosePlan
from evalkit.design.project.set_rule import sets_hold
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.dose import DoseFindings, DoseOutcomeResults, why_dealt
from evalkit.estimate.dose.listed import ThresholdEffect
from evalkit.estimate.dose.take_up_arrays import AndersonRubinSet
from evalkit.estimate.dose.within import DoseSlope
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure, Heading, Part, Parts, Prose, sentences
from evalkit.report.tables import dose as of_dose
from evalkit.report.tables.matched import match_findings_table

_MOST_IDS: Final = 6
_RARE: Final = 0.001
NO_LOTS: Final = (
    "Nobody drew lots for the dose: participants that needed more, or that worked harder, may have had more, and would "
    "have changed otherwise in any case."
)


def dose_of(results: AnalysisResults) -> DoseFindings:
    """Return what the kind's own pipeline found."""
    found = results.details
    assert isinstance(found, DoseFindings)
    return found


def plan_of(plan: AnalysisPlan) -> DosePlan:
    """Return the kind's own plan."""
    found = plan.details
    assert isinstance(found, DosePlan)
    return found


# What stands in the front, the summary and the body.


def whom(plan: AnalysisPlan) -> str:
    """Return whom the evaluation is about, in a sentence."""
    found = plan_of(plan)
    first = found.primary
    return (
        f"About {counted(len(first.dose), 'participant')} in {counted(first.n_areas, 'area')}, and how much of the "
        f"programme each had: from {found.options.amount(float(first.dose.min()))} to "
        f"{found.options.amount(float(first.dose.max()))}."
    )


def estimand(plan: AnalysisPlan) -> dict[str, str]:
    """Return the rows of the estimand table that this kind has words of its own for."""
    found = plan_of(plan)
    options, exposure = found.options, plan.project.exposure
    where = " of the same area" if options.area_effects else ""
    return {
        "population": f"The participants whose dose is known, in {counted(found.primary.n_areas, 'area')}.",
        "treatment": f"One {options.per} more of {plan.project.programme.name}.",
        "comparator": f"Participants{where} that had less. {_AGAINST[options.against]}",
        "summary": f"{_held(options)} The change is to {mean_of(exposure.post)} from {mean_of(exposure.pre)}.",
    }


_AGAINST: Final = {
    "neighbours": "Beside it: schools of the statistical neighbours of their areas.",
    "others": "Beside it: schools of all other areas.",
    "none": "They are set against nobody outside.",
}


def _held(options: DoseOptions) -> str:
    what = f", with {listed(options.held, 9)} held" if options.held else ""
    return f"The slope of the change on the dose by least squares{what}."


def answer(results: AnalysisResults) -> Prose:
    """Return the answer in a sentence or two, no stronger than the interval allows."""
    found = dose_of(results)
    return Prose((headline(found.primary, found.plan.options), rests_on(found.plan.options)), "headline")


def would_have(results: AnalysisResults) -> str:
    """Return what the answer rests on, after "without the programme, the treated"."""
    return "that had more would have moved as those that had less"


def summary_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return change against dose, drawn."""
    return (dose_figure(results),)


def comparison(results: AnalysisResults) -> Prose:
    """Return who was compared with whom."""
    found = dose_of(results)
    one, options = found.primary, found.plan.options
    within = "of the same area " if options.area_effects else ""
    return sentences(
        f"{counted(one.slope.n, 'participant')} in {counted(one.slope.n_areas, 'area')} are compared with each other: "
        f"those {within}that had more with those that had less.",
        _held(options),
        _beside(one),
    )


def _beside(one: DoseOutcomeResults) -> str:
    if isinstance(one.whole, Unavailable):
        return ""
    return (
        f"Beside that, {counted(one.whole.n_listed, 'listed school')} are compared with "
        f"{one.whole.n_compared:,} schools outside the programme."
    )


def certainty(results: AnalysisResults) -> Prose:
    """Return how sure the answer is, and why."""
    found = dose_of(results)
    one, options = found.primary, found.plan.options
    first = next((each for each in results.findings if each.name == "dose_follows_need"), None)
    told = (
        dealt_words(one.slope, options),
        *((str(first.sentence),) if first is not None else (NO_LOTS,)),
        shock_sentence(one, options),
        *threshold_sentences(one, options),
    )
    return Prose(tuple(as_sentence(text) for text in told if text), "list")


def dealt_words(slope: DoseSlope, options: DoseOptions) -> str:
    """Return how the doses were dealt out anew."""
    if isinstance(slope.p_value, Unavailable):
        return ""
    ways = (
        f"in all {slope.n_dealings:,} ways there are" if slope.is_exact else f"at random {slope.n_dealings - 1:,} times"
    )
    within = " within their areas" if options.area_effects else ""
    share = f"{100 * slope.p_value:.1f}%" if slope.p_value >= _RARE else "fewer than 0.1%"
    return (
        f"The doses were dealt out anew among the participants{within} {ways}; in {share} of them, the real one "
        "counted, the line stood out as much or more."
    )


def limits(results: AnalysisResults) -> Prose:
    """Return what the analysis cannot do."""
    options = dose_of(results).plan.options
    return Prose(
        (
            NO_LOTS,
            "A line says the same of the first and of the last unit of the dose; the thirds show whether that fits.",
            "It compares participants with each other, so what all of them gained whatever they had is in no line.",
            *(
                ("A dose counts what was given, as it was recorded, and not how well.",)
                if options.threshold is None
                else (
                    "A dose counts what was given, as it was recorded, and not how well.",
                    "The effect at a threshold holds only if the offer did nothing to those below it.",
                )
            ),
        ),
        "list",
    )


# Sentences.


def headline(one: DoseOutcomeResults, options: DoseOptions) -> str:
    """Return the slope in a sentence that claims no more than the design allows."""
    found = one.slope
    if isinstance(found.estimate, Unavailable):
        return f"{one.label}: no line by dose can be given. {as_sentence(found.estimate.reason)}"
    made = _precision(found.interval, found.estimate)
    side = "higher" if found.estimate > 0 else "lower"
    told = (
        f"{one.label}: among {counted(found.n, 'participant')}, each {options.per} more went with a change "
        f"{made.number(abs(found.estimate))} {one.unit} {side}{_sure(found.interval, found.p_value, made)}."
    )
    if isinstance(found.interval, Unavailable):
        return f"{told} How uncertain this is cannot be given. {as_sentence(found.interval.reason)}"
    return told + (" The interval includes no difference." if 0.0 in found.interval else "")


def rests_on(options: DoseOptions) -> str:
    """Return what the slope needs to be one of the programme."""
    before = ", and that stood alike before," if "pre_mean" in options.covariates else ""
    where = "in the same area" if options.area_effects else "in the programme"
    return (
        f"It is an effect of the dose only if participants {where}{before} would have changed alike whatever each had; "
        "nobody drew lots for that."
    )


def shock_sentence(one: DoseOutcomeResults, options: DoseOptions) -> str:
    """Return the line with those outside at a dose of 0, and what it adds."""
    found = one.shock
    if isinstance(found, Unavailable):
        return "" if "against nobody" in found.reason else f"With schools outside at a dose of 0: {found.reason}"
    if isinstance(found.estimate, Unavailable):
        return f"With schools outside at a dose of 0: {found.estimate.reason}"
    made = _precision(found.interval, found.estimate)
    side = "higher" if found.estimate > 0 else "lower"
    sure = _sure(found.interval, found.p_value, made) + _why(found.interval)
    return (
        f"With schools outside the programme at a dose of 0, each {options.per} goes with a change "
        f"{made.number(abs(found.estimate))} {one.unit} {side}{sure}: "
        f"this line also holds whatever else moved the participants' areas.{_level_held(options)}"
    )


def _level_held(options: DoseOptions) -> str:
    if "pre_mean" not in options.covariates:
        return ""
    return " Where each school stood before is held, as change goes with it outside the programme."


def _why(interval: IntervalOrReason) -> str:
    return f" (no interval: {interval.reason.rstrip('.')})" if isinstance(interval, Unavailable) else ""


def threshold_sentences(one: DoseOutcomeResults, options: DoseOptions) -> tuple[str, ...]:
    """Return the effect at the threshold in its own words, and what it takes as given."""
    found = one.threshold
    if options.threshold is None:
        return ()
    if isinstance(found, Unavailable):
        return (f"At the threshold: {found.reason}",)
    what = (
        f"The effect on participants who met the threshold ({options.amount(found.threshold)} or more), if trends are "
        "parallel, and the offer did nothing to those below it,"
    )
    met = f"{found.n_met:,} of the {counted(found.n_listed, 'listed school')} met it."
    if isinstance(found.estimate, Unavailable):
        return (f"{what} cannot be given. {as_sentence(found.estimate.reason)} {met}",)
    made = _precision(found.interval, found.estimate)
    side = "higher" if found.estimate > 0 else "lower"
    p = "" if isinstance(found.p_value, Unavailable) else f"; {p_equals(found.p_value)}"
    return (
        f"{what} is a change {made.number(abs(found.estimate))} {one.unit} {side}; "
        f"{values_text(found.values, made)}{p}. {met}",
        _TAKE_UP[found.take_up] + (_observed(found) if found.take_up == "observed" else ""),
    )


_TAKE_UP: Final = {
    "none": "As the project declares, no school that is compared had as much; the effect on all listed schools is "
    "divided by the share of them that met the threshold.",
    "unknown": "Whether schools that are compared had as much is not known. The effect on all listed schools is "
    "divided by the share of them that met the threshold; if some compared had as much, that understates the effect.",
    "observed": "Who had as much is observed among the schools compared too, and in every set drawn in their place",
}


def _observed(found: ThresholdEffect) -> str:
    if isinstance(found.share, Unavailable):
        return "."
    return f": the listed met the threshold more often by {100 * found.share:.0f} percentage points."


def values_text(values: AndersonRubinSet | Unavailable, made: Precision) -> str:
    """Return the values that are not rejected, whatever shape they have."""
    if isinstance(values, Unavailable):
        return f"which values fit the data cannot be given ({values.reason.rstrip('.')})"
    if values.shape == "empty":
        return "no value fits the data"
    if values.shape == "whole line":
        return "every value fits the data"
    parts = [_stretch(low, high, made) for low, high in values.parts]
    return f"at {level_text(values.level)} {' and '.join(parts)} fits the data"


def _stretch(low: float, high: float, made: Precision) -> str:
    if math.isinf(low):
        return f"anything up to {made.number(high)}"
    if math.isinf(high):
        return f"anything from {made.number(low)} on"
    return f"anything from {made.number(low)} to {made.number(high)}"


def _precision(interval: IntervalOrReason, value: float) -> Precision:
    size = (interval.upper - interval.lower) / 4 if isinstance(interval, Interval) else abs(value)
    return Precision.of(size, abs(value))


def _sure(interval: IntervalOrReason, p_value: Quantity, made: Precision) -> str:
    p = "" if isinstance(p_value, Unavailable) else p_equals(p_value)
    if isinstance(interval, Unavailable):
        return f" ({p})" if p else ""
    return f" ({level_text(interval.level)} interval {made.interval(interval)}{f', {p}' if p else ''})"


# The plan, before outcomes.


def design_parts(plan: AnalysisPlan) -> tuple[Part, ...]:
    """Return who had how much, whether the dose follows need, and how it will be judged."""
    return tuple(_design(plan_of(plan)))


def design_shown(plan: AnalysisPlan) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(design_parts(plan))


def _design(plan: DosePlan) -> Iterator[Part]:
    options, first = plan.options, plan.primary
    yield of_dose.thirds_before(plan)
    yield sentences(need_sentence(first), NO_LOTS)
    threshold = "" if options.threshold is None else _threshold(options)
    yield sentences(_held(options), why_dealt(options), threshold, _rule(first), _AGAINST[options.against])
    if first.left_out:
        yield Prose(tuple(map(_loss, first.left_out)), "list")


def _threshold(options: DoseOptions) -> str:
    assert options.threshold is not None
    return f"A participant with {options.amount(options.threshold)} or more has met the threshold."


def need_sentence(one: DoseOutcome) -> str:
    """Return how far the dose went where results were low or high before."""
    if isinstance(one.need, Unavailable):
        return as_sentence(one.need.reason)
    side = "below" if one.need < 0 else "above"
    return (
        f"Before the programme the third with the most stood {abs(one.need):.2f} standard deviations within areas "
        f"{side} the third with the least."
    )


def _rule(one: DoseOutcome) -> str:
    sets = one.sets
    if sets is None:
        return ""
    if one.has_many_areas:
        return "Against schools outside, errors are clustered by area."
    if sets.too_few:
        return as_sentence(sets.too_few)
    like = sets_hold(sets.rule, "results before")
    like = "whole areas" if sets.is_whole else like
    return (
        f"Against schools outside, sets of schools of other areas are drawn in the listed schools' place ({like}); "
        f"{sets.n_areas:,} areas could hold one, the treated counted."
    )


def _loss(lost: LeftOut) -> str:
    ids = listed(list(lost.units), _MOST_IDS)
    return f"{counted(len(lost.units), 'participant')} not on the line: {lost.reason} ({ids})."


# The answer.


def answer_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the answer in a sentence, the slope on every outcome, and what stands against those outside."""
    return tuple(_answer(dose_of(results)))


def answer_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(answer_parts(results))


def _answer(found: DoseFindings) -> Iterator[Part]:
    one, options = found.primary, found.plan.options
    yield sentences(headline(one, options), rests_on(options))
    yield of_dose.slopes_table(found)
    yield of_dose.thirds_table(found)
    if options.against != "none":
        yield of_dose.against_table(found)
        yield sentences(shock_sentence(one, options))
        yield sentences(*threshold_sentences(one, options))


def dose_figure(results: AnalysisResults) -> Figure:
    """Return change against dose for the primary outcome."""
    from evalkit.report.figures.dose import dose_plot

    found = dose_of(results)
    return dose_plot(found.primary, found.plan.options, of_dose.thirds_table(found))


# What could be wrong.


def review_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return what could be wrong: before the programme, one participant, what was left out, what could be seen."""
    return tuple(_review(dose_of(results)))


def review_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(review_parts(results))


def _review(found: DoseFindings) -> Iterator[Part]:
    one, options = found.primary, found.plan.options
    yield Heading(3, "Did those that had more move otherwise before?")
    yield of_dose.before_table(found)
    yield Heading(3, "Does the line hang on one participant?")
    yield of_dose.without_table(one, options)
    yield Heading(3, "How small a slope could have been seen?")
    least = one.least
    yield sentences(
        least.reason
        if isinstance(least, Unavailable)
        else f"{visible(least)} {one.unit} per {options.per}, four times in five, as far as the change before shows it."
    )
    yield Heading(3, "What was left out, and why?")
    yield Prose(tuple(map(_loss, one.left_out)), "list") if one.left_out else sentences("Nothing.")


# Files.


def tables(results: AnalysisResults) -> dict[str, ReleasedTable]:
    """Return every table of the analysis by the name of its file."""
    found = dose_of(results)
    made = {
        "dose_thirds_before": of_dose.thirds_before(found.plan),
        "dose_slopes": of_dose.slopes_table(found),
        "dose_thirds": of_dose.thirds_table(found),
        "dose_before": of_dose.before_table(found),
        "findings": match_findings_table(results.findings, "schools"),
    }
    return made | ({"dose_against": of_dose.against_table(found)} if found.plan.options.against != "none" else {})


def figures(results: AnalysisResults) -> dict[str, Callable[[], Figure | None]]:
    """Return what draws each figure of the analysis, by the name of its files."""
    return {"dose": partial(dose_figure, results)}
