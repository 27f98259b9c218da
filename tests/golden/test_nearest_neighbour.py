"""Nearest neighbours are those of R: MatchIt 4.7.2 on lalonde and on 16,800 schools."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching.match import match
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import CovariateCaliper, NearestNeighbour
from evalkit.design.matching.pairs import pair_space
from evalkit.design.matching.scores import propensity_score

COVARIATES = ("age", "educ", "race", "married", "nodegree", "re74", "re75")
SCHOOL = ("n_pupils", "pct_fsm", "pct_eal", "pct_sen", "idaci", "ofsted", "ks2_2016", "ks2_2017")
AREA = ("phase", "region")
AGE = {"age": CovariateCaliper(width=5, in_units=True)}
SAME_PAIRS = {
    "nn_ps": NearestNeighbour(),
    "nn_linlogit": NearestNeighbour(distance="linear-logit"),
    "nn_probit": NearestNeighbour(distance="probit"),
    "nn_smallest": NearestNeighbour(order="smallest"),
    "nn_data": NearestNeighbour(order="id"),
    "nn_replace": NearestNeighbour(replacement=True),
    "nn_replace_r3": NearestNeighbour(replacement=True, ratio=3),
    "nn_reuse3": NearestNeighbour(reuse_limit=3),
    "nn_ratio2": NearestNeighbour(ratio=2),
    "nn_varratio": NearestNeighbour(ratio=2, fewest=1, most=4),
    "nn_caliper01": NearestNeighbour(caliper=0.1),
    "nn_caliper01_rep": NearestNeighbour(caliper=0.1, replacement=True),
    "nn_caliper_age5": NearestNeighbour(caliper=0.2, calipers=AGE),
    "nn_exact_race": NearestNeighbour(exact=("race",)),
    "nn_exact_race_ratio2": NearestNeighbour(exact=("race",), ratio=2),
    "nn_antiexact_married": NearestNeighbour(anti_exact=("married",)),
    "nn_discard_both": NearestNeighbour(common_support="both"),
    "nn_atc": NearestNeighbour(order="smallest"),
}
# Units of lalonde share covariates, so that partners as near as each other are many. Which one R takes follows from
# how its programs walk through them; the kit takes the earlier id. Numbers are how many of R's pairs are the kit's.
TIED = {
    "nn_closest": (NearestNeighbour(order="closest"), 173),
    "nn_maha": (NearestNeighbour(distance="mahalanobis"), 176),
    "nn_maha_rep5": (NearestNeighbour(distance="mahalanobis", replacement=True, ratio=5), 920),
    "nn_maha_exact": (NearestNeighbour(distance="mahalanobis", exact=("race",)), 110),
    "nn_robmaha": (NearestNeighbour(distance="robust-mahalanobis"), 182),
    "nn_mahvars_cal": (NearestNeighbour(caliper=0.25, mahalanobis_on=("age", "educ", "re74", "re75")), 108),
}
SCHOOL_SPECS = {
    "nn_ps": NearestNeighbour(exact=AREA),
    "nn_ps_ratio5": NearestNeighbour(exact=AREA, ratio=5),
    "nn_maha_rep5": NearestNeighbour(exact=AREA, ratio=5, replacement=True, distance="mahalanobis"),
}


@pytest.fixture(scope="module")
def lalonde(golden) -> Baseline:
    frame = pd.read_csv(golden / "matching" / "data" / "lalonde.csv")
    return Baseline.from_frame(frame, BaselineRoles(treated="treat", covariates=COVARIATES, unit="id"))


@pytest.fixture(scope="module")
def schools(golden) -> Baseline:
    frame = pd.read_csv(golden / "matching" / "data" / "schools.csv")
    return Baseline.from_frame(frame, BaselineRoles(treated="treat", covariates=SCHOOL, unit="urn", labels=AREA))


@pytest.fixture(scope="module")
def folder(golden) -> Path:
    return golden / "matching" / "lalonde_matchit_4.7.2"


def pairs_of_r(folder: Path, spec: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"matches_{spec}.csv", dtype={"focal_id": str, "match_id": str}).dropna()


def shared_pairs(design: MatchedDesign, said: pd.DataFrame) -> int:
    focal, partner = ("treated", "comparison") if design.target == "ATT" else ("comparison", "treated")
    table = design.pair_table().astype(str)
    ours = set(zip(table[focal], table[partner], strict=True))
    assert len(ours) == len(table) == len(said)
    return len(ours & set(zip(said["focal_id"], said["match_id"], strict=True)))


def total_of_r(design: MatchedDesign, said: pd.DataFrame) -> float:
    """The distances of R's pairs, measured by the kit."""
    ids = design.baseline.units.index.astype(str)
    at = pair_space(design.baseline, design.option).coordinates
    apart = at[ids.get_indexer(said["focal_id"])] - at[ids.get_indexer(said["match_id"])]
    return float(np.sqrt((apart**2).sum(axis=1)).sum())


def require_weights(design: MatchedDesign, folder: Path, spec: str, unit: str) -> None:
    said = pd.read_csv(folder / f"units_{spec}.csv").set_index(unit)["weights"]
    said = said.reindex(design.baseline.units.index).fillna(0)  # of schools only those used are listed
    np.testing.assert_allclose(design.weights, said, rtol=0, atol=1e-12)


@pytest.mark.parametrize("spec", SAME_PAIRS)
def test_pairs_of_lalonde(lalonde, folder, spec):
    design = match(lalonde, SAME_PAIRS[spec], "ATC" if spec == "nn_atc" else "ATT")
    said = pairs_of_r(folder, spec)
    assert shared_pairs(design, said) == len(said)
    require_weights(design, folder, spec, "id")


@pytest.mark.parametrize("spec", TIED)
def test_totals_of_lalonde_where_units_tie(lalonde, folder, spec):
    option, n_shared = TIED[spec]
    design, said = match(lalonde, option), pairs_of_r(folder, spec)
    assert shared_pairs(design, said) == n_shared
    assert design.total_distance == pytest.approx(total_of_r(design, said), rel=1e-9)
    if spec in ("nn_closest", "nn_maha_exact", "nn_mahvars_cal"):  # the same units in other pairs
        require_weights(design, folder, spec, "id")


def test_a_tie_that_leads_to_other_pairs(lalonde, folder):
    """One choice between equals leaves other partners to those who come later: the kit's total is the smaller one."""
    design, said = match(lalonde, NearestNeighbour(distance="euclidean")), pairs_of_r(folder, "nn_scaledeuc")
    assert total_of_r(design, said) == pytest.approx(387.805786129, abs=1e-8)
    assert design.total_distance == pytest.approx(387.601183187, abs=1e-8)
    first_turns = first_difference(design, said)
    # up to the first pair that differs every distance is the same, and there the two partners are as near
    assert first_turns[0] == pytest.approx(first_turns[1], abs=1e-9)


def first_difference(design: MatchedDesign, said: pd.DataFrame) -> tuple[float, float]:
    """Distances of the kit's and of R's partner of the first unit, by its turn, whose partners differ."""
    ids, at = design.baseline.units.index.astype(str), pair_space(design.baseline, design.option).coordinates
    theirs = dict(zip(ids.get_indexer(said["focal_id"]), ids.get_indexer(said["match_id"]), strict=True))
    for own, partner in zip(design.pairs.treated, design.pairs.comparison, strict=True):
        if theirs[own] != partner:
            return float(np.linalg.norm(at[own] - at[partner])), float(np.linalg.norm(at[own] - at[theirs[own]]))
    raise AssertionError("R's pairs are the kit's")


@pytest.mark.parametrize("spec", SCHOOL_SPECS)
def test_pairs_of_schools(schools, golden, spec):
    design, folder = match(schools, SCHOOL_SPECS[spec]), golden / "matching" / "school"
    said = pairs_of_r(folder, spec)
    assert shared_pairs(design, said) == len(said)
    require_weights(design, folder, spec, "urn")


@pytest.mark.parametrize(("distance", "column"), [("logit", "ps"), ("linear-logit", "linear"), ("probit", "probit")])
def test_scores(lalonde, golden, distance, column):
    said = pd.read_csv(golden / "matching" / "lalonde_other" / "ps_scores.csv").set_index("id")[column]
    said = said.reindex(lalonde.units.index).to_numpy()
    np.testing.assert_allclose(propensity_score(lalonde, distance), said, rtol=0, atol=1e-10)


@pytest.mark.parametrize("spec", ["nn_caliper01", "nn_replace_r3", "nn_exact_race_ratio2"])
def test_numbers_of_units(lalonde, folder, spec):
    design = match(lalonde, SAME_PAIRS[spec])
    sizes = pd.read_csv(folder / "sample_sizes.csv").query("spec == @spec").set_index("row")
    assert [design.n_comparison, design.n_treated] == sizes.loc["Matched", ["control", "treated"]].tolist()
    assert design.effective_comparison == pytest.approx(sizes.loc["Matched (ESS)", "control"], rel=1e-12)
