"""A locked analysis plan: when it was sealed and how, and what was done otherwise since."""

from __future__ import annotations

from dataclasses import dataclass

NO_REASON = "No reason given."
DIFFERS = "What differs from the locked plan"
"""The caption of the table of deviations in the summary; the one page that is printed of it leaves the table out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStamp:
    """What a time-stamping service answered: its time (UTC), its address, and its policy."""

    time: str
    service: str
    policy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierLock:
    """A lock that was amended: its seal, its time, and why the next one took its place."""

    seal: str
    locked: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLock:
    """A standing lock of an analysis plan, its seal checked.

    Attributes
    ----------
    locked : when, in UTC, by the clock of the machine that locked it
    seal : SHA-256 of everything that is locked
    earlier : the locks it took the place of, the first one first
    timestamp : what a service says of the time; None where none was asked
    tag : the git tag whose message holds the seal; empty where none was made
    at_hand : years after the programme began whose results were already in the folder of data when it was locked
    reports : days (with the seal's project) on which reports had been made of outcomes before it was locked
    """

    locked: str
    seal: str
    earlier: tuple[EarlierLock, ...] = ()
    timestamp: TimeStamp | None = None
    tag: str = ""
    at_hand: tuple[int, ...] = ()
    reports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One field that differs from the locked plan: what was planned, what was used, and the reason given."""

    block: str
    field: str
    planned: str
    used: str
    reason: str = NO_REASON


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanKept:
    """Whether a plan was locked, and every deviation from it.

    Attributes
    ----------
    lock : the lock that stands; None where the plan was not locked
    deviations : what differs, field by field
    came_later : files read that were not there when the plan was locked, which is no deviation
    idle : fields for which the project file gives a reason though they are as planned
    """

    lock: PlanLock | None = None
    deviations: tuple[Deviation, ...] = ()
    came_later: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
