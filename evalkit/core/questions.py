"""What a command is asked of a table: plain nouns, read off a command line by `run` and told of by `report`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evalkit.core.disclosure import FEWEST_PEOPLE


@dataclass(frozen=True, slots=True, kw_only=True)
class DidQuestion:
    """What `evalkit did` is asked: which column plays which part, the estimator and its options."""

    file: Path
    parts: dict[str, str | None]
    covariates: tuple[str, ...]
    estimator: str
    method: str
    comparison: str
    anticipation: int
    base_period: str
    unbalanced: str
    is_cross_section: bool
    are_units_people: bool
    n_draws: int
    are_clusters_drawn: bool
    seed: int
    level: float
    balanced_until: int | None
    has_bounds: bool = False

    @property
    def are_people(self) -> bool:
        """Return whether rows are of people, of whom small counts and what rests on few are withheld."""
        return self.is_cross_section or self.are_units_people

    @property
    def fewest(self) -> int:
        """Return under how many people a count is withheld, 0 where none is."""
        return FEWEST_PEOPLE if self.are_people else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthQuestion:
    """What `evalkit synth` is asked: which column plays which part, who was treated from when, by which method."""

    file: Path
    unit: str
    period: str
    outcome: str
    treated: tuple[str, ...]
    excluded: tuple[str, ...]
    start: str
    method: str
    level: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundsQuestion:
    """What `evalkit bounds` is asked: of which coefficients, at which sizes of violations (None: as usual), of what."""

    file: Path
    covariance: Path
    relative: tuple[float, ...] | None
    smoothness: tuple[float, ...] | None
    event_time: int | None
    average: tuple[int, ...] | None
    sign: Literal["+", "-"] | None
    monotone: Literal["up", "down"] | None
    level: float
