"""What `evalkit did` withholds in its text it withholds in JSON, and the other way round, by every estimator."""

import re

import pytest

from tests.did_command import did, run_did, simulated

ESTIMATORS = ["group-time", "imputation", "sun-abraham", "extended", "two-stage", "twfe", "all"]


def few_areas(n_treated):
    """Schools of 30 areas, of which one or two are treated, one of them with nearly all treated schools."""
    table = simulated(n_units=150, starts=(2014, None))
    unit = table["unit"].astype(int)
    is_treated = table["cohort"].notna()
    table["area"] = [f"c{at % 28}" for at in unit]
    table.loc[is_treated, "area"] = "t0"
    for at in range(1, n_treated):
        table.loc[is_treated & (unit == 2 * at), "area"] = f"t{at}"
    return table


def is_reason(value):
    return isinstance(value, dict) and "unavailable" in value


def errors_in(record, where=""):
    """Yield the place and the record of everything that has an estimate and an error."""
    if isinstance(record, dict):
        if "std_error" in record and "interval" in record:
            yield where, record
        for key, value in record.items():
            yield from errors_in(value, f"{where}/{key}")
    elif isinstance(record, list):
        for at, value in enumerate(record):
            yield from errors_in(value, f"{where}[{at}]")


@pytest.mark.parametrize("n_treated", [1, 6])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_no_error_stands_beside_a_withheld_interval(tmp_path, estimator, n_treated):
    table = few_areas(n_treated)
    options = ("--estimator", estimator, "--cluster", "area")
    record = did(table, tmp_path, *options).record
    found = list(errors_in(record))
    assert found
    withheld = [(place, one) for place, one in found if is_reason(one["interval"])]
    assert any(place.startswith("/simple") for place, _ in withheld), "the overall interval is withheld here"
    for place, one in withheld:
        for key in ("std_error", "plain_std_error", "p_value", "band"):
            is_rank = key == "p_value" and one.get("inference") == "randomisation inference"  # its interval has no end
            assert key not in one or is_reason(one[key]) or is_rank, f"{place}/{key}"
    text = run_did(tmp_path / "table.csv", *options).out
    plain = re.sub(r"\s+", " ", text)
    assert "How uncertain this is cannot be given" in plain


def test_the_row_of_the_two_way_effect_is_by_the_inference_that_clusters_support(tmp_path):
    table = simulated(n_units=40, starts=(2014, None, None, None, None))
    record = did(table, tmp_path, "--estimator", "all").record
    alone = did(table, tmp_path, "--estimator", "twfe").record
    [row] = [one for one in record["side_by_side"] if one["estimator"] == "twfe"]
    assert alone["inference"]["overall"]["method"].startswith("CR2")
    assert row["interval"] == alone["simple"]["interval"]
    assert row["interval"] != alone["cluster_robust"]["interval"]


def three_areas():
    """Schools of 40 areas, three of them treated."""
    table = simulated(n_units=160, starts=(None,))
    table["area"] = table["unit"].astype(int) % 40
    table["cohort"] = table["cohort"].mask(table["area"] < 3, 2014)
    return table


@pytest.mark.parametrize("estimator", ["group-time", "imputation", "twfe"])
def test_three_treated_areas_are_said_to_be_conservative_with_the_half_length(tmp_path, estimator):
    options = ("--cluster", "area", "--estimator", estimator)
    record = did(three_areas(), tmp_path, *options).record
    overall = record["inference"]["overall"]
    assert overall["df"] == pytest.approx(2.2, abs=0.2)
    assert overall["is_conservative"] is True
    interval = overall["interval"]
    assert overall["half_length"] == pytest.approx((interval["upper"] - interval["lower"]) / 2)
    text = re.sub(r"\s+", " ", run_did(tmp_path / "table.csv", *options).out)
    assert f"The half-length of its 95% interval is {overall['half_length']:.3f}"[:-1] in text
    if estimator != "twfe":
        assert all(cell["is_conservative"] for cell in record["group_time"] if "lower" in cell["interval"])
        assert "intervals are conservative (half-length" in text


def test_many_areas_are_not_conservative(tmp_path):
    record = did(simulated(), tmp_path).record
    assert record["inference"]["overall"]["is_conservative"] is False
    assert "half_length" not in record["inference"]["overall"]
    assert "conservative" not in run_did(tmp_path / "table.csv").out
