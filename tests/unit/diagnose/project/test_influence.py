"""Who moves the result: by hand, against leaving out in earnest, and one that moves it all is found."""

from dataclasses import replace

import numpy as np
import pytest

from evalkit.core.quantities import Unavailable
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.diagnose.finding import Verdict
from evalkit.diagnose.project.evaluate import estimate_results
from evalkit.diagnose.project.evaluation import Influences
from evalkit.diagnose.project.falsification import influence, rank_p_values
from evalkit.diagnose.project.influence import influences, one_area_out
from evalkit.diagnose.project.influence_arrays import Arms, largest_area_moves


def arms(seed=3):
    """Eleven treated units of two areas and twenty others, some of which serve both."""
    draw = np.random.default_rng(seed)
    place = np.repeat([0, 1, -1], [5, 6, 20])
    serves = np.zeros((31, 2), dtype=bool)
    serves[11:25, 0] = serves[20:, 1] = True
    return Arms(draw.normal(size=31), draw.uniform(1, 4, 31), place, serves)


def test_by_hand():
    # Treated 1, 3; compared 0, 2, 4: T = 2 − 2 = 0. Without 1: 3 − 2 = 1. Without 4: 2 − 1 = 1; without 2: 0.
    made = Arms(
        np.array([1.0, 3.0, 0.0, 2.0, 4.0]),
        np.ones(5),
        np.array([0, 0, -1, -1, -1]),
        np.array([[False], [False], [True], [True], [True]]),
    )
    assert made.effect() == pytest.approx(0.0)
    assert made.moves() == pytest.approx([1.0, -1.0, -1.0, 0.0, 1.0])
    assert np.isnan(made.effect(np.array([True, True, False, False, False])))
    alone = Arms(made.change[1:], made.weight[1:], made.place[1:], made.serves[1:])
    assert np.isnan(alone.moves()[0])  # the one treated unit cannot be done without


def test_moves_against_leaving_out():
    made = arms()
    whole = made.effect()
    without = [made.effect(np.arange(31) != out) - whole for out in range(31)]
    assert made.moves() == pytest.approx(without, abs=1e-12)
    shifted = made._replace(change=made.change + np.where(made.place >= 0, 9.0, 0.0))
    assert shifted.moves() == pytest.approx(made.moves(), abs=1e-12)  # the effect's size moves nothing


def test_the_largest_move_of_an_area_against_leaving_out():
    draw = np.random.default_rng(4)
    weight, mean = draw.uniform(5, 50, 12), draw.normal(size=12)
    sums = np.stack([weight, weight * mean])
    compared = draw.random((12, 12)) < 0.5
    np.fill_diagonal(compared, False)
    compared[0] = False
    compared[0, 3] = True  # one alone cannot be left out
    moved, which = largest_area_moves(sums, compared)
    for row in range(1, 12):
        near = np.flatnonzero(compared[row])
        own = np.average(mean[near], weights=weight[near])
        each = [own - np.average(mean[near[near != out]], weights=weight[near[near != out]]) for out in near]
        largest = int(np.argmax(np.abs(each)))
        assert moved[row] == pytest.approx(each[largest])
        assert which[row] == near[largest]
    assert np.isnan(moved[0])
    assert which[0] == -1


def test_one_area_out_is_as_often_alarming_as_it_says():
    # 60 areas without a programme, ten neighbours each; every area in turn: 3 of 60 serious ranks and 12 of 60 cautions
    # by construction, ties aside: areas with one neighbour in common may tie in the area, not in its weight.
    draw, alarms = np.random.default_rng(6), []
    for _ in range(40):
        weight, mean = draw.integers(5, 90, 60).astype(float), draw.normal(size=60)
        compared = np.zeros((60, 60), dtype=bool)
        for row in range(60):
            compared[row, draw.permutation(np.delete(np.arange(60), row))[:10]] = True
        p = rank_p_values(largest_area_moves(np.stack([weight, weight * mean]), compared)[0])
        alarms.append([(p <= 0.05).mean(), (p <= 0.20).mean()])
    assert np.mean(alarms, axis=0) == pytest.approx([3 / 60, 12 / 60])


@pytest.fixture(scope="module")
def results(small_project, designed, intake):
    _, locked, stage = designed
    return estimate_results(small_project, intake, locked, stage)


def test_parts_of_a_project(results):
    found = influences(results)
    assert isinstance(found, Influences)
    assert found.estimate == pytest.approx(results.estimate(results.primary))
    sizes = [one.size for one in found.parts]
    assert sizes == sorted(sizes, reverse=True)
    assert found.n_looked_at["treated school"] == results.main_effect.n_treated
    assert len(found.of("treated school")) <= 5
    areas = found.of("comparison area")
    assert len(areas) == found.n_looked_at["comparison area"] > 1
    assert sum(one.n_schools for one in areas) == results.main_effect.n_comparison
    assert "without groups" in found.notes[0]
    # The largest move by one school is that of the ranked check, whose points it is told in.
    largest = max(one.size for one in found.of("treated school", "comparison school"))
    assert largest == pytest.approx(influence(results).points)
    assert max(one.size for one in areas) == pytest.approx(one_area_out(results).points)


def planted(results, units, by):
    """Return the results with something added to the last year of some schools."""
    found = results.outcomes[results.primary]
    frame = found.panel.frame.copy()
    at = frame["unit"].isin(units) & (frame["period"] == max(results.project.exposure.post))
    assert at.any()
    frame.loc[at, "outcome"] += by
    roles = Roles(unit="unit", period="period", outcome="outcome", cohort="cohort", cluster="cluster")
    panel = Panel.from_frame(frame[["unit", "period", "outcome", "cohort", "cluster"]], roles)
    return replace(results, outcomes={**results.outcomes, results.primary: replace(found, panel=panel)})


def test_one_school_that_drives_all_is_found(results):
    units = results.outcomes[results.primary].panel.by_unit()
    treated = units.index[units["cluster"] == results.locked.outcomes[results.primary].treated_group]
    flawed = planted(results, [treated[0]], 40.0)
    found = influences(flawed)
    assert found.parts[0].kind == "treated school"
    assert found.parts[0].name == flawed.intake.records["KS2"].schools.loc[treated[0], "name"]
    assert influence(flawed).verdict(influence(flawed).power(1.0)) is Verdict.CAUTION
    assert influence(flawed).n_as_large == 1


def test_one_comparison_area_is_found(results):
    design, units = results.locked.outcomes[results.primary], results.outcomes[results.primary].panel.by_unit()
    near = design.comparisons["neighbours"].of(design.treated_group)
    area = next(code for code in near if (units["cluster"] == code).any())
    flawed = planted(results, units.index[units["cluster"] == area], 25.0)
    found, test = influences(flawed).of("comparison area"), one_area_out(flawed)
    assert found[0].name == results.area_names[area]
    assert found[0].moved > 0  # what was compared with had gained
    assert not isinstance(test, Unavailable)
    # Areas that have the same neighbour move as well: it is a caution, not a certainty.
    assert test.p_value < one_area_out(results).p_value
    assert test.verdict(test.power(1.0)) is Verdict.CAUTION
