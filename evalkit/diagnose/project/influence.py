"""Who moves the result, and by how much: without one school, one trust or network, one comparison area."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats, Ints
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.measures import measure_of
from evalkit.design.project import labels
from evalkit.design.project.areas import TREATED_GROUP, AreaComparisons
from evalkit.design.project.set_rule import MOST_AREAS
from evalkit.diagnose.project import influence_arrays as kernel
from evalkit.diagnose.project.evaluation import Influences, LeftOutPart, PartKind
from evalkit.diagnose.project.falsification import FEWEST_AREAS, Falsification
from evalkit.diagnose.project.influence_arrays import Arms
from evalkit.diagnose.project.results import Results
from evalkit.estimate.areas.sample import Changes, changes_to
from evalkit.estimate.areas.set_effects import codes_of, compared_codes
from evalkit.estimate.effect import MAIN

MOST_TOLD: Final = 5
"""Schools of each arm that are told: those that move the estimate most."""
MOST_GROUPS: Final = 40
NO_GROUPS: Final = "No trust or network is left out: the file of participants has no column “group”, or only one in it."
WHOLE_AREA: Final = "No trust or network is left out: all schools of the area count as taking part, without groups."
_ONE_COMPARED: Final = Unavailable("There are too few comparison areas to leave one out.")
_NO_SPREAD: Final = Unavailable("No spread of other areas' effects is known.")


def influences(results: Results) -> Influences | Unavailable:
    """Return the effect on the primary outcome without each school, group of participants and area in turn.

    Each area against its own neighbours, as the main comparison; nothing is matched anew.
    """
    estimate = results.estimate(results.primary)
    if isinstance(estimate, Unavailable):
        return estimate
    sample = _sample(results)
    parts = [*_schools(results, sample), *_groups(results, sample), *_areas(results, sample)]
    counts: dict[str, int] = {}
    for part in parts:
        counts[part.kind] = counts.get(part.kind, 0) + 1
    told = [one for kind in counts for one in _largest(parts, kind)]
    design = results.locked.outcomes[results.primary]
    has_groups = any(one.kind == "trust or network" for one in parts)
    notes = () if has_groups else (WHOLE_AREA if design.is_whole_area else NO_GROUPS,)
    return Influences(
        estimate=sample.arms.effect(),
        spread=_spread(results),
        parts=tuple(sorted(told, key=lambda one: (-one.size, one.kind, one.name))),
        n_looked_at=counts,
        notes=notes,
    )


def _largest(parts: list[LeftOutPart], kind: str) -> list[LeftOutPart]:
    of_kind = sorted((one for one in parts if one.kind == kind), key=lambda one: (-one.size, one.name))
    return of_kind[:MOST_TOLD] if kind.endswith("school") else of_kind


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """The schools of the main comparison that count in it, with the areas in which the treated lie."""

    changes: Changes
    arms: Arms
    areas: tuple[int, ...]
    area: Ints


def _sample(results: Results) -> _Sample:
    """Return the units of both arms; an area of listed schools without anybody to compare with takes no part."""
    found, design = results.outcomes[results.primary], results.locked.outcomes[results.primary]
    exposure, main = results.project.exposure, design.comparisons[labels.NEIGHBOURS]
    changes = found.weighed(changes_to(found.panel, exposure, exposure.post))
    is_treated = changes.group == design.treated_group
    if design.sets is None or design.treated_group != TREATED_GROUP:
        own = {design.treated_group: list(main.of(design.treated_group))}
        area = changes.group
    else:
        own = {code: list(others) for code, others in main.own.items()}
        area = design.sets.area.reindex(changes.units).fillna(-1).to_numpy(dtype=np.int64)
    near = {code: ~is_treated & np.isin(area, others) for code, others in sorted(own.items())}
    areas = tuple(code for code, arm in near.items() if arm.any() and (is_treated & (area == code)).any())
    serves = np.column_stack([near[code] for code in areas])
    place = np.full(len(area), -1, dtype=np.int64)
    for at, code in enumerate(areas):
        place[is_treated & (area == code)] = at
    kept = (place >= 0) | serves.any(axis=1)
    arms = Arms(changes.change[kept], changes.weight[kept], place[kept], serves[kept])
    return _Sample(changes.keep(changes.units[kept]), arms, areas, area[kept])


def _schools(results: Results, sample: _Sample) -> Iterator[LeftOutPart]:
    schools = results.intake.records[measure_of(results.project, results.primary).key_stage].schools
    names = schools["name"].reindex(sample.changes.units)
    whole = sample.arms.effect()
    for unit, name, place, moved in zip(
        sample.changes.units, names, sample.arms.place, sample.arms.moves().tolist(), strict=True
    ):
        kind: PartKind = "treated school" if place >= 0 else "comparison school"
        label = str(unit) if pd.isna(name) or not str(name) else str(name)
        yield _part(kind, label, 1, whole, whole + moved)


def _part(kind: PartKind, name: str, n: int, whole: float, without: float) -> LeftOutPart:
    if not np.isfinite(without):
        none = Unavailable("Without it there is no effect to estimate.")
        return LeftOutPart(kind=kind, name=name, n_schools=n, estimate=none, moved=none)
    return LeftOutPart(kind=kind, name=name, n_schools=n, estimate=without, moved=without - whole)


def _groups(results: Results, sample: _Sample) -> Iterator[LeftOutPart]:
    """Yield the effect without each trust or network of participants, of those that the file of participants names."""
    facts, is_treated = results.intake.treated.facts, sample.arms.place >= 0
    if "group" not in facts or not results.intake.treated.told or "group" not in results.intake.treated.told:
        return
    groups = facts["group"].reindex(sample.changes.units).fillna("").to_numpy(dtype=object)
    names = sorted({str(one) for one in groups[is_treated] if str(one)})
    if not 1 < len(names) <= MOST_GROUPS:
        return
    for name in names:
        inside = is_treated & (groups == name)
        yield _part("trust or network", name, int(inside.sum()), sample.arms.effect(), sample.arms.effect(~inside))


def _areas(results: Results, sample: _Sample) -> Iterator[LeftOutPart]:
    """Yield the effect without each area: of the treated, where there are several, and of those compared."""
    names, whole, is_treated = results.area_names, sample.arms.effect(), sample.arms.place >= 0
    kinds: tuple[tuple[PartKind, bool], ...] = (("treated area", True), ("comparison area", False))
    for kind, of_treated in kinds:
        arm = is_treated == of_treated
        codes = np.unique(sample.area[arm]).tolist()
        for code in codes if len(codes) > 1 else []:
            inside = arm & (sample.area == code)
            yield _part(kind, names.get(code, str(code)), int(inside.sum()), whole, sample.arms.effect(~inside))


def _spread(results: Results) -> Quantity:
    """Return the SD of the effect over the other areas, or over sets where they judge."""
    design, found = results.locked.outcomes[results.primary], results.outcomes[results.primary]
    if design.is_whole_area and found.main_areas is not None:
        others = found.main_areas.effects[found.main_areas.groups != design.treated_group]
        return float(np.std(others, ddof=1)) if len(others) > 1 else _NO_SPREAD
    effect = results.main_effect
    if effect is not None and effect.sets is not None:
        return effect.sets.spread
    return _NO_SPREAD


# One comparison area: ranked among all areas, as leaving out one school is.


def one_area_out(results: Results) -> Falsification | Unavailable:
    """Return the largest change of the effect when one comparison area is left out, over the SD of others' effects.

    The treated's own change is in no part of it. Every area j has its own C(j); of listed schools in one area the
    statistic of a set is that of its area.
    """
    design, found = results.locked.outcomes[results.primary], results.outcomes[results.primary]
    estimate, spread = results.estimate(results.primary, *MAIN), _spread(results)
    if isinstance(estimate, Unavailable) or isinstance(spread, Unavailable):
        return estimate if isinstance(estimate, Unavailable) else _NO_SPREAD
    if len(design.treated_areas) > 1 or (design.sets is not None and len(design.sets.treated) > MOST_AREAS):
        return Unavailable("Where several areas are treated each has its own comparison, and no rank is given.")
    exposure, main = results.project.exposure, design.comparisons[labels.NEIGHBOURS]
    changes = found.weighed(changes_to(found.panel, exposure, exposure.post))
    codes, moved = _moves_by_area(changes, main)
    if design.is_whole_area:
        assert found.main_areas is not None
        groups = np.sort(found.main_areas.groups)
    else:
        groups = _of_sets(results, design.treated_areas[0])
    statistic = moved[np.searchsorted(codes, groups)] / spread
    known = np.isfinite(statistic)
    treated = np.flatnonzero(groups[known] == design.treated_areas[0])
    if not len(treated):
        return _ONE_COMPARED
    if known.sum() < FEWEST_AREAS:
        return Unavailable(f"{int(known.sum())} areas could be analysed the same way; {FEWEST_AREAS} are needed.")
    return Falsification(
        name="one_neighbour_out",
        areas=groups[known],
        statistic=np.abs(statistic[known]),
        treated=int(treated[0]),
        per_point=1 / spread,
        is_largest=True,
        can_be_serious=False,
    )


def _moves_by_area(changes: Changes, main: AreaComparisons) -> tuple[Ints, Floats]:
    """Return every area's code and the most that leaving out one of those it is compared with moves its effect."""
    codes = codes_of(main)
    known = np.isin(changes.group, codes)
    at = np.searchsorted(codes, changes.group[known])
    powers = (changes.weight[known], changes.weight[known] * changes.change[known])
    sums = np.array([np.bincount(at, power, minlength=len(codes)) for power in powers])
    return codes, kernel.largest_area_moves(sums, compared_codes(main, codes))[0]


def _of_sets(results: Results, treated: int) -> Ints:
    """Return the areas that hold sets, and the treated one."""
    if results.listed is None:
        return np.array([treated], dtype=np.int64)
    draws = results.listed.sets.draws
    used = draws.codes[np.unique(draws.area[:, 0])] if len(draws) else np.empty(0, dtype=np.int64)
    return np.unique(np.append(used, treated)).astype(np.int64)
