"""The rows of a regression after matching: one for each unit, or one for each unit in each matched set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalkit.design.matched import MatchedDesign
from evalkit.estimate.arrays.contrast import ArmRows
from evalkit.estimate.effect_task import EffectTask

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MatchedRows:
    """Rows with what they belong to.

    Attributes
    ----------
    arms : ArmRows, covariates centred at the target group's means
    unit : shape (n,), positions in the baseline
    matched_set : shape (n,), or None
        Codes 0, 1, … of matched pairs, sets or strata; None where the method makes none.
    """

    arms: ArmRows
    unit: Ints
    matched_set: Ints | None

    @property
    def n_sets(self) -> int:
        """Return the number of matched sets, 0 where there are none."""
        return 0 if self.matched_set is None else int(self.matched_set.max()) + 1


def unit_rows(task: EffectTask) -> MatchedRows:
    """Return one row for each unit used, weighted as the design weights it."""
    design = task.design
    unit = np.flatnonzero(design.is_used)
    matched_set = None
    if design.strata is not None:
        matched_set = np.unique(design.strata[unit], return_inverse=True)[1].astype(np.int64)
    return _rows(task, unit, design.weights[unit], matched_set)


def pair_rows(task: EffectTask) -> MatchedRows:
    """Return for each matched set its focal unit, of weight 1, and its partners, which share a weight of 1.

    A partner that serves in several sets has a row in each, so that rows are clustered by set and by unit.
    """
    focal, partner = focal_and_partner(task.design)
    focals, of_set = np.unique(focal, return_inverse=True)
    share = 1 / np.bincount(of_set)[of_set]
    unit = np.concatenate([focals, partner])
    matched_set = np.concatenate([np.arange(len(focals)), of_set])
    return _rows(task, unit, np.concatenate([np.ones(len(focals)), share]), matched_set)


def focal_and_partner(design: MatchedDesign) -> tuple[Ints, Ints]:
    """Return the positions of each pair's focal unit (treated for the ATT) and of its partner."""
    assert design.pairs is not None
    both = design.pairs.treated, design.pairs.comparison
    return both if design.target != "ATC" else (both[1], both[0])


def _rows(task: EffectTask, unit: Ints, weight: Floats, matched_set: Ints | None) -> MatchedRows:
    centre = task.covariates[task.target].mean(axis=0)
    arms = ArmRows(
        task.outcome[unit],
        weight,
        task.design.baseline.is_treated[unit],
        task.covariates[unit] - centre,
        task.options.how == "g-computation",
    )
    return MatchedRows(arms, unit, matched_set)
