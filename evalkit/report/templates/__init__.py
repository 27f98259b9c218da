"""What documents are set in: page templates, styles, and the schema of results.json."""

from __future__ import annotations

from importlib.resources import files


def packaged(name: str) -> str:
    """Return the text of a file that comes with the kit."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
