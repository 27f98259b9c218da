"""Random staggered tables, and the regressions on every indicator column that fast code is held against."""

import numpy as np
import pandas as pd

from evalkit.core.draws import stream
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design

COHORTS = (2012.0, 2013.0, 2015.0, np.nan)
PERIODS = np.arange(2010, 2016)


def table(n_units=60, share=0.9, seed=5, cohorts=COHORTS):
    """Return units in cohorts over six periods, rows missing at random, with weights, covariates and areas."""
    draw = stream(seed, f"staggered {n_units} {share}")
    unit = np.repeat(np.arange(n_units), len(PERIODS))
    period = np.tile(PERIODS, n_units)
    cohort = np.repeat(np.resize(cohorts, n_units), len(PERIODS))
    size = np.repeat(draw.normal(size=n_units), len(PERIODS)) + np.isnan(cohort)
    x = draw.normal(size=len(unit)) + 0.3 * size
    effect = np.where(period >= np.nan_to_num(cohort, nan=9999), 1 + 0.5 * (period - np.nan_to_num(cohort)), 0)
    outcome = 3 * size + period * (1 + 0.2 * size) - 2000 + x + effect + draw.normal(size=len(unit))
    weight = draw.uniform(0.5, 2, size=len(unit))
    columns = {"unit": unit, "period": period, "cohort": cohort, "y": outcome, "x": x, "size": size, "w": weight}
    frame = pd.DataFrame(columns | {"area": unit // 3 % 11})
    return frame[draw.random(len(frame)) < share].reset_index(drop=True)


def design_of(frame, comparison="never", anticipation=0, **roles):
    """Return the design of a table; roles beyond unit, period, outcome and cohort are given by name."""
    plain = {"unit": "unit", "period": "period", "outcome": "y", "cohort": "cohort"}
    options = StaggeredOptions(comparison=comparison, anticipation=anticipation)
    return staggered_design(Panel.from_frame(frame, Roles(**(plain | roles))), options)


def value_and_error(effects, cohort, period):
    """Return one cell's estimate and standard error."""
    at = [(cell.cohort, cell.period) for cell in effects.cells].index((cohort, period))
    return effects.cells[at].value, float(np.sqrt(effects.covariance[at, at]))


def columns_of(design):
    """Return outcome, weight, unit indicators, period indicators, covariates and clusters of a design's panel."""
    frame = design.panel.frame
    units, periods = np.eye(len(design.panel.units)), np.eye(len(design.panel.periods))
    cluster = pd.factorize(frame["cluster"], sort=True)[0]
    covariates = frame[list(design.panel.covariates)].to_numpy(dtype=float).reshape(len(frame), -1)
    return (
        frame["outcome"].to_numpy(),
        frame["weight"].to_numpy(),
        units[design.panel.unit_codes],
        periods[design.panel.period_codes],
        covariates,
        cluster,
    )


def indicators(design, cells):
    """Return an indicator column for each (cohort, period), shape (n, n_cells)."""
    frame = design.panel.frame
    inside = [(frame["cohort"] == cohort) & (frame["period"] == period) for cohort, period in cells]
    return np.column_stack(inside).astype(float)


def sandwich(regressors, outcome, weight, cluster, wanted):
    """Return coefficients and covariance of the last `wanted` of the regressors: the plain cluster sandwich."""
    bread = np.linalg.pinv((regressors * weight[:, None]).T @ regressors, rcond=1e-13, hermitian=True)
    beta = bread @ regressors.T @ (weight * outcome)
    score = regressors * (weight * (outcome - regressors @ beta))[:, None]
    summed = np.array([score[cluster == one].sum(axis=0) for one in np.unique(cluster)]) @ bread
    return beta[-wanted:], summed[:, -wanted:].T @ summed[:, -wanted:]


def dense_imputation(design, cells, untreated, kind):
    """Return values and covariance of cells, from the n × n weights of every untreated observation."""
    outcome, weight, units, periods, covariates, cluster = columns_of(design)
    everything = np.column_stack([units, periods, covariates])
    first, w0 = everything[untreated], weight[untreated]
    bread = np.linalg.pinv((first * w0[:, None]).T @ first, rcond=1e-13, hermitian=True)
    beta = bread @ first.T @ (w0 * outcome[untreated])
    effect = outcome - everything @ beta
    shares = indicators(design, cells) * weight[:, None]
    shares = shares / shares.sum(axis=0)
    values = shares.T @ effect
    on_untreated = -(w0[:, None] * first) @ bread @ (everything.T @ shares)
    errors = np.zeros_like(shares)
    errors[untreated] = on_untreated * effect[untreated][:, None]
    for k in range(len(cells)):
        inside = shares[:, k] > 0
        v, tau = shares[inside, k], effect[inside]
        mean = values[k] if kind == "second-stage" else (v**2 @ tau) / (v**2).sum()
        errors[inside, k] += v * (tau - mean)
    summed = np.array([errors[cluster == one].sum(axis=0) for one in np.unique(cluster)])
    return values, summed.T @ summed
