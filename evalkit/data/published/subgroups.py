"""The data of subgroups: of some schools alone, or of schools and years with the results of every subgroup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Final

import numpy as np
import pandas as pd

from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords
from evalkit.data.subgroups import OF_SCHOOLS, PeopleOf, Subgroup

OTHER_NOT_PUBLISHED: Final = "the other subgroup is not published"


def school_subgroups(intake: ProjectData, by: str) -> dict[str, pd.Series]:
    """Return, by key stage or own table, the subgroup of each school that has one; schools of none are not in it.

    Of the type that school lists give, schools that changed their identity have none: the lists do not say what they
    were before.
    """
    found = {}
    for stage, records in intake.records.items():
        if by in intake.columns:
            subgroup = intake.columns[by].reindex(records.schools.index)
        else:
            subgroup = records.schools[OF_SCHOOLS[by]].astype(object)
            if by == "type":
                subgroup = subgroup.mask(records.schools["is_converted"].astype(bool))
        known = subgroup[subgroup.notna() & (subgroup.astype(str) != "")]
        found[stage] = known.map(_name)
    return found


def _name(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def of_schools(intake: ProjectData, kept: Mapping[str, pd.Index]) -> ProjectData:
    """Return the data of some schools alone, by key stage: the others were in no file, and took no part."""
    records = {stage: _of_schools(held, kept[stage]) for stage, held in intake.records.items()}
    treated = {
        stage: tuple(one for one in schools if one in kept[stage]) if stage in kept else schools
        for stage, schools in intake.treated.schools.items()
    }
    return replace(intake, records=records, treated=replace(intake.treated, schools=treated))


def _of_schools(records: SchoolRecords, kept: pd.Index) -> SchoolRecords:
    schools = records.schools.index[records.schools.index.isin(kept)]
    return replace(
        records,
        schools=records.schools.loc[schools],
        values={code: frame.loc[schools] for code, frame in records.values.items()},
        reasons={code: frame.loc[schools] for code, frame in records.reasons.items()},
        pupils=records.pupils.loc[schools],
    )


def on_common_sample(intake: ProjectData, subgroups: Sequence[Subgroup]) -> ProjectData:
    """Return the data in which a breakdown stands in a school and year only where those of all subgroups do.

    So a school is analysed for all subgroups or for none; what is known before the programme follows from years before
    alone.
    """
    together: dict[str, list[str]] = {}
    for subgroup in subgroups:
        for code, part in subgroup.outcomes:
            together.setdefault(code, []).append(part)
    records = intake.records
    for parts in together.values():
        records = {stage: _common(held, parts) for stage, held in records.items()}
    return replace(intake, records=records)


def _common(records: SchoolRecords, parts: Sequence[str]) -> SchoolRecords:
    if not set(parts) <= set(records.values):
        return records
    known = reduce(lambda left, right: left & right, (records.values[code].notna() for code in parts))
    values, reasons = dict(records.values), dict(records.reasons)
    for code in parts:
        lost = records.values[code].notna() & ~known
        values[code] = records.values[code].where(known)
        reasons[code] = records.reasons[code].mask(lost, OTHER_NOT_PUBLISHED)
    return replace(records, values=values, reasons=reasons)


# Of pupils, by a column of their own table.


def people_subgroups(intake: ProjectData, by: str) -> tuple[PeopleOf, ...]:
    """Return the subgroups that a column of an own table of pupils makes, in the order of its values."""
    table, _, column = by.partition(".")
    values = intake.people[table].values[column]
    return tuple(
        PeopleOf(table=table, column=column, value=value) for value in np.unique(values[np.isfinite(values)]).tolist()
    )


def of_people(intake: ProjectData, subgroup: PeopleOf) -> ProjectData:
    """Return the data with the pupils of a subgroup alone in their table; schools stay as they are."""
    rows = intake.people[subgroup.table]
    kept = rows.chosen(rows.values[subgroup.column] == subgroup.value)
    return replace(intake, people={**intake.people, subgroup.table: kept})


def schools_of_people(intake: ProjectData, subgroup: PeopleOf) -> pd.Index:
    """Return the schools in which any pupil of a subgroup is."""
    rows = intake.people[subgroup.table]
    return rows.units[np.unique(rows.unit[rows.values[subgroup.column] == subgroup.value])]


def on_common_people(intake: ProjectData, subgroups: Sequence[PeopleOf]) -> ProjectData:
    """Return the data with the pupils of those schools and years that have pupils of every subgroup.

    What is known before the programme follows from years before alone.
    """
    table, column = subgroups[0].table, subgroups[0].column
    rows = intake.people[table]
    _, cell = np.unique(np.stack([rows.unit, rows.period]), axis=1, return_inverse=True)
    cell = cell.reshape(-1)
    has_all = np.ones(int(cell.max(initial=-1)) + 1, dtype=bool)
    for one in subgroups:
        has_all &= np.isin(np.arange(len(has_all)), cell[rows.values[column] == one.value])
    return replace(intake, people={**intake.people, table: rows.chosen(has_all[cell])})
