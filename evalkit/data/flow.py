"""Everything lost between listed and analysed: schools counted with the reason, rows of a table left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evalkit.core.errors import EvalkitError


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Units that are not analysed, or lose rows of a table, and why; `n_rows` counts those rows."""

    reason: str
    units: tuple[str, ...]
    n_rows: int


# The schools of a project, by arm and stage.

Stage = Literal["listed", "excluded", "analysed"]
Arm = Literal["treated", "comparison", "rest_of_england"]


@dataclass(frozen=True, slots=True)
class FlowRow:
    """How many schools of one arm were listed, left for one reason, or were analysed."""

    outcome: str
    arm: Arm
    stage: Stage
    reason: str
    n: int


@dataclass(frozen=True, slots=True)
class Flow:
    """Rows that add up: in each outcome and arm, listed = excluded + analysed."""

    rows: tuple[FlowRow, ...]

    def __post_init__(self) -> None:
        for outcome, arm in dict.fromkeys((row.outcome, row.arm) for row in self.rows):
            if self.count(outcome, arm, "listed") != sum(self.count(outcome, arm, s) for s in ("excluded", "analysed")):
                raise EvalkitError(f"The flow of {outcome}, {arm} schools does not add up; please report this.")

    def count(self, outcome: str, arm: str, stage: str) -> int:
        """Return the number of schools of an outcome and arm at a stage."""
        return sum(row.n for row in self.rows if (row.outcome, row.arm, row.stage) == (outcome, arm, stage))


@dataclass(frozen=True, slots=True)
class CountedCase:
    """How often something happened, in words a reader can check."""

    case: str
    n: int
