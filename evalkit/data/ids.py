"""The ids of units: each known and once, and the order they fix, whatever order a file has."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.words import counted, listed
from evalkit.data.roles import named


def id_order(ids: pd.Index) -> NDArray[np.int64] | None:
    """Return positions that put ids in order, None where they stand so.

    Numbers go by size; texts by length and then by letter, so that `S2` comes before `S10`.
    """
    if pd.api.types.is_numeric_dtype(ids.dtype):
        return None if ids.is_monotonic_increasing else ids.argsort().astype(np.int64)
    texts = pd.Series(ids).astype("str")
    length = texts.str.len().to_numpy()
    head, tail = texts.iloc[:-1].reset_index(drop=True), texts.iloc[1:].reset_index(drop=True)
    longer, alike = np.diff(length) > 0, np.diff(length) == 0
    if (longer | (alike & (tail >= head).to_numpy())).all():
        return None
    rank = pd.factorize(texts, sort=True)[0]
    return np.lexsort((rank, length)).astype(np.int64)


_TOTALS: Final = frozenset(
    [
        "total",
        "totals",
        "grand total",
        "sub-total",
        "subtotal",
        "sum",
        "mean",
        "average",
        "overall",
        "national",
        "nat",
        "all",
        "all schools",
        "all pupils",
        "all areas",
        "all local authorities",
    ]
)
"""What tables write in the place of an id in a row of totals, in small letters."""


def _refuse_totals(texts: pd.Series) -> None:
    """Raise `DataError` where an id names a total: compared as a unit it would be the largest of all."""
    totals = texts[texts.str.strip().str.lower().isin(_TOTALS)]
    if len(totals):
        other_totals = "" if len(totals) == 1 else f" (and {listed([named(total) for total in totals.iloc[1:]])})"
        raise DataError(
            f"The id {named(totals.iloc[0])}{other_totals} names a total, not a unit. Leave its rows out; if it is a "
            "unit, write its id otherwise."
        )


def refuse_lookalikes(ids: pd.Index, noun: str = "id") -> None:
    """Raise `DataError` where distinct ids differ in nothing but a trailing `.0`, blanks, case or leading zeros.

    An id that names a total is refused as well. Twins are likelier one unit written in two ways, as a program does to
    a column that once held a gap, than two.
    """
    # numbers cannot differ in leading zeros or case
    if pd.api.types.is_numeric_dtype(ids.dtype) or not len(ids):
        return
    texts = pd.Series(ids.astype("str"))
    if texts.str.isdigit().all() and not texts.str.startswith("0").any():
        return  # there is nothing in them that could make the difference
    _refuse_totals(texts)
    plain = _plain(texts)
    if not plain.duplicated().any():
        return
    twins = pd.DataFrame({"text": texts, "plain": plain})
    twins = twins[twins["plain"].duplicated(keep=False)]
    first, second = twins.loc[twins["plain"] == twins["plain"].iloc[0], "text"].iloc[:2]
    pairs = counted(int(twins["plain"].duplicated().sum()), f"pair of {noun}s differs", f"pairs of {noun}s differ")
    raise DataError(
        f"{pairs} only in {_difference(first, second)}: {shown_id(first, second)} and {shown_id(second, first)}. They "
        f"would count as two. Write each {noun} in one way in all rows."
    )


def _plain(texts: pd.Series) -> pd.Series:
    """Return ids without what should make no difference between two of them."""
    whole = texts.str.strip().str.replace(r"\.0+$", "", regex=True)
    plain = whole.str.lower()
    is_padded = plain.str.startswith("0")
    if is_padded.any():  # pandas takes this pattern to Python, one id after the other
        plain[is_padded] = plain[is_padded].str.replace(r"^0+(?=.)", "", regex=True)
    return plain


def _difference(first: str, second: str) -> str:
    """Return in words how two ids differ that are the same without it."""
    if first.strip() == second.strip():
        return "blanks"
    if first.strip().lower() == second.strip().lower():
        return "case (capital and small letters)"
    ends = [text.strip().lower().rpartition(".")[0] or text.strip().lower() for text in (first, second)]
    return "'.0'" if ends[0] == ends[1] or ends[0] == second.strip() else "leading zeros"


def shown_id(one: str, other: str) -> str:
    """Return an id as it stands beside another, quoted where blanks make the difference."""
    return repr(one) if one != one.strip() or other != other.strip() else one


def require_ids(ids: pd.Index) -> None:
    """Raise `DataError` where there are no ids, or one is missing, stands twice, or is written in two ways."""
    if not len(ids):
        raise DataError("The table has no rows.")
    if ids.hasnans:
        raise DataError("A row has no id. Fill it in, or leave the row out.")
    if not ids.is_unique:
        twice = ids[ids.duplicated()]
        raise DataError(
            f"The id {named(twice[0])} stands in more than one row ({counted(twice.nunique(), 'such id')}). "
            "Keep one row for each unit."
        )
    refuse_lookalikes(ids)
