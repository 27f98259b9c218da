"""`evalkit clean`: what no project needs any more is listed, asked about and removed; no project's report ever is."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evalkit.core.words import cleaned, counted
from evalkit.data.locks import Busy, is_held, only_one
from evalkit.run.many.live import LOG
from evalkit.run.outputs.content_key import project_of
from evalkit.run.outputs.folder import clear_away, is_ours, lock_of
from evalkit.run.processes.failure import RUNS
from evalkit.run.processes.temporary import left_behind
from evalkit.run.project.workspace import is_slug, writable_root

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given
    from evalkit.run.many.run_command import Batch

MOST_LOG_BYTES: Final = 5_000_000
ASIDE: Final = "log.1.jsonl"
_LEFT: Final = re.compile(r"\.(?P<slug>[a-z0-9-]+)\.\d+\.(staging|previous)")
_RECORD: Final = re.compile(r"(?P<slug>[a-z0-9-]+)\.(failed|data|project)\.json")
_RUN: Final = re.compile(r"[0-9TZ]+-[0-9a-f]+\.run\.json")
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Waste:
    """Something that may be removed: where it is, what it is, and how it goes."""

    path: Path
    what: str
    remove: Callable[[], None]


def clean_command(given: Given) -> int:
    """List what may be removed, remove it where that is wished, and return the exit code 0."""
    from evalkit.run.many.run_command import batch_of_all
    from evalkit.run.processes.failure import environment_faults

    with environment_faults("cleaning"):
        found = list(waste(batch_of_all(given.out), given.days))
        if not found:
            print("There is nothing to remove.")
            return 0
        print(cleaned("\n".join(f"{one.path}: {one.what}" for one in found)), flush=True)
        if not (given.yes or _is_wished(len(found))):
            print("Nothing was removed. `evalkit clean --yes` removes what is listed.", file=sys.stderr)
            return 0
        removed = [one for one in found if _removed(one)]
    print(f"{counted(len(removed), 'thing')} removed.", flush=True)
    return 0


def waste(batch: Batch, days: float) -> Iterator[Waste]:
    """Yield what may be removed beside the reports of all projects, and in the temporary place.

    Records are of runs older than some days, or of projects that are gone. A report goes only where its project is
    gone: it is not among those of the workspace, and not where its last run found it.
    """
    out = batch.out.resolve()
    projects = {task.slug for task in batch.tasks} | {outcome.slug for outcome in batch.refused}
    orphans = [slug for slug in batch.orphans if _is_gone(out, slug)]
    for slug in orphans:
        yield Waste(out / slug, "the report of no project", partial(_remove_report, out, slug))
    yield from _left_by_killed(out)
    yield from _old_records(out, projects, set(orphans), time.time() - days * _DAY)
    yield from (Waste(path, "left by a killed run", partial(shutil.rmtree, path)) for path in left_behind())


def _is_gone(out: Path, slug: str) -> bool:
    """Return whether the project of a report is known to be gone; where nothing says, it is among the workspace's."""
    known = project_of(out, slug)
    if known is not None:
        return not known.exists() and known.parent.parent.is_dir()
    return out == (writable_root() / "outputs").resolve()


def _remove_report(out: Path, slug: str) -> None:
    """Remove a report as a whole, unless a run of its project is under way."""
    with only_one(lock_of(out, slug), ""):
        if is_ours(out / slug):
            aside = out / f".{slug}.{os.getpid()}.removed"
            (out / slug).rename(aside)
            shutil.rmtree(aside, ignore_errors=True)


def _left_by_killed(out: Path) -> Iterator[Waste]:
    if not out.is_dir():
        return
    for path in sorted(out.iterdir()):
        found = _LEFT.fullmatch(path.name)
        if found and is_slug(found["slug"]) and not path.is_symlink() and not is_held(lock_of(out, found["slug"])):
            slug = found["slug"]
            yield Waste(path, "left by a killed run", partial(clear_away, out, slug))


def _old_records(out: Path, projects: set[str], orphans: set[str], before: float) -> Iterator[Waste]:
    runs = out / RUNS
    for path in sorted(runs.iterdir()) if runs.is_dir() else ():
        found = _RECORD.fullmatch(path.name)
        is_old = path.stat().st_mtime < before
        if found:
            slug = found["slug"]
            is_gone = slug not in projects and (slug in orphans or not (out / slug).exists())
            if is_gone or (is_old and path.name.endswith(".failed.json")):
                yield Waste(path, "a record of no project" if is_gone else "an old record of a failure", path.unlink)
        elif is_old and _RUN.fullmatch(path.name):
            yield Waste(path, "an old record of a run", path.unlink)
        elif path.name == LOG and path.stat().st_size > MOST_LOG_BYTES:
            yield Waste(path, f"a long log, put aside as {ASIDE}", partial(_put_aside, path))


def _put_aside(log: Path) -> None:
    log.replace(log.with_name(ASIDE))


def _is_wished(n: int) -> bool:
    """Ask whether what is listed shall go; where nobody can be asked it shall not."""
    if not sys.stdin.isatty():
        return False
    print(f"Remove {'it' if n == 1 else f'these {n}'}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _removed(one: Waste) -> bool:
    """Remove one thing and return whether that was done; one that a run holds or that may not be removed stays."""
    with suppress(Busy, FileNotFoundError):
        try:
            one.remove()
            return True
        except PermissionError:
            print(cleaned(f"{one.path} may not be removed. Check who owns it."), file=sys.stderr)
    return False
