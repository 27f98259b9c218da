"""The wild cluster bootstrap from scores, against bootstrap samples that are made and fitted one by one."""

import numpy as np
import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.estimate.inversion_arrays import Reference
from evalkit.estimate.least_squares_arrays import least_squares, period_columns
from evalkit.estimate.two_way.inference_arrays import wild_reference, wild_weights


def sample(seed, n_clusters=7, n=60):
    """Rows in clusters of unequal size, a regressor that varies in three of them, weights."""
    random = np.random.default_rng(seed)
    cluster = np.sort(np.concatenate([np.arange(n_clusters), random.integers(0, n_clusters, n - n_clusters)]))
    x = (cluster < 3) * random.normal(size=n)
    others = np.column_stack([np.ones(n), random.normal(size=n)])
    y = 0.3 * x + random.normal(size=n) + random.normal(size=n_clusters)[cluster]
    return y, x, others, random.uniform(0.5, 2, n), cluster


def fitted(y, x, others, weight, cluster):
    """Return coefficient and CR0 error of x by plain matrices."""
    design = np.column_stack([x, others])
    bread = np.linalg.inv(design.T @ (weight[:, None] * design))
    coefficients = bread @ design.T @ (weight * y)
    error = weight * (y - design @ coefficients)
    scores = np.array([design[cluster == each].T @ error[cluster == each] for each in np.unique(cluster)])
    return coefficients[0], np.sqrt((bread @ scores.T @ scores @ bread)[0, 0])


def slow_p(data, weights, value, is_restricted):
    """Make every bootstrap sample, fit it, and count."""
    y, x, others, weight, cluster = data
    estimate, error = fitted(*data)
    imposed = value if is_restricted else estimate
    coefficients = np.linalg.solve(others.T @ (weight[:, None] * others), others.T @ (weight * (y - imposed * x)))
    fit = others @ coefficients + imposed * x
    t = []
    for vector in weights.T:
        b, e = fitted(fit + vector[cluster] * (y - fit), x, others, weight, cluster)
        t.append((b - imposed) / e)
    return np.mean(np.abs(t) >= abs((estimate - value) / error) * (1 - 1e-9))


@pytest.mark.parametrize("is_restricted", [True, False])
@pytest.mark.parametrize("kind", ["rademacher", "webb"])
def test_scores_agree_with_samples_made_one_by_one(kind, is_restricted):
    data = sample(3)
    fit = least_squares(data[0], data[1][:, None], *data[2:])
    weights = wild_weights(7, kind, 150, np.random.default_rng(1))[:, :160]
    reference = wild_reference(fit, 0, weights, is_restricted)
    for value in (0.0, 0.2, -0.5, 1.4):
        assert reference.p_value(value) == pytest.approx(slow_p(data, weights, value, is_restricted), abs=1e-12)


def two_by_two():
    unit, period = np.repeat(np.arange(4), 2), np.tile([0, 1], 4)
    treated = ((unit < 2) & (period == 1)).astype(float)
    y = np.array([0.0, 3, 0, 5, 0, 1, 0, 1])
    return least_squares(y, treated[:, None], period_columns(period), np.ones(8), unit, unit)


def test_p_value_by_hand():
    # Changes 3, 5 | 1, 1: t = 3/√½ = 4.24. Under no effect the changes' residuals are ½, 2½, −1½, −1½. Only the
    # vectors (1, 1, 1, 1) and (−1, −1, −1, −1) give |t*| as large: with v₁ = v₂ and v₃ = v₄ of opposite sign the
    # coefficient is 0; where signs differ within an arm it is at most 2½ and its error at least √(9/8). 2 of 16.
    reference = wild_reference(two_by_two(), 0, wild_weights(4, "rademacher", 10, np.random.default_rng(0)))
    assert reference.p_value() == 2 / 16
    assert len(reference.first) == 16


def test_an_interval_without_an_end_says_so():
    # The smallest p-value with four clusters is 2/16, so that no value is rejected at 95%; at 80% some are.
    reference = wild_reference(two_by_two(), 0, wild_weights(4, "rademacher", 10, np.random.default_rng(0)))
    assert isinstance(reference.interval(0.95), Unavailable)
    assert isinstance(reference.interval(0.8), Interval)


def test_the_interval_ends_where_the_p_value_crosses():
    data = sample(5, n_clusters=12, n=90)
    fit = least_squares(data[0], data[1][:, None], *data[2:])
    reference = wild_reference(fit, 0, wild_weights(12, "rademacher", 10, np.random.default_rng(0)))
    interval = reference.interval(0.9)
    width = interval.upper - interval.lower
    for end, outward in ((interval.lower, -1), (interval.upper, 1)):
        assert reference.p_value(end - outward * 1e-6 * width) > 0.1
        assert all(reference.p_value(end + outward * step * width) <= 0.1 for step in (1e-6, 0.1, 0.5, 2, 10))


def test_a_p_value_that_rises_again_widens_the_interval():
    # Two draws: one is beaten at once, the other grows faster than the estimate between 4 and 6 and counts there again.
    class Bumpy(Reference):
        def p_value(self, value=0.0):
            return 1.0 if abs(value) < 2 or 4 < value < 6 else 0.01

    one = np.ones(2)
    interval = Bumpy(0.0, 1.0, one, one, one, one, one).interval(0.95)
    assert (interval.lower, interval.upper) == (pytest.approx(-2, abs=1e-6), pytest.approx(6, abs=1e-6))


def test_all_vectors_are_gone_through_once_where_few():
    signs = wild_weights(3, "rademacher", 5, np.random.default_rng(0))
    assert signs.shape == (3, 8)
    assert len(np.unique(signs, axis=1).T) == 8
    assert wild_weights(5, "webb", 5, np.random.default_rng(0)).shape == (5, 6**5)
    assert wild_weights(14, "rademacher", 5, np.random.default_rng(0)).shape == (14, 2**14)


def test_drawn_vectors_start_with_the_data_and_are_reproduced_by_the_seed():
    one, again, other = (wild_weights(30, "webb", 50, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.shape == (30, 51)
    assert (one[:, 0] == 1).all()
    assert (one == again).all()
    assert (one != other).any()
    assert one[:, 1:].var() == pytest.approx(1, abs=0.05)


def test_weights_for_another_number_of_clusters_are_refused():
    with pytest.raises(DesignError, match="3 bootstrap weights were given for 4 clusters"):
        wild_reference(two_by_two(), 0, np.ones((3, 8)))
