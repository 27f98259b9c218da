"""Links, neighbour lists and outlines as layouts: told by content, of two cuts the later, and the real files."""

import json
import shutil

import pytest

from evalkit.core.errors import DataError
from evalkit.data.files.catalogue import catalogue
from evalkit.data.files.members import member_of
from evalkit.data.files.raw_table import Peek, RawTable
from evalkit.data.layouts import boundaries, gias, gias_groups, neighbours
from evalkit.data.published.neighbours import name_of_list, read_neighbours

LINKS = "URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n"
ALL = (*gias.LAYOUTS, *gias_groups.LAYOUTS, *neighbours.LAYOUTS, *boundaries.LAYOUTS)


def test_of_two_cuts_of_links_the_later_by_its_own_dates_is_used(tmp_path):
    (tmp_path / "z.csv").write_text(LINKS + "100002,100001,A,Predecessor,01-09-2018\n")
    (tmp_path / "a.csv").write_text(LINKS + "100002,100001,A,Predecessor,01-09-2018\n1,2,A,Successor,02-01-2020\n")
    found = catalogue(tmp_path, ALL)
    assert [entry.member.name for entry in found.of("gias-links")] == ["a.csv"]
    [other] = [entry for entry in found.entries if not entry.is_used]
    assert other.reason == "a.csv is a later cut of the same list (to 2020-01-02)"


def test_real_lists_of_schools(tmp_path, shared_files, shared_data):
    for path in (*(shared_files / "gias").iterdir(), *(shared_data / "gias").iterdir()):
        shutil.copy(path, tmp_path / path.name)
    found = {entry.member.name: entry for entry in catalogue(tmp_path, ALL).entries}
    said = {name: (entry.layout.name, entry.contents.rows, entry.is_used) for name, entry in found.items()}
    assert said == {
        "2021_850_936_gias.csv": ("gias", 729, True),
        "2021_giaslinks.csv.gz": ("gias-links", 29_817, False),
        "england_spine_2017-2018.csv": ("gias-spine", 26_078, True),
        "group_links.csv.gz": ("gias-groups", 20_395, True),
        "links_edubasealldata_2022.csv": ("gias-links", 30_653, True),
    }
    table = RawTable(member_of(shared_files / "gias" / "2021_giaslinks.csv.gz"))
    assert (table.read() == "").sum().sum() == 8_316


# Neighbour lists.

HEAD_2025 = "old_la_code,la_name,region_ind,region_name,SN_1,SN_1P,SN_2,SN_2P\n"


@pytest.fixture
def listed(tmp_path):
    def write(text, name="list.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8-sig")
        return path

    return write


@pytest.mark.parametrize(
    ("code", "name"),
    [(940, "april_2021"), (942, "may_2025"), (928, "")],
)
def test_which_list_it_is_is_told_by_whose_neighbours_it_has(listed, code, name):
    path = listed(HEAD_2025 + f"{code},A,1,North West,340,Close ,341,Close\n")
    assert name_of_list(read_neighbours(path)) == name
    [layout] = neighbours.LAYOUTS
    table = RawTable(member_of(path))
    assert layout.fits(table.peek)
    if name:
        assert layout.contents(table).measures == (name,)
    else:
        with pytest.raises(DataError, match="older than that of April 2021"):
            layout.contents(table)


def test_headings_that_repeat(listed):
    head = "LA num,LA Name,LA number,GOInd,GOReg,SN1,SNP,SN2,SNP\n"
    found = read_neighbours(listed(head + "340,Knowsley,340,5,North West,341,Close,876,Not Close\n,,,,,,,,\n"))
    assert found.of(340) == (341, 876)
    assert found.closeness[340] == ("Close", "Not close")
    assert found.regions[340] == "North West"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "no row starting"),
        (HEAD_2025, "names no local authority"),
        (HEAD_2025 + '340,"Knowsley\n', "is not CSV"),
        (HEAD_2025 + "340,Know\0sley\n", "holds NULs"),
        (HEAD_2025 + "340,Knowsley,5,North", "cut short"),
        ("", "no row starting"),
    ],
)
def test_what_is_no_list(listed, text, said):
    with pytest.raises(DataError, match=f"list.csv.*{said}"):
        read_neighbours(listed(text))


@pytest.mark.parametrize(
    ("file", "book", "name", "n_rows", "only_in_book"),
    [
        ("New_Statistical_Neighbour_Groupings_April_2021.csv", "sn_april_2021.xlsx", "april_2021", 159, {942, 943}),
        ("sn_model_2025_wide.csv", "sn_may_2025.xlsx", "may_2025", 153, {835, 836, 837, 909, 928}),
    ],
)
def test_the_real_lists_as_csv_are_those_of_the_workbooks(
    shared_files, shared_data, file, book, name, n_rows, only_in_book
):
    path = shared_files / "neighbours" / file
    as_csv, as_workbook = read_neighbours(path), read_neighbours(shared_data / "lait" / book)
    assert name_of_list(as_csv) == name_of_list(as_workbook) == name
    assert set(as_workbook.neighbours) - set(as_csv.neighbours) == only_in_book
    assert set(as_csv.neighbours) <= set(as_workbook.neighbours)
    for code in as_csv.neighbours:
        assert as_csv.of(code) == as_workbook.of(code)
        assert as_csv.closeness[code] == as_workbook.closeness[code]
    [layout] = neighbours.LAYOUTS
    assert layout.contents(RawTable(member_of(path))).rows == n_rows


def test_a_workbook_is_told_by_its_sheet():
    [layout] = neighbours.LAYOUTS
    assert layout.fits(Peek(name="a.xlsx", form="workbook", columns=(), rows=(), sheet="LA SN Groups"))
    assert not layout.fits(Peek(name="a.xlsx", form="workbook", columns=(), rows=(), sheet="Sheet1"))


# Outlines.


@pytest.mark.parametrize(
    ("columns", "fits"),
    [(("UTLA22CD", "UTLA22NM"), True), (("code", "name"), True), (("LAD24CD",), True), (("id", "price"), False)],
)
def test_outlines_are_told_by_what_names_their_areas(columns, fits):
    [layout] = boundaries.LAYOUTS
    assert layout.fits(Peek(name="a.geojson", form="geojson", columns=columns, rows=())) == fits


def test_areas_of_an_outline(tmp_path):
    [layout] = boundaries.LAYOUTS
    path = tmp_path / "a.geojson"
    square = {"type": "Polygon", "coordinates": []}

    def features(*properties):
        path.write_text(json.dumps({"features": [{"properties": one, "geometry": square} for one in properties]}))
        return layout.contents(RawTable(member_of(path)))

    found = features({"LAD24CD": "E08000011"}, {"LAD24CD": "E07000026"}, {"LAD24CD": "W06000001"})
    assert (found.rows, found.areas) == (3, ("E08000011",))
    assert features({"code": 340, "name": "A"}).areas == ("340",)
    with pytest.raises(DataError, match="no feature is a local authority"):
        features({"LAD24CD": "W06000001"})


def test_areas_of_the_real_layers(shared_files):
    [layout] = boundaries.LAYOUTS
    districts, upper = sorted((shared_files / "boundaries").iterdir())
    found = [layout.contents(RawTable(member_of(path))) for path in (districts, upper)]
    assert [one.rows for one in found] == [361, 187]
    assert [len(one.areas) for one in found] == [63 + 36 + 33, 59 + 33 + 24]
