"""Synthetic control of one area on one and two features, and partially pooled over areas with starts of their own.

Reference values: cvxpy with Clarabel, certified by their Karush–Kuhn–Tucker conditions, and R's quadprog beside it
(golden/kinds/11_synthetic_control): weights agree there to 2e-8, 6e-8 at worst, and are held to 1e-6 here, effects too.
"""

import numpy as np
import pandas as pd
import pytest

from evalkit.data.areas.series import AreaRoles, AreaSeries
from evalkit.design.panel.area_design import area_design
from evalkit.design.panel.area_starts import area_starts
from evalkit.estimate.synthetic.control import synthetic_control
from evalkit.estimate.synthetic.pooled import pooled_control
from evalkit.estimate.synthetic.pooled_arrays import fit_pooled
from evalkit.estimate.synthetic.weights_arrays import fit_with_features

STARTS = {"T1": 2013, "T2": 2015, "T3": 2015, "T4": 2016}
DONORS = [f"D{at:02d}" for at in range(1, 19)]
CLOSE = 1e-6


@pytest.fixture(scope="module")
def folder(golden):
    return golden / "kinds" / "11_synthetic_control"


@pytest.fixture(scope="module")
def panel(folder):
    return pd.read_csv(folder / "panel.csv")


@pytest.fixture(scope="module")
def expected(folder):
    return pd.read_csv(folder / "expected.csv")


@pytest.fixture(scope="module")
def weights(folder):
    return pd.read_csv(folder / "expected_weights.csv")


def of_area(weights, specification, area):
    own = weights[(weights["specification"] == specification) & (weights["area"] == area)]
    return own.set_index("donor")["weight"].reindex(DONORS).fillna(0.0).to_numpy()


def value(expected, specification, quantity, area="all", at=None):
    own = expected[(expected["specification"] == specification) & (expected["quantity"] == quantity)]
    own = own[own["area"] == area]
    return own[own["year_or_event_time"] == at]["value"].item() if at is not None else own["value"].item()


@pytest.mark.parametrize("area", STARTS)
def test_each_area_by_itself(panel, expected, weights, area):
    own = panel[panel["area"].isin([area, *DONORS])]
    series = AreaSeries.from_frame(own, AreaRoles(unit="area", period="year", outcome="score"))
    found = synthetic_control(area_design(series, [area], STARTS[area]))
    np.testing.assert_allclose(found.weights, of_area(weights, "outcome_only", area), atol=CLOSE)
    assert found.estimate == pytest.approx(value(expected, "outcome_only", "average_effect", area), abs=CLOSE)
    assert found.pre_rmse == pytest.approx(value(expected, "outcome_only", "rmspe_before", area), abs=CLOSE)


@pytest.mark.parametrize("area", STARTS)
def test_a_second_feature_stacked_as_it_is(panel, expected, weights, area):
    # the reference stacks the feature's years unscaled, each a row; the kit's own scaling is another choice of rows
    score, fsm = (panel.pivot(index="year", columns="area", values=name) for name in ("score", "fsm"))
    before = (score.index < STARTS[area]).sum()
    treated = np.concatenate([fsm[area].to_numpy()[:before], score[area].to_numpy()])
    donors = np.vstack([fsm[DONORS].to_numpy()[:before], score[DONORS].to_numpy()])
    found = fit_with_features(treated, donors, int(before), int(before))
    np.testing.assert_allclose(found.weights, of_area(weights, "two_features", area), atol=CLOSE)
    assert found.estimate == pytest.approx(value(expected, "two_features", "average_effect", area), abs=CLOSE)


@pytest.mark.parametrize("nu", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("is_centred", [False, True])
def test_partially_pooled_weights(panel, expected, weights, nu, is_centred):
    specification = f"partially_pooled[demeaned={is_centred};nu={nu:g};ridge=1e-4]"
    score = panel.pivot(index="year", columns="area", values="score")
    n_pre = np.array([(score.index < start).sum() for start in STARTS.values()])
    found = fit_pooled(
        score[list(STARTS)].to_numpy().T,
        score[DONORS].to_numpy(),
        n_pre,
        nu=nu,
        is_centred=is_centred,
        ridge=1e-4,
    )
    for at, area in enumerate(STARTS):
        np.testing.assert_allclose(found.weights[at], of_area(weights, specification, area), atol=CLOSE)
        after = found.gaps[at, n_pre[at] :].mean()
        assert after == pytest.approx(value(expected, specification, "average_effect", area), abs=CLOSE)
    assert found.q_pooled == pytest.approx(value(expected, specification, "q_pooled"), abs=CLOSE)
    assert found.q_separate == pytest.approx(value(expected, specification, "q_separate"), abs=CLOSE)
    assert found.estimate == pytest.approx(value(expected, specification, "average_balanced_horizon"), abs=CLOSE)
    objective = nu * found.q_pooled**2 + (1 - nu) * found.q_separate**2 + 1e-4 * (found.weights**2).sum()
    assert objective == pytest.approx(value(expected, specification, "objective"), abs=1e-9)
    for time in range(5):
        assert found.gap[12 + time] == pytest.approx(
            value(expected, specification, "event_time_average", at=time), abs=CLOSE
        )


def test_averages_over_areas_and_times_of_weights_that_are_each_area_s_own(panel, expected):
    # ν = 0 takes the last twelve years before each start, outcome_only all: for the area with the first start the same
    series = AreaSeries.from_frame(panel, AreaRoles(unit="area", period="year", outcome="score"))
    found = pooled_control(area_starts(series, STARTS), nu=0.0)
    first = found.by_area[0]
    assert first.estimate == pytest.approx(value(expected, "outcome_only", "average_effect", "T1"), abs=1e-4)
    seen = [one.n_areas for one in found.by_event_time if one.event_time >= 0]
    told = expected[(expected["specification"] == "outcome_only") & (expected["quantity"] == "event_time_areas")]
    assert seen == told.sort_values("year_or_event_time")["value"].astype(int).tolist()
    # the ratio by which the data choose ν, from the gaps at ν = 0
    gaps = np.array([row[at - 12 : at] for row, at in zip(found.fit.gaps, found.fit.n_pre, strict=True)])
    ratio = np.linalg.norm(gaps.sum(axis=0)) / np.linalg.norm(gaps, axis=1).sum()
    assert pooled_control(area_starts(series, STARTS)).fit.nu == pytest.approx(ratio, abs=1e-12)
