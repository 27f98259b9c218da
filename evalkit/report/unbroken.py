"""Where a line may not end: inside a p-value, an interval, a range of years, a name; and where a long address may."""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = r"[\u2212-]?\d[\d,]*(?:\.\d+)?%?"
WHOLE: Final = (
    r"\bp (?:=|<|&lt;) \d\.\d+"
    rf"|(?:{_NUMBER} )?\({_NUMBER} to {_NUMBER}\)"
    rf"|{_NUMBER} to {_NUMBER}"
    r"|\b\d{4}\u2013\d{2}(?:\d{2})?\b"
    r"|\b[A-Z]{2,}-\d+\b"
    r"|\b(?:one|two)-sided\b"
)
"""What is read as one word, as a regular expression of Python and of the typesetter alike."""
_WHOLE: Final = re.compile(WHOLE)
_TAGS: Final = re.compile(r"(<[^>]*>)")
_ADDRESS: Final = re.compile(r"\S{20,}")
_ENDS: Final = re.compile(r"(?<=[/.?=&_-])(?=[\w/])(?<!/(?=/))")


def unbroken(html: str) -> str:
    """Return HTML whose text holds together what is read as one word, and whose long addresses break at their signs."""
    parts = _TAGS.split(html)
    return "".join(part if at % 2 else _held(part) for at, part in enumerate(parts))


def pieces(word: str) -> list[str]:
    """Return a long word in the pieces after which a line may end: after `/`, `.`, `-`, `?` and their like."""
    return [piece for piece in _ENDS.split(word) if piece]


def parted(text: str) -> list[tuple[str, bool]]:
    """Return a text in parts, each with whether it is read as one word."""
    parts, at = [], 0
    for found in _WHOLE.finditer(text):
        parts += [(text[at : found.start()], False), (found[0], True)]
        at = found.end()
    return [*parts, (text[at:], False)]


def _held(text: str) -> str:
    whole = _WHOLE.sub(lambda found: f'<span class="whole">{found[0]}</span>', text)
    if whole != text:
        return whole
    return _ADDRESS.sub(lambda found: "<wbr>".join(pieces(found[0])), text)
