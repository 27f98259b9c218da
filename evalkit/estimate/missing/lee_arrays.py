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

    @property
    def ends(self) -> Floats:
        """Return both bounds, shape (k, 2)."""
        return np.column_stack([self.lower, self.upper])


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
    if len(comparison) == 1:
        seen = np.isfinite(comparison[0])
        order = np.argsort(comparison[0][seen], kind="stable")
        lost = float(comparison_weight[0][~seen].sum())
        ordered = comparison[0][seen][order], comparison_weight[0][seen][order]
        return lee_bounds_against(treated, treated_weight, *ordered, lost)
    r_t, r_c = _observed(treated, treated_weight), _observed(comparison, comparison_weight)
    keep_t, keep_c = _kept(r_t, r_c)
    low_t, high_t = trimmed_means(treated, treated_weight, keep_t)
    low_c, high_c = trimmed_means(comparison, comparison_weight, keep_c)
    return _bounds((low_t - high_c, high_t - low_c), (keep_t, keep_c), (r_t, r_c))


def lee_bounds_against(
    treated: Floats, treated_weight: Floats, ordered: Floats, ordered_weight: Floats, lost: float
) -> LeeBounds:
    """Bound the same differences where all rows are compared with one sample that stands in order.

    Parameters
    ----------
    treated, treated_weight : shape (k, m), as in `lee_bounds`
    ordered, ordered_weight : shape (n,), outcomes that are observed, the lowest first, and weights
    lost : weight of those compared without an outcome
    """
    up_to, sums = (np.concatenate([[0.0], np.cumsum(one)]) for one in (ordered_weight, ordered_weight * ordered))
    total = up_to[-1]
    r_t = _observed(treated, treated_weight)
    r_c = np.full(len(r_t), total / (total + lost) if total + lost > 0 else np.nan)
    keep_t, keep_c = _kept(r_t, r_c)
    low_t, high_t = trimmed_means(treated, treated_weight, keep_t)
    low_c, high_c = _ends(ordered, up_to, sums, keep_c)
    return _bounds((low_t - high_c, high_t - low_c), (keep_t, keep_c), (r_t, r_c))


def _ends(ordered: Floats, up_to: Floats, sums: Floats, kept: Floats) -> tuple[Floats, Floats]:
    """Return means of the lowest and of the highest that hold shares `kept` (k,) of the weight.

    `up_to` and `sums` (n + 1,) are weight, and weight times outcome, of the first 0 … n in order.
    """
    if not len(ordered) or up_to[-1] <= 0:
        none = np.full(len(kept), np.nan)
        return none, none
    known = np.where(np.isfinite(kept), kept, 0.0)
    found = []
    for room, is_low in ((known * up_to[-1], True), ((1.0 - known) * up_to[-1], False)):
        at = np.clip(np.searchsorted(up_to, room, side="left") - 1, 0, len(ordered) - 1)
        below = sums[at] + (room - up_to[at]) * ordered[at]
        weight, total = (room, below) if is_low else (up_to[-1] - room, sums[-1] - below)
        with np.errstate(invalid="ignore", divide="ignore"):
            found.append(np.where(known > 0, total / weight, np.nan))
    return found[0], found[1]


def _kept(r_t: Floats, r_c: Floats) -> tuple[Floats, Floats]:
    """Return the share of each arm's observed weight that is kept."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (
            np.where(r_t > 0, np.minimum(1.0, r_c / r_t), np.nan),
            np.where(r_c > 0, np.minimum(1.0, r_t / r_c), np.nan),
        )


def _bounds(ends: tuple[Floats, Floats], kept: tuple[Floats, Floats], observed: tuple[Floats, Floats]) -> LeeBounds:
    r_t, r_c = np.broadcast_arrays(*observed)
    return LeeBounds(
        lower=ends[0],
        upper=ends[1],
        trimmed_share=1.0 - np.minimum(*kept),
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
