"""What an analysis says under each assumption about missing results, of a small table and a judge that averages."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalkit.core.missing import Imputation, Missing
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.published.codes import CODE_REASONS, NO_ROW
from evalkit.diagnose.missing.extremes import NONE_SUPPRESSED
from evalkit.diagnose.missing.sample import Judged, MissingSample, Outcomes
from evalkit.diagnose.missing.what_if import HOLDS_ZERO, NONE_MISSING, what_if
from evalkit.estimate.missing.pooled_arrays import pooled

NONE = Unavailable("-")
YEARS = [2016, 2017, 2019]
LEVEL, SEED = 0.95, 1
SUPPRESSED = CODE_REASONS["SUPP"]


def outcomes(n=80, gaps=((0, SUPPRESSED), (1, NO_ROW), (40, SUPPRESSED))):
    """Half of the schools treated; a school with 6 to 10 pupils each, and gaps in 2019 with their reasons."""
    rng = np.random.default_rng(2)
    units = pd.Index([f"s{at:03d}" for at in range(n)])
    level = rng.normal(size=n)
    values = pd.DataFrame(level[:, None] + 0.3 * rng.normal(size=(n, 3)), units, YEARS)
    values.loc[units[: n // 2], 2019] += 1.0
    reasons = pd.DataFrame("", units, YEARS, dtype=object)
    for at, reason in gaps:
        values.iloc[at, 2] = np.nan
        reasons.iloc[at, 2] = reason
    is_before = np.tile([True, True, False], (n, 1))
    return Outcomes(
        values=values,
        reasons=reasons,
        pupils=pd.DataFrame(rng.integers(6, 11, size=(n, 3)).astype(float), units, YEARS),
        before=is_before,
        after=~is_before,
        arm=pd.Series(np.where(np.arange(n) < n // 2, "treated", "comparison"), units),
        area=pd.Series(np.arange(n) % 8, units),
        covariates=pd.DataFrame({"log_cohort": rng.normal(size=n)}, units),
        unmatched={"no record": 2},
    )


class Difference:
    """Judges by the difference in mean change, with the error of unequal variances or a fixed reach."""

    def __init__(self, arm, is_clustered=False, reach=0.5):
        self.arm, self.is_clustered, self.reach, self.seen = arm, is_clustered, reach, []

    def __call__(self, values, is_number_alone=False):
        self.seen.append(is_number_alone)
        change = (values[2019] - values[[2016, 2017]].mean(axis=1)).dropna()
        arms = [change[self.arm.reindex(change.index) == arm] for arm in ("treated", "comparison")]
        estimate = float(arms[0].mean() - arms[1].mean())
        error = float(np.sqrt(sum(one.var(ddof=1) / len(one) for one in arms)))
        reach = 2 * error if self.is_clustered else self.reach
        return Judged(
            estimate=estimate,
            interval=Interval(estimate - reach, estimate + reach, LEVEL),
            p_value=0.04,
            std_error=error if self.is_clustered else NONE,
            df=50.0 if self.is_clustered else None,
            n_treated=len(arms[0]),
            n_comparison=len(arms[1]),
        )


def judged(made, choices=None, **options):
    judge = Difference(made.arm, **options)
    sample = MissingSample(outcome="SCORE", outcomes=made, judge=judge)
    choices = choices or Missing(bounds="none")
    return what_if(sample, judge(made.values), choices, SEED, LEVEL), judge


def row_of(found, assumption):
    return next(row for row in found.rows if row.assumption == assumption)


def test_who_was_lost_adds_up_in_each_arm_with_its_reason():
    found, _ = judged(outcomes())
    treated, comparison = found.losses
    assert treated.lost == {"closed": 1, "suppressed": 1, "low_coverage": 0, "not_published": 0}
    assert comparison.lost["suppressed"] == 1
    for one in found.losses:
        assert one.n_schools == one.lacking_before + sum(one.lost.values()) + one.with_result
    assert (treated.share_lost, comparison.share_lost) == (2 / 40, 1 / 40)
    assert found.differential == pytest.approx(1 / 40)
    assert (treated.never_matched, comparison.never_matched) == (2, 0)


def test_a_school_without_a_year_before_is_counted_apart():
    made = outcomes()
    made.values.iloc[5, 0] = np.nan
    found, _ = judged(made)
    assert found.losses[0].lacking_before == 1
    assert found.losses[0].share_lost == 2 / 39


def test_suppressed_results_at_worst_and_at_best_by_hand():
    made = outcomes()
    found, judge = judged(made)
    low, high = np.percentile(made.values[2019].dropna(), [5, 95])
    for assumption, ends in (("worst", (low, high)), ("best", (high, low))):
        filled = made.values.copy()
        filled.iloc[0, 2], filled.iloc[40, 2] = ends  # the closed school keeps its gap
        assert row_of(found, assumption).estimate == pytest.approx(judge(filled).estimate)
        assert row_of(found, assumption).n_treated == 39
    assert row_of(found, "worst").estimate < row_of(found, "published").estimate < row_of(found, "best").estimate


def test_the_size_of_a_cohort_is_the_last_that_is_told():
    made = outcomes()
    told = made.pupils.copy()
    told[2019] = np.nan
    assert judged(replace(made, pupils=told))[0].rows[2].estimate == pytest.approx(judged(made)[0].rows[2].estimate)


def test_where_no_small_school_is_published_nothing_is_said_at_worst():
    made = outcomes()
    found, _ = judged(replace(made, pupils=made.pupils + 20))
    assert row_of(found, "worst").estimate.reason.startswith("0 schools of 6 to 10 pupils had a result in 2019")
    assert judged(outcomes(gaps=((1, NO_ROW),)))[0].rows[2].estimate.reason == NONE_SUPPRESSED


def test_the_mean_of_completed_tables_is_ranked_where_there_is_no_error():
    found, judge = judged(outcomes())
    row = row_of(found, "imputed")
    assert (row.n_treated, row.n_comparison) == (40, 40)
    assert row.interval.upper - row.interval.lower == pytest.approx(1.0)
    # two of 40 treated results are imputed: a shift of one moves the estimate by 2/40
    assert found.tipping.slope == pytest.approx(0.05)
    assert found.tipping.shift == pytest.approx(-row.interval.lower / 0.05)
    assert (found.imputation.draws, found.imputation.n_cells_treated, found.imputation.n_cells_comparison) == (20, 2, 1)
    assert any(judge.seen)


def test_errors_are_pooled_by_rubin_where_there_are_any():
    found, _ = judged(outcomes(), is_clustered=True)
    row = row_of(found, "imputed")
    shift = found.tipping.shift
    assert 0 < found.imputation.missing_share < 0.2
    assert row.interval.lower > 0 > shift
    # the interval pooled again at the shift ends at zero
    assert found.tipping.slope == pytest.approx(0.05)
    assert row.estimate + shift * 0.05 > 0


def test_a_shift_pools_as_tables_that_were_shifted():
    from evalkit.diagnose.missing import what_if as module

    made = outcomes()
    judge = Difference(made.arm, is_clustered=True)
    sample = MissingSample(outcome="SCORE", outcomes=made, judge=judge)
    tables = module._tables(sample, 20, SEED)
    shifted = made.missing & made.after & (made.arm == "treated").to_numpy()[:, None]
    found = module._shifted(sample, tables, shifted)
    each = [judge(table - 3.7 * shifted) for table in tables]
    direct = pooled(np.array([one.estimate for one in each]), np.array([one.std_error**2 for one in each]), 50.0)
    assert found.at(-3.7) == pytest.approx(direct)


def test_more_tables_are_made_where_more_is_missing():
    gaps = tuple((at, NO_ROW) for at in (*range(15), *range(40, 55)))
    found, _ = judged(outcomes(gaps=gaps))
    assert (found.imputation.draws, found.imputation.percent_incomplete) == (38, 37.5)


def test_an_interval_that_holds_zero_needs_no_tipping():
    found, _ = judged(outcomes(), reach=5.0)
    assert found.tipping.shift.reason == HOLDS_ZERO


def test_with_nothing_missing_nothing_is_imputed():
    found, _ = judged(outcomes(gaps=()))
    assert row_of(found, "imputed").estimate.reason == NONE_MISSING.format(one="school")
    assert found.differential == 0


def test_what_the_project_leaves_out_is_not_made():
    choices = Missing(bounds="none", imputation=None, tipping=False, suppressed="none")
    found, _ = judged(outcomes(), choices)
    assert [row.assumption for row in found.rows] == ["published"]
    found, _ = judged(outcomes(), replace(choices, imputation=Imputation(draws=30)))
    assert found.imputation.draws == 30
    assert isinstance(found.tipping.shift, Unavailable)


def test_the_scale_of_the_outcome_scales_everything_and_tables_stay_as_they_were():
    made = outcomes()
    before = made.values.copy()
    found, _ = judged(made)
    larger, _ = judged(replace(made, values=made.values * 4))
    pd.testing.assert_frame_equal(made.values, before)
    assert [row.estimate for row in larger.rows] == pytest.approx([4 * row.estimate for row in found.rows])
