"""Absence of each school over the school years as one listing: a national table a year, which names no school."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from evalkit.core.errors import DataError, MissingData
from evalkit.data.flow import CountedCase
from evalkit.data.published.records import Listing, area_codes, one_row_a_year
from evalkit.data.published.school_lists import Links
from evalkit.data.published.sources import TableFile
from evalkit.data.published.tables import read_table

_NATION = "NAT"
"""What stands for the authority in the rows of England."""


def read_absence(
    tables: Mapping[int, tuple[TableFile, ...]],
    links: Links,
    lists: Sequence[pd.DataFrame],
    measures: Sequence[str],
    years: Collection[int],
) -> Listing:
    """Assemble tables of absence into one listing, following each school over changes of identity.

    Parameters
    ----------
    tables : Mapping of int to tuple of TableFile
        The table of each summer.
    links : Links
        One-to-one predecessors.
    lists : sequence of DataFrame
        Lists of schools by URN, which say what schools are called: the tables do not.
    measures : sequence of str
    years : collection of int
        Summers whose rates may be read; other summers give identity only.

    Raises
    ------
    DataError
        If a school has two rows in a table, or a table lacks a column of a measure.
    """
    parts = [_one_year(year, files, measures if year in years else ()) for year, files in sorted(tables.items())]
    rows = pd.concat(parts, ignore_index=True).reindex(columns=[*parts[0].columns[:4], *measures]).fillna("")
    rows["area"] = area_codes(rows["area"])
    rows["school_id"], rows["pupils"] = rows["urn"].map(links.oldest), ""
    names = pd.concat([one["name"] for one in lists])
    rows["name"] = rows["urn"].map(names[~names.index.duplicated()]).fillna("School " + rows["urn"])
    found = one_row_a_year(rows, measures)
    kept = found.kept
    identity = kept[["school_id", "urn", "year", "area", "laestab", "name"]].assign(minor_group="", type="")
    scores = kept.loc[kept["year"].isin(list(years)), ["school_id", "year", "pupils", *measures]]
    cases = (
        *links.cases,
        CountedCase("second rows of a school in one year of the tables of absence, dropped", found.n_dropped),
    )
    source = ", ".join(one.file.name.rpartition("/")[2] for files in tables.values() for one in files)
    return Listing(identity.reset_index(drop=True), scores.reset_index(drop=True), {}, cases, source)


def require_lists(folder: str, has_types: bool) -> None:
    """Raise `MissingData` where no list says which schools are mainstream and state-funded: the tables do not."""
    if not has_types:
        raise MissingData(
            f"{folder}: tables of absence do not say what kind of school one is. Put the school list of 2017/18 or an "
            "extract of the register with the types of establishments there; data/README.md says where they come from."
        )


def _one_year(year: int, files: tuple[TableFile, ...], measures: Sequence[str]) -> pd.DataFrame:
    """Return the schools of a table with their cells; the rows of England are left out."""
    [table] = files
    frame = read_table(table.file, ["URN", "LA", "ESTAB", *measures])
    frame = frame[(frame["LA"].str.strip() != _NATION) & (frame["URN"].str.strip() != "")]
    urn = frame["URN"].str.strip()
    if urn.duplicated().any():
        raise DataError(f"{table.file.name}: URN {urn[urn.duplicated()].iloc[0]} stands there more than once.")
    identity = pd.DataFrame(
        {"urn": urn, "year": year, "area": frame["LA"], "laestab": frame["LA"] + frame["ESTAB"].str.zfill(4)}
    )
    return identity.join(frame[list(measures)])
