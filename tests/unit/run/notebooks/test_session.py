"""What notebooks call: the design is locked, outcomes are read for that design only, and one run shares its results."""

import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

import evalkit.data.synthetic
from evalkit.core.errors import DesignError, EnvironmentFault
from evalkit.core.plan_lock import PlanKept
from evalkit.run.notebooks import session
from evalkit.run.outputs.folder import PRIVATE

ROOT = Path(__file__).resolve().parents[4]
KNOWSLEY = str(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")


@dataclass(frozen=True)
class Locked:
    """A design that is a word."""

    text: str
    project: object = None

    def to_json(self):
        return self.text


@pytest.fixture
def kit(monkeypatch, tmp_path):
    """A kit whose design is a word and whose evaluation counts how often it was made."""
    made = SimpleNamespace(design="first", designs=0, evaluations=0, folder=tmp_path)
    project = SimpleNamespace(claims=None)

    def evaluate(*arguments):
        made.evaluations += 1
        return f"evaluation {made.evaluations}"

    def design(path, sources):
        made.designs += 1
        return Locked(made.design, project)

    monkeypatch.setattr(session, "_design", design)
    monkeypatch.setattr(session, "_sources", lambda project_file, data: SimpleNamespace(files=lambda: ()))
    monkeypatch.setattr(session, "_kept_plan", lambda shared: PlanKept())
    monkeypatch.setattr("evalkit.data.published.project_data.read_records", lambda *arguments: None)
    monkeypatch.setattr("evalkit.run.kinds.registry.evaluate_project", evaluate)
    return made


def test_the_design_is_locked_where_outputs_are_made(kit):
    assert session.open_design(KNOWSLEY, "", str(kit.folder)).text == "first"
    assert (kit.folder / "design.json").read_text() == "first"
    assert [path.name for path in kit.folder.iterdir()] == ["design.json"]
    assert session.open_evaluation(KNOWSLEY, "", str(kit.folder)) == "evaluation 1"


def test_nothing_is_written_without_a_folder(kit, monkeypatch):
    monkeypatch.chdir(kit.folder)
    session.open_design(KNOWSLEY, "", "")
    session.open_evaluation(KNOWSLEY, "", "")
    assert list(kit.folder.iterdir()) == []


def test_a_design_that_changed_after_it_was_locked_is_refused(kit):
    session.open_design(KNOWSLEY, "", str(kit.folder))
    kit.design = "second"
    with pytest.raises(DesignError, match="changed after it was locked"):
        session.open_evaluation(KNOWSLEY, "", str(kit.folder))
    assert kit.evaluations == 0


def test_notebooks_of_one_run_share_the_evaluation_and_others_do_not(kit):
    (kit.folder / PRIVATE).mkdir()
    shared = [session.open_evaluation(KNOWSLEY, "", str(kit.folder)) for _ in range(3)]
    assert shared == ["evaluation 1"] * 3
    assert kit.designs == 1
    assert session.open_evaluation(KNOWSLEY, "", "") == "evaluation 2"
    assert kit.designs == 2


def test_a_run_designs_once_and_a_lock_written_over_is_refused_all_the_same(kit):
    (kit.folder / PRIVATE).mkdir()
    session.open_design(KNOWSLEY, "", str(kit.folder))
    (kit.folder / "design.json").write_text("another")
    with pytest.raises(DesignError, match="changed after it was locked"):
        session.open_evaluation(KNOWSLEY, "", str(kit.folder))
    assert (kit.designs, kit.evaluations) == (1, 0)


def test_what_a_run_read_is_not_read_again_by_its_notebooks(kit, monkeypatch):
    read = []
    monkeypatch.setattr("evalkit.data.published.project_data.read_records", lambda *arguments: read.append(1))
    (kit.folder / PRIVATE).mkdir()
    session.read_once(Path(KNOWSLEY), session._sources(KNOWSLEY, ""), str(kit.folder), "what was read")
    session.open_evaluation(KNOWSLEY, "", str(kit.folder))
    assert read == []


def test_a_full_disk_in_a_notebook_is_a_fault_of_the_machine(kit, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(EnvironmentFault, match="disk is full"):
        session.open_design(KNOWSLEY, "", str(kit.folder))


@pytest.fixture
def generator(monkeypatch, tmp_path):
    """A generator that writes one file, and the folder in which the synthetic England is looked for."""
    monkeypatch.setattr(session, "synthetic_place", lambda: tmp_path / "data" / "processed" / "synthetic-test")
    written = []

    def write(folder, seed):
        written.append(seed)
        (folder / "england.csv").write_text("made")

    monkeypatch.setattr(evalkit.data.synthetic, "write_synthetic_england", write)
    return written


def test_the_synthetic_england_is_made_once_and_said_so(generator, capsys, tmp_path):
    folder = session.synthetic_folder()
    assert folder.parent == tmp_path / "data" / "processed"
    assert "synthetic England" in capsys.readouterr().err
    assert session.synthetic_folder() == folder
    assert capsys.readouterr().err == ""
    assert generator == [evalkit.data.synthetic.DEFAULT_SEED]
    assert os.listdir(folder.parent) == [folder.name]


def test_a_synthetic_england_that_failed_halfway_is_not_kept(generator, monkeypatch, tmp_path):
    def half(folder, seed):
        (folder / "england.csv").write_text("ma")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(evalkit.data.synthetic, "write_synthetic_england", half)
    with pytest.raises(EnvironmentFault, match="disk is full"):
        session.synthetic_folder()
    assert list((tmp_path / "data" / "processed").iterdir()) == []


def test_projects_of_one_command_share_what_they_read_where_there_is_a_folder_for_it(tmp_path, monkeypatch):
    data = tmp_path / "england.csv"
    data.write_text("one")
    sources, read = SimpleNamespace(files=lambda: (data,)), []

    def keep(wanted):
        return session.kept_for_all(sources)(wanted, lambda: read.append(wanted) or f"tables {len(read)}")

    monkeypatch.delenv(session.READ_ONCE, raising=False)
    assert [keep("pre"), keep("pre")] == ["tables 1", "tables 2"]
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setenv(session.READ_ONCE, str(shared))
    assert [keep("pre"), keep("pre"), keep("every year")] == ["tables 3", "tables 3", "tables 4"]
    data.write_text("another")  # a file that changes while the command runs is read again
    assert keep("pre") == "tables 5"
