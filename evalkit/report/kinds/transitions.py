"""What documents show of ordered categories before and after: the matrix of each arm, and what differs between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalkit.core.formats import Precision, as_sentence, level_text, p_equals
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted, listed
from evalkit.data.flow import LeftOut
from evalkit.design.analysis_plan import AnalysisPlan
from evalkit.design.kinds.transitions import TransitionsPlan
from evalkit.design.project.set_rule import LESS_EXPECTED, sets_hold
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.transitions import NUMBERS, POINTS, Arm, TransitionsFindings, TransitionsResults
from evalkit.estimate.dose.listed import AgainstComparison
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Heading, Part, Parts, Prose, sentences
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.tables.matched import match_findings_table

_MOST_IDS: Final = 6
_ROUGH: Final = 10
"""Moves between two categories, on average, below which χ² says only roughly how likely they are."""
_ARMS: Final = {"listed": "Listed schools", "compared": "Schools compared"}


def transitions_of(results: AnalysisResults) -> TransitionsFindings:
    """Return what the kind's own pipeline found."""
    found = results.details
    assert isinstance(found, TransitionsFindings)
    return found


def plan_of(plan: AnalysisPlan) -> TransitionsPlan:
    """Return the kind's own plan."""
    found = plan.details
    assert isinstance(found, TransitionsPlan)
    return found


def whom(plan: AnalysisPlan) -> str:
    """Return whom the evaluation is about, in a sentence."""
    found = plan_of(plan)
    first, last = found.years
    return (
        f"About {counted(len(found.primary.participants), 'listed school')}, and the category each was in in {first} "
        f"and in {last}."
    )


def estimand(plan: AnalysisPlan) -> dict[str, str]:
    """Return the rows of the estimand table that this kind has words of its own for."""
    found = plan_of(plan)
    first, last = found.years
    who = {"neighbours": "Schools of the statistical neighbours of their areas.", "others": "Schools of other areas."}
    return {
        "comparator": who[found.options.against],
        "summary": (
            f"The share of schools in a better category in {last} than in {first}, listed less compared; each area's "
            "listed schools against its own comparison."
        ),
    }


def answer(results: AnalysisResults) -> Prose:
    """Return the answer in a sentence or two, no stronger than the interval allows."""
    found = transitions_of(results)
    return Prose((headline(found.primary), _given(found.primary)), "headline")


def would_have(results: AnalysisResults) -> str:
    """Return what the answer rests on, after "without the programme, the treated"."""
    return "would have moved between categories as those compared did"


def summary_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the differences in a small table."""
    return (against_table(transitions_of(results)),)


def comparison(results: AnalysisResults) -> Prose:
    """Return who was compared with whom."""
    one = transitions_of(results).primary
    own, others = (one.arms[name].matrix.n for name in _ARMS)
    first, last = transitions_of(results).plan.years
    return sentences(
        f"{counted(own, 'listed school')} with a category in {first} and in {last} are compared with {others:,} others."
    )


def certainty(results: AnalysisResults) -> Prose:
    """Return how sure the answer is, and why."""
    found = transitions_of(results)
    told = (
        results.reason,
        *(symmetry_sentence(_ARMS[name], arm) for name, arm in found.primary.arms.items()),
        *(str(one.sentence) for one in results.findings if one.name in ("balance", "pre_trend")),
    )
    return Prose(tuple(as_sentence(text) for text in told), "list")


def limits(results: AnalysisResults) -> Prose:
    """Return what the analysis cannot do."""
    return Prose(
        (
            "A category holds schools far apart: a school may do much better and stay in it.",
            "Who stands in the best category cannot rise, and who stands in the worst cannot fall.",
            "Where inspectors give categories, a school that was not inspected in between keeps the one it had.",
        ),
        "list",
    )


def headline(one: TransitionsResults) -> str:
    """Return the difference in the share that improved, in a sentence that claims no more than the design allows."""
    own, others = one.arms["listed"].matrix, one.arms["compared"].matrix
    found = one.against["improved"]
    shares = (
        f"{one.label}: {own.n_improved:,} of the {counted(own.n, 'listed school')} were in a better category after, "
        f"and {others.n_improved:,} of the {others.n:,} compared."
    )
    if isinstance(found, Unavailable) or isinstance(found.estimate, Unavailable):
        reason = found.reason if isinstance(found, Unavailable) else str(found.estimate)
        return f"{shares} The difference cannot be given. {as_sentence(reason)}"
    return (
        f"{shares} The share that improved was {_difference(found)} than expected, if without the programme the listed "
        "would have moved as those compared did."
    ) + (" The interval includes no difference." if _includes_none(found) else "")


def _includes_none(found: AgainstComparison) -> bool:
    return isinstance(found.interval, Interval) and 0.0 in found.interval


def _difference(found: AgainstComparison) -> str:
    assert not isinstance(found.estimate, Unavailable)
    interval = found.interval
    size = (interval.upper - interval.lower) / 4 if isinstance(interval, Interval) else abs(found.estimate)
    made = Precision.of(size, abs(found.estimate))
    side = "higher" if found.estimate > 0 else "lower"
    p = "" if isinstance(found.p_value, Unavailable) else p_equals(found.p_value)
    if isinstance(interval, Interval):
        p = f" ({level_text(interval.level)} interval {made.interval(interval)}{f', {p}' if p else ''})"
    elif p:
        p = f" ({p})"
    return f"{made.number(abs(found.estimate))} {POINTS} {side}{p}"


def _given(one: TransitionsResults) -> str:
    found = one.against["improved_given_before"]
    if isinstance(found, Unavailable) or isinstance(found.estimate, Unavailable):
        return ""
    return f"Given the category that each school was in before, it was {_difference(found)}."


def symmetry_sentence(who: str, arm: Arm) -> str:
    """Return the test that as many moved up as down, in a sentence."""
    test, matrix = arm.symmetry, arm.matrix
    if isinstance(test.p_value, Unavailable) or isinstance(test.statistic, Unavailable):
        return f"{who}: {test.p_value.reason if isinstance(test.p_value, Unavailable) else ''}"
    rough = "With so few moves p is rough. " if test.n_moved < _ROUGH * test.df else ""
    return (
        f"{who}: {matrix.n_improved:,} moved to a better category, {matrix.n_declined:,} to a worse one. That moves "
        f"between each two categories balance is tested by McNemar–Bowker, schools taken as independent: "
        f"{test.statistic:.2f} with {counted(test.df, 'degree')} of freedom, {p_equals(test.p_value)}. {rough}It says "
        "of one arm alone whether it moved, and not why."
    )


# The plan, before outcomes.


def design_parts(plan: AnalysisPlan) -> tuple[Part, ...]:
    """Return where the listed stood before, and how it will be judged."""
    found = plan_of(plan)
    parts: list[Part] = [before_table(found), sentences(_rule(found))]
    if found.primary.left_out:
        parts.append(Prose(tuple(map(_loss, found.primary.left_out)), "list"))
    return tuple(parts)


def design_shown(plan: AnalysisPlan) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(design_parts(plan))


def _rule(plan: TransitionsPlan) -> str:
    against = plan.primary.against
    if against.has_many_areas:
        return "Errors are clustered by area."
    if against.sets.too_few:
        return as_sentence(against.sets.too_few)
    like = sets_hold(against.sets.rule, "categories before")
    return (
        f"Sets of schools of other areas are drawn in the listed schools' place ({like}); {against.sets.n_areas:,} "
        "areas could hold one, the treated counted."
    )


def _loss(lost: LeftOut) -> str:
    ids = listed(list(lost.units), _MOST_IDS)
    return f"{counted(len(lost.units), 'participant')} left out: {lost.reason} ({ids})."


def before_table(plan: TransitionsPlan) -> ReleasedTable:
    """Return how many participants stood in each category before, for each outcome."""
    names = list(plan.options.categories.values())
    columns = (
        Column("outcome", "Outcome"),
        *(Column(f"c{at}", name, "school_count") for at, name in enumerate(names)),
        Column("all", "Listed schools", "school_count"),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (plan.labels[code], *map(int, one.counts(len(names))), len(one.participants))
        for code, one in plan.outcomes.items()
    )
    caption = f"Where the listed schools stood in {plan.years[0]}"
    sums = (("all", *(f"c{at}" for at in range(len(names)))),)
    return release(Table(caption=caption, columns=columns, rows=rows, column_sums=sums), 0)


# The answer.


def answer_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the answer in a sentence, the matrix of each arm, and what differs between them."""
    return tuple(_answer(transitions_of(results)))


def answer_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(answer_parts(results))


def _answer(found: TransitionsFindings) -> Iterator[Part]:
    one = found.primary
    yield sentences(headline(one), _given(one))
    for name in _ARMS:
        yield matrix_table(found, one, name)
    yield sentences(*(symmetry_sentence(_ARMS[name], arm) for name, arm in one.arms.items()))
    yield against_table(found)


def matrix_table(found: TransitionsFindings, one: TransitionsResults, arm: str) -> ReleasedTable:
    """Return the schools of one arm by category before and after."""
    first, last = found.plan.years
    names, counts = list(found.plan.options.categories.values()), one.arms[arm].matrix.counts
    columns = (
        Column("before", f"In {first}"),
        *(Column(f"c{at}", f"{name}, {last}", "school_count") for at, name in enumerate(names)),
        Column("all", "All", "school_count"),
    )
    rows: list[tuple[Cell, ...]] = [
        (name, *map(int, counts[at]), int(counts[at].sum())) for at, name in enumerate(names)
    ]
    rows.append(("All", *map(int, counts.sum(axis=0)), int(counts.sum())))
    caption = f"{one.label}: {_ARMS[arm].lower()} by category before and after"
    sums = (("all", *(f"c{at}" for at in range(len(names)))),)
    return release(Table(caption=caption, columns=columns, rows=tuple(rows), column_sums=sums, has_total_row=True), 0)


def against_table(found: TransitionsFindings) -> ReleasedTable:
    """Return what differs between listed and compared schools, for each outcome."""
    level = level_text(found.plan.project.inference.level)
    columns = (
        Column("outcome", "Outcome"),
        Column("what", "What"),
        Column("effect", "Listed less compared", "estimate"),
        Column("interval", f"{level} interval", "interval"),
        Column("p", "p", "p"),
        Column("listed", "Listed", "school_count"),
        Column("compared", "Compared", "school_count"),
        Column("areas", "Areas ranked, the treated counted", "count"),
    )
    rows = tuple(
        (one.label, f"{NUMBERS[name]} ({'categories' if name == 'steps' else '%'})", *_cells(each))
        for one in found.outcomes
        for name, each in one.against.items()
    )
    caption = "What the listed did otherwise than those compared"
    is_like = any(one.plan.against.sets.rule == "like" for one in found.outcomes)
    notes = (LESS_EXPECTED.format(what="difference"),)
    table = Table(caption=caption, columns=columns, rows=rows, panel_by="outcome", notes=notes if is_like else ())
    return release(table, 0)


def _cells(found: AgainstComparison | Unavailable) -> tuple[Cell, ...]:
    if isinstance(found, Unavailable):
        return (found,) * 6
    ranked: Cell = Unavailable("errors by area") if found.sets is None else found.sets.n_areas
    return found.estimate, found.interval, found.p_value, found.n_listed, found.n_compared, ranked


# What could be wrong, and files.


def review_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return what was left out and why."""
    lost = transitions_of(results).primary.left_out
    return (
        Heading(3, "Which listed schools were left out, and why?"),
        Prose(tuple(map(_loss, lost)), "list") if lost else sentences("None."),
    )


def review_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(review_parts(results))


def tables(results: AnalysisResults) -> dict[str, ReleasedTable]:
    """Return every table of the analysis by the name of its file."""
    found = transitions_of(results)
    return {
        "transitions_before": before_table(found.plan),
        **{f"transitions_{name}": matrix_table(found, found.primary, name) for name in _ARMS},
        "transitions_against": against_table(found),
        "findings": match_findings_table(results.findings, "schools"),
    }
