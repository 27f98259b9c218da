"""Tables of everything decided before outcomes."""

from __future__ import annotations

from typing import get_args

from evalkit.core.formats import years_text
from evalkit.core.words import listed
from evalkit.data.flow import Arm, CountedCase, Flow, FlowRow
from evalkit.design.labels import LIST_LABEL
from evalkit.design.stage import AreaComparison, BalanceRow, DesignStage
from evalkit.diagnose.evaluation import Evaluation
from evalkit.report.disclosure import ReleasedTable, release
from evalkit.report.names import arm_label, design_of, outcome_label, short_label
from evalkit.report.table import Cell, Column, Table


def released(stage: DesignStage | Evaluation, table: Table) -> ReleasedTable:
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
    absent = listed([str(code) for code in row.absent], 20)
    return row.list_label, listed([name for _, name in row.treated]), len(names), listed(names, 20), absent


def flow(stage: DesignStage | Evaluation) -> ReleasedTable:
    """Return every school lost between listed and analysed with its reason, by outcome and arm."""
    arms = [arm for arm in get_args(Arm) if any(row.arm == arm for row in stage.flow.rows)]
    columns = (
        Column("outcome", "Outcome"),
        Column("step", "Step"),
        *(Column(arm, arm_label(arm), "school_count") for arm in arms),
    )
    keys = dict.fromkeys((row.outcome, row.stage, row.reason) for row in _in_order(stage.flow))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            outcome_label(stage, outcome),
            _step(step, reason),
            *(_flow_count(stage.flow, outcome, step, reason, a) for a in arms),
        )
        for outcome, step, reason in keys
    )
    table = Table(
        caption="Schools from listed to analysed, by arm",
        columns=columns,
        rows=rows,
        unit="schools",
        notes=("In each arm, listed schools less those left out are the schools analysed.",),
    )
    return released(stage, table)


def _in_order(flow: Flow) -> list[FlowRow]:
    outcomes = list(dict.fromkeys(row.outcome for row in flow.rows))
    stages = ("listed", "excluded", "analysed")
    return sorted(flow.rows, key=lambda row: (outcomes.index(row.outcome), stages.index(row.stage)))


def _step(stage: str, reason: str) -> str:
    return f"Left out: {reason}" if stage == "excluded" else stage.capitalize()


def _flow_count(flow: Flow, outcome: str, stage: str, reason: str, arm: str) -> int:
    key = (outcome, stage, reason, arm)
    return sum(row.n for row in flow.rows if (row.outcome, row.stage, row.reason, row.arm) == key)


def identity(design: DesignStage) -> ReleasedTable:
    """Return how schools were followed through changes of legal identity, each case counted."""
    return _cases(design, "How schools were followed over time", design.identity)


def participants(design: DesignStage) -> ReleasedTable:
    """Return how participants were found, each case counted."""
    return _cases(design, "How the treated schools were found", design.participants)


def _cases(design: DesignStage, caption: str, cases: tuple[CountedCase, ...]) -> ReleasedTable:
    columns = (Column("case", "Case"), Column("n_schools", "Schools", "school_count"))
    rows = tuple((case.case, case.n) for case in cases)
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
    note = "The effective number is (Σw)²/Σw²: how many equally weighted schools would carry as much information."
    return released(design, Table(caption="What each matching used", columns=columns, rows=rows, notes=(note,)))


def balance(design: DesignStage) -> ReleasedTable:
    """Return balance before and after each design: means, standardised differences, variance ratios."""
    columns = (
        Column("outcome", "Outcome"),
        Column("design", "Design"),
        Column("covariate", "Covariate"),
        Column("mean_treated", "Mean, treated", "number"),
        Column("mean_before", "Mean, pool", "number"),
        Column("mean_after", "Mean, compared", "number"),
        Column("smd_before", "Difference before", "number"),
        Column("smd_after", "Difference after", "number"),
        Column("vr_before", "Variance ratio before", "number"),
        Column("vr_after", "Variance ratio after", "number"),
    )
    rows = tuple(_balance_row(design, row) for row in design.balance)
    notes = (
        "Differences are standardised: the difference in means over the standard deviation of the "
        "treated schools before "
        "matching. Up to 0.05 counts as alike; from 0.05 to 0.25 calls for adjustment; above 0.25 is too far.",
    )
    return released(design, Table(caption="Balance before and after", columns=columns, rows=rows, notes=notes))


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
    )


def measures(design: DesignStage) -> ReleasedTable:
    """Return what a reader must know of each measure before comparing its years."""
    columns = (Column("measure", "Measure"), Column("unit", "Unit"), Column("notes", "Before comparing its years"))
    rows = tuple(
        (f"{note.label} ({note.measure})", note.unit, " ".join(note.sentences) or "No break in these years.")
        for note in design.measures
    )
    return released(design, Table(caption="Measures and their breaks", columns=columns, rows=rows))


def detectable_at_design(design: DesignStage) -> ReleasedTable:
    """Return the least effect the design could detect, from years before the programme only."""
    columns = (
        Column("outcome", "Outcome"),
        Column("at_design", "Least detectable, optimistic", "number"),
        Column("n_areas", "Areas", "count"),
    )
    rows = tuple((outcome_label(design, row.outcome), row.at_design, row.n_areas) for row in design.detectable)
    notes = (
        "2.8 times the standard deviation of the changes of areas without the programme, from years before it only. "
        "Optimistic: areas drift further apart over more years than these.",
    )
    caption = "Least effect the design could detect"
    return released(design, Table(caption=caption, columns=columns, rows=rows, unit="points", notes=notes))


def contamination(stage: DesignStage | Evaluation) -> ReleasedTable:
    """Return other programmes in areas that serve as comparison, as far as known."""
    names = {code: name for row in design_of(stage).areas for code, name in (*row.comparison, *row.treated)}
    for found in stage.distributions if isinstance(stage, Evaluation) else ():
        names = dict(zip(found.areas, found.names, strict=True)) | names
    columns = (Column("areas", "Areas"), Column("programme", "What else happened there"), Column("source", "Source"))
    rows = tuple(
        (listed([names.get(code, f"area {code}") for code in row.areas], 20), row.programme, row.source)
        for row in stage.project.contamination
    )
    empty = (("None named", "The project file names no other programme in comparison areas.", "project file"),)
    return released(
        stage, Table(caption="Other programmes in comparison areas, where known", columns=columns, rows=rows or empty)
    )


def choices(stage: DesignStage | Evaluation) -> ReleasedTable:
    """Return the analytical choices of the project, as the project file has them."""
    project = stage.project
    exposure = project.exposure
    rows: tuple[tuple[Cell, ...], ...] = (
        ("Years before", years_text(exposure.pre) + ", their mean"),
        ("Years with part of the programme", years_text(exposure.partial) or "none"),
        ("Years after", years_text(exposure.post)),
        *((f"Outcome, {row.role}", outcome_label(stage, row.measure)) for row in project.outcomes),
        ("Schools that may be compared", listed(project.pool.minor_groups)),
        ("Every year must be published", "yes" if project.pool.require_all_years else "no"),
        (
            "Neighbour list, main and beside it",
            f"{LIST_LABEL[project.pool.neighbours]}; {LIST_LABEL[project.pool.alternative_neighbours]}",
        ),
        ("Fewest schools for an area to enter the permutation", str(project.pool.minimum_area_schools)),
        ("Matching", f"{project.matching.ratio} comparison schools for each treated one, on {_covariates(stage)}"),
        ("Weights", "each school weighs one" if project.estimation.weights == "schools" else "pupils"),
        ("Statistic of the permutation", project.inference.statistic),
        ("Seed", str(project.seed)),
    )
    columns = (Column("choice", "Choice"), Column("made", "As made"))
    return released(stage, Table(caption="Choices made for this evaluation", columns=columns, rows=rows))


def _covariates(stage: DesignStage | Evaluation) -> str:
    words = {
        "pre_outcomes": "earlier outcomes",
        "cohort_size": "cohort size",
        "fsm_share_2223": "share of free school meals in 2022/23 (measured after the programme: a proxy)",
    }
    matching = stage.project.matching
    names = [words[covariate] for covariate in matching.covariates]
    return listed(names) + (", within the same region" if matching.exact_region else "")
