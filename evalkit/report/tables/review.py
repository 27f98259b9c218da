"""Tables of what could be wrong, what was claimed, what it cost, what trends may part by, and who moves the result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalkit.core.formats import as_sentence, count, level_text, lower_first, number, p_equals, pounds, visible
from evalkit.core.quantities import Interval, Quantity, Unavailable
from evalkit.core.words import listed
from evalkit.data.published.school_lists import ROLL_YEAR
from evalkit.diagnose.power.pre_trends import PreTrendPower, SlopePower, TestPower
from evalkit.diagnose.project.evaluation import RULES, AreasResults, ClaimCheck, CostSummary, OutcomeBounds
from evalkit.diagnose.project.falsification import ENOUGH_POWER
from evalkit.diagnose.project.influence import MOST_TOLD
from evalkit.estimate.bounds.permuted_bounds import GRID, PermutedBounds
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Prose, sentences
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.tables.design import averaging_note, power_note, released
from evalkit.report.words.names import (
    arm_label,
    capital,
    finding_label,
    is_invented,
    is_listed,
    months_long,
    outcome_label,
    phase,
    with_unit,
)

_NO_SD: Final = Unavailable("No standard deviation of pupils is known.")


def findings(evaluation: AreasResults) -> ReleasedTable:
    """Return every check with its kind, its verdict and what it says, its statistic in the sentence."""
    columns = (
        Column("check", "Check"),
        Column("kind", "Kind"),
        Column("verdict", "Verdict"),
        Column("sentence", "What it says"),
    )
    rows = tuple(
        (finding_label(f.name), capital(str(f.kind)), capital(str(f.verdict)), f.sentence) for f in evaluation.findings
    )
    table = Table(caption="Checks that could sink the result", columns=columns, rows=rows, notes=(*_KINDS, RULES))
    return released(evaluation, table)


_KINDS: Final = (
    "No verdict depends on how large the effect turned out.",
    "A falsification test asks how many areas analysed the same way show as much where nothing happened: serious up to "
    "one area in twenty, a caution up to one in five. Passed, it is uninformative where it would find a flaw as large "
    "as the least detectable effect in under half of the areas.",
    "A design fact is held against a fixed threshold and claims no rate of false alarms. A statement is about the "
    "result itself and has no verdict.",
)


def claims(evaluation: AreasResults) -> ReleasedTable:
    """Return what was claimed about the programme against what these data show, and first what the words rest on."""
    columns = (
        Column("number", "Claim"),
        Column("quote", "What was said", "quote"),
        Column("part", "What of it is looked at"),
        Column("source", "By whom"),
        Column("verdict", "Verdict"),
        Column("sentence", "What these data show"),
    )
    rows = tuple(_claim_row(i, check) for i, check in enumerate(evaluation.claims, 1))
    empty: tuple[Cell, ...] = ("No claim", *(Unavailable("The project file lists no claims."),) * 5)
    table = Table(
        caption="What was claimed about the programme, against what these data show",
        columns=columns,
        rows=rows or (empty,),
        above=_claim_notes(evaluation),
    )
    return released(evaluation, table)


def _claim_notes(evaluation: AreasResults) -> tuple[str, ...]:
    """Return each note once, with the numbers of the claims it is about."""
    about: dict[str, list[str]] = {}
    for i, check in enumerate(evaluation.claims, 1):
        if check.claim.note:
            about.setdefault(check.claim.note, []).append(str(i))
    return tuple(
        f"On {'claim' if len(claims) == 1 else 'claims'} {listed(claims, 99)}: {as_sentence(note)}"
        for note, claims in about.items()
    )


def _claim_row(number: int, check: ClaimCheck) -> tuple[Cell, ...]:
    claim = check.claim
    return str(number), claim.quote, capital(claim.part), claim.source, capital(check.verdict), check.sentence


def conversions(evaluation: AreasResults) -> ReleasedTable:
    """Return schools that changed legal identity within the years analysed: a co-intervention."""
    columns = (
        Column("arm", "Schools"),
        Column("n_converted", "Changed identity", "school_count"),
        Column("n_schools", "Analysed", "school_count"),
    )
    rows = tuple((arm_label(row.arm), row.n_converted, row.n_schools) for row in evaluation.conversions)
    notes = (
        "A conversion to an academy often brings new leadership: something else that changed. The estimate without the "
        "schools that converted stands among the designs.",
    )
    caption = "Schools that changed legal identity within the years analysed"
    return released(evaluation, Table(caption=caption, columns=columns, rows=rows, unit="schools", notes=notes))


def detectable(evaluation: AreasResults) -> ReleasedTable:
    """Return the least detectable effect as designed (optimistic) and as realised."""
    columns = (
        Column("outcome", "Outcome"),
        Column("at_design", "As designed, optimistic", "number"),
        Column("realised", "As realised", "number"),
        Column("in_sd", "In SDs of pupils", "number"),
        Column("n_areas", "Areas", "count"),
    )
    in_sd = {row.outcome: row.detectable_sd for row in evaluation.outcomes}
    rows = tuple(
        (with_unit(evaluation, r.outcome), r.at_design, r.realised, in_sd.get(r.outcome, _NO_SD), r.n_areas)
        for r in evaluation.detectable
    )
    has_interval = any(isinstance(row.realised, float) for row in evaluation.detectable)
    notes = (
        f"{power_note()} As designed, from changes before the programme{averaging_note(evaluation.project.exposure)}; "
        "as realised, from the changes of the schools analysed, after every loss. In standard deviations (SDs): the "
        "larger of the two over that of the effect size.",
        *((_realised_from(evaluation),) if is_listed(evaluation) and has_interval else ()),
    )
    caption = "Least detectable effect, as designed and as realised"
    return released(evaluation, Table(caption=caption, columns=columns, rows=rows, unit="points", notes=notes))


def _realised_from(evaluation: AreasResults) -> str:
    effect = evaluation.main_effect
    if effect is not None and effect.sets is not None:
        return "As realised it comes from the spread of the sets that the listed schools are placed among."
    return "As realised it comes from the standard error clustered by area."


def cost(evaluation: AreasResults) -> ReleasedTable:
    """Return what the programme cost, and a ratio only where the interval allows one."""
    summary = evaluation.cost
    columns = (Column("item", "Item"), Column("amount", "Amount", "money"))
    if summary is None:
        rows: tuple[tuple[Cell, ...], ...] = (("Cost", Unavailable("The project file states no cost.")),)
        return released(evaluation, Table(caption="What the programme cost", columns=columns, rows=rows))
    rows = (
        ("Total grant", summary.total_gbp),
        (f"For each of the {summary.schools} schools it was spent on", summary.per_school_gbp),
        *_pupil_rows(evaluation, summary),
        ("For a tenth of a standard deviation, by school", summary.per_tenth_sd_gbp),
    )
    ends = summary.per_tenth_sd_interval
    notes = (
        *_pupil_notes(evaluation, summary),
        *(
            (
                f"Over the interval of the effect a tenth of a standard deviation costs {pounds(ends.lower)} to "
                f"{pounds(ends.upper)} by school.",
            )
            if isinstance(ends, Interval)
            else ()
        ),
        f"Source{', as the project file names it' if is_invented(evaluation) else ''}: {summary.source}",
        f"The cost is that of the {summary.schools} schools funded, whatever their phase; the effect is that on the "
        f"{evaluation.headline.n_schools} {phase(evaluation.project, evaluation.headline.n_schools)} analysed.",
        "The funder's grant only: staff time in schools and other costs are not known.",
    )
    return released(evaluation, Table(caption="What the programme cost", columns=columns, rows=rows, notes=notes))


def _pupil_rows(evaluation: AreasResults, summary: CostSummary) -> tuple[tuple[Cell, ...], ...]:
    """Return the cost by pupil, and by pupil and year, or one row with the reason why there is none."""
    if isinstance(summary.n_pupils, Unavailable):
        return (("For each pupil", summary.n_pupils),)
    whose = f"For each pupil, at the mean roll of the {count(summary.n_pupil_schools)} listed schools"
    if not is_listed(evaluation):
        schools = f"all {count(summary.n_pupil_schools)} eligible schools of {evaluation.headline.place}"
        whose = f"For each of the {count(summary.n_pupils)} pupils of {schools}"
    return (
        (whose, summary.per_pupil_gbp),
        (f"For each pupil and year, over {months_long(summary.years)} months", summary.per_pupil_year_gbp),
    )


def _pupil_notes(evaluation: AreasResults, summary: CostSummary) -> tuple[str, ...]:
    if isinstance(summary.n_pupils, Unavailable):
        return ()
    spread = (
        ""
        if is_listed(evaluation)
        else " The cost is spread over every pupil of the area, as the effect is: where some schools did not take "
        "part, it is more for each pupil of those that did."
    )
    band = (
        as_sentence(summary.band.reason)
        if isinstance(summary.band, Unavailable)
        else f"By pupil and year the cost is “{summary.band}” on the scale of the EEF Toolkit (very low under £80, low "
        "to £200, moderate to £720, high to £1,200)."
    )
    return (
        f"{band} Pupils are those on roll in {ROLL_YEAR}, after the programme: no earlier "
        f"roll is in these files.{spread}",
    )


def limits(evaluation: AreasResults) -> Prose:
    """Return what this evaluation cannot do."""
    return Prose(evaluation.limits, "list")


# What the result would bear, were trends not parallel.


def bounds(evaluation: AreasResults) -> ReleasedTable:
    """Return p-value and set of effects of every outcome at violations M of parallel trends, by permutation."""
    rows: list[tuple[Cell, ...]] = []
    for one in evaluation.bounds:
        name = with_unit(evaluation, one.outcome)
        if isinstance(one.found, Unavailable):
            rows.append((name, *(one.found,) * 3))
        else:
            rows += [(name, *row) for row in _bound_rows(one.found)]
    none = ("No outcome", *(Unavailable("No outcome was estimated."),) * 3)
    level = evaluation.project.inference.level
    columns = (Column("outcome", "Outcome"), *_bound_columns(level))
    known = [one.found for one in evaluation.bounds if isinstance(one.found, PermutedBounds)]
    table = Table(
        caption=_BOUNDS_CAPTION,
        columns=columns,
        rows=tuple(rows) or (none,),
        panel_by="outcome",
        notes=_bound_notes(known),
    )
    return released(evaluation, table)


def permuted_bounds(found: PermutedBounds) -> ReleasedTable:
    """Return p-value and set of effects at violations M of parallel trends, by permutation."""
    rows = tuple(_bound_rows(found))
    return release(
        Table(caption=_BOUNDS_CAPTION, columns=_bound_columns(found.level), rows=rows, notes=_bound_notes([found])), 0
    )


_BOUNDS_CAPTION: Final = "How far trends may part before the rank is lost"


def _bound_columns(level: float) -> tuple[Column, ...]:
    return (
        Column("m", "M, in largest steps before", "number"),
        Column("p", "p(M)", "p"),
        Column("set", f"Effects not rejected at {level_text(1 - level)}", "interval"),
    )


def _bound_rows(found: PermutedBounds) -> list[tuple[Cell, ...]]:
    return [(row.m, row.p_value, row.interval) for row in found.rows]


def _bound_notes(known: list[PermutedBounds]) -> tuple[str, ...]:
    are_sets = any(one.n_sets for one in known)
    after = sorted({one.ahead for one in known})
    span = f" ({listed([f'{years:g}' for years in after], 9)} years here)" if after else ""
    return (
        "Each later yearly step away from parallel trends is taken to be at most M times the treated's largest step "
        f"before, so that the bias is at most mM times it, m the years from the last year before to those after{span}. "
        "For 41 biases in that range the treated are ranked among "
        f"{'sets of schools' if are_sets else 'areas'}, of each of which the same multiple of its own step is taken "
        "off; p(M) is the largest p-value, the set all that some bias leaves unrejected.",
        "Effects are since the last year before, not since the mean of the years before, which holds part of the step.",
    )


def bounds_words(evaluation: AreasResults) -> Prose:
    """Return the breakdown of each outcome in words that claim no more than it says."""
    told = [_breakdown(evaluation, one) for one in evaluation.bounds]
    return sentences(*told, *((_NEAR_ZERO,) if any("breakdown" in one for one in told) else ()))


_NEAR_ZERO: Final = (
    "One area, or one list, has one movement before the programme, and what is noise in it cannot be told from drift: "
    "most such results break down near 0."
)


def _breakdown(evaluation: AreasResults, one: OutcomeBounds) -> str:
    name = outcome_label(evaluation, one.outcome)
    if isinstance(one.found, Unavailable):
        return f"{name}: {lower_first(as_sentence(one.found.reason))}"
    effect = evaluation.effect(one.outcome)
    beside = ""
    if effect is not None and isinstance(effect.estimate, float):
        beside = f" (since the mean of the years before {visible(effect.estimate)})"
    since = f"{name}: since {one.found.base} the effect is {visible(one.found.estimate)}{beside}"
    return f"{since}; {breakdown_said(one.found)}"


def breakdown_said(found: PermutedBounds) -> str:
    """Return the breakdown in words, to follow what the effect is."""
    tail = level_text(1 - found.level)
    if not found.is_in_tail:
        return f"breakdown 0: not in the {tail} tail to begin with ({p_equals(found.p_at_zero)})."
    if found.breakdown == 0:
        return (
            f"breakdown 0: in the {tail} tail ({p_equals(found.p_at_zero)}), but a later step of {number(GRID)} times "
            "the largest before takes it out."
        )
    step = visible(found.largest_step)
    reach = visible(found.ahead * found.breakdown * found.largest_step)
    least = "at least " if found.is_at_least else ""
    return (
        f"breakdown {least}{number(found.breakdown)}: in the {tail} tail ({p_equals(found.p_at_zero)}) as long as no "
        f"later yearly step away from parallel trends is more than {number(found.breakdown)} times the largest before "
        f"({step} a year), a bias of at most {reach}."
    )


def permuted_bounds_words(found: PermutedBounds) -> Prose:
    """Return the breakdown in words."""
    return sentences(f"Since {found.base} the effect is {visible(found.estimate)}; {breakdown_said(found)}", _NEAR_ZERO)


# What passing a test before the start is worth.


def pre_trends(found: PreTrendPower) -> ReleasedTable:
    """Return which linear trends tests before the start find, and what those they miss do to the effect."""
    columns = [
        Column("test", "Test"),
        Column("trend", "Trend"),
        Column("slope", "Slope, a period", "number", decimals=3),
        Column("power", "Found in, %", "number", decimals=1),
        Column("bias", "Bias of the effect", "number", decimals=3),
        Column("bias_if_passed", "Bias where the test passes", "number", decimals=3),
        Column("bayes_factor", "Bayes factor", "number", decimals=3),
        Column("likelihood_ratio", "Likelihood ratio", "number", decimals=3),
    ]
    rows = [row for test in found.tests for row in _trend_rows(test, found)]
    notes = [
        "A straight line away from parallel trends, from the reference period on. The bias where the test passes is "
        "the mean over data that pass it: looking only at results that passed changes what the line does.",
        "Bayes factor: the probability of passing with the line over that without.",
    ]
    if any(test.test != "rank" for test in found.tests):
        notes.append("Likelihood ratio: that of the effects seen before, with the line (upwards) over without.")
    else:  # a rank has none
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    if isinstance(found.violation, float):
        notes.append(
            f"The trend asked about biases the effect by {visible(found.violation)}, the least detectable one."
        )
    table = Table(
        caption="Which earlier trends would have been found",
        columns=tuple(columns),
        rows=tuple(rows),
        panel_by="test",
        notes=tuple(notes),
    )
    return release(table, 0)


_TESTS: Final = {
    "joint": "All leads together",
    "any lead": "Any lead by itself",
    "rank": "Rank among those not treated",
}


def _trend_rows(test: TestPower, found: PreTrendPower) -> Iterator[tuple[Cell, ...]]:
    name, none = _TESTS[test.test], Unavailable("There is no trend.")
    known = [one for one in (*test.found, test.at_violation) if isinstance(one, SlopePower)]
    if test.test == "rank" and known:
        name += ", a trend upwards" if known[0].slope > 0 else ", a trend downwards"
    yield name, "None", 0.0, 100 * test.size, none, none, none, none
    for power, one in zip(found.powers, test.found, strict=True):
        yield name, f"Found in {number(100 * power, 0)}%", *_slope_cells(one)
    if isinstance(test.at_violation, SlopePower):
        yield name, "Least detectable effect as bias", *_slope_cells(test.at_violation)


def _slope_cells(one: SlopePower | Unavailable) -> tuple[Cell, ...]:
    if isinstance(one, Unavailable):
        return (one,) * 6
    return one.slope, 100 * one.power, one.bias, one.bias_if_passed, one.bayes_factor, one.likelihood_ratio


def pre_trends_words(found: PreTrendPower) -> Prose:
    """Return what passing the tests before the start is worth, in words."""
    return sentences(*(text for test in found.tests if (text := _trend_said(test, found))))


def _trend_said(test: TestPower, found: PreTrendPower) -> str:
    """Return which trends one test finds; of a rank those upwards, which would pass for a gain."""
    slopes = {
        power: one.slope for power, one in zip(found.powers, test.found, strict=True) if isinstance(one, SlopePower)
    }
    if not slopes or (test.test == "rank" and min(slopes.values()) < 0):
        return ""
    told = " and ".join(f"one of {visible(slope)} in {number(100 * power, 0)}%" for power, slope in slopes.items())
    text = f"{_TESTS[test.test]}: of trends a period it finds {told} of cases."
    asked = test.at_violation
    if not isinstance(asked, SlopePower) or isinstance(asked.bias, Unavailable):
        return text
    weak = ", so that passing says little" if asked.power < ENOUGH_POWER else ""
    text += (
        f" One of {visible(asked.slope)} a period, which biases the effect by {visible(asked.bias)}, "
        f"is found in {number(100 * asked.power, 0)}%{weak}"
    )
    if isinstance(asked.bias_if_passed, float):
        text += f"; where it is missed the bias is {visible(asked.bias_if_passed)} on average"
    return f"{text}."


# Who moves the result.


def influence(evaluation: AreasResults) -> ReleasedTable:
    """Return the effect on the primary outcome without each part that was left out, the largest move first."""
    columns = (
        Column("left_out", "Left out"),
        Column("kind", "What it is"),
        Column("n_schools", "Schools", "school_count"),
        Column("estimate", "Estimate without it", "estimate"),
        Column("moved", "Moves by", "number"),
        Column("in_sd", "In SDs of other areas' effects", "number"),
    )
    found = evaluation.influences
    if isinstance(found, Unavailable):
        rows: tuple[tuple[Cell, ...], ...] = (("Nothing", *(found,) * 5),)
        return released(evaluation, Table(caption=_INFLUENCE, columns=columns, rows=rows))
    rows = tuple(
        (one.name, capital(one.kind), one.n_schools, one.estimate, one.moved, _in_spread(one.moved, found.spread))
        for one in found.parts
    )
    looked = ", ".join(f"{n:,} {kind}{'' if n == 1 else 's'}" for kind, n in found.n_looked_at.items())
    notes = (
        f"Left out one at a time, nothing matched anew: {looked}. Of schools the {MOST_TOLD} of each arm that move the "
        "estimate most are shown.",
        "That one part moves the estimate is no fault of it. How many areas have as large a part is among the checks.",
        *found.notes,
    )
    return released(evaluation, Table(caption=_INFLUENCE, columns=columns, rows=rows, unit="schools", notes=notes))


_INFLUENCE: Final = "Who moves the result"


def _in_spread(moved: Quantity, spread: Quantity) -> Quantity:
    if isinstance(moved, Unavailable):
        return moved
    if isinstance(spread, Unavailable) or spread == 0:
        return spread if isinstance(spread, Unavailable) else Unavailable("Areas moved alike.")
    return moved / spread
