"""Coarsened exact matching: units that are equal in every covariate once numbers are cut into bins."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.sentence import Sentence, count
from evalkit.core.words import did_you_mean, listed
from evalkit.data.baseline import Baseline, is_category
from evalkit.design.arrays.distances import pooled_within_covariance
from evalkit.design.arrays.strata import bins, equal_width_cuts, nearest_pairs, sturges
from evalkit.design.features import distance_columns
from evalkit.design.matched import MatchedDesign, Pairs
from evalkit.design.matching_options import CoarsenedExact, Target
from evalkit.design.strata_result import categories, stratified, whole_strata

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_PAIRS: Final = 4_000_000
"""Possible pairs of one stratum that are held at a time (some 130 MB while they are sorted)."""

_SINGULAR: Final = 1e-10


def coarsened_exact(baseline: Baseline, option: CoarsenedExact, target: Target) -> MatchedDesign:
    """Return strata of units that are equal in every coarsened covariate (Iacus, King and Porro, 2012).

    Numbers are cut at the cutpoints given, into the number of bins of one width given, or into as many as Sturges'
    rule says for all units; a value at a cutpoint belongs to the bin below. Categories stay as they are.
    Strata that lack an arm are left out. With `one_to_one` units of a stratum are paired, the two nearest first by
    Mahalanobis distance over all covariates (equally near: the earlier treated, then the earlier comparison unit),
    and units without a partner are left out.

    Raises
    ------
    DesignError
        Where a cutpoint makes no sense, no stratum holds both arms, or a stratum is too large for `one_to_one`.
    """
    _require_known(baseline, option)
    columns = [_coarsened(baseline.covariates[name], option) for name in baseline.covariates]
    strata = whole_strata(columns, baseline.is_treated)
    design = stratified(baseline, option, target, strata)
    return _one_to_one(design, strata) if option.one_to_one else design


def _require_known(baseline: Baseline, option: CoarsenedExact) -> None:
    known = list(map(str, baseline.covariates))
    for name, cut in option.cutpoints.items():
        if name not in known:
            raise DesignError(
                f"There is no covariate '{name}' to cut.{did_you_mean(name, known)} There are: {listed(known, 20)}."
            )
        if is_category(baseline.covariates[name]):
            raise DesignError(
                f"The covariate '{name}' holds categories, which stay as they are. Leave its cutpoints out."
            )
        is_wrong = cut < 1 if isinstance(cut, int) else not np.isfinite(cut).all()
        if is_wrong:
            raise DesignError(f"The covariate '{name}' is cut into at least one bin, or at numbers; not at {cut}.")


def _coarsened(values: pd.Series, option: CoarsenedExact) -> Ints:
    if is_category(values):
        return categories(values)
    numbers = values.to_numpy(dtype=float)
    cut = option.cutpoints.get(str(values.name), sturges(len(numbers)))
    cuts = equal_width_cuts(numbers, cut) if isinstance(cut, int) else np.array(cut, dtype=float)
    return bins(numbers, cuts, "right")


def _one_to_one(design: MatchedDesign, strata: Ints) -> MatchedDesign:
    """Return the design of pairs within strata, each unit of them of weight 1."""
    pairs = _paired(design.baseline, strata)
    own = np.full(len(strata), -1, dtype=np.int64)
    own[pairs.treated] = own[pairs.comparison] = np.arange(len(pairs.treated))
    spare = int(((own < 0) & (strata >= 0)).sum())
    note = Sentence(
        "{pairs} pairs within them; {spare} units of these strata without a partner are left out.",
        pairs=count(len(pairs.treated)),
        spare=count(spare, among=len(strata)),
    )
    weights = (own >= 0).astype(float)
    return replace(design, weights=weights, strata=own, pairs=pairs, notes=(*design.notes, note))


def _paired(baseline: Baseline, strata: Ints) -> Pairs:
    points, is_treated = _whitened(baseline), baseline.is_treated
    treated, comparison = (_by_stratum(strata, arm) for arm in (is_treated, ~is_treated))
    found = []
    for left, right in zip(treated, comparison, strict=True):
        if len(left) * len(right) > MOST_PAIRS:
            raise DesignError(
                f"A stratum has {len(left):,} treated and {len(right):,} comparison units, too many to find the "
                "nearest pairs of. Use more cutpoints, or leave one_to_one out."
            )
        a, b, distance = nearest_pairs(points[left], points[right])
        found.append((left[a], right[b], distance))
    rows, columns, distances = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.argsort(rows, kind="stable")
    return Pairs(rows[order], columns[order], distances[order])


def _by_stratum(strata: Ints, arm: NDArray[np.bool_]) -> list[Ints]:
    """Return for each stratum the positions of its units in an arm, in order."""
    rows = np.flatnonzero(arm & (strata >= 0))
    rows = rows[np.argsort(strata[rows], kind="stable")]
    return np.split(rows, np.cumsum(np.bincount(strata[rows]))[:-1])


def _whitened(baseline: Baseline) -> Floats:
    """Return covariates in which Euclidean distance is Mahalanobis; directions without spread count nothing."""
    columns, is_treated = distance_columns(baseline)[0], baseline.is_treated
    size = np.where(columns.std(axis=0) > 0, columns.std(axis=0), 1.0)
    columns = (columns - columns.mean(axis=0)) / size
    values, vectors = np.linalg.eigh(pooled_within_covariance(columns[is_treated], columns[~is_treated]))
    kept = values > _SINGULAR * values[-1]
    white: Floats = columns @ (vectors[:, kept] / np.sqrt(values[kept]))
    return white
