"""report.html: the executed notebooks without their code, as one file that needs no network and no script."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import mistune
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from evalkit.core.errors import EvalkitError
from evalkit.diagnose.evaluation import Evaluation
from evalkit.report.statements import banner, face

_OWN = re.compile(r'^<(?:div|figure) class="evalkit evalkit-(\w+)"')
_SHOWN_AT_TOP = ("banner", "face")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the report and where the table of contents finds it."""

    level: int
    text: str
    anchor: str


class _Renderer(mistune.HTMLRenderer):
    """Markdown to HTML with every heading one level down, below the report's title, and an anchor on each."""

    def __init__(self) -> None:
        super().__init__(escape=True)
        self.headings: list[Heading] = []

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        anchor = self._anchor(text)
        self.headings.append(Heading(level + 1, text, anchor))
        return f'<h{level + 1} id="{anchor}">{text}</h{level + 1}>\n'

    def _anchor(self, text: str) -> str:
        base = re.sub(r"[^a-z0-9]+", "-", re.sub(r"<[^>]+>|&\w+;", "", text).lower()).strip("-") or "section"
        taken = {heading.anchor for heading in self.headings}
        return next(name for name in (base, *(f"{base}-{i}" for i in range(2, 999))) if name not in taken)


def report_html(evaluation: Evaluation, notebooks: Sequence[Mapping[str, Any]]) -> str:
    """Return the report made of executed notebooks: their text and what they show, never their code."""
    renderer = _Renderer()
    markdown = mistune.Markdown(renderer=renderer)
    sections = [Markup(_section(notebook, markdown)) for notebook in notebooks]
    top, notice = face(evaluation), banner(evaluation)
    shown = [sentence for sentence in top.sentences if notice is None or sentence not in notice.sentences]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(packaged("report.html.j2")).render(
        project=evaluation.project,
        banner=notice.text if notice else "",
        face=shown,
        css=Markup(packaged("report.css")),
        headings=[(h.level, Markup(h.text), h.anchor) for h in renderer.headings if h.level <= 3],
        sections=sections,
    )


def packaged(name: str) -> str:
    """Return the text of a file that comes with the kit."""
    return files("evalkit.report").joinpath(name).read_text(encoding="utf-8")


def _section(notebook: Mapping[str, Any], markdown: mistune.Markdown) -> str:
    return "\n".join(part for cell in notebook["cells"] for part in _cell(cell, markdown))


def _cell(cell: Mapping[str, Any], markdown: mistune.Markdown) -> Iterable[str]:
    """Yield the HTML of one cell: rendered text, or what its code showed."""
    if cell["cell_type"] == "markdown":
        yield str(markdown(_joined(cell["source"])))
    elif cell["cell_type"] == "code":
        for output in cell.get("outputs", []):
            yield from _output(output)


def _output(output: Mapping[str, Any]) -> Iterable[str]:
    """Yield an output that comes from the kit's own nouns; refuse any other HTML, and leave out plain text."""
    html = _joined(output.get("data", {}).get("text/html", ""))
    if not html:
        return
    kind = _OWN.match(html)
    if kind is None:
        raise EvalkitError(
            "A notebook shows something that has not been released: only tables, figures and sentences "
            "of evalkit.report "
            "may stand in a report. Pass tables through `release`."
        )
    if kind.group(1) not in _SHOWN_AT_TOP:
        yield html


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
