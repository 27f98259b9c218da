"""Change and analysis of covariance on a matched sample against R: lm, sandwich, clubSandwich."""

import numpy as np
import pandas as pd
import pytest

from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.estimate.matched.after_matching import after_matching
from evalkit.estimate.matched.matched_effect import matched_effect
from evalkit.estimate.matched.task import EffectOptions
from tests.unit.estimate.matched_designs import paired

EXACT = 1e-10
ERRORS = {
    "se_treated[HC1]": ("HC1", None), "se_treated[HC3]": ("HC3", None), "se_treated[CR1_stata,pair]": ("cluster", None),
    "se_treated[CR2,pair]": ("CR2", None), "se_treated[CR1_stata,area]": ("cluster", "area"),
    "se_treated[CR2,area]": ("CR2", "area"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(golden):
    return golden / "kinds" / "04_ancova_change"


@pytest.fixture(scope="module")
def expected(folder):
    table = pd.read_csv(folder / "expected.csv")
    return table.set_index(["case", "quantity"])["value"]


@pytest.fixture(scope="module")
def sample(folder):
    """The matched pairs as a design, with the outcome before and after."""
    frame = pd.read_csv(folder / "matched_schools.csv").sort_values("school")
    roles = BaselineRoles(treated="treated", unit="school", covariates=("before", "fsm"), labels=("area", "pair"))
    baseline = Baseline.from_frame(frame, roles)
    position = {name: at for at, name in enumerate(baseline.units.index)}
    of_pair = {arm: rows.set_index("pair")["school"].map(position) for arm, rows in frame.groupby("treated")}
    design = paired(baseline, of_pair[1].sort_index().to_numpy(), of_pair[0].sort_index().to_numpy())
    return design, frame.set_index("school")


def weighted(design, weight):
    """The same pairs, units weighing as given."""
    return type(design)(
        baseline=design.baseline, option=design.option, target=design.target, pairs=design.pairs, strata=design.strata,
        weights=weight, discarded=design.discarded,
    )  # fmt: skip


@pytest.mark.parametrize("weights", ["unweighted", "pupils"])
@pytest.mark.parametrize("model", ["change", "change_fsm", "after_only", "ancova", "ancova_fsm"])
def test_every_estimate_and_error_is_that_of_r(sample, expected, model, weights):
    design, frame = sample
    if weights == "pupils":
        design = weighted(design, frame["pupils"].to_numpy(dtype=float))
    outcome = frame["after"] - frame["before"] * model.startswith("change")
    adjust = ("before",) * model.startswith("ancova") + ("fsm",) * model.endswith("fsm")
    for quantity, (errors, cluster) in ERRORS.items():
        options = EffectOptions(
            adjust=adjust, adjustment="additive" if adjust else None, errors=errors, cluster=cluster
        )
        found = matched_effect(design, outcome, options)
        case = f"{model}/{weights}"
        assert found.estimate.value == pytest.approx(expected[case, "coef[treated]"], rel=EXACT)
        assert found.estimate.std_error == pytest.approx(expected[case, quantity], rel=EXACT), (case, quantity)


def test_degrees_of_freedom_by_area_are_no_more_than_those_of_r(sample, expected):
    # the kit takes the fewer of R's and of those of clusters that are alike: areas hold both arms here
    design, frame = sample
    found = after_matching(
        design, frame[["before"]], frame["after"], options=EffectOptions(errors="CR2", cluster="area")
    )
    assert found.change.estimate.df <= expected["change/unweighted", "df_satterthwaite[CR2,area]"] * (1 + EXACT)
    paired_errors = matched_effect(design, frame["after"] - frame["before"], EffectOptions(errors="CR2"))
    df = expected["change/unweighted", "df_satterthwaite[CR2,pair]"]
    assert paired_errors.estimate.df == pytest.approx(df, rel=EXACT)


def test_the_interacted_model_is_that_of_r_centred_where_r_centres(sample, expected):
    # R centres at the mean of all 90 schools, which are equally many of each arm: the average over both arms
    design, frame = sample
    both = type(design)(
        baseline=design.baseline, option=design.option, target="ATE", pairs=design.pairs, strata=design.strata,
        weights=design.weights, discarded=design.discarded,
    )  # fmt: skip
    options = EffectOptions(adjust=("before",), adjustment="g-computation", errors="HC3")
    found = matched_effect(both, frame["after"], options)
    case = "ancova_interacted/unweighted"
    assert found.estimate.value == pytest.approx(expected[case, "coef[treated]"], rel=EXACT)
    assert found.estimate.std_error == pytest.approx(expected[case, "se_treated[HC3]"], rel=EXACT)


def test_lord_s_identity_holds(sample, expected):
    design, frame = sample
    change = after_matching(design, frame[["before"]], frame["after"]).change.estimate.value
    additive = EffectOptions(adjust=("before",), adjustment="additive")
    ancova = matched_effect(design, frame["after"], additive).estimate.value
    gap = frame["before"] @ np.where(frame["treated"] == 1, 1, -1) / 45
    slope = expected["lord", "slope"]
    assert ancova - change == pytest.approx((1 - slope) * gap, abs=EXACT)
    assert ancova - change == pytest.approx(expected["lord", "ancova_minus_change"], abs=EXACT)


def test_the_paired_change_is_the_mean_of_pair_differences(sample, expected):
    design, frame = sample
    found = after_matching(design, frame[["before"]], frame["after"]).change
    assert found.estimate.value == pytest.approx(expected["paired_change", "mean"], rel=EXACT)
    assert found.estimate.std_error == pytest.approx(
        # clustered by pair with HC1: √(G/(G − 1) · (n − 1)/(n − k)), G = 45, n = 90, k = 2, over √(G/(G − 1))
        expected["paired_change", "se"] * np.sqrt(89 / 88), rel=EXACT
    )  # fmt: skip
