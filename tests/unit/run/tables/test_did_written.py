"""`evalkit did --out`: the same answer as page, Word document, PDF and CSV, with the event study drawn."""

import csv
import re

import numpy as np
import pandas as pd
import pytest

from tests.did_command import did, run_did, simulated
from tests.unit.report.pdf_reading import squeezed
from tests.unit.run.tables.words_of_files import words_of

KINDS = ("html", "docx", "pdf", "csv")


def written(table, folder, *options, kinds=KINDS):
    """Run the command once for each kind; return the words of each file."""
    table.to_csv(folder / "table.csv", index=False)
    for kind in kinds:
        done = run_did(folder / "table.csv", *options, "--out", str(folder / f"a.{kind}"), "--quiet")
        assert (done.code, done.out, done.err) == (0, "", "")
    return {kind: words_of(folder / f"a.{kind}") for kind in kinds}


def test_documents_say_what_the_terminal_says(tmp_path):
    made = written(simulated(), tmp_path)
    sentences = [
        "Who is compared with whom",
        "60 units treated, in 2 cohorts (2013 and 2015), and 30 units never treated within these periods.",
        "Nothing: every row of the table is used where it can be.",
        "By cohort and period",
        "A test before the start is no proof",
        "Recommended for 60 treated clusters and 30 comparison clusters: cluster-robust.",
        "name the area as the cluster (--cluster; in a project file `cluster`)",
    ]
    printed = squeezed(run_did(tmp_path / "table.csv").out)
    for kind in ("html", "docx", "pdf"):
        for sentence in sentences:
            assert squeezed(sentence) in printed
            assert squeezed(sentence) in made[kind], (kind, sentence)


def test_the_csv_is_the_event_study_in_full(tmp_path):
    written(simulated(), tmp_path, kinds=("csv",))
    record = did(simulated(), tmp_path).record
    rows = pd.read_csv(tmp_path / "a.csv", dtype={"label": str}).set_index("label")
    for time in record["event_study"]["times"]:
        row = rows.loc[str(time["event_time"])]
        assert float(row["effect"]) == pytest.approx(time["estimate"], rel=1e-9)
        assert float(row["std_error"]) == pytest.approx(time["std_error"], rel=1e-9)
        assert float(row["band_lower"]) == pytest.approx(time["band"]["lower"], rel=1e-9)
    overall = record["event_study"]["overall"]["estimate"]
    assert float(rows.loc["0 and on", "effect"]) == pytest.approx(overall, rel=1e-9)


def test_the_csv_of_the_two_way_effect_has_its_event_study_at_the_level_asked_for(tmp_path):
    path = tmp_path / "table.csv"
    simulated().to_csv(path, index=False)
    options = ("--estimator", "twfe", "--level", "0.8")
    assert run_did(path, *options, "--out", str(tmp_path / "a.csv")).code == 0
    times = did(simulated(), tmp_path, *options).record["event_study"]["times"]
    rows = pd.read_csv(tmp_path / "a.csv").set_index("time")
    for time in times:
        assert rows.loc[time["event_time"], "interval_upper"] == pytest.approx(time["interval"]["upper"], rel=1e-9)
    assert "80% interval" in run_did(path, *options).out


def test_a_two_way_event_study_that_cannot_be_has_its_reason_in_the_csv(tmp_path):
    # All start at once after a gap, so that no period is the one before the start.
    table = simulated(n_units=24, starts=(2014, None))
    table = table[table["year"] != 2013]
    record = did(table, tmp_path, "--estimator", "twfe").record
    done = run_did(tmp_path / "table.csv", "--estimator", "twfe", "--out", str(tmp_path / "a.csv"))
    assert done.code == 0, done.err
    reason = record["event_study"]["unavailable"]
    [header, row] = csv.reader((tmp_path / "a.csv").read_text().splitlines())
    assert (header, row) == (["time", "effect"], ["None", reason])
    assert squeezed(reason) in squeezed(done.out)


@pytest.mark.parametrize("estimator", ["group-time", "imputation", "twfe"])
def test_the_event_study_is_drawn_with_its_numbers_in_words(tmp_path, estimator):
    made = written(simulated(), tmp_path, "--estimator", estimator, kinds=("html", "csv"))
    assert "Dotchartoftheeffectonybyperiodssincethestart." in made["html"]
    assert "Theeffecton'y'bytimesincethestart:thicklines,eachtime's95%interval" in made["html"]
    assert ("band" in made["csv"]) is (estimator != "twfe")


def few_people():
    """Pupils of whom one cohort has fewer than ten in the year before its start, and seven lack a score."""
    random = np.random.default_rng(5)
    rows = []
    for cohort, n in ((2014, 60), (2016, 60), (None, 60)):
        for year in range(2011, 2019):
            size = 7 if (cohort, year) == (2016, 2015) else n
            rows += [(cohort, year, random.normal() + 1.0 * bool(cohort and year >= cohort)) for _ in range(size)]
    table = pd.DataFrame(rows, columns=["cohort", "year", "y"])
    table["cohort"] = table["cohort"].astype("Int64")
    table["unit"] = [f"p{at:05d}" for at in range(len(table))]
    table.loc[table.index[table["year"] == 2012][:7], "y"] = np.nan
    return table


def test_no_form_of_the_answer_tells_what_rests_on_few_people(tmp_path):
    table = few_people()
    made = written(table, tmp_path, "--repeated-cross-sections")
    made["terminal"] = squeezed(run_did(tmp_path / "table.csv", "--repeated-cross-sections").out)
    record = did(table, tmp_path, "--repeated-cross-sections").record
    withheld = "itrestsonfewerthan10people"
    for kind, words in made.items():
        assert kind == "csv" or withheld in words, kind  # no time since the start rests on the hidden cells alone
        assert not re.search(r"(?<![\d.,])7(rows|observations|units)", words), kind
        assert "p00" not in words, kind
        if kind != "csv":
            assert "fewerthan10rowsoffewerthan10observations" in words.lower(), kind
    hidden = [cell for cell in record["group_time"] if "unavailable" in str(cell["estimate"])]
    assert hidden
    assert record["dropped"][0]["n_rows"] == {"unavailable": "fewer than 10"}


def test_a_refused_table_leaves_no_file(tmp_path):
    simulated(starts=(2013,)).to_csv(tmp_path / "table.csv", index=False)
    done = run_did(tmp_path / "table.csv", "--out", str(tmp_path / "a.html"))
    assert (done.code, done.out) == (2, "")
    assert not (tmp_path / "a.html").exists()
    wrong = run_did(tmp_path / "table.csv", "--out", str(tmp_path / "a.xlsx"))
    assert wrong.code == 2
    assert "must end in .html, .docx, .pdf and .csv" in wrong.err
