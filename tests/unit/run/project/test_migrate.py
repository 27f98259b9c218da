"""A project file of the first version becomes one of the second: every choice and comment stays."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from evalkit.core.errors import InputError, ProjectError
from evalkit.run.project.migrate import migrate_command, migrated
from evalkit.run.project.project_file import load_project

ROOT = Path(__file__).resolve().parents[4]
KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif"
NOW = (KNOWSLEY / "project.yml").read_text(encoding="utf-8")
ANALYSES = "\nanalyses:\n  - name: main\n    kind: areas\n    primary: true\n"
BEFORE = (
    NOW.replace("schema_version: 2", "schema_version: 1 # as it was")
    .replace(
        "  areas: [340] # Knowsley\n", "  rule: local_authority # all of them\n  local_authority: 340 # Knowsley\n"
    )
    .replace(ANALYSES, "")
)
AFTER = NOW.replace("schema_version: 2", "schema_version: 2 # as it was").replace(
    "  areas: [340] # Knowsley\n", "  # all of them\n  areas: [340] # Knowsley\n"
)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "claims.yml").write_text((KNOWSLEY / "claims.yml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "participants.csv").write_text("URN\n106438\n", encoding="utf-8")
    (tmp_path / "project.yml").write_text(BEFORE, encoding="utf-8", newline="")
    return tmp_path / "project.yml"


def test_nothing_changes_but_what_is_said_otherwise_now(path):
    assert BEFORE != AFTER
    assert migrated(BEFORE, path) == AFTER


def test_printed_it_leaves_the_file_alone(path, capsys):
    assert migrate_command(SimpleNamespace(project=str(path), write=False)) == 0
    assert capsys.readouterr().out == AFTER
    assert path.read_text(encoding="utf-8") == BEFORE


def test_written_it_is_the_same_project_and_the_old_file_is_kept(path, capsys):
    assert migrate_command(SimpleNamespace(project=str(path), write=True)) == 0
    assert load_project(path) == load_project(KNOWSLEY / "project.yml")
    assert path.with_name("project.v1.yml").read_text(encoding="utf-8") == BEFORE
    with pytest.raises(ProjectError, match=r"this file's `schema_version` is 2\. There is nothing to do"):
        migrate_command(SimpleNamespace(project=str(path), write=True))
    path.write_text(BEFORE, encoding="utf-8")
    with pytest.raises(InputError, match=r"project.v1.yml is there already"):
        migrate_command(SimpleNamespace(project=str(path), write=True))


@pytest.mark.parametrize(
    ("old", "new", "areas", "file"),
    [
        ("  rule: local_authority # all of them\n  local_authority: 340 # Knowsley\n",
         "  rule: file\n  file: participants.csv\n", (), "participants.csv"),
        ("  rule: local_authority # all of them\n  local_authority: 340 # Knowsley\n",
         "  file: participants.csv\n  rule: file\n  local_authority:\n", (), "participants.csv"),
        ("  rule: local_authority # all of them\n", "  rule: 'local_authority'\n  file: null\n", (340,), None),
    ],
)  # fmt: skip
def test_either_rule_becomes_its_key(path, old, new, areas, file):
    assert old in BEFORE
    path.write_text(migrated(BEFORE.replace(old, new), path), encoding="utf-8")
    participants = load_project(path).participants
    assert (participants.areas, participants.file) == (areas, file)
    assert participants.known_participants.startswith("The case study says 29")


def test_a_mapping_in_braces_and_windows_lines(path):
    head, _, tail = BEFORE.partition("participants:\n")
    braces = f"{head}participants: {{rule: local_authority, local_authority: 340}}\n\n{tail[tail.index('exposure:') :]}"
    for text in (braces, braces.replace("\n", "\r\n")):
        new = migrated(text, path)
        assert "participants: {areas: [340]}" in new
        assert new.count("\n") == text.count("\n") + 5
        assert new.count("\r\n") in (0, new.count("\n"))
        path.write_bytes(new.encode("utf-8"))
        assert load_project(path).participants.areas == (340,)


def test_a_file_that_ends_with_its_outcomes(path):
    at = BEFORE.index("outcomes:")
    text = BEFORE[:at].replace("claims: claims.yml\n", "") + "outcomes:\n  - measure: READPROG\n    role: primary"
    path.write_text(migrated(text, path), encoding="utf-8")
    assert load_project(path).primary_analysis.name == "main"


def test_what_is_wrong_with_it_is_told(path):
    with pytest.raises(ProjectError, match=r"Did you mean 'seed'(.|\n)*Correct them and migrate again"):
        migrated(BEFORE.replace("seed:", "sede:"), path)


def test_a_file_of_the_first_version_is_told_of_the_command(path):
    with pytest.raises(ProjectError, match="`evalkit migrate FILE` prints it as it should be now") as refused:
        load_project(path)
    assert "\n" not in str(refused.value)
