"""The effect on a whole area given where it stood before: what areas that stood so gain where nothing happened."""

from __future__ import annotations

import numpy as np

from evalkit.core.quantities import Unavailable
from evalkit.design.project import labels
from evalkit.diagnose.project.evaluation import GivenBaseline
from evalkit.diagnose.project.falsification import FEWEST_AREAS, PART_OF_AREA
from evalkit.diagnose.project.results import Results
from evalkit.estimate.areas.area_effects import effects_by_area
from evalkit.estimate.areas.changes_arrays import permutation_test, residuals_without
from evalkit.estimate.areas.sample import levels_before


def given_baseline(results: Results, outcome: str) -> GivenBaseline | Unavailable:
    """Return the main effect of a whole area given its baseline gap, or why it cannot be given.

    Ordinary least squares of T_j on B_j over the other areas; r_a for the treated one by the same line;
    p = (1 + #{|r_j| ≥ |r_a|}) / J.
    """
    found, design = results.outcomes.get(outcome), results.locked.outcomes[outcome]
    areas = found.main_areas if found else None
    if not design.is_whole_area:
        return PART_OF_AREA
    if found is None or areas is None or len(areas.groups) < FEWEST_AREAS:
        return Unavailable("Too few areas could be analysed the same way to see this.")
    treated = areas.position(design.treated_group)
    if treated < 0:
        return Unavailable("No treated school was analysed.")
    levels = effects_by_area(
        found.weighed(levels_before(found.panel, results.project.exposure)),
        design.comparisons[labels.NEIGHBOURS],
        design.treated_group,
        results.project.pool.minimum_area_schools,
    )
    gap = levels.effects[np.searchsorted(levels.groups, areas.groups)]
    left = residuals_without(areas.effects, gap, treated)
    others = np.arange(len(gap)) != treated
    spread = gap[others] - gap[others].mean()
    return GivenBaseline(
        outcome=outcome,
        estimate=float(left[treated]),
        expected=float(areas.effects[treated] - left[treated]),
        p_value=permutation_test(left, treated).p_value,
        slope=float(spread @ areas.effects[others] / (spread @ spread)),
        gap=float(gap[treated]),
        median_gap=float(np.median(np.abs(gap))),
        n_areas=len(gap),
    )
