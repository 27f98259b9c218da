"""Small inputs that went wrong in outside use, each with the answer that is right: ../shared/cases and its README."""

import json
import re
import shutil

import pandas as pd
import pytest

from evalkit.data.published.participants_file import read_listed_schools
from tests.conftest import beside_the_project
from tests.whole_command import typed

SCHOOLS = ("--unit", "school", "--period", "year", "--outcome", "score", "--cohort", "first")
TABLES = ("--unit", "id", "--period", "year", "--outcome", "y", "--cohort", "g")
COLLINEAR = ("--unit", "u", "--period", "t", "--outcome", "y", "--cohort", "g")
WEIGHED = ("--unit", "u", "--period", "t", "--outcome", "y", "--cohort", "g")


@pytest.fixture(scope="module")
def cases():
    return beside_the_project("cases")


def text_of(ran):
    """Return what a command printed that ended well, in one line."""
    assert ran.code == 0, ran.err
    return " ".join(ran.out.split())


def refused(ran):
    """Return the sentence with which a command refused its input, in one line."""
    assert ran.code == 2, (ran.code, ran.out[:500], ran.err)
    assert "Traceback" not in ran.err
    assert not ran.out
    return " ".join(ran.err.split("evalkit: ", 1)[1].split())


def did(path, *options, columns=SCHOOLS):
    return typed("did", path, *columns, *options)


def test_clusters_that_serve_no_cell_after_the_start_are_not_counted(cases):
    text = text_of(did(cases / "bug-01" / "schools-closed-before-start.csv"))
    assert "2 units treated" in text
    assert "56 rows of 28 units" in text
    assert "95% interval 0.144 to 1.922" in text
    assert "randomisation inference" in text
    assert "reliable" not in text


@pytest.mark.parametrize("estimator", ["imputation", "sun-abraham", "extended", "two-stage", "twfe"])
def test_no_estimator_counts_them(cases, estimator):
    text = text_of(did(cases / "bug-01" / "schools-closed-before-start.csv", "--estimator", estimator))
    assert "2 units treated" in text
    assert "30 units never treated" in text
    assert "56 rows of 28 units" in text
    assert "30 treated clusters" not in text


@pytest.mark.parametrize("name", ["results-without-2020-and-2021.csv", "three-cohorts.csv"])
def test_cohorts_in_one_gap_of_years_are_one_timing_group(cases, name, tmp_path):
    ran = did(cases / "bug-03" / name, "--estimator", "twfe", "--json")
    parts = ran.record["goodman_bacon"]
    known = [(one["weight"], one["estimate"]) for one in parts["totals"] if isinstance(one["estimate"], float)]
    assert sum(weight for weight, _ in known) == pytest.approx(1)
    assert sum(weight * effect for weight, effect in known) == pytest.approx(ran.record["simple"]["estimate"])
    table = pd.read_csv(cases / "bug-03" / name)
    recoded = tmp_path / "recoded.csv"
    table.assign(first=table["first"].replace({2020: 2022, 2021: 2022}).astype("Int64")).to_csv(recoded, index=False)
    assert did(recoded, "--estimator", "twfe", "--json").record["goodman_bacon"]["totals"] == parts["totals"]


def test_codes_of_school_years_give_the_numbers_of_years(cases):
    ran = [did(cases / "bug-05" / name, "--anticipation", "1") for name in ("years.csv", "dfe-time-period.csv")]
    years, codes = map(text_of, ran)
    assert "'score' was 1.121 higher" in years
    assert "'score' was 1.121 higher" in codes
    by_time = [ran[at].out.split("By time since the start")[1].split("By cohort")[0] for at in (0, 1)]
    assert by_time[0] == by_time[1]
    assert "\n  −3 " in by_time[0]


def test_minus_one_is_no_cohort(cases):
    assert "0.956 higher than expected (95% interval 0.518 to 1.394)" in text_of(
        did(cases / "bug-07" / "empty.csv", "--comparison", "not-yet")
    )
    said = refused(did(cases / "bug-07" / "minus-one.csv", "--comparison", "not-yet"))
    assert "-1" in said
    assert "If it stands for never treated, leave the cohort empty there" in said


def test_a_covariate_that_no_comparison_school_has_is_named(cases):
    path = cases / "bug-09" / "covariate-unknown-for-comparison.csv"
    said = refused(did(path, "--covariates", "pupils"))
    assert "All 10 never-treated units (60 rows) were left out, as the covariate 'pupils' is missing there" in said
    assert "leave the covariate out" in said
    assert did(path).code == 0


def test_ids_that_differ_only_in_dot_zero_are_refused_with_a_pair(cases):
    assert "'score' was 1.211 higher" in text_of(did(cases / "bug-10" / "right.csv"))
    said = refused(did(cases / "bug-10" / "urn-with-dot-zero.csv"))
    assert "20 pairs of units differ only in '.0': 100000 and 100000.0" in said


def test_true_and_false_say_who_took_part(cases):
    columns = ("--treated", "joined", "--on", "before,fsm", "--id", "urn")
    right, same = (typed("match", cases / "bug-14" / f"{name}.csv", *columns) for name in ("zero-one", "true-false"))
    assert text_of(right).split(": ", 1)[1] == text_of(same).split(": ", 1)[1]
    said = refused(typed("match", cases / "bug-14" / "yes-no.csv", *columns))
    assert "Write 1 for units that took part and 0 for the others" in said
    assert "empty" not in said


def test_the_nearest_id_is_the_one_without_dot_zero(cases):
    path = cases / "bug-15" / "schools.csv"
    said = refused(typed("similar", path, "--id", "urn", "--on", "before,fsm", "--for", "100025.0"))
    assert "There is no unit '100025.0'. Did you mean '100025'?" in said


def test_the_period_that_leaves_no_donor_is_named(cases, tmp_path):
    path = cases / "bug-15" / "areas.csv"
    columns = ("--unit", "area", "--period", "year", "--outcome", "share", "--treated", "A", "--start", "2016")
    said = refused(typed("synth", path, *columns))
    assert "every other area lacks some of the 9 periods" in said
    assert "Leave 2017 out for every area: then 5 other areas have every period" in said
    table = pd.read_csv(path)
    without = tmp_path / "without.csv"
    table[table["year"] != 2017].to_csv(without, index=False)
    assert "5 donors" in text_of(typed("synth", without, *columns))


@pytest.mark.parametrize(("name", "words"), [("x.xlsx", "'CSV UTF-8'"), ("x.dta", "Stata")])
def test_a_file_of_another_program_is_named_for_what_it_is(cases, tmp_path, name, words):
    shutil.copy(cases / "bug-15" / "areas.csv", tmp_path / name)
    columns = ("--unit", "area", "--period", "year", "--outcome", "share", "--treated", "A", "--start", "2016")
    assert words in refused(typed("synth", tmp_path / name, *columns))


@pytest.mark.parametrize("options", [("--base-period", "universal"), ("--estimator", "sun-abraham")])
def test_a_base_period_is_in_no_average(cases, options):
    ran = did(cases / "bug-16" / "three-cohorts.csv", *options, "--json")
    times = {row["event_time"]: row["estimate"] for row in ran.record["event_study"]["times"]}
    assert times[-2] == pytest.approx(0.048, abs=5e-4)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("did", "tables/stray_quote_did.csv", *TABLES), 57),
        (
            (
                "match",
                "tables/stray_quote_match.csv",
                *["--treated", "t", "--on", "a,b", "--id", "id", "--outcome", "y"],
            ),
            26,
        ),
        (("similar", "tables/stray_quote_similar.csv", "--id", "id", "--on", "a,b"), 21),
    ],
)
def test_a_quotation_mark_that_never_closes_is_refused_with_its_line(cases, words, line):
    said = refused(typed(words[0], cases / words[1], *words[2:]))
    assert f"line {line}: a quotation mark opens a cell there that never closes" in said


def test_a_cell_beyond_all_measure_is_refused_with_its_line(cases):
    said = refused(did(cases / "tables" / "hugecell_did.csv", columns=TABLES))
    assert "line 53: a cell has more than 131,072 characters" in said


def test_a_true_or_false_outcome_is_refused_by_name(cases):
    path, columns = cases / "tables" / "synth_bool.parquet", ("--unit", "la", "--period", "year", "--outcome", "y")
    said = refused(typed("synth", path, *columns, "--treated", "300", "--start", "2014", "--method", "sdid"))
    assert "the column 'y' holds true and false" in said


@pytest.mark.parametrize("options", [(), ("--estimator", "twfe")])
def test_one_school_with_most_of_the_weight_gives_no_interval(cases, options):
    path = cases / "tables" / "one_school_80pct_of_weight.csv"
    text = text_of(did(path, "--weights", "w", *options, columns=WEIGHED))
    assert "'y' was 0.366 higher than expected" in text
    assert "worth 1.6 equal clusters, and one of them holds 80% of the weight" in text
    answer, effects = text.split("The effects")
    assert "95% interval" not in answer
    assert not re.search(r"[0-9] to [−0-9]", effects.split("Standard errors")[0])  # a reason in each interval's place


def test_an_outcome_constant_everywhere_has_no_p_value(cases):
    path, columns = cases / "tables" / "s_all_const.csv", ("--unit", "a", "--period", "t", "--outcome", "y")
    ran = typed("synth", path, *columns, "--treated", "A03", "--start", "2010")
    text = text_of(ran)
    assert "the treated area was on average as in the synthetic one" in text
    assert "there is nothing to judge an effect by" in text
    assert not re.search(r"\bp\s*[=<]", text)
    record = typed("synth", path, *columns, "--treated", "A03", "--start", "2010", "--json").record
    assert "p_value" not in json.dumps(record).replace('"p_value": {"unavailable"', "")


def test_no_count_of_people_under_the_threshold_leaves_match(cases, tmp_path):
    page = tmp_path / "x.html"
    words = [
        "--treated",
        "t",
        "--on",
        "a,b",
        "--id",
        "upn",
        "--outcome",
        "y",
        "--people",
        "--common-support",
        "treated",
        "--out",
    ]
    text = text_of(typed("match", cases / "disclosure" / "few_people.csv", *words, page))
    for said in (text, page.read_text(encoding="utf-8")):
        assert "1 of 4 treated" not in said
        assert "3 treated units" not in said
        assert "ewer than 10" in said


@pytest.mark.parametrize("more", [(), ("--categories", "fsm_n")])
def test_a_withheld_count_can_be_had_neither_from_the_deviation_nor_as_a_category(cases, more):
    path, columns = cases / "disclosure" / "similar_pupils.csv", ("--id", "urn", "--on", "fsm_n,roll,pct")
    ran = typed("similar", path, *columns, "--pupils", "fsm_n", *more, "--for", "100000", "--n", "100", "--json")
    assert ran.code in (0, 2), ran.err
    table = pd.read_csv(path)
    few = set(table.loc[table["fsm_n"].between(1, 5), "urn"].astype(str))
    held = {row["id"]: row["fsm_n"] for row in ran.record["similar"]} if ran.code == 0 else {}
    assert few
    for unit in few & set(held):
        assert held[unit] not in (1, 2, 3, 4, 5)
    deviations = {row["name"]: row.get("sd") for row in ran.record["characteristics"]} if ran.code == 0 else {}
    for count in range(1, 6):  # the deviation is that of no single whole number in the place of the withheld one
        guess = table["fsm_n"].where(~table["urn"].astype(str).isin(few), count)
        assert deviations.get("fsm_n") != pytest.approx(guess.std(), abs=1e-9)


def test_no_estimate_rests_on_one_pupil(cases):
    columns = ("--unit", "school", "--period", "year", "--outcome", "y", "--cohort", "g")
    ran = did(cases / "disclosure" / "one_pupil_cohort.csv", "--repeated-cross-sections", columns=columns)
    assert ran.code in (0, 2), ran.err
    assert "95.9" not in ran.out
    assert "fewer than 10" in " ".join((ran.out + ran.err).split()).lower()


def test_a_damaged_workbook_is_refused_by_name(cases, tmp_path):
    from evalkit.core.errors import DataError
    from evalkit.data.published.neighbours import read_neighbours

    with pytest.raises(DataError, match=r"empty_content_types.xlsx: .*workbook.*damaged"):
        read_neighbours(cases / "tables" / "empty_content_types.xlsx")


def test_an_address_that_does_not_parse_is_refused_with_its_line(cases, tmp_path):
    project = tmp_path / "project.yml"
    shutil.copy(cases / "tables" / "url_ipv6_project.yml", project)
    line = next(at for at, text in enumerate(project.read_text("utf-8").splitlines(), 1) if "http://[" in text)
    said = refused(typed("migrate", project))  # the case is of version 1
    assert f"programme.sources[1].url (line {line})" in said
    assert "'http://[::1' is no address" in said


def test_a_text_covariate_with_one_value_is_refused_by_name(cases):
    path = cases / "tables" / "match_constant_text.csv"
    said = refused(typed("match", path, "--treated", "t", "--on", "a,region", "--id", "id", "--outcome", "y"))
    assert "region" in said


@pytest.mark.parametrize("estimator", ["extended", "group-time", "imputation", "sun-abraham", "two-stage", "twfe"])
def test_collinear_covariates_are_refused_by_every_estimator(cases, estimator):
    path = cases / "tables" / "coll.csv"
    said = refused(did(path, "--covariates", "x,z", "--estimator", estimator, columns=COLLINEAR))
    assert "z" in said


def test_a_category_of_whole_numbers_is_said_to_be_taken_as_numbers(cases):
    path = cases / "tables" / "pqm_cintcat.parquet"
    text = text_of(typed("match", path, "--treated", "t", "--on", "c", "--id", "id"))
    assert "categor" in text
    assert "--categories" in text


def test_a_list_from_a_spreadsheet_is_read_as_it_is(cases):
    found = read_listed_schools(cases / "bug-12" / "participants.csv")
    assert any("’" in school.name for school in found.rows)
