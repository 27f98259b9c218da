"""Outputs are replaced whole or left untouched, whatever happens and whenever."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from evalkit.core.errors import EnvironmentFault, EvalkitError, InputError
from evalkit.run.outputs import folder as outputs
from evalkit.run.outputs.folder import MANIFEST, MANIFEST_KIND, PRIVATE, is_ours, staging

ROOT = Path(__file__).resolve().parents[4]
OURS = json.dumps({"kind": MANIFEST_KIND}).encode()
N_FILES = 20


def release(parent: Path, generation: int, slug: str = "demo") -> Path:
    """Release outputs of which every file says which generation it is."""
    with staging(parent, slug) as made:
        made.write({f"tables/{i}.csv": str(generation).encode() for i in range(N_FILES)})
        made.write({MANIFEST: OURS})
        return made.release()


def generation_of(folder: Path) -> set[str]:
    """Return the generations found; raise if a file is missing."""
    assert is_ours(folder)
    return {(folder / f"tables/{i}.csv").read_text() for i in range(N_FILES)}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=["exchange", "rename aside"])
def way(request, monkeypatch):
    """Both ways of putting a folder in place: the system's exchange, and two renames."""
    if request.param == "rename aside":
        monkeypatch.setattr(outputs, "exchange", lambda one, other: False)
    return request.param


@pytest.mark.usefixtures("way")
def test_outputs_are_made_and_then_replaced_whole(tmp_path):
    target = release(tmp_path / "deep" / "out", 1)
    assert target == tmp_path / "deep" / "out" / "demo"
    (target / "tables" / "extra.csv").touch()
    assert generation_of(release(tmp_path / "deep" / "out", 2)) == {"2"}
    assert names(tmp_path / "deep" / "out") == ["demo"]  # neither lock, staging nor the old folder is left
    assert names(target) == [MANIFEST, "tables"]
    assert not (target / "tables" / "extra.csv").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is a call of Linux")
def test_the_system_exchanges_two_folders_in_one_step(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not outputs.exchange(tmp_path / "one", tmp_path / "other"):
        pytest.skip("this file system cannot exchange folders")
    assert (names(tmp_path / "one"), names(tmp_path / "other")) == (["other"], ["one"])


@pytest.mark.usefixtures("way")
def test_a_failure_inside_leaves_the_old_outputs(tmp_path):
    release(tmp_path, 1)
    with pytest.raises(EvalkitError, match="outside"), staging(tmp_path, "demo") as made:
        made.write({"tables/0.csv": b"2", "../0.csv": b"2"})
    assert generation_of(tmp_path / "demo") == {"1"}
    assert names(tmp_path) == ["demo"]


def test_a_rename_that_fails_halfway_is_undone(tmp_path, monkeypatch):
    release(tmp_path, 1)
    monkeypatch.setattr(outputs, "exchange", lambda one, other: False)
    rename = Path.rename

    def refuse_staging(path, target):
        if path.name.endswith(".staging"):
            raise OSError(errno.EIO, "broken disk")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse_staging)
    with pytest.raises(EnvironmentFault, match="disk reported an error"):
        release(tmp_path, 2)
    assert generation_of(tmp_path / "demo") == {"1"}


def foreign_folders(parent: Path) -> dict[str, Path]:
    parent.mkdir()
    made = {name: parent / name for name in ("empty", "files", "broken", "other-kind")}
    for folder in made.values():
        folder.mkdir()
    (made["files"] / "thesis.txt").write_text("ten years of work")
    (made["broken"] / MANIFEST).write_text("{")
    (made["other-kind"] / MANIFEST).write_text('{"kind": "something else"}')
    return made


def test_a_folder_we_did_not_make_is_refused_and_untouched(tmp_path):
    for slug, folder in foreign_folders(tmp_path / "out").items():
        before = {path: path.read_bytes() for path in folder.iterdir()}
        with pytest.raises(InputError, match="was not made by evalkit") as caught:
            release(tmp_path / "out", 1, slug)
        assert "--out" in str(caught.value)
        assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert names(tmp_path / "out") == ["broken", "empty", "files", "other-kind"]


def test_a_link_or_a_file_at_the_target_is_refused(tmp_path):
    release(tmp_path / "real", 1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "demo").symlink_to(tmp_path / "real" / "demo")
    with pytest.raises(InputError, match="is a link"):
        release(tmp_path / "out", 2)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="not a folder"):
        release(tmp_path / "file", 1)
    with pytest.raises(InputError, match="not a folder"):
        release(tmp_path / "file" / "below", 1)
    assert generation_of(tmp_path / "real" / "demo") == {"1"}


@pytest.mark.parametrize("slug", ["..", ".", "a/b", "../x", "", "A", "a" * 65, "nul"])
def test_a_slug_cannot_lead_out_of_the_folder(tmp_path, slug):
    with pytest.raises(InputError, match="cannot name"):
        release(tmp_path / "out", 1, slug)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["../escape.csv", "/escape.csv", "tables/../../escape.csv"])
def test_a_file_cannot_be_written_outside(tmp_path, name):
    with pytest.raises(EvalkitError, match="outside the outputs folder"), staging(tmp_path / "out", "demo") as made:
        made.write({name: b""})
    assert names(tmp_path) == ["out"]


def test_outputs_without_a_manifest_are_not_released(tmp_path):
    with pytest.raises(EvalkitError, match="no manifest"), staging(tmp_path, "demo") as made:
        made.release()
    assert names(tmp_path) == []


def test_what_notebooks_shared_is_not_released(tmp_path):
    with staging(tmp_path, "demo") as made:
        (made.folder / PRIVATE / "evaluation.pickle").touch()
        made.write({MANIFEST: OURS})
        assert made.folder.stat().st_dev == tmp_path.stat().st_dev
        assert names(made.release()) == [MANIFEST]


def test_two_runs_of_one_project_do_not_meet(tmp_path):
    refused, inside, go_on = [], threading.Event(), threading.Event()

    def first():
        with staging(tmp_path, "demo"):
            inside.set()
            go_on.wait(10)

    holder = threading.Thread(target=first)
    holder.start()
    assert inside.wait(10)
    try:
        release(tmp_path, 2)
    except EvalkitError as problem:
        refused.append(str(problem))
    release(tmp_path, 1, "another")
    go_on.set()
    holder.join()
    assert len(refused) == 1
    assert "Another run of demo is writing" in refused[0]
    assert generation_of(release(tmp_path, 3)) == {"3"}


def test_what_a_killed_run_left_is_removed_and_what_others_left_is_not(tmp_path):
    release(tmp_path, 1)
    ours, finished = tmp_path / ".demo.99999.staging", tmp_path / ".demo.99998.staging"
    empty, foreign = tmp_path / ".demo.99997.staging", tmp_path / ".demo.99996.staging"
    for folder in (ours, finished, empty, foreign):
        folder.mkdir()
    (ours / ".evalkit-staging").touch()
    (finished / MANIFEST).write_bytes(OURS)
    (foreign / "thesis.txt").touch()
    (tmp_path / ".demo.old.staging").mkdir()
    release(tmp_path, 2)
    assert names(tmp_path) == [".demo.99996.staging", ".demo.old.staging", "demo"]


def test_outputs_set_aside_by_a_killed_run_come_back(tmp_path):
    target = release(tmp_path, 1)
    target.rename(tmp_path / ".demo.99999.previous")  # killed between the two renames
    with pytest.raises(ZeroDivisionError), staging(tmp_path, "demo"):
        raise ZeroDivisionError
    assert generation_of(target) == {"1"}
    assert names(tmp_path) == ["demo"]


KILLED = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from evalkit.run.outputs import folder as outputs
from evalkit.run.outputs.folder import staging
if {aside}:
    outputs.exchange = lambda one, other: False
generation = int(sys.argv[2])
print("started", flush=True)
while True:
    generation += 1
    with staging(Path(sys.argv[1]), "demo") as made:
        made.write({{f"tables/{{i}}.csv": str(generation).encode() for i in range({n})}})
        made.write({{"manifest.json": {ours!r}}})
        made.release()
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX")
@pytest.mark.parametrize("aside", [False, True], ids=["exchange", "rename aside"])
def test_a_kill_at_any_moment_leaves_whole_outputs(tmp_path, aside):
    script = KILLED.format(root=str(ROOT), aside=aside, n=N_FILES, ours=OURS)
    generator = random.Random(20190712)
    release(tmp_path, 0)
    for attempt in range(12):
        command = [sys.executable, "-c", script, str(tmp_path), str(attempt * 10_000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"started\n"
            time.sleep(generator.uniform(0, 0.08))
            process.send_signal(signal.SIGKILL)
        if aside:  # between the two renames the old outputs stand beside; the next start brings them back
            with pytest.raises(ZeroDivisionError), staging(tmp_path, "demo"):
                raise ZeroDivisionError
        assert len(generation_of(tmp_path / "demo")) == 1
    release(tmp_path, 999_999)
    assert names(tmp_path) == ["demo"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EACCES, "Permission"),
        (errno.EROFS, "only be read"),
    ],
)
def test_a_fault_of_the_machine_leaves_the_old_outputs_and_exits_with_3(tmp_path, monkeypatch, number, expected):
    release(tmp_path, 1)

    def full(path, content):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(EnvironmentFault, match=expected) as caught:
        release(tmp_path, 2)
    assert caught.value.exit_code == 3
    assert generation_of(tmp_path / "demo") == {"1"}
    assert names(tmp_path) == ["demo"]


def test_a_full_disk_at_the_last_step_leaves_the_old_outputs(tmp_path, monkeypatch):
    release(tmp_path, 1)

    def full(folder):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(outputs, "sync_tree", full)
    with pytest.raises(EnvironmentFault, match="disk is full"):
        release(tmp_path, 2)
    assert generation_of(tmp_path / "demo") == {"1"}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KB, where this machine lets us make one."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    try:
        answer = subprocess.run(command, capture_output=True, check=False, text=True)
    except OSError as problem:
        pytest.skip(f"no program to mount a small disk: {problem}")
    if answer.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {answer.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full_leaves_the_old_outputs(small_disk):
    release(small_disk, 1)
    with pytest.raises(EnvironmentFault, match="disk is full"), staging(small_disk, "demo") as made:
        made.write({f"{i}.bin": bytes(64 * 1024) for i in range(8)})
    assert generation_of(small_disk / "demo") == {"1"}
    assert names(small_disk) == ["demo"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_exits_with_3(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(EnvironmentFault, match="Permission"):
        release(tmp_path / "out", 1)
