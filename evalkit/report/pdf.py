"""report.pdf and summary.pdf: tagged pages that pass PDF/UA-1, the same bytes on every machine."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Final

import typst

from evalkit.core.errors import EvalkitError
from evalkit.report.document import Document
from evalkit.report.glyphs import FONTS
from evalkit.report.html import packaged
from evalkit.report.paper import paper_inputs

_STANDARDS: Final[list[typst.PDFStandard]] = ["ua-1"]
_FITS: Final = (
    (10.5, 100),
    (10.5, 85),
    (10.0, 85),
    (10.0, 70),
    (9.5, 70),
    (9.5, 60),
    (9.0, 60),
    (9.0, 50),
    (8.5, 50),
    (8.0, 50),
    (8.0, 40),
    (7.5, 40),
    (7.0, 36),
    (6.5, 36),
)
"""Sizes of type in points and widths of figures in per cent of the line, from ample to narrow, until a summary fits."""

_TOO_LONG: Final = "more than one page"
"""What the template says of a summary that takes a second page."""


class _NotSet(EvalkitError):
    """What the typesetter refused, in a sentence."""


def pdf_report(document: Document) -> bytes:
    """Return the report as PDF: A4, with bookmarks, a table of contents and page numbers."""
    return _pages(paper_inputs(document))


def summary_pdf(document: Document) -> bytes:
    """Return the first section of a report on exactly one page of A4, in the largest type with which it fits.

    Raises
    ------
    EvalkitError
        If it does not fit in the smallest type.
    """
    first = replace(document, sections=document.sections[:1])
    best, low, high = None, 0, len(_FITS)
    while low < high:  # the fits grow narrower, so the first that holds is found by halving
        middle = (low + high) // 2
        made = _one_page(first, *_FITS[middle])
        best, low, high = (best, middle + 1, high) if made is None else (made, low, middle)
    if best is None:
        raise EvalkitError(
            f"The summary of {document.slug} does not fit on one page in {_FITS[-1][0]:g} point type. Shorten the "
            "title, `participants.why_whole_area` or the name of the place in project.yml."
        )
    return best


def _one_page(document: Document, size: float, width: int) -> bytes | None:
    inputs = paper_inputs(
        document,
        is_summary=True,
        has_contents=False,
        running="One-page summary; the whole report is report.pdf",
        size=size,
        title_size=1.7 * size,
        figure_width=width,
        margin=51,
        top=48,
        bottom=48,
    )
    try:
        return _pages(inputs)
    except _NotSet as problem:
        if _TOO_LONG in str(problem):
            return None
        raise


@cache
def _fonts() -> typst.Fonts:
    """Return fonts that are the same on every machine: those inside typst, and matplotlib's for what they lack."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(FONTS)])


def _pages(inputs: dict[str, str]) -> bytes:
    source = packaged("report.typ").encode("utf-8")
    try:
        return typst.compile(source, format="pdf", font_paths=_fonts(), sys_inputs=inputs, pdf_standards=_STANDARDS)
    except typst.TypstError as problem:
        raise _NotSet(f"The PDF could not be made: {problem.message}. Please report this.") from None
