"""Many projects in one call: what each leaves, what a second call does, what remains of a call that is killed."""

import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from evalkit.data.synthetic import write_synthetic_england
from evalkit.run.processes.fork_server import ADDRESS
from tests.conftest import ROOT
from tests.end_to_end.fleet_workspace import DIES, HANGS, RAISES, add_project, give_bad_data, make_workspace

BAD = ("bad-data", "dies", "hangs", "raises")
LEAST_LIMIT = 48.0
"""Seconds after which a project is taken to hang, where nothing else is done: a good one takes some ten."""
BUSIEST = 6.0
"""Processes a core up to which the limit grows: the project that hangs waits for it, asleep, some five minutes."""


@pytest.fixture(scope="module")
def small_england(tmp_path_factory):
    folder = tmp_path_factory.mktemp("england") / "published"
    folder.mkdir()
    write_synthetic_england(folder, seed=3, scale=0.1)
    return folder


@pytest.fixture
def time_limit():
    """Return minutes that a good project keeps to on a machine as busy as this one is now, and one that hangs does not.

    The limit is of the clock, and what a project needs of it grows with the processes that share a core.
    """
    sharing = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else BUSIEST
    return f"{LEAST_LIMIT / 60 * min(max(sharing, 1.0), BUSIEST):.2f}"


def command(space: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "evalkit", "run", "--data", str(space.parent / "published"), *arguments]


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != ADDRESS} | {"PYTHONPATH": str(ROOT)}


def run(space: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(space, *arguments), capture_output=True, text=True, cwd=space, env=environment(), check=False
    )


def is_whole(folder: Path) -> bool:
    """Return whether a folder holds exactly the files of its manifest, each with its hash."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {"manifest.json"}
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in there}
    return bool(hashes) and hashes == manifest["outputs"]


def record(space: Path, slug: str) -> dict:
    return json.loads((space / "outputs" / "_runs" / f"{slug}.failed.json").read_text(encoding="utf-8"))


def _counts(space: Path, name: str) -> dict[str, int]:
    """Return how many projects of a run ended in which way, as its record has it."""
    return json.loads((space / "outputs" / "_runs" / name).read_text(encoding="utf-8"))["counts"]


def rows(table: str) -> dict[str, str]:
    """Return the lines of a summary by project."""
    lines = table.splitlines()
    return {line.split()[0]: line for line in lines[1 : lines.index("")]}


def left_behind(space: Path) -> list[str]:
    """Return the processes that work for this workspace still."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "status"]):
        words = " ".join(process.info["cmdline"] or ())
        if process.info["status"] != psutil.STATUS_ZOMBIE and (
            str(space) in words or process.info["cwd"] == str(space)
        ):
            found.append(words)
    return found


def fleet(root: Path, england: Path, n_good: int) -> Path:
    """Make a workspace of good projects and the four bad ones; the published files stand beside it."""
    shutil.copytree(england, root / "published")
    space = make_workspace(root / "space")
    for i in range(n_good):
        add_project(space, f"good-{i:02}")
    for slug, trouble in (("raises", RAISES), ("hangs", HANGS), ("dies", DIES)):
        add_project(space, slug, trouble)
    give_bad_data(add_project(space, "bad-data"))
    return space


def repair(space: Path) -> None:
    for slug in ("raises", "hangs", "dies"):
        (space / "data" / "projects" / slug / "trouble.py").unlink()
    text = (space / "data" / "projects" / "good-00" / "project.yml").read_text(encoding="utf-8")
    path = space / "data" / "projects" / "bad-data" / "project.yml"
    path.write_text(text.replace("good-00", "bad-data"), encoding="utf-8")


@pytest.mark.parametrize("n_good", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_a_fleet_tells_the_truth(tmp_path, small_england, time_limit, n_good):
    space = fleet(tmp_path, small_england, n_good)
    good = [f"good-{i:02}" for i in range(n_good)]

    first = run(space, "--all", "-j", "2", "--time-limit", time_limit)
    assert first.returncode == 1, first.stderr
    assert "Traceback" not in first.stdout + first.stderr
    assert "St Anne" not in first.stdout + first.stderr
    assert left_behind(space) == []
    assert list(rows(first.stdout)) == sorted([*good, *BAD])
    for slug in good:
        assert is_whole(space / "outputs" / slug)
        assert rows(first.stdout)[slug].endswith(str(space / "outputs" / slug / "report.html"))
    outputs = sorted(path.name for path in (space / "outputs").iterdir())
    assert outputs == ["_runs", *good]
    the_records_are_honest(space)
    log = [json.loads(line) for line in (space / "outputs" / "_runs" / "log.jsonl").read_text().splitlines()]
    ended = {line["project"]: line["status"] for line in log if line["event"] == "project ended"}
    assert ended == {**dict.fromkeys(good, "done"), **dict.fromkeys(BAD, "failed")}
    assert all(line["peak_mb"] > 20 for line in log if line["event"] == "project ended" and line["status"] == "done")

    repair(space)
    second = run(space, "--all", "-j", "2")
    assert second.returncode == 0, second.stderr
    words = {slug: row.split()[1] for slug, row in rows(second.stdout).items()}
    assert words == {**dict.fromkeys(good, "unchanged"), **dict.fromkeys(BAD, "done")}
    names = [path.name for path in (space / "outputs" / "_runs").iterdir()]
    runs, kept = [[name for name in names if name.endswith(".run.json") == is_run] for is_run in (True, False)]
    assert [_counts(space, name) for name in sorted(runs)][-1] == {"unchanged": len(good), "done": len(BAD)}
    assert len(runs) == 2
    records = [f"{slug}.{what}.json" for slug in (*good, *BAD) for what in ("data", "project")]
    assert sorted(kept) == sorted(["log.jsonl", *records])

    began = time.monotonic()
    third = subprocess.run(
        [sys.executable, "-m", "evalkit", "run", "--all"],  # without --data: those of the reports are read
        capture_output=True, text=True, cwd=space, env=environment(), check=False,
    )  # fmt: skip
    assert time.monotonic() - began < 10  # 1 s on an idle machine
    assert third.returncode == 0, third.stderr
    assert {row.split()[1] for row in rows(third.stdout).values()} == {"unchanged"}


def the_records_are_honest(space: Path) -> None:
    """Assert that each of the four records says what happened, where, and how to try again."""
    expected = {"bad-data": ("bad input", 2), "dies": ("killed", 3), "hangs": ("time limit", 1), "raises": ("error", 1)}
    for slug, (kind, code) in expected.items():
        found = record(space, slug)
        assert (found["schema_version"], found["slug"]) == (1, slug)
        assert (found["kind"], found["exit_code"]) == (kind, code)
        assert found["run_again"].startswith(f"evalkit run {slug} --data ")
        assert "St Anne" not in json.dumps(found)
        if slug == "bad-data":
            assert "999999" in found["message"]
            assert found["stage"] == "reading and checking the data"
        else:
            assert (found["stage"], found["heading"]) == ("notebook 1_design", "What could go wrong?")
            assert "trouble" in found["call"]
    assert "KeyError" in record(space, "raises")["message"]
    assert re.match(r"Stopped after [\d.]+ (seconds|minutes), the time limit", record(space, "hangs")["message"])


def versions_of(space: Path, slugs: list[str]) -> dict[str, bytes]:
    """Return the manifests of outputs that are asserted to be whole."""
    assert all(is_whole(space / "outputs" / slug) for slug in slugs)
    return {slug: (space / "outputs" / slug / "manifest.json").read_bytes() for slug in slugs}


def all_ended(space: Path) -> None:
    deadline = time.monotonic() + 30
    while found := left_behind(space):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX")
@pytest.mark.parametrize(
    ("n_kills", "plain"),
    [(2, "0"), pytest.param(20, "0", marks=pytest.mark.slow), pytest.param(20, "1", marks=pytest.mark.slow)],
    ids=["forked", "forked, often", "plain, often"],
)
def test_a_command_that_is_killed_leaves_whole_outputs_and_no_process(tmp_path, small_england, n_kills, plain):
    shutil.copytree(small_england, tmp_path / "published")
    space, slugs = make_workspace(tmp_path / "space"), ["one", "two"]
    for slug in slugs:
        add_project(space, slug)
    temporary = tmp_path / "t"
    temporary.mkdir()
    variables = {**environment(), "EVALKIT_PLAIN_PROCESSES": plain, "TMPDIR": str(temporary)}
    arguments = command(space, *slugs, "-j", "2", "--force")
    began = time.monotonic()
    subprocess.run(arguments, cwd=space, env=variables, capture_output=True, check=True)
    whole = time.monotonic() - began
    versions_of(space, slugs)
    generator = random.Random(20190712)
    for _ in range(n_kills):
        change_the_question(space, slugs, generator)
        with subprocess.Popen(arguments, cwd=space, env=variables, stdout=-3, stderr=-3) as process:
            time.sleep(generator.uniform(0, whole))
            process.send_signal(signal.SIGKILL)
        all_ended(space)
        versions_of(space, slugs)
    done = subprocess.run(arguments, cwd=space, env=variables, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    versions_of(space, slugs)
    assert sorted(path.name for path in (space / "outputs").iterdir()) == ["_runs", *slugs]
    assert list(temporary.iterdir()) == []


def change_the_question(space: Path, slugs: list[str], generator: random.Random) -> None:
    """Let new outputs differ from the old ones in every file that shows the question."""
    for slug in slugs:
        path = space / "data" / "projects" / slug / "project.yml"
        text = re.sub(r"(?m)^seed: \d+", f"seed: {generator.randrange(1, 10_000)}", path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interruption_ends_all_and_says_so(tmp_path, small_england, number):
    shutil.copytree(small_england, tmp_path / "published")
    space = make_workspace(tmp_path / "space")
    for slug in ("one", "three", "two"):
        add_project(space, slug, HANGS)
    arguments = command(space, "--all", "-j", "2")
    with subprocess.Popen(arguments, cwd=space, env=environment(), stdout=-1, stderr=-1, text=True) as process:
        log = space / "outputs" / "_runs" / "log.jsonl"
        deadline = time.monotonic() + 120
        while not log.exists() or log.read_text().count('"notebook 1_design"') < 2:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        process.send_signal(number)
        out, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Earlier outputs stand as they were" in said
    assert "Traceback" not in out + said
    words = {slug: row.split()[1:3] for slug, row in rows(out).items()}
    assert [word[0] for word in words.values()].count("interrupted") == 2
    assert list(words.values()).count(["not", "begun"]) == 1
    assert left_behind(space) == []
    names = sorted(path.name for path in (space / "outputs").iterdir())
    assert names == ["_runs"]
    log = [json.loads(line) for line in (space / "outputs" / "_runs" / "log.jsonl").read_text().splitlines()]
    ended = [(line["status"], line["kind"]) for line in log if line["event"] == "project ended"]
    assert sorted(ended) == [("interrupted", "interrupted")] * 2 + [("not begun", "not begun")]
    kinds = [json.loads(path.read_text())["kind"] for path in (space / "outputs" / "_runs").glob("*.failed.json")]
    assert kinds == ["interrupted", "interrupted"]
