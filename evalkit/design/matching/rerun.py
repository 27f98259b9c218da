"""A matching made again for each of many sets of treated units, what does not hang on the set worked out once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.errors import DesignError
from evalkit.core.scipy_parts import special
from evalkit.data.baseline import Baseline, is_category
from evalkit.design.matching.features import score_columns
from evalkit.design.matching.full_matching import full_sets, size_bounds
from evalkit.design.matching.greedy_arrays import near_on_line
from evalkit.design.matching.match import match
from evalkit.design.matching.matched import MatchedDesign, Pairs, paired_weights, stratum_weights, without_units
from evalkit.design.matching.nearest_neighbour import nearest_pairs, require_options_agree
from evalkit.design.matching.optimal_matching import optimal_pairs
from evalkit.design.matching.options import (
    FullMatching,
    MatchingOption,
    NearestNeighbour,
    OptimalMatching,
    PairRules,
    WeightingOption,
)
from evalkit.design.matching.pairs import (
    PairFeatures,
    PairSpace,
    is_line,
    needs_score,
    pair_features,
    shared_codes,
    space_among,
)
from evalkit.design.matching.scores_arrays import fit_logits, standardised

AT_ONCE: Final = 25
"""Sets whose scores are fitted at a time: their rows stay in the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class MatchedUnits:
    """Units that a matching of one set uses, as positions, with their arms and weights; shape (n,) each."""

    unit: Ints
    is_treated: Bools
    weight: Floats


@dataclass(frozen=True, slots=True, eq=False)
class MatchingRerun:
    """What matchings of many sets against one table of units have in common.

    Attributes
    ----------
    baseline : everyone who may be in a set or compared with; who was treated there plays no part
    option : the method, with its constraints
    features : what pairing needs, None where each matching is made from the start
    covariates : shape (n_units, k + 1), a constant and the columns of the score
    levels : shape (n_units, number of levels), which level of each category a unit has
    first : codes that partners share before others are looked at, or None
    own : a score of one's own, or None
    """

    baseline: Baseline
    option: MatchingOption | WeightingOption
    features: PairFeatures | None
    covariates: Floats
    levels: Bools
    first: Ints | None = None
    own: Floats | None = None

    @classmethod
    def of(cls, baseline: Baseline, option: MatchingOption | WeightingOption) -> MatchingRerun:
        """Return what all matchings share; raise `DesignError` where the option names what is not there."""
        is_fast = isinstance(option, NearestNeighbour | OptimalMatching | FullMatching) and _is_fast(option)
        columns = score_columns(baseline)[0]
        first = own = None
        if isinstance(option, NearestNeighbour):
            require_options_agree(option)
            if option.within_first is not None:
                first = shared_codes(baseline, (*option.exact, option.within_first))
        if isinstance(option, PairRules) and option.own_score is not None:
            own = baseline.label(option.own_score).to_numpy(dtype=float)
        return cls(
            baseline=baseline,
            option=option,
            features=pair_features(baseline, option) if is_fast and isinstance(option, PairRules) else None,
            covariates=standardised(columns, np.ones(len(columns))),
            levels=_levels(baseline),
            first=first,
            own=own,
        )

    def matched(self, members: Ints, in_pool: Bools, lost: Bools) -> Iterator[MatchedUnits | None]:
        """Yield the units that each set's matching uses, None where none can be made.

        Parameters
        ----------
        members : shape (n_sets, m), positions of each set's units, −1 where it has fewer; they count as treated (ATT)
        in_pool : shape (n_sets, n_units), who may be compared with each set
        lost : shape (n_units,), who has no outcome: left out after matching, as `without_units` does
        """
        return (found for (found,) in matched_by_each((self,), members, in_pool, lost))

    @property
    def score_key(self) -> tuple[object, ...]:
        """Return what tells a score from others of the same units; empty where none is used."""
        option = self.option
        if self.features is None or not isinstance(option, PairRules) or not needs_score(option):
            return ()
        if option.distance in ("own", "linear-logit"):
            return option.distance, option.own_score
        return ("logit",)

    def of_set(self, among: _Among, score: Floats | None, lost: Bools) -> MatchedUnits | None:
        """Return the units that the matching of one set uses, None where none can be made."""
        try:
            return self._matched(among, score, lost)
        except DesignError:
            return None

    def scores(self, members: Ints, in_pool: Bools) -> Floats | None:
        """Return scores of every unit for each set, NaN where one is fitted from the start; None where none is used."""
        if not self.score_key:
            return None
        if self.score_key[0] == "own":
            assert self.own is not None
            return np.broadcast_to(self.own, in_pool.shape)
        predictors = fit_logits(self.covariates, members, in_pool)
        return predictors if self.score_key[0] == "linear-logit" else np.asarray(special.expit(predictors))

    def _matched(self, among: _Among, score: Floats | None, lost: Bools) -> MatchedUnits | None:
        focal, pool, everyone = among.focal, among.pool, among.everyone
        is_whole = self.features is not None and among.has_all_levels
        if not is_whole or (score is not None and np.isnan(score).any()):
            if self._is_separated(focal, pool):
                return None
            return _used(self.design(focal, pool), everyone, lost)
        assert self.features is not None
        assert isinstance(self.option, PairRules)
        is_treated = among.is_treated
        space = space_among(self.features, self.option, score, is_treated, everyone)
        focal, pool = focal[~space.discarded[focal]], pool[~space.discarded[pool]]
        weights = self._weights(space, focal, pool, is_treated, lost)
        unit = np.flatnonzero(weights)
        return MatchedUnits(unit, is_treated[unit], weights[unit]) if is_treated[unit].any() else None

    def _is_separated(self, focal: Ints, pool: Ints) -> bool:
        """Return whether a level that some have and some lack tells the set from its pool, so that no score exists."""
        if not isinstance(self.option, PairRules) or self.option.distance not in ("logit", "linear-logit", "probit"):
            return False
        n = self.levels[focal].sum(axis=0)
        is_one_sided = (n == 0) | (n == len(focal))
        n_pool = self.levels[pool].sum(axis=0)
        return bool((is_one_sided & (n_pool > 0) & (n_pool < len(pool))).any())

    def _weights(self, space: PairSpace, focal: Ints, pool: Ints, is_treated: Bools, lost: Bools) -> Floats:
        option = self.option
        if isinstance(option, FullMatching):
            strata, _ = full_sets(space, size_bounds(option), focal, pool)
            return stratum_weights(is_treated, np.where(lost, -1, strata), "ATT")
        assert isinstance(option, NearestNeighbour | OptimalMatching)
        n_near = len(focal) * max(option.ratio, getattr(option, "most", None) or 1)
        near = _near(option, space, focal, pool, n_near)
        if isinstance(option, NearestNeighbour):
            pairs = nearest_pairs(option, space, (focal, near), "ATT", self.first)
        else:
            if n_near > len(pool):
                raise DesignError("There are fewer comparison units than partners are asked for.")
            pairs = Pairs(*optimal_pairs(space, option.ratio, focal, near)[:3])
        whole = ~lost[pairs.treated] & ~lost[pairs.comparison]
        kept = Pairs(pairs.treated[whole], pairs.comparison[whole], pairs.distance[whole])
        return paired_weights(is_treated, kept, "ATT")

    def design(self, focal: Ints, pool: Ints) -> MatchedDesign:
        """Return the design of one set from the start, as `match` makes it of these units alone.

        `focal` and `pool` are positions in the baseline; those of the design are in the same order.
        """
        everyone = np.sort(np.concatenate([focal, pool]))
        units = self.baseline.units.iloc[everyone].assign(is_treated=np.isin(everyone, focal))
        table = self.baseline.covariates.iloc[everyone]
        return match(Baseline(units, table, self.baseline.years, self.baseline.first_treated), self.option)


@dataclass(frozen=True, slots=True, eq=False)
class _Among:
    """One set and its pool, as positions in ascending order; what does not hang on the method of matching."""

    focal: Ints
    pool: Ints
    everyone: Ints
    is_treated: Bools
    has_all_levels: bool


def matched_by_each(
    reruns: Sequence[MatchingRerun], members: Ints, in_pool: Bools, lost: Bools
) -> Iterator[tuple[MatchedUnits | None, ...]]:
    """Yield for each set what each of several methods matches, as `MatchingRerun.matched` gives it of one.

    The methods are all of the same units and covariates (the caller sees to that), so that a score is fitted to a set
    once for all that use it.
    """
    shared = reruns[0]
    for first in range(0, len(members), AT_ONCE):
        at = slice(first, first + AT_ONCE)
        scores: dict[tuple[object, ...], Floats | None] = {}
        for one in reruns:
            if one.score_key not in scores:
                scores[one.score_key] = one.scores(members[at], in_pool[at])
        for row, (units, pool) in enumerate(zip(members[at], in_pool[at], strict=True)):
            among = _among(shared.levels, np.sort(units[units >= 0]), np.flatnonzero(pool))
            each = ((one, scores[one.score_key]) for one in reruns)
            yield tuple(one.of_set(among, None if all_of is None else all_of[row], lost) for one, all_of in each)


def _among(levels: Bools, focal: Ints, pool: Ints) -> _Among:
    everyone = np.sort(np.concatenate([focal, pool]))
    is_treated = np.zeros(len(levels), dtype=bool)
    is_treated[focal] = True
    return _Among(focal, pool, everyone, is_treated, bool(levels[everyone].any(axis=0).all()))


def _is_fast(option: PairRules) -> bool:
    """Return whether arrays alone give what the method needs; a probit and ranks are made from the start."""
    return option.distance not in ("probit", "robust-mahalanobis")


def _levels(baseline: Baseline) -> Bools:
    """Return which level of each category each unit has, shape (n_units, number of levels)."""
    columns = []
    for name in baseline.covariates:
        values = baseline.covariates[name]
        if is_category(values):
            texts = values.astype("str").to_numpy(dtype=object)
            columns += [texts == level for level in sorted(set(texts))]
    return np.column_stack(columns) if columns else np.empty((len(baseline.units), 0), dtype=bool)


def _near(option: PairRules, space: PairSpace, focal: Ints, pool: Ints, n_near: int) -> Ints:
    """Return those of a pool whom some unit could come to: on a line as many on either side as all want together."""
    is_limited = option.anti_exact or option.calipers or getattr(option, "within_first", None)
    if not is_line(option) or is_limited:
        return pool
    scores, parts = space.coordinates[:, 0], []
    for code in np.unique(space.strata[focal]):
        of_focal, of_pool = focal[space.strata[focal] == code], pool[space.strata[pool] == code]
        if len(of_pool):
            parts.append(of_pool[near_on_line(scores[of_focal], scores[of_pool], n_near)])
    return np.sort(np.concatenate(parts)) if parts else pool[:0]


def _used(design: MatchedDesign, everyone: Ints, lost: Bools) -> MatchedUnits:
    left = without_units(design, lost[everyone])
    at = np.flatnonzero(left.weights)
    return MatchedUnits(everyone[at], design.baseline.is_treated[at], left.weights[at])
