"""Exclusions from school by local authority, 2006/07 to 2016/17, from DfE's statistical releases."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.words import did_you_mean, listed
from evalkit.data.areas.published_cells import published_numbers
from evalkit.data.areas.series import AreaRoles, AreaSeries
from evalkit.data.layouts.opening import told_by_looks
from evalkit.data.own_tables.year_labels import read_year_label
from evalkit.data.published.tables import read_table

RATES: Final = ("perm_excl_rate", "fixed_excl_rate", "one_or_more_fixed_excl_rate")
"""Exclusions, or pupils with at least one, per 100 pupils; other columns are counts."""
_LEVEL: Final = "Local authority"
_NO_NAME: Final = ("", "NULL")
_NATION: Final = ("England", "NULL", "")
_REGIONS: Final = (
    "North East",
    "North West",
    "Yorkshire and the Humber",
    "Yorkshire and The Humber",
    "East Midlands",
    "West Midlands",
    "East of England",
    "East",
    "London",
    "Inner London",
    "Outer London",
    "South East",
    "South West",
)


def read_exclusions(
    path: Path, measure: str, school_type: str = "Total", *, years: Collection[int] | None = None
) -> AreaSeries:
    r"""Return one measure of every local authority, by its name and the later year of a school year.

    Parameters
    ----------
    path : Path
        `clean_la_data.csv` (rates and counts), `clean_la_exclusions_data.csv` or `SFR35_2017_reason_for_exclusion.csv`
        (counts by reason).
    measure : str
        A column, such as `fixed_excl_rate`.
    school_type : str
        As the file calls it, such as `Total` or `Secondary`.
    years : collection of int, optional
        The years wanted; values of others are not looked at.

    Raises
    ------
    DataError
        If the file cannot be read, lacks the column or the type of school, or holds what is neither a number nor a code
        (`x` suppressed, `.` not applicable).

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_exclusions
    >>> path = Path("clean_la_data.csv")
    >>> header = "level,year,la_name,school_type,fixed_excl_rate\n"
    >>> leeds = "Local authority,201516,Leeds,Total,4.2\nLocal authority,201617,Leeds,Total,x\n"
    >>> others = "Local authority,201617,York,Total,3.9\nNational,201617,England,Total,4.8\n"
    >>> _ = path.write_text(header + leeds + others)
    >>> series = read_exclusions(path, "fixed_excl_rate")
    >>> series.areas.tolist(), series.periods, series.values.tolist()
    (['York', 'Leeds'], (2016, 2017), [[nan, 3.9], [4.2, nan]])
    """
    with told_by_looks(path, "read_exclusions"):
        frame = read_table(path, ["year", "la_name", "school_type", measure], optional=["level"])
    kinds = frame["school_type"].unique().tolist()
    if school_type not in kinds:
        raise DataError(
            f"{path.name}: there is no type of school {school_type!r}.{did_you_mean(school_type, kinds)} "
            f"It has {listed(sorted(kinds))}."
        )
    rows = frame[(frame["school_type"] == school_type) & _is_authority(frame)]
    if rows.empty:
        raise DataError(f"{path.name}: no row is of a local authority. Check that it is the table its name says.")
    labels = {text: read_year_label(str(text), path.name) for text in rows["year"].unique()}
    if years is not None:
        rows = rows[rows["year"].isin([text for text, label in labels.items() if label.year in years])]
    table = pd.DataFrame(
        {
            "area": rows["la_name"],
            "year": rows["year"].map({text: label.year for text, label in labels.items()}),
            measure: published_numbers(rows[measure], f"{path.name}: {measure}"),
        }
    )
    series = AreaSeries.from_frame(table, AreaRoles(unit="area", period="year", outcome=measure))
    return replace(series, outcome=f"{measure}, {school_type}", notes=_notes(rows, measure))


def _is_authority(frame: pd.DataFrame) -> pd.Series:
    """Return which rows are of a local authority, by the level where the file has one, else by the name."""
    named = ~frame["la_name"].isin(_NO_NAME)
    if "level" in frame:
        return named & (frame["level"] == _LEVEL)
    return named & ~frame["la_name"].isin([*_NATION, *_REGIONS])


def _notes(rows: pd.DataFrame, measure: str) -> tuple[str, ...]:
    notes = ["Areas of which a value is suppressed (x) in some year count as lacking it."]
    if measure not in RATES:
        notes.append("These are counts: areas of different size are compared by number, not by rate.")
    former = sorted({str(name) for name in rows["la_name"] if "(Pre LGR" in str(name)})
    if former:
        notes.append(f"Areas that were divided are not joined up with those that followed them: {listed(former)}.")
    return tuple(notes)
