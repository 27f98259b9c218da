"""Change by dose with units outside the programme at a dose of 0, for the listed units and for sets in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats, Ints
from evalkit.estimate.areas.set_draws import Sets
from evalkit.estimate.areas.sets_arrays import NOBODY


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DoseGaps:
    """The slope of change on dose among listed and compared units, an effect for each area and what it is set against.

    With L the units of a place, d their doses, n_C units compared that changed by C̄ on average, all at a dose of 0:
    b = Σ_a [Σ_L dΔ − Σd (ΣΔ + n_C C̄)/(n_L + n_C)] / Σ_a [Σd² − (Σd)²/(n_L + n_C)], least squares with an effect for
    each area's comparison. A set gets the doses of its place, dealt out to its members at random: in the list's own
    place they stay as they are.

    Attributes
    ----------
    change : shape (n,)
    dose : shape (n,), of listed units; of others it is not looked at
    rank : shape (n,), place of each unit in the order of ids, by which doses are dealt out whatever the order of rows
    codes : shape (G,), areas in order; `compared` (G,) the mean change that each is set against, `n_compared` of how
        many units
    by_place : doses of the units listed in each treated area
    listed : codes of the treated areas
    seed : of the dealing
    """

    change: Floats
    dose: Floats
    rank: Ints
    codes: Ints
    compared: Floats
    n_compared: Floats
    by_place: tuple[Floats, ...]
    listed: tuple[int, ...]
    seed: int

    def __call__(self, sets: Sets) -> Floats:
        """Return the slope of each set, shape (k, 1)."""
        over, under = np.zeros(len(sets)), np.zeros(len(sets))
        for place in range(sets.areas.shape[1]):
            members = sets.members[:, sets.place == place]
            at = np.searchsorted(self.codes, sets.areas[:, place])
            dose = self._doses(members, place, sets.areas[:, place])
            is_there = members != NOBODY
            change = np.where(is_there, self.change[members], 0.0)
            n, n_compared = is_there.sum(axis=1), self.n_compared[at]
            total = dose.sum(axis=1)
            everyone = change.sum(axis=1) + n_compared * self.compared[at]
            over += (dose * change).sum(axis=1) - total * everyone / (n + n_compared)
            under += (dose**2).sum(axis=1) - total**2 / (n + n_compared)
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Floats = (over / under)[:, None]
        return found

    def _doses(self, members: Ints, place: int, areas: Ints) -> Floats:
        is_there = members != NOBODY
        keys = np.where(is_there, _keys(np.where(is_there, self.rank[members], 0), self.seed), np.inf)
        order = np.argsort(np.argsort(keys, axis=1, kind="stable"), axis=1, kind="stable")
        doses, n = self.by_place[place], np.maximum(is_there.sum(axis=1, keepdims=True), 1)
        # a place of fewer or more units takes doses from all over the list, as evenly as can be
        dealt = doses[np.minimum(((order + 0.5) * len(doses) / n).astype(np.int64), len(doses) - 1)]
        own = np.where(is_there, self.dose[members], 0.0)
        is_own = (areas == self.listed[place])[:, None]
        found: Floats = np.where(is_there, np.where(is_own, own, dealt), 0.0)
        return found


def doses_by_place(dose: Floats, area: Ints, is_listed: Sequence[bool], listed: Sequence[int]) -> tuple[Floats, ...]:
    """Return the doses of the listed units of each treated area, in the order of size."""
    mine = np.asarray(is_listed, dtype=bool)
    return tuple(np.sort(dose[mine & (area == code)]) for code in listed)


def _keys(rank: Ints, seed: int) -> Floats:
    """Return a number from 0 to 1 for each member of each set, shape (k, m): random, and that of the set alone.

    It mixes the member with the whole set (Steele, Lea and Flood, 2014, SplitMix64), so that whoever works through
    sets, in whatever pieces, deals the same doses to the same members, and one unit has other doses in other sets.
    """
    one = _mixed(rank.astype(np.uint64) + np.uint64((1 + seed * 0x9E3779B97F4A7C15) % 2**64))
    whole = one.sum(axis=1, keepdims=True, dtype=np.uint64)
    return np.asarray(_mixed(one ^ _mixed(whole)) / np.float64(2**64))


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(value ^ (value >> np.uint64(31)))
