"""The balance of a match in HTML, Word and CSV: the same cells in each, and no small count of people."""

import io
import re

import docx
import numpy as np
import pandas as pd
import pytest

from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.design.matching.match import match
from evalkit.design.matching.options import EntropyBalancing, NearestNeighbour
from evalkit.diagnose.matched.balance import match_balance
from evalkit.report.border.parts import Document, Heading
from evalkit.report.border.table import shown_text
from evalkit.report.documents.html import report_html
from evalkit.report.documents.word import word_report
from evalkit.report.figures.matching import distribution_plot, earlier_plot, match_love_plot, overlap_plot
from evalkit.report.tables.matched import match_balance_table, match_units


def baseline(n=300, n_treated=30):
    random = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "unit": [f"{at:04d}" for at in range(n)],
            "score": random.normal(100, 3, size=n),
            "kind": random.choice(["a", "b", "c"], size=n),
        }
    )
    frame["t"] = 0
    frame.loc[np.argsort(frame["score"] + random.normal(0, 5, size=n))[:n_treated], "t"] = 1
    return Baseline.from_frame(frame, BaselineRoles(treated="t", covariates=("score", "kind"), unit="unit"))


@pytest.fixture(scope="module")
def design():
    return match(baseline(), NearestNeighbour(ratio=2))


def word_cells(content):
    tables = docx.Document(io.BytesIO(content)).tables
    return [[[cell.text for cell in row.cells] for row in table.rows] for table in tables]


def test_word_shows_every_cell_of_the_table(design):
    table = match_balance_table(match_balance(design))
    shown = word_cells(word_report(Document(title="Balance", sections=((table,),))))[0]
    assert shown[0] == [column.header for column in table.table.columns]
    expected = [
        [shown_text(cell, column) for column, cell in zip(table.table.columns, row, strict=True)]
        for row in table.table.rows
    ]
    assert shown[1:] == expected


def test_csv_holds_the_numbers_in_full(design):
    balance = match_balance(design)
    read = pd.read_csv(io.StringIO(match_balance_table(balance).to_csv())).set_index("covariate")
    row = balance.row("kind_a")
    assert read.loc["kind a", "smd_before"] == pytest.approx(row.before.smd, rel=1e-9)
    assert read.loc["kind a", "smd_after"] == pytest.approx(row.after.smd, rel=1e-9)
    assert read.loc["kind a", "variance_ratio_after"] == "Two values: their variance follows from the mean."


def test_html_shows_every_cell(design):
    table = match_balance_table(match_balance(design))
    page = report_html(Document(title="Balance", face=("A sentence.",), sections=((Heading(1, "Heading"), table),)))
    for row in table.table.rows:
        for column, cell in zip(table.table.columns, row, strict=True):
            assert shown_text(cell, column) in page
    assert re.search(r"(src|href)=\"https?://", page) is None


def test_header_rows_repeat_and_figures_have_a_text(design):
    balance = match_balance(design)
    parts = (match_balance_table(balance), match_love_plot(balance))
    content = word_report(Document(title="Balance", sections=(parts,)))
    document = docx.Document(io.BytesIO(content))
    assert "w:tblHeader" in document.tables[0].rows[0]._tr.xml
    assert "Dot plot of standardised differences" in document.inline_shapes[0]._inline.xml
    assert document.tables[0]._tbl.getprevious().style == "Caption"


def test_the_same_content_gives_the_same_bytes(design):
    def made():
        balance = match_balance(design)
        parts = (match_balance_table(balance), match_love_plot(balance))
        return word_report(Document(title="Balance", face=("A sentence.",), sections=(parts,)))

    assert made() == made()


def test_small_counts_of_people_are_not_shown():
    few = match(baseline(n_treated=4), NearestNeighbour(distance="euclidean"))
    shown = match_units(match_balance(few), "people").to_csv()
    assert "Suppressed" in shown
    assert not re.search(r"^Treated,4,", shown, flags=re.MULTILINE)
    assert re.search(r"^Treated,4,4,", match_units(match_balance(few), "schools").to_csv(), flags=re.MULTILINE)


def test_distributions_of_few_units_are_not_drawn():
    few = match(baseline(n_treated=4), NearestNeighbour(distance="euclidean"))
    scored = match(baseline(n_treated=9), NearestNeighbour())
    assert "fewer than 10 units" in overlap_plot(scored).alt
    assert overlap_plot(scored).data.table.rows == ()
    assert "fewer than 10 units" in distribution_plot(few, "score").alt


def test_the_figure_of_overlap_holds_shares_that_sum_to_one(design):
    rows = np.array([row[1:] for row in overlap_plot(design).data.table.rows], dtype=float)
    assert rows.sum(axis=0) == pytest.approx(np.ones(4))
    weighted = match(baseline(), EntropyBalancing())
    assert "no score" in overlap_plot(weighted).alt


def test_quantiles_are_those_of_the_weighted_sample(design):
    rows = distribution_plot(design, "score").data.table.rows
    score = design.baseline.covariates["score"].to_numpy()
    treated = np.sort(score[design.baseline.is_treated])
    # At or below the middle of 30 stands the 15th.
    assert {row[0]: row[1] for row in rows}["50%"] == pytest.approx(treated[14])


def test_means_over_time_are_weighted_and_leave_out_what_is_missing(design):
    n = len(design.weights)
    values = np.column_stack([np.arange(n, dtype=float), np.where(np.arange(n) % 2 == 0, np.nan, 1.0)])
    figure = earlier_plot(design, ("before", "after"), values, 1)
    comparison = ~design.baseline.is_treated & design.is_used
    (_, treated, chosen, everyone), (_, *later) = figure.data.table.rows
    assert chosen == pytest.approx(np.average(values[comparison, 0], weights=design.weights[comparison]))
    assert everyone == pytest.approx(values[~design.baseline.is_treated, 0].mean())
    assert treated == pytest.approx(values[design.baseline.is_treated, 0].mean())
    assert later == pytest.approx([1.0, 1.0, 1.0])
