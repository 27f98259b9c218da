"""All projects of a workspace side by side, and pooled where that may be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from evalkit.core.draws import LEVEL
from evalkit.core.manifest import DataKind
from evalkit.core.quantities import Unavailable
from evalkit.data.measures import MEASURES
from evalkit.diagnose.portfolio.pooling_rules import (
    FEW,
    Candidate,
    Member,
    Overlap,
    ProjectLeftOut,
    candidate,
    entered,
    overlaps,
    pooled,
    without_repeats,
)
from evalkit.diagnose.portfolio.project_record import (
    CONTRAST,
    Comparison,
    FailedRun,
    OutcomeRecord,
    ProjectRecord,
    UnreadFolder,
)
from evalkit.estimate.areas.placebo_pool import PlaceboPool

PartPlayed = Literal["aimed at", "contrast", "placebo"]
PARTS_PLAYED: Final[tuple[PartPlayed, ...]] = ("aimed at", "contrast", "placebo")
"""What an outcome is to the projects, in the order in which pools are shown."""
SPLITS: Final[dict[str, Callable[[Candidate], str]]] = {
    "phase": lambda member: member.record.phase,
    "theme": lambda member: member.project.theme or "not stated",
    "region": lambda member: member.project.region,
}
"""What pooled results are given by, in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupKey:
    """What estimates must have in common to be pooled; `what` is the code of the measure, or of a contrast of two."""

    data_kind: DataKind
    what: str
    part_played: PartPlayed
    comparison: Comparison
    pre: tuple[int, ...]
    post: tuple[int, ...]

    @property
    def name(self) -> str:
        """Return the name of the stream from which sets of areas are drawn for the group."""
        one = self.comparison
        how = (one.design, one.neighbour_list, one.weights, str(one.estimand))
        return " ".join((self.data_kind, self.what, self.part_played, *how, *map(str, (*self.pre, "to", *self.post))))


Row = tuple[ProjectRecord, OutcomeRecord]


@dataclass(frozen=True, slots=True)
class Part:
    """The pooled result of the members of a group that share a phase, a theme or a region, or why there is none."""

    split: str
    value: str
    n: int
    pooled: PlaceboPool | Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Estimates of one kind: those pooled, those left out with reasons, the result, and who is not independent."""

    key: GroupKey
    members: tuple[Member, ...]
    left_out: tuple[ProjectLeftOut, ...]
    pooled: PlaceboPool | Unavailable
    parts: tuple[Part, ...]
    overlaps: tuple[Overlap, ...]

    @property
    def is_few(self) -> bool:
        """Return whether a result is given but rests on so few estimates that it is labelled."""
        return isinstance(self.pooled, PlaceboPool) and self.pooled.mean.n < FEW

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
    include_stale: bool = False,
) -> Portfolio:
    """Return the portfolio of some projects; their order does not matter.

    Pooled are estimates of one measure, or of one contrast of two, in points, each from one kind of data, comparison,
    role and set of years. A project whose report is not of what it is now is left out unless `include_stale`.
    """
    ordered = tuple(sorted(projects, key=lambda project: project.slug))
    groups = [
        _group(key, rows, treated=_treated(ordered, key), level=level, include_stale=include_stale)
        for key, rows in _rows_by_group(ordered)
    ]
    return Portfolio(
        projects=ordered,
        groups=tuple(sorted(groups, key=_order)),
        overlaps=tuple(
            pair for kind in ("real", "synthetic") for pair in overlaps([p for p in ordered if p.data_kind == kind])
        ),
        failed=tuple(failed),
        unread=tuple(unread),
        level=level,
    )


def _rows_by_group(projects: Sequence[ProjectRecord]) -> Sequence[tuple[GroupKey, list[Row]]]:
    """Return every outcome of every project by what it must share with others."""
    rows: dict[GroupKey, list[Row]] = {}
    for project in projects:
        for record in project.outcomes:
            rows.setdefault(_key(project, record), []).append((project, record))
    return list(rows.items())


def _key(project: ProjectRecord, record: OutcomeRecord) -> GroupKey:
    return GroupKey(
        data_kind=project.data_kind,
        what=record.outcome,
        part_played="contrast" if record.role == CONTRAST else "aimed at" if record.is_aimed_at else "placebo",
        comparison=record.comparison,
        pre=project.pre,
        post=project.post,
    )


def _treated(projects: Sequence[ProjectRecord], key: GroupKey) -> frozenset[int]:
    """Return every area in which a project of this kind of data is known, pooled or not."""
    return frozenset(area for one in projects if one.data_kind == key.data_kind for area in one.treated)


def _group(key: GroupKey, rows: Sequence[Row], *, treated: frozenset[int], level: float, include_stale: bool) -> Group:
    """Return the group of some estimates; no area of `treated` stands in for one of them."""
    judged = [candidate(project, record, include_stale) for project, record in rows]
    candidates, repeats = without_repeats([one for one in judged if isinstance(one, Candidate)])
    members, unsure = entered(candidates, treated)
    candidates = candidates if members else ()
    return Group(
        key=key,
        members=members,
        left_out=(*(one for one in judged if isinstance(one, ProjectLeftOut)), *repeats, *unsure),
        pooled=pooled(candidates, treated, level, key.name),
        parts=tuple(part for split in SPLITS for part in _parts(key, split, candidates, treated, level)),
        overlaps=overlaps([member.project for member in members]),
    )


def _parts(
    key: GroupKey, split: str, members: Sequence[Candidate], treated: frozenset[int], level: float
) -> tuple[Part, ...]:
    """Return the pooled result for each value of a split; none where all members share it."""
    values = sorted({SPLITS[split](member) for member in members})
    parts = {value: [member for member in members if SPLITS[split](member) == value] for value in values}
    if len(parts) < 2:
        return ()

    def of(value: str) -> PlaceboPool | Unavailable:
        return pooled(parts[value], treated, level, f"{key.name} {split} {value}")

    return tuple(Part(split, value, len(part), of(value)) for value, part in parts.items())


def _order(group: Group) -> tuple[object, ...]:
    key, codes = group.key, list(MEASURES)
    first = key.what.partition("-")[0]
    place = codes.index(first) if first in codes else len(codes)
    comparison = key.comparison
    design = comparison.design, comparison.neighbour_list, comparison.weights, str(comparison.estimand)
    part = PARTS_PLAYED.index(key.part_played)
    return key.data_kind, part, place, key.what, -len(group.members), key.pre, key.post, design
