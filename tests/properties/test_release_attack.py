"""Over random tables with margins: a solver of its own places no suppressed cell within its protection interval."""

import numpy as np
import pytest
from scipy.optimize import linprog

from evalkit.report.border.suppression_arrays import counts, suppressed
from tests.margins import with_margins


def attack(cells, sums, hidden):
    """Return the least and largest value of each hidden cell, by linear programming over what is shown."""
    at = np.flatnonzero(hidden)
    known = -sums[:, ~hidden] @ cells[~hidden]
    ends = []
    for place in range(len(at)):
        wanted = np.eye(len(at))[place]
        low, high = (linprog(side * wanted, A_eq=sums[:, at], b_eq=known, bounds=(0, None)) for side in (1, -1))
        ends.append((low.fun, np.inf if high.status == 3 else -high.fun))
    return at, np.array(ends).reshape(-1, 2)


def check(seed, fewest, most_rows, most_columns):
    random = np.random.default_rng(seed)
    shape = random.integers(2, most_rows + 1), random.integers(2, most_columns + 1)
    cells, sums = with_margins(random.integers(0, random.choice([8, 15, 40, 200]), size=shape))
    truth = cells.ravel()
    primary = truth < fewest
    found = suppressed(counts(sums, np.where(primary, np.nan, truth)), fewest)
    assert not found.is_lost.any()
    assert found.hidden[primary].all()
    at, ends = attack(truth, sums, found.hidden)
    for cell, (low, high) in zip(at, ends, strict=True):
        assert low <= truth[cell] + 1e-6
        assert high >= truth[cell] - 1e-6
        assert high - low > fewest - 1e-6, (seed, cells, found.hidden)
        assert high > fewest - 1e-6, (seed, cells, found.hidden)


@pytest.mark.parametrize("fewest", [6, 10])
def test_no_cell_of_sixty_tables_is_recovered(fewest):
    for seed in range(30):
        check([seed, fewest], fewest, 3, 3)


@pytest.mark.slow
@pytest.mark.parametrize("fewest", [6, 10])
def test_no_cell_of_a_thousand_tables_is_recovered(fewest):
    for seed in range(500):
        check([seed, fewest, 1], fewest, 5, 5)
