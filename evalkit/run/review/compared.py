"""What two runs set side by side say: each effect in both, and each block's part of its difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from evalkit.run.review.blocks import Block, Change
from evalkit.run.review.crossing import Key, Numbers
from evalkit.run.review.differences import TOLERANCE, number_at
from evalkit.run.review.shares import BlockShare


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectParts:
    """What a block, or blocks that go together, has of the difference in one effect, number by number.

    A number that some crossing does not give has no part.
    """

    analysis: str
    outcome: str
    estimate: BlockShare | None = None
    lower: BlockShare | None = None
    upper: BlockShare | None = None
    p_value: BlockShare | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedBlock:
    """Blocks that go together (most often one), and what they have of each difference; none where they were not run."""

    blocks: tuple[Block, ...]
    effects: tuple[EffectParts, ...] = ()

    @property
    def name(self) -> str:
        """The name by which it is told."""
        return " and ".join(self.blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedEffect:
    """An effect by which an analysis is quoted, as the two runs have it, and what no block explains of its estimate."""

    analysis: str
    outcome: str
    a: Numbers
    b: Numbers
    n_a: tuple[int, int] | None = None
    n_b: tuple[int, int] | None = None
    remainder: float | None = None

    @property
    def difference(self) -> float | None:
        """The estimate of B less that of A, None where one is not given."""
        if self.a.estimate is None or self.b.estimate is None:
            return None
        return self.b.estimate - self.a.estimate

    def with_remainder(self, left: float) -> ComparedEffect:
        """Return the effect with what no block explains of its estimate; 0 where that is no more than rounding."""
        return replace(self, remainder=0.0 if abs(left) <= TOLERANCE * max(1.0, abs(self.difference or 0.0)) else left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs set side by side: what differs, each effect in both, and what of its difference is due to what."""

    a: str
    b: str
    is_same: bool
    changes: tuple[Change, ...]
    effects: tuple[ComparedEffect, ...]
    blocks: tuple[ComparedBlock, ...] = ()
    notes: tuple[str, ...] = ()

    def changes_in(self, block: ComparedBlock) -> tuple[Change, ...]:
        """Return what differs in a block."""
        return tuple(one for one in self.changes if one.block in block.blocks)


# Effects as a run recorded them.


def quoted_effects(results: Mapping[str, Any] | None) -> dict[Key, Mapping[str, Any]]:
    """Return the effects by which analyses are quoted, of a record of results, by analysis and outcome."""
    analyses = (results or {}).get("analyses", ())
    return {
        (str(analysis["name"]), str(effect["outcome"])): effect
        for analysis in analyses
        for effect in analysis["effects"]
        if effect.get("main")
    }


def recorded_numbers(effect: Mapping[str, Any] | None) -> Numbers:
    """Return the numbers of an effect of a record of results by which it is compared."""
    return Numbers(
        estimate=number_at(effect, "estimate"),
        lower=number_at(effect, "interval.lower"),
        upper=number_at(effect, "interval.upper"),
        p_value=number_at(effect, "p_value"),
    )
