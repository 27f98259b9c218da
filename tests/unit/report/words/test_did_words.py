"""Sentences of `evalkit did`: their numbers are typed, so that one is withheld and the others are told."""

from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.questions import DidQuestion
from evalkit.data.flow import LeftOut
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.clusters import ClusterCounts, Recommendation
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.effect import Inference
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.results import staggered_results
from evalkit.report.words.did import (
    DidAnswer,
    clusters_of,
    counts_of,
    effect_sentence,
    face,
    left_out,
    losses_of,
    standard_errors,
    who_is_compared,
)
from tests.did_command import simulated

ROLES = Roles(unit="unit", period="year", outcome="y", cohort="cohort")
DESIGN = staggered_design(Panel.from_frame(simulated(30), ROLES), StaggeredOptions())
RESULTS = staggered_results(group_time_effects(DESIGN))

ASKED = DidQuestion(
    file=Path("scores.csv"),
    parts={"unit": "unit", "period": "year", "outcome": "y", "cohort": "cohort", "cluster": None, "weight": None},
    covariates=(),
    estimator="group-time",
    method="dr",
    comparison="never",
    anticipation=0,
    base_period="varying",
    unbalanced="pairs",
    is_cross_section=False,
    are_units_people=True,
    n_draws=0,
    are_clusters_drawn=False,
    seed=1,
    level=0.95,
    balanced_until=None,
)


def answer(n_treated=20, n_comparison=40, question=ASKED, **changes):
    plain = replace(
        RESULTS.simple, estimate=1.5, std_error=0.5, interval=Interval(0.5, 2.5), method="cluster-robust", df=None
    )
    made = DidAnswer(
        question=question,
        results=replace(RESULTS, n_treated=n_treated, n_comparison=n_comparison, simple=plain),
        checks=None,
        left_out=(LeftOut(reason="no outcome", units=("p1", "p2"), n_rows=3),),
        dropped=(),
        periods=(2010, 2011, 2014),
        cohorts=(2011,),
        n_rows=100,
        clustered_by="unit",
        clusters=ClusterCounts(n_treated=n_treated, n_comparison=n_comparison),
        recommendation=Recommendation(inference="cluster-robust", reason="With many clusters errors hold their level."),
        inference=Inference(
            method="cluster-robust", std_error=0.5, df=None, interval=Interval(0.5, 2.5), p_value=0.01, note=""
        ),
        assumes="Units are independent.",
        names_units=not question.are_people,
    )
    return replace(made, **changes)


def told(prose, fewest):
    return [sentence.written(fewest) if hasattr(sentence, "written") else sentence for sentence in prose.sentences]


def test_counts_are_told_in_full_where_they_are_not_of_people():
    schools = answer(5, 40, replace(ASKED, are_units_people=False))
    assert told(who_is_compared(schools), 0)[0] == (
        "45 units in 3 periods (2010 to 2014): 5 units treated, in 1 cohort (2011), and 40 units never treated within "
        "these periods."
    )
    assert told(left_out(schools), 0) == ["3 rows of 2 units (no outcome): p1 and p2"]


def test_a_small_part_of_people_withholds_itself_and_the_whole():
    # 5 treated of 45: the whole and the other part would tell the five
    [sentence, *_] = told(who_is_compared(answer(5, 40)), 10)
    assert sentence == (
        "A withheld number of units in 3 periods (2010 to 2014): fewer than 10 units treated, in 1 cohort (2011), and "
        "40 units never treated within these periods."
    )


def test_that_no_one_is_never_treated_is_no_small_count():
    counts = counts_of(answer(20, 0))
    assert counts.every.is_told(10)
    assert counts.every.words(10) == "20 units"
    assert counts.comparison.words(10) == "0 units"


def test_ids_and_small_numbers_of_people_left_out_are_not_told():
    assert told(left_out(answer()), 10) == ["Fewer than 10 rows of fewer than 10 units (no outcome)"]
    [loss] = losses_of(answer())
    assert loss.units is None


def test_clusters_that_are_people_are_counted_as_people_and_areas_are_not():
    assert clusters_of(answer(5, 40)).are_few(10)
    assert not clusters_of(answer(5, 40, clustered_by="area")).are_few(10)
    said = " ".join(told(standard_errors(answer(5, 40)), 10))
    assert "Recommended for fewer than 10 treated clusters and 40 comparison clusters: cluster-robust." in said
    assert "With many clusters" not in said  # the reason would tell how many there are
    of_areas = " ".join(told(standard_errors(answer(5, 40, clustered_by="area")), 10))
    assert "Recommended for 5 treated clusters and 40 comparison clusters: cluster-robust. With many" in of_areas


def test_gaps_between_periods_are_said():
    assert "there is a gap before 2014" in " ".join(who_is_compared(answer()).sentences)


def test_the_effect_is_bounded_by_its_condition_and_says_when_its_sign_is_open():
    assert effect_sentence(answer()) == (
        "In treated units 'y' was 1.500 higher than expected (95% interval 0.500 to 2.500), if without the programme "
        "they would have moved as the comparison units did."
    )
    wide = replace(answer().results.simple, estimate=-1.5, interval=Interval(-4.0, 1.0))
    said = effect_sentence(answer(results=replace(RESULTS, simple=wide)))
    assert "1.50 lower than expected (95% interval −4.00 to 1.00)" in said
    assert said.endswith("The interval includes zero: the table does not tell which sign the effect has.")


@pytest.mark.parametrize(("n_of", "said"), [("estimate", "cannot be given. No cohort"), ("interval", "How uncertain")])
def test_what_cannot_be_given_has_its_reason(n_of, said):
    none = Unavailable("no cohort has an estimate")
    lacking = replace(answer().results.simple, **{n_of: none})
    assert said in face(answer(results=replace(RESULTS, simple=lacking)))[0]
