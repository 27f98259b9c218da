"""What documents show of an interrupted time series: the gap with its lines, the effect by year, what stands beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from evalkit.core.formats import as_sentence, level_text, p_equals, years_text
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted, listed
from evalkit.data.flow import LeftOut
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.clusters import conservative_sentence
from evalkit.design.kinds.series import AFTER_FOR_SLOPES, BEFORE_FOR_SLOPES, SeriesOutcome, SeriesPlan
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.series import Beside, SeriesFindings, SeriesOutcomeResults
from evalkit.diagnose.kinds.series_checks import method_of
from evalkit.estimate.areas.gap_series import Ranked
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Figure, Heading, Part, Parts, Prose, sentences
from evalkit.report.border.table import Cell, Column, Table, measured
from evalkit.report.tables.matched import match_findings_table

_MOST_NAMES: Final = 12
_MOST_IDS: Final = 6


def series_of(results: AnalysisResults) -> SeriesFindings:
    """Return what the kind's own pipeline found."""
    return details_of(results, SeriesFindings)


def plan_of(plan: AnalysisPlan) -> SeriesPlan:
    """Return the kind's own plan."""
    return details_of(plan, SeriesPlan)


def _who(outcome: SeriesOutcome) -> str:
    """Return the treated areas by name where they are few."""
    names = [outcome.name(area) for area in outcome.starts]
    return listed(names) if len(names) < 3 else f"the {len(names)} areas"


def _first(plan: AnalysisPlan) -> SeriesOutcome:
    return plan_of(plan).outcomes[plan.project.primary.code]


# What stands in the front, the summary and the body.


def units(plan: AnalysisPlan) -> str:
    """Return what the effects count."""
    return "areas"


def whom(plan: AnalysisPlan) -> str:
    """Return whom the evaluation is about, in a sentence."""
    one = _first(plan)
    names = listed([one.name(area) for area in one.starts], _MOST_NAMES)
    years = sorted(set(one.starts.values()))
    first = f"the first treated year is {years[0]}" if len(years) == 1 else f"first treated years are {_listed(years)}"
    return f"About {names} as a whole, whoever took part there: {first}."


def _listed(years: list[int]) -> str:
    return listed([str(year) for year in years], 20)


def estimand(plan: AnalysisPlan) -> dict[str, str]:
    """Return the rows of the estimand table that this kind has words of its own for."""
    one = _first(plan)
    return {
        "population": f"{listed([one.name(area) for area in one.starts], _MOST_NAMES)}, as a whole.",
        "treatment": f"{plan.project.programme.name}, from the first treated year on.",
        "comparator": _comparator(plan_of(plan), one),
        "summary": (
            "The average, over the years from the start on, of how far the gap lies from where the years before lead "
            f"one to expect: a line carried on, given {BEFORE_FOR_SLOPES} years before and {AFTER_FOR_SLOPES} from the "
            "start on, and else the mean of the years before."
        ),
        "leavers": "Each year's value is that of whoever was counted in the area that year.",
    }


def _comparator(plan: SeriesPlan, one: SeriesOutcome) -> str:
    if one.is_single:
        return "None but the area's own years before."
    whose = "its" if len(one.starts) == 1 else "each one's"
    near = f"{whose} statistical neighbours" if plan.choices.comparison == "neighbours" else "all other areas"
    return f"The mean of {near} in the same year; no treated area is among them."


def answer(results: AnalysisResults) -> Prose:
    """Return the answer in a sentence or two, no stronger than the interval allows."""
    return Prose((headline(series_of(results).primary),), "headline")


def headline(one: SeriesOutcomeResults) -> str:
    """Return the mean effect in a sentence that claims no more than the design allows."""
    found, made = one.overall, one.made
    side = "higher" if found.estimate > 0 else "lower"
    start = f"{one.label}: over {years_text(one.after)} {_who(one.plan)} stood {made.number(abs(found.estimate))} "
    if one.is_single:
        return (
            f"{start}{one.unit} {side} than {_course(one)} leads one to expect. There is no area to compare with, so "
            "that this cannot be told from whatever else happened, and no p-value is given."
        )
    sure = ""
    if isinstance(found.interval, Interval):
        p = "" if isinstance(found.p_value, Unavailable) else f", {p_equals(found.p_value)}"
        sure = f" ({level_text(one.level)} interval {made.interval(found.interval)}{p})"
    told = (
        f"{start}{one.unit} {side} than expected{sure}, if without the programme the gap to the areas compared with "
        f"would have {_gone_on(one)}."
    )
    if not isinstance(found.interval, Interval):
        return f"{told} {_no_interval(found)}"
    return told + (" The interval includes zero." if 0.0 in found.interval else "")


def _course(one: SeriesOutcomeResults) -> str:
    return "the line of the years before, carried on," if one.has_slope else "the mean of the years before"


def _gone_on(one: SeriesOutcomeResults) -> str:
    return "gone on as its line before" if one.has_slope else "stayed where it was before"


def _no_interval(found: Ranked) -> str:
    if isinstance(found.p_value, Unavailable):
        return f"How uncertain this is cannot be given. {as_sentence(found.p_value.reason)}"
    assert isinstance(found.interval, Unavailable)
    return f"By its rank {p_equals(found.p_value)}. {as_sentence(found.interval.reason)}"


def summary_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the series, drawn."""
    return (figure(results),)


def figure(results: AnalysisResults) -> Figure:
    """Return the primary outcome's series with the lines of the regression."""
    from evalkit.report.figures.series import series_figure

    one = series_of(results).primary
    return series_figure(one, _who(one.plan), series_of(results).kind)


def comparison(results: AnalysisResults) -> Prose:
    """Return who was compared with whom."""
    one = series_of(results).primary
    if one.is_single:
        return sentences(f"{_who(one.plan)} alone, {_years(one)}: there is no other area to compare with.")
    names = listed([one.plan.name(area) for area in one.compared], _MOST_NAMES)
    many = f"{_who(one.plan)} less the mean of {counted(len(one.compared), 'area')}, {_years(one)}: {names}."
    return sentences(f"{many[:1].upper()}{many[1:]}", _comparator(series_of(results).plan, one.plan))


def _years(one: SeriesOutcomeResults) -> str:
    return f"{years_text(one.before)} before and {years_text(one.after)} from the start on"


def certainty(results: AnalysisResults) -> Prose:
    """Return how sure the answer is, and why."""
    one = series_of(results).primary
    told = (one.plan.reason, _placed(one), _conservative(one), _given(one), *_grave(results))
    return Prose(tuple(as_sentence(text) for text in told if text), "list")


def _placed(one: SeriesOutcomeResults) -> str:
    found = one.overall
    if isinstance(found.rank, Unavailable) or isinstance(found.p_value, Unavailable):
        return ""
    if found.n_disjoint:
        return (
            f"Among {found.n_draws:,} sets of {len(one.plan.starts)} areas that border each other, grown at random, "
            f"its effect is number {int(found.rank):,} by distance from none. At most {found.n_disjoint} such sets "
            f"without an area in common were found, so that no p-value is below 1/{found.n_disjoint + 1}, however many "
            f"are drawn ({p_equals(found.p_value)})"
        )
    if found.n_draws:
        return (
            f"Of {found.n_draws:,} draws of as many areas without the programme {found.p_value:.1%} gave an effect as "
            f"far from none, {counted(found.n_areas, 'area')} being at hand"
        )
    return (
        f"Among {counted(found.n_areas, 'area')} analysed the same way its effect is number {int(found.rank):,} by "
        f"distance from none ({p_equals(found.p_value)})"
    )


def _conservative(one: SeriesOutcomeResults) -> str:
    n_ranked = one.overall.n_areas if not one.overall.n_draws else None
    return conservative_sentence(one.overall.interval, one.level, None, n_ranked)


def _given(one: SeriesOutcomeResults) -> str:
    """Return the effect given the gap before, which must be read beside the headline."""
    if isinstance(one.given, Unavailable) or isinstance(one.given.p_value, Unavailable):
        return ""
    moved = "" if isinstance(one.trend, Unavailable) else " and how it moved"
    return (
        f"Given where the gap stood{moved} before, the effect is {one.made.number(one.given.estimate)} "
        f"{one.unit} ({p_equals(one.given.p_value)})"
    )


def _grave(results: AnalysisResults) -> Iterator[str]:
    from evalkit.report.words.answers import worst_findings

    return (str(finding.sentence) for finding in worst_findings(results))


def limits(results: AnalysisResults) -> Prose:
    """Return what the analysis cannot do."""
    one = series_of(results).primary
    whole = (
        "It is about whole areas: where only some of their schools took part, the effect on those cannot be told from "
        "it, and is larger than the area's if the others felt nothing."
    )
    shock = "Anything else that changed in these areas at the same time, and not in those compared with, is in it."
    line = "A line carried on for many years is a guess; the further from the start, the less it can be relied on."
    return Prose((whole, shock, *((line,) if one.has_slope else ())), "list")


# The plan, before outcomes.


def equation(plan: AnalysisPlan) -> tuple[str, ...]:
    """Return the estimate as an equation, and what its letters mean."""
    return (
        "Gₜ = α + β(t − t₀) + γPₜ + δPₜ(t − t₀) + eₜ;  T = the mean of γ + δ(t − t₀) over the years from t₀ on",
        "Gₜ: the area's value in year t less the mean of those it is compared with; t₀: the first treated year; Pₜ: 1 "
        "from it on. Where the years are too few for lines, β and δ are left out.",
    )


def design_parts(plan: AnalysisPlan) -> tuple[Part, ...]:
    """Return which areas are followed, what they are compared with, and how it will be judged."""
    return tuple(_design(plan))


def design_shown(plan: AnalysisPlan) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(design_parts(plan))


def _design(plan: AnalysisPlan) -> Iterator[Part]:
    one = _first(plan)
    yield plan_table(plan)
    yield sentences(
        _comparator(plan_of(plan), one),
        _rule(plan_of(plan)),
        as_sentence(one.reason),
        "The year before a start was exposed for part of it, and is left out for its area." if one.partial else "",
        "Values are means of schools in each year." if one.is_averaged else "",
    )
    if not one.is_single:
        yield neighbours_table(one)
    if one.left_out:
        yield left_out(one, one.left_out)


def _rule(plan: SeriesPlan) -> str:
    if plan.choices.slope == "no":
        return "Levels before and after are compared, without lines, as the project asks."
    always = "as the project asks" if plan.choices.slope == "yes" else "where there are"
    return (
        f"A line is fitted on either side of the start {always} {BEFORE_FOR_SLOPES} years before and "
        f"{AFTER_FOR_SLOPES} from the start on; with fewer, levels alone are compared."
    )


def plan_table(plan: AnalysisPlan) -> ReleasedTable:
    """Return, for each outcome, the years before, who is compared, and among how many areas it will be placed."""
    columns = (
        Column("outcome", "Outcome"),
        Column("treated", "Treated areas", "count"),
        Column("starts", "First treated year"),
        Column("before", "Years before"),
        Column("compared", "Areas compared with", "count"),
        Column("areas", "Areas it is placed among", "count"),
        Column("judged", "Judged by"),
    )
    rows = tuple(
        (
            one.label,
            len(one.starts),
            _listed(sorted(set(one.starts.values()))),
            years_text(one.before),
            len({area for treated in one.starts for area in one.compared[treated]}),
            one.n_areas,
            one.recommended,
        )
        for one in plan_of(plan).outcomes.values()
    )
    return release(Table(caption="What is followed, and what it is compared with", columns=columns, rows=rows), 0)


def neighbours_table(one: SeriesOutcome) -> ReleasedTable:
    """Return the areas that each treated one is compared with."""
    columns = (Column("area", "Area"), Column("start", "First treated year"), Column("compared", "Compared with"))
    rows = tuple(
        (one.name(area), str(start), listed([one.name(other) for other in one.compared[area]], _MOST_NAMES))
        for area, start in one.starts.items()
    )
    return release(Table(caption="Each treated area and those it is compared with", columns=columns, rows=rows), 0)


def left_out(plan: SeriesOutcome, lost: tuple[LeftOut, ...]) -> Prose:
    """Return what was left out and why, areas by their names."""
    told = (
        f"{len(one.units):,} left out: {one.reason} ({listed([plan.name(unit) for unit in one.units], _MOST_IDS)})."
        for one in lost
    )
    return Prose(tuple(told), "list")


# The answer.


def answer_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the answer in a sentence, the effect by year, and every outcome."""
    return tuple(_answer(series_of(results)))


def answer_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(answer_parts(results))


def _answer(found: SeriesFindings) -> Iterator[Part]:
    one = found.primary
    yield sentences(headline(one), method_of(one), as_sentence(_placed(one)) if _placed(one) else "", _lines(one))
    yield by_year(one)
    if len(found.outcomes) > 1:
        yield outcomes_table(found)


def _lines(one: SeriesOutcomeResults) -> str:
    """Return what the regression gives, in words."""
    made = one.made
    if not one.has_slope:
        return ""
    return (
        f"Before the start it moved by {made.number(one.lines.trend)} a year; at the start its level changed by "
        f"{made.number(one.lines.level)}, and from then on its slope by {made.number(one.lines.slope)} a year."
    )


def by_year(one: SeriesOutcomeResults) -> ReleasedTable:
    """Return the effect in each year from the start on, and their mean."""
    made, level = one.made, level_text(one.level)
    has_year = one.common_start is not None
    columns = (
        Column("when", "Year" if has_year else "Years since the first treated one"),
        measured("effect", "Effect", "estimate", made),
        measured("interval", f"{level} interval", "interval", made),
        Column("p", "p", "p"),
    )
    rows: list[tuple[Cell, ...]] = [
        (str(time.year) if has_year else str(time.since), *_numbers(time.ranked)) for time in one.by_time
    ]
    rows.append(("Mean", *_numbers(one.overall)))
    each = (
        "A year's effect is the distance of the two lines in that year."
        if one.has_slope
        else "A year's effect is how far it lay from the mean of the years before."
    )
    notes = (
        "What is quoted is the mean over the years, in the last row.",
        each,
        "Each year's interval holds by itself, not all of them together."
        if not one.is_single
        else "Without areas to compare with there is neither interval nor p-value.",
    )
    return release(
        Table(caption=f"The effect on {one.label} by year", columns=columns, rows=tuple(rows), notes=notes), 0
    )


def _numbers(found: Ranked) -> tuple[Cell, ...]:
    return found.estimate, found.interval, found.p_value


def outcomes_table(found: SeriesFindings) -> ReleasedTable:
    """Return the mean effect on each outcome."""
    columns = (
        Column("outcome", "Outcome"),
        Column("role", "Role"),
        Column("effect", "Effect", "estimate"),
        Column("interval", f"{level_text(found.primary.level)} interval", "interval"),
        Column("p", "p", "p"),
        Column("years", "Years before, from the start on"),
        Column("form", "Fitted"),
        Column("areas", "Areas", "count"),
    )
    rows = tuple(
        (
            f"{one.label} ({one.unit})",
            one.role,
            *_numbers(one.overall),
            f"{len(one.before)}, {len(one.after)}",
            "lines" if one.has_slope else "levels",
            one.overall.n_areas,
        )
        for one in found.outcomes
    )
    return release(Table(caption="The effect on every outcome", columns=columns, rows=rows), 0)


# What could be wrong.


def review_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return what could be wrong: other choices, without one area, what was left out."""
    return tuple(_review(series_of(results).primary))


def review_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(review_parts(results))


def _review(one: SeriesOutcomeResults) -> Iterator[Part]:
    if one.beside:
        yield beside_table(one)
    if one.without_one:
        yield without_table(one)
    yield Heading(3, "What was left out, and why?")
    lost = tuple(f"{years_text(years)} left out: {reason}." for reason, years in one.years_left_out)
    if lost:
        yield Prose(lost, "list")
    if one.left_out:
        yield left_out(one.plan, one.left_out)
    if not lost and not one.left_out:
        yield sentences("Nothing.")


def beside_table(one: SeriesOutcomeResults) -> ReleasedTable:
    """Return the mean effect by other choices."""
    quoted = Beside(name="as quoted", estimate=one.overall.estimate, interval=one.overall.interval)
    columns = (
        Column("choice", "Choice"),
        measured("effect", "Effect", "estimate", one.made),
        measured("interval", f"{level_text(one.level)} interval", "interval", one.made),
    )
    rows = tuple((each.name, each.estimate, each.interval) for each in (quoted, *one.beside))
    return release(Table(caption="The effect by other choices", columns=columns, rows=rows), 0)


def without_table(one: SeriesOutcomeResults) -> ReleasedTable:
    """Return the mean effect without each area compared with, the one that moves it most first."""
    own = one.overall.estimate
    rows = tuple(sorted(one.without_one, key=lambda each: -abs(each[1] - own)))
    columns = (Column("left_out", "Left out"), measured("effect", "Effect without it", "estimate", one.made))
    return release(Table(caption="Without one of the areas compared with", columns=columns, rows=rows), 0)


# Files.


def tables(results: AnalysisResults) -> dict[str, ReleasedTable]:
    """Return every table of the analysis by the name of its file."""
    found = series_of(results)
    one = found.primary
    made = {
        "plan": plan_table(results.plan),
        "outcomes": outcomes_table(found),
        "by_year": by_year(one),
        "findings": match_findings_table(results.findings, "schools"),
    }
    if not one.is_single:
        made["compared"] = neighbours_table(one.plan)
    if one.beside:
        made["other_choices"] = beside_table(one)
    if one.without_one:
        made["without_one"] = without_table(one)
    return made


def figures(results: AnalysisResults) -> dict[str, Callable[[], Figure | None]]:
    """Return what draws each figure of the analysis, by the name of its files."""
    return {"series": partial(figure, results)}
