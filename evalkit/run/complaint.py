"""What is wrong with a project file, and where."""

from __future__ import annotations

from dataclasses import dataclass

Place = tuple[str | int, ...]
"""Keys and list positions that lead to a value."""


def where(place: Place) -> str:
    """Return a place as messages call it: `programme.sources[1].title`."""
    return "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong at a place; `is_design` where the comparison, not the writing, is at fault."""

    place: Place
    text: str
    is_design: bool = False
