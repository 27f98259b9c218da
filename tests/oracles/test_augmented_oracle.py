"""The ridge-augmented synthetic control against a slow, literal one (Ben-Michael, Feller and Rothstein, 2021).

The oracle takes the estimator as the paper writes it first: the synthetic control's prediction, corrected by a ridge
regression of donors' later outcomes on their earlier ones, Σ_j γ_j Y_jT + (x − Σ_j γ_j X_j)'η. It never forms the
augmented weights. γ is found by trying every set of donors that could have weight, η by least squares over rows that
stand for the penalty, λ by leaving out one period at a time in plain loops. It shares no code with the kit.

Tolerance 1e-8: both are direct solutions; the oracle's normal equations square the condition of the data (below 1e4).
"""

from itertools import combinations

import numpy as np
import pytest

from evalkit.estimate.synthetic.control import augmented_control
from evalkit.estimate.synthetic.placebos import placebo_in_space
from tests.unit.estimate.area_tables import design_of

CLOSE = {"rel": 1e-8, "abs": 1e-8}


def made(seed, n_donors=6, n_pre=8, n_post=3):
    """Return outcomes by area (the treated first) and period, that no average of donors follows exactly."""
    random = np.random.default_rng(seed)
    factors = random.normal(size=(2, n_pre + n_post)).cumsum(axis=1)
    values = random.normal(size=(n_donors + 1, 2)) @ factors + 0.5 * random.normal(size=(n_donors + 1, n_pre + n_post))
    values[0] += 0.8 * factors[0] + 3.0 * (np.arange(n_pre + n_post) >= n_pre)
    return 50 + values


def slow_weights(target, donors):
    """Return the weights of the synthetic control: of every set of donors the best weights of sum one, if none < 0."""
    best, least = None, np.inf
    for size in range(1, len(donors) + 1):
        for chosen in combinations(range(len(donors)), size):
            own = np.array([donors[j] for j in chosen])
            # the gradient of the loss and of the sum are parallel at the least: a linear system
            system = np.zeros((size + 1, size + 1))
            system[:size, :size] = own @ own.T
            system[:size, size] = system[size, :size] = 1.0
            try:
                weights = np.linalg.solve(system, np.append(own @ target, 1.0))[:size]
            except np.linalg.LinAlgError:
                continue
            loss = ((target - weights @ own) ** 2).sum()
            if weights.min() >= -1e-12 and loss < least - 1e-13:
                least, best = loss, dict(zip(chosen, weights, strict=True))
    return [best.get(j, 0.0) for j in range(len(donors))]


def slow_prediction(target, donors, later, weights, penalty):
    """Return what would have been: the weighted donors, and what a ridge regression says of the gap before."""
    plain = sum(w * y for w, y in zip(weights, later, strict=True))
    if np.isinf(penalty):
        return plain
    periods = range(len(target))
    means = [np.mean([donor[t] for donor in donors]) for t in periods]
    rows = [[donor[t] - means[t] for t in periods] for donor in donors]
    outcomes = [y - np.mean(later) for y in later]
    for t in periods:  # a row for each coefficient: its square times the penalty is what it costs
        rows.append([np.sqrt(penalty) if t == s else 0.0 for s in periods])
        outcomes.append(0.0)
    slopes = np.linalg.lstsq(np.array(rows), np.array(outcomes), rcond=None)[0]
    gap = [target[t] - sum(w * donor[t] for w, donor in zip(weights, donors, strict=True)) for t in periods]
    return plain + sum(gap[t] * slopes[t] for t in periods)


def slow_penalty(target, donors):
    """Return the largest penalty whose error in periods left out is within one standard error of the least."""
    centred = np.array(donors) - np.mean(donors, axis=0)
    largest = np.linalg.eigvalsh(centred.T @ centred).max()
    tried = [np.inf] + [largest * 10 ** (1 - 7 * step / 24) for step in range(25)]
    errors = {penalty: [] for penalty in tried}
    for left in range(len(target)):
        kept = [t for t in range(len(target)) if t != left]
        own, others = target[kept], [donor[kept] for donor in donors]
        weights = slow_weights(own, others)
        for penalty in tried:
            said = slow_prediction(own, others, [donor[left] for donor in donors], weights, penalty)
            errors[penalty].append((target[left] - said) ** 2)
    best = min(tried, key=lambda penalty: np.mean(errors[penalty]))
    reach = np.std(errors[best], ddof=1) / np.sqrt(len(target))
    return max(penalty for penalty in tried if np.mean(errors[penalty]) <= np.mean(errors[best]) + reach)


def slow_gaps(values, n_pre, penalty=None):
    """Return the first area's gap in every period after the start, and the penalty taken."""
    target, donors = values[0, :n_pre], [row[:n_pre] for row in values[1:]]
    penalty = slow_penalty(target, donors) if penalty is None else penalty
    weights = slow_weights(target, donors)
    later = range(n_pre, values.shape[1])
    return [values[0, t] - slow_prediction(target, donors, values[1:, t], weights, penalty) for t in later], penalty


@pytest.mark.parametrize("penalty", [0.05, 2.0, 400.0])
def test_gaps_with_a_given_penalty(penalty):
    values = made(1)
    found = augmented_control(design_of(values, 2009), ridge=penalty)
    gaps, _ = slow_gaps(values, 8, penalty)
    assert [one.gap for one in found.gaps][8:] == pytest.approx(gaps, **CLOSE)
    assert found.weights.min() < 0  # it reaches beyond the donors, or the correction would be idle here


@pytest.mark.parametrize("seed", [1, 2, 3, 5])
def test_gaps_with_the_penalty_that_periods_left_out_choose(seed):
    values = made(seed)
    found = augmented_control(design_of(values, 2009))
    gaps, penalty = slow_gaps(values, 8)
    assert found.fit.tuning.get("ridge", np.inf) == pytest.approx(penalty, rel=1e-8)
    assert [one.gap for one in found.gaps][8:] == pytest.approx(gaps, **CLOSE)
    assert found.estimate == pytest.approx(np.mean(gaps), **CLOSE)


def test_the_seeds_hold_both_a_correction_and_none():
    chosen = [slow_gaps(made(seed), 8)[1] for seed in (1, 2, 3, 5)]
    assert any(np.isinf(chosen))
    assert not all(np.isinf(chosen))


def test_placebos_choose_penalties_of_their_own():
    values = made(2)
    found = placebo_in_space(augmented_control(design_of(values, 2009)))
    for at in range(1, 7):
        as_treated = np.vstack([values[at], np.delete(values, (0, at), axis=0)])
        gaps, _ = slow_gaps(as_treated, 8)
        assert found.gaps[at - 1, 8:] == pytest.approx(gaps, **CLOSE)
