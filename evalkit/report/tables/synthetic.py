"""Tables of one or few treated areas against a weighted average of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from evalkit.core.formats import Precision, as_sentence, decimals_for, level_text, number
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted, listed
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Prose, sentences
from evalkit.report.border.table import Cell, Column, measured
from evalkit.report.tables.data import plain
from evalkit.report.words.synth import effect_sentence, time_sentence

if TYPE_CHECKING:
    from evalkit.design.panel.area_design import AreaDesign
    from evalkit.estimate.synthetic.conformal import Conformal
    from evalkit.estimate.synthetic.placebos import LeaveOneDonorOut, PlaceboInSpace, PlaceboInTime
    from evalkit.estimate.synthetic.result import SyntheticControl

_MOST: Final = 15
_BEFORE: Final = Unavailable("before")
"""What stands in the place of a test of a period before the start."""


def area_design(design: AreaDesign) -> ReleasedTable:
    """Return the areas: treated, donors, and those left out with the reason."""
    columns = (Column("part", "Part"), Column("n_areas", "Areas", "count"), Column("areas", "Which"))
    rows = [_areas("Treated", design.treated), _areas("Donors", design.donors)]
    rows += [_areas(f"Left out: {lost.reason}", lost.units) for lost in design.dropped]
    return plain(f"Who is compared with whom: {design.outcome}", columns, rows, design.notes)


def _areas(part: str, areas: Sequence[object]) -> tuple[Cell, ...]:
    return part, len(areas), listed([str(area) for area in areas], _MOST)


def area_words(design: AreaDesign) -> Prose:
    """Return the periods and the start."""
    periods = f"{counted(len(design.periods), 'period')}, {design.periods[0]} to {design.periods[-1]}"
    return sentences(f"{periods}; {design.n_pre} of them before the start in {design.start}.")


def synthetic_words(synthetic: SyntheticControl) -> Prose:
    """Return the effect in a sentence bounded by what it assumes, and how good the fit before the start is."""
    return sentences(
        effect_sentence(synthetic, _precision(synthetic)),
        synthetic.pre_fit.sentence,
        *map(as_sentence, synthetic.notes),
    )


def _precision(synthetic: SyntheticControl) -> Precision:
    return Precision.of(synthetic.pre_fit.spread / 20)


def gaps(synthetic: SyntheticControl, tests: Conformal | None = None, made: Precision | None = None) -> ReleasedTable:
    """Return period by period the treated areas' mean, the synthetic one and the gap, tested where there are tests."""
    made = made or _precision(synthetic)
    single = {one.period: one for one in tests.by_period} if tests is not None else {}
    columns = (
        Column("period", "Period"),
        *(measured(key, key.capitalize(), "estimate", made) for key in ("treated", "synthetic", "gap")),
        *(_test_columns(tests, made) if tests is not None and single else ()),
    )
    rows = [
        (str(row.period), row.treated, row.synthetic, row.gap, *(_test_cells(single.get(row.period)) if single else ()))
        for row in synthetic.gaps
    ]
    return plain("Period by period", columns, rows, (f"The programme began in {synthetic.design.start}.",))


def _test_columns(tests: Conformal, made: Precision) -> tuple[Column, ...]:
    levels = [one.interval.level for one in (tests, *tests.by_period) if isinstance(one.interval, Interval)]
    interval = measured("interval", f"{level_text(levels[0] if levels else 0.95)} interval", "interval", made)
    return interval, Column("p", "p", "p")


def _test_cells(test: Conformal | None) -> tuple[Cell, ...]:
    """Return what conformal inference says of one period; those before the start have no test."""
    return (_BEFORE, _BEFORE) if test is None else (test.interval, test.p_value)


def donor_weights(synthetic: SyntheticControl) -> ReleasedTable:
    """Return the donors that weigh most."""
    columns = (Column("donor", "Donor"), Column("weight", "Weight", "number", decimals=3))
    ranked = sorted(synthetic.weight_of.items(), key=lambda pair: -abs(pair[1]))
    shown = [(str(donor), weight) for donor, weight in ranked if abs(weight) > 1e-6]
    more, rest = len(shown) - _MOST, sum(weight for _, weight in shown[_MOST:])
    notes = (
        f"{len(shown)} of {counted(len(ranked), 'donor')} carry weight.",
        f"{more} more weigh {number(rest, 3)} together." if more > 0 else "",
    )
    return plain("Donors", columns, shown[:_MOST], notes)


def placebo_in_space(placebo: PlaceboInSpace) -> ReleasedTable:
    """Return how unusual the treated areas are among donors analysed as if treated."""
    level = placebo.interval.level if isinstance(placebo.interval, Interval) else 0.95
    decimals = decimals_for(placebo.std_error)
    columns = (
        Column("what", "Placebos"),
        Column("p", "p", "p"),
        Column("ratio", "Error after over before", "number"),
        Column("std_error", "Standard error", "number", decimals=decimals),
        Column("interval", f"{level_text(level)} interval", "interval", decimals=decimals),
    )
    row = ("in space", placebo.p_value, placebo.ratio, placebo.std_error, placebo.interval)
    every = "all " if placebo.is_complete else ""
    return plain(
        "Donors as if treated",
        columns,
        [row],
        (f"From {every}{counted(len(placebo.ratios), 'set')} of donors.", *placebo.notes),
    )


def placebo_in_time(placebo: PlaceboInTime) -> Prose:
    """Return what a start that was none would have found."""
    size = abs(placebo.estimate) if not isinstance(placebo.estimate, Unavailable) else 0.0
    return sentences(as_sentence(time_sentence(placebo, Precision.of(size))))


def conformal(test: Conformal) -> ReleasedTable:
    """Return the p-value and interval of the effect in all periods, and of each."""
    every = (test, *test.by_period)
    widths = [one.interval.upper - one.interval.lower for one in every if isinstance(one.interval, Interval)]
    decimals = decimals_for(*(width / 4 for width in widths))
    levels = [one.interval.level for one in every if isinstance(one.interval, Interval)]
    columns = (
        Column("period", "Period"),
        Column("interval", f"{level_text(levels[0] if levels else 0.95)} interval", "interval", decimals=decimals),
        Column("p", "p", "p"),
    )
    rows = [("All together" if one.period is None else str(one.period), one.interval, one.p_value) for one in every]
    note = f"Over {counted(test.n_periods, 'period')}."
    return plain("Conformal inference", columns, rows, (note, *test.notes))


def without_each_donor(without: LeaveOneDonorOut) -> ReleasedTable:
    """Return the range of the estimate without each donor in turn."""
    decimals = decimals_for(without.highest - without.lowest, abs(without.highest))
    columns = (Column("what", "Without one donor"), Column("estimate", "Estimate", "estimate", decimals=decimals))
    rows = [
        ("lowest", without.lowest),
        ("highest", without.highest),
        (f"without {without.influential}, where it moves most", without.without_influential),
    ]
    return plain("One donor left out", columns, rows)
