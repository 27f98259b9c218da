"""Terminals and pipes of any encoding: what they lack is written plainly, and no command stops at it."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.run.console import make_streams_plain, plain

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("−0.4 to 1.0", "-0.4 to 1.0"),
        ("χ² ≥ 3 × 10⁻⁶", "chi^2 >= 3 x 10^-6"),
        ("Saint-André’s “best” …", "Saint-Andre's 'best' ..."),
        ("x̄", "x"),
        ("漢", "\\u6f22"),
        ("\udce9.csv", "\\udce9.csv"),  # a byte of a file name that is no letter
    ],
)
def test_signs_are_written_plainly(text, expected):
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("encoding", "expected"), [("cp1252", "-1 ± 2 – é"), ("ascii", "-1 +/- 2 - e"), ("utf-8", "−1 ± 2 – é")]
)
def test_only_what_an_encoding_lacks_is_replaced(monkeypatch, encoding, expected):
    under = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(under, encoding=encoding))
    make_streams_plain()
    print("−1 ± 2 – é", flush=True)
    assert under.getvalue().decode(encoding).strip() == expected


def test_json_keeps_every_sign(monkeypatch):
    content = {"name": "Saint-André “一” 𝔘", "effect": "−0.4"}
    under = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(under, encoding="ascii"))
    make_streams_plain()
    print(json.dumps(content, ensure_ascii=False, indent=2), flush=True)
    assert json.loads(under.getvalue()) == content


def test_what_a_user_asked_for_stands(monkeypatch):
    under = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(under, encoding="ascii", errors="replace"))
    make_streams_plain()
    print("−", flush=True)
    assert under.getvalue().strip() == b"?"


def table(folder: Path) -> Path:
    """Write six areas over four years; `Größe−A` joins in the third, with an effect of -1."""
    rows = ["area,year,score"]
    for i, area in enumerate(["Größe−A", "b", "c", "d", "e", "f"]):
        rows += [f"{area},{year},{i + year % 10 - (i == 0) * (year > 2012)}" for year in range(2011, 2015)]
    path = folder / "table.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_commands_write_to_any_encoding(tmp_path, encoding):
    """The areas' names, effects below 0 and an error that repeats an option's signs all go through."""
    start = ["synth", str(table(tmp_path)), "--unit", "area", "--period", "year", "--outcome", "score"]
    start += ["--start", "2013", "--treated"]
    variables = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}

    def ran(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "evalkit", *arguments]
        return subprocess.run(command, capture_output=True, cwd=tmp_path, env=variables, check=False)

    for arguments in ([*start, "Größe−A"], [*start, "Größe−A", "--json"], ["did", "--help"]):
        done = ran(*arguments)
        assert done.returncode == 0, done.stderr.decode(encoding)
        assert done.stdout.decode(encoding)
        assert b"Traceback" not in done.stderr
    refused = ran(*start, "Größe−Z")
    assert refused.returncode == 2
    assert "-Z" in refused.stderr.decode(encoding)
    assert b"Traceback" not in refused.stderr
