"""Triple differences as outcomes: one less another, for units and years that have both."""

from __future__ import annotations

from dataclasses import replace

from evalkit.core.project import Project
from evalkit.data.measures import measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords


def add_contrasts(project: Project, intake: ProjectData) -> ProjectData:
    """Return the data with the project's triple differences beside its outcomes.

    Outcomes of two key stages or tables have no unit in common, and so no difference: their records stay as they are.
    """
    records = dict(intake.records)
    for one in project.contrasts:
        stages = {measure_of(project, code).key_stage for code in (one.measure, one.minus)}
        if len(stages) == 1:
            stage = stages.pop()
            records[stage] = _with_difference(records[stage], one.code, one.measure, one.minus)
    return replace(intake, records=records)


def with_contrasts(project: Project) -> Project:
    """Return the project with those triple differences among its outcomes that units of one stage or table have."""
    kept = tuple(
        one
        for one in project.contrasts
        if measure_of(project, one.measure).key_stage == measure_of(project, one.minus).key_stage
    )
    return replace(project, contrasts=kept).with_contrasts


def _with_difference(records: SchoolRecords, code: str, first: str, second: str) -> SchoolRecords:
    values = records.values[first] - records.values[second]
    why = records.reasons[first].where(records.values[first].isna(), records.reasons[second])
    return replace(records, values={**records.values, code: values}, reasons={**records.reasons, code: why})
