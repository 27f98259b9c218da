"""Placebo in space and in time, and how far the result rests on one donor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL, SEED, SERIAL, Executor, require_draws, require_level, require_seed, stream
from evalkit.core.quantities import Estimate, IntervalOrReason, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.estimate.synthetic.placebos_arrays import Placebos, error_floor, placebo_fits, placebo_sets, rank_p
from evalkit.estimate.synthetic.result import (
    EXACT,
    FEWEST_DONORS,
    FEWEST_PRE,
    SyntheticControl,
    area_result,
    rounding_of,
    without_inference,
)
from evalkit.estimate.synthetic.weights_arrays import AreaFit

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PlaceboInTime(Shown):
    """The gap between a start that was not one and the true one, periods from the true start on left out."""

    start: int
    estimate: Quantity
    pre_rmse: float
    p_value: Quantity


def placebo_in_space(found: SyntheticControl, options: PlaceboOptions | None = None) -> PlaceboInSpace:
    """Return the treated areas' rank among donors as if treated (Abadie, Diamond and Hainmueller, 2010).

    A donor that is followed badly before the start has a small ratio for it, and is left in. Of several treated areas
    the placebos are sets of as many donors. Areas truly treated serve as donor in no placebo.
    """
    options = options or PlaceboOptions()
    placebos = _placebos(found, options)
    before = found.design.n_pre
    series = np.column_stack([found.design.treated_values.T, found.design.donor_values.T])[:before]
    floor, least = error_floor(series), max(rounding_of(found.design), EXACT * found.pre_fit.spread)
    ratios = np.array([_ratio(fit, floor, least) for fit in placebos.fits])
    reason = _reason(found, len(ratios))
    own = _ratio(found.fit, floor, least)
    std_error = reason or _spread(placebos.fits, found.fit.estimate, least)
    donors = found.design.donors
    return PlaceboInSpace(
        p_value=reason or rank_p(own, ratios),
        ratio=reason or own,
        ratios=ratios,
        floor=floor,
        n_floored=int(sum(fit.pre_rmse < floor for fit in placebos.fits)),
        std_error=std_error,
        interval=_interval(found, std_error, options.level),
        areas=tuple(tuple(donors[at] for at in chosen) for chosen in placebos.sets),
        gaps=np.array([fit.gap for fit in placebos.fits]).reshape(len(ratios), len(found.design.periods)),
        pre_rmse=np.array([fit.pre_rmse for fit in placebos.fits]),
        is_complete=placebos.is_complete,
        notes=() if reason else tuple(_notes(found, placebos.fits, floor)),
    )


def placebo_in_time(found: SyntheticControl, options: PlaceboOptions | None = None) -> PlaceboInTime | Unavailable:
    """Return the effect of a start put back to two thirds of the way, which can have none.

    It needs five periods before that start, and so six before the true one.
    """
    n_pre = found.design.n_pre
    if n_pre <= FEWEST_PRE:
        return Unavailable(
            f"A start put back needs {FEWEST_PRE} periods before it and one after it; before the true start there "
            f"{'is' if n_pre == 1 else 'are'} {n_pre}."
        )
    start = found.design.periods[max(FEWEST_PRE, 2 * n_pre // 3)]
    earlier = area_result(found.design.before(start), found.method)
    return PlaceboInTime(
        start=start,
        estimate=earlier.estimate,
        pre_rmse=earlier.pre_rmse,
        p_value=placebo_in_space(earlier, options).p_value,
    )


def _placebos(found: SyntheticControl, options: PlaceboOptions) -> Placebos:
    donors, size = found.design.donor_values.T, len(found.design.treated)
    if donors.shape[1] < size + FEWEST_DONORS:
        return Placebos(sets=np.empty((0, size), dtype=np.int64), fits=(), is_complete=True)
    random = stream(options.seed, "placebo areas")
    sets, is_complete = placebo_sets(donors.shape[1], size, options.n_draws, random)
    fits = placebo_fits(donors, found.design.n_pre, sets, found.method.fit, options.executor)
    return Placebos(sets=sets, fits=fits, is_complete=is_complete)


def _spread(fits: tuple[AreaFit, ...], estimate: float, least: float) -> Quantity:
    """Return the placebos' standard deviation, or that they do not differ by more than rounding."""
    found = float(np.std([fit.estimate for fit in fits]))
    if found <= max(least, 1e-12 * abs(estimate)):
        return Unavailable("All placebos come out alike, so that there is nothing to estimate an error from.")
    return found


def _ratio(fit: AreaFit, floor: float, least: float) -> float:
    """Return the error after the start over that before it, 0 where it is at most `least`: rounding ranks nothing."""
    return fit.post_rmse / max(fit.pre_rmse, floor) if fit.post_rmse > least else 0.0


def _reason(found: SyntheticControl, n_sets: int) -> Unavailable | None:
    """Return why no p-value is shown, None where there is one."""
    if reason := without_inference(found):
        return reason
    if n_sets < FEWEST_FOR_P:
        size = len(found.design.treated)
        what = "a donor" if size == 1 else f"a set of {size} donors"
        return Unavailable(
            f"The {len(found.design.donors)} donors allow {n_sets} placebos ({what} as if treated, at least "
            f"{FEWEST_DONORS} others to weight); with fewer than {FEWEST_FOR_P} no p-value can be small."
        )
    return None


def _notes(found: SyntheticControl, fits: tuple[AreaFit, ...], floor: float) -> Iterator[str]:
    n_sets, n_floored = len(fits), sum(fit.pre_rmse < floor for fit in fits)
    if 2 * n_floored > n_sets:
        yield (
            f"{n_floored} of {n_sets} placebos are followed before the start more closely than a tenth of what areas "
            "change by from period to period: for them the ratio rests on the error after the start alone, and a close "
            "fit is no evidence."
        )
    if 1 / (1 + n_sets) > 0.05:
        yield f"With {n_sets} placebos no p-value is below 1/{1 + n_sets}."
    if len(found.design.treated) > 1:
        yield (
            "Placebos are sets of donors from anywhere. Treated areas that lie together also move together, so that "
            "their mean varies more than that of such a set, and the p-value may be too small."
        )


def _interval(found: SyntheticControl, std_error: Quantity, level: float) -> IntervalOrReason:
    if isinstance(found.estimate, Unavailable):
        return found.estimate
    return Estimate(found.estimate, std_error).interval(level)


# How far the result rests on one donor.


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LeaveOneDonorOut(Shown):
    """The estimate without each donor that carries weight: its range, and the donor without which it moves most."""

    lowest: float
    highest: float
    influential: object
    without_influential: float
    estimates: dict[object, float]


def leave_one_donor_out(found: SyntheticControl) -> LeaveOneDonorOut | Unavailable:
    """Return the estimate without each donor in turn.

    Donors without weight in a synthetic control are passed over: leaving one out changes nothing.
    """
    if isinstance(found.estimate, Unavailable):
        return found.estimate
    design, donors = found.design, found.design.donor_values.T
    if len(design.donors) <= FEWEST_DONORS:
        return Unavailable(f"With {len(design.donors)} donors none can be left out.")
    estimates = {
        design.donors[at]: found.method.fit(design.series, np.delete(donors, at, axis=1), design.n_pre).estimate
        for at in np.flatnonzero(np.abs(found.weights) > 1e-9)
    }
    influential = max(estimates, key=lambda donor: abs(estimates[donor] - float(found.fit.estimate)))
    return LeaveOneDonorOut(
        lowest=min(estimates.values()),
        highest=max(estimates.values()),
        influential=influential,
        without_influential=estimates[influential],
        estimates=estimates,
    )
