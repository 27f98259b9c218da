"""A released table as a table of Word's own: header rows that repeat, rows that stay whole, widths that fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from docx.oxml.ns import nsdecls

from evalkit.report.cells import CellKind, ShownCell, shown_row
from evalkit.report.layout import SIZES, Layout
from evalkit.report.table import Column, Table
from evalkit.report.word_xml import attribute, paragraph, run

_STYLES: Final[dict[CellKind, str]] = {
    "name": "table text",
    "text": "table text",
    "quote": "table text",
    "number": "table number",
    "reason": "table reason",
}
_KEEP: Final = "<w:keepNext/>"


@dataclass(frozen=True, slots=True)
class GridSetter:
    """Sets tables in the styles of one document; `styles` gives their ids by name."""

    styles: Mapping[str, str]

    def grid(self, table: Table, layout: Layout) -> str:
        """Return the grid of a table without its caption and notes."""
        widths = [int(20 * width) for width in layout.widths]
        columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
        return (
            f"<w:tbl {nsdecls('w')}>{self._properties(table, sum(widths))}<w:tblGrid>{columns}</w:tblGrid>"
            f"{self._head(table.columns, widths, layout)}{''.join(self._rows(table, widths, layout))}</w:tbl>"
        )

    def _properties(self, table: Table, width: int) -> str:
        return (
            f'<w:tblPr><w:tblStyle w:val="{self.styles["report table"]}"/><w:tblW w:w="{width}" w:type="dxa"/>'
            '<w:tblLayout w:type="fixed"/><w:tblLook w:val="00A0" w:firstRow="1" w:lastRow="0" w:firstColumn="1" '
            'w:lastColumn="0" w:noHBand="1" w:noVBand="1"/>'
            f"<w:tblCaption w:val={attribute(table.caption)}/></w:tblPr>"
        )

    def _head(self, columns: Sequence[Column], widths: Sequence[int], layout: Layout) -> str:
        cells = "".join(
            _cell(width, 1, self._words("number" if c.is_numeric else "text", c.header, layout, "<w:b/>", _KEEP))
            for c, width in zip(columns, widths, strict=True)
        )
        return f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{cells}</w:tr>"

    def _rows(self, table: Table, widths: Sequence[int], layout: Layout) -> Iterator[str]:
        for i, row in enumerate(table.rows):
            left = len(table.rows) - 1 - i
            more = _KEEP if left == 1 or (layout.is_short and left) else ""
            cells = "".join(self._row(shown_row(table.columns, row), widths, layout, more))
            whole = "<w:trPr><w:cantSplit/></w:trPr>" if layout.is_whole(i) else ""
            yield f"<w:tr>{whole}{cells}</w:tr>"

    def _row(self, row: Sequence[ShownCell], widths: Sequence[int], layout: Layout, more: str) -> Iterator[str]:
        at = 0
        for cell in row:
            text = f"“{cell.text}”" if cell.kind == "quote" else cell.text
            width = sum(widths[at : at + cell.span])
            yield _cell(width, cell.span, self._words(cell.kind, text, layout, "", more))
            at += cell.span

    def _words(self, kind: CellKind, text: str, layout: Layout, look: str, more: str) -> str:
        size = round(2 * layout.size)
        smaller = f'<w:sz w:val="{size}"/><w:szCs w:val="{size}"/>' if layout.size < SIZES[0] else ""
        return paragraph(self.styles[_STYLES[kind]], run(text, look + smaller), more=more)


def _cell(width: int, span: int, words: str) -> str:
    spanned = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{spanned}</w:tcPr>{words}</w:tc>'
