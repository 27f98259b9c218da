"""Tables of what could be wrong, what was claimed, and what it cost."""

from __future__ import annotations

from typing import Final

from evalkit.core.formats import as_sentence, count, pounds
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import listed
from evalkit.data.published.school_lists import ROLL_YEAR
from evalkit.diagnose.project.evaluation import RULES, AreasResults, ClaimCheck, CostSummary
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Prose
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.tables.design import averaging_note, power_note, released
from evalkit.report.words.names import (
    arm_label,
    capital,
    finding_label,
    is_invented,
    is_listed,
    months_long,
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


def judgements(evaluation: AreasResults) -> ReleasedTable:
    """Return the entries of published appraisal scales, in words."""
    columns = (
        Column("domain", "Domain"),
        Column("scale", "Scale"),
        Column("judgement", "Judgement"),
        Column("sentence", "Why"),
    )
    rows = tuple((j.domain, j.scale, capital(j.judgement), j.sentence) for j in evaluation.judgements)
    notes = (
        "The kit's own reading of the scales, for a reviewer to contest; nobody else has rated this evaluation.",
        "ROBINS-I rates the risk of bias in studies without random allocation; the Maryland scale the strength of a "
        "design, from 1 to 5; EEF is the Education Endowment Foundation; the What Works Clearinghouse is that of the "
        "United States; the Campbell Collaboration appraises how sound the studies in its reviews are.",
    )
    return released(
        evaluation,
        Table(caption="How published scales would rate this design", columns=columns, rows=rows, notes=notes),
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
