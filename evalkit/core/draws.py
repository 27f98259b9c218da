"""Random draws: level, seed and number of draws with their bounds; named streams; who carries out replications.

The work is cut into chunks whose size never depends on who carries them out, and each chunk of draws has a stream of
its own, so that it matters neither where nor in which order chunks are done.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from evalkit.core.errors import DesignError

if TYPE_CHECKING:
    import numpy as np

# What an option object may ask for: the level of intervals, the seed, the number of draws.

LEVEL: Final = 0.95
"""Of intervals and bands where no other is named."""

SEED: Final = 1
"""Of every draw where no other is named."""

PANEL_SEED: Final = 20_240_101
"""Of the inference on a two-way effect where no other is named: another, so that its draws are not those of `SEED`."""

N_DRAWS: Final = 9_999
"""Of a test by draws where no other number is named: p-values near 0.05 then vary with the seed by some 0.002."""

LEAST_INVERTED: Final = 0.5
"""The least level of an interval that inverts a test by draws: below it the interval can be empty."""

FEWEST_DRAWS: Final = 99
"""Fewest draws of a bootstrap or permutation: the smallest p-value is then 0.01."""


MOST_NUMBERS: Final = 100_000_000
"""Clusters times draws, above which a bootstrap or permutation is refused: some gigabytes."""


def require_level(level: float, least: float = 0.0) -> None:
    """Raise `DesignError` where the level of an interval is no share above 0, from `least` on and below 1."""
    if not (0 < level < 1 and level >= least):
        raise DesignError(
            f"The level of an interval lies between {least:g} and 1, not at {level:g}. The usual one is {LEVEL}."
        )


def require_seed(seed: int) -> None:
    """Raise `DesignError` where a seed is no whole number from 0 on."""
    if seed != int(seed) or seed < 0:
        raise DesignError(f"The seed of draws is a whole number from 0 on, not {seed}.")


def require_draws(n_draws: int, fewest: int = FEWEST_DRAWS) -> None:
    """Raise `DesignError` where draws are too few for an error or a p-value, or no whole number."""
    if n_draws != int(n_draws):
        raise DesignError(f"Draws are counted in whole numbers, not {n_draws}.")
    if n_draws < fewest:
        raise DesignError(f"{n_draws} draws are too few; at least {fewest} are needed, 999 or more for a report.")


def require_room(n: int, n_draws: int, what: str) -> None:
    """Raise `DesignError` where draws for so many clusters would not fit in memory."""
    if n * n_draws > MOST_NUMBERS:
        raise DesignError(
            f"{n_draws:,} draws for {n:,} {what} are too many to hold. Take at most {MOST_NUMBERS // n:,} draws; "
            "with very many clusters, errors clustered by them need no bootstrap."
        )


# Streams of one seed, each under its name.

LARGEST_LOSS: Final = 0.05
"""Share of draws that may give no estimate; beyond it the draws say little of the estimator."""


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator that `name` always gets under `seed`, whatever else was drawn before it."""
    import numpy as np

    return np.random.default_rng(_sequence(seed, name))


def chunk_seeds(seed: int, name: str, n_chunks: int) -> list[np.random.SeedSequence]:
    """Return a seed for each chunk of the draws of `name`; the first ones do not depend on how many there are."""
    return _sequence(seed, name).spawn(n_chunks)


def _sequence(seed: int, name: str) -> np.random.SeedSequence:
    import numpy as np

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
        import numpy as np

        return np.random.default_rng(self.seed)


def draws_in_chunks(seed: int, name: str, n_draws: int, size: int) -> list[Draws]:
    """Return `n_draws` draws of `name` as chunks of `size`, the last one with what is left."""
    counts = [min(size, n_draws - first) for first in range(0, n_draws, size)]
    return [Draws(n, child) for n, child in zip(counts, chunk_seeds(seed, name, len(counts)), strict=True)]


S = TypeVar("S", bound="Sequence[object] | np.ndarray")


def pieces(of: S, size: int) -> list[S]:
    """Return a sequence, or the rows of an array, in pieces of `size`."""
    return [of[first : first + size] for first in range(0, len(of), size)]  # type: ignore[misc]


def in_pieces(executor: Executor, function: Callable[[S], list[R]], of: S, size: int) -> list[R]:
    """Return what the function gives for each member of a sequence, worked through in pieces of `size`."""
    return [result for part in executor.map(function, pieces(of, size)) for result in part]
