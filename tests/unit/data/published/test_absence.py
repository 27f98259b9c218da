"""Absence of schools as outcomes of a project: a table a year, schools named by the lists, gaps with their reasons."""

import pandas as pd
import pytest

from evalkit.core.errors import DataError, MissingData
from evalkit.core.project import Exposure
from evalkit.data.measures import MEASURES, absent_years
from evalkit.data.published.listings import SchoolLists, read_listing, summers_at_hand
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.records import make_records
from evalkit.data.published.school_lists import Links
from evalkit.data.published.sources import find_sources

HEADER = "LA,ESTAB,URN,PERCTOT,PPERSABS10\n"
LINKS = Links({"101": "100"}, ())
SPINE = pd.DataFrame(
    {
        "area": 340, "laestab": ["3402001", "3402002", "3404003"], "name": ["Plover", "Heron", "Wren Special"],
        "minor_group": ["Academy", "Maintained School", "Special School"], "is_primary": True, "is_secondary": False,
    },
    index=["100", "102", "103"],
)  # fmt: skip
CODES = ["PERCTOT", "PPERSABS10"]


def put(folder, name, rows):
    (folder / name).write_text("\ufeff" + HEADER + rows + "NAT,PRI,,4.0,8.1\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    put(tmp_path, "2017-2018_abs.csv", "340,2001,100,4.5,9.1\n340,2002,102,5.5,SUPP\n340,4003,103,9.0,20.0\n")
    # the year of a conversion: both are listed, the closed school with its rates
    both = "340,2001,100,4.1,8.8\n340,2001,101,NA,NA\n340,2002,102,5.0,10.5\n"
    put(tmp_path, "2018-2019_england_abs.csv", both)
    return tmp_path


def listing(folder, years=(2018, 2019), lists=None):
    found = SchoolLists(LINKS, SPINE) if lists is None else lists
    return read_listing(find_sources(folder), "ABS", CODES, years, found, followed=(2018, 2019))


def test_rates_are_numbers_or_reasons_by_school_and_year(folder):
    assert summers_at_hand(find_sources(folder), "ABS") == {2018, 2019}
    found = listing(folder)
    records = make_records(found, "ABS", CODES, Exposure(pre=(2018,), post=(2019,)), NeighbourTable({}, {}, {}, 0))
    assert records.schools["name"].to_dict() == {"100": "Plover", "102": "Heron", "103": "Wren Special"}
    assert records.schools["minor_group"].to_dict() == {
        "100": "Academy", "102": "Maintained School", "103": "Special School",
    }  # fmt: skip
    assert records.values["PERCTOT"].loc["100"].tolist() == [4.5, 4.1]
    assert records.reasons["PPERSABS10"].loc["102", 2018] == "suppressed (too few pupils)"
    assert records.reasons["PERCTOT"].loc["103", 2019] == "no row in this year's table"
    assert {case.case: case.n for case in found.cases}[
        "second rows of a school in one year of the tables of absence, dropped"
    ] == 1


def test_rates_of_years_that_are_not_asked_for_are_never_read(folder):
    put(folder, "2018-2019_england_abs.csv", "340,2001,100,not a rate,x\n")
    found = listing(folder, years=(2018,))
    assert found.scores["year"].unique().tolist() == [2018]
    assert 2019 in found.identity["year"].tolist()


def test_what_cannot_be_used_is_refused_by_name(folder, tmp_path):
    with pytest.raises(MissingData, match="do not say what kind of school one is"):
        listing(folder, lists=SchoolLists(LINKS, None))
    put(folder, "2018-2019_england_abs.csv", "340,2001,100,4.1,8.8\n340,2001,100,4.2,8.9\n")
    with pytest.raises(DataError, match="URN 100 stands there more than once"):
        listing(folder)
    (folder / "2018-2019_england_abs.csv").rename(folder / "abs.csv")
    with pytest.raises(DataError, match="neither the file nor its name says the year"):
        listing(folder)


def test_tables_of_absence_say_nothing_of_whether_the_results_are_of_england(folder):
    sources = find_sources(folder)
    assert not sources.has_england("KS2")
    assert not sources.neighbours  # of a folder of all England both lists would be missed by name


def test_years_without_absence_have_their_reason():
    assert not {2020, 2021} & set(MEASURES["PERCTOT"].years)
    assert "was not published, as schools closed" in absent_years(["PERCTOT"], [2020])
    assert MEASURES["PPERSABS10"].why_absent(2021, "not_here")
