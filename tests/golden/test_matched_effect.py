"""Effects after matching against R: sandwich, clubSandwich, marginaleffects on MatchIt's designs, and Matching."""

import numpy as np
import pandas as pd
import pytest

from evalkit.estimate.matched.abadie_imbens import AbadieImbens, abadie_imbens_match
from evalkit.estimate.matched.matched_effect import matched_effect
from evalkit.estimate.matched.task import EffectOptions
from tests.unit.estimate.matched_designs import LALONDE, SCHOOLS, lalonde, paired, reference_design, schools

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
    designs = {
        spec: reference_design(units, folder, spec) for spec in table["spec"].unique() if spec != "opt_exact_race_maha"
    }  # matched in a part of the file, fmt: skip
    assert len(designs) == 40
    n = 0
    for row in table[table["spec"].isin(designs)].itertuples():
        found = matched_effect(designs[row.spec], outcome, options(row.model, row.vcov))
        assert found.estimate.value == pytest.approx(row.estimate, rel=EXACT, abs=1e-7), (row.spec, row.model)
        assert found.estimate.std_error == pytest.approx(row.se, rel=EXACT), (row.spec, row.model, row.vcov)
        n += 1
    assert n > 200


def test_the_school_file_s_errors_are_those_of_sandwich(golden):
    folder = golden / "matching" / "school"
    units, later = schools(golden)
    table = pd.read_csv(folder / "att_estimates.csv")
    designs = {}
    n = 0
    for row in table.itertuples():
        outcome = later[row.outcome] - later["ks2_2017"] * (row.model == "gain_from_2017")
        design = designs.setdefault(row.spec, reference_design(units, folder, row.spec))
        adjust = SCHOOLS if row.model == "adjusted" else ()
        for errors, column in (("HC1", "se_HC1"), ("HC3", "se_HC3"), ("cluster", "se_cl_subclass")):
            if np.isnan(getattr(row, column)):
                continue
            how = "additive" if adjust else None
            found = matched_effect(design, outcome, EffectOptions(errors=errors, adjust=adjust, adjustment=how))
            assert found.estimate.value == pytest.approx(row.estimate, rel=EXACT), (row.spec, row.model)
            assert found.estimate.std_error == pytest.approx(getattr(row, column), rel=EXACT), (row.spec, row.model)
            n += 1
    assert n > 120


@pytest.mark.parametrize("spec", ["nn_ps", "nn_ratio2", "subclass6", "cem", "full_att"])
def test_g_computation_is_that_of_marginaleffects(data, folder, others, spec):
    row = pd.read_csv(others / "gcomp_ATT_marginaleffects.csv").set_index("spec").loc[spec]
    units, outcome = data
    design = reference_design(units, folder, spec)
    found = matched_effect(design, outcome, EffectOptions(adjust=LALONDE, errors="cluster"))
    assert found.estimate.value == pytest.approx(row["estimate"], rel=EXACT)
    assert found.estimate.std_error == pytest.approx(by_the_formula(design, outcome), rel=EXACT)
    if spec != "subclass6":  # R gives 1226.10 for 18 coefficients and 6 clusters; the formula itself gives 567.52
        # marginaleffects differentiates numerically: 3e-7 from the formula.
        assert found.estimate.std_error == pytest.approx(row["se_cluster_subclass"], rel=1e-6)


def by_the_formula(design, outcome) -> float:
    """The delta-method error of g-computation for the treated, written out: j'Vj, V clustered by subclass with HC1."""
    used = design.is_used
    frame = design.baseline.covariates[used]
    x = np.column_stack(
        [np.ones(used.sum())]
        + [frame[name].to_numpy(float) for name in LALONDE if name != "race"]
        + [(frame["race"] == level).to_numpy(float) for level in ("hispan", "white")]
    )
    treated, weight = design.baseline.is_treated[used], design.weights[used]
    size = np.sqrt((x**2).mean(axis=0))
    full = np.column_stack([x, x * treated[:, None]]) / np.tile(size, 2)
    bread = np.linalg.inv(full.T @ (full * weight[:, None]))
    y = outcome.reindex(design.baseline.units.index)[used].to_numpy()
    score = full * (weight * (y - full @ (bread @ (full.T @ (weight * y)))))[:, None]
    codes = np.unique(design.strata[used], return_inverse=True)[1]
    sums = np.array([score[codes == code].sum(axis=0) for code in range(codes.max() + 1)])
    direction = bread @ np.concatenate([np.zeros(x.shape[1]), x[treated].mean(axis=0) / size])
    (n, k), groups = full.shape, len(sums)
    return np.sqrt(groups / (groups - 1) * (n - 1) / (n - k) * ((sums @ direction) ** 2).sum())


@pytest.mark.parametrize("adjust", [(), LALONDE])
def test_cr2_is_that_of_clubsandwich(data, folder, others, adjust):
    table = pd.read_csv(others / "clubSandwich_nn_ps_subclass.csv").set_index("type")
    row = table[table["model"].str.contains("age") == bool(adjust)].loc["CR2"]
    units, outcome = data
    asked = EffectOptions(adjust=adjust, adjustment="additive" if adjust else None, errors="CR2")
    found = matched_effect(reference_design(units, folder, "nn_ps"), outcome, asked).estimate
    assert found.value == pytest.approx(row["beta"], rel=EXACT)
    assert found.std_error == pytest.approx(row["se"], rel=1e-8)
    assert found.df == pytest.approx(row["df"], rel=1e-8)
    assert found.p_value == pytest.approx(row["p"], rel=1e-8)


@pytest.mark.parametrize(
    ("spec", "estimate", "std_error", "words"),
    # The table of the matching methods, made with MatchIt 4.7.2 and sandwich 3.0-2: the errors each method should have.
    [
        ("nn_ps", 894.37, 705.23, "matched pair"),
        ("nn_replace", 1991.62, 918.60, "matched pair and unit"),
        ("nn_caliper01", 1835.41, 1026.56, "matched pair"),
        ("nn_exact_race", 1472.69, 900.48, "matched pair"),
        ("subclass6", 1359.49, 841.63, "HC3"),
        ("full_att", 1675.80, 773.20, "matched set"),
    ],
)
def test_the_errors_that_suit_are_the_default(data, folder, spec, estimate, std_error, words):
    units, outcome = data
    design = reference_design(units, folder, spec)
    found = matched_effect(design, outcome)
    assert found.estimate.value == pytest.approx(estimate, abs=0.006)
    assert found.estimate.std_error == pytest.approx(std_error, abs=0.006)
    assert words in found.inference


MATCH = {
    "ps_ATT_M1_ties": ("ATT", AbadieImbens(distance="logit")),
    "ps_ATT_M4_ties": ("ATT", AbadieImbens(distance="logit", n_matches=4)),
    "ps_ATE_M1_ties": ("ATE", AbadieImbens(distance="logit")),
    "ps_ATC_M1_ties": ("ATC", AbadieImbens(distance="logit")),
    "ps_ATT_M1_caliper025": ("ATT", AbadieImbens(distance="logit", caliper=0.25)),
    "X_invvar_ATT_M1": ("ATT", AbadieImbens()),
    "X_maha_ATT_M1": ("ATT", AbadieImbens(distance="mahalanobis")),
    "X_invvar_ATT_M1_biasadj": ("ATT", AbadieImbens(is_bias_corrected=True)),
    "X_maha_ATT_M4_biasadj": ("ATT", AbadieImbens(distance="mahalanobis", n_matches=4, is_bias_corrected=True)),
    "X_maha_ATE_M1_biasadj": ("ATE", AbadieImbens(distance="mahalanobis", is_bias_corrected=True)),
    "X_invvar_ATT_M4_Var4": ("ATT", AbadieImbens(n_matches=4, variance_neighbours=4)),
    "X_maha_ATT_exact_married": ("ATT", AbadieImbens(distance="mahalanobis", exact=("married",))),
}


@pytest.mark.parametrize("spec", MATCH)
def test_the_matching_estimator_is_that_of_matching(data, others, spec):
    units, outcome = data
    target, asked = MATCH[spec]
    found = abadie_imbens_match(units, outcome.reindex(units.units.index).to_numpy(), asked, target)
    row = pd.read_csv(others / "Matching_estimates.csv").set_index("spec").loc[spec]
    assert found.estimate.value == pytest.approx(row["est"], rel=1e-11)
    assert found.estimate.std_error == pytest.approx(row["se_AI"], rel=1e-11)
    assert found.plain == pytest.approx(row["est_noadj"], rel=1e-11)
    pairs = pd.read_csv(others / "Matching_pairs.csv")
    pairs = pairs[pairs["spec"] == spec]
    table = found.pair_table()
    assert len(table) == len(pairs)
    ours = {
        frozenset((a, b, w)) for a, b, w in zip(table["unit"], table["stand_in"], table["weight"].round(9), strict=True)
    }
    theirs = {
        frozenset((a, b, w))
        for a, b, w in zip(pairs["treated"], pairs["control"], pairs["weight"].round(9), strict=True)
    }
    assert ours == theirs


@pytest.mark.parametrize(("spec", "target"), [("ps_ATT_M1_ties", "ATT"), ("ps_ATT_M4_ties", "ATT"),
                                              ("ps_ATC_M1_ties", "ATC")])  # fmt: skip
def test_a_design_with_the_same_pairs_has_the_same_error(data, others, spec, target):
    units, outcome = data
    pairs = pd.read_csv(others / "Matching_pairs.csv")
    pairs = pairs[pairs["spec"] == spec]
    at = [units.units.index.get_indexer(pairs[name]) for name in ("treated", "control")]
    found = matched_effect(paired(units, *at, True, target), outcome, EffectOptions(errors="abadie-imbens"))
    row = pd.read_csv(others / "Matching_estimates.csv").set_index("spec").loc[spec]
    assert found.estimate.value == pytest.approx(row["est"], rel=1e-11)
    assert found.estimate.std_error == pytest.approx(row["se_AI"], rel=1e-11)


def test_a_bias_corrected_design_is_that_of_matching(data, others):
    units, outcome = data
    pairs = pd.read_csv(others / "Matching_pairs.csv")
    pairs = pairs[pairs["spec"] == "X_maha_ATT_M4_biasadj"]
    at = [units.units.index.get_indexer(pairs[name]) for name in ("treated", "control")]
    found = matched_effect(
        paired(units, *at, True), outcome, EffectOptions(adjust=LALONDE, adjustment="bias-corrected")
    )
    row = pd.read_csv(others / "Matching_estimates.csv").set_index("spec").loc["X_maha_ATT_M4_biasadj"]
    assert found.estimate.value == pytest.approx(row["est"], rel=1e-11)
    assert found.estimate.std_error == pytest.approx(row["se_AI"], rel=1e-11)
