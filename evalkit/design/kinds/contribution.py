"""A theory of change as a project file states it: nodes, links with their evidence and rivals, and a status matrix."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from evalkit.core.project_parts import CONFIG
from evalkit.core.shown import Shown
from evalkit.core.words import listed

NodeType = Literal["input", "activity", "partner", "output", "outcome", "assumption", "context"]
Test = Literal["straw in the wind", "hoop", "smoking gun", "doubly decisive"]
Independence = Literal["programme", "commissioned", "independent"]
Status = Literal["not begun", "under way", "done", "abandoned", "not known"]
STARTS: Final = ("input", "activity", "partner")
"""Types of nodes at which a chain of the programme may begin."""
RUBRIC: Final[Mapping[str, str]] = {
    "straw in the wind": "passing lends a little support, failing takes a little away; neither decides",
    "hoop": "the link must pass to stay in question: failing eliminates it, passing does not confirm it",
    "smoking gun": "passing confirms the link, failing does not eliminate it",
    "doubly decisive": "passing confirms the link and eliminates its rivals, failing eliminates it",
    "programme": "said by those who run, deliver or fund the programme, or who took part as its partners",
    "commissioned": "found by others, whom the programme paid or chose",
    "independent": "found by others, whom the programme neither paid nor chose",
}
"""What a strength of evidence (Van Evera 1997, pp. 31-32; Collier 2011, Table 1) and an independence mean."""
Fault = tuple[tuple[str | int, ...], str]
"""A place in the analysis and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One thing of the theory of change."""

    __pydantic_config__: ClassVar = CONFIG
    id: str
    """A short name by which links call it."""
    type: NodeType
    """What it is in the theory."""
    label: str
    """What readers see, at most 60 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Something observed that bears on a link."""

    __pydantic_config__: ClassVar = CONFIG
    says: str
    """What was observed, in a sentence."""
    source: str
    """Document with its page, or data with their year."""
    date: str = ""
    """When it was observed or written: 2009, 2009-03 or 2009-03-31."""
    direction: Literal["supports", "contradicts", "neutral"]
    """Whether the link passed the test (supports), failed it (contradicts), or neither."""
    test: Test
    """Its strength: what passing or failing such a test would mean for the link."""
    independence: Independence
    """Who found it: the programme, others it commissioned, or others independent of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another explanation of what a link explains."""

    __pydantic_config__: ClassVar = CONFIG
    name: str
    """The other explanation, in a phrase."""
    test: str
    """What would be seen if it were the explanation."""
    outcome: Literal["not tested", "excluded", "not excluded"] = "not tested"
    """What came out of the test."""
    source: str = ""
    """Where that is shown; needed once it was tested."""
    independence: Independence = "programme"
    """Who tested it: a rival that the programme alone excludes is not excluded."""

    @property
    def is_excluded(self) -> bool:
        """Return whether somebody other than the programme has excluded it."""
        return self.outcome == "excluded" and self.independence != "programme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A step of the theory: the first node is thought to contribute to the second."""

    __pydantic_config__: ClassVar = CONFIG
    between: tuple[str, str]
    """Two nodes by their ids, the earlier one first."""
    feedback: bool = False
    """Whether it leads back to an earlier node; such a link is drawn, and no chain goes through it."""
    evidence: tuple[Evidence, ...] = ()
    """What was observed that bears on it."""
    rivals: tuple[Rival, ...] = ()
    """Other explanations, each with its test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCell:
    """What became of an objective with a partner."""

    __pydantic_config__: ClassVar = CONFIG
    objective: str
    """A node of the type output or outcome, by its id."""
    partner: str
    """A node of the type partner, by its id."""
    status: Status
    """How far it had come."""
    source: str
    """Where that is stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContributionOptions:
    """What an analysis of the kind `contribution` says: the theory, the evidence and the matrix."""

    __pydantic_config__: ClassVar = CONFIG
    nodes: tuple[Node, ...] = ()
    """The nodes of the theory of change."""
    links: tuple[Link, ...] = ()
    """Its links, each with evidence and rival explanations."""
    matrix: tuple[StatusCell, ...] = ()
    """Objectives by partners with their status; may be left out."""

    def label(self, node: str) -> str:
        """Return what readers see of a node."""
        return next(one.label for one in self.nodes if one.id == node)

    def of_type(self, *types: NodeType) -> tuple[Node, ...]:
        """Return the nodes of some types, in the order of the file."""
        return tuple(one for one in self.nodes if one.type in types)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ContributionPlan(Shown):
    """The theory before its evidence: nodes, links, and the test of each rival explanation."""

    options: ContributionOptions

    def __repr__(self) -> str:
        return f"A theory of change of {len(self.options.nodes)} nodes and {len(self.options.links)} links"

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data: no evidence, and nothing that came out of a test."""
        return {
            "nodes": [f"{one.type} {one.id}: {one.label}" for one in self.options.nodes],
            "links": [
                f"{' → '.join(one.between)}{' (feedback)' if one.feedback else ''}" for one in self.options.links
            ],
            "rivals": [
                f"{' → '.join(link.between)}: {one.name}; seen if so: {one.test}"
                for link in self.options.links
                for one in link.rivals
            ],
        }


# What can be wrong with a theory.


def theory_faults(options: ContributionOptions) -> Iterator[Fault]:
    """Yield everything that is wrong with a theory of change, with its place: ids, links, cycles, sources, lengths.

    >>> [text for _, text in theory_faults(ContributionOptions())]
    ['name the nodes of the theory of change', 'name the links of the theory of change']
    """
    for key in ("nodes", "links"):
        if not getattr(options, key):
            yield (key,), f"name the {key} of the theory of change"
    yield from _node_faults(options)
    yield from _link_faults(options)
    yield from _cycle(options)
    yield from _matrix_faults(options)
    yield from _text_faults(options)


def _node_faults(options: ContributionOptions) -> Iterator[Fault]:
    times = Counter(one.id for one in options.nodes)
    for at, one in enumerate(options.nodes):
        if times[one.id] > 1:
            yield ("nodes", at, "id"), f"the id '{one.id}' stands {times[one.id]} times; give each node its own"


def _link_faults(options: ContributionOptions) -> Iterator[Fault]:
    known = [one.id for one in options.nodes]
    times = Counter(one.between for one in options.links)
    for at, link in enumerate(options.links):
        for end in link.between:
            if end not in known:
                yield ("links", at, "between"), f"there is no node '{end}'; the nodes are {listed(known, 12)}"
        if link.between[0] == link.between[1]:
            yield ("links", at, "between"), f"the link goes from '{link.between[0]}' to itself"
        if times[link.between] > 1:
            yield ("links", at, "between"), "this link stands twice; put all its evidence under one"
        yield from _source_faults(at, link)


def _source_faults(at: int, link: Link) -> Iterator[Fault]:
    for i, item in enumerate(link.evidence):
        place = ("links", at, "evidence", i)
        if not item.source:
            yield (*place, "source"), "evidence without a source has no strength; say where it stands"
        if item.date and not re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?", item.date):
            yield (*place, "date"), f"expected 2009, 2009-03 or 2009-03-31, found '{item.date}'"
    for i, rival in enumerate(link.rivals):
        if rival.outcome != "not tested" and not rival.source:
            yield ("links", at, "rivals", i, "source"), "a rival that was tested needs the source of what came out"


def _cycle(options: ContributionOptions) -> Iterator[Fault]:
    """Yield a fault for every link that stands on a cycle of links not marked as feedback."""
    forward = [one.between for one in options.links if not one.feedback]
    reach = {first: {b for a, b in forward if a == first} for first, _ in forward}
    for _ in reach:
        reach = {a: ends.union(*(reach.get(b, set()) for b in ends)) for a, ends in reach.items()}
    for at, link in enumerate(options.links):
        first, second = link.between
        if not link.feedback and first != second and first in reach.get(second, set()):
            yield (
                ("links", at, "between"),
                f"'{first}' and '{second}' stand on a cycle; mark the link that leads back with feedback: true",
            )


def _matrix_faults(options: ContributionOptions) -> Iterator[Fault]:
    types = {one.id: one.type for one in options.nodes}
    times = Counter((cell.objective, cell.partner) for cell in options.matrix)
    for at, cell in enumerate(options.matrix):
        if types.get(cell.objective) not in ("output", "outcome"):
            yield ("matrix", at, "objective"), f"'{cell.objective}' is no node of the type output or outcome"
        if types.get(cell.partner) != "partner":
            yield ("matrix", at, "partner"), f"'{cell.partner}' is no node of the type partner"
        if times[cell.objective, cell.partner] > 1:
            yield ("matrix", at), f"the status of '{cell.objective}' with '{cell.partner}' stands twice"
        if not cell.source:
            yield ("matrix", at, "source"), "a status needs the source in which it stands"


_MOST: Final = {"id": 30, "label": 60, "name": 100, "source": 300, "says": 600, "test": 300}
_LONGEST_WORD: Final = 60


def _text_faults(options: ContributionOptions) -> Iterator[Fault]:
    parts: list[tuple[tuple[str | int, ...], object]] = [(("nodes", i), one) for i, one in enumerate(options.nodes)]
    parts += [(("matrix", i), one) for i, one in enumerate(options.matrix)]
    for i, link in enumerate(options.links):
        parts += [(("links", i, "evidence", j), one) for j, one in enumerate(link.evidence)]
        parts += [(("links", i, "rivals", j), one) for j, one in enumerate(link.rivals)]
    for place, part in parts:
        for key, most in _MOST.items():
            text = getattr(part, key, "")
            if len(text) > most:
                yield (*place, key), f"the text has {len(text):,} characters, and a report holds {most} there"
            if any(len(word) > _LONGEST_WORD and "://" not in word for word in text.split()):
                yield (*place, key), f"a word has more than {_LONGEST_WORD} characters without a blank. Part it"
            if not text and key in ("id", "label", "name", "says") and hasattr(part, key):
                yield (*place, key), "this text is empty"
