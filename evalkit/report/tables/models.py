"""Tables of models of pupils in schools and of effects in standard deviations."""

from __future__ import annotations

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.formats import as_sentence, decimals_for, level_text
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.estimate.areas.random_effects import RandomEffects
from evalkit.estimate.effect_sizes import StandardisedEffect
from evalkit.estimate.pupils.two_level import TwoLevelModel, VarianceParts
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.tables.data import plain
from evalkit.report.tables.staggered import effect_columns, estimated


def coefficients(model: TwoLevelModel) -> ReleasedTable:
    """Return the effect of the programme and every other coefficient."""
    errors = [one.estimate.std_error for one in model.coefficients]
    decimals = decimals_for(model.effect.std_error if isinstance(model.effect, Estimate) else None, *errors)
    columns = (
        Column("name", "Coefficient"),
        *effect_columns(model.level, decimals),
        Column("rule", "Degrees of freedom"),
    )
    none = Unavailable("None: there is no estimate.")
    effect: tuple[Cell, ...] = ("The programme", *estimated(model.effect, model.level))
    rule = [c.df_rule for c in model.coefficients if c.estimate is model.effect]
    rows = [(*effect, rule[0] if rule else none if isinstance(model.effect, Unavailable) else "as estimated")]
    rows += [
        (one.name, *estimated(one.estimate, model.level), one.df_rule)
        for one in model.coefficients
        if one.estimate is not model.effect
    ]
    return plain("Pupils in schools", columns, rows, (as_sentence(model.estimand), *model.notes))


def variance_parts(model: TwoLevelModel) -> ReleasedTable:
    """Return the variance between and within groups, given the fixed part and without it."""
    decimals = decimals_for(model.unconditional.within)
    columns = (
        Column("model", "Model"),
        Column("between", "Between", "number", decimals=decimals),
        Column("within", "Within", "number", decimals=decimals),
        Column("icc", "Share between (ICC)", "number", decimals=3),
        Column("icc_interval", f"{level_text(model.level)} interval of the ICC", "interval", decimals=3),
    )
    rows = [_variance("Given the covariates", model.conditional), _variance("Of the outcome", model.unconditional)]
    return plain(f"Variance by {model.grouping}", columns, rows)


def _variance(name: str, parts: VarianceParts) -> tuple[Cell, ...]:
    return name, parts.between, parts.within, parts.icc, parts.icc_interval


def pupils_and_schools(model: TwoLevelModel) -> ReleasedTable:
    """Return how many pupils and schools the model is fitted to; small counts of pupils are withheld."""
    columns = (
        Column("what", "Fitted to"),
        Column("n_pupils", "Pupils", "pupil_count"),
        Column("n_schools", "Schools", "school_count"),
        Column("n_treated", "Treated schools", "school_count"),
        Column("n_comparison", "Comparison schools", "school_count"),
    )
    row = (model.likelihood, model.n_pupils, model.n_schools, model.n_treated_schools, model.n_comparison_schools)
    return release(Table(caption="Pupils and schools", columns=columns, rows=(row,)), FEWEST_PEOPLE)


def standardised(effect: StandardisedEffect) -> ReleasedTable:
    """Return an effect in standard deviations, with what it was divided by."""
    columns = (
        Column("what", "Effect"),
        Column("value", "Hedges' g", "estimate", decimals=3),
        Column("std_error", "Standard error", "number", decimals=3),
        Column("interval", "Interval", "interval", decimals=3),
        Column("sd", "SD divided by", "number"),
    )
    row = ("in standard deviations", effect.value, effect.std_error, effect.interval, effect.sd)
    notes = (f"The standard deviation is {effect.sd_name}.", as_sentence(effect.method))
    return plain("The effect in standard deviations", columns, [row], notes)


def pooled(effects: RandomEffects) -> ReleasedTable:
    """Return the mean effect over projects, its interval, and where the effect of one more project would lie."""
    level, decimals = level_text(effects.level), decimals_for(effects.std_error)
    columns = (
        Column("what", "Over projects"),
        Column("estimate", "Mean effect", "estimate", decimals=decimals),
        Column("std_error", "Standard error", "number", decimals=decimals),
        Column("interval", f"{level} interval", "interval", decimals=decimals),
        Column("p", "p", "p"),
        Column("prediction", "One more project", "interval", decimals=decimals),
    )
    row = ("random effects", effects.estimate, effects.std_error, effects.interval, effects.p_value, effects.prediction)
    spread = f"Variance between projects (τ²) {effects.tau2:.4g}; its share of all variance (I²) {effects.i2:.0%}."
    return plain("The mean effect over projects", columns, [row], (f"Standard error: {effects.error_kind}.", spread))
