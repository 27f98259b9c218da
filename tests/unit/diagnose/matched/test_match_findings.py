"""What a reader must know of a matched design: each verdict at both sides of its line."""

import numpy as np
import pandas as pd
import pytest

from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import ExactMatching
from evalkit.diagnose.finding import Verdict
from evalkit.diagnose.matched.balance import match_balance
from evalkit.diagnose.matched.findings import match_findings


def design(treated, comparison, weights=None, used=None):
    """A design on one covariate; all treated and comparison units weigh one unless said."""
    values = [*treated, *comparison]
    frame = pd.DataFrame({"x": values, "t": [1] * len(treated) + [0] * len(comparison)})
    baseline = Baseline.from_frame(frame, BaselineRoles(treated="t", covariates=("x",)))
    own = np.ones(len(values)) if weights is None else np.array(weights, dtype=float)
    if used is not None:
        own = own * np.array(used, dtype=float)
    return MatchedDesign(
        baseline=baseline,
        option=ExactMatching(),
        target="ATT",
        weights=own,
        discarded=np.zeros(len(values), dtype=bool),
    )


def findings(made):
    return {one.name: one for one in match_findings(made, match_balance(made))}


SPREAD = np.linspace(0, 10, 41)


def test_like_arms_are_reassuring_in_everything():
    found = findings(design(SPREAD, SPREAD))
    assert {one.verdict for one in found.values()} == {Verdict.REASSURING}


@pytest.mark.parametrize(
    ("shift", "verdict"), [(0.0, Verdict.REASSURING), (0.4, Verdict.CAUTION), (2.0, Verdict.SERIOUS)]
)
def test_the_difference_left_is_judged_by_its_size(shift, verdict):
    """The SD of 0 … 10 in steps of a quarter is 2.99: 0.4 is 0.13 of it, 2.0 is 0.67."""
    found = findings(design(SPREAD + shift, SPREAD))["baseline_balance"]
    assert found.verdict is verdict
    assert found.statistic == pytest.approx(shift / SPREAD.std(ddof=1))


def test_a_spread_of_half_is_told():
    found = findings(design(5 + (SPREAD - 5) * 0.6, SPREAD))["variance_ratios"]
    assert found.verdict is Verdict.CAUTION  # 0.6² = 0.36 < 0.5
    assert found.statistic == pytest.approx(0.36)
    assert "x (0.36)" in found.sentence


def test_treated_units_beyond_the_others_are_counted():
    """Of 41 from 0 to 10 the 20 above 5 lie outside 0 … 5."""
    found = findings(design(SPREAD, SPREAD / 2))["overlap"]
    assert found.statistic == pytest.approx(20 / 41)
    assert found.sentence.startswith("20 of the 41 treated units used lie outside")
    assert found.verdict is Verdict.SERIOUS


def test_few_effective_units_and_one_heavy_unit_are_told():
    """One comparison unit of weight 10 beside 40 of 1: 10/50 of the weight, and 50²/(100 + 40) = 17.9 units."""
    weights = [*np.ones(41), 10.0, *np.ones(40)]
    found = findings(design(SPREAD, SPREAD, weights=weights))
    assert found["heaviest_unit"].statistic == pytest.approx(0.2)
    assert found["heaviest_unit"].verdict is Verdict.CAUTION
    assert found["effective_number"].statistic == pytest.approx(2500 / 140)
    assert found["effective_number"].verdict is Verdict.CAUTION


@pytest.mark.parametrize(("n_lost", "verdict"), [(4, Verdict.CAUTION), (20, Verdict.SERIOUS)])
def test_units_lost_change_the_question(n_lost, verdict):
    used = [*np.zeros(n_lost), *np.ones(82 - n_lost)]
    found = findings(design(SPREAD, SPREAD, used=used))["units_lost"]
    assert found.verdict is verdict
    assert found.sentence.startswith(f"{n_lost} of 41 treated units could not be used")


def test_an_arm_with_a_value_of_its_own_is_serious():
    found = findings(design([3.0] * 12, [5.0] * 12))["baseline_balance"]
    assert found.verdict is Verdict.SERIOUS
    assert "each arm has a value of its own" in found.sentence
