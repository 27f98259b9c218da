"""What a killed run leaves in the temporary place: a later run removes that, and nothing else."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.run.processes.temporary import (
    FORK,
    OWNER,
    READ,
    WORKER,
    PrivateFolder,
    folder_to_be,
    private_folder,
    sweep,
)
from tests.conftest import ROOT

HOLDS = """
import sys, time
from evalkit.run.processes.temporary import FORK, READ, WORKER, PrivateFolder
folders = [PrivateFolder(prefix) for prefix in (WORKER, READ, FORK)]
(folders[0].path / "tables.pickle").write_text("x")
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_a_folder_is_private_and_goes_with_its_block(place):
    with private_folder(READ) as folder:
        assert folder.parent == place
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "file").touch()
    assert names(place) == []


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX")
def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(place):
    variables = {**os.environ, "TMPDIR": str(place), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", HOLDS], env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        before = names(place)
        assert [name[: name.rindex("-") + 1] for name in before] == [WORKER, FORK, READ]
        sweep()
        assert names(place) == before
        process.send_signal(signal.SIGKILL)
        process.wait()
        mine = PrivateFolder(READ)
        sweep()
        assert names(place) == [mine.path.name]
        mine.remove()


MAKES = """
import sys, time
from pathlib import Path
from evalkit.run.processes.temporary import folder_to_be
with folder_to_be(Path(sys.argv[1])) as made:
    (made / "half").touch()
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX")
def test_what_a_killed_process_left_of_a_folder_to_be_goes_when_it_is_made_again(tmp_path):
    target = tmp_path / "processed" / "england"
    command = [sys.executable, "-c", MAKES, str(target)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not target.exists()
    assert len(names(target.parent)) == 1
    with folder_to_be(target) as made:
        (made / "whole").touch()
    assert names(target.parent) == ["england"]
    assert names(target) == ["whole"]


def test_of_a_folder_to_be_that_fails_nothing_is_left(tmp_path):
    with pytest.raises(FileNotFoundError), folder_to_be(tmp_path / "england") as made:
        (made / "half" / "file").touch()
    assert names(tmp_path) == []


def test_what_is_not_the_kits_stays(place):
    for name in ("e-12345678", f"{READ}12345678", f"{FORK}x", "other"):
        (place / name).mkdir()  # no owner is named in any of these
    (place / "e-abcdefgh").touch()
    (place / "evalkit-12345678.log").touch()
    outside = place / "other" / "e-87654321"
    outside.mkdir()
    (outside / OWNER).touch()
    (place / "e-87654321").symlink_to(outside)
    before = names(place)
    sweep()
    assert names(place) == before
    assert outside.is_dir()


def test_where_the_system_has_no_locks_nothing_is_swept(place, monkeypatch):
    left = PrivateFolder(WORKER)
    left._owner.close()

    def refuse(*arguments):
        raise OSError(38, "Function not implemented")

    with monkeypatch.context() as patch:
        patch.setattr("fcntl.flock" if os.name != "nt" else "msvcrt.locking", refuse)
        sweep()
        assert left.path.is_dir()
        with private_folder(READ) as folder:
            assert not (folder / OWNER).exists()
    sweep()
    assert not left.path.exists()
