"""How large a parting of trends one treated area's rank, or a list's among sets, would bear: breakdown by permutation.

One treated area has no covariance that bounds on violations could start from. What stands in for it is what other
areas' movements before the programme, and after it, have in common with their own (this kit's own; docs/methods).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.draws import LEVEL, require_level
from evalkit.core.errors import InputError
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.estimate.areas.changes_arrays import TIE
from evalkit.estimate.bounds import permuted_bounds_arrays as kernel
from evalkit.estimate.bounds.permuted_bounds_arrays import Placed

TOLD: Final = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
"""Violations M of which p-value and set are told."""
GRID: Final = 0.05
"""Distance between the values of M that the breakdown is looked for in."""
MOST: Final = 10.0
"""Largest M looked at."""
FEWEST_AREAS: Final = 20
"""Areas, the treated counted, below which no rank is below 5%."""
ONE_YEAR_BEFORE: Final = (
    "Only one year was observed before the programme: there is no movement before it that a later one could be "
    "measured by, and so no bound. That nothing was seen to part says nothing here."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreStep:
    """How far the gap moved a year between two neighbouring years before the programme."""

    first: int
    last: int
    step: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PermutedBound:
    """What is left at a violation of M times the largest step before: p(M), and the set of effects not rejected."""

    m: float
    p_value: float
    interval: IntervalOrReason


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PermutedBounds(Shown):
    """How far trends may part after the programme, in units of the largest step before it, before the rank is lost.

    Attributes
    ----------
    estimate : T° = G_post − G_b, since the last year before; of lists less what sets like them have
    base : b; `ahead` m, the years from b to those after
    steps : before the programme, each a year
    rows : p(M) and set for some M, the first M = 0
    breakdown : M*, the largest M of a grid up to which every p(M) is within the level; 0 where even p(0) is not, or
        where the first step of the grid is not
    is_at_least : whether the breakdown is the largest M looked at, so that it may be larger
    n_areas : J, the treated counted; `n_sets` sets or draws, 0 where each area stood in once
    monte_carlo_error : of p(0), 0 where each area stood in once
    """

    outcome: str
    estimate: float
    base: int
    ahead: float
    steps: tuple[PreStep, ...]
    rows: tuple[PermutedBound, ...]
    breakdown: float
    is_at_least: bool
    n_areas: int
    n_sets: int = 0
    monte_carlo_error: Quantity = 0.0
    level: float = LEVEL

    def told(self, outcome: str, n_sets: int, error: Quantity) -> PermutedBounds:
        """Return the same of an outcome, among so many sets, with the Monte Carlo error of p(0)."""
        return replace(self, outcome=outcome, n_sets=n_sets, monte_carlo_error=error)

    @property
    def p_at_zero(self) -> float:
        """Return p(0): the rank of T° where trends went on alike."""
        return self.rows[0].p_value

    @property
    def is_in_tail(self) -> bool:
        """Return whether T° is in the tail to begin with."""
        return self.p_at_zero <= 1 - self.level + TIE

    @property
    def largest_step(self) -> float:
        """Return the size of the treated's largest step a year."""
        return max(abs(one.step) for one in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Years:
    """The years that bounds are made of: all before, of which the last is the base, and those after."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.before or not self.after or max(self.before) >= min(self.after):
            raise InputError("Bounds need at least one year before the programme, and years after all of those.")

    @property
    def all(self) -> tuple[int, ...]:
        """Return every year in order, each once."""
        return tuple(sorted({*self.before, *self.after}))


def permuted_bounds(
    gaps: pd.DataFrame,
    treated: object,
    before: Sequence[int],
    after: Sequence[int],
    level: float = LEVEL,
    *,
    outcome: str = "",
) -> PermutedBounds | Unavailable:
    """Return how far trends may part before the rank of one treated area's effect is lost, or why that is not known.

    If every later yearly step of the treated area's violation is at most M times its largest step before, the bias is
    c·Δ_s for some step s with |c| ≤ mM. For every such c (41 points) all areas are ranked by W_j = T°_j − c Δ_js; p(M)
    is the largest p-value. Ranking W, and not |T°| less a multiple of the area's own gap, lets the noise of the gap
    count in every area alike (this kit's own; after Rambachan and Roth, 2023, who bound violations from a covariance).

    Parameters
    ----------
    gaps : one row for each area, one column for each year: its outcome less that of the areas it is compared with, in
        units of the outcome; areas that lack one of the years are left out
    treated : the row that was treated
    before, after : years before the programme, the last of which is the base, and years after
    level : of the set of effects; 1 − level is also what p(M) is held against

    Raises
    ------
    InputError
        If the treated area, or a year, is not in the table, or years are out of order.

    Examples
    --------
    >>> import numpy as np, pandas as pd, evalkit
    >>> made = np.random.default_rng(1).normal(size=(60, 3))
    >>> gaps = pd.DataFrame(made, index=[f"area {i}" for i in range(60)], columns=[2016, 2017, 2019])
    >>> gaps.loc["area 0"] += [0.0, 0.1, 6.0]
    >>> evalkit.permuted_bounds(gaps, "area 0", (2016, 2017), (2019,)).breakdown > 0
    True
    """
    require_level(level)
    years = Years(before=tuple(sorted(before)), after=tuple(sorted(after)))
    lacking = [str(year) for year in years.all if year not in gaps.columns]
    if lacking or treated not in gaps.index or not gaps.index.is_unique:
        what = f"the year {lacking[0]}" if lacking else f"one row of {treated}"
        raise InputError(f"The table of gaps needs {what}: a row for each area once, a column for each year.")
    known = gaps[list(years.all)].astype(float).dropna()
    if treated not in known.index:
        return Unavailable("The treated area lacks one of the years that the bounds need.")
    weights = kernel.step_weights(years.all, years.before, years.after).weights
    moved = known.to_numpy() @ weights
    is_treated = np.asarray(known.index == treated)
    placed = Placed(moved[is_treated][0], moved[~is_treated], np.ones(int((~is_treated).sum())))
    found = bounds_of(placed, years, level)
    return found if isinstance(found, Unavailable) else replace(found, outcome=outcome)


def bounds_of(
    placed: Placed, years: Years, level: float = LEVEL, *, n_areas: int = 0, no_interval: str = ""
) -> PermutedBounds | Unavailable:
    """Return the bounds of what was treated among stand-ins of any kind: areas, sets of units, draws of areas.

    Columns of `placed` are those of `step_weights`; `n_areas` is J where stand-ins are not areas, `no_interval` why
    no set is given, or empty.
    """
    steps = list(zip(years.before, years.before[1:], strict=False))
    if not steps:
        return Unavailable(ONE_YEAR_BEFORE)
    areas = n_areas or 1 + len(placed.others)
    if areas < FEWEST_AREAS:
        return Unavailable(f"{areas} areas have all the years needed; with fewer than {FEWEST_AREAS} no rank is small.")
    ahead, alpha = kernel.step_weights(years.all, years.before, years.after).ahead, 1 - level
    breakdown, is_at_least = _breakdown(placed, ahead, alpha)
    return PermutedBounds(
        outcome="",
        estimate=float(placed.observed[0]),
        base=years.before[-1],
        ahead=ahead,
        steps=tuple(
            PreStep(first=a, last=b, step=float(step)) for (a, b), step in zip(steps, placed.observed[1:], strict=True)
        ),
        rows=tuple(_rows(placed, ahead, level, no_interval)),
        breakdown=breakdown,
        is_at_least=is_at_least,
        n_areas=areas,
        level=level,
    )


def _rows(placed: Placed, ahead: float, level: float, no_interval: str) -> Iterator[PermutedBound]:
    """Yield p(M) and the set of every M told; what a smaller M allows a larger one allows too, whatever their grids."""
    if round(1 / (1 - level)) > 1 + placed.weights.sum():
        no_interval = f"Fewer than {round(1 / (1 - level))} areas could stand in, so no set at this level exists."
    p_value, lower, upper = 0.0, np.inf, -np.inf
    for m in TOLD:
        c = kernel.biases(ahead, m)
        p_value = max(p_value, float(kernel.p_values(placed, c).max()))
        interval: IntervalOrReason = Unavailable(no_interval or "-")
        if not no_interval:
            ends = kernel.hull(placed, c, 1 - level)
            lower, upper = min(lower, ends[0]), max(upper, ends[1])
            interval = Interval(lower, upper, level)
        yield PermutedBound(m=m, p_value=p_value, interval=interval)


def _breakdown(placed: Placed, ahead: float, alpha: float) -> tuple[float, bool]:
    """Return the largest M up to which every p(M) is at most alpha, 0 where none is, and whether it is the last."""
    reached = 0.0
    for at in range(round(MOST / GRID) + 1):
        m = round(at * GRID, 10)
        if float(kernel.p_values(placed, kernel.biases(ahead, m)).max()) > alpha + TIE:
            return reached, False
        reached = m
    return reached, True
