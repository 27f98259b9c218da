"""Tables with margins and their sums, for tests of what can be worked out of them."""

import numpy as np


def with_margins(inner):
    """Return a table with its row totals, column totals and total, and its sums over the cells in order."""
    cells = np.block([[inner, inner.sum(1, keepdims=True)], [inner.sum(0, keepdims=True), inner.sum().reshape(1, 1)]])
    places = np.arange(cells.size).reshape(cells.shape)
    lines = [*places, *places.T]
    sums = np.zeros((len(lines), cells.size))
    for at, line in enumerate(lines):
        sums[at, line[:-1]] = 1
        sums[at, line[-1]] = -1
    return cells.astype(float), sums
