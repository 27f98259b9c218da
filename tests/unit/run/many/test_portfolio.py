"""Reading the outputs of a workspace, and the site that is put among them whole."""

import hashlib
import json
from datetime import UTC, datetime

import pytest

from evalkit.core.errors import InputError
from evalkit.core.quantities import Unavailable
from evalkit.run.cli import main
from evalkit.run.many.portfolio_reader import _main_effect, read_outputs
from evalkit.run.outputs.content_key import keep_source
from tests.portfolio_records import area, manifest, results, write_finished


def finished(parent, slug, code=340, **changes):
    return write_finished(parent, results(slug, areas=area(code), **changes), manifest(slug))


@pytest.fixture
def outputs(tmp_path):
    """Three finished projects of three areas."""
    for at, slug in enumerate(("ash", "beck", "cove")):
        finished(tmp_path, slug, code=340 + at, estimate=0.2 * at)
    return tmp_path


def test_a_finished_project_is_read(tmp_path):
    write_finished(tmp_path, results("ash"), manifest("ash", "Reading in Ash"))
    [one] = read_outputs(tmp_path, tmp_path / "_portfolio").projects
    assert (one.slug, one.title, one.place, one.theme) == ("ash", "Reading in Ash", "Ash", "literacy")
    assert (one.region, one.phase, one.data_kind) == ("North West", "primary", "real")
    assert (one.treated, one.compared) == ((340,), (341, 355))
    assert (one.pre, one.post, one.report) == ((2016, 2017), (2019,), "../ash/report.html")
    # of two serious verdicts one is a design fact; single falsification tests do not count, their joint test does
    assert (one.n_serious, one.joint_p) == (1, 0.067)
    # placebo areas all moved by half a point, so their root mean square is a half
    assert one.main.std_error == pytest.approx(0.5)
    assert one.main.error_source == "placebo areas"
    assert (one.rating.label, one.rating.sentence) == ("3 of 5", "4 for the design, less 1 for 1 serious design fact.")


def test_only_checks_of_the_primary_analysis_count(tmp_path):
    held = results("ash")
    held["analyses"] = [{"name": "beside", "primary": False}, {"name": "main", "primary": True}]
    own = [{**one, "analysis": "main"} for one in held["findings"]]
    # a serious design fact and a joint test of another analysis, which would make 2 of the one and 0.5 of the other
    beside = [{**one, "analysis": "beside", "p_value": 0.5} for one in held["findings"]]
    held["findings"] = [*beside, *own]
    write_finished(tmp_path, held, manifest("ash", "Reading in Ash"))
    [one] = read_outputs(tmp_path, tmp_path / "_portfolio").projects
    assert (one.n_serious, one.joint_p) == (1, 0.067)


def test_a_report_without_a_rating_is_not_rated(tmp_path):
    held = results("ash")
    del held["rating"]
    write_finished(tmp_path, held, manifest("ash"))
    write_finished(
        tmp_path, results("beck", rating={"value": {"unavailable": "No SD."}, "sentence": "No."}), manifest("beck")
    )
    ash, beck = read_outputs(tmp_path, tmp_path / "s").projects
    assert ash.rating.label == beck.rating.label == "not rated"
    assert "Run the project again" in ash.rating.sentence


def test_the_link_leads_from_the_site_to_the_report(tmp_path):
    finished(tmp_path / "reports", "ash")
    [one] = read_outputs(tmp_path / "reports", tmp_path / "elsewhere" / "a site" / "_portfolio").projects
    assert one.report == "../../../reports/ash/report.html"


def test_a_project_whose_errors_are_clustered_by_school_gives_no_error(tmp_path):
    held = results("ash")
    held["effects"] = held["effects"][:1]
    write_finished(tmp_path, held, manifest("ash"))
    [one] = read_outputs(tmp_path, tmp_path / "s").projects
    assert isinstance(one.main.std_error, Unavailable)
    assert "whole area" in one.main.std_error.reason


def test_a_permutation_that_gives_nothing_makes_way_for_areas_as_clusters(tmp_path):
    held = results("ash")
    by_school, permuted = held["effects"]
    part = permuted | {"interval": {"unavailable": "part of an area"}}
    clustered = by_school | {
        "cluster_level": "local_authority",
        "interval": {"lower": 0.0, "upper": 1.0, "level": 0.95},
    }
    held["effects"] = [part, by_school, clustered]
    write_finished(tmp_path, held, manifest("ash"))
    [one] = read_outputs(tmp_path, tmp_path / "s").projects
    assert one.main.error_source == "interval"
    assert one.main.std_error == pytest.approx(0.5 / 1.959964, rel=1e-6)


def test_a_permutation_over_errors_takes_its_error_from_the_interval(tmp_path):
    made = manifest("ash")
    made["parameters"]["inference"]["statistic"] = "studentised"
    write_finished(tmp_path, results("ash"), made)
    [one] = read_outputs(tmp_path, tmp_path / "s").projects
    assert one.main.error_source == "interval"


def rewritten(folder, **changes):
    """Change results.json and write its hash, as a run that found this would have."""
    held = json.loads((folder / "results.json").read_text()) | changes
    held = {key: value for key, value in held.items() if value != "gone"}
    content = json.dumps(held).encode()
    (folder / "results.json").write_bytes(content)
    made = json.loads((folder / "manifest.json").read_text())
    made["outputs"]["results.json"] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(made))


def no_manifest(folder):
    (folder / "manifest.json").unlink()


def foreign_manifest(folder):
    (folder / "manifest.json").write_text('{"kind": "something else"}')


def broken_manifest(folder):
    (folder / "manifest.json").write_text("{")


def no_results(folder):
    (folder / "results.json").unlink()


def edited_results(folder):
    path = folder / "results.json"
    path.write_text(path.read_text().replace('"estimate": 0.5', '"estimate": 9.5'))


def not_a_record(folder):
    (folder / "results.json").write_text("[1, 2]")


def deep(folder):
    (folder / "results.json").write_text("[" * 200_000)


def other_version(folder):
    rewritten(folder, schema_version=9)


def no_findings(folder):
    rewritten(folder, findings="gone")


def another_area(folder):
    held = json.loads((folder / "results.json").read_text())
    held["distributions"][0]["treated_area"] = 4000
    rewritten(folder, distributions=held["distributions"])


def odd_number(folder):
    held = json.loads((folder / "results.json").read_text())
    held["effects"][1]["estimate"] = "large"
    rewritten(folder, effects=held["effects"])


def no_kind_of_data(folder):
    rewritten(folder, data_kind="imagined")


def another_name(folder):
    folder.rename(folder.with_name("renamed"))


def no_report(folder):
    (folder / "report.html").unlink()


def a_link(folder):
    folder.rename(folder.parent / ".away")
    folder.symlink_to(folder.parent / ".away", target_is_directory=True)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (no_manifest, "no manifest.json"),
        (foreign_manifest, "not that of a report"),
        (broken_manifest, "manifest.json is not JSON"),
        (no_results, "no results.json"),
        (edited_results, "not the one its run wrote"),
        (not_a_record, "does not hold a record"),
        (deep, "not JSON"),
        (other_version, "another version"),
        (no_findings, "does not hold what a report of this version holds"),
        (another_area, "does not hold what a report of this version holds"),
        (odd_number, "does not hold what a report of this version holds"),
        (no_kind_of_data, "does not hold what a report of this version holds"),
        (another_name, "name is not that of the project"),
        (no_report, "no report.html"),
        (a_link, "is a link"),
    ],
)
def test_a_folder_that_cannot_be_counted_is_named_with_the_reason(tmp_path, harm, said):
    harm(write_finished(tmp_path, results("ash"), manifest("ash")))
    finished(tmp_path, "beck", code=341)
    found = read_outputs(tmp_path, tmp_path / "_portfolio")
    assert [one.slug for one in found.projects] == ["beck"]
    [unread] = found.unread
    assert said in unread.reason


def test_what_is_evalkits_own_is_passed_over(outputs):
    (outputs / "_runs").mkdir()
    (outputs / ".ash.1.staging").mkdir()
    (outputs / "notes.txt").write_text("mine")
    found = read_outputs(outputs, outputs / "_portfolio")
    assert [one.slug for one in found.projects] == ["ash", "beck", "cove"]
    assert found.unread == ()


def test_failed_runs_are_listed(outputs):
    (outputs / "_runs").mkdir()
    for slug, content in (
        ("ash", '{"kind": "time limit", "message": "Stopped after 600 s.", "stage": "report", "heading": "How much?"}'),
        ("dale", '{"kind": "bad input", "message": "No such file."}'),
        ("elm", "{"),
    ):
        (outputs / "_runs" / f"{slug}.failed.json").write_text(content)
    ash, dale, elm = read_outputs(outputs, outputs / "_portfolio").failed
    assert (ash.kind, ash.message, ash.has_earlier_report) == ("time limit", "Stopped after 600 s.", True)
    assert (ash.where, dale.where) == ("report, How much?", "")
    assert (dale.slug, dale.has_earlier_report) == ("dale", False)
    assert "cannot be read" in elm.message


def test_the_site_is_made_among_the_reports(outputs, capsys):
    assert main(["portfolio", "--outputs", str(outputs)]) == 0
    said = capsys.readouterr()
    site = outputs / "_portfolio"
    assert said.out == f"{site / 'index.html'}\n"
    assert sorted(path.name for path in site.iterdir()) == [
        "figures",
        "index.html",
        "manifest.json",
        "results.json",
        "tables",
    ]
    held = json.loads((site / "results.json").read_text(encoding="utf-8"))
    [group] = held["groups"]
    assert group["pooled"]["n"] == 3
    assert group["is_few"] is True
    made = json.loads((site / "manifest.json").read_text(encoding="utf-8"))
    assert made["outputs"].keys() == {str(p.relative_to(site)) for p in site.rglob("*.*")} - {"manifest.json"}
    assert [one["path"] for one in made["inputs"]][:2] == ["ash/manifest.json", "ash/results.json"]


def test_made_twice_it_is_the_same(outputs):
    assert main(["portfolio", "--outputs", str(outputs)]) == 0
    site = outputs / "_portfolio"
    first = {path.relative_to(site): path.read_bytes() for path in site.rglob("*.*")}
    assert main(["portfolio", "--outputs", str(outputs)]) == 0
    assert {path.relative_to(site): path.read_bytes() for path in site.rglob("*.*")} == first
    assert [path.name for path in outputs.iterdir() if path.name.startswith(".")] == []


def test_it_can_go_elsewhere(outputs, tmp_path_factory):
    out = tmp_path_factory.mktemp("elsewhere")
    assert main(["portfolio", "--outputs", str(outputs), "--out", str(out)]) == 0
    assert (out / "_portfolio" / "index.html").exists()
    assert not (outputs / "_portfolio").exists()


def test_a_project_can_be_left_out(outputs):
    assert main(["portfolio", "--outputs", str(outputs), "--without", "ash"]) == 0
    held = json.loads((outputs / "_portfolio" / "results.json").read_text(encoding="utf-8"))
    assert [one["slug"] for one in held["projects"]] == ["beck", "cove"]


def test_what_evalkit_did_not_make_is_left_alone(outputs, capsys):
    (outputs / "_portfolio").mkdir()
    (outputs / "_portfolio" / "mine.txt").write_text("mine")
    assert main(["portfolio", "--outputs", str(outputs)]) == 2
    assert "not made by evalkit" in capsys.readouterr().err
    assert [path.name for path in (outputs / "_portfolio").iterdir()] == ["mine.txt"]


def test_a_folder_without_a_finished_evaluation_is_refused_and_nothing_is_written(tmp_path, capsys):
    assert main(["portfolio", "--outputs", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert "holds no finished evaluation" in said.err
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_report_named_in_place_of_the_folder_of_all_is_told_so(outputs, capsys):
    assert main(["portfolio", "--outputs", str(outputs / "ash")]) == 2
    assert "is one evaluation, not a folder of them. Name the folder above it" in capsys.readouterr().err


def test_where_no_folder_can_be_counted_nothing_is_written(tmp_path, capsys):
    (tmp_path / "notes").mkdir()
    assert main(["portfolio", "--outputs", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "notes is not counted." in said
    assert "1 folder in it cannot be counted" in said
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_where_all_are_left_out_it_says_so(tmp_path, capsys):
    finished(tmp_path, "ash")
    assert main(["portfolio", "--outputs", str(tmp_path), "--without", "ash"]) == 2
    assert "ash left out by --without" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a" * 5000, "../ash", "ash/", "."])
def test_a_name_that_could_be_no_folder_is_refused(outputs, name, capsys):
    assert main(["portfolio", "--outputs", str(outputs), "--without", name]) == 2
    said = capsys.readouterr().err
    assert "there is no such folder" in said
    assert len(said) < 400
    assert not (outputs / "_portfolio").exists()


def workspace(tmp_path, *slugs):
    """Return the outputs of a workspace whose projects were run."""
    for at, slug in enumerate(slugs):
        file = tmp_path / "data" / "projects" / slug / "project.yml"
        file.parent.mkdir(parents=True)
        file.write_text(f"slug: {slug}\n")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        inputs = [{"path": "project/project.yml", "sha256": digest}, {"path": "data/a.csv", "sha256": "0" * 64}]
        made = manifest(slug, inputs=inputs, commit="1f19207" + "0" * 33, versions={"evalkit": "0.1.0"})
        write_finished(tmp_path / "outputs", results(slug, 0.2 * at, areas=area(340 + at)), made)
    return tmp_path / "outputs"


def states(outputs):
    found = read_outputs(outputs, outputs / "_portfolio").projects
    return {one.slug: one.vintage.state for one in found}


def test_a_report_knows_whether_its_project_is_what_it_was(tmp_path):
    outputs = workspace(tmp_path, "ash", "beck", "cove", "dale")
    (tmp_path / "data" / "projects" / "beck" / "project.yml").write_text("slug: beck\nseed: 2\n")
    (tmp_path / "data" / "projects" / "cove").rename(tmp_path / "data" / "projects" / "cove-two")
    (tmp_path / "data" / "projects" / "dale" / "project.yml").write_text("schema_version: 1\nslug: 'glen'\n")
    assert states(outputs) == {"ash": "current", "beck": "changed", "cove": "gone", "dale": "renamed"}


def test_of_listed_schools_without_an_interval_the_reason_is_that_of_their_areas():
    common = {"outcome": "READPROG", "design": "neighbours", "period": "post", "cluster_level": "local_authority"}
    whole = common | {"inference": "permutation", "interval": {"unavailable": "Part of an area."}}
    by_area = common | {"inference": "cluster", "interval": {"unavailable": "Too few areas."}}
    assert _main_effect({"effects": [whole, by_area]}, "READPROG") is by_area
    assert _main_effect({"effects": [whole]}, "READPROG") is whole
    ranked = whole | {"interval": {"lower": 0.0, "upper": 1.0, "level": 0.95}}
    assert _main_effect({"effects": [by_area, ranked]}, "READPROG") is ranked


def test_without_a_workspace_it_is_not_known(outputs):
    assert set(states(outputs).values()) == {"not known"}


def test_where_the_last_run_found_the_project_is_where_it_is_looked_for(tmp_path):
    outputs = workspace(tmp_path, "ash")
    there = tmp_path / "elsewhere" / "ash"
    there.mkdir(parents=True)
    (tmp_path / "data" / "projects" / "ash" / "project.yml").rename(there / "project.yml")
    assert states(outputs) == {"ash": "gone"}
    keep_source(outputs, "ash", there / "project.yml", is_new=True)
    assert states(outputs) == {"ash": "current"}
    [one] = read_outputs(outputs, outputs / "_portfolio").projects
    assert one.vintage.made == f"{datetime.now(UTC):%Y-%m-%d}"
    keep_source(outputs, "ash", tmp_path / "of" / "another" / "machine" / "project.yml", is_new=False)
    assert states(outputs) == {"ash": "gone"}  # the workspace beside the outputs does not hold it


def test_the_vintage_says_what_a_report_was_made_from(tmp_path):
    outputs = workspace(tmp_path, "ash")
    [one] = read_outputs(outputs, outputs / "_portfolio").projects
    data = hashlib.sha256(f"data/a.csv {'0' * 64}".encode()).hexdigest()
    assert (one.vintage.kit, one.vintage.commit[:7], one.vintage.data) == ("0.1.0", "1f19207", data)
    assert one.vintage.label == f"evalkit 0.1.0, commit 1f19207, data {data[:8]}, {one.vintage.made}"


def test_stale_reports_are_marked_and_out_unless_asked_for(tmp_path):
    outputs = workspace(tmp_path, "ash", "beck", "cove", "dale")
    (tmp_path / "data" / "projects" / "dale" / "project.yml").unlink()
    assert main(["portfolio", "--outputs", str(outputs)]) == 0
    page = (outputs / "_portfolio" / "index.html").read_text(encoding="utf-8")
    assert "Its project is gone." in page
    assert "1 report of projects that have changed since or are gone, marked." in page
    [group] = json.loads((outputs / "_portfolio" / "results.json").read_text(encoding="utf-8"))["groups"]
    assert group["pooled"]["n"] == 3
    assert group["left_out"][0]["vintage"]["state"] == "gone"
    assert main(["portfolio", "--outputs", str(outputs), "--include-stale"]) == 0
    [group] = json.loads((outputs / "_portfolio" / "results.json").read_text(encoding="utf-8"))["groups"]
    assert group["pooled"]["n"] == 4


def test_results_of_an_earlier_version_are_left_out_with_the_reason(tmp_path):
    held = results("ash")
    for key in ("pre_means", "baseline_gaps", "n_schools"):
        del held["distributions"][0][key]
    write_finished(tmp_path, held, manifest("ash"))
    [one] = read_outputs(tmp_path, tmp_path / "s").projects
    assert "Run the project again" in one.main.table.reason


def test_a_project_of_listed_schools_has_no_areas_that_stand_in(tmp_path):
    made = manifest("ash")
    made["parameters"]["participants"] = {"rule": "file", "file": "participants.csv"}
    write_finished(tmp_path, results("ash"), made)
    [one] = read_outputs(tmp_path, tmp_path / "s").projects
    assert "lists its schools" in one.main.table.reason


def test_a_withheld_number_of_schools_counts_as_the_smallest(tmp_path):
    held = results("ash")
    held["distributions"][0]["n_schools"][3] = {"unavailable": "Withheld: it rests on fewer than 6 schools."}
    write_finished(tmp_path, held, manifest("ash"))
    [one] = read_outputs(tmp_path, tmp_path / "s").projects
    assert (one.main.table.sizes[3], one.main.table.own) == (0, 340)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--outputs", "nowhere"], "there is no such folder"),
        (["--outputs", " "], "empty text"),
        (["--without", "nobody"], "--without nobody: there is no such folder"),
    ],
)
def test_slips_of_the_keyboard_are_told(outputs, arguments, said, capsys, monkeypatch):
    monkeypatch.chdir(outputs)
    given = arguments if "--outputs" in arguments else ["--outputs", str(outputs), *arguments]
    assert main(["portfolio", *given]) == 2
    answer = capsys.readouterr()
    assert said in answer.err
    assert answer.out == ""


def test_the_reader_refuses_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        read_outputs(tmp_path / "nowhere", tmp_path)
