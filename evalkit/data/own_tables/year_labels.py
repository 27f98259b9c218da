"""The year that a published label stands for, and what the labels of a column of periods are numbered by."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from evalkit.core.errors import DataError
from evalkit.core.words import shown_cell

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
    if match := _SIX.fullmatch(label):
        return YearLabel(_following(match["first"], match["last"], label, where))
    if match := _TWO.fullmatch(label):
        return YearLabel(_following(match["first"], match["last"], label, where), match["stage"] or "")
    if (match := _ONE.fullmatch(label)) and 1900 <= int(match["year"]) <= 2100:
        return YearLabel(int(match["year"]), match["stage"] or "")
    if _MORE.fullmatch(label):
        raise DataError(_averages(label, where))
    raise DataError(
        f"{where}: the label {shown_cell(text)} is not a year (such as 2019, 2018/19 or 2019 (Rev)). Correct it."
    )


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


Kind = Literal["number", "school year", "quarter", "month"]
Places = Callable[[str, str], str]
"""From a column and a label in it to where it stands, for a message."""

_LONG: Final = re.compile(r"(?P<first>\d{4})\s*[/\u2013-]\s*(?P<last>\d{4})")
_SHORT: Final = re.compile(r"(?P<first>\d{4})(?P<mark>[/\u2013-]?)(?P<last>\d{2})")
_QUARTER: Final = re.compile(r"(?P<year>\d{4})[ /-]?[Qq](?P<quarter>[1-4])")
_MONTH: Final = re.compile(r"(?P<year>\d{4})-?[Mm](?P<month>0[1-9]|1[0-2])")
_WHOLE: Final = re.compile(r"[-+]?\d+(\.0*)?")
_DAY: Final = re.compile(r"\d{4}-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])")
_QUARTER_CODE: Final = re.compile(r"(?:19|20)\d{2}[1-4]")
_WRITE: Final = (
    "Write years as 2019, school years as 2018/19 or 201819, quarters as 2019Q1, months as 2019-03: one kind of them "
    "in all rows"
)


@dataclass(frozen=True, slots=True)
class PeriodScale:
    """How labels of periods become whole numbers, one apart where periods follow one another.

    School years stand under the year they end in: 2018/19 is 2019. Quarters and months are numbered from 1 on, 1 being
    that after `origin`; `first` and `last` are labels of the file.
    """

    kind: Kind = "number"
    origin: int = 0
    first: tuple[str, int] = ("", 0)
    last: tuple[str, int] = ("", 0)

    def number(self, label: str, where: str) -> int:
        """Return the number of a label, such as a start that was asked for; raise `DataError` where it has none."""
        readings = _readings(label.strip())
        if self.kind in readings:
            return readings[self.kind] - self.origin
        other: Kind = "number" if self.kind == "school year" else "school year"
        if self.kind in ("number", "school year") and other in readings:
            return readings[other]
        raise DataError(f"{where} {label!r} is not a {self.noun}, as the periods of the table are. {_WRITE}.")

    @property
    def noun(self) -> str:
        """Return what the periods are, in words."""
        return "whole number or a school year" if self.kind == "number" else self.kind

    @property
    def note(self) -> str:
        """Return in a sentence how the labels are numbered, an empty text where they are numbers themselves."""
        (first, one), (last, many) = self.first, self.last
        if self.kind == "number" or not first:
            return ""
        if self.kind == "school year":
            return (
                f"School years stand under the year they end in, that of their summer: {first} is {one}, {last} is "
                f"{many}. A year of four digits is that year itself."
            )
        return f"Periods are {self.kind}s, numbered one after another: {first} is {one}, {last} is {many}."


def period_scale(columns: Mapping[str, Sequence[str]], place: Places) -> PeriodScale:
    """Return how the distinct labels of the columns that hold periods (period and cohort, say) are numbered.

    The kind is decided by whole columns: `201112` is a school year where `201213` stands beside it, and December where
    `201101` does. Raise `DataError` with the place of a label that does not fit, and where all could be either.

    >>> scale = period_scale({"time": ["201617", "201718"], "first": ["2018"]}, lambda column, label: column)
    >>> scale.kind, scale.number("201718", "start"), scale.number("2018", "start")
    ('school year', 2018, 2018)
    """
    known = {name: labels for name, labels in columns.items() if labels}
    kinds = {name: _kinds(name, labels, place) for name, labels in known.items()}
    kind = _one_kind(kinds, known, place)
    if kind == "number":
        return PeriodScale()
    readings = {label: _readings(label) for labels in known.values() for label in labels}
    numbers = sorted((found[kind], label) for label, found in readings.items() if kind in found)
    origin = 0 if kind == "school year" else numbers[0][0] - 1
    (low, first), (high, last) = numbers[0], numbers[-1]
    return PeriodScale(kind, origin, (first, low - origin), (last, high - origin))


def is_period(label: str) -> bool:
    """Return whether a text can be a period at all: a whole number, school year, quarter or month."""
    return bool(_readings(label.strip()))


def _readings(label: str) -> dict[Kind, int]:
    """Return what a label can be, and the number it would have."""
    if whole := _LONG.fullmatch(label):
        return {"school year": int(whole["last"])} if int(whole["last"]) == int(whole["first"]) + 1 else {}
    if quarter := _QUARTER.fullmatch(label):
        return {"quarter": 4 * int(quarter["year"]) + int(quarter["quarter"]) - 1}
    if month := _MONTH.fullmatch(label):
        return {"month": _month(month["year"], month["month"])}
    found: dict[Kind, int] = {}
    short = _SHORT.fullmatch(label)
    if short and 1900 <= int(short["first"]) <= 2100:
        if (int(short["first"]) + 1) % 100 == int(short["last"]):
            found["school year"] = int(short["first"]) + 1
        # 2011/12 is never December; 201112 and 2011-12 are, unless their neighbours say otherwise
        if short["mark"] != "/" and 1 <= int(short["last"]) <= 12:
            found["month"] = _month(short["first"], short["last"])
    if not found and _WHOLE.fullmatch(label) and not _DAY.fullmatch(label):
        found["number"] = int(label.partition(".")[0])
    return found


def _month(year: str, month: str) -> int:
    return 12 * int(year) + int(month) - 1


def _kinds(name: str, labels: Sequence[str], place: Places) -> set[Kind]:
    """Return the kinds that every label of a column can be; raise `DataError` where there is none."""
    readings = {label: set(_readings(label)) for label in labels}
    common = set.intersection(*readings.values())
    years = {label[:4] for label in labels}
    if len(years) > 1 and all(_QUARTER_CODE.fullmatch(label) for label in labels):
        raise DataError(f"{place(name, labels[0])} could be a quarter. {_WRITE}.")
    if common:
        return common
    kinds: tuple[Kind, ...] = ("number", "school year", "quarter", "month")
    most = max(kinds, key=partial(_n_of, readings))
    odd = next(label for label in labels if most not in readings[label])
    if _n_of(readings, most) == 0 or not readings[odd]:
        raise DataError(f"{place(name, odd)} is not a period. {_WRITE}.")
    raise DataError(f"{place(name, odd)} is not a {PeriodScale(most).noun} as other cells of the column are. {_WRITE}.")


def _n_of(readings: Mapping[str, set[Kind]], kind: Kind) -> int:
    return sum(kind in kinds for kinds in readings.values())


def _one_kind(kinds: Mapping[str, set[Kind]], labels: Mapping[str, Sequence[str]], place: Places) -> Kind:
    """Return the one kind that fits all columns; bare years may stand beside school years."""
    if not kinds:
        return "number"
    common = set.intersection(*kinds.values())
    name, held = next(iter(labels.items()))
    if len(common) > 1:
        raise DataError(
            f"{place(name, held[0])} could be a school year or a month, and so could all others of the column. "
            "Write 2012 or 2011/12 for the school year, 2011M12 for the month."
        )
    if common:
        return common.pop()
    if all(one & {"number", "school year"} for one in kinds.values()):
        return "school year"
    other = next(one for one in kinds if one != name)
    raise DataError(f"{place(other, labels[other][0])} is not of the kind that {name!r} holds ({held[0]}). {_WRITE}.")
