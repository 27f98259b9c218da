"""A lock: made once, told where it was tampered with, amended with a reason, and every deviation printed."""

import json
import subprocess

import pandas as pd
import pytest

from evalkit.core.errors import InputError, PlanNotLocked
from evalkit.data.lock_file import PLAN_LOCK, seal_of, typed_project
from evalkit.data.published.project_data import read_all_or_problems, read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.report.border.parts import Prose
from evalkit.report.documents.released import results_record
from evalkit.report.words.front import face_of
from evalkit.report.words.plan_kept import NOT_LOCKED, lock_sentence, lock_shown, plan_kept
from evalkit.run.cli import main
from evalkit.run.commands.catalogue import COMMANDS
from evalkit.run.console import Progress
from evalkit.run.notebooks.session import no_files_folder, open_analysis, open_evaluation, open_provenance
from evalkit.run.outputs.folder import MANIFEST, MANIFEST_KIND
from evalkit.run.plan.lock import LockRequest, lock_plan
from evalkit.run.project.project_file import load_project
from tests.plan_projects import project


def lock(path, **options):
    request = LockRequest(project_file=path, data=no_files_folder(), outputs=path.parent / "outputs", **options)
    return lock_plan(request, Progress(is_quiet=True))


def changed(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def path(tmp_path):
    return project(tmp_path / "small", "series")


def test_the_seal_is_the_sha_256_of_sorted_json_without_blanks():
    # sha256 of the 13 bytes {"a":2,"b":1} by coreutils' sha256sum
    known = "d3626ac30a87e6f7a6428233b3c68299976865fa5508e4267c5415c76af7a772"
    assert seal_of({"b": 1, "a": 2, "seal": "", "tag": "x", "timestamp": {}}) == known


def test_a_locked_plan_that_is_kept_says_so_everywhere(path):
    made = lock(path)
    evaluation = open_evaluation(str(path))
    assert evaluation.kept.lock == made
    assert evaluation.kept.deviations == ()
    said = lock_sentence(evaluation.kept)
    assert said.startswith("The plan was locked on ")
    assert "(by the clock of the machine that locked it); nothing was done otherwise." in said
    assert said in face_of(evaluation)
    assert plan_kept(evaluation).parts == (Prose((said,)),)
    assert said in lock_shown(open_provenance(str(path))).parts[0].text
    assert results_record(evaluation)["plan_lock"]["sentence"] == said


def test_without_a_lock_the_report_says_so_in_one_line(path):
    evaluation = open_evaluation(str(path))
    assert plan_kept(evaluation).parts == (Prose((NOT_LOCKED,)),)
    assert results_record(evaluation)["plan_lock"] == {"unavailable": NOT_LOCKED}


def test_a_choice_changed_after_the_lock_is_shown_with_its_reason(path):
    lock(path)
    changed(path, "comparison: all", "comparison: all, slope: no")
    reasons = "plan: {deviations: [{field: analyses.1.slope, reason: Too few years}, {field: seed, reason: none}]}\n"
    path.write_text(path.read_text(encoding="utf-8") + reasons, encoding="utf-8")
    kept = open_evaluation(str(path)).kept
    found = {(one.block, one.field): (one.planned, one.used, one.reason) for one in kept.deviations}
    assert found["Project file", "analyses.1.slope"] == ("auto", "no", "Too few years")
    assert all(reason == "No reason given." for key, (_, _, reason) in found.items() if key[1] != "analyses.1.slope")
    assert kept.idle == ("seed",)
    shown = lock_shown(open_provenance(str(path)))
    table = next(part for part in shown.parts if not isinstance(part, Prose))
    assert ("Project file", "analyses.1.slope", "auto", "no", "Too few years.") in table.table.rows
    assert len(table.table.rows) == len(kept.deviations)


def test_a_sample_and_a_file_that_changed_are_shown(tmp_path):
    path = project(tmp_path / "small", "transitions")
    lock(path)
    listed = (path.parent / "participants.csv").read_text(encoding="utf-8").splitlines()
    (path.parent / "participants.csv").write_text("\n".join(listed[:-1]) + "\n", encoding="utf-8")
    found = {one.block for one in open_evaluation(str(path)).kept.deviations}
    assert found == {"Pool and sample", "Data"}


def test_a_blank_in_the_project_file_is_no_deviation(path):
    lock(path)
    path.write_text(path.read_text(encoding="utf-8") + "\n# a remark\n", encoding="utf-8")
    assert open_evaluation(str(path)).kept.deviations == ()


@pytest.mark.parametrize(
    "tampered",
    [
        lambda content: content | {"locked": "2016-01-01T00:00:00Z"},
        lambda content: content | {"parameters": content["parameters"] | {"seed": 2}},
        lambda content: content | {"seal": "0" * 64},
        lambda content: {"kind": "another"},
    ],
)
def test_a_lock_that_was_changed_is_told_and_nothing_is_read(path, tampered):
    lock(path)
    file = path.parent / PLAN_LOCK
    file.write_text(json.dumps(tampered(json.loads(file.read_text(encoding="utf-8")))), encoding="utf-8")
    with pytest.raises(InputError, match=r"was changed after it was sealed|is no lock of a plan"):
        open_evaluation(str(path))


def test_the_lock_of_another_project_is_refused(path):
    lock(path)
    changed(path, "slug: small", "slug: other")
    with pytest.raises(InputError, match="locks the plan of small, not of other"):
        open_evaluation(str(path))


def test_a_second_lock_needs_a_reason_and_keeps_the_first(path):
    first = lock(path)
    with pytest.raises(InputError, match="A lock that is made again proves nothing"):
        lock(path)
    changed(path, "comparison: all", "comparison: all, slope: no")
    second = lock(path, amend="Too few years")
    third = lock(path, amend="Read once more")
    assert [(one.seal, one.reason) for one in third.earlier] == [
        (first.seal, "Too few years"),
        (second.seal, "Read once more"),
    ]
    assert (path.parent / f"plan-{first.seal[:12]}" / "plan.html").is_file()  # the plan that the first one locked
    said = " ".join(lock_shown(open_provenance(str(path))).parts[0].sentences)
    assert first.seal in said
    assert "Too few years" in said


def test_nothing_to_amend_and_a_plan_of_another_state_are_refused(path):
    with pytest.raises(InputError, match="so none can be amended"):
        lock(path, amend="why")
    assert main(["plan", str(path)]) == 0
    changed(path, "comparison: all", "comparison: all, slope: no")
    with pytest.raises(InputError, match="is not the plan of the project as it is now"):
        lock(path)
    assert not (path.parent / PLAN_LOCK).exists()


def test_the_locked_plan_is_not_written_over(path, capsys):
    lock(path)
    before = (path.parent / "plan" / "plan.html").read_bytes()
    changed(path, "comparison: all", "comparison: all, slope: no")
    assert main(["plan", str(path)]) == 2
    assert "is the locked plan of small" in capsys.readouterr().err
    assert (path.parent / "plan" / "plan.html").read_bytes() == before
    assert main(["plan", str(path), "--out", str(path.parent / "draft")]) == 0


def test_outcomes_read_before_the_lock_are_told_with_the_day(path):
    folder = path.parent / "outputs" / "small"
    folder.mkdir(parents=True)
    manifest = {"kind": MANIFEST_KIND, "data_kind": "synthetic", "inputs": []}
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    made = lock(path)
    assert len(made.reports) == 1
    assert f"Outcomes were read before: a report of them was made on {made.reports[0]}." in lock_sentence(
        open_evaluation(str(path)).kept
    )


def test_a_tag_holds_the_seal(path):
    folder = path.parent
    with pytest.raises(InputError, match="in no git repository"):
        lock(path, is_tagged=True)
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", "-C", str(folder), *identity, *words], check=True)
    for key in ("name", "email"):
        subprocess.run(["git", "-C", str(folder), "config", f"user.{key}", "x@example.org"], check=True)
    made = lock(path, is_tagged=True)
    shown = subprocess.run(["git", "-C", str(folder), "show", made.tag], capture_output=True, text=True, check=True)
    assert made.seal in shown.stdout


# Outcomes wait for the lock.


READ = {"run": 2, "release": 2}
"""Commands that tell outcomes of a project, and how each ends while these wait for the lock."""
BLIND = ("check", "power", "plan", "lock")
REHEARSED = ("rehearse",)
"""A command that reads outcomes of other areas after the lock alone: by the nouns below, as the first do."""
"""Commands that read the years before alone while outcomes wait."""
BY_NOTEBOOKS = ("lab",)
"""Commands whose notebooks read outcomes by the nouns below."""
WITHOUT = {
    "import", "new", "migrate", "status", "portfolio", "synthetic", "clean", "projects", "fetch", "similar", "match",
    "did", "synth", "completion", "bounds", "verify", "compare", "pack",
}  # fmt: skip
"""Commands that read no project's outcomes: files, tables without a project, and reports that are there."""


def test_every_command_is_one_of_these():
    assert {*READ, *BLIND, *REHEARSED, *BY_NOTEBOOKS, *WITHOUT} == set(COMMANDS)


def waiting(path):
    """Let a project wait for its lock, with cells after the programme that no reading would pass."""
    path.write_text(path.read_text(encoding="utf-8") + "plan: required\n", encoding="utf-8")
    table = pd.read_csv(path.parent / "scores.csv").astype(object)
    table.loc[table["year"] == 2018, "score"] = "not to be read"
    table.to_csv(path.parent / "scores.csv", index=False)
    return path


@pytest.mark.parametrize("name", READ)
def test_commands_that_tell_outcomes_are_refused_before_the_lock(path, name, capsys):
    assert main([name, str(waiting(path)), "--out", str(path.parent / "there")]) == READ[name]
    said = capsys.readouterr().err
    assert "small: outcomes are withheld until the plan is locked" in said
    assert f"`evalkit lock {path}` locks it" in said  # as it can be typed: no workspace holds it
    assert not (path.parent / "there" / "small").exists()


@pytest.mark.slow
def test_a_run_of_all_projects_is_refused_for_the_one_that_waits(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    waiting(project(tmp_path / "data" / "projects" / "small", "series"))
    assert main(["run", "--all", "--out", "there"]) == 2
    assert "outcomes are withheld until the plan is locked" in capsys.readouterr().err


@pytest.mark.parametrize("name", BLIND)
def test_commands_before_outcomes_work_while_these_wait_and_read_none(path, name, capsys):
    assert main([name, str(waiting(path))]) == 0
    if name == "check":
        told = capsys.readouterr().out
        assert "small: can be planned." in told
        assert f"were not read: they wait for `evalkit lock {path}`" in told


def test_a_project_is_named_as_it_can_be_typed_where_one_stands(tmp_path, monkeypatch):
    home = tmp_path / "data" / "projects" / "small"
    home.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert typed_project(home, "small") == typed_project(home / "project.yml", "small") == "small"
    assert typed_project(home, "other") == "data/projects/small/project.yml"  # the slug is not the folder's name
    assert typed_project(tmp_path / "my own" / "plan.yml", "small") == "'my own/plan.yml'"
    monkeypatch.chdir(home)
    assert typed_project(home, "small") == "small"
    (tmp_path / "elsewhere").mkdir()
    other = tmp_path / "elsewhere" / "p.yml"
    monkeypatch.chdir(other.parent)
    assert typed_project(other, "small") == str(other)


@pytest.mark.parametrize("noun", [open_evaluation, open_analysis])
def test_nouns_are_refused_before_the_lock(path, noun):
    with pytest.raises(PlanNotLocked, match="outcomes are withheld"):
        noun(str(waiting(path)))


def test_every_reading_of_all_years_is_refused_before_the_lock(path):
    project_read, sources = load_project(waiting(path)), find_sources(no_files_folder())
    for read in (read_records, read_all_or_problems):
        with pytest.raises(PlanNotLocked):
            read(project_read, path.parent, sources)
    assert read_baseline(project_read, path.parent, sources).years == (2014, 2015, 2016)


def test_outcomes_are_read_once_the_lock_stands(path):
    path.write_text(path.read_text(encoding="utf-8") + "plan: {required: true}\n", encoding="utf-8")
    lock(path)
    assert open_evaluation(str(path)).kept.lock is not None
