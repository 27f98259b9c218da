"""What a notebook's author wrote: headings and the text between them, and its blocks for documents not of HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import mistune

from evalkit.report.border.parts import Heading, Text

_HEADING: Final = re.compile(r"^(#{1,6})[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$")
_FENCE: Final = re.compile(r"^ {0,3}(```|~~~)")


def written(markdown: str) -> Iterator[Heading | Text]:
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


def joined(text: str | Sequence[str]) -> str:
    """Return a text that a notebook keeps whole or in lines."""
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
