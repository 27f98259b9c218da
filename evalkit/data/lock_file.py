"""The lock of an analysis plan as a file: its seal, and the one guard before outcomes are read."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from evalkit.core.errors import InputError, PlanNotLocked
from evalkit.core.project import Project

PLAN_LOCK: Final = "plan.lock.json"
"""The file beside a project file that holds its locked plan."""
LOCK_KIND: Final = "evalkit plan lock"
OUTSIDE: Final = ("seal", "timestamp", "tag")
"""Keys that are not sealed: the seal itself, and what was made of it."""


def seal_of(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what is locked, as JSON with sorted keys and without blanks.

    >>> seal_of({"b": 1, "a": 2, "seal": "x"}) == hashlib.sha256(b'{"a":2,"b":1}').hexdigest()
    True
    """
    sealed = {key: value for key, value in content.items() if key not in OUTSIDE}
    text = json.dumps(sealed, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_plan_lock(folder: Path, slug: str) -> dict[str, Any] | None:
    """Return the locked plan of a project, None without one; raise `InputError` where its seal is broken."""
    path = folder / PLAN_LOCK
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        is_lock = content["kind"] == LOCK_KIND and isinstance(content["seal"], str)
        sealed = seal_of(content)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        is_lock, sealed, content = False, "", {}
    if not is_lock:
        raise InputError(f"{_named(path)} is no lock of a plan that evalkit wrote. {_PUT_BACK}")
    if content["seal"] != sealed:
        raise InputError(
            f"{_named(path)} was changed after it was sealed: its content has the SHA-256 {sealed[:12]}…, and the seal "
            f"is {content['seal'][:12]}…. It proves nothing as it is. {_PUT_BACK}"
        )
    if content["project"] != slug:
        raise InputError(
            f"{_named(path)} locks the plan of {content['project']}, not of {slug}. Move it to its own project, and "
            "lock this one."
        )
    locked: dict[str, Any] = content
    return locked


_PUT_BACK: Final = "Put back the file as `evalkit lock` wrote it (from git or a copy)."


def are_outcomes_withheld(project: Project, folder: Path) -> bool:
    """Return whether a project wants its plan locked before outcomes are read, and it is not."""
    return project.plan.required and read_plan_lock(folder, project.slug) is None


def require_lock(project: Project, folder: Path) -> None:
    """Raise `PlanNotLocked` where a project wants its plan locked before outcomes are read, and it is not."""
    if are_outcomes_withheld(project, folder):
        typed = typed_project(folder, project.slug)
        raise PlanNotLocked(
            f"{project.slug}: outcomes are withheld until the plan is locked, as its project file has it (`plan: "
            f"required`). `evalkit plan {typed}` writes the plan, and `evalkit lock {typed}` locks it."
        )


def typed_project(path: Path, slug: str) -> str:
    """Return PROJECT of a command as it can be typed in the current folder, for a project's file or its folder.

    The slug where the nearest workspace at or above the current folder holds the project under it; else the path.
    """
    here, file = Path.cwd(), (path if path.suffix in (".yml", ".yaml") else path / "project.yml").absolute()
    root = next((one for one in (here, *here.parents) if (one / "data" / "projects").is_dir()), None)
    if root is not None and file == root / "data" / "projects" / slug / "project.yml":
        return slug
    return shlex.quote(str(file.relative_to(here) if file.is_relative_to(here) and file.parent != here else file))


def _named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
