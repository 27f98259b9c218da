"""Whole clusters drawn again: the same as an estimate from a table in which they stand as often as they were drawn."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from six_units import ROLES, design_of, effects_of, one_cohort

from evalkit.core.draws import draws_in_chunks
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.panel import CrossSections, Panel
from evalkit.data.roles import Roles
from evalkit.estimate.cluster_bootstrap import CHUNK, STREAM, cluster_bootstrap
from evalkit.estimate.staggered.bands import Uncertainty
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.results import staggered_results
from evalkit.estimate.staggered.row_inference import NO_ERROR
from evalkit.estimate.staggered.summaries import ONE_TREATED, overall_effect

AREAS = Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="area")
DRAWS = Uncertainty(n_draws=99, seed=3, errors="plain")


def copied(table, column, times):
    """Return a table in which each cluster stands as often as it was drawn, its copies under names of their own."""
    n = times[pd.factorize(table[column], sort=True)[0]]
    copy = np.concatenate([np.arange(each) for each in n])
    rows = table.loc[np.repeat(table.index, n)]
    return rows.assign(unit=100 * rows["unit"] + copy)


@pytest.mark.parametrize(("column", "source"), [("unit", Panel), ("area", CrossSections)])
def test_a_draw_is_the_estimate_from_a_table_of_copies(column, source):
    table = one_cohort(20, 30).assign(area=lambda f: f["unit"] // 4)
    roles = ROLES if column == "unit" else AREAS
    found = cluster_bootstrap(design_of(table, roles, source), group_time_effects, DRAWS)
    n, values = table[column].nunique(), []
    for draws in draws_in_chunks(3, STREAM, 99, CHUNK):
        generator = draws.stream()
        for _ in range(draws.n):
            times = np.bincount(generator.integers(0, n, n), minlength=n)
            values.append(overall_effect(effects_of(copied(table, column, times), source=source)).estimate.value)
    assert len(values) == 99
    assert found.simple.std_error == pytest.approx(np.std(values, ddof=1))


def test_errors_are_near_the_analytic_ones():
    """The standard deviation of 199 draws has an error of 1/√(2 × 199) = 5%; four of them, and 2% for 60 units."""
    design = design_of(one_cohort(60, 60))
    plain = staggered_results(group_time_effects(design))
    found = cluster_bootstrap(design, group_time_effects, Uncertainty(n_draws=199))
    assert found.simple.estimate == plain.simple.estimate
    assert found.simple.std_error == pytest.approx(plain.simple.std_error, rel=0.22)
    assert found.simple.std_error != plain.simple.std_error


def test_the_same_seed_gives_the_same_errors():
    design = design_of(one_cohort(10, 10))
    one, again, other = (
        cluster_bootstrap(design, group_time_effects, replace(DRAWS, seed=seed)).simple.std_error for seed in (1, 1, 2)
    )
    assert one == again != other


def test_single_cohorts_and_periods_have_no_drawn_error():
    found = cluster_bootstrap(design_of(one_cohort(10, 10)), group_time_effects, DRAWS)
    assert all(isinstance(cell.std_error, Unavailable) for cell in found.group_time)
    assert all(isinstance(cell.estimate, float) for cell in found.group_time)


@pytest.mark.parametrize("seed", [1, 6])  # under 6 the quantile of the draws is 1.87
def test_bands_are_no_narrower_than_intervals(seed):
    """One time alone: the quantile of 99 draws may lie below that of the interval, the band may not."""
    design = design_of(one_cohort(10, 10, periods=(2, 3)))
    found = cluster_bootstrap(design, group_time_effects, Uncertainty(n_draws=99, seed=seed))
    [part] = found.event_study.parts
    assert isinstance(part.band, Interval)
    assert part.band.lower <= part.interval.lower
    assert part.band.upper >= part.interval.upper


def test_one_treated_unit_gets_no_error_from_draws():
    found = cluster_bootstrap(design_of(one_cohort(1, 20)), group_time_effects, Uncertainty(n_draws=99, seed=3))
    assert found.simple.std_error == found.event_study.parts[0].std_error == Unavailable(NO_ERROR)
    assert found.simple.plain_error == Unavailable(ONE_TREATED)


def test_a_number_that_many_draws_lack_has_no_error():
    """Two treated of 20 units are in no draw with probability (18/20)²⁰ = 12%."""
    found = cluster_bootstrap(design_of(one_cohort(2, 18)), group_time_effects, DRAWS)
    assert "of 99 bootstrap draws gave no estimate" in found.simple.std_error.reason
    assert isinstance(found.simple.estimate, float)


def test_no_draws_are_refused():
    with pytest.raises(DesignError, match="needs a number of draws"):
        cluster_bootstrap(design_of(one_cohort(5, 5)), group_time_effects, Uncertainty())
