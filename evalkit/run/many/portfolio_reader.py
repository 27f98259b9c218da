"""Every finished, failed and foreign folder among the outputs of a workspace."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from evalkit.core.errors import EvalkitError, InputError
from evalkit.diagnose.portfolio.project_record import FailedRun, ProjectRecord, UnreadFolder
from evalkit.run.many.portfolio_record import project_record
from evalkit.run.outputs.folder import MANIFEST, MANIFEST_KIND
from evalkit.run.outputs.vintage import known_vintage
from evalkit.run.processes.failure import RUNS, environment_faults
from evalkit.run.project.workspace import is_slug

RESULTS: Final = "results.json"
REPORT: Final = "report.html"
LARGEST: Final = 100_000_000
"""Bytes beyond which a results.json is not read."""


@dataclass(frozen=True, slots=True)
class OutputsRead:
    """What was found among the outputs, each in the order of its names; `hashes` are those of the files read."""

    projects: tuple[ProjectRecord, ...]
    failed: tuple[FailedRun, ...]
    unread: tuple[UnreadFolder, ...]
    hashes: tuple[tuple[str, str], ...]


class Unusable(EvalkitError):
    """A folder among the outputs cannot be counted."""


def read_outputs(outputs: Path, site: Path, without: Collection[str] = ()) -> OutputsRead:
    """Read the outputs of every project; `site` is the folder that will link to the reports.

    Names that begin with `_` or `.` are evalkit's own. Raise `InputError` where there is no such folder.
    """
    if not outputs.is_dir():
        raise InputError(f"{outputs}: there is no such folder. `evalkit run` makes it, or name another with --outputs.")
    _refuse_unknown(without, outputs)
    projects, unread, hashes = [], [], []
    with environment_faults(f"reading {outputs}"):
        for name in _names(outputs, without):
            try:
                record, read = _read(outputs / name, site)
            except Unusable as problem:
                unread.append(UnreadFolder(name, str(problem)))
                continue
            projects.append(record)
            hashes += [(f"{name}/{file}", digest) for file, digest in read]
        failed = _failed(outputs / RUNS, {record.slug for record in projects})
    return OutputsRead(tuple(projects), failed, tuple(unread), tuple(hashes))


def _names(outputs: Path, without: Collection[str]) -> list[str]:
    return sorted(
        path.name
        for path in outputs.iterdir()
        if path.is_dir() and not path.name.startswith(("_", ".")) and path.name not in without
    )


def _refuse_unknown(without: Collection[str], outputs: Path) -> None:
    with environment_faults(f"reading {outputs}"):
        known = {path.name for path in outputs.iterdir() if path.is_dir()}
    for name in without:
        if name not in known:
            shown = name if len(name) <= 60 else f"{name[:59]}…"
            raise InputError(f"--without {shown}: there is no such folder in {outputs}.")


def _read(folder: Path, site: Path) -> tuple[ProjectRecord, list[tuple[str, str]]]:
    if folder.is_symlink() or not is_slug(folder.name):
        raise Unusable("It is a link, or its name cannot be that of a project.")
    if not (folder / MANIFEST).is_file():
        raise Unusable(f"It has no {MANIFEST}: evalkit did not make it, or a run did not end.")
    manifest, stamp = _json(folder / MANIFEST)
    if manifest.get("kind") != MANIFEST_KIND or "parameters" not in manifest:
        raise Unusable(f"Its {MANIFEST} is not that of a report: evalkit did not make it.")
    results, digest = _json(folder / RESULTS)
    _refuse_changed(folder, manifest, results, digest)
    record = _record(results, manifest, _link(folder / REPORT, site))
    record = replace(record, vintage=known_vintage(record.vintage, manifest, folder))
    return record, [(MANIFEST, stamp), (RESULTS, digest)]


def _refuse_changed(folder: Path, manifest: dict[str, Any], results: dict[str, Any], digest: str) -> None:
    written = manifest.get("outputs")
    if not isinstance(written, dict) or written.get(RESULTS) != digest:
        raise Unusable(f"Its {RESULTS} is not the one its run wrote. Run the project again.")
    if not folder.name == results.get("project") == manifest.get("slug"):
        raise Unusable("The folder's name is not that of the project in it. Give it back its name.")
    if not (folder / REPORT).is_file():
        raise Unusable(f"It has no {REPORT}. Run the project again.")


def _json(path: Path) -> tuple[dict[str, Any], str]:
    """Return what a JSON file holds, and its SHA-256."""
    try:
        if path.stat().st_size > LARGEST:
            raise Unusable(f"Its {path.name} is larger than a report's could be.")
        content = path.read_bytes()
        held = json.loads(content)
    except FileNotFoundError:
        raise Unusable(f"It has no {path.name}.") from None
    except PermissionError:
        raise Unusable(f"Its {path.name} may not be read. Check who owns it.") from None
    except (ValueError, RecursionError):
        raise Unusable(f"Its {path.name} is not JSON: it is damaged or was written by something else.") from None
    if not isinstance(held, dict):
        raise Unusable(f"Its {path.name} does not hold a record.")
    return held, hashlib.sha256(content).hexdigest()


def _record(results: dict[str, Any], manifest: dict[str, Any], report: str) -> ProjectRecord:
    try:
        return project_record(results, manifest, report)
    except EvalkitError as problem:
        raise Unusable(str(problem)) from None
    except (LookupError, TypeError, ValueError, AttributeError, StopIteration):
        raise Unusable(
            f"Its {RESULTS} does not hold what a report of this version holds. Run the project again."
        ) from None


def _link(report: Path, site: Path) -> str:
    try:
        relative = os.path.relpath(report.resolve(), site.resolve())
    except ValueError:
        raise InputError("The site and the reports lie on two drives, so no link can lead there. Give --out.") from None
    return quote(Path(relative).as_posix())


def _failed(folder: Path, finished: set[str]) -> tuple[FailedRun, ...]:
    """Return the projects whose last run failed, from the records that runs leave."""
    found = []
    for path in sorted(folder.glob("*.failed.json")) if folder.is_dir() else ():
        slug = path.name.removesuffix(".failed.json")
        try:
            held, _ = _json(path)
        except Unusable as problem:
            held = {"kind": "unknown", "message": f"The record of the failure cannot be read. {problem}"}
        kind, message = (str(held.get(key) or "not stated") for key in ("kind", "message"))
        where = ", ".join(str(held[key]) for key in ("stage", "heading") if held.get(key))
        found.append(FailedRun(slug, kind, where, message, slug in finished))
    return tuple(found)
