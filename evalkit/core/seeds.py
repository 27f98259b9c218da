"""Named random streams: one seed, and a stream of its own for each thing drawn."""

import zlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator that `name` always gets under `seed`, whatever else was drawn before it."""
    return np.random.default_rng(_sequence(seed, name))


def chunk_seeds(seed: int, name: str, n_chunks: int) -> list[np.random.SeedSequence]:
    """Return a seed for each chunk of the draws of `name`; the first ones do not depend on how many there are."""
    return _sequence(seed, name).spawn(n_chunks)


def _sequence(seed: int, name: str) -> np.random.SeedSequence:
    return np.random.SeedSequence([seed, zlib.crc32(name.encode())])
