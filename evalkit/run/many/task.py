"""One project to be run, what became of it, and a part of the projects for each of several machines."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, Self, TypeVar

from evalkit.core.errors import InputError
from evalkit.run.processes.failure import Failure

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`-th of `of` parts, counted from 1."""

    number: int = 1
    of: int = 1

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Return the part that a text such as `2/5` names; raise `InputError` for another text."""
        match = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", text)
        if match is None:
            raise InputError(f"'{text}' is no part of the projects. Write which part of how many, such as 2/5.")
        number, of = int(match[1]), int(match[2])
        if of == 0 or not 1 <= number <= of:
            many = f"Parts are counted from 1 to {of}" if of else "There must be at least one part"
            raise InputError(f"There is no part {text.strip()}. {many}: write 1/4 for the first of four.")
        return cls(number, of)

    def take(self, things: Sequence[T]) -> list[T]:
        """Return every `of`-th thing, from the `number`-th on; the parts together hold each thing once."""
        return list(things[self.number - 1 :: self.of])


# One project to be run, and what became of it.

Status = Literal["done", "unchanged", "failed", "busy", "interrupted", "not begun"]
_NOT_FAILED: Final = ("busy", "interrupted", "not begun")
"""Kinds of failure that are no failing of the project: it was not tried, or not to its end."""
WALL_MINUTES: Final = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one project may take, and how many megabytes its processes may hold together (None: any number)."""

    wall_seconds: float = 60 * WALL_MINUTES
    memory_mb: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A project file, the folder of published files (None: the synthetic England), where to write, and limits.

    `before` is the stamp of the report that stood there when the task was made (`report_stamp`).
    """

    slug: str
    project_file: Path
    data: Path | None
    out: Path
    limits: Limits = Limits()
    before: str = ""

    def to_json(self) -> str:
        """Return the task as one line of text."""
        paths = {"project_file": str(self.project_file), "out": str(self.out)}
        return json.dumps({**asdict(self), **paths, "data": None if self.data is None else str(self.data)})

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Return the task that `to_json` wrote."""
        content = json.loads(text)
        data = content["data"]
        return cls(
            slug=content["slug"],
            project_file=Path(content["project_file"]),
            data=None if data is None else Path(data),
            out=Path(content["out"]),
            limits=Limits(**content["limits"]),
            before=content["before"],
        )

    @property
    def report(self) -> Path:
        """Where the report will stand."""
        return self.out / self.slug / "report.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What became of a project: its report, or why there is none; `log` holds details for a private file."""

    slug: str
    status: Status
    seconds: float
    report: Path | None = None
    failure: Failure | None = None
    peak_mb: float = 0.0
    log: str = ""

    @classmethod
    def without_report(
        cls, failure: Failure, log: str = "", *, seconds: float = 0.0, peak_mb: float = 0.0
    ) -> RunResult:
        """Return what became of a project that has no new report."""
        status: Status = failure.kind if failure.kind in _NOT_FAILED else "failed"
        return cls(slug=failure.slug, status=status, seconds=seconds, failure=failure, peak_mb=peak_mb, log=log)

    @property
    def exit_code(self) -> int:
        """0 where there is a report, otherwise the code of the failure."""
        return 0 if self.failure is None else self.failure.exit_code
