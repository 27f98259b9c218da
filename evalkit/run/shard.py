"""A part of the projects for each of several machines or jobs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from evalkit.core.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`-th of `of` parts, counted from 1."""

    number: int = 1
    of: int = 1

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Return the part that a text such as `2/5` names; raise `InputError` for another text."""
        found = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", text)
        if found is None:
            raise InputError(f"'{text}' is no part of the projects. Write which part of how many, such as 2/5.")
        number, of = int(found[1]), int(found[2])
        if of == 0 or not 1 <= number <= of:
            many = f"Parts are counted from 1 to {of}" if of else "There must be at least one part"
            raise InputError(f"There is no part {text.strip()}. {many}: write 1/4 for the first of four.")
        return cls(number, of)

    def take(self, things: Sequence[T]) -> list[T]:
        """Return every `of`-th thing, from the `number`-th on; the parts together hold each thing once."""
        return list(things[self.number - 1 :: self.of])
