"""Schools' results as Explore Education Statistics (EES) publishes them: rows by school, year, subject and group.

No real file of this layout is at hand for key stage 2 or for results of key stage 4: columns and filters are those that
public projects read, and a file whose rows cannot be told apart by them is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.words import did_you_mean, listed
from evalkit.data.files.layout import STAGES, Contents, Field, Layout, fitting, lacking, spelled
from evalkit.data.files.members import Member
from evalkit.data.files.raw_table import RawTable
from evalkit.data.layouts.file_names import stage_by_name
from evalkit.data.published.tables import read_table

_KEYS: Final = (
    Field(name="time_period", meaning="School year in six digits: 202324 is 2023/24.", form="period"),
    Field(name="school_urn", meaning="Unique reference number of the school.", form="urn"),
    Field(name="school_laestab", meaning="Number of its authority and establishment, seven digits.", form="laestab"),
    Field(name="school_name", meaning="Name of the school."),
    Field(name="geographic_level", meaning="`School` in the rows that are read."),
    Field(name="version", meaning="Provisional, revised or final.", is_required=False),
    Field(name="old_la_code", meaning="Local authority, three digits.", form="area", is_required=False),
)
_KS2: Final = (
    *_KEYS,
    Field(name="subject", meaning="Reading, writing, maths, grammar, or reading, writing and maths together."),
    Field(name="breakdown", meaning="The pupils a row is of: `Total`, `Girls`, `Disadvantaged` and so on."),
    Field(name="expected_standard_pupil_percent", meaning="Pupils at the expected standard.", form="percent"),
    Field(name="average_scaled_score", meaning="Mean scaled score.", form="number"),
    Field(name="progress_measure_score", meaning="Progress from key stage 1, to 2022/23.", form="number"),
)
_KS4: Final = (
    *_KEYS,
    Field(name="attainment8_average", meaning="Attainment 8.", form="number", also=("avg_att8",)),
)
_INFORMATION: Final = (
    *_KEYS,
    Field(name="telig", meaning="Pupils at the end of key stage 2.", form="number"),
)
_STAGES: Final = {"KS2": _KS2, "KS4": _KS4}
FILTERS: Final = (
    "breakdown", "sex", "disadvantage_status", "disadvantage", "fsm_status", "first_language", "prior_attainment",
    "mobility", "mobility_status", "ethnicity_major", "ethnicity_minor", "sen_provision", "sen_status",
)  # fmt: skip
"""Columns that say which pupils a row is of; `TOTAL` stands in all of them in a row of all pupils."""
TOTAL: Final = "Total"
_SCHOOL: Final = "School"
_YEAR_DIGITS: Final = 6


def results_of(columns: Sequence[str]) -> str | None:
    """Return the key stage whose schools' results a long table holds, by its columns; None where it holds none."""
    return next((stage for stage, fields in _STAGES.items() if not lacking(columns, fields)), None)


def is_information(columns: Sequence[str]) -> bool:
    """Return whether a table counts each school's pupils at the end of key stage 2."""
    return not lacking(columns, _INFORMATION)


def summers_of(periods: pd.Series, name: str) -> pd.Series:
    """Return the summer of each six-digit school year; raise `DataError` at the first that is none."""
    years = periods.str.strip()
    first, second = (pd.to_numeric(years.str[at], errors="coerce") for at in (slice(0, 4), slice(4, 6)))
    wrong = (years.str.len() != _YEAR_DIGITS) | ((first + 1) % 100 != second)
    if wrong.any():
        at = int(wrong.to_numpy().argmax())
        raise DataError(
            f"{name}: {periods.iloc[at]!r} (row {at + 2}) is not a school year in six digits, such as 202324. Use the "
            "untouched download."
        )
    return (first + 1).astype(int)


@dataclass(frozen=True, slots=True, eq=False)
class SchoolRows:
    """A long table of schools: `keys` of every row of a school, with its `summer`; `cells` of the summers asked for.

    `cells` has the keys, the filters and the columns asked for, as published text. Cells of other summers were not
    read.
    """

    name: str
    filters: tuple[str, ...]
    keys: pd.DataFrame
    cells: pd.DataFrame

    def select(self, where: Mapping[str, str]) -> pd.DataFrame:
        """Return the rows that filters select, one a school and summer.

        `where` gives the filters that must hold; every other one that the table has stands at its total.

        Raises
        ------
        DataError
            If the table lacks a filter, no row has its value, or a school then has two rows in a summer.
        """
        frame = self.cells
        totals = dict.fromkeys((one for one in self.filters if one != "subject"), TOTAL)
        for name, value in (totals | dict(where)).items():
            if name not in self.filters:
                raise DataError(f"{self.name}: the table has no column {name!r} that tells {value!r} from the rest.")
            self._require_value(name, value)
            frame = frame[frame[name] == value]
        return _one_row_each(self.name, frame)

    def _require_value(self, name: str, value: str) -> None:
        present = self.keys[name].unique().tolist()
        if value not in present:
            raise DataError(
                f"{self.name}: no row has {value!r} in the column {name!r}.{did_you_mean(value, present)} It has "
                f"{listed(sorted(present), 6)}."
            )


def read_school_rows(file: Member, columns: Sequence[str], years: Collection[int]) -> SchoolRows:
    """Return the rows of schools of a long table: who they are in every summer, cells of `years` alone.

    Of several versions of a summer the latest is kept.
    """
    header = RawTable(file).peek.columns
    names = [field.name for field in _KEYS if spelled(field.name, header, file.name)]
    filters = tuple(name for name in ("subject", *FILTERS) if spelled(name, header, file.name))
    keys = read_table(file, [*names, *filters])
    keys["summer"] = summers_of(keys["time_period"], file.name)
    of_schools = _latest(keys[keys["geographic_level"] == _SCHOOL])
    asked = of_schools[of_schools["summer"].isin(list(years))]
    unread = set((keys.index.difference(asked.index) + 1).tolist())
    cells = read_table(file, ["school_urn", *columns], skip_rows=unread.__contains__)
    if cells["school_urn"].tolist() != asked["school_urn"].tolist():
        raise DataError(
            f"{file.name}: a cell goes on in the next line, so that rows cannot be told. Download it again."
        )
    cells = cells.drop(columns="school_urn").set_index(asked.index)
    whole = pd.concat([asked, cells], axis=1)
    return SchoolRows(file.name, filters, of_schools, whole)


def _latest(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the latest version of each summer."""
    if "version" not in frame:
        return frame
    rank = frame["version"].map(lambda text: STAGES.index(stage_by_name(str(text))))
    return frame[rank == rank.groupby(frame["summer"]).transform("max")]


def _one_row_each(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    again = frame[frame.duplicated(["school_urn", "summer"], keep=False)]
    if not again.empty:
        row = again.iloc[0]
        raise DataError(
            f"{name}: URN {row['school_urn']} has more than one row for {row['time_period']} and the same pupils, so "
            "that it is not clear which to read. Download the table again, with the filters it has there."
        )
    return frame.reset_index(drop=True)


def summers_in(file: Member) -> tuple[int, ...]:
    """Return the summers that a long table of schools has."""
    periods = read_table(file, ["time_period"])["time_period"]
    return tuple(sorted(set(summers_of(periods.drop_duplicates(), file.name))))


# The layouts.


def _contents(table: RawTable) -> Contents:
    counts = table.counts(["time_period", "school_laestab", "geographic_level"])
    schools = counts[counts["geographic_level"] == _SCHOOL]
    keys = {field.name for field in _KEYS} | set(FILTERS) | {"subject"}
    return Contents(
        rows=int(counts["n"].sum()),
        years=tuple(sorted(set(summers_of(counts["time_period"].drop_duplicates(), table.name)))),
        areas=tuple(sorted(schools["school_laestab"].str[:3].unique())),
        measures=tuple(name for name in table.peek.columns if name.casefold() not in keys),
        levels=("school",),
        stage=stage_by_name(table.name),
    )


def _layout(name: str, title: str, fields: tuple[Field, ...]) -> Layout:
    return Layout(
        name=name,
        title=title,
        publisher="DfE",
        fields=fields,
        fits=fitting(fields, "csv"),
        contents=_contents,
        reader="read_ees",
    )


LAYOUTS: Final = (
    _layout("ees-school-ks2", "Key stage 2 results of schools, Explore Education Statistics", _KS2),
    _layout("ees-school-ks4", "Key stage 4 results of schools, Explore Education Statistics", _KS4),
    _layout("ees-school-ks2-information", "Pupils of schools at the end of key stage 2, EES", _INFORMATION),
)
