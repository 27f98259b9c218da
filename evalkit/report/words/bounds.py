"""The table of bounds on violations of parallel trends, and what is said of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from evalkit.core.formats import Precision, as_sentence, level_text, lower_first
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted, listed
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Prose, sentences
from evalkit.report.border.table import Cell, Column, Table, measured

if TYPE_CHECKING:
    from evalkit.estimate.bounds.violation_bounds import BoundedInterval, ViolationBounds
    from evalkit.report.border.parts import Figure, Part

PARALLEL: Final = "Parallel trends"
RELATIVE: Final = "Relative: no step after the start above M times the largest before it"
SMOOTH: Final = "Smooth: slope changes by at most M a period"
NO_PROOF: Final = (
    "These bounds say how large a violation would have to be, not how large it is: nothing in the data rules out that "
    "trends parted for the first time when the programme began."
)
_METHODS: Final = {"hybrid": "hybrid test, inverted", "fixed-length": "fixed length"}
_SHAPES: Final = {
    "+": "are positive or 0",
    "-": "are negative or 0",
    "up": "never fall",
    "down": "never rise",
}


def bounds_table(bounds: ViolationBounds) -> ReleasedTable:
    """Return the interval with parallel trends, and under violations of each size."""
    columns = (
        Column("bound", "What is assumed"),
        Column("m", "M", "label"),
        measured("interval", f"{level_text(bounds.level)} interval", "interval", precision_of(bounds)),
        Column("method", "Interval by"),
    )
    rows: list[tuple[Cell, ...]] = [(PARALLEL, "none", bounds.original, "normal distribution")]
    for label, found in ((RELATIVE, bounds.relative), (SMOOTH, bounds.smoothness)):
        rows += [(label, _size(one.m), one.interval, _METHODS[one.method]) for one in found]
    notes = tuple(note for note in (shape_of(bounds), _breakdowns(bounds), *bounds.notes) if note)
    caption = f"{effect_of(bounds)} if trends are not parallel"
    return release(Table(caption=caption, columns=columns, rows=tuple(rows), notes=notes, panel_by="bound"), 0)


def bounds_words(bounds: ViolationBounds) -> Prose:
    """Return how large violations must be before the interval reaches 0, and what that cannot say."""
    made = precision_of(bounds)
    first = (
        f"If trends are parallel, {lower_first(effect_of(bounds))} is {made.number(bounds.estimate)} "
        f"({level_text(bounds.level)} interval {made.interval(bounds.original)})."
    )
    return sentences(first, *_broken(bounds), shape_of(bounds), _seen(bounds), NO_PROOF)


def bounds_parts(
    bounds: ViolationBounds | Unavailable, draw: Callable[[ViolationBounds], Figure] | None = None
) -> Iterator[Part]:
    """Yield bounds as sentences and a table, drawn by `draw` where it is given; or why there are none."""
    if isinstance(bounds, Unavailable):
        yield sentences(f"This is not bounded. {as_sentence(bounds.reason)}")
        return
    yield bounds_words(bounds)
    yield bounds_table(bounds)
    if draw is not None:
        yield draw(bounds)


def precision_of(bounds: ViolationBounds) -> Precision:
    """Return how finely an effect's numbers are written."""
    return Precision.of(bounds.std_error, abs(bounds.estimate))


def effect_of(bounds: ViolationBounds) -> str:
    """Return which effect the bounds are of."""
    if len(bounds.times) == 1:
        after = counted(bounds.times[0], "period")
        return "The effect at the start" if bounds.times[0] == 0 else f"The effect {after} after the start"
    return f"The mean effect at event times {listed(list(map(str, bounds.times)), 20)}"


def shape_of(bounds: ViolationBounds) -> str:
    """Return what else was assumed of the violations, or an empty text."""
    shape = bounds.sign or bounds.monotone
    if shape is None:
        return ""
    return f"It is assumed, not found, that violations of parallel trends after the start {_SHAPES[shape]}."


def _broken(bounds: ViolationBounds) -> tuple[str, ...]:
    """Return when the interval reaches 0, under either bound."""
    relative, smooth = bounds.breakdown_relative, bounds.breakdown_smoothness
    if 0.0 in bounds.original:
        return ("That interval includes 0 already, so there is no violation that could undo it.",)
    found = []
    if isinstance(relative, Unavailable):
        found.append(f"Relative to the steps before the start: {as_sentence(lower_first(relative.reason))}")
    else:
        found.append(
            "The interval leaves out 0 as long as no step of the violation after the start exceeds "
            f"{size_text(relative)} times the largest one before it."
        )
    if isinstance(smooth, Unavailable):
        found.append(f"By smoothness: {as_sentence(lower_first(smooth.reason))}")
    else:
        found.append(
            "If a trend is carried on, it leaves out 0 as long as its slope changes by at most "
            f"{size_text(smooth)} a period, in units of the outcome."
        )
    return tuple(found)


def _breakdowns(bounds: ViolationBounds) -> str:
    named = (("relative", bounds.breakdown_relative), ("smoothness", bounds.breakdown_smoothness))
    told = [f"{name} {size_text(value)}" for name, value in named if not isinstance(value, Unavailable)]
    return f"Breakdown, the largest M whose interval leaves out 0: {', '.join(told)}." if told else ""


def _seen(bounds: ViolationBounds) -> str:
    """Return how little the steps before the start may be to measure violations by."""
    if bounds.n_before == 1:
        return (
            "One step before the start is all that is seen: relative bounds rest on a single difference, and a trend "
            "before the start cannot be told from noise."
        )
    return f"The {bounds.n_before} steps before the start are estimates themselves; their noise is in the intervals."


def size_text(value: float) -> str:
    """Return a breakdown value to three digits, cut and not rounded, so that it holds what is said of it."""
    if value <= 0:
        return "0"
    digit = 10.0 ** (math.floor(math.log10(value)) - 2)
    return f"{math.floor(value / digit * (1 + 1e-12)) * digit:.3g}"


def _size(m: float) -> int | float:
    return int(m) if m.is_integer() else m


def ends_of(found: tuple[BoundedInterval, ...]) -> list[tuple[float, Interval]]:
    """Return the sizes that have an interval, with it."""
    return [(one.m, one.interval) for one in found if isinstance(one.interval, Interval)]
