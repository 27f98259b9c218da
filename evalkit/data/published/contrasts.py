"""Triple differences as outcomes: one less another, for units and years that have both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from evalkit.core.project import Outcome, Project
from evalkit.data.measures import contrast_code, measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords

_ROLE: Final[Any] = "contrast"
"""Role of a triple difference among outcomes, which no file gives."""


def add_contrasts(project: Project, intake: ProjectData) -> ProjectData:
    """Return the data with the project's triple differences beside its outcomes.

    Outcomes of two key stages or tables have no unit in common, and so no difference: their records stay as they are.
    """
    records = dict(intake.records)
    for one in project.contrasts:
        stages = {measure_of(project, code).key_stage for code in (one.measure, one.minus)}
        if len(stages) == 1:
            stage = stages.pop()
            records[stage] = _with_difference(records[stage], contrast_code(one), one.measure, one.minus)
    return replace(intake, records=records)


def with_contrasts(project: Project) -> Project:
    """Return the project with those triple differences among its outcomes that units of one stage or table have."""
    kept = tuple(
        one
        for one in project.contrasts
        if measure_of(project, one.measure).key_stage == measure_of(project, one.minus).key_stage
    )
    known = {one.code for one in project.outcomes}
    added = tuple(Outcome(measure=code, role=_ROLE) for code in map(contrast_code, kept) if code not in known)
    return replace(project, contrasts=kept, outcomes=(*project.outcomes, *added))


def _with_difference(records: SchoolRecords, code: str, first: str, second: str) -> SchoolRecords:
    values = records.values[first] - records.values[second]
    why = records.reasons[first].where(records.values[first].isna(), records.reasons[second])
    return replace(records, values={**records.values, code: values}, reasons={**records.reasons, code: why})
