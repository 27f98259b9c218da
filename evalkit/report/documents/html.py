"""A document as one HTML file that needs no network and no script."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

import mistune
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from evalkit.core.words import cleaned
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.markup import table_html
from evalkit.report.border.parts import Document, Figure, Heading, Part, Section, Text
from evalkit.report.documents.typography import font_faces, unbroken
from evalkit.report.templates import packaged


class _Renderer(mistune.HTMLRenderer):
    """Markdown to HTML; what is not a heading of the report is not one of the page."""

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return f"<p><strong>{text}</strong></p>\n"


@dataclass(frozen=True, slots=True)
class _Listed:
    """A heading of the table of contents."""

    level: int
    text: str
    anchor: str
    is_annex: bool


class _Page:
    """Draws parts in order and keeps the headings for the table of contents."""

    def __init__(self) -> None:
        self.contents: list[_Listed] = []
        self._numbers = {"table": 0, "figure": 0}
        self._is_annex = False
        self._markdown = mistune.Markdown(renderer=_Renderer(escape=True))

    def sections(self, sections: Iterable[Section], is_annex: bool = False) -> list[Markup]:
        """Return the HTML of each section."""
        self._is_annex = is_annex
        return [Markup(unbroken("\n".join(map(self.part, section)))) for section in sections]

    def part(self, part: Part) -> str:
        """Return the HTML of one part; headings stand one level down, below the report's title."""
        if isinstance(part, Heading):
            level, anchor = min(part.level + 1, 6), self._anchor(part.text)
            self.contents.append(_Listed(level, part.text, anchor, self._is_annex))
            return f'<h{level} id="{anchor}">{escape(part.text)}</h{level}>'
        if isinstance(part, Text):
            return str(self._markdown(part.markdown))
        if isinstance(part, ReleasedTable):
            return table_html(part.table, self._next("table"))
        return part.html(self._next("figure")) if isinstance(part, Figure) else part._repr_html_()

    def _next(self, kind: str) -> int:
        """Return the number of the next table or figure, counted as the documents on paper count them."""
        self._numbers[kind] += 1
        return self._numbers[kind]

    def _anchor(self, text: str) -> str:
        base = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "section"
        taken = {heading.anchor for heading in self.contents} | {"main"}
        return next(name for name in (base, *(f"{base}-{i}" for i in range(2, 999))) if name not in taken)


def report_html(document: Document) -> str:
    """Return a document as one page; the report of a project has a table of contents and says what it was made from."""
    page = _Page()
    sections = page.sections(document.sections)
    annexes = page.sections(document.annexes, is_annex=True)
    made = _template("report.html.j2" if document.is_report else "plain_page.html.j2").render(
        document=document,
        css=Markup(packaged("report.css").replace("/* faces */", font_faces())),
        headings=[heading for heading in page.contents if heading.level <= 3],
        sections=sections,
        annexes=annexes,
    )
    return cleaned(made)


def _template(name: str) -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(packaged(name))
