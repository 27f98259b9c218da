"""Two-way fixed effects and the Goodman-Bacon decomposition against R (fixest 0.14.2, bacondecomp 0.1.1)."""

import numpy as np
import pandas as pd
import pytest

from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.estimate.least_squares_arrays import cluster_error, least_squares, row_error
from evalkit.estimate.two_way.bacon import ALWAYS, NEVER, bacon_decomposition
from evalkit.estimate.two_way.two_way import EventOptions, two_way_effect, two_way_event_study

KINDS = {
    "Treated vs Untreated": "treated against never treated",
    "Earlier vs Later Treated": "earlier against later, before the later start",
    "Later vs Earlier Treated": "later against earlier, already treated",
    "Later vs Always Treated": "later against always treated",
    "Both Treated": "both treated",
}


def started(frame, unit, period, treated):
    """Return each row's first treated period, NaN for units never treated."""
    return frame[unit].map(frame[frame[treated] > 0].groupby(unit)[period].min())


def castle(golden, **roles):
    frame = pd.read_csv(golden / "did" / "castle_bacondecomp.csv").copy()
    frame = frame.assign(cohort=started(frame, "state", "year", "post"))
    return Panel.from_frame(frame, Roles(unit="state", period="year", outcome="l_homicide", cohort="cohort", **roles))


def mpdta(golden):
    frame = pd.read_csv(golden / "did" / "mpdta.csv")
    frame = frame.assign(cohort=frame["first.treat"].where(frame["first.treat"] > 0))
    return Panel.from_frame(frame, Roles(unit="countyreal", period="year", outcome="lemp", cohort="cohort"))


def base_did(golden):
    frame = pd.read_csv(golden / "did" / "base_did.csv")
    frame = frame.assign(cohort=np.where(frame["treat"] == 1, 6.0, np.nan))
    return Panel.from_frame(frame, Roles(unit="id", period="period", outcome="y", cohort="cohort", covariates=("x1",)))


@pytest.mark.parametrize(
    ("make", "value", "std_error"),
    [
        (mpdta, -0.0365489366741, 0.0132651554293),
        (castle, 0.0818116169306, 0.0588742180792),
        (base_did, 4.85064514323, 0.4552220459423),
    ],
)
def test_two_way_effects_and_their_errors(golden, make, value, std_error):
    found = two_way_effect(make(golden)).estimate
    # The reference is printed with 12 digits.
    np.testing.assert_allclose([found.value, found.std_error], [value, std_error], rtol=1e-11)


def test_weighted_two_way_effect(golden):
    # R's lm with weights = popwt: .0594441496433.
    assert two_way_effect(castle(golden, weight="popwt")).estimate.value == pytest.approx(0.0594441496433, rel=1e-11)


def test_card_and_krueger(golden):
    # README of the reference values: all non-missing 2.75360578298, errors iid, HC1 and CR1 by store.
    frame = pd.read_csv(golden / "did" / "card_krueger_long.csv").dropna(subset=["fte"]).sort_values("id")
    columns = (frame["nj"] * frame["d"]).to_numpy(dtype=float)[:, None]
    others = np.column_stack([np.ones(len(frame)), frame["nj"], frame["d"]]).astype(float)
    store = pd.factorize(frame["id"])[0]
    fit = least_squares(frame["fte"].to_numpy(), columns, others, np.ones(len(frame)), store)
    found = [row_error(fit, 0, "classical"), row_error(fit, 0, "HC1"), cluster_error(fit, 0, "CR1S").std_error]
    assert len(frame) == 794
    np.testing.assert_allclose(fit.coefficients[0], 2.75360578298, rtol=1e-11)
    np.testing.assert_allclose(found, [1.6884091309095, 1.7954508098057, 1.3066070124191], rtol=1e-9)


def test_card_and_krueger_balanced(golden):
    # Stores seen twice: 2.75 (1.3377230281805), 768 rows.
    frame = pd.read_csv(golden / "did" / "card_krueger_long.csv").dropna(subset=["fte"])
    frame = frame[frame.groupby("id")["fte"].transform("size") == 2]
    frame = frame.assign(cohort=np.where(frame["nj"] == 1, 1.0, np.nan))
    found = two_way_effect(Panel.from_frame(frame, Roles(unit="id", period="d", outcome="fte", cohort="cohort")))
    assert found.n_rows == 768
    np.testing.assert_allclose([found.estimate.value, found.estimate.std_error], [2.75, 1.3377230281805], rtol=1e-10)


def test_event_study(golden):
    wanted = pd.read_csv(golden / "did" / "golden_base_did_event_twfe.csv").iloc[1:]
    compare(two_way_event_study(base_did(golden)), wanted)


def test_event_study_of_medicaid(golden):
    # ehec: states that expanded in 2014 against those that did not by 2015 (2015 starters left out), 2008 to 2015.
    frame = pd.read_csv(golden / "did" / "ehec_data.csv")
    frame = frame[(frame["year"] < 2016) & (frame["yexp2"] != 2015)]
    frame = frame.assign(cohort=frame["yexp2"].where(frame["yexp2"] == 2014))
    panel = Panel.from_frame(frame, Roles(unit="stfips", period="year", outcome="dins", cohort="cohort"))
    plain = EventOptions(errors="plain")  # 22 states expanded: the reference has CR1 errors all the same
    compare(two_way_event_study(panel, plain), pd.read_csv(golden / "did" / "golden_ehec_twfe_event.csv"))


def compare(found, wanted):
    values = [(time.estimate.value, time.estimate.std_error, time.estimate.p_value) for time in found.times]
    columns = wanted[["Estimate", "Std..Error", "Pr...t.."]].to_numpy()
    np.testing.assert_allclose(values, columns, rtol=1e-9, atol=1e-14)


def pairs(found):
    return {(pair.treated, pair.compared): (pair.weight, pair.estimate, pair.kind) for pair in found.pairs}


def wanted_pairs(path):
    names = {"Treated vs Untreated": NEVER, "Later vs Always Treated": ALWAYS}
    frame = pd.read_csv(path)
    return {
        (row.treated, NEVER if row.untreated == 99999 else names.get(row.type, row.untreated)): (
            row.weight,
            row.estimate,
            KINDS[row.type],
        )
        for row in frame.itertuples()
    }


def test_bacon_of_castle(golden):
    found = bacon_decomposition(castle(golden))
    compare_pairs(pairs(found), wanted_pairs(golden / "did" / "golden_bacon_castle_lhomicide.csv"), 25)
    assert found.estimate == pytest.approx(0.0818116169306, rel=1e-11)
    # The vignette's totals: weights .059763252, .031898177, .908338571.
    totals = {total.kind: (total.weight, total.estimate) for total in found.totals}
    wanted = {
        "Earlier vs Later Treated": (0.059763252, -0.00554197875164),
        "Later vs Earlier Treated": (0.031898177, 0.0703206344191),
        "Treated vs Untreated": (0.90833857, 0.0879624911679),
    }
    for name, (weight, estimate) in wanted.items():
        assert totals[KINDS[name]] == (pytest.approx(weight, abs=5e-9), pytest.approx(estimate, rel=1e-10))


def test_bacon_of_divorce_with_states_always_treated(golden):
    frame = pd.read_csv(golden / "did" / "divorce_trim.csv")
    frame = frame[frame["sex"] == 2]
    frame = frame.assign(cohort=started(frame, "st", "year", "unilateral"))
    roles = Roles(unit="st", period="year", outcome="suiciderate_elast_jag", cohort="cohort")
    found = bacon_decomposition(Panel.from_frame(frame, roles))
    compare_pairs(pairs(found), wanted_pairs(golden / "did" / "golden_bacon_divorce.csv"), 156)
    assert found.estimate == pytest.approx(-0.0560458646882, rel=1e-11)


def test_bacon_of_castle_with_covariates(golden):
    found = bacon_decomposition(castle(golden, covariates=("l_pop", "l_income")))
    wanted = wanted_pairs(golden / "did" / "golden_bacon_castle_controls.csv")
    mine = pairs(found)
    # R names either cohort of a pair as treated; the kit the one that starts first.
    both = {key if key in mine else key[::-1]: value for key, value in wanted.items()}
    compare_pairs(mine, both, 15)
    assert found.within_share == pytest.approx(0.0136049990332, rel=1e-10)
    assert found.estimate == pytest.approx(
        two_way_effect(castle(golden, covariates=("l_pop", "l_income"))).estimate.value, rel=1e-10
    )


def test_bacon_of_the_other_coding_of_castle(golden):
    # causaldata's castle codes `post` otherwise: .069398434, the weights of Stata's estat bdecomp.
    frame = pd.read_csv(golden / "did" / "castle_causaldata.csv")
    frame = frame.assign(cohort=started(frame, "sid", "year", "post"))
    roles = Roles(unit="sid", period="year", outcome="l_homicide", cohort="cohort")
    found = bacon_decomposition(Panel.from_frame(frame, roles))
    assert found.estimate == pytest.approx(0.069398434, abs=5e-10)
    totals = {total.kind: (round(total.weight, 5), round(total.estimate, 5)) for total in found.totals}
    assert totals == {
        KINDS["Treated vs Untreated"]: (0.89881, 0.07844),
        KINDS["Earlier vs Later Treated"]: (0.07708, -0.02858),
        KINDS["Later vs Earlier Treated"]: (0.02411, 0.04563),
    }


def compare_pairs(found, wanted, n):
    assert len(found) == n
    assert found.keys() == wanted.keys()
    for key, (weight, estimate, kind) in wanted.items():
        assert found[key] == (pytest.approx(weight, abs=1e-12), pytest.approx(estimate, abs=1e-11), kind), key
