"""`-j` on the commands that draw: the same JSON to the last digit, and a refusal where nothing is drawn."""

import json

import numpy as np
import pandas as pd
import pytest

from evalkit.run.cli import main
from tests.did_command import did, simulated
from tests.match_command import run_match

CLUSTERS = ("--bootstrap", "99", "--draw", "clusters", "--seed", "4")


@pytest.mark.parametrize("options", [CLUSTERS, ("--estimator", "imputation", *CLUSTERS), ("--estimator", "all")])
def test_did_says_the_same_on_two_processes(tmp_path, options):
    table = simulated(n_units=30)
    alone, shared = (did(table, tmp_path, *options, "-j", n) for n in ("1", "2"))
    assert shared.record == alone.record
    assert alone.record["bootstrap_draws"] == ("clusters" if "clusters" in options else "multipliers")


def test_clusters_drawn_again_have_errors_of_their_own(tmp_path):
    table = simulated(n_units=160)  # enough treated in each cohort: few keep the inference of their clusters, not draws
    drawn, multiplied = did(table, tmp_path, *CLUSTERS), did(table, tmp_path, "--bootstrap", "99", "--seed", "4")
    assert drawn.record["simple"]["estimate"] == multiplied.record["simple"]["estimate"]
    # with 99 draws both are within some 7% of the truth; four of those, twice
    assert drawn.record["simple"]["std_error"] == pytest.approx(multiplied.record["simple"]["std_error"], rel=0.5)
    assert drawn.record["simple"]["std_error"] != multiplied.record["simple"]["std_error"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--draw", "clusters"), "Give the number of draws as well"),
        ((*CLUSTERS, "--balanced-until", "1"), "no errors from clusters drawn again"),
        (("-j", "2"), "Add --bootstrap 999 --draw clusters"),
        (("--bootstrap", "99", "-j", "2"), "Add --bootstrap 999 --draw clusters"),
        (("--estimator", "twfe", "--draw", "clusters"), "has no use for --draw"),
        ((*CLUSTERS, "--scheduler", "nonsense"), "neither an address"),
    ],
)
def test_options_of_did_that_make_no_sense_are_refused(tmp_path, options, said):
    done = did(simulated(n_units=12), tmp_path, *options)
    assert done.code == 2
    assert said in done.err


def units(folder):
    random, n = np.random.default_rng(6), 80
    x = random.normal(size=n)
    taken = (random.random(n) < 1 / (1 + np.exp(1 - x))).astype(int)
    table = pd.DataFrame({"id": np.arange(n), "took": taken, "x": x, "y": x + taken + random.normal(size=n)})
    table.to_csv(folder / "units.csv", index=False)
    return folder / "units.csv"


def test_match_says_the_same_on_two_processes(tmp_path):
    asked = (
        "--treated",
        "took",
        "--on",
        "x",
        "--id",
        "id",
        "--method",
        "ipw",
        "--outcome",
        "y",
        "--errors",
        "bootstrap",
    )
    alone, shared = (run_match(units(tmp_path), *asked, "--json", "-j", n) for n in ("1", "2"))
    assert json.loads(shared.out) == json.loads(alone.out)
    refused = run_match(units(tmp_path), *asked[:-2], "-j", "2")
    assert refused.code == 2
    assert "Add --errors bootstrap" in refused.err


def test_synth_says_the_same_on_two_processes(tmp_path, capsys):
    random = np.random.default_rng(7)
    rows = [(f"A{area:02d}", year, 0.3 * area + random.normal()) for area in range(14) for year in range(2006, 2018)]
    pd.DataFrame(rows, columns=["area", "year", "rate"]).to_csv(tmp_path / "areas.csv", index=False)
    asked = ("--unit", "area", "--period", "year", "--outcome", "rate", "--treated", "A05", "--start", "2014", "--json")
    said = []
    for n in ("1", "2"):
        assert main(["synth", str(tmp_path / "areas.csv"), *asked, "-j", n]) == 0
        said.append(json.loads(capsys.readouterr().out))
    assert said[0] == said[1]
