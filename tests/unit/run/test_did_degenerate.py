"""Degenerate tables through `evalkit did`: a right answer or a clear refusal, never a wrong number."""

import numpy as np
import pandas as pd
import pytest

import evalkit
from tests.did_command import did, run_did, simulated

STAGGERED = ["group-time", "imputation", "sun-abraham", "extended", "two-stage"]
EVERY = [*STAGGERED, "twfe", "all"]
every_estimator = pytest.mark.parametrize("estimator", EVERY)
both_readings = pytest.mark.parametrize("estimator", ["group-time", "twfe"])
every_staggered = pytest.mark.parametrize("estimator", STAGGERED)


def refusal(table, folder, *options):
    """Return the sentence with which a table is refused."""
    ran = did(table, folder, *options)
    assert (ran.code, ran.out) == (2, "")
    said = ran.err.splitlines()[-1]
    assert said.endswith(".")
    return ran.err


def reason(value):
    assert set(value) == {"unavailable"}
    return value["unavailable"]


def means(table, cohort, year):
    is_in = table["cohort"].isna() if cohort is None else table["cohort"].eq(cohort).fillna(False)
    return table.loc[is_in & (table["year"] == year), "y"].mean()


def by_hand(table, cohort, year, base):
    """The difference of two differences of means, against units never treated."""
    changes = [means(table, which, year) - means(table, which, base) for which in (cohort, None)]
    return changes[0] - changes[1]


@every_estimator
def test_one_cohort(tmp_path, estimator):
    table = simulated(starts=(2013, None))
    found = did(table, tmp_path, "--estimator", estimator).record
    if estimator in ("group-time", "sun-abraham", "all"):
        # the mean over the years after the start of the change since 2012, less that of the never-treated
        wanted = np.mean([by_hand(table, 2013, year, 2012) for year in range(2013, 2018)])
    else:
        # with one cohort all others are the two-period difference of means after less before
        after, before = (
            [by_hand(table, 2013, year, 2010) for year in years] for years in (range(2013, 2018), range(2010, 2013))
        )
        wanted = np.mean(after) - np.mean(before)
    assert found["simple"]["estimate"] == pytest.approx(wanted, rel=1e-9)
    assert found["simple"]["std_error"] > 0


@every_estimator
def test_one_period_before_the_start(tmp_path, estimator):
    table = simulated(starts=(2011, None))
    found = did(table, tmp_path, "--estimator", estimator).record
    wanted = np.mean([by_hand(table, 2011, year, 2010) for year in range(2011, 2018)])
    assert found["simple"]["estimate"] == pytest.approx(wanted, rel=1e-9)
    if estimator != "twfe":
        assert reason(found["pre_test"])


def test_two_periods_and_two_groups_are_the_textbook_case(tmp_path):
    rows = [("a", 1, 1.0, 2), ("a", 2, 4.0, 2), ("b", 1, 2.0, 2), ("b", 2, 7.0, 2)]
    rows += [("c", 1, 0.0, None), ("c", 2, 1.0, None), ("d", 1, 3.0, None), ("d", 2, 3.0, None)]
    table = pd.DataFrame(rows, columns=["unit", "year", "y", "cohort"]).astype({"cohort": "Int64"})
    found = did(table, tmp_path).record
    # changes 3 and 5 of treated units, 1 and 0 of the others: 4 − 0.5; variances (1 + 1)/2² and (0.25 + 0.25)/2²
    assert found["simple"]["estimate"] == pytest.approx(3.5)
    roles = evalkit.Roles(unit="unit", period="year", outcome="y", cohort="cohort")
    effects = evalkit.group_time_effects(evalkit.staggered_design(evalkit.Panel.from_frame(table, roles)))
    plain = evalkit.staggered_results(effects, evalkit.Uncertainty(errors="plain")).simple
    assert plain.std_error == pytest.approx(np.sqrt(0.5 + 0.125))
    assert found["simple"]["plain_std_error"] == found["simple"]["std_error"]  # no number where the text has a reason
    assert "6 ways of choosing who is treated" in reason(found["simple"]["std_error"])  # 4 over 2


def test_a_cohort_without_comparison_has_a_reason_and_the_others_a_number(tmp_path):
    table = simulated(starts=(2012, 2014))
    found = did(table, tmp_path, "--comparison", "not-yet").record
    cells = {(cell["cohort"], cell["period"]): cell for cell in found["group_time"]}
    assert reason(cells[2014, 2014]["estimate"])
    assert reason(cells[2012, 2014]["estimate"])
    changes = [means(table, cohort, 2013) - means(table, cohort, 2011) for cohort in (2012, 2014)]
    assert cells[2012, 2013]["estimate"] == pytest.approx(changes[0] - changes[1])
    lacking = [(cell["cohort"], cell["period"]) for cell in found["simple"]["lacking"]]
    assert (2014, 2014) in lacking
    assert any("have no estimate" in note for note in found["notes"])
    [_, last] = found["by_cohort"]["cohorts"]
    assert reason(last["estimate"])


@pytest.mark.parametrize("method", ["dr", "ipw"])
def test_a_separable_propensity_is_refused(tmp_path, method):
    table = simulated()
    table["x"] = table["cohort"].notna() * 10.0 + table["x"].clip(-1, 1)
    assert "propensity" in refusal(table, tmp_path, "--covariates", "x", "--method", method)


@pytest.mark.parametrize(("name", "values"), [("double", lambda x: 2 * x + 1), ("constant", lambda x: x * 0 + 3)])
@pytest.mark.parametrize("method", ["dr", "ipw", "reg"])
def test_covariates_that_follow_from_others_are_refused(tmp_path, name, values, method):
    table = simulated().assign(other=lambda frame: values(frame["x"]))
    assert "'other'" in refusal(table, tmp_path, "--covariates", "x,other", "--method", method)


@both_readings
def test_duplicate_rows_are_refused(tmp_path, estimator):
    table = simulated()
    said = refusal(pd.concat([table, table.head(1)]), tmp_path, "--estimator", estimator)
    assert "Unit '0000' has two rows in period 2010" in said


@every_estimator
def test_years_may_be_missing_between_others(tmp_path, estimator):
    table = simulated(years=range(2016, 2024), starts=(2019, 2022, None))
    table = table[~table["year"].isin([2020, 2021])]
    found = did(table, tmp_path, "--estimator", estimator).record
    assert found["simple"]["estimate"] == pytest.approx(1.0, abs=0.3)
    assert found["periods"] == [2016, 2017, 2018, 2019, 2022, 2023]
    if estimator == "group-time":
        cells = {(cell["cohort"], cell["period"]): cell["estimate"] for cell in found["group_time"]}
        assert cells[2022, 2022] == pytest.approx(by_hand(table, 2022, 2022, 2019))
        assert cells[2019, 2022] == pytest.approx(by_hand(table, 2019, 2022, 2018))
        assert [part["event_time"] for part in found["event_study"]["times"]][-2:] == [3, 4]
    printed = run_did(tmp_path / "table.csv", "--estimator", estimator).out
    assert "there is a gap before 2022" in " ".join(printed.split())


@every_estimator
def test_a_cohort_that_starts_within_a_gap_is_measured_from_before_it(tmp_path, estimator):
    table = simulated(years=range(2016, 2024), starts=(2021, None))
    table = table[~table["year"].isin([2020, 2021])]
    found = did(table, tmp_path, "--estimator", estimator).record
    assert found["simple"]["estimate"] == pytest.approx(1.0, abs=0.3)
    if estimator == "group-time":
        wanted = np.mean([by_hand(table, 2021, year, 2019) for year in (2022, 2023)])
        assert found["simple"]["estimate"] == pytest.approx(wanted)


@every_estimator
def test_cohorts_that_start_within_one_gap_are_told_without_a_warning(tmp_path, estimator, recwarn):
    table = simulated(years=range(2016, 2024), starts=(2018, 2020, 2021, None))
    table = table[~table["year"].isin([2020, 2021])]
    found = did(table, tmp_path, "--estimator", estimator)
    assert found.record["simple"]["estimate"] == pytest.approx(1.0, abs=0.3)
    assert not [one for one in recwarn if issubclass(one.category, RuntimeWarning)]
    if estimator == "twfe":
        bacon, recoded = (
            did(one, tmp_path, "--estimator", "twfe").record["goodman_bacon"]
            for one in (table, table.assign(cohort=table["cohort"].replace({2020: 2022, 2021: 2022})))
        )
        assert bacon["totals"] == recoded["totals"]
        assert sum(pair["weight"] for pair in bacon["pairs"]) == pytest.approx(1)
        mean = sum(pair["weight"] * pair["estimate"] for pair in bacon["pairs"])
        assert mean == pytest.approx(found.record["simple"]["estimate"])
        assert {pair["treated"] for pair in bacon["pairs"]} == {2018, "2020 and 2021"}


@every_estimator
def test_a_constant_outcome_has_no_standard_error(tmp_path, estimator):
    found = did(simulated().assign(y=5.0), tmp_path, "--estimator", estimator).record
    assert found["simple"]["estimate"] == pytest.approx(0.0, abs=1e-12)
    assert reason(found["simple"]["std_error"])
    assert reason(found["simple"]["interval"])


@every_estimator
def test_missing_outcomes_are_counted(tmp_path, estimator):
    table = simulated()
    table.loc[::19, "y"] = np.nan
    found = did(table, tmp_path, "--estimator", estimator).record
    [lost] = [loss for loss in found["dropped"] if "missing" in loss["reason"]]
    assert lost["n_rows"] == len(table.iloc[::19])
    assert found["simple"]["estimate"] == pytest.approx(1.0, abs=0.3)


@every_estimator
def test_weights_of_zero_leave_units_out(tmp_path, estimator):
    table = simulated()
    is_out = table["unit"].isin(["0000", "0002"])
    found = did(table.assign(w=np.where(is_out, 0, 2)), tmp_path, "--weights", "w", "--estimator", estimator).record
    without = did(table[~is_out], tmp_path, "--estimator", estimator).record
    assert [(loss["reason"], loss["units"]) for loss in found["dropped"]] == [("the weight is zero", ["0000", "0002"])]
    assert found["simple"]["estimate"] == pytest.approx(without["simple"]["estimate"], rel=1e-9)
    assert found["simple"]["std_error"] == pytest.approx(without["simple"]["std_error"], rel=1e-9)


@every_estimator
def test_ten_units_are_told_to_be_few(tmp_path, estimator):
    found = did(simulated(10), tmp_path, "--estimator", estimator).record
    assert found["n_units"] == 10
    assert found["inference"]["recommended"] != "cluster-robust"
    if estimator != "twfe":
        assert found["simple"]["inference"] != "cluster-robust"
        assert found["notes"]


@every_estimator
def test_one_treated_unit_has_no_standard_error(tmp_path, estimator):
    table = simulated(40, (2013, *[None] * 39))
    found = did(table, tmp_path, "--estimator", estimator).record
    assert found["n_treated"] == 1
    assert reason(found["simple"]["std_error"])
    if estimator == "group-time":
        wanted = np.mean([by_hand(table, 2013, year, 2012) for year in range(2013, 2018)])
        assert found["simple"]["estimate"] == pytest.approx(wanted)
    for row in found.get("side_by_side", []):
        assert reason(row["std_error"])


@every_estimator
def test_one_comparison_unit_has_no_standard_error(tmp_path, estimator):
    table = simulated(40, (*[2013] * 39, None))
    found = did(table, tmp_path, "--estimator", estimator).record
    assert found["n_comparison"] == 1
    assert reason(found["simple"]["std_error"])


@every_staggered
def test_a_cohort_treated_from_the_first_period_is_left_out(tmp_path, estimator):
    table = simulated(starts=(2010, 2013, None))
    found = did(table, tmp_path, "--estimator", estimator).record
    without = did(table[table["cohort"].ne(2010).fillna(True)], tmp_path, "--estimator", estimator).record
    assert found["cohorts"] == [2013]
    assert found["dropped"][0]["n_units"] == 30
    assert found["simple"] == without["simple"]


@every_estimator
@pytest.mark.parametrize(
    ("name", "starts"),
    [
        ("everyone at once", (2013,)),
        ("everyone from the first period", (2010,)),
        ("nobody", (None,)),
        ("later", (2030, None)),
    ],
)
def test_where_nobody_can_be_compared_nothing_is_estimated(tmp_path, estimator, name, starts):
    options = ["--comparison", "not-yet"] if estimator in ("group-time", "extended", "all") else []
    refusal(simulated(30, starts), tmp_path, "--estimator", estimator, *options)


@every_estimator
def test_one_period_is_refused(tmp_path, estimator):
    refusal(simulated(30, (2010, 2011, None), range(2010, 2011)), tmp_path, "--estimator", estimator)


@every_estimator
def test_units_seen_once_only_show_no_change(tmp_path, estimator):
    table = simulated().assign(unit=lambda frame: [f"u{at}" for at in range(len(frame))])
    ran = did(table, tmp_path, "--estimator", estimator)
    if ran.code == 0:
        assert reason(ran.record["simple"]["estimate"])
    else:
        assert ran.code == 2


def test_a_text_among_numbers_is_refused(tmp_path):
    table = simulated()
    table["y"] = table["y"].astype(str)
    table.loc[7, "y"] = "see note"
    assert "line 9: 'see note' in the column 'y'" in refusal(table, tmp_path)


@both_readings
def test_a_unit_in_two_cohorts_is_refused(tmp_path, estimator):
    table = simulated()
    table.loc[3, "cohort"] = 2014
    assert "Unit '0000' changes cohort" in refusal(table, tmp_path, "--estimator", estimator)
    table.loc[3, "cohort"] = pd.NA
    assert "Unit '0000' changes cohort" in refusal(table, tmp_path, "--estimator", estimator)


@both_readings
def test_a_unit_in_two_clusters_is_refused(tmp_path, estimator):
    table = simulated().assign(area=lambda frame: frame["unit"].str[:3])
    table.loc[3, "area"] = "zzz"
    said = refusal(table, tmp_path, "--cluster", "area", "--estimator", estimator)
    assert "Unit '0000' changes cluster" in said


@every_estimator
def test_one_treated_cluster_has_no_standard_error(tmp_path, estimator):
    table = simulated(60, (2013, None))
    area = np.where(table["cohort"].notna(), "treated", table["unit"].str[:3])
    found = did(table.assign(area=area), tmp_path, "--cluster", "area", "--estimator", estimator).record
    assert found["inference"]["n_treated_clusters"] == 1
    assert reason(found["simple"]["std_error"])
    for row in found.get("side_by_side", []):
        assert reason(row["std_error"])
    drawn = did(table.assign(area=area), tmp_path, "--cluster", "area", "--bootstrap", "99").record
    assert reason(drawn["simple"]["std_error"])


@pytest.mark.parametrize(("value", "said"), [(0, "0 is no period"), (np.inf, "infinity is no period")])
def test_a_cohort_that_stands_for_never_is_refused(tmp_path, value, said):
    table = simulated().assign(cohort=lambda frame: frame["cohort"].astype(float).fillna(value))
    assert said in refusal(table, tmp_path)
    assert "leave the cohort empty" in refusal(table, tmp_path)


def test_cohort_zero_is_refused_where_periods_begin_at_one(tmp_path):
    table = simulated().assign(year=lambda frame: frame["year"] - 2009)
    table["cohort"] = (table["cohort"] - 2009).fillna(0)
    assert "0 is no period of the table" in refusal(table, tmp_path)


@pytest.mark.parametrize("factor", [1e150, 1e-150])
def test_numbers_beyond_arithmetic_are_refused(tmp_path, factor):
    assert "another unit" in refusal(simulated().assign(y=lambda frame: frame["y"] * factor), tmp_path)


@every_estimator
@pytest.mark.parametrize("factor", [1e30, 1e-30])
def test_the_unit_of_the_outcome_does_not_matter(tmp_path, estimator, factor):
    table = simulated()
    plain = did(table, tmp_path, "--estimator", estimator).record["simple"]
    scaled = did(table.assign(y=table["y"] * factor), tmp_path, "--estimator", estimator).record["simple"]
    assert scaled["estimate"] == pytest.approx(plain["estimate"] * factor, rel=1e-9, abs=0)
    assert scaled["std_error"] == pytest.approx(plain["std_error"] * factor, rel=1e-9, abs=0)
    text = run_did(tmp_path / "table.csv", "--estimator", estimator)
    assert (text.code, "nan" in text.out.lower()) == (0, False)


@every_estimator
def test_years_may_be_counted_from_anywhere(tmp_path, estimator):
    table = simulated()
    plain = did(table, tmp_path, "--estimator", estimator).record["simple"]
    shifted = table.assign(year=table["year"] - 2014, cohort=table["cohort"] - 2014)
    found = did(shifted, tmp_path, "--estimator", estimator).record
    assert found["simple"]["estimate"] == pytest.approx(plain["estimate"], rel=1e-9)
    assert found["simple"]["std_error"] == pytest.approx(plain["std_error"], rel=1e-9)
    assert found["cohorts"] == [-1, 1]


COLLINEAR = [
    ("x,z", "'z' follows from 'x'"),
    ("x,w,sum", "'sum' follows from 'x' and 'w'"),
    ("x,later", "'later' follows from 'x'"),  # but for the year, which periods' effects take out
    ("constant", "'constant' is the same for all units of a period"),
    ("x,year_as_number", "'year_as_number' is the same for all units of a period"),
]


@pytest.mark.parametrize(("covariates", "said"), COLLINEAR)
@pytest.mark.parametrize("options", [*(["--estimator", one] for one in EVERY), ["--repeated-cross-sections"]])
def test_collinear_covariates_are_refused_by_name(tmp_path, options, covariates, said):
    table = simulated(30)
    random = np.random.default_rng(3)
    table["w"] = random.normal(size=len(table))
    table["z"], table["sum"], table["later"] = 2 * table["x"], table["x"] + table["w"], table["x"] + table["year"]
    table["constant"], table["year_as_number"] = 0.1 + 0.2, table["year"]
    assert said in refusal(table, tmp_path, "--covariates", covariates, *options)


@pytest.mark.parametrize("options", [["--method", "reg"], ["--method", "dr"], ["--repeated-cross-sections"]])
def test_a_covariate_that_does_not_vary_in_an_arm_is_named_with_the_arm(tmp_path, options):
    table = simulated()
    table["x"] = table["x"].where(table["cohort"].notna(), 0.0)
    said = refusal(table, tmp_path, "--covariates", "x", *options)
    assert "the covariate 'x' does not vary among the comparison" in said


def few_areas(n_treated, seed=5):
    """48 schools in 24 areas, of which the first few are treated from 2013 on."""
    table = simulated(48, (2013, None), seed=seed)
    table["area"] = table["unit"].astype(int) // 2
    table["cohort"] = pd.array(np.where(table["area"] < n_treated, 2013, np.nan), dtype="float64")
    return table.astype({"cohort": "Int64"})


def printed_certainties(record, path=""):
    """Every p-value, error and interval of a record that is a number."""
    if isinstance(record, list):
        return [one for at, item in enumerate(record) for one in printed_certainties(item, f"{path}/{at}")]
    if not isinstance(record, dict):
        return []
    own = [
        f"{path}/{name}"
        for name in ("p_value", "std_error", "interval", "band", "statistic")
        if isinstance(record.get(name), float) or "lower" in (record.get(name) or ())
    ]
    return own + [one for name, item in record.items() for one in printed_certainties(item, f"{path}/{name}")]


ALIKE = {
    "constant": lambda table: 0.1 + 0.2 + 0 * table["year"],
    "the same change for all": lambda table: 0.1 * (table["unit"].astype(int) % 7) + np.sin(table["year"]),
    "at a high level": lambda table: 1e6 * (table["unit"].astype(int) % 7) / 3 + 0.1 * (table["year"] % 3),
}


@every_estimator
@pytest.mark.parametrize("n_treated", [1, 3, 12])
@pytest.mark.parametrize("kind", ALIKE)
def test_where_nothing_varies_the_effect_is_zero_and_nothing_is_certain(tmp_path, estimator, n_treated, kind):
    table = few_areas(n_treated)
    table["y"] = ALIKE[kind](table)
    found = did(table, tmp_path, "--cluster", "area", "--estimator", estimator).record
    assert found["simple"]["estimate"] == 0
    assert printed_certainties(found) == []


@every_estimator
@pytest.mark.parametrize("n_treated", [1, 3, 12])
def test_an_effect_that_is_the_same_everywhere_and_nothing_else_has_a_reason(tmp_path, estimator, n_treated):
    table = few_areas(n_treated)
    is_treated = (table["year"] >= table["cohort"]).fillna(False)
    table["y"] = 0.1 * (table["unit"].astype(int) % 7) + np.sin(table["year"]) + 0.3 * is_treated
    found = did(table, tmp_path, "--cluster", "area", "--estimator", estimator).record
    assert found["simple"]["estimate"] == pytest.approx(0.3)
    assert printed_certainties(found["simple"]) == []
