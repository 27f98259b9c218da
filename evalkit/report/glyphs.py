"""Which characters the fonts of a PDF can show: fonts that come with the kit's packages, the same on every machine."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

import matplotlib
from matplotlib.ft2font import FT2Font

from evalkit.report.unbroken import pieces

FONTS: Final = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
_UNSHOWN: Final = "\N{REPLACEMENT CHARACTER}"
_MAY_END: Final = "\N{ZERO WIDTH SPACE}"
_TOO_LONG: Final = re.compile(r"\S{45,}")
_LONGEST: Final = 45
_SPACE: Final = re.compile(r"[\s\u2028\u2029]+")


def printable(text: str) -> str:
    """Return a text as a page can show it.

    White space is single, what no font can show is replaced by its sign, �, and words that could be longer than a
    line may be broken after their signs, or anywhere.
    """
    known = shown(_SPACE.sub(" ", text)).strip()
    return _TOO_LONG.sub(lambda word: _broken(word[0].replace(_MAY_END, "")), known)


def shown(text: str) -> str:
    """Return a text in which what no font can show is replaced by its sign, �; ends of lines stay."""
    known = _shown()
    return "".join(c if c == "\n" or ord(c) in known else _UNSHOWN for c in text)


def unshown(text: str) -> list[str]:
    """Return the characters of a text that no font can show, each once, in the order in which they come."""
    known = _shown()
    return list(dict.fromkeys(c for c in text if not c.isspace() and ord(c) not in known))


def _broken(word: str) -> str:
    """Return a long word that may be broken after its signs, and anywhere where it has none for long."""
    return _MAY_END.join(part for piece in pieces(word) for part in (piece if len(piece) >= _LONGEST else (piece,)))


@cache
def _shown() -> frozenset[int]:
    return frozenset(code for code in FT2Font(FONTS / "DejaVuSans.ttf").get_charmap() if code >= 32) | {ord(_MAY_END)}
