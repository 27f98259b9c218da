"""Which version of a data set of Explore Education Statistics is fetched: the newest, by its number in the address."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from evalkit.run.fetch.transfer import Tools, answer_of

_CSV: Final = re.compile(r"(.*/data-sets/[^/]+)/csv")
_PARAMETER: Final = "dataSetVersion"
_VERSION: Final = re.compile(r"\d{1,6}(\.\d{1,6}){1,2}")


@dataclass(frozen=True, slots=True)
class Pinned:
    """An address with the version that it asks for, empty where the server does not say or it has none."""

    url: str
    version: str = ""


def pinned(url: str, tools: Tools) -> Pinned:
    """Return the address of the newest version of a data set; any other address as it is.

    One that names its version already stays as it is, and so does one whose server does not describe its data sets.
    """
    parts = urlsplit(url)
    named = parse_qs(parts.query).get(_PARAMETER)
    if named:
        return Pinned(url, named[0] if _VERSION.fullmatch(named[0]) else "")
    match = _CSV.fullmatch(parts.path)
    if match is None:
        return Pinned(url)
    version = _newest(answer_of(parts._replace(path=match[1], query="").geturl(), tools))
    if not version:
        tools.say("the server does not say which version the data set has; its SHA-256 is kept all the same")
        return Pinned(url)
    query = "&".join([*filter(None, [parts.query]), f"{_PARAMETER}={quote(version)}"])
    return Pinned(parts._replace(query=query).geturl(), version)


def _newest(answer: bytes | None) -> str:
    try:
        version = json.loads(answer or b"")["latestVersion"]["version"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return version if isinstance(version, str) and _VERSION.fullmatch(version) else ""
