"""The least effect of a panel of schools in areas, by hand."""

import math

import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Unavailable
from evalkit.design.power.mdes import (
    PanelPlan,
    detectable_at_design,
    multiplier,
    one_area_mdes,
    panel_mdes,
    panel_std_error,
)


def test_area_shocks_do_not_average_out_over_schools():
    # two treated areas of 2 and 4 schools, three comparison areas of 5: τ² = 0.18, σ² = 3.
    # 0.18·(20/36 + 75/225) + 3·(1/6 + 1/15) = 0.16 + 0.7 = 0.86
    plan = PanelPlan(treated=(2, 4), comparison=(5, 5, 5))
    assert panel_std_error(plan, 0.18, 3.0) == pytest.approx(math.sqrt(0.86))
    many = PanelPlan(treated=(2000, 4000), comparison=(5000, 5000, 5000))
    assert panel_std_error(many, 0.18, 3.0) == pytest.approx(math.sqrt(0.16), rel=1e-2)


def test_the_least_effect_takes_areas_for_degrees_of_freedom():
    plan = PanelPlan(treated=(2, 4), comparison=(5, 5, 5), n_pre=2)
    # five areas, three degrees of freedom; two years before: √0.75
    assert panel_mdes(plan, 0.18, 3.0) == pytest.approx(multiplier(3) * math.sqrt(0.86 * 0.75))


def test_one_treated_area_is_sent_to_its_placebos():
    found = panel_mdes(PanelPlan(treated=(49,), comparison=(50,) * 10), 0.2, 3.0)
    assert isinstance(found, Unavailable)
    assert "placebo effects of other areas" in found.reason


def test_one_area_agrees_with_the_designs_own_number():
    changes = [math.sin(n) for n in range(120)]
    assert one_area_mdes(changes, (2, 1)) == pytest.approx(detectable_at_design(changes, 2, 1))
    # with fewer areas Student's t stands in: 29 degrees of freedom
    few = changes[:30]
    assert one_area_mdes(few, (2, 1)) == pytest.approx(detectable_at_design(few, 2, 1) * multiplier(29) / 2.8)
    assert one_area_mdes(few, (2, 1), 0.9, 0.9) == pytest.approx(
        detectable_at_design(few, 2, 1) * multiplier(29, 0.9, 0.9) / 2.8
    )


def test_too_few_placebo_areas_are_said():
    assert isinstance(one_area_mdes([0.1] * 19, (1, 1)), Unavailable)


@pytest.mark.parametrize("arms", [((), (3,)), ((3,), ()), ((0,), (3,))])
def test_arms_without_schools_are_refused(arms):
    with pytest.raises(DesignError):
        PanelPlan(treated=arms[0], comparison=arms[1])


def test_impossible_variances_and_years_are_refused():
    with pytest.raises(DesignError):
        panel_std_error(PanelPlan(treated=(3,), comparison=(3,)), -0.1, 1.0)
    with pytest.raises(DesignError):
        panel_std_error(PanelPlan(treated=(3,), comparison=(3,)), float("nan"), 1.0)
    with pytest.raises(DesignError):
        PanelPlan(treated=(3,), comparison=(3,), n_pre=0)
