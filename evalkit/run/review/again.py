"""A run made again in its workspace: by this kit, or by the code and the packages it had, in a fresh environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evalkit.core.errors import EnvironmentFault
from evalkit.run.console import Progress
from evalkit.run.outputs.folder import MANIFEST
from evalkit.run.processes.failure import record_path
from evalkit.run.processes.light import ONE_THREAD
from evalkit.run.project.workspace import SOURCE_ROOT
from evalkit.run.review.finished import FinishedRun
from evalkit.run.review.materials import Workspace

LOCK_FILE: Final = "requirements.lock"
CODE_IN_PACK: Final = "code"
_ELSEWHERE: Final = ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "VIRTUAL_ENV")
"""Variables that would send Python or pip to other places than the fresh environment."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40,64}")
_MOST_SAID: Final = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """The Python that makes a run again, the variables it is given, and in words which code and packages it has."""

    python: str
    environment: Mapping[str, str]
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remade:
    """What became of making a run again: the folder of its outputs, or why there is none."""

    folder: Path | None
    failure: str = ""

    @property
    def manifest(self) -> dict[str, object]:
        """The manifest of what was made; empty where nothing was."""
        if self.folder is None:
            return {}
        found: dict[str, object] = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        return found


def kit_here() -> Kit:
    """Return this Python with this kit, as a worker of `evalkit run` has it."""
    path = os.pathsep.join([str(SOURCE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    return Kit(python=sys.executable, environment=environment, told="this kit, in this environment")


def make_again(run: FinishedRun, space: Workspace, kit: Kit, progress: Progress) -> Remade:
    """Make a run again in its workspace by `evalkit run`, and return what became of it."""
    data = ["--synthetic"] if space.is_synthetic else ["--data", str(space.data)] if space.data else []
    command = [kit.python, "-P", "-m", "evalkit", "run", str(space.project_file), *data, "--out", str(space.out)]
    with progress.step(f"{run.slug}: making the run again, with {kit.told}"):
        done = subprocess.run(
            command, cwd=space.root, env=dict(kit.environment), capture_output=True, text=True, check=False
        )
    folder = space.out / run.slug
    if done.returncode == 0 and (folder / MANIFEST).is_file():
        return Remade(folder=folder)
    return Remade(folder=None, failure=_why(space.out, run.slug) or done.stderr.strip()[-_MOST_SAID:])


def _why(out: Path, slug: str) -> str:
    try:
        return str(json.loads(record_path(out, slug).read_text(encoding="utf-8"))["message"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


# A fresh environment: packages from the lock, code from the pack or from the commit.


def kit_afresh(run: FinishedRun, scratch: Path, progress: Progress) -> Kit:
    """Return a new environment in `scratch` with the locked packages and the code that the run had.

    The code is the pack's wheel, else the commit of the run from this clone, else what is here; packages come from the
    index, or the folder of wheels, that pip's or uv's own settings name.

    Raises
    ------
    EnvironmentFault
        If the environment cannot be made: no lock, no network, no room.
    """
    folder, lock = scratch / "environment", _lock(run)
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    uv = shutil.which("uv")
    code, told = _code(run, scratch)
    with progress.step("making a fresh environment"):
        base = getattr(sys, "_base_executable", None) or sys.executable
        _done([base, "-m", "venv", *(["--without-pip"] if uv else []), str(folder)], "making the environment")
    with progress.step("installing the locked packages"):
        _install(python, uv, ["--require-hashes", "-r", str(lock)])
    with progress.step(f"installing {told}"):
        _install(python, uv, ["--no-deps", *code])
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return Kit(python=python, environment={**environment, **ONE_THREAD}, told=f"{told}, in a fresh environment")


def _lock(run: FinishedRun) -> Path:
    places = [run.pack / LOCK_FILE] if run.pack else []
    for place in (*places, SOURCE_ROOT / LOCK_FILE):
        if place.is_file():
            return place
    raise EnvironmentFault(
        f"--fresh needs the lock file {LOCK_FILE}: there is none in the pack, and none beside this kit. Run it from a "
        "clone of evalkit, or leave --fresh out."
    )


def _code(run: FinishedRun, scratch: Path) -> tuple[list[str], str]:
    """Return what to install as the kit, and the same in words."""
    wheels = sorted((run.pack / CODE_IN_PACK).glob("*.whl")) if run.pack else []
    if wheels:
        return [str(wheels[0])], "the code of the pack"
    commit = str(run.manifest.get("commit", ""))
    if _COMMIT.fullmatch(commit) and (cloned := _cloned(commit, scratch / "clone")):
        return ["--no-build-isolation", "-e", str(cloned)], f"the code of commit {commit[:7]}"
    from evalkit.run.review.wheel import write_wheel

    return [str(write_wheel(scratch))], "the code that is here"


def _cloned(commit: str, folder: Path) -> Path | None:
    """Return a clone of this kit's repository at a commit, None where it has no such commit."""
    if not (SOURCE_ROOT / ".git").exists():
        return None
    for command in (
        ["git", "clone", "--quiet", "--shared", "--no-checkout", str(SOURCE_ROOT), str(folder)],
        ["git", "-C", str(folder), "checkout", "--quiet", "--detach", commit],
    ):
        if _code_of(command):
            return None
    return folder


def _code_of(command: Sequence[str]) -> int:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=600).returncode
    except (OSError, subprocess.SubprocessError):
        return 1


def _install(python: str, uv: str | None, options: Sequence[str]) -> None:
    if uv is not None:
        _done([uv, "pip", "install", "--quiet", "--python", python, *options], "installing with uv")
        return
    pip = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    _done([*pip, *options], "installing with pip")


def _done(command: Sequence[str], what: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except OSError as problem:
        raise EnvironmentFault(f"--fresh stopped while {what}: {problem}") from None
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-_MOST_SAID:]
        raise EnvironmentFault(f"--fresh stopped while {what}. The last it said was:\n{said}")
