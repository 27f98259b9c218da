"""Forked processes are as if started, end as they are told to, and never outlive who asked for them."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evalkit.run.processes.fork_server import (
    ADDRESS,
    PLAIN,
    ForkedProcess,
    ForkServer,
    NoForkServer,
    address_here,
    why_not,
)
from evalkit.run.processes.forked import why_unsafe
from evalkit.run.processes.light import ONE_THREAD
from evalkit.run.project.workspace import SOURCE_ROOT
from tests.forking import gone, is_there, popen, program, soon

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
PIPE, DEVNULL, STDOUT = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the programs to fork."""
    made = tmp_path_factory.mktemp("programs")
    program(made)
    return made


@contextmanager
def serving(folder: Path) -> Iterator[ForkServer]:
    """Give a server that finds the programs, and has imported little beside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(PLAIN, raising=False)
        patch.setenv("PYTHONPATH", str(folder))
        with ForkServer(["numpy.random", "matplotlib"]) as started:
            yield started


@pytest.fixture(scope="module")
def server(folder):
    """A server for all tests that leave it as it is."""
    with serving(folder) as started:
        yield started


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment in which a process started afresh finds what a forked one has."""
    path = os.pathsep.join([str(SOURCE_ROOT), str(folder)])
    return {**os.environ, **ONE_THREAD, "PYTHONHASHSEED": "0", "PYTHONPATH": path, **more}


def started(folder: Path, *arguments: str, **options) -> subprocess.CompletedProcess:
    """Run a program as `python -m` does."""
    command = [sys.executable, "-P", "-m", "forked_program", *arguments]
    return subprocess.run(command, capture_output=True, env=environment(folder), timeout=60, **options)


def said(server: ForkServer, *arguments: str, **options) -> tuple[int, bytes, bytes]:
    """Run a program forked, and return its status and what it wrote."""
    with popen(server, "forked_program", arguments, stdout=PIPE, stderr=PIPE, **options) as process:
        output, complaint = process.stdout.read(), process.stderr.read()
        return process.wait(60), output, complaint


def sleeper(server: ForkServer, *arguments: str, **options) -> tuple[ForkedProcess, list[int]]:
    """Return a process that sleeps and the numbers it says: its child's where it has one, its own, and more."""
    process = popen(server, "forked_program", ["sleep", *arguments], stdout=PIPE, **options)
    return process, [int(number) for number in process.stdout.readline().split()]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["number", "0"], 0),
        (["number", "7"], 7),
        (["number", "256"], 0),
        (["nothing"], 0),
        (["leave", "3"], 3),
        (["leave", "null"], 0),
        (["leave", '"words"'], 1),
        (["fail"], 1),
        (["interrupted"], -signal.SIGINT),
        (["signalled", "9"], -signal.SIGKILL),
        (["signalled", "15"], -signal.SIGTERM),
        (["signalled", "2"], -signal.SIGINT),
        (["signalled", "6"], -signal.SIGABRT),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_a_process_ends_as_one_that_was_started(server, folder, arguments, status):
    plain = started(folder, *arguments)
    ended, _, complaint = said(server, *arguments)
    assert (ended, plain.returncode) == (status, status)
    assert complaint.splitlines()[-1:] == plain.stderr.splitlines()[-1:]  # the same last words, other frames above


def test_everything_written_arrives_and_threads_are_waited_for(server, folder):
    plain = started(folder, "unended")
    assert said(server, "unended") == (0, plain.stdout, plain.stderr)
    assert plain.stdout == b"saidfrom a thread, at the end"


def test_a_process_is_in_the_state_of_one_that_was_started(server, folder, tmp_path):
    asked = environment(folder, MPLBACKEND="svg", TZ="Asia/Tokyo", NAME="a ü \udcff", LONG="x" * 100_000)
    command = [sys.executable, "-P", "-m", "forked_program", "state", "a b", "ü"]
    plain = json.loads(subprocess.run(command, capture_output=True, env=asked, cwd=tmp_path, check=True).stdout)
    status, output, complaint = said(server, "state", "a b", "ü", env=asked, cwd=tmp_path)
    assert (status, complaint) == (0, b"")
    forked = json.loads(output)
    assert forked.pop("main") == "forked_program"
    plain.pop("main")
    assert forked == plain
    assert plain["descriptors"] == [0, 1, 2]
    assert plain["backend"] == "svg"
    assert plain["zone"][0] == "JST"


def test_the_streams_are_those_asked_for(server, tmp_path):
    with popen(server, "forked_program", ["copy"], stdin=PIPE, stdout=PIPE, stderr=DEVNULL) as process:
        process.stdin.write(b"abc")
        process.stdin.close()
        assert (process.wait(60), process.stdout.read(), process.stderr) == (0, b"ABC", None)
    with (
        (tmp_path / "both").open("wb") as file,
        popen(server, "forked_program", ["unended"], stdout=file, stderr=STDOUT),
    ):
        pass  # closed before it wrote: killed
    with (tmp_path / "both").open("wb") as file:
        process = popen(server, "forked_program", ["unended"], stdin=DEVNULL, stdout=file.fileno(), stderr=STDOUT)
        assert process.wait(60) == 0
    assert sorted((tmp_path / "both").read_bytes()) == sorted(b"saidaskedfrom a thread, at the end")


def test_a_running_process_is_waited_for_and_signalled(server):
    process, (pid, group, _) = sleeper(server)
    assert (process.pid, group) == (pid, pid)
    assert process.poll() is None
    began = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.2)
    assert 0.2 <= time.monotonic() - began < 2
    process.terminate()
    assert process.wait(20) == -signal.SIGTERM
    assert process.poll() == process.returncode == -signal.SIGTERM
    process.send_signal(signal.SIGKILL)  # has ended: nothing happens
    process.close()


def test_several_threads_may_wait(server):
    process, _ = sleeper(server)
    found = []
    threads = [threading.Thread(target=lambda: found.append(process.wait(20))) for _ in range(4)]
    for thread in threads:
        thread.start()
    process.kill()
    for thread in threads:
        thread.join()
    assert found == [-signal.SIGKILL] * 4
    process.close()


def test_many_at_once_each_with_its_own_status(server):
    processes = [popen(server, "forked_program", ["number", str(i)]) for i in range(30)]
    assert [process.wait(60) for process in processes] == list(range(30))


def test_closing_ends_the_process_and_its_group(server):
    process, (child, pid, *_) = sleeper(server, "child")
    process.close()
    assert process.returncode == -signal.SIGKILL
    assert gone(pid, child)


def test_nothing_of_its_group_outlives_the_leader(server):
    process, (child, *_) = sleeper(server, "leave")
    assert process.wait(20) == 0
    assert gone(child)
    process.close()


def test_each_process_draws_other_random_numbers(server):
    draws = {number for _ in range(3) for number in said(server, "draws")[1].split()}
    assert len(draws) == 6


def test_a_folder_that_is_not_there_is_refused(server, tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        popen(server, "forked_program", ["nothing"], cwd=tmp_path / "missing")


def test_another_user_could_not_connect(server):
    folder = Path(server.address).parent
    assert folder.stat().st_mode & 0o777 == 0o700


CLIENT = """
import os, sys, time
from evalkit.run.processes.fork_server import ForkServer
from evalkit.run.processes.fork_server import Launch, fork
launch = Launch("forked_program", ("sleep", "child"), env=dict(os.environ), cwd=os.getcwd())
if sys.argv[1:]:
    address = sys.argv[1]
else:
    server = ForkServer([])
    server.start()
    address = server.address
    print(server.pid, address, flush=True)
process = fork(address, launch)
time.sleep(60)
"""


def client(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start another process that asks for a sleeping one, and perhaps for a server of its own first."""
    command = [sys.executable, "-c", CLIENT, *arguments]
    return subprocess.Popen(command, stdout=PIPE, text=True, env=environment(folder))


def test_when_the_client_is_killed_its_processes_end(server, folder):
    with client(folder, server.address) as other:
        pids = [int(number) for number in other.stdout.readline().split()[:2]]
        assert all(map(is_there, pids))
        other.kill()
    assert gone(*pids)
    assert said(server, "number", "4")[0] == 4  # the server serves on


def test_when_the_parent_of_the_server_is_killed_nothing_is_left(folder):
    with client(folder) as other:
        server, address = other.stdout.readline().split()
        pids = [int(server), *(int(number) for number in other.stdout.readline().split()[:2])]
        assert all(map(is_there, pids))
        other.kill()
    assert gone(*pids)
    assert soon(lambda: not Path(address).parent.exists())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_the_server_is_ended_so_is_what_it_forked(folder, number):
    with serving(folder) as own:
        process, (pid, *_) = sleeper(own)
        address = own.address
        os.kill(own.pid, number)
        assert process.wait(20) == -signal.SIGKILL
        process.send_signal(signal.SIGTERM)
        process.close()
        assert gone(own.pid, pid)
        with pytest.raises(OSError, match=r"refused|No such file"):
            popen(own, "forked_program", ["nothing"])
    assert not Path(address).parent.exists()


def test_a_server_stops_with_all_it_forked_and_may_be_stopped_twice(folder):
    with serving(folder) as own:
        process, (pid, *_) = sleeper(own)
        own.stop()
    assert not is_there(pid)
    assert process.wait(5) == -signal.SIGKILL
    process.close()
    with pytest.raises(NoForkServer, match="not been started"):
        popen(own, "forked_program", [])


def test_processes_are_started_afresh_where_that_is_asked_for(monkeypatch):
    monkeypatch.setenv(ADDRESS, "/somewhere")
    monkeypatch.delenv(PLAIN, raising=False)
    assert (why_not(), address_here()) == (None, "/somewhere")
    monkeypatch.setenv(PLAIN, "1")
    assert address_here() is None
    with pytest.raises(NoForkServer, match="afresh"):
        ForkServer().start()


def test_another_system_is_refused_in_words(monkeypatch):
    monkeypatch.delenv(PLAIN, raising=False)
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(NoForkServer, match="does not copy a running one safely"):
        ForkServer().start()


def test_a_server_that_does_not_start_is_refused_and_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.delenv(PLAIN, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(NoForkServer, match="it ended before it was ready"):
        ForkServer().start()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    with pytest.raises(NoForkServer, match="No such file"):
        ForkServer().start()
    assert list(tmp_path.iterdir()) == []


def test_a_process_with_threads_is_not_forked():
    ending = threading.Event()
    thread = threading.Thread(target=ending.wait)
    thread.start()
    try:
        assert "thread" in why_unsafe()
    finally:
        ending.set()
        thread.join()


def test_a_deep_folder_for_temporary_files_is_no_obstacle(monkeypatch, tmp_path, folder):
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with serving(folder) as own:
        assert said(own, "number", "5")[0] == 5
    assert list(deep.iterdir()) == []
