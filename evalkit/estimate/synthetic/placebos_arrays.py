"""Every donor, or set of donors, as if it were treated: how unusual the treated areas' gap is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import comb

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import SERIAL, Executor, in_pieces
from evalkit.estimate.synthetic.weights_arrays import AreaFit, FitAreas, noise_level

FLOOR_SHARE = 0.1
"""Least error before the start that counts in a ratio, as a share of the standard deviation of changes: an area that
donors follow more closely than this is followed through its noise, and by chance."""
CHUNK = 10
"""Sets in a chunk, whoever fits them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placebos:
    """Fits of sets of donors, shape (n_sets,) each, and the sets, shape (n_sets, n_treated)."""

    sets: Ints
    fits: tuple[AreaFit, ...]
    is_complete: bool


def placebo_sets(n_donors: int, size: int, most: int, random: np.random.Generator) -> tuple[Ints, bool]:
    """Return every set of donors of a size where they are at most `most`, else as many drawn; and whether it is all."""
    if comb(n_donors, size) <= most:
        return np.array(list(combinations(range(n_donors), size)), dtype=np.int64), True
    draws = [np.sort(random.choice(n_donors, size, replace=False)) for _ in range(most)]
    return np.array(draws, dtype=np.int64), False


def placebo_fits(
    donors: Floats, n_pre: int, sets: Ints, fit: FitAreas, executor: Executor = SERIAL
) -> tuple[AreaFit, ...]:
    """Return the fit of each set's mean to the other donors; the areas truly treated are donors of none.

    donors : shape (n_periods, n_donors); sets : shape (n_sets, size)
    """
    return tuple(in_pieces(executor, partial(_fits, donors, n_pre, fit), sets, CHUNK))


def _fits(donors: Floats, n_pre: int, fit: FitAreas, sets: Ints) -> list[AreaFit]:
    return [fit(donors[:, chosen].mean(axis=1), np.delete(donors, chosen, axis=1), n_pre) for chosen in sets]


def error_floor(series: Floats) -> float:
    """Return the least error that counts before the start; series : shape (n_periods before the start, n_areas)."""
    least = 1e-12 * float(np.abs(series).max(initial=0.0))
    return max(FLOOR_SHARE * noise_level(series), least, np.finfo(float).tiny)


def rank_p(treated: float, others: Floats) -> float:
    """Return the share of all, the treated one among them, whose statistic is at least as large."""
    return float((1 + (others >= treated * (1 - 1e-10)).sum()) / (1 + len(others)))
