"""Tables of single authorities in one folder are one listing, of which nothing is said of England."""

import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.core.project import Exposure
from evalkit.data.files.members import member_of
from evalkit.data.measures import measure
from evalkit.data.published.listings import SchoolLists, coverage_case, read_listing
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.performance import national_shares, published_shares, read_limits, read_performance
from evalkit.data.published.records import make_records
from evalkit.data.published.school_lists import Links
from evalkit.data.published.sources import TableFile, find_sources

HEADER = (
    "RECTYPE,LEA,ESTAB,URN,SCHNAME,NFTYPE,TELIG,PTREAD_EXP,PTREAD_HIGH,READPROG,READPROG_LOWER,READPROG_UPPER,READCOV"
)
LINKS, NO_LIST = Links({}, ()), NeighbourTable({}, {}, {}, 0)
CODES = ["READPROG"]


def table(folder, area, name, summer, schools, prior=""):
    rows = [f"1,{area},2{urn},{urn},School {urn},CY,{cells}" for urn, cells in schools.items()]
    rows += [f"3,{area},,,{name},,,,", "4,,,,,,9000,75%,28%", "5,,,,,,8000,76%,29%"]
    path = folder / f"{summer - 1}-{summer}_{area}_ks2final.csv"
    path.write_text("\n".join([HEADER + prior, *rows]) + "\n", encoding="utf-8")
    return TableFile(member_of(path), area)


@pytest.fixture
def folder(tmp_path):
    table(tmp_path, 850, "Hampshire", 2018, {100: "30,70%,20%,1.0,0,2,90"})
    table(tmp_path, 850, "Hampshire", 2019, {100: "31,71%,21%,1.5,0,3,100", 101: "20,60%,10%,-1,-3,1,100"})
    prior = ",READPROG_18,TELIG_18,READPROG_17,TELIG_17"
    table(tmp_path, 936, "Surrey", 2019, {200: "40,80%,30%,2.0,1,3,50,0.5,39,7,7"}, prior)
    (tmp_path / "links.csv").write_text("URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def listing(folder):
    return read_listing(
        find_sources(folder), "KS2", CODES, (2018, 2019), SchoolLists(LINKS, None), followed=(2018, 2019)
    )


@pytest.fixture
def records(listing):
    return make_records(listing, "KS2", CODES, Exposure(pre=(2018,), post=(2019,)), NO_LIST)


def test_each_authority_has_the_summers_that_its_tables_give(records):
    values = records.values["READPROG"]
    assert values.loc["100"].tolist() == [1.0, 1.5]
    assert values.loc["200"].tolist() == [0.5, 2.0]  # 2018 from the prior-year columns of Surrey's first table
    assert pd.isna(values.loc["101", 2018])
    assert records.pupils.loc["200"].tolist() == [39, 40]


def test_who_schools_are_is_told_by_the_tables(records):
    assert records.schools["area_name"].to_dict() == {"100": "Hampshire", "101": "Hampshire", "200": "Surrey"}
    assert set(records.schools["region"]) == {"South East"}
    assert set(records.schools["minor_group"]) == {"Maintained School"}


def test_what_the_folder_covers_is_said_and_no_error(folder, listing, records):
    england = NeighbourTable({}, {code: f"Area {code}" for code in range(201, 361)}, {}, 0)
    case = coverage_case(find_sources(folder), listing, records, england)
    assert case.n == 2
    assert "which holds none of all England (Hampshire and Surrey)" in case.case


def test_shares_of_england_are_those_printed_and_never_those_of_two_counties(folder, listing):
    reading = measure("READPROG")
    assert national_shares(listing, reading.sd.columns, 2019) is None
    printed = published_shares(find_sources(folder), reading, 2019)
    assert printed.shares == pytest.approx((0.75, 0.28))
    assert printed.scope == "the shares printed for England, 2019"


def test_published_limits_are_those_of_all_tables_at_hand(folder):
    found = read_limits(find_sources(folder), measure("READPROG"), 2019, {850: "Hampshire", 936: "Surrey"})
    assert found.half_width.tolist() == [1.5, 2.0, 1.0]
    assert found.pupils.tolist() == [31, 20, 20]  # pupils by coverage
    assert "the published tables of Hampshire and Surrey's schools, 2019" in found.scope


def test_a_school_in_two_tables_of_one_summer_is_refused(tmp_path):
    files = tuple(
        table(tmp_path, area, name, 2019, {100: "30,70%,20%,1.0,0,2,90"}) for area, name in ((850, "A"), (936, "B"))
    )
    with pytest.raises(DataError, match=r"URN 100 stands more than once in .*850.* and .*936"):
        read_performance({2019: files}, LINKS, CODES, "KS2", (2019,))
