"""Tables with one row for each outcome: who, means, differences, effect sizes, tests, what could be detected."""

from __future__ import annotations

from evalkit.core.formats import level_text, number, years_text
from evalkit.core.project import AIMED_AT
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.words import listed
from evalkit.diagnose.project.evaluation import AreasResults, OutcomeSummary
from evalkit.estimate.effect import Effect, EffectSize
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.tables.design import released
from evalkit.report.tables.effects import months_text
from evalkit.report.words.names import NOT_ESTIMATED, ROLES, has_families, outcome_label, surest, unit_of, with_unit


def outcomes(evaluation: AreasResults) -> ReleasedTable:
    """Return schools, pupils and means before and after, treated and compared, for every outcome."""
    exposure = evaluation.project.exposure
    before, after = years_text(exposure.pre), years_text(exposure.post)
    columns = (
        Column("outcome", "Outcome"),
        Column("role", "Role"),
        Column("n_treated", "Treated schools", "school_count"),
        Column("n_comparison", "Compared schools", "school_count"),
        Column("n_pupils_treated", "Treated pupils", "pupil_count"),
        Column("n_pupils_comparison", "Compared pupils", "pupil_count"),
        Column("treated_pre", f"Treated, {before}", "number"),
        Column("treated_post", f"Treated, {after}", "number"),
        Column("comparison_pre", f"Compared, {before}", "number"),
        Column("comparison_post", f"Compared, {after}", "number"),
    )
    rows = tuple(_outcome_row(evaluation, row) for row in evaluation.outcomes)
    unit = unit_of(evaluation, evaluation.project.primary.code)
    notes = (
        "Means are of schools. Pupils are those of the year group tested in the schools analysed, in an average summer "
        f"of {before}.",
    )
    caption = "Outcomes before and after, treated schools and statistical neighbours"
    table = Table(caption=caption, columns=columns, rows=rows, unit=unit, notes=notes, is_nested=True)
    return released(evaluation, table)


def _outcome_row(evaluation: AreasResults, row: OutcomeSummary) -> tuple[Cell, ...]:
    pupils = (row.n_pupils_treated, row.n_pupils_comparison)
    means = (row.treated_pre, row.treated_post, row.comparison_pre, row.comparison_post)
    label = with_unit(evaluation, row.outcome)
    return label, ROLES.get(row.role, row.role), row.n_treated, row.n_comparison, *pupils, *means


def outcome_results(evaluation: AreasResults) -> ReleasedTable:
    """Return the differences of every outcome, raw and in change, with effect size, months, p-values and power."""
    level, after = level_text(evaluation.project.inference.level), years_text(evaluation.project.exposure.post)
    columns = (
        Column("outcome", "Outcome"),
        Column("raw", f"Difference in {after}", "estimate"),
        Column("estimate", "Difference in change", "estimate"),
        Column("interval", f"{level} interval", "interval"),
        Column("hedges_g", "g", "estimate"),
        Column("hedges_g_interval", f"{level} interval of g", "interval"),
        Column("months", "Months"),
        Column("p_value", "p", "p"),
        Column("p_adjusted", "p, adjusted", "p"),
        Column("detectable", "Least detectable", "number"),
    )
    rows = tuple(_result_row(evaluation, row) for row in evaluation.outcomes)
    unit = unit_of(evaluation, evaluation.project.primary.code)
    table = Table(
        caption="Every outcome: treated schools less statistical neighbours",
        columns=columns,
        rows=rows,
        unit=unit,
        notes=_result_notes(evaluation),
    )
    return released(evaluation, table)


def _result_row(evaluation: AreasResults, row: OutcomeSummary) -> tuple[Cell, ...]:
    effect = surest(evaluation, row.outcome)
    label = with_unit(evaluation, row.outcome)
    if effect is None or isinstance(effect.estimate, Unavailable):
        return label, *(effect.estimate if effect else NOT_ESTIMATED,) * 9
    least = next((one for one in evaluation.detectable if one.outcome == row.outcome), None)
    return (
        label,
        row.raw_difference,
        effect.estimate,
        effect.interval,
        *_size_cells(effect.effect_size),
        effect.p_value,
        _adjusted(evaluation, effect, row),
        least.realised if least else NOT_ESTIMATED,
    )


def _adjusted(evaluation: AreasResults, effect: Effect, row: OutcomeSummary) -> Cell:
    """Return p adjusted within the outcome's family; by Holm's method over those aimed at where none is declared."""
    if not has_families(evaluation.project):
        return row.p_adjusted
    if effect.p_adjusted is not None:
        return effect.p_adjusted
    return Unavailable("Exploratory." if effect.is_exploratory else "In no family.")


def _size_cells(size: EffectSize | None) -> tuple[Cell, Cell, Cell]:
    if size is None:
        return (NOT_ESTIMATED,) * 3
    return size.hedges_g, size.hedges_g_interval, months_text(size)


def _result_notes(evaluation: AreasResults) -> tuple[str, ...]:
    codes = [row.outcome for row in evaluation.outcomes]
    sizes = {code: effect.effect_size for code in codes if (effect := surest(evaluation, code)) and effect.effect_size}
    sds = [
        f"{outcome_label(evaluation, code)} {number(size.sd_used)}"
        for code, size in sizes.items()
        if not isinstance(size.sd_used, Unavailable)
    ]
    names = dict.fromkeys(size.sd_name for size in sizes.values() if size.sd_name != "none")
    adjusted = [
        outcome_label(evaluation, row.outcome)
        for row in evaluation.outcomes
        if row.role in AIMED_AT and not isinstance(row.p_adjusted, Unavailable)
    ]
    months = dict.fromkeys(size.months.table for size in sizes.values() if size.months)
    return (
        "The difference in change is the estimate: what the treated schools gained from before to after, less what "
        "their neighbours gained. The difference after stands beside it unadjusted.",
        *(
            (
                f"g is Hedges' g, an effect size: the estimate over a standard deviation (SD), {listed(sds)}. "
                f"{'; '.join(names)}.",
            )
            if sds
            else ()
        ),
        *(f"Months of progress, illustrative, with those at both ends of the interval: {name}." for name in months),
        *(
            ("p is adjusted within the declared families, by step-down over the same areas or sets.",)
            if has_families(evaluation.project)
            else ()
        ),
        *(
            (
                f"p is adjusted by Holm's method over the outcomes aimed at that could be estimated "
                f"({listed(adjusted)}): "
                "it keeps the chance of any false alarm among them. An outcome not aimed at is not among them.",
            )
            if adjusted and not has_families(evaluation.project)
            else ()
        ),
        "Least detectable: the smallest true effect that would be detected at least four times in five, "
        "from the spread of other areas.",
    )


def intraclass(evaluation: AreasResults) -> ReleasedTable:
    """Return how alike schools of one area changed, for every outcome that was estimated."""
    level = level_text(evaluation.project.inference.level)
    columns = (
        Column("outcome", "Outcome"),
        Column("icc", "Share between areas", "number"),
        Column("interval", f"{level} interval", "interval"),
        Column("conditional", "Share, given the level before", "number"),
        Column("conditional_interval", f"{level} interval, given the level", "interval"),
        Column("n_schools", "Schools", "school_count"),
        Column("n_areas", "Areas", "count"),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            outcome_label(evaluation, row.outcome),
            row.icc,
            row.interval,
            row.conditional,
            row.conditional_interval,
            row.n_schools,
            row.n_areas,
        )
        for row in evaluation.intraclass
    )
    empty = ("None", *(Unavailable("No outcome was estimated."),) * 6)
    notes = (
        "The intraclass correlation of changes: the share of their variance between schools that lies between areas. "
        "However small, it stops many schools of one area from being many independent ones. How alike the pupils of "
        "one school are cannot be seen without records of pupils.",
    )
    caption = "How alike schools of one area changed, outside the programme"
    return released(evaluation, Table(caption=caption, columns=columns, rows=rows or (empty,), notes=notes))


def _percent(share: Quantity) -> Quantity:
    return share if isinstance(share, Unavailable) else 100 * share


def attrition(evaluation: AreasResults) -> ReleasedTable:
    """Return the share of eligible schools that was lost, overall and by arm, for every outcome."""
    columns = (
        Column("outcome", "Outcome"),
        Column("eligible_treated", "Treated, eligible", "school_count"),
        Column("lost_treated", "Treated, lost", "school_count"),
        Column("eligible_comparison", "Compared, eligible", "school_count"),
        Column("lost_comparison", "Compared, lost", "school_count"),
        Column("overall", "Lost overall (%)", "number", decimals=1),
        Column("differential", "Treated less compared (% points)", "number", decimals=1),
    )
    rows = tuple(
        (
            outcome_label(evaluation, row.outcome),
            row.eligible_treated,
            row.lost_treated,
            row.eligible_comparison,
            row.lost_comparison,
            _percent(row.overall),
            _percent(row.differential),
        )
        for row in evaluation.attrition
    )
    notes = (
        "Eligible: mainstream, state-funded and in an arm. Lost: without a published result in some year, usually "
        "because few pupils were tested, so that the loss is not at random.",
    )
    caption = "Eligible schools lost, overall and by arm"
    return released(evaluation, Table(caption=caption, columns=columns, rows=rows, unit="schools", notes=notes))
