"""How numbers are written: half away from zero as DfE rounds, a true minus sign, en dashes in ranges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.sentence import Sentence

MINUS = "\u2212"
_MOST_DECIMALS = 10
_LARGEST: Final = 1e15


def rounded(value: float, decimals: int) -> Decimal:
    """Return a number rounded half away from zero, never as minus zero."""
    result = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return abs(result) if result == 0 else result


def number(value: float, decimals: int = 2) -> str:
    """Return a number for readers: `−1,234.50`."""
    return f"{rounded(value, decimals):,}".replace("-", MINUS)


def visible(value: float, decimals: int = 2) -> str:
    """Return a number with more decimals where rounding would turn it into zero, so that it and its sign are seen."""
    while value != 0 and rounded(value, decimals) == 0 and decimals < 6:
        decimals += 1
    return number(value, decimals)


def decimals_for(*sizes: object) -> int | None:
    """Return decimals that give three significant digits of the first size that is a positive number.

    4 where none is; None where that would take more than ten decimals.
    """
    known = [float(size) for size in sizes if isinstance(size, float) and size > 0]
    if not known:
        return 4
    decimals = max(2 - math.floor(math.log10(known[0])), 0)
    return decimals if decimals <= _MOST_DECIMALS else None


def in_powers(value: float) -> str:
    """Return a number with three significant digits, in powers of ten where it is very small or large: `3.2e−12`."""
    return f"{value:.3g}".replace("-", MINUS)


@dataclass(frozen=True, slots=True)
class Precision:
    """How finely the numbers of one result are written: with these decimals, in powers of ten where there are none.

    >>> Precision.of(0.0412).number(-1.23456), Precision.of(0.0).number(1.0)
    ('−1.2346', '1.0000')
    """

    decimals: int | None

    @classmethod
    def of(cls, *sizes: object) -> Precision:
        """Return the precision of three significant digits of the first size that is a positive number."""
        return cls(decimals_for(*sizes))

    def number(self, value: float) -> str:
        """Return a number with a true minus sign."""
        if self.decimals is None or abs(value) >= _LARGEST:
            return in_powers(value)
        return number(value, self.decimals)

    def interval(self, interval: Interval) -> str:
        """Return both ends of an interval."""
        return f"{self.number(interval.lower)} to {self.number(interval.upper)}"


def interval_text(interval: Interval) -> str:
    """Return both ends of an interval: `−0.02 to 1.86`."""
    return f"{visible(interval.lower)} to {visible(interval.upper)}"


def level_text(level: float) -> str:
    """Return the level of an interval as a percentage: `95%`."""
    return f"{rounded(level * 100, 1).normalize():f}%"


def p_text(p: float) -> str:
    """Return a p-value without its sign of equality: `0.047`, or `< 0.001`."""
    return "< 0.001" if 0 <= p < 0.0005 else number(p, 3)


def p_equals(p: float) -> str:
    """Return a p-value as prose gives it: `p = 0.047`, or `p < 0.001`."""
    text = p_text(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def count(n: int) -> str:
    """Return a count with commas between thousands."""
    return f"{n:,}"


def pounds(amount: float) -> str:
    """Return whole pounds: `£744,103`."""
    return "£" + number(amount, 0)


def years_text(years: Sequence[int]) -> str:
    """Return years in words where they run on: `2016 and 2017`, `2016 to 2018`, `2019`, `2016, 2018`."""
    ordered = sorted(years)
    if len(ordered) > 1 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{ordered[0]} {'and' if len(ordered) == 2 else 'to'} {ordered[-1]}"
    return ", ".join(map(str, ordered))


def mean_of(years: Sequence[int]) -> str:
    """Return years that are averaged, as they stand between `from` and `to`: `the 2016 and 2017 average`."""
    return years_text(years) if len(years) == 1 else f"the {years_text(years)} average"


def span_text(years: Sequence[int]) -> str:
    """Return the first and the last of several years: `2016 to 2017`, or the one year."""
    return f"{min(years)} to {max(years)}" if min(years) < max(years) else str(min(years))


def number_or_reason(quantity: float | Unavailable, decimals: int = 2) -> str:
    """Return a number, or the reason why there is none."""
    return quantity.reason if isinstance(quantity, Unavailable) else visible(quantity, decimals)


def as_sentence(text: str) -> str:
    """Return text with a capital at the start and a full stop at the end; typed numbers in it stay typed."""
    if isinstance(text, Sentence):
        end = "" if text.endswith((".", "!", "?")) else "."
        return Sentence(text.template[:1].upper() + text.template[1:] + end, **text.cells)
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


_NAMES: Final = ("Progress 8", "Attainment 8")
"""Measures whose names keep their capital within a sentence."""


def lower_first(text: str) -> str:
    """Return text with a small first letter, unless it begins with an acronym or the name of a measure.

    >>> lower_first("Only 3 areas"), lower_first("GPS score"), lower_first("Progress 8")
    ('only 3 areas', 'GPS score', 'Progress 8')
    """
    word = text.split(" ", 1)[0]
    is_name = (len(word) > 1 and word[1:] != word[1:].lower()) or text.startswith(_NAMES)
    return text if is_name else text[:1].lower() + text[1:]
