"""Placebo in space and in time, and how far the result rests on one donor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL, SEED, SERIAL, Executor, require_draws, require_level, require_seed, stream
from evalkit.core.quantities import Estimate, IntervalOrReason, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.estimate.areas.places import Row
from evalkit.estimate.synthetic.connected_arrays import ConnectedSets
from evalkit.estimate.synthetic.result import (
    EXACT,
    FEWEST_DONORS,
    FEWEST_PRE,
    SyntheticControl,
    area_result,
    rounding_of,
    without_inference,
)
from evalkit.estimate.synthetic.weights_arrays import AreaFit, Placebos, error_floor, placebo_fits, placebo_sets, rank_p

# Placebo in space and in time: effects where there can be none.

FEWEST_FOR_P: Final = 5
"""With fewer donors, or sets of them, a p-value cannot be below one in five whatever happened."""
MOST_SETS: Final = 999


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceboOptions:
    """How placebo areas are drawn and fitted.

    `n_draws` : sets of donors drawn where all are more; `seed` : of the draws; `level` : of the interval; `executor` :
    who fits the sets.
    """

    n_draws: int = MOST_SETS
    seed: int = SEED
    level: float = LEVEL
    executor: Executor = field(default=SERIAL, compare=False, repr=False)

    def __post_init__(self) -> None:
        require_draws(self.n_draws, FEWEST_FOR_P)
        require_seed(self.seed)
        require_level(self.level)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PlaceboInSpace(Shown):
    """The treated areas among donors that were analysed as if treated.

    Attributes
    ----------
    p_value : Quantity
        Share of all, the treated one included, whose error after the start over that before it is at least as large.
    ratio : Quantity, of the treated areas
    ratios : shape (n_sets,), of the placebos
    floor : float, the least error before the start that counts in a ratio
    n_floored : number of placebos to which it applies
    std_error : Quantity
        Standard deviation of the placebos' estimates (Arkhangelsky et al., 2021, algorithm 4).
    interval : IntervalOrReason, estimate ± normal quantile × std_error
    areas : the donors of each set
    gaps : shape (n_sets, n_periods)
    pre_rmse : shape (n_sets,)
    is_complete : whether every set of donors of that size was gone through
    n_as_large : number of placebos whose ratio is at least that of the treated areas
    n_disjoint : sets without an area in common among those that border each other, None where sets are from anywhere
    notes : what a reader must know of the p-value
    """

    p_value: Quantity
    ratio: Quantity
    ratios: Floats
    floor: float
    n_floored: int
    std_error: Quantity
    interval: IntervalOrReason
    areas: tuple[tuple[object, ...], ...]
    gaps: Floats
    pre_rmse: Floats
    is_complete: bool
    notes: tuple[str, ...]
    n_as_large: int = 0
    n_disjoint: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PlaceboInTime(Shown):
    """The gap between a start that was not one and the true one, periods from the true start on left out."""

    start: int
    estimate: Quantity
    pre_rmse: float
    p_value: Quantity


def placebo_in_space(
    result: SyntheticControl, options: PlaceboOptions | None = None, connected: ConnectedSets | None = None
) -> PlaceboInSpace:
    """Return the treated areas' rank among donors as if treated (Abadie, Diamond and Hainmueller, 2010).

    A donor that is followed badly before the start has a small ratio for it, and is left in. Of several treated areas
    the placebos are sets of as many donors, or `connected` ones, from which no p-value is below one over the number of
    sets without an area in common and one. Areas truly treated serve as donor in no placebo.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (f"A{i:02}", t, 60 + i * 5 % 12 + t * (i % 4) / 10 + i * t % 7 / 10 + 3 * (i == 5 and t >= 2016))
    ...     for i in range(12) for t in range(2006, 2020)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["area", "year", "share"])
    >>> roles = evalkit.AreaRoles(unit="area", period="year", outcome="share")
    >>> series = evalkit.AreaSeries.from_frame(table, roles)
    >>> design = evalkit.area_design(series, ["A05"], 2016)
    >>> found = evalkit.placebo_in_space(evalkit.synthetic_control(design))
    >>> round(found.p_value, 3)
    0.083
    """
    options = options or PlaceboOptions()
    placebos = _placebos(result, options, connected)
    floor, least = _floors(result)
    ratios = np.array([_ratio(fit, floor, least) for fit in placebos.fits])
    reason = _reason(result, len(ratios))
    treated_ratio = _ratio(result.fit, floor, least)
    std_error = reason or _spread(placebos.fits, result.fit.estimate, least)
    donors = result.design.donors
    return PlaceboInSpace(
        p_value=reason or _p_value(treated_ratio, ratios, connected),
        ratio=reason or treated_ratio,
        ratios=ratios,
        floor=floor,
        n_floored=int(sum(fit.pre_rmse < floor for fit in placebos.fits)),
        std_error=std_error,
        interval=_interval(result, std_error, options.level),
        areas=tuple(tuple(donors[at] for at in chosen) for chosen in placebos.sets),
        gaps=np.array([fit.gap for fit in placebos.fits]).reshape(len(ratios), len(result.design.periods)),
        pre_rmse=np.array([fit.pre_rmse for fit in placebos.fits]),
        is_complete=placebos.is_complete,
        notes=() if reason else tuple(_notes(result, placebos.fits, floor, connected)),
        n_as_large=int((ratios >= treated_ratio * (1 - 1e-10)).sum()),
        n_disjoint=None if connected is None else connected.n_disjoint,
    )


def _floors(result: SyntheticControl) -> tuple[float, float]:
    """Return the least error before the start, and after it, that counts in a ratio.

    Without a floor a placebo that is followed exactly before the start would have an infinite ratio.
    """
    series = np.column_stack([result.design.treated_values.T, result.design.donor_values.T])[: result.design.n_pre]
    return error_floor(series), max(rounding_of(result.design), EXACT * result.pre_fit.spread)


@dataclass(frozen=True, slots=True, eq=False)
class PlaceboStatistic:
    """What `placebo_in_space` finds, as a statistic of which areas, by their ids, are taken as treated.

    `treated` and `donors` are ids, the donors in the order of the design.
    """

    result: SyntheticControl
    treated: Row
    donors: tuple[str, ...]

    def __call__(self, rows: Sequence[Row]) -> Floats:
        """Return the mean gap from the start on and the ratio of errors of each row of areas, shape (k, 2)."""
        at = {area: place for place, area in enumerate(self.donors)}
        sets = [[at[one] for one in row] for row in rows if row != self.treated]
        design, (floor, least) = self.result.design, _floors(self.result)
        fits = iter(placebo_fits(design.rows[1], design.n_pre, np.array(sets, dtype=np.int64), self.result.method.fit))
        found = [self.result.fit if row == self.treated else next(fits) for row in rows]
        return np.array([(fit.estimate, _ratio(fit, floor, least)) for fit in found])


def _p_value(treated: float, others: Floats, connected: ConnectedSets | None) -> float:
    least = 0.0 if connected is None else 1 / (1 + connected.n_disjoint)
    return max(rank_p(treated, others), least)


def placebo_in_time(
    result: SyntheticControl, options: PlaceboOptions | None = None, connected: ConnectedSets | None = None
) -> PlaceboInTime | Unavailable:
    """Return the effect of a start put back to two thirds of the way, which can have none.

    It needs five periods before that start, and so six before the true one.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (f"A{i:02}", t, 60 + i * 5 % 12 + t * (i % 4) / 10 + i * t % 7 / 10 + 3 * (i == 5 and t >= 2016))
    ...     for i in range(12) for t in range(2006, 2020)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["area", "year", "share"])
    >>> roles = evalkit.AreaRoles(unit="area", period="year", outcome="share")
    >>> series = evalkit.AreaSeries.from_frame(table, roles)
    >>> design = evalkit.area_design(series, ["A05"], 2016)
    >>> found = evalkit.placebo_in_time(evalkit.synthetic_control(design))
    >>> found.start
    2012
    """
    n_pre = result.design.n_pre
    if n_pre <= FEWEST_PRE:
        return Unavailable(
            f"A start put back needs {FEWEST_PRE} periods before it and one after it; before the true start there "
            f"{'is' if n_pre == 1 else 'are'} {n_pre}."
        )
    start = result.design.periods[max(FEWEST_PRE, 2 * n_pre // 3)]
    earlier = area_result(result.design.before(start), result.method)
    return PlaceboInTime(
        start=start,
        estimate=earlier.estimate,
        pre_rmse=earlier.pre_rmse,
        p_value=placebo_in_space(earlier, options, connected).p_value,
    )


def _placebos(result: SyntheticControl, options: PlaceboOptions, connected: ConnectedSets | None) -> Placebos:
    donors, size = result.design.rows[1], len(result.design.treated)
    if connected is not None:
        fits = placebo_fits(donors, result.design.n_pre, connected.sets, result.method.fit, options.executor)
        return Placebos(sets=connected.sets, fits=fits, is_complete=False)
    if donors.shape[1] < size + FEWEST_DONORS:
        return Placebos(sets=np.empty((0, size), dtype=np.int64), fits=(), is_complete=True)
    random = stream(options.seed, "placebo areas")
    sets, is_complete = placebo_sets(donors.shape[1], size, options.n_draws, random)
    fits = placebo_fits(donors, result.design.n_pre, sets, result.method.fit, options.executor)
    return Placebos(sets=sets, fits=fits, is_complete=is_complete)


def _spread(fits: tuple[AreaFit, ...], estimate: float, least: float) -> Quantity:
    """Return the placebos' standard deviation, or that they do not differ by more than rounding."""
    result = float(np.std([fit.estimate for fit in fits]))
    if result <= max(least, 1e-12 * abs(estimate)):
        return Unavailable("All placebos come out alike, so that there is nothing to estimate an error from.")
    return result


def _ratio(fit: AreaFit, floor: float, least: float) -> float:
    """Return the error after the start over that before it, 0 where it is at most `least`: rounding ranks nothing."""
    return fit.post_rmse / max(fit.pre_rmse, floor) if fit.post_rmse > least else 0.0


def _reason(result: SyntheticControl, n_sets: int) -> Unavailable | None:
    """Return why no p-value is shown, None where there is one."""
    if reason := without_inference(result):
        return reason
    if n_sets < FEWEST_FOR_P:
        size = len(result.design.treated)
        what = "a donor" if size == 1 else f"a set of {size} donors"
        return Unavailable(
            f"The {len(result.design.donors)} donors allow {n_sets} placebos ({what} as if treated, at least "
            f"{FEWEST_DONORS} others to weight); with fewer than {FEWEST_FOR_P} no p-value can be small."
        )
    return None


def _notes(
    result: SyntheticControl, fits: tuple[AreaFit, ...], floor: float, connected: ConnectedSets | None
) -> Iterator[str]:
    n_sets, n_floored = len(fits), sum(fit.pre_rmse < floor for fit in fits)
    if 2 * n_floored > n_sets:
        yield (
            f"{n_floored} of {n_sets} placebos are followed before the start more closely than a tenth of what areas "
            "change by from period to period: for them the ratio rests on the error after the start alone, and a close "
            "fit is no evidence."
        )
    if 1 / (1 + n_sets) > 0.05:
        yield f"With {n_sets} placebos no p-value is below 1/{1 + n_sets}."
    if connected is not None:
        yield (
            f"Placebos are {n_sets:,} sets of donors that border each other, grown at random among "
            f"{connected.n_areas:,} of them. At most {connected.n_disjoint:,} such sets without an area in common were "
            f"found, so that no p-value is below 1/{connected.n_disjoint + 1}, however many are drawn."
        )
    elif len(result.design.treated) > 1:
        yield (
            "Placebos are sets of donors from anywhere. Treated areas that lie together also move together, so that "
            "their mean varies more than that of such a set, and the p-value may be too small."
        )


def _interval(result: SyntheticControl, std_error: Quantity, level: float) -> IntervalOrReason:
    if isinstance(result.estimate, Unavailable):
        return result.estimate
    return Estimate(result.estimate, std_error).interval(level)


# How far the result rests on one donor.


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LeaveOneDonorOut(Shown):
    """The estimate without each donor that carries weight: its range, and the donor without which it moves most."""

    lowest: float
    highest: float
    influential: object
    without_influential: float
    estimates: dict[object, float]


def leave_one_donor_out(result: SyntheticControl) -> LeaveOneDonorOut | Unavailable:
    """Return the estimate without each donor in turn.

    Donors without weight in a synthetic control are passed over: leaving one out changes nothing.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (f"A{i:02}", t, 60 + i * 5 % 12 + t * (i % 4) / 10 + i * t % 7 / 10 + 3 * (i == 5 and t >= 2016))
    ...     for i in range(12) for t in range(2006, 2020)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["area", "year", "share"])
    >>> roles = evalkit.AreaRoles(unit="area", period="year", outcome="share")
    >>> series = evalkit.AreaSeries.from_frame(table, roles)
    >>> design = evalkit.area_design(series, ["A05"], 2016)
    >>> found = evalkit.leave_one_donor_out(evalkit.synthetic_control(design))
    >>> round(found.lowest, 1), round(found.highest, 1)
    (2.9, 3.0)
    """
    if isinstance(result.estimate, Unavailable):
        return result.estimate
    design, (series, donors) = result.design, result.design.rows
    if len(design.donors) <= FEWEST_DONORS:
        return Unavailable(f"With {len(design.donors)} donors none can be left out.")
    estimates = {
        design.donors[at]: result.method.fit(series, np.delete(donors, at, axis=1), design.n_pre).estimate
        for at in np.flatnonzero(np.abs(result.weights) > 1e-9)
    }
    influential = max(estimates, key=lambda donor: abs(estimates[donor] - float(result.fit.estimate)))
    return LeaveOneDonorOut(
        lowest=min(estimates.values()),
        highest=max(estimates.values()),
        influential=influential,
        without_influential=estimates[influential],
        estimates=estimates,
    )
