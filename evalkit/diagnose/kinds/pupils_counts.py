"""Counts of pupils beside an effect: of each arm and year, lost from a wave to the next, and in small schools."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.core.disclosure import is_few


@dataclass(frozen=True, slots=True)
class ArmYear:
    """Mean outcome of the pupils of one arm in one year, and their number."""

    arm: str
    year: int
    mean: float
    n_pupils: int


@dataclass(frozen=True, slots=True)
class ArmLoss:
    """Of `n` pupils of an arm, how many could be `kept` in the model."""

    arm: str
    n: int
    kept: int

    @property
    def share(self) -> float:
        """Return the share that was lost."""
        return 1 - self.kept / self.n if self.n else 0.0

    @property
    def is_told(self) -> bool:
        """Return whether the number kept may be shown: neither it nor what is lost is of few, which it would tell."""
        return not (is_few(self.kept) or is_few(self.n - self.kept))


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallSchools:
    """Of `n` schools in the model, how many have fewer than ten pupils before, or after; a wave has no before."""

    n: int
    n_small: int
