"""Where the answer to a command goes: every form of it from one description, files whole or not at all."""

import json
from pathlib import Path

import pytest

from evalkit.core.errors import EnvironmentFault, EvalkitError, InputError
from evalkit.core.sentence import Sentence, count
from evalkit.report.border.parts import Document, Prose
from evalkit.run.commands.options import KINDS, Options, add_output_options, read
from evalkit.run.tables.written import CommandAnswer, Output, output_of, tell

LEFT_OUT = Sentence("{n} are left out.", n=count(4, of="people", noun="person", nouns="people"))


def told(fewest=0, asked=None, **changes):
    def document(has_figures):
        (asked if asked is not None else []).append(has_figures)
        return Document(title="The title", sections=((Prose((LEFT_OUT,)),),))

    return CommandAnswer(
        **({"document": document, "csv": lambda: "a,b\n1,2\n", "record": lambda: {"n": 12}} | changes), fewest=fewest
    )


def given(*options, table="table.csv"):
    known = Options("evalkit did")
    add_output_options(known, main_table="the effects")
    return output_of(read(known, options), Path(table))


def test_help_names_the_main_table_and_the_kinds():
    known = Options("evalkit did")
    add_output_options(known, main_table="the effects by cohort")
    text = " ".join(known.help("", {}, "").split())
    assert ".csv holds the effects by cohort" in text
    assert ".html, .docx, .pdf or .csv" in text


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_written_whole_and_the_text_is_printed(tmp_path, capsys, kind):
    path = tmp_path / f"answer{kind}"
    tell(told(), Output(path))
    start = {".html": b"<!DOCTYPE html>", ".docx": b"PK", ".pdf": b"%PDF", ".csv": b"a,b\n1,2\n"}[kind]
    assert path.read_bytes().startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    printed = capsys.readouterr()
    assert printed.out == "The title\n  4 people are left out.\n"
    assert f"written: {path}" in printed.err


def test_figures_are_made_for_files_alone():
    asked = []
    tell(told(asked=asked), Output())
    assert asked == [False]


def test_figures_are_made_for_a_page(tmp_path):
    asked = []
    tell(told(asked=asked), Output(tmp_path / "a.html", is_quiet=True))
    assert asked == [True]


def test_json_is_the_record_alone(tmp_path, capsys):
    tell(told(), Output(is_json=True))
    assert json.loads(capsys.readouterr().out) == {"n": 12}
    tell(told(), Output(tmp_path / "a.csv", is_json=True, is_quiet=True))
    assert json.loads(capsys.readouterr().out) == {"n": 12}


def test_quiet_says_nothing_beside_a_file_but_still_answers_without_one(tmp_path, capsys):
    tell(told(), Output(tmp_path / "a.html", is_quiet=True))
    assert capsys.readouterr() == ("", "")
    tell(told(), Output(is_quiet=True))
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("The title\n  4 people are left out.\n", "")


@pytest.mark.parametrize("kind", [".html", ".csv"])
def test_what_fails_leaves_the_earlier_file_as_it_was_and_prints_nothing(tmp_path, capsys, kind):
    def fail(*_):
        raise EvalkitError("It cannot be drawn.")

    path = tmp_path / f"a{kind}"
    path.write_text("earlier")
    with pytest.raises(EvalkitError, match="cannot be drawn"):
        tell(told(document=fail, csv=fail), Output(path))
    assert path.read_text() == "earlier"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert capsys.readouterr().out == ""


def test_a_full_disk_is_told_in_a_sentence(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(EnvironmentFault, match="The disk is full"):
        tell(told(), Output(tmp_path / "a.csv"))


def test_small_counts_of_people_leave_in_no_form(tmp_path, capsys):
    path = tmp_path / "a.html"
    tell(told(fewest=10), Output(path))
    assert "4 people" not in path.read_text() + capsys.readouterr().out
    assert "fewer than 10 people are left out." in path.read_text().lower()


def test_a_file_that_could_not_be_written_is_refused_before_anything_is_read(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("a\n1\n")
    for name, said in (
        ("a.txt", "must end in"),
        ("none/a.html", "no folder"),
        ("table.csv", "the table that was read"),
    ):
        with pytest.raises(InputError, match=said):
            given("--out", str(tmp_path / name), table=str(table))
    assert given("--quiet", "--json") == Output(None, is_json=True, is_quiet=True)
