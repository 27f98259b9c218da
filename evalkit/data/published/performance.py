"""The wide performance tables, key stages 2 and 4, 2016/17 to 2018/19, and the confidence limits printed in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.data.flow import CountedCase
from evalkit.data.measures import PUPILS_OF_STAGE, Measure
from evalkit.data.published.codes import parse_cells
from evalkit.data.published.records import Listing, area_codes
from evalkit.data.published.school_lists import Links
from evalkit.data.published.sources import Sources
from evalkit.data.published.tables import has_columns, read_table

# The wide performance tables, key stages 2 and 4, 2016/17 to 2018/19, as downloaded.

_KEYS: Final = ["RECTYPE", "LEA", "ESTAB", "URN", "SCHNAME"]
_SCHOOLS: Final = ("1", "2")
_NATIONAL: Final = {"KS2": ("4", "5"), "KS4": ("5", "7")}


def read_wide(path: Path, columns: Sequence[str], key_stage: str, optional: Sequence[str] = ()) -> pd.DataFrame:
    """Read the school rows of one wide table: identity columns and those named, as published text.

    Rows of local authorities and of England carry other record types in the two key stages;
    they are used only to see that the file is whole, then left out.

    Raises
    ------
    DataError
        If the file is not a performance table of this key stage, or its last rows are missing.
    """
    frame = read_table(path, [*_KEYS, *columns], optional=optional, ragged=True)
    present = set(frame["RECTYPE"].unique())
    absent = [code for code in _NATIONAL[key_stage] if code not in present]
    if absent:
        raise DataError(
            f"{path.name}: the rows for England (RECTYPE {' and '.join(absent)}) are missing, so the file is cut "
            f"short or is not a {key_stage} performance table. Download it again."
        )
    return frame[frame["RECTYPE"].isin(_SCHOOLS)]


def read_performance(
    tables: dict[int, Path],
    links: Links,
    measures: Sequence[str],
    key_stage: str,
    years: Collection[int],
    beside: Sequence[str] = (),
) -> Listing:
    """Assemble wide tables into one listing, following each school over changes of identity.

    A summer without a table of its own is read from the prior-year columns (`READPROG_16`) of the
    next one, which DfE fills in on the current URN. In the year of a conversion both the closed
    school (with results) and the new one (without) are listed: the row with results is kept.

    Parameters
    ----------
    tables : dict of int to Path
        Wide table of each summer.
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
    summers = sorted({min(tables) - 1, *tables})
    read = _Columns(measures, key_stage, beside)
    rows = [_one_year(year, tables, read, year in years) for year in summers]
    listed = pd.concat([frame for frame in rows if frame is not None], ignore_index=True)
    listed["school_id"] = listed["urn"].map(links.oldest)
    rows_kept, resolved = _one_row_per_year(listed, measures)
    identity = rows_kept[["school_id", "urn", "year", "area", "laestab", "name"]].assign(minor_group="")
    scores = rows_kept.loc[rows_kept["year"].isin(list(years)), ["school_id", "year", "pupils", *measures, *beside]]
    cases = (*links.cases, *resolved)
    source = ", ".join(path.name for path in tables.values())
    return Listing(identity.reset_index(drop=True), scores.reset_index(drop=True), {}, cases, source)


@dataclass(frozen=True, slots=True)
class _Columns:
    """What is read of each table: measures, which must be there, and columns beside them where they are."""

    measures: Sequence[str]
    key_stage: str
    beside: Sequence[str]


def _one_year(year: int, tables: dict[int, Path], read: _Columns, with_scores: bool) -> pd.DataFrame | None:
    """Read one summer, from its own table or from the prior-year columns of the next; None if it has neither."""
    has_table = year in tables
    suffix = "" if has_table else f"_{year % 100}"
    pupils = PUPILS_OF_STAGE[read.key_stage] + suffix
    columns = [f"{code}{suffix}" for code in read.measures] if with_scores else []
    beside = [*read.beside] if with_scores and has_table else []
    path = tables.get(year) or tables[year + 1]
    if not has_table and with_scores and not has_columns(path, columns):
        return None
    optional = [pupils, *beside] if with_scores else []
    frame = read_wide(path, columns, read.key_stage, optional=optional)
    measures = [f"{code}{suffix}" for code in read.measures]
    text = frame.reindex(columns=[*_KEYS, pupils, *measures, *beside])
    text.columns = pd.Index(["rectype", "LEA", "ESTAB", "urn", "name", "pupils", *read.measures, *beside])
    text["area"] = area_codes(text["LEA"])
    return text.assign(year=year, laestab=text["LEA"] + text["ESTAB"]).reindex(
        columns=[*text.columns, "year", "laestab", *(name for name in read.beside if name not in beside)]
    )


def _one_row_per_year(listed: pd.DataFrame, measures: Sequence[str]) -> tuple[pd.DataFrame, tuple[CountedCase, ...]]:
    """Keep, of a school's rows in one year, the one with most results; then that of more pupils, then the older URN."""
    results = sum(pd.to_numeric(listed[code], errors="coerce").notna().astype(int) for code in measures)
    order = pd.DataFrame(
        {
            "results": results,
            "pupils": pd.to_numeric(listed["pupils"], errors="coerce").fillna(-1),
            "urn": listed["urn"],
        }
    ).sort_values(["results", "pupils", "urn"], ascending=[False, False, True])
    ordered = listed.loc[order.index]
    # counted before the second rows go: how often both the closed and the new school had results
    twice = ordered.duplicated(["school_id", "year"], keep=False)
    both = ordered[twice & (order["results"] > 0)].duplicated(["school_id", "year"], keep="first")
    rows_kept = ordered[~ordered.duplicated(["school_id", "year"])].sort_values(["school_id", "year"])
    dropped = len(ordered) - len(rows_kept)
    cases = (
        CountedCase("second rows of a school in one year (conversion years), dropped", dropped),
        CountedCase("of these, second rows that had results too; the larger cohort was kept", int(both.sum())),
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

    A national table is preferred to one of a single area; `names` gives areas their names.
    """
    if known.limits is None:
        return None
    stage, code = known.key_stage, known.code
    at_hand: Mapping[int, Path] = {**sources.county_tables[stage], **sources.tables[stage]}
    if year not in at_hand:
        return None
    path = at_hand[year]
    lower, upper, coverage = known.limits
    if not has_columns(path, known.limits):
        return None
    optional = [known.unadjusted] if known.unadjusted else []
    frame = read_wide(path, [code, lower, upper, coverage, known.pupils], stage, optional=optional)
    # 1 is a mainstream school, 2 a special one
    frame = frame[frame["RECTYPE"] == "1"]
    numbers = {name: parse_cells(frame[name], f"{path.name}, {name}")[0] for name in frame.columns[5:]}
    half_width = (numbers[upper] - numbers[lower]) / 2
    shift = numbers[code] - numbers[known.unadjusted] if known.unadjusted in numbers else np.array([])
    scope = _scope(sources, stage, year, str(frame["LEA"].iloc[0]), names)
    pupils = numbers[known.pupils] * numbers[coverage] / 100.0
    return PublishedLimits(half_width, pupils, shift[np.isfinite(shift)], scope)


def _scope(sources: Sources, stage: str, year: int, area: str, names: Mapping[int, str]) -> str:
    """Return whose schools a wide table lists, in words."""
    if year in sources.tables[stage]:
        return f"the published table of England's schools, {year}"
    where = names.get(int(area), f"local authority {area}")
    return f"the published table of {where}'s schools, {year}, as these files hold none of all England"


# Shares of England's pupils, from which the spread of pupils is had that no file publishes for each school.


@dataclass(frozen=True, slots=True)
class NationalShares:
    """Shares of England's pupils (0 to 1) in the columns a measure's standard deviation rests on, and their scope."""

    shares: tuple[float, ...]
    scope: str


def national_shares(listing: Listing, columns: Sequence[str], year: int) -> NationalShares | None:
    """Return the shares of pupils in a summer over all schools listed, each weighed by its pupils; None where not had.

    Schools without a published share or number of pupils are left out.
    """
    scores = listing.scores
    if not (columns and set(columns) <= set(scores.columns)):
        return None
    rows = scores[scores["year"] == year]
    blank = listing.blank.get(year, "")
    texts = [rows[name].astype("str").fillna("") for name in ("pupils", *columns)]
    pupils, *values = (parse_cells(text, f"{listing.source}, {text.name}, {year}", blank)[0] for text in texts)
    used = np.isfinite(pupils) & np.isfinite(values).all(axis=0)
    if not pupils[used].sum() > 0:
        return None
    shares = tuple(float(pupils[used] @ value[used] / pupils[used].sum()) / 100.0 for value in values)
    # no number of schools in the words: those of two outcomes differ by a school, and read as two standard deviations
    return NationalShares(shares, f"the shares of pupils in England's schools, {year}")


def published_shares(sources: Sources, known: Measure, year: int) -> NationalShares | None:
    """Return the shares that DfE prints for England in any area's wide table of a summer; None where there is none."""
    path = sources.county_tables.get(known.key_stage, {}).get(year)
    if path is None or not known.sd.columns or not has_columns(path, known.sd.columns):
        return None
    frame = read_table(path, ["RECTYPE", *known.sd.columns], ragged=True)
    row = frame[frame["RECTYPE"] == _NATIONAL[known.key_stage][0]].iloc[:1]
    values = [parse_cells(row[name].fillna(""), f"{path.name}, {name}")[0] for name in known.sd.columns]
    if not (len(row) and np.isfinite(values).all()):
        return None
    return NationalShares(tuple(float(value[0]) / 100.0 for value in values), f"the shares printed for England, {year}")
