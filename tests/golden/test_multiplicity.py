"""p-values of several outcomes together against R: Romano and Wolf's step-down, Holm's method."""

import csv

import numpy as np
import pytest

from evalkit.estimate.effect import holm_adjusted
from evalkit.estimate.step_down_arrays import step_down


@pytest.fixture(scope="module")
def reference(golden):
    folder = golden / "kinds" / "07_multiplicity"
    with (folder / "observed.csv").open(encoding="utf-8") as file:
        observed = list(csv.DictReader(file))
    with (folder / "expected_adjusted.csv").open(encoding="utf-8") as file:
        expected = list(csv.DictReader(file))
    draws = np.loadtxt(folder / "bootstrap_t.csv", delimiter=",", skiprows=1)[:, 1:]
    return observed, expected, draws


def column(rows, name):
    return np.array([float(row[name]) for row in rows])


def test_step_down_is_that_of_romano_and_wolf(reference):
    observed, expected, draws = reference
    assert draws.shape == (999, 8)
    # counts over 999 draws: exact, up to the rounding of a quotient
    assert step_down(column(observed, "t"), draws) == pytest.approx(column(expected, "romano_wolf"), abs=1e-12)


def test_without_the_observed_among_the_draws_it_is_the_count_over_their_number(reference):
    observed, expected, draws = reference
    counted = step_down(column(observed, "t"), draws) * 1000 - 1
    # twelve significant digits are given
    assert counted / 999 == pytest.approx(column(expected, "romano_wolf_without_plus_one"), abs=1e-11)


def test_of_one_statistic_it_is_the_single_p(reference):
    observed, expected, draws = reference
    alone = [step_down(column(observed, "t")[[k]], draws[:, [k]])[0] for k in range(8)]
    assert alone == pytest.approx(column(expected, "unadjusted_bootstrap"), abs=1e-12)


def test_holm_beside_it_is_that_of_r(reference):
    observed, expected, _ = reference
    # p-values are given to eight digits, adjusted ones to twelve
    assert holm_adjusted(column(observed, "p").tolist()) == pytest.approx(column(expected, "holm"), rel=1e-11)
