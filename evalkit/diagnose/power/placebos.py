"""Placebo effects and critical values of a project's own test, from changes before the programme."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import in_pieces, stream
from evalkit.core.project import Project
from evalkit.design.power.simulation import placebo_sets
from evalkit.design.project.areas import AreaComparisons, without_areas
from evalkit.design.project.labels import NEIGHBOURS
from evalkit.design.project.plan import OutcomeDesign
from evalkit.diagnose.power.report import PowerOptions
from evalkit.estimate.areas.area_effects import AreaEffects, effects_by_area
from evalkit.estimate.areas.changes_arrays import permutation_test
from evalkit.estimate.areas.sample import Changes

_ALIKE: Final = (0.5, 2.0)
"""Areas of a size between half and twice the treated one's stand in for it, where at least 20 do."""
_FEWEST_ALIKE: Final = 20
_CHUNK: Final = 10
"""Placebo areas or sets in a chunk, whoever tries them."""


@dataclass(frozen=True, slots=True, eq=False)
class PlaceboSets:
    """Effects of placebo treated sets between two single years before the programme, and what the test would need.

    `effects` and `critical` have shape (D,); `is_every_set` says whether every set that could be formed is in it;
    `what` names a set, in words.
    """

    effects: Floats
    critical: Floats
    is_every_set: bool
    what: str


def area_placebos(project: Project, design: OutcomeDesign, changes: Changes, options: PowerOptions) -> PlaceboSets:
    """Take each untreated area as if it were the treated one and run the area permutation on the others.

    The treated area is left out. The placebo area serves no other as comparison, as the treated one does not. Areas
    of about the treated one's size are taken, where at least 20 are; more than `options.n_simulations` of them are
    drawn without replacement.
    """
    chosen, what = _alike(placebo_areas(project, design, changes), int((changes.group == design.treated_group).sum()))
    is_every, n = options.n_simulations >= len(chosen), options.n_simulations
    if not is_every:
        chosen = np.sort(stream(project.seed, "power: placebo areas").choice(chosen, size=n, replace=False))
    tried = partial(_as_if_each, project, design, changes, 1 - options.level)
    found = in_pieces(options.executor, tried, chosen, _CHUNK)
    effects, critical = np.array(found, dtype=float).reshape(-1, 2).T
    return PlaceboSets(effects, critical, is_every, what)


def placebo_areas(
    project: Project, design: OutcomeDesign, changes: Changes, comparisons: AreaComparisons | None = None
) -> AreaEffects:
    """Return the effects of the areas that the permutation places the treated one among, itself left out."""
    used = comparisons or design.comparisons[NEIGHBOURS]
    areas = effects_by_area(changes, used, design.treated_group, project.pool.minimum_area_schools)
    return areas.without({design.treated_group, *project.pool.exclude_areas})


def _alike(areas: AreaEffects, n_own: int) -> tuple[Ints, str]:
    """Return the areas that stand in for the treated one, and words for them."""
    low, high = (_share * n_own for _share in _ALIKE)
    like = (areas.n >= low) & (areas.n <= high)
    if like.sum() >= _FEWEST_ALIKE:
        return areas.groups[like], f"areas with {round(low)} to {round(high)} schools"
    return areas.groups, "areas of any size"


def _as_if_each(
    project: Project, design: OutcomeDesign, changes: Changes, alpha: float, groups: Ints
) -> list[tuple[float, float]]:
    return [_as_if(int(group), project, design, changes, alpha) for group in groups]


def _as_if(group: int, project: Project, design: OutcomeDesign, changes: Changes, alpha: float) -> tuple[float, float]:
    """Return the placebo effect of an area and the size the permutation would need to reject."""
    comparisons = without_areas(design.comparisons[NEIGHBOURS], [group])
    areas = placebo_areas(project, design, changes, comparisons)
    at = areas.position(group)
    is_studentised = project.inference.statistic == "studentised"
    scale = areas.std_errors if is_studentised else np.ones_like(areas.effects)
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = areas.effects / scale
    if not np.isfinite(statistic).all():
        return float(areas.effects[at]), float("inf")
    test = permutation_test(statistic, at, alpha)
    return float(areas.effects[at]), float(test.reach * scale[at])


def school_set_placebos(
    project: Project, design: OutcomeDesign, changes: Changes, treated: list[int], options: PowerOptions
) -> PlaceboSets:
    """Draw sets of untreated schools like the treated ones and place each among the others.

    Parameters
    ----------
    project, design, changes
    treated : analysed treated schools by area
    options : level of the test, number of sets, and who tries them

    A set takes as many areas as the programme did and of each as many schools; each part is compared with its own
    area's neighbours, the set's areas' other schools left out as the design leaves out the treated areas'. The test is
    randomisation over such sets.
    """
    comparisons = design.comparisons[NEIGHBOURS]
    at = {group: row for row, group in enumerate(comparisons.groups)}
    excluded = {design.treated_group, *design.treated_areas, *project.pool.exclude_areas}
    listed = [g for g in comparisons.groups if g not in excluded and comparisons.compared[at[g]].any()]
    sets = placebo_sets(changes.group, treated, listed, options.n_simulations, project.seed)
    tried = partial(_set_effects, changes, comparisons, at)
    effects = np.array(in_pieces(options.executor, tried, sets, _CHUNK))
    effects = effects[np.isfinite(effects)]
    return PlaceboSets(
        effects,
        critical_values(effects, 1 - options.level),
        False,
        f"sets of {sum(treated)} untreated schools, drawn area by area",
    )


def _set_effects(changes: Changes, comparisons: AreaComparisons, at: dict[int, int], sets: list[Ints]) -> list[float]:
    return [_set_effect(rows, changes, comparisons, at) for rows in sets]


def _set_effect(rows: Ints, changes: Changes, comparisons: AreaComparisons, at: dict[int, int]) -> float:
    """Return the weighted mean change of a set, each area's part less its own neighbours'; NaN where one has none."""
    areas = sorted(set(changes.group[rows].tolist()))
    gaps, weights = [], []
    for area in areas:
        own = rows[changes.group[rows] == area]
        near = comparisons.compared[at[area]]
        compared = [g for g, is_in in zip(comparisons.groups, near, strict=True) if is_in and g not in areas]
        others = np.isin(changes.group, compared)
        if not others.any():
            return float("nan")
        mean = np.average(changes.change[own], weights=changes.weight[own])
        gaps.append(mean - np.average(changes.change[others], weights=changes.weight[others]))
        weights.append(changes.weight[own].sum())
    return float(np.average(gaps, weights=weights))


def critical_values(effects: Floats, alpha: float) -> Floats:
    """Return for each of D effects the size it would need to be rejected among the others, shape (D,).

    The m-th largest of the others is the m-th largest of all for those below it, the next one for those above.
    """
    size = np.abs(effects)
    if len(size) < 2:
        return np.full(len(size), np.inf)
    below, above = (permutation_test(effects, int(at), alpha).reach for at in (np.argmin(size), np.argmax(size)))
    return np.where(size >= below, above, below)
