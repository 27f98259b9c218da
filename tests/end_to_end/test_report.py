"""The outputs of whole runs, as a reader and a program meet them."""

import csv
import hashlib
import json
import re

import jsonschema
import pytest

from evalkit.report.documents.released import results_schema
from evalkit.report.words.names import forbidden_words


@pytest.fixture(params=["synthetic_run", "real_run"])
def folder(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def results(folder):
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def effect(results, outcome, design="neighbours", period="post", inference="permutation"):
    keys = (outcome, design, period, inference)
    [found] = [e for e in results["effects"] if (e["outcome"], e["design"], e["period"], e["inference"]) == keys]
    return found


def text_of(folder):
    html = (folder / "report.html").read_text(encoding="utf-8")
    html = re.sub(r'<span class="whole">(.*?)</span>', r"\1", html).replace("<wbr>", "")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("&#x27;", "'").replace("&#39;", "'")


def test_results_meet_their_schema(results):
    jsonschema.validate(results, results_schema())


def test_the_headline_says_what_results_json_holds(folder, results):
    main, placebo = effect(results, "READPROG"), effect(results, "MATPROG")
    lower, upper = main["interval"]["lower"], main["interval"]["upper"]
    said = text_of(folder)

    def shown(value):
        return f"{abs(value):.2f}"

    assert f"{main['n_treated']} primaries" in said
    assert f"{shown(main['estimate'])} points" in said
    ends = [("−" if end < 0 else "") + shown(end) for end in (lower, upper)]
    assert f"(95% interval {ends[0]} to {ends[1]})" in said
    assert f"Of {main['n_areas']} areas analysed the same way" in said
    assert f"p = {main['p_value']:.3f}" in said
    moved = "lost" if placebo["estimate"] < 0 else "gained"
    assert f"Maths, not targeted, {moved} {shown(placebo['estimate'])}" in said
    assert ("The data do not show whether" in said) == (lower <= 0 <= upper)


def test_no_word_claims_more_than_the_design_allows(folder):
    assert forbidden_words((folder / "report.html").read_text(encoding="utf-8")) == []


def test_the_report_is_one_file_without_a_network(folder):
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#|https://www\.gov\.uk)[^"']*["']""", html)
    assert "<script" not in html
    assert all('alt="' in tag and 'alt=""' not in tag for tag in re.findall(r"<img[^>]+>", html))


def test_the_banner_stands_on_synthetic_data_only(folder, results):
    assert ("SYNTHETIC DATA" in text_of(folder)) == (results["data_kind"] == "synthetic")


def test_the_flow_adds_up_by_arm(results):
    keys = {(row["outcome"], row["arm"]) for row in results["flow"]}
    assert len(keys) >= 12
    for key in keys:
        counts = dict.fromkeys(("listed", "excluded", "analysed"), 0)
        for row in results["flow"]:
            if (row["outcome"], row["arm"]) == key:
                counts[row["stage"]] += row["n"]
        assert counts["listed"] == counts["excluded"] + counts["analysed"]


def test_secondaries_are_stated_as_unavailable(results):
    assert effect(results, "P8MEA")["estimate"]["unavailable"].startswith("Six schools")


def test_the_interval_of_g_is_the_interval_over_sigma(results):
    main = effect(results, "READPROG")
    for end in ("lower", "upper"):
        assert main["hedges_g_interval"][end] * main["sd_used"] == pytest.approx(main["interval"][end], rel=1e-14)


def test_the_manifest_tells_inputs_and_outputs(folder):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name, digest in manifest["outputs"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {"manifest.json"}
    assert written == set(manifest["outputs"])
    assert any("ks2" in entry["path"] for entry in manifest["inputs"])


def test_nothing_of_the_machine_is_in_the_outputs(folder):
    for path in folder.rglob("*"):
        if path.suffix in {".html", ".json", ".csv", ".ipynb", ".svg"}:
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"/(?:tmp|root|home|work|Users)/", text), path.name


def test_executed_notebooks_carry_outputs_and_no_error(folder):
    names = sorted(path.stem for path in (folder / "notebooks").glob("*.ipynb"))
    assert names == ["0_summary", "1_design", "2_areas", "3_review", "4_reproducibility"]
    for path in (folder / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        outputs = [out for cell in cells for out in cell.get("outputs", [])]
        assert outputs
        assert not [out for out in outputs if out["output_type"] == "error"]


def test_tables_have_no_empty_or_missing_number(folder):
    for path in (folder / "tables").glob("*.csv"):
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
        assert len(rows) > 1, path.name
        assert not [cell for row in rows for cell in row if cell.strip().lower() in {"nan", "none", "inf", "-inf"}], (
            path.name
        )


def test_the_real_data_give_49_schools_and_149_areas(real_run):
    results = json.loads((real_run / "results.json").read_text(encoding="utf-8"))
    main = effect(results, "READPROG")
    assert (main["n_treated"], main["n_areas"], main["n_treated_clusters"]) == (49, 149, 1)
    assert results["data_kind"] == "real"


def test_a_second_run_gives_the_same_bytes(outputs, synthetic_england, synthetic_run):
    again = outputs("synthetic-again", "knowsley-ssif", "--data", str(synthetic_england))
    names = sorted(str(path.relative_to(synthetic_run)) for path in synthetic_run.rglob("*") if path.is_file())
    assert names == sorted(str(path.relative_to(again)) for path in again.rglob("*") if path.is_file())
    assert [name for name in names if (synthetic_run / name).read_bytes() != (again / name).read_bytes()] == []
