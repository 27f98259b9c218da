"""A list of participants that is part of a borough: no permutation, and the borough's other schools in no arm."""

import csv
import json
import shutil

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def listed(outputs, synthetic_england, tmp_path_factory):
    table = synthetic_england / "performance-tables" / "ks2" / "2018-2019_england_ks2final.csv"
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["LEA"] == "340" and row["RECTYPE"] == "1"]
    urns = [row["URN"] for row in rows if row["READPROG"] not in ("", None, "SUPP", "NA", "LOWCOV")][:26]
    folder = tmp_path_factory.mktemp("projects") / "part-of-knowsley"
    shutil.copytree(ROOT / "data" / "projects" / "knowsley-ssif", folder)
    (folder / "participants.csv").write_text("URN\n" + "\n".join(urns) + "\n", encoding="utf-8")
    text = (folder / "project.yml").read_text(encoding="utf-8")
    text = text.replace("slug: knowsley-ssif", "slug: part-of-knowsley")
    text = text.replace("rule: local_authority\n  local_authority: 340", "rule: file\n  file: participants.csv")
    (folder / "project.yml").write_text(text, encoding="utf-8")
    made = outputs("part", str(folder / "project.yml"), "--data", str(synthetic_england))
    return json.loads((made / "results.json").read_text(encoding="utf-8")), (made / "report.html").read_text("utf-8")


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
