"""The script that keeps outputs, to tell whether a change of structure changed their bytes."""

import importlib
import re
import subprocess
import sys

import pytest
from source_tree import ROOT


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module("keep_outputs")


def write(folder, **texts):
    for name, text in texts.items():
        path = folder / name / "stdout"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_what_differs_is_missing_or_is_new_is_listed_and_ends_with_1(tool, tmp_path, capsys):
    before = write(tmp_path / "before", same="1\n", number="{\n1.50\n}\n", gone="1\n", longer="1\n")
    after = write(tmp_path / "after", same="1\n", number="{\n1.5\n}\n", came="1\n", longer="1\n2\n")
    assert tool.compare(before, after) == 1
    # the text after the last end of a line counts as a line: an empty one before, a 2 after
    assert capsys.readouterr().out.splitlines() == [
        "new      came/stdout",
        "missing  gone/stdout",
        "differs  longer/stdout: line 2:  → 2",
        "differs  number/stdout: line 2: 1.50 → 1.5",
        "4 files before, 4 after; 4 differ, are missing or are new",
    ]


def test_the_end_of_a_line_is_a_difference(tool, tmp_path):
    before, after = write(tmp_path / "before", one="1\n"), write(tmp_path / "after", one="1")
    assert tool.compare(before, after) == 1


def test_equal_keepings_end_with_0_and_nothing_to_compare_with_2(tool, tmp_path, capsys):
    before, after = write(tmp_path / "before", one="1\n"), write(tmp_path / "after", one="1\n")
    assert tool.compare(before, after) == 0
    assert capsys.readouterr().out == "1 files before, 1 after; 0 differ, are missing or are new\n"
    (tmp_path / "empty").mkdir()
    assert tool.compare(before, tmp_path / "empty") == 2
    assert tool.compare(tmp_path / "none", after) == 2


def test_nothing_is_kept_over_an_earlier_keeping(tool, tmp_path):
    before = write(tmp_path / "before", one="1\n")
    assert tool.keep(before, None, "") == 2
    assert tool.files(before) == {"one/stdout": b"1\n"}


def test_a_call_that_ends_otherwise_than_it_should_is_told(tool):
    assert list(tool.wrong("did/one", tool.Ran(0, b"", ""), 0)) == []
    assert list(tool.wrong("did/one", tool.Ran(2, b"", "no column"), 0)) == [
        "did/one: exit code 2, not 0: no column",
    ]


def test_progress_is_no_part_of_what_was_said(tool):
    said = "[  0.0 s] reading\n[ 10.2 s] still at work\nevalkit: [1 s] is no number.\n"
    assert tool.PROGRESS.sub("", said) == "evalkit: [1 s] is no number.\n"


def test_schools_are_listed_by_rule(tool, tmp_path):
    """Of thirteen areas twelve have forty schools: every second one is taken, eight schools and a secondary of each."""
    folder = tmp_path / "performance-tables"
    for stage, measure, size in (("ks2", "READPROG", 40), ("ks4", "P8MEA", 2)):
        urns = [(area, 1000 * area + at) for area in range(1, 14) for at in range(size if area != 2 else 1)]
        rows = "".join(f"{area},{urn + (500 if stage == 'ks4' else 0)},-0.5\n" for area, urn in reversed(urns))
        (folder / stage).mkdir(parents=True)
        table = folder / stage / f"2018-2019_england_{stage}final.csv"
        table.write_text(f"LEA,URN,{measure}\n{rows}1,1,SUPP\n,2,0.1\n", encoding="utf-8")
    # the large areas are 1, 3, 4, 5, … 13, twelve in all: 1, 4, 6, 8, 10 and 12 are chosen
    expected = [str(1000 * area + at) for area in (1, 4, 6, 8, 10, 12) for at in (*range(8), 500)]
    assert tool.listed_schools(tmp_path) == expected


@pytest.mark.parametrize(("command", "option"), [("did", "--estimator"), ("match", "--method"), ("synth", "--method")])
def test_every_method_of_a_command_is_called(tool, command, option):
    asked = [sys.executable, "-m", "evalkit", command, "--help"]
    text = subprocess.run(asked, capture_output=True, text=True, cwd=ROOT, check=True).stdout
    methods = re.search(rf"^  {option} \{{(.*?)\}}", text, re.MULTILINE)[1].split(",")
    assert len(methods) >= 3
    calls = " ".join(words + " " for name, words in tool.CALLS.items() if name.startswith(f"{command}/"))
    defaults = {"did": "group-time", "match": "nearest", "synth": "sc"}
    assert [one for one in methods if f"{option} {one} " not in calls] == [defaults[command]]
