"""Who may be paired with whom, as arrays: codes that must be equal, codes that must differ, and calipers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Restrictions:
    """What partners must have in common.

    Attributes
    ----------
    exact : shape (n_units,), codes that partners share
    anti_exact : each of shape (n_units,), codes in which partners differ
    values : each of shape (n_units,), numbers in which partners differ by at most `widths`
    widths : one for each of `values`
    """

    exact: Ints
    anti_exact: tuple[Ints, ...] = ()
    values: tuple[Floats, ...] = ()
    widths: tuple[float, ...] = ()

    @property
    def is_by_code_alone(self) -> bool:
        """Return whether nothing but the exact code decides."""
        return not self.anti_exact and not self.values

    def allow(self, left: Ints, right: Ints) -> Bools:
        """Return which pairs are allowed; positions of units on both sides, which broadcast."""
        allowed: Bools = self.exact[left] == self.exact[right]
        for code in self.anti_exact:
            allowed = allowed & (code[left] != code[right])
        for value, width in zip(self.values, self.widths, strict=True):
            allowed = allowed & (np.abs(value[left] - value[right]) <= width)
        return allowed
