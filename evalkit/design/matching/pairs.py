"""How far apart any two units are, the caliper, and who may not be paired: what every pairing method starts from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.errors import DesignError
from evalkit.core.scipy_parts import mean_ranks
from evalkit.data.baseline import Baseline, is_category
from evalkit.design.matching.features import distance_columns, require_arms, require_variation
from evalkit.design.matching.options import PairRules, Side
from evalkit.design.matching.pairs_arrays import PairProblem, Places, pooled_within_covariance, whitened_generally
from evalkit.design.matching.scores import SCORE_DISTANCES, propensity_score


@dataclass(frozen=True, slots=True, eq=False)
class PairSpace:
    """Where units stand and who may be paired with whom, in the order of the baseline.

    Attributes
    ----------
    coordinates : shape (n_units, k), in which Euclidean distance is the distance; k = 1 for scores
    score : shape (n_units,), the score of the distance or of the caliper, or None
    caliper : the most by which partners may differ in the score, in its own units; infinite where nothing limits it
    strata : shape (n_units,), codes that partners must share
    windows, widths : shapes (n_units, q) and (q,), covariates that partners may differ in by a width each
    apart : shape (n_units, a), codes that partners may not share
    discarded : shape (n_units,), outside common support
    """

    coordinates: Floats
    score: Floats | None
    caliper: float
    strata: Ints
    windows: Floats
    widths: Floats
    apart: Ints
    discarded: Bools

    @property
    def is_line(self) -> bool:
        """Return whether the distance is a difference of one number."""
        return bool(self.coordinates.shape[1] == 1)

    def problem(self, focal: Ints, partners: Ints, *, with_caliper: bool = True) -> PairProblem:
        """Return the problem of pairing some units with some others; strata are the caller's to keep apart.

        The caliper is its first window. A caller that walks along the score keeps it by itself, and leaves it out.
        """
        has_caliper = with_caliper and self.score is not None and self.caliper < np.inf
        widths = np.append(self.caliper, self.widths) if has_caliper else self.widths
        return PairProblem(self._places(focal, has_caliper), self._places(partners, has_caliper), widths)

    def _places(self, rows: Ints, has_caliper: bool) -> Places:
        windows = self.windows[rows]
        if has_caliper:
            assert self.score is not None
            windows = np.column_stack([self.score[rows], windows])
        return Places(self.coordinates[rows], windows, self.apart[rows])


def pair_space(baseline: Baseline, rules: PairRules) -> PairSpace:
    """Return distances and limits as arrays.

    Score distances are differences of the score. Mahalanobis distances (Rubin, 1980) use the covariance within
    arms, pooled, of the covariates; robust ones that of their ranks, with variances as if there were no ties
    (Rosenbaum, 2010); Euclidean ones the standard deviations within arms. Categories enter with all levels, by a
    generalised inverse. Raise `DesignError` where a rule names a column that is not there, or no distance exists.
    """
    is_score = rules.distance in SCORE_DISTANCES
    score = None
    if is_score or rules.caliper is not None or rules.common_support != "none":
        score = propensity_score(baseline, rules.distance if is_score else "logit", rules.own_score)
    if is_score and not rules.mahalanobis_on:
        assert score is not None
        coordinates = score[:, None]
    else:
        coordinates = _coordinates(baseline, rules)
    windows, widths = _windows(baseline, rules)
    return PairSpace(
        coordinates=coordinates,
        score=score,
        caliper=_caliper(rules, score),
        strata=shared_codes(baseline, rules.exact),
        windows=windows,
        widths=widths,
        apart=_apart(baseline, rules.anti_exact),
        discarded=outside_support(score, baseline.is_treated, rules.common_support),
    )


def shared_codes(baseline: Baseline, names: tuple[str, ...]) -> Ints:
    """Return a code for each combination of labels, shape (n_units,): the same where all of them are."""
    codes = np.zeros(len(baseline.units), dtype=np.int64)
    for name in names:
        label_codes = pd.factorize(baseline.label(name), sort=True)[0]
        codes = np.unique(codes * (label_codes.max() + 1) + label_codes, return_inverse=True)[1]
    return codes.astype(np.int64)


def outside_support(score: Floats | None, is_treated: Bools, side: Side) -> Bools:
    """Return which units of the named side have a score outside the range of the other arm's scores."""
    outside = np.zeros(len(is_treated), dtype=bool)
    if side == "none" or score is None:
        return outside
    arms = {"treated": (is_treated,), "comparison": (~is_treated,), "both": (is_treated, ~is_treated)}[side]
    for arm in arms:
        other = score[~arm]
        outside |= arm & ((score < other.min()) | (score > other.max()))
    return outside


def _coordinates(baseline: Baseline, rules: PairRules) -> Floats:
    names = rules.mahalanobis_on or None
    require_variation(baseline, names)
    columns, _ = distance_columns(baseline, names)
    treated = baseline.is_treated
    require_arms(treated)
    kind = "mahalanobis" if rules.mahalanobis_on else rules.distance
    if kind == "robust-mahalanobis":
        columns = np.column_stack([mean_ranks(column) for column in columns.T])
        return whitened_generally(columns, _untied(np.atleast_2d(np.cov(columns.T)), len(columns)))
    covariance = _within(columns, treated)
    if kind == "euclidean":
        covariance = np.diag(np.diag(covariance))
    return whitened_generally(columns, covariance)


def _within(columns: Floats, treated: Bools) -> Floats:
    if len(columns) < 3:
        raise DesignError("Two units give no spread within arms to measure distances by. Use a score distance.")
    return pooled_within_covariance(columns[treated], columns[~treated])


def _untied(covariance: Floats, n: int) -> Floats:
    """Return a covariance of ranks with the variances that ranks without ties have."""
    size = np.sqrt(n * (n + 1) / 12 / np.diag(covariance))
    scaled: Floats = covariance * np.outer(size, size)
    return scaled


def _caliper(rules: PairRules, score: Floats | None) -> float:
    """Return the caliper in units of the score, from SDs of the score over all units (Rosenbaum and Rubin, 1985)."""
    if rules.caliper is None or score is None:
        return np.inf
    return _width("the score", rules.caliper * float(np.std(score, ddof=1)))


def _windows(baseline: Baseline, rules: PairRules) -> tuple[Floats, Floats]:
    """Return the covariates that have a caliper, shape (n_units, q), and its width in the units of each, shape (q,)."""
    columns, widths = [], []
    for name, caliper in rules.calipers.items():
        values = baseline.label(name)
        if is_category(values):
            raise DesignError(f"'{name}' is a category, so it has no caliper. Ask for it to be shared exactly instead.")
        numbers = values.to_numpy(dtype=float)
        columns.append(numbers)
        width = caliper.width * (1.0 if caliper.in_units else float(np.std(numbers, ddof=1)))
        widths.append(_width(f"'{name}'", width))
    table = np.column_stack(columns) if columns else np.empty((len(baseline.units), 0))
    return table, np.array(widths)


def _width(name: str, width: float) -> float:
    if not 0 <= width < np.inf:
        raise DesignError(
            f"The caliper on {name} is negative or not a number. It is the most by which partners may differ: give a "
            "number from 0 on."
        )
    return width


def _apart(baseline: Baseline, names: tuple[str, ...]) -> Ints:
    codes = [pd.factorize(baseline.label(name), sort=True)[0] for name in names]
    return np.column_stack(codes).astype(np.int64) if codes else np.empty((len(baseline.units), 0), dtype=np.int64)
