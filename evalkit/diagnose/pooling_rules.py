"""Which estimates may be pooled with which: every rule, with its reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from evalkit.core.quantities import Interval, Quantity, Unavailable
from evalkit.core.words import counted, listed
from evalkit.diagnose.project_record import OutcomeRecord, ProjectRecord
from evalkit.estimate.random_effects import RandomEffects, random_effects

FEWEST: Final = 3
"""Estimates below which nothing is pooled."""
FEW: Final = 5
"""Estimates below which a pooled result is labelled."""
FEW_LABEL: Final = "few: read with care"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An estimate that may be pooled, with its standard error and the interval its own report gives."""

    project: ProjectRecord
    record: OutcomeRecord
    estimate: float
    std_error: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class LeftOut:
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


def in_points(project: ProjectRecord, record: OutcomeRecord) -> Member | LeftOut:
    """Return a project's estimate in points of the measure, or why it cannot be weighed with others."""
    return _member(project, record, record.estimate, record.std_error, record.interval)


def in_sds(project: ProjectRecord, record: OutcomeRecord) -> Member | LeftOut:
    """Return a project's estimate as Hedges' g, or why it cannot be weighed with others."""
    error: Quantity = record.std_error
    if isinstance(record.sd_used, Unavailable):
        error = record.sd_used
    elif isinstance(record.std_error, float):
        error = record.std_error / record.sd_used
    return _member(project, record, record.hedges_g, error, record.hedges_g_interval)


def _member(
    project: ProjectRecord, record: OutcomeRecord, estimate: Quantity, error: Quantity, interval: Interval | Unavailable
) -> Member | LeftOut:
    for needed in (estimate, error, interval):
        if isinstance(needed, Unavailable):
            return LeftOut(project, needed.reason)
    if not isinstance(error, float) or error <= 0:
        return LeftOut(project, "Its standard error is zero: the areas without the programme all moved alike.")
    assert isinstance(estimate, float)
    assert isinstance(interval, Interval)
    return Member(project=project, record=record, estimate=estimate, std_error=error, interval=interval)


def without_repeats(members: Sequence[Member]) -> tuple[tuple[Member, ...], tuple[LeftOut, ...]]:
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
        LeftOut(member.project, _repeat_reason(member.project, clashes[member.project.slug]))
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


def pooled(members: Sequence[Member], level: float) -> RandomEffects | Unavailable:
    """Return the random-effects mean of the members, or why there is none."""
    if len(members) < FEWEST:
        held = counted(len(members), "estimate") if members else "no estimate"
        return Unavailable(
            f"Not pooled: {held}, and fewer than {FEWEST} say nothing about how much effects differ between projects."
        )
    return random_effects([one.estimate for one in members], [one.std_error for one in members], level)
