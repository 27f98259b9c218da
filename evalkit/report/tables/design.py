"""Tables of everything decided before outcomes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from fractions import Fraction
from typing import Final, get_args

from evalkit.core.formats import mean_of, number, years_text
from evalkit.core.project import Exposure, Project
from evalkit.core.words import listed
from evalkit.data.flow import Arm, CountedCase, Flow, FlowRow
from evalkit.data.measures import measure_of
from evalkit.design.analysis_plan import AnalysisPlan
from evalkit.design.power.mdes import MULTIPLIER, averaging_factor
from evalkit.design.project.labels import LIST_LABEL
from evalkit.design.project.plan import AreaComparison, BalanceRow, DesignStage, MeasureNote
from evalkit.diagnose.appraisal.scales import baseline_category
from evalkit.diagnose.matched.balance_registry import ADJUSTABLE, SATISFIED
from evalkit.diagnose.project.describe import measure_note
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.table import Cell, Column, Table, sums_by
from evalkit.report.words.names import (
    ROLES,
    arm_label,
    capital,
    case_label,
    design_of,
    is_invented,
    outcome_label,
    short_label,
    units_of,
)

ELIGIBLE_BEFORE: Final = "Eligible on the years before"
_STATISTIC: Final = {
    "unstudentised": "The change itself (unstudentised)",
    "studentised": "The change over its standard error (studentised)",
}
_SMALL: Final = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


def released(stage: DesignStage | AreasResults, table: Table) -> ReleasedTable:
    """Return a table released at the project's threshold."""
    return release(table, stage.project.disclosure.threshold)


def areas(design: DesignStage) -> ReleasedTable:
    """Return the areas compared, by neighbour list, with those of the list that could not be used."""
    columns = (
        Column("list", "List"),
        Column("treated", "Treated area"),
        Column("n_comparison", "Areas compared", "count"),
        Column("comparison", "Names"),
        Column("absent", "On the list, without schools in these data"),
    )
    rows = tuple(map(_area_row, design.areas))
    return released(design, Table(caption="Areas compared, by list of neighbours", columns=columns, rows=rows))


def _area_row(row: AreaComparison) -> tuple[Cell, ...]:
    names = [name for _, name in row.comparison]
    absent = listed([str(code) for code in row.absent], 20) if row.absent else "No area"
    return row.list_label, listed([name for _, name in row.treated]), len(names), listed(names, 20), absent


def flow(evaluation: AreasResults) -> ReleasedTable:
    """Return every school lost between listed and analysed with its reason, by outcome and arm, over every year."""
    caption = "Schools from listed to analysed, by arm"
    notes = (
        "In each arm, listed schools less those left out are the schools analysed.",
        "England beyond the neighbours and the neighbours together are England outside the treated area, which one of "
        "the comparisons uses.",
    )
    return _flow(evaluation, caption, "Analysed", notes)


def flow_before(design: DesignStage) -> ReleasedTable:
    """Return every school lost between listed and eligible on the years before the programme, by outcome and arm."""
    years = years_text(design.project.exposure.pre)
    note = (
        f"In each arm, listed schools less those left out are the schools eligible on the years before ({years}). Some "
        "of them may lack a later result: the schools analysed can be fewer, and are counted beside the estimates."
    )
    return _flow(design, "Schools from listed to eligible on the years before, by arm", ELIGIBLE_BEFORE, (note,))


def _flow(stage: DesignStage | AreasResults, caption: str, last: str, notes: tuple[str, ...]) -> ReleasedTable:
    arms = [arm for arm in get_args(Arm) if any(row.arm == arm for row in stage.flow.rows)]
    columns = (
        Column("outcome", "Outcome"),
        Column("step", "Step"),
        *(Column(arm, arm_label(arm), "school_count") for arm in arms),
    )
    keys = dict.fromkeys((row.outcome, row.stage, row.reason) for row in _in_order(stage))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            outcome_label(stage, outcome),
            _step(step, reason, last),
            *(_flow_count(stage.flow, outcome, step, reason, a) for a in arms),
        )
        for outcome, step, reason in keys
    )
    table = Table(
        caption=caption,
        columns=columns,
        rows=rows,
        unit="schools",
        notes=notes,
        panel_by="outcome",
        row_sums=sums_by([outcome for outcome, _, _ in keys]),
    )
    return released(stage, table)


def _in_order(stage: DesignStage | AreasResults) -> list[FlowRow]:
    stages = ("listed", "excluded", "analysed")
    rows = stage.flow.rows
    return sorted(rows, key=lambda row: (_place(stage, row.outcome), stages.index(row.stage)))


def _place(stage: DesignStage | AreasResults, outcome: str) -> int:
    """Return where an outcome stands: the primary one first, the others as the project lists them."""
    codes = [each.code for each in stage.project.outcomes]
    return -1 if outcome == stage.project.primary.code else codes.index(outcome) if outcome in codes else len(codes)


def _step(stage: str, reason: str, last: str) -> str:
    return f"Left out: {reason}" if stage == "excluded" else last if stage == "analysed" else "Listed"


def _flow_count(flow: Flow, outcome: str, stage: str, reason: str, arm: str) -> int:
    key = (outcome, stage, reason, arm)
    return sum(row.n for row in flow.rows if (row.outcome, row.stage, row.reason, row.arm) == key)


def participants_left(plan: AnalysisPlan, last: str) -> Iterator[ReleasedTable]:
    """Yield how many participants are listed, are left out and why, and are left, under `last`; nothing without any."""
    if plan.participants is None:
        return
    project, rows = plan.project, plan.participants.rows
    columns = (
        Column("outcome", "Outcome"),
        Column("step", "Step"),
        Column("treated", f"Participating {units_of(project)}", "school_count"),
    )
    table = Table(
        caption="Participants from listed to those whose results are known",
        columns=columns,
        rows=tuple((measure_of(project, r.outcome).label, _step(r.stage, r.reason, last), r.n) for r in rows),
        panel_by="outcome",
        row_sums=sums_by([row.outcome for row in rows]),
    )
    yield release(table, project.disclosure.threshold)


def identity(design: DesignStage) -> ReleasedTable:
    """Return how schools were followed through changes of legal identity, each case counted."""
    return _cases(design, "How schools were followed over time", design.identity)


def participants(design: DesignStage) -> ReleasedTable:
    """Return how participants were found, each case counted."""
    return _cases(design, "How the treated schools were found", design.participants)


def _cases(design: DesignStage, caption: str, cases: tuple[CountedCase, ...]) -> ReleasedTable:
    columns = (Column("case", "Case"), Column("n_schools", "Schools", "school_count"))
    rows = tuple((case_label(case.case), case.n) for case in cases)
    return released(design, Table(caption=caption, columns=columns, rows=rows, unit="schools"))


def matches(design: DesignStage) -> ReleasedTable:
    """Return what each matching used, with the effective number of comparison schools."""
    columns = (
        Column("outcome", "Outcome"),
        Column("design", "Design"),
        Column("n_treated", "Treated schools matched", "school_count"),
        Column("lost", "Treated schools without a match", "school_count"),
        Column("n_comparison", "Comparison schools used", "school_count"),
        Column("effective_n", "Effective number", "number"),
        Column("most_used", "Most often one school serves", "count"),
    )
    rows = tuple(
        (
            outcome_label(design, m.outcome),
            short_label(m.design),
            m.n_treated,
            m.lost,
            m.n_comparison,
            m.effective_n,
            m.most_used,
        )
        for m in design.matches
    )
    notes = (
        "The effective number: how many equally weighted schools would carry as much information, the square of the "
        "sum "
        "of the weights over the sum of their squares.",
        "Matching sees no later result. A matched school without one drops out of the estimate, so the number of "
        "schools used there can be lower.",
    )
    return released(design, Table(caption="What each matching used", columns=columns, rows=rows, notes=notes))


def balance(design: DesignStage) -> ReleasedTable:
    """Return balance before and after each design: means, standardised differences, variance ratios."""
    columns = (
        Column("outcome", "Outcome"),
        Column("design", "Design"),
        Column("covariate", "Covariate"),
        Column("mean_treated", "Treated", "number"),
        Column("mean_before", "Pool", "number"),
        Column("mean_after", "Compared", "number"),
        Column("smd_before", "Difference before", "number"),
        Column("smd_after", "Difference after", "number"),
        Column("vr_before", "Ratio before", "number"),
        Column("vr_after", "Ratio after", "number"),
        Column("category", "By WWC"),
    )
    ordered = sorted(design.balance, key=lambda row: _place(design, row.outcome))
    rows = tuple(_balance_row(design, row) for row in ordered)
    notes = (
        "Treated, pool and compared are means. Differences are standardised: the difference in means over the "
        "standard deviation of the treated schools before matching. By the What Works "
        f"Clearinghouse (WWC) a difference after of up to {SATISFIED} satisfies the standard, from {SATISFIED} to "
        f"{ADJUSTABLE} it calls for adjustment, and above {ADJUSTABLE} it fails. Ratios are of variances, treated over "
        "compared.",
    )
    caption = "Balance before and after"
    return released(design, Table(caption=caption, columns=columns, rows=rows, notes=notes, panel_by="outcome"))


def _balance_row(design: DesignStage, row: BalanceRow) -> tuple[Cell, ...]:
    return (
        outcome_label(design, row.outcome),
        short_label(row.design),
        row.label,
        row.mean_treated,
        row.mean_comparison_before,
        row.mean_comparison_after,
        row.smd_before,
        row.smd_after,
        row.variance_ratio_before,
        row.variance_ratio_after,
        capital(baseline_category(row.smd_after)),
    )


def measures(design: DesignStage) -> ReleasedTable:
    """Return what a reader must know of each measure before comparing its years."""
    return _measures(design.project, design.measures)


def measures_compared(plan: AnalysisPlan) -> ReleasedTable:
    """Return the same of the plan of any kind."""
    project = plan.project
    return _measures(project, [measure_note(project, measure_of(project, one.code)) for one in project.outcomes])


def _measures(project: Project, notes: Iterable[MeasureNote]) -> ReleasedTable:
    columns = (Column("measure", "Measure"), Column("unit", "Unit"), Column("notes", "Before comparing its years"))
    rows = tuple(
        (f"{note.label} ({note.measure})", note.unit, " ".join(note.sentences) or "No break in these years.")
        for note in notes
    )
    table = Table(caption="Measures and their breaks", columns=columns, rows=rows)
    return release(table, project.disclosure.threshold)


def detectable_at_design(design: DesignStage) -> ReleasedTable:
    """Return the least effect the design could detect, from years before the programme only."""
    columns = (
        Column("outcome", "Outcome"),
        Column("at_design", "Least detectable, optimistic", "number"),
        Column("n_areas", "Areas", "count"),
    )
    rows = tuple((outcome_label(design, row.outcome), row.at_design, row.n_areas) for row in design.detectable)
    notes = (
        f"{power_note()} The standard deviation is of changes before the programme"
        f"{averaging_note(design.project.exposure)}. Optimistic: areas drift further apart over more years than these.",
    )
    caption = "Least effect the design could detect"
    return released(design, Table(caption=caption, columns=columns, rows=rows, unit="points", notes=notes))


def power_note() -> str:
    """Return what a least detectable effect is, with its power and its level."""
    return (
        f"{number(MULTIPLIER, 1)} times the standard deviation of the changes of areas without the programme: what a "
        "two-sided test at the 5% level detects with 80% power."
    )


def averaging_note(exposure: Exposure) -> str:
    """Return by what the deviation of single years is scaled because years are averaged: `, × √(3/4) for …`."""
    n_pre, n_post = len(exposure.pre), len(exposure.post)
    factor = averaging_factor(n_pre, n_post)
    if factor == 1:
        return ""
    spans = ((n_pre, "before"), (n_post, "after"))
    averaged = " and ".join(f"{_SMALL.get(n, str(n))} years {when}" for n, when in spans if n > 1)
    return f", × √({Fraction(factor**2).limit_denominator(1000)}) for averaging {averaged}"


def contamination(stage: DesignStage | AreasResults) -> ReleasedTable:
    """Return other programmes in areas that serve as comparison, as far as known."""
    names = design_of(stage).area_names
    columns = (
        Column("areas", "Areas"),
        Column("programme", "What else happened there"),
        Column("used", "Compared as"),
        Column("source", "Source"),
    )
    rows = tuple(
        (
            listed([names.get(code, f"area {code}") for code in row.areas], 20),
            capital(row.programme),
            _used_as(stage, row.areas),
            row.source,
        )
        for row in stage.project.contamination
    )
    empty = (("None named", "The project file names no other programme in comparison areas.", "–", "Project file"),)
    notes = ("As the project file has it; the areas of these data are invented.",) if is_invented(stage) else ()
    caption = "Other programmes in comparison areas, where known"
    return released(stage, Table(caption=caption, columns=columns, rows=rows or empty, notes=notes))


def _used_as(stage: DesignStage | AreasResults, areas: Collection[int]) -> str:
    """Return which of some areas serve as neighbours, by list, or that they are only in the rest."""
    lists = design_of(stage).areas
    by_list = [(row.list_label, [name for code, name in row.comparison if code in areas]) for row in lists]
    lists_named = [f"{label} list: {listed(names, 20)}" for label, names in by_list if names]
    return (
        f"Neighbours ({'; '.join(lists_named)})" if lists_named else "Not neighbours; only among all schools of England"
    )


def choices(stage: DesignStage | AreasResults) -> ReleasedTable:
    """Return the analytical choices of the project, as the project file has them."""
    project = stage.project
    exposure = project.exposure
    rows: tuple[tuple[Cell, ...], ...] = (
        ("Years before", capital(mean_of(exposure.pre))),
        ("Years with part of the programme", years_text(exposure.partial) or "No year"),
        ("Years after", years_text(exposure.post)),
        *(
            (f"Outcome, {ROLES.get(row.role, row.role).lower()}", outcome_label(stage, row.code))
            for row in project.outcomes
        ),
        ("Schools that may be compared", listed(project.pool.minor_groups)),
        ("Every year must be published", "Yes" if project.pool.require_all_years else "No"),
        (
            "Neighbour list, main and beside it",
            f"{LIST_LABEL[project.pool.neighbours]}; {LIST_LABEL[project.pool.alternative_neighbours]}",
        ),
        ("Fewest schools for an area to enter the permutation", str(project.pool.minimum_area_schools)),
        ("Matching", f"{project.matching.ratio} comparison schools for each treated one, on {_covariates(stage)}"),
        ("Weights", "Each school counts as one" if project.estimation.weights == "schools" else "Pupils"),
        ("Statistic of the permutation", _STATISTIC[project.inference.statistic]),
        ("Seed", str(project.seed)),
    )
    columns = (Column("choice", "Choice"), Column("made", "As made"))
    return released(stage, Table(caption="Choices made for this evaluation", columns=columns, rows=rows))


def _covariates(stage: DesignStage | AreasResults) -> str:
    words = {
        "pre_outcomes": "earlier outcomes",
        "cohort_size": "cohort size",
        "fsm_share_2223": "share of free school meals in 2022/23 (measured after the programme: a proxy)",
    }
    matching = stage.project.matching
    names = [words[covariate] for covariate in matching.covariates]
    return listed(names) + (", within the same region" if matching.exact_region else "")
