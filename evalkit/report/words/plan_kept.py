"""Whether the plan was locked, when, and what was done otherwise: the same in summary, annex and on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from evalkit.core.formats import as_sentence, years_text
from evalkit.core.manifest import Provenance
from evalkit.core.plan_lock import DIFFERS, NO_REASON, PlanKept, PlanLock
from evalkit.core.words import counted, listed
from evalkit.diagnose.evaluation import Evaluation
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Part, Parts, Prose
from evalkit.report.border.table import Column, Table

NOT_LOCKED = "The plan of this evaluation was not locked before outcomes were read."
_MOST_NAMED = 6
_MOST_ON_SUMMARY = 8


def moment_text(moment: str) -> str:
    """Return a moment in UTC as prose gives it.

    >>> moment_text("2026-11-30T20:45:01Z")
    '30 November 2026, 20:45 UTC'
    """
    read = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return f"{read.day} {read:%B %Y}, {read:%H:%M} UTC"


def lock_sentence(kept: PlanKept) -> str:
    """Return whether the plan was locked, when, how many fields differ from it, and what was seen before."""
    if kept.lock is None:
        return NOT_LOCKED
    return " ".join((_kept_to(kept, kept.lock), *_seen_before(kept.lock)))


def _kept_to(kept: PlanKept, lock: PlanLock) -> str:
    when = f"The plan was locked on {_date_of(lock)}"
    n, unexplained = len(kept.deviations), sum(one.reason == NO_REASON for one in kept.deviations)
    if not n:
        return f"{when}; nothing was done otherwise."
    of_them = f", {unexplained} of them without a reason" if unexplained else ""
    return f"{when}; {counted(n, 'field')} {'differs' if n == 1 else 'differ'} from it{of_them}."


def _seen_before(lock: PlanLock) -> Iterator[str]:
    """Yield what speaks against the lock having come before anyone saw results."""
    if lock.reports:
        yield f"Outcomes were read before: a report of them was made on {listed(list(lock.reports), _MOST_NAMED)}."
    elif lock.at_hand:
        yield f"Results of {years_text(lock.at_hand)} were at hand by then."


def _date_of(lock: PlanLock) -> str:
    """Return the date of a lock, with who vouches for it."""
    if lock.timestamp is not None:
        return (
            f"{moment_text(lock.timestamp.time)} (as {lock.timestamp.service} stamped it; its signature is not checked)"
        )
    return f"{moment_text(lock.locked)} (by the clock of the machine that locked it)"


def plan_kept(evaluation: Evaluation) -> Parts:
    """Return on the page of the summary whether the plan was locked and kept, with each field that differs."""
    kept = evaluation.kept
    shown = deviations_table(kept, evaluation.project.disclosure.threshold, _MOST_ON_SUMMARY)
    return Parts((Prose((lock_sentence(kept),)), *([shown] if kept.deviations else [])))


def lock_shown(provenance: Provenance) -> Parts:
    """Return everything that is known of the lock: its seal, who vouches for its date, and each field that differs."""
    kept = provenance.kept
    if kept.lock is None:
        return Parts((Prose((NOT_LOCKED,)),))
    table: tuple[Part, ...] = (deviations_table(kept, provenance.threshold),) if kept.deviations else ()
    return Parts(
        (Prose((lock_sentence(kept), *_of_lock(kept.lock)), "list"), *table, Prose(tuple(_beside(kept)), "list"))
    )


def _of_lock(lock: PlanLock) -> Iterator[str]:
    yield f"Seal (SHA-256 of all that is locked): {lock.seal}."
    if lock.tag:
        yield f"A git tag was made with the seal: {lock.tag}."
    if lock.at_hand:
        yield (
            f"Results of {years_text(lock.at_hand)} were in the folder of data already when it was locked. Nothing "
            "here shows that nobody had looked at them."
        )
    if lock.reports:
        days = listed(list(lock.reports), _MOST_NAMED)
        yield f"Outcomes were read before it was locked: a report of them was made on {days}."
    for one in lock.earlier:
        yield f"It amends a lock of {moment_text(one.locked)} (seal {one.seal}): {as_sentence(one.reason)}"


def _beside(kept: PlanKept) -> Iterator[str]:
    yield (
        "Compared were every key of the project file, pool and sample, code, versions and the SHA-256 of every file "
        "that the lock knows."
    )
    if kept.came_later:
        yield (
            f"{counted(len(kept.came_later), 'file')} came after the lock, which is no deviation: "
            f"{listed(list(kept.came_later), _MOST_NAMED)}."
        )
    if kept.idle:
        yield f"Reasons are given for what is as planned: {listed(list(kept.idle), _MOST_NAMED)}."


def deviations_table(kept: PlanKept, threshold: int, most: int | None = None) -> ReleasedTable:
    """Return each field that differs from the locked plan, or the first ones: planned, used, and the reason given."""
    columns = (
        Column("block", "Of"),
        Column("field", "Field"),
        Column("planned", "Planned"),
        Column("used", "Used"),
        Column("reason", "Reason given"),
    )
    rows = tuple((one.block, one.field, one.planned, one.used, as_sentence(one.reason)) for one in kept.deviations)
    left = len(rows) - len(rows[:most])
    notes = (
        (f"{counted(left, 'more field')} {'differs' if left == 1 else 'differ'}: the annex has all.",) if left else ()
    )
    caption = DIFFERS if most else "Every field that differs from the locked plan"
    return release(Table(caption=caption, columns=columns, rows=rows[:most], notes=notes), threshold)
