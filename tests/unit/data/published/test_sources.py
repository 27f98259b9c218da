"""A data folder is told by what it holds."""

import pytest

from evalkit.core.errors import DataError
from evalkit.data.published.sources import find_sources


@pytest.fixture
def folder(tmp_path):
    for name in (
        "panel/ks2_school_panel_2016_2019_england.csv.gz",
        "performance-tables/ks2/2016-2017_850_ks2final.csv",
        "performance-tables/ks2/2018-2019_england_ks2final.csv",
        "performance-tables/ks4/2017-2018_england_ks4final.csv",
        "performance-tables/ks2/notes_ks2final.csv",
        "gias/links_edubasealldata_2022.csv",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_files_are_found_by_what_they_are(folder):
    found = find_sources(folder)
    assert found.kind == "real"
    assert list(found.panels) == ["KS2"]
    assert {stage: list(tables) for stage, tables in found.tables.items()} == {"KS2": [2019], "KS4": [2018]}
    assert {stage: list(tables) for stage, tables in found.county_tables.items()} == {"KS2": [2017], "KS4": []}
    assert found.links is not None
    assert found.spine is None
    assert [path.name for path in found.neighbours.values()] == ["sn_april_2021.xlsx", "sn_may_2025.xlsx"]
    assert not any(path.name.startswith("notes") for path in found.files())


def test_no_such_folder(tmp_path):
    with pytest.raises(DataError, match="there is no such folder"):
        find_sources(tmp_path / "absent")


def test_a_folder_without_results(tmp_path):
    with pytest.raises(DataError, match="no results were found"):
        find_sources(tmp_path)


def test_two_files_of_one_kind(folder):
    (folder / "gias" / "links_edubasealldata_2023.csv").touch()
    with pytest.raises(
        DataError, match=r"links_edubasealldata_2022\.csv and links_edubasealldata_2023\.csv are the same kind"
    ):
        find_sources(folder)


def test_synthetic_data_say_so_and_a_damaged_mark_is_refused(folder):
    mark = folder / "SYNTHETIC.json"
    mark.write_text('{"kind": "synthetic"}', encoding="utf-8")
    assert find_sources(folder).kind == "synthetic"
    assert mark in find_sources(folder).files()
    for content in ('{"kind": "real"}', "", "[]"):
        mark.write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match=r"SYNTHETIC\.json"):
            find_sources(folder)
