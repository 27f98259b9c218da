"""Kernel of what is assumed of violations: systems A δ ≤ d over the violations δ before and after the start.

δ has one entry for each coefficient, p before the start and q from it on; the reference between them is 0. As what is
tested is an effect after the start, only rows that touch a period after it are kept, as in Rambachan and Roth (2023).
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import numpy as np

from evalkit.core.arrays import Floats

Sign = Literal["+", "-"]
Monotone = Literal["up", "down"]

_UP: Final = ("+", "up")


class Systems(NamedTuple):
    """C systems A δ ≤ d of n_rows rows each: `rows` has shape (C, n_rows, p + q), `limits` (C, n_rows)."""

    rows: Floats
    limits: Floats


def relative_systems(values: Floats, p: int, q: int, shape: Floats) -> Systems:
    """Return the systems whose union is "no step after the start exceeds M̄ times the largest step before it".

    The largest step before the start can be any of the p, up or down: 2p systems for each M̄, in the order of `values`.

    Parameters
    ----------
    values : shape (C,), M̄
    shape : shape (n_shape, p + q), more rows of which each is at most 0
    """
    steps = _steps(p, q)
    before, after = steps[:p], steps[p:]
    largest = np.concatenate([before, -before])
    both = np.concatenate([after, -after])
    scaled = values[:, None, None] * largest
    rows = (both - scaled[:, :, None, :]).reshape(-1, *both.shape)
    return _with_shape(rows, np.zeros(rows.shape[:2]), shape)


def smooth_systems(values: Floats, p: int, q: int, shape: Floats) -> Systems:
    """Return the systems of "no change of slope exceeds M", one for each M of `values`, shape (C,)."""
    bends = _bends(p, q)
    rows = np.tile(np.concatenate([bends, -bends]), (len(values), 1, 1))
    return _with_shape(rows, np.repeat(values[:, None], rows.shape[1], axis=1), shape)


def shape_rows(p: int, q: int, sign: Sign | None, monotone: Monotone | None) -> Floats:
    """Return the rows, each at most 0, of a bias of one sign or of violations that only rise or only fall."""
    rows = np.zeros((0, p + q))
    if sign is not None:
        own = np.eye(p + q)[p:]
        rows = np.vstack([rows, -own if sign in _UP else own])
    if monotone is not None:
        after = _steps(p, q)[p:]
        rows = np.vstack([rows, -after if monotone in _UP else after])
    return rows


def _with_shape(rows: Floats, limits: Floats, shape: Floats) -> Systems:
    more = np.broadcast_to(shape, (len(rows), *shape.shape))
    return Systems(np.concatenate([rows, more], axis=1), np.pad(limits, ((0, 0), (0, len(shape)))))


def _steps(p: int, q: int) -> Floats:
    """Return δ_t − δ_(t−1) as rows over the coefficients, shape (p + q, p + q)."""
    return _without_reference(np.diff(np.eye(p + q + 1), axis=0), p)


def _bends(p: int, q: int) -> Floats:
    """Return δ_(t+1) − 2 δ_t + δ_(t−1) that touch a period after the start, shape (q, p + q)."""
    return _without_reference(np.diff(np.eye(p + q + 1), n=2, axis=0), p)[p - 1 :]


def _without_reference(rows: Floats, p: int) -> Floats:
    found: Floats = np.delete(rows, p, axis=1)
    return found
