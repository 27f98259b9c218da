"""Every file is listed: what it is, which of several for one thing is used, and why another is not."""

import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from evalkit.core.errors import DataError
from evalkit.data.files.catalogue import CatalogueEntry, catalogue
from evalkit.data.files.conflicts import reasons
from evalkit.data.files.layout import Contents, Field, Layout, has_fields
from evalkit.data.files.members import member_of
from evalkit.data.files.raw_table import RawTable

FIELDS = tuple(Field(name=name, meaning="A column.") for name in ("URN", "YEAR", "SCORE"))


def contents(table: RawTable) -> Contents:
    frame = table.read(["YEAR"])
    years = tuple(sorted({int(year) for year in frame["YEAR"]}))
    stage = next((one for one in ("provisional", "revised", "final") if one in table.name), "")
    return Contents(rows=len(frame), years=years, stage=stage, subject=f"scores {years}")


SCORES = Layout(
    name="scores", title="Scores", publisher="DfE", fields=FIELDS, fits=lambda peek: has_fields(peek, FIELDS),
    contents=contents, reader="read_scores",
)  # fmt: skip
OTHER = Layout(
    name="derived", title="Assembled panel", publisher="", fields=FIELDS[:1], reader="read_panel",
    fits=lambda peek: peek.columns[:1] == ("ASSEMBLED",), contents=lambda table: Contents(rows=table.n_rows()),
    unused_reason="it was made from other files",
)  # fmt: skip
LAYOUTS = (SCORES, OTHER)
ENTRY = CatalogueEntry(member=member_of(Path("a.csv")), layout=SCORES, contents=Contents(rows=1))
TEXT = "URN,YEAR,SCORE\n1,2019,5\n"


def listed(folder):
    return {one.name: (one.kind, one.contents.rows, one.reason) for one in catalogue(folder, LAYOUTS).entries}


def write(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")


def test_the_latest_stage_is_used_and_the_others_say_so(tmp_path):
    write(tmp_path, a_provisional=TEXT, b_revised=TEXT + "2,2019,6\n", c=TEXT + "3,2019,6\n")
    found = listed(tmp_path)
    assert found["c.csv"] == ("scores", 2, "")
    assert "c.csv is the later stage" in found["a_provisional.csv"][2]
    assert "c.csv is the later stage" in found["b_revised.csv"][2]
    write(tmp_path, d_final=TEXT)
    found = listed(tmp_path)
    assert found["d_final.csv"][2] == ""
    assert "d_final.csv" in found["c.csv"][2]


def test_of_one_stage_the_later_cut_is_used():
    files = [replace(ENTRY, member=member_of(Path(f"{day}.csv")), contents=Contents(rows=day, subject="links",
             as_of=f"2021-01-0{day}")) for day in (1, 3, 2)]  # fmt: skip
    found = reasons(files, lambda at: str(at))
    assert found == ["3.csv is a later cut of the same list (to 2021-01-03)", "", found[0]]


def test_of_the_same_bytes_one_is_used_and_the_other_is_its_copy(tmp_path):
    write(tmp_path, a=TEXT, b=TEXT)
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("d.csv", TEXT)
    found = listed(tmp_path)
    assert found["a.csv"] == ("scores", 1, "")
    assert "copy of a.csv" in found["b.csv"][2]
    assert "copy of a.csv" in found["c.zip/d.csv"][2]


def test_two_of_one_stage_with_other_contents_are_both_refused_by_name(tmp_path):
    write(tmp_path, a=TEXT, b=TEXT.replace("5", "6"))
    found = listed(tmp_path)
    assert "b.csv gives the same table" in found["a.csv"][2]
    assert "a.csv gives the same table" in found["b.csv"][2]


def test_other_years_are_no_conflict(tmp_path):
    write(tmp_path, a=TEXT, b=TEXT.replace("2019", "2018"))
    assert [reason for _, _, reason in listed(tmp_path).values()] == ["", ""]


def test_an_unknown_table_says_what_it_comes_nearest_to(tmp_path):
    write(tmp_path, near="URN,YEAR,points\n1,2019,5\n", far="x,y\n1,2\n3,4\n", prose="Dear all\n\nthis, is a text\n")
    (tmp_path / "notes.md").write_text("notes")
    found = listed(tmp_path)
    assert found["near.csv"][2].endswith("The nearest is 'Scores', which also has SCORE")
    assert found["far.csv"] == ("unknown", 2, "no known layout has these columns (x and y)")
    assert found["prose.csv"] == ("unknown", 0, "it is a text, not a table")
    assert found["notes.md"] == ("unknown", 0, "it is no table")


def test_a_derived_table_and_one_without_rows_are_not_used(tmp_path):
    write(tmp_path, panel="ASSEMBLED\n1\n2\n", empty="URN,YEAR,SCORE\n")
    found = listed(tmp_path)
    assert found["panel.csv"] == ("derived", 2, "it was made from other files")
    assert "no rows" in found["empty.csv"][2]


def test_damage_is_a_reason_and_hides_no_other_file(tmp_path):
    write(tmp_path, a=TEXT)
    (tmp_path / "b.csv").write_text(TEXT + "2,2018")
    (tmp_path / "c.zip").write_bytes(b"PK")
    found = listed(tmp_path)
    assert found["a.csv"][2] == ""
    assert found["b.csv"][2].startswith("line 3: the file is cut short")
    assert "damaged" in found["c.zip"][2]


def test_of_a_workbook_the_sheet_that_fits_is_read_and_others_are_named(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["About"])
    for name in ("Data", "More"):
        sheet = book.create_sheet(name)
        sheet.append(["URN", "YEAR", "SCORE"])
        sheet.append([1, 2019, 5])
    book.save(tmp_path / "t.xlsx")
    (entry,) = catalogue(tmp_path, LAYOUTS).entries
    assert (entry.kind, entry.sheet, entry.contents.rows) == ("scores", "Data", 1)
    assert "'More'" in entry.note
    assert entry.table().read(["SCORE"]).to_numpy().tolist() == [["5"]]


def test_a_folder_that_is_none_is_told(tmp_path):
    with pytest.raises(DataError, match="no folder"):
        catalogue(tmp_path / "nothing", LAYOUTS)
