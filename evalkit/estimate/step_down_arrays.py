"""Kernel of the step-down over several statistics: p-values that keep the chance of any false alarm among them."""

from __future__ import annotations

from typing import Final

import numpy as np

from evalkit.core.arrays import Floats

TIE: Final = 1e-12
"""Sizes that differ by less are alike: what is equal but for rounding counts as large."""


def step_down(statistics: Floats, draws: Floats, weights: Floats | None = None) -> Floats:
    """Return the adjusted p-value of each statistic by max-|t| step-down.

    Parameters
    ----------
    statistics : shape (K,), each in units of its own spread without an effect
    draws : shape (D, K), the same of each draw without an effect; rows keep how the statistics move together
    weights : shape (D,), of the draws; None for one each

    Returns
    -------
    shape (K,)
        With statistics in order of size, |t_1| the largest, p_k = [1 + Σ_d w_d 1(max_(l ≥ k) |t_dl| ≥ |t_k|)] / (1 +
        Σ_d w_d), raised to the p-value before it where it is smaller (Westfall and Young, 1993, algorithm 2.8; Romano
        and Wolf, 2005). With weights of one this is (1 + count) / (D + 1).
    """
    weight = np.ones(len(draws)) if weights is None else weights
    size, sizes = np.abs(statistics), np.abs(draws)
    order = np.argsort(-size, kind="stable")
    largest = np.maximum.accumulate(sizes[:, order[::-1]], axis=1)[:, ::-1]
    as_large = largest >= size[order] - TIE
    shares = (1.0 + weight @ as_large) / (1.0 + weight.sum())
    adjusted = np.empty(len(size))
    adjusted[order] = np.maximum.accumulate(shares)
    return adjusted
