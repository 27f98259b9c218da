"""What became of several projects, as a table that a person reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Final

from evalkit.core.safe_text import cleaned
from evalkit.core.words import counted, listed
from evalkit.run.failure import RUNS, Failure
from evalkit.run.task import Outcome

_HEAD: Final = ("project", "status", "time", "report, or why there is none")
_LONGEST: Final = 120


def summary(outcomes: Sequence[Outcome], seconds: float, out: Path, orphans: Sequence[str] = ()) -> str:
    """Return a line for each project, one that counts them, and one that names reports without a project."""
    rows = [_HEAD, *(_row(outcome) for outcome in outcomes)]
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
    lines = ["  ".join((a.ljust(widths[0]), b.ljust(widths[1]), c.rjust(widths[2]), d)) for a, b, c, d in rows]
    return cleaned("\n".join([*lines, "", *_counts(outcomes, seconds, out), *_orphans(orphans, out)]))


def duration(seconds: float) -> str:
    """Return a length of time: `12 s`, `3 min 05 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def first_sentence(text: str) -> str:
    """Return the first sentence of a text, cut where it is long."""
    first = re.split(r"(?<=[.!?])\s|\n", text.strip(), maxsplit=1)[0].rstrip(":")
    return first if len(first) <= _LONGEST else first[: _LONGEST - 1] + "…"


def status_word(outcome: Outcome) -> str:
    """Return what became of a project in a word or two."""
    return f"failed: {outcome.failure.kind}" if outcome.failure and outcome.status == "failed" else outcome.status


def _row(outcome: Outcome) -> tuple[str, str, str, str]:
    last = str(outcome.report) if outcome.failure is None else _why(outcome.failure)
    time = duration(outcome.seconds) if outcome.seconds else ""
    return outcome.slug, status_word(outcome), time, last


def _why(failure: Failure) -> str:
    return first_sentence(failure.message)


def _counts(outcomes: Sequence[Outcome], seconds: float, out: Path) -> Iterator[str]:
    words = [status_word(outcome).partition(":")[0] for outcome in outcomes]
    kinds = [f"{words.count(word)} {word}" for word in dict.fromkeys(words)]
    yield f"{counted(len(outcomes), 'project')} in {duration(seconds)}: {listed(kinds)}."
    if any(outcome.failure and outcome.failure.stage and outcome.status == "failed" for outcome in outcomes):
        yield f"Records of failures: {out / RUNS}"


def _orphans(orphans: Sequence[str], out: Path) -> Iterator[str]:
    if orphans:
        what, them = ("is a report", "it") if len(orphans) == 1 else ("are reports", "them")
        yield (
            f"In {out} there {what} of no project here: {listed(orphans, 20)}. A project that was given another slug "
            f"leaves its old report. Nothing was removed: where you do not need {them}, move {them} away."
        )
