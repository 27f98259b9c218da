"""Reports that stand: those that need not be made again, and those that another run has made in the meantime."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from evalkit.core.errors import EvalkitError
from evalkit.run.outputs import MANIFEST, is_ours
from evalkit.run.paths import is_slug
from evalkit.run.task import Outcome, Task


def unchanged(tasks: Sequence[Task]) -> dict[str, Outcome]:
    """Return those tasks whose report stands, whole, and is that of what would be read now."""
    from evalkit.run.content_key import Hashes, content_key, is_unchanged, shown_data
    from evalkit.run.workspace import synthetic_place

    hashes, found = Hashes(), {}
    for task in (task for task in tasks if task.report.is_file()):
        try:
            data = synthetic_place() if task.data is None else task.data.resolve()
            key = content_key(task.project_file, data, hashes, shown_data(task.data))
        except (OSError, EvalkitError):
            continue  # what is missing is said when the project is run
        if is_unchanged(task.out / task.slug, key, hashes):
            found[task.slug] = Outcome(slug=task.slug, status="unchanged", seconds=0.0, report=task.report)
    return found


def made_meanwhile(task: Task) -> Outcome | None:
    """Return the outcome of a task whose report another process has made since the task was, else None.

    Only where a report has come or was replaced since then is anything read to judge it, so that a task that shall be
    done whatever stands there (`--force`) is done.
    """
    stamp = report_stamp(task.report)
    if not stamp or stamp == task.before:
        return None
    return unchanged([task]).get(task.slug)


def report_stamp(report: Path) -> str:
    """Return what tells a report from the one that takes its place, alike in every byte or not; empty without one."""
    try:
        stat = (report.parent / MANIFEST).stat()
    except OSError:
        return ""
    return f"{stat.st_ino}-{stat.st_mtime_ns}"


def orphans(out: Path, slugs: Collection[str]) -> list[str]:
    """Return the folders of reports in `out` that no project of these slugs would write."""
    if not out.is_dir():
        return []
    names = sorted(path.name for path in out.iterdir() if path.is_dir() and not path.is_symlink())
    return [name for name in names if is_slug(name) and name not in slugs and is_ours(out / name)]
