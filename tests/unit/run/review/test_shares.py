"""A difference shared out among blocks: sums, order, and blocks that cannot go one without the other."""

from itertools import permutations

import numpy as np
import pytest

from evalkit.run.review.shares import MOST_CROSSED, crossings, merged, parts

A, B, C = "sample", "comparison", "method"


def test_shapley_shares_by_hand():
    """Three blocks; v in hundredths. Orders of (s, c, m) and what s adds when its turn comes:

    s first (2 orders of 6): v(s) − v() = 4 − 0 = 4; after c: v(sc) − v(c) = 9 − 2 = 7; after m: v(sm) − v(m) =
    5 − 3 = 2; last (2 orders): v(scm) − v(cm) = 12 − 6 = 6. Share: (2·4 + 7 + 2 + 2·6)/6 = 29/6.
    c: (2·2 + (9 − 4) + (6 − 3) + 2·(12 − 5))/6 = (4 + 5 + 3 + 14)/6 = 26/6.
    m: (2·3 + (5 − 4) + (6 − 2) + 2·(12 − 9))/6 = (6 + 1 + 4 + 6)/6 = 17/6.  Together 72/6 = 12 = v(scm) − v().
    """
    v = {"": 0.0, "s": 4.0, "c": 2.0, "m": 3.0, "sc": 9.0, "sm": 5.0, "cm": 6.0, "scm": 12.0}
    found = parts({frozenset(one): value for one, value in v.items()}, ("s", "c", "m"))
    assert {name: part.share for name, part in found.items()} == pytest.approx({"s": 29 / 6, "c": 26 / 6, "m": 17 / 6})
    assert (found["s"].first_in, found["s"].last_in) == (4.0, 6.0)
    assert not any(part.depends_on_order for part in found.values())


@pytest.mark.parametrize("k", range(1, 8))
def test_shares_sum_to_the_difference(k):
    rng, blocks = np.random.default_rng(k), tuple("abcdefg"[:k])
    values = {one: float(rng.normal()) for one in crossings(blocks)}
    found = parts(values, blocks)
    whole = values[frozenset(blocks)] - values[frozenset()]
    assert sum(part.share for part in found.values()) == pytest.approx(whole)


def test_shares_are_the_mean_over_every_order():
    rng, blocks = np.random.default_rng(4), tuple("abcd")
    values = {one: float(rng.normal()) for one in crossings(blocks)}
    turns = [values[frozenset((*before, "c"))] - values[frozenset(before)] for before in _before("c", blocks)]
    assert parts(values, blocks)["c"].share == pytest.approx(np.mean(turns))


def _before(block, blocks):
    return [order[: order.index(block)] for order in permutations(blocks)]


def test_the_order_in_which_blocks_are_named_changes_nothing_up_to_four():
    rng, blocks = np.random.default_rng(5), tuple("abcd")
    values = {one: float(rng.normal()) for one in crossings(blocks)}
    assert parts(values, blocks[::-1])["b"].share == pytest.approx(parts(values, blocks)["b"].share)


def test_more_than_four_blocks_are_run_in_one_order_and_its_reverse():
    blocks = tuple("abcde")
    assert len(crossings(blocks[:MOST_CROSSED])) == 16
    assert len(crossings(blocks)) == 2 * len(blocks)
    values = {one: float(len(one)) for one in crossings(blocks)}
    assert all(part.share == 1.0 and not part.depends_on_order for part in parts(values, blocks).values())
    # with `a` before all others the first step is 1, and after them 2: they differ by 1 of 6, more than a tenth
    values |= {one: len(one) + 1.0 for one in values if "a" in one and len(one) == 5}
    assert [name for name, part in parts(values, blocks).items() if part.depends_on_order] == ["a", "e"]


def test_blocks_that_cannot_go_one_without_the_other_go_together():
    blocks = [frozenset({one}) for one in (A, B, C)]
    failed = [one for one in crossings((A, B, C)) if (A in one) != (C in one)]
    assert merged(blocks, failed) == [frozenset({A, C}), frozenset({B})]
    assert merged(blocks, []) == blocks


def test_where_every_crossing_fails_all_blocks_go_together():
    blocks = [frozenset({one}) for one in (A, B, C)]
    failed = [one for one in crossings((A, B, C)) if 0 < len(one) < 3]
    assert merged(blocks, failed) == [frozenset({A, B, C})]
