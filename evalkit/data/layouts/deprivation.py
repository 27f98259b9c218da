"""IDACI: the share of children in income-deprived families of each small area, and of that which a school stands in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from evalkit.core.errors import DataError
from evalkit.core.words import counted, shown_cell
from evalkit.data.files.layout import Contents, Field, Layout, has_fields
from evalkit.data.files.raw_table import Peek, RawTable
from evalkit.data.layouts.field_table import named_as_fields
from evalkit.data.layouts.opening import open_as
from evalkit.data.layouts.published_table import PublishedTable, published_table, refuse_repeated, stripped

_LONG: Final = "Income Deprivation Affecting Children Index (IDACI)"
_SCORE: Final = "IDACI score"
_EDITIONS: Final = ("2011", "2021", "2001")
"""Years of the small areas that the editions of 2015 and 2019, of 2025 and of 2010 are of."""
_FIELDS: Final = (
    Field(
        name="LSOA code", meaning="Small area (LSOA), GSS code.", form="code",
        also=("lsoa11cd", "lsoa21cd", *(f"LSOA code ({year})" for year in _EDITIONS)),
    ),
    Field(
        name=_SCORE, meaning="Share of children under 16 in income-deprived families, 0 to 1.", form="number",
        also=(f"{_LONG} Score (rate)", f"{_LONG} Score", "IDACI Score (rate)", "idaci_score"),
    ),
    Field(
        name="IDACI rank", meaning="Rank among small areas, 1 the most deprived.", form="number", is_required=False,
        also=(f"{_LONG} Rank (where 1 is most deprived)", "IDACI Rank (where 1 is most deprived)"),
    ),
    Field(
        name="IDACI decile", meaning="Tenth of small areas, 1 the most deprived.", form="number", is_required=False,
        also=(
            f"{_LONG} Decile (where 1 is most deprived 10% of LSOAs)",
            "IDACI Decile (where 1 is most deprived 10% of LSOAs)",
        ),
    ),
)  # fmt: skip
NO_AREA: Final = "the file names no small area for this school"
NOT_IN_INDEX: Final = "the school's small area is not in this edition of the index"


def read_idaci(path: Path, schools: Path | None = None) -> PublishedTable:
    r"""Return the IDACI of each small area or, with a list of schools, of the small area that each school stands in.

    Parameters
    ----------
    path : Path
        A table of the indices of deprivation with scores by LSOA (a CSV or workbook of 2015, 2019 or 2025).
    schools : Path, optional
        A list with the columns `URN` and `LSOA (code)`, such as a GIAS extract. Then keys are URNs; a school whose
        small area is not known, or is not in this edition (editions differ in their areas), has the reason.

    Raises
    ------
    DataError
        If a file is damaged or of another kind, a score is none, or an area or school has two rows.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_idaci
    >>> _ = Path("idaci.csv").write_text("LSOA code (2011),IDACI Score (rate)\nE01006442,0.412\nE01006443,0.105\n")
    >>> _ = Path("gias.csv").write_text("URN,LSOA (code)\n100001,E01006443\n100002,\n")
    >>> found = read_idaci(Path("idaci.csv"), schools=Path("gias.csv"))
    >>> found.values["IDACI score"].tolist(), found.reasons["IDACI score"][1]
    ([0.105, nan], 'the file names no small area for this school')
    """
    table, _ = open_as(path, LAYOUTS)
    frame = named_as_fields(table, _FIELDS)
    measures = [field.name for field in _FIELDS[1:] if field.name in frame]
    codes = frame[["LSOA code"]].apply(stripped)
    wrong = codes["LSOA code"][~codes["LSOA code"].str.fullmatch(r"[EW]01\d{6}")]
    if len(wrong):
        raise DataError(
            f"{table.name}: line {int(wrong.index[0]) + 2}: {shown_cell(wrong.iloc[0])} is no small area "
            f"(such as E01006442; {counted(len(wrong), 'such cell')}). Use the untouched download."
        )
    refuse_repeated(codes, table.name, "a small area")
    areas = published_table(frame, table.name, measures=measures, keys=codes)
    outside = areas.values[_SCORE].lt(0) | areas.values[_SCORE].gt(1)
    if outside.any():
        at = int(areas.values.index[outside][0])
        raise DataError(f"{table.name}: line {at + 2}: {areas.values[_SCORE][at]:g} is no score: they lie from 0 to 1.")
    return areas if schools is None else _of_schools(areas, schools)


def _of_schools(areas: PublishedTable, schools: Path) -> PublishedTable:
    table, _ = open_as(schools, (_SCHOOLS,))
    frame = named_as_fields(table, _SCHOOLS.fields)
    keys = frame[["URN", "LSOA (code)"]].apply(stripped)
    refuse_repeated(keys[["URN"]], table.name, "a school")
    lsoa = keys["LSOA (code)"]
    by_area = areas.values.set_axis(areas.keys["LSOA code"])
    reason_by_area = areas.reasons.set_axis(areas.keys["LSOA code"])
    is_known = lsoa.isin(by_area.index)
    values = by_area.reindex(lsoa)
    reasons = reason_by_area.reindex(lsoa).reset_index(drop=True)
    for column in reasons:
        reasons[column] = reasons[column].where(is_known, lsoa.ne("").map({True: NOT_IN_INDEX, False: NO_AREA}))
    lacking = int((~is_known).sum())
    note = f"{counted(lacking, 'school')} of {len(keys):,} {'has' if lacking == 1 else 'have'} no small area here."
    return replace(areas, keys=keys, values=values, reasons=reasons, notes=(*areas.notes, note))


def _fits(peek: Peek) -> bool:
    return has_fields(peek, _FIELDS)


def _contents(table: RawTable) -> Contents:
    frame = named_as_fields(table, _FIELDS)
    return Contents(rows=len(frame), measures=tuple(f.name for f in _FIELDS[1:] if f.name in frame), levels=("lsoa",))


def _never(table: RawTable) -> Contents:
    return Contents(rows=len(table.read()))


_SCHOOL_FIELDS: Final = (
    Field(name="URN", meaning="Unique reference number of the school.", form="urn", also=("school_urn",)),
    Field(
        name="LSOA (code)",
        meaning="Small area of its postcode, GSS code.",
        form="code",
        also=("LSOA code", "lsoa", "lsoa11cd", "lsoa21cd"),
    ),
)


def _fits_schools(peek: Peek) -> bool:
    return has_fields(peek, _SCHOOL_FIELDS)


_SCHOOLS: Final = Layout(
    name="schools-with-small-areas", title="A list of schools with their small areas", publisher="DfE",
    fields=_SCHOOL_FIELDS, fits=_fits_schools, contents=_never,
)  # fmt: skip
LAYOUTS: Final = (
    Layout(
        name="idaci", title="Income deprivation affecting children (IDACI), by small area", publisher="MHCLG",
        fields=_FIELDS, fits=_fits, contents=_contents, reader="read_idaci",
    ),
)  # fmt: skip
