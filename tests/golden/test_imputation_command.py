"""`evalkit did --estimator imputation`: effects and leads as didimputation gives them."""

import numpy as np
import pandas as pd
import pytest

from tests.did_command import did


@pytest.fixture(scope="module")
def found(golden, tmp_path_factory):
    table = pd.read_csv(golden / "did" / "mpdta.csv")
    table["cohort"] = table["first.treat"].replace(0, np.nan)
    table = table.rename(columns={"countyreal": "unit", "lemp": "y"})
    folder = tmp_path_factory.mktemp("imputation")
    return did(table, folder, "--estimator", "imputation").record


def test_every_event_time_and_lead_is_the_reference_s(found, golden):
    reference = pd.read_csv(golden / "did" / "golden_bjs_mpdta_event.csv")
    times = {time["event_time"]: time for time in found["event_study"]["times"]}
    assert sorted(times) == sorted(reference["term"].astype(int))
    for row in reference.itertuples():
        time = times[int(row.term)]
        assert time["estimate"] == pytest.approx(row.estimate, rel=1e-6)
        assert time["std_error"] == pytest.approx(row._3, rel=1e-6)


def test_leads_have_no_band_and_a_joint_test(found):
    lead = found["event_study"]["times"][0]
    assert lead["event_time"] == -3
    assert "tested together" in lead["band"]["unavailable"]
    assert found["pre_test"]["df"] == 3
    assert 0 < found["pre_test"]["p_value"] < 1
