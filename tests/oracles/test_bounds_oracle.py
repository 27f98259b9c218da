"""Bounds on violations against slow programmes: identified sets, the test's statistic, and the shortest interval.

The oracles write violations out period by period, the reference among them, and hand them to scipy's linear programmes
or to a general minimiser. They share no code with the kit.
"""

import math

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

import evalkit
from evalkit.estimate.bounds.conditional_arrays import moments_of
from evalkit.estimate.bounds.restrictions_arrays import relative_systems, shape_rows, smooth_systems

CASES = [(p, q, seed) for seed, (p, q) in enumerate([(1, 1), (1, 3), (2, 2), (3, 2), (3, 4), (2, 5)])]
SHAPES = [{}, {"sign": "+"}, {"sign": "-"}, {"monotone": "up"}, {"monotone": "down"}]


def times_of(p, q):
    return [*range(-p - 1, -1), *range(q)]


def shape_constraints(path, shape):
    """Rows that are at most 0, over the violations from the start on; `path` is the matrix of their steps."""
    q = len(path)
    sign = {"+": -np.eye(q), "-": np.eye(q)}.get(shape.get("sign"), np.zeros((0, q)))
    move = {"up": -path, "down": path}.get(shape.get("monotone"), np.zeros((0, q)))
    return np.vstack([sign, move])


def identified(before, after, weights, size, shape):
    """Return the lowest and highest effect when violations before the start are known, by a linear programme each."""
    q = len(after)
    known = np.append(before, 0.0)
    path = np.eye(q) - np.eye(q, k=-1)  # steps after the start, the first from the reference
    largest = np.abs(np.diff(known)).max()
    rows = np.vstack([path, -path, shape_constraints(path, shape)])
    limits = np.concatenate([np.full(2 * q, size * largest), np.zeros(len(rows) - 2 * q)])
    ends = [sign * linprog(sign * weights, rows, limits, bounds=[(None, None)] * q).fun for sign in (1, -1)]
    return weights @ after - ends[1], weights @ after - ends[0]


@pytest.mark.parametrize(("p", "q", "seed"), CASES)
@pytest.mark.parametrize("shape", SHAPES)
def test_without_noise_relative_bounds_are_the_identified_set(p, q, seed, shape):
    random = np.random.default_rng(seed)
    before, after = random.normal(size=p), random.normal(size=q) + 3
    covariance = 1e-14 * np.eye(p + q)
    for average in ([0], [q - 1], list(range(q))):
        weights = np.isin(range(q), average) / len(average)
        found = evalkit.violation_bounds(
            [*before, *after], covariance, event_times=times_of(p, q), average=average, relative=[0.3, 1.2],
            smoothness=[], **shape,
        )  # fmt: skip
        for one in found.relative:
            told = identified(before, after, weights, one.m, shape)
            assert (one.interval.lower, one.interval.upper) == pytest.approx(told, abs=1e-4)


@pytest.mark.parametrize(("p", "q", "seed"), CASES[2:])
@pytest.mark.parametrize("shape", SHAPES[:4])
@pytest.mark.parametrize("of", [relative_systems, smooth_systems])
def test_the_statistic_is_the_least_excess_that_some_free_effects_leave(p, q, seed, shape, of):
    """η = min over the free effects of the largest excess in standard errors: a programme in them and η."""
    random = np.random.default_rng(seed)
    root = random.normal(size=(p + q, 2 * (p + q)))
    covariance, beta = root @ root.T / 10, random.normal(size=p + q)
    weights = np.full(q, 1 / q) if seed % 2 else np.eye(q)[0]
    rows = shape_rows(p, q, shape.get("sign"), shape.get("monotone"))
    systems = of(np.array([0.7]), p, q, rows)
    moments = moments_of(systems, covariance, weights)
    for theta in (-1.0, 0.4, 2.0):
        for at, (system, limits) in enumerate(zip(systems.rows, systems.limits, strict=True)):
            errors = np.sqrt(np.diag(system @ covariance @ system.T))
            # A (β − τ) − d ≤ η σ over τ after the start and η, with l'τ = θ
            left = np.hstack([-system[:, -q:], -errors[:, None]])
            told = linprog(
                [*np.zeros(q), 1],
                left,
                limits - system @ beta,
                [[*weights, 0]],
                [theta],
                bounds=[(None, None)] * (q + 1),
            ).fun
            lines = moments.rows[at] @ beta - moments.limits[at] - theta * moments.slopes[at]
            assert lines.max() == pytest.approx(told, abs=1e-8)


@pytest.mark.parametrize(("p", "q"), [(2, 1), (3, 2)])
@pytest.mark.parametrize("size", [0.01, 0.1, 1.0])
def test_no_other_weights_give_a_shorter_interval(p, q, size):
    random = np.random.default_rng(p)
    root = random.normal(size=(p + q, 2 * (p + q)))
    covariance = root @ root.T / 10
    times, weights = np.array(times_of(p, q)) + 1, np.ones(q) / q

    def largest_bias(full):
        """The bias under the worst changes of slope, each one's effect on every period written out."""
        total = 0.0
        for bend in range(times.min() + 1, times.max()):
            side = np.sign(times) == (1 if bend >= 0 else -1)
            total += abs((full * np.where(side, np.maximum(np.abs(times) - abs(bend), 0), 0)).sum())
        return size * total

    def half(free):
        full = np.concatenate([[0.0], free, weights])
        full[0] = -(times * full).sum() / times[0]  # linear violations leave no bias
        error = np.sqrt(full @ covariance @ full)
        bias = largest_bias(full) / error
        low, high = bias, bias + 4
        for _ in range(45):
            middle = (low + high) / 2
            held = (math.erf((middle - bias) / math.sqrt(2)) + math.erf((middle + bias) / math.sqrt(2))) / 2
            low, high = (low, middle) if held > 0.95 else (middle, high)
        return error * high

    found = evalkit.violation_bounds(
        np.zeros(p + q), covariance, event_times=times_of(p, q), average=list(range(q)), relative=[], smoothness=[size]
    )
    (one,) = found.smoothness
    own = (one.interval.upper - one.interval.lower) / 2
    best = minimize(half, np.zeros(p - 1), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9}).fun
    assert own <= best + 1e-9
    assert own == pytest.approx(best, rel=1e-4)
