"""Results that stand in for those after a programme, so that a report can be laid out before any of them is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.core.draws import stream
from evalkit.core.project import Project
from evalkit.data.own_tables.people_table import PeopleRows
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords


def with_placeholders(project: Project, baseline: ProjectData) -> ProjectData:
    """Return a baseline with made-up results in the years that it lacks: those of the last year before, dealt anew.

    They are drawn from the years before alone and mean nothing: a unit has another's result. What rests on them may
    show how a page is laid out, and never a number. Units without a result in the last year before have none after.
    """
    records = {name: _filled(project, held, baseline.later.get(name, ())) for name, held in baseline.records.items()}
    people = {
        name: _with_people(project, name, rows, baseline.later.get(name, ())) for name, rows in baseline.people.items()
    }
    every = {year for held in records.values() for year in held.years}
    return replace(baseline, years=tuple(sorted({*baseline.years, *every})), records=records, people=people, later={})


def _filled(project: Project, records: SchoolRecords, later: Iterable[int]) -> SchoolRecords:
    later = [year for year in later if year not in records.years]
    values = {code: _later_values(project, code, frame, later) for code, frame in records.values.items()}
    reasons = {code: _carried(frame, later, values[code]) for code, frame in records.reasons.items()}
    years = tuple(sorted({*records.years, *later}))
    pupils = _with_columns(records.pupils, {year: _last(records.pupils, 30.0) for year in later})
    return replace(records, values=values, reasons=reasons, pupils=pupils, years=years)


def _later_values(project: Project, code: str, frame: pd.DataFrame, later: list[int]) -> pd.DataFrame:
    return _with_columns(frame, {year: _dealt(project, code, _last(frame, np.nan), year) for year in later})


def _last(frame: pd.DataFrame, otherwise: float) -> pd.Series:
    """Return the last column of a frame, a constant where it has none."""
    return frame[max(frame.columns)] if len(frame.columns) else pd.Series(otherwise, index=frame.index)


def _dealt(project: Project, code: str, last: pd.Series, year: int) -> pd.Series:
    """Return the results of the last year in another order; of an outcome without any before standard normal ones."""
    rng = stream(project.seed, f"placeholders of {code} in {year}")
    known = last.notna().to_numpy()
    if not known.any():
        return pd.Series(rng.standard_normal(len(last)), index=last.index)
    made = last.to_numpy(dtype=float).copy()
    made[known] = rng.permutation(made[known])
    return pd.Series(made, index=last.index)


def _carried(frame: pd.DataFrame, later: list[int], values: pd.DataFrame) -> pd.DataFrame:
    """Return the reasons of the last year for the later ones, and none where there is a value."""
    why = _last(frame, 0.0) if len(frame.columns) else pd.Series("", index=frame.index, dtype=object)
    return _with_columns(frame, {year: why.where(values[year].isna(), "").astype(object) for year in later})


def _with_columns(frame: pd.DataFrame, columns: dict[int, pd.Series]) -> pd.DataFrame:
    added = pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1) if columns else frame
    return added[sorted(added.columns)]


def _with_people(project: Project, name: str, rows: PeopleRows, later: Iterable[int]) -> PeopleRows:
    """Return the rows of the last year once more in each later one; those without a year stand in the later one."""
    outcomes = [str(one.column) for one in project.own_outcomes(name)]
    made = [rows] if rows.period.any() else []
    last = rows.chosen(rows.period == rows.period.max()) if len(rows) else rows
    for year in later:
        values = dict(last.values)
        for column in outcomes:
            rng = stream(project.seed, f"placeholders of {name}.{column} in {year}")
            held = values.get(column)
            values[column] = rng.standard_normal(len(last)) if held is None else rng.permutation(held)
        made.append(replace(last, values=values, period=np.full(len(last), year, dtype=np.int64)))
    if not made:
        return rows
    columns = [column for column in made[-1].values if all(column in one.values for one in made)]
    return replace(
        rows,
        unit=np.concatenate([one.unit for one in made]),
        person=np.concatenate([one.person for one in made]),
        period=np.concatenate([one.period for one in made]),
        values={column: np.concatenate([one.values[column] for one in made]) for column in columns},
    )
