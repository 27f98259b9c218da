"""Standard errors by draws, and bands that hold for all numbers together."""

import numpy as np
import pytest
from six_units import effects_of, one_cohort, six_units

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Interval, Unavailable, critical_value
from evalkit.estimate.staggered.bands import Uncertainty, errors_of, simultaneous_bands, with_error
from evalkit.estimate.staggered.summaries import combination, event_study, overall_effect


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"level": 0}, "The level of an interval lies between 0 and 1, not at 0"),
        ({"level": 95}, "not at 95"),
        ({"n_draws": 50}, "50 draws are too few; at least 99 are needed"),
        ({"n_draws": -1}, "too few"),
        ({"n_draws": 99.5}, "whole numbers"),
        ({"seed": -1}, "whole number from 0 on, not -1"),
        ({"seed": 1.5}, "whole number from 0 on, not 1.5"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, said):
    with pytest.raises(DesignError, match=said):
        Uncertainty(**options)


def widths(bands):
    return np.array([band.upper - band.lower for band in bands if isinstance(band, Interval)])


def factor(errors, part):
    [band] = simultaneous_bands(errors, (part,))
    return (band.upper - band.lower) / 2 / with_error(errors, part).std_error


def test_analytic_errors_are_the_summary_s_own():
    effects = effects_of(six_units())
    errors = errors_of(effects, Uncertainty())
    assert errors.draws is None
    assert with_error(errors, overall_effect(effects)) == overall_effect(effects).estimate


def test_a_band_of_one_number_is_its_interval():
    """A quantile of 20,000 normal draws differs from 1.96 by some 0.015; the band is never narrower."""
    effects = effects_of(one_cohort(20, 30))
    found = factor(errors_of(effects, Uncertainty()), overall_effect(effects))
    assert critical_value(0.95) <= found < critical_value(0.95) + 0.05


def test_a_band_of_independent_numbers_takes_the_quantile_of_their_largest():
    """Eight cohorts against thousands: hardly correlated, so that (2Φ(c) − 1)⁸ = 0.95 gives c = 2.73; less with what
    they share, the comparison units, and never above."""
    random = np.random.default_rng(0)
    cohort = np.repeat([*range(3, 11), np.nan], [25] * 8 + [5000])
    n = len(cohort)
    table = one_cohort(0, n, periods=(1, 2)).assign(cohort=np.repeat(np.where(np.isnan(cohort), np.nan, 2.0), 2))
    table = table.assign(y=random.normal(size=2 * n), cohort=np.repeat(cohort, 2), period=np.tile([2, 12], n))
    effects = effects_of(table)
    errors = errors_of(effects, Uncertainty())
    parts = tuple(combination(effects, one) for one in np.eye(8))
    bands = simultaneous_bands(errors, parts)
    found = widths(bands) / 2 / [part.estimate.std_error for part in parts]
    assert found == pytest.approx(np.full(8, 2.73), abs=0.05)


def test_the_same_number_twice_needs_no_wider_band():
    effects = effects_of(one_cohort(20, 30))
    errors, part = errors_of(effects, Uncertainty()), overall_effect(effects)
    one, two = simultaneous_bands(errors, (part, part))
    assert one == two
    assert factor(errors, part) < critical_value(0.95) + 0.05


def test_bands_are_no_narrower_than_intervals_and_grow_with_the_level():
    effects = effects_of(one_cohort(20, 30))
    parts = event_study(effects).parts
    for n_draws in (0, 199):
        errors = {level: errors_of(effects, Uncertainty(level=level, n_draws=n_draws)) for level in (0.8, 0.95)}
        narrow, wide = (widths(simultaneous_bands(errors[level], parts)) for level in (0.8, 0.95))
        assert (narrow < wide).all()
        single = [with_error(errors[0.95], part).interval(0.95) for part in parts]
        assert (wide >= widths(single)).all()
    assert simultaneous_bands(errors[0.8], parts)[0].level == 0.8


def test_parts_without_an_error_have_its_reason_and_do_not_widen_the_rest():
    effects = effects_of(one_cohort(20, 30), base_period="universal")
    errors, parts = errors_of(effects, Uncertainty()), event_study(effects).parts
    bands = simultaneous_bands(errors, parts)
    assert [isinstance(band, Interval) for band in bands] == [True, False, True, True]
    assert bands[1] == parts[1].estimate.std_error
    without = simultaneous_bands(errors, (parts[0], *parts[2:]))
    assert widths(bands).tolist() == widths(without).tolist()


def test_where_no_part_has_an_error_no_band_is_drawn():
    effects = effects_of(one_cohort(1, 30))
    parts = event_study(effects).parts
    bands = simultaneous_bands(errors_of(effects, Uncertainty(n_draws=99)), parts)
    assert list(bands) == [part.estimate.std_error for part in parts]
    assert simultaneous_bands(errors_of(effects, Uncertainty()), ()) == ()


def test_draws_repeat_under_a_seed_and_change_with_it():
    effects = effects_of(one_cohort(20, 30))
    one, again, other = (errors_of(effects, Uncertainty(n_draws=99, seed=seed)).draws for seed in (1, 1, 2))
    assert (one == again).all()
    assert not (one == other).all()


def test_bootstrap_errors_are_the_distance_of_quartiles():
    effects = effects_of(one_cohort(20, 30))
    errors, whole = errors_of(effects, Uncertainty(n_draws=499)), overall_effect(effects)
    low, high = np.quantile(errors.draws @ whole.weights, [0.25, 0.75])
    found = with_error(errors, whole)
    assert found.std_error == pytest.approx((high - low) / 1.3489795003921634)
    assert found.value == whole.estimate.value


@pytest.mark.parametrize("n_treated", [2, 3, 4])
def test_quartiles_of_few_clusters_do_not_set_the_error(n_treated):
    """Two treated units deviate by ±d: draws are ±2d or 0 with probabilities 1/4, 1/4, 1/2, and quartiles lie on the
    jump between 0 and 2d. Where they say something else than the standard deviation, it stands instead."""
    for seed in range(8):
        effects = effects_of(one_cohort(n_treated, 400, seed=seed))
        errors = errors_of(effects, Uncertainty(n_draws=999, seed=seed + 1))
        for part in event_study(effects).parts:
            plain = (errors.draws @ part.weights).std()
            # the standard deviation of 999 draws of signs has an error below 2.3%
            assert plain == pytest.approx(part.estimate.std_error, rel=0.08)
            assert plain / 1.26 < with_error(errors, part).std_error < 1.26 * plain


def test_a_summary_without_an_error_gets_none_from_draws():
    effects = effects_of(one_cohort(1, 20))
    errors, whole = errors_of(effects, Uncertainty(n_draws=99)), overall_effect(effects)
    assert isinstance(with_error(errors, whole), Estimate)
    assert isinstance(with_error(errors, whole).std_error, Unavailable)


def test_bands_of_clusters_use_student_draws():
    """Six clusters: a single interval takes 2.57 with 5 degrees of freedom, and a band more than a normal one."""
    table = one_cohort(12, 12).assign(area=lambda f: f["unit"] % 6)
    from evalkit.data.roles import Roles

    clustered = effects_of(table, Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="area"))
    assert clustered.df == 5
    assert factor(errors_of(clustered, Uncertainty()), overall_effect(clustered)) >= critical_value(0.95, 5)


def test_a_bootstrap_band_of_few_clusters_is_as_wide_as_the_analytic_one():
    """Signs of ten clusters reach no further than normal draws: without Student's divisor a band is one interval."""
    from evalkit.data.roles import Roles

    table = one_cohort(20, 20, periods=tuple(range(1, 9)), start=5, seed=3)
    table["area"] = table["unit"] % 10
    roles = Roles(unit="unit", period="period", outcome="y", cohort="cohort", cluster="area")
    effects = effects_of(table, roles, base_period="universal")
    parts = tuple(part for part in event_study(effects).parts if part.label != -1)
    critical = []
    for options in (Uncertainty(), Uncertainty(n_draws=999)):
        errors = errors_of(effects, options)
        bands = simultaneous_bands(errors, parts)
        critical.append((bands[0].upper - bands[0].lower) / 2 / with_error(errors, parts[0]).std_error)
    assert critical[1] == pytest.approx(critical[0], rel=0.15)
    assert min(critical) > 1.2 * critical_value(0.95, 9)
