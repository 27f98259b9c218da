"""Where `match` refuses the effect an interval, no number that says how uncertain it is stands anywhere else."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from tests.match_command import run_match

COLUMNS = ("--treated", "treated", "--on", "x,before", "--id", "id", "--cluster", "area", "--earlier", "older,before")
UNCERTAIN = {"std_error", "interval", "p_value", "limit", "p_lower", "p_upper", "t", "value_significance", "gamma_lost"}


@pytest.fixture(scope="module", params=["one treated area", "one area of most weight"])
def path(request, tmp_path_factory):
    """Units of which one area is treated, or of which one of six treated areas holds nine in ten of the treated."""
    random = np.random.default_rng(8)
    n = 300
    table = pd.DataFrame({"id": [f"u{at:03d}" for at in range(n)], "x": random.normal(size=n)})
    table["treated"] = (np.arange(n) < 60).astype(int)
    few = np.zeros(60, dtype=int)
    if request.param != "one treated area":
        few[-5:] = np.arange(1, 6)
    table["area"] = [f"a{at}" for at in [*few, *(10 + np.arange(n - 60) % 30)]]
    table["older"] = table["x"] + random.normal(size=n)
    table["before"] = table["x"] + random.normal(size=n) - 0.8 * table["treated"]
    table["y"] = table["x"] + random.normal(size=n) + 0.7 * table["treated"]
    table["passed"] = (table["y"] > 0).astype(int)
    where = tmp_path_factory.mktemp("refused") / "units.csv"
    table.to_csv(where, index=False)
    return where


def numbers_of(record):
    """Return every key that says how uncertain something is and holds a number, or an interval."""
    if isinstance(record, dict):
        held = [
            k for k, v in record.items() if k in UNCERTAIN and isinstance(v, int | float) and not isinstance(v, bool)
        ]
        held += [k for k, v in record.items() if isinstance(v, dict) and "lower" in v]
        return [*held, *(one for value in record.values() for one in numbers_of(value))]
    return [one for value in record for one in numbers_of(value)] if isinstance(record, list) else []


@pytest.mark.parametrize("outcome", ["y", "passed"])
@pytest.mark.parametrize(
    "method", [("nearest",), ("nearest", "--errors", "CR2"), ("full", "--errors", "CR2"), ("entropy",)]
)
def test_no_number_of_uncertainty_is_told_beside_a_refused_interval(path, tmp_path, outcome, method):
    options = (*COLUMNS, "--outcome", outcome, "--method", *method)
    record = run_match(path, *options, "--json").record
    assert "unavailable" in record["effect"]["interval"]
    assert numbers_of({key: record[key] for key in ("effect", "sensitivity", "findings")}) == []
    page = tmp_path / "page.html"
    text = run_match(path, *options, "--out", str(page)).out
    html = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for said in (text, re.sub(r"<[^>]+>", " ", html)):
        plain = re.sub(r"\s+", " ", said)
        assert "the effect has no interval of that kind" in plain
        assert not re.search(r"interval [−\d.]+ to|\bp [=<] ?0?\.\d|\(standard error \d", plain)
        assert "at the 95% level" not in plain


def test_tests_of_units_are_not_made_where_clusters_are_named(tmp_path):
    random = np.random.default_rng(3)
    n = 300
    table = pd.DataFrame({"id": range(n), "x": random.normal(size=n), "area": np.arange(n) % 60})
    table["treated"] = (table["area"] < 15).astype(int)
    table["y"] = table["x"] + random.normal(size=n) + 0.8 * table["treated"]
    path = tmp_path / "units.csv"
    table.to_csv(path, index=False)
    columns = ("--treated", "treated", "--on", "x", "--id", "id", "--outcome", "y", "--json")
    named = run_match(path, *columns, "--cluster", "area").record["sensitivity"]
    assert "those of one cluster are not" in named["hidden_bias"]["unavailable"]
    alone = run_match(path, *columns).record["sensitivity"]
    assert named["robustness"]["value"] == alone["robustness"]["value"]
    assert [one.get("estimate") for one in named["robustness"]["benchmarks"]] == [
        one.get("estimate") for one in alone["robustness"]["benchmarks"]
    ]
    assert numbers_of(named["robustness"]) == []
    assert "interval" not in named["robustness"]["sentence"]
    assert "those of one cluster" not in json.dumps(alone)
