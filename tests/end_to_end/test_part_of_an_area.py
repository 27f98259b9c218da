"""A list of participants that is part of a borough: placed among sets, and the borough's other schools in no arm."""

import json

import pytest


@pytest.fixture(scope="module")
def listed(listed_run):
    return json.loads((listed_run / "results.json").read_text(encoding="utf-8")), (
        listed_run / "report.html"
    ).read_text("utf-8")


def test_every_comparison_is_placed_among_sets_of_other_areas(listed):
    results, html = listed
    assert not [e for e in results["effects"] if e["inference"] == "permutation" and e["outcome"] == "READPROG"]
    effects = [e for e in results["effects"] if e["outcome"] == "READPROG" and e["inference"] == "sets"]
    assert {"neighbours", "england", "matched", "matched_without_outcomes"} <= {e["design"] for e in effects}
    for effect in effects:
        assert isinstance(effect["estimate"], float)
        assert effect["estimand"] in {"ATT", "ATT_AMONG_MATCHED"}
        assert effect["sets"]["n_treated_areas"] == 1
        if effect["sets"]["n_areas"] >= 40:
            assert isinstance(effect["p_value"], float)
            assert effect["interval"]["lower"] < effect["estimate"] < effect["interval"]["upper"]
        else:
            assert "areas could hold such a set" in effect["interval"]["unavailable"]
    [main] = [e for e in effects if (e["design"], e["period"]) == ("neighbours", "post")]
    assert isinstance(main["p_value"], float)
    assert "other areas" in html


def test_the_boroughs_other_schools_are_in_no_arm(listed):
    results, _ = listed
    rows = [row for row in results["flow"] if row["outcome"] == "READPROG"]
    analysed = sum(row["n"] for row in rows if row["arm"] == "treated" and row["stage"] == "analysed")
    assert 20 <= analysed <= 26
    assert sum(row["n"] for row in rows if "in no arm" in row["reason"]) >= 20
