"""Staggered effects of many relabellings of the same panel at once, from sums by cohort; without covariates.

A relabelling says which units take the places of the treated, and which may be compared with them. Every estimator
without covariates is a function of a few sums over the units of each cohort and over those compared: the panel is
worked through once, and a relabelling costs its treated units and a small system of equations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints

Estimator = Literal["group-time", "imputation", "two-stage", "sun-abraham", "extended", "twfe"]

_CONDITION = 1e-10
"""Systems whose smallest eigenvalue is below this share of the largest determine not every coefficient."""
_ROUNDED = 1e-7
"""A coefficient is determined where the system gives it back but for rounding."""


class PlannedCell(NamedTuple):
    """One comparison by positions: of a cohort, a period and its base, and of the strata compared with."""

    cohort: int
    period: int
    base: int
    compared: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RelabelledPanel:
    """A panel and the comparisons to be made in each of its relabellings.

    Attributes
    ----------
    outcome : shape (n_units, n_periods), NaN where a unit lacks a period
    weight : shape (n_units, n_periods)
    periods : shape (n_periods,)
    cohorts : shape (n_cohorts,), first treated periods
    cells : those of the group-time estimator
    anticipation : periods before the start in which the programme may already act
    is_open : whether units that start later are compared until then
    area : shape (n_units,), code of each unit's area
    is_pool : shape (n_units,), whether a unit may ever be compared: never treated, of no treated area
    centred : shape (n_units, n_periods), outcomes less unit means, then less period means, 0 where missing: neither
        enters any estimator, and without them large levels leave no rounding in differences of sums
    """

    outcome: Floats
    weight: Floats
    periods: Ints
    cohorts: Ints
    cells: tuple[PlannedCell, ...]
    anticipation: int
    is_open: bool
    area: Ints
    is_pool: Bools
    centred: Floats = field(init=False)

    def __post_init__(self) -> None:
        apart = self.outcome - np.nanmean(self.outcome, axis=1, keepdims=True)
        object.__setattr__(self, "centred", np.nan_to_num(apart - np.nanmean(apart, axis=0)))

    def is_after(self, stratum: int) -> Bools:
        """Return in which periods a stratum is treated, shape (n_periods,)."""
        if stratum == len(self.cohorts):
            return np.zeros(len(self.periods), dtype=bool)
        return np.asarray(self.periods >= self.cohorts[stratum])

    def is_exposed(self, stratum: int) -> Bools:
        """Return in which periods a stratum is treated or about to be, shape (n_periods,)."""
        if stratum == len(self.cohorts):
            return np.zeros(len(self.periods), dtype=bool)
        return np.asarray(self.periods >= self.cohorts[stratum] - self.anticipation)

    def serves(self, stratum: int) -> Floats:
        """Return 1 for units on which an effect can rest in a stratum, as in `staggered_design`, shape (n_units,)."""
        is_seen = ~np.isnan(self.outcome)
        if stratum == len(self.cohorts):
            return np.asarray((is_seen.sum(axis=1) > 1).astype(float))
        since = is_seen[:, self.is_after(stratum)].any(axis=1)
        return np.asarray((since & is_seen[:, ~self.is_exposed(stratum)].any(axis=1)).astype(float))

    def base_of(self, stratum: int) -> int:
        """Return the position of the last period before a cohort's start, and before its anticipation."""
        return int(np.flatnonzero(~self.is_exposed(stratum))[-1])


class Relabellings(NamedTuple):
    """Which units are treated, and whose areas nobody is compared with.

    chosen : shape (n_relabellings, n_columns), positions of units, −1 for nobody
    cohort : shape (n_columns,), the cohort that stands in each column, by position
    taken : shape (n_relabellings, n_areas), codes of areas whose other units are not compared
    own, compared : shape (n_relabellings, n_columns) and (n_relabellings, n_units), what each chosen unit and each unit
        compared with it weighs beside its own weight, as where a matching is made again for each; None where all count
    """

    chosen: Ints
    cohort: Ints
    taken: Ints
    own: Floats | None = None
    compared: Floats | None = None


class RelabelledCells(NamedTuple):
    """Effects of cohorts in periods under each relabelling.

    value, weight : shape (n_relabellings, n_cells); value is NaN where a cell has none
    cohort, period : shape (n_cells,), positions
    is_base : shape (n_cells,), cells that are zero by definition
    """

    value: Floats
    weight: Floats
    cohort: Ints
    period: Ints
    is_base: Bools


def relabelled_cells(panel: RelabelledPanel, relabellings: Relabellings, estimator: Estimator) -> RelabelledCells:
    """Return the effects of every cohort and period under each relabelling, by any estimator but "twfe".

    Equal to rerunning the estimator on the relabelled panel.
    """
    if estimator == "group-time":
        return _group_time(panel, relabellings)
    if estimator in ("imputation", "two-stage"):
        return _imputed(panel, relabellings, has_leads=estimator == "two-stage")
    return _saturated(panel, relabellings, has_leads=not (estimator == "extended" and panel.is_open))


def relabelled_overall(panel: RelabelledPanel, relabellings: Relabellings, estimator: Estimator) -> Floats:
    """Return the overall effect under each relabelling, shape (n_relabellings,); NaN where there is none."""
    if estimator == "twfe":
        return _two_way(panel, relabellings)
    cells = relabelled_cells(panel, relabellings, estimator)
    return averaged(cells, panel.periods[cells.period] >= panel.cohorts[cells.cohort])


def averaged(cells: RelabelledCells, belongs: Bools, within: Floats | None = None) -> Floats:
    """Return the average of the cells that belong, by their weights, shape (n_relabellings,).

    A base is zero by definition and enters only where nothing else does. `within`, shape (n_relabellings, n_cells),
    multiplies the weights. The rules are those of `overall_effect` and the other summaries.
    """
    chosen = belongs & ~cells.is_base if (belongs & ~cells.is_base).any() else belongs
    value, weight = cells.value[:, chosen], cells.weight[:, chosen]
    weight = np.where(np.isnan(value), 0.0, weight if within is None else weight * within[:, chosen])
    total = weight.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.asarray((weight * np.nan_to_num(value)).sum(axis=1) / total)
    return np.where(total > 0, mean, np.nan)


def averaged_by_cohort(cells: RelabelledCells, belongs: Bools) -> Floats:
    """Return the average of the cohorts' mean effects, by size of cohort, shape (n_relabellings,)."""
    is_known = belongs & ~np.isnan(cells.value)
    within = np.ones(cells.value.shape)
    for cohort in np.unique(cells.cohort):
        own = cells.cohort == cohort
        within[:, own] = 1 / np.maximum(is_known[:, own].sum(axis=1, keepdims=True), 1)
    return averaged(cells, belongs, within)


def mean_of_known(columns: Floats) -> Floats:
    """Return the plain mean over columns that are known, shape (n_relabellings,); NaN where none is."""
    n = (~np.isnan(columns)).sum(axis=1)
    return np.where(n > 0, np.nansum(columns, axis=1) / np.maximum(n, 1), np.nan)


def summed_by_stratum(panel: RelabelledPanel, relabellings: Relabellings, stratum: int, parts: Floats) -> Floats:
    """Return sums of `parts`, shape (n_units, k), over the units of a stratum, shape (n_relabellings, k).

    The last stratum holds the pool less the areas taken.
    """
    from scipy import sparse

    n = len(relabellings.chosen)
    served = parts * panel.serves(stratum)[:, None]
    if stratum == len(panel.cohorts) and relabellings.compared is not None:
        return np.asarray(relabellings.compared @ served)
    if stratum == len(panel.cohorts):
        pooled = served * panel.is_pool[:, None]
        codes, place = np.unique(panel.area, return_inverse=True)
        of_area = sparse.csr_array((np.ones(len(place)), (place, np.arange(len(place)))))
        by_area = np.asarray(of_area @ pooled)
        taken = by_area[np.searchsorted(codes, relabellings.taken)]
        without: Floats = by_area.sum(axis=0) - taken.sum(axis=1)
        return without
    stands_here = relabellings.cohort == stratum
    chosen = relabellings.chosen[:, stands_here]
    counts = (chosen >= 0).astype(float)
    if relabellings.own is not None:
        counts = counts * relabellings.own[:, stands_here]
    ends = np.arange(n + 1) * chosen.shape[1]
    who = sparse.csr_array((counts.ravel(), np.maximum(chosen, 0).ravel(), ends), shape=(n, len(parts)))
    return np.asarray(who @ served)


# Group-time effects: mean changes of a cohort less those of the units compared.


def _group_time(panel: RelabelledPanel, relabellings: Relabellings) -> RelabelledCells:
    pairs = sorted({(cell.period, cell.base) for cell in panel.cells})
    later, base = (np.array(side) for side in zip(*pairs, strict=True))
    change = panel.centred[:, later] - panel.centred[:, base]
    is_seen = ~np.isnan(panel.outcome[:, later]) & ~np.isnan(panel.outcome[:, base])
    weight = np.where(is_seen, panel.weight[:, base], 0.0)
    first = np.argmax(~np.isnan(panel.outcome), axis=1)
    own = panel.weight[np.arange(len(first)), first]
    parts = np.column_stack([weight * change, weight, own])
    sums = [summed_by_stratum(panel, relabellings, s, parts) for s in range(len(panel.cohorts) + 1)]
    values = [_mean_change(sums, cell, pairs) for cell in panel.cells]
    is_base = np.array([cell.period == cell.base for cell in panel.cells])
    cohort = np.array([cell.cohort for cell in panel.cells])
    size = np.column_stack([sums[s][:, -1] for s in cohort])
    return RelabelledCells(
        np.column_stack(values), size, cohort, np.array([cell.period for cell in panel.cells]), is_base
    )


def _mean_change(sums: list[Floats], cell: PlannedCell, pairs: list[tuple[int, int]]) -> Floats:
    """Return a cohort's mean change less that of the strata compared; 0 for a base, NaN where an arm is empty."""
    if cell.period == cell.base:
        return np.zeros(len(sums[0]))
    if not cell.compared:
        return np.full(len(sums[0]), np.nan)
    at, n = pairs.index((cell.period, cell.base)), len(pairs)
    compared = np.sum([sums[s] for s in cell.compared], axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        own, other = (
            np.where(arm[:, n + at] > 0, arm[:, at] / arm[:, n + at], np.nan) for arm in (sums[cell.cohort], compared)
        )
    return np.asarray(own - other)


# Regressions with unit and period effects: their normal equations are sums over units too.


class _Within(NamedTuple):
    """Sums by stratum of what is left once unit effects are out: products (n, T, T) of weights, outcomes (n, T)."""

    product: Floats
    outcome: Floats
    weight: Floats


def _within(panel: RelabelledPanel, relabellings: Relabellings, stratum: int, is_used: Bools) -> _Within:
    """Return the sums of a stratum over the rows of the periods used.

    With w the weights of a unit's rows used, its projection is M = diag(w) − ww'/Σw, and unit effects leave M of any
    regressor that is the same for all units of the stratum, and M y of the outcome.
    """
    n_periods = len(panel.periods)
    weight = np.where(~np.isnan(panel.outcome) & is_used, panel.weight, 0.0)
    total = weight.sum(axis=1, keepdims=True)
    share = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    product = weight[:, :, None] * (np.eye(n_periods) - share[:, None, :])
    outcome = weight * (panel.centred - (share * panel.centred).sum(axis=1, keepdims=True))
    parts = np.column_stack([product.reshape(len(weight), -1), outcome, weight])
    sums = summed_by_stratum(panel, relabellings, stratum, parts)
    cut = n_periods**2
    return _Within(
        sums[:, :cut].reshape(-1, n_periods, n_periods), sums[:, cut : cut + n_periods], sums[:, cut + n_periods :]
    )


def _solved(strata: list[_Within], regressors: list[Floats]) -> Floats:
    """Return the coefficients of regressors (T, p) by stratum, shape (n, p); NaN where they are not determined."""
    normal = sum(z.T @ within.product @ z for within, z in zip(strata, regressors, strict=True))
    aim = sum(within.outcome @ z for within, z in zip(strata, regressors, strict=True))
    normal, aim = np.asarray(normal), np.asarray(aim)
    size = np.sqrt(np.maximum(np.einsum("npp->np", normal), 0.0))
    size = np.where(size > 0, size, 1.0)
    scaled = normal / (size[:, :, None] * size[:, None, :])
    found = np.full(aim.shape, np.nan)
    sizes = np.linalg.eigvalsh(scaled)
    is_regular = sizes[:, 0] > _CONDITION * sizes[:, -1]
    found[is_regular] = np.linalg.solve(scaled[is_regular], (aim / size)[is_regular][:, :, None])[:, :, 0]
    for at in np.flatnonzero(~is_regular):
        found[at] = _determined(scaled[at], (aim / size)[at])
    return np.asarray(found / size)


def _determined(normal: Floats, aim: Floats) -> Floats:
    """Return the coefficients that a singular system determines, NaN for the others."""
    inverse = np.linalg.pinv(normal, rcond=_CONDITION, hermitian=True)
    is_determined = np.abs(inverse @ normal - np.eye(len(normal))).max(axis=1) < _ROUNDED
    return np.asarray(np.where(is_determined, inverse @ aim, np.nan))


def _period_columns(n_periods: int) -> Floats:
    return np.asarray(np.eye(n_periods)[:, 1:])


def _saturated(panel: RelabelledPanel, relabellings: Relabellings, has_leads: bool) -> RelabelledCells:
    """Return coefficients of cohort × period: of every period but the base, or of those since the start alone."""
    n_cohorts, n_periods = len(panel.cohorts), len(panel.periods)
    every = [
        (s, t, has_leads and t == panel.base_of(s))
        for s in range(n_cohorts)
        for t in range(n_periods)
        if has_leads or panel.is_exposed(s)[t]
    ]
    estimated = [(s, t) for s, t, is_base in every if not is_base]
    regressors = []
    for stratum in range(n_cohorts + 1):
        own = np.zeros((n_periods, len(estimated)))
        for column, (s, t) in enumerate(estimated):
            own[t, column] = float(s == stratum)
        regressors.append(np.hstack([_period_columns(n_periods), own]))
    is_used = np.ones(n_periods, dtype=bool)
    strata = [_within(panel, relabellings, s, is_used) for s in range(n_cohorts + 1)]
    found = _solved(strata, regressors)[:, n_periods - 1 :]
    value = np.column_stack([np.zeros(len(found)) if b else found[:, estimated.index((s, t))] for s, t, b in every])
    weight = np.column_stack([strata[s].weight[:, t] for s, t, _ in every])
    cohort, period, is_base = (np.array(column) for column in zip(*every, strict=True))
    return RelabelledCells(value, weight, cohort, period, is_base.astype(bool))


def _two_way(panel: RelabelledPanel, relabellings: Relabellings) -> Floats:
    """Return the coefficient of treated × after with unit and period effects, shape (n_relabellings,)."""
    n_strata, n_periods = len(panel.cohorts) + 1, len(panel.periods)
    is_used = np.ones(n_periods, dtype=bool)
    strata = [_within(panel, relabellings, s, is_used) for s in range(n_strata)]
    treated = [panel.is_after(s).astype(float)[:, None] for s in range(n_strata)]
    return np.asarray(_solved(strata, [np.hstack([_period_columns(n_periods), column]) for column in treated])[:, -1])


def _imputed(panel: RelabelledPanel, relabellings: Relabellings, has_leads: bool) -> RelabelledCells:
    """Return mean outcomes less what untreated rows predict, by cohort and period since the start, or by every one."""
    n_cohorts, n_periods = len(panel.cohorts), len(panel.periods)
    strata = [_within(panel, relabellings, s, ~panel.is_exposed(s)) for s in range(n_cohorts + 1)]
    effects = _solved(strata, [_period_columns(n_periods)] * (n_cohorts + 1))
    effects = np.column_stack([np.zeros(len(effects)), effects])
    value, weight, places = [], [], []
    for stratum in range(n_cohorts):
        own, seen = _unpredicted(panel, relabellings, stratum, effects)
        at = np.flatnonzero(panel.is_exposed(stratum) | has_leads)
        value.append(own[:, at])
        weight.append(seen[:, at])
        places += [(stratum, int(t)) for t in at]
    cohort, period = (np.array(column) for column in zip(*places, strict=True))
    is_base = np.zeros(len(places), dtype=bool)
    return RelabelledCells(np.hstack(value), np.hstack(weight), cohort, period, is_base)


def _unpredicted(
    panel: RelabelledPanel, relabellings: Relabellings, stratum: int, effects: Floats
) -> tuple[Floats, Floats]:
    """Return a cohort's mean of y − α − γ in each period, and the weight it rests on, each (n_relabellings, T)."""
    n_periods = len(panel.periods)
    is_seen = ~np.isnan(panel.outcome)
    seen = np.where(is_seen, panel.weight, 0.0)
    before = np.where(~panel.is_exposed(stratum), seen, 0.0)
    total = before.sum(axis=1, keepdims=True)
    share = np.divide(before, total, out=np.zeros_like(before), where=total > 0)
    apart = seen * (panel.centred - (share * panel.centred).sum(axis=1, keepdims=True))
    of_effects = seen[:, :, None] * (np.eye(n_periods) - share[:, None, :])
    parts = np.column_stack([apart, seen, of_effects.reshape(len(seen), -1)])
    sums = summed_by_stratum(panel, relabellings, stratum, parts)
    own, weight = sums[:, :n_periods], sums[:, n_periods : 2 * n_periods]
    predicted = sums[:, 2 * n_periods :].reshape(-1, n_periods, n_periods) @ effects[:, :, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(weight > 0, (own - predicted[:, :, 0]) / weight, np.nan)
    return mean, weight
