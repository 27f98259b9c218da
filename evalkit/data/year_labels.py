"""The year that a published label stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from evalkit.core.errors import DataError

_ONE: Final = re.compile(r"(?P<year>\d{4})(?: \((?P<stage>[A-Za-z]+)\))?")
_TWO: Final = re.compile(r"(?P<first>\d{4})[/-](?P<last>\d{2})(?: \((?P<stage>[A-Za-z]+)\))?")
_MORE: Final = re.compile(r"\d{4}/\d{2}-\d{2}/\d{2}")
_SIX: Final = re.compile(r"(?P<first>\d{4})(?P<last>\d{2})")


@dataclass(frozen=True, slots=True)
class YearLabel:
    """A year, the later one of a school or financial year, and the stage that the label names: `prov`, `Rev`, …"""

    year: int
    stage: str = ""


def read_year_label(text: str, where: str) -> YearLabel:
    """Return the year of `2019`, `2018/19`, `2018-19 (OT)`, `201819` or `2025 (prov)`.

    Raise `DataError` for averages over several years (`2014-16`), whose windows overlap, and for what is no year.
    """
    label = text.strip()
    if found := _SIX.fullmatch(label):
        return YearLabel(_following(found["first"], found["last"], label, where))
    if found := _TWO.fullmatch(label):
        return YearLabel(_following(found["first"], found["last"], label, where), found["stage"] or "")
    if (found := _ONE.fullmatch(label)) and 1900 <= int(found["year"]) <= 2100:
        return YearLabel(int(found["year"]), found["stage"] or "")
    if _MORE.fullmatch(label):
        raise DataError(_averages(label, where))
    raise DataError(f"{where}: the label {text!r} is not a year (such as 2019, 2018/19 or 2019 (Rev)). Correct it.")


def _following(first: str, last: str, label: str, where: str) -> int:
    year = int(first) + 1
    if year % 100 == int(last):
        return year
    if int(last) > year % 100:
        raise DataError(_averages(label, where))
    raise DataError(f"{where}: the label {label!r} is not a year that follows on the one before. Correct it.")


def _averages(label: str, where: str) -> str:
    return (
        f"{where}: {label!r} is an average over several years. Such averages overlap, so that no period lies wholly "
        "before or after a start. Use a measure of single years."
    )
