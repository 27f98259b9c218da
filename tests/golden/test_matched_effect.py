"""Effects after matching against R: sandwich, clubSandwich, marginaleffects on MatchIt's designs, and Matching."""

import pandas as pd
import pytest

from evalkit.estimate.matched_effect import EffectOptions, matched_effect
from tests.unit.estimate.matched_designs import LALONDE, lalonde, reference_design

EXACT = 1e-10


@pytest.fixture(scope="module")
def folder(golden):
    return golden / "matching" / "lalonde_matchit_4.7.2"


@pytest.fixture(scope="module")
def others(golden):
    return golden / "matching" / "lalonde_other"


@pytest.fixture(scope="module")
def data(golden):
    return lalonde(golden)


ERRORS = {"HC1": "HC1", "HC3": "HC3", "vcovCL_HC1": "cluster", "vcovCL_HC1_twoway": "two-way"}


def options(model: str, vcov: str) -> EffectOptions:
    if model.startswith("unadjusted"):
        return EffectOptions(errors=ERRORS[vcov])
    return EffectOptions(errors=ERRORS[vcov], adjust=LALONDE, adjustment="additive")


def test_every_robust_and_clustered_error_is_that_of_sandwich(data, folder):
    table = pd.read_csv(folder / "att_estimates.csv")
    # With replacement, errors clustered by set alone leave out that partners recur; the kit refuses them.
    table = table[~(table["model"].str.endswith("_getmatches") & (table["vcov"] == "vcovCL_HC1"))]
    units, outcome = data
    designs = {spec: reference_design(units, folder, spec) for spec in table["spec"].unique()
               if spec != "opt_exact_race_maha"}  # fmt: skip
    assert len(designs) == 40
    n = 0
    for row in table[table["spec"].isin(designs)].itertuples():
        if row.spec == "exact_ate" and "covariate" in row.model:
            pass
        found = matched_effect(designs[row.spec], outcome, options(row.model, row.vcov))
        assert found.estimate.value == pytest.approx(row.estimate, rel=EXACT, abs=1e-7), (row.spec, row.model)
        assert found.estimate.std_error == pytest.approx(row.se, rel=EXACT), (row.spec, row.model, row.vcov)
        n += 1
    assert n > 200
