"""Lee's bounds on a difference in means where outcomes are missing more often in one arm: weighted samples in rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evalkit.core.arrays import Bools, Floats


class LeeBounds(NamedTuple):
    """Bounds of each row, shape (k,) each; NaN where an arm has no outcome.

    `trimmed_share` is q, the share by weight that is cut of the arm observed more often; `is_comparison_trimmed` which
    arm that is; `observed_…` the shares by weight of each arm that have an outcome.
    """

    lower: Floats
    upper: Floats
    trimmed_share: Floats
    is_comparison_trimmed: Bools
    observed_treated: Floats
    observed_comparison: Floats


def lee_bounds(treated: Floats, treated_weight: Floats, comparison: Floats, comparison_weight: Floats) -> LeeBounds:
    """Bound the difference in means among units whose outcome is published whichever arm they are in.

    Parameters
    ----------
    treated, treated_weight : shape (k, m)
        Outcomes, NaN where missing, and weights; a row for each comparison that is made, a weight of 0 for nobody.
    comparison, comparison_weight : shape (k, n), or (1, n) where all rows have the same

    Notes
    -----
    r = Σw·1(observed)/Σw in each arm. Where r_T > r_C the share q = (r_T − r_C)/r_T of the treated's observed weight is
    cut, from above for the lower bound and from below for the upper; where r_T < r_C the comparison's, mirrored. The
    marginal unit is cut in part, so that exactly q goes. Assumes that the programme moves publication one way only
    (Lee, 2009).
    """
    r_t, r_c = _observed(treated, treated_weight), _observed(comparison, comparison_weight)
    r_t, r_c = np.broadcast_arrays(r_t, r_c)
    with np.errstate(invalid="ignore", divide="ignore"):
        keep_t = np.where(r_t > 0, np.minimum(1.0, r_c / r_t), np.nan)
        keep_c = np.where(r_c > 0, np.minimum(1.0, r_t / r_c), np.nan)
    low_t, high_t = trimmed_means(treated, treated_weight, keep_t)
    low_c, high_c = trimmed_means(comparison, comparison_weight, keep_c)
    return LeeBounds(
        lower=low_t - high_c,
        upper=high_t - low_c,
        trimmed_share=1.0 - np.minimum(keep_t, keep_c),
        is_comparison_trimmed=np.asarray(r_c > r_t),
        observed_treated=np.array(r_t),
        observed_comparison=np.array(r_c),
    )


def trimmed_means(values: Floats, weight: Floats, kept: Floats) -> tuple[Floats, Floats]:
    """Return the mean of the lowest and of the highest values of each row that hold a share of its observed weight.

    Parameters
    ----------
    values, weight : shape (k, n), or (1, n) for the same in every row; a value that is NaN is not observed
    kept : shape (k,), the share by weight that is kept, above 0

    Returns
    -------
    lowest, highest : shape (k,), NaN where nothing is observed or kept
    """
    order = np.argsort(np.where(np.isfinite(values), values, np.inf), axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    w = np.where(np.isfinite(ordered), np.take_along_axis(weight, order, axis=1), 0.0)
    ordered = np.where(np.isfinite(ordered), ordered, 0.0)
    up_to = np.cumsum(w, axis=1)
    total = up_to[:, -1:] if up_to.shape[1] else np.zeros((len(w), 1))
    room = kept[:, None] * total
    means = []
    for before in (up_to - w, total - up_to):  # weight of what comes first, from below and from above
        used = np.clip(room - before, 0.0, w)
        with np.errstate(invalid="ignore", divide="ignore"):
            means.append((used * ordered).sum(axis=1) / used.sum(axis=1))
    return means[0], means[1]


def _observed(values: Floats, weight: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        share: Floats = (weight * np.isfinite(values)).sum(axis=1) / weight.sum(axis=1)
    return share
