"""Whether cohorts moved like the others before their start, told from untreated observations alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.design.staggered import StaggeredDesign
from evalkit.estimate.arrays.absorbed import Absorbed, Regressors
from evalkit.estimate.imputation import with_untreated_periods
from evalkit.estimate.staggered_rows import StaggeredRows
from evalkit.estimate.sun_abraham import small_sample_factor

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Leads(Shown):
    """How far cohorts were from the others in each of the last periods before their start.

    Attributes
    ----------
    times : tuple of int, event times, the earliest first; earlier ones are what they are measured from
    estimates : tuple of Estimate or Unavailable, one for each
    covariance : shape (n_times, n_times); 0 where there is no estimate
    p_value : of the Wald test that all are zero (χ²), or why there is none
    """

    times: tuple[int, ...]
    estimates: tuple[Estimate | Unavailable, ...]
    covariance: Floats
    p_value: Quantity


def imputation_leads(design: StaggeredDesign, n_leads: int) -> Leads:
    """Return the leads of Borusyak, Jaravel and Spiess (2024, section 4.4) and their joint test.

    Untreated observations alone are regressed on unit and period effects, covariates, and an indicator for each of
    the last `n_leads` periods before the start (and its anticipation), so that the test does not change what
    imputation finds. Errors are cluster-robust with G/(G − 1) · (n − 1)/(n − k), unit effects not counted in k.
    """
    if n_leads < 1 or n_leads != int(n_leads):
        raise DesignError(f"The number of leads is a whole number from 1 on, not {n_leads}.")
    rows = StaggeredRows.of(with_untreated_periods(design))
    rows.require_varying(rows.unit, "unit")
    times = tuple(range(-rows.design.anticipation - n_leads, -rows.design.anticipation))
    at = ~rows.is_exposed
    indicators = (_event_time(rows)[at][:, None] == np.array(times)).astype(float)
    absorbed = Absorbed.of(
        Regressors(
            rows.unit[at],
            rows.period[at],
            rows.weight[at],
            rows.n_units,
            rows.n_periods,
            np.empty((int(at.sum()), 0)),
            np.hstack([rows.covariates[at], indicators]),
        )
    )
    return _leads(rows, absorbed, times, at)


def _event_time(rows: StaggeredRows) -> Floats:
    """Return each row's periods since its cohort's start, infinite for never-treated units."""
    start = np.array([*rows.design.cohorts, -np.inf])
    return np.asarray(np.asarray(rows.design.panel.periods)[rows.period] - start[rows.stratum])


def _leads(rows: StaggeredRows, absorbed: Absorbed, times: tuple[int, ...], at: NDArray[np.bool_]) -> Leads:
    combination = np.eye(len(absorbed.normal))[:, -len(times) :]
    known = absorbed.is_estimable(combination)
    combination = np.where(known, combination, 0.0)
    fit = absorbed.fit(rows.outcome[at])
    n_clusters = len(np.unique(rows.cluster[at]))
    contribution = absorbed.contributions(fit.residuals, combination, rows.cluster[at], rows.design.n_clusters)
    covariance = small_sample_factor(n_clusters, int(at.sum()), absorbed.rank + 1) * contribution.T @ contribution
    values, df = combination.T @ fit.coefficients, max(n_clusters - 1, 1)
    errors = [_error(rows, time, covariance[k, k]) for k, time in enumerate(times)]
    estimates = tuple(
        Estimate(float(values[k]), errors[k], df) if known[k] else Unavailable(_why_none(time))
        for k, time in enumerate(times)
    )
    return Leads(
        times=times, estimates=estimates, covariance=covariance, p_value=_joint(values, covariance, known, errors)
    )


def _error(rows: StaggeredRows, time: int, variance: float) -> float | Unavailable:
    inside = np.unique(rows.cluster[_event_time(rows) == time])
    if len(inside) < 2:
        return Unavailable(f"All units observed at event time {time} lie in one cluster.")
    return float(np.sqrt(variance))


def _why_none(time: int) -> str:
    return (
        f"The lead at event time {time} cannot be told from unit and period effects. Ask for fewer leads: some earlier "
        "untreated period of the cohorts must remain."
    )


def _joint(values: Floats, covariance: Floats, known: NDArray[np.bool_], errors: list[float | Unavailable]) -> Quantity:
    """Return the p-value of the Wald test of all leads, or why there is none."""
    if not known.all() or any(isinstance(error, Unavailable) for error in errors):
        return Unavailable("Some lead has no estimate or no standard error, so that they cannot be tested together.")
    if np.linalg.matrix_rank(covariance, hermitian=True) < len(values):
        return Unavailable("The leads' covariance is singular: there are more leads than clusters can tell apart.")
    statistic = float(values @ np.linalg.solve(covariance, values))
    return float(special.chdtrc(len(values), statistic))
