"""`evalkit import` and the file list of `evalkit check`: one entry for every file, and a code that says how it went."""

import json

import pytest

from evalkit.run.cli import main

HEADER = "RECTYPE,LEA,ESTAB,URN,SCHNAME,TELIG,READPROG_17,READPROG_LOWER_17\n"


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "ks2.csv").write_text(HEADER + "1,340,2001,104413,A School,41,1,2\n4,,,,,41,,\n5,,,,,41,,\n")
    (folder / "notes.md").write_text("x")
    return folder


def test_json_has_exactly_what_is_said_and_one_entry_for_every_file(raw, tmp_path, capsys):
    assert main(["import", str(raw), "--store", str(tmp_path / "store"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "files": [
            {
                "file": "notes.md", "kind": "unknown", "publisher": "", "years": [], "rows": 0, "used": False,
                "reason": "it is no table",
            },
            {
                "file": "sub/ks2.csv", "kind": "performance-table-ks2", "publisher": "DfE", "years": [2018], "rows": 3,
                "used": True, "reason": "",
            },
        ]
    }  # fmt: skip


def test_text_says_what_each_file_gives_or_why_it_is_not_used(raw, tmp_path, capsys):
    assert main(["import", str(raw), "--store", str(tmp_path / "store")]) == 0
    out = capsys.readouterr().out
    assert "2 files, 2 read now" in out
    assert "sub/ks2.csv: Performance table, key stage 2\n    DfE; 3 rows; years 2018; levels school, local" in out
    assert "local authority and national; 1 area (340)" in out
    assert "notes.md: it is no table" in out
    assert main(["import", str(raw), "--store", str(tmp_path / "store")]) == 0
    assert "as they were" in capsys.readouterr().out


def test_nothing_usable_and_no_folder_end_with_code_two(raw, tmp_path, capsys):
    (raw / "sub" / "ks2.csv").write_text("")
    assert main(["import", str(raw), "--store", str(tmp_path / "store"), "--json"]) == 2
    said = capsys.readouterr()
    assert [one["reason"] for one in json.loads(said.out)["files"]] == [
        "it is no table",
        "the file is empty. Download it again",
    ]
    assert "none of 2 files can be used" in said.err
    assert main(["import", str(tmp_path / "nothing"), "--store", str(tmp_path / "store")]) == 2
    assert "nothing is there" in capsys.readouterr().err


def test_check_lists_every_file_of_a_folder(raw, capsys):
    assert main(["check", "--data", str(raw)]) == 0
    out = capsys.readouterr().out
    assert "Files that can be used (1)\n  sub/ks2.csv" in out
    assert "notes.md: it is no table" in out
    assert main(["check", "--data", str(raw), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["folder_files"]
    assert [(one["file"], one["areas"], one["levels"]) for one in files] == [
        ("notes.md", [], []),
        ("sub/ks2.csv", ["340"], ["school", "local authority", "national"]),
    ]
    assert main(["check"]) == 2
