"""The fewest people that may be told, by where the records come from: the one home of these numbers."""

from __future__ import annotations

import math
from decimal import Decimal
from numbers import Real
from operator import index
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from evalkit.core.arrays import Floats

FEWEST_PUBLISHED: Final = 6
"""Of tables that DfE has published: its performance tables suppress counts of 1 to 5 pupils."""

FEWEST_PEOPLE: Final = 10
"""Of records of people, whose counts nobody has published: what may leave a secure environment in the UK."""

FEWEST_DF: Final = 10
"""Residual degrees of freedom that a model of records of people has at least, where its coefficients may leave."""

DOMINANT: Final = (2, 0.9)
"""Of an amount made up by people or firms: as many of the largest may make up at most this share of it."""

WITHIN_PERCENT: Final = 10.0
"""Of such an amount: nobody may work out the largest part more closely than this, knowing his own (the p% rule)."""

CONTAINS_PEOPLE: Final = "One row for each person: this file must not leave a secure environment without being checked."
"""What a file that lists people says of itself, in its last column or key."""


def is_few(n: int, fewest: int = FEWEST_PEOPLE) -> bool:
    """Return whether there are some, and too few of them to be told; that there is nobody may be told."""
    return 0 < n < fewest


def few(fewest: int, of: str = "people") -> str:
    """Return why a number is not shown that rests on fewer people than may be told."""
    return f"Withheld: it rests on fewer than {fewest} {of}, or would let such a number be worked out."


def is_dominated(parts: Floats) -> bool:
    """Return whether a sum, or a weighted mean, of `parts`, shape (n_people,), would tell one of them closely.

    So it does where the largest two make up more than nine tenths of it (dominance), or where the second largest, who
    knows his own, could work out the largest to within a tenth of it (p% rule). Signs do not count: the sizes do.

    >>> import numpy as np
    >>> is_dominated(np.full(12, 5.0)), is_dominated(np.array([5.0] * 11 + [1000.0]))
    (False, True)
    """
    n, share = DOMINANT
    sizes = abs(parts)
    total = float(sizes.sum())
    if not total:
        return False
    sizes.sort()
    rest = float(sizes[:-n].sum())  # what the others add, summed by itself: a small rest of a large total stays exact
    return total - rest > share * total or rest < WITHIN_PERCENT / 100 * float(sizes[-1])


def whole(value: object) -> int | None:
    """Return a value as the whole number it is, of whatever type: int, numpy, 3.0, Decimal; None where it is none.

    A truth value is no count, and neither is a text that looks like one.
    """
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return None
    if value != value or abs(value) == math.inf:
        return None
    n = index(math.floor(value))
    return n if n == value else None
