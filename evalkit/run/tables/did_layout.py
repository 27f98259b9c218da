"""Lines and aligned tables on a terminal; reasons stand below a table, numbered."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from evalkit.core.formats import MINUS, decimals_for, number
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted

WIDTH = 100
_LARGEST = 1e15


@dataclass(slots=True)
class Footnotes:
    """Reasons in the order they are met, each with a number."""

    reasons: list[str] = field(default_factory=list)

    def mark(self, reason: str) -> str:
        """Return what stands in a table in the place of something that cannot be given."""
        if reason not in self.reasons:
            self.reasons.append(reason)
        return f"[{self.reasons.index(reason) + 1}]"

    def lines(self) -> Iterator[str]:
        """Yield the reasons as lines under a table."""
        for at, reason in enumerate(self.reasons, start=1):
            yield from wrapped(reason, f"  [{at}] ", "      ")


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes numbers with the decimals that suit the result's precision; with None in powers of ten."""

    decimals: int | None

    @classmethod
    def for_errors(cls, *sizes: object) -> Writer:
        """Return a writer with three significant digits of the first size that is a positive number."""
        return cls(decimals_for(*sizes))

    def cell(self, value: object, notes: Footnotes) -> str:
        """Return a number or an interval as a table shows it, or the mark of a reason."""
        if isinstance(value, Unavailable):
            return notes.mark(value.reason)
        if isinstance(value, Interval):
            return self.interval(value)
        return "" if value is None else self.number(float(value))  # type: ignore[arg-type]

    def number(self, value: float) -> str:
        """Return a number with a true minus sign."""
        if self.decimals is None or abs(value) >= _LARGEST:
            return f"{value:.3g}".replace("-", MINUS)
        return number(value, self.decimals)

    def interval(self, interval: Interval) -> str:
        """Return both ends of an interval."""
        return f"{self.number(interval.lower)} to {self.number(interval.upper)}"


def wrapped(text: str, first: str = "", later: str | None = None) -> Iterator[str]:
    """Yield the lines of a text, the first behind `first`."""
    indent = " " * len(first) if later is None else later
    for at, paragraph in enumerate(text.splitlines()):
        yield from textwrap.wrap(paragraph, WIDTH, initial_indent=indent if at else first, subsequent_indent=indent)


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], n_left: int = 1) -> Iterator[str]:
    """Yield a table's lines: the first `n_left` columns flush left, the others flush right."""
    table = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[at]) for row in table) for at in range(len(header))]
    for row in table:
        cells = [
            text.ljust(width) if at < n_left else text.rjust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  " + "  ".join(cells).rstrip()


def count_of(n: int | Unavailable, noun: str) -> str:
    """Return a count with its noun, or the reason that stands in the place of the count."""
    return (
        f"{n.reason} {noun}s"
        if isinstance(n, Unavailable) and n.reason.startswith("fewer")
        else (f"a withheld number of {noun}s" if isinstance(n, Unavailable) else counted(n, noun))
    )
