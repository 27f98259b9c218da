"""Who is compared with whom, and from when."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.data.panel import CrossSections, Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design

NEVER = np.nan
ROLES = Roles(unit="unit", period="period", outcome="y", cohort="cohort")


def table(cohorts, periods, **columns):
    """Return one unit for each cohort named, over periods."""
    n, t = len(cohorts), len(periods)
    content = {"unit": np.repeat(np.arange(n), t), "period": np.tile(periods, n), "cohort": np.repeat(cohorts, t)}
    return pd.DataFrame(content | {"y": np.arange(n * t, dtype=float)} | columns)


def design_of(cohorts, periods=(1, 2, 3, 4, 5), **options):
    return staggered_design(Panel.from_frame(table(cohorts, periods), ROLES), StaggeredOptions(**options))


def cells(design):
    """Return (cohort, period, base, cohorts compared) of every cell, "never" for the never-treated."""
    names = (*design.cohorts, "never")
    return [(c.cohort, c.period, c.base, [names[at] for at in c.compared]) for c in design.cells()]


def test_a_varying_base_is_the_period_before_until_the_start_and_then_the_last_one_before_it():
    assert cells(design_of([3, NEVER])) == [
        (3, 2, 1, ["never"]), (3, 3, 2, ["never"]), (3, 4, 2, ["never"]), (3, 5, 2, ["never"]),
    ]  # fmt: skip


def test_a_universal_base_is_the_last_period_before_the_start_for_every_period():
    design = design_of([3, NEVER], base_period="universal")
    assert [(c[1], c[2]) for c in cells(design)] == [(1, 2), (2, 2), (3, 2), (4, 2), (5, 2)]
    assert [cell.is_reference for cell in design.cells()] == [False, True, False, False, False]


def test_anticipation_moves_the_base_back_and_nothing_else():
    """Cohort 4 that may act from 3 on: effects from 4 on are measured from 2, the last period before 3."""
    found = [(c[1], c[2]) for c in cells(design_of([4, NEVER], anticipation=1))]
    assert found == [(2, 1), (3, 2), (4, 2), (5, 2)]
    universal = design_of([4, NEVER], anticipation=1, base_period="universal")
    assert [(c[1], c[2]) for c in cells(universal)] == [(1, 2), (2, 2), (3, 2), (4, 2), (5, 2)]


def test_not_yet_treated_are_those_whose_programme_has_begun_in_neither_of_the_two_periods():
    found = {(c[0], c[1]): c[3] for c in cells(design_of([2, 4, 5, NEVER], comparison="not-yet"))}
    assert found[2, 2] == [4, 5, "never"]
    assert found[2, 3] == [4, 5, "never"]
    assert found[2, 4] == [5, "never"]
    assert found[2, 5] == ["never"]
    assert found[4, 2] == [5, "never"]  # before its own start too: 2 has begun by then
    assert found[5, 4] == ["never"]
    universal = design_of([2, 4, 5, NEVER], comparison="not-yet", base_period="universal")
    found = {(c[0], c[1]): c[3] for c in cells(universal)}
    assert found[5, 2] == ["never"]  # measured from 4, when cohort 4 has begun


def test_anticipation_of_others_keeps_them_out_of_the_comparison():
    """In 3 cohort 4 may act already: only cohort 5 and later, the never-treated here, are left."""
    found = {(c[0], c[1]): c[3] for c in cells(design_of([3, 4, 5, NEVER], comparison="not-yet", anticipation=1))}
    assert found[3, 2] == [4, 5, "never"]  # from 1 to 2: 4 > 2 + 1
    assert found[3, 3] == [5, "never"]
    assert found[3, 4] == ["never"]


def test_never_treated_comparisons_do_not_change_with_later_cohorts():
    assert all(c[3] == ["never"] for c in cells(design_of([2, 4, 5, NEVER])))


def test_without_never_treated_units_late_periods_have_nobody_to_compare_with():
    found = {(c[0], c[1]): c[3] for c in cells(design_of([3, 5], comparison="not-yet"))}
    assert found[3, 4] == [5]
    assert found[3, 5] == []
    assert found[5, 5] == []


def test_a_gap_in_years_is_bridged():
    """2020 and 2021 are missing: 2022 is measured from 2019, event times count years."""
    design = design_of([2021, 2022, NEVER], periods=(2018, 2019, 2022, 2023))
    assert [(c[0], c[1], c[2]) for c in cells(design)] == [
        (2021, 2019, 2018), (2021, 2022, 2019), (2021, 2023, 2019),
        (2022, 2019, 2018), (2022, 2022, 2019), (2022, 2023, 2019),
    ]  # fmt: skip
    assert design.base_of(2021) == design.base_of(2022) == 2019


def test_anticipation_counts_years_not_rows_of_the_table():
    design = design_of([2022, NEVER], periods=(2016, 2018, 2020, 2022), anticipation=1)
    assert design.base_of(2022) == 2020
    assert design_of([2022, NEVER], periods=(2016, 2018, 2020, 2022), anticipation=2).base_of(2022) == 2018


def test_units_treated_by_the_first_period_are_left_out_and_counted():
    design = design_of([2011, 2006, 2013, NEVER], periods=range(2011, 2016))
    assert design.cohorts == (2013,)
    assert [(d.units, d.n_rows) for d in design.dropped] == [(("0", "1"), 10)]
    assert "had begun by the first period, 2011" in design.dropped[0].reason
    anticipated = design_of([2, 3, NEVER], anticipation=1)
    assert anticipated.dropped[0].units == ("0",)
    assert "(anticipation included)" in anticipated.dropped[0].reason


def test_where_only_units_treated_by_then_had_the_first_period_the_next_one_is_first():
    """Unit 0 alone is seen in period 1; without it 2 is first, and cohort 2 is treated from the first period on."""
    rows = table([1, 2, 4, NEVER], (1, 2, 3, 4))
    rows = rows[(rows["period"] > 1) | (rows["cohort"] == 1)]
    design = staggered_design(Panel.from_frame(rows, ROLES))
    assert design.panel.periods == (2, 3, 4)
    assert design.cohorts == (4,)
    assert [d.units for d in design.dropped] == [("0",), ("1",)]


def test_a_cohort_that_starts_after_the_last_period_counts_as_never_treated():
    design = design_of([3, 6, 9, NEVER])
    assert design.cohorts == (3,)
    assert (design.n_treated, design.n_never) == (1, 3)
    assert design_of([3, 6, NEVER], anticipation=1).cohorts == (3, 6)  # in 5 it may act already


def test_the_rule_complete_leaves_units_out_and_counts_them():
    rows = table([3, 3, NEVER], (1, 2, 3)).drop(index=1)
    left = staggered_design(Panel.from_frame(rows, ROLES), StaggeredOptions(unbalanced="complete"))
    assert [(d.reason, d.units, d.n_rows) for d in left.dropped] == [("has not all of the 3 periods", ("0",), 2)]
    assert left.panel.units.tolist() == [1, 2]
    for rule in ("pairs", "levels"):
        kept = staggered_design(Panel.from_frame(rows, ROLES), StaggeredOptions(unbalanced=rule))
        assert kept.dropped == ()
        assert len(kept.panel.units) == 3


def test_units_and_clusters_are_counted():
    rows = table([3, 3, 4, NEVER, NEVER], (1, 2, 3, 4), area=np.repeat([7, 8, 8, 8, 9], 4))
    clustered = Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="area")
    design = staggered_design(Panel.from_frame(rows, clustered))
    assert design.cohorts == (3, 4)
    assert design.stratum.tolist() == [0, 0, 1, 2, 2]
    assert design.cluster.tolist() == [0, 1, 1, 1, 2]
    assert (design.n_clusters, design.n_treated, design.n_never) == (3, 3, 2)
    assert design.n_by_stratum.tolist() == [2, 1, 2]
    assert [design.treated_clusters(c) for c in [(3,), (4,), (3, 4)]] == [2, 1, 2]
    own = staggered_design(Panel.from_frame(rows, ROLES))
    assert (own.cluster, own.n_clusters, own.treated_clusters((3, 4))) == (None, 5, 3)


def test_rows_are_counted_in_cross_sections():
    rows = table([3, 3, NEVER, NEVER], (1, 2, 3))
    design = staggered_design(CrossSections.from_frame(rows, ROLES))
    assert not design.is_panel
    assert (design.n_treated, design.n_never, design.n_clusters, design.cluster) == (6, 6, 12, None)
    with pytest.raises(DesignError, match="This estimator follows units over time"):
        _ = design.panel


@pytest.mark.parametrize(
    ("cohorts", "periods", "options", "said"),
    [
        ([3, 3], (1, 2, 3), {}, "No unit is never treated, so there is no comparison group"),
        ([NEVER, NEVER], (1, 2, 3), {}, "No unit is treated within the periods of the table"),
        ([9, NEVER], (1, 2, 3), {}, "No unit is treated within the periods of the table"),
        ([3, 3], (1, 2, 3), {"comparison": "not-yet"}, r"There is nobody to compare the 1 cohort \(3\) with"),
        ([3, NEVER], (3,), {}, "Fewer than two periods are left"),
        ([1, 1], (1, 2), {}, "Every unit is left out: its programme had begun by the first period, 1"),
    ],
)
def test_where_nothing_can_be_compared_the_design_is_refused(cohorts, periods, options, said):
    with pytest.raises(DesignError, match=said):
        design_of(cohorts, periods, **options)


def test_a_panel_without_one_complete_unit_is_refused_where_that_is_the_rule():
    rows = table([3, NEVER], (1, 2, 3)).drop(index=[0, 4])
    with pytest.raises(DesignError, match="Every unit is left out: has not all of the 3 periods"):
        staggered_design(Panel.from_frame(rows, ROLES), StaggeredOptions(unbalanced="complete"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"comparison": "later"}, "The comparison 'later' is not known. It is never or not-yet"),
        ({"base_period": "first"}, "The base period 'first' is not known. It is varying or universal"),
        ({"unbalanced": "drop"}, "'drop' is not known. It is pairs or complete or levels"),
        ({"anticipation": -1}, "Anticipation is a number of periods from 0 on, not -1"),
        ({"anticipation": 0.5}, "not 0.5"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, said):
    with pytest.raises(DesignError, match=said):
        StaggeredOptions(**options)
