"""`evalkit synth` as a process: what it prints where, and how it ends."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from tests.conftest import ROOT
from tests.synth_command import COLUMNS, simulated

KEYS = "estimate weights pre_rmse placebo_p gap"
BASE = ("--treated", "000", "--start", "2016")


def evalkit_synth(*arguments):
    command = [sys.executable, "-m", "evalkit", "synth", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)


def no_constant(name):
    raise AssertionError(f"JSON holds {name}")


def record(*arguments):
    ran = evalkit_synth(*arguments, "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout, parse_constant=no_constant)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("synth") / "scores.csv"
    simulated().to_csv(path, index=False)
    return path


@pytest.mark.parametrize("method", ["sc", "augmented", "sdid"])
def test_one_json_object_on_standard_output(table, method):
    found = record(table, *COLUMNS, *BASE, "--method", method)
    assert list(found)[:5] == KEYS.split()
    assert found["estimate"] == pytest.approx(3, abs=0.5)
    assert len(found["weights"]) == 23
    assert sum(found["weights"].values()) == pytest.approx(1)
    assert "001" in found["weights"]
    assert found["placebo_p"] == pytest.approx(1 / 24)
    assert [row["period"] for row in found["gap"]] == list(range(1998, 2020))
    assert all(row["gap"] == pytest.approx(row["treated"] - row["synthetic"]) for row in found["gap"])
    assert {"interval", "conformal", "placebo_in_time", "leave_one_out", "n", "fit", "notes"} <= set(found)
    assert found["n"] | {"donors_with_weight": 0} == {
        "treated": 1, "donors": 23, "donors_with_weight": 0, "pre_periods": 18, "post_periods": 4
    }  # fmt: skip
    assert set(found["interval"]) in ({"lower", "upper", "level"}, {"unavailable"})


def test_the_same_bytes_whatever_the_row_order(table, tmp_path):
    shuffled = tmp_path / "scores.csv"
    pd.read_csv(table, dtype=str).sample(frac=1, random_state=2).to_csv(shuffled, index=False)
    options = (*COLUMNS, "--treated", "000", "001", "--start", "2016", "--seed", "7", "--json")
    one, two = evalkit_synth(table, *options), evalkit_synth(shuffled, *options)
    assert one.returncode == 0, one.stderr
    assert one.stdout == two.stdout
    assert "reading scores.csv" in one.stderr


def test_a_text_for_a_person(table):
    ran = evalkit_synth(table, *COLUMNS, *BASE, "--exclude", "005", "006", "--level", "0.9")
    said = " ".join(ran.stdout.split())
    assert ran.returncode == 0
    assert "2 areas left out (excluded by name): 005 and 006." in said
    assert "higher than in the synthetic one" in said
    assert "would have moved as the weighted donors did" in said
    assert "90% interval" in said


def test_two_periods_before_the_start_give_no_p_value(table, tmp_path):
    short = tmp_path / "short.csv"
    rows = pd.read_csv(table, dtype=str)
    rows[rows["year"].astype(int) >= 2014].to_csv(short, index=False)
    found = record(short, *COLUMNS, *BASE)
    assert "Two fit almost any area exactly" in found["placebo_p"]["unavailable"]
    assert isinstance(found["estimate"], float)
    ran = evalkit_synth(short, *COLUMNS, *BASE)
    assert ran.stdout.count("Only 2 periods lie before the start") == 1


def test_a_bad_fit_shows_no_estimate(table, tmp_path):
    far = tmp_path / "far.csv"
    rows = pd.read_csv(table, dtype={"area": str})
    rows.loc[rows["area"] == "000", "score"] += 20
    rows.to_csv(far, index=False)
    found = record(far, *COLUMNS, *BASE)
    assert "no average of these donors is like it" in found["estimate"]["unavailable"]
    assert "unavailable" in found["gap"][-1]["gap"]
    assert isinstance(found["gap"][0]["gap"], float)
    assert "No estimate is shown" in " ".join(evalkit_synth(far, *COLUMNS, *BASE).stdout.split())


ONE_DONOR = "area,year,score\na,2001,1\na,2002,2\nb,2001,1\nb,2002,3\n"
NO_DONOR = "area,year,score\na,2001,1\na,2002,2\n"
THREE = ONE_DONOR + "c,2001,0\nc,2002,1\n"


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (None, [], "there is no such file"),
        ("", [], "is empty"),
        (ONE_DONOR, [], "There is one donor, 'b'"),
        (NO_DONOR, [], "No donor is left"),
        (THREE.replace("b,2001,1", "b,2001,one"), [], "line 4: 'one' in the column 'score' is not a number"),
        (THREE, ["--start", "2003"], "no period from the start on"),
        (THREE, ["--start", "2001"], "no period before the start"),
        (THREE, ["--treated", "Knowsly"], "There is no area 'Knowsly'"),
        (THREE.replace("c,", "Knowsley,"), ["--treated", "Knowsly"], "Did you mean 'Knowsley'?"),
        (THREE, ["--exclude", "d"], "There is no area 'd'"),
        (THREE, ["--exclude", "a"], "treated and as excluded"),
        (THREE, ["--treated", "a"], "named twice"),
        (THREE, ["--level", "95"], "between 0 and 1"),
        (THREE, ["--seed", "-1"], "from 0 on"),
        (THREE, ["--outcome", "scores"], "Did you mean 'score'?"),
        (THREE, ["--outcome", "year"], "named as"),
        (THREE, ["--method", "sdid"], "there is one period"),
        (THREE, ["--method", "augmented"], "3 are needed"),
        (THREE.replace("a,2001,1\n", ""), [], "'a' has no value in 2001"),
        (THREE + "c,2002,1\n", [], "two rows in period 2002"),
    ],
)
def test_bad_input_ends_with_a_sentence_and_code_two(tmp_path, content, options, said):
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    ran = evalkit_synth(path, *COLUMNS, "--treated", "a", "--start", "2002", *options, "--json")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("missing", ["--unit", "--period", "--outcome", "--treated", "--start"])
def test_a_missing_option_is_named(table, missing):
    given = dict(zip(COLUMNS[::2], COLUMNS[1::2], strict=True)) | {"--treated": "000", "--start": "2016"}
    ran = evalkit_synth(table, *(text for key, value in given.items() if key != missing for text in (key, value)))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert missing in ran.stderr
