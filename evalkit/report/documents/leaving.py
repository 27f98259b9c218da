"""The contents of a project's report as they may leave: what all tables, figures and sentences tell together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.quantities import Unavailable
from evalkit.report.border.disclosure import ReleasedTable, is_suppressed, suppressed
from evalkit.report.border.parts import Document, Figure, Heading, Part, Prose, Section
from evalkit.report.border.people import is_of_groups, of_people, sentence_of_people, tells_number, tied_to_counts
from evalkit.report.border.release import (
    Together,
    Withheld,
    counts_alone,
    counts_people,
    hidden_already,
    released_together,
)
from evalkit.report.border.table import Table
from evalkit.report.documents.contents import Contents
from evalkit.report.documents.own_notebooks import UNCHECKED, UNKNOWN

NO_FIGURE: Final = "A figure is withheld, as the numbers behind it are, or as its points may be people."
NO_TABLE: Final = "A table is withheld, as nobody can say what its numbers count."
NO_SENTENCE: Final = "A sentence is withheld, as it tells a number that is withheld."
NO_CHAPTER: Final = "This chapter is withheld, as it shows outputs that no disclosure control has seen."
NO_RESULTS: Final = "Numbers of people leave in tables alone, where each stands beside the people it rests on."


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A whole file, figure, table or chapter that does not leave, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Leaving:
    """Contents as they may leave, and what of them is withheld.

    `counted` are the tables with counts of people by name: what a later release is compared with.
    """

    contents: Contents
    withheld: tuple[Withheld, ...] = ()
    lost: tuple[Withheld, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    counted: Mapping[str, ReleasedTable] = field(default_factory=dict)


def contents_together(
    contents: Contents,
    fewest: int,
    previous: Sequence[Mapping[str, ReleasedTable]] = (),
    before: Sequence[tuple[ReleasedTable, ReleasedTable]] | None = None,
) -> Leaving:
    """Return contents in which no table, figure, sentence or result tells what another withholds.

    `previous` are the tables of earlier releases, with which differences are told too; `before`, where units are
    people, tables each with what it was before anything in it was withheld.
    """
    named = _named(contents)
    true = None if before is None else _true(named, before)
    together = released_together(named, fewest, previous, true)
    changed = {name for name, one in named.items() if one is not together.tables[name]}
    if not changed and true is None:
        return Leaving(contents=contents, lost=together.lost, counted=_counted(together.tables))
    numbers = _numbers_of(true or {name: one.table for name, one in named.items()}, together)
    made = _Replaced(named, together.tables, numbers, fewest, are_people=true is not None)
    return Leaving(
        contents=made.contents(contents),
        withheld=together.withheld,
        lost=together.lost,
        left_out=tuple(made.left_out),
        counted=_counted(together.tables),
    )


def contents_leaving(
    contents: Contents, *, are_people: bool, previous: Sequence[Mapping[str, ReleasedTable]] = ()
) -> Leaving:
    """Return contents as they may leave the place where they were made.

    Beside what is withheld in a run, chapters with unchecked outputs and figures of withheld numbers stay. Where the
    units of a project `are_people`, numbers leave beside counts of ten people or more, and sentences without numbers.
    """
    stripped = _Stripped(are_people)
    first = stripped.contents(contents)
    before = hidden_already(_named(first if are_people else contents))
    leaving = (
        contents_together(first, FEWEST_PEOPLE, previous, stripped.before)
        if are_people
        else contents_together(first, contents.threshold, previous)
    )
    withheld, last = [*before, *leaving.withheld], leaving.contents
    if are_people:
        named = _named(last)
        hardly_changed = any(one.why == "earlier release" for one in leaving.withheld)
        tied = {name: tied_to_counts(name, one, hardly_changed=hardly_changed) for name, one in named.items()}
        last = _Replaced(named, {name: one for name, (one, _) in tied.items()}, frozenset(), FEWEST_PEOPLE).contents(
            last
        )
        withheld += [one for _, found in tied.values() for one in found]
    figures = _WithoutFigures(are_people)
    return Leaving(
        contents=figures.contents(last),
        withheld=tuple(withheld),
        lost=leaving.lost,
        left_out=tuple(dict.fromkeys((*stripped.left_out, *leaving.left_out, *figures.left_out))),
        counted=leaving.counted,
    )


def _true(
    named: Mapping[str, ReleasedTable], before: Sequence[tuple[ReleasedTable, ReleasedTable]]
) -> dict[str, Table]:
    """Return each table as it was before anything in it was withheld."""
    return {name: next((was.table for made, was in before if made == one), one.table) for name, one in named.items()}


def _counted(tables: Mapping[str, ReleasedTable]) -> dict[str, ReleasedTable]:
    return {name: counts_alone(one) for name, one in tables.items() if counts_people(one.table)}


def _named(contents: Contents) -> dict[str, ReleasedTable]:
    """Return every table by its file, or where it has none by its caption; those behind figures too."""
    named = {f"tables/{name}.csv": table for name, table in contents.tables.items()}
    named |= {f"figures/{name}.csv": figure.data for name, figure in contents.figures.items()}
    for part in contents.document.parts:
        table = part.data if isinstance(part, Figure) else part
        if isinstance(table, ReleasedTable) and table not in named.values():
            caption = f"report: {table.table.caption}"
            named[caption if caption not in named else f"{caption} ({len(named)})"] = table
    return named


def _numbers_of(before: Mapping[str, Table], together: Together) -> frozenset[tuple[str, int]]:
    """Return the counts that are withheld in tables, and were not before, with the keys of their columns."""
    found = set[tuple[str, int]]()
    for name, table in before.items():
        after = together.tables[name].table
        for old, new in zip(table.rows, after.rows, strict=True):
            for column, was, now in zip(after.columns, old, new, strict=True):
                if column.kind == "pupil_count" and isinstance(was, int) and is_suppressed(now):
                    found.add((column.key, was))
    return frozenset(found)


# What goes through contents and changes what may not stay.


class _Pass:
    """One way through contents: each part is kept, changed or withheld."""

    def __init__(self) -> None:
        self.left_out: list[LeftOut] = []

    def contents(self, contents: Contents) -> Contents:
        """Return contents with every part, table and figure passed."""
        tables = {name: self.table(table) for name, table in contents.tables.items()}
        figures = {name: self.figure(figure) for name, figure in contents.figures.items()}
        self.left_out += [LeftOut(f"tables/{name}.csv", NO_TABLE) for name, one in tables.items() if one is None]
        self.left_out += [LeftOut(f"figures/{name}.png", NO_FIGURE) for name, one in figures.items() if one is None]
        return replace(
            contents,
            document=self.document(contents.document),
            tables={name: one for name, one in tables.items() if one is not None},
            figures={name: one for name, one in figures.items() if one is not None},
            results=self.results(contents.results),
        )

    def document(self, document: Document) -> Document:
        """Return a document with every part passed."""
        return replace(
            document,
            face=tuple(map(self.sentence, document.face)),
            sections=tuple(map(self.section, document.sections)),
            annexes=tuple(map(self.section, document.annexes)),
        )

    def section(self, section: Section) -> Section:
        """Return a section with every part passed."""
        return tuple(map(self.part, section))

    def part(self, part: Part) -> Part:
        """Return a part, or what is said in its place."""
        if isinstance(part, Prose):
            return replace(part, sentences=tuple(map(self.sentence, part.sentences)))
        if isinstance(part, ReleasedTable):
            return self.table(part) or self._left(f"Table: {part.table.caption}", NO_TABLE)
        if isinstance(part, Figure):
            return self.figure(part) or self._left(f"Figure: {part.caption}", NO_FIGURE)
        return part

    def _left(self, what: str, why: str) -> Prose:
        self.left_out.append(LeftOut(what, why))
        return Prose((why,))

    def sentence(self, sentence: str) -> str:
        """Return a sentence as it may leave."""
        return sentence

    def table(self, table: ReleasedTable) -> ReleasedTable | None:
        """Return a table as it may leave, None where it may not."""
        return table

    def figure(self, figure: Figure) -> Figure | None:
        """Return a figure as it may leave, None where it may not."""
        return figure

    def results(self, results: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the record of results as it may leave."""
        return results


class _Replaced(_Pass):
    """Tables in the place of others; what draws or tells a number that is withheld in them is withheld."""

    def __init__(
        self,
        before: Mapping[str, ReleasedTable],
        after: Mapping[str, ReleasedTable],
        numbers: frozenset[tuple[str, int]],
        fewest: int,
        *,
        are_people: bool = False,
    ) -> None:
        super().__init__()
        self._are_people = are_people
        self._fewest = fewest
        self._pairs = [(one, after[name]) for name, one in before.items()]
        self._numbers = numbers
        told_as = "|".join(re.escape(text) for _, n in numbers for text in dict.fromkeys((f"{n:,}", str(n))))
        self._mentions: Callable[[str], object] = (
            re.compile(rf"(?<![\d.,])(?:{told_as})(?![\d]|[.,]\d)").search if told_as else lambda text: None
        )

    def sentence(self, sentence: str) -> str:
        is_about = self._are_people or "pupil" in sentence.lower() or "people" in sentence.lower()
        return NO_SENTENCE if is_about and self._mentions(sentence) else sentence

    def table(self, table: ReleasedTable) -> ReleasedTable | None:
        made = next((after for before, after in self._pairs if before is table or before == table), table)
        inside = made.table
        kept = replace(inside, notes=self._kept(inside.notes), above=self._kept(inside.above))
        return made if kept == inside else ReleasedTable(kept, made.threshold)

    def _kept(self, notes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(note for note in notes if self.sentence(note) == note)

    def figure(self, figure: Figure) -> Figure | None:
        data = self.table(figure.data)
        if data is None or _n_hidden(data.table) > _n_hidden(figure.data.table):
            return None
        return figure if data is figure.data else replace(figure, data=data)

    def results(self, results: Mapping[str, Any]) -> Mapping[str, Any]:
        made: Mapping[str, Any] = self._without(results, "") if self._numbers else results
        return made

    def _without(self, value: Any, key: str) -> Any:
        if isinstance(value, Mapping):
            return {name: self._without(item, name) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._without(item, key) for item in value]
        is_withheld = isinstance(value, int) and (key, value) in self._numbers
        return {"unavailable": suppressed(self._fewest).reason} if is_withheld else value


def _n_hidden(table: Table) -> int:
    return sum(is_suppressed(cell) for row in table.rows for cell in row)


class _Stripped(_Pass):
    """Without chapters that nobody has checked; of people, tables as those of people, and sentences without numbers."""

    def __init__(self, are_people: bool) -> None:
        super().__init__()
        self._are_people = are_people
        self.before: list[tuple[ReleasedTable, ReleasedTable]] = []

    def section(self, section: Section) -> Section:
        is_unchecked = any(isinstance(part, Prose) and UNCHECKED in part.sentences for part in section)
        if not is_unchecked:
            return super().section(section)
        title = next((part for part in section if isinstance(part, Heading)), Heading(1, "A chapter"))
        self.left_out.append(LeftOut(f"Chapter “{title.text}”", NO_CHAPTER))
        return (title, Prose((NO_CHAPTER,)))

    def sentence(self, sentence: str) -> str:
        return sentence_of_people(sentence) if self._are_people else sentence

    def table(self, table: ReleasedTable) -> ReleasedTable | None:
        if not self._are_people:
            return table
        made = of_people(table)
        self.before += [(made, table)] if made is not None else []
        return made

    def figure(self, figure: Figure) -> Figure | None:
        data = self.table(figure.data)
        if data is None:
            return None
        alt = figure.caption if self._are_people and tells_number(figure.alt) else figure.alt
        return replace(figure, data=data, alt=alt)

    def results(self, results: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self._are_people:
            return results
        self.left_out.append(LeftOut("results.json", NO_RESULTS))
        return {}


class _WithoutFigures(_Pass):
    """Without figures of withheld numbers, of unknown ones, and of people."""

    def __init__(self, are_people: bool) -> None:
        super().__init__()
        self._are_people = are_people

    def figure(self, figure: Figure) -> Figure | None:
        data = figure.data.table
        is_hidden = any(
            is_suppressed(cell) or (self._are_people and _is_tied(cell)) for row in data.rows for cell in row
        )
        is_of_some = self._are_people and not is_of_groups(data)
        return None if is_hidden or is_of_some or data.caption == UNKNOWN else figure


def _is_tied(cell: object) -> bool:
    return isinstance(cell, Unavailable) and cell.reason.startswith("Withheld")
