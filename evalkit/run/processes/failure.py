"""Why a project has no new report, told in words and kept until it has one; what the machine does, in sentences."""

from __future__ import annotations

import errno
import json
import os
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from evalkit.core.errors import EnvironmentFault, EvalkitError, InputError
from evalkit.data.locks import Busy, write_whole

# What the machine, not the project, does to a run, in sentences.

_SENTENCES: Final = {
    errno.ENOSPC: "The disk is full. Make room, or give another folder with --out, and type the same command again.",
    errno.EDQUOT: "Your quota of disk space is used up. Make room and type the same command again.",
    errno.EFBIG: "A file would be larger than this system allows. Give another folder with --out.",
    errno.EROFS: "The folder can only be read. Give a folder that can be written with --out.",
    errno.EACCES: "Permission was denied. Check who owns the file or folder, or give another one.",
    errno.EPERM: "Permission was denied. Check who owns the file or folder, or give another one.",
    errno.ENOENT: "A file or folder vanished or cannot be made there. Check the path, or give another one.",
    errno.ENOTDIR: "A part of the path is not a folder. Check the path, or give another one.",
    errno.ENAMETOOLONG: "The path is too long for this system. Give a shorter one.",
    errno.ELOOP: "The path goes round in a circle of links. Give another one.",
    errno.EIO: "The disk reported an error. Check the disk, then type the same command again.",
    errno.ENOMEM: "There is not enough memory. Close other programs and type the same command again.",
    errno.EMFILE: "Too many files are open. Close other programs and type the same command again.",
    errno.ENFILE: "Too many files are open. Close other programs and type the same command again.",
}
OUT_OF_MEMORY: Final = (
    "There is not enough memory. Close other programs, or use a machine with more, and type the same command again."
)


def fault(problem: OSError, doing: str) -> EnvironmentFault | None:
    """Return the sentence for an error of the system, or None where it may be a fault of this kit."""
    sentence = _SENTENCES.get(problem.errno or 0)
    if sentence is None:
        return None
    where = f" ({problem.filename})" if problem.filename else ""
    return EnvironmentFault(f"Stopped while {doing}{where}. {sentence}")


@contextmanager
def environment_faults(doing: str) -> Iterator[None]:
    """Turn a full disk, missing memory or permissions inside the block into `EnvironmentFault`."""
    try:
        yield
    except MemoryError:
        raise EnvironmentFault(f"Stopped while {doing}. {OUT_OF_MEMORY}") from None
    except OSError as problem:
        found = fault(problem, doing)
        if found is None:
            raise
        raise found from problem


# Why a project has no new report: told in words, and kept in a record until it has one.

Kind = Literal["bad input", "error", "killed", "time limit", "memory limit", "disk", "busy", "interrupted", "not begun"]
RUNS: Final = "_runs"
"""The folder beside the outputs that holds records of failures and the log; no slug begins with `_`."""
SCHEMA_VERSION: Final = 1
INTERRUPTED: Final = 130
_LONGEST_CALL: Final = 160
_OF_PARAMETERS: Final = {"parameters", "injected-parameters"}
_HEADING: Final = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What stopped a project: in which stage, under which heading of which call, and a message for its user."""

    slug: str
    kind: Kind
    message: str
    exit_code: int
    stage: str = ""
    heading: str = ""
    call: str = ""

    @property
    def where(self) -> str:
        """The stage, heading and call as one phrase, empty where none is known."""
        parts = [self.stage, f"'{self.heading}'" if self.heading else "", self.call]
        return ", ".join(part for part in parts if part)


class TookTooLong(EvalkitError):
    """A cell took longer than a cell may."""


class NotebookPlace:
    """Where a notebook is: the last heading before the cell that runs, and that cell's call."""

    def __init__(self, note: Callable[[str, str], None] | None = None) -> None:
        self.heading = self.call = ""
        self._note = note

    def __call__(self, cell: Mapping[str, Any], cell_index: int) -> None:
        """Take note of a cell that is about to run; headings are cells too."""
        if cell["cell_type"] == "markdown":
            self.heading = [self.heading, *_HEADING.findall(cell["source"])][-1]
        elif cell["cell_type"] == "code" and not _OF_PARAMETERS & set(cell["metadata"].get("tags", [])):
            self.call = shown_call(cell["source"])
            if self._note is not None:
                self._note(self.heading, self.call)

    def marked(self, problem: EvalkitError) -> EvalkitError:
        """Return the error with the place on it."""
        problem.__dict__.update(heading=self.heading, call=self.call)
        return problem


def shown_call(source: str) -> str:
    """Return the code of a cell on one line, without its imports and comments, cut where it is long."""
    lines = [line.strip() for line in source.splitlines()]
    kept = " ".join(line for line in lines if line and not line.startswith(("#", "import ", "from ")))
    return kept if len(kept) <= _LONGEST_CALL else kept[: _LONGEST_CALL - 1] + "…"


def failure_of(problem: BaseException, slug: str, stage: str) -> tuple[Failure, str]:
    """Return what stopped a project, in words without raw values, and the details for a private log.

    An error of the kit is told as it is; of any other only its type, since its text may hold what was in the data.
    """
    try:
        with environment_faults("working"):
            raise problem
    except EvalkitError as known:
        found = Failure(
            slug=slug,
            kind=_kind(known),
            message=str(known),
            exit_code=known.exit_code,
            stage=stage,
            heading=getattr(known, "heading", ""),
            call=getattr(known, "call", ""),
        )
        return found, getattr(known, "log", "")
    except KeyboardInterrupt:
        return interrupted(slug, stage), ""
    except Exception as unknown:
        message = f"This kit met an error that it did not foresee ({type(unknown).__name__})."
        found = Failure(slug=slug, kind="error", message=message, exit_code=1, stage=stage)
        return found, traceback.format_exc()


def interrupted(slug: str, stage: str) -> Failure:
    """Return the failure of a project that somebody stopped; without a stage it had not begun."""
    message = f"Interrupted while {stage}." if stage else "Interrupted before it began."
    kind: Kind = "interrupted" if stage else "not begun"
    return Failure(slug=slug, kind=kind, message=message, exit_code=INTERRUPTED, stage=stage)


def _kind(problem: EvalkitError) -> Kind:
    if isinstance(problem, InputError):
        return "bad input"
    if isinstance(problem, Busy):
        return "busy"
    if isinstance(problem, TookTooLong):
        return "time limit"
    if isinstance(problem, EnvironmentFault):
        return "memory limit" if OUT_OF_MEMORY[:32] in str(problem) else "disk"
    return "error"


def record_path(out: Path, slug: str) -> Path:
    """Return where the record of a project's failure stands."""
    return out / RUNS / f"{slug}.failed.json"


def write_record(out: Path, failure: Failure, run_again: str) -> bool:
    """Write the record of a failure whole; return whether the disk took it."""
    content = {"schema_version": SCHEMA_VERSION, **asdict(failure), "run_again": run_again}
    path = record_path(out, failure.slug)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode("utf-8"))
    except OSError:
        return False
    return True


def remove_record(out: Path, slug: str) -> None:
    """Remove the record of an earlier failure, if there is one."""
    with suppress(OSError):
        record_path(out, slug).unlink(missing_ok=True)


def kept_log(text: str) -> str:
    """Keep details in a private file of the temporary folder and say where; nothing is said of an empty text."""
    import tempfile

    if not text:
        return ""
    try:
        handle, name = tempfile.mkstemp(prefix="evalkit-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError:
        return "The details could not be kept: the temporary folder cannot be written."
    return f"The details are in {name}; please send that file with a report of the error."
