"""The joint test of a specification curve, and what each choice contributes: arrays in, arrays out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.estimate.areas.sets_arrays import share_as_large

_NONE = 1e-12
"""Sum of squares a specification below which nothing varies."""


class JointTest(NamedTuple):
    """The median over specifications of the treated, and the share of areas or sets with one as far from zero."""

    median: float
    p_value: float


def joint_test(observed: Floats, values: Floats, weights: Floats) -> JointTest:
    """Place the median specification of the treated among the medians of areas or sets without a programme.

    Parameters
    ----------
    observed : shape (S,)
        Standardised effect of each specification, of the treated.
    values : shape (D, S)
        The same of each area or set without a programme.
    weights : shape (D,)
        What each of them counts; the treated counts 1.

    Returns
    -------
    JointTest
        p = (1 + Σ w_d [|median_d| ≥ |median|]) / (1 + Σ w_d). Areas are permuted whole, with all their years, so that
        specifications may depend on each other in any way (Simonsohn, Simmons and Nelson, 2020).
    """
    median = float(np.median(observed))
    others = np.abs(np.median(values, axis=1)) if len(values) else np.empty(0)
    return JointTest(median, share_as_large(others, weights, abs(median)))


def own_ranks(observed: Floats, values: Floats, weights: Floats) -> Floats:
    """Return the p-value of each specification by its own rank, shape (S,); arguments as of `joint_test`."""
    each = zip(np.abs(values).T, np.abs(observed).tolist(), strict=True)
    return np.array([share_as_large(size, weights, one) for size, one in each])


class Contribution(NamedTuple):
    """What the options of one choice do to the standardised effect, and how much of its variance they are.

    `moves[v]` is the mean with option v less the mean of all, NaN where no specification has it; `n[v]` counts those
    that have it. `share` is the sum of squares between options over the whole one; 0 where nothing varies.
    """

    moves: Floats
    n: Ints
    share: float


def contribution(statistic: Floats, option: Ints, n_options: int) -> Contribution:
    """Return what the options of a choice contribute.

    Parameters
    ----------
    statistic : shape (S,)
        Standardised effect of each specification.
    option : shape (S,)
        Which option of the choice each takes, 0 … n_options − 1; −1 where the choice is none of its.
    n_options : int
    """
    bears = option >= 0
    known, of = statistic[bears], option[bears]
    n = np.bincount(of, minlength=n_options)
    if not len(known):
        return Contribution(np.full(n_options, np.nan), n, 0.0)
    mean = known.mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        moves = np.bincount(of, known, n_options) / n - mean
    between = float((n * np.nan_to_num(moves) ** 2).sum())
    whole = float(((statistic - statistic.mean()) ** 2).sum())
    return Contribution(moves, n, between / whole if whole > _NONE * len(statistic) else 0.0)


def first_alike(columns: Floats) -> Ints:
    """Return for each column the first that holds the same numbers, itself where there is none before, shape (S,).

    Numbers are compared to nine digits of the largest: the order of a sum must not make two results of one.
    """
    size = float(np.abs(columns).max(initial=0.0))
    rounded = np.round(columns / size, 9) + 0.0 if size else columns
    seen: dict[bytes, int] = {}
    found = [seen.setdefault(np.ascontiguousarray(rounded[:, at]).tobytes(), at) for at in range(columns.shape[1])]
    return np.array(found, dtype=np.int64)
