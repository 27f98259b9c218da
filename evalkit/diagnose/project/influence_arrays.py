"""Kernels of influence: by how much an effect moves without one unit, one part of the treated, or one compared area."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints


class Arms(NamedTuple):
    """Treated units of A areas, and the units that each area is compared with: T = Σ_a (W_a / W)(mean_a − mean_C(a)).

    Attributes
    ----------
    change, weight : shape (n,)
    place : shape (n,), the area of a treated unit among the A, −1 for all others
    serves : shape (n, A), which areas an untreated unit is compared with
    """

    change: Floats
    weight: Floats
    place: Ints
    serves: Bools

    def effect(self, kept: Bools | None = None) -> float:
        """Return T over the units kept (n,), NaN where an arm is left without any.

        An area of which no treated unit is kept drops out; where one has nobody to be compared with there is no effect.
        """
        weight = self.weight if kept is None else np.where(kept, self.weight, 0.0)
        treated, compared = self._sums(weight)
        has_any = treated[0] > 0
        if not has_any.any() or (compared[0][has_any] <= 0).any():
            return float("nan")
        means = compared[1][has_any] / compared[0][has_any]
        return float((treated[1][has_any].sum() - treated[0][has_any] @ means) / treated[0].sum())

    def _sums(self, weight: Floats) -> tuple[Floats, Floats]:
        """Return Σw and Σwc of the treated of each area, and of those it is compared with, each of shape (2, A)."""
        n_areas, both = self.serves.shape[1], np.stack([weight, weight * self.change])
        is_treated = self.place >= 0
        own = [np.bincount(self.place[is_treated], row[is_treated], minlength=n_areas) for row in both]
        return np.array(own), both @ (self.serves & ~is_treated[:, None])

    def moves(self) -> Floats:
        """Return by how much T moves without each unit, shape (n,); NaN where there would be no effect without it.

        Without a treated unit i of area a: T' = (Σ_b (S_b − W_b m_b) − w_i (c_i − m_a)) / (W − w_i), m_a the mean that
        a is compared with. Without a compared one every m_a that it serves moves by w_i (m_a − c_i) / (W_C(a) − w_i).
        """
        (own, own_sum), (near, near_sum) = self._sums(self.weight)
        w, c, total = self.weight, self.change, own.sum()
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = near_sum / near
            gap = float(own_sum.sum() - own @ mean)
            is_treated = self.place >= 0
            left = total - w
            alone = np.where(left > 1e-12 * total, (gap - w * (c - mean[self.place])) / left - gap / total, np.nan)
            moved = w[:, None] * (mean - c[:, None]) / (near - w[:, None])
            moved = np.where(near - w[:, None] > 1e-12 * near, moved, np.nan)
            without = -np.where(self.serves, (own / total) * moved, 0.0).sum(axis=1)
        found: Floats = np.where(is_treated, alone, without)
        return found


def largest_area_moves(sums: Floats, compared: Bools) -> tuple[Floats, Ints]:
    """Return by how much each area's comparison mean moves without one area at most, and which; shapes (G,), (G,).

    Parameters
    ----------
    sums : shape (2, G), Σw and Σwc of each area's units
    compared : shape (rows, G), which areas each row is compared with

    Returns
    -------
    The move, with its sign, of row mean minus row mean without: what it adds to the row's effect to leave the area out.
    NaN, and −1, where a row is compared with fewer than two areas that have units.
    """
    weight, total = sums[0], sums[1]
    used = compared & (weight > 0)
    of_row, of_sum = used @ weight, used @ total
    with np.errstate(invalid="ignore", divide="ignore"):
        without = (of_sum[:, None] - total) / (of_row[:, None] - weight)
        moved = np.where(used, (of_sum / of_row)[:, None] - without, 0.0)
    has_two = used.sum(axis=1) > 1
    which = np.abs(np.where(np.isfinite(moved), moved, 0.0)).argmax(axis=1)
    largest = moved[np.arange(len(used)), which]
    return np.where(has_two, largest, np.nan), np.where(has_two, which, -1).astype(np.int64)
