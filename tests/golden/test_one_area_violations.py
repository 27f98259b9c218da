"""One treated area on the published England: breakdown by permutation, and trends that its earlier movement could show.

Expected values are the definitions' own, computed apart from this code from the same panel by plain arithmetic.
"""

import numpy as np
import pandas as pd
import pytest

from evalkit.diagnose.power.pre_trends import StandIns, rank_trend_power
from evalkit.estimate.bounds.permuted_bounds import permuted_bounds
from evalkit.estimate.bounds.permuted_bounds_arrays import Placed, biases, p_values, step_weights
from tests.golden.test_real_england import lists

KNOWSLEY = 340
YEARS = (2016, 2017, 2018, 2019)


@pytest.fixture(scope="module")
def scores(shared_data):
    path = shared_data / "panel" / "ks2_school_panel_2016_2019_england.csv.gz"
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows = rows.assign(score=pd.to_numeric(rows["READPROG"], errors="coerce"))
    last = rows.sort_values("YEAR").drop_duplicates("SCHOOL_ID", keep="last").set_index("SCHOOL_ID")
    wide = rows.pivot(index="SCHOOL_ID", columns="YEAR", values="score").dropna()
    wide.columns = [int(year) for year in wide.columns]
    group, area = (last[name].reindex(wide.index) for name in ("MINORGROUP_SPINE1718", "LA"))
    kept = group.isin(["Maintained School", "Academy"]) & (area != "")
    return wide[kept], area[kept].astype(int)


def gaps(scores, near):
    wide, area = scores
    sizes, found = area.value_counts(), {}
    for code in sizes.index[sizes >= 5]:
        others = area.isin([other for other in near.get(code, []) if other not in (KNOWSLEY, code)])
        if others.any():
            found[code] = wide[area == code].mean() - wide[others].mean()
    return pd.DataFrame(found).T


@pytest.mark.parametrize(
    ("workbook", "effect", "step", "p_values_at", "breakdown"),
    [
        ("sn_april_2021.xlsx", 0.773, 0.330, {0.0: 0.161}, 0.0),
        ("sn_may_2025.xlsx", 1.131, 0.448, {0.0: 0.040, 0.05: 0.047, 0.10: 0.060}, 0.05),
    ],
)
def test_breakdown_of_knowsley(scores, shared_data, workbook, effect, step, p_values_at, breakdown):
    table = gaps(scores, lists(shared_data, workbook))
    found = permuted_bounds(table, KNOWSLEY, (2016, 2017), (2019,))
    assert found.n_areas == 149
    assert found.estimate == pytest.approx(effect, abs=5e-4)  # three decimals are given
    assert found.steps[0].step == pytest.approx(step, abs=5e-4)
    assert found.breakdown == pytest.approx(breakdown)
    moved = table.to_numpy() @ step_weights(YEARS, (2016, 2017), (2019,)).weights
    is_treated = np.asarray(table.index == KNOWSLEY)
    placed = Placed(moved[is_treated][0], moved[~is_treated], np.ones(148))
    for m, p in p_values_at.items():
        assert p_values(placed, biases(2.0, m)).max() == pytest.approx(p, abs=5e-4)


def test_trends_that_knowsleys_movement_could_show(scores, shared_data):
    # One lead, critical 0.83: a trend upwards of 0.78 a year in half of areas and of 1.13 in four of five, looked for
    # on a grid of hundredths; one that biases the effect by 1.40 (0.56 a year over 2.5 years) in 24%.
    table = gaps(scores, lists(shared_data, "sn_april_2021.xlsx")).drop(KNOWSLEY)
    others = StandIns(
        moved=(table[2017] - table[2016]).to_numpy()[:, None],
        effects=(table[2019] - (table[2016] + table[2017]) / 2).to_numpy(),
        weights=np.ones(148),
        rise=np.ones(1),
        effect_rise=2.5,
        n_areas=149,
    )
    up, down = rank_trend_power(others, 1.40, 2016).tests
    assert up.critical == pytest.approx(0.83, abs=0.005)
    assert [one.slope for one in up.found] == pytest.approx([0.78, 1.13], abs=0.01)
    assert up.at_violation.power == pytest.approx(0.24, abs=0.005)
    assert down.at_violation.slope == -up.at_violation.slope
    assert 0.15 < down.at_violation.power < 0.30
