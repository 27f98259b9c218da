"""The Goodman-Bacon decomposition, by hand and against the two-way effect."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.estimate.two_way.bacon import ALWAYS, NEVER, NO_WEIGHT, BaconPair, _totals, bacon_decomposition
from evalkit.estimate.two_way.two_way import two_way_effect

ROLES = {"unit": "unit", "period": "period", "outcome": "y", "cohort": "cohort"}


def panel(rows, columns=("unit", "period", "y", "cohort"), **roles):
    return Panel.from_frame(pd.DataFrame(rows, columns=list(columns)), Roles(**(ROLES | roles)))


def two_cohorts():
    """One unit starts in period 2 with effects 1, then 4, the other in period 3 with effect 1; nothing else moves."""
    outcomes = {"early": [0.0, 1, 4], "late": [0.0, 0, 1]}
    starts = {"early": 2, "late": 3}
    return panel([(unit, t + 1, y, starts[unit]) for unit in outcomes for t, y in enumerate(outcomes[unit])])


def test_growing_effects_turn_the_sign():
    # Early against late, periods 1 and 2: 1 − 0 = 1. Late against early, periods 2 and 3: 1 − (4 − 1) = −2.
    # Treated shares are 2/3 and 1/3: weights (2/3 − 1/3)(1 − 2/3) = 1/9 and 1/3 (2/3 − 1/3) = 1/9, half each.
    # Every effect is positive, and the two-way effect is ½·1 + ½·(−2) = −½.
    found = bacon_decomposition(two_cohorts())
    assert [(pair.treated, pair.compared, pair.kind) for pair in found.pairs] == [
        (2, 3, "earlier against later, before the later start"),
        (3, 2, "later against earlier, already treated"),
    ]
    assert [pair.weight for pair in found.pairs] == pytest.approx([0.5, 0.5])
    assert [pair.estimate for pair in found.pairs] == pytest.approx([1, -2])
    assert found.estimate == pytest.approx(-0.5)
    assert two_way_effect(two_cohorts()).estimate.value == pytest.approx(-0.5)


def staggered(seed, **roles):
    """Thirty units in eight periods: always and never treated, two cohorts between and one after the last period."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(30), 8), "period": np.tile(np.arange(2000, 2008), 30)})
    starts = random.choice([1999.0, 2003, 2005, 2010, np.nan], 30, p=[0.1, 0.3, 0.2, 0.1, 0.3])
    frame["cohort"] = starts[frame["unit"]]
    frame["x"] = random.normal(size=240)
    frame["w"] = random.uniform(1, 5, 30)[frame["unit"]]
    effect = np.maximum(frame["period"] - frame["cohort"] + 1, 0).fillna(0)
    frame["y"] = effect + 0.3 * frame["x"] + random.normal(size=240)
    return Panel.from_frame(frame, Roles(**(ROLES | roles)))


@pytest.mark.parametrize("roles", [{}, {"weight": "w"}, {"covariates": ("x",)}, {"weight": "w", "covariates": ("x",)}])
@pytest.mark.parametrize("seed", range(3))
def test_the_weighted_sum_is_the_two_way_effect(seed, roles):
    made = staggered(seed, **roles)
    found = bacon_decomposition(made)
    assert sum(pair.weight for pair in found.pairs) == pytest.approx(1, abs=1e-12)
    assert sum(total.weight for total in found.totals) == pytest.approx(1, abs=1e-12)
    between = sum(pair.weight * pair.estimate for pair in found.pairs)
    assert sum(total.weight * total.estimate for total in found.totals) == pytest.approx(between)
    whole = found.within_share * found.within_estimate + (1 - found.within_share) * between
    assert whole == pytest.approx(found.estimate, rel=1e-10)
    assert two_way_effect(made).estimate.value == pytest.approx(found.estimate, rel=1e-8)
    assert {pair.compared for pair in found.pairs} <= {2003, 2005, NEVER, ALWAYS}


def test_a_pair_is_the_difference_of_its_two_cohorts_alone():
    made = staggered(1)
    [pair] = [pair for pair in bacon_decomposition(made).pairs if (pair.treated, pair.compared) == (2003, NEVER)]
    frame = made.frame[(made.frame["cohort"] == 2003) | (made.frame["cohort"].isna()) | (made.frame["cohort"] > 2007)]
    alone = Panel.from_frame(frame, Roles(**(ROLES | {"outcome": "outcome"})))
    assert two_way_effect(alone).estimate.value == pytest.approx(pair.estimate, rel=1e-9)


def test_covariates_that_explain_nothing_leave_the_pairs():
    # A covariate that is orthogonal to treatment by construction: the part not predicted is all of it.
    frame = two_cohorts().frame.rename(columns={"outcome": "y"})
    wide = pd.concat([frame.assign(unit=frame["unit"] + side, x=sign) for side, sign in (("a", 1.0), ("b", -1.0))])
    wide["x"] *= wide["period"] == 2
    found = bacon_decomposition(Panel.from_frame(wide, Roles(**(ROLES | {"covariates": ("x",)}))))
    assert found.within_share == pytest.approx(0, abs=1e-12)
    assert found.estimate == pytest.approx(-0.5)
    assert [pair.kind for pair in found.pairs] == ["both treated"]


def test_an_unbalanced_panel_is_refused_with_the_number_of_complete_units():
    made = staggered(1)
    frame = made.frame.rename(columns={"outcome": "y"}).iloc[1:]
    with pytest.raises(DesignError, match="29 of 30 units are"):
        bacon_decomposition(Panel.from_frame(frame, Roles(**ROLES)))


def test_weights_that_change_over_time_are_refused():
    made = staggered(1)
    frame = made.frame.rename(columns={"outcome": "y"}).assign(w=np.arange(240.0) + 1)
    with pytest.raises(DesignError, match="weight changes over time"):
        bacon_decomposition(Panel.from_frame(frame, Roles(**(ROLES | {"weight": "w"}))))


def test_nobody_treated_is_refused():
    with pytest.raises(DesignError, match="No unit is treated in any period"):
        bacon_decomposition(panel([("a", 1, 0.0, None), ("a", 2, 1.0, None), ("b", 1, 0.0, None), ("b", 2, 1.0, None)]))


def gapped(starts):
    """One unit for each start over 2018, 2019 and 2022 (no results in 2020 and 2021), and one never treated."""
    outcomes = {"a": [0.0, 1.0, 3.0], "b": [0.0, 0.0, 5.0], "c": [1.0, 1.0, 1.0]}
    rows = [
        (unit, t, y, starts[unit]) for unit in outcomes for t, y in zip((2018, 2019, 2022), outcomes[unit], strict=True)
    ]
    return panel(rows)


def test_cohorts_that_start_inside_one_gap_are_one_timing_group():
    # a (2020) and b (2021) are both first seen treated in 2022. Against c, which does not move:
    # a 3 − (0 + 1)/2 = 2.5 and b 5 − 0 = 5, together 3.75, with all of the weight.
    made = gapped({"a": 2020, "b": 2021, "c": None})
    found = bacon_decomposition(made)
    [pair] = found.pairs
    assert (pair.treated, pair.compared, pair.weight) == ("2020 and 2021", NEVER, pytest.approx(1))
    assert pair.estimate == pytest.approx(3.75)
    assert two_way_effect(made).estimate.value == pytest.approx(3.75)
    recoded = bacon_decomposition(gapped({"a": 2022, "b": 2022, "c": None}))
    assert [pair.treated for pair in recoded.pairs] == [2022]
    assert found.totals == recoded.totals


def test_one_cohort_inside_a_gap_keeps_its_start_as_its_name():
    assert [pair.treated for pair in bacon_decomposition(gapped({"a": 2020, "b": None, "c": None})).pairs] == [2020]


def test_covariates_leave_cohorts_of_one_gap_one_timing_group():
    # x moves a and b apart, so that the part of treatment it leaves is not the same: that lies within their group.
    frame = gapped({"a": 2020, "b": 2021, "c": None}).frame.rename(columns={"outcome": "y"})
    frame["x"] = [0.0, 1, 0, 0, 0, 2, 0, 0, 0]
    made = Panel.from_frame(frame, Roles(**ROLES, covariates=("x",)))
    found = bacon_decomposition(made)
    assert {pair.treated for pair in found.pairs} == {"2020 and 2021"}
    assert found.within_share > 0
    assert found.estimate == pytest.approx(two_way_effect(made).estimate.value)


def test_a_kind_of_comparison_without_weight_has_no_mean():
    none = BaconPair(treated=2020, compared=NEVER, kind="treated against never treated", weight=0.0, estimate=1.0)
    [total] = _totals((none,))
    assert (total.weight, total.estimate) == (0, NO_WEIGHT)
