"""Matrices of ordered categories and McNemar–Bowker, against R."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.quantities import Unavailable
from evalkit.estimate.categories.transitions_arrays import Transitions, share_interval, symmetry


@pytest.fixture(scope="module")
def reference(golden):
    folder = golden / "kinds" / "15_categories"
    values = pd.read_csv(folder / "expected.csv").set_index(["case", "quantity"])["value"]
    return pd.read_csv(folder / "grades.csv"), values, pd.read_csv(folder / "expected_transitions.csv")


@pytest.mark.parametrize("arm", ["all", "programme", "others"])
def test_counts_shares_and_the_test_of_symmetry(reference, arm):
    grades, values, matrix = reference
    own = grades if arm == "all" else grades[grades["programme"] == (arm == "programme")]
    found = Transitions.of(own["grade_before"].to_numpy() - 1, own["grade_after"].to_numpy() - 1, 4)
    counts = matrix[matrix["set"] == arm].pivot(index="before", columns="after", values="schools")
    np.testing.assert_array_equal(found.counts, counts.to_numpy())
    wanted = values[arm]
    assert (found.n, found.n_improved, found.n_declined) == tuple(wanted[["schools", "improved", "declined"]])
    test = symmetry(found)
    # twelve significant digits in the reference
    assert test.statistic == pytest.approx(wanted["bowker_statistic"], rel=1e-11)
    assert test.df == wanted["bowker_pairs_seen"]
    assert test.p_value == pytest.approx(wanted["bowker_p_pairs_seen"], rel=1e-10)
    interval = share_interval(found.n_improved, found.n, 0.95)
    assert interval.lower == pytest.approx(wanted["share_improved_wilson_low"], rel=1e-11)
    assert interval.upper == pytest.approx(wanted["share_improved_wilson_high"], rel=1e-11)


def test_two_categories_are_mcnemar(reference):
    grades, values, _ = reference
    cut = [(grades[f"grade_{when}"].to_numpy() > 2).astype(np.int64) for when in ("before", "after")]
    found = symmetry(Transitions.of(*cut, 2))
    assert found.statistic == pytest.approx(values["all", "mcnemar_no_correction"], rel=1e-11)
    assert found.p_value == pytest.approx(values["all", "mcnemar_p"], rel=1e-11)


def test_where_nobody_moved_it_says_so():
    still = symmetry(Transitions.of(np.array([0, 1]), np.array([0, 1]), 3))
    assert isinstance(still.p_value, Unavailable)
    # 3 up and 1 down between two categories: (3 − 1)²/4 = 1 with one degree
    few = symmetry(Transitions(np.array([[5, 1], [3, 5]])))
    assert (few.statistic, few.df, few.n_moved) == (1.0, 1, 4)
