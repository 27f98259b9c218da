"""Identity over time on the untouched tables of one county: three wide tables become the England panel's rows."""

import csv

import pandas as pd
import pytest

from evalkit.data.files.members import member_of
from evalkit.data.published.assembled import read_assembled
from evalkit.data.published.codes import parse_cells
from evalkit.data.published.performance import read_performance
from evalkit.data.published.school_lists import read_links
from evalkit.data.published.sources import TableFile

YEARS = (2016, 2017, 2018, 2019)


@pytest.fixture(scope="module")
def links(shared_data):
    return read_links(shared_data / "gias" / "links_edubasealldata_2022.csv")


@pytest.fixture(scope="module")
def tables(shared_data):
    folder = shared_data / "performance-tables" / "ks2"
    files = {year: folder / f"{year - 1}-{year}_850_ks2final.csv" for year in (2017, 2018, 2019)}
    return {year: (TableFile(member_of(path), 850),) for year, path in files.items()}


@pytest.fixture(scope="module")
def listing(tables, links):
    return read_performance(tables, links, ["READPROG"], "KS2", YEARS)


@pytest.fixture(scope="module")
def wide(listing):
    numbers, reasons = parse_cells(listing.scores["READPROG"], "wide")
    scores = listing.scores.assign(number=numbers, reason=reasons)
    return scores.set_index(["school_id", "year"])


@pytest.fixture(scope="module")
def panel(shared_data):
    path = shared_data / "panel" / "ks2_school_panel_2016_2019_england.csv.gz"
    listing = read_assembled(path, ["READPROG"], "TELIG", YEARS)
    area = listing.identity.set_index(["school_id", "year"])["area"]
    frame = listing.scores.set_index(["school_id", "year"])
    frame["number"] = [
        float(cell) if cell not in ("", "SUPP", "LOWCOV", "NP") else float("nan") for cell in frame["READPROG"]
    ]
    return frame.assign(area=area)


def test_every_school_and_year_of_the_panel_is_in_the_wide_tables(panel, wide):
    county = panel[panel["area"] == 850].index
    assert len(county) == 1308
    assert set(county) <= set(wide.index)
    # The wide tables list two more schools, which the panel has without an area or not at all.
    assert {school for school, _ in set(wide.index) - set(county)} == {"116234", "116235"}


def test_all_values_that_both_hold_are_equal(panel, wide):
    both = panel["number"].dropna().index.intersection(wide["number"].dropna().index)
    assert len(both) == 1260
    assert (panel.loc[both, "number"] == wide.loc[both, "number"]).all()


def test_the_two_values_the_wide_tables_lack_are_of_schools_that_became_primaries_under_another_urn(
    panel, wide, tables
):
    county = panel[panel["area"] == 850]["number"].dropna().index
    lacking = sorted(set(county) - set(wide["number"].dropna().index))
    assert lacking == [("115969", 2016), ("116161", 2016)]
    # The 2017 table lists the successor alone (115970, 116177), and its row ends before the prior-year columns: the
    # predecessor's 2016 score was never carried onto it.
    with tables[2017][0].file.path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    by_urn = {row[header.index("URN")]: row for row in rows}
    for (school, year), successor in zip(lacking, ("115970", "116177"), strict=True):
        assert school not in by_urn
        assert (
            len(by_urn[successor]) <= header.index("READPROG_16")
            or by_urn[successor][header.index("READPROG_16")] == ""
        )
        assert wide.loc[(school, year), "reason"] in ("blank in source", "not given (the row ends before this column)")


def test_conversion_years_are_resolved_and_counted(listing, tables, links):
    # Counted again with nothing but the csv module: rows of one chain in one table, beyond the first.
    second = 0
    for year in (2017, 2017, 2018, 2019):  # the 2017 table serves 2016 too
        with tables[year][0].file.path.open(encoding="utf-8-sig", newline="") as file:
            schools = [links.oldest(row["URN"]) for row in csv.DictReader(file) if row["RECTYPE"] in ("1", "2")]
        second += len(schools) - len(set(schools))
    assert [case.n for case in listing.cases if case.case.startswith("second rows")] == [second] == [4]
    assert not listing.scores.duplicated(["school_id", "year"]).any()


def test_every_cell_is_a_number_or_a_reason(wide):
    assert ((wide["reason"] == "") == wide["number"].notna()).all()
    assert "suppressed (too few pupils)" in set(wide["reason"])


def test_chains_are_those_of_the_panel(panel, listing):
    urns = listing.identity.groupby("school_id")["urn"].agg(set)
    changed = urns[urns.map(len) > 1]
    assert len(changed) == 4
    assert set(changed.index) <= {school for school, _ in panel.index}
    assert isinstance(urns, pd.Series)
