"""What is asked for, file by file: summers and authorities put into addresses, and what there cannot be, with why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from evalkit.core.errors import InputError
from evalkit.core.words import did_you_mean, listed
from evalkit.data.areas.authorities import authorities
from evalkit.run.fetch.addresses import OF_AREAS, OF_YEARS, Address, Source, required_name, required_url

DAYS_BACK: Final = 7
"""Days before today whose file is taken where there is none of today yet."""
_FIRST, _LAST = 1900, 2099
_SPAN: Final = re.compile(r"(\d{4})\s*[-–]\s*(\d{4})")
_SCHOOL_YEAR: Final = re.compile(r"(\d{4})\s*[/-]\s*(\d{2})|(\d{4})/(\d{4})|(\d{4})(\d{2})")
_OF_NAMES: Final = re.compile(r",? city of|city of |, county of|county of |[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a file may be had, and the name that it gets."""

    url: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One file that is asked for; its places are tried in turn (of a daily file: today's, then those of days before).

    `key` says what it is one of, whatever its address: a later file with the same key takes its place.
    """

    key: str
    source: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is fetched, and what is not with the reason."""

    files: tuple[Wanted, ...]
    reasons: tuple[str, ...]


def summers(texts: Sequence[str]) -> tuple[int, ...]:
    """Return the summers that `--years` names, in order; raise `InputError` for what is no year.

    >>> summers(["2017-2019,2022"]), summers(["2018/19", "201920"])
    ((2017, 2018, 2019, 2022), (2019, 2020))
    """
    found: set[int] = set()
    for part in ",".join(texts).split(","):
        if part.strip():
            found.update(_summers_of(part.strip()))
    outside = [year for year in sorted(found) if not _FIRST <= year <= _LAST]
    if outside:
        raise InputError(f"--years: {outside[0]} is no year of a school. Give summers, such as 2017-2019,2022.")
    return tuple(sorted(found))


def _summers_of(text: str) -> range:
    if text.isascii() and text.isdigit() and len(text) == 4:
        return range(int(text), int(text) + 1)
    span = _SPAN.fullmatch(text)
    if span and int(span[1]) <= int(span[2]) <= int(span[1]) + 200:
        return range(int(span[1]), int(span[2]) + 1)
    pair = _SCHOOL_YEAR.fullmatch(text)
    if pair:
        begin, end = [part for part in pair.groups() if part]
        if (int(begin) + 1) % (10 ** len(end)) == int(end):
            return range(int(begin) + 1, int(begin) + 2)
    raise InputError(f"--years: '{text}' is no summer or span of summers. Give them as 2017-2019,2022 or 2018/19.")


def areas_named(texts: Sequence[str]) -> tuple[int, ...]:
    """Return the authorities that `--la` names, by number or name, in order; raise `InputError` for one not known.

    >>> areas_named(["340,Surrey", "Bristol, City of"])
    (340, 936, 801)
    """
    names = {_plain(one.name): one.code for one in authorities()}
    codes = {one.code for one in authorities()}
    found: list[int] = []
    for text in texts:
        whole = names.get(_plain(text))
        for part in [text] if whole else text.split(","):
            if part.strip():
                found.append(_area(part.strip(), names, codes))
    return tuple(dict.fromkeys(found))


def _area(text: str, names: dict[str, int], codes: set[int]) -> int:
    if text.isascii() and text.isdigit():
        if int(text) in codes:
            return int(text)
    elif _plain(text) in names:
        return names[_plain(text)]
    known = [str(code) for code in codes] if text.isdigit() else [one.name for one in authorities()]
    raise InputError(f"--la: there is no authority '{text}'.{did_you_mean(text, known)} Give its number or its name.")


def _plain(name: str) -> str:
    return _OF_NAMES.sub("", name.casefold().replace("st.", "st"))


def plan(source: Source, years: Sequence[int], areas: Sequence[int], only: Sequence[str], today: date) -> Plan:
    """Return which files of a source are fetched and what is not; raise `InputError` where years are lacking."""
    chosen = addresses_named(source, only)
    if not years and any(one.has(OF_YEARS) for one in chosen):
        raise InputError(f"{source.name} has a file for each summer. Say which with --years, such as 2017-2019,2022.")
    made: dict[str, Wanted] = {}
    reasons = list(_needless(source, chosen, years, areas))
    summers_asked: Sequence[int | None] = years or (None,)
    for address in chosen:
        for year in summers_asked:
            why = _why_not(address, year)
            if why:
                reasons.append(f"{address.name} of {year}: {why}")
                continue
            for area in _areas_of(address, areas):
                why = _why_no_area(area, year)
                if why:
                    reasons.append(why)
                    continue
                one = _wanted(address, year, area, today)
                made.setdefault(one.key, one)
    _require_names_apart(list(made.values()))
    return Plan(tuple(made.values()), tuple(dict.fromkeys(reasons)))


def _areas_of(address: Address, areas: Sequence[int]) -> Sequence[int | None]:
    return areas if areas and address.has(OF_AREAS) else (None,)


def addresses_named(source: Source, only: Sequence[str]) -> list[Address]:
    """Return the addresses that `--only` names, all where it names none; raise `InputError` for a name of none."""
    names = [part.strip() for text in only for part in text.split(",") if part.strip()]
    known = [one.name for one in source.addresses]
    for name in names:
        if not any(_is_called(one, name, known) for one in known):
            means = did_you_mean(name, known)
            raise InputError(f"--only: {source.name} has no '{name}'.{means} It has {listed(known, 20)}.")
    return [one for one in source.addresses if not names or any(_is_called(one.name, name, known) for name in names)]


def _is_called(own: str, name: str, known: Sequence[str]) -> bool:
    """Return whether `--only` means a file: by its name, or by a part of it where that is the name of none."""
    return own == name or (name not in known and len(name) > 2 and name.lower() in own.lower())


def _needless(source: Source, chosen: Sequence[Address], years: Sequence[int], areas: Sequence[int]) -> Iterator[str]:
    if years and not any(one.has(OF_YEARS) for one in chosen):
        yield f"{source.name}: --years makes no difference: a file holds all years that there are"
    if areas and not any(one.has(OF_AREAS) for one in chosen):
        yield f"{source.name}: --la makes no difference: a file holds all authorities"


def _why_not(address: Address, year: int | None) -> str:
    if year is None:
        return ""
    if year in address.missing:
        return address.missing[year]
    if address.last is not None and year > address.last:
        return address.later
    if address.first is not None and year < address.first:
        return f"the first summer there is {address.first}"
    return ""


def _why_no_area(area: int | None, year: int | None) -> str:
    """Return why an authority has no file of a summer: it was there neither as its school year began nor at its end."""
    if area is None or year is None:
        return ""
    held = [one for one in authorities() if one.code == area]
    if any(one.is_there(date(year - 1, 9, 1)) or one.is_there(date(year, 12, 31)) for one in held):
        return ""
    name = held[-1].name
    return f"{name} ({area}) of {year}: there was no such authority in {year - 1}/{year % 100:02}"


def _wanted(address: Address, year: int | None, area: int | None, today: date) -> Wanted:
    has_date = address.has(("date",))
    days = [today - timedelta(days=back) for back in range(DAYS_BACK + 1)] if has_date else [today]
    used = [str(year)] if year and address.has(OF_YEARS) else []
    used += [str(area)] if area and address.has(OF_AREAS) else []
    return Wanted(
        key=" ".join([f"{address.source}/{address.name}", *used]),
        source=address.source,
        places=tuple(_place(address, _values(year, area, day)) for day in days),
    )


def _values(year: int | None, area: int | None, day: date) -> dict[str, str]:
    of_year = {"year": str(year), "school_year": f"{year - 1}-{year}", "start_year": str(year - 1)} if year else {}
    of_area = {"la": "0", "area": "england"} if area is None else {"la": str(area), "area": str(area)}
    return of_year | of_area | {"date": f"{day:%Y%m%d}"}


def _place(address: Address, values: dict[str, str]) -> Place:
    url, name = address.url, address.file
    for place, value in values.items():
        url, name = url.replace(f"{{{place}}}", value), name.replace(f"{{{place}}}", value)
    required_url(url, address.name)
    return Place(url=url, name=required_name(name, address.name))


def _require_names_apart(files: Sequence[Wanted]) -> None:
    """Raise `InputError` where two files would have one name, in any case of letters."""
    names: dict[str, Wanted] = {}
    for one in files:
        name = one.places[0].name.casefold()
        if name in names:
            raise InputError(
                f"'{one.places[0].name}' would be the name of two files ({names[name].key}, {one.key}). "
                "Give them names with {year} or {area} as `file` in the file of addresses."
            )
        names[name] = one
