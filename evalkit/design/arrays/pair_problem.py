"""Who may be paired with whom, and how far apart they are, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the units of one arm stand.

    Attributes
    ----------
    coordinates : shape (n, k), in which Euclidean distance is the distance
    windows : shape (n, q), numbers that partners may differ in by no more than a width each
    codes : shape (n, a), codes that partners may not share, column by column
    """

    coordinates: Floats
    windows: Floats
    codes: Ints

    @classmethod
    def free(cls, coordinates: Floats) -> Places:
        """Return places without limits; `coordinates` may be a score of shape (n,)."""
        table = coordinates[:, None] if coordinates.ndim == 1 else coordinates
        n = len(table)
        return cls(np.ascontiguousarray(table, dtype=float), np.empty((n, 0)), np.empty((n, 0), dtype=np.int64))

    def __len__(self) -> int:
        return len(self.coordinates)

    def take(self, rows: Ints) -> Places:
        """Return the places of some units."""
        return Places(self.coordinates[rows], self.windows[rows], self.codes[rows])


@dataclass(frozen=True, slots=True, eq=False)
class PairProblem:
    """Two arms, and the widths of the windows within which they may be paired, shape (q,)."""

    focal: Places
    partners: Places
    widths: Floats

    @classmethod
    def free(cls, focal: Floats, partners: Floats) -> PairProblem:
        """Return a problem in which everyone may be paired with everyone."""
        return cls(Places.free(focal), Places.free(partners), np.empty(0))

    @property
    def is_limited(self) -> bool:
        """Return whether some pairs may be forbidden."""
        return bool(len(self.widths)) or bool(self.focal.codes.shape[1])

    @property
    def turned(self) -> PairProblem:
        """Return the problem with the two arms exchanged."""
        return PairProblem(self.partners, self.focal, self.widths)

    def take(self, focal: Ints, partners: Ints) -> PairProblem:
        """Return the problem of some units."""
        return PairProblem(self.focal.take(focal), self.partners.take(partners), self.widths)

    def distance(self, focal: Ints, partners: Ints) -> Floats:
        """Return the distance of each pair; the arrays of positions have one shape, or shapes that fit."""
        total: Floats = np.zeros(np.broadcast_shapes(focal.shape, partners.shape))
        for own, other in zip(self.focal.coordinates.T, self.partners.coordinates.T, strict=True):
            if self.focal.coordinates.shape[1] == 1:
                apart: Floats = np.abs(own[focal] - other[partners])
                return apart
            total += (own[focal] - other[partners]) ** 2
        return np.sqrt(total)

    def is_permitted(self, focal: Ints, partners: Ints) -> Bools:
        """Return which pairs may be made: within every window, and no code shared."""
        fine: Bools = np.ones(np.broadcast_shapes(focal.shape, partners.shape), dtype=bool)
        for own, other, width in zip(self.focal.windows.T, self.partners.windows.T, self.widths, strict=True):
            fine &= np.abs(own[focal] - other[partners]) <= width
        for mine, theirs in zip(self.focal.codes.T, self.partners.codes.T, strict=True):
            fine &= mine[focal] != theirs[partners]
        return fine
