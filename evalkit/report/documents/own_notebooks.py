"""A notebook of the evaluator's own as a chapter of a report, and as the file that leaves: only what may be shown."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any, Final

from evalkit.core.words import cleaned, counted
from evalkit.report.border.disclosure import release
from evalkit.report.border.markup import PART_MIME
from evalkit.report.border.parts import (
    Figure,
    Heading,
    Part,
    Parts,
    Prose,
    Section,
    Text,
    parts_from_json,
    picture_in_svg,
)
from evalkit.report.border.table import Column, Table
from evalkit.report.documents.markdown import joined, written

UNCHECKED: Final = (
    "This chapter shows outputs of the evaluator's own that no disclosure control has seen (`unchecked: true` in the "
    "project file): the evaluator answers for them."
)
UNKNOWN: Final = "Numbers of this picture"
"""The caption of the numbers behind a picture of which nothing is known."""
_PNG: Final = "image/png"
_TERMINAL: Final = re.compile(r"\x1b\[[0-9;]*m")
_AT_TOP: Final = ("banner", "face")


def own_chapter(notebook: Mapping[str, Any], title: str, notice: str) -> Section:
    """Return the chapter of a released notebook: its title, what is said of bare outputs, its texts, what it shows."""
    parts = [part for cell in notebook["cells"] for part in _parts_of(cell, title)]
    return (Heading(1, title), *((Prose((notice,)),) if notice else ()), *parts)


def own_notice(notebook: Mapping[str, Any], is_unchecked: bool) -> str:
    """Return what a reader is told of bare outputs, empty where there are none."""
    n = sum(_is_bare(output) for output in _outputs(notebook))
    if not n or is_unchecked:
        return UNCHECKED if n else ""
    were, them = ("was", "it") if n == 1 else ("were", "them")
    return (
        f"{counted(n, 'output')} of this notebook {were} left out, as no disclosure control can see {them}. Show "
        f"{them} by a table or figure of evalkit, or set `unchecked: true` for this notebook in the project file."
    )


def released_own(notebook: Mapping[str, Any], is_unchecked: bool) -> dict[str, Any]:
    """Return the notebook as it may leave: what the kit's nouns show passes the border again.

    Anything else, a bare frame, a picture, a print, stays where the notebook `is_unchecked`, and is left out where not.
    """
    cells = [_released_cell(cell, is_unchecked) for cell in notebook["cells"]]
    return {**notebook, "cells": cells}


def _released_cell(cell: Mapping[str, Any], is_unchecked: bool) -> Mapping[str, Any]:
    if cell["cell_type"] != "code":
        return cell
    kept = [_released_output(output) for output in cell.get("outputs", []) if is_unchecked or not _is_bare(output)]
    return {**cell, "outputs": kept}


def _released_output(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an output whose HTML and text are those of the parts that it is read back from."""
    if _is_bare(output):
        return output
    parts = tuple(parts_from_json(output["data"][PART_MIME]))
    return {**output, "data": Parts(parts)._repr_mimebundle_()}


def _outputs(notebook: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for cell in notebook["cells"]:
        yield from cell.get("outputs", []) if cell["cell_type"] == "code" else []


def _is_bare(output: Mapping[str, Any]) -> bool:
    return PART_MIME not in output.get("data", {})


def _parts_of(cell: Mapping[str, Any], title: str) -> Iterator[Part]:
    if cell["cell_type"] == "markdown":
        for part in written(joined(cell["source"])):
            yield Heading(part.level + 1, part.text) if isinstance(part, Heading) else part
    elif cell["cell_type"] == "code":
        for output in cell.get("outputs", []):
            if not _is_bare(output):
                shown = parts_from_json(output["data"][PART_MIME])
                yield from (part for part in shown if not (isinstance(part, Prose) and part.kind in _AT_TOP))
            else:
                yield from _bare(output, title)


def _bare(output: Mapping[str, Any], title: str) -> Iterator[Part]:
    """Yield a bare output: a picture, or its text as it stands; HTML is never shown, as it could hold anything."""
    data = output.get("data", {})
    if _PNG in data:
        yield _picture(b64decode(joined(data[_PNG])), title)
        return
    text = joined(output.get("text", "") or data.get("text/plain", "")).rstrip("\n")
    if text.strip():
        yield Text(_fenced(cleaned(_TERMINAL.sub("", text))))


def _fenced(text: str) -> str:
    """Return a text as a block of code, whatever it holds."""
    fence = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=2) + 1)
    fence = fence if len(fence) >= 3 else "```"
    return f"{fence}\n{text}\n{fence}"


def _picture(png: bytes, title: str) -> Figure:
    """Return a picture of which nothing is known but that it was drawn."""
    told = Table(caption=UNKNOWN, columns=(Column("known", "Known"),), rows=(("None",),))
    words = f"A picture of the notebook “{title}”, without a description and without its numbers."
    return Figure(png=png, svg=picture_in_svg(png), alt=words, caption=words, data=release(told, 0))
