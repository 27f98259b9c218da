"""Periods of Explore Education Statistics: what `time_period` and `time_identifier` say together, and its summer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.words import listed, shown_cell

PERIOD: Final = "time_period"
IDENTIFIER: Final = "time_identifier"
_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_FIRST_MONTH: Final = 9
"""A school year begins in September."""
_FIRST_WEEK: Final = 36
"""The week of the calendar in which a school year begins."""
_LAST_WEEK: Final = 53
_ONE: Final = re.compile(r"(?:19|20)\d{2}")
_TWO: Final = re.compile(r"((?:19|20)\d{2})\s*[/\u2013-]?\s*(?:(?:19|20)(?=\d{2}$))?(\d{2})")
_WEEK: Final = re.compile(r"week (\d{1,2})")
_QUARTER: Final = re.compile(r".*\bq([1-4])")
_TERMS: Final = {"autumn term": 1, "spring term": 2, "summer term": 3}
_OF_SCHOOLS: Final = ("academic year", "autumn", "spring", "summer")
_OF_TWO_YEARS: Final = (*_OF_SCHOOLS, "financial year", "tax year", "part 1", "part 2")
_OF_ONE_YEAR: Final = ("calendar year", "week ", *_MONTHS)


@dataclass(frozen=True, slots=True)
class EesPeriod:
    """One period: its label and what kind of period that is, as published, and where it lies.

    `year` is the later year of a school, financial or tax year, else the year itself. `summer` is the year of the
    summer in which the school year ended that it is (part) of, None where it is of no school year. `step` is its
    number within the year: of a term, quarter, month or week, None where it has none.
    """

    time_period: str
    time_identifier: str
    year: int
    summer: int | None
    step: int | None = None

    @property
    def label(self) -> str:
        """Return the period as a reader writes it: `2018/19`, `2018/19 Autumn term`, `2023 Week 37`."""
        two = _TWO.fullmatch(self.time_period)
        years = f"{two[1]}/{two[2]}" if two else self.time_period
        return years if self.time_identifier.casefold() in ("", "academic year") else f"{years} {self.time_identifier}"


@cache
def ees_period(time_period: str, time_identifier: str = "") -> EesPeriod:
    """Return what a label and its kind stand for; raise `DataError` where the two do not go together.

    >>> ees_period("201819", "Academic year").summer, ees_period("202324", "Autumn term").label
    (2019, '2023/24 Autumn term')
    >>> ees_period("2023", "Week 37").summer, ees_period("2019", "Calendar year").summer
    (2024, None)
    """
    label, kind = time_period.strip(), " ".join(time_identifier.split())
    plain = kind.casefold()
    if (two := _TWO.fullmatch(label)) and not plain.startswith(_OF_ONE_YEAR):
        later = int(two[1]) + 1
        if later % 100 != int(two[2]):
            raise DataError(
                f"The period {shown_cell(label)} ({shown_cell(kind) if kind else 'of no kind'}) is not of two years "
                "that follow each other."
            )
        is_of_schools = not plain or plain.startswith(_OF_SCHOOLS)
        return EesPeriod(label, kind, later, later if is_of_schools else None, _step(plain))
    if _ONE.fullmatch(label) and not plain.startswith(_OF_TWO_YEARS):
        return EesPeriod(label, kind, int(label), _summer(int(label), plain), _step(plain))
    wanted = (
        "a year and the one after it, such as 201819" if plain.startswith(_OF_TWO_YEARS) else "a year, such as 2019"
    )
    raise DataError(f"The period {shown_cell(label)} is not what {shown_cell(kind)} goes with: {wanted}.")


def _step(kind: str) -> int | None:
    if kind in _TERMS:
        return _TERMS[kind]
    if week := _WEEK.fullmatch(kind):
        if not 1 <= int(week[1]) <= _LAST_WEEK:
            raise DataError(f"'{kind.capitalize()}' is no week: a year has {_LAST_WEEK} at most.")
        return int(week[1])
    if kind in _MONTHS:
        return _MONTHS.index(kind) + 1
    quarter = _QUARTER.fullmatch(kind)
    return int(quarter[1]) if quarter else None


def _summer(year: int, kind: str) -> int | None:
    """Return the summer in which the school year of a week or a month ends; other parts of one year have none."""
    step = _step(kind)
    if step is None or not (kind in _MONTHS or _WEEK.fullmatch(kind)):
        return None
    return year + (step >= (_FIRST_MONTH if kind in _MONTHS else _FIRST_WEEK))


def ees_periods(labels: pd.Series, identifiers: pd.Series, name: str) -> list[EesPeriod]:
    """Return the period of each row; raise `DataError` with the file's name and the line of the first that is none."""
    pairs = list(zip(labels.astype("str"), identifiers.astype("str"), strict=True))
    found: dict[tuple[str, str], EesPeriod] = {}
    for at, pair in zip(labels.index.tolist(), pairs, strict=True):
        if pair not in found:
            try:
                found[pair] = ees_period(*pair)
            except DataError as problem:
                raise DataError(f"{name}: line {at + 2}: {problem} Use the untouched download.") from None
    return [found[pair] for pair in pairs]


def period_numbers(periods: Iterable[EesPeriod], name: str) -> tuple[Mapping[EesPeriod, int], str]:
    """Return a whole number for each period, one apart where they follow one another, and what to say of it.

    Years stand under their later year; weeks and months are numbered one after another. Raise `DataError` where
    periods of several kinds stand side by side, such as terms and whole years, which overlap.
    """
    distinct = sorted(set(periods), key=lambda one: (one.year, one.step or 0, one.time_identifier))
    kinds = sorted({one.time_identifier for one in distinct})
    for is_of, counted, noun in ((_is_week, _weeks, "Weeks"), (_is_month, _months, "Months")):
        if len(kinds) > 1 and all(map(is_of, distinct)):
            places = {one: counted(one) for one in distinct}
            first = min(places.values())
            numbers = {one: place - first + 1 for one, place in places.items()}
            return numbers, f"{noun} are numbered one after another: {distinct[0].label} is 1."
    if len(kinds) > 1:
        raise DataError(
            f"{name}: the periods are of several kinds: {listed(kinds)}. Name one of them: "
            f"where={{'{IDENTIFIER}': '{kinds[0]}'}}."
        )
    last = distinct[-1]
    is_plain = last.label == str(last.year)
    return {one: one.year for one in distinct}, "" if is_plain else f"{last.label} stands under {last.year}."


def _is_week(one: EesPeriod) -> bool:
    return _WEEK.fullmatch(one.time_identifier.casefold()) is not None


def _is_month(one: EesPeriod) -> bool:
    return one.time_identifier.casefold() in _MONTHS


def _weeks(one: EesPeriod) -> int:
    """Return the number of a week since the first of all; week 53 of a year that has none is refused."""
    from datetime import date

    try:
        return date.fromisocalendar(one.year, one.step or 0, 1).toordinal() // 7
    except ValueError:
        raise DataError(f"'{one.label}' is no week: {one.year} has 52.") from None


def _months(one: EesPeriod) -> int:
    return 12 * one.year + (one.step or 0)
