"""`evalkit did` as a process: what it prints where, and how it ends."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.did_command import COLUMNS, simulated

KEYS = "group_time simple by_cohort event_study calendar n_units n_treated n_comparison dropped"
GOOD = """\
unit,year,y,cohort
a,2000,1,2001
a,2001,3,2001
b,2000,1,2001
b,2001,2,2001
c,2000,1,
c,2001,1,
d,2000,2,
d,2001,1,
"""


def evalkit_did(*arguments):
    command = [sys.executable, "-m", "evalkit", "did", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("did") / "scores.csv"
    simulated().to_csv(path, index=False)
    return path


def test_one_json_object_on_standard_output(table):
    ran = evalkit_did(table, *COLUMNS, "--covariates", "x", "--bootstrap", "99", "--seed", "5", "--json")
    assert ran.returncode == 0
    found = json.loads(ran.stdout)
    assert list(found)[:9] == KEYS.split()
    assert set(found["simple"]["interval"]) == {"lower", "upper", "level"}
    assert "reading scores.csv" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert (
        evalkit_did(table, *COLUMNS, "--covariates", "x", "--bootstrap", "99", "--seed", "5", "--json").stdout
        == ran.stdout
    )


def test_a_text_for_a_person(table):
    ran = evalkit_did(table, *COLUMNS, "--estimator", "all")
    assert ran.returncode == 0
    assert "The overall effect by every estimator" in ran.stdout
    assert "if without the programme they would have moved as the comparison units did" in " ".join(ran.stdout.split())


def test_classic_two_way_fixed_effects(table):
    ran = evalkit_did(table, *COLUMNS, "--estimator", "twfe", "--json")
    assert ran.returncode == 0
    assert set(KEYS.split()) <= set(json.loads(ran.stdout))


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (None, [], "there is no such file"),
        ("", [], "is empty"),
        (GOOD.replace("3,2001", "three,2001"), [], "line 3: 'three' in the column 'y' is not a number"),
        (GOOD.replace(",\n", ",0\n"), [], "leave the cohort empty"),
        (GOOD + "a,2000,1,2001\n", [], "two rows in period 2000"),
        (GOOD, ["--covariates", "z"], "no column 'z'"),
        (GOOD, ["--estimator", "imputation", "--method", "dr"], "--method"),
        (GOOD, ["--level", "95"], "between 0 and 1"),
    ],
)
def test_bad_input_ends_with_a_sentence_and_code_two(tmp_path, content, options, said):
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    ran = evalkit_did(path, *COLUMNS, *options, "--json")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_missing_option_is_named(table):
    ran = evalkit_did(table, "--unit", "unit", "--period", "year", "--outcome", "y")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "--cohort" in ran.stderr
