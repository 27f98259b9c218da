"""The share of each area's schools that Ofsted's latest inspection found good or outstanding, year by year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.words import listed
from evalkit.data.areas.series import AreaRoles, AreaSeries
from evalkit.data.layouts.opening import told_by_looks
from evalkit.data.measures import MEASURES
from evalkit.data.published.tables import read_table

RATINGS: Final = {
    "Outstanding": True,
    "Good": True,
    "Satisfactory": False,
    "Requires Improvement": False,
    "Inadequate": False,
}
FEWEST_SCHOOLS: Final = 10
"""An area with fewer rated schools at a year's end has no share: one inspection would move it by a tenth."""
_CUT: Final = "0831"


def read_ofsted_shares(ratings: Path, spine: Path, years: Sequence[int]) -> AreaSeries:
    r"""Return the percentage of schools rated good or outstanding at the end of each August, by DfE's area number.

    A school counts from its first inspection until the day it closed, with its latest rating; one that became an
    academy under a new number counts from the academy's first inspection. Schools are in the area where the school
    list of 2017/18 has them, and schools closed before it are in neither file.

    Parameters
    ----------
    ratings : Path, the history of ratings (URN, Rating, Inspection Date as YYYYMMDD)
    spine : Path, the list of schools of 2017/18 (URN, LA, CLOSEDATE)
    years : the calendar years wanted

    Raises
    ------
    DataError
        If a file cannot be read, or holds a rating or a date that is none.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_ofsted_shares
    >>> schools = [f"10{number}" for number in range(10)]
    >>> _ = Path("spine.csv").write_text("URN,LA,CLOSEDATE\n" + "".join(f"{urn},340,\n" for urn in schools))
    >>> ratings = [f"{urn},{'Good' if urn < '107' else 'Inadequate'},20180306\n" for urn in schools]
    >>> _ = Path("ratings.csv").write_text("URN,Rating,Inspection Date\n" + "".join(ratings))
    >>> series = read_ofsted_shares(Path("ratings.csv"), Path("spine.csv"), [2017, 2018])
    >>> series.areas.tolist(), series.periods, series.values.tolist()
    ([340], (2018,), [[70.0]])
    """
    if not len(years):
        raise DataError("No year was named, so there is no share to work out. Name the years, such as 2010 to 2019.")
    with told_by_looks(ratings, "read_ofsted_inspections"):
        history = _history(ratings)
    schools = read_table(spine, ["URN", "LA", "CLOSEDATE"]).drop_duplicates("URN").set_index("URN")
    closed = schools["CLOSEDATE"].str.slice(0, 10).str.replace("-", "")
    rows = [_shares(history, schools["LA"], closed, year) for year in sorted(set(years))]
    table = pd.concat(rows, ignore_index=True)
    if table.empty:
        raise DataError(f"{ratings.name}: no area has {FEWEST_SCHOOLS} rated schools in the years wanted.")
    series = AreaSeries.from_frame(table, AreaRoles(unit="area", period="year", outcome="share"))
    return replace(
        series,
        outcome="schools rated good or outstanding (%)",
        breaks=MEASURES["good_or_better"].breaks,
        notes=(
            "Schools closed before 2017/18 are not in the list: shares of earlier years are among those left.",
            f"An area with fewer than {FEWEST_SCHOOLS} rated schools in a year has no share in it.",
            f"The history of ratings begins in {str(history['day'].min())[:4]}: a school counts from its first "
            "inspection since, so that shares of the first years are of few schools.",
        ),
    )


def share_years(ratings: Path) -> tuple[int, ...]:
    """Return the calendar years at whose end of August a history of ratings had begun and had not ended."""
    days = read_table(ratings, ["Inspection Date"])["Inspection Date"]
    days = days[days.str.fullmatch(r"\d{8}").fillna(False)]
    if days.empty:
        return ()
    first, last = str(days.min()), str(days.max())
    return tuple(year for year in range(int(first[:4]), int(last[:4]) + 1) if first <= f"{year}{_CUT}" <= last)


def _history(path: Path) -> pd.DataFrame:
    """Return ratings by URN and day, in the order of days; of two on one day the worse counts."""
    frame = read_table(path, ["URN", "Rating", "Inspection Date"])
    unknown = sorted(set(frame["Rating"]) - set(RATINGS))
    if unknown:
        raise DataError(f"{path.name}: {unknown[0]!r} is not a rating. Known are {listed(list(RATINGS))}.")
    day = frame["Inspection Date"]
    is_no_day = pd.to_datetime(day, format="%Y%m%d", errors="coerce").isna()
    if is_no_day.any():
        raise DataError(
            f"{path.name}: {day[is_no_day].iloc[0]!r} is not a day as YYYYMMDD (such as 20180306). Correct it."
        )
    good = frame["Rating"].map(RATINGS).astype(bool)
    table = pd.DataFrame({"urn": frame["URN"], "day": day, "good": good})
    return table.sort_values(["urn", "day", "good"], ascending=[True, True, False], kind="stable")


def _shares(history: pd.DataFrame, area: pd.Series, closed: pd.Series, year: int) -> pd.DataFrame:
    """Return the percentage of each area at the end of August, areas with too few rated schools left out."""
    cut = f"{year}{_CUT}"
    latest = history[history["day"] <= cut].drop_duplicates("urn", keep="last").set_index("urn")["good"]
    left = closed.reindex(latest.index)
    known = area.reindex(latest.index)
    # a school closed on the very day of the cut is closed
    is_open = known.str.fullmatch(r"\d{3}").fillna(False) & ~((left != "") & (left <= cut)).fillna(False)
    by_area = latest[is_open].groupby(known[is_open].astype(int)).agg(["mean", "size"])
    rated_areas = by_area[by_area["size"] >= FEWEST_SCHOOLS]
    return pd.DataFrame(
        {"area": np.asarray(rated_areas.index), "year": year, "share": 100 * rated_areas["mean"].to_numpy()}
    )
