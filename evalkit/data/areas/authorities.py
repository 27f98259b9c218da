"""England's local authorities since 2002: DfE and GSS codes with the days they held, and what became of each.

`authorities.csv` holds one row for each pair of codes: the three-digit code of the Department for Education, the
nine-character code of the Office for National Statistics (GSS; empty for the two counties that ended before there were
any), its name, the day it began where that is after 1 January 2002, the day it ended, and the codes that followed.
Source: every pair but two stands in tables that DfE published in Explore Education Statistics (exclusions 2006/07 to
2016/17, early years 2013 to 2018, school offers 2014/15 to 2021/22, absence 2018/19 to 2024/25), against which a test
holds them; those of Barnsley and Sheffield from 1 April 2025 are of the Barnsley and Sheffield (Boundary Change) Order
2024. The days are those on which the orders took effect.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from evalkit.core.shown import Shown
from evalkit.core.words import listed

COUNTY: Final = "E10"
"""How the GSS codes of county councils begin; E06 is a unitary authority, E08 a metropolitan, E09 a London borough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A local authority under one pair of codes, from a day (None: before 2002) until the day before another."""

    code: int
    gss: str
    name: str
    first: date | None = None
    until: date | None = None
    became: tuple[int, ...] = ()

    def is_there(self, day: date) -> bool:
        """Return whether the pair of codes held on a day."""
        return (self.first is None or self.first <= day) and (self.until is None or day < self.until)


@cache
def authorities() -> tuple[Authority, ...]:
    """Return every pair of codes since 2002, in the order of DfE's code and then of time."""
    text = files("evalkit.data.areas").joinpath("authorities.csv").read_text(encoding="utf-8")
    return tuple(
        Authority(
            code=int(row["code"]),
            gss=row["gss"],
            name=row["name"],
            first=_day(row["first"]),
            until=_day(row["until"]),
            became=tuple(int(code) for code in row["became"].split()),
        )
        for row in csv.DictReader(text.splitlines())
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def authorities_on(day: date) -> dict[int, Authority]:
    """Return the authorities of a day by DfE's code: 150 in 2008, 152 from 2009 to 2018 and in 2021, 153 from 2023.

    >>> len(authorities_on(date(2022, 9, 1))), len(authorities_on(date(2024, 9, 1)))
    (152, 153)
    """
    return {one.code: one for one in authorities() if one.is_there(day)}


@cache
def _by_gss() -> dict[str, int]:
    return {one.gss: one.code for one in authorities() if one.gss}


def code_of_gss(gss: str) -> int | None:
    """Return DfE's code of an authority by its GSS code, whenever that held; None where it is none of an authority.

    >>> code_of_gss("E10000023"), code_of_gss("E06000065"), code_of_gss("E07000026")
    (815, 815, None)
    """
    return _by_gss().get(gss.strip().upper())


def gss_of(code: int, day: date | None = None) -> str:
    """Return the GSS code of an authority on a day, or its last one; empty where it had none.

    >>> gss_of(825, date(2019, 9, 1)), gss_of(825), gss_of(875)
    ('E10000002', 'E06000060', '')
    """
    pairs = [one for one in authorities() if one.code == code and (day is None or one.is_there(day))]
    return pairs[-1].gss if pairs else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaDecision:
    """What was decided of an authority over some years: whether it is one area in all of them, and why."""

    code: int
    name: str
    is_one_area: bool
    decision: Literal["throughout", "code of ONS changed", "ended", "began"]
    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class AreaHistory(Shown):
    """What became of every authority between two days, each decision with its reason, in the order of codes."""

    decisions: tuple[AreaDecision, ...]

    def of(self, code: int) -> AreaDecision | None:
        """Return what was decided of one authority, by DfE's code; None where it was there on neither day."""
        return next((one for one in self.decisions if one.code == code), None)

    @property
    def one_area(self) -> tuple[int, ...]:
        """Return the codes of the authorities that are one area throughout."""
        return tuple(one.code for one in self.decisions if one.is_one_area)


def follow_areas(first: date, last: date) -> AreaHistory:
    """Return what became of every authority between two days; only those that stayed one area can be followed.

    An authority that was split, or merged with another, is followed nowhere: its successors are other areas. One that
    only changed its GSS code is the same area.

    Examples
    --------
    >>> from datetime import date
    >>> from evalkit import follow_areas
    >>> found = follow_areas(date(2015, 9, 1), date(2024, 8, 31))
    >>> [found.of(code).decision for code in (340, 815, 909, 942)]
    ['throughout', 'code of ONS changed', 'ended', 'began']
    >>> found.of(909).reason
    'Cumbria (909) ended on 1 April 2023; Cumberland (942) and Westmorland and Furness (943) followed.'
    """
    codes = sorted({one.code for one in authorities() if _overlaps(one, first, last)})
    return AreaHistory(tuple(_decision(code, first, last) for code in codes))


def _overlaps(one: Authority, first: date, last: date) -> bool:
    return (one.first is None or one.first <= last) and (one.until is None or one.until > first)


def _decision(code: int, first: date, last: date) -> AreaDecision:
    pairs = [one for one in authorities() if one.code == code and _overlaps(one, first, last)]
    begin, end, label = pairs[0], pairs[-1], f"{pairs[-1].name} ({code})"
    if end.until is not None and end.until <= last:
        reason = f"{label} ended on {_said(end.until)}; {_named(end.became)} followed."
        return AreaDecision(code=code, name=end.name, is_one_area=False, decision="ended", reason=reason)
    if begin.first is not None and begin.first > first:
        before = sorted({one.code for one in authorities() if code in one.became})
        reason = f"{label} began on {_said(begin.first)}, of {_named(before)}."
        return AreaDecision(code=code, name=end.name, is_one_area=False, decision="began", reason=reason)
    if len(pairs) > 1:
        changed = pairs[-1].first
        reason = f"{label} is one area; its GSS code was {begin.gss} and is {end.gss} from {_said(changed)}."
        return AreaDecision(code=code, name=end.name, is_one_area=True, decision="code of ONS changed", reason=reason)
    reason = f"{label} is one area throughout."
    return AreaDecision(code=code, name=end.name, is_one_area=True, decision="throughout", reason=reason)


def _said(day: date | None) -> str:
    return "" if day is None else f"{day.day} {day:%B %Y}"


def _named(codes: Iterable[int]) -> str:
    names = {one.code: one.name for one in authorities()}
    return listed([f"{names[code]} ({code})" for code in codes])


def is_successor(code: int, later: int) -> bool:
    """Return whether an authority took over schools of another: Cheshire East those of Cheshire.

    >>> is_successor(875, 895), is_successor(835, 840)
    (True, False)
    """
    return later in _became().get(code, ())


@cache
def _became() -> dict[int, frozenset[int]]:
    """Return the codes that followed each, whichever of its pairs of codes they followed."""
    found: dict[int, frozenset[int]] = {}
    for one in authorities():
        found[one.code] = found.get(one.code, frozenset()) | frozenset(one.became)
    return found
