"""The pieces of a report (headings, texts, sentences, figures, tables), and their way through a notebook and back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Final, Literal

from evalkit.core.errors import EvalkitError
from evalkit.core.words import cleaned
from evalkit.report.border.disclosure import ReleasedTable, told_where_typed
from evalkit.report.border.markup import PART_MIME, bundle, numbered
from evalkit.report.border.table import table_from_record

# Sentences that show themselves in a notebook and in the report.

ProseKind = Literal["paragraph", "list", "headline", "banner", "face"]


@dataclass(frozen=True, slots=True, repr=False)
class Prose:
    """Sentences in order. `kind` says how they are set; `banner` and `face` stand once at the top of the report."""

    sentences: tuple[str, ...]
    kind: ProseKind = "paragraph"

    def __repr__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """Return the sentences as one plain paragraph."""
        return cleaned(" ".join(self.sentences))

    def _repr_html_(self) -> str:
        return cleaned(f'<div class="evalkit evalkit-{self.kind}">{self._body()}</div>')

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return bundle(self._repr_html_(), self.text, self.record())

    def record(self) -> dict[str, object]:
        """Return the sentences as a JSON record, from which `part_from_json` reads them back."""
        return {"part": "prose", "kind": self.kind, "sentences": list(self.sentences)}

    @property
    def is_list(self) -> bool:
        """Return whether the sentences are set as a list."""
        return self.kind == "list" or (self.kind == "face" and len(self.sentences) > 1)

    def _body(self) -> str:
        if self.is_list:
            return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in self.sentences) + "</ul>"
        return f"<p>{escape(self.text)}</p>"


def sentences(*texts: str) -> Prose:
    """Return sentences as a paragraph, empty ones left out."""
    return Prose(tuple(sentence for sentence in texts if sentence))


# A drawn figure with its words and the numbers behind it.


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Figure:
    """A figure as PNG and SVG, what it shows in words (`alt`), its caption, and its data as a released table.

    `name` is that of its files among the outputs of a project, empty for a figure that has none.
    """

    name: str = ""
    png: bytes
    svg: bytes
    alt: str
    caption: str
    data: ReleasedTable

    def __post_init__(self) -> None:
        object.__setattr__(self, "alt", cleaned(self.alt))
        object.__setattr__(self, "caption", cleaned(self.caption))
        if not self.alt.strip():
            raise EvalkitError(f"The figure '{self.caption}' needs a text for readers who do not see it.")

    def __repr__(self) -> str:
        return f"<Figure: {self.caption}>"

    def _repr_html_(self) -> str:
        return self.html()

    def html(self, number: int | None = None) -> str:
        """Return the figure with its caption, under the number it has in a report."""
        source = b64encode(self.svg).decode("ascii")
        return (
            f'<figure class="evalkit evalkit-figure"><div class="scroll" role="group" tabindex="0" '
            f'aria-label="Figure: {escape(self.caption)}">'
            f'<img alt="{escape(self.alt)}" src="data:image/svg+xml;base64,{source}"></div>'
            f"<figcaption>{numbered('Figure', number)}{escape(self.caption)}</figcaption>"
            f"<details><summary>The numbers behind this figure</summary>{self.data._repr_html_()}</details></figure>"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return bundle(self._repr_html_(), repr(self), self.record())

    def record(self) -> dict[str, object]:
        """Return the figure as a JSON record, from which `part_from_json` reads it back."""
        return {
            "part": "figure",
            "name": self.name,
            "png": b64encode(self.png).decode("ascii"),
            "svg": b64encode(self.svg).decode("ascii"),
            "alt": self.alt,
            "caption": self.caption,
            "data": self.data.record(),
        }


def picture_in_svg(png: bytes) -> bytes:
    """Return a picture of dots as SVG, which documents draw: it holds no more than the dots."""
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))  # where a PNG says its size
    inside = b64encode(png).decode("ascii")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}"><image width="{width}" height="{height}" '
        f'xlink:href="data:image/png;base64,{inside}"/></svg>'
    ).encode()


_PNG: Final = b"\x89PNG\r\n\x1a\n"
_DRAWN: Final = (b"IHDR", b"PLTE", b"tRNS", b"pHYs", b"IDAT", b"IEND")


def dots_alone(png: bytes) -> bytes:
    """Return a picture without what it says of itself: programs, dates, folders; raise `EvalkitError` for no PNG."""
    at, kept = len(_PNG), [_PNG]
    while at + 12 <= len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4], "big")
        kept += [png[at:end]] if png[at + 4 : at + 8] in _DRAWN else []
        at = end
    if not png.startswith(_PNG) or at != len(png):
        raise EvalkitError("A figure is no PNG, or not a whole one. Run the project again.")
    return b"".join(kept)


# A document and its pieces, before anything draws them, and the way of a piece through a notebook and back.

SYNTHETIC_MARK: Final = "SYNTHETIC DATA"
DRAWN_MARK: Final = "MADE-UP LIST OF SCHOOLS"
"""What stands on every page of a document whose data, or whose list of participants, are made up."""
CLOSING: Final = (
    "Made by evalkit from the project “{slug}”. Every number here stands in results.json beside this file, and those "
    "behind each figure in the folder figures; manifest.json says what it was made from."
)
"""What the documents on paper of a project end with."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: `level` 1 begins a chapter of the report."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """What a notebook's author wrote between headings, as Markdown."""

    markdown: str


ShownPart = Prose | ReleasedTable | Figure
"""A noun that a cell shows."""
Part = Heading | Text | ShownPart
Section = tuple[Part, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Parts:
    """Several parts that one cell shows under each other, headings among them: what a kind of analysis adds."""

    parts: Section

    def __repr__(self) -> str:
        return "\n".join(part.text if isinstance(part, Heading) else repr(part) for part in self.parts)

    def _repr_html_(self) -> str:
        return "".join(_part_html(part) for part in self.parts)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return bundle(self._repr_html_(), repr(self), {"part": "parts", "parts": [_part_record(p) for p in self.parts]})


def _part_html(part: Part) -> str:
    if isinstance(part, Heading):
        return f"<h{part.level}>{escape(part.text)}</h{part.level}>"
    return f"<p>{escape(part.markdown)}</p>" if isinstance(part, Text) else part._repr_html_()


def _part_record(part: Part) -> object:
    if isinstance(part, Heading):
        return {"part": "heading", "level": part.level, "text": part.text}
    if isinstance(part, Text):
        return {"part": "text", "markdown": part.markdown}
    return part._repr_mimebundle_()[PART_MIME]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What stands once at the top, and sections in order: drawn as a page, for Word, as PDF or on a terminal.

    Attributes
    ----------
    title : the name of it all, the only part that every document has
    slug : the project it is the report of, empty for the answer to a command, which has no contents and no closing
    question : what is asked, below the title
    byline : who answers for it, when, for whom
    banner : what a reader must know of made-up data or lists, empty for what was published
    face : the sentences that a reader meets first
    sections : parts in order, of a report one for each chapter of its body
    annexes : the chapters that hold the rest
    ends_with : what it ends with, where that is not what the report of a project ends with
    """

    title: str
    slug: str = ""
    question: str = ""
    byline: tuple[str, ...] = ()
    banner: str = ""
    face: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    annexes: tuple[Section, ...] = ()
    ends_with: str = ""

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return the parts of every section and every annex, in order."""
        return tuple(part for section in (*self.sections, *self.annexes) for part in section)

    @property
    def mark(self) -> str:
        """Return what stands on every page: that data, or the list of participants, are made up; empty for others."""
        return " · ".join(mark for mark in (SYNTHETIC_MARK, DRAWN_MARK) if mark in self.banner)

    @property
    def is_report(self) -> bool:
        """Return whether it is the report of a project: with a table of contents, and what it was made from."""
        return bool(self.slug)

    @property
    def closing(self) -> str:
        """Return what it ends with, empty where it is of no project."""
        return self.ends_with or (CLOSING.format(slug=self.slug) if self.slug else "")


def released_document(document: Document, fewest: int) -> Document:
    """Return a document as it may leave: in its sentences, typed counts of people from 1 to under `fewest` withheld.

    Every drawing of what may be of people is made of this; tables are released already. 0 withholds nothing.
    """
    face = tuple(told_where_typed(sentence, fewest) for sentence in document.face)
    return replace(
        document,
        face=face,
        sections=_all_released(document.sections, fewest),
        annexes=_all_released(document.annexes, fewest),
    )


def _all_released(sections: tuple[Section, ...], fewest: int) -> tuple[Section, ...]:
    return tuple(tuple(_released(part, fewest) for part in section) for section in sections)


def _released(part: Part, fewest: int) -> Part:
    if not isinstance(part, Prose):
        return part
    return replace(part, sentences=tuple(told_where_typed(sentence, fewest) for sentence in part.sentences))


def part_bundle(part: ShownPart) -> dict[str, object]:
    """Return what a notebook keeps of a part: HTML, plain text and the record it is read back from."""
    return part._repr_mimebundle_()


def parts_from_json(record: Mapping[str, Any]) -> tuple[Part, ...]:
    """Return the parts of a record of one or of several; raises as `part_from_json`."""
    if record.get("part") != "parts":
        return (part_from_json(record),)
    return tuple(_of_several(one) for one in record["parts"])


def _of_several(record: Mapping[str, Any]) -> Part:
    if record.get("part") == "heading":
        return Heading(int(record["level"]), str(record["text"]))
    return Text(str(record["markdown"])) if record.get("part") == "text" else part_from_json(record)


def part_from_json(record: Mapping[str, Any]) -> ShownPart:
    """Return the part of a record; a table passes disclosure control again.

    Raises
    ------
    EvalkitError
        If the record is of no part of this kit, or holds a table that may not leave.
    """
    try:
        return _READERS[record["part"]](record)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise EvalkitError(
            "A notebook holds a part that this version of evalkit cannot read. Run the project again."
        ) from None


def _prose(record: Mapping[str, Any]) -> Prose:
    return Prose(tuple(map(str, record["sentences"])), record["kind"])


def _table(record: Mapping[str, Any]) -> ReleasedTable:
    return ReleasedTable(table_from_record(record["table"]), int(record["threshold"]))


def _figure(record: Mapping[str, Any]) -> Figure:
    return Figure(
        name=str(record["name"]),
        png=b64decode(record["png"]),
        svg=b64decode(record["svg"]),
        alt=record["alt"],
        caption=record["caption"],
        data=_table(record["data"]),
    )


_READERS: Final[dict[str, Callable[[Mapping[str, Any]], ShownPart]]] = {
    "prose": _prose,
    "table": _table,
    "figure": _figure,
}
