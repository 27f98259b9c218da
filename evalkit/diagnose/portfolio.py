"""All projects of a workspace side by side, and pooled where that may be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from evalkit.core.manifest import DataKind
from evalkit.core.quantities import Unavailable
from evalkit.data.measures import MEASURES
from evalkit.diagnose.pooling_rules import (
    FEW,
    LeftOut,
    Member,
    Overlap,
    in_points,
    in_sds,
    overlaps,
    pooled,
    without_repeats,
)
from evalkit.diagnose.project_record import Comparison, FailedRun, OutcomeRecord, ProjectRecord, UnreadFolder
from evalkit.estimate.random_effects import RandomEffects

Scale = Literal["points", "sds"]
LEVEL: Final = 0.95
SPLITS: Final[dict[str, Callable[[Member], str]]] = {
    "phase": lambda member: member.record.phase,
    "theme": lambda member: member.project.theme or "not stated",
    "region": lambda member: member.project.region,
}
"""What pooled results are given by, in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupKey:
    """What estimates must have in common to be pooled.

    `what` is the measure's code where `scale` is points, and the kind of standard deviation where it is SDs.
    """

    data_kind: DataKind
    scale: Scale
    what: str
    is_aimed_at: bool
    comparison: Comparison


Row = tuple[ProjectRecord, OutcomeRecord]
Held = dict[GroupKey, list[Row]]


@dataclass(frozen=True, slots=True)
class Part:
    """The pooled result of the members of a group that share a phase, a theme or a region, or why there is none."""

    split: str
    value: str
    n: int
    pooled: RandomEffects | Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Estimates of one kind: those pooled, those left out with reasons, the result, and who is not independent."""

    key: GroupKey
    members: tuple[Member, ...]
    left_out: tuple[LeftOut, ...]
    pooled: RandomEffects | Unavailable
    parts: tuple[Part, ...]
    overlaps: tuple[Overlap, ...]

    @property
    def is_few(self) -> bool:
        """Return whether a result is given but rests on so few estimates that it is labelled."""
        return isinstance(self.pooled, RandomEffects) and self.pooled.n < FEW

    @property
    def n_pairs(self) -> int:
        """Return the number of pairs of members."""
        return len(self.members) * (len(self.members) - 1) // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """Every project of a workspace, the groups that could be pooled, failed runs, and folders that were not read."""

    projects: tuple[ProjectRecord, ...]
    groups: tuple[Group, ...]
    overlaps: tuple[Overlap, ...]
    failed: tuple[FailedRun, ...]
    unread: tuple[UnreadFolder, ...]
    level: float

    @property
    def threshold(self) -> int:
        """Return the strictest disclosure threshold of the projects."""
        return max((project.threshold for project in self.projects), default=6)

    def of_kind(self, kind: DataKind) -> tuple[ProjectRecord, ...]:
        """Return the projects on real or on synthetic data."""
        return tuple(project for project in self.projects if project.data_kind == kind)


def make_portfolio(
    projects: Sequence[ProjectRecord],
    failed: Sequence[FailedRun] = (),
    unread: Sequence[UnreadFolder] = (),
    level: float = LEVEL,
) -> Portfolio:
    """Return the portfolio of some projects; their order does not matter.

    Pooled are estimates of one measure in points, and primary outcomes over several measures in Hedges' g, each from
    one kind of data, comparison and role. A contrast of two outcomes, and an outcome without its own record, is never
    pooled.
    """
    ordered = tuple(sorted(projects, key=lambda project: project.slug))
    held = {**_in_points(ordered), **_in_sds(ordered)}
    return Portfolio(
        projects=ordered,
        groups=tuple(sorted((_group(key, rows, level) for key, rows in held.items()), key=_order)),
        overlaps=tuple(
            pair for kind in ("real", "synthetic") for pair in overlaps([p for p in ordered if p.data_kind == kind])
        ),
        failed=tuple(failed),
        unread=tuple(unread),
        level=level,
    )


def _in_points(projects: Sequence[ProjectRecord]) -> Held:
    """Return every outcome of every project by what it must share with others."""
    held: Held = {}
    for project in projects:
        for record in project.outcomes:
            held.setdefault(_key(project, record, "points", record.outcome), []).append((project, record))
    return held


def _in_sds(projects: Sequence[ProjectRecord]) -> Held:
    """Return primary outcomes by their kind of SD, where they are of several measures: of one, points say it all."""
    held: Held = {}
    for project in projects:
        if project.main.sd_kind not in ("", "none"):
            key = _key(project, project.main, "sds", project.main.sd_kind)
            held.setdefault(key, []).append((project, project.main))
    return {key: rows for key, rows in held.items() if len({record.outcome for _, record in rows}) > 1}


def _key(project: ProjectRecord, record: OutcomeRecord, scale: Scale, what: str) -> GroupKey:
    return GroupKey(
        data_kind=project.data_kind,
        scale=scale,
        what=what,
        is_aimed_at=record.is_aimed_at,
        comparison=record.comparison,
    )


def _group(key: GroupKey, held: Sequence[Row], level: float) -> Group:
    weigh = in_points if key.scale == "points" else in_sds
    found = [weigh(project, record) for project, record in held]
    members, repeats = without_repeats([one for one in found if isinstance(one, Member)])
    return Group(
        key=key,
        members=members,
        left_out=(*(one for one in found if isinstance(one, LeftOut)), *repeats),
        pooled=pooled(members, level),
        parts=tuple(part for split in SPLITS for part in _parts(split, members, level)),
        overlaps=overlaps([member.project for member in members]),
    )


def _parts(split: str, members: Sequence[Member], level: float) -> tuple[Part, ...]:
    """Return the pooled result for each value of a split; none where all members share it."""
    values = sorted({SPLITS[split](member) for member in members})
    parts = {value: [member for member in members if SPLITS[split](member) == value] for value in values}
    if len(parts) < 2:
        return ()
    return tuple(Part(split, value, len(part), pooled(part, level)) for value, part in parts.items())


def _order(group: Group) -> tuple[object, ...]:
    key, codes = group.key, list(MEASURES)
    place = codes.index(key.what) if key.what in codes else len(codes)
    comparison = key.comparison
    design = comparison.design, comparison.neighbour_list, comparison.weights, str(comparison.estimand)
    return key.data_kind, not key.is_aimed_at, key.scale, place, key.what, -len(group.members), design
