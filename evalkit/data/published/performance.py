"""Wide performance tables as one listing over the years, and the confidence limits and shares printed in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.words import listed
from evalkit.data.files.members import Member
from evalkit.data.flow import CountedCase
from evalkit.data.layouts.performance_tables import ENGLAND_ROWS, PUPILS_OF_STAGE, SCHOOL_ROWS, read_rows, read_wide
from evalkit.data.measures import Measure, without_tables
from evalkit.data.published.codes import parse_cells
from evalkit.data.published.records import Listing, area_codes, one_row_a_year
from evalkit.data.published.school_lists import Links
from evalkit.data.published.sources import Sources, TableFile
from evalkit.data.published.tables import has_columns

# Wide tables of one summer after another, of England or of authorities side by side.

_KEYS: Final = ["RECTYPE", "LEA", "ESTAB", "URN", "SCHNAME"]


Tables = Mapping[int, tuple[TableFile, ...]]
"""The wide tables of each summer."""


def read_performance(
    tables: Tables,
    links: Links,
    measures: Sequence[str],
    key_stage: str,
    years: Collection[int],
    beside: Sequence[str] = (),
) -> Listing:
    """Assemble wide tables into one listing, following each school over changes of identity.

    Tables of several authorities and one summer are one listing, each authority with the summers that it has. The
    summer before the first table, and one of which no table was published, is read from the prior-year columns
    (`READPROG_16`) of the next one, which DfE fills in on the current URN. In the year of a conversion both the closed
    school (with results) and the new one (without) are listed: the row with results is kept.

    Parameters
    ----------
    tables : Mapping of int to tuple of TableFile
        Wide tables of each summer.
    links : Links
        One-to-one predecessors.
    measures : sequence of str
        Measure columns.
    key_stage : str
        `KS2` or `KS4`.
    years : collection of int
        Summers whose scores may be read; other summers give identity only.
    beside : sequence of str
        Further columns, read for these summers from a table of their own that has them.
    """
    read = _Columns(measures, key_stage, beside)
    by_summer = _files_by_summer(tables, key_stage)
    rows = [
        frame
        for (year, has_table), files in by_summer.items()
        for frame in [_one_year(year, files, read, year in years, has_table)]
        if frame is not None
    ]
    every = pd.concat(rows, ignore_index=True)
    every["school_id"] = every["urn"].map(links.oldest)
    rows_kept, resolved = _resolved(every, measures)
    identity = rows_kept[["school_id", "urn", "year", "area", "laestab", "name"]].assign(minor_group="")
    identity["type"] = rows_kept["type"]
    scores = rows_kept.loc[rows_kept["year"].isin(list(years)), ["school_id", "year", "pupils", *measures, *beside]]
    cases = (*links.cases, *resolved)
    source = ", ".join(one.file.name.rpartition("/")[2] for files in tables.values() for one in files)
    part = frozenset(year for (year, _), files in by_summer.items() if any(one.area is not None for one in files))
    return Listing(
        identity.reset_index(drop=True),
        scores.reset_index(drop=True),
        {},
        cases,
        source,
        part,
        _area_names(tables, key_stage),
    )


def _area_names(tables: Tables, key_stage: str) -> dict[int, str]:
    """Return the names of single authorities, as their own rows of their last tables give them."""
    files = {one.area: one.file for of_year in tables.values() for one in of_year if one.area is not None}
    names: dict[int, str] = {}
    for area, file in files.items():
        rows = read_rows(file, [], key_stage)
        own = rows[~rows["RECTYPE"].isin(SCHOOL_ROWS) & (rows["LEA"] == str(area))]["SCHNAME"].dropna().str.strip()
        names.update((area, name) for name in own.head(1) if name)
    return names


def summers_of_tables(tables: Tables, key_stage: str) -> tuple[int, ...]:
    """Return the summers that wide tables give: their own, and those of which they have prior-year columns."""
    return tuple(sorted({year for year, _ in _files_by_summer(tables, key_stage)}))


def _files_by_summer(tables: Tables, key_stage: str) -> dict[tuple[int, bool], tuple[TableFile, ...]]:
    """Return the files that each summer is read from, by whether they are its own or those of the next summer.

    The next summer's are read before an authority's (or England's) first table, and for a summer of which no table was
    ever published: any other table that lacks is missed, since schools that closed are not among the next one's.
    """
    found: dict[tuple[int, bool], tuple[TableFile, ...]] = {(year, True): files for year, files in tables.items()}
    for area in dict.fromkeys(one.area for files in tables.values() for one in files):
        own = [year for year, files in tables.items() if any(one.area == area for one in files)]
        for year in own:
            is_covered = any(one.area in (None, area) for one in tables.get(year - 1, ()))
            if not is_covered and (year == min(own) or year - 1 in without_tables(key_stage)):
                next_ones = tuple(one for one in tables[year] if one.area == area)
                found[(year - 1, False)] = (*found.get((year - 1, False), ()), *next_ones)
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class _Columns:
    """What is read of each table: measures, which must be there, and columns beside them where they are."""

    measures: Sequence[str]
    key_stage: str
    beside: Sequence[str]


def _one_year(
    year: int, files: Sequence[TableFile], read: _Columns, with_scores: bool, has_table: bool
) -> pd.DataFrame | None:
    """Read one summer from its own tables, or from the prior-year columns of the next; None if these lack them."""
    parts = [_one_file(year, one.file, read, with_scores, has_table) for one in files]
    kept = [part for part in parts if part is not None]
    if not kept:
        return None
    whole = pd.concat(kept, ignore_index=True)
    _refuse_twice(whole, files)
    return whole


def _one_file(year: int, file: Member, read: _Columns, with_scores: bool, has_table: bool) -> pd.DataFrame | None:
    suffix = "" if has_table else f"_{year % 100}"
    pupils = PUPILS_OF_STAGE[read.key_stage] + suffix
    columns = [f"{code}{suffix}" for code in read.measures] if with_scores else []
    beside = [*read.beside] if with_scores and has_table else []
    if not has_table and with_scores and not has_columns(file, columns):
        return None
    optional = ["NFTYPE", *([pupils, *beside] if with_scores else [])]
    frame = read_wide(file, columns, read.key_stage, optional=optional)
    measures = [f"{code}{suffix}" for code in read.measures]
    text = frame.reindex(columns=[*_KEYS, "NFTYPE", pupils, *measures, *beside])
    text.columns = pd.Index(["rectype", "LEA", "ESTAB", "urn", "name", "type", "pupils", *read.measures, *beside])
    text["area"] = area_codes(text["LEA"])
    return text.assign(year=year, laestab=text["LEA"] + text["ESTAB"]).reindex(
        columns=[*text.columns, "year", "laestab", *(name for name in read.beside if name not in beside)]
    )


def _refuse_twice(rows: pd.DataFrame, files: Sequence[TableFile]) -> None:
    """Raise where a school stands in the tables of two authorities of one summer."""
    if len(files) > 1 and rows["urn"].duplicated().any():
        urn = rows.loc[rows["urn"].duplicated(), "urn"].iloc[0]
        names = " and ".join(one.file.name for one in files)
        raise DataError(f"URN {urn} stands more than once in {names}, so it is not clear which row is the school's.")


def _resolved(every: pd.DataFrame, measures: Sequence[str]) -> tuple[pd.DataFrame, tuple[CountedCase, ...]]:
    """Return one row of each school and year, and what that and the following of schools had to resolve, counted."""
    found = one_row_a_year(every, measures)
    rows_kept = found.kept
    cases = (
        CountedCase("second rows of a school in one year (conversion years), dropped", found.n_dropped),
        CountedCase("of these, second rows that had results too; the larger cohort was kept", found.n_with_results),
        CountedCase(
            "schools followed under more than one URN", int((rows_kept.groupby("school_id")["urn"].nunique() > 1).sum())
        ),
        CountedCase(
            "schools whose local-authority code changed; the last year's code is used",
            int((rows_kept.groupby("school_id")["area"].nunique() > 1).sum()),
        ),
    )
    return rows_kept, cases


# Published confidence limits, from which the pupil-level standard deviation can be recovered.


@dataclass(frozen=True, slots=True, eq=False)
class PublishedLimits:
    """Half-widths of the published 95% limits and the pupils they rest on, one entry per mainstream school.

    `cap_shift` is how much the cap on extreme scores moved each school's score (empty where
    the unadjusted score is not published). `scope` names the schools and the year.
    """

    half_width: NDArray[np.float64]
    pupils: NDArray[np.float64]
    cap_shift: NDArray[np.float64]
    scope: str


def read_limits(sources: Sources, known: Measure, year: int, names: Mapping[int, str]) -> PublishedLimits | None:
    """Return the limits of a measure in a summer; None where none are published, or no wide table is at hand.

    `names` gives areas their names.
    """
    if known.limits is None:
        return None
    stage, code = known.key_stage, known.code
    files = sources.tables.get(stage, {}).get(year, ())
    lower, upper, coverage = known.limits
    if not files or not all(has_columns(one.file, known.limits) for one in files):
        return None
    optional = [known.unadjusted] if known.unadjusted else []
    columns = [code, lower, upper, coverage, known.pupils]
    frame = pd.concat([read_wide(one.file, columns, stage, optional=optional) for one in files], ignore_index=True)
    # 1 is a mainstream school, 2 a special one
    frame = frame[frame["RECTYPE"] == "1"]
    where = ", ".join(one.file.name for one in files)
    numbers = {name: parse_cells(frame[name], f"{where}, {name}")[0] for name in frame.columns[5:]}
    half_width = (numbers[upper] - numbers[lower]) / 2
    shift = numbers[code] - numbers[known.unadjusted] if known.unadjusted in numbers else np.array([])
    scope = _scope(files, year, names)
    pupils = numbers[known.pupils] * numbers[coverage] / 100.0
    return PublishedLimits(half_width, pupils, shift[np.isfinite(shift)], scope)


def _scope(files: Sequence[TableFile], year: int, names: Mapping[int, str]) -> str:
    """Return whose schools wide tables list, in words."""
    areas = [one.area for one in files if one.area is not None]
    if len(areas) < len(files):
        return f"the published table of England's schools, {year}"
    where = listed([names.get(area, f"local authority {area}") for area in areas])
    tables = "table" if len(areas) == 1 else "tables"
    return f"the published {tables} of {where}'s schools, {year}, as these files hold none of all England"


# Shares of England's pupils, from which the spread of pupils is had that no file publishes for each school.


@dataclass(frozen=True, slots=True)
class NationalShares:
    """Shares of England's pupils (0 to 1) in the columns a measure's standard deviation rests on, and their scope."""

    shares: tuple[float, ...]
    scope: str


def national_shares(listing: Listing, columns: Sequence[str], year: int) -> NationalShares | None:
    """Return the shares of pupils in a summer over all schools listed, each weighed by its pupils; None where not had.

    Schools without a published share or number of pupils are left out; of a summer with single authorities' tables
    alone there are none.
    """
    scores = listing.scores
    if year in listing.part_years or not (columns and set(columns) <= set(scores.columns)):
        return None
    rows = scores[scores["year"] == year]
    blank = listing.blank.get(year, "")
    texts = [rows[name].astype("str").fillna("") for name in ("pupils", *columns)]
    pupils, *values = (
        parse_cells(text, f"{listing.source}, {text.name}, {year}", blank, listing.symbols_of(year))[0]
        for text in texts
    )
    used = np.isfinite(pupils) & np.isfinite(values).all(axis=0)
    if not pupils[used].sum() > 0:
        return None
    shares = tuple(float(pupils[used] @ value[used] / pupils[used].sum()) / 100.0 for value in values)
    # no number of schools in the words: those of two outcomes differ by a school, and read as two standard deviations
    return NationalShares(shares, f"the shares of pupils in England's schools, {year}")


def published_shares(sources: Sources, known: Measure, year: int) -> NationalShares | None:
    """Return the shares that DfE prints for England in any wide table of a summer; None where there is none."""
    files = sources.tables.get(known.key_stage, {}).get(year, ())
    if not files or not known.sd.columns or not has_columns(files[0].file, known.sd.columns):
        return None
    frame = read_rows(files[0].file, known.sd.columns, known.key_stage)
    row = frame[frame["RECTYPE"] == ENGLAND_ROWS[known.key_stage][0]].iloc[:1]
    where = files[0].file.name
    values = [parse_cells(row[name].fillna(""), f"{where}, {name}")[0] for name in known.sd.columns]
    if not (len(row) and np.isfinite(values).all()):
        return None
    return NationalShares(tuple(float(value[0]) / 100.0 for value in values), f"the shares printed for England, {year}")
