"""Identity over time on the synthetic England: counted again with nothing but the csv module."""

import collections
import csv

import pytest

from evalkit.data.files.members import member_of
from evalkit.data.published.performance import read_performance
from evalkit.data.published.school_lists import read_links
from evalkit.data.published.sources import TableFile


def rows_of(path, encoding="utf-8-sig"):
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def tables(synthetic_england):
    folder = synthetic_england / "performance-tables" / "ks2"
    return {year: folder / f"{year - 1}-{year}_england_ks2final.csv" for year in (2017, 2018, 2019)}


@pytest.fixture(scope="module")
def links(synthetic_england):
    return read_links(synthetic_england / "gias" / "links_edubasealldata_2022.csv")


@pytest.fixture(scope="module")
def listing(tables, links):
    files = {year: (TableFile(member_of(path)),) for year, path in tables.items()}
    return read_performance(files, links, ["READPROG"], "KS2", (2016, 2017, 2018, 2019))


@pytest.fixture(scope="module")
def raw(synthetic_england, tables):
    """Plain rows of each table, and the one-to-one chains, worked out again."""
    links = rows_of(synthetic_england / "gias" / "links_edubasealldata_2022.csv", "cp1252")
    pairs = {(r["URN"], r["LinkURN"]) for r in links if r["LinkType"] == "Predecessor"}
    olds, news = (collections.Counter(pair[i] for pair in pairs) for i in (1, 0))
    before = {new: old for new, old in pairs if olds[old] == 1 and news[new] == 1}
    schools = {y: [r for r in rows_of(path) if r["RECTYPE"] in ("1", "2")] for y, path in tables.items()}
    return links, before, schools


def oldest(urn, before):
    while urn in before:
        urn = before[urn]
    return urn


def test_second_rows_of_conversion_years_are_dropped_and_counted(listing, raw):
    _, before, schools = raw
    second = 0
    for year in (2017, 2017, 2018, 2019):  # the 2017 table serves 2016 too
        ids = collections.Counter(oldest(r["URN"], before) for r in schools[year])
        second += sum(ids.values()) - len(ids)
    assert second > 500
    assert next(case.n for case in listing.cases if case.case.startswith("second rows")) == second


def test_the_row_with_results_is_the_one_kept(listing, raw):
    _, before, schools = raw
    published = {}
    for year in (2017, 2018, 2019):
        for row in schools[year]:
            cell = row.get("READPROG")
            if cell and cell.lstrip("-").replace(".", "").isdigit():
                published[oldest(row["URN"], before), year] = cell
    kept = {(r.school_id, r.year): r.READPROG for r in listing.scores.itertuples() if r.year > 2016}
    assert {key: kept[key] for key in published} == published


def test_sponsor_led_academies_are_followed_though_their_number_changes(listing):
    identity = listing.identity[listing.identity["school_id"] != ""]
    several = identity.groupby("school_id")[["urn", "laestab"]].nunique()
    followed = several[several["urn"] > 1]
    assert next(case.n for case in listing.cases if "more than one URN" in case.case) == len(followed) > 500
    assert (followed["laestab"] > 1).sum() > 100  # sponsor-led: another establishment number
    assert (followed["laestab"] == 1).sum() > 100  # converters keep theirs


def test_mergers_amalgamations_and_splits_are_not_chained(raw, links):
    rows, _, _ = raw
    kinds = collections.defaultdict(list)
    for row in rows:
        kinds[row["LinkType"]].append((row["URN"], row["LinkURN"]))
    for kind in ("Predecessor - merged", "Predecessor - amalgamated", "Predecessor - Split School"):
        assert kinds[kind]
        assert all(links.oldest(new) != links.oldest(old) for new, old in kinds[kind])
    plain = collections.Counter(new for new, _ in set(kinds["Predecessor"]))
    several = [new for new, n in plain.items() if n > 1]
    assert several
    assert all(links.oldest(new) == new for new in several)


def test_schools_whose_area_code_changed_are_counted_and_followed(listing, raw):
    _, before, schools = raw
    codes = collections.defaultdict(set)
    for year, rows in schools.items():
        for row in rows:
            codes[oldest(row["URN"], before)].add((year, row["LEA"]))
    changed = {school for school, found in codes.items() if len({code for _, code in found}) > 1}
    assert len(changed) == 12
    assert next(case.n for case in listing.cases if "code changed" in case.case) == 12
    last = (
        listing.identity[listing.identity["school_id"].isin(changed)]
        .sort_values("year")
        .groupby("school_id")["area"]
        .last()
    )
    assert set(last) <= {838, 839}
