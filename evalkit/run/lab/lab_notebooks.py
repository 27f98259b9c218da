"""A project's notebooks, ready to be run by hand: parameters filled in, and what the user changed left alone."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evalkit.core.errors import EvalkitError, InputError
from evalkit.run.outputs.folder import PRIVATE
from evalkit.run.processes.failure import environment_faults
from evalkit.run.processes.locks import write_whole
from evalkit.run.project.workspace import NOTEBOOKS, notebooks_folder

LAB: Final = "lab"
RECORD: Final = ".made.json"
"""What was written, by notebook: the hash of its cells, so that a change by hand is seen."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The folder with a project's notebooks, those made now, and those kept as the user had changed them."""

    folder: Path
    made: tuple[str, ...]
    kept: tuple[str, ...]
    aside: tuple[str, ...]


def prepare_notebooks(root: Path, slug: str, parameters: Mapping[str, Path | None], is_fresh: bool) -> Prepared:
    """Make the notebooks of a project in `root`/lab/`slug`, with parameters as paths relative to that folder.

    A notebook whose cells the user changed is kept; with `is_fresh` it is put aside under another name and made anew.
    What notebooks share is emptied, so that nothing of an older version of the kit is read back.

    Raises
    ------
    InputError
        If the place is taken by a file, or no relative path leads to a parameter.
    EnvironmentFault
        If the folder may not be written.
    """
    folder = root / LAB / slug
    with environment_faults(f"making the notebooks in {folder}"):
        _make(folder)
        folder = folder.resolve()
        given = {name: "" if path is None else _relative(path, folder) for name, path in parameters.items()}
        source = notebooks_folder(parameters["project_file"] or folder)
        return _written(folder, source, {**given, "out": "."}, is_fresh)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{folder} is a file, not a folder. Move it away and type the same command again.") from None
    shutil.rmtree(folder / PRIVATE, ignore_errors=True)
    (folder / PRIVATE).mkdir(mode=0o700, exist_ok=True)


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path.resolve(), folder)).as_posix()
    except ValueError:
        raise InputError(
            f"{path} is on another drive than the workspace, so that no relative path leads there. "
            "Put a copy on the drive of the workspace."
        ) from None


def _written(folder: Path, source: Path, parameters: Mapping[str, str], is_fresh: bool) -> Prepared:
    known, made, kept, aside = _record(folder), [], [], []
    for name in sorted(f"{name}.ipynb" for name in NOTEBOOKS):
        wanted, there = _filled(source / name, parameters), folder / name
        found = _cells_hash(there)
        if there.exists() and found not in (known.get(name), _hash(wanted)):
            if not is_fresh:
                kept.append(name)
                continue
            aside.append(_put_aside(there))
        elif found == _hash(wanted) and not is_fresh:
            known[name] = found
            continue
        _write(there, wanted)
        known[name] = _hash(wanted)
        made.append(name)
    _write(folder / RECORD, known)
    return Prepared(folder, tuple(made), tuple(kept), tuple(aside))


def _filled(path: Path, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return a notebook with its parameters in the place of those it was written with, and no outputs."""
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", [])]
    if len(cells) != 1:
        raise EvalkitError(f"{path.name} must have one cell of parameters; please report this.")
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in parameters.items()]
    cells[0]["source"] = "\n".join(lines)
    return notebook


def _hash(notebook: Mapping[str, Any]) -> str:
    """Return the hash of what was written in a notebook's cells; outputs and settings are not part of it."""
    cells = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps(cells).encode("utf-8")).hexdigest()


def _cells_hash(path: Path) -> str:
    """Return the hash of a notebook's cells, empty where there is none that can be read."""
    try:
        return _hash(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ""


def _record(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _put_aside(path: Path) -> str:
    """Give a notebook a name that is free and return it."""
    number = 1
    while (other := path.with_name(f"{path.stem}-before-{number}.ipynb")).exists():
        number += 1
    path.rename(other)
    return other.name


def _write(path: Path, content: Mapping[str, Any]) -> None:
    write_whole(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8"))
