"""Which estimates may be pooled with which: every rule, with its reason in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from evalkit.core.quantities import Interval, Unavailable, critical_value
from evalkit.core.words import counted, listed
from evalkit.diagnose.portfolio.project_record import OutcomeRecord, ProjectRecord
from evalkit.estimate.areas.placebo_pool import AreaTable, Entry, PlaceboPool, entries_of, placebo_pool

FEWEST: Final = 3
"""Estimates below which nothing is pooled."""
FEW: Final = 5
"""Estimates below which a pooled result is labelled."""
FEW_LABEL: Final = "few: read with care"
STALE: Final = {
    "changed": "Its project has changed since the report was made. Run it again, or give --include-stale.",
    "renamed": "Its project has another slug now, so another report. Delete this one, or give --include-stale.",
    "gone": "Its project is gone: no file of it is where it was. Delete the report, or give --include-stale.",
}
"""Why a report is left out whose project is not what it was, by the state of its vintage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An estimate that may be pooled, with every area's change as its project measures it."""

    project: ProjectRecord
    record: OutcomeRecord
    table: AreaTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A pooled estimate: what it enters with, given the baseline, and what its own report says, as it is."""

    project: ProjectRecord
    record: OutcomeRecord
    entry: Entry

    @property
    def estimate(self) -> float:
        """Return the estimate given the baseline."""
        return self.entry.estimate

    @property
    def std_error(self) -> float:
        """Return the root mean square of areas of its size without a programme."""
        return self.entry.std_error

    def interval(self, level: float) -> Interval:
        """Return the estimate and the normal quantile of its error about it."""
        reach = critical_value(level) * self.std_error
        return Interval(self.estimate - reach, self.estimate + reach, level)


@dataclass(frozen=True, slots=True)
class ProjectLeftOut:
    """A project's estimate that is not pooled, and why."""

    project: ProjectRecord
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two projects that are not independent: `shared` are comparison areas of both, `crossed` treated areas of the one
    that are compared with in the other."""

    first: ProjectRecord
    second: ProjectRecord
    shared: tuple[int, ...]
    crossed: tuple[int, ...]

    @property
    def share(self) -> float:
        """Return the shared comparison areas as a share of the smaller set."""
        smaller = min(len(self.first.compared), len(self.second.compared))
        return len(self.shared) / smaller if smaller else 0.0


def candidate(project: ProjectRecord, record: OutcomeRecord, include_stale: bool = False) -> Candidate | ProjectLeftOut:
    """Return a project's estimate with the areas that can judge it, or why it is not pooled with others."""
    if project.vintage.state in STALE and not include_stale:
        return ProjectLeftOut(project, STALE[project.vintage.state])
    if isinstance(record.estimate, Unavailable):
        return ProjectLeftOut(project, record.estimate.reason)
    if isinstance(record.table, Unavailable):
        return ProjectLeftOut(project, record.table.reason)
    return Candidate(project=project, record=record, table=record.table)


def without_repeats(members: Sequence[Candidate]) -> tuple[tuple[Candidate, ...], tuple[ProjectLeftOut, ...]]:
    """Return the members whose treated areas and years nobody else has, and the others with whom they clash.

    What happened to an area in a year is in every estimate made from it: two such estimates would count once what
    they share as if it were two. Which of them to keep is for people to say, so none of them is pooled.
    """
    clashes = {
        one.project.slug: [other.project for other in members if _is_repeat(one.project, other.project)]
        for one in members
    }
    kept = tuple(member for member in members if not clashes[member.project.slug])
    left = tuple(
        ProjectLeftOut(member.project, _repeat_reason(member.project, clashes[member.project.slug]))
        for member in members
        if clashes[member.project.slug]
    )
    return kept, left


def _is_repeat(one: ProjectRecord, other: ProjectRecord) -> bool:
    is_same_area = bool(set(one.treated) & set(other.treated))
    return one.slug != other.slug and is_same_area and bool(set(one.post) & set(other.post))


def _repeat_reason(project: ProjectRecord, others: Sequence[ProjectRecord]) -> str:
    named = listed([other.slug for other in others])
    years = sorted({year for other in others for year in set(project.post) & set(other.post)})
    when = f"{'year' if len(years) == 1 else 'years'} ({', '.join(map(str, years))})"
    return (
        f"It evaluates the same area in the same {when} as {named}, so they share what happened there. Decide which of "
        "them counts, and leave out the rest with --without."
    )


def overlaps(projects: Sequence[ProjectRecord]) -> tuple[Overlap, ...]:
    """Return the pairs of projects that share comparison areas or compare with each other's treated area, by share."""
    found = [
        Overlap(first=one, second=other, shared=_common(one, other), crossed=_crossed(one, other))
        for at, one in enumerate(projects)
        for other in projects[at + 1 :]
    ]
    real = [pair for pair in found if pair.shared or pair.crossed]
    return tuple(sorted(real, key=lambda pair: (-pair.share, -len(pair.crossed), pair.first.slug, pair.second.slug)))


def _common(one: ProjectRecord, other: ProjectRecord) -> tuple[int, ...]:
    return tuple(sorted(set(one.compared) & set(other.compared)))


def _crossed(one: ProjectRecord, other: ProjectRecord) -> tuple[int, ...]:
    return tuple(sorted((set(one.treated) & set(other.compared)) | (set(other.treated) & set(one.compared))))


def pooled(
    members: Sequence[Candidate], treated: Collection[int], level: float, name: str
) -> PlaceboPool | Unavailable:
    """Return the pool of the members, judged by areas that are not among the `treated`, or why there is none."""
    if len(members) < FEWEST:
        held = counted(len(members), "estimate") if members else "no estimate"
        return Unavailable(
            f"Not pooled: {held}, and fewer than {FEWEST} say nothing about how much effects differ between projects."
        )
    return placebo_pool([one.table for one in members], treated, level=level, name=name)


def entered(
    members: Sequence[Candidate], treated: Collection[int]
) -> tuple[tuple[Member, ...], tuple[ProjectLeftOut, ...]]:
    """Return what candidates enter with; all are left out where areas without a programme cannot say."""
    entries = entries_of([one.table for one in members], treated) if members else ()
    if isinstance(entries, Unavailable):
        return (), tuple(ProjectLeftOut(one.project, entries.reason) for one in members)
    pairs = zip(members, entries, strict=True)
    return tuple(Member(project=one.project, record=one.record, entry=entry) for one, entry in pairs), ()
