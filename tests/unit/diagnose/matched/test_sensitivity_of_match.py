"""All measures of sensitivity for a matched design, and their tables."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching.match import match
from evalkit.design.matching.options import EntropyBalancing, NearestNeighbour
from evalkit.diagnose.matched.sensitivity import SensitivityOptions, match_sensitivity
from evalkit.report.tables import matched as tables


def table(n=240, seed=5):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=n)
    treated = (0.5 * x + draw.normal(size=n) > 1).astype(int)
    kind = np.where(draw.random(n) < 0.4, "academy", "maintained")
    frame = pd.DataFrame({"id": np.arange(n), "treated": treated, "x": x, "kind": kind})
    return frame, pd.Series(2 * treated + x + draw.normal(size=n), index=frame["id"], name="score")


def design(frame, option=None):
    roles = BaselineRoles(treated="treated", covariates=("x", "kind"), unit="id")
    return match(Baseline.from_frame(frame, roles), option or NearestNeighbour())


def test_every_measure_applies_to_pairs():
    frame, outcome = table()
    found = match_sensitivity(design(frame), outcome, Estimate(1.9, 0.2))
    assert found.hidden_bias.gamma_lost > 2
    assert found.e_value.sd_used == pytest.approx(outcome.std())
    assert {one.covariate for one in found.robustness.benchmarks} == {"x", "kind"}
    assert not isinstance(found.selection, Unavailable)
    assert len(found.sentences) == 4
    assert [one.name for one in found.findings] == ["hidden_bias", "robustness_value", "oster_delta"]


def test_the_order_of_rows_and_the_unit_of_the_outcome_change_nothing():
    frame, outcome = table()
    kept = outcome.copy()
    main = match_sensitivity(design(frame), outcome, Estimate(1.9, 0.2))
    mixed = frame.sample(frac=1, random_state=1)
    again = match_sensitivity(design(mixed), 10 * outcome.sample(frac=1, random_state=2), Estimate(19.0, 2.0))
    assert again.hidden_bias.gamma_lost == pytest.approx(main.hidden_bias.gamma_lost, rel=1e-9)
    assert again.e_value.point == pytest.approx(main.e_value.point, rel=1e-12)
    assert again.robustness.value == pytest.approx(main.robustness.value, rel=1e-10)
    assert again.selection.delta == pytest.approx(main.selection.delta, rel=1e-8)
    pd.testing.assert_series_equal(outcome, kept)


@pytest.mark.parametrize("option", [NearestNeighbour(ratio=2), NearestNeighbour(replacement=True), EntropyBalancing()])
def test_bounds_within_pairs_are_refused_in_a_sentence_where_there_are_no_pairs_of_two(option):
    frame, outcome = table()
    found = match_sensitivity(design(frame, option), outcome, Estimate(1.9, 0.2))
    assert isinstance(found.hidden_bias, Unavailable)
    assert "pairs" in found.hidden_bias.reason
    assert found.e_value.point > 1


def test_units_without_an_outcome_are_counted_and_left_out():
    frame, outcome = table()
    chosen = design(frame)
    lost = int(chosen.baseline.units.index[chosen.pairs.treated[0]])
    found = match_sensitivity(chosen, outcome.drop(lost), Estimate(1.9, 0.2))
    assert found.n_lacking == 1
    assert found.hidden_bias.n_pairs == len(chosen.pairs.treated) - 1


def test_a_yes_or_no_outcome_is_a_ratio_of_shares():
    frame, outcome = table()
    passed = (outcome > 1).astype(float)
    found = match_sensitivity(design(frame), passed, Estimate(0.4, 0.1)).e_value
    chosen = design(frame)
    used = chosen.is_used
    treated = passed.to_numpy()[used & chosen.baseline.is_treated].mean()
    comparison = passed.to_numpy()[used & ~chosen.baseline.is_treated].mean()
    assert found.ratio == pytest.approx(treated / comparison)
    assert found.interval.lower < found.ratio < found.interval.upper
    assert isinstance(match_sensitivity(design(frame), 0 * passed, Estimate(0.0, 0.1)).e_value, Unavailable)


def test_options_are_checked():
    frame, outcome = table()
    chosen = design(frame)
    with pytest.raises(DesignError, match="Did you mean 'kind'"):
        match_sensitivity(chosen, outcome, Estimate(1.9, 0.2), SensitivityOptions(benchmarks=("kinds",)))
    with pytest.raises(DesignError, match="on the units' ids"):
        match_sensitivity(chosen, outcome.rename(lambda at: f"u{at}"), Estimate(1.9, 0.2))
    within = match_sensitivity(chosen, outcome, Estimate(1.9, 0.2), SensitivityOptions(sample="matched"))
    assert "matched sample" in within.regression_on


def test_tables_show_numbers_and_reasons():
    frame, outcome = table()
    found = match_sensitivity(design(frame), outcome, Estimate(1.9, 0.2))
    assert len(tables.sensitivity(found).table.rows) == 4
    assert tables.hidden_bias(found).table.rows[0][0] == 1
    assert "Characteristic" in tables.benchmarks(found)._repr_html_()
    bare = match_sensitivity(design(frame, EntropyBalancing()), outcome, Estimate(1.9, 0.2))
    assert isinstance(tables.hidden_bias(bare).table.rows[0][1], Unavailable)
    assert "pairs" in tables.sensitivity(bare).to_csv()
