"""The parts of a report as paragraphs, tables and pictures of Word."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml.ns import nsdecls, qn
from lxml import etree

from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.markup import CellKind, ShownCell, shown_rows
from evalkit.report.border.parts import Figure, Heading, Part, Prose, Text
from evalkit.report.border.table import Column, Table
from evalkit.report.documents.layout import SIZES, Layout, table_layout
from evalkit.report.documents.markdown import BlockKind, Run, written_blocks
from evalkit.report.documents.word_reference import Base
from evalkit.report.documents.word_xml import attribute, bookmarked, field, paragraph, run

# A released table as a table of Word's own: header rows that repeat, rows that stay whole, widths that fit.

_STYLES: Final[dict[CellKind, str]] = {
    "name": "table text",
    "text": "table text",
    "quote": "table text",
    "number": "table number",
    "reason": "table reason",
    "panel": "table text",
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
            f"{self._head(table.shown_columns, widths, layout)}{''.join(self._rows(table, widths, layout))}</w:tbl>"
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
        rows = shown_rows(table)
        for i, row in enumerate(rows):
            left = len(rows) - 1 - i
            is_kept = left == 1 or (layout.is_short and left) or row[0].kind == "panel"
            cells = "".join(self._row(row, widths, layout, _KEEP if is_kept else ""))
            whole = "<w:trPr><w:cantSplit/></w:trPr>" if layout.is_whole(i) else ""
            yield f"<w:tr>{whole}{cells}</w:tr>"

    def _row(self, row: Sequence[ShownCell], widths: Sequence[int], layout: Layout, more: str) -> Iterator[str]:
        at = 0
        for cell in row:
            text = f"“{cell.text}”" if cell.kind == "quote" else cell.text
            width = sum(widths[at : at + cell.span])
            yield _cell(
                width, cell.span, self._words(cell.kind, text, layout, "<w:b/>" if cell.kind == "panel" else "", more)
            )
            at += cell.span

    def _words(self, kind: CellKind, text: str, layout: Layout, look: str, more: str) -> str:
        size = round(2 * layout.size)
        smaller = f'<w:sz w:val="{size}"/><w:szCs w:val="{size}"/>' if layout.size < SIZES[0] else ""
        return paragraph(self.styles[_STYLES[kind]], run(text, look + smaller), more=more)


def _cell(width: int, span: int, words: str) -> str:
    spanned = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{spanned}</w:tcPr>{words}</w:tc>'


# The parts of a report as paragraphs, tables and pictures of Word.

_EMU: Final = 12700
"""Units of a drawing in a point."""
_TALLEST: Final = 0.62
"""Share of a page's height that a figure may take."""
_BREADTH: Final = 1.2
"""How much wider than Arial the typeface of a reference document is taken to be."""
_NOT_BOLD: Final = '<w:b w:val="0"/>'
_BLOCKS: Final[dict[BlockKind, str]] = {
    "paragraph": "normal",
    "bullet": "list bullet",
    "number": "list number",
    "quote": "quote",
    "code": "normal",
}


class Setter:
    """Sets parts in order, numbering tables, figures and headings as it goes; `starts_page`: each chapter does."""

    def __init__(self, base: Base, starts_page: bool = False) -> None:
        self._starts_page = starts_page
        self.headings: list[tuple[int, str, str]] = []
        self._base = base
        self._grids = GridSetter(base.styles)
        self._numbers = {"Table": 0, "Figure": 0}
        width, height, _ = page_lines(base.section)
        self._width, self._height = width, height

    def parts(self, parts: Sequence[Part]) -> Iterator[str]:
        """Yield the XML of parts; text that announces a table or figure stays on its page."""
        for part, after in zip_longest(parts, parts[1:]):
            yield from self._part(part, _KEEP if isinstance(after, ReleasedTable | Figure) else "")

    def _part(self, part: Part, more: str) -> Iterator[str]:
        if isinstance(part, Heading):
            yield self._heading(part)
        elif isinstance(part, Text):
            for block in written_blocks(part.markdown):
                yield self.paragraph(_BLOCKS[block.kind], "".join(map(self._run, block.runs)), more=more)
        elif isinstance(part, Prose):
            yield from self._prose(part)
        elif isinstance(part, Figure):
            yield from self._figure(part)
        else:
            yield from self._table(part.table)

    def paragraph(self, style: str, *content: str, more: str = "") -> str:
        """Return a paragraph in a style given by its name."""
        return paragraph(self._base.styles[style], *content, more=more)

    def _heading(self, heading: Heading) -> str:
        level, anchor = min(heading.level, 3), f"_Toc{len(self.headings) + 1:06d}"
        self.headings.append((level, heading.text, anchor))
        more = '<w:pageBreakBefore/><w:spacing w:before="0"/>' if self._starts_page and level == 1 else ""
        return self.paragraph(f"heading {level}", bookmarked(len(self.headings), anchor, run(heading.text)), more=more)

    def _prose(self, prose: Prose) -> Iterator[str]:
        if prose.is_list:
            yield from (self.paragraph("list bullet", run(sentence)) for sentence in prose.sentences)
        else:
            yield self.paragraph("report headline" if prose.kind == "headline" else "normal", run(prose.text))

    def _run(self, words: Run) -> str:
        look = "".join(
            (
                '<w:rFonts w:ascii="Courier New" w:hAnsi="Courier New" w:cs="Courier New"/>' if words.is_code else "",
                "<w:b/>" if words.is_bold else "",
                "<w:i/>" if words.is_italic else "",
            )
        )
        if not words.address.startswith(("https://", "http://", "mailto:")):
            return run(words.text, look)
        key = self._base.document.part.relate_to(words.address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
        style = f'<w:rStyle w:val="{self._base.styles["hyperlink"]}"/>'
        return f'<w:hyperlink r:id="{key}" {nsdecls("r")}>{run(words.text, style + look)}</w:hyperlink>'

    def _caption(self, kind: str, *words: str, more: str) -> str:
        self._numbers[kind] += 1
        number = field(f"SEQ {kind} \\* ARABIC", run(str(self._numbers[kind])))
        return self.paragraph("caption", run(f"{kind} "), number, run(". "), *words, more=more)

    def _table(self, table: Table) -> Iterator[str]:
        layout = table_layout(table, self._width, self._height, 1.0 if self._base.is_own else _BREADTH)
        if layout.is_wide:
            yield self._page_end()
        yield from (self.paragraph("table note", run(sentence), more=_KEEP) for sentence in table.above)
        unit = run(f" ({table.unit})", _NOT_BOLD) if table.unit else ""
        yield self._caption("Table", run(table.caption), unit, more=f'{_KEEP}<w:spacing w:before="240"/>')
        yield self._grids.grid(table, layout)
        for note in table.notes:
            yield self.paragraph("table note", run(note))
        if layout.is_wide:
            yield self._page_end(is_turned=True)

    def _page_end(self, is_turned: bool = False) -> str:
        """Return a paragraph, next to no line high, that ends upright or turned pages."""
        small = '<w:spacing w:before="0" w:after="0" w:line="20" w:lineRule="exact"/>'
        return self.paragraph("normal", more=small + page_settings(self._base.section, is_turned))

    def _figure(self, figure: Figure) -> Iterator[str]:
        key, image = self._base.document.part.get_or_add_image(io.BytesIO(figure.png))
        width = min(self._width, _TALLEST * self._height * image.px_width / image.px_height)
        yield self.paragraph("report figure", _drawing(figure, key, width, image, self._numbers["Figure"] + 1))
        yield self._caption("Figure", run(figure.caption, _NOT_BOLD), more='<w:spacing w:before="0" w:after="160"/>')


def _drawing(figure: Figure, key: str, width: float, image: Any, number: int) -> str:
    """Return a picture in the line, with the words for readers who do not see it in both places that hold them."""
    across = round(width * _EMU)
    along = round(across * image.px_height / image.px_width)
    names = f'id="{number}" name="Figure {number}" descr={attribute(figure.alt)}'
    return (
        f'<w:r><w:drawing><wp:inline {nsdecls("wp", "a", "pic", "r")} distT="0" distB="0" distL="0" distR="0">'
        f'<wp:extent cx="{across}" cy="{along}"/><wp:docPr {names}/>'
        '<wp:cNvGraphicFramePr><a:graphicFrameLocks noChangeAspect="1"/></wp:cNvGraphicFramePr>'
        '<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic>'
        f"<pic:nvPicPr><pic:cNvPr {names}/><pic:cNvPicPr/></pic:nvPicPr>"
        f'<pic:blipFill><a:blip r:embed="{key}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
        f'<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{across}" cy="{along}"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r>"
    )


def page_lines(section: Any) -> tuple[float, float, float]:
    """Return, in points, the width and height inside the margins of a page and the width of the whole page."""
    size, margins = section.find(qn("w:pgSz")), section.find(qn("w:pgMar"))
    page = [_points(size, key, standard) for key, standard in (("w", 11906), ("h", 16838))]
    white = {key: _points(margins, key, 1134) for key in ("left", "right", "top", "bottom")}
    width = page[0] - white["left"] - white["right"]
    return max(width, 200.0), max(page[1] - white["top"] - white["bottom"], 200.0), page[0]


def _points(element: Any, key: str, standard: int) -> float:
    """Return a measure given in twentieths of a point, or the standard one where a document gives none."""
    value = None if element is None else element.get(qn(f"w:{key}"))
    return abs(float(value)) / 20 if value is not None else standard / 20


def page_settings(section: Any, is_turned: bool = False) -> str:
    """Return the settings of pages that end here, like those of a section, upright or turned."""
    made = deepcopy(section)
    size, margins = made.find(qn("w:pgSz")), made.find(qn("w:pgMar"))
    if is_turned and size is not None and margins is not None:
        _swap(size, ("w", "h"))
        size.set(qn("w:orient"), "landscape")
        _swap(margins, ("left", "top"))
        _swap(margins, ("right", "bottom"))
    return str(etree.tostring(made, encoding="unicode"))


def _swap(element: Any, keys: tuple[str, str]) -> None:
    one, other = (element.get(qn(f"w:{key}")) for key in keys)
    if one is not None and other is not None:
        element.set(qn(f"w:{keys[0]}"), other)
        element.set(qn(f"w:{keys[1]}"), one)
