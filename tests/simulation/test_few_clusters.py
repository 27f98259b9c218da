"""Coverage of 95% intervals with few treated clusters, by kind of inference: what the recommendation is drawn from.

`python tests/simulation/test_few_clusters.py` prints the table of docs/methods/few-clusters.md (some 30 minutes).
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from evalkit.core.draws import stream
from evalkit.core.quantities import critical_value
from evalkit.design.clusters import ClusterCounts, recommended_inference
from evalkit.estimate.least_squares_arrays import cluster_error, least_squares, period_columns
from evalkit.estimate.two_way.inference_arrays import (
    assignments,
    cohort_sums,
    permutation_reference,
    placebo_products,
    placebo_sums,
    places,
    rescaled,
    wild_reference,
    wild_weights,
)

ERRORS = ("alike", "by size", "small treated", "large treated")
CELLS = [
    *product(("alike",), (6,), (1, 2, 3, 6)),
    *product(ERRORS, (20,), (1, 2, 3, 6, 12, 29)),
    *product(ERRORS, (40,), (1, 2)),
    *product(ERRORS, (100,), (1, 2, 3, 6, 12, 29)),
]
METHODS = ("CR1", "CR2", "wild Rademacher", "wild Webb", "permutation", "permutation of t", "Conley–Taber", "rescaled")
PERIODS, FIRST = 6, 3
SEED = 20240611
N_SAMPLES = 2000
TABLE = Path(__file__).resolve().parents[2] / "docs" / "methods" / "few-clusters.md"


def panel(errors, n_treated, n_comparison, random):
    """Return outcomes (G, T) with no effect, treated clusters first, and sizes: errors follow an AR(1) over periods.

    Sizes run from 5 to 100 (log-uniform); "alike": variance 1; otherwise variance 0.1 + 9/size (0.19 to 1.9).
    "small treated" and "large treated": the treated are drawn from the smallest or largest half of sizes.
    """
    n = n_treated + n_comparison
    size = 5 * 20 ** random.random(n)
    if errors in ("small treated", "large treated"):
        low = random.random(n_treated) * 0.5
        size[:n_treated] = 5 * 20 ** (low if errors == "small treated" else low + 0.5)
    noise = random.normal(size=(n, PERIODS))
    for at in range(1, PERIODS):
        noise[:, at] = 0.5 * noise[:, at - 1] + np.sqrt(0.75) * noise[:, at]
    deviation = np.ones(n) if errors == "alike" else np.sqrt(0.1 + 9 / size)
    return noise * deviation[:, None], size


def covers(outcome, size, n_treated, random, n_draws=399):
    """Return for each method whether its 95% interval holds the true effect, 0."""
    n = len(outcome)
    unit, period = np.repeat(np.arange(n), PERIODS), np.tile(np.arange(PERIODS), n)
    y, ones, times = outcome.ravel(), np.ones(n * PERIODS), period_columns(period)
    treatment = ((unit < n_treated) & (period >= FIRST)).astype(float)
    fit = least_squares(y, treatment[:, None], times, ones, unit, unit)
    estimate = float(fit.coefficients[0])
    cr1, cr2 = cluster_error(fit, 0, "CR1W"), cluster_error(fit, 0, "CR2")
    wild = {
        kind: wild_reference(fit, 0, wild_weights(n, kind, n_draws, random)).p_value() > 0.05
        for kind in ("rademacher", "webb")
    }
    without = least_squares(y, np.zeros((len(y), 0)), times, ones, unit, unit)
    sums = cohort_sums(without, np.array([np.inf, FIRST]), period.astype(float), treatment)
    cohort, stratum = (np.arange(n) < n_treated).astype(np.intp), np.zeros(n, dtype=np.intp)
    who, own = _few(assignments(cohort, stratum, n_draws, random), n_draws, random), places(cohort, stratum)
    actual = int(np.flatnonzero((who == own).all(axis=1))[0])
    moved = [permutation_reference(sums, who, cohort[own], actual, is_t).p_value() > 0.05 for is_t in (False, True)]
    path = np.where(np.arange(PERIODS) >= FIRST, 1.0, 0.0) - (PERIODS - FIRST) / PERIODS
    paths = np.repeat(path[None], n_treated, axis=0)
    products = placebo_products(paths, fit.residuals.reshape(n, -1)[n_treated:], float((paths**2).sum()))
    scaled = rescaled(products, size[:n_treated], size[n_treated:])
    placebo = [placebo_sums(each, 4999, random).p_absolute(estimate) > 0.05 for each in (products, scaled)]
    return [
        abs(estimate) <= critical_value(0.95, n - 1) * cr1.std_error,
        abs(estimate) <= critical_value(0.95, max(cr2.df, 1e-3)) * cr2.std_error,
        *wild.values(),
        *moved,
        *placebo,
    ]


def _few(who, n_draws, random):
    """Return at most `n_draws` + 1 of the assignments, the actual one among them (by symmetry, any may be it)."""
    if len(who) <= n_draws + 1:
        return who
    own = np.arange(who.shape[1])
    others = who[~(who == own).all(axis=1)]
    return np.vstack([own, others[random.choice(len(others), n_draws, replace=False)]])


def coverage(errors, n_treated, n_comparison, n_samples, seed=SEED):
    """Return each method's share of samples whose interval holds the true effect, shape (n_methods,)."""
    random = stream(seed, f"few clusters {errors} {n_treated} {n_comparison}")
    held = [covers(*panel(errors, n_treated, n_comparison, random), n_treated, random) for _ in range(n_samples)]
    return np.mean(held, axis=0)


def row(errors, n_treated, n_comparison, n_samples=N_SAMPLES):
    """Return a row of the table as it is printed."""
    shares = coverage(errors, n_treated, n_comparison, n_samples)
    cells = " | ".join(f"{100 * share:.1f}" for share in shares)
    return f"| {errors} | {n_treated} | {n_comparison} | {cells} |"


def main(n_samples):
    print("| errors | treated | comparison | " + " | ".join(METHODS) + " |")
    print("|---|---|---|" + "---|" * len(METHODS))
    for errors, n_comparison, n_treated in CELLS:
        print(row(errors, n_treated, n_comparison, n_samples), flush=True)


def published():
    """Return the table of the method's card: {(errors, treated, comparison): {method: per cent}}."""
    rows = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in ERRORS:
            rows[cells[0], int(cells[1]), int(cells[2])] = dict(zip(METHODS, map(float, cells[3:]), strict=True))
    return rows


def test_the_card_has_the_whole_table():
    assert list(published()) == [(errors, n_treated, n_comparison) for errors, n_comparison, n_treated in CELLS]


COLUMN = {
    "cluster-robust": "CR1",
    "CR2 with Satterthwaite degrees of freedom": "CR2",
    "randomisation inference": "permutation",
    "Conley–Taber": "rescaled",
    "unavailable": None,
}


def test_the_rule_holds_the_truth_in_the_table():
    """The recommended interval covers 92.5% or more (Monte Carlo error 0.5) of a nominal 95%.

    Permutation takes treated clusters to be like the others, and is not held to it where they are the small ones.
    """
    seen = set()
    for (errors, n_treated, n_comparison), shares in published().items():
        column = COLUMN[recommended_inference(ClusterCounts(n_treated, n_comparison)).inference]
        if column and not (column == "permutation" and errors == "small treated"):
            assert shares[column] >= 92.5, (errors, n_treated, n_comparison, column)
            seen.add(column)
    assert seen == {"CR1", "CR2", "permutation", "rescaled"}


def test_one_treated_cluster_breaks_clustered_errors_and_not_permutation():
    shares = dict(zip(METHODS, coverage("alike", 1, 39, 150, seed=1), strict=True))
    assert max(shares["CR1"], shares["CR2"]) < 0.5
    assert min(shares["permutation"], shares["Conley–Taber"]) > 0.95 - 3 * 0.018


def test_many_clusters_make_every_clustered_interval_hold():
    # 150 samples: Monte Carlo error 1.8 points.
    shares = dict(zip(METHODS, coverage("by size", 30, 30, 150, seed=1), strict=True))
    for method in ("CR1", "CR2", "wild Rademacher", "wild Webb", "permutation", "permutation of t"):
        assert 0.95 - 3 * 0.018 < shares[method] <= 1, method


def test_two_way_effects_are_unbiased_with_one_start_and_not_with_growing_effects():
    """Bias against the mean effect on those treated, in Monte Carlo errors, over 300 samples."""
    random = np.random.default_rng(3)
    unit, period = np.repeat(np.arange(60), 8), np.tile(np.arange(8), 60)
    gaps = {"one start": [], "two starts": []}
    for name, found in gaps.items():
        start = np.where(np.arange(60) < 20, 2, np.where(np.arange(60) < 40, 2 if name == "one start" else 5, 99))[unit]
        treated = period >= start
        effect = treated * (1 + 1.0 * (period - start))
        for _ in range(300):
            y = effect + random.normal(size=480) + random.normal(size=60)[unit]
            fit = least_squares(y, treated[:, None] * 1.0, period_columns(period), np.ones(480), unit, unit)
            found.append(fit.coefficients[0] - effect[treated].mean())
    bias = {name: np.mean(found) / (np.std(found) / np.sqrt(300)) for name, found in gaps.items()}
    assert abs(bias["one start"]) < 3
    assert bias["two starts"] < -30


@pytest.mark.slow
@pytest.mark.parametrize(("errors", "n_comparison", "n_treated"), CELLS)
def test_the_table_is_what_the_simulation_gives(errors, n_comparison, n_treated):
    found = dict(zip(METHODS, 100 * coverage(errors, n_treated, n_comparison, N_SAMPLES), strict=True))
    # Printed to a tenth; a sample or two may fall on the other side of a tie on another machine.
    assert found == pytest.approx(published()[errors, n_treated, n_comparison], abs=0.16)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else N_SAMPLES)
