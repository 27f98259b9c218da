"""Tables of the two-way effect, of the ways to its error, and of what it is an average of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.core.formats import as_sentence, decimals_for, number
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted
from evalkit.design.clusters import conservative_sentence
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Prose, sentences
from evalkit.report.border.table import Cell, Column
from evalkit.report.tables.data import plain
from evalkit.report.tables.staggered import effect_columns, estimated

if TYPE_CHECKING:
    from evalkit.design.clusters import Recommendation
    from evalkit.estimate.effect import Inference
    from evalkit.estimate.two_way.bacon import BaconDecomposition
    from evalkit.estimate.two_way.conley_taber import ConleyTaber
    from evalkit.estimate.two_way.randomisation import RandomisationTest
    from evalkit.estimate.two_way.recommended import WildBootstrap
    from evalkit.estimate.two_way.two_way import TwoWayEffect, TwoWayEventStudy


def recommendation(advice: Recommendation) -> Prose:
    """Return which inference is supported, and why."""
    named = "none" if advice.inference == "unavailable" else advice.inference
    return sentences(f"Recommended inference: {named}.", as_sentence(advice.reason))


def inference(made: Inference) -> ReleasedTable:
    """Return an error, interval and p-value and how they were made."""
    return _inferred("How uncertain the estimate is", [(made.method, None, made)])


def two_way_effect(effect: TwoWayEffect) -> ReleasedTable:
    """Return the two-way effect with the inference the design supports, and as regression programs print it."""
    made, level, printed = effect.inference, _level(effect.inference), effect.as_told
    decimals = decimals_for(effect.estimate.std_error, abs(effect.estimate.value))
    columns = (Column("inference", "Inference"), *effect_columns(level, decimals), Column("p", "p", "p"))
    rows: list[tuple[Cell, ...]] = [
        (made.method, effect.estimate.value, made.std_error, made.interval, made.p_value),
        ("as regression programs print it", printed.value, printed.std_error, *_plain_test(effect, level)),
    ]
    rows += [(f"covariate {name}", *estimated(one, level), one.p_value) for name, one in effect.covariates]
    return plain(
        "The two-way effect", columns, rows, (effect.meaning, as_sentence(made.note), made.assumes, _conservative(made))
    )


def _plain_test(effect: TwoWayEffect, level: float) -> tuple[Cell, Cell]:
    reason = effect.why_no_plain_test
    return (reason, reason) if reason else (effect.as_told.interval(level), effect.as_told.p_value)


def two_way_recommendation(effect: TwoWayEffect) -> Prose:
    """Return which inference the numbers of clusters support, and why."""
    return recommendation(effect.recommendation)


def two_way_event_study(study: TwoWayEventStudy, level: float = 0.95) -> ReleasedTable:
    """Return the two-way coefficients by time since the start, with intervals at a level."""
    columns = (
        Column("time", "Periods since the start", "label"),
        *effect_columns(level, decimals_for(*(time.estimate.std_error for time in study.times))),
    )
    rows = [(time.event_time, *estimated(time.estimate, level)) for time in study.times]
    base = f"Measured from {number(study.base_time, 0)} periods since the start."
    return plain("The two-way event study", columns, rows, (base, study.assumes))


def bacon(decomposition: BaconDecomposition) -> ReleasedTable:
    """Return what the two-way effect is an average of, by kind of comparison."""
    decimals = decimals_for(
        *(abs(one.estimate) for one in decomposition.totals if not isinstance(one.estimate, Unavailable))
    )
    columns = (
        Column("comparison", "Comparison"),
        Column("weight", "Weight", "number", decimals=4),
        Column("effect", "Effect", "estimate", decimals=decimals),
    )
    rows: list[tuple[Cell, ...]] = [(total.kind, total.weight, total.estimate) for total in decomposition.totals]
    if decomposition.within_share:
        rows.append(("within cohorts, by covariates", decomposition.within_share, decomposition.within_estimate))
    rows.append(("All", 1.0, decomposition.estimate))
    note = f"From {counted(len(decomposition.pairs), 'two-by-two comparison')}."
    return plain("What the two-way effect is an average of (Goodman-Bacon)", columns, rows, (note,))


def conley_taber(test: ConleyTaber) -> ReleasedTable:
    """Return the effect against the residuals of comparison clusters."""
    rescaled = "Residuals were brought to the treated clusters' sizes." if test.is_rescaled else ""
    return _inferred("Conley and Taber's inference", [("as asked for", test.estimate, test.inference)], rescaled)


def randomisation(test: RandomisationTest) -> ReleasedTable:
    """Return the effect among those of other assignments."""
    every = "all " if test.is_enumerated else ""
    note = f"From {every}{counted(test.n_assignments, 'assignment')}; the smallest p is {number(test.smallest_p, 4)}."
    return _inferred("The effect among other assignments", [("randomisation", test.estimate, test.inference)], note)


def wild_bootstrap(bootstrap: WildBootstrap) -> ReleasedTable:
    """Return the effect with the wild bootstrap's p-value and interval."""
    every = "all " if bootstrap.is_enumerated else ""
    note = f"From {every}{counted(bootstrap.n_vectors, 'vector')} of weights."
    return _inferred("The wild cluster bootstrap", [("wild bootstrap", bootstrap.estimate, bootstrap.inference)], note)


def _inferred(caption: str, ways: list[tuple[str, float | None, Inference]], note: str = "") -> ReleasedTable:
    first, estimate = ways[0][2], ways[0][1]
    decimals = decimals_for(first.std_error, _width(first) / 4, abs(estimate or 0.0))
    _, *others = effect_columns(_level(first), decimals)
    effect = () if estimate is None else (Column("effect", "Effect", "estimate", decimals=decimals),)
    columns = (Column("inference", "Inference"), *effect, *others, Column("p", "p", "p"))
    rows = [
        (name, *(() if value is None else (value,)), one.std_error, one.interval, one.p_value)
        for name, value, one in ways
    ]
    return plain(
        caption,
        columns,
        rows,
        (as_sentence(first.note) if first.note else "", note, first.assumes, _conservative(first)),
    )


def _conservative(made: Inference) -> str:
    return conservative_sentence(made.interval, _level(made), made.df, made.n_ranked)


def _width(made: Inference) -> float:
    return made.interval.upper - made.interval.lower if isinstance(made.interval, Interval) else 0.0


def _level(made: Inference) -> float:
    return made.interval.level if isinstance(made.interval, Interval) else 0.95
