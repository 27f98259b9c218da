"""What data hold of commands to terminals, turned reading and formulas is taken away in one place."""

import json

import pytest

from evalkit.core.errors import DataError
from evalkit.core.words import cleaned, csv_safe, escaped
from evalkit.report.border.disclosure import release
from evalkit.report.border.table import Column, Table

HOSTILE = "a\x1b[31mred\x1b[0m\x1b]0;title\x07\x9b2J\u202egnp\u2066.exe\u2069\x00\x07\x7f\x85z"


def test_commands_to_terminals_and_turned_reading_are_taken_out():
    assert cleaned(HOSTILE) == "aredgnp.exe z"
    assert cleaned("a\r\nb\tc\rd") == "a\nb\tc d"
    assert cleaned("Ünïcode − “as it is”, עברית") == "Ünïcode − “as it is”, עברית"


def test_json_keeps_values_and_shows_no_command():
    text = escaped(json.dumps({HOSTILE: [HOSTILE, "é"]}, ensure_ascii=False, indent=1))
    assert cleaned(text) == text
    assert "é" in text
    assert json.loads(text) == {HOSTILE: [HOSTILE, "é"]}


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", "\u202e=1", "-"]
)
def test_a_formula_stands_behind_an_apostrophe(text):
    assert csv_safe(text).startswith("'")


@pytest.mark.parametrize("text", ["-5", "+4.5", "-1e-5", "3", "a=b", "St Mary - North", "", "−5"])
def test_numbers_and_other_texts_stay_as_they_are(text):
    assert csv_safe(text) == text


def test_errors_hold_no_command():
    assert str(DataError(HOSTILE)) == "aredgnp.exe z"


def test_a_table_is_safe_as_csv_and_html_headers_and_reasons_included():
    columns = (Column("=name", "=name"), Column("n", HOSTILE, "estimate"))
    table = release(Table(caption=HOSTILE, columns=columns, rows=(("@x", -1.5), (HOSTILE, 2.0))), 0)
    assert table.to_csv() == "'=name,n\n'@x,-1.5\naredgnp.exe z,2\n"
    page = table._repr_html_()
    assert cleaned(page) == page
