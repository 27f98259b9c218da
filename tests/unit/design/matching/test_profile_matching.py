"""Profile matching by hand, and against every group of units there is."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Unavailable
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching import profile_matching as module
from evalkit.design.matching.features import balance_columns
from evalkit.design.matching.match import match
from evalkit.design.matching.options import ProfileMatching


def units(treated, labels=(), **columns) -> Baseline:
    frame = pd.DataFrame({"treated": treated, **columns})
    covariates = tuple(name for name in columns if name not in labels)
    return Baseline.from_frame(frame, BaselineRoles(treated="treated", covariates=covariates, labels=labels))


def used(design, arm: str) -> list[int]:
    is_arm = design.baseline.is_treated if arm == "treated" else ~design.baseline.is_treated
    return design.baseline.units.index[design.is_used & is_arm].tolist()


def test_the_largest_group_of_the_same_mean():
    """Treated 4 and 6 have the mean 5. Of 1, 3, 5, 9 and 20 no four sum to 20, and of three 1, 5 and 9 sum to 15."""
    data = units([1, 1, 0, 0, 0, 0, 0], x=[4, 6, 1, 3, 5, 9, 20])
    design = match(data, ProfileMatching(tolerance=0))
    assert used(design, "comparison") == [3, 5, 6]
    assert design.weights.tolist() == [1, 1, 1, 0, 1, 1, 0]
    assert isinstance(design.total_distance, Unavailable)
    assert design.notes[0].startswith("The 3 units chosen of 5 are proven to be the most")


def test_the_tolerance_is_in_sds_of_the_target_group():
    """4 and 6 have the SD √2. Of 1, 3, 5, 9 the mean is 4.5, ½ or 0.354 SDs away."""
    data = units([1, 1, 0, 0, 0, 0, 0], x=[4, 6, 1, 3, 5, 9, 20])
    assert used(match(data, ProfileMatching(tolerance=0.36)), "comparison") == [3, 4, 5, 6]
    assert len(used(match(data, ProfileMatching(tolerance=0.35)), "comparison")) == 3


def test_comparison_units_may_be_the_target():
    """Comparison units 4 and 6 have the mean 5; of treated 1, 5, 9 and 30 the first three have."""
    design = match(units([0, 0, 1, 1, 1, 1], x=[4, 6, 1, 5, 9, 30]), ProfileMatching(tolerance=0), "ATC")
    assert used(design, "treated") == [3, 4, 5]
    assert used(design, "comparison") == [1, 2]
    assert design.estimand == "ATC"


def test_both_arms_meet_the_means_of_all():
    """All of 2, 4, 6, 8 and 0, 5, 10 have the mean 5, as each arm has; with 12 for 10 the mean of all is 37/7."""
    data = units([1, 1, 1, 1, 0, 0, 0], x=[2, 4, 6, 8, 0, 5, 10])
    assert match(data, ProfileMatching(tolerance=0), "ATE").weights.tolist() == [1] * 7
    with pytest.raises(DesignError, match="No group of units has means within the tolerance"):
        match(units([1, 1, 1, 1, 0, 0, 0], x=[2, 4, 6, 8, 0, 5, 12]), ProfileMatching(tolerance=0), "ATE")


def test_labels_keep_their_proportions():
    """Half of the treated are of a, and of four comparison units with the same x three are of b: one of each stays."""
    data = units([1, 1, 0, 0, 0, 0], labels=("place",), x=[1, 3, 2, 2, 2, 2], place=list("ababbb"))
    assert len(used(match(data, ProfileMatching(tolerance=0)), "comparison")) == 4
    chosen = used(match(data, ProfileMatching(tolerance=0, exact=("place",))), "comparison")
    assert sorted(data.label("place").loc[chosen]) == ["a", "b"]


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        ([4, 6, 7, 8, 9], "Every unit lies on one side of the mean of 'x' that is to be met"),
        ([4, 6, 1, 8, 8], r"No group of units has means within the tolerance in every covariate\. Allow"),
    ],
)
def test_where_no_group_exists(x, sentence):
    with pytest.raises(DesignError, match=sentence):
        match(units([1, 1, 0, 0, 0], x=x), ProfileMatching(tolerance=0))


@pytest.mark.parametrize("options", [{"tolerance": -0.1}, {"tolerance": np.inf}, {"seconds": 0}])
def test_options_that_mean_nothing(options):
    with pytest.raises(DesignError, match="The tolerance is a number from 0 on"):
        match(units([1, 0], x=[1, 2]), ProfileMatching(**options))


def test_an_empty_arm():
    with pytest.raises(DesignError, match="unit is in the data, so there is nothing to compare"):
        match(units([0, 0], x=[1, 2]), ProfileMatching())


def test_one_treated_unit_has_no_spread():
    """Its SD is zero, so that means must be met to the digit."""
    assert used(match(units([1, 0, 0, 0], x=[2, 2, 1, 3]), ProfileMatching(tolerance=1)), "comparison") == [2, 3, 4]


def test_a_covariate_that_does_not_vary_decides_nothing():
    data = units([1, 1, 0, 0], x=[4, 6, 5, 9], y=[7, 7, 7, 7])
    assert used(match(data, ProfileMatching(tolerance=0)), "comparison") == [3]


def test_what_is_not_proven_is_refused(monkeypatch):
    solve = module.milp

    def interrupted(*args, **options):
        found = solve(*args, **options)
        found.status = 1  # HiGHS: the limit of time was reached
        return found

    monkeypatch.setattr(module, "milp", interrupted)
    with pytest.raises(DesignError, match="No group was proven to be the largest within 7 seconds"):
        match(units([1, 1, 0, 0], x=[4, 6, 5, 9]), ProfileMatching(seconds=7))


ROWS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 6), st.sampled_from("abc")), min_size=4, max_size=11
)


def allowed_gaps(data: Baseline, tolerance: float, target: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns, the means to be met and what may be missing from them, written down once more."""
    columns, arm = balance_columns(data)[0], data.is_treated
    spreads = []
    for one in (arm, ~arm):
        variance = columns[one].var(axis=0, ddof=1) if one.sum() > 1 else np.zeros(columns.shape[1])
        share = columns[one].mean(axis=0)
        is_binary = np.isin(columns, (0, 1)).all(axis=0)
        spreads.append(np.where(is_binary, share * (1 - share), variance))
    spread = {"ATT": spreads[0], "ATC": spreads[1], "ATE": (spreads[0] + spreads[1]) / 2}[target]
    mean = {"ATT": columns[arm], "ATC": columns[~arm], "ATE": columns}[target].mean(axis=0)
    return columns, mean, tolerance * np.sqrt(spread)


def most_of_all(columns: np.ndarray, mean: np.ndarray, allowed: np.ndarray) -> int:
    for size in range(len(columns), 0, -1):
        for rows in itertools.combinations(range(len(columns)), size):
            if (np.abs(columns[list(rows)].mean(axis=0) - mean) <= allowed + 1e-9).all():
                return size
    return 0


def test_a_column_that_everyone_meets_constrains_nobody():
    """The one treated unit stands at the mean of x, and all are alike in y: it is the group, at any tolerance."""
    data = units([0, 0, 0, 1], x=[0, 0, 3, 1], y=[0, 0, 0, 0], place=["a", "a", "a", "a"])
    assert match(data, ProfileMatching(tolerance=0.1), "ATC").n_treated == 1


@given(rows=ROWS, tolerance=st.sampled_from([0.0, 0.1, 0.3, 1.0]), target=st.sampled_from(["ATT", "ATC", "ATE"]))
@settings(max_examples=60, deadline=None)
def test_as_the_largest_of_all_groups(rows, tolerance, target):
    treated, x, y, place = (list(column) for column in zip(*rows, strict=True))
    assume(0 < sum(treated) < len(treated))
    data = units([int(one) for one in treated], x=x, y=y, place=place)
    columns, mean, allowed = allowed_gaps(data, tolerance, target)
    arms = {"ATT": [~data.is_treated], "ATC": [data.is_treated], "ATE": [data.is_treated, ~data.is_treated]}[target]
    most = [most_of_all(columns[arm], mean, allowed) for arm in arms]
    if min(most) == 0:
        with pytest.raises(DesignError, match="No group of units has means within the tolerance"):
            match(data, ProfileMatching(tolerance=tolerance), target)
        return
    design = match(data, ProfileMatching(tolerance=tolerance), target)
    for arm, size in zip(arms, most, strict=True):
        chosen = columns[arm & design.is_used]
        assert len(chosen) == size
        assert (np.abs(chosen.mean(axis=0) - mean) <= allowed + 1e-6).all()
