"""A difference shared out among the blocks that make it: Shapley shares, or one order and its reverse."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Final

Set = frozenset[str]
MOST_CROSSED: Final = 4
"""Blocks of which every combination is run; of more, one order and its reverse."""
MUCH: Final = 0.1
"""Share of the whole difference by which two orders may differ before a part depends on the order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockShare:
    """What one block has of a difference: its share, and what it does as the first and as the last to change.

    Of more than four blocks the share is the mean over one order and its reverse, `first_in` and `last_in` are what
    the block does in these, and `depends_on_order` says that they differ by more than a tenth of the whole.
    """

    share: float
    first_in: float
    last_in: float
    depends_on_order: bool = False


def crossings(blocks: Sequence[str]) -> list[Set]:
    """Return which combinations of blocks are run, none of them and all of them among these.

    >>> [sorted(one) for one in crossings(("a", "b"))]
    [[], ['a'], ['b'], ['a', 'b']]
    """
    if len(blocks) <= MOST_CROSSED:
        return [frozenset(one) for n in range(len(blocks) + 1) for one in combinations(blocks, n)]
    forward = [frozenset(blocks[:n]) for n in range(len(blocks) + 1)]
    backward = [frozenset(blocks[n:]) for n in range(len(blocks) + 1)]
    return list(dict.fromkeys((*forward, *backward)))


def parts(values: Mapping[Set, float], blocks: Sequence[str]) -> dict[str, BlockShare]:
    """Return each block's part of v(all) − v(none), which the shares sum to; `values` has v of every crossing.

    >>> v = {frozenset(): 1.0, frozenset("a"): 2.0, frozenset("b"): 1.0, frozenset("ab"): 4.0}
    >>> parts(v, ("a", "b"))["a"].share, parts(v, ("a", "b"))["b"].share
    (2.0, 1.0)
    """
    if len(blocks) <= MOST_CROSSED:
        return {block: _shapley(values, blocks, block) for block in blocks}
    whole = abs(values[frozenset(blocks)] - values[frozenset()])
    found = {}
    for i, block in enumerate(blocks):
        forward = values[frozenset(blocks[: i + 1])] - values[frozenset(blocks[:i])]
        backward = values[frozenset(blocks[i:])] - values[frozenset(blocks[i + 1 :])]
        found[block] = BlockShare(
            share=(forward + backward) / 2,
            first_in=forward,
            last_in=backward,
            depends_on_order=abs(forward - backward) > MUCH * whole,
        )
    return found


def _shapley(values: Mapping[Set, float], blocks: Sequence[str], block: str) -> BlockShare:
    others, k = [one for one in blocks if one != block], len(blocks)
    share = 0.0
    for n in range(k):
        weight = factorial(n) * factorial(k - n - 1) / factorial(k)
        for before in map(frozenset, combinations(others, n)):
            share += weight * (values[before | {block}] - values[before])
    everything = frozenset(blocks)
    return BlockShare(
        share=share,
        first_in=values[frozenset({block})] - values[frozenset()],
        last_in=values[everything] - values[everything - {block}],
    )


# Crossings that cannot be run: the blocks that they part go together.


def merged(blocks: Sequence[Set], failed: Collection[Set]) -> list[Set]:
    """Return groups of blocks such that no crossing that failed parts a group, as few of them merged as need be.

    A crossing that fails has some blocks from one run and the others from the other: two of these do not go without
    each other. Those that most failures part are merged first.

    >>> [sorted(one) for one in merged([frozenset("a"), frozenset("b"), frozenset("c")], [frozenset("a")])]
    [['a', 'b'], ['c']]
    """
    groups = list(blocks)
    while left := [one for one in failed if _is_of_groups(one, groups)]:
        pairs = list(combinations(range(len(groups)), 2))
        i, j = max(pairs, key=lambda pair: sum(_parts_two(one, groups[pair[0]], groups[pair[1]]) for one in left))
        groups[i : i + 1], groups[j : j + 1] = [groups[i] | groups[j]], []
    return groups


def _is_of_groups(crossing: Set, groups: Iterable[Set]) -> bool:
    """Return whether a crossing has some groups whole and the others not at all, and neither none nor all of them."""
    having = [group <= crossing for group in groups]
    whole = all(group <= crossing or not group & crossing for group in groups)
    return whole and any(having) and not all(having)


def _parts_two(crossing: Set, one: Set, other: Set) -> bool:
    return (one <= crossing) != (other <= crossing)
