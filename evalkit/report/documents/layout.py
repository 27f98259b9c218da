"""How wide the columns of a table are on paper, in which size of type, and whether the page is turned."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final
from unicodedata import combining, east_asian_width

from evalkit.report.border.markup import ShownCell, shown_rows
from evalkit.report.border.table import Table
from evalkit.report.documents.typography import parted, pieces

# Advance widths of Helvetica in thousandths of the size of type (Adobe Core 14 metrics): Arial's are the same, and
# the serif of the PDF is narrower, so that what fits here fits there.
_ADVANCES: Final[dict[int, str]] = {
    191: "'",
    222: "ijl\u2018\u2019",
    260: "|",
    278: " !,./:;I[\\]ft\u00a0",
    333: "()-`r\u201c\u201d{}",
    355: '"',
    389: "*",
    469: "^",
    500: "Jckvsxyz",
    556: "#$0123456789?L_abdeghnopqu\u2013\u00a3",
    584: "+<=>~\u2212\u00d7",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1000: "\u2014\u2026",
    1015: "@",
}
_ADVANCE: Final = {character: width for width, characters in _ADVANCES.items() for character in characters}
_BOLD: Final = 56
"""What bold adds to a letter, at most."""
_MAY_END: Final = "\N{ZERO WIDTH SPACE}"
_BREAK: Final = re.compile(r"\s+|(?<=[-\u2013/])(?=\w)")

SIZES: Final = (9.0, 8.5, 8.0)
SMALLEST: Final = (7.5, 7.0)
"""Sizes of type of tables in points, the first that fits being used; the smallest only where a page is turned."""
PADDING: Final = 8.0
"""Points that the white beside a cell takes, and a little for what programs round."""
_TALL: Final = 14
"""Lines of a row from which a table is too cramped for the page it is on."""
_WHOLE: Final = 34
"""Lines up to which a row is kept on one page."""

_SHORT: Final = 9
"""Lines up to which a table is kept on one page."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Size of type and widths of columns in points; `is_wide` where the page must be turned.

    `lines` says how many lines each row takes, at most.
    """

    size: float
    widths: tuple[float, ...]
    is_wide: bool
    lines: tuple[int, ...]

    @property
    def is_short(self) -> bool:
        """Return whether the whole table is kept on one page."""
        return sum(self.lines) <= _SHORT

    def is_whole(self, row: int) -> bool:
        """Return whether a row is kept on one page: all but those that hardly fit on one."""
        return self.lines[row] <= _WHOLE


def text_width(text: str, size: float, is_bold: bool = False) -> float:
    """Return how wide a line is in points, set in Arial."""
    return (sum(map(_advance, text)) + _BOLD * is_bold * len(text)) * size / 1000


def breakable(text: str, width: float, size: float, is_bold: bool = False) -> str:
    """Return a text in which a line may end inside the words that are wider than `width` points."""
    if _longest(text, size, is_bold) <= width:
        return text
    return "".join(
        _MAY_END.join(_narrowed(part, width, size, is_bold)) if text_width(part, size, is_bold) > width else part
        for part in re.split(r"(\s+)", text)
    )


def _narrowed(word: str, width: float, size: float, is_bold: bool) -> list[str]:
    """Return a word in pieces: at its signs where it has some, anywhere where a piece is still wider than `width`."""
    return [
        part for piece in pieces(word) for part in (piece if text_width(piece, size, is_bold) > width else (piece,))
    ]


def words(text: str) -> list[str]:
    """Return what a line may be broken into."""
    return [word for part in parted(text) for word in ([part[0]] if part[1] else _BREAK.split(part[0])) if word]


def table_layout(table: Table, upright: float, turned: float, breadth: float = 1.0) -> Layout:
    """Return the layout of a table on pages with lines of `upright` points, or of `turned` where the page is turned.

    The largest type is used with which every word fits its column and no row is cramped. What fits no page
    in any size is squeezed on a turned one, where its longest words are broken. `breadth` is how much wider than
    Arial the typeface may be.
    """
    measured = _measured(table, breadth)
    fitting: list[Layout] = []
    for size, is_wide in (*((s, False) for s in SIZES), *((s, True) for s in (*SIZES, *SMALLEST))):
        is_fitting, layout = _at(measured, size, turned if is_wide else upright, is_wide)
        if is_fitting and max(layout.lines, default=1) <= _TALL:
            return layout
        fitting += [layout] if is_fitting else []
    return fitting[0] if fitting else layout


@dataclass(frozen=True, slots=True)
class _Measured:
    """A table in one-point type: of each column the longest word and the widest cell, of each row its cells' widths."""

    longest: tuple[float, ...]
    widest: tuple[float, ...]
    rows: tuple[tuple[tuple[int, int, float], ...], ...]


def _measured(table: Table, unit: float) -> _Measured:
    """Return the widths of words and cells; a number is one word, and a header takes no more than three lines."""
    columns = table.shown_columns
    longest = [_longest(column.header, unit, is_bold=True) for column in columns]
    widest = [
        max(least, 1.2 * text_width(column.header, unit, is_bold=True) / 3)
        for least, column in zip(longest, columns, strict=True)
    ]
    rows = []
    for row in shown_rows(table):
        cells = [(at, cell, text_width(cell.text, unit)) for at, cell in _placed(row)]
        rows.append(tuple((at, cell.span, width) for at, cell, width in cells))
        for at, cell, width in cells:
            if cell.span == 1 and cell.kind != "panel":
                longest[at] = max(longest[at], width if cell.kind == "number" else _longest(cell.text, unit))
                widest[at] = max(widest[at], width)
    return _Measured(tuple(longest), tuple(widest), tuple(rows))


def _at(measured: _Measured, size: float, width: float, is_wide: bool) -> tuple[bool, Layout]:
    """Return whether every word fits on lines of one width, and the layout in one size of type."""
    least = [part * size + PADDING for part in measured.longest]
    natural = [part * size + PADDING for part in measured.widest]
    widths = _shared(least, list(map(max, least, natural)), width)
    lines = tuple(_lines(row, widths, size) for row in measured.rows)
    return sum(least) <= width, Layout(size, tuple(widths), is_wide, lines)


def _shared(least: Sequence[float], natural: Sequence[float], width: float) -> list[float]:
    """Return widths that fill the line as far as the columns want to, at least `least` where that fits."""
    if sum(least) >= width:
        most = _level(least, width)
        return [min(part, most) for part in least]
    widths = list(least)
    for _ in least:
        hungry = [i for i in range(len(widths)) if natural[i] > widths[i] + 0.01]
        left = width - sum(widths)
        if not hungry or left < 0.01:
            break
        weight = sum(natural[i] ** 0.6 for i in hungry)
        for i in hungry:
            widths[i] = min(natural[i], widths[i] + left * natural[i] ** 0.6 / weight)
    return widths


def _level(least: Sequence[float], width: float) -> float:
    """Return the width above which columns are cut so that all fill the line: the widest pay, the narrow stay."""
    left = width
    for i, part in enumerate(ordered := sorted(least)):
        if part * (len(ordered) - i) >= left:
            return left / (len(ordered) - i)
        left -= part
    return max(least)


def _lines(row: Sequence[tuple[int, int, float]], widths: Sequence[float], size: float) -> int:
    """Return the lines of the tallest cell, with a tenth for words that do not fill theirs."""
    taken = [1]
    for at, span, width in row:
        filled = width * size / max(sum(widths[at : at + span]) - PADDING, 1.0)
        taken.append(1 if filled <= 1.001 else ceil(1.1 * filled))
    return max(taken)


def _placed(row: Sequence[ShownCell]) -> list[tuple[int, ShownCell]]:
    """Return each cell with the column at which it begins."""
    starts = [sum(cell.span for cell in row[:i]) for i in range(len(row))]
    return list(zip(starts, row, strict=True))


def _longest(text: str, size: float, is_bold: bool = False) -> float:
    return max((text_width(word, size, is_bold) for word in words(text)), default=0.0)


def _advance(character: str) -> int:
    known = _ADVANCE.get(character)
    if known is not None:
        return known
    return 0 if combining(character) else 1000 if east_asian_width(character) in "WF" else 722
