"""A report read back from executed notebooks: their text and its blocks and what they show, never their code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import mistune

from evalkit.core.errors import EvalkitError
from evalkit.diagnose.evaluation import Evaluation
from evalkit.report.border.markup import PART_MIME
from evalkit.report.border.parts import Document, Heading, Part, Prose, Section, Text, parts_from_json
from evalkit.report.words.statements import front_of

_AT_TOP: Final = ("banner", "face")
_HEADING: Final = re.compile(r"^(#{1,6})[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$")
_FENCE: Final = re.compile(r"^ {0,3}(```|~~~)")


def read_document(evaluation: Evaluation, notebooks: Sequence[Mapping[str, Any]]) -> Document:
    """Return the report made of executed notebooks: their text and what they show, never their code.

    Raises
    ------
    EvalkitError
        If a notebook shows HTML that is not of a part of this kit, or a table that may not leave.
    """
    top, notice = front_of(evaluation)
    return Document(
        slug=evaluation.project.slug,
        title=evaluation.project.title,
        question=evaluation.project.question,
        banner=notice.text if notice else "",
        face=tuple(sentence for sentence in top.sentences if notice is None or sentence not in notice.sentences),
        sections=tuple(_stepwise(tuple(_section(notebook)) for notebook in notebooks)),
    )


def _stepwise(sections: Iterator[Section]) -> Iterator[Section]:
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


def _section(notebook: Mapping[str, Any]) -> Iterator[Part]:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            yield from _written(_joined(cell["source"]))
        elif cell["cell_type"] == "code":
            shown = (part for output in cell.get("outputs", []) for part in _shown(output))
            yield from (part for part in shown if not (isinstance(part, Prose) and part.kind in _AT_TOP))


def _written(markdown: str) -> Iterator[Part]:
    """Yield headings and the text between them; a line of code is neither."""
    lines: list[str] = []
    is_code = False
    for line in markdown.splitlines():
        is_code ^= bool(_FENCE.match(line))
        heading = None if is_code else _HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        yield from _text(lines)
        lines = []
        yield Heading(len(heading[1]), plain_words(heading[2]))
    yield from _text(lines)


def _text(lines: list[str]) -> Iterator[Text]:
    markdown = "\n".join(lines).strip("\n")
    if markdown.strip():
        yield Text(markdown)


def _shown(output: Mapping[str, Any]) -> Iterator[Part]:
    """Yield what an output shows of the kit's own nouns; refuse any other HTML, and leave out plain text."""
    data = output.get("data", {})
    if PART_MIME in data:
        yield from parts_from_json(data[PART_MIME])
    elif data.get("text/html"):
        raise EvalkitError(
            "A notebook shows something that has not been released: only tables, figures and sentences "
            "of evalkit.report may stand in a report. Pass tables through `release`."
        )


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


# What a notebook's author wrote, as blocks of runs, for documents that are not HTML.

BlockKind = Literal["paragraph", "bullet", "number", "quote", "code"]
_LISTED: Final[dict[bool, BlockKind]] = {False: "bullet", True: "number"}


@dataclass(frozen=True, slots=True)
class Run:
    """Words set alike; `address` is where a link leads."""

    text: str
    is_bold: bool = False
    is_italic: bool = False
    is_code: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True)
class WrittenBlock:
    """One paragraph or item of a list."""

    kind: BlockKind
    runs: tuple[Run, ...]

    @property
    def text(self) -> str:
        """Return the block's words."""
        return "".join(run.text for run in self.runs)


def written_blocks(markdown: str) -> tuple[WrittenBlock, ...]:
    """Return the blocks of a Markdown text in order; raw HTML is shown as the text it is, never run."""
    tokens = mistune.create_markdown(renderer=None)(markdown)
    return tuple(block for block in _blocks(tokens, "paragraph") if block.text.strip())


def plain_words(markdown: str) -> str:
    """Return the words of a line of Markdown without its marks."""
    return " ".join(" ".join(block.text for block in written_blocks(markdown)).split()) or markdown.strip()


def _blocks(tokens: Any, kind: BlockKind) -> Iterator[WrittenBlock]:
    for token in tokens:
        name = token["type"]
        if name == "list":
            listed = _LISTED[bool(token.get("attrs", {}).get("ordered"))]
            yield from _blocks(token["children"], listed)
        elif name == "list_item":
            yield from _blocks(token["children"], kind)
        elif name == "block_quote":
            yield from _blocks(token["children"], "quote")
        elif name in ("block_code", "block_html"):
            yield WrittenBlock("code", (Run(token["raw"].rstrip("\n"), is_code=True),))
        elif name == "heading":
            yield WrittenBlock(kind, tuple(_runs(token["children"], Run("", is_bold=True))))
        elif "children" in token:
            yield WrittenBlock(kind, tuple(_runs(token["children"], Run(""))))


def _runs(tokens: Sequence[Mapping[str, Any]], like: Run) -> Iterator[Run]:
    for token in tokens:
        name = token["type"]
        if name in ("softbreak", "linebreak"):
            yield replace(like, text=" ")
        elif name == "codespan":
            yield replace(like, text=token["raw"], is_code=True)
        elif "children" in token:
            yield from _runs(token["children"], _changed(like, token))
        elif "raw" in token:
            yield replace(like, text=token["raw"])


def _changed(like: Run, token: Mapping[str, Any]) -> Run:
    if token["type"] == "strong":
        return replace(like, is_bold=True)
    if token["type"] == "emphasis":
        return replace(like, is_italic=True)
    return replace(like, address=str(token.get("attrs", {}).get("url", "")))
