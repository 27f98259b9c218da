"""Which areas are compared with which: the treated one with its neighbours, and never as a comparison."""

import pytest

from evalkit.core.errors import DesignError
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.design.project.areas import neighbour_comparisons, rest_of_england, without_areas

LISTS = {340: (341, 344, 999), 341: (340, 344), 344: (340, 341), 350: (340,), 351: (341, 351)}
TABLE = NeighbourTable(LISTS, {}, {}, 0)
GROUPS = [351, 340, 341, 344, 350]
TREATED = {340: (340,)}


def test_each_area_has_its_own_neighbours_and_the_treated_one_serves_nobody():
    found = neighbour_comparisons(GROUPS, TABLE, TREATED, [])
    assert found.groups == (340, 341, 344, 350, 351)
    assert {group: found.of(group) for group in found.groups} == {
        340: (341, 344),
        341: (344,),
        344: (341,),
        350: (),  # its only neighbour is the treated area
        351: (341,),  # not itself
    }


def test_areas_on_a_list_without_schools_are_counted_and_the_treated_one_is_not_absent():
    found = neighbour_comparisons([340, 341], TABLE, TREATED, [])
    assert found.absent == {340: (344, 999), 341: (344,)}


def test_excluded_areas_are_never_compared_and_not_called_absent():
    found = neighbour_comparisons(GROUPS, TABLE, TREATED, [344])
    assert found.of(340) == (341,)
    assert found.of(341) == ()
    assert found.absent[340] == (999,)


def test_schools_treated_by_name_have_the_neighbours_of_all_their_areas():
    found = neighbour_comparisons([0, 341, 344, 351], TABLE, {0: (340, 350)}, [])
    assert found.of(0) == (341, 344)


def test_no_neighbour_left_is_refused():
    with pytest.raises(DesignError, match="No statistical neighbour of the treated area"):
        neighbour_comparisons(GROUPS, TABLE, TREATED, [341, 344])
    with pytest.raises(DesignError, match="no untreated school"):
        neighbour_comparisons([340, 350], TABLE, TREATED, [])
    with pytest.raises(DesignError, match="no untreated school"):
        neighbour_comparisons([341, 344], TABLE, TREATED, [])


def test_the_rest_of_england_is_every_other_area_but_the_treated_and_excluded():
    found = rest_of_england(GROUPS, TREATED, [350])
    assert found.of(340) == (341, 344, 351)
    assert found.of(341) == (344, 351)
    assert found.of(350) == (341, 344, 351)


def test_dropping_areas_drops_them_for_everyone():
    found = without_areas(neighbour_comparisons(GROUPS, TABLE, TREATED, []), [341])
    assert found.of(340) == (344,)
    assert found.of(344) == ()
