"""Tables of what could be wrong, what was claimed, and what it cost."""

from __future__ import annotations

from evalkit.core.quantities import Unavailable
from evalkit.diagnose.evaluation import ClaimCheck, Evaluation
from evalkit.report.disclosure import ReleasedTable
from evalkit.report.names import arm_label, with_unit
from evalkit.report.prose import Prose
from evalkit.report.table import Cell, Column, Table
from evalkit.report.tables.design import released


def findings(evaluation: Evaluation) -> ReleasedTable:
    """Return every check with its verdict, statistic and sentence."""
    columns = (
        Column("check", "Check"),
        Column("verdict", "Verdict"),
        Column("statistic", "Statistic", "number"),
        Column("sentence", "What it says"),
    )
    rows = tuple((f.name, str(f.verdict), _short(f.statistic, f.sentence), f.sentence) for f in evaluation.findings)
    return released(evaluation, Table(caption="Checks that could sink the result", columns=columns, rows=rows))


def _short(statistic: Cell, sentence: str) -> Cell:
    """Return the statistic; a reason that the sentence gives already is not said twice."""
    return None if isinstance(statistic, Unavailable) and statistic.reason.rstrip(".") in sentence else statistic


def judgements(evaluation: Evaluation) -> ReleasedTable:
    """Return the entries of published appraisal scales, in words."""
    columns = (
        Column("domain", "Domain"),
        Column("scale", "Scale"),
        Column("judgement", "Judgement"),
        Column("sentence", "Why"),
    )
    rows = tuple((j.domain, j.scale, j.judgement, j.sentence) for j in evaluation.judgements)
    note = "The kit's own reading of the scales, for a reviewer to contest; nobody else has rated this evaluation."
    return released(
        evaluation,
        Table(caption="How published scales would rate this design", columns=columns, rows=rows, notes=(note,)),
    )


def claims(evaluation: Evaluation) -> ReleasedTable:
    """Return what was claimed about the programme against what these data show."""
    columns = (
        Column("number", "Claim"),
        Column("claim", "What was said", "quote"),
        Column("source", "By whom"),
        Column("verdict", "Verdict"),
        Column("sentence", "What these data show"),
    )
    rows = tuple(_claim_row(i, check) for i, check in enumerate(evaluation.claims, 1))
    empty: tuple[tuple[Cell, ...], ...] = (("none", None, None, None, "The project file lists no claims."),)
    caption = "What was claimed about the programme, against what these data show"
    return released(evaluation, Table(caption=caption, columns=columns, rows=rows or empty))


def _claim_row(number: int, check: ClaimCheck) -> tuple[Cell, ...]:
    return str(number), check.claim.text, check.claim.source, check.verdict, check.sentence


def conversions(evaluation: Evaluation) -> ReleasedTable:
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


def detectable(evaluation: Evaluation) -> ReleasedTable:
    """Return the least detectable effect as designed (optimistic) and as realised."""
    columns = (
        Column("outcome", "Outcome"),
        Column("at_design", "As designed, optimistic", "number"),
        Column("realised", "As realised", "number"),
        Column("n_areas", "Areas", "count"),
    )
    rows = tuple((with_unit(evaluation, r.outcome), r.at_design, r.realised, r.n_areas) for r in evaluation.detectable)
    notes = ("2.8 times the standard deviation of the changes of areas without the programme.",)
    caption = "Least detectable effect, as designed and as realised"
    return released(evaluation, Table(caption=caption, columns=columns, rows=rows, unit="points", notes=notes))


def cost(evaluation: Evaluation) -> ReleasedTable:
    """Return what the programme cost, and a ratio only where the interval allows one."""
    summary = evaluation.cost
    columns = (Column("item", "Item"), Column("amount", "Amount", "money"))
    if summary is None:
        rows: tuple[tuple[Cell, ...], ...] = (("Cost", Unavailable("The project file states no cost.")),)
        return released(evaluation, Table(caption="What the programme cost", columns=columns, rows=rows))
    rows = (
        ("Total grant", summary.total_gbp),
        (f"For each of the {summary.schools} schools it was spent on", summary.per_school_gbp),
        ("For each school and tenth of a standard deviation", summary.per_tenth_sd_gbp),
    )
    notes = (
        f"Source: {summary.source}",
        "The funder's grant only: staff time in schools and other costs are not known.",
    )
    return released(evaluation, Table(caption="What the programme cost", columns=columns, rows=rows, notes=notes))


def limits(evaluation: Evaluation) -> Prose:
    """Return what this evaluation cannot do."""
    return Prose(evaluation.limits, "list")
