"""Whom the areas of listed participants are set against, and how the listed are judged: for kinds that take a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from evalkit.core.errors import DesignError
from evalkit.core.project import Project
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords
from evalkit.design.project.areas import AreaComparisons, neighbour_comparisons, rest_of_england
from evalkit.design.project.plan import listed_groups, sets_of, treated_areas_of
from evalkit.design.project.set_rule import MOST_AREAS, SetDesign

Against = Literal["neighbours", "others"]


@dataclass(frozen=True, slots=True, eq=False)
class SetAgainst:
    """Whom each area is set against, how listed units are judged, and the group of every unit: 0 where listed."""

    comparison: AreaComparisons
    sets: SetDesign
    groups: pd.Series

    @property
    def has_many_areas(self) -> bool:
        """Return whether participants lie in areas enough for errors by area."""
        return len(self.sets.treated) > MOST_AREAS

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data."""
        own = {str(area): list(codes) for area, codes in self.comparison.own.items()}
        return {"compared": own, "sets": {"rule": self.sets.rule, "areas": self.sets.n_areas}}


def set_against(
    project: Project,
    against: Against,
    intake: ProjectData,
    records: SchoolRecords,
    code: str,
    reasons: pd.Series,
    *,
    before: pd.Series | None = None,
) -> SetAgainst:
    """Return whom listed participants are set against, of the units that have no reason to be left out.

    Parameters
    ----------
    against : statistical neighbours of their areas, or all other areas
    code, reasons : the outcome, and why each unit cannot be analysed before outcomes, empty where it can
    before : where each unit stood before, higher being better; the mean of the years before where not given

    Raises `DesignError` where nobody is left to be set against.
    """
    groups = listed_groups(project, intake, records)
    usable = groups[reasons.reindex(groups.index) == ""]
    present = sorted({*usable.tolist(), 0})
    treated = {0: treated_areas_of(project, intake)}
    if against == "others":
        found = rest_of_england(present, treated, project.pool.exclude_areas)
    else:
        table = intake.neighbours[project.pool.neighbours]
        try:
            found = neighbour_comparisons(present, table, treated, project.pool.exclude_areas)
        except DesignError as problem:
            raise DesignError(f"{problem} Or say `against: others`: all other areas.") from None
    sets = sets_of(project, records, code, reasons.index[reasons == ""], found, usable, before=before)
    if sets is None or not any(found.own.values()):
        raise DesignError("Nobody is left to set the participants against. Give units of other areas as well.")
    return SetAgainst(found, sets, groups)
