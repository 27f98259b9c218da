"""Sentences that keep the numbers in them as numbers, so that the border can withhold one and leave the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from evalkit.core.disclosure import whole
from evalkit.core.errors import EvalkitError

Of = Literal["pupils", "people", "units", "schools", "areas", "clusters"]
"""What a number counts; `units` are whatever a table's rows are, and may be people."""
_MAY_BE_PEOPLE: Final = ("pupils", "people", "units")


@dataclass(frozen=True, slots=True)
class Count:
    """A number of people, schools or other units inside a sentence, with the noun that follows it.

    `among` is the whole that this is a part of, where a reader can see it: what is left of it must not be few either.
    """

    n: int
    of: Of = "units"
    noun: str = ""
    nouns: str = ""
    among: int | None = None

    def __post_init__(self) -> None:
        n = whole(self.n)
        if n is None or n < 0:
            raise EvalkitError(f"A count is a whole number from 0 on, not {self.n!r}.")
        object.__setattr__(self, "n", n)

    @property
    def may_be_people(self) -> bool:
        """Return whether this counts people, or what may be people."""
        return self.of in _MAY_BE_PEOPLE

    def is_told(self, fewest: int) -> bool:
        """Return whether it may be shown where counts of people from 1 to under `fewest` may not."""
        return not self.may_be_people or not (0 < self.n < fewest or 0 < (self.among or 0) - self.n < fewest)

    def words(self, fewest: int = 0) -> str:
        """Return the number with its noun, or what stands in its place."""
        nouns = self.nouns or (f"{self.noun}s" if self.noun else "")
        if self.is_told(fewest):
            return f"{self.n:,} {self.noun if self.n == 1 else nouns}".rstrip()
        if 0 < self.n < fewest:
            return f"fewer than {fewest} {nouns}".rstrip()
        return f"a withheld number{f' of {nouns}' if nouns else ''}"


@dataclass(frozen=True, slots=True)
class Derived:
    """A number already in words that rests on a count, such as a share of it: shown where that is."""

    text: str
    on: Count
    instead: str = "a withheld number"

    def is_told(self, fewest: int) -> bool:
        """Return whether the count it rests on may be shown."""
        return self.on.is_told(fewest)

    def words(self, fewest: int = 0) -> str:
        """Return the number, or what stands in its place."""
        return self.text if self.is_told(fewest) else self.instead


class Sentence(str):
    """A text with typed numbers: to Python the words in full, to the border a template and its cells.

    `Sentence("{lost} of {all} are left out.", lost=count(3, of="pupils"), all=count(40, of="pupils"))`. Cells are
    counts, what is derived of counts, other sentences, or texts that hold no count. Whatever changes the words
    (`+`, `format`) gives a plain text: the types are gone, and the border withholds what it cannot type.
    """

    template: str
    cells: dict[str, Count | Derived | str]

    def __new__(cls, template: str, **cells: Count | Derived | str) -> Sentence:
        made = super().__new__(cls, _filled(template, cells, 0))
        made.template, made.cells = template, cells
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (self.template, self.cells)

    def counting(self, of: Of) -> Sentence:
        """Return the same sentence where its `units` are known to be, say, schools."""

        def known(cell: Count | Derived | str) -> Count | Derived | str:
            if isinstance(cell, Count):
                return replace(cell, of=of) if cell.of == "units" else cell
            if isinstance(cell, Derived):
                return replace(cell, on=replace(cell.on, of=of)) if cell.on.of == "units" else cell
            return cell.counting(of) if isinstance(cell, Sentence) else cell

        return Sentence(self.template, **{name: known(cell) for name, cell in self.cells.items()})

    def is_told(self, fewest: int) -> bool:
        """Return whether every number in it may be shown."""
        return all(cell.is_told(fewest) for cell in self.cells.values() if isinstance(cell, Count | Derived | Sentence))

    def written(self, fewest: int) -> str:
        """Return the words, counts of people from 1 to under `fewest` and what would tell them withheld."""
        text = _filled(self.template, self.cells, fewest)
        return text[:1].upper() + text[1:] if self[:1].isupper() or self[:1].isdigit() else text


def count(n: int, of: Of = "units", noun: str = "", nouns: str = "", among: int | None = None) -> Count:
    """Return a number for a sentence: `count(3, of="pupils")`, with `noun` to follow it in the right number."""
    return Count(n, of, noun, nouns, among)


def named_people(names: str) -> Derived:
    """Return ids as a cell that no border for people lets through: each of them is one person."""
    return Derived(names, Count(1), "not named")


def joined(*sentences: str) -> Sentence:
    """Return sentences one after the other, their numbers still typed; empty ones are left out."""
    parts = {f"part_{at}": sentence for at, sentence in enumerate(sentences) if sentence}
    return Sentence(" ".join(f"{{{name}}}" for name in parts), **parts)


def _filled(template: str, cells: dict[str, Count | Derived | str], fewest: int) -> str:
    return template.format(**{name: _words(cell, fewest) for name, cell in cells.items()})


def _words(cell: Count | Derived | str, fewest: int) -> str:
    if isinstance(cell, Count | Derived):
        return cell.words(fewest)
    return cell.written(fewest) if isinstance(cell, Sentence) and fewest else str(cell)


def _remade(template: str, cells: dict[str, Count | Derived | str]) -> Sentence:
    return Sentence(template, **cells)
