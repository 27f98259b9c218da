"""CR2 of regressions with unit effects: deflators and degrees of freedom against every shock gone through by itself."""

import numpy as np
import pytest

from evalkit.estimate.staggered.imputation_arrays import alike_clusters
from evalkit.estimate.two_way.absorbed_arrays import Absorbed, Regressors


def regression(unit, period, weight, common):
    n_units, n_periods = int(unit.max()) + 1, int(period.max()) + 1
    none = np.empty((len(unit), 0))
    return Absorbed.of(Regressors(unit, period, weight, n_units, n_periods, none, common))


def contributions_of_shocks(absorbed, combination, cluster):
    """Return what clusters contribute, and the number itself, under each cluster's shock of 1 in each period."""
    found, values = [], []
    for one in np.unique(cluster):
        for period in range(absorbed.given.n_codes):
            fit = absorbed.fit(((cluster == one) & (absorbed.given.code == period)).astype(float))
            found.append(absorbed.contributions(fit.residuals, combination, cluster, int(cluster.max()) + 1)[:, 0])
            values.append(float(fit.coefficients @ combination[:, 0]))
    return np.array(found).T, np.array(values).reshape(int(cluster.max()) + 1, -1)


@pytest.mark.parametrize("at", [-2, -1])
def test_deflators_and_freedom_are_those_of_every_shock_gone_through(at):
    random = np.random.default_rng(0)
    kept = random.random(40) > 0.1
    unit, period = np.repeat(np.arange(10), 4)[kept], np.tile(np.arange(4), 10)[kept]
    leads = np.column_stack([(unit < 4) & (period == 1), (unit < 3) & (period == 2)]).astype(float)
    absorbed = regression(unit, period, (random.random(10) + 0.5)[unit], leads)
    cluster, combination = np.array([0, 0, 1, 2, 3, 3, 4, 5, 6, 6])[unit], np.eye(len(absorbed.normal))[:, [at]]
    found = alike_clusters(absorbed, combination, cluster, 7)
    seen, values = contributions_of_shocks(absorbed, combination, cluster)
    covariance, own = seen @ seen.T, (values**2).sum(axis=1)
    deflator = np.diag(covariance) / own
    covariance /= np.sqrt(np.outer(deflator, deflator))
    assert found.deflator[:, 0] == pytest.approx(deflator, rel=1e-10)
    assert found.df[0] == pytest.approx(np.trace(covariance) ** 2 / (covariance**2).sum(), rel=1e-10)


def test_of_two_periods_they_are_those_of_weighted_means():
    unit, period = np.repeat(np.arange(9), 2), np.tile([0, 1], 9)
    weight = np.array([1.0, 2, 3, 1, 1, 1, 1, 1, 1])
    absorbed = regression(unit, period, weight[unit], ((unit < 3) & (period == 1)).astype(float)[:, None])
    found = alike_clusters(absorbed, np.eye(len(absorbed.normal))[:, -1:], unit, 9)
    share = weight[:3] / 6
    assert found.deflator[:3, 0] == pytest.approx(1 - 2 * share + (share**2).sum(), rel=1e-12)
    assert found.deflator[3:, 0] == pytest.approx(np.full(6, 5 / 6), rel=1e-12)


def test_where_a_fitted_cluster_carries_the_number_nothing_is_known_of_its_spread():
    unit, period = np.repeat(np.arange(6), 2), np.tile([0, 1], 6)
    absorbed = regression(unit, period, np.ones(12), ((unit < 1) & (period == 1)).astype(float)[:, None])
    assert alike_clusters(absorbed, np.eye(len(absorbed.normal))[:, -1:], unit, 6).df[0] == 0.0
