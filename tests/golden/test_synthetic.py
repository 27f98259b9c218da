"""California's Proposition 99 and the published series of English authorities.

Reference values: R synthdid 0.0.9, ../shared/golden/did (golden_scalars.csv): synthetic control −19.6196634709,
synthetic DiD −15.6038278727 (placebo standard error 10.0532 under seed 1). R's Frank–Wolfe steps stop early; solved
exactly the two are −19.5136 and −15.6054.
"""

import numpy as np
import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Unavailable
from evalkit.data.areas.exclusions import read_exclusions
from evalkit.data.areas.lait import read_lait
from evalkit.data.areas.ofsted_shares import read_ofsted_shares
from evalkit.data.areas.series import AreaRoles, read_area_file
from evalkit.design.panel.area_design import area_design
from evalkit.estimate.synthetic.control import augmented_control, synthetic_control, synthetic_did
from evalkit.estimate.synthetic.placebos import PlaceboOptions, placebo_in_space

BOROUGHS = [
    *("Bolton", "Bury", "Manchester", "Oldham", "Rochdale"),
    *("Salford", "Stockport", "Tameside", "Trafford", "Wigan"),
]


@pytest.fixture(scope="module")
def california(golden):
    roles = AreaRoles(unit="State", period="Year", outcome="PacksPerCapita")
    return area_design(read_area_file(golden / "did" / "california_prop99.csv", roles), ["California"], 1989)


def test_synthetic_control(california):
    found = synthetic_control(california)
    assert found.estimate == pytest.approx(-19.6196634709, abs=0.11)
    assert found.estimate == pytest.approx(-19.514, abs=5e-4)
    best = ((california.series - california.donor_values.T @ found.weights)[:19] ** 2).sum()
    assert best == pytest.approx(52.12957147908, abs=1e-8)
    random = np.random.default_rng(1)
    for _ in range(200):
        other = np.maximum(found.weights + 0.01 * random.normal(size=38), 0)
        gap = california.series - california.donor_values.T @ (other / other.sum())
        assert (gap[:19] ** 2).sum() >= best


def test_synthetic_did(california):
    found = synthetic_did(california)
    assert found.estimate == pytest.approx(-15.6038278727, abs=0.002)
    assert found.estimate == pytest.approx(-15.6054, abs=5e-5)
    space = placebo_in_space(found)
    # every one of the 38 placebos is gone through, where R draws them and keeps California's regularisation
    assert space.is_complete
    assert space.std_error == pytest.approx(10.05, rel=0.1)
    assert found.fit.time_weights.sum() == pytest.approx(1)


def test_augmenting_improves_the_fit(california):
    plain, found = synthetic_control(california), augmented_control(california)
    assert found.pre_rmse < plain.pre_rmse
    assert found.weights.sum() == pytest.approx(1)
    assert (found.weights < 0).any()


def test_lait_has_the_values_of_the_key_performance_indicators(shared_data):
    path = shared_data / "lait" / "bds_long_0.parquet"
    found = read_lait(path, "AVG_Prog8_Score").within(2016, 2019)
    assert found.name(340) == "Knowsley"
    np.testing.assert_array_equal(found.values[found.position(340)], [-0.89, -0.77, -0.82, -0.81])
    assert max(found.areas) < 970


@pytest.mark.parametrize(
    ("measure", "verb", "is_shown"),
    [
        ("AVG_Prog8_Score", synthetic_control, False),  # no borough is as low
        ("KS2R_Prog_VA", synthetic_control, True),
        ("KS2RWM_Expected_STD", synthetic_control, True),
        ("SecTotAbs", synthetic_control, False),
    ],
)
def test_knowsley_has_two_years_before_and_no_inference(shared_data, measure, verb, is_shown):
    series = read_lait(shared_data / "lait" / "bds_long_0.parquet", measure).within(2016, 2019)
    design = area_design(series, [340], 2018)
    assert design.n_pre == 2
    assert len(design.donors) > 140
    found = verb(design)
    assert isinstance(found.estimate, float) is is_shown
    assert isinstance(placebo_in_space(found, PlaceboOptions()).p_value, Unavailable)


def test_attainment_8_does_not_cross_the_new_grades(shared_data):
    series = read_lait(shared_data / "lait" / "bds_long_0.parquet", "AVG_Attain8_Score")
    with pytest.raises(DesignError, match="2016 is not comparable"):
        area_design(series.within(2016, 2019), [340], 2018)
    with pytest.raises(DesignError, match="set by teachers"):
        area_design(series.within(2017, 2023), [340], 2018)
    assert area_design(series.within(2017, 2019), [340], 2018).n_pre == 1


def test_greater_manchester_s_ten_boroughs(shared_data):
    path = shared_data / "exclusions" / "clean_la_data.csv"
    fixed = area_design(read_exclusions(path, "fixed_excl_rate"), BOROUGHS, 2012)
    assert len(fixed.treated) == 10
    assert fixed.periods == tuple(range(2007, 2018))
    assert isinstance(synthetic_did(fixed).estimate, float)
    with pytest.raises(DesignError, match="'Wigan' has no value in 2013"):
        area_design(read_exclusions(path, "perm_excl_rate"), BOROUGHS, 2012)


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("clean_la_exclusions_data.csv", "State-funded secondary"),
        ("SFR35_2017_reason_for_exclusion.csv", "State-funded secondary"),
    ],
)
def test_exclusions_by_reason(shared_data, file, kind):
    found = read_exclusions(shared_data / "exclusions" / file, "fixed_physical_pupils", kind)
    assert 145 <= len(found.areas) <= 156
    assert not {"England", "North West", "London"} & set(found.areas)


def test_ofsted_shares(shared_data):
    folder = shared_data / "gias", shared_data / "ofsted"
    found = read_ofsted_shares(
        folder[1] / "ofsted_ratings_history_to_2020.csv", folder[0] / "england_spine_2017-2018.csv", range(2008, 2020)
    )
    assert found.periods == tuple(range(2008, 2020))
    assert 140 < len(found.areas) < 153
    mean = np.nanmean(found.values, axis=0)
    assert 55 < mean[0] < mean[-1] < 95
    assert synthetic_did(area_design(found, [331], 2014)).pre_fit.ratio < 0.5
