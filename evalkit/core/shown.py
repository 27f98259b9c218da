"""What nouns have in common: in a notebook they show themselves, elsewhere they say in a line what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from typing import Any, Final, TypeVar

from evalkit.core.quantities import Estimate, Interval, Unavailable

# One line that says what a noun is: numbers, words and settings, never rows, ids or counts.

LONGEST: Final = 240
"""Characters of the line, beyond which fields are left out."""
_CLIP: Final = 70
_MOST_NAMES: Final = 6
_SETTINGS: Final = ("periods", "cohorts", "covariates", "years", "times")
"""Fields of several values that describe a noun and hold no data."""
_KINDS: Final = ("option",)
"""Fields whose class is what a reader wants to know."""


def brief(noun: Any) -> str:
    """Return a noun's class with those of its fields that are said in a few words, `…` where there are others.

    Left out are arrays, tables, lists of ids, and counts (names that begin with `n_`): they may be of few people.
    """
    shown_fields, is_shortened, length = [], False, 0
    for field in fields(noun):
        words = _words(field.name, getattr(noun, field.name)) if field.repr else ""
        length += len(field.name) + len(words) + 3
        if words and length <= LONGEST:
            shown_fields.append(f"{field.name}={words}")
        else:
            is_shortened = True
    return f"{type(noun).__name__}({', '.join([*shown_fields, *(['…'] if is_shortened else [])])})"


def _words(name: str, value: object) -> str:
    if name.startswith("n_"):
        return ""
    if name in _SETTINGS:
        return _listed(value)
    if name in _KINDS:
        return type(value).__name__
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, str):
        return repr(value if len(value) <= _CLIP else value[: _CLIP - 1] + "…")
    if isinstance(value, bool | int):
        return str(value)
    return _number(value)


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Unavailable):
        return "unavailable"
    if isinstance(value, Interval):
        return f"{value.lower:.4g} to {value.upper:.4g}"
    if isinstance(value, Estimate):
        error = "unavailable" if isinstance(value.std_error, Unavailable) else f"{value.std_error:.4g}"
        return f"{value.value:.4g} (std_error {error})"
    return str(getattr(value, "slug", ""))


def _listed(value: object) -> str:
    """Return names, or the first and last of many numbers."""
    if not isinstance(value, tuple) or not value:
        return ""
    if len(value) <= _MOST_NAMES:
        return f"({', '.join(map(str, value))})"
    return f"({value[0]}, …, {value[-1]})"


# What nouns have in common: in a notebook they show themselves, elsewhere they say in a line what they are.

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

        return brief(self)

    def _repr_html_(self) -> str | None:
        return _viewers[0](self) if _viewers else None


class Several(Shown, tuple[Noun, ...]):
    """A tuple of nouns of one kind that a notebook shows as one table."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "()"
