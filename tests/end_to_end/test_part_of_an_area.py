"""A list of participants that is part of a borough: no permutation, and the borough's other schools in no arm."""

import json

import pytest


@pytest.fixture(scope="module")
def listed(listed_run):
    return json.loads((listed_run / "results.json").read_text(encoding="utf-8")), (
        listed_run / "report.html"
    ).read_text("utf-8")


def test_the_permutation_is_unavailable_with_the_reason(listed):
    results, html = listed
    effects = [e for e in results["effects"] if e["outcome"] == "READPROG" and e["inference"] == "permutation"]
    assert effects
    for effect in effects:
        assert isinstance(effect["estimate"], float)
        assert "part of their area" in effect["p_value"]["unavailable"]
        assert "part of their area" in effect["interval"]["unavailable"]
        assert effect["estimand"] in {"ATT", "ATT_AMONG_MATCHED"}
    assert "part of their area" in html


def test_the_boroughs_other_schools_are_in_no_arm(listed):
    results, _ = listed
    rows = [row for row in results["flow"] if row["outcome"] == "READPROG"]
    analysed = sum(row["n"] for row in rows if row["arm"] == "treated" and row["stage"] == "analysed")
    assert 20 <= analysed <= 26
    assert sum(row["n"] for row in rows if "in no arm" in row["reason"]) >= 20
