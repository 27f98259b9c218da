"""Who is pooled with whom, and who is not: each rule with its reason."""

import math
from dataclasses import replace
from itertools import permutations

import pytest

from evalkit.core.manifest import Vintage
from evalkit.core.quantities import Estimand, Interval, Unavailable
from evalkit.diagnose.portfolio.pooling_rules import overlaps
from evalkit.diagnose.portfolio.portfolio import make_portfolio
from evalkit.diagnose.portfolio.project_record import SCHOOLS_ONLY, RecordedEffect, area_error
from evalkit.diagnose.project.evaluation import evidence_rating
from evalkit.estimate.areas.placebo_pool import PlaceboPool
from evalkit.estimate.areas.random_effects import random_effects
from tests.portfolio_records import NEIGHBOURS, PLACEBOS, outcome, project, projects


def only_group(portfolio):
    [group] = portfolio.groups
    return group


def test_like_estimates_are_pooled():
    group = only_group(make_portfolio(projects([0.1, 0.5, 0.9, 0.2, 0.4])))
    expected = random_effects([0.1, 0.5, 0.9, 0.2, 0.4], [0.4] * 5)
    assert group.pooled.mean.estimate == pytest.approx(expected.estimate)
    assert group.pooled.mean.std_error == pytest.approx(expected.std_error)
    assert (group.key.what, group.key.part_played, group.is_few) == ("READPROG", "aimed at", False)


@pytest.mark.parametrize(("number", "is_pooled", "is_few"), [(1, False, False), (2, False, False), (3, True, True),
                                                             (4, True, True), (5, True, False)])  # fmt: skip
def test_fewer_than_three_are_refused_and_fewer_than_five_labelled(number, is_pooled, is_few):
    group = only_group(make_portfolio(projects([0.1 * at for at in range(number)])))
    assert isinstance(group.pooled, PlaceboPool) is is_pooled
    assert group.is_few is is_few
    if not is_pooled:
        assert "fewer than 3" in group.pooled.reason


def test_the_order_of_projects_does_not_matter():
    made = projects([0.1, 0.5, 0.9])
    assert {make_portfolio(order) for order in permutations(made)} == {make_portfolio(made)}


@pytest.mark.parametrize(
    "change",
    [
        {"design": "matched"},
        {"neighbour_list": "may_2025"},
        {"weights": "pupils"},
        {"estimand": Estimand.ATT},
    ],
)
def test_comparisons_are_never_mixed(change):
    other = project("z", outcome(3.0, comparison=replace(NEIGHBOURS, **change)))
    groups = make_portfolio([*projects([0.1, 0.5, 0.9]), other]).groups
    assert [len(group.members) for group in groups] == [3, 1]
    assert isinstance(groups[1].pooled, Unavailable)


def test_real_and_synthetic_data_are_never_mixed():
    made = [*projects([0.1, 0.5, 0.9]), project("y", data_kind="synthetic"), project("z", data_kind="synthetic")]
    groups = make_portfolio(made).groups
    assert [(group.key.data_kind, len(group.members)) for group in groups] == [("real", 3), ("synthetic", 2)]


def test_an_outcome_that_was_not_aimed_at_stands_apart():
    own = [
        project(one.slug, one.main, outcome(0.1, outcome="MATPROG", role="placebo"))
        for one in projects([0.1, 0.5, 0.9])
    ]
    aimed = project("z", outcome(0.7, outcome="MATPROG"))
    groups = make_portfolio([*own, aimed]).groups
    found = {(group.key.what, group.key.part_played): len(group.members) for group in groups}
    assert found["MATPROG", "placebo"] == 3
    assert found["MATPROG", "aimed at"] == 1
    assert found["READPROG", "aimed at"] == 3


def test_outcomes_of_several_measures_are_never_pooled():
    made = [*projects([0.5, 1.0]), project("y", outcome(2.0, outcome="MATPROG"))]
    assert [(group.key.what, len(group.members)) for group in make_portfolio(made).groups] == [
        ("READPROG", 2),
        ("MATPROG", 1),
    ]


@pytest.mark.parametrize("years", [{"pre": (2017,)}, {"post": (2018,)}])
def test_one_set_of_years_a_pool(years):
    groups = make_portfolio([*projects([0.1, 0.5, 0.9]), project("z", **years)]).groups
    assert [len(group.members) for group in groups] == [3, 1]


def test_a_contrast_and_an_outcome_not_aimed_at_stand_beside_in_order():
    made = [
        project(
            one.slug,
            one.main,
            outcome(0.3, outcome="READPROG-MATPROG", role="contrast"),
            outcome(0.2, outcome="MATPROG", role="placebo"),
        )
        for one in projects([0.1, 0.5, 0.9])
    ]
    groups = make_portfolio(made).groups
    assert [(group.key.what, group.key.part_played) for group in groups] == [
        ("READPROG", "aimed at"),
        ("READPROG-MATPROG", "contrast"),
        ("MATPROG", "placebo"),
    ]
    assert all(isinstance(group.pooled, PlaceboPool) for group in groups)
    assert groups[1].members[0].record.label == "Reading progress less maths progress"


@pytest.mark.parametrize(
    ("state", "said"), [("changed", "has changed since"), ("gone", "is gone"), ("renamed", "another slug")]
)
def test_a_report_whose_project_is_not_what_it_was_is_left_out(state, said):
    made = [*projects([0.1, 0.5, 0.9]), project("z", outcome(5.0), vintage=Vintage(state=state))]
    [left] = only_group(make_portfolio(made)).left_out
    assert left.project.slug == "z"
    assert said in left.reason
    assert "--include-stale" in left.reason
    assert len(only_group(make_portfolio(made, include_stale=True)).members) == 4
    unknown = [replace(made[-1], vintage=Vintage(state="not known")), *made[:3]]
    assert len(only_group(make_portfolio(unknown)).members) == 4


def test_a_stale_report_clashes_with_nobody():
    made = projects([0.1, 0.5, 0.9])
    orphan = project("old", outcome(0.2), treated=made[0].treated, vintage=Vintage(state="gone"))
    group = only_group(make_portfolio([*made, orphan]))
    assert [member.project.slug for member in group.members] == ["a", "b", "c"]


def test_without_areas_that_stand_in_nothing_is_pooled_and_why_is_said():
    listed = project("z", outcome(0.7, table=Unavailable("It lists its schools.")))
    group = only_group(make_portfolio([*projects([0.1, 0.5, 0.9]), listed]))
    assert [(one.project.slug, one.reason) for one in group.left_out] == [("z", "It lists its schools.")]


def test_an_area_with_any_project_stands_in_for_nobody():
    listed = project("z", outcome(0.7, table=Unavailable("It lists its schools.")), treated=(PLACEBOS[0], PLACEBOS[1]))
    group = only_group(make_portfolio([*projects([0.1, 0.5, 0.9]), listed]))
    assert group.pooled.test.n_areas == len(PLACEBOS) - 2


def test_an_estimate_without_an_error_for_its_area_is_left_out_with_the_reason():
    lacking = project("z", outcome(9.0, Unavailable(SCHOOLS_ONLY)))
    group = only_group(make_portfolio([*projects([0.1, 0.5, 0.9]), lacking]))
    assert len(group.members) == 3
    assert [(one.project.slug, one.reason) for one in group.left_out] == [("z", SCHOOLS_ONLY)]
    none = project("y", outcome(Unavailable("six schools: too few"), 0.4))
    [left] = only_group(make_portfolio([*projects([0.1, 0.5, 0.9]), none])).left_out
    assert left.reason == "six schools: too few"


def test_areas_that_all_moved_alike_give_no_weight():
    [left] = only_group(make_portfolio([project("z", outcome(1.0, 0.0))])).left_out
    assert "moved alike" in left.reason


def test_one_area_and_year_twice_counts_for_neither():
    made = projects([0.1, 0.5, 0.9])
    twice = project("z", outcome(0.2), treated=made[0].treated)
    group = only_group(make_portfolio([*made, twice]))
    assert [member.project.slug for member in group.members] == ["b", "c"]
    assert [one.project.slug for one in group.left_out] == ["a", "z"]
    assert "same area in the same year (2019) as z" in group.left_out[0].reason
    assert "--without" in group.left_out[0].reason
    assert isinstance(group.pooled, Unavailable)
    later = replace(twice, post=(2018,))
    assert [len(one.members) for one in make_portfolio([*made, later]).groups] == [3, 1]


def test_shared_comparison_areas_are_declared():
    one = project("a", treated=(1,), compared=(10, 11, 12, 13))
    two = project("b", treated=(2,), compared=(12, 13))
    three = project("c", treated=(11,), compared=(20,))
    pairs = {(pair.first.slug, pair.second.slug): pair for pair in overlaps([one, two, three])}
    # 12 and 13 are all of the smaller set; 11 is treated in c and compared with in a
    assert pairs[("a", "b")].shared == (12, 13)
    assert pairs[("a", "b")].share == 1.0
    assert pairs[("a", "c")].crossed == (11,)
    assert pairs[("a", "c")].share == 0.0
    assert ("b", "c") not in pairs
    group = only_group(make_portfolio([one, two, three]))
    assert (len(group.overlaps), group.n_pairs) == (2, 3)


def test_projects_on_different_data_share_nothing():
    one = project("a", compared=(10,))
    assert make_portfolio([one, project("b", compared=(10,), data_kind="synthetic")]).overlaps == ()


def test_results_by_theme_and_region_where_they_differ():
    made = projects([0.1, 0.5, 0.9, 0.3])
    mixed = [*made[:3], replace(made[3], theme="numeracy", region="London")]
    parts = {(part.split, part.value): part for part in only_group(make_portfolio(mixed)).parts}
    assert parts[("theme", "literacy")].pooled.mean.estimate == pytest.approx(0.5)
    assert [entry.raw for entry in parts[("theme", "literacy")].pooled.entries] == [0.1, 0.5, 0.9]
    assert isinstance(parts[("theme", "numeracy")].pooled, Unavailable)
    assert parts[("region", "London")].n == 1
    assert not any(split == "phase" for split, _ in parts)
    assert only_group(make_portfolio(made)).parts == ()


def test_a_project_without_a_theme_stands_with_those_like_it():
    made = projects([0.1, 0.5])
    parts = only_group(make_portfolio([made[0], replace(made[1], theme="")])).parts
    assert [part.value for part in parts] == ["literacy", "not stated"]


def test_the_strictest_threshold_counts():
    assert make_portfolio([project("a"), project("b", threshold=10)]).threshold == 10
    assert make_portfolio([]).threshold == 6


def test_nothing_gives_an_empty_portfolio():
    made = make_portfolio([])
    assert (made.projects, made.groups, made.overlaps) == ((), (), ())


def found(**changes) -> RecordedEffect:
    values = {
        "inference": "permutation",
        "cluster_level": "local_authority",
        "std_error": Unavailable("none"),
        "interval": Interval(-1.0, 1.0),
        "placebos": (3.0, -4.0),
    }
    return RecordedEffect(**(values | changes))


def test_the_error_of_a_permutation_is_how_much_areas_without_it_moved():
    # √((9 + 16) / 2)
    assert area_error(found()) == (pytest.approx(math.sqrt(12.5)), "placebo areas")


def test_without_their_changes_the_interval_gives_the_error():
    error, source = area_error(found(placebos=()))
    assert (error, source) == (pytest.approx(1 / 1.959964, rel=1e-6), "interval")
    assert area_error(found(is_studentised=True))[1] == "interval"
    ninety, _ = area_error(found(placebos=(), interval=Interval(-1.0, 1.0, 0.9)))
    assert ninety == pytest.approx(1 / 1.644854, rel=1e-6)


def test_areas_as_clusters_give_their_interval_or_their_error():
    error, source = area_error(found(inference="cluster", std_error=0.2))
    assert (error, source) == (pytest.approx(1 / 1.959964, rel=1e-6), "interval")
    alone = found(inference="cluster", std_error=0.2, interval=Unavailable("no interval"))
    assert area_error(alone) == (0.2, "areas as clusters")


def test_schools_as_clusters_give_no_error():
    error, source = area_error(found(inference="cluster", cluster_level="school", std_error=0.1))
    assert (error, source) == (Unavailable(SCHOOLS_ONLY), "none")


def test_what_gives_no_interval_gives_no_error():
    none = Unavailable("Fewer than 20 areas.")
    assert area_error(found(interval=none)) == (none, "none")
    assert area_error(found(inference="cluster", interval=none)) == (none, "none")


@pytest.mark.parametrize(
    ("detectable", "attrition", "serious", "value"),
    [
        (0.15, 0.0, 0, 4),  # the design allows no more
        (0.20, 0.10, 0, 4),
        (0.25, 0.0, 0, 4),
        (0.31, 0.0, 0, 3),
        (0.45, 0.0, 0, 2),
        (0.55, 0.0, 0, 1),
        (0.61, 0.0, 0, 0),
        (0.25, 0.11, 0, 4),
        (0.25, 0.21, 0, 3),
        (0.25, 0.51, 0, 0),
        (0.25, 0.0, 1, 3),
        (0.25, 0.0, 2, 2),
        (0.25, 0.0, 7, 0),  # one for each, and none below nothing
        (0.55, 0.0, 3, 0),
    ],
)
def test_the_indicative_rating(detectable, attrition, serious, value):
    rating = evidence_rating(detectable, attrition, serious)
    assert (rating.value, rating.label) == (value, f"{value} of 5")


def test_the_rating_says_how_it_came_about():
    assert evidence_rating(0.31, 0.0, 1).sentence == (
        "3 for a least detectable effect of 0.31 SD, less 1 for 1 serious design fact; no falsification test could be "
        "ranked among areas."
    )
    both = evidence_rating(0.31, 0.0, 1, 0.05)
    assert (both.value, both.sentence) == (
        1,
        "3 for a least detectable effect of 0.31 SD, less 2 for 1 serious design fact and falsification tests that "
        "are unlikely together.",
    )
    assert evidence_rating(0.31, 0.0, 0, 0.051).value == evidence_rating(0.31, 0.0, 0, 1.0).value == 3
    lacking = evidence_rating(Unavailable("No SD."), 0.0, 0)
    assert (lacking.label, lacking.sentence) == ("not rated", "Not rated: No SD.")
