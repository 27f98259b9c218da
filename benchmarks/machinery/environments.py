"""Peers, each installed at pinned versions in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[1]
RUNNERS = BENCHMARKS / "runners"
CACHE = BENCHMARKS.parent / ".venv-bench"
KIT = "evalkit"


@dataclass(frozen=True)
class Peer:
    """A package beside the kit.

    `lacks` holds the reason for each kind of row that it has nothing comparable for, `differs` for each whose answer
    is another one by design, so that it is shown and not held against the kit's; `part` names kinds of rows of which
    it does a part only, so that its figures are no measure for the whole.
    """

    name: str
    python: str
    runner: str
    packages: tuple[str, ...]
    note: str = ""
    lacks: dict[str, str] = field(default_factory=dict)
    differs: dict[str, str] = field(default_factory=dict)
    part: tuple[str, ...] = ()
    tolerance: dict[str, float] = field(default_factory=dict)
    puts_off_imports: bool = False

    @property
    def version(self) -> str:
        """Return the pinned version of the package itself."""
        return self.packages[0].partition("==")[2]


@dataclass(frozen=True)
class Environment:
    """An interpreter to run a peer with, or the reason why there is none."""

    peer: Peer
    python: Path | None
    failure: str = ""


def known_peers(file: str) -> dict[str, Peer]:
    """Return the peers of a file such as `peers.toml` by name."""
    text = tomllib.loads((BENCHMARKS / file).read_text(encoding="utf-8"))
    return {
        name: Peer(**(entry | {"name": name, "packages": tuple(entry["packages"])})) for name, entry in text.items()
    }


def kit(runner: str) -> Environment:
    """Return the kit itself, in the environment that runs the benchmark."""
    return Environment(Peer(KIT, "", runner, (KIT,)), Path(sys.executable))


def environment(peer: Peer) -> Environment:
    """Return a peer's environment, made and filled where it is not there yet."""
    folder = CACHE / peer.name
    python, done = folder / "bin" / "python", folder / "installed.txt"
    wanted = "\n".join(peer.packages)
    if done.exists() and python.exists() and done.read_text(encoding="utf-8") == wanted:
        return Environment(peer, python)
    base = next(_interpreters(peer.python), None)
    if base is None:
        return Environment(peer, None, f"needs Python {peer.python} or later, and none was found")
    shutil.rmtree(folder, ignore_errors=True)
    for command in (
        [str(base), "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.packages],
    ):
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode:
            return Environment(peer, None, f"could not be installed: {_last_line(answer.stderr)}")
    done.write_text(wanted, encoding="utf-8")
    return Environment(peer, python)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("WARNING", "[notice]"))]
    return lines[-1].strip()[:200] if lines else "no reason given"


def _interpreters(lowest: str) -> Iterator[Path]:
    """Yield interpreters of the version named, then later ones: on the path, and those that pyenv has."""
    major, minor = (int(part) for part in lowest.split("."))
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for at in range(minor, minor + 4):
        name = f"{major}.{at}"
        found = shutil.which(f"python{name}")
        candidates = [Path(found)] if found else []
        candidates += [folder / "bin" / "python" for folder in sorted(versions.glob(f"{name}.*"))]
        yield from (path for path in candidates if _runs_as(path, name))


def _runs_as(python: Path, version: str) -> bool:
    code = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and answer.stdout.strip() == version
