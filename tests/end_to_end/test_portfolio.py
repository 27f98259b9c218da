"""From evaluations of three areas to one site over them, with what evalkit itself writes in between."""

import json
import statistics

import pytest

from evalkit.run.cli import main
from tests.conftest import made_once
from tests.portfolio_outputs import AREAS, write_outputs


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory, synthetic_england):
    """The outputs of three areas, made once for all test processes."""
    place = synthetic_england.parent / "portfolio-outputs"
    return made_once(place, lambda folder: write_outputs(folder, synthetic_england))


@pytest.fixture
def record(evaluated, tmp_path):
    assert main(["portfolio", "--outputs", str(evaluated), "--out", str(tmp_path)]) == 0
    return json.loads((tmp_path / "_portfolio" / "results.json").read_text(encoding="utf-8"))


def held(evaluated, slug):
    return json.loads((evaluated / slug / "results.json").read_text(encoding="utf-8"))


def test_every_report_of_this_version_can_be_read(record):
    assert record["unread"] == []
    assert [one["slug"] for one in record["projects"]] == [area.slug for area in AREAS]
    assert [one["region"] for one in record["projects"]] == ["North West", "North East", "East Midlands"]
    assert {one["data_kind"] for one in record["projects"]} == {"synthetic"}
    assert [one["theme"] for one in record["projects"]] == ["literacy", "literacy", ""]
    assert all(0 <= one["rating"]["value"] <= 5 for one in record["projects"])


def test_what_is_pooled_are_the_reports_own_numbers(record, evaluated):
    group = record["groups"][0]
    assert (group["what"], group["pooled"]["n"], group["is_few"]) == ("READPROG", 3, True)
    for member in group["members"]:
        own = held(evaluated, member["project"])
        assert member["raw"] == own["headline"]["estimate"]
        assert member["raw_interval"] == own["headline"]["interval"]
        # the interval reaches to the placebo that 5% exceed: near two root mean squares, by either way of measuring
        half = (member["raw_interval"]["upper"] - member["raw_interval"]["lower"]) / 2
        assert 1.2 < half / member["raw_std_error"] < 3.0
        assert member["error_source"] == "placebo areas of its size"
    middle = [member["estimate"] for member in group["members"]]
    assert min(middle) <= group["pooled"]["random_effects"]["estimate"] <= max(middle)
    assert 0 < group["pooled"]["p_value"] <= 1
    assert group["pooled"]["n_areas"] > 100


def test_where_every_area_stood_before_is_in_the_results(evaluated):
    one = next(one for one in held(evaluated, "ash-reading")["distributions"] if one["design"] == "neighbours")
    lengths = {len(one[key]) for key in ("areas", "effects", "pre_means", "baseline_gaps", "n_schools")}
    assert lengths == {len(one["areas"])}
    assert (one["pre"], one["post"]) == ([2016, 2017], [2019])
    # gaps are to areas near in level, so they are smaller than levels are apart
    assert 0 < statistics.pstdev(one["baseline_gaps"]) < 2 * statistics.pstdev(one["pre_means"])


def test_the_page_says_that_all_of_it_is_made_up(record, tmp_path):
    page = (tmp_path / "_portfolio" / "index.html").read_text(encoding="utf-8")
    assert "SYNTHETIC DATA. Every number here comes from an invented England" in page
    for area in AREAS:
        assert f"/{area.slug}/report.html" in page
