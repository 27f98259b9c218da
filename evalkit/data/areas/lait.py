"""Series of local authorities from DfE's Local Authority Interactive Tool (LAIT), and where its measures break."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.words import did_you_mean, listed
from evalkit.data.areas.published_cells import MISSING, published_numbers
from evalkit.data.areas.series import AreaRoles, AreaSeries, unjoined
from evalkit.data.layouts.opening import told_by_looks
from evalkit.data.measures import MEASURES, Break
from evalkit.data.own_tables.columns import read_columns
from evalkit.data.own_tables.year_labels import YearLabel, read_year_label

# Series of local authorities from DfE's Local Authority Interactive Tool (LAIT).

FIRST_REGION: Final = 970
"""England is 970 and its regions are 980 to 990; authorities have smaller numbers."""
MEASURE, YEAR, NAME, VALUE, NUMBER = "Short Desc", "Years", "LA and Regions", "Values", "LA Number"


def read_lait(
    path: Path,
    measure: str,
    *,
    level: Literal["authority", "region", "nation"] = "authority",
    years: Collection[int] | None = None,
) -> AreaSeries:
    r"""Return one measure of every local authority, by its DfE number and the later year of a school year.

    Parameters
    ----------
    path : Path
        The tool's long table (`bds_long_0.parquet`, or a CSV of the same columns).
    measure : str
        What the column `Short Desc` calls it, such as `AVG_Prog8_Score`.
    level : str
        `authority`, or `region` (numbers 980 to 990), or `nation` (970, England).
    years : collection of int, optional
        The years wanted; values of others are not looked at.

    Raises
    ------
    DataError
        If the file cannot be read or has no such measure, a label is no single year, or a value is neither a number nor
        a code for a missing one.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_lait
    >>> path = Path("bds_long_0.csv")
    >>> header = "Short Desc,Years,LA Number,LA and Regions,Values\n"
    >>> rows = "AVG_Prog8_Score,2017/18,340,Knowsley,-0.8\nAVG_Prog8_Score,2018/19,340,Knowsley,-0.9\n"
    >>> england = "AVG_Prog8_Score,2018/19,970,England,0.0\n"
    >>> _ = path.write_text(header + rows + england)
    >>> series = read_lait(path, "AVG_Prog8_Score")
    >>> series.name(340), series.periods, series.values.tolist()
    ('Knowsley', (2018, 2019), [[-0.8, -0.9]])
    """
    with told_by_looks(path, "read_lait"):
        columns = read_columns(path, [MEASURE, YEAR, NAME, VALUE], [NUMBER])
    frame = pd.DataFrame(columns.texts | columns.numbers)
    first, after = _NUMBERS[level]
    rows = frame[(frame[MEASURE] == measure) & (frame[NUMBER] >= first) & (frame[NUMBER] < after)]
    if rows.empty:
        known = frame[MEASURE].dropna().unique().tolist()
        raise DataError(
            f"{path.name}: there is no measure {measure!r}.{did_you_mean(measure, known)} It has {len(known)} "
            f"measures, starting {listed(known, 4)}."
        )
    return _lait_series(rows, path.name, measure, years)


def _lait_series(rows: pd.DataFrame, file: str, measure: str, years: Collection[int] | None) -> AreaSeries:
    """Return the series of the rows of one measure, in the years wanted."""
    rows, unread = _without_empty_labels(rows)
    labels = {text: read_year_label(str(text), f"{file}: {measure}") for text in rows[YEAR].unique()}
    _require_one_label(labels, file, measure)
    if years is not None:
        labels = {text: label for text, label in labels.items() if label.year in years}
        rows = rows[rows[YEAR].isin(list(labels))]
    where = f"{file}: {measure}"
    table = pd.DataFrame(
        {
            "area": rows[NUMBER].astype(int),
            "year": rows[YEAR].map({text: label.year for text, label in labels.items()}),
            measure: published_numbers(rows[VALUE], where),
        }
    )
    series = AreaSeries.from_frame(table, AreaRoles(unit="area", period="year", outcome=measure))
    names = dict(zip(table["area"].tolist(), rows[NAME].astype(str).tolist(), strict=True))
    breaks = area_breaks(measure)
    notes = (*unread, *_notes(series, labels, breaks is None, names))
    return replace(series, names=names, breaks=breaks or (), notes=notes)


def lait_years(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the years of each measure of the tool's table, by its labels alone; none of averages over several years.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit.data.areas.lait import lait_years
    >>> header = "Short Desc,Years,LA Number,LA and Regions,Values\n"
    >>> rows = "TotAbs,2018/19,340,Knowsley,5.1\nTotAbs,2020,340,Knowsley,-\nRTA,2014-16,340,Knowsley,9\n"
    >>> _ = Path("bds_long_0.csv").write_text(header + rows)
    >>> lait_years(Path("bds_long_0.csv"))
    {'TotAbs': (2019, 2020), 'RTA': ()}
    """
    texts = read_columns(path, [MEASURE, YEAR], []).texts
    found: dict[str, set[int]] = {}
    for measure, label in pd.DataFrame(texts).dropna().drop_duplicates().itertuples(index=False):
        of_measure = found.setdefault(str(measure), set())
        with suppress(DataError):
            of_measure.add(read_year_label(str(label), "").year)
    return {measure: tuple(sorted(years)) for measure, years in found.items()}


_NUMBERS: Final = {"authority": (0, FIRST_REGION), "nation": (FIRST_REGION, 980), "region": (980, 1000)}
"""From a level to the first of DfE's numbers of it, and that after the last."""


def _without_empty_labels(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return rows without those of a label that is no year and under which no area has a value, and what to say."""
    has_value = ~rows[VALUE].fillna("").astype(str).str.strip().isin(MISSING)
    empty = [str(label) for label, has_any in has_value.groupby(rows[YEAR]).any().items() if not has_any]
    odd = [label for label in empty if not re.match(r"\d{4}", label)]
    notes = [f"No area has a value under the label {listed([repr(label) for label in odd])}, which is no year."]
    return rows[~rows[YEAR].isin(odd)], notes if odd else []


def _require_one_label(labels: dict[str, YearLabel], name: str, measure: str) -> None:
    """Raise `DataError` where two labels stand for one year."""
    years = [label.year for label in labels.values()]
    twice = [text for text, label in labels.items() if years.count(label.year) > 1]
    if twice:
        raise DataError(f"{name}: {measure}: {listed(sorted(twice))} stand for one year. Keep one of them.")


def _notes(series: AreaSeries, labels: dict[str, YearLabel], is_unknown: bool, names: dict[int, str]) -> Iterator[str]:
    provisional = sorted(str(label.year) for label in labels.values() if label.stage.lower() == "prov")
    if provisional:
        yield f"Values of {listed(provisional)} are provisional."
    empty = sorted({label.year for label in labels.values()} - set(series.periods))
    if empty:
        yield f"No area has a value in {listed([str(year) for year in empty])}."
    if note := unjoined(series, names, series.periods):
        yield note
    if is_unknown:
        yield NOT_LOOKED_AT


# What changed in how the measures of area series are made, by DfE's short names; a break is refused or said.


@cache
def _breaks() -> tuple[tuple[str, tuple[Break, ...]], ...]:
    """Return patterns of short names, the first that fits, with the breaks that DfE's own notes to the tables give.

    Measures of schools and of areas change together, so that the registry's breaks are taken.
    """
    tests, cap, writing, *_ = MEASURES["WRITPROG"].breaks
    (new_grades, *_), (profile,) = MEASURES["P8MEA"].breaks, MEASURES["good_level_of_development"].breaks
    rescaled, *_, of_teachers, exams_again, midway = MEASURES["attainment_8_of_area"].breaks
    grades = (of_teachers, exams_again, midway)
    return (
        (r"KS2W_Prog_VA|.*KS2.*Writing_Progress|LAC_KS2_AVG_Prog8_W", (tests, cap, writing)),
        (r"KS2._Prog_VA|.*KS2.*_Progress|LAC_KS2_AVG_Prog8_.", (tests, cap)),
        (r"KS2W_.*|KS2GDW_.*|(CIN|LAC)_KS2_ExpStd_R?W.*|.*KS2.*RWM.*", (tests, writing)),
        (r".*KS2.*", (tests,)),
        (r".*Prog8.*", (new_grades, cap)),
        (r".*A(ttain|TT)8.*|CPPO_KS4_A8", (rescaled, *grades)),
        (r"(.*_)?EngMaths9-.|EngBac.*|CIN_EngBac.*", grades),
        (r".*Good_?_?(Develop|dev).*|.*Gooddev.*|FSP_.*|FSPAVE.*|CIN_Good _Develop", (profile,)),
    )


NOT_LOOKED_AT: Final = (
    "This kit knows no change in how this measure is made, and has not looked for one: check its notes before years "
    "are compared."
)


def area_breaks(short_name: str) -> tuple[Break, ...] | None:
    """Return the changes in how a measure is made, None where this kit has not looked for any."""
    return next((breaks for pattern, breaks in _breaks() if re.fullmatch(pattern, short_name)), None)
