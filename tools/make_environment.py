"""Regenerate requirements.lock and environment.yml from pyproject.toml.

python tools/make_environment.py              environment.yml from the lock as it stands
python tools/make_environment.py lock         resolve the lock anew (needs uv), then environment.yml
python tools/make_environment.py upgrade      the same, taking the newest versions that the ranges allow
python tools/make_environment.py lowest FILE  write the lowest direct versions to FILE, to test the lower bounds
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT, LOCK, ENVIRONMENT = ROOT / "pyproject.toml", ROOT / "requirements.lock", ROOT / "environment.yml"

LOCK_HEADER = """\
# Written by tools/make_environment.py from pyproject.toml; do not edit.
# Every package that the kit and its tests need, for Python 3.11 and later on Linux, macOS and Windows, with hashes.
"""
ENVIRONMENT_HEADER = """\
# Written by tools/make_environment.py from pyproject.toml and requirements.lock; do not edit.
# Every direct dependency stands at the locked version. pip installs them inside the conda environment, with all that
# they need from the lock, so that conda users get what CI ran. The conda solve itself was not run.
# After `conda env create -f environment.yml` and `conda activate evalkit`, type in this folder:
#     python -m pip install --no-deps --no-build-isolation -e .
"""
UNIVERSAL = (
    "--universal",
    "--python-version",
    "3.11",
    "--fork-strategy",
    "fewest",
    "--extra",
    "test",
    "--extra",
    "docs",
)
NOTHING_LOCAL = ("--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--no-config")


def canonical(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pyproject() -> dict[str, dict[str, object]]:
    """Return pyproject.toml as a dictionary."""
    return tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))


def direct_requirements(table: dict[str, dict[str, object]]) -> list[str]:
    """Return every requirement that pyproject.toml names, those of the kit and then those of its tests."""
    project = table["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(line for group in extras.values() for line in group)]  # type: ignore[attr-defined, misc]


def requirement_name(requirement: str) -> str:
    """Return the canonical name at the head of a requirement."""
    return canonical(re.match(r"[A-Za-z0-9._-]+", requirement).group())  # type: ignore[union-attr]


def locked_versions(text: str) -> dict[str, str]:
    """Return the version of every package in the lock; a package locked twice is an error."""
    found: dict[str, str] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, flags=re.MULTILINE):
        if canonical(name) in found:
            raise SystemExit(f"{name} stands twice in the lock: one version has to serve every Python and system.")
        found[canonical(name)] = version
    return found


def environment_text(table: dict[str, dict[str, object]], lock: str) -> str:
    """Return what environment.yml has to say for this pyproject.toml and this lock."""
    versions = locked_versions(lock)
    names = sorted({requirement_name(line) for line in direct_requirements(table)})
    python = table["tool"]["evalkit"]["environment"]["python"]  # type: ignore[index]
    lines = ["name: evalkit", "channels:", "  - conda-forge", "dependencies:", f"  - python={python}"]
    pins = [f"      - {name}=={versions[name]}" for name in names]
    return ENVIRONMENT_HEADER + "\n".join([*lines, "  - pip", "  - pip:", "      - -r requirements.lock", *pins]) + "\n"


def uv() -> str:
    """Return the path of uv, or stop with what to type."""
    beside = Path(sys.executable).parent / ("uv.exe" if os.name == "nt" else "uv")
    found = shutil.which("uv") or (str(beside) if beside.exists() else None)
    if found is None:
        raise SystemExit("uv is needed to resolve the lock and is not on this machine. Type: python -m pip install uv")
    return found


def compile_requirements(target: Path, *options: str) -> str:
    """Resolve pyproject.toml with uv into `target` and return the text, free of this machine's settings."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_INDEX", "UV_FIND"))}
    command = [uv(), "pip", "compile", "pyproject.toml", *UNIVERSAL, *NOTHING_LOCAL, *options, "-q", "-o", str(target)]
    subprocess.run(command, cwd=ROOT, env=clean, check=True)
    return target.read_text(encoding="utf-8")


def write_lock(*options: str) -> None:
    """Resolve requirements.lock anew."""
    text = compile_requirements(LOCK, "--generate-hashes", *options)
    LOCK.write_text(LOCK_HEADER + text, encoding="utf-8", newline="\n")


def main(arguments: list[str]) -> int:
    """Do what the command line asks."""
    match arguments:
        case ["lowest", target]:
            compile_requirements(Path(target).resolve(), "--resolution", "lowest-direct")
            return 0
        case []:
            pass
        case ["lock"]:
            write_lock()
        case ["upgrade"]:
            write_lock("--upgrade")
        case _:
            print(__doc__)
            return 2
    text = environment_text(pyproject(), LOCK.read_text(encoding="utf-8"))
    ENVIRONMENT.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
