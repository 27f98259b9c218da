"""What nouns have in common: in a notebook they show themselves, elsewhere they say in a line what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Viewer = Callable[[object], str | None]
"""Turns a noun into HTML, or into None where it knows no way to show it."""
Noun = TypeVar("Noun", covariant=True)

_viewers: list[Viewer] = []


def set_viewer(viewer: Viewer | None) -> None:
    """Let nouns be shown by `viewer`; with None they say what they are in text alone."""
    _viewers[:] = [] if viewer is None else [viewer]


class Shown:
    """A noun that a notebook shows as the tables of the report, and whose text is one line without data.

    How it looks is not for the noun to know: a room above fills in the viewer.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        from evalkit.core.brief import brief

        return brief(self)

    def _repr_html_(self) -> str | None:
        return _viewers[0](self) if _viewers else None


class Several(Shown, tuple[Noun, ...]):
    """A tuple of nouns of one kind that a notebook shows as one table."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "()"
