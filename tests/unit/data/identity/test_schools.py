"""Schools followed by links, by LAESTAB and by both: invented chains, and the real list of 2017/18 with real links."""

import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.data.identity.schools import (
    BY_BOTH,
    BY_LINK,
    BY_NUMBER,
    BY_NUMBER_ALONE,
    FIRST,
    GONE,
    LIMITS,
    LOOP,
    MANY,
    MOVED_NUMBER,
    OTHER_AREA,
    REFORMED_AREA,
    REORGANISED,
    SAME_NUMBER,
    SEVERAL_NUMBERS,
    SHARED,
    TWO_SCHOOLS,
    UNCLEAR,
    follow_laestabs,
    follow_schools,
)
from evalkit.data.layouts.gias import read_gias
from evalkit.data.published.school_lists import read_links

LIST = """URN,LA (code),EstablishmentNumber,EstablishmentName,OpenDate,CloseDate
100001,340,2001,Converter before,,31-01-2018
100002,340,2001,Converter after,01-02-2018,
100003,340,2002,Sponsored before,,31-08-2018
100004,340,2902,Sponsored after,01-09-2018,
100005,340,2003,Number used again,,31-08-2010
100006,340,2003,Another school,01-09-2018,
100007,340,2004,No link,,31-08-2018
100008,340,2004,No link after,01-09-2018,
100009,340,2005,Merged with another,,31-08-2018
100010,340,2005,Of a merger,01-09-2018,
100011,837,2006,Bournemouth school,,31-03-2019
100012,839,2906,Its academy,01-04-2019,
100013,341,2007,Liverpool school,,31-03-2019
100014,340,2907,Knowsley academy,01-04-2019,
100015,340,,Without a number,,
"""
LINKS = [
    ("100002", "100001", "Predecessor"),
    ("100004", "100003", "Predecessor"),
    ("100010", "100009", "Predecessor - merged"),
    ("100012", "100011", "Predecessor"),
    ("100014", "100013", "Predecessor"),
    ("100021", "100019", "Predecessor"), ("100021", "100020", "Predecessor"),  # two schools became one
    ("100032", "100030", "Predecessor"), ("100033", "100030", "Predecessor"),  # one became two
    ("100041", "100042", "Predecessor"), ("100042", "100041", "Predecessor"),
]  # fmt: skip


@pytest.fixture
def schools(tmp_path):
    path = tmp_path / "gias.csv"
    path.write_text(LIST, encoding="cp1252")
    return read_gias(path)


@pytest.fixture
def links(tmp_path):
    path = tmp_path / "links.csv"
    rows = "".join(f"{urn},{other},?,{kind},\n" for urn, other, kind in LINKS)
    path.write_text(f"URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n{rows}", encoding="cp1252")
    return read_links(path)


BY_LINKS = {
    "100002": ("100001", BY_LINK),
    "100004": ("100003", BY_LINK),
    "100010": ("100010", REORGANISED),
    "100021": ("100021", MANY),
    "100032": ("100032", SHARED),
    "100041": ("100041", LOOP),
    "100042": ("100041", LOOP),
}
BY_LAESTAB = {
    "100001": ("100001", FIRST),
    "100002": ("100001", BY_NUMBER_ALONE),
    "100004": ("100004", FIRST),  # a sponsor-led academy looks like a new school
    "100006": ("100006", UNCLEAR),  # eight years between them
    "100008": ("100007", BY_NUMBER_ALONE),
    "100010": ("100009", BY_NUMBER_ALONE),  # wrong: the links know of a merger
    "100015": ("100015", FIRST),
}
BOTH = BY_LINKS | {
    "100002": ("100001", BY_BOTH),
    "100006": ("100006", UNCLEAR),
    "100008": ("100007", BY_NUMBER),
    "100015": ("100015", FIRST),
}


def told(identity, urns):
    return {urn: tuple(identity.decisions.loc[urn, ["school_id", "decision"]]) for urn in urns}


def test_links_alone(links):
    assert told(follow_schools(links=links), BY_LINKS) == BY_LINKS


def test_laestab_alone(schools):
    assert told(follow_schools(schools), BY_LAESTAB) == BY_LAESTAB


def test_links_come_first_and_a_laestab_joins_what_they_do_not_tell_of(schools, links):
    found = follow_schools(schools, links)
    assert told(found, BOTH) == BOTH
    assert found.rule == "both"
    assert found.limits == LIMITS["both"]
    assert found.school_of("999999") == "999999"


def test_a_school_that_changed_its_authority_is_told(schools, links):
    changes = follow_schools(schools, links).decisions["area_change"]
    assert changes["100012"] == REFORMED_AREA  # Bournemouth's schools came to the council of 2019
    assert changes["100014"] == OTHER_AREA
    assert changes["100002"] == ""


def test_every_decision_is_counted(schools, links):
    found = follow_schools(schools, links)
    counts = {case.case: case.n for case in found.cases}
    assert counts["URNs"] == len(found.decisions)
    assert sum(n for case, n in counts.items() if case.startswith("URNs: ")) == len(found.decisions)
    # 1 and 2, 3 and 4, 7 and 8, 11 and 12, 13 and 14, and the loop are one school each
    assert counts["schools, once those followed are one"] == len(found.decisions) - 6


def test_what_a_link_says_otherwise_than_the_laestab_is_counted_and_the_link_followed(tmp_path, schools):
    path = tmp_path / "other.csv"
    path.write_text("URN,LinkURN,LinkType,LinkEstablishedDate\n100002,100003,Predecessor,\n", encoding="cp1252")
    found = follow_schools(schools, read_links(path))
    assert found.school_of("100002") == "100003"
    assert found.cases[-1].n == 1


def test_neither():
    with pytest.raises(DataError, match="Neither a list of schools nor links"):
        follow_schools()


def test_laestabs_across_a_reorganised_authority():
    then = pd.Series(["8752001", "8752002", "8752003", "3402001", "3402002", "8362005", "8372005"])
    now = pd.Series(["8952001", "8952002", "8962002", "3402001", "8392005", "8802003"])
    found = follow_laestabs(then, now)
    assert found["decision"].to_dict() == {
        "3402001": SAME_NUMBER,
        "3402002": GONE,
        "8362005": TWO_SCHOOLS,  # Poole's 2005 and Bournemouth's were two schools
        "8372005": TWO_SCHOOLS,
        "8752001": MOVED_NUMBER,
        "8752002": SEVERAL_NUMBERS,
        "8752003": GONE,  # Torbay did not follow Cheshire
    }
    assert found.loc["8752001", "later"] == "8952001"
    assert found.loc["8362005", "later"] == ""


# The real list of 2017/18 and the links of two years; counts found with pandas alone.


@pytest.fixture(scope="module")
def spine(shared_data):
    return read_gias(shared_data / "gias" / "england_spine_2017-2018.csv")


@pytest.mark.parametrize(
    ("year", "n_linked", "both", "by_number"), [(2021, 10_087, 1_322, 1), (2022, 10_460, 1_323, 0)]
)
def test_real_schools(shared_data, shared_files, spine, year, n_linked, both, by_number):
    file = {
        2021: shared_files / "gias" / "2021_giaslinks.csv.gz",
        2022: shared_data / "gias" / "links_edubasealldata_2022.csv",
    }[year]
    links = read_links(file)
    found = follow_schools(spine, links)
    counts = found.decisions["decision"].value_counts()
    assert counts[BY_BOTH] + counts[BY_LINK] == n_linked
    assert counts[BY_BOTH] == both
    assert counts.get(BY_NUMBER, 0) == by_number  # one whose link went when it merged later
    assert found.cases[-1].n == 0  # the two never tell different schools
    # those that change their authority are of Dorset, Poole and Bournemouth
    assert (found.decisions["area_change"] == REFORMED_AREA).sum() == 15
    assert (found.decisions["area_change"] == OTHER_AREA).sum() == 0
    moved = found.decisions.index[found.decisions["area_change"] != ""]
    assert set(spine.schools.loc[moved, "area"]) == {838, 839}


def test_converters_keep_their_laestab_and_sponsored_academies_never(shared_data, spine):
    links = read_links(shared_data / "gias" / "links_edubasealldata_2022.csv")
    listed = spine.schools
    pairs = [(new, old) for new, old in links.predecessor.items() if new in listed.index and old in listed.index]
    frame = pd.DataFrame(
        [(listed.at[new, "type"], listed.at[new, "laestab"] == listed.at[old, "laestab"]) for new, old in pairs],
        columns=["type", "same"],
    )
    kept = frame.groupby("type")["same"].agg(["sum", "size"])
    assert len(pairs) == 1_870
    assert tuple(kept.loc["Academy - Converter mainstream"]) == (1_246, 1_309)  # 95.2%
    assert tuple(kept.loc["Academy sponsor led mainstream"]) == (0, 448)
    assert tuple(kept.loc["Free school - Mainstream"]) == (0, 9)


def test_knowsley_is_followed_as_before(shared_data, spine):
    links = read_links(shared_data / "gias" / "links_edubasealldata_2022.csv")
    found = follow_schools(links=links)
    both = follow_schools(spine, links)
    for urn in spine.schools.index[spine.schools["area"] == 340]:
        assert found.school_of(urn) == both.school_of(urn) == links.oldest(urn)


def test_cheshire_and_bedfordshire_in_2009(shared_files):
    import zipfile

    with zipfile.ZipFile(shared_files / "ees" / "exclusions_by_geographic_level.zip") as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".csv") and "meta" not in name]
        columns = ["time_period", "geographic_level", "laestab"]
        frame = pd.read_csv(archive.open(name), dtype=str, keep_default_na=False, usecols=columns)
    rows = frame[frame["geographic_level"] == "School"]
    years = {year: rows.loc[rows["time_period"] == year, "laestab"] for year in ("200708", "200910")}
    found = follow_laestabs(years["200708"], years["200910"])
    counts = found["decision"].groupby(found.index.str[:3]).value_counts()
    assert counts["820", MOVED_NUMBER] == 208
    assert counts["820", GONE] == 4
    assert counts["875", MOVED_NUMBER] == 302
    assert counts["875", GONE] == 22
    assert found["decision"].value_counts().to_dict() == {SAME_NUMBER: 20_540, GONE: 591, MOVED_NUMBER: 510}
