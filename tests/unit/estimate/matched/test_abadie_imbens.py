"""The matching estimator: arithmetic by hand, ties, what does not change it, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimand, Unavailable
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.estimate.matched import abadie_imbens_arrays as module
from evalkit.estimate.matched.abadie_imbens import AbadieImbens, abadie_imbens_match
from evalkit.estimate.matched.abadie_imbens_arrays import equal_shares, local_variance, tied_nearest
from tests.unit.estimate.matched_designs import baseline


def test_ties_are_all_kept_and_share_their_weight():
    # Treated x = 1 is as near to 0 as to 2: ½ each; x = 5 has 6. Effects: 10 − (3 + 5)/2 = 6 and 4 − 1 = 3, mean 4.5.
    units = baseline([1, 1, 0, 0, 0], x=[1.0, 5, 0, 2, 6])
    found = abadie_imbens_match(units, np.array([10.0, 4, 3, 5, 1]))
    assert found.estimate.value == pytest.approx(4.5)
    assert found.pair_table()["weight"].tolist() == [0.5, 0.5, 1.0]
    # (6 − 4.5)² + (3 − 4.5)² = 4.5. The ties serve with K² − K' = ¼ − ¼ = 0, the third with 1 − 1 = 0.
    assert found.estimate.std_error == pytest.approx(np.sqrt(4.5) / 2)
    assert found.interval.upper == pytest.approx(4.5 + 1.959963984540054 * np.sqrt(4.5) / 2)


def test_the_average_over_everyone_by_hand():
    # x = 0, 1 treated (5, 6), x = 0.1, 3 not (2, 4). Partners: 0 → 0.1, 1 → 0.1, 0.1 → 0, 3 → 1.
    # Differences 3, 4, 3, 2: mean 3, Σ(τ_i − τ)² = 2. σ² = ½ (0 + 1 + 0 + 1)/4 = ¼. K: 0.1 serves twice, 0 and 1 once.
    # Σ (K² + 2K − K') = (4 + 4 − 2) + (1 + 2 − 1) + (1 + 2 − 1) = 10. V = (2 + 10/4)/16.
    units = baseline([1, 1, 0, 0], x=[0.0, 1, 0.1, 3])
    found = abadie_imbens_match(units, np.array([5.0, 6, 2, 4]), target="ATE")
    assert found.estimate.value == pytest.approx(3)
    assert found.estimate.std_error == pytest.approx(np.sqrt(4.5) / 4)
    assert found.estimand == Estimand.ATE


def test_the_variance_of_a_unit_and_its_neighbours():
    # Outcomes 1, 3, 8; the neighbours of the first are the others: mean 4, (9 + 1 + 16)/2 = 13.
    own = equal_shares(np.array([0, 0]), np.array([1, 2]))
    assert local_variance(own, np.array([1.0, 3, 8])).tolist() == pytest.approx([13, 0, 0])


def simulated(n=80, seed=1, shuffled=None, rename=str):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": [rename(f"U{at:03d}") for at in range(n)], "x": random.normal(size=n).round(1)})
    frame["z"], frame["kind"] = random.normal(size=n), np.array(list("ab"))[random.integers(0, 2, n)]
    frame["treated"] = (random.random(n) < 0.3).astype(int)
    frame["y"] = frame["treated"] + frame["x"] + random.normal(size=n)
    if shuffled is not None:
        frame = frame.sample(frac=1, random_state=shuffled)
    roles = BaselineRoles(treated="treated", covariates=("x", "z", "kind"), unit="id")
    units = Baseline.from_frame(frame, roles)
    return units, frame.set_index("id")["y"].reindex(units.units.index).to_numpy()


CHOICES = [
    AbadieImbens(n_matches=2),
    AbadieImbens(distance="mahalanobis", exact=("kind",), is_bias_corrected=True, variance_neighbours=2),
    AbadieImbens(distance="logit"),
]


@pytest.mark.parametrize("asked", CHOICES)
@pytest.mark.parametrize("target", ["ATT", "ATC", "ATE"])
def test_rows_names_and_units_of_measurement_change_nothing(asked, target):
    one = abadie_imbens_match(*simulated(), asked, target)
    assert abadie_imbens_match(*simulated(shuffled=4), asked, target).estimate == one.estimate
    assert abadie_imbens_match(*simulated(rename=lambda s: "x" + s), asked, target).estimate == one.estimate
    units, outcome = simulated()
    moved = Baseline(units.units, units.covariates.assign(x=40 - 7 * units.covariates["x"]))
    other = abadie_imbens_match(moved, -5 * outcome, asked, target)
    assert other.estimate.value == pytest.approx(-5 * one.estimate.value, rel=1e-9)
    assert other.estimate.std_error == pytest.approx(5 * one.estimate.std_error, rel=1e-9)


@pytest.mark.parametrize("asked", CHOICES)
def test_constraints_hold_in_the_result(asked):
    units, outcome = simulated()
    found = abadie_imbens_match(units, outcome, asked)
    table = found.pair_table()
    kinds = units.covariates["kind"]
    if asked.exact:
        assert (kinds[table["unit"]].to_numpy() == kinds[table["stand_in"]].to_numpy()).all()
    assert units.is_treated[found.neighbours.focal].all()
    assert not units.is_treated[found.neighbours.partner].any()
    assert table.groupby("unit")["weight"].sum().to_numpy() == pytest.approx(1)


def test_a_caliper_leaves_units_out_and_says_so():
    units, outcome = simulated()
    wide = abadie_imbens_match(units, outcome)
    narrow = abadie_imbens_match(units, outcome, AbadieImbens(caliper=0.3))
    x = units.covariates["x"].to_numpy()
    apart = np.abs(x[narrow.neighbours.focal] - x[narrow.neighbours.partner])
    assert wide.n_dropped == 0
    assert narrow.n_dropped > 0
    assert apart.max() <= 0.3 * x.std() + 1e-12
    assert narrow.estimand == Estimand.ATT_AMONG_MATCHED


def test_neighbours_are_those_of_every_distance():
    random = np.random.default_rng(2)
    focal, pool = random.normal(size=(40, 3)).round(1), random.normal(size=(90, 3)).round(1)
    rows, columns = tied_nearest(focal, pool, 3, 1e-9)
    squares = ((focal[:, None] - pool[None]) ** 2).sum(axis=2)
    expected = squares <= np.sort(squares, axis=1)[:, [2]] + 1e-9
    assert (np.argwhere(expected) == np.column_stack([rows, columns])).all()


def test_no_unit_is_its_own_neighbour():
    points = np.array([[0.0], [0.0], [5.0]])
    rows, columns = tied_nearest(points, points, 1, 1e-9, skip_same=True)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 1), (1, 0), (2, 0), (2, 1)]


def test_more_ties_than_fit_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MOST_PAIRS", 50)
    with pytest.raises(DesignError, match="Ties make 100 pairs"):
        tied_nearest(np.zeros((10, 1)), np.zeros((10, 1)), 1, 0.0)


@pytest.mark.parametrize(
    ("columns", "asked", "said"),
    [
        ({"x": [1.0] * 6}, {}, "'x' does not vary"),
        ({"x": [1.0, 2, 3, 4, 5, 6], "y": [2.0, 4, 6, 8, 10, 12]}, {"distance": "mahalanobis"}, "is a sum of others"),
        ({"x": [1.0, 2, 3, 40, 50, 60]}, {"caliper": 0.1}, "No unit has a partner"),
        ({"x": [1.0, 2, 3, 4, 5, 6]}, {"exact": ("x",)}, "No unit has a partner"),
        ({"x": [1.0, 2, 3, 4, 5, 6]}, {"n_matches": 0}, "1 or more"),
        ({"x": [1.0, 2, 3, 4, 5, 6]}, {"n_matches": 4}, "there are 3"),
        ({"x": [1.0, 2, 3, 4, 5, 6]}, {"caliper": -1.0}, "positive number"),
        ({"x": [1.0, 2, 3, 3, 3, 4]}, {"is_bias_corrected": True}, "too few for a correction"),
        ({"x": [1.0, 2, 3, 4, 5, 6]}, {"variance_neighbours": 5}, "5 matches for each unit"),
    ],
)
def test_what_cannot_be_matched_is_refused(columns, asked, said):
    with pytest.raises(DesignError, match=said):
        abadie_imbens_match(baseline([1, 1, 1, 0, 0, 0], **columns), np.arange(6.0), AbadieImbens(**asked))


def test_one_arm_and_outcomes_that_are_missing_are_refused():
    with pytest.raises(DesignError, match="no treated or no comparison"):
        abadie_imbens_match(baseline([1, 1]), np.zeros(2))
    with pytest.raises(DesignError, match="one finite number for each of the 2 units"):
        abadie_imbens_match(baseline([1, 0]), np.array([1.0, np.nan]))


def test_one_treated_unit_and_one_outcome_have_no_error():
    found = abadie_imbens_match(baseline([1, 0, 0]), np.array([4.0, 1, 2]))
    assert found.estimate.value == 3
    assert isinstance(found.estimate.std_error, Unavailable)
    alike = abadie_imbens_match(baseline([1, 0, 1, 0]), np.full(4, 2.0))
    assert "alike" in alike.estimate.std_error.reason
