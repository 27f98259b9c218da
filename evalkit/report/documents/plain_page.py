"""A page of sentences, tables and figures without a project: one file, no network, no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from evalkit.core.words import cleaned
from evalkit.report.documents.word import PlainPart
from evalkit.report.templates import packaged


def plain_page(title: str, face: Sequence[str], parts: Sequence[PlainPart]) -> str:
    """Return an HTML page with a title, the sentences that come first, and in order texts, tables and figures.

    Texts are sentences; one that begins with `# ` is a heading.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(packaged("plain_page.html.j2")).render(
        title=title,
        face=face,
        css=Markup(packaged("report.css")),
        parts=[Markup(_html(part)) for part in parts],
    )
    return cleaned(page)


def _html(part: PlainPart) -> str:
    if isinstance(part, str):
        return f"<h2>{escape(part[2:])}</h2>" if part.startswith("# ") else f"<p>{escape(part)}</p>"
    return part._repr_html_()
