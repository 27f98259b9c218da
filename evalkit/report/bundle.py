"""What a notebook keeps of a noun it shows: the page, plain text, and the record the noun is read back from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evalkit.report.notebook_style import in_notebook

PART_MIME: Final = "application/vnd.evalkit.part+json"
"""Type of the record. It serves the documents made beside a notebook and is left out where a notebook is released."""


def bundle(html: str, text: str, record: Mapping[str, object]) -> dict[str, object]:
    """Return what `_repr_mimebundle_` of a noun answers."""
    return {"text/html": in_notebook(html), "text/plain": text, PART_MIME: dict(record)}
