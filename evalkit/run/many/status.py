"""`evalkit status`: how every project of a workspace stands, and which reports are of none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.words import cleaned, counted, escaped, listed
from evalkit.run.many.project_status import STATES, ProjectStatus

if TYPE_CHECKING:
    from evalkit.run.commands.reading import Given

SCHEMA_VERSION: Final = 1


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
    from evalkit.run.many.project_status import project_status
    from evalkit.run.many.run_command import batch_of_all
    from evalkit.run.outputs.content_key import Hashes

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
    return escaped(json.dumps(content, indent=2, ensure_ascii=False))


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
