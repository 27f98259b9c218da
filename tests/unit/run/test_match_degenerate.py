"""Degenerate tables through `evalkit match`: a right answer or a clear refusal, never a wrong number."""

import numpy as np
import pandas as pd
import pytest

from tests.match_command import run_match

EVERY = ["nearest", "optimal", "full", "exact", "cem", "subclass", "profile", "entropy", "ipw", "cbps"]
every_method = pytest.mark.parametrize("method", EVERY)
COLUMNS = ("--treated", "joined", "--id", "school", "--outcome", "result")


def schools(n=60, seed=3):
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"school": np.arange(1000, 1000 + n), "size": random.integers(1, 4, n), "score": random.normal(size=n)}
    )
    table["joined"] = (random.random(n) < 0.3).astype(int)
    table["result"] = (table["score"] + random.normal(size=n) + 0.5 * table["joined"]).round(3)
    return table


def ran(folder, table, *options):
    path = folder / "schools.csv"
    table.to_csv(path, index=False)
    return run_match(path, *COLUMNS, *options)


def refusal(folder, table, *options):
    done = ran(folder, table, *options)
    assert (done.code, done.out) == (2, "")
    return done.err


@every_method
@pytest.mark.parametrize("value", ["N", 7, 0.1 + 0.2])
def test_a_covariate_of_one_value_is_refused_by_name_whatever_its_kind(tmp_path, method, value):
    said = refusal(tmp_path, schools().assign(region=value), "--on", "size,region", "--method", method)
    assert "The covariate 'region' has the same value for every unit" in said


def test_a_published_case_of_a_text_of_one_value(shared):
    path = shared / "cases" / "tables" / "match_constant_text.csv"
    if not path.is_file():
        pytest.skip("needs ../shared/cases/tables, which is not on this machine")
    done = run_match(path, "--treated", "t", "--on", "a,region", "--id", "id", "--outcome", "y")
    assert (done.code, done.out) == (2, "")
    assert "'region'" in done.err


@every_method
@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("double", "'double' is a sum of the other columns"),
        ("sum", "'sum' is a sum of the other columns"),
        ("same", "'same' is the same for all matched units"),
    ],
)
def test_collinear_columns_to_adjust_for_are_refused_by_name(tmp_path, method, columns, said):
    table = schools().assign(same=4, double=lambda t: 2 * t["score"], sum=lambda t: t["size"] + t["score"])
    given = {"exact": "size", "cem": "size"}.get(method, "size,score")
    options = ("--on", given, "--method", method, "--adjust", f"size,score,{columns}")
    assert said in refusal(tmp_path, table, *options)


@pytest.mark.parametrize("method", ["nearest", "optimal", "full", "exact", "cem", "profile", "entropy", "ipw", "cbps"])
def test_a_column_that_is_constant_among_the_treated_adjusts_the_comparison_units(tmp_path, method):
    """A slope of comparison units moves their mean to the treated value; of the treated there is nothing to move."""
    table = schools(120)
    table["score"] = table["score"].where(table["joined"] == 0, 0.1)
    estimates = {}
    for how in ("g-computation", "additive"):
        options = ("--on", "size", "--method", method, "--adjust", "score", "--adjustment", how, "--json")
        done = ran(tmp_path, table, *options)
        if done.code == 0:
            estimates[how] = done.record["effect"]["estimate"]
        else:
            assert "'score' is constant" in done.err or "not 'additive'" in done.err
    if method not in ("entropy", "ipw", "cbps"):
        assert estimates["g-computation"] == pytest.approx(estimates["additive"], rel=1e-9)


@every_method
@pytest.mark.parametrize("missing", [[], ["--missing", "category"]])
@pytest.mark.parametrize("categories", [[], ["--categories", "unknown"]])
def test_a_covariate_that_is_missing_for_everyone_is_refused_with_a_remedy_that_works(
    tmp_path, method, missing, categories
):
    table = schools().assign(unknown=np.nan)
    said = refusal(tmp_path, table, "--on", "size,unknown", "--method", method, *missing, *categories)
    assert "'unknown' is missing for every unit" in said
    assert "Leave it out." in said


def certainties(record):
    """Every p-value, error and interval of a record that is a number."""
    if not isinstance(record, dict | list):
        return []
    items = record.items() if isinstance(record, dict) else enumerate(record)
    found = []
    for name, item in items:
        is_one = name in ("p_value", "std_error", "interval") and (isinstance(item, float) or "lower" in (item or ()))
        found += [(name, item)] if is_one else certainties(item)
    return found


@every_method
@pytest.mark.parametrize("errors", [[], ["--errors", "HC1"], ["--errors", "bootstrap"], ["--errors", "abadie-imbens"]])
@pytest.mark.parametrize("effect", [0.0, 5.8])
def test_an_outcome_that_is_constant_in_each_arm_has_an_effect_and_no_certainty(tmp_path, method, errors, effect):
    table = schools(120).assign(result=lambda t: 0.1 + 0.2 + effect * t["joined"])
    given = ("--on", "size", "--caliper-on", "size=2") if method == "nearest" else ("--on", "size")
    few = ("--subclasses", "2") if method == "subclass" else ()
    options = (*given, *few, "--method", method, "--adjust", "score", *errors, "--json")
    if errors[1:] == ["abadie-imbens"]:
        options = (*given, "--method", method, "--replace", *errors, "--json") if method == "nearest" else options
    done = ran(tmp_path, table, *options)
    if done.code == 2:
        assert errors, done.err  # this kind of error is not for every method
        return
    found = done.record["effect"]["estimate"]
    assert found == (pytest.approx(effect) if effect else 0)
    assert certainties(done.record) == []
