"""Outlines of areas: every way a file may name an area, and what is refused."""

import gzip
import json
from datetime import date

import pytest

from evalkit.core.errors import DataError
from evalkit.data.areas.boundaries import STEP, outlines_or_reason, read_boundaries
from evalkit.data.files import json_table
from evalkit.data.files.catalogue import catalogue
from evalkit.data.layouts.registry import layouts
from evalkit.data.published.sources import find_sources
from evalkit.data.synthetic.geography import draw_areas, write_boundaries

NAMES = {
    340: "Knowsley",
    341: "Liverpool",
    801: "Bristol, City of",
    810: "Kingston upon Hull, City of",
    846: "Brighton & Hove",
}
SQUARE = [[-3.0, 53.0], [-2.0, 53.0], [-2.0, 54.0], [-3.0, 54.0], [-3.0, 53.0]]


def feature(coordinates=SQUARE, kind="Polygon", **properties):
    shape = [coordinates] if kind == "Polygon" else [[ring] for ring in coordinates]
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": shape}}


@pytest.fixture
def written(tmp_path):
    def write(*features):
        path = tmp_path / "boundaries.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    "properties",
    [
        {"code": 340},
        {"code": "340"},
        {"la_code": 340.0},
        {"LA": "340"},
        {"LEA": 340, "name": "elsewhere"},
        {"old_la_code": "340"},
        {"name": "Knowsley"},
        {"LA": "knowsley"},
        {"la_name": "KNOWSLEY"},
        {"CTYUA23CD": "E08000011", "CTYUA23NM": "Knowsley", "FID": 3},
        {"LAD19NM": "Knowsley"},
    ],
)
def test_an_area_is_told_by_code_or_name(written, properties):
    found = read_boundaries(written(feature(**properties)), NAMES)
    assert list(found.rings) == [340]
    assert found.rings[340] == (tuple((x, y) for x, y in SQUARE),)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Bristol", 801),
        ("City of Bristol", 801),
        ("Kingston upon Hull, City of", 810),
        ("Brighton and Hove", 846),
    ],
)
def test_names_are_compared_without_what_is_written_differently(written, name, code):
    assert list(read_boundaries(written(feature(CTYUA21NM=name)), NAMES).rings) == [code]


def test_other_countries_are_left_out_and_parts_put_together(written):
    island = [[x + 5, y] for x, y in SQUARE]
    found = read_boundaries(
        written(feature(name="Cardiff"), feature(code=340), feature(code=340, coordinates=island), feature(name=None)),
        NAMES,
    )
    assert list(found.rings) == [340]
    assert len(found.rings[340]) == 2


def test_many_polygons_and_heights(written):
    high = [[x, y, 12.5] for x, y in SQUARE]
    found = read_boundaries(written(feature([SQUARE, high], "MultiPolygon", code=341)), NAMES)
    assert found.rings[341] == (tuple((x, y) for x, y in SQUARE),) * 2


def test_the_middle_is_that_of_the_largest_ring(written):
    small = [[0.0, 50.0], [0.1, 50.0], [0.1, 50.1], [0.0, 50.1], [0.0, 50.0]]
    found = read_boundaries(written(feature([small, SQUARE], "MultiPolygon", code=340)), NAMES)
    assert found.middle(340) == (-2.5, 53.5)


def test_outlines_are_thinned_and_specks_left_out(written):
    side = [[-3 + at / 10_000, 53.0] for at in range(10_001)]  # a side in ten thousand steps
    speck = [[0.0, 50.0], [STEP / 3, 50.0], [STEP / 3, 50 + STEP / 3], [0.0, 50.0]]
    found = read_boundaries(written(feature([[*side, *SQUARE[2:]], speck], "MultiPolygon", code=340)), NAMES)
    [ring] = found.rings[340]
    assert 100 <= len(ring) <= 106  # a point a hundredth of a degree along one degree, and the corners
    assert ring[0] == ring[-1] == (-3.0, 53.0)
    alone = read_boundaries(written(feature(speck, code=340)), NAMES)
    assert len(alone.rings[340]) == 1  # the only ring of an area stays


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ([feature(code=999)], "no feature is a local authority"),
        ([{"type": "Feature", "properties": None, "geometry": None}], "no feature is a local authority"),
        ([feature([[x * 1e5, y * 1e4] for x, y in SQUARE], code=340)], "not degrees of longitude and latitude"),
        ([feature(SQUARE[:-1], code=340)], "not closed"),
        ([feature(SQUARE[:2], code=340)], "not closed"),
        ([feature([["a", 1]] * 4, code=340)], "not pairs of numbers"),
        ([feature([[float("nan"), 1]] * 4, code=340)], "not closed|not degrees"),
        ([{"type": "Feature", "properties": {"code": 340}, "geometry": None}], "its geometry is missing"),
        (
            [{"type": "Feature", "properties": {"code": 340}, "geometry": {"type": "Point", "coordinates": [0, 0]}}],
            "its geometry is Point",
        ),
        (
            [{"type": "Feature", "properties": {"code": 340}, "geometry": {"type": "Polygon", "coordinates": 7}}],
            "not pairs of numbers",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(written, features, said):
    with pytest.raises(DataError, match=rf"boundaries\.geojson.*({said})"):
        read_boundaries(written(*features), NAMES)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"features": 3}', '{"features": [3]}', "\x00"])
def test_a_file_that_is_not_geojson(tmp_path, content):
    path = tmp_path / "boundaries.geojson"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"boundaries\.geojson"):
        read_boundaries(path, NAMES)


def test_no_file(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        read_boundaries(tmp_path / "boundaries.geojson", NAMES)


def test_an_area_without_an_outline_is_named_and_stops_nothing(written):
    found = read_boundaries(written(feature(code=341)), {340: "Knowsley", 341: "Liverpool"}, needed=[340])
    assert list(found.rings) == [341]
    assert found.lacking == ("Knowsley (340)",)


def layer(*gss, kind="UTLA22"):
    return [
        feature([[x + at, y] for x, y in SQUARE], **{f"{kind}CD": code, f"{kind}NM": "?"})
        for at, code in enumerate(gss)
    ]


def test_layers_are_put_together_by_gss_code_and_each_area_comes_whole_from_one(tmp_path):
    def write(name, features):
        path = tmp_path / name
        path.write_text(json.dumps({"features": features}), encoding="utf-8")
        return path

    # Kent, Bolton twice in the districts, a county of districts (E11) and a Scottish council, which are no authorities
    districts = write("a.geojson", layer("E06000035", "E08000001", "E08000001", "E08000002", "S12000005", kind="LAD24"))
    upper = write("b.geojson", layer("E06000035", "E10000016", "E11000001"))
    found = read_boundaries([districts, upper])
    assert set(found.rings) == {350, 351, 886, 887}  # Bolton, Bury, Kent, Medway
    assert [len(found.rings[code]) for code in (350, 351, 886, 887)] == [2, 1, 1, 1]
    # Medway stands in both: that of the layer with counties, whose first square is not moved
    assert found.rings[887][0][0] == (-3.0, 53.0)
    assert len(found.lacking) == 153 - 4
    assert "Knowsley (340)" in found.lacking


@pytest.mark.parametrize(
    ("needed", "on", "codes"),
    [
        ([], None, {942, 943}),  # the later authorities, of as many or more areas
        ([909], None, {909}),  # what took part decides
        ([], date(2022, 9, 1), {909}),
        ([], date(2023, 4, 1), {942, 943}),
    ],
)
def test_authorities_are_those_of_one_day(written, needed, on, codes):
    found = read_boundaries(written(*layer("E10000006", "E06000063", "E06000064")), needed=needed, on=on)
    assert set(found.rings) == codes


def test_a_code_of_the_ons_comes_before_a_name(written):
    # the county of Dorset until 2019, and the council that followed it, are both called Dorset
    old = {"CTYUA18CD": "E10000009", "CTYUA18NM": "Dorset"}
    assert set(read_boundaries(written(feature(**old)), needed=[835]).rings) == {835}
    assert set(read_boundaries(written(feature(UTLA22CD="E06000059", UTLA22NM="Dorset"))).rings) == {838}
    with pytest.raises(DataError, match="no feature is a local authority"):
        read_boundaries(
            written(feature(LAD24CD="E07000081", LAD24NM="Gloucestershire"))
        )  # a district, whatever its name


def test_the_file_is_found_where_it_is_supplied_and_counts_among_the_inputs(tmp_path):
    panel = "SCHOOL_ID,URN,YEAR,LA,LAESTAB,SCHNAME,MINORGROUP_SPINE1718,TELIG\n"
    (tmp_path / "panel.csv").write_text(panel, encoding="utf-8")
    assert find_sources(tmp_path).boundaries == ()
    path = tmp_path / "boundaries.geojson"
    path.touch()
    found = find_sources(tmp_path)
    assert found.boundaries == (path,)
    assert path in found.files()


def test_the_synthetic_england_has_a_hexagon_for_every_authority(tmp_path):
    areas = draw_areas(7, 900)
    write_boundaries(tmp_path, 7, areas)
    names = {int(code): f"Synthetic Borough {code}" for code in areas.code}
    found = read_boundaries(tmp_path / "boundaries.geojson", names, needed=[340])
    assert set(found.rings) == set(names)
    assert all(len(rings) == 1 and len(rings[0]) == 7 for rings in found.rings.values())
    assert len({found.middle(code) for code in names}) == len(names)
    corners = [point for rings in found.rings.values() for point in rings[0][:-1]]
    assert len(set(corners)) < 0.5 * len(corners)  # neighbours share their corners


def test_the_real_layers_give_every_authority(shared_files):
    layers = sorted((shared_files / "boundaries").glob("*.geojson.gz"))
    then = read_boundaries(layers, on=date(2022, 9, 1))
    assert len(then.rings) == 152
    assert then.lacking == ()
    assert len(read_boundaries(layers).rings) == 153  # Cumberland, and Westmorland and Furness, for Cumbria
    districts, upper = layers
    alone = read_boundaries(districts, on=date(2022, 9, 1))
    assert len(alone.rings) == 152 - 24  # the county councils
    assert "Kent (886)" in alone.lacking
    lacking = read_boundaries(upper, on=date(2022, 9, 1)).lacking
    assert len(lacking) == 36  # the metropolitan boroughs
    assert "Knowsley (340)" in lacking


def test_a_compressed_file_cut_short(tmp_path, written):
    path = tmp_path / "outlines.geojson.gz"
    path.write_bytes(gzip.compress(written(feature(code=340)).read_bytes())[:-20])
    with pytest.raises(DataError, match=r"outlines\.geojson\.gz: the file is not JSON, or is damaged"):
        read_boundaries(path, NAMES)


def test_a_map_stops_no_evaluation(tmp_path, written):
    path = tmp_path / "damaged.geojson"
    path.write_text("{", encoding="utf-8")
    assert outlines_or_reason([path], NAMES, [340]).unavailable_reason.startswith(
        "damaged.geojson: the file is not JSON"
    )
    found = outlines_or_reason([written(feature(code=341))], NAMES, [340])
    assert found.unavailable_reason == "The boundaries have no outline of Knowsley, which took part."
    assert not found.rings
    drawn = outlines_or_reason([written(feature(code=341))], NAMES, [340, 341])  # one of two is there
    assert not drawn.unavailable_reason
    assert "Knowsley (340)" in drawn.lacking


def test_a_layer_is_parsed_once_to_be_listed_and_without_its_outlines(tmp_path, written, monkeypatch):
    written(feature(UTLA22CD="E10000016", UTLA22NM="Kent"))
    parsed, real = [], json_table._parsed
    monkeypatch.setattr(json_table, "_parsed", lambda name, text: parsed.append(text) or real(name, text))
    (entry,) = catalogue(tmp_path, layouts()).entries
    assert (entry.contents.areas, entry.reason) == (("E10000016",), "")
    assert len(parsed) == 1
    assert b'"coordinates": []' in parsed[0]
