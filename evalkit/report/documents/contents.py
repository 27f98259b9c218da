"""What the documents and files of a project are drawn from, as plain data and back, so that it can be drawn again."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from evalkit.core.errors import EvalkitError
from evalkit.core.plain import json_text
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import (
    Document,
    Figure,
    Heading,
    Part,
    Section,
    Text,
    dots_alone,
    part_from_json,
    picture_in_svg,
)
from evalkit.report.documents.html import report_html
from evalkit.report.documents.pdf import pdf_report, summary_pdf
from evalkit.report.documents.word import word_report

PARTS: Final = "parts.json"
"""The file among the outputs from which a release is drawn: every part of the report, every table with its types."""
SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Contents:
    """The report of a project before it is drawn, its tables and figures by the names of their files, its results."""

    document: Document
    tables: Mapping[str, ReleasedTable]
    figures: Mapping[str, Figure]
    results: Mapping[str, Any]
    threshold: int


def drawn(contents: Contents, reference: bytes | None = None) -> dict[str, bytes]:
    """Return path and content of the documents, results.json, the tables as CSV and the figures as PNG and SVG.

    `reference` is the .docx in whose look the Word document is made.
    """
    document = contents.document
    files = {
        "report.html": report_html(document).encode("utf-8"),
        "report.docx": word_report(document, reference),
        "report.pdf": pdf_report(document),
        "summary.pdf": summary_pdf(document),
    }
    files |= {"results.json": results_json(contents.results)} if contents.results else {}
    files |= {f"tables/{name}.csv": table.to_csv().encode("utf-8") for name, table in contents.tables.items()}
    for name, figure in contents.figures.items():
        files |= {f"figures/{name}.png": figure.png, f"figures/{name}.svg": figure.svg}
        files |= {f"figures/{name}.csv": figure.data.to_csv().encode("utf-8")}
    return files


def results_json(results: Mapping[str, Any]) -> bytes:
    """Return results.json as it is written."""
    return (json_text(results, indent=1) + "\n").encode("utf-8")


# As plain data, and back.


def contents_json(contents: Contents) -> bytes:
    """Return contents as a file; a picture that has files among the outputs is named, not held."""
    document = contents.document
    record = {
        "schema_version": SCHEMA_VERSION,
        "threshold": contents.threshold,
        "document": {
            **{key: getattr(document, key) for key in ("title", "slug", "question", "banner")},
            **{key: list(getattr(document, key)) for key in ("byline", "face")},
            **{
                key: [[_record(part) for part in section] for section in getattr(document, key)]
                for key in ("sections", "annexes")
            },
        },
        "tables": {name: table.record() for name, table in contents.tables.items()},
        "figures": {name: _figure_record(figure, name) for name, figure in contents.figures.items()},
        "results": contents.results,
    }
    return (json_text(record) + "\n").encode("utf-8")


def _record(part: Part) -> Mapping[str, Any]:
    if isinstance(part, Heading):
        return {"part": "heading", "level": part.level, "text": part.text}
    if isinstance(part, Text):
        return {"part": "text", "markdown": part.markdown}
    if isinstance(part, Figure):
        return _figure_record(part, part.name)
    return part.record()


def _figure_record(figure: Figure, name: str) -> Mapping[str, Any]:
    inside = {} if name else {"png": b64encode(figure.png).decode("ascii")}
    return {
        "part": "figure",
        "name": name,
        "alt": figure.alt,
        "caption": figure.caption,
        "data": figure.data.record(),
        **inside,
    }


def contents_from_json(record: Mapping[str, Any], png_of: Callable[[str], bytes]) -> Contents:
    """Return the contents of a record, each figure with its picture alone; `png_of` gives that of a name.

    A picture of lines and letters would hold its points to the last digit, which a picture of dots does not.

    Raises
    ------
    EvalkitError
        If the record is not of this version of the kit.
    """
    if record.get("schema_version") != SCHEMA_VERSION:
        raise EvalkitError("The parts of this report are of another version of evalkit. Run the project again.")
    try:
        told = record["document"]
        document = Document(
            title=str(told["title"]),
            slug=str(told["slug"]),
            question=str(told["question"]),
            byline=tuple(map(str, told["byline"])),
            banner=str(told["banner"]),
            face=tuple(map(str, told["face"])),
            sections=_sections(told["sections"], png_of),
            annexes=_sections(told["annexes"], png_of),
        )
        tables = {name: _table(one) for name, one in record["tables"].items()}
        figures = {name: _figure(one, png_of) for name, one in record["figures"].items()}
        return Contents(
            document=document,
            tables=tables,
            figures=figures,
            results=record["results"],
            threshold=int(record["threshold"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise EvalkitError("The parts of this report cannot be read. Run the project again.") from None


def _sections(records: Sequence[Sequence[Mapping[str, Any]]], png_of: Callable[[str], bytes]) -> tuple[Section, ...]:
    return tuple(tuple(_part(part, png_of) for part in section) for section in records)


def _part(record: Mapping[str, Any], png_of: Callable[[str], bytes]) -> Part:
    if record["part"] == "heading":
        return Heading(int(record["level"]), str(record["text"]))
    if record["part"] == "text":
        return Text(str(record["markdown"]))
    return _figure(record, png_of) if record["part"] == "figure" else part_from_json(record)


def _table(record: Mapping[str, Any]) -> ReleasedTable:
    table = part_from_json(record)
    if not isinstance(table, ReleasedTable):
        raise TypeError(type(table))
    return table


def _figure(record: Mapping[str, Any], png_of: Callable[[str], bytes]) -> Figure:
    png = dots_alone(b64decode(record["png"]) if "png" in record else png_of(record["name"]))
    return Figure(
        name=str(record["name"]),
        png=png,
        svg=picture_in_svg(png),
        alt=record["alt"],
        caption=record["caption"],
        data=_table(record["data"]),
    )
