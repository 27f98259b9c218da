"""Named random streams: one seed, and a stream of its own for each thing drawn."""

import zlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator that `name` always gets under `seed`, whatever else was drawn before it."""
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))
