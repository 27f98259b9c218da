"""Ratings, and the least effect that clustered errors detect."""

from types import SimpleNamespace

import pandas as pd
import pytest
from scipy import stats

from evalkit.core.project import Outcome
from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.appraisal.judgement import EEF
from evalkit.diagnose.appraisal.scales import baseline_category
from evalkit.diagnose.power.report import detectable_by_clusters
from evalkit.diagnose.project.appraisal import CAMPBELL
from evalkit.diagnose.project.outcome_summaries import adjusted_p_values, mean_pupils


@pytest.mark.parametrize(
    ("smd", "category"),
    [(0.05, "satisfied"), (-0.05, "satisfied"), (0.051, "adjust"), (-0.25, "adjust"), (0.26, "fails")],
)
def test_baseline_categories_at_their_lines(smd, category):
    assert baseline_category(smd) == category


def test_without_a_difference_there_is_no_category():
    assert baseline_category(Unavailable("No variance.")) == "not known"


def test_every_scale_has_its_entries(evaluation):
    scales = [judgement.scale for judgement in evaluation.judgements]
    assert (scales.count(EEF), scales.count(CAMPBELL)) == (1, 3)
    padlocks = next(j for j in evaluation.judgements if j.scale == EEF)
    assert padlocks.judgement == evaluation.rating.label
    assert "unverified" in padlocks.sentence


def test_the_rating_rests_on_the_larger_detectable_effect(evaluation):
    entry = next(d for d in evaluation.detectable if d.outcome == "READPROG")
    row = next(o for o in evaluation.outcomes if o.outcome == "READPROG")
    sd = evaluation.effect("READPROG").effect_size.sd_used
    known = [value for value in (entry.at_design, entry.realised) if isinstance(value, float)]
    assert row.detectable_sd == pytest.approx(max(known) / sd)


def effect(reach, se=0.5):
    return SimpleNamespace(std_error=se, interval=Interval(-reach, reach))


def test_few_degrees_of_freedom_ask_for_a_larger_effect():
    # t(.975; 5) = 2.571, t(.8; 5) = 0.920: 3.490 × 0.5
    reach = stats.t.ppf(0.975, 5) * 0.5
    assert detectable_by_clusters(effect(reach)) == pytest.approx(0.5 * (2.5705818 + 0.9195438), abs=1e-5)


def test_a_normal_interval_gives_the_customary_multiple():
    assert detectable_by_clusters(effect(stats.norm.ppf(0.975) * 0.5)) == pytest.approx(1.4)


def test_without_an_error_there_is_a_reason():
    none = SimpleNamespace(std_error=Unavailable("None."), interval=Unavailable("Too few clusters."))
    assert detectable_by_clusters(none) == Unavailable("Too few clusters.")
    assert "part of one area" in detectable_by_clusters(None).reason


def test_p_values_are_adjusted_within_the_outcomes_aimed_at():
    found = {"READPROG": 0.02, "WRITPROG": 0.3, "MATPROG": 0.01, "P8MEA": Unavailable("Six schools.")}
    roles = {"READPROG": "primary", "WRITPROG": "secondary", "MATPROG": "placebo", "P8MEA": "secondary"}
    outcomes = [Outcome(measure=code, role=role) for code, role in roles.items()]
    results = SimpleNamespace(
        project=SimpleNamespace(outcomes=outcomes),
        effect=lambda code: SimpleNamespace(p_value=found[code]),
        surest=lambda code: SimpleNamespace(p_value=found[code]),
    )
    adjusted = adjusted_p_values(results)
    # two in the family: 2 × .02 = .04, then .3
    assert (adjusted["READPROG"], adjusted["WRITPROG"]) == (0.04, 0.3)
    assert adjusted["MATPROG"] == Unavailable("Not aimed at.")
    assert adjusted["P8MEA"] == Unavailable("Six schools.")


def test_mean_pupils_of_an_average_year():
    # 30 and 32 are 31; 60: together 91
    cohort = pd.DataFrame({2016: [30.0, 60.0], 2017: [32.0, 60.0]})
    assert mean_pupils(cohort) == 91
    half = pd.DataFrame({2016: [30.0, float("nan")]})
    assert isinstance(mean_pupils(half), Unavailable)
    assert mean_pupils(half.iloc[:0]) == Unavailable("No school.")


def test_the_summary_rows_agree_with_the_effects(evaluation):
    for row in evaluation.outcomes:
        found = evaluation.effect(row.outcome)
        if isinstance(found.estimate, float):
            assert row.raw_difference == pytest.approx(row.treated_post - row.comparison_post)
            gap = row.treated_pre - row.comparison_pre
            assert row.raw_difference - gap == pytest.approx(found.estimate, abs=1e-12)
