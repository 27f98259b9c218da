"""Balance and matches against a plain calculation."""

import numpy as np
import pytest

from evalkit.diagnose.project.describe import comparison_by_design, covariate_label


def test_standardised_differences_divide_by_the_treated_spread_before_matching(designed):
    _, locked, stage = designed
    design = locked.outcomes["READPROG"]
    units, scores = design.baseline.units, design.baseline.covariates["READPROG_2016"]
    treated, pool = scores[units["is_treated"]], scores[~units["is_treated"] & (units["group"] > 0)]
    near = scores[units["group"].isin(design.comparisons["neighbours"].of(340))]
    row = next(
        r for r in stage.balance if (r.outcome, r.design, r.covariate) == ("READPROG", "neighbours", "READPROG_2016")
    )
    assert row.smd_before == pytest.approx((treated.mean() - pool.mean()) / treated.std(ddof=1), abs=1e-12)
    assert row.smd_after == pytest.approx((treated.mean() - near.mean()) / treated.std(ddof=1), abs=1e-12)
    assert row.variance_ratio_after == pytest.approx(treated.var(ddof=1) / near.var(ddof=1), abs=1e-12)
    assert row.effective_n == pytest.approx(len(near), abs=1e-9)


def test_matched_weights_sum_to_the_treated_schools_and_use_each_pair(designed):
    _, locked, stage = designed
    design = locked.outcomes["READPROG"]
    pairs = design.matches["matched"].pairs(340)
    by_hand = pairs.groupby("comparison").size() / 5  # each of five partners carries a fifth of its school
    weights = comparison_by_design(design)["matched"]
    assert weights.sum() == pytest.approx(design.baseline.units["is_treated"].sum(), abs=1e-12)
    np.testing.assert_allclose(weights[by_hand.index], by_hand, atol=1e-12)
    summary = next(m for m in stage.matches if (m.outcome, m.design) == ("READPROG", "matched"))
    assert summary.n_comparison == len(by_hand)
    assert summary.effective_n == pytest.approx(by_hand.sum() ** 2 / (by_hand**2).sum(), abs=1e-9)
    assert summary.most_used == pairs.groupby("comparison").size().max()


def test_matching_on_scores_brings_them_closer(designed):
    *_, stage = designed
    rows = [r for r in stage.balance if r.design == "matched" and r.covariate.startswith(r.outcome)]
    assert rows
    assert np.mean([abs(r.smd_after) for r in rows]) < np.mean([abs(r.smd_before) for r in rows])


def test_covariates_have_words():
    assert covariate_label("READPROG_2016") == "Reading progress 2016"
    assert covariate_label("cohort_size_2017") == "Pupils at the end of the key stage 2017"
    assert "later proxy" in covariate_label("fsm_share_2223")
