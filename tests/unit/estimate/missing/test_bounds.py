"""Bounds of cells of staggered starts, of people in sets of schools, and their errors: hand cases and oracles."""

import numpy as np
import pytest

from evalkit.core.draws import stream
from evalkit.core.quantities import Interval, Unavailable
from evalkit.estimate.areas.set_draws import Sets
from evalkit.estimate.missing.area_bounds import BoundsOfSets, bounds_by_jackknife
from evalkit.estimate.missing.lee_arrays import LeeBounds, lee_bounds, lee_bounds_against
from evalkit.estimate.missing.staggered_bounds import StaggeredBounds
from evalkit.estimate.pupils.school_values_arrays import changes_of_means, school_changes
from evalkit.estimate.staggered.relabelled_arrays import PlannedCell, RelabelledPanel

NAN = np.nan


def panel(outcome, *, starts=(1,), compared=((1,),), cells=None, treated=2):
    """A panel of periods 0, 1, … of which the first units are treated, the others each alone in an area."""
    outcome = np.array(outcome, dtype=float)
    n, periods = outcome.shape
    is_pool = np.arange(n) >= treated
    chosen = cells or tuple(PlannedCell(0, t, 0, compared[0]) for t in range(1, periods))
    return RelabelledPanel(
        outcome=outcome,
        weight=np.where(np.isnan(outcome), NAN, 1.0),
        periods=np.arange(periods),
        cohorts=np.array(starts),
        cells=chosen,
        anticipation=0,
        is_open=False,
        area=np.where(is_pool, np.arange(n) + 10, 1),
        is_pool=is_pool,
    )


OUTCOME = [[0, 5, 6], [0, 3, NAN], [0, 1, 2], [0, 2, NAN], [0, NAN, NAN], [0, 3, 5]]
OWN = Sets(members=np.array([[0, 1]]), place=np.zeros(2, dtype=int), areas=np.array([[1]]), start=np.array([1.0, 1.0]))


def test_cells_are_cut_one_by_one_and_averaged_as_the_effect_is():
    # year 1: treated changes 5 and 3, all seen; compared 1, 2, 3 of four, so that a quarter of the treated is cut:
    #   lowest (3 + 5/2)/1.5 = 11/3, highest (5 + 3/2)/1.5 = 13/3, compared 2: bounds 5/3 and 7/3 around 2
    # year 2: one of two treated (6), two of four compared (2 and 5): alike, so that both bounds are 6 − 3.5 = 2.5
    # the one cohort weighs the same in both years
    effect, lower, upper = StaggeredBounds(panel=panel(OUTCOME))(OWN)[0]
    assert effect == pytest.approx((2 + 2.5) / 2)
    assert (lower, upper) == pytest.approx(((5 / 3 + 2.5) / 2, (7 / 3 + 2.5) / 2))
    found = StaggeredBounds(panel=panel(OUTCOME)).bounds(OWN)
    assert found.trimmed_share[0] == pytest.approx((0.25 + 0) / 2)
    assert (found.observed_treated[0], found.observed_comparison[0]) == pytest.approx((0.75, 0.625))


def test_with_nothing_missing_both_bounds_are_the_effect():
    outcome = np.arange(24.0).reshape(8, 3) ** 1.3
    found = StaggeredBounds(panel=panel(outcome))(OWN)[0]
    assert found[1:] == pytest.approx(found[[0, 0]], rel=1e-12)


def test_an_area_of_a_set_is_not_compared():
    # the set stands in for units of area 12, so that unit 2 (change 1 in year 1, 2 in year 2) is not compared with it
    sets = Sets(
        members=np.array([[5, 3]]), place=np.zeros(2, dtype=int), areas=np.array([[12]]), start=np.array([1.0, 1.0])
    )
    found = StaggeredBounds(panel=panel(OUTCOME))(sets)[0]
    # year 1: 3 and 2 against units 3, 4, 5 (2, lost, 3): of three two are seen, so that a third of two treated is cut:
    #   lowest (2 + 3/3)/(4/3) = 9/4, highest (3 + 2/3)/(4/3) = 11/4, compared 2.5: bounds −1/4 and 1/4
    # year 2: 5 of (5, lost) against 5 of (lost, lost, 5): compared less often, so that a third of the treated's one is
    #   cut, which leaves it 5: bounds 0
    assert found[1:] == pytest.approx((-0.125, 0.125))


def test_cohorts_that_start_later_are_compared_until_then():
    outcome = [[0, 5, NAN], [0, 2, 9], [0, 1, 4], [0, NAN, NAN]]
    cells = (PlannedCell(0, 1, 0, (1, 2)), PlannedCell(1, 1, 0, ()))
    made = panel(outcome, starts=(1, 2), cells=cells)
    sets = Sets(
        members=np.array([[0, 1]]), place=np.zeros(2, dtype=int), areas=np.array([[1]]), start=np.array([1.0, 2.0])
    )
    bounds = StaggeredBounds(panel=made)
    assert bounds.is_row_by_row
    # 5 seen of one; of those compared 2 (starts later) and 1 are seen and one is lost: a third of the 5 is cut
    assert bounds(sets)[0] == pytest.approx((5 - 1.5, 5 - 1.5, 5 - 1.5))
    # who is not seen after its own start serves nobody: 5 less 1
    outcome[1][2] = NAN
    gone = StaggeredBounds(panel=panel(outcome, starts=(1, 2), cells=cells))(sets)[0]
    assert gone == pytest.approx((4, 4, 4))


def test_one_sample_in_order_gives_what_rows_of_it_give():
    rng = np.random.default_rng(4)
    treated, weight = rng.normal(size=(7, 9)), rng.uniform(0.5, 2, size=(7, 9))
    treated[rng.random((7, 9)) < 0.3] = NAN
    compared, own = rng.normal(size=31), rng.uniform(0.5, 2, size=31)
    compared[::4] = NAN
    as_rows = lee_bounds(treated, weight, np.tile(compared, (7, 1)), np.tile(own, (7, 1)))
    seen = np.isfinite(compared)
    order = np.argsort(compared[seen])
    found = lee_bounds_against(treated, weight, compared[seen][order], own[seen][order], float(own[~seen].sum()))
    for one, wanted in zip(found, as_rows, strict=True):
        np.testing.assert_allclose(one.astype(float), wanted.astype(float), rtol=1e-12, atol=1e-14)
    assert 0 < as_rows.is_comparison_trimmed.sum() < 7  # both arms are cut in some row


def people(areas=5, schools=4, pupils=6, seed=1):
    """Values of pupils in schools of areas, a tenth missing; positions of schools are area by area."""
    rng = np.random.default_rng(seed)
    n = areas * schools * pupils
    values = rng.normal(size=n)
    values[rng.random(n) < 0.15] = NAN
    unit = np.repeat(np.arange(areas * schools), pupils)
    return values, rng.uniform(0.5, 1.5, size=n), unit, unit // schools


def test_pupils_of_sets_of_schools_are_cut_as_one_sample():
    values, weight, unit, area = people()
    compared = ~np.eye(5, dtype=bool)
    compared[:, 0] = False
    made = BoundsOfSets(values=values, weight=weight, area=area, may_compare=area > 0, codes=np.arange(5),
                        compared=compared, rows=np.arange(len(values)).reshape(20, 6))  # fmt: skip
    members = np.array([[4, 6], [5, 7]])
    found = made(Sets(members=members, place=np.zeros(2, dtype=int), areas=np.array([[1], [1]])))
    others = np.isin(area, (2, 3, 4))
    for row, schools in enumerate(members):
        own = np.isin(unit, schools)
        wanted = lee_bounds(values[own][None], weight[own][None], values[others][None], weight[others][None])
        assert found[row, 1:] == pytest.approx((wanted.lower[0], wanted.upper[0]))


def test_a_unit_that_serves_two_areas_counts_for_both():
    values, weight, _, area = people(pupils=1)
    compared = np.zeros((5, 5), dtype=bool)
    compared[1, [2, 3]] = compared[4, [3]] = True
    made = BoundsOfSets(values=values, weight=weight, area=area, may_compare=area > 0, codes=np.arange(5),
                        compared=compared)  # fmt: skip
    members, place, areas = np.array([4, 5, 16]), np.array([0, 0, 1]), np.array([1, 4])
    found = made.bounds(members, place, areas)
    # by hand: those compared stand twice where they serve twice, with W_a / W_C(a) each
    columns, weights = [], []
    for at, others in ((0, (2, 3)), (1, (3,))):
        rows = np.flatnonzero(np.isin(area, others))
        columns.append(values[rows])
        weights.append(weight[rows] * weight[members[place == at]].sum() / weight[rows].sum())
    wanted = lee_bounds(values[members][None], weight[members][None], np.concatenate(columns)[None],
                        np.concatenate(weights)[None])  # fmt: skip
    assert (found.lower[0], found.upper[0]) == pytest.approx((wanted.lower[0], wanted.upper[0]))
    several = made(Sets(members=members[None], place=place, areas=areas[None]))[0]
    assert several[1:] == pytest.approx((found.lower[0], found.upper[0]))


def test_the_error_of_bounds_is_that_of_leaving_clusters_out():
    own = LeeBounds(*(np.array([one]) for one in (2.0, 3.0, 0.1, 0.0, 0.9, 1.0)))
    without = np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 7.0]])
    # s² = 2/3 · (1 + 0 + 1) = 4/3 below; above 2/3 · (4 + 1 + 9) = 28/3
    found = bounds_by_jackknife(own, without, 0.95, None)
    assert isinstance(found.interval, Interval)
    assert found.interval.lower == pytest.approx(2 - 1.959963985 * np.sqrt(4 / 3))
    assert found.interval.upper == pytest.approx(3 + 1.959963985 * np.sqrt(28 / 3))
    by_t = bounds_by_jackknife(own, without, 0.95, 2.0)
    assert by_t.interval.lower == pytest.approx(2 - 4.302652730 * np.sqrt(4 / 3))
    assert bounds_by_jackknife(own, without, 0.95, None, "no").interval == Unavailable("no")
    without[1] = NAN
    assert isinstance(bounds_by_jackknife(own, without, 0.95, None).interval, Unavailable)


def test_the_jackknife_of_an_untrimmed_difference_is_the_usual_error():
    rng = np.random.default_rng(9)
    treated, others = rng.normal(size=(2, 40))
    whole = treated.mean() - others.mean()
    without = [(np.delete(treated, at).mean() - others.mean(),) * 2 for at in range(40)]
    without += [(treated.mean() - np.delete(others, at).mean(),) * 2 for at in range(40)]
    own = LeeBounds(*(np.array([one]) for one in (whole, whole, 0.0, 0.0, 1.0, 1.0)))
    found = bounds_by_jackknife(own, np.array(without), 0.95, None)
    usual = np.sqrt(treated.var(ddof=1) / 40 + others.var(ddof=1) / 40)
    # each arm's values about their own mean, over 80 clusters: (79/80)/(39/40) of the usual variance, and the means of
    # both arms' replicates are the same but for rounding
    assert (found.interval.upper - whole) / 1.959963985 == pytest.approx(usual * np.sqrt(79 / 78), rel=1e-6)


@pytest.mark.parametrize("by_span", [True, False])
def test_changes_of_means_are_those_of_pupils(by_span):
    rng = stream(1, "changes of means")
    school, year = rng.integers(12, size=500), rng.integers(4, size=500)
    adjusted = rng.normal(size=500)
    is_after = np.array([False, False, True, True])
    part, after = (is_after[year].astype(int), np.array([False, True])) if by_span else (year, is_after)
    wanted = school_changes(adjusted, school, part, after, 0.2)
    size = np.bincount(school * len(after) + part, minlength=12 * len(after)).reshape(12, -1)
    total = np.bincount(school * len(after) + part, adjusted, 12 * len(after)).reshape(12, -1)
    found = changes_of_means(total / np.maximum(size, 1), size, after, 0.2)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
