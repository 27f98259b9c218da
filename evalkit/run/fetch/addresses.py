"""Where public files are: the kit's own addresses, and those of a file that a user gives in their place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from evalkit.core.errors import InputError, ProjectError
from evalkit.core.words import did_you_mean, listed
from evalkit.run.project.plain_yaml import plain_yaml, read_text

PLACES: Final = ("year", "school_year", "start_year", "la", "area", "date")
"""What may stand in braces in an address or a file's name."""
OF_YEARS: Final = ("year", "school_year", "start_year")
OF_AREAS: Final = ("la", "area")
ENDINGS: Final = (
    ".csv", ".csv.gz", ".txt", ".zip", ".geojson", ".geojson.gz", ".json", ".xlsx", ".xls", ".ods", ".parquet",
)  # fmt: skip
"""Endings by which the kit reads a file."""
_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 _.,()+-]{0,149}")
_RESERVED: Final = re.compile(r"(?i:con|prn|aux|nul|com\d|lpt\d)(\..*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One file of a source: its address and its name, both with places for a year, an authority and a day.

    `missing` says of a summer why there is no such file; `last` is the last summer that is to be had from there, and
    `later` where the next ones are.
    """

    source: str
    name: str
    url: str
    file: str
    first: int | None = None
    last: int | None = None
    later: str = ""
    missing: Mapping[int, str] = field(default_factory=dict)

    def has(self, places: tuple[str, ...]) -> bool:
        """Return whether the address or the name has one of the places."""
        return any(f"{{{place}}}" in self.url + self.file for place in places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source: what it is, the page to download it from by hand, its addresses and when they were last confirmed."""

    name: str
    title: str
    publisher: str
    page: str
    confirmed: str
    addresses: tuple[Address, ...]
    read_in: str = ""


def is_here(url: str) -> bool:
    """Return whether an address is of this very machine."""
    host = (urlsplit(url).hostname or "").lower().rstrip(".")
    try:
        number = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    mapped = getattr(number, "ipv4_mapped", None) or number
    return bool(mapped.is_loopback or mapped.is_unspecified)


def sources(given: Path | None = None) -> dict[str, Source]:
    """Return every source by its name; those that a user's file names have the addresses given there.

    Raise `InputError` where the file cannot be understood.
    """
    own = {name: _source(name, said) for name, said in _own().items()}
    if given is None:
        return own
    for name, said in _of_file(given).items():
        if name not in own:
            means = did_you_mean(name, own)
            raise InputError(f"{given.name}: there is no source '{name}'.{means} Known are {listed(list(own), 20)}.")
        own[name] = _replaced(own[name], said, given.name)
    return own


# The kit's own addresses.


def _own() -> dict[str, Any]:
    text = files("evalkit.run.fetch").joinpath("addresses.yml").read_text(encoding="utf-8")
    data = plain_yaml(text, "addresses.yml").data
    assert isinstance(data, dict)
    return data


def _source(name: str, said: Mapping[str, Any]) -> Source:
    made = tuple(
        Address(
            source=name,
            name=entry,
            url=one["url"],
            file=one["file"],
            first=said.get("first"),
            last=said.get("last"),
            later=said.get("later", ""),
            missing=_missing(said) | _missing(one),
        )
        for entry, one in said["files"].items()
    )
    described = {key: said[key] for key in ("title", "publisher", "page", "confirmed")}
    return Source(name=name, addresses=made, read_in=said.get("read_in", ""), **described)


def _missing(said: Mapping[str, Any]) -> dict[int, str]:
    return {int(year): why for year, why in said.get("missing", {}).items()}


# Those of a user's file.


def _of_file(path: Path) -> dict[str, Any]:
    text = read_text(path)
    if not text.strip():
        raise InputError(f"{path.name}: the file is empty. docs/reference/fetch.md shows what stands in one.")
    try:
        data = json.loads(text) if text.lstrip().startswith("{") else plain_yaml(text, path.name).data
    except (ValueError, RecursionError) as problem:
        raise InputError(f"{path.name}: this is not JSON ({problem}).") from None
    except ProjectError as problem:
        hint = " Put what has braces in quotes." if "{" in text else ""
        raise InputError(f"{problem}{hint}") from None
    if isinstance(data, dict) and isinstance(data.get("sources"), dict):
        data = data["sources"]
    if not isinstance(data, dict):
        raise InputError(f"{path.name}: give one line for each source, such as `gias: https://…`.")
    return data


def _replaced(source: Source, said: object, where: str) -> Source:
    """Return a source with the addresses that a user's file gives it, the kit's reasons for missing years kept."""
    base = _base(said)
    if base is not None:
        made = tuple(replace(one, url=_moved(one.url, base)) for one in source.addresses)
    else:
        known = {one.name: one for one in source.addresses}
        made = tuple(_given(source, known, one, f"{where}, {source.name}") for one in _entries(said, source.name))
    if not made:
        raise InputError(f"{where}, {source.name}: there is no address. Give one as text, a list or name by name.")
    names = [one.name for one in made]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{where}, {source.name}: two addresses have the name '{twice}'. Give each one of its own.")
    return replace(source, addresses=made, confirmed=f"given in {where}", read_in="")


def _base(said: object) -> SplitResult | None:
    """Return an address without a path, which stands for another server with the same paths; None for any other."""
    if not isinstance(said, str) or _PLACE.search(said):
        return None
    parts = urlsplit(said.strip())
    is_base = parts.scheme in ("http", "https") and parts.netloc and parts.path in ("", "/") and not parts.query
    return parts if is_base else None


def _moved(url: str, base: SplitResult) -> str:
    required_url(base.geturl(), "the address")
    return urlsplit(url)._replace(scheme=base.scheme, netloc=base.netloc).geturl()


def _entries(said: object, source: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, address and file name (empty where none is given) of everything a user's file gives a source."""
    if isinstance(said, str):
        yield "", said, ""
    elif isinstance(said, list):
        for one in said:
            yield from _entries(one, source)
    elif isinstance(said, dict) and isinstance(said.get("url"), str):
        yield str(said.get("name", "")), said["url"], str(said.get("file", ""))
    elif isinstance(said, dict):
        inner = said.get("files", said)
        for name, one in inner.items() if isinstance(inner, dict) else ():
            yield from ((name, url, file) for _, url, file in _entries(one, source))
    else:
        raise InputError(f"{source}: an address is a text such as https://…, not '{said}'.")


def _given(source: Source, known: Mapping[str, Address], entry: tuple[str, str, str], where: str) -> Address:
    name, url, file = (part.strip() for part in entry)
    required_url(url, where)
    if not file and name.lower().endswith(ENDINGS):
        file = name
    file = file or _told_apart(_last_of(url), url)
    name = name or _stem(url) or source.name
    like = known.get(name) or _meant(known, url) or (source.addresses[0] if len(source.addresses) == 1 else None)
    common = [one.missing for one in source.addresses]
    missing = like.missing if like else {year: why for year, why in common[0].items() if all(year in m for m in common)}
    made = Address(source=source.name, name=name, url=url, file=file or _default_name(name, url), missing=missing)
    for text, what in ((url, "the address"), (made.file, "the file's name")):
        _require_places(text, f"{where}: {what}")
    required_name(_PLACE.sub("0", made.file), where)
    return made


def _meant(known: Mapping[str, Address], url: str) -> Address | None:
    """Return the kit's address whose name, such as `ks2`, stands in a user's one; None where that is not plain."""
    found = [one for name, one in known.items() if name in url.lower()]
    return found[0] if len(found) == 1 else None


def _last_of(url: str) -> str:
    """Return the last part of an address where that is a file's name, else an empty text."""
    last = PurePosixPath(unquote(urlsplit(url).path)).name
    return last if last.lower().endswith(ENDINGS) else ""


def _stem(url: str) -> str:
    return _PLACE.sub("", _last_of(url).split(".")[0]).strip("_-")


def _told_apart(file: str, url: str) -> str:
    """Return the name that an address ends with, with the summer and area before it where only its folders say them."""
    lacking = [place for place in ("year", "area") if _has_like(url, place) and not _has_like(file, place)]
    return "_".join([*(f"{{{place}}}" for place in lacking), file]) if file else ""


def _default_name(name: str, url: str) -> str:
    places = [place for place in ("year", "area") if _has_like(url, place)]
    return "_".join([name, *(f"{{{place}}}" for place in places)]) + ".csv"


def _has_like(url: str, place: str) -> bool:
    alike = OF_YEARS if place in OF_YEARS else OF_AREAS
    return any(f"{{{one}}}" in url for one in alike)


def _require_places(text: str, where: str) -> None:
    for place in _PLACE.findall(text):
        if place not in PLACES:
            means = did_you_mean(place, PLACES)
            raise InputError(f"{where} has {{{place}}}, which is no place.{means} Known are {listed(PLACES, 9)}.")


def required_url(url: str, where: str) -> None:
    """Raise `InputError` for an address that is none of the web, or has a password in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or not url.isprintable() or " " in url:
        raise InputError(f"{where}: '{url[:120]}' is no address of the web. Give one that begins with https://.")
    if parts.username is not None or parts.password is not None:
        raise InputError(f"{where}: the address has a name or password in it, which would be kept. Leave it out.")


def required_name(name: str, where: str) -> str:
    """Return a file's name; raise `InputError` where it could lead out of the folder or be no file's name somewhere."""
    if not _NAME.fullmatch(name) or ".." in name or name.endswith((".", " ", ".part")) or _RESERVED.fullmatch(name):
        raise InputError(f"{where}: '{name[:120]}' cannot be a file's name here. Use letters, digits, - and _.")
    return name
