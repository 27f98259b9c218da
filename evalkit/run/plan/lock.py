"""`evalkit lock`: the plan of a project, sealed beside its file before outcomes are read."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.errors import InputError
from evalkit.core.manifest import Vintage
from evalkit.core.plan_lock import PlanLock
from evalkit.data.lock_file import LOCK_KIND, PLAN_LOCK, read_plan_lock, seal_of, typed_project
from evalkit.data.locks import write_whole
from evalkit.run.console import Progress
from evalkit.run.outputs.content_key import known_vintage
from evalkit.run.outputs.folder import MANIFEST, MANIFEST_KIND
from evalkit.run.outputs.hashes import Hashes
from evalkit.run.plan.frozen import frozen
from evalkit.run.plan.kept import lock_of
from evalkit.run.plan.timestamp import UNCHECKED, asked_stamp
from evalkit.run.plan.writing import PAGE, PLAN_FOLDER, MadePlan, made_plan, write_plan
from evalkit.run.processes.failure import environment_faults

if TYPE_CHECKING:
    from evalkit.core.project import Project
    from evalkit.data.published.sources import Sources
    from evalkit.run.commands.options import Given

SCHEMA_VERSION: Final = 1
STAMP: Final = "plan.lock.tsr"
"""The answer of a time-stamping service, as `openssl ts` reads it."""
MACHINE_DATE: Final = (
    "The date is that of this machine's clock, which anyone can set: --timestamp URL has a service vouch for it, and "
    "--tag a git repository."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRequest:
    """What is to be locked: the project, its data (None: the synthetic England), and what shall vouch for the date."""

    project_file: Path
    data: Path | None
    outputs: Path
    timestamp: str = ""
    is_tagged: bool = False
    amend: str = ""


def lock_command(given: Given) -> int:
    """Lock the plan of a project, say when and by which seal, and return the exit code 0."""
    from evalkit.run.processes.executors import compute_on_one_thread
    from evalkit.run.project.chosen_data import chosen_here
    from evalkit.run.project.workspace import project_file, writable_root

    compute_on_one_thread()
    path = project_file(given.project)
    request = LockRequest(
        project_file=path,
        data=chosen_here(given, path),
        outputs=writable_root() / "outputs",
        timestamp=given.timestamp or "",
        is_tagged=given.tag,
        amend=(given.amend or "").strip(),
    )
    progress = Progress()
    with environment_faults("locking the plan"):
        lock = lock_plan(request, progress)
    print(f"{path.parent / PLAN_LOCK}\nLocked on {_moment(lock.locked)}, seal {lock.seal}.")
    for line in _told(lock):
        print(line)
    return 0


def lock_plan(request: LockRequest, progress: Progress) -> PlanLock:
    """Write `plan.lock.json` beside a project file and return the lock.

    Raises
    ------
    InputError
        If a lock stands and no reason is given for amending it, none stands and one is, the page of the plan is not
        that of the project as it is now, or what shall vouch for the date cannot.
    """
    from evalkit.run.project.project_file import load_project

    project, folder = load_project(request.project_file), request.project_file.parent
    before = read_plan_lock(folder, project.slug)
    _require_amendment(before, request, project)
    if request.is_tagged:
        _require_repository(folder)
    with progress.step(f"{project.slug}: making the plan, from the years before alone"):
        made = made_plan(request.project_file, request.data)
    _require_written(made, request.project_file, before)
    with progress.step(f"{project.slug}: hashing what is locked"):
        content = _content(made, request, before)
    seal = seal_of(content)
    marks: dict[str, Any] = {}
    if request.timestamp:
        with progress.step(f"{project.slug}: asking {request.timestamp} for a time stamp"):
            answer, _ = asked_stamp(seal, request.timestamp)
        marks["timestamp"] = {"service": request.timestamp, "answer": answer.hex()}
    if request.is_tagged:
        marks["tag"] = _tagged(folder, project, seal)
    locked = {**content, "seal": seal, **marks}
    if request.timestamp:
        write_whole(folder / STAMP, answer)
    write_whole(folder / PLAN_LOCK, (json.dumps(locked, indent=1, ensure_ascii=False) + "\n").encode())
    return lock_of(locked)


def _require_amendment(before: Mapping[str, Any] | None, request: LockRequest, project: Project) -> None:
    if before is not None and not request.amend:
        raise InputError(
            f"The plan of {project.slug} was locked on {_moment(before['locked'])}. A lock that is made again "
            'proves nothing; `--amend "why"` takes its place and keeps its seal and the reason.'
        )
    if before is None and request.amend:
        raise InputError(f"No plan of {project.slug} is locked, so none can be amended. Leave --amend out.")


def _require_written(made: MadePlan, project_file: Path, before: Mapping[str, Any] | None) -> None:
    """Write the plan where it is not yet; raise `InputError` where its page is that of another state of the project.

    Where a lock is amended, the plan that it locked is kept beside the new one.
    """
    folder = project_file.parent
    home = folder / PLAN_FOLDER
    page = home / PAGE
    if page.is_file() and page.read_bytes() != made.files[PAGE]:
        if before is None:
            typed = typed_project(project_file, made.project.slug)
            raise InputError(
                f"{PLAN_FOLDER}/{PAGE} is not the plan of the project as it is now: its file, data or code changed "
                f"since. `evalkit plan {typed}` writes it anew; read it, and lock it then."
            )
        home.rename(folder / f"{PLAN_FOLDER}-{before['seal'][:12]}")
    write_plan(made, home, is_kept=True)


def _content(made: MadePlan, request: LockRequest, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return everything that is sealed."""
    folder = request.project_file.parent
    return {
        "kind": LOCK_KIND,
        "schema_version": SCHEMA_VERSION,
        "project": made.project.slug,
        "locked": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        **frozen(made.project, request.project_file, made.sources, made.design),
        "plan": {f"{PLAN_FOLDER}/{name}": Hashes().of(folder / PLAN_FOLDER / name) for name in made.files},
        "outcomes_at_hand": _at_hand(made.project, made.sources, made.design.data_kind),
        "reports_before": _reports_before(made.project, request.outputs, made.design.data_kind),
        "amends": [*before["amends"], _amended(before, request.amend)] if before else [],
    }


def _amended(before: Mapping[str, Any], reason: str) -> dict[str, Any]:
    held = {key: before[key] for key in ("seal", "locked", "timestamp", "tag") if key in before}
    return {**held, "reason": reason}


def _at_hand(project: Project, sources: Sources, data_kind: str) -> list[int]:
    """Return the years after the programme began whose results the folder of data held already, as far as files say."""
    from evalkit.data.published.project_data import own_tables_of, published_years

    named = {year for one in project.analyses for year in project.exposure_of(one).years}
    before = {year for one in project.analyses for year in project.exposure_of(one).pre}
    at_hand = set(named) if own_tables_of(project) else published_years(project, sources)
    return sorted(year for year in at_hand if year in named - before)


def _reports_before(project: Project, outputs: Path, data_kind: str) -> list[str]:
    """Return the day of the finished report among the outputs that read outcomes of this kind of data, if there is one.

    A report of made-up schools tells nothing of real ones.
    """
    folder = outputs / project.slug
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["kind"] == MANIFEST_KIND and manifest["data_kind"] == data_kind:
            return [known_vintage(Vintage(), manifest, folder).made]
    return []


# What vouches for the date in a git repository.


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False, timeout=60,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        raise InputError("git could not be run, so no tag can be made. Leave --tag out, or install git.") from None


def _require_repository(folder: Path) -> None:
    if _git(folder, "rev-parse", "--verify", "HEAD").returncode:
        raise InputError(
            f"{folder} is in no git repository with a commit, so that there is nothing to tag. Commit it, or leave "
            "--tag out."
        )


def _tagged(folder: Path, project: Project, seal: str) -> str:
    """Make an annotated tag whose message holds the seal, and return its name."""
    name = f"plan-{project.slug}-{seal[:12]}"
    done = _git(folder, "tag", "-a", name, "-m", f"Plan of {project.slug} locked.\n\nSeal: {seal}")
    if done.returncode:
        why = re.sub(r"\s+", " ", done.stderr).strip()
        raise InputError(f"git made no tag ({why}). Nothing was locked.")
    return name


# What is told of a lock.


def _moment(moment: str) -> str:
    """Return a moment as the report gives it."""
    from evalkit.report.words.plan_kept import moment_text

    return moment_text(moment)


def _told(lock: PlanLock) -> list[str]:
    """Return what else the command says of a lock, line by line."""
    stamp = lock.timestamp
    lines = [f"{stamp.service} stamped it on {_moment(stamp.time)}. {UNCHECKED}"] if stamp else []
    lines += [f"The tag {lock.tag} holds the seal; push it, so that others hold it too."] if lock.tag else []
    lines += [] if stamp or lock.tag else [MACHINE_DATE]
    if lock.reports:
        lines.append(f"Outcomes were read before: a report of {', '.join(lock.reports)} stands among the outputs.")
    if lock.earlier:
        lines.append(f"It amends the lock of {_moment(lock.earlier[-1].locked)}: {lock.earlier[-1].reason}")
    return lines
