"""The facts of an analysis: what they are made of, and that the estimate is not among them."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from evalkit.core.plan_lock import PlanKept
from evalkit.core.project import Outcome, Participants
from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.appraisal.appraise import Basis, _judged, _measured, detectable_in_sd, facts_of
from evalkit.diagnose.evaluation import AnalysisResults


def analysis_of(evaluation, effects):
    """Return results of an analysis as its judges see them: the real checks, and effects as given."""
    plan = SimpleNamespace(analysis=SimpleNamespace(kind="areas", describes=False), project=evaluation.project)
    return AnalysisResults(
        plan=plan, estimand="", recommended="", reason="", effects=effects, findings=evaluation.findings, details=None
    )


def moved(effect, times, by):
    """Return an effect that came out otherwise: its estimate rescaled and shifted, with an interval as long as before.

    The p-value goes to its opposite.
    """
    if not isinstance(effect.estimate, float):
        return effect
    shift = effect.estimate * (times - 1) + by
    reach, size = effect.interval, effect.effect_size
    if isinstance(reach, Interval):
        reach = Interval(reach.lower + shift, reach.upper + shift)
    if size is not None and isinstance(size.hedges_g_interval, Interval):
        reach_g = size.hedges_g_interval
        size = replace(size, hedges_g_interval=Interval(reach_g.lower + shift, reach_g.upper + shift))
    p = 1 - effect.p_value if isinstance(effect.p_value, float) else effect.p_value
    return replace(effect, estimate=effect.estimate + shift, interval=reach, effect_size=size, p_value=p)


@pytest.mark.parametrize(("times", "by"), [(-1, 0.0), (0.0, 0.0), (10, 0.0), (1, 5.0)])
def test_no_judgement_changes_with_sign_or_size_of_the_effect(evaluation, times, by):
    own = tuple(replace(one, is_main=one.inference == "permutation") for one in evaluation.effects)
    found = []
    for effects in (own, tuple(moved(one, times, by) for one in own)):
        results = analysis_of(evaluation, effects)
        found.append(tuple(_judged(results, facts_of(results, Basis(), PlanKept()))))
    assert found[0] == found[1]
    assert len({one.scale for one in found[0]}) == 4
    assert all(one.rule and one.sentence for one in found[0])


def test_a_whole_area_counts_only_where_no_school_is_listed(evaluation):
    listed = replace(evaluation.project, participants=Participants(file="participants.csv"))
    for project, whole in ((evaluation.project, True), (listed, False)):
        results = analysis_of(evaluation, ())
        results.plan.project = project
        assert facts_of(results, Basis(), PlanKept()).counts_whole_area is whole


def test_the_detectable_effect_is_that_of_the_interval_wherever_it_lies():
    # half of 0.7 to 1.1 is 0.2; (1.96 + 0.84) / 1.96 = 1.4294
    size = SimpleNamespace(hedges_g_interval=Interval(0.7, 1.1))
    assert detectable_in_sd(SimpleNamespace(effect_size=size)) == pytest.approx(0.28588, abs=1e-5)
    assert isinstance(detectable_in_sd(None), Unavailable)


@pytest.mark.parametrize(
    ("outcome", "who"),
    [
        (Outcome(role="primary", measure="READPROG"), "outside"),
        (Outcome(role="primary", measure="WRITPROG"), "teachers"),
        (Outcome(role="primary", table="scores", column="age"), "own table"),
    ],
)
def test_who_measures_follows_from_the_primary_outcome(outcome, who):
    assert _measured(SimpleNamespace(primary=outcome, outcomes=(outcome,))) == who
