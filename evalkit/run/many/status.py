"""`evalkit status`: how each project stands, and why its report is not of what would be read now; nothing is run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from evalkit.core.errors import EvalkitError
from evalkit.core.plain import json_text
from evalkit.core.words import cleaned, counted, listed
from evalkit.data.locks import is_held
from evalkit.run.many.live import first_sentence
from evalkit.run.outputs.content_key import content_key, is_unchanged, project_files, shown_data
from evalkit.run.outputs.folder import MANIFEST, is_ours, lock_of
from evalkit.run.outputs.hashes import Hashes
from evalkit.run.outputs.manifest import versions
from evalkit.run.processes.failure import record_path
from evalkit.run.project.workspace import synthetic_place

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given
    from evalkit.run.many.task import Task

SCHEMA_VERSION: Final = 1
ProjectState = Literal["current", "stale", "failed", "busy", "not run", "refused"]
STATES: Final[Mapping[ProjectState, str]] = {
    "current": "its report is of what would be read now",
    "stale": "its report is of other inputs",
    "failed": "its last run ended without a report",
    "busy": "a run of it is under way",
    "not run": "it has no report yet",
    "refused": "it cannot be run as it is",
}
_MOST_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class ProjectStatus:
    """A project, how it stands and why; `report` is the report that stands, current or not."""

    slug: str
    state: ProjectState
    why: str
    report: Path | None = None


def project_status(task: Task, hashes: Hashes) -> ProjectStatus:
    """Return how a project stands; a report that no run of these very inputs made is stale, whatever else it is."""
    report = task.report if task.report.is_file() else None
    if is_held(lock_of(task.out, task.slug)):
        return ProjectStatus(task.slug, "busy", "", report)
    stale = _why_stale(task, hashes) if report is not None else ""
    if failed := _failure(task):
        return ProjectStatus(task.slug, "failed", failed, report)
    if report is None:
        return ProjectStatus(task.slug, "not run", "", None)
    return ProjectStatus(task.slug, "stale" if stale else "current", stale, report)


def why_run(task: Task, hashes: Hashes) -> str:
    """Return why a run would make the report of a project, an empty text where it would not."""
    if not task.report.is_file():
        return STATES["not run"]
    return _why_stale(task, hashes)


def _failure(task: Task) -> str:
    try:
        held = json.loads(record_path(task.out, task.slug).read_text(encoding="utf-8"))
        where = f" ({held['stage']})" if held.get("stage") else ""
        return f"{held['kind']}{where}: {first_sentence(held['message'])}"
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, RecursionError, AttributeError, KeyError, TypeError):
        return "its record cannot be read"


def _why_stale(task: Task, hashes: Hashes) -> str:
    """Return in what a report differs from one that would be made now, an empty text where in nothing."""
    folder, data = task.out / task.slug, synthetic_place() if task.data is None else task.data.resolve()
    if not is_ours(folder):
        return "its folder holds no manifest of this kit"
    try:
        key = content_key(task.project_file, data, hashes, shown_data(task.data))
    except (OSError, EvalkitError) as problem:
        return f"what it would be made from cannot be read: {first_sentence(str(problem))}"
    if is_unchanged(folder, key, hashes):
        return ""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    reasons = list(_reasons(task.project_file, data, manifest, hashes)) or list(_whole(folder, manifest, hashes))
    return "; ".join(reasons) or "the kit, its notebooks or its packages are others"


def _reasons(project_file: Path, data: Path, manifest: Mapping[str, Any], hashes: Hashes) -> Iterator[str]:
    """Yield which files of the project or of the data are others than those of a report, and which packages."""
    from evalkit.data.published.sources import find_sources  # which loads what tables are read with

    inputs = {str(one.get("path")): str(one.get("sha256")) for one in manifest.get("inputs") or ()}
    own = {name: project_file.parent / name for name in project_files(project_file)}
    published = {path.relative_to(data).as_posix(): path for path in find_sources(data).files()}
    for prefix, what, files in (("project/", "project file", own), ("data/", "published file", published)):
        before = {name.removeprefix(prefix): digest for name, digest in inputs.items() if name.startswith(prefix)}
        yield from _differences(what, before, {name: path for name, path in files.items() if path.exists()}, hashes)
    now = versions()
    others = [
        name for name, version in (manifest.get("versions") or {}).items() if now.get(name) not in (None, version)
    ]
    if others:
        yield f"another version of {listed(others, _MOST_NAMED)}"


def _differences(what: str, before: Mapping[str, str], now: Mapping[str, Path], hashes: Hashes) -> Iterator[str]:
    changed = [name for name in before if name in now and hashes.of(now[name]) != before[name]]
    gone = [name for name in before if name not in now]
    new = [name for name in now if name not in before] if what == "published file" else []
    for names, said in ((changed, "changed"), (gone, "gone"), (new, "new")):
        if names:
            yield f"{said}: {what}{'s' if len(names) > 1 else ''} {listed(names, _MOST_NAMED)}"


def _whole(folder: Path, manifest: Mapping[str, Any], hashes: Hashes) -> Iterator[str]:
    """Yield which files of a report are not those that a run wrote."""
    outputs = manifest.get("outputs") or {}
    spoilt = [name for name, digest in outputs.items() if _digest(folder / name, hashes) != digest]
    if spoilt:
        yield f"changed or gone since the run: {listed(spoilt, _MOST_NAMED)}"


def _digest(path: Path, hashes: Hashes) -> str:
    try:
        return hashes.of(path)
    except OSError:
        return ""


# A workspace: all of its projects, and the reports of none.


@dataclass(frozen=True, slots=True)
class WorkspaceStatus:
    """The folder of reports, how each project stands, and the folders of reports of no project."""

    out: Path
    projects: tuple[ProjectStatus, ...]
    orphans: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Return how many projects stand in each way."""
        return {state: sum(one.state == state for one in self.projects) for state in STATES}


def status_command(given: Given) -> int:
    """Print how every project stands and return the exit code 0."""
    from evalkit.run.processes.failure import environment_faults

    with environment_faults("looking at the reports"):
        found = status(given.out)
    print(status_json(found) if given.json else status_text(found))
    return 0


def status(out: str | None = None) -> WorkspaceStatus:
    """Return how every project of the workspace stands; nothing is run or written."""
    from evalkit.run.many.run_command import batch_of_all

    batch, hashes = batch_of_all(out), Hashes()
    found = {task.slug: project_status(task, hashes) for task in batch.tasks}
    for outcome in batch.refused:
        why = "" if outcome.failure is None else outcome.failure.message
        report = batch.out / outcome.slug / "report.html"
        found[outcome.slug] = ProjectStatus(outcome.slug, "refused", why, report if report.is_file() else None)
    return WorkspaceStatus(batch.out, tuple(found[name] for name in batch.names), batch.orphans)


def status_json(found: WorkspaceStatus) -> str:
    """Return how projects stand as one JSON object."""
    content: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "outputs": str(found.out),
        "projects": [
            {
                "slug": one.slug,
                "state": one.state,
                "why": one.why,
                "report": None if one.report is None else str(one.report),
            }
            for one in found.projects
        ],
        "counts": found.counts,
        "orphans": list(found.orphans),
    }
    return json_text(content)


def status_text(found: WorkspaceStatus) -> str:
    """Return how projects stand as a table that a person reads, and what to type next."""
    rows = [("project", "state", "why"), *((one.slug, one.state, one.why) for one in found.projects)]
    widths = [max(len(row[at]) for row in rows) for at in (0, 1)]
    lines = [f"{slug.ljust(widths[0])}  {state.ljust(widths[1])}  {why}".rstrip() for slug, state, why in rows]
    counts = [f"{n} {state}" for state, n in found.counts.items() if n]
    lines += ["", f"{counted(len(found.projects), 'project')}: {listed(counts, 6)}. Reports: {found.out}"]
    return cleaned("\n".join([*lines, *_next(found)]))


def _next(found: WorkspaceStatus) -> Sequence[str]:
    lines = []
    if any(found.counts[state] for state in ("stale", "failed", "not run")):
        lines.append("`evalkit run --all` makes what is not current; `evalkit run --all --dry-run` says what that is.")
    if found.orphans:
        lines.append(f"Reports of no project here: {listed(found.orphans, 20)}. `evalkit clean` lists what may go.")
    return lines
