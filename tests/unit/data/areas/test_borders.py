"""Areas that share a border: squares, outlines that nearly meet, and known neighbours in the real layers."""

from datetime import date

import pytest

from evalkit.core.errors import DataError
from evalkit.data.areas.borders import AreaBorders, area_borders, bordering, read_border_list
from evalkit.data.areas.boundaries import Boundaries, read_boundaries

DEGREE = 111.2
KM = 1 / DEGREE


def square(x, y, side=0.1):
    return ((x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y))


def borders(**squares):
    rings = {int(code.removeprefix("a")): (ring,) for code, ring in squares.items()}
    return area_borders(Boundaries(rings, step=0)).km


def test_a_side_in_common_is_a_border_and_a_corner_is_none():
    found = borders(a1=square(0, 0), a2=square(0.1, 0), a3=square(0.1, 0.1))
    assert set(found) == {(1, 2), (2, 3)}  # 1 and 3 meet at a point
    assert found[1, 2] == pytest.approx(0.1 * DEGREE, abs=0.5)


@pytest.mark.parametrize(("gap_in_m", "is_border"), [(0, True), (100, True), (300, False)])
def test_outlines_that_nearly_meet(gap_in_m, is_border):
    assert ((1, 2) in borders(a1=square(0, 0), a2=square(0.1 + gap_in_m / 1000 * KM, 0))) == is_border


def test_a_side_of_many_points_and_one_of_two_are_one_border():
    many = tuple((0.1, at / 1000) for at in range(101))  # the eastern side in steps of a thousandth
    first = ((0, 0), *many, (0, 0.1), (0, 0))
    assert borders(a1=first, a2=square(0.1, 0)) == pytest.approx({(1, 2): 0.1 * DEGREE}, abs=0.5)


def test_borders_of_one_area_the_longest_first():
    rings = {1: (square(0, 0),), 2: (square(0.1, 0),), 3: (square(0, 0.1, 0.05),)}
    found = area_borders(Boundaries(rings, step=0))
    assert list(found.of(1)) == [2, 3]
    assert found.of(9) == {}
    assert area_borders(Boundaries({}, step=0)).km == {}


def test_outlines_thinned_for_a_map_are_refused():
    with pytest.raises(DataError, match="step=0"):
        area_borders(Boundaries({1: (square(0, 0),)}))


@pytest.fixture(scope="module")
def layers(shared_files):
    return sorted((shared_files / "boundaries").glob("*.geojson.gz"))


def test_known_neighbours_in_the_real_layers(layers):
    found = area_borders(read_boundaries(layers, on=date(2022, 9, 1), step=0))
    assert set(found.of(340)) == {341, 342, 343, 876, 888}  # Liverpool, St Helens, Sefton, Halton, Lancashire
    assert set(found.of(350)) == {351, 355, 359, 888, 889}  # Bury, Salford, Wigan, Lancashire, Blackburn
    assert set(found.of(344)) == {896}  # Wirral: Cheshire West; Liverpool is across the Mersey
    assert set(found.of(921)) == set()  # the Isle of Wight
    assert set(found.of(420)) == set()  # the Isles of Scilly
    assert set(found.of(908)) == {878}  # Cornwall: Devon; Plymouth is across the Tamar
    assert set(found.of(857)) == {855, 925, 940}  # Rutland, which meets Peterborough at little more than a point


def test_two_layers_give_the_borders_of_one(layers):
    districts, _ = layers  # boroughs and unitary authorities all stand in this layer, with points in common
    day = date(2022, 9, 1)
    merged = area_borders(read_boundaries(layers, on=day, step=0)).km
    alone = area_borders(read_boundaries(districts, on=day, step=0)).km
    codes = set(read_boundaries(districts, on=day).rings)
    # of some 200 pairs one is told otherwise: the layers draw the Thames at Hammersmith and Richmond differently
    assert {pair for pair in merged if set(pair) <= codes} ^ set(alone) == {(205, 318)}
    assert len(alone) > 150


def test_a_list_of_one_s_own_tells_areas_by_code_name_or_id(tmp_path):
    path = tmp_path / "borders.csv"
    path.write_text("one,other\nKnowsley,341\n343,knowsley\nKnowsley,343\nE1,E2\nE1,E1\n", encoding="utf-8")
    found = read_border_list(path, {340: "Knowsley", 341: "Liverpool", 343: "Sefton"})
    assert found == {"340": ("341", "343"), "341": ("340",), "343": ("340",), "E1": ("E2",), "E2": ("E1",)}
    path.write_text("one\n340\n", encoding="utf-8")
    with pytest.raises(DataError, match="has two columns"):
        read_border_list(path, {})


def test_borders_by_the_ids_that_areas_have_elsewhere():
    borders = AreaBorders({(340, 341): 12.0, (340, 343): 3.0})
    assert bordering(borders) == {"340": ("341", "343"), "341": ("340",), "343": ("340",)}
