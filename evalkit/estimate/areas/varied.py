"""The main comparison of an outcome under many choices, without deciding or measuring anything twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from evalkit.core.errors import DesignError
from evalkit.core.project import Project
from evalkit.core.quantities import Unavailable
from evalkit.data.measures import measure_of
from evalkit.data.panel import Panel
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords
from evalkit.design.project import labels
from evalkit.design.project.areas import TREATED_GROUP, AreaComparisons, without_areas
from evalkit.design.project.group_matching import GroupMatches
from evalkit.design.project.plan import OutcomeDesign, outcome_design, treated_group
from evalkit.estimate.areas.outcome_effects import placed_changes, pupils_to_weigh, too_few_treated, treated_in
from evalkit.estimate.areas.sample import Changes, changes_less_trend, changes_to, outcome_panel
from evalkit.estimate.areas.together import PlacedStatistic

T = TypeVar("T")
MATCHED: Final = (labels.MATCHED, labels.MATCHED_WITHOUT_OUTCOMES)
AXES: Final[dict[str, tuple[str, ...]]] = {
    "comparison": (labels.NEIGHBOURS, labels.ENGLAND, *MATCHED),
    "sample": ("every_school", "without_conversions", "without_contaminated"),
    "change": ("plain", "less_trend"),
}
"""What can be chosen otherwise of the main comparison and is no key of a project file; the kit's own choice first."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """What was made for some choices, and serves all others that ask for the same."""

    made: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        if key not in self.made:
            self.made[key] = make()
        found: T = self.made[key]
        return found


def placed_variations(
    asked: Iterable[tuple[Project, Mapping[str, str]]], code: str, intake: ProjectData
) -> Iterator[PlacedStatistic | Unavailable]:
    """Yield the main comparison of an outcome under each of some choices, or why there is none.

    Parameters
    ----------
    asked : pairs of a project as the analysis sees it, and of what is chosen of each of `AXES`
    code : the outcome
    intake : every year; who is compared with whom is decided by those before alone
    """
    kept = _Kept()
    for project, axes in asked:
        chosen = {name: axes.get(name, options[0]) for name, options in AXES.items()}
        try:
            yield _placed(project, chosen, code, intake, kept)
        except DesignError as problem:
            yield Unavailable(str(problem))


def _placed(
    project: Project, axes: Mapping[str, str], code: str, intake: ProjectData, kept: _Kept
) -> PlacedStatistic | Unavailable:
    design = _design(project, axes["comparison"] in MATCHED, code, intake, kept)
    if isinstance(design, Unavailable):
        return design
    records = intake.records[measure_of(project, code).key_stage]
    of_panel = (project.pool.minor_groups, project.pool.require_all_years, project.exposure)
    panel = kept.once(
        ("panel", *of_panel), lambda: outcome_panel(project, records, design, project.pool.require_all_years)
    )
    n_treated = kept.once(("treated", *of_panel), lambda: treated_in(panel, design))
    if few := too_few_treated(project, design, n_treated):
        return few
    of_changes = (*of_panel, project.estimation.weights, axes["sample"] == "without_conversions", axes["change"])

    def made() -> Changes | Unavailable:
        return _changes(project, axes, panel, records)

    changes = kept.once(("changes", *of_changes), made)
    comparison = _comparison(project, axes, design)
    if isinstance(changes, Unavailable):
        return changes
    return comparison if isinstance(comparison, Unavailable) else placed_changes(project, design, changes, comparison)


def _design(
    project: Project, is_matched: bool, code: str, intake: ProjectData, kept: _Kept
) -> OutcomeDesign | Unavailable:
    """Return who is compared with whom, made once for all choices that move nothing of it."""
    is_by_sets = treated_group(project, intake) == TREATED_GROUP
    pool = replace(
        project.pool,
        require_all_years=True,
        minimum_area_schools=project.pool.minimum_area_schools if is_by_sets else 0,
    )
    key = (pool, project.exposure.pre, project.matching if is_matched else None)

    def made() -> OutcomeDesign | Unavailable:
        try:
            return outcome_design(project, intake.of_years(project.exposure.pre), code, is_matched=is_matched)
        except DesignError as problem:
            return Unavailable(str(problem))

    return kept.once(("design", *key), made)


def _changes(project: Project, axes: Mapping[str, str], panel: Panel, records: SchoolRecords) -> Changes | Unavailable:
    exposure = project.exposure
    if axes["change"] == "less_trend" and len(exposure.pre) < 2:
        return Unavailable("There is one year before the programme, and so no trend to take off.")
    plain = (
        changes_to(panel, exposure, exposure.post) if axes["change"] == "plain" else changes_less_trend(panel, exposure)
    )
    if axes["sample"] == "without_conversions":
        plain = plain.keep(records.schools.index[~records.schools["is_converted"]])
    pupils = pupils_to_weigh(project, records)
    return plain if pupils is None else plain.scaled(pupils)


def _comparison(
    project: Project, axes: Mapping[str, str], design: OutcomeDesign
) -> AreaComparisons | GroupMatches | Unavailable:
    name = axes["comparison"]
    if name in MATCHED:
        found = design.matches.get(name)
        if found is None or axes["sample"] == "without_contaminated":
            return Unavailable("There is no such matching of this outcome, or of so few areas.")
        return found
    comparison = design.comparisons[name]
    if axes["sample"] != "without_contaminated":
        return comparison
    contaminated = {area for entry in project.contamination for area in entry.areas}
    left = without_areas(comparison, contaminated)
    if not contaminated:
        return Unavailable("The project names no area in which another programme ran.")
    return left if left.of(design.treated_group) else Unavailable("Every comparison area had another programme.")
