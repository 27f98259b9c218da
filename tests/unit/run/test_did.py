"""`evalkit did`: what it prints is what the verbs return, and options that mean nothing are refused."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from evalkit.core.plain import plain_or_reason as given
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.staggered.bands import Uncertainty
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.results import staggered_results
from tests.did_command import COLUMNS, did, run_did, simulated

KEYS = [
    "group_time",
    "simple",
    "by_cohort",
    "event_study",
    "calendar",
    "n_units",
    "n_treated",
    "n_comparison",
    "dropped",
]
STAGGERED = ["group-time", "imputation", "sun-abraham", "extended", "two-stage"]


@pytest.fixture(scope="module")
def table():
    return simulated()


def test_the_numbers_are_those_of_the_verbs(table, tmp_path):
    roles = Roles(unit="unit", period="year", outcome="y", cohort="cohort", covariates=("x",))
    options = StaggeredOptions(comparison="not-yet", anticipation=1, base_period="universal")
    effects = group_time_effects(staggered_design(Panel.from_frame(table, roles), options), "ipw")
    wanted = staggered_results(effects, Uncertainty(level=0.9, n_draws=199, seed=7), 1)
    options = [
        "--covariates",
        "x",
        "--method",
        "ipw",
        "--comparison",
        "not-yet",
        "--anticipation",
        "1",
        "--base-period",
        "universal",
    ]
    errors = ["--bootstrap", "199", "--seed", "7", "--level", "0.9", "--balanced-until", "1"]
    found = did(table, tmp_path, *options, *errors).record
    assert found["simple"]["estimate"] == pytest.approx(wanted.simple.estimate, rel=1e-12)
    assert found["simple"]["std_error"] == pytest.approx(wanted.simple.std_error, rel=1e-12)
    assert found["simple"]["interval"]["level"] == 0.9
    assert [cell["cohort"] for cell in found["group_time"]] == [cell.cohort for cell in wanted.group_time]
    for cell, same in zip(found["group_time"], wanted.group_time, strict=True):
        assert cell["estimate"] == pytest.approx(same.estimate, rel=1e-12, abs=1e-15)
    times = found["event_study"]["times"]
    assert [time["event_time"] for time in times] == [part.label for part in wanted.event_study.parts]
    for time, part in zip(times, wanted.event_study.parts, strict=True):
        if isinstance(part.band, Interval):
            assert time["band"]["lower"] == pytest.approx(part.band.lower, rel=1e-12)
        else:
            assert time["band"] == {"unavailable": part.band.reason}
    assert found["by_cohort"]["overall"]["estimate"] == pytest.approx(wanted.by_cohort.overall.estimate, rel=1e-12)
    assert found["calendar"]["overall"]["estimate"] == pytest.approx(wanted.calendar.overall.estimate, rel=1e-12)


@pytest.mark.parametrize("estimator", [*STAGGERED, "twfe", "all"])
def test_every_estimator_prints_the_same_keys_first(table, tmp_path, estimator):
    found = did(table, tmp_path, "--estimator", estimator).record
    assert list(found)[: len(KEYS)] == KEYS
    assert found["simple"]["estimate"] == pytest.approx(1.0, abs=0.2)
    assert list(found["simple"])[:3] == ["estimate", "std_error", "interval"]
    assert set(found["simple"]["interval"]) == {"lower", "upper", "level"}
    assert (found["n_units"], found["n_treated"], found["n_comparison"]) == (90, 60, 30)
    assert found["dropped"] == []
    assert found["estimator"] == estimator
    assert found["event_study"]["times"][-1]["event_time"] == 4


@pytest.mark.parametrize("estimator", STAGGERED)
def test_parts_carry_their_labels_as_whole_numbers(table, tmp_path, estimator):
    found = did(table, tmp_path, "--estimator", estimator).record
    assert list(found["group_time"][0])[:4] == ["cohort", "period", "estimate", "std_error"]
    assert [part["cohort"] for part in found["by_cohort"]["cohorts"]] == [2013, 2015]
    assert [part["period"] for part in found["calendar"]["periods"]] == [2013, 2014, 2015, 2016, 2017]
    for time in found["event_study"]["times"]:
        assert type(time["event_time"]) is int
        assert {"estimate", "std_error", "interval", "band"} <= set(time)


def test_two_way_fixed_effects_have_a_decomposition_and_reasons(table, tmp_path):
    found = did(table, tmp_path, "--estimator", "twfe").record
    pairs = found["goodman_bacon"]["pairs"]
    assert sum(pair["weight"] for pair in pairs) == pytest.approx(1)
    assert sum(pair["weight"] * pair["estimate"] for pair in pairs) == pytest.approx(found["simple"]["estimate"])
    assert "only covariates make one" in found["goodman_bacon"]["within_estimate"]["unavailable"]
    for key in ("group_time", "by_cohort", "calendar"):
        assert "one number" in found[key]["unavailable"]
    unbalanced = did(table.drop(index=3), tmp_path, "--estimator", "twfe").record
    assert "every unit in every period" in unbalanced["goodman_bacon"]["unavailable"]


def test_all_estimators_stand_side_by_side(table, tmp_path):
    rows = did(table, tmp_path, "--estimator", "all").record["side_by_side"]
    assert [row["estimator"] for row in rows] == [*STAGGERED, "twfe"]
    for row in rows[1:5]:
        alone = did(table, tmp_path, "--estimator", row["estimator"]).record["simple"]
        assert row["estimate"] == pytest.approx(alone["estimate"], rel=1e-9)
        assert row["std_error"] == pytest.approx(alone["std_error"], rel=1e-9)
        assert row["compares"]
    robust = did(table, tmp_path, "--estimator", "twfe").record["cluster_robust"]
    assert rows[5]["std_error"] == robust["std_error"]  # errors of one kind in every row, whatever is recommended
    with_fixed = did(table, tmp_path, "--estimator", "all", "--covariates", "x").record["side_by_side"]
    assert "'x'" in with_fixed[1]["estimate"]["unavailable"]  # unit effects take out what stays the same in a unit
    assert isinstance(with_fixed[0]["estimate"], float)


def test_estimators_that_compare_with_all_untreated_need_no_never_treated(tmp_path):
    table = simulated(starts=(2013, 2016))
    assert did(table, tmp_path, "--estimator", "imputation").code == 0
    refused = did(table, tmp_path)
    assert refused.code == 2
    assert "No unit is never treated" in refused.err
    notes = did(table, tmp_path, "--comparison", "not-yet").record["notes"]
    assert any("start later serve as comparison" in note for note in notes)


def test_ids_are_texts_as_in_the_file(table, tmp_path):
    changed = table.copy()
    changed.loc[[0, 1, 9], "y"] = np.nan
    [lost] = did(changed, tmp_path).record["dropped"]
    assert lost == {"reason": "the outcome 'y' is missing", "n_units": 2, "n_rows": 3, "units": ["0000", "0001"]}


def test_units_left_out_by_the_design_are_named(tmp_path):
    [lost] = did(simulated(9, (2010, 2013, None)), tmp_path).record["dropped"]
    assert "begun by the first period" in lost["reason"]
    assert (lost["n_units"], lost["n_rows"], lost["units"]) == (3, 24, ["0000", "0003", "0006"])


def test_the_order_of_rows_and_the_names_of_units_do_not_matter(table, tmp_path):
    first = did(table, tmp_path).record
    mixed = table.sample(frac=1, random_state=3).assign(unit=lambda frame: "u" + frame["unit"].str[::-1])
    second = did(mixed, tmp_path).record
    for one, other in zip(first["group_time"], second["group_time"], strict=True):
        assert one["estimate"] == pytest.approx(other["estimate"], rel=1e-9, abs=1e-12)
        assert one["std_error"] == pytest.approx(other["std_error"], rel=1e-9)


def test_a_parquet_file_gives_what_the_csv_file_gives(table, tmp_path):
    table.to_parquet(tmp_path / "table.parquet")
    found = json.loads(run_did(tmp_path / "table.parquet", "--json").out)
    assert found == did(table, tmp_path).record


def test_the_seed_decides_draws(table, tmp_path):
    one, same, other = (did(table, tmp_path, "--bootstrap", "99", "--seed", seed).out for seed in ("3", "3", "4"))
    assert one == same
    assert json.loads(one)["simple"]["std_error"] != json.loads(other)["simple"]["std_error"]


UNUSED = [
    ("imputation", "--method dr", "--method"),
    ("imputation", "--comparison not-yet", "--comparison"),
    ("sun-abraham", "--base-period universal", "--base-period"),
    ("extended", "--method reg", "--method"),
    ("two-stage", "--repeated-cross-sections", "--repeated-cross-sections"),
    ("two-stage", "--unbalanced levels", "levels"),
    ("twfe", "--bootstrap 199", "--bootstrap"),
    ("twfe", "--anticipation 0", "--anticipation"),
    ("twfe", "--balanced-until 1", "--balanced-until"),
    ("twfe", "--unbalanced pairs", "--unbalanced"),
    ("all", "--repeated-cross-sections", "--repeated-cross-sections"),
    ("group-time", "--repeated-cross-sections --unbalanced pairs", "--unbalanced"),
]


@pytest.mark.parametrize(("estimator", "options", "named"), UNUSED)
def test_an_option_that_means_nothing_is_refused(table, tmp_path, estimator, options, named):
    ran = did(table, tmp_path, "--estimator", estimator, *options.split())
    assert (ran.code, ran.out) == (2, "")
    assert named in ran.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--level 95", "between 0 and 1"),
        ("--level 0", "between 0 and 1"),
        ("--level nan", "between 0 and 1"),
        ("--level x", "--level takes a number, not 'x'."),
        ("--bootstrap 5", "from 99"),
        ("--bootstrap -1", "from 99"),
        ("--bootstrap 10000000", "from 99"),
        ("--bootstrap 99.5", "--bootstrap takes a whole number, not '99.5'."),
        ("--seed -1", "--seed"),
        ("--anticipation -1", "--anticipation"),
        ("--anticipation 9", "No unit is treated within the periods"),
        ("--anticipation 1000000000000000000000000000000", "No unit is treated within the periods"),
        ("--balanced-until -1", "--balanced-until"),
        ("--balanced-until 5", "at most 4"),
        ("--covariates x,,y2", "empty column"),
        ("--covariates x,x", "named twice"),
        ("--covariates xx", "no column 'xx'. Did you mean 'x'?"),
        ("--covariates y", "cannot be a covariate"),
        ("--weights year", "named as period and as weight"),
        ("--cluster nowhere", "no column 'nowhere'"),
        ("--method doubly", "--method is one of dr, ipw and reg, not 'doubly'."),
        ("--estimator magic", "--estimator is one of group-time, imputation,"),
        ("--cov x", "There is no option '--cov'. Did you mean"),
    ],
)
def test_an_option_out_of_range_is_refused(table, tmp_path, options, said):
    ran = did(table, tmp_path, *options.split())
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    ran = run_did(tmp_path / "absent.csv", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "no such file" in ran.err


def test_few_people_of_cross_sections_are_not_counted(tmp_path):
    table = simulated(40, (2012, *[None] * 7), range(2010, 2013)).reset_index(drop=True)
    table = table[table["cohort"].isna() | table["unit"].isin(["0000"])]
    table["unit"] = [f"p{at}" for at in range(len(table))]
    table.loc[table.index[-2:], "y"] = np.nan
    found = did(table, tmp_path, "--repeated-cross-sections").record
    assert found["n_treated"] == {"unavailable": "fewer than 10"}
    assert "unavailable" in found["n_units"]
    assert found["n_comparison"] == 103
    [lost] = found["dropped"]
    assert lost["n_rows"] == {"unavailable": "fewer than 10"}
    assert lost["n_units"] == {"unavailable": "fewer than 10"}
    assert "unavailable" in lost["units"]
    assert "n_treated" not in found["group_time"][0]
    assert found["inference"]["n_treated_clusters"] == {"unavailable": "fewer than 10"}
    said = run_did(tmp_path / "table.csv", "--repeated-cross-sections").out
    assert "fewer than 10 observations treated" in said


@pytest.mark.parametrize("more", [(), ("--base-period", "universal"), ("--bootstrap", "99", "--draw", "clusters")])
def test_one_pupil_is_no_cohort(shared, more):
    """A cohort of one pupil, whose change was 95.9: no estimate, interval or average gives it, as text or as JSON."""
    path = shared / "cases" / "disclosure" / "one_pupil_cohort.csv"
    if not path.exists():
        pytest.skip("needs ../shared/cases/disclosure/one_pupil_cohort.csv, which is not on this machine")
    columns = ("--unit", "school", "--period", "year", "--outcome", "y", "--cohort", "g")
    options = ("--repeated-cross-sections", *more)
    printed = run_did(path, *options, columns=columns).out
    record = run_did(path, *options, "--json", columns=columns).record
    assert "95.9" not in printed
    assert "95.9" not in json.dumps(record)
    assert "unavailable" in record["by_cohort"]["cohorts"][1]["estimate"]
    # what a reader wants first is told: the overall effect rests on 284 treated pupils
    assert record["simple"]["estimate"] == pytest.approx(0.592, abs=5e-4)
    assert any("fewer than 10 people in a period" in note for note in record["notes"])


@pytest.mark.parametrize("estimator", ["group-time", "imputation", "sun-abraham", "extended", "two-stage"])
def test_few_people_of_a_panel_are_not_counted_nor_told_of(tmp_path, estimator):
    table = simulated(60, (2012, *[None] * 2), range(2010, 2014))
    table["unit"] = "pupil " + table["unit"]
    few = [f"pupil {at:04d}" for at in np.flatnonzero(np.arange(60) % 3 == 1)[:4]]
    table.loc[table["unit"].isin(few), "cohort"] = 2013  # four people start later
    table.loc[(table["unit"] == "pupil 0002") & (table["year"] == 2010), "y"] = np.nan
    named = did(table, tmp_path, "--estimator", estimator).record
    found = did(table, tmp_path, "--estimator", estimator, "--people").record
    printed = run_did(tmp_path / "table.csv", "--estimator", estimator, "--people").out
    late = named["by_cohort"]["cohorts"][1]
    assert late["cohort"] == 2013
    assert isinstance(late["estimate"], float)
    assert "unavailable" in found["by_cohort"]["cohorts"][1]["estimate"]
    assert f"{late['estimate']:.6f}"[:6] not in json.dumps(found) + printed
    assert found["simple"]["estimate"] == named["simple"]["estimate"]  # rests on 24 people
    assert all("n_treated" not in cell for cell in found["group_time"])
    [lost] = found["dropped"]
    assert lost["n_units"] == lost["n_rows"] == {"unavailable": "fewer than 10"}
    assert "pupil 0002" not in json.dumps(found) + printed
    assert "1 unit " not in json.dumps(found) + printed


def test_degrees_of_freedom_do_not_tell_how_few_people_were_treated(tmp_path):
    table = simulated(60, (2012, *[None] * 14), range(2010, 2014))  # four treated: 3.4 degrees of freedom
    found = did(table, tmp_path, "--people").record
    assert "unavailable" in found["simple"]["estimate"]
    overall = found["inference"]["overall"]
    assert overall["df"] == overall["interval"] == found["simple"]["estimate"]
    assert isinstance(did(table, tmp_path).record["inference"]["overall"]["df"], float)


@pytest.mark.parametrize("estimator", ["twfe", "all"])
def test_people_need_an_estimator_that_keeps_cohorts_apart(tmp_path, estimator):
    simulated().to_csv(tmp_path / "table.csv", index=False)
    ran = run_did(tmp_path / "table.csv", "--people", "--estimator", estimator)
    assert ran.code == 2
    assert "does not keep cohorts apart" in ran.err


def test_schools_of_cross_sections_are_named_and_clustered_by(tmp_path):
    table = pd.concat([simulated(seed=seed) for seed in (1, 2)])
    table.loc[table["unit"] == "0003", "y"] = np.nan
    found = did(table, tmp_path, "--repeated-cross-sections").record
    assert found["inference"]["clustered_by"] == "unit"
    assert found["inference"]["n_treated_clusters"] == 59
    assert found["dropped"][0]["units"] == ["0003"]
    assert found["counts_are_of"] == "observations"
    assert found["n_units"] == 89 * 8 * 2


def test_no_number_that_is_none_reaches_json():
    assert given(float("nan")) == {"unavailable": "The calculation gave no finite number."}
    assert given(np.float64(2.5)) == 2.5
    assert given(Unavailable("Because.")) == {"unavailable": "Because."}
    assert given(Interval(1, 2, 0.9)) == {"lower": 1, "upper": 2, "level": 0.9}


def test_a_person_is_told_what_was_compared_and_how_far_it_goes(table, tmp_path):
    table.to_csv(tmp_path / "scores.csv", index=False)
    text = run_did(tmp_path / "scores.csv", "--covariates", "x").out
    assert "90 units in 8 periods (2010 to 2017): 60 units treated, in 2 cohorts (2013 and 2015), and 30" in text
    assert "Each cohort is compared with units never treated" in text
    flat = " ".join(text.split())
    assert "higher than expected (95% interval" in flat
    assert "if without the programme they would have moved as comparison units with the same covariates did." in flat
    assert "A test before the start is no proof" in flat
    assert "Recommended for 60 treated clusters and 30 comparison clusters" in flat
    assert "-0" not in text
    assert "nan" not in text.lower()
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("estimator", [*STAGGERED, "twfe", "all"])
def test_tables_are_aligned(table, tmp_path, estimator):
    table.to_csv(tmp_path / "scores.csv", index=False)
    lines = run_did(tmp_path / "scores.csv", "--estimator", estimator).out.splitlines()
    at = lines.index("The two-way event study" if estimator == "twfe" else "By time since the start")
    header, first = lines[at + 1], lines[at + 2]
    assert header.startswith("  Periods since the start")
    assert len(first) == len(header)


def test_a_reason_stands_below_its_table(tmp_path):
    simulated(40, (2013, *[None] * 39)).to_csv(tmp_path / "one.csv", index=False)
    text = run_did(tmp_path / "one.csv").out
    assert "[1] Clusters that change places give a p-value and an interval, but no standard error" in text
    said = " ".join(text.split())
    assert "That interval is from randomisation inference. 40 assignments of whole clusters compared" in said
    assert "Few clusters carry some of these numbers" in said


def test_small_numbers_are_written_in_powers_of_ten(table, tmp_path):
    table.assign(y=table["y"] * 1e-20).to_csv(tmp_path / "small.csv", index=False)
    text = run_did(tmp_path / "small.csv").out
    assert re.search(r"was (0\.9\d*e\S20|9\.\d+e\S21|1(\.\d+)?e\S20) higher", text), text.splitlines()[11]
    assert "0.0000" not in text


def test_schools_clustered_in_areas_are_named_but_single_people_are_not(tmp_path):
    pupils = pd.concat([simulated(seed=seed) for seed in (1, 2)])
    pupils["area"] = pupils["unit"].str[:3]
    pupils.loc[pupils["unit"] == "0003", "y"] = np.nan
    options = ("--repeated-cross-sections", "--cluster", "area")
    assert did(pupils, tmp_path, *options).record["dropped"][0]["units"] == ["0003"]
    people = pupils.assign(unit=[f"p{at}" for at in range(len(pupils))])
    assert "unavailable" in did(people, tmp_path, *options).record["dropped"][0]["units"]


def test_progress_goes_to_standard_error(table, tmp_path):
    ran = did(table, tmp_path)
    assert "reading table.csv" in ran.err
    assert ran.out.startswith("{")
    assert ran.out.endswith("}\n")


def test_the_columns_may_have_any_name(table, tmp_path):
    renamed = table.rename(
        columns={"unit": "School id", "year": "period", "y": "Score, maths", "cohort": "first treat"}
    )
    columns = ("--unit", "School id", "--period", "period", "--outcome", "Score, maths", "--cohort", "first treat")
    assert (
        did(renamed, tmp_path, columns=columns).record["simple"]
        == did(table, tmp_path, columns=COLUMNS).record["simple"]
    )


def test_cohorts_of_few_clusters_are_named(tmp_path):
    """32 treated units support clustered errors of the overall effect; the four of cohort 2011 none of their own."""
    random, start = np.random.default_rng(5), [*np.repeat([2011.0, 2012.0, 2013.0], [4, 14, 14]), *[np.nan] * 32]
    rows = [(f"{i:02d}", year, random.normal(), start[i]) for i in range(64) for year in range(2009, 2015)]
    found = did(pd.DataFrame(rows, columns=["unit", "year", "y", "cohort"]), tmp_path).record
    assert "no degrees of freedom" in found["inference"]["overall"]["df"]["unavailable"]
    assert found["simple"]["inference"] == "cluster-robust"
    by_cohort = {one["cohort"]: one for one in found["by_cohort"]["cohorts"]}
    assert by_cohort[2011]["inference"] == "CR2 with Satterthwaite degrees of freedom"
    # 4 treated, 32 others: (1/4 + 1/32)²/((1/4)²/3 + (1/32)²/31) = 3.79
    assert by_cohort[2011]["df"] == pytest.approx(3.791, abs=1e-3)
    assert found["notes"][0].startswith("Few clusters carry some of these numbers")


def test_a_corrected_interval_says_how_and_is_not_the_narrower_one(tmp_path):
    random, start = np.random.default_rng(6), [*np.repeat([2011.0, 2012.0], 6), *[np.nan] * 20]
    rows = [(f"{i:02d}", year, random.normal(), start[i]) for i in range(32) for year in range(2009, 2015)]
    table = pd.DataFrame(rows, columns=["unit", "year", "y", "cohort"])
    plain = did(table, tmp_path).record
    assert plain["inference"]["overall"]["std_error"] == plain["simple"]["std_error"]
    assert plain["simple"]["std_error"] > plain["simple"]["plain_std_error"]
    assert plain["simple"]["inference"] == "CR2 with Satterthwaite degrees of freedom"
    fixed = did(table, tmp_path, "--estimator", "sun-abraham").record["inference"]["overall"]["note"]
    assert "corrected for the clusters of each cohort; Student's t" in fixed
    mixed = did(table.assign(area=table["unit"].astype(int) % 8), tmp_path, "--cluster", "area")
    assert "of which some hold units of several or units never treated" in mixed.record["inference"]["overall"]["note"]


@pytest.mark.parametrize(
    ("n_treated", "n_comparison", "options", "said"),
    [
        (
            1,
            45,
            (),
            "Conley–Taber. .* is from randomisation inference, which compares in the same way but takes no account",
        ),
        (1, 25, (), "Recommended for 1 treated cluster and 25 comparison clusters: randomisation inference\\."),
        (1, 25, ("--estimator", "two-stage"), "The overall effect has no interval of it"),
        (1, 10, (), "Recommended for 1 treated cluster and 10 comparison clusters: none\\. .* Add units\\. "),
    ],
)
def test_the_text_says_what_follows_the_recommendation(tmp_path, n_treated, n_comparison, options, said):
    random, start = np.random.default_rng(8), [*[2012.0] * n_treated, *[np.nan] * n_comparison]
    rows = [(i, year, random.normal(), start[i]) for i in range(len(start)) for year in range(2010, 2014)]
    path = tmp_path / "table.csv"
    pd.DataFrame(rows, columns=["unit", "year", "y", "cohort"]).to_csv(path, index=False)
    text = run_did(path, *options).out
    assert re.search(said, " ".join(text[text.index("\nStandard errors") :].split()) + " ")
