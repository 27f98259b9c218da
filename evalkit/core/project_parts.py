"""Parts of a project that stand by themselves: who answers for it, what it cost, families of outcomes, notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from evalkit.core.disclosure import FEWEST_PUBLISHED

CONFIG: Final = {"extra": "forbid", "use_attribute_docstrings": True, "str_strip_whitespace": True}
"""How the parts of a project file are read: no unknown keys, attribute docstrings as descriptions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A document that a statement in the project file rests on."""

    __pydantic_config__: ClassVar = CONFIG
    title: str
    """Title of the document, with its author and date where known."""
    url: str = ""
    """Where it can be read, if it is public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who answers for an evaluation."""

    __pydantic_config__: ClassVar = CONFIG
    name: str
    """Name, as it should stand on the report."""
    organisation: str = ""
    """Where the author works."""
    contact: str = ""
    """Address for questions, such as an email address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Outcomes whose effects are judged together: the chance of any false alarm among them keeps its level."""

    __pydantic_config__: ClassVar = CONFIG
    name: str
    """What the family is called in reports."""
    outcomes: tuple[str, ...]
    """Codes of its outcomes, at least two tests in all."""
    analyses: tuple[str, ...] = ()
    """Names of the analyses whose effects on them are judged together; the primary one where none is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What could defensibly have been chosen otherwise: every combination is estimated, and all are judged together."""

    __pydantic_config__: ClassVar = CONFIG
    vary: dict[str, tuple[Any, ...]]
    """From a choice to its options. A choice is a key of this file (`pool.neighbours`, `exposure.pre`), one of an
    analysis by its name (`matched.ratio`), or `comparison`, `sample` or `change` of the kind `areas`."""
    outcome: str | None = None
    """Outcome of the curve; the primary one where none is named."""
    analyses: tuple[str, ...] = ()
    """Analyses whose estimates are in it; the primary one where none is named."""
    impossible: tuple[dict[str, Any], ...] = ()
    """Combinations that make no sense, each as its choices and their options: they are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the programme cost its funder."""

    __pydantic_config__: ClassVar = CONFIG
    total_gbp: float
    """Total grant in pounds."""
    schools: int
    """Schools that the total was spent on."""
    source: str
    """Where the total is stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNotebook:
    """A notebook of the evaluator's own that becomes a chapter or an annex of the report."""

    __pydantic_config__: ClassVar = CONFIG
    file: str
    """Notebook beside the project file; it runs with the parameters of the kit's own."""
    title: str
    """Heading of its chapter."""
    after: str = ""
    """Notebook after which it stands, such as 2_staggered; at the end of the annexes where none is named."""
    unchecked: bool = False
    """Whether bare output that no disclosure control has seen is shown; the page says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What may leave the project."""

    __pydantic_config__: ClassVar = CONFIG
    threshold: int = FEWEST_PUBLISHED
    """Pupil counts below this are suppressed everywhere."""
