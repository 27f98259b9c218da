"""What matching may see: units before the programme, complete, in an order fixed by their ids."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.data.baseline import Baseline


def units(**columns):
    content = {"group": [1, 2, 2], "region": ["N", "N", "S"], "is_treated": [True, False, False]} | columns
    return pd.DataFrame(content, index=["c", "a", "b"])


def test_a_baseline_refuses_follow_up_years():
    covariates = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=["c", "a", "b"])
    with pytest.raises(DesignError, match="may not hold the follow-up year 2018"):
        Baseline.of(units(), covariates, [2016, 2018], 2018)
    assert Baseline.of(units(), covariates, [2016, 2017], 2018).years == (2016, 2017)


def test_a_baseline_keeps_units_whose_covariates_are_known_in_order():
    covariates = pd.DataFrame({"x": [1.0, np.nan, 3.0]}, index=["c", "a", "b"])
    baseline = Baseline.of(units(), covariates, [2016], 2018)
    assert baseline.units.index.tolist() == baseline.covariates.index.tolist() == ["b", "c"]


def test_a_baseline_with_a_gap_or_out_of_order_is_refused():
    covariates = pd.DataFrame({"x": [1.0, np.nan, 3.0]}, index=["a", "b", "c"])
    with pytest.raises(DesignError, match="covariate is missing"):
        Baseline(units().sort_index(), covariates, (2016,), 2018)
    with pytest.raises(DesignError, match="sorted"):
        Baseline(units(), covariates, (2016,), 2018)
