"""Matching in strata: exact, coarsened exact, and subclassification; whole strata are kept and their units weighted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.errors import DesignError
from evalkit.core.sentence import Sentence, count
from evalkit.core.words import counted, did_you_mean, listed
from evalkit.data.baseline import Baseline, is_category
from evalkit.design.matching.features import distance_columns
from evalkit.design.matching.matched import MatchedDesign, Pairs, in_target, stratum_weights
from evalkit.design.matching.options import CoarsenedExact, ExactMatching, MatchingOption, Subclassification, Target
from evalkit.design.matching.pairs import outside_support
from evalkit.design.matching.pairs_arrays import pooled_within_covariance
from evalkit.design.matching.scores import SCORE_DISTANCES, propensity_score
from evalkit.design.matching.strata_arrays import bins, equal_width_cuts, filled, nearest_pairs, sturges

# Exact matching: units that are equal in every covariate.


def exact_matching(baseline: Baseline, option: ExactMatching, target: Target) -> MatchedDesign:
    """Return strata of units that are equal in every covariate; strata that lack an arm are left out.

    Raises
    ------
    DesignError
        Where no treated unit is equal to a comparison unit in every covariate.
    """
    columns = [categories(baseline.covariates[name]) for name in baseline.covariates]
    return stratified(baseline, option, target, whole_strata(columns, baseline.is_treated))


# Coarsened exact matching: units that are equal in every covariate once numbers are cut into bins.

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
    pair_codes = np.full(len(strata), -1, dtype=np.int64)
    pair_codes[pairs.treated] = pair_codes[pairs.comparison] = np.arange(len(pairs.treated))
    spare = int(((pair_codes < 0) & (strata >= 0)).sum())
    note = Sentence(
        "{pairs} pairs within them; {spare} units of these strata without a partner are left out.",
        pairs=count(len(pairs.treated)),
        spare=count(spare, among=len(strata)),
    )
    weights = (pair_codes >= 0).astype(float)
    return replace(design, weights=weights, strata=pair_codes, pairs=pairs, notes=(*design.notes, note))


def _paired(baseline: Baseline, strata: Ints) -> Pairs:
    points, is_treated = _whitened(baseline), baseline.is_treated
    treated, comparison = (_by_stratum(strata, arm) for arm in (is_treated, ~is_treated))
    pairs = []
    for treated_at, comparison_at in zip(treated, comparison, strict=True):
        if len(treated_at) * len(comparison_at) > MOST_PAIRS:
            raise DesignError(
                f"A stratum has {len(treated_at):,} treated and {len(comparison_at):,} comparison units, too many to "
                "find the nearest pairs of. Use more cutpoints, or leave one_to_one out."
            )
        a, b, distance = nearest_pairs(points[treated_at], points[comparison_at])
        pairs.append((treated_at[a], comparison_at[b], distance))
    rows, columns, distances = (np.concatenate(part) for part in zip(*pairs, strict=True))
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
    has_variance = values > _SINGULAR * values[-1]
    white: Floats = columns @ (vectors[:, has_variance] / np.sqrt(values[has_variance]))
    return white


# Subclassification: strata by quantiles of the score.


def subclassification(baseline: Baseline, option: Subclassification, target: Target) -> MatchedDesign:
    """Return subclasses cut at quantiles of the score in the group whose effect is wanted (Rosenbaum and Rubin, 1984).

    For the ATE quantiles are those of all units. A score at a quantile belongs to the subclass above. Where a
    subclass lacks an arm, units of that arm are moved from the nearest one that can spare them, which a note says.

    Raises
    ------
    DesignError
        Where the distance is no score, the score cannot be fitted, or an arm or the score's values do not suffice
        for so many subclasses.
    """
    if option.distance not in SCORE_DISTANCES:
        raise DesignError(f"Subclasses are cut from a score, and '{option.distance}' is a distance between two units.")
    is_treated = baseline.is_treated
    score = propensity_score(baseline, option.distance, option.own_score)
    discarded = outside_support(score, is_treated, option.common_support)
    strata = np.full(len(score), -1, dtype=np.int64)
    is_eligible = ~discarded
    strata[is_eligible], n_moved = _subclasses(score[is_eligible], is_treated[is_eligible], option.n_subclasses, target)
    design = stratified(baseline, option, target, strata)
    notes = (_note(option.n_subclasses, target, discarded), *(_moved_note(n_moved)))
    return replace(design, score=score, discarded=discarded, notes=notes)


def _subclasses(score: Floats, is_treated: Bools, n: int, target: Target) -> tuple[Ints, int]:
    """Return each unit's subclass, every one of which holds both arms, and how many units were moved for that."""
    focal = score[in_target(is_treated, target)]
    _require_enough(focal, is_treated, n)
    cuts = np.quantile(focal, np.arange(1, n) / n)
    subclass = bins(score, cuts, "left")
    before = subclass.copy()
    for arm in (is_treated, ~is_treated):
        subclass[arm] = filled(subclass[arm], score[arm], n)
    return subclass, int((subclass != before).sum())


def _require_enough(focal: Floats, is_treated: Bools, n: int) -> None:
    if n < 1:
        raise DesignError(f"There is at least one subclass; {n} were asked for.")
    for size, name in ((int(is_treated.sum()), "treated"), (int((~is_treated).sum()), "comparison")):
        if size < n:
            raise DesignError(
                Sentence(
                    "There are {units} for {n} subclasses, each of which needs one. Ask for fewer subclasses.",
                    units=count(size, "units", f"{name} unit"),
                    n=str(n),
                )
            )
    # scores of units that are alike can differ by rounding, and cut no subclass
    n_values = len(np.unique(np.round(focal, 12)))
    if n_values < n:
        raise DesignError(
            Sentence(
                "The score takes only {values} in the group whose effect is wanted, too few for {n} subclasses. Ask "
                "for fewer, or match exactly.",
                values=count(n_values, "units", "value"),
                n=str(n),
            )
        )


def _note(n: int, target: Target, discarded: Bools) -> str:
    group = {"ATT": "the treated units'", "ATC": "the comparison units'", "ATE": "all units'"}[target]
    outside = count(int(discarded.sum()), "units", "unit", among=len(discarded))
    lost = Sentence("; {n} outside common support left out before", n=outside) if outside.n else ""
    return Sentence(
        "{n} cut at quantiles of {group} scores{lost}.",
        n=counted(n, "subclass", "subclasses"),
        group=group,
        lost=lost,
    )


def _moved_note(n_moved: int) -> tuple[str, ...]:
    if not n_moved:
        return ()
    return (
        Sentence(
            "{n} moved to a neighbouring subclass so that each holds both arms: there the arms hardly overlap. Fewer "
            "subclasses need fewer moves.",
            n=count(n_moved, "units", "unit was", "units were"),
        ),
    )


# From codes of strata to a design: whole strata kept, units weighted, and what was left out said.


def categories(values: pd.Series) -> Ints:
    """Return a code for each value, equal where values are, shape (n_units,)."""
    return pd.factorize(values)[0].astype(np.int64)


def whole_strata(columns: Sequence[Ints], is_treated: Bools) -> Ints:
    """Return strata of units that are equal in every column of codes, −1 where a stratum lacks an arm.

    Strata are numbered by their first unit. Shape (n_units,).
    """
    codes = np.zeros(len(is_treated), dtype=np.int64)
    for column in columns:
        # numbered anew at each column: the product of many numbers of levels would overflow
        codes = pd.factorize(codes * (int(column.max(initial=0)) + 1) + column)[0].astype(np.int64)
    treated, comparison = (np.bincount(codes[arm], minlength=codes.max(initial=-1) + 1) for arm in _arms(is_treated))
    inside = ((treated > 0) & (comparison > 0))[codes]
    strata = np.full(len(codes), -1, dtype=np.int64)
    strata[inside] = pd.factorize(codes[inside])[0]
    return strata


def stratified(baseline: Baseline, option: MatchingOption, target: Target, strata: Ints) -> MatchedDesign:
    """Return the design of whole strata, weighted by the target group, with a note on units that lie in none."""
    is_treated = baseline.is_treated
    return MatchedDesign(
        baseline=baseline,
        option=option,
        target=target,
        weights=stratum_weights(is_treated, strata, target),
        strata=strata,
        discarded=np.zeros(len(strata), dtype=bool),
        notes=(left_out_note(strata, is_treated),),
    )


def left_out_note(strata: Ints, is_treated: Bools) -> str:
    """Return a sentence on how many strata there are and who lies in none."""
    n_strata = int(strata.max(initial=-1)) + 1
    n_strata_sentence = Sentence("{n} both arms", n=count(n_strata, "units", "stratum holds", "strata hold"))
    is_left_out = strata < 0
    treated, comparison = (int((is_left_out & arm).sum()) for arm in _arms(is_treated))
    if treated + comparison == 0:
        return Sentence("{said}; no unit is left out.", said=n_strata_sentence)
    n_treated = int(is_treated.sum())
    return Sentence(
        "{said}; {treated} treated and {comparison} in strata without the other arm are left out.",
        said=n_strata_sentence,
        treated=count(treated, among=n_treated),
        comparison=count(comparison, "units", "comparison unit", among=len(is_treated) - n_treated),
    )


def _arms(is_treated: Bools) -> tuple[Bools, Bools]:
    return is_treated, ~is_treated
