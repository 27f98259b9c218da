"""Tables of what a matched comparison withstands of what was not measured."""

from __future__ import annotations

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.formats import level_text, number
from evalkit.core.quantities import Unavailable
from evalkit.core.sentence import Sentence, count
from evalkit.diagnose.match_sensitivity import MatchSensitivity
from evalkit.diagnose.oster import OsterDelta
from evalkit.diagnose.robustness_value import Benchmark
from evalkit.diagnose.rosenbaum import bounds_note
from evalkit.report.disclosure import ReleasedTable, release, told_where_typed
from evalkit.report.table import Cell, Column, Table
from evalkit.report.tables.matching import Unit

_NO_PUPILS = 0
"""These tables hold no counts of pupils, so that there is nothing to hide."""


def sensitivity(found: MatchSensitivity, unit: Unit = "people") -> ReleasedTable:
    """Return one row for each measure of sensitivity: its number, and the sentence for a reader.

    Small counts in the sentences are withheld unless the units are schools.
    """
    fewest = FEWEST_PEOPLE if unit == "people" else 0
    columns = (
        Column("measure", "Measure"),
        Column("statistic", "Statistic", "number"),
        Column("sentence", "What it says"),
    )
    rows = tuple(
        (name, statistic, told_where_typed(sentence, fewest))
        for name, statistic, sentence in zip(_NAMES, _statistics(found), found.sentences, strict=True)
    )
    lacking = (
        (
            Sentence(
                "{n} of the design lack an outcome and are left out.", n=count(found.n_lacking, "units", "unit")
            ).written(fewest),
        )
        if found.n_lacking
        else ()
    )
    notes = (
        "No measure can show that nothing was left out; each says how strong it would have to be.",
        *((delta_note(found.selection),) if isinstance(found.selection, OsterDelta) else ()),
        *lacking,
    )
    return release(
        Table(caption="What the result withstands of what was not measured", columns=columns, rows=rows, notes=notes),
        _NO_PUPILS,
    )


def hidden_bias(found: MatchSensitivity) -> ReleasedTable:
    """Return bounds on the p-value and the effect by how strong a hidden bias within pairs is."""
    columns = (
        Column("gamma", "Odds of taking part differ by up to (times)", "number"),
        Column("p_lower", "p, at least", "p"),
        Column("p_upper", "p, at most", "p"),
        Column("effect_lower", "Effect, at least", "estimate"),
        Column("effect_upper", "Effect, at most", "estimate"),
    )
    bounds = found.hidden_bias
    if isinstance(bounds, Unavailable):
        rows: tuple[tuple[Cell, ...], ...] = (("None", bounds, bounds, bounds, bounds),)
        notes: tuple[str, ...] = ()
    else:
        rows = tuple((r.gamma, r.p_lower, r.p_upper, r.effect_lower, r.effect_upper) for r in bounds.rows)
        notes = (bounds.sentence, told_where_typed(bounds_note(bounds), FEWEST_PEOPLE))
    return release(
        Table(caption="Hidden bias between matched units", columns=columns, rows=rows, notes=notes), _NO_PUPILS
    )


def benchmarks(found: MatchSensitivity) -> ReleasedTable:
    """Return the effect that something not measured would leave, by the characteristic it is as strong as."""
    columns = (
        Column("covariate", "Characteristic"),
        Column("times", "Times as strong", "number"),
        Column("estimate", "Effect left", "estimate"),
        Column("interval", f"{level_text(found.level)} interval", "interval"),
    )
    value = found.robustness
    if isinstance(value, Unavailable):
        rows: tuple[tuple[Cell, ...], ...] = (("None", value, value, value),)
        notes: tuple[str, ...] = ()
    else:
        rows = tuple(
            (one.covariate, one.times, one.estimate, one.interval)
            if isinstance(one, Benchmark)
            else (one.covariate, one.times, one.reason, one.reason)
            for one in value.benchmarks
        )
        notes = (value.sentence, f"From a regression on {told_where_typed(found.regression_on, FEWEST_PEOPLE)}.")
    caption = "Effect left by something not measured that is as strong as what was"
    return release(Table(caption=caption, columns=columns, rows=rows, notes=notes), _NO_PUPILS)


_NAMES = (
    "Hidden bias within pairs (gamma)",
    "E-value",
    "Robustness value (share)",
    "Selection relative to what was measured (delta)",
)


def _statistics(found: MatchSensitivity) -> tuple[Cell, ...]:
    bias, e_value, value, selection = found.hidden_bias, found.e_value, found.robustness, found.selection
    return (
        bias if isinstance(bias, Unavailable) else bias.gamma_lost,
        e_value if isinstance(e_value, Unavailable) else e_value.point,
        value if isinstance(value, Unavailable) else value.value,
        selection.delta if isinstance(selection, OsterDelta) else selection,
    )


def delta_note(found: OsterDelta) -> str:
    """Return how the relative strength of selection was worked out, for the foot of a table."""
    simple = "" if isinstance(found.simple, Unavailable) else f" The simple approximation gives {number(found.simple)}."
    return f"R² with everything measured: {number(found.r2_most)}.{simple}"
