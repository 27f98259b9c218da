"""DfE's similar schools: for each school the fifty that are most like it, as published since June 2026."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.words import shown_cell
from evalkit.data.files.layout import Contents, Field, Layout, fitting
from evalkit.data.files.raw_table import Peek, RawTable
from evalkit.data.layouts.field_table import named_as_fields, read_fields
from evalkit.data.layouts.opening import open_as
from evalkit.data.layouts.published_table import PublishedTable, published_table, refuse_repeated

_URN: Final = Field(name="URN", meaning="Unique reference number of the school.", form="urn", also=("school_urn",))
_LONG: Final = (
    _URN,
    Field(
        name="similar URN", meaning="That of a school like it.", form="urn",
        also=("similar_urn", "similar_school_urn", "similar school urn", "comparator_urn"),
    ),
    Field(name="rank", meaning="1 the most alike.", form="number", is_required=False, also=("similarity_rank",)),
    Field(
        name="distance", meaning="How far apart the two are.", form="number", is_required=False,
        also=("similarity_score", "similarity distance"),
    ),
)  # fmt: skip
_WIDE: Final = (
    _URN,
    Field(name="similar_school_1", meaning="URN of the school most like it; further ones beside it.", form="urn"),
)
_NUMBERED: Final = re.compile(r"similar[ _]?(?:school)?[ _]?(?:urn)?[ _]?(\d{1,2})(?:[ _]urn)?", re.IGNORECASE)


def read_similar_schools(path: Path) -> PublishedTable:
    r"""Return for each school those that DfE counts as like it, a row for each pair, the most alike first.

    No file of this source was at hand: a table with a row for each pair is read, and one with a row for each school and
    numbered columns.

    Raises
    ------
    DataError
        If the file is damaged or of another kind, an id is no URN, or a pair stands there twice.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_similar_schools
    >>> rows = "100001,100002,100003\n100002,100001,\n"
    >>> _ = Path("similar.csv").write_text("URN,similar_school_1,similar_school_2\n" + rows)
    >>> pairs = read_similar_schools(Path("similar.csv"))
    >>> pairs.keys.to_numpy().tolist(), pairs.values["rank"].tolist()
    ([['100001', '100002'], ['100001', '100003'], ['100002', '100001']], [1.0, 2.0, 1.0])
    """
    table, layout = open_as(path, LAYOUTS)
    if layout.name == "similar-schools":
        return read_fields(table, _LONG, one_of=("URN", "similar URN"))
    return published_table(_pairs(table), table.name, measures=["rank"])


def _pairs(table: RawTable) -> pd.DataFrame:
    """Return the pairs of a table with a row for each school."""
    frame = named_as_fields(table, (_URN,)).fillna("")
    refuse_repeated(frame[["URN"]], table.name, "a school")
    ranks = {str(column): match[1] for column in frame if (match := _NUMBERED.fullmatch(str(column).strip()))}
    parts = [
        pd.DataFrame({"URN": frame["URN"], "similar URN": frame[column], "rank": rank, "at": frame.index})
        for column, rank in ranks.items()
    ]
    pairs = pd.concat(parts, ignore_index=True)
    pairs = pairs[pairs["similar URN"].str.strip().ne("")]
    pairs = pairs.assign(order=pairs["rank"].astype(int)).sort_values(["at", "order"], kind="stable")
    for column in ("URN", "similar URN"):
        wrong = pairs[~pairs[column].str.strip().str.fullmatch(r"\d{5,6}")]
        if len(wrong):
            line = int(wrong["at"].iloc[0]) + 2
            raise DataError(
                f"{table.name}: line {line}: {shown_cell(wrong[column].iloc[0])} is no URN. Use the untouched file."
            )
    refuse_repeated(pairs[["URN", "similar URN"]].set_axis(pairs["at"]), table.name, "a pair of schools")
    return pairs[["URN", "similar URN", "rank"]].reset_index(drop=True)


def _fits_wide(peek: Peek) -> bool:
    numbered = [column for column in peek.columns if _NUMBERED.fullmatch(column.strip())]
    return bool(numbered) and {column.strip().casefold() for column in peek.columns} & {"urn", "school_urn"} != set()


def _contents(table: RawTable) -> Contents:
    return Contents(rows=len(table.read()), measures=("rank",), levels=("school",))


LAYOUTS: Final = (
    Layout(
        name="similar-schools", title="Similar schools, a row for each pair", publisher="DfE", fields=_LONG,
        fits=fitting(_LONG), contents=_contents, reader="read_similar_schools",
    ),
    Layout(
        name="similar-schools-wide", title="Similar schools, a row for each school", publisher="DfE", fields=_WIDE,
        fits=_fits_wide, contents=_contents, reader="read_similar_schools",
    ),
)  # fmt: skip
