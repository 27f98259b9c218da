"""Subclassification: strata by quantiles of the score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.sentence import Sentence, count
from evalkit.core.words import counted
from evalkit.data.baseline import Baseline
from evalkit.design.arrays.strata import bins, filled
from evalkit.design.matched import MatchedDesign
from evalkit.design.matching_options import Side, Subclassification, Target
from evalkit.design.scores import SCORE_DISTANCES, propensity_score
from evalkit.design.strata_result import stratified

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


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
    kept = ~discarded
    strata[kept], n_moved = _subclasses(score[kept], is_treated[kept], option.n_subclasses, target)
    design = stratified(baseline, option, target, strata)
    notes = (_note(option.n_subclasses, target, discarded), *(_moved_note(n_moved)))
    return replace(design, score=score, discarded=discarded, notes=notes)


def outside_support(score: Floats, is_treated: Bools, side: Side) -> Bools:
    """Return who of the arms named lies outside the range of the other arm's scores, shape (n_units,)."""
    outside = np.zeros(len(score), dtype=bool)
    for arm, name in ((is_treated, "treated"), (~is_treated, "comparison")):
        if side in (name, "both"):
            other = score[~arm]
            outside |= arm & ((score < other.min()) | (score > other.max()))
    return outside


def _subclasses(score: Floats, is_treated: Bools, n: int, target: Target) -> tuple[Ints, int]:
    """Return each unit's subclass, every one of which holds both arms, and how many units were moved for that."""
    focal = score[{"ATT": is_treated, "ATC": ~is_treated, "ATE": np.ones(len(score), dtype=bool)}[target]]
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
