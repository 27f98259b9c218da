"""Tables of effects, how uncertain they are by every kind of inference, and the key numbers of the summary."""

from __future__ import annotations

from typing import Final

from evalkit.core.formats import count, level_text, number, number_or_reason, visible, years_text
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.words import counted, listed
from evalkit.design.clusters import conservative_sentence
from evalkit.design.project.labels import ENGLAND, design_label
from evalkit.design.project.set_rule import SUCH_SETS
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.estimate.effect import Effect, EffectSize, Months, SetsDetail
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.tables.design import released
from evalkit.report.words.names import (
    NO_MONTHS,
    NOT_ESTIMATED,
    ROLES,
    capital,
    clustered,
    is_listed,
    one_per_design,
    outcome_codes,
    outcome_label,
    school_sd_name,
    surest,
    unit_of,
    with_unit,
)
from evalkit.report.words.sentences import PLAIN, POINT

# Effects by every design, year by year, and in standard deviations and months.

_NOT_ALONE = Unavailable("Not given without an interval.")
_COUNTS = (
    Column("n_treated", "Treated schools", "school_count"),
    Column("n_comparison", "Compared schools", "school_count"),
)


def effects(evaluation: AreasResults) -> ReleasedTable:
    """Return the effect on the primary outcome by every design, side by side."""
    main = evaluation.project.primary.code
    rows = tuple(
        (design_label(effect.design), effect.n_treated, effect.n_comparison, *_numbers(effect))
        for effect in one_per_design(evaluation, main)
    )
    columns = _effect_columns(evaluation, Column("design", "Compared with"), *_COUNTS)
    table = Table(
        caption=f"{outcome_label(evaluation, main)}: difference in change, by design",
        columns=columns,
        rows=rows,
        unit=unit_of(evaluation, main),
        notes=(
            _whose_intervals(evaluation),
            *_estimands(one_per_design(evaluation, main)),
        ),
    )
    return released(evaluation, table)


def _effect_columns(evaluation: AreasResults, *first: Column) -> tuple[Column, ...]:
    level = level_text(evaluation.project.inference.level)
    return (
        *first,
        Column("estimate", "Estimate", "estimate"),
        Column("interval", f"{level} interval", "interval"),
        Column("p_value", "p, two-sided", "p"),
    )


def _numbers(effect: Effect) -> tuple[Cell, ...]:
    return effect.estimate, effect.interval, effect.p_value


def _whose_intervals(evaluation: AreasResults) -> str:
    main = evaluation.main_effect
    if main is not None and main.sets is not None:
        what = "whole areas" if main.sets.is_whole else "sets of as many schools"
        return f"Intervals and p-values are those of randomisation over {what}, the comparison repeated for every draw."
    if is_listed(evaluation):
        return (
            "The listed schools lie in many areas, or too few others could hold such sets: the interval of the main "
            "comparison is clustered by area, where it can be given."
        )
    return "Intervals and p-values are those of the area permutation, the whole design repeated for every area."


def _estimands(effects: list[Effect]) -> tuple[str, ...]:
    """Return what is estimated: by the first design and those like it, then by each design that differs."""
    if not effects:
        return ()
    usual = effects[0].estimand
    apart = (f"“{design_label(e.design)}” estimates the {e.estimand.label}." for e in effects if e.estimand != usual)
    return f"What is estimated: {usual.label}.", *apart


def other_effects(evaluation: AreasResults) -> ReleasedTable:
    """Return the effects on the other outcomes and contrasts by every design."""
    main = evaluation.project.primary.code
    rows = tuple(
        (
            with_unit(evaluation, code),
            ROLES.get(e.role, e.role),
            design_label(e.design),
            e.n_treated,
            e.n_comparison,
            *_numbers(e),
        )
        for code in outcome_codes(evaluation)
        if code != main
        for e in one_per_design(evaluation, code)
    )
    first = (Column("outcome", "Outcome"), Column("role", "Role"), Column("design", "Compared with"), *_COUNTS)
    table = Table(
        caption="Other outcomes: difference in change, by design",
        columns=_effect_columns(evaluation, *first),
        rows=rows,
        panel_by="outcome",
        unit=unit_of(evaluation, main),
    )
    return released(evaluation, table)


def event_effects(evaluation: AreasResults, outcome: str) -> list[Effect]:
    """Return the effects of single years on an outcome against neighbours, earliest first."""
    years = [str(year) for year in evaluation.project.exposure.years]
    by_year = (evaluation.effect(outcome, period=year) for year in years)
    return [effect for effect in by_year if effect is not None]


def base_note(evaluation: AreasResults) -> str:
    """Return what the event study measures from, and how many independent comparisons the years before hold."""
    pre = evaluation.project.exposure.pre
    base = f"Every year is measured from the mean of {years_text(pre)}, the base of the headline."
    free = len(pre) - 1
    if free < 1:
        return f"{base} With one year before the programme there is no lead: earlier movement cannot be seen."
    told = "hold only one comparison, which the two mirror" if free == 1 else f"hold {free} independent comparisons"
    return f"{base} The years before are measured from their own mean, so they {told}."


def event_study(evaluation: AreasResults) -> ReleasedTable:
    """Return the primary outcome year by year, on the base of the headline."""
    main = evaluation.project.primary.code
    rows = tuple(
        (effect.period, _when(evaluation, int(effect.period)), *_numbers(effect))
        for effect in event_effects(evaluation, main)
    )
    first = (Column("year", "Summer"), Column("when", "Relative to the programme"))
    table = Table(
        caption=f"{outcome_label(evaluation, main)} year by year, against neighbours",
        columns=_effect_columns(evaluation, *first),
        rows=rows,
        unit=unit_of(evaluation, main),
        notes=(base_note(evaluation),),
    )
    return released(evaluation, table)


def _when(evaluation: AreasResults, year: int) -> str:
    exposure = evaluation.project.exposure
    return "Before" if year in exposure.pre else "Part of the year" if year in exposure.partial else "After"


def effect_sizes(evaluation: AreasResults) -> ReleasedTable:
    """Return effect sizes with the standard deviation named, and months at the estimate and both ends."""
    level = level_text(evaluation.project.inference.level)
    columns = (
        Column("outcome", "Outcome"),
        Column("design", "Compared with"),
        Column("hedges_g", "g", "estimate"),
        Column("hedges_g_interval", f"{level} interval of g", "interval"),
        Column("sd_used", "SD divided by", "number"),
        Column("months", "Months, illustrative"),
        Column("hedges_g_conditional", "g, given prior attainment", "estimate"),
        Column("sd_conditional", "SD of that", "number"),
        Column("hedges_g_school", "g, school level (not comparable)", "estimate"),
    )
    shown = [effect for code in outcome_codes(evaluation) for effect in one_per_design(evaluation, code)]
    sized = [(effect, effect.effect_size) for effect in shown if effect.effect_size is not None]
    rows = tuple(_size_row(evaluation, effect, size) for effect, size in sized if size is not None)
    caption = "Effect sizes and illustrative months of progress"
    table = Table(caption=caption, columns=columns, rows=rows, notes=_size_notes(evaluation), panel_by="outcome")
    return released(evaluation, table)


def _size_row(evaluation: AreasResults, effect: Effect, size: EffectSize) -> tuple[Cell, ...]:
    return (
        outcome_label(evaluation, effect.outcome),
        design_label(effect.design),
        size.hedges_g,
        size.hedges_g_interval,
        size.sd_used,
        months_text(size),
        size.hedges_g_conditional,
        size.sd_conditional,
        size.hedges_g_school,
    )


def months_text(size: EffectSize) -> Cell:
    """Return months of progress at the estimate and both ends, `2 (0 to 4)`; the reason where there is no interval."""
    months = size.months
    if months is None:
        return size.hedges_g if isinstance(size.hedges_g, Unavailable) else NO_MONTHS
    if months.lower is None or months.upper is None:
        return _NOT_ALONE
    return f"{months.estimate} ({months_ends(size)})".replace("-", "−")


def months_ends(size: EffectSize) -> str:
    """Return months at both ends of the interval, `0 to 4`, saying where a lower end below zero is rounded to 0."""
    months, ends = size.months, size.hedges_g_interval
    if months is None or months.lower is None or months.upper is None:
        return "none"
    hidden = months.lower == 0 and isinstance(ends, Interval) and ends.lower < 0
    return f"{'just below 0' if hidden else number(months.lower, 0)} to {number(months.upper, 0)}"


def _size_notes(evaluation: AreasResults) -> tuple[str, ...]:
    """Return the names of the standard deviations and of the table of months."""
    sizes = [effect.effect_size for effect in evaluation.effects if effect.effect_size is not None]
    names = dict.fromkeys(size.sd_name for size in sizes if size.sd_name != "none")
    conditional = dict.fromkeys(size.sd_conditional_name for size in sizes if size.sd_conditional_name != "none")
    tables = dict.fromkeys(size.months.table for size in sizes if size.months)
    return (
        *(f"g, and months, divide by: {name}. Its own error is not in the interval." for name in names),
        *(
            f"Given prior attainment: {name}. It is the smaller spread, and not comparable: EEF trials do not use it."
            for name in conditional
        ),
        *(
            f"Months of progress: {table}; illustrative, at the estimate and at both ends of the interval."
            for table in tables
        ),
        _school_sd(evaluation),
    )


def _school_sd(evaluation: AreasResults) -> str:
    """Return the name and the values of the standard deviation behind the school-level effect sizes."""
    sds = {
        effect.outcome: effect.effect_size.school_sd for effect in evaluation.effects if effect.effect_size is not None
    }
    values = listed([f"{outcome_label(evaluation, code)} {number_or_reason(sd)}" for code, sd in sds.items()])
    name = school_sd_name(evaluation.project)
    return f"School-level g divides by the {name} ({values}); it is no measure of pupils' progress."


def dilution(evaluation: AreasResults) -> ReleasedTable:
    """Return the effect on every school of the areas as one on the listed alone, by what the others may have felt."""
    level = level_text(evaluation.project.inference.level)
    columns = (
        Column("outcome", "Outcome"),
        Column("spillover", "Effect on the others, as a share of that on the listed (%)", "number", decimals=0),
        Column("estimate", "Estimate", "estimate"),
        Column("interval", f"{level} interval", "interval"),
        Column("p_value", "p, two-sided", "p"),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (with_unit(evaluation, one.outcome), 100 * part.spillover, part.estimate, part.interval, one.p_value)
        for one in evaluation.dilution
        for part in one.parts
    )
    none = ("No outcome", *(Unavailable("It is given where listed schools are part of their areas."),) * 4)
    shares = dict.fromkeys(
        f"{outcome_label(evaluation, one.outcome)}: the listed schools hold {number(100 * one.share, 0)}% of the "
        "pupils of their areas."
        for one in evaluation.dilution
    )
    notes = (
        "The effect on all schools of the areas, listed or not, over f + φ(1 − f): f is the listed schools' share of "
        "pupils, φ the share of the effect that the others felt. All of the areas' change is taken for the "
        "programme's; p is that of all schools.",
        *shares,
    )
    caption = "If the whole areas' change were the programme's: what it would be on the listed schools"
    return released(evaluation, Table(caption=caption, columns=columns, rows=rows or (none,), notes=notes))


# How uncertain the main estimate is, by every kind of inference.

_NO_ERROR: Final = Unavailable("None: areas are compared directly.")
_ONE_SIDED: Final = Unavailable("None: a one-sided test bounds the effect on one side only.")


def inference(evaluation: AreasResults) -> ReleasedTable:
    """Return how uncertain the main estimate is by every kind of inference, each with what it allows for."""
    main = evaluation.project.primary.code
    level = level_text(evaluation.project.inference.level)
    columns = (
        Column("inference", "Inference"),
        Column("allows", "What it allows for"),
        Column("estimate", "Estimate", "estimate"),
        Column("std_error", "Standard error", "number"),
        Column("interval", f"{level} interval", "interval"),
        Column("p_value", "p", "p"),
    )
    table = Table(
        caption=f"{outcome_label(evaluation, main)}: how uncertain the estimate is",
        columns=columns,
        rows=(*_permutation_rows(evaluation), *_cluster_rows(evaluation)),
        unit=unit_of(evaluation, main),
        notes=_smallest(evaluation),
    )
    return released(evaluation, table)


def _smallest(evaluation: AreasResults) -> tuple[str, ...]:
    effect = evaluation.main_effect
    if effect is not None and effect.sets is not None:
        return _drawn(effect, effect.sets, evaluation.project.inference.level)
    if effect is None or effect.permutation is None:
        return ()
    detail = effect.permutation
    level = evaluation.project.inference.level
    conservative = conservative_sentence(effect.interval, level, n_ranked=detail.n_areas)
    return (
        *((conservative,) if conservative else ()),
        f"Rank {detail.rank} of {detail.n_areas} areas by size of change in either direction; the smallest p-value "
        f"attainable is 1/{detail.n_areas} = {number(detail.smallest_p, 3)}.",
    )


def _drawn(effect: Effect, sets: SetsDetail, level: float) -> tuple[str, ...]:
    """Return how many sets were drawn, in how many areas, and what p owes to their number; where p is rarely small."""
    error = sets.monte_carlo_error
    by_chance = f"; their number alone moves p by some {number(error, 4)}" if isinstance(error, float) and error else ""
    gained = ""
    if sets.rule != "simple" and isinstance(sets.expected, float):
        gained = (
            f" {capital(SUCH_SETS[sets.rule])} gained {visible(sets.expected)} on average where nothing happened, "
            f"taken off the {visible(sets.unadjusted)} of the listed schools."
        )
    others = counted(sets.n_areas - sets.n_treated_areas, "other area")
    what = "draws of whole areas among" if sets.is_whole else "sets drawn in"
    conservative = conservative_sentence(effect.interval, level, n_ranked=sets.n_areas)
    is_alone = sets.n_treated_areas == 1
    return (
        *((conservative,) if conservative and is_alone else ()),
        f"{count(sets.n_sets)} {what} {others}{by_chance}.{gained}",
    )


def _permutation_rows(evaluation: AreasResults) -> list[tuple[Cell, ...]]:
    main = evaluation.project.primary.code
    effect, england = evaluation.effect(main), evaluation.effect(main, ENGLAND)
    rows: list[tuple[Cell, ...]] = []
    if effect is not None:
        rows = _by_statistic(evaluation, effect)
    if england is not None:
        allows = "The same, each area against all others of England"
        rows.append(_permuted("against England, two-sided", allows, england, england.interval, england.p_value))
    return rows


def _by_statistic(evaluation: AreasResults, effect: Effect) -> list[tuple[Cell, ...]]:
    """Return the rows of the statistic that the project asks for, one- and two-sided, and that of the other one."""
    if effect.sets is not None:
        among = "Spread of changes of sets of schools drawn in other areas"
        if effect.sets.is_whole:
            among = "Spread of changes of whole areas drawn among the others"
        return [
            _permuted("two-sided", among, effect, effect.interval, effect.p_value),
            _permuted("one-sided (rose more)", among, effect, _ONE_SIDED, effect.p_value_one_sided),
        ]
    spread, detail = "Spread of changes across areas", effect.permutation
    kinds = ["", "each change over its standard error (studentised), "]
    allows = [spread, f"{spread}, over school sampling error"]
    reason = effect.p_value if isinstance(effect.p_value, Unavailable) else Unavailable("Areas were not permuted.")
    other: tuple[IntervalOrReason, Quantity] = (reason, reason)
    is_plain = evaluation.project.inference.statistic == PLAIN
    if detail is not None and is_plain:
        other = (detail.studentised_interval, detail.studentised_p)
    elif detail is not None:
        other = (detail.plain_interval, detail.plain_p)
    if not is_plain:
        kinds, allows = ["each change over its standard error (studentised), ", "changes themselves, "], allows[::-1]
    return [
        _permuted(f"{kinds[0]}two-sided", allows[0], effect, effect.interval, effect.p_value),
        _permuted(f"{kinds[0]}one-sided (rose more)", allows[0], effect, _ONE_SIDED, effect.p_value_one_sided),
        _permuted(f"{kinds[1]}two-sided", allows[1], effect, *other),
    ]


def _permuted(kind: str, allows: str, effect: Effect, interval: IntervalOrReason, p: Quantity) -> tuple[Cell, ...]:
    """Return a row of the permutation, one reason where nothing at all can be given."""
    lacking = p if isinstance(effect.interval, Unavailable) and isinstance(p, Unavailable) else None
    numbers: tuple[Cell, ...] = (lacking,) * 3 if lacking else (_error_of(effect), interval, p)
    name = "Area permutation" if effect.sets is None else "Randomisation over sets"
    if effect.sets is not None and effect.sets.is_whole:
        name = "Randomisation over whole areas"
    return f"{name}, {kind}", allows, effect.estimate, *numbers


def _error_of(effect: Effect) -> Unavailable:
    return (
        _NO_ERROR if effect.sets is None or effect.sets.is_whole else Unavailable("None: sets are compared directly.")
    )


def _cluster_rows(evaluation: AreasResults) -> list[tuple[Cell, ...]]:
    """Return the rows for clustering: by school without a p-value, by area where it can be had."""
    rows: list[tuple[Cell, ...]] = []
    school, area = clustered(evaluation, "school"), clustered(evaluation, "local_authority")
    if school is not None:
        allows = "School sampling only; excludes shocks to areas"
        rows.append(("Clustered by school", allows, school.estimate, school.std_error, school.interval, school.p_value))
    if area is not None:
        allows = f"Shocks to areas, {count(area.n_treated_clusters)} of them treated"
        numbers = _same_reason(area.std_error, area.interval, area.p_value)
        rows.append(("Clustered by local authority", allows, area.estimate, *numbers))
    return rows


def _same_reason(std_error: Quantity, interval: IntervalOrReason, p: Quantity) -> tuple[Cell, ...]:
    return (std_error,) * 3 if isinstance(std_error, Unavailable) else (std_error, interval, p)


# The small table of the one-page summary: the main effect in points, in standard deviations and in months.

_NO_KEY_MONTHS = Unavailable("Months need an effect size in pupil-level standard deviations, which cannot be given.")


def key_numbers(evaluation: AreasResults) -> ReleasedTable:
    """Return the main effect in test points, in Hedges' g and in months, each with its interval."""
    effect = surest(evaluation)
    size = effect.effect_size if effect else None
    unit = unit_of(evaluation, evaluation.project.primary.code)
    columns = (
        Column("scale", "The difference, measured in"),
        Column("estimate", "Best estimate", "estimate"),
        Column("interval", f"{level_text(evaluation.project.inference.level)} interval", "interval"),
    )
    main: tuple[Quantity, IntervalOrReason] = (
        (effect.estimate, effect.interval) if effect else (NOT_ESTIMATED, NOT_ESTIMATED)
    )
    rows: tuple[tuple[Cell, ...], ...] = (
        (unit.capitalize(), *_key_cells(*main)),
        ("Standard deviations of pupils (Hedges' g)", *_key_sizes(size, main[0])),
        ("Months of progress (illustrative)", *_key_months(size, main[0])),
    )
    point = (POINT[unit],) if unit in POINT else ()
    table = Table(
        caption="The difference in three units", columns=columns, rows=rows, notes=(*point, *_key_notes(size))
    )
    return released(evaluation, table)


def _key_cells(estimate: Quantity, interval: IntervalOrReason) -> tuple[Cell, Cell]:
    return estimate, "none" if isinstance(interval, Unavailable) and not isinstance(estimate, Unavailable) else interval


def _key_sizes(size: EffectSize | None, estimate: Quantity) -> tuple[Cell, Cell]:
    if size is None:
        return (estimate, estimate) if isinstance(estimate, Unavailable) else (NOT_ESTIMATED, NOT_ESTIMATED)
    return _key_cells(size.hedges_g, size.hedges_g_interval)


def _key_months(size: EffectSize | None, estimate: Quantity) -> tuple[Cell, Cell]:
    """Return months as texts: they are whole, and say less than a number with decimals would."""
    months: Months | None = size.months if size else None
    if size is None or months is None:
        none = estimate if isinstance(estimate, Unavailable) else _NO_KEY_MONTHS
        return none, none
    if months.lower is None or months.upper is None:
        return _NOT_ALONE, "none"
    return number(months.estimate, 0), months_ends(size)


def _key_notes(size: EffectSize | None) -> tuple[str, ...]:
    if size is None or isinstance(size.sd_used, Unavailable):
        return ()
    table = f" Months: {size.months.table}." if size.months and size.months.lower is not None else ""
    return (f"The standard deviation is {number(size.sd_used)} ({size.sd_name}).{_key_conditional(size)}{table}",)


def _key_conditional(size: EffectSize) -> str:
    """Return g by the conditional standard deviation in a sentence, empty where there is none."""
    if isinstance(size.sd_conditional, Unavailable) or isinstance(size.hedges_g_conditional, Unavailable):
        return ""
    return (
        f" Among pupils of the same prior attainment it is {number(size.sd_conditional)}, and g by that "
        f"{number(size.hedges_g_conditional)}, which is not comparable."
    )
