"""What the outputs were made from, in a file that says the same for the same run."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import evalkit
from evalkit.core.manifest import MEASURES_FILE, InputFile, Manifest, Provenance
from evalkit.core.project import Project
from evalkit.data.lock_file import PLAN_LOCK
from evalkit.run.outputs.folder import MANIFEST_KIND
from evalkit.run.outputs.hashes import Hashes
from evalkit.run.processes.failure import environment_faults
from evalkit.run.project.project_file import project_data
from evalkit.run.project.workspace import SOURCE_ROOT

if TYPE_CHECKING:
    from evalkit.data.published.sources import Sources

SCHEMA_VERSION = 1


def make_manifest(
    project: Project, sources: Sources, inputs: tuple[InputFile, ...], outputs: Mapping[str, bytes]
) -> Manifest:
    """Return the manifest of a run: parameters, seed, hashes of all that was read and written, versions and commit."""
    return Manifest(
        schema_version=SCHEMA_VERSION,
        slug=project.slug,
        data_kind=sources.kind,
        seed=project.seed,
        parameters=project_data(project),
        inputs=inputs,
        versions=versions(),
        commit=commit(SOURCE_ROOT),
        outputs={name: hashlib.sha256(content).hexdigest() for name, content in sorted(outputs.items())},
        numerics=numerics(),
        code=code_hash(),
    )


def provenance(project: Project, project_path: Path, sources: Sources) -> Provenance:
    """Return what a report is made from: the project as read, hashes of its files, versions, commit and numerics."""
    return Provenance(
        slug=project.slug,
        data_kind=sources.kind,
        seed=project.seed,
        threshold=project.disclosure.threshold,
        parameters=project_data(project),
        inputs=input_files(project, project_path, sources),
        versions=versions(),
        commit=commit(SOURCE_ROOT),
        numerics=numerics(),
    )


def code_hash() -> str:
    """Return one SHA-256 for the files of this kit, by which the same code is known without a commit."""
    return Hashes().of_tree(Path(evalkit.__file__).parent)


def numerics() -> str:
    """Return the library that multiplies matrices and the kind of machine: `scipy-openblas 0.3.31; Linux x86_64`."""
    import numpy as np

    built = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    blas = f"{built.get('name', 'unknown')} {built.get('version', '')}".strip()
    return f"{blas}; {platform.system()} {platform.machine()}"


def input_files(project: Project, project_path: Path, sources: Sources) -> tuple[InputFile, ...]:
    """Return every file of the data folder and of the project that a run reads, with its SHA-256."""
    named = (
        project_path.name,
        project.claims,
        project.participants.file,
        project.reference_document,
        *(table.file for table in project.data.tables.values()),
        project.data.borders,
        *(notebook.file for notebook in project.notebooks),
        *(name for name in (MEASURES_FILE, PLAN_LOCK) if (project_path.parent / name).is_file()),
    )
    names = [name for name in named if name]
    outlines = sources.outline_files if project.needs_borders and not project.data.borders else ()
    published = sources.files() if project.reads_published else outlines
    return (*_hashed("project", project_path.parent, (project_path.parent / name for name in names)),
            *_hashed("data", sources.folder, published, Hashes().of_published))  # fmt: skip


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return the manifest as a file; its `kind` marks the folder as one this kit may replace."""
    content = {"kind": MANIFEST_KIND, **asdict(manifest)}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def versions() -> dict[str, str]:
    """Return the versions of Python, of this kit and of every package it names as a dependency."""
    installed = {"evalkit": evalkit.__version__, "python": ".".join(map(str, sys.version_info[:3]))}
    for name in _dependencies():
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            installed[name] = "not installed"
    return dict(sorted(installed.items()))


def commit(root: Path) -> str:
    """Return the commit the kit was run from, `(changed)` where files differ from it; `unknown` without git."""
    if not (root / ".git").exists():
        return "unknown"
    head, status = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain", "--untracked-files=no")
    if head is None or status is None or not re.fullmatch(r"[0-9a-f]{40,64}", head):
        return "unknown"
    return f"{head} (changed)" if status else head


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _dependencies() -> list[str]:
    try:
        lines = [line for line in metadata.requires("evalkit") or [] if "extra ==" not in line]
    except metadata.PackageNotFoundError:
        pyproject = SOURCE_ROOT / "pyproject.toml"
        lines = (
            tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["dependencies"]
            if pyproject.exists()
            else []
        )
    return [re.split(r"[^A-Za-z0-9._-]", line)[0] for line in lines]


def _hashed(
    prefix: str, folder: Path, files: Iterable[Path], digest_of: Callable[[Path], str] = lambda path: Hashes().of(path)
) -> list[InputFile]:
    inputs = []
    for path in sorted(files):
        with environment_faults(f"reading {path.name}"):
            digest = digest_of(path)
        inputs.append(InputFile(path=f"{prefix}/{path.relative_to(folder).as_posix()}", sha256=digest))
    return inputs
