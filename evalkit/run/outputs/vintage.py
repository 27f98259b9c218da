"""Where a project was when its report was made, on which day that was, and whether it is still the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from evalkit.core.manifest import State, Vintage
from evalkit.run.outputs.content_key import Hashes, project_slug
from evalkit.run.outputs.folder import MANIFEST
from evalkit.run.processes.failure import RUNS
from evalkit.run.processes.locks import write_whole

SCHEMA_VERSION: Final = 1
_PREFIX: Final = "project/"


def keep_source(out: Path, slug: str, project_file: Path, is_new: bool) -> None:
    """Keep where the project of a report is and, where the report is new, the day it was made.

    The record stands beside the outputs, and never in them: what is released names no folder of this machine.
    """
    held = _kept(out, slug)
    path = str(project_file.absolute())
    made = f"{datetime.now(UTC):%Y-%m-%d}" if is_new else str(held.get("made", ""))
    content = {"schema_version": SCHEMA_VERSION, "slug": slug, "project": path, "made": made}
    if held != content:
        with suppress(OSError):  # without it the day is that of the manifest, and the place is looked for
            _record(out, slug).parent.mkdir(parents=True, exist_ok=True)
            write_whole(_record(out, slug), (json.dumps(content, indent=2) + "\n").encode())


def known_vintage(vintage: Vintage, manifest: Mapping[str, Any], folder: Path) -> Vintage:
    """Return the vintage of the report in a folder with its day and the state of its project.

    The project is looked for where its last run found it, else in the workspace beside the outputs. The day is that
    of the run, else that of the manifest's file.
    """
    held = _kept(folder.parent, folder.name)
    made = str(held.get("made") or "") or f"{datetime.fromtimestamp((folder / MANIFEST).stat().st_mtime, UTC):%Y-%m-%d}"
    return replace(vintage, made=made, state=_state(manifest, _place(folder, held), folder.name))


def project_of(out: Path, slug: str) -> Path | None:
    """Return the project file that the last run of a project read, None where that is not known."""
    held = _kept(out, slug)
    return Path(str(held["project"])) if held.get("project") else None


def _place(folder: Path, held: Mapping[str, Any]) -> Path | None:
    """Return the folder in which the project should be, None where nothing says."""
    kept = Path(str(held.get("project") or "")).parent
    if held.get("project") and kept.parent.is_dir():  # else the outputs came from another machine
        return kept
    projects = folder.parent.absolute().parent / "data" / "projects"
    return projects / folder.name if projects.is_dir() else None


def _state(manifest: Mapping[str, Any], place: Path | None, slug: str) -> State:
    """Return whether the files of a project are those that its report was made from."""
    inputs = manifest.get("inputs") or ()
    files = {str(one["path"]): str(one["sha256"]) for one in inputs if str(one["path"]).startswith(_PREFIX)}
    if place is None or not files:
        return "not known"
    if not any((place / path.removeprefix(_PREFIX)).is_file() for path in files):
        return "gone"
    is_same = all(_digest(place / path.removeprefix(_PREFIX)) == digest for path, digest in files.items())
    if is_same:
        return "current"
    return "changed" if project_slug(place / "project.yml") in (None, slug) else "renamed"


def _digest(path: Path) -> str:
    with suppress(OSError):
        return Hashes().of(path)
    return ""


def _kept(out: Path, slug: str) -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        held = json.loads(_record(out, slug).read_text(encoding="utf-8"))
        return held if isinstance(held, dict) else {}
    return {}


def _record(out: Path, slug: str) -> Path:
    return out / RUNS / f"{slug}.project.json"
