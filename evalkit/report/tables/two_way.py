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
    from evalkit.estimate.two_way.two_way import TwoWayEffect, TwoWayEventStudy
    from evalkit.estimate.two_way.wild_bootstrap import WildBootstrap


def recommendation(found: Recommendation) -> Prose:
    """Return which inference is supported, and why."""
    named = "none" if found.inference == "unavailable" else found.inference
    return sentences(f"Recommended inference: {named}.", as_sentence(found.reason))


def inference(found: Inference) -> ReleasedTable:
    """Return an error, interval and p-value and how they were made."""
    return _inferred("How uncertain the estimate is", [(found.method, None, found)])


def two_way_effect(found: TwoWayEffect) -> ReleasedTable:
    """Return the two-way effect with the inference the design supports, and as regression programs print it."""
    own, level = found.inference, _level(found.inference)
    decimals = decimals_for(found.estimate.std_error, abs(found.estimate.value))
    columns = (Column("inference", "Inference"), *effect_columns(level, decimals), Column("p", "p", "p"))
    rows: list[tuple[Cell, ...]] = [
        (own.method, found.estimate.value, own.std_error, own.interval, own.p_value),
        ("as regression programs print it", found.as_told.value, found.as_told.std_error, *_plain_test(found, level)),
    ]
    rows += [(f"covariate {name}", *estimated(one, level), one.p_value) for name, one in found.covariates]
    return plain(
        "The two-way effect", columns, rows, (found.meaning, as_sentence(own.note), own.assumes, _conservative(own))
    )


def _plain_test(found: TwoWayEffect, level: float) -> tuple[Cell, Cell]:
    reason = found.why_no_plain_test
    return (reason, reason) if reason else (found.as_told.interval(level), found.as_told.p_value)


def two_way_recommendation(found: TwoWayEffect) -> Prose:
    """Return which inference the numbers of clusters support, and why."""
    return recommendation(found.recommendation)


def two_way_event_study(found: TwoWayEventStudy, level: float = 0.95) -> ReleasedTable:
    """Return the two-way coefficients by time since the start, with intervals at a level."""
    columns = (
        Column("time", "Periods since the start", "label"),
        *effect_columns(level, decimals_for(*(time.estimate.std_error for time in found.times))),
    )
    rows = [(time.event_time, *estimated(time.estimate, level)) for time in found.times]
    base = f"Measured from {number(found.base_time, 0)} periods since the start."
    return plain("The two-way event study", columns, rows, (base, found.assumes))


def bacon(found: BaconDecomposition) -> ReleasedTable:
    """Return what the two-way effect is an average of, by kind of comparison."""
    decimals = decimals_for(*(abs(one.estimate) for one in found.totals if not isinstance(one.estimate, Unavailable)))
    columns = (
        Column("comparison", "Comparison"),
        Column("weight", "Weight", "number", decimals=4),
        Column("effect", "Effect", "estimate", decimals=decimals),
    )
    rows: list[tuple[Cell, ...]] = [(total.kind, total.weight, total.estimate) for total in found.totals]
    if found.within_share:
        rows.append(("within cohorts, by covariates", found.within_share, found.within_estimate))
    rows.append(("All", 1.0, found.estimate))
    note = f"From {counted(len(found.pairs), 'two-by-two comparison')}."
    return plain("What the two-way effect is an average of (Goodman-Bacon)", columns, rows, (note,))


def conley_taber(found: ConleyTaber) -> ReleasedTable:
    """Return the effect against the residuals of comparison clusters."""
    rescaled = "Residuals were brought to the treated clusters' sizes." if found.is_rescaled else ""
    return _inferred("Conley and Taber's inference", [("as asked for", found.estimate, found.inference)], rescaled)


def randomisation(found: RandomisationTest) -> ReleasedTable:
    """Return the effect among those of other assignments."""
    every = "all " if found.is_enumerated else ""
    note = f"From {every}{counted(found.n_assignments, 'assignment')}; the smallest p is {number(found.smallest_p, 4)}."
    return _inferred("The effect among other assignments", [("randomisation", found.estimate, found.inference)], note)


def wild_bootstrap(found: WildBootstrap) -> ReleasedTable:
    """Return the effect with the wild bootstrap's p-value and interval."""
    every = "all " if found.is_enumerated else ""
    note = f"From {every}{counted(found.n_vectors, 'vector')} of weights."
    return _inferred("The wild cluster bootstrap", [("wild bootstrap", found.estimate, found.inference)], note)


def _inferred(caption: str, found: list[tuple[str, float | None, Inference]], note: str = "") -> ReleasedTable:
    first, estimate = found[0][2], found[0][1]
    decimals = decimals_for(first.std_error, _width(first) / 4, abs(estimate or 0.0))
    _, *others = effect_columns(_level(first), decimals)
    effect = () if estimate is None else (Column("effect", "Effect", "estimate", decimals=decimals),)
    columns = (Column("inference", "Inference"), *effect, *others, Column("p", "p", "p"))
    rows = [
        (name, *(() if value is None else (value,)), one.std_error, one.interval, one.p_value)
        for name, value, one in found
    ]
    return plain(
        caption,
        columns,
        rows,
        (as_sentence(first.note) if first.note else "", note, first.assumes, _conservative(first)),
    )


def _conservative(found: Inference) -> str:
    return conservative_sentence(found.interval, _level(found), found.df, found.n_ranked)


def _width(found: Inference) -> float:
    return found.interval.upper - found.interval.lower if isinstance(found.interval, Interval) else 0.0


def _level(found: Inference) -> float:
    return found.interval.level if isinstance(found.interval, Interval) else 0.95
