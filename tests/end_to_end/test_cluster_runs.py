"""Projects on the workers of a real cluster: the outputs of this machine, whatever becomes of a worker."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from evalkit.data.synthetic import write_synthetic_england
from tests.dask_processes import START_SECONDS, environment, processes
from tests.end_to_end.fleet_workspace import add_project, give_bad_data, make_workspace

pytest.importorskip("distributed", reason="needs the extra evalkit[cluster]")


def space_in(folder: Path) -> Path:
    """Make a workspace and, beside it, published files of a tenth of England."""
    (folder / "published").mkdir()
    write_synthetic_england(folder / "published", seed=3, scale=0.1)
    return make_workspace(folder / "space")


def started(space: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "evalkit", "run", "--data", str(space.parent / "published"), *arguments]
    return subprocess.Popen(
        command, cwd=space, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def events(space: Path, kind: str) -> list[dict]:
    log = space / "outputs" / "_runs" / "log.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [event for event in map(json.loads, lines) if event["event"] == kind]


def test_what_is_wrong_with_a_project_comes_back_from_the_cluster(tmp_path):
    """The project names a school that no file knows, and comes as far as reading."""
    space = space_in(tmp_path)
    give_bad_data(add_project(space, "bad-data"))
    with processes(tmp_path, n_workers=1) as (file, _), started(space, "--all", "--scheduler", str(file)) as run:
        out, err = run.communicate(timeout=120)
    assert run.returncode == 2, err
    assert "row 2: no file knows URN 999999" in err
    assert "bad-data" in out
    record = json.loads((space / "outputs" / "_runs" / "bad-data.failed.json").read_text(encoding="utf-8"))
    assert (record["kind"], record["exit_code"]) == ("bad input", 2)
    [begun] = events(space, "project started")
    assert begun["worker"].startswith("tcp://127.0.0.1:")


@pytest.mark.slow
def test_a_worker_killed_in_mid_run_changes_no_output(tmp_path):
    """Four projects on two workers; the one that runs `b` is killed in its first notebook. The other does it again."""
    space = space_in(tmp_path)
    for slug in "abcd":
        add_project(space, slug)
    with processes(tmp_path, n_workers=2) as (file, (_, *workers)):
        with started(space, "--all", "--scheduler", str(file)) as run:
            killed = _killed_while(space, "b", workers)
            out, err = run.communicate(timeout=900)
        assert run.returncode == 0, err
        assert [line.split()[:2] for line in out.splitlines()[1:5]] == [[slug, "done"] for slug in "abcd"]
        assert [event["project"] for event in events(space, "project started")].count("b") == 2
        assert psutil.wait_procs(killed, timeout=10)[1] == []
    with started(space, "b", "--out", str(tmp_path / "here")) as run:
        assert run.wait(300) == 0
    assert files(space / "outputs" / "b") == files(tmp_path / "here" / "b")
    assert sorted(path.name for path in (space / "outputs").iterdir()) == ["_runs", *"abcd"]


def _killed_while(space: Path, slug: str, workers: list[subprocess.Popen[bytes]]) -> list[psutil.Process]:
    """Kill the worker that runs a project, once a notebook of it runs; return what the worker had started."""
    deadline = time.monotonic() + 8 * START_SECONDS
    while not (space / "outputs").is_dir() or not list((space / "outputs").glob(f".{slug}.*.staging")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    [address] = {event["worker"] for event in events(space, "project started") if event["project"] == slug}
    port = int(address.rpartition(":")[2])
    victim = next(w for w in workers if port in {c.laddr.port for c in psutil.Process(w.pid).net_connections()})
    started_by_it = psutil.Process(victim.pid).children(recursive=True)
    victim.send_signal(signal.SIGKILL)
    return started_by_it
