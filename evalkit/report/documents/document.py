"""A report read back from executed notebooks: their text and what they show, never their code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from evalkit.core.errors import EvalkitError
from evalkit.diagnose.evaluation import Evaluation
from evalkit.report.border.markup import PART_MIME
from evalkit.report.border.parts import Document, Heading, Part, Prose, Section, Text, parts_from_json
from evalkit.report.documents.markdown import joined, written
from evalkit.report.documents.own_notebooks import own_chapter
from evalkit.report.words.front import banner, byline, face_of

_AT_TOP: Final = ("banner", "face")
IN_BODY: Final = "body"
"""The tag of a cell whose text begins a chapter of the body of a report; other chapters are annexes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutedNotebook:
    """A notebook with what its cells showed, and what it is to the report.

    `name` is that of the file it becomes; `title` heads the chapter of a notebook of the evaluator's own (empty for
    the kit's), which stands after the notebook `after`, or at the end; `notice` is what a reader is told of its outputs
    that no disclosure control has seen. `of_analysis` names the analysis that a notebook is of where there are several.
    """

    name: str
    content: Mapping[str, Any]
    title: str = ""
    after: str = ""
    notice: str = ""
    of_analysis: str = ""


@dataclass(frozen=True, slots=True)
class _Chapter:
    """Parts under one heading of the first level; `notebook` is the name of where they come from."""

    notebook: str
    parts: Section
    is_annex: bool


def read_document(evaluation: Evaluation, notebooks: Sequence[ExecutedNotebook]) -> Document:
    """Return the report made of executed notebooks: their text and what they show, never their code.

    A chapter begins at each heading of the first level. It belongs to the body where its cell says so by the tag
    `body`, and is an annex, with a letter before its heading, where it does not.

    Raises
    ------
    EvalkitError
        If a notebook of the kit, or of a kind, shows what is no part of this kit, or a table that may not leave.
    """
    kits = [chapter for one in notebooks if not one.title for chapter in _chapters(one)]
    chapters = _placed(kits, [one for one in notebooks if one.title])
    body = [chapter.parts for chapter in chapters if not chapter.is_annex]
    annexes = [chapter.parts for chapter in chapters if chapter.is_annex]
    sections = _once([*body, *annexes])
    lettered = [_lettered(at, section) for at, section in enumerate(sections[len(body) :])]
    stepwise = tuple(_stepwise([*sections[: len(body)], *lettered]))
    return Document(
        slug=evaluation.project.slug,
        title=evaluation.project.title,
        question=evaluation.project.question,
        byline=byline(evaluation.project),
        banner=banner(evaluation),
        face=face_of(evaluation),
        sections=stepwise[: len(body)],
        annexes=stepwise[len(body) :],
    )


def _chapters(notebook: ExecutedNotebook) -> Iterator[_Chapter]:
    """Yield the chapters of a notebook of the kit; what stands before its first heading belongs to the first."""
    parts, is_annex = list[Part](), True
    for cell in notebook.content["cells"]:
        for part in _parts_of(cell):
            if isinstance(part, Heading) and part.level == 1:
                if any(isinstance(one, Heading) for one in parts):
                    yield _Chapter(notebook.name, tuple(parts), is_annex)
                    parts = []
                is_annex = IN_BODY not in cell.get("metadata", {}).get("tags", [])
                part = Heading(1, f"{notebook.of_analysis}: {part.text}" if notebook.of_analysis else part.text)
            parts.append(part)
    if parts:
        yield _Chapter(notebook.name, tuple(parts), is_annex)


def _placed(kits: list[_Chapter], own: list[ExecutedNotebook]) -> list[_Chapter]:
    """Return the kit's chapters with the evaluator's own after the first of the notebook each names, or at the end."""
    chapters = list(kits)
    for one in own:
        after = next((at for at, c in enumerate(chapters) if one.after and c.notebook.startswith(one.after)), None)
        is_annex = after is None or chapters[after].is_annex
        made = _Chapter(one.name, own_chapter(one.content, one.title, one.notice), is_annex)
        chapters.insert(len(chapters) if after is None else after + 1, made)
    return chapters


def _once(sections: list[Section]) -> list[Section]:
    """Return sections in which no table, figure or list stands twice, nor a heading with nothing below it.

    A paragraph may: what a notebook of the evaluator's own must say of itself is said in each.
    """
    seen: list[Part] = []
    made: list[Section] = []
    for section in sections:
        kept: list[Part] = []
        for part in section:
            may_repeat = isinstance(part, Heading | Text) or (isinstance(part, Prose) and part.kind == "paragraph")
            if may_repeat or part not in seen:
                kept.append(part)
            if not may_repeat:
                seen.append(part)
        made.append(tuple(part for at, part in enumerate(kept) if not _is_empty(part, kept[at + 1 :])))
    return made


def _is_empty(part: Part, after: list[Part]) -> bool:
    """Return whether a part is a heading below the first level that nothing follows before the next like it."""
    if not isinstance(part, Heading) or part.level == 1:
        return False
    below = takewhile(lambda one: not (isinstance(one, Heading) and one.level <= part.level), after)
    return all(isinstance(one, Heading) for one in below)


def _lettered(at: int, section: Section) -> Section:
    """Return an annex with its letter in its heading: A to Z, and then AA."""
    letter = chr(ord("A") + at % 26) * (at // 26 + 1)
    first = next((i for i, part in enumerate(section) if isinstance(part, Heading)), None)
    return tuple(
        Heading(1, f"Annex {letter}. {part.text}") if i == first and isinstance(part, Heading) else part
        for i, part in enumerate(section)
    )


def _stepwise(sections: Iterable[Section]) -> Iterator[Section]:
    """Yield sections in which no heading skips a level, as readers who hear a page need it."""
    above = 0
    for section in sections:
        parts: list[Part] = []
        for part in section:
            if isinstance(part, Heading):
                above = min(part.level, above + 1)
                part = Heading(above, part.text)
            parts.append(part)
        yield tuple(parts)


def _parts_of(cell: Mapping[str, Any]) -> Iterator[Part]:
    if cell["cell_type"] == "markdown":
        yield from written(joined(cell["source"]))
    elif cell["cell_type"] == "code":
        source = joined(cell["source"])
        shown = (part for output in cell.get("outputs", []) for part in _shown(output, source))
        yield from (part for part in shown if not (isinstance(part, Prose) and part.kind in _AT_TOP))


def _shown(output: Mapping[str, Any], source: str) -> Iterator[Part]:
    """Yield what an output shows of the kit's own nouns; refuse what no disclosure control has seen, but a print."""
    data = output.get("data", {})
    if PART_MIME in data:
        yield from parts_from_json(data[PART_MIME])
    elif data:
        last = next((line.strip() for line in reversed(source.splitlines()) if line.strip()), "")
        raise EvalkitError(
            f"The cell `{last}` of a notebook shows something that has not been released: only tables, figures and "
            "sentences of evalkit.report may stand in a report. Pass tables through `release` and words through "
            "`sentences`, or end the cell with `None`."
        )
