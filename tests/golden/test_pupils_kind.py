"""The kind `pupils` inside a project against lme4: effect, its error, variances, ICC and effect size.

Tolerances: lme4's optimiser stops at about 1e-7 of the ICC, so effects agree to 1e-6, errors and variances to 5e-6.
"""

from pathlib import Path

import pandas as pd
import pytest

from evalkit.run.notebooks.session import open_evaluation
from tests.pupil_tables import PROJECT


@pytest.fixture(scope="module")
def folder(golden) -> Path:
    return golden / "kinds" / "01_pupils_in_schools"


@pytest.fixture(scope="module")
def expected(folder):
    return pd.read_csv(folder / "expected.csv").set_index(["case", "quantity"])["value"]


@pytest.fixture(scope="module")
def results(folder, tmp_path_factory):
    """One row a pupil with an earlier score; schools' areas left out, as every area of the data holds both arms."""
    made = tmp_path_factory.mktemp("golden-pupils")
    table = pd.read_csv(folder / "pupils.csv")
    table.to_csv(made / "pupils.csv", index=False)
    table.loc[table["treated"] == 1, ["school"]].drop_duplicates().to_csv(made / "participants.csv", index=False)
    text = PROJECT.replace(", period: year, area: la", "")
    options = ", model: waves, pre_score: pupils.prior, covariates: [pupils.fsm]"
    (made / "project.yml").write_text(text.format(pre="2017", post="2018", options=options), encoding="utf-8")
    return open_evaluation(str(made / "project.yml")).primary


def test_the_model_is_that_of_lme4(results, expected):
    found, case = results.details.primary, expected["conditional_reml"]
    assert found.model.effect.value == pytest.approx(case["coef[treated]"], rel=1e-6)
    assert found.model.effect.std_error == pytest.approx(case["se[treated]"], rel=5e-6)
    assert found.model.effect.df == expected["conditional_reml"]["treated_df_between"]
    for name in ("prior", "fsm"):
        assert found.model.coefficient(name).value == pytest.approx(case[f"coef[{name}]"], rel=1e-6)
    assert found.model.conditional.icc == pytest.approx(case["icc_own_optimum"], abs=1e-6)
    assert found.model.log_likelihood == pytest.approx(case["log_likelihood"], rel=1e-9)


def test_icc_and_spread_are_those_of_the_empty_model(results, expected):
    empty, case = results.details.primary.empty, expected["empty_reml"]
    assert empty.unconditional.icc == pytest.approx(case["icc_own_optimum"], abs=1e-6)
    assert empty.unconditional.between == pytest.approx(case["variance_school"], rel=5e-6)
    assert empty.unconditional.within == pytest.approx(case["variance_pupil"], rel=5e-6)
    assert empty.unconditional.icc_interval.lower == pytest.approx(case["icc_profile_low"], abs=1e-5)
    assert empty.unconditional.icc_interval.upper == pytest.approx(case["icc_profile_high"], abs=1e-5)


def test_g_divides_by_the_total_of_the_empty_model(results, expected):
    size = next(one for one in results.effects if one.design == "two-level").effect_size
    case = expected["effect_size"]
    assert size.sd_used == pytest.approx(case["sd[unconditional_total_empty]"], rel=1e-6)
    assert size.hedges_g == pytest.approx(case["g_corrected[unconditional_total_empty]"], rel=1e-6)
    assert size.sd_conditional == pytest.approx(case["sd[conditional_total]"], rel=1e-6)
    assert size.hedges_g_conditional == pytest.approx(case["g[conditional_total]"], rel=1e-6)
