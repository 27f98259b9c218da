"""Random draws: named streams of one seed, and who carries out replications, with the same numbers everywhere.

The work is cut into chunks whose size never depends on who carries them out, and each chunk of draws has a stream of
its own, so that it matters neither where nor in which order chunks are done.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np

FEWEST_DRAWS: Final = 99
"""With fewer draws the smallest p-value that can arise is above a hundredth."""
LARGEST_LOSS: Final = 0.05
"""Share of draws that may give no estimate; beyond it the draws say little of the estimator."""


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator that `name` always gets under `seed`, whatever else was drawn before it."""
    return np.random.default_rng(_sequence(seed, name))


def chunk_seeds(seed: int, name: str, n_chunks: int) -> list[np.random.SeedSequence]:
    """Return a seed for each chunk of the draws of `name`; the first ones do not depend on how many there are."""
    return _sequence(seed, name).spawn(n_chunks)


def _sequence(seed: int, name: str) -> np.random.SeedSequence:
    return np.random.SeedSequence([seed, zlib.crc32(name.encode())])


# Who carries out replications: this process, several on this machine, or a cluster, with the same numbers.

C = TypeVar("C")
R = TypeVar("R")


class Executor(Protocol):
    """Applies a function to chunks of work."""

    def map(self, function: Callable[[C], R], chunks: Sequence[C]) -> list[R]:
        """Return what the function gives for each chunk, in the order of the chunks.

        The function holds what all chunks share. It travels once to each worker, and so is one that can be pickled: of
        a module, or a `functools.partial` of one. An error in a chunk is raised as it is.
        """
        ...


@dataclass(frozen=True, slots=True)
class Serial:
    """Does one chunk after the other in this process."""

    def map(self, function: Callable[[C], R], chunks: Sequence[C]) -> list[R]:
        """Return what the function gives for each chunk, in order."""
        return [function(chunk) for chunk in chunks]


SERIAL: Final[Executor] = Serial()


@dataclass(frozen=True, slots=True)
class Draws:
    """A chunk of draws: how many, and the seed of their own stream."""

    n: int
    seed: np.random.SeedSequence

    def stream(self) -> np.random.Generator:
        """Return the chunk's generator, at its beginning however often it is asked for."""
        return np.random.default_rng(self.seed)


def draws_in_chunks(seed: int, name: str, n_draws: int, size: int) -> list[Draws]:
    """Return `n_draws` draws of `name` as chunks of `size`, the last one with what is left."""
    counts = [min(size, n_draws - first) for first in range(0, n_draws, size)]
    return [Draws(n, child) for n, child in zip(counts, chunk_seeds(seed, name, len(counts)), strict=True)]


S = TypeVar("S", bound=Sequence[object] | np.ndarray)


def pieces(of: S, size: int) -> list[S]:
    """Return a sequence, or the rows of an array, in pieces of `size`."""
    return [of[first : first + size] for first in range(0, len(of), size)]  # type: ignore[misc]


def in_pieces(executor: Executor, function: Callable[[S], list[R]], of: S, size: int) -> list[R]:
    """Return what the function gives for each member of a sequence, worked through in pieces of `size`."""
    return [result for part in executor.map(function, pieces(of, size)) for result in part]
