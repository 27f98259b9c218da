"""What nouns have in common: they show themselves, say in a line what they are, and give tables and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from typing import Any, Final, Protocol, TypeVar

from evalkit.core.quantities import Estimate, Interval, Unavailable
from evalkit.core.viewer import bundled, viewed, viewer

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


# What nouns have in common: a notebook shows them, and they give their tables, figures and coefficients.

Noun = TypeVar("Noun", covariant=True)


class Shown:
    """A noun that a notebook shows as the tables of the report, and whose text is one line without data.

    How it looks is not for the noun to know: a room above fills in the viewer.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return brief(self)

    def _repr_html_(self) -> str | None:
        return viewed(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object] | None:
        return bundled(self)

    def to_frame(self, table: str = "") -> Any:
        """Return one of the noun's tables as a pandas DataFrame, numbers in full; the main one where none is named.

        It is the table that a report shows, after disclosure control. What is not given is missing, and the last
        column, `reason`, says why; an interval is two columns. `attrs` hold the table's caption and notes.
        """
        return viewer().frame(self, table)

    def plot(self, figure: str = "") -> Any:
        """Return one of the noun's figures, which a notebook shows; the main one where none is named.

        It is the figure that a report shows: `png` and `svg` are its files, `alt` its words, `data` its numbers.
        """
        return viewer().figure(self, figure)


class Several(Shown, tuple[Noun, ...]):
    """A tuple of nouns of one kind that a notebook shows as one table."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "()"


# Results beside the models of other packages, by the attributes that maketables looks for (it is not needed here).


class ModelTable(Protocol):
    """The coefficients of a result and what stands under them in a table of models."""

    @property
    def coefficients(self) -> Any:
        """Return a frame: one row a coefficient, with columns `b`, `se`, `t`, `p` and the ends of the interval."""

    @property
    def statistics(self) -> Mapping[str, int | str]:
        """Return what stands under the coefficients, by key; nothing where it may not be told."""

    @property
    def labels(self) -> dict[str, str]:
        """Return the words for each coefficient."""


_STATISTICS: Final = ("N", "Units", "Projects", "se_type", "Not given")
"""What stands under coefficients, in order: the keys of maketables, and words where it has no key of its own."""


class ShownModel(Shown):
    """A noun with coefficients, which maketables sets in a table beside those of other packages."""

    __slots__ = ()

    @property
    def __maketables_coef_table__(self) -> Any:
        return viewer().model(self).coefficients

    @property
    def __maketables_depvar__(self) -> str:
        return "Outcome"

    @property
    def __maketables_var_labels__(self) -> dict[str, str]:
        return viewer().model(self).labels

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        return [key for key in _STATISTICS if key in viewer().model(self).statistics]

    def __maketables_stat__(self, key: str) -> int | str | None:
        return viewer().model(self).statistics.get(key)
