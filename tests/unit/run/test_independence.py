"""What errors take as independent is said wherever no area was named, in words and in JSON."""

import re

import numpy as np
import pandas as pd
import pytest

from evalkit.design.clusters import AT_ALL, NAME_THE_AREA, independence_by
from tests.did_command import did, run_did, simulated
from tests.match_command import run_match

OF_UNITS = "This takes units of one area to share nothing that changes over time."
OF_PEOPLE = "This takes people of one area to share nothing that moves the outcome."
ESTIMATORS = ["group-time", "imputation", "sun-abraham", "extended", "two-stage", "twfe", "all"]


def plain(text):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


@pytest.fixture(scope="module")
def table():
    made = simulated()
    made["area"] = made["unit"].astype(int) % 30
    made["twin"] = "n" + made["unit"]
    return made


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_says_what_it_takes_for_granted_and_asks_for_the_area(table, tmp_path, estimator):
    record = did(table, tmp_path, "--estimator", estimator).record
    said = plain(run_did(tmp_path / "table.csv", "--estimator", estimator).out)
    assert record["inference"]["assumes"] == f"{OF_UNITS} {NAME_THE_AREA}"
    assert said.count(record["inference"]["assumes"]) == 1


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_with_the_area_named_areas_are_what_shares_nothing(table, tmp_path, estimator):
    record = did(table, tmp_path, "--estimator", estimator, "--cluster", "area").record
    assert record["inference"]["assumes"] == "This takes clusters to share nothing that changes over time."


def test_a_cluster_that_holds_one_unit_each_is_no_area(table, tmp_path):
    assert did(table, tmp_path, "--cluster", "twin").record["inference"]["assumes"].startswith(OF_UNITS)


def test_pupils_of_cross_sections_are_people(table, tmp_path):
    single = table.assign(unit=[f"p{at}" for at in range(len(table))])
    said = did(single, tmp_path, "--repeated-cross-sections").record["inference"]["assumes"]
    assert said.startswith("This takes people of one area")


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    random = np.random.default_rng(5)
    n = 400
    made = pd.DataFrame({"id": range(n), "x": random.normal(size=n), "area": np.arange(n) % 40})
    made["treated"] = (random.permutation(n) < 60).astype(int)
    made["y"] = made["x"] + random.normal(size=n)
    path = tmp_path_factory.mktemp("match") / "units.csv"
    made.to_csv(path, index=False)
    return path


COLUMNS = ("--treated", "treated", "--on", "x", "--id", "id", "--outcome", "y")


@pytest.mark.parametrize("method", ["nearest", "optimal", "full", "cem", "subclass", "entropy", "ipw", "cbps"])
def test_every_method_of_matching_says_so(units, method):
    record = run_match(units, *COLUMNS, "--method", method, "--json").record
    assert record["effect"]["assumes"] == independence_by("unit", AT_ALL)
    assert record["effect"]["assumes"] in plain(run_match(units, *COLUMNS, "--method", method).out)
    named = run_match(units, *COLUMNS, "--method", method, "--cluster", "area", "--json").record
    assert named["effect"]["assumes"] == "This takes clusters to share nothing that moves the outcome."


@pytest.mark.parametrize("errors", ["HC1", "bootstrap", "cluster"])
def test_every_kind_of_error_says_so(units, errors):
    assert run_match(units, *COLUMNS, "--errors", errors, "--json").record["effect"]["assumes"]


def test_people_are_called_people_on_the_page_and_in_the_text(units, tmp_path):
    page = tmp_path / "page.html"
    said = run_match(units, *COLUMNS, "--people", "--out", str(page)).out
    assert OF_PEOPLE in plain(said)
    assert OF_PEOPLE in plain(page.read_text(encoding="utf-8"))
