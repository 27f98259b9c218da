"""The effects of several projects taken together, judged by areas without a programme that are like theirs."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import LEVEL, N_DRAWS, stream
from evalkit.core.errors import InputError
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable, critical_value
from evalkit.estimate.areas import pooling_arrays as stand_ins
from evalkit.estimate.areas.random_effects import RandomEffects, random_effects

SEED: Final = 20180901
"""Of every portfolio's draws; each pool has a stream of its own, named by what it holds."""
SIZE_CLASSES: Final = 3
GAP_CLASSES: Final = 4
EACH_NEEDS: Final = 2
"""Areas without a programme that a stratum must hold for each project in it."""
ALL_NEED: Final = 40
"""Areas that may stand in, over all strata, below which strata are widened, and below which no interval is given."""
TEST_NEEDS: Final = 20
"""Areas that may stand in below which no p-value is given either."""
PER_PROJECT: Final = 7
"""Areas without a programme for each project below which projects are too large a part of all areas to be judged."""
ALIKE: Final = (
    (10, 3, "in the same tenth of the level before and the same third by schools"),
    (10, 1, "in the same tenth of the level before"),
    (5, 3, "in the same fifth of the level before and the same third by schools"),
    (5, 1, "in the same fifth of the level before"),
    (3, 1, "in the same third of the level before"),
    (2, 1, "in the same half of the level before"),
)
"""How alike a stand-in is, the closest first: classes of the level before, classes of the number of schools, words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaTable:
    """Every area's change as one project measures it, its own among them.

    `effects` are changes less those of each area's comparison, `gaps` its distance from them before, `levels` its mean
    before, `sizes` its schools; one of each for every area.
    """

    own: int
    areas: tuple[int, ...]
    effects: tuple[float, ...]
    gaps: tuple[float, ...]
    levels: tuple[float, ...]
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        columns = (self.effects, self.gaps, self.levels, self.sizes)
        if any(len(column) != len(self.areas) for column in columns) or self.areas.count(self.own) != 1:
            raise InputError("A table of areas needs one of each number for every area, and its own area once.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a project enters with: its estimate given the baseline and as it is, each with the error of its size."""

    own: int
    estimate: float
    std_error: float
    raw: float
    raw_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceboTest:
    """What sets of areas without a programme say of a mean effect.

    Attributes
    ----------
    centre : mean of the drawn sets, pooled by the same rule; a reason where nothing could be drawn
    estimate : the mean effect less `centre`, or as it is where there is none
    interval, p_value : from the ranks of the drawn sets about their mean, each deviation times `factor`
    alike, n_alike : how alike the stand-ins are, and how many areas may be one
    n_areas, n_draws : areas without a programme in all; sets drawn
    """

    centre: Quantity
    estimate: float
    interval: IntervalOrReason
    p_value: Quantity
    factor: Quantity
    alike: str
    n_alike: int
    n_areas: int
    n_draws: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceboPool:
    """The mean of several projects' effects: what each enters with, random effects, and the test that leads.

    `entries` are in the order of the tables; `mean` pools the estimates given the baseline, `raw` those as they are,
    both in the order of areas, so that their weights belong to `order`.
    """

    entries: tuple[Entry, ...]
    mean: RandomEffects
    raw: RandomEffects
    test: PlaceboTest
    order: tuple[int, ...]

    @property
    def weights(self) -> tuple[float, ...]:
        """Return the share of each entry in the mean, in their order."""
        by_area = dict(zip(self.order, self.mean.weights, strict=True))
        return tuple(by_area[entry.own] for entry in self.entries)

    @property
    def prediction(self) -> IntervalOrReason:
        """Return where the effect of one more project would lie, less what areas without a programme give."""
        found, centre = self.mean.prediction, self.test.centre
        if isinstance(found, Unavailable) or isinstance(centre, Unavailable):
            return found
        return Interval(found.lower - centre, found.upper - centre, found.level)


@dataclass(frozen=True, slots=True, eq=False)
class ComparedAreas:
    """Areas that all tables hold and nobody treats, then the projects' own; `n` counts the former."""

    codes: tuple[int, ...]
    n: int
    levels: Floats
    sizes: Floats
    gaps: Floats


@dataclass(frozen=True, slots=True, eq=False)
class ValuesByArea:
    """What areas give: values and variances of each project in each area of the areas (shape (k, areas))."""

    values: Floats
    variances: Floats


@dataclass(frozen=True, slots=True, eq=False)
class AreaStrata:
    """Which areas may stand in for which project: the stratum of each area and project, and how alike they are."""

    of_areas: Ints
    of_projects: tuple[int, ...]
    available: dict[int, int]
    alike: str

    @property
    def n_alike(self) -> int:
        """Return how many areas may stand in."""
        return sum(self.available.values())


def placebo_pool(
    tables: Sequence[AreaTable],
    treated: Collection[int],
    *,
    level: float = LEVEL,
    name: str = "",
    n_draws: int = N_DRAWS,
) -> PlaceboPool | Unavailable:
    """Return the pooled effect of two or more projects in different areas, or why there is none.

    Parameters
    ----------
    tables : one for each project, all of one outcome and one set of years
    treated : areas with any programme of which it is known; none of them stands in
    level : of the interval
    name, n_draws : of the stream of draws, under a seed that is the same for all; and how many there are

    Each project enters with what the line of effects on gaps before, fitted to areas without a programme, leaves of
    its effect; its error is the root mean square of what it leaves of the areas in the same third by schools. Sets of
    such areas, each as like its project as `ALIKE` allows and none twice, are pooled by the same rule.
    """
    ordered = sorted(tables, key=lambda table: table.own)
    if len(ordered) < 2:
        raise InputError("Pooling needs two or more projects, each in an area of its own.")
    entries = entries_of(tables, treated)
    if isinstance(entries, Unavailable):
        return entries
    areas = _compared_areas(ordered, treated)
    by_area = {entry.own: entry for entry in entries}
    # In the order of areas, so that sums do not depend on the order of the projects.
    entered = [by_area[table.own] for table in ordered]
    mean = random_effects([entry.estimate for entry in entered], [entry.std_error for entry in entered], level)
    raw = random_effects([entry.raw for entry in entered], [entry.raw_error for entry in entered], level)
    test = _test(areas, _values_by_area(ordered, areas, is_raw=False), mean, (name, n_draws))
    return PlaceboPool(entries=entries, mean=mean, raw=raw, test=test, order=tuple(entry.own for entry in entered))


def entries_of(tables: Sequence[AreaTable], treated: Collection[int]) -> tuple[Entry, ...] | Unavailable:
    """Return what each project enters with, in the order given, or why that cannot be said; arguments as above."""
    ordered = sorted(tables, key=lambda table: table.own)
    if len({table.own for table in ordered}) < len(ordered):
        raise InputError("Two projects of one area cannot be pooled: they share what happened there.")
    areas = _compared_areas(ordered, treated)
    if areas.n < TEST_NEEDS:
        return Unavailable(f"Not pooled: {_have(areas.n)}, and {TEST_NEEDS} are needed to say how large errors are.")
    given, raw = (_values_by_area(ordered, areas, is_raw) for is_raw in (False, True))
    if not all((_in_own_area(one.variances, areas) > 0).all() for one in (given, raw)):
        return Unavailable(
            "Not pooled: of areas of some size none is without a programme, or all moved alike, so that the errors of "
            "such projects cannot be told."
        )
    by_area = {entry.own: entry for entry in _entries(ordered, areas, given, raw)}
    return tuple(by_area[table.own] for table in tables)


def _entries(tables: Sequence[AreaTable], areas: ComparedAreas, given: ValuesByArea, raw: ValuesByArea) -> list[Entry]:
    columns = [
        _in_own_area(part, areas).tolist() for one in (given, raw) for part in (one.values, np.sqrt(one.variances))
    ]
    rows = zip(tables, *columns, strict=True)
    return [Entry(own=table.own, estimate=a, std_error=b, raw=c, raw_error=d) for table, a, b, c, d in rows]


def _compared_areas(tables: Sequence[AreaTable], treated: Collection[int]) -> ComparedAreas:
    never = {*treated, *(table.own for table in tables)}
    common = set.intersection(*(set(table.areas) for table in tables)) - never
    codes = [*sorted(common), *(table.own for table in tables)]
    levels, sizes, gaps = (_mean_by_area(tables, codes, column) for column in ("levels", "sizes", "gaps"))
    return ComparedAreas(codes=tuple(codes), n=len(common), levels=levels, sizes=sizes, gaps=gaps)


def _mean_by_area(tables: Sequence[AreaTable], areas: Sequence[int], column: str) -> Floats:
    """Return the mean of a column over the tables that hold an area, which may differ in their schools."""
    found: Floats = np.nanmean([_aligned(table, areas, column) for table in tables], axis=0)
    return found


def _aligned(table: AreaTable, areas: Sequence[int], column: str) -> Floats:
    """Return a column of a table for each of some areas, NaN for those that it lacks."""
    held = dict(zip(table.areas, getattr(table, column), strict=True))
    return np.array([held.get(area, np.nan) for area in areas], dtype=float)


def _values_by_area(tables: Sequence[AreaTable], areas: ComparedAreas, is_raw: bool) -> ValuesByArea:
    classes = stand_ins.rank_classes(areas.sizes, SIZE_CLASSES)
    rows = [_row(table, areas, classes, is_raw) for table in tables]
    return ValuesByArea(np.array([values for values, _ in rows]), np.array([variances for _, variances in rows]))


def _row(table: AreaTable, areas: ComparedAreas, classes: Ints, is_raw: bool) -> tuple[Floats, Floats]:
    """Return a project's values and variances over the areas, NaN in treated areas that its table lacks."""
    effects, gaps = (_aligned(table, areas.codes, column) for column in ("effects", "gaps"))
    is_placebo = np.arange(len(areas.codes)) < areas.n
    values = effects if is_raw else stand_ins.left_of_line(effects, gaps, is_placebo)
    return values, stand_ins.mean_squares(values, classes, is_placebo)


def _in_own_area(values: Floats, areas: ComparedAreas) -> Floats:
    """Return each project's entry in its own area."""
    found: Floats = np.diagonal(values[:, areas.n :]).copy()
    return found


def _test(areas: ComparedAreas, given: ValuesByArea, mean: RandomEffects, draws: tuple[str, int]) -> PlaceboTest:
    """Return what the drawn sets say of the mean, or why they say nothing."""
    strata = strata_of(areas.levels, areas.sizes, areas.n)
    if isinstance(strata, Unavailable):
        return _untested(strata, mean, areas.n)
    name, n_draws = draws
    sets = stand_ins.drawn_sets(stream(SEED, f"portfolio {name}"), strata.of_areas, strata.of_projects, n_draws)
    rows = np.arange(len(given.values))
    means = stand_ins.random_effects_means(given.values[rows, sets], given.variances[rows, sets])
    centre, factor = float(means.mean()), _factor(strata, mean, areas) * _unlike(strata, mean, areas, given)
    deviations = factor * (means - centre)
    estimate = mean.estimate - centre
    reach = stand_ins.reach_of(deviations, 1 - mean.level)
    is_enough = strata.n_alike >= ALL_NEED
    return PlaceboTest(
        centre=centre,
        estimate=estimate,
        interval=Interval(estimate - reach, estimate + reach, mean.level) if is_enough else _few(strata.n_alike),
        p_value=stand_ins.rank_p(deviations, estimate),
        factor=factor,
        alike=strata.alike,
        n_alike=strata.n_alike,
        n_areas=areas.n,
        n_draws=n_draws,
    )


def _factor(strata: AreaStrata, mean: RandomEffects, areas: ComparedAreas) -> float:
    """Return what widens deviations: for errors of their centre and of the line, and as few areas tell their spread."""
    weights = np.array(mean.weights)
    line = _error_of_line(strata, weights, areas)
    spread = stand_ins.spread_factor(weights, strata.of_projects, strata.available, line)
    df = strata.n_alike - len(strata.available)
    return spread * critical_value(mean.level, df) / critical_value(mean.level)


def _unlike(strata: AreaStrata, mean: RandomEffects, areas: ComparedAreas, given: ValuesByArea) -> float:
    """Return by how much areas as far from their neighbours as the projects scatter more than stand-ins, at least 1.

    Scatter is the root mean square in the same quarter by the gap before, weighed as in the mean.
    """
    quarters = stand_ins.rank_classes(areas.gaps, GAP_CLASSES)
    is_placebo = np.arange(len(quarters)) < areas.n
    squares = np.array([stand_ins.mean_squares(values, quarters, is_placebo) for values in given.values])
    alike = [
        float(row[: areas.n][strata.of_areas == one].mean())
        for row, one in zip(squares, strata.of_projects, strict=True)
    ]
    weights = np.array(mean.weights) ** 2
    ratio = float(weights @ _in_own_area(squares, areas)) / float(weights @ np.array(alike))
    return math.sqrt(max(ratio, 1.0)) if math.isfinite(ratio) else 1.0


def _error_of_line(strata: AreaStrata, weights: Floats, areas: ComparedAreas) -> float:
    """Return by how many areas' variances the slope makes projects vary more than those that stand in for them.

    With z the gap less its mean over areas without a programme, in their SDs, and n such areas: (z² of the projects'
    mean less z² of their stand-ins' mean) / n.
    """
    gaps = areas.gaps[: areas.n]
    spread = float(gaps.std())
    if spread <= 1e-12 * float(np.abs(gaps).max(initial=0.0)):
        return 0.0
    z = (areas.gaps - gaps.mean()) / spread
    alike = [float(z[: areas.n][strata.of_areas == one].mean()) for one in strata.of_projects]
    return float((weights @ z[areas.n :]) ** 2 - (weights @ np.array(alike)) ** 2) / areas.n


def _untested(why: Unavailable, mean: RandomEffects, n_areas: int) -> PlaceboTest:
    return PlaceboTest(
        centre=why,
        estimate=mean.estimate,
        interval=why,
        p_value=why,
        factor=why,
        alike="",
        n_alike=0,
        n_areas=n_areas,
        n_draws=0,
    )


def strata_of(levels: Floats, sizes: Floats, n: int) -> AreaStrata | Unavailable:
    """Return the closest likeness under which every project has areas enough that may stand in for it.

    `levels` and `sizes` are those of `n` areas without a programme, then of the projects' own. Classes are by rank
    among all of them. Every stratum needs twice as many areas as projects, and all strata together 40, or as many as
    there are.
    """
    k = len(levels) - n
    if n < PER_PROJECT * k:
        return Unavailable(
            f"Withheld: {_have(n)} for {k} projects, and {PER_PROJECT} for each are needed to draw sets like them."
        )
    for n_levels, n_sizes, alike in ALIKE:
        of_all = SIZE_CLASSES * stand_ins.rank_classes(levels, n_levels) + stand_ins.rank_classes(sizes, n_sizes)
        of_projects = of_all[n:].tolist()
        available = {one: int((of_all[:n] == one).sum()) for one in sorted(set(of_projects))}
        if min(available[one] / of_projects.count(one) for one in available) < EACH_NEEDS:
            continue
        if sum(available.values()) >= min(ALL_NEED, n):
            return AreaStrata(of_all[:n], tuple(of_projects), available, alike)
    return Unavailable(
        "Withheld: too few areas without a programme are like the projects, even by halves of the level before "
        f"({EACH_NEEDS} for each project are needed, and {ALL_NEED} in all)."
    )


def _few(n: int) -> Unavailable:
    return Unavailable(f"Withheld: {n} areas without a programme may stand in, and an interval needs {ALL_NEED}.")


def _have(n: int) -> str:
    return f"{n} {'area' if n == 1 else 'areas'} without a programme can be compared"
