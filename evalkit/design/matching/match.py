"""`match`: one verb for every way of choosing or weighting a comparison group, its result looked at once more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Final

import numpy as np

from evalkit.core.errors import EvalkitError
from evalkit.data.baseline import Baseline, is_category
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import (
    FullMatching,
    MatchingOption,
    NearestNeighbour,
    OptimalMatching,
    PairRules,
    Target,
    WeightingOption,
)

_METHODS: Final = {
    "NearestNeighbour": "nearest_neighbour.nearest_neighbour",
    "OptimalMatching": "optimal_matching.optimal_matching",
    "FullMatching": "full_matching.full_matching",
    "ExactMatching": "strata.exact_matching",
    "CoarsenedExact": "strata.coarsened_exact",
    "Subclassification": "strata.subclassification",
    "ProfileMatching": "profile_matching.profile_matching",
    "EntropyBalancing": "weighting.entropy_balancing",
    "InverseProbability": "weighting.inverse_probability",
    "CovariateBalancing": "weighting.covariate_balancing",
}


def match(baseline: Baseline, option: MatchingOption | WeightingOption, target: Target = "ATT") -> MatchedDesign:
    """Choose or weight a comparison group by what was known before the programme.

    Parameters
    ----------
    baseline : Baseline
        Units, who was treated, covariates and labels: no outcome, and no place for one.
    option : one of the option objects of `options`
        The method and everything that is chosen in it.
    target : "ATT", "ATC" or "ATE"
        Whose average effect is wanted. Whether units of that group were lost is the design's to say (`estimand`).

    Raises
    ------
    DesignError
        Where the method cannot give that target, or the data leave nothing to compare.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Baseline, BaselineRoles, NearestNeighbour, match
    >>> frame = pd.DataFrame({"school": list("ABCDEF"), "took_part": [1, 1, 0, 0, 0, 0]})
    >>> frame["score"] = [10.0, 12.0, 9.8, 10.9, 12.1, 15.0]
    >>> roles = BaselineRoles(unit="school", treated="took_part", covariates=("score",))
    >>> design = match(Baseline.from_frame(frame, roles), NearestNeighbour(distance="euclidean"))
    >>> design.pair_table().round(2)
      treated comparison  distance
    0       A          C      0.10
    1       B          E      0.05
    >>> str(design.estimand), design.weights.tolist()
    ('ATT', [1.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    """
    home, name = _METHODS[type(option).__name__].split(".")
    method: Callable[[Baseline, Any, Target], MatchedDesign] = getattr(
        import_module(f"evalkit.design.matching.{home}"), name
    )
    design = method(baseline, option, target)
    require_rules_kept(design)
    return design


# Every constraint looked at once more in what a matching method returned.

_ROUNDING = 1e-9
"""What rounding may add to a width or a sum, as a share of it."""


def require_rules_kept(design: MatchedDesign) -> None:
    """Raise `EvalkitError` where a result breaks what its option promises, whatever the method did to keep it.

    Looked at: exact and anti-exact labels, calipers, ratio, reuse, partners used twice, units left out that carry
    weight, sums of weights, and sets or strata that lack an arm.
    """
    for broken in _broken(design):
        raise EvalkitError(
            f"A rule of this matching is broken in its result: {broken}. This is an error of the kit, and no result is "
            "given. Please report it with the command and the version."
        )


def _broken(design: MatchedDesign) -> Iterator[str]:
    yield from _weights(design)
    yield from _strata(design)
    option = design.option
    if design.pairs is not None and isinstance(option, PairRules):
        yield from _labels(design, option)
        yield from _calipers(design, option)
        yield from _counts(design, option)


def _weights(design: MatchedDesign) -> Iterator[str]:
    if not np.isfinite(design.weights).all() or (design.weights < 0).any():
        yield "a weight is negative or not finite"
    if (design.weights[design.discarded] > 0).any():
        yield "a unit that was left out before matching carries weight"
    for arm, name in ((design.baseline.is_treated, "treated"), (~design.baseline.is_treated, "comparison")):
        used = design.weights[arm][design.weights[arm] > 0]
        if abs(used.sum() - len(used)) > _ROUNDING * max(len(used), 1) * 100:
            yield f"the weights of {name} units do not sum to their number"


def _strata(design: MatchedDesign) -> Iterator[str]:
    if design.strata is None:
        return
    used = design.is_used
    treated = np.unique(design.strata[used & design.baseline.is_treated])
    comparison = np.unique(design.strata[used & ~design.baseline.is_treated])
    if not np.array_equal(treated, comparison) or (treated < 0).any():
        yield "a set or stratum lacks an arm"


def _labels(design: MatchedDesign, option: PairRules) -> Iterator[str]:
    assert design.pairs is not None
    for names, is_shared in ((option.exact, True), (option.anti_exact, False)):
        for name in names:
            values = design.baseline.label(name).to_numpy()
            same = values[design.pairs.treated] == values[design.pairs.comparison]
            if not (same == is_shared).all():
                yield f"partners {'differ in' if is_shared else 'share'} '{name}'"


def _calipers(design: MatchedDesign, option: PairRules) -> Iterator[str]:
    assert design.pairs is not None
    limits = []
    if option.caliper is not None and design.score is not None:
        limits.append(("the score", design.score, option.caliper * float(np.std(design.score, ddof=1))))
    for name, caliper in option.calipers.items():
        values = design.baseline.label(name)
        if not is_category(values):
            numbers = values.to_numpy(dtype=float)
            width = caliper.width * (1.0 if caliper.in_units else float(np.std(numbers, ddof=1)))
            limits.append((f"'{name}'", numbers, width))
    for name, numbers, width in limits:
        apart = np.abs(numbers[design.pairs.treated] - numbers[design.pairs.comparison])
        if apart.max(initial=0) > width * (1 + _ROUNDING):
            yield f"partners are further apart in {name} than its caliper"


def _counts(design: MatchedDesign, option: PairRules) -> Iterator[str]:
    assert design.pairs is not None
    pairs = design.pairs
    if len(np.unique(pairs.treated * np.int64(len(design.weights)) + pairs.comparison)) < len(pairs.treated):
        yield "a pair stands twice"
    if isinstance(option, FullMatching):
        return
    focal, partner = pairs.in_turn(design.target)
    most_served = int(np.bincount(partner).max(initial=0))
    most_partners = int(np.bincount(focal).max(initial=0))
    ratio, reuse = _limits(option, len(focal))
    if most_partners > ratio:
        yield f"a unit has {most_partners} partners where {ratio} were asked for"
    if most_served > reuse:
        yield f"a partner serves {most_served} times where it may {reuse} times"


def _limits(option: PairRules, n_pairs: int) -> tuple[int, int]:
    """Return the most partners of a unit and the most times a partner serves."""
    if isinstance(option, NearestNeighbour):
        reuse = n_pairs if option.replacement else option.reuse_limit or 1
        return option.most or option.ratio, reuse
    assert isinstance(option, OptimalMatching)
    return option.ratio, 1
