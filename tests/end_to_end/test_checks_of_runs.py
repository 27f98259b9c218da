"""Runs made again, set side by side and packed: whole, on a small project with a table of its own."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.run import cli
from tests.whole_runs import run

PROJECT = """\
schema_version: 2
slug: waves
title: Schools that joined in waves
question: Did scores rise in the schools that joined, from the year they joined?
programme: {name: Waves, place: some areas, funder: a fund, aim: to raise scores, start: 2012-09-01, end: 2016-07-31}
data:
  kind: synthetic
  tables:
    scores: {file: scores.csv, unit: school, period: year, area: la}
participants: {file: participants.csv}
outcomes:
  - {table: scores, column: score, label: Score, unit: points, role: primary}
  - {table: scores, column: other, label: Other, unit: points, role: secondary}
analyses:
  - {name: waves, kind: staggered, primary: true}
"""


def made(folder):
    rng = np.random.default_rng(5)
    rows, participants = [], []
    for area in range(20):
        for k in range(4):
            unit, start = f"s{area:02d}{k}", (2013 if (area + k) % 2 else 2015) if area < 6 and k < 2 else None
            participants += [(unit, f"{start - 1}-09-01")] if start else []
            for year in range(2010, 2017):
                effect = 3 if start and year >= start else 0
                rows.append((unit, 301 + area, year, *np.round(100 + rng.normal(size=2) + (effect, 0), 3)))
    folder.mkdir(parents=True)
    pd.DataFrame(rows, columns=["school", "la", "year", "score", "other"]).to_csv(folder / "scores.csv", index=False)
    pd.DataFrame(participants, columns=["school", "start"]).to_csv(folder / "participants.csv", index=False)
    (folder / "project.yml").write_text(PROJECT, encoding="utf-8")


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    """A workspace with the project and its finished run."""
    root = tmp_path_factory.mktemp("checks")
    made(root / "data" / "projects" / "waves")
    done = run("run", "waves", cwd=root)
    assert done.returncode == 0, done.stderr
    return root


def bytes_below(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def typed(capsys, monkeypatch, root: Path, *words):
    """Type a command in a folder; return its exit code and the JSON that it printed."""
    monkeypatch.chdir(root)
    code = cli.main([*words, "--json", "--quiet"])
    return code, json.loads(capsys.readouterr().out)


def test_a_run_made_twice_is_the_same_to_the_byte(space, capsys, monkeypatch):
    before = bytes_below(space / "outputs")
    code, found = typed(capsys, monkeypatch, space, "verify", "waves")
    assert (code, found["state"], found["outputs"]["differing"], found["effects"]) == (0, "same", [], [])
    assert found["outputs"]["n_same"] > 20
    assert bytes_below(space / "outputs") == before


def test_one_changed_cell_is_named_with_the_effects_that_moved(space, tmp_path, capsys, monkeypatch):
    shutil.copytree(space, tmp_path / "space")
    table = tmp_path / "space" / "data" / "projects" / "waves" / "scores.csv"
    frame = pd.read_csv(table)
    frame.loc[frame.index[-1], "other"] += 1.0
    frame.to_csv(table, index=False)
    shutil.rmtree(tmp_path / "space" / "outputs" / "_runs")
    before = bytes_below(tmp_path / "space" / "outputs")
    code, found = typed(capsys, monkeypatch, tmp_path / "space", "verify", "waves")
    assert (code, found["state"]) == (1, "differs")
    assert [one["path"] for one in found["files"] if one["state"] != "same"] == ["project/scores.csv"]
    assert {one["outcome"] for one in found["effects"]} == {"scores.other"}
    assert found["effects"][0]["main"]
    assert found["recorded"] == []
    assert bytes_below(tmp_path / "space" / "outputs") == before


def test_choices_are_crossed_and_what_they_do_not_explain_remains(space, tmp_path, capsys, monkeypatch):
    """The second run is the first with another estimator in its manifest and the same results: as these did not move,
    what remains is what the estimator would have done, taken back.
    """
    outputs, other = space / "outputs" / "waves", tmp_path / "waves"
    shutil.copytree(outputs, other)
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["parameters"]["analyses"][0]["estimator"] = "imputation"
    (other / "manifest.json").write_text(json.dumps(manifest))
    names = str(outputs), str(other)
    code, found = typed(capsys, monkeypatch, space, "compare", *names)
    assert (code, found["same"]) == (1, False)
    assert [(one["block"], one["fields"]) for one in found["blocks"]] == [("method", ["analyses.waves.estimator"])]
    for part, left in zip(found["blocks"][0]["effects"], found["remainder"], strict=True):
        assert part["a"] == part["b"]
        assert abs(part["difference"]) > 1e-6
        assert part["difference"] == part["first_in"] == part["last_in"] == pytest.approx(-left["difference"])
    assert typed(capsys, monkeypatch, space, "compare", names[0], f"{names[0]}/manifest.json")[0] == 0


@pytest.mark.slow
def test_a_pack_is_verified_on_its_own(space, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(space)
    packs = [tmp_path / "one.zip", tmp_path / "two.zip"]
    assert [cli.main(["pack", "waves", "--participants", "--out", str(one)]) for one in packs] == [0, 0]
    assert packs[0].read_bytes() == packs[1].read_bytes()
    capsys.readouterr()
    bare = tmp_path / "bare"
    bare.mkdir()
    code, found = typed(capsys, monkeypatch, bare, "verify", str(packs[0]))
    assert (code, found["state"], found["failure"]) == (
        1, "not made", "1 file the run was made from cannot be found: project/scores.csv.",
    )  # fmt: skip
    (bare / "files").mkdir()
    shutil.copyfile(space / "data" / "projects" / "waves" / "scores.csv", bare / "files" / "renamed.csv")
    code, found = typed(capsys, monkeypatch, bare, "verify", str(packs[0]), "--data", "files")
    assert (code, found["effects"]) == (0, [])


@pytest.mark.slow
def test_a_pack_is_verified_in_a_fresh_environment(space, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(space)
    assert cli.main(["pack", "waves", "--participants", "--out", str(tmp_path / "one.zip")]) == 0
    capsys.readouterr()
    folder = str(space / "data" / "projects" / "waves")
    monkeypatch.chdir(tmp_path)
    code = cli.main(["verify", "one.zip", "--data", folder, "--fresh", "--json", "--quiet"])
    said = capsys.readouterr()
    if code == cli.ENVIRONMENT:
        pytest.skip(f"needs the locked packages, which cannot be had here: {said.err[-300:]}")
    found = json.loads(said.out)
    assert (code, found["effects"]) == (0, [])
    assert found["made_by"] == "the code of the pack, in a fresh environment"


@pytest.mark.slow
def test_two_runs_of_the_project_are_compared(space, tmp_path, capsys, monkeypatch):
    shutil.copytree(space, tmp_path / "space")
    file = tmp_path / "space" / "data" / "projects" / "waves" / "project.yml"
    file.write_text(PROJECT.replace("kind: staggered,", "kind: staggered, estimator: imputation,"), encoding="utf-8")
    assert run("run", "waves", cwd=tmp_path / "space").returncode == 0
    names = str(space / "outputs" / "waves"), str(tmp_path / "space" / "outputs" / "waves")
    code, found = typed(capsys, monkeypatch, tmp_path, "compare", *names)
    assert (code, found["same"]) == (1, False)
    assert [one["block"] for one in found["blocks"]] == ["method"]
    assert all(one["difference"] == 0 for one in found["remainder"])
