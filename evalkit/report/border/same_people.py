"""Which counts of a release may be of the same people under different names, where its units are people.

Nothing says of two tables whether they count the same people. Where units are people, counts of one size are taken to
be of the same people, and counts that differ by few of nearly the same, unless it is known that they are not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_WORD: Final = re.compile(r"[a-z]+")
_TREATED: Final = frozenset({"treated", "participant", "participants"})
_COMPARED: Final = frozenset({"comparison", "compared", "neighbours", "control", "controls"})


@dataclass(frozen=True, slots=True)
class Counted:
    """Where a count stands: its table, its arm where one is named, and whether it is a part of a sum told there."""

    table: str
    arm: str
    is_part: bool


def arm_named(*names: str) -> str:
    """Return the arm that the names of a row and a column tell, empty where they tell none, or both.

    >>> arm_named("reading", "n_treated"), arm_named("Compared schools"), arm_named("listed")
    ('treated', 'compared', '')
    """
    words = {word for name in names for word in _WORD.findall(name.lower())}
    found = [arm for arm, said in (("treated", _TREATED), ("compared", _COMPARED)) if words & said]
    return found[0] if len(found) == 1 else ""


def too_near(sizes: Mapping[int, Sequence[Counted]], known: Collection[int], fewest: int) -> frozenset[int]:
    """Return the sizes that may not be told beside others, as they differ by fewer than `fewest` people.

    Those `known` already stay; of others those that stand in most places, and of as many the larger, are told first.
    """
    told = {size for size in known if size >= fewest}
    hidden = set[int]()
    for size in sorted(sizes, key=lambda size: (-len(sizes[size]), -size)):
        if size < fewest or size in told:
            continue
        near = [other for other in told if 0 < abs(other - size) < fewest]
        if any(_may_overlap(one, other) for at in near for one in sizes[size] for other in sizes[at]):
            hidden.add(size)
        else:
            told.add(size)
    return frozenset(hidden)


def _may_overlap(one: Counted, other: Counted) -> bool:
    """Return whether two counts may be of nearly the same people.

    They are not where they are of different arms, and are not taken to be where both are parts: breakdowns by different
    things overlap, and do not lie within each other. Counts of one table are told apart there.
    """
    are_arms = bool(one.arm and other.arm) and one.arm != other.arm
    return one.table != other.table and not are_arms and not (one.is_part and other.is_part)
