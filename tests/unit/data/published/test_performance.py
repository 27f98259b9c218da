"""Wide tables: one row per school and summer, whichever URN or area code it was published under."""

import pytest

from evalkit.core.errors import DataError
from evalkit.data.files.members import member_of
from evalkit.data.layouts.performance_tables import read_wide
from evalkit.data.published.codes import CODE_REASONS, ROW_ENDS, parse_cells
from evalkit.data.published.performance import national_shares, read_performance
from evalkit.data.published.school_lists import Links
from evalkit.data.published.sources import TableFile

LINKS = Links({"201": "200", "401": "400"}, ())
ENGLAND = ["4,835,,,,900,0.1,,", "5,,,,,9000,0.0,,"]


def table(folder, summer, rows, header="RECTYPE,LEA,ESTAB,URN,SCHNAME,TELIG,READPROG,READPROG_16,TELIG_16"):
    path = folder / f"{summer - 1}-{summer}_england_ks2final.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([header, *rows]).encode())
    return (TableFile(member_of(path)),)


@pytest.fixture
def tables(tmp_path):
    first = [
        "1,340,2001,100,Plain,30,1.5,0.5,28",
        "1,340,2002,200,Converting,40,2.5,1.0,41",  # the old school, with results
        "1,340,2002,201,Converting Academy",  # the new one: its row ends before the results
        "1,835,2003,300,Moving,20,SUPP,,",
        "1,340,2004,400,Two sets of results,10,3.0,,",
        "2,340,7000,500,Special,9,-4.0,LOWCOV,9",
    ]
    second = [
        "1,340,2001,100,Plain,31,1.6",
        "1,340,2002,201,Converting Academy,42,2.6",
        "1,838,2003,300,Moving,21,0.0",
        "1,340,2004,400,Two sets of results,8,3.1",
        "1,340,5204,401,Two sets of results Academy,22,3.9",
    ]
    header = "RECTYPE,LEA,ESTAB,URN,SCHNAME,TELIG,READPROG"
    england = ["4,835,,,,900,0.1", "5,,,,,9000,0.0"]
    return {2017: table(tmp_path, 2017, first + ENGLAND), 2018: table(tmp_path, 2018, second + england, header)}


def scores(listing):
    return {(r.school_id, r.year): r.READPROG for r in listing.scores.itertuples()}


def test_a_converted_school_is_one_school_and_the_row_with_results_is_kept(tables):
    listing = read_performance(tables, LINKS, ["READPROG"], "KS2", (2016, 2017, 2018))
    got = scores(listing)
    assert got[("200", 2016)] == "1.0"  # from the prior-year column of the old school's row
    assert got[("200", 2017)] == "2.5"
    assert got[("200", 2018)] == "2.6"
    urns = listing.identity[listing.identity["school_id"] == "200"].set_index("year")["urn"]
    assert urns.to_dict() == {2016: "200", 2017: "200", 2018: "201"}


def test_of_two_rows_with_results_the_larger_cohort_is_kept_and_both_kinds_are_counted(tables):
    listing = read_performance(tables, LINKS, ["READPROG"], "KS2", (2016, 2017, 2018))
    assert scores(listing)[("400", 2018)] == "3.9"
    counts = [case.n for case in listing.cases]
    # second rows: 201 in 2016 and 2017 (2016 is read from the same rows), 400 in 2018; one of them with results;
    # more than one URN: 200 (200, 201) and 400 (400, 401); another area code: 300.
    assert counts == [3, 1, 2, 1]


def test_the_area_of_each_year_is_kept(tables):
    identity = read_performance(tables, LINKS, ["READPROG"], "KS2", (2017,)).identity
    area = identity[identity["school_id"] == "300"].set_index("year")["area"]
    assert area.to_dict() == {2016: 835, 2017: 835, 2018: 838}


def test_scores_of_years_not_asked_for_are_not_there(tables):
    listing = read_performance(tables, LINKS, ["READPROG"], "KS2", (2016, 2017))
    assert sorted(listing.scores["year"].unique()) == [2016, 2017]
    assert sorted(listing.identity["year"].unique()) == [2016, 2017, 2018]
    assert "READPROG" not in listing.identity


def test_codes_and_short_rows_keep_their_reasons(tables):
    listing = read_performance(tables, LINKS, ["READPROG"], "KS2", (2016, 2017))
    by_school = listing.scores[listing.scores["year"] == 2017].set_index("school_id")["READPROG"]
    assert parse_cells(by_school.loc[["300"]], "t")[1].tolist() == [CODE_REASONS["SUPP"]]
    frame = read_wide(tables[2017][0].file, ["READPROG"], "KS2")
    academy = frame[frame["URN"] == "201"]["READPROG"]
    assert parse_cells(academy, "t")[1].tolist() == [ROW_ENDS]


def test_rows_of_authorities_and_of_england_are_no_schools(tables):
    assert set(read_wide(tables[2017][0].file, [], "KS2")["URN"]) == {"100", "200", "201", "300", "400", "500"}


def test_a_table_without_its_last_rows_is_refused(tmp_path):
    path = table(tmp_path, 2017, ["1,340,2001,100,Plain,30,1.5,0.5,28", ENGLAND[0]])
    with pytest.raises(DataError, match=r"RECTYPE 5\) are missing, so the file is cut short or is not a KS2"):
        read_wide(path[0].file, ["READPROG"], "KS2")


def test_the_table_of_another_key_stage_is_refused(tmp_path):
    path = table(tmp_path, 2017, ["1,340,2001,100,Plain,30,1.5,0.5,28", *ENGLAND])
    with pytest.raises(DataError, match="RECTYPE 7"):
        read_wide(path[0].file, ["READPROG"], "KS4")


def test_a_summer_without_table_or_prior_columns_is_not_made_up(tables):
    listing = read_performance({2018: tables[2018]}, LINKS, ["READPROG"], "KS2", (2017, 2018))
    assert sorted(listing.scores["year"].unique()) == [2018]


def test_shares_of_england_weigh_schools_by_their_pupils(tmp_path):
    header = "RECTYPE,LEA,ESTAB,URN,SCHNAME,TELIG,READPROG,PTREAD_EXP,PTREAD_HIGH"
    rows = [
        "1,340,2001,100,A,30,1.5,70%,20%",
        "1,340,2002,200,B,10,2.5,90%,40%",
        "1,340,2003,300,C,20,0.0,SUPP,SUPP",
        "2,340,7000,500,D,,-4.0,10%,0%",
        "1,340,2005,600,E,25,0.1",
        "4,,,,,900,0.1,75%,28%",
        "5,,,,,9000,0.0,,",
    ]
    tables = {2017: table(tmp_path, 2017, rows, header)}
    beside = ("PTREAD_EXP", "PTREAD_HIGH")
    listing = read_performance(tables, LINKS, ["READPROG"], "KS2", (2017,), beside)
    found = national_shares(listing, beside, 2017)
    # (30 × 70 + 10 × 90)/40 = 75 and (30 × 20 + 10 × 40)/40 = 25; C is suppressed, D has no pupils, E ends early
    assert found.shares == pytest.approx((0.75, 0.25))
    assert found.scope == "the shares of pupils in England's schools, 2017"
    assert national_shares(listing, beside, 2018) is None
    assert national_shares(listing, ("PTMAT_EXP", "PTMAT_HIGH"), 2017) is None
    plain = read_performance(tables, LINKS, ["READPROG"], "KS2", (2017,), ("PTMAT_EXP",))
    assert national_shares(plain, ("PTMAT_EXP",), 2017) is None  # no table has the column


def test_shares_are_the_same_whatever_the_order_of_rows(tmp_path):
    header = "RECTYPE,LEA,ESTAB,URN,SCHNAME,TELIG,PTRWM_EXP"
    rows = [f"1,340,{2001 + i},{100 + i},S,{20 + i},{60 + i}%" for i in range(9)]
    found = []
    for at, order in enumerate((rows, rows[::-1])):
        (folder := tmp_path / str(at)).mkdir()
        listing = read_performance(
            {2017: table(folder, 2017, [*order, "4,,,,,9,61%", "5,,,,,9,61%"], header)},
            LINKS,
            ["PTRWM_EXP"],
            "KS2",
            (2017,),
        )
        found.append(national_shares(listing, ("PTRWM_EXP",), 2017))
    assert found[0] == found[1]
