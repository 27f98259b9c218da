"""A data folder is told by what it holds."""

import gzip
import io
import json
import zipfile

import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.data.areas.boundaries import outlines_or_reason
from evalkit.data.files.catalogue import catalogue
from evalkit.data.layouts.registry import layouts
from evalkit.data.published.listings import summers_at_hand
from evalkit.data.published.project_data import _neighbour_list
from evalkit.data.published.sources import find_sources, require_results

HEADER = "RECTYPE,LEA,ESTAB,URN,SCHNAME"
KS2, KS4 = f"{HEADER},TELIG,PTRWM_EXP", f"{HEADER},TPUP,ATT8SCR"
PRIOR = f"{KS2},PTRWM_EXP_17,PTRWM_EXP_18,TELIG_17,TELIG_18"
PANEL = "SCHOOL_ID,URN,YEAR,LA,LAESTAB,SCHNAME,MINORGROUP_SPINE1718,TELIG,READPROG\n"
LAYER = '{"type": "FeatureCollection", "features": []}'
LINKS = "URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n"


def table(header, *areas):
    """Return a wide table with a school in each area."""
    schools = [f"1,{area},2001,{area}001,A school,30,50" for area in areas]
    return "\n".join([header, *schools, "4,,,,,9,50", "5,,,,,9,50", "7,,,,,9,50"]) + "\n"


def put(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return folder


@pytest.fixture
def folder(tmp_path):
    return put(
        tmp_path,
        {
            "panel/ks2_school_panel_2016_2019_england.csv.gz": PANEL,
            "performance-tables/ks2/2016-2017_850_ks2final.csv": table(KS2, 850),
            "performance-tables/ks2/2018-2019_england_ks2final.csv": table(KS2, 340, 850),
            "performance-tables/ks4/2017-2018_england_ks4final.csv": table(KS4, 340, 850),
            "performance-tables/ks2/notes_ks2final.csv": "nothing,of,the,kind\n",
            "gias/links_edubasealldata_2022.csv": LINKS,
        },
    )


def of_years(tables):
    return {year: [one.area for one in files] for year, files in tables.items()}


def test_files_are_found_by_what_they_are(folder):
    found = find_sources(folder)
    assert found.kind == "real"
    assert list(found.panels) == ["KS2"]
    assert of_years(found.tables["KS2"]) == {2017: [850], 2019: [None]}
    assert of_years(found.tables["KS4"]) == {2018: [None]}
    assert found.links is not None
    assert found.spine is None
    assert [path.name for path in found.neighbours.values()] == ["sn_april_2021.xlsx", "sn_may_2025.xlsx"]
    assert not any(path.name.startswith("notes") for path in found.files())


def test_names_and_places_count_for_nothing(tmp_path):
    inside = io.BytesIO()
    with zipfile.ZipFile(inside, "w") as archive:
        archive.writestr("2017-2018/hampshire.csv", table(KS2, 850))
        archive.writestr("readme.txt", "not a table")
    (tmp_path / "download.zip").write_bytes(inside.getvalue())
    put(tmp_path, {"deep/down/surrey.csv.gz": table(PRIOR, 936), "any.csv": LINKS})
    found = find_sources(tmp_path)
    assert of_years(found.tables["KS2"]) == {2018: [850], 2019: [936]}
    assert {path.name for path in found.files()} == {"download.zip", "surrey.csv.gz", "any.csv"}
    assert not found.neighbours  # of single authorities no list is missed
    assert not found.has_england("KS2")


def test_authorities_stand_side_by_side_and_england_stands_for_them(tmp_path):
    put(tmp_path, {f"{name}_2018-2019_ks2.csv": table(KS2, area) for name, area in (("a", 936), ("b", 850))})
    assert of_years(find_sources(tmp_path).tables["KS2"]) == {2019: [850, 936]}
    put(tmp_path, {"c_2018-2019_ks2.csv": table(KS2, 340, 850, 936)})
    assert of_years(find_sources(tmp_path).tables["KS2"]) == {2019: [None]}


def test_the_later_stage_is_used_and_two_of_one_stage_are_refused_when_they_are_asked_for(tmp_path):
    texts = {"provisional": table(KS2, 850), "final": table(KS2, 850), "revised": table(KS2, 850)}
    put(tmp_path, {f"2018-2019_850_ks2{stage}.csv": text for stage, text in texts.items()})
    found = find_sources(tmp_path)
    assert [one.file.name for one in found.tables["KS2"][2019]] == ["2018-2019_850_ks2final.csv"]
    put(tmp_path, {"copy of 2018-2019_850_ks2final.csv": texts["final"]})
    found = find_sources(tmp_path)
    with pytest.raises(DataError, match="are both the performance table KS2 2019 authority 850"):
        summers_at_hand(found, "KS2")
    assert summers_at_hand(found, "KS4") == set()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "2016-2017_850_ks2final.csv",
            "the name says the school year 2016/17, and the prior-year columns are",
        ),
        ("2018-2019_936_ks2final.csv", "the name says authority 936, and its schools are of 850"),
        ("2018-2019_850_ks4final.csv", "the name says key stage 4, and the columns are those of key stage 2"),
    ],
)
def test_a_wrong_file_under_a_right_name_is_refused(tmp_path, name, said):
    found = find_sources(put(tmp_path, {name: table(PRIOR, 850)}))
    with pytest.raises(DataError, match=said):
        summers_at_hand(found, "KS2")


def test_a_table_that_does_not_say_its_year_is_refused_with_the_remedy(tmp_path):
    found = find_sources(put(tmp_path, {"hampshire.csv": table(KS2, 850)}))
    with pytest.raises(DataError, match=r"neither the columns nor the name.*Put the school year in the file's name"):
        summers_at_hand(found, "KS2")


def test_no_such_folder(tmp_path):
    with pytest.raises(DataError, match="there is no such folder"):
        find_sources(tmp_path / "absent")


def test_a_folder_without_results(tmp_path):
    with pytest.raises(DataError, match="no results were found"):
        find_sources(tmp_path)


OUTLINES = '{"type": "FeatureCollection", "features": []}'


def test_outlines_alone_will_do_where_no_results_are_asked_for(tmp_path):
    found = find_sources(put(tmp_path, {"boundaries.geojson": OUTLINES}))
    assert [path.name for path in found.outline_files] == ["boundaries.geojson"]
    with pytest.raises(DataError, match="no results were found"):
        require_results(found)


def test_of_two_cuts_of_one_list_the_later_by_its_name_is_used_and_others_are_refused(folder):
    put(folder, {"gias/links_edubasealldata20251103.csv": LINKS})
    assert find_sources(folder).links.name == "gias/links_edubasealldata20251103.csv"
    put(folder, {"other/links.csv": LINKS, "gias/links_20251103.csv": LINKS})
    with pytest.raises(DataError, match=r"links_20251103\.csv and links_edubasealldata20251103\.csv are the same kind"):
        find_sources(folder)


def test_of_two_cuts_the_later_by_its_contents_is_used_whatever_their_names_say(folder):
    earlier, later = "100002,100001,A,Predecessor,01-09-2016\n", "100004,100003,B,Predecessor,01-09-2022\n"
    put(folder, {"gias/links_edubasealldata_2022.csv": LINKS + later, "gias/links_2025.csv": LINKS + earlier})
    assert find_sources(folder).links.name == "gias/links_edubasealldata_2022.csv"


def lists(folder, name, newest):
    """Write a list of neighbours on which an authority first made in 2021 (940) or 2023 (942) has one."""
    rows = f"LA num,LA Name,a,b,GOReg,SN1,SNP\n340,Knowsley,,,NW,341,Close\n{newest},New,,,NW,340,Close\n"
    return put(folder, {name: rows})


def test_a_list_of_neighbours_is_told_by_its_content_where_its_name_says_no_year(folder):
    lists(folder, "lists/first.csv", 940)
    lists(folder, "lists/second.csv", 942)
    found = find_sources(folder).neighbours
    assert {name: path.name for name, path in found.items()} == {"april_2021": "first.csv", "may_2025": "second.csv"}


def test_a_list_of_neighbours_under_another_ones_name_is_refused(folder):
    path = find_sources(lists(folder, "lists/sn_2021.csv", 942)).neighbours["april_2021"]
    with pytest.raises(DataError, match="those of may_2025: another list stands under this name"):
        _neighbour_list("april_2021", path)


def test_synthetic_data_say_so_and_a_damaged_mark_is_refused(folder):
    mark = folder / "SYNTHETIC.json"
    mark.write_text('{"kind": "synthetic"}', encoding="utf-8")
    assert find_sources(folder).kind == "synthetic"
    assert mark in find_sources(folder).files()
    for content in ('{"kind": "real"}', "", "[]"):
        mark.write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match=r"SYNTHETIC\.json"):
            find_sources(folder)


def test_outlines_in_an_archive_are_outlines(folder):
    square = [[-3.0, 53.0], [-2.0, 53.0], [-2.0, 54.0], [-3.0, 53.0]]
    shape = {"type": "Polygon", "coordinates": [square]}
    feature = {"type": "Feature", "properties": {"LAD24CD": "E08000011"}, "geometry": shape}
    with zipfile.ZipFile(folder / "layers.zip", "w") as archive:
        archive.writestr("districts.geojson", json.dumps({"type": "FeatureCollection", "features": [feature]}))
    found = find_sources(folder)
    assert list(outlines_or_reason(found.boundaries, {340: "Knowsley"}, [340]).rings) == [340]
    assert folder / "layers.zip" in found.files()


def test_a_table_is_told_by_content_whatever_its_name_ends_in_and_its_header_s_case(tmp_path):
    put(tmp_path, {"2017-2018_ks2final.txt": table(KS2.lower(), 340, 850), "outlines.json": LAYER})
    found = find_sources(tmp_path)
    assert of_years(found.tables["KS2"]) == {2018: [None]}
    assert [one.name for one in found.boundaries] == ["outlines.json"]


def test_tables_that_a_project_reads_as_csv_alone_are_told_with_what_to_do(tmp_path):
    put(tmp_path, {"2017-2018_ks2final.csv": table(KS2, 340, 850)})
    frame = pd.read_csv(tmp_path / "2017-2018_ks2final.csv", dtype=str, keep_default_na=False)
    frame.to_parquet(tmp_path / "2018-2019_ks2final.parquet")
    frame.to_excel(tmp_path / "2016-2017_ks2final.xlsx", index=False)
    found = find_sources(tmp_path)
    assert list(found.tables["KS2"]) == [2018]
    said = "a project reads this table as CSV alone. Download it as CSV."
    assert list(found.unreadable) == [f"2016-2017_ks2final.xlsx: {said}", f"2018-2019_ks2final.parquet: {said}"]
    reasons = {entry.name: entry.reason for entry in catalogue(tmp_path, layouts()).entries}
    assert all("download the table as CSV" in reasons[line.partition(":")[0]] for line in found.unreadable)
