"""Conley–Taber inference: few treated clusters, judged by the residuals of many comparison clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEAST_INVERTED, LEVEL, PANEL_SEED, require_draws, require_level, require_seed, stream
from evalkit.core.errors import DesignError
from evalkit.core.quantities import ROUNDING, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.data.panel import Panel
from evalkit.design.clusters import BEYOND, independence_by
from evalkit.estimate.effect import Inference, exact_reason
from evalkit.estimate.least_squares_arrays import LeastSquaresFit, without_means
from evalkit.estimate.two_way.inference_arrays import PlaceboSums, placebo_products, placebo_sums, rescaled, size_test
from evalkit.estimate.two_way.panel_rows import PanelRows, require_contrast

SIZE_LEVEL = 0.10
"""Size is taken to predict the residuals' variance where the test's p-value is below this."""

NOT_ALIKE = (
    "The method takes a treated cluster's error to be like a comparison cluster's. Here residuals vary with size "
    "(p = {p:.3f}), and {why}, so that no comparison cluster can stand in for a treated one."
)
NO_PLACEBO = (
    "All comparison clusters moved exactly alike, so that they show no movement that an effect could be judged by."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConleyTaberOptions:
    """How comparison clusters stand in for treated ones.

    Attributes
    ----------
    sizes : mapping from cluster to its size (pupils, people); None for the sum of weights in an average period
    correction : "by size test" (rescale where size predicts the residuals' variance), "never" or "always"
    tails : "absolute" or "equal", for the p-value and interval that `inference` states
    n_draws, seed : draws, where the ways of standing in are too many to go through
    level : of the interval
    """

    sizes: Mapping[Any, float] | None = None
    correction: Literal["by size test", "never", "always"] = "by size test"
    tails: Literal["absolute", "equal"] = "absolute"
    n_draws: int = 99_999
    seed: int = PANEL_SEED
    level: float = LEVEL

    def __post_init__(self) -> None:
        require_draws(self.n_draws)
        require_seed(self.seed)
        require_level(self.level, LEAST_INVERTED)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ConleyTaber(Shown):
    """The effect against what comparison clusters' residuals would have added in the treated clusters' places.

    Attributes
    ----------
    estimate : float
    inference : Inference
        By the tails asked for, with the correction that was made.
    p_equal_tailed, p_absolute : Quantity
    size_p : Quantity
        P-value of no relation between a comparison cluster's size and its residuals' variance.
    is_rescaled : bool
        Whether residuals were brought to the treated clusters' sizes (Ferman and Pinto, 2019).
    products : shape (n_treated, n_comparison)
        W[j, l], as used; the draws are sums over j of one l each.
    n_draws : int
    """

    estimate: float
    inference: Inference
    p_equal_tailed: Quantity
    p_absolute: Quantity
    size_p: Quantity
    is_rescaled: bool
    products: Floats
    n_draws: int


def conley_taber(panel: Panel, options: ConleyTaberOptions | None = None) -> ConleyTaber:
    """Return Conley and Taber's (2011) inference on the two-way effect, corrected for size where size matters.

    Needs many comparison clusters, each seen in every period, whose errors are distributed alike.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 4 and t >= 3), 3 if i < 4 else None, i // 2)
    ...     for i in range(24) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start", "area"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start", cluster="area")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> found = evalkit.conley_taber(panel, evalkit.ConleyTaberOptions(n_draws=199, seed=7))
    >>> round(found.estimate, 2), round(found.inference.p_value, 2)
    (1.04, 0.01)
    """
    options = options or ConleyTaberOptions()
    rows = PanelRows.of(panel)
    require_contrast(rows)
    fit = rows.fit_of_treatment()
    estimate, is_treated, sizes = float(fit.coefficients[0]), rows.switches, _sizes(rows, options.sizes)
    if is_treated.all():
        return _none(estimate, "Every cluster is treated, so that no residual is free of the effect.")
    if reason := exact_reason(fit):
        return _none(estimate, reason)
    products = _products(rows, fit, is_treated)
    if np.abs(products).max() <= ROUNDING * fit.size:
        return _none(estimate, NO_PLACEBO)
    size_p = _size_p(products, sizes[~is_treated], options)
    is_rescaled = _is_rescaled(options.correction, size_p)
    if is_rescaled and (why := _why_not(sizes[is_treated], sizes[~is_treated])):
        return _none(estimate, NOT_ALIKE.format(p=size_p, why=why), size_p)
    if is_rescaled:
        products = rescaled(products, sizes[is_treated], sizes[~is_treated])
    sums = placebo_sums(products, options.n_draws, stream(options.seed, "Conley-Taber"))
    return ConleyTaber(
        estimate=estimate,
        inference=replace(
            _inference(estimate, sums, products, options, is_rescaled), assumes=independence_by(panel.clustered_by)
        ),
        p_equal_tailed=sums.p_equal_tailed(estimate),
        p_absolute=sums.p_absolute(estimate),
        size_p=size_p,
        is_rescaled=is_rescaled,
        products=products,
        n_draws=len(sums.draws),
    )


def _products(rows: PanelRows, fit: LeastSquaresFit, is_treated: NDArray[np.bool_]) -> Floats:
    """Return W from the treated clusters' paths of treatment and the comparison clusters' mean residuals."""
    shape = (len(rows.clusters), len(rows.periods))
    place = rows.cluster * shape[1] + rows.period
    inner = without_means(rows.treatment[:, None], rows.weight, rows.unit)[:, 0]
    inner[~is_treated[rows.cluster]] = 0.0

    def grid(values: Floats) -> Floats:
        return np.asarray(np.bincount(place, values, minlength=shape[0] * shape[1]), dtype=float).reshape(shape)

    weight = grid(rows.weight)
    if (weight[~is_treated] == 0).any():
        name = rows.clusters[np.flatnonzero(~is_treated & (weight == 0).any(axis=1))[0]]
        raise DesignError(
            f"Comparison cluster {name} is not seen in every period, so that its residuals cannot stand in for a "
            "treated cluster's. Leave it out, or keep periods in which every comparison cluster is seen."
        )
    # Means and not sums of residuals: a comparison cluster stands in for one of the treated cluster's size.
    residuals = grid(rows.weight * fit.residuals)[~is_treated] / weight[~is_treated]
    paths = grid(rows.weight * inner)[is_treated]
    return placebo_products(paths, residuals, float((rows.weight * inner**2).sum()))


def _sizes(rows: PanelRows, given: Mapping[Any, float] | None) -> Floats:
    """Return each cluster's size: as given, or its weight in an average period."""
    if given is None:
        return np.asarray(np.bincount(rows.cluster, rows.weight) / len(rows.periods))
    missing = [name for name in rows.clusters if name not in given]
    if missing:
        raise DesignError(f"Cluster {missing[0]} has no size. Give one for each of the {len(rows.clusters)} clusters.")
    sizes = np.array([float(given[name]) for name in rows.clusters])
    if not (np.isfinite(sizes) & (sizes > 0)).all():
        raise DesignError("The size of a cluster must be a positive number; mend the sizes and try again.")
    return sizes


def _size_p(products: Floats, sizes: Floats, options: ConleyTaberOptions) -> Quantity:
    if len(sizes) < 3 or np.ptp(sizes) <= 1e-9 * sizes.max():
        return Unavailable("The comparison clusters are all of one size, or too few, so size cannot be told to matter.")
    return size_test(products, sizes, 9_999, stream(options.seed, "size and variance"))


def _is_rescaled(correction: str, size_p: Quantity) -> bool:
    if isinstance(size_p, Unavailable) or correction == "never":
        return False
    return correction == "always" or size_p < SIZE_LEVEL


def _why_not(treated: Floats, comparison: Floats) -> str | None:
    """Return why the variance at the treated clusters' sizes cannot be read off the comparison clusters."""
    lowest, highest = comparison.min() / BEYOND, comparison.max() * BEYOND
    if (treated < lowest).any() or (treated > highest).any():
        return (
            f"a treated cluster of size {treated[(treated < lowest) | (treated > highest)][0]:,.0f} is far outside the "
            f"comparison clusters' sizes ({comparison.min():,.0f} to {comparison.max():,.0f})"
        )
    return None


def _inference(
    estimate: float, sums: PlaceboSums, products: Floats, options: ConleyTaberOptions, is_rescaled: bool
) -> Inference:
    is_absolute = options.tails == "absolute"
    how = "all" if sums.is_enumerated else "drawn"
    note = (
        f"{len(sums.draws):,} placebo sums ({how}) of {products.shape[1]} comparison clusters' residuals in "
        f"{products.shape[0]} treated places"
    )
    return Inference(
        method="Conley–Taber",
        std_error=Unavailable("Conley–Taber compares with placebo sums and gives no standard error."),
        df=None,
        interval=sums.interval(estimate, options.level, is_absolute),
        p_value=sums.p_absolute(estimate) if is_absolute else sums.p_equal_tailed(estimate),
        note=note + (", brought to the treated clusters' sizes." if is_rescaled else "."),
    )


def _none(estimate: float, reason: str, size_p: Quantity | None = None) -> ConleyTaber:
    none = Unavailable(reason)
    return ConleyTaber(
        estimate=estimate,
        inference=Inference.unavailable("Conley–Taber", reason),
        p_equal_tailed=none,
        p_absolute=none,
        size_p=none if size_p is None else size_p,
        is_rescaled=False,
        products=np.zeros((0, 0)),
        n_draws=0,
    )
