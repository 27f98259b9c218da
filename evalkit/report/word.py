"""Released tables and figures as a Word document with native tables, captions and repeated header rows."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from evalkit.report.disclosure import ReleasedTable
from evalkit.report.figure import Figure
from evalkit.report.table import Table, cell_text

_EPOCH: Final = datetime(2000, 1, 1)
_ZIPPED: Final = (1980, 1, 1, 0, 0, 0)
"""The one date that every document bears, so that the same content gives the same bytes."""

Part = str | ReleasedTable | Figure


def word_document(title: str, parts: Sequence[Part]) -> bytes:
    """Return a .docx with a title and, in order, sentences (texts; `# ` begins a heading), tables and figures.

    Tables are Word's own, with a caption above and a header row that repeats on every page; figures carry a text
    for readers who do not see them. The same content gives the same bytes.
    """
    document = docx.Document()
    properties = document.core_properties
    properties.title, properties.author, properties.created, properties.modified = title, "", _EPOCH, _EPOCH
    properties.language = "en-GB"
    document.add_heading(title, level=0)
    for part in parts:
        if isinstance(part, ReleasedTable):
            _add_table(document, part.table)
        elif isinstance(part, Figure):
            _add_figure(document, part)
        elif part.startswith("# "):
            document.add_heading(part[2:], level=1)
        else:
            document.add_paragraph(part)
    return _same_bytes(document)


def _add_table(document: Any, table: Table) -> None:
    for sentence in table.above:
        document.add_paragraph(sentence)
    unit = f" ({table.unit})" if table.unit else ""
    document.add_paragraph(table.caption + unit, style="Caption").paragraph_format.keep_with_next = True
    grid = document.add_table(rows=1, cols=len(table.columns), style="Table Grid")
    for cell, column in zip(grid.rows[0].cells, table.columns, strict=True):
        _fill(cell, column.header, is_numeric=column.is_numeric, is_bold=True)
    repeat = OxmlElement("w:tblHeader")
    repeat.set(qn("w:val"), "true")
    grid.rows[0]._tr.get_or_add_trPr().append(repeat)
    for row in table.rows:
        for cell, column, value in zip(grid.add_row().cells, table.columns, row, strict=True):
            _fill(cell, cell_text(value, column.kind), is_numeric=column.is_numeric)
    for note in table.notes:
        document.add_paragraph(note).paragraph_format.space_before = Pt(3)


def _fill(cell: Any, text: str, is_numeric: bool, is_bold: bool = False) -> None:
    paragraph = cell.paragraphs[0]
    run = paragraph.add_run(text)
    run.font.size, run.bold = Pt(8), is_bold
    if is_numeric:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _add_figure(document: Any, figure: Figure) -> None:
    shape = document.add_picture(io.BytesIO(figure.png), width=Cm(15.5))
    shape._inline.docPr.set("descr", figure.alt)
    document.add_paragraph(figure.caption, style="Caption")


def _same_bytes(document: Any) -> bytes:
    """Return a document whose archive bears no date of its making."""
    made, out = io.BytesIO(), io.BytesIO()
    document.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            entry = zipfile.ZipInfo(name, _ZIPPED)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, source.read(name))
    return out.getvalue()
