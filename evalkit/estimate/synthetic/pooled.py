"""Several treated areas with starts of their own: partially pooled weights, and donors that take their starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import in_pieces, stream
from evalkit.core.errors import DesignError
from evalkit.core.formats import visible
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.design.panel.area_starts import AreaStarts
from evalkit.estimate.areas.places import Row
from evalkit.estimate.synthetic.placebos import LeaveOneDonorOut, PlaceboOptions
from evalkit.estimate.synthetic.pooled_arrays import PooledFit, fit_pooled
from evalkit.estimate.synthetic.result import FEWEST_DONORS, POOR_FIT, too_few_before
from evalkit.estimate.synthetic.study import AmongGaps, among_gaps
from evalkit.estimate.synthetic.weights_arrays import CHUNK, error_floor, rank_p, root_mean_square

LEAST_SETS: Final = 7
"""Sets of as many donors as are treated, without a donor in common, without which no p-value is shown."""


_NOT_FOLLOWED: Final = Unavailable(
    "Its own weights do not follow it before the start: they are there for the mean of the areas."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaGap:
    """One treated area: its start, its mean gap from then on, and its error before over the donors' spread.

    The gap is unavailable where that error is large: the area's own weights do not follow it.
    """

    area: object
    start: int
    estimate: Quantity
    pre_ratio: float
    weights: dict[object, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeGap:
    """One time since the start: the mean gap over the areas that have it, and how many these are."""

    event_time: int
    gap: Quantity
    n_areas: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PooledControl(Shown):
    """The effect on several areas with starts of their own, each with weights that also fit their mean.

    Attributes
    ----------
    design : AreaStarts
    fit : PooledFit, the numbers behind it
    estimate : mean over areas and over the times from the start on that all areas have
    over_all : mean over all years of all areas from their starts on
    spread : standard deviation of the donors' outcomes (root mean square over periods)
    pre_ratio : error of the areas before their starts (root mean square) over that
    alone_ratio, mean_ratio : the same with weights that follow each area by itself, and of the areas' mean
    by_area, by_event_time : the same by area, and by time since the start
    notes : what a reader must know of the result
    """

    design: AreaStarts
    fit: PooledFit
    estimate: Quantity
    over_all: Quantity
    spread: float
    pre_ratio: float
    alone_ratio: float
    mean_ratio: float
    by_area: tuple[AreaGap, ...]
    by_event_time: tuple[TimeGap, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PooledPlacebos(Shown):
    """The treated areas among sets of donors that were given their starts in random order.

    `p_value` is the share of all, the treated ones included, whose error after the start over that before it is at
    least as large; `among` ranks mean gaps. `ratios`, `estimates` and `gaps` are of the sets, shape (n_sets, …);
    `n_leads` times of the gaps lie after the start, and `floor` is the least error before it that counts in a ratio.
    """

    p_value: Quantity
    ratio: Quantity
    among: AmongGaps
    ratios: Floats
    estimates: Floats
    gaps: Floats
    n_leads: int
    floor: float

    @property
    def n_floored(self) -> int:
        """Return how many sets are followed before the start more closely than the floor."""
        n_lags = self.gaps.shape[1] - self.n_leads
        return int((np.sqrt((self.gaps[:, :n_lags] ** 2).mean(axis=1)) < self.floor).sum())


def pooled_control(design: AreaStarts, nu: float | None = None) -> PooledControl:
    """Return the mean gap by time since the start, by partially pooled weights.

    Ben-Michael, Feller and Rothstein (2022). Each treated area has weights of its own over donors that never start.
    What is minimised is a mean, by `nu`, of how far their average is missed before the start and how far each is;
    without `nu` the data choose it.
    """
    if len(design.donors) < FEWEST_DONORS:
        raise DesignError(
            f"There is one donor, '{design.donors[0]}': weights need at least {FEWEST_DONORS}. Add areas without the "
            "programme."
        )
    if nu is not None and not 0 <= nu <= 1:
        raise DesignError(f"How much the fit of the mean counts lies between 0 and 1, not at {nu:g}.")
    fit = fit_pooled(design.treated_values, design.donor_values.T, design.n_pre, nu=nu)
    spread = root_mean_square(design.donor_values[:, : int(design.n_pre.max())].std(axis=0, ddof=1))
    together, alone, mean = (
        error / spread if spread > 0 else 0.0 for error in (fit.q_separate, fit.q_alone, fit.q_pooled)
    )
    hidden = None if max(alone, mean) <= POOR_FIT else _poor(max(alone, mean))
    return PooledControl(
        design=design,
        fit=fit,
        estimate=hidden or fit.estimate,
        over_all=hidden or float(np.mean([gap for _, gap in _after(fit)])),
        spread=spread,
        pre_ratio=together,
        alone_ratio=alone,
        mean_ratio=mean,
        by_area=tuple(_by_area(design, fit, spread)),
        by_event_time=tuple(_by_event_time(fit, hidden)),
        notes=(*design.notes, *_notes(fit, nu)),
    )


def _poor(ratio: float) -> Unavailable:
    return Unavailable(
        f"The synthetic series miss the treated ones before their starts by {ratio:.2f} standard deviations of the "
        f"donors' outcomes (root mean square), more than the {POOR_FIT:g} up to which an estimate is shown: no "
        "averages of these donors are like them. Add donors that are nearer."
    )


def _after(fit: PooledFit) -> list[tuple[int, float]]:
    """Return time since the start and gap of every treated area and period from its start on."""
    return [
        (at - n_pre, float(gap))
        for gaps, n_pre in zip(fit.gaps, fit.n_pre.tolist(), strict=True)
        for at, gap in enumerate(gaps)
        if at >= n_pre
    ]


def _by_area(design: AreaStarts, fit: PooledFit, spread: float) -> list[AreaGap]:
    rows = zip(design.treated, design.starts, fit.gaps, fit.n_pre.tolist(), fit.weights, strict=True)
    found = []
    for area, start, gaps, n_pre, weights in rows:
        ratio = root_mean_square(gaps[n_pre - fit.n_lags : n_pre]) / spread if spread > 0 else 0.0
        own = float(gaps[n_pre:].mean()) if ratio <= POOR_FIT else _NOT_FOLLOWED
        known = dict(zip(design.donors, weights.tolist(), strict=True))
        found.append(AreaGap(area=area, start=start, estimate=own, pre_ratio=ratio, weights=known))
    return found


def _by_event_time(fit: PooledFit, hidden: Unavailable | None) -> list[TimeGap]:
    n_periods = fit.gaps.shape[1]
    rows = []
    for time in range(-fit.n_lags, n_periods - int(fit.n_pre.min())):
        at = fit.n_pre + time
        seen = at < n_periods
        gap = float(fit.gaps[seen, at[seen]].mean())
        rows.append(TimeGap(event_time=time, gap=hidden if hidden and time >= 0 else gap, n_areas=int(seen.sum())))
    return rows


def _notes(fit: PooledFit, nu: float | None) -> list[str]:
    how = "as the project asks" if nu is not None else "the ratio of the two at ν = 0"
    return [
        f"The fit of the mean counts ν = {fit.nu:.2f} ({how}) and those of the areas {1 - fit.nu:.2f}: before the "
        f"starts the mean is missed by {visible(fit.q_pooled)} and the areas by {visible(fit.q_separate)} (root mean "
        "square)."
    ]


# Donors that take the starts of the treated areas.


def pooled_placebos(result: PooledControl, options: PlaceboOptions, nu: float | None = None) -> PooledPlacebos:
    """Return the treated areas' rank among sets of donors drawn at random, which get their starts in random order.

    Those of a set are no donors of each other, and areas truly treated are donors of none. `nu` is that of the result:
    where the data chose it, each set's own data choose again.
    """
    design = result.design
    n_treated, n_donors = len(design.treated), len(design.donors)
    reason = why_no_inference(result)
    random = stream(options.seed, "placebo starts")
    n_sets = options.n_draws if n_donors >= n_treated + FEWEST_DONORS else 0
    sets = np.array([random.choice(n_donors, n_treated, replace=False) for _ in range(n_sets)], dtype=np.int64)
    fits = in_pieces(options.executor, partial(_fits, design, nu), sets, CHUNK) if n_sets else []
    floor = _floor(design)
    ratios = np.array([_ratio(fit, floor) for fit in fits])
    estimates = np.array([fit.estimate for fit in fits])
    own, n_areas = _ratio(result.fit, floor), n_treated + n_donors
    among = reason or among_gaps(result.fit.estimate, estimates, options.level)
    return PooledPlacebos(
        # a p-value from draws is never below one over the number of areas that could have been treated
        p_value=reason or max(rank_p(own, ratios), 1 / n_areas),
        ratio=reason or own,
        among=AmongGaps.unavailable(among, n_areas) if isinstance(among, Unavailable) else among,
        ratios=ratios,
        estimates=estimates,
        gaps=np.array([fit.gap for fit in fits]).reshape(len(fits), result.fit.n_lags + result.fit.n_leads),
        n_leads=result.fit.n_leads,
        floor=floor,
    )


def _fits(design: AreaStarts, nu: float | None, sets: Ints) -> list[PooledFit]:
    values = design.donor_values
    return [fit_pooled(values[chosen], np.delete(values, chosen, axis=0).T, design.n_pre, nu=nu) for chosen in sets]


def _ratio(fit: PooledFit, floor: float) -> float:
    return fit.post_rmse / max(fit.pre_rmse, floor)


def _floor(design: AreaStarts) -> float:
    """Return the least error before the starts that counts in a ratio."""
    return error_floor(np.vstack([design.treated_values, design.donor_values]).T[: design.n_lags])


@dataclass(frozen=True, slots=True, eq=False)
class PooledStatistic:
    """What `pooled_placebos` finds, as a statistic of which areas, by their ids, take the treated ones' starts.

    `treated` and `donors` are ids in the order of the design; `nu` is that of the result.
    """

    result: PooledControl
    treated: Row
    donors: tuple[str, ...]
    nu: float | None = None

    def __call__(self, rows: Sequence[Row]) -> Floats:
        """Return the mean gap from the start on and the ratio of errors of each row of areas, shape (k, 2)."""
        at = {area: place for place, area in enumerate(self.donors)}
        sets = [[at[one] for one in row] for row in rows if row != self.treated]
        fits = iter(_fits(self.result.design, self.nu, np.array(sets, dtype=np.int64)))
        floor = _floor(self.result.design)
        found = [self.result.fit if row == self.treated else next(fits) for row in rows]
        return np.array([(fit.estimate, _ratio(fit, floor)) for fit in found])


def why_no_inference(result: PooledControl) -> Unavailable | None:
    """Return why nothing is inferred, None where something may be."""
    if isinstance(result.estimate, Unavailable):
        return result.estimate
    design = result.design
    if reason := too_few_before(design.n_lags):
        return reason
    n_disjoint = len(design.donors) // len(design.treated)
    if n_disjoint < LEAST_SETS:
        return Unavailable(
            f"{len(design.donors)} donors are {n_disjoint} sets of {len(design.treated)} without a donor in common; "
            f"with fewer than {LEAST_SETS} no set drawn from them says how unusual the treated areas are."
        )
    return None


def pooled_without_donors(result: PooledControl, nu: float | None = None) -> LeaveOneDonorOut | Unavailable:
    """Return the effect without each donor that carries weight in any area's average."""
    if isinstance(result.estimate, Unavailable):
        return result.estimate
    design = result.design
    if len(design.donors) <= FEWEST_DONORS:
        return Unavailable(f"With {len(design.donors)} donors none can be left out.")
    estimates = {}
    for at in np.flatnonzero((result.fit.weights > 1e-6).any(axis=0)).tolist():
        donors = np.delete(design.donor_values, at, axis=0)
        estimates[design.donors[at]] = fit_pooled(design.treated_values, donors.T, design.n_pre, nu=nu).estimate
    influential = max(estimates, key=lambda donor: abs(estimates[donor] - float(result.fit.estimate)))
    return LeaveOneDonorOut(
        lowest=min(estimates.values()),
        highest=max(estimates.values()),
        influential=influential,
        without_influential=estimates[influential],
        estimates=estimates,
    )


def pooled_without_areas(result: PooledControl, nu: float | None = None) -> dict[object, float]:
    """Return the effect without each treated area, its weights found anew for those that are left."""
    design = result.design
    found = {}
    for at, area in enumerate(design.treated):
        rest = replace(
            design,
            treated=design.treated[:at] + design.treated[at + 1 :],
            starts=design.starts[:at] + design.starts[at + 1 :],
            treated_values=np.delete(design.treated_values, at, axis=0),
        )
        found[area] = fit_pooled(rest.treated_values, rest.donor_values.T, rest.n_pre, nu=nu).estimate
    return found
