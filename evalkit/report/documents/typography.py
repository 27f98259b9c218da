"""Which characters the fonts of a PDF can show, and where a line may not end."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

import matplotlib
from matplotlib.ft2font import FT2Font

# Which characters the fonts of a PDF can show: fonts that come with the kit's packages, the same on every machine.

FONTS: Final = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FAMILY: Final = "DejaVu Sans"
"""The one typeface of pages, PDF and figures."""
_PAGE: Final = (
    *range(0x20, 0x180),
    *range(0x2010, 0x2028),
    *map(ord, "‰€™←↑→↓−≈≠≤≥×Δαβλπστ′�"),
)
"""The signs of the typeface that a page brings with it: Latin letters, and what the kit writes."""
_UNSHOWN: Final = "\N{REPLACEMENT CHARACTER}"
_MAY_END: Final = "\N{ZERO WIDTH SPACE}"
_TOO_LONG: Final = re.compile(r"\S{45,}")
_LONGEST: Final = 45
_SPACE: Final = re.compile(r"[\s\u2028\u2029]+")


@cache
def font_faces() -> str:
    """Return rules of CSS with the typeface of figures and PDF in them, so that every reader sees a page in it.

    Letters of the languages of Europe and the signs of this kit are in it; for others the reader's own font is used.
    """
    return "\n".join(
        f'@font-face {{ font-family: "{FAMILY}"; font-weight: {weight}; '
        f'src: url(data:font/woff;base64,{b64encode(_subset(FONTS / file)).decode("ascii")}) format("woff"); }}'
        for file, weight in (("DejaVuSans.ttf", 400), ("DejaVuSans-Bold.ttf", 700))
    )


def _subset(path: Path) -> bytes:
    """Return a font with the letters of Europe alone, compressed: the same bytes each time."""
    from fontTools import subset  # loaded where a page is written, and nowhere else

    options = subset.Options(flavor="woff", hinting=False, layout_features=["kern"], notdef_outline=True)
    options.drop_tables += ["FFTM"]
    font = subset.load_font(str(path), options)
    font.recalcTimestamp = False
    chosen = subset.Subsetter(options)
    chosen.populate(unicodes=_PAGE)
    chosen.subset(font)
    out = BytesIO()
    subset.save_font(font, out, options)
    font.close()
    return out.getvalue()


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


# Where a line may not end: inside a p-value, an interval, a range of years, a name; and where a long address may.

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
    for match in _WHOLE.finditer(text):
        parts += [(text[at : match.start()], False), (match[0], True)]
        at = match.end()
    return [*parts, (text[at:], False)]


def _held(text: str) -> str:
    whole = _WHOLE.sub(lambda match: f'<span class="whole">{match[0]}</span>', text)
    if whole != text:
        return whole
    return _ADDRESS.sub(lambda match: "<wbr>".join(pieces(match[0])), text)
