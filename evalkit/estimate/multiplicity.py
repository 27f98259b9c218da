"""p-values of several outcomes, adjusted for how many there are."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.core.errors import DesignError


def holm_adjusted(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return each p-value adjusted so that the chance of any false rejection among them keeps its level.

    The k-th smallest of m becomes max over j ≤ k of min(1, (m − j + 1) p_j), whatever the dependence (Holm, 1979).
    Raises `DesignError` for a p-value outside 0 to 1.
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise DesignError("A p-value lies between 0 and 1, so these cannot be adjusted.")
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = largest
    return tuple(adjusted)
