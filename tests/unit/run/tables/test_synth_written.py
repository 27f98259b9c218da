"""`evalkit synth --out`: the same answer as page, Word document, PDF and CSV, with the synthetic path and the gaps."""

import contextlib
import io
import json

import pandas as pd
import pytest

from evalkit.run import cli
from evalkit.run.commands.catalogue import COMMANDS
from evalkit.run.commands.options import help_of
from tests.synth_command import COLUMNS, simulated
from tests.unit.report.pdf_reading import squeezed
from tests.unit.run.tables.words_of_files import words_of


def run_synth(path, *options):
    """Run the command; return what it printed on standard output and standard error."""
    given = cli.parsed(["synth", str(path), *COLUMNS, "--treated", "000", "--start", "2016", *options])
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert cli.done(given) == 0
    return out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def areas(tmp_path_factory):
    path = tmp_path_factory.mktemp("areas") / "areas.csv"
    simulated().to_csv(path, index=False)
    return path


def test_documents_say_what_the_terminal_says_and_draw_two_figures(areas):
    printed, _ = run_synth(areas)
    sentences = [
        "would have moved as the weighted donors did.",
        "000, treated from 2016 on, and 23 donors, in 22 periods (1998 to 2019), 18 of them before the start.",
        "Placebo areas: p = 0.042, the share of the 23 donors, each as if treated, and of the treated area",
        "of 23 donors carry weight.",
        "A start put back to 2010, where there was no programme yet",
        "One donor left out: the estimate lies between",
    ]
    for kind in ("html", "docx", "pdf"):
        path = areas.with_name(f"answer.{kind}")
        assert run_synth(areas, "--out", str(path), "--quiet") == ("", "")
        words = words_of(path)
        for sentence in sentences:
            assert squeezed(sentence) in squeezed(printed), sentence
            assert squeezed(sentence) in words, (kind, sentence)
        assert "000anditssyntheticcounterpart(syntheticcontrol)" in words
        assert "thegapof000amongdonorsasiftreated" in words
        if kind != "pdf":
            assert "Linechart.000:from" in words


def test_the_csv_is_the_gap_period_by_period_in_full(areas):
    path = areas.with_name("gaps.csv")
    run_synth(areas, "--out", str(path))
    record = json.loads(run_synth(areas, "--json")[0])
    rows = pd.read_csv(path)
    assert rows["period"].tolist() == [row["period"] for row in record["gap"]]
    for key in ("treated", "synthetic", "gap"):
        assert rows[key].tolist() == pytest.approx([row[key] for row in record["gap"]], rel=1e-9)
    tests = {one["period"]: one for one in record["conformal"]["by_period"]}
    for _, row in rows.iterrows():
        if row["period"] in tests:
            assert float(row["p"]) == pytest.approx(tests[row["period"]]["p_value"], rel=1e-9)
        else:
            assert (row["p"], row["interval_lower"]) == ("before", "before")


@pytest.mark.parametrize("kind", ["html", "csv"])
def test_no_form_shows_an_effect_where_the_fit_is_poor(tmp_path, kind):
    table = simulated()
    table.loc[table["area"] == "000", "score"] *= 40
    table.to_csv(tmp_path / "far.csv", index=False)
    path = tmp_path / f"answer.{kind}"
    printed, _ = run_synth(tmp_path / "far.csv", "--out", str(path))
    words = words_of(path)
    assert "No estimate is shown" in " ".join(printed.split())
    assert "Noestimateisshown,asthefitbeforethestartispoor" in words
    if kind == "html":
        assert "Nogapisdrawn." in words
        assert "Noinferenceismadewithoutanestimate." in words
        assert "p=0" not in words
        assert squeezed("conformal inference by moving blocks") not in words


def test_help_names_the_main_table():
    text = " ".join(help_of("synth", COMMANDS["synth"]).split())
    assert ".csv holds the gap period by period" in text
    assert "--quiet" in text
