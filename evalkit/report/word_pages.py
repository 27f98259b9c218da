"""What stands on every page of a Word document: the running title, the page number, and that data are synthetic."""

from __future__ import annotations

from typing import Any

from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.section import Section

from evalkit.report.word_base import Base
from evalkit.report.word_parts import page_lines
from evalkit.report.word_reference import MARK, retitled, running_title
from evalkit.report.word_xml import field, paragraph, run, tab


def set_pages(base: Base, title: str, question: str, is_synthetic: bool) -> None:
    """Fill header and footer where a reference document has none; mark synthetic data in every header.

    A header that shows the title of the report it was made for shows the new one.
    """
    section = Section(base.section, base.document.part)
    retitled(base.document, base.said, (title, question))
    if not _has_any(base.section):
        across = f'<w:tabs><w:tab w:val="right" w:pos="{round(20 * page_lines(base.section)[0])}"/></w:tabs>'
        _fill(section.header, paragraph(base.styles["header"], running_title(title), more=across))
        _fill(section.footer, paragraph(base.styles["footer"], tab(), *_page_number(), more=across))
    if is_synthetic:
        for header in _headers(base, section):
            header._element.insert(0, _parsed(paragraph(base.styles["report mark"], run(MARK))))


def _page_number() -> tuple[str, ...]:
    return run("Page "), field("PAGE", run("1")), run(" of "), field("NUMPAGES", run("1"))


def _has_any(section: Any) -> bool:
    return any(section.findall(qn(f"w:{kind}Reference")) for kind in ("header", "footer"))


def _headers(base: Base, section: Section) -> list[Any]:
    """Return every header that a page of the document can have, made where it lacks."""
    found = [section.header]
    if base.section.find(qn("w:titlePg")) is not None:
        found.append(section.first_page_header)
    if base.document.settings.odd_and_even_pages_header_footer:
        found.append(section.even_page_header)
    for header in found:
        header.is_linked_to_previous = False
    return found


def _fill(place: Any, content: str) -> None:
    place.is_linked_to_previous = False
    for child in list(place._element):
        place._element.remove(child)
    place._element.append(_parsed(content))


def _parsed(content: str) -> Any:
    return parse_xml(content.replace("<w:p>", f"<w:p {nsdecls('w')}>", 1))
