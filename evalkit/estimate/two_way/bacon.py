"""The Goodman-Bacon decomposition: which comparisons a two-way effect is an average of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.core.words import listed
from evalkit.data.panel import Panel
from evalkit.estimate.two_way.panel_rows import PanelRows, require_contrast
from evalkit.estimate.two_way.two_way_arrays import Pair, controlled_pairs, plain_pairs

Kind = Literal[
    "treated against never treated",
    "earlier against later, before the later start",
    "later against earlier, already treated",
    "later against always treated",
    "both treated",
    "always against never treated, through covariates",
]

NEVER = "never treated"
ALWAYS = "always treated"
NO_WEIGHT = Unavailable("Comparisons of this kind have no weight in the two-way effect, so they have no mean.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BaconPair:
    """One two-by-two comparison: the cohort whose treatment changes, what it is compared with, weight and estimate.

    `treated` is a first treated period; `compared` is another, or says never or always treated. Cohorts that are
    first seen treated in the same period of the table are one: they are named together ("2020 and 2021").
    """

    treated: int | str
    compared: int | str
    kind: Kind
    weight: float
    estimate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BaconTotal:
    """All comparisons of a kind: their share of the weight, and their weighted mean, unavailable without weight."""

    kind: Kind
    weight: float
    estimate: Quantity


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BaconDecomposition(Shown):
    """A two-way effect as a weighted mean of two-by-two comparisons.

    Attributes
    ----------
    pairs : tuple of BaconPair
        Weights sum to 1.
    totals : tuple of BaconTotal, by kind
    estimate : float
        The two-way effect: Σ weight × estimate, where covariates were given times 1 − within_share, plus
        within_share × within_estimate.
    within_share, within_estimate : float
        The share of identifying variation that covariates make inside cohorts, and the coefficient it gives alone;
        both 0 where there are no covariates.
    """

    pairs: tuple[BaconPair, ...]
    totals: tuple[BaconTotal, ...]
    estimate: float
    within_share: float = 0.0
    within_estimate: float = 0.0


def bacon_decomposition(panel: Panel) -> BaconDecomposition:
    """Return the decomposition of a balanced panel's two-way effect (Goodman-Bacon, 2021).

    Weights of rows must not change over time within a unit. With covariates the comparisons of cohorts are of the
    part of treatment that covariates do not predict, and pairs are not split by which cohort starts first.
    Cohorts that start inside one gap of the periods (2020 and 2021, where no results exist before 2022) are one
    timing group, as nothing in the table tells them apart.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 6 and t >= 3), 3 if i < 6 else None)
    ...     for i in range(18) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> parts = evalkit.bacon_decomposition(panel)
    >>> [(total.kind, round(total.weight, 2), round(total.estimate, 2)) for total in parts.totals if total.weight]
    [('treated against never treated', 1.0, 0.98)]
    """
    rows = PanelRows.of(panel)
    require_contrast(rows)
    _require_balance(panel, rows)
    shape = (-1, len(rows.periods))
    first, last = rows.periods[0], rows.periods[-1]
    start = rows.cohort.reshape(shape)[:, 0]
    start = np.where(start > last, np.inf, np.where(start <= first, -np.inf, start))
    cohorts, which = np.unique(_first_seen(start, rows.periods), return_inverse=True)
    names = _names(cohorts, which, start)
    share = np.bincount(which, rows.weight.reshape(shape)[:, 0]) / rows.weight.reshape(shape)[:, 0].sum()
    if not rows.covariate_names:
        means = _cohort_means(rows.outcome, rows, which)
        pairs = plain_pairs(cohorts, share, means, np.asarray(rows.periods, dtype=float))
        return _decomposed(cohorts, names, pairs)
    return _with_covariates(rows, cohorts, names, which, share)


def _first_seen(start: Floats, periods: tuple[int, ...]) -> Floats:
    """Return the first period of the table in which each unit is treated; starts that are infinite stay so."""
    return np.where(np.isfinite(start), np.append(periods, np.inf)[np.searchsorted(periods, start)], start)


def _names(cohorts: Floats, which: NDArray[np.intp], start: Floats) -> tuple[int | str, ...]:
    """Return each timing group as a reader knows it: its start, or the starts that are one within these periods."""
    starts = [np.unique(start[which == at]).tolist() for at in range(len(cohorts))]
    return tuple(_name(one[0]) if len(one) == 1 else listed([f"{each:.0f}" for each in one]) for one in starts)


def _require_balance(panel: Panel, rows: PanelRows) -> None:
    if not panel.is_balanced:
        n_complete = int((np.bincount(panel.unit_codes) == len(panel.periods)).sum())
        raise DesignError(
            f"The decomposition needs every unit in every period; {n_complete:,} of {len(panel.units):,} units are. "
            "Keep complete units, or complete periods, and try again."
        )
    weight = rows.weight.reshape(-1, len(rows.periods))
    if (np.ptp(weight, axis=1) > 1e-9 * weight.max()).any():
        raise DesignError(
            "Some unit's weight changes over time, and the decomposition holds for fixed weights only. "
            "Give each unit one weight, such as its mean."
        )


def _cohort_means(values: Floats, rows: PanelRows, which: NDArray[np.intp]) -> Floats:
    """Return weighted means by cohort and period, shape (n_cohorts, n_periods)."""
    weight = rows.weight.reshape(-1, len(rows.periods))[:, 0]
    grid = values.reshape(-1, len(rows.periods)) * weight[:, None]
    sums = np.stack([grid[which == cohort].sum(axis=0) for cohort in range(which.max() + 1)])
    return np.asarray(sums / np.bincount(which, weight)[:, None])


def _with_covariates(
    rows: PanelRows, cohorts: Floats, names: tuple[int | str, ...], which: NDArray[np.intp], share: Floats
) -> BaconDecomposition:
    """Split the part of treatment that covariates do not predict into differences between and within cohorts."""
    fit = rows.fit_of_treatment()
    direction = fit.direction(0)
    left = direction / float((fit.weight * direction**2).sum())
    means = _cohort_means(left, rows, which)
    pairs = controlled_pairs(cohorts, share, means, _cohort_means(rows.outcome, rows, which))
    inside = left - means[which].ravel()
    variance, within = (float((fit.weight * column**2).sum()) for column in (left, inside))
    has_within = within > 1e-12 * variance
    estimate = float((fit.weight * inside * rows.outcome).sum()) / within if has_within else 0.0
    found = _decomposed(cohorts, names, pairs)
    omega = within / variance if has_within else 0.0
    return BaconDecomposition(
        pairs=found.pairs,
        totals=found.totals,
        estimate=omega * estimate + (1 - omega) * found.estimate,
        within_share=omega,
        within_estimate=estimate,
    )


def _decomposed(cohorts: Floats, names: tuple[int | str, ...], pairs: list[Pair]) -> BaconDecomposition:
    named = tuple(
        BaconPair(
            treated=names[pair.treated],
            compared=names[pair.compared],
            kind=_kind(cohorts, pair),
            weight=pair.weight,
            estimate=pair.estimate,
        )
        for pair in pairs
    )
    return BaconDecomposition(
        pairs=named, totals=_totals(named), estimate=sum(pair.weight * pair.estimate for pair in named)
    )


def _name(cohort: float) -> int | str:
    return int(cohort) if np.isfinite(cohort) else NEVER if cohort > 0 else ALWAYS


def _kind(cohorts: Floats, pair: Pair) -> Kind:
    treated, compared = cohorts[pair.treated], cohorts[pair.compared]
    if not np.isfinite(treated):
        return "always against never treated, through covariates"
    if compared == np.inf:
        return "treated against never treated"
    if compared == -np.inf:
        return "later against always treated"
    if pair.is_joint:
        return "both treated"
    if treated < compared:
        return "earlier against later, before the later start"
    return "later against earlier, already treated"


def _totals(pairs: tuple[BaconPair, ...]) -> tuple[BaconTotal, ...]:
    kinds = list(dict.fromkeys(pair.kind for pair in pairs))
    totals = []
    for kind in kinds:
        weight = sum(pair.weight for pair in pairs if pair.kind == kind)
        product = sum(pair.weight * pair.estimate for pair in pairs if pair.kind == kind)
        estimate = product / weight if weight > 0 else NO_WEIGHT
        totals.append(BaconTotal(kind=kind, weight=weight, estimate=estimate))
    return tuple(totals)
