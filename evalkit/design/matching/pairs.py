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
    if needs_score(rules):
        score = propensity_score(baseline, rules.distance if is_score else "logit", rules.own_score)
    if not is_line(rules):
        require_variation(baseline, rules.mahalanobis_on or None)
        require_arms(baseline.is_treated)
    return space_among(pair_features(baseline, rules), rules, score, baseline.is_treated)


def needs_score(rules: PairRules) -> bool:
    """Return whether a score is part of the distance or of a limit."""
    return rules.distance in SCORE_DISTANCES or rules.caliper is not None or rules.common_support != "none"


def is_line(rules: PairRules) -> bool:
    """Return whether the distance is the difference of a score."""
    return rules.distance in SCORE_DISTANCES and not rules.mahalanobis_on


@dataclass(frozen=True, slots=True, eq=False)
class PairFeatures:
    """What pairing needs to know of units, whoever is treated, in the order of the baseline.

    Attributes
    ----------
    columns : shape (n_units, k), what a distance over covariates is made of; k = 0 for a score
    strata, windows, apart : as in `PairSpace`
    """

    columns: Floats
    strata: Ints
    windows: Floats
    apart: Ints


def pair_features(baseline: Baseline, rules: PairRules) -> PairFeatures:
    """Return what pairing needs of units; raise `DesignError` where a rule names a column that is not there."""
    columns = np.empty((len(baseline.units), 0))
    if not is_line(rules):
        columns, _ = distance_columns(baseline, rules.mahalanobis_on or None)
    return PairFeatures(
        columns=columns,
        strata=shared_codes(baseline, rules.exact),
        windows=_windows(baseline, rules),
        apart=_apart(baseline, rules.anti_exact),
    )


def space_among(
    features: PairFeatures,
    rules: PairRules,
    score: Floats | None,
    is_treated: Bools,
    among: Ints | None = None,
) -> PairSpace:
    """Return distances and limits where some units are treated and `among` (None: all) are those there are.

    Spreads are over these alone, and only they have a place that means anything.
    """
    everyone = slice(None) if among is None else among
    if is_line(rules):
        assert score is not None
        coordinates = score[:, None]
    else:
        coordinates = _coordinates(features.columns, rules, is_treated, everyone)
    discarded = np.zeros(len(is_treated), dtype=bool)
    if score is not None:
        discarded[everyone] = outside_support(score[everyone], is_treated[everyone], rules.common_support)
    return PairSpace(
        coordinates=coordinates,
        score=score,
        caliper=_caliper(rules, None if score is None else score[everyone]),
        strata=features.strata,
        windows=features.windows,
        widths=_widths(features.windows[everyone], rules),
        apart=features.apart,
        discarded=discarded,
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


def _coordinates(columns: Floats, rules: PairRules, treated: Bools, everyone: Ints | slice) -> Floats:
    kind = "mahalanobis" if rules.mahalanobis_on else rules.distance
    if kind == "robust-mahalanobis":
        ranks = np.zeros_like(columns)
        ranks[everyone] = np.column_stack([mean_ranks(column) for column in columns[everyone].T])
        spread = np.atleast_2d(np.cov(ranks[everyone].T))
        return whitened_generally(ranks, _untied(spread, len(ranks[everyone])))
    covariance = _within(columns[everyone], treated[everyone])
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


def _windows(baseline: Baseline, rules: PairRules) -> Floats:
    """Return the covariates that have a caliper, shape (n_units, q)."""
    columns = []
    for name in rules.calipers:
        values = baseline.label(name)
        if is_category(values):
            raise DesignError(f"'{name}' is a category, so it has no caliper. Ask for it to be shared exactly instead.")
        columns.append(values.to_numpy(dtype=float))
    return np.column_stack(columns) if columns else np.empty((len(baseline.units), 0))


def _widths(windows: Floats, rules: PairRules) -> Floats:
    """Return the width of each caliper on a covariate in its own units, shape (q,)."""
    calipers = zip(rules.calipers.items(), windows.T, strict=True)
    return np.array(
        [
            _width(f"'{name}'", caliper.width * (1.0 if caliper.in_units else float(np.std(column, ddof=1))))
            for (name, caliper), column in calipers
        ]
    )


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
