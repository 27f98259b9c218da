"""Reports as Word documents, in the kit's own look or in that of a reference document."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.section import Section

from evalkit.report.border.parts import Document
from evalkit.report.documents.word_parts import Setter, page_lines
from evalkit.report.documents.word_reference import Base, retitled, running_title, word_base
from evalkit.report.documents.word_xml import clean, field, field_begin, field_end, paragraph, run, tab

# What stands on every page of a Word document: the running title, the page number, and that data are synthetic.


def set_pages(base: Base, title: str, question: str, mark: str) -> None:
    """Fill header and footer where a reference document has none; put the mark of what is made up in every header.

    A header that shows the title of the report it was made for shows the new one.
    """
    section = Section(base.section, base.document.part)
    retitled(base.document, base.titles, (title, question))
    if not _has_any(base.section):
        across = f'<w:tabs><w:tab w:val="right" w:pos="{round(20 * page_lines(base.section)[0])}"/></w:tabs>'
        _fill(section.header, paragraph(base.styles["header"], running_title(title), more=across))
        _fill(section.footer, paragraph(base.styles["footer"], tab(), *_page_number(), more=across))
    if mark:
        for header in _headers(base, section):
            header._element.insert(0, _parsed(paragraph(base.styles["report mark"], run(mark))))


def _page_number() -> tuple[str, ...]:
    return run("Page "), field("PAGE", run("1")), run(" of "), field("NUMPAGES", run("1"))


def _has_any(section: Any) -> bool:
    return any(section.findall(qn(f"w:{kind}Reference")) for kind in ("header", "footer"))


def _headers(base: Base, section: Section) -> list[Any]:
    """Return every header that a page of the document can have, made where it lacks."""
    headers = [section.header]
    if base.section.find(qn("w:titlePg")) is not None:
        headers.append(section.first_page_header)
    if base.document.settings.odd_and_even_pages_header_footer:
        headers.append(section.even_page_header)
    for header in headers:
        header.is_linked_to_previous = False
    return headers


def _fill(place: Any, content: str) -> None:
    place.is_linked_to_previous = False
    for child in list(place._element):
        place._element.remove(child)
    place._element.append(_parsed(content))


def _parsed(content: str) -> Any:
    return parse_xml(content.replace("<w:p>", f"<w:p {nsdecls('w')}>", 1))


# Reports as Word documents, in the kit's own look or in that of a reference document.

_EPOCH: Final = datetime(2000, 1, 1)
_ZIPPED: Final = (1980, 1, 1, 0, 0, 0)
"""The one date that every document bears, so that the same content gives the same bytes."""


def word_report(document: Document, reference: bytes | None = None) -> bytes:
    """Return a document as .docx: headings, native tables with captions, figures with alt text.

    The report of a project has a table of contents. `reference` is the .docx whose styles, pages, header and footer
    are used; its text is left out. The same content gives the same bytes.

    Raises
    ------
    InputError
        If the reference document cannot be read.
    """
    base, has_contents = word_base(reference), document.is_report
    set_pages(base, document.title, document.question, document.mark)
    setter = Setter(base, starts_page=has_contents)
    body = list(setter.parts(document.parts))
    contents = list(_contents(setter)) if has_contents else []
    closing = [setter.paragraph("table note", run(document.closing) if document.closing else "")]
    _append(base, "".join([*_top(document, setter), *contents, *body, *closing]))
    _describe(base.document, document)
    return _same_bytes(base.document)


def _top(document: Document, setter: Setter) -> Iterator[str]:
    if document.banner:
        yield setter.paragraph("report banner", run(document.banner))
    yield setter.paragraph("title", run(document.title))
    if document.question:
        yield setter.paragraph("subtitle", run(document.question))
    yield from (setter.paragraph("normal", run(line)) for line in document.byline)
    yield from (setter.paragraph("list bullet", run(sentence)) for sentence in document.face)


def _contents(setter: Setter) -> Iterator[str]:
    """Yield the table of contents: a field whose entries stand there already; page numbers come when it is updated."""
    entries = [heading for heading in setter.headings if heading[0] <= 2]
    if not entries:
        return
    yield setter.paragraph("toc heading", run("Contents"))
    for i, (level, text, anchor) in enumerate(entries):
        begin = field_begin('TOC \\o "1-2" \\h \\z \\u') if i == 0 else ""
        link = f'<w:hyperlink w:anchor="{anchor}" w:history="1">{run(text)}</w:hyperlink>'
        end = field_end() if i == len(entries) - 1 else ""
        yield setter.paragraph(f"toc {level}", begin, link, end)


def _append(base: Base, content: str) -> None:
    """Put content before the settings of the last pages."""
    parsed = parse_xml(f"<w:body {nsdecls('w', 'r', 'wp', 'a', 'pic')}>{content}</w:body>")
    for child in list(parsed):
        base.section.addprevious(child)


def _describe(made: Any, document: Document) -> None:
    properties = made.core_properties
    properties.title, properties.subject = clean(document.title)[:255], clean(document.question)[:255]
    properties.language = "en-GB"
    properties.author = properties.last_modified_by = properties.comments = properties.keywords = ""
    properties.created = properties.modified = _EPOCH
    properties.revision = 1
    for language in made.styles.element.iterfind(f"{qn('w:docDefaults')}//{qn('w:lang')}"):
        language.set(qn("w:val"), "en-GB")


def _same_bytes(document: Any) -> bytes:
    """Return a document whose archive bears no date of its making."""
    made, out = io.BytesIO(), io.BytesIO()
    document.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            entry = zipfile.ZipInfo(name, _ZIPPED)
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            target.writestr(entry, source.read(name))
    return out.getvalue()
