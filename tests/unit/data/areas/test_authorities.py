"""Codes of authorities and what became of each, against the tables that DfE published."""

from collections import Counter
from datetime import date
from itertools import pairwise

import pandas as pd
import pytest

from evalkit.data.areas.authorities import (
    authorities,
    authorities_on,
    code_of_gss,
    follow_areas,
    gss_of,
    is_successor,
)
from evalkit.data.areas.regions import NOT_KNOWN, region_of


@pytest.mark.parametrize(
    ("day", "n"),
    [
        (date(2002, 1, 1), 150),
        (date(2009, 3, 31), 150),
        (date(2009, 4, 1), 152),  # Bedfordshire and Cheshire each became two
        (date(2019, 3, 31), 152),
        (date(2019, 4, 1), 151),  # Dorset, Poole and Bournemouth became two
        (date(2021, 4, 1), 152),  # Northamptonshire became two
        (date(2023, 4, 1), 153),  # and Cumbria
    ],
)
def test_authorities_of_a_day(day, n):
    there = authorities_on(day)
    assert len(there) == n
    gss = [one.gss for one in there.values() if one.gss]
    assert len(set(gss)) == len(gss)


def test_pairs_of_one_authority_follow_each_other_without_a_gap():
    for code in {one.code for one in authorities()}:
        pairs = [one for one in authorities() if one.code == code]
        assert all(one.until == later.first is not None for one, later in pairwise(pairs))


def test_what_ended_became_what_began_that_day():
    for one in authorities():
        for code in one.became:
            assert one.until == next(later.first for later in authorities() if later.code == code)


def test_codes():
    assert gss_of(835) == "E10000009"
    assert code_of_gss(" e06000058 ") == 839
    assert code_of_gss("") is None
    assert gss_of(942, date(2020, 1, 1)) == ""
    assert is_successor(909, 942)
    assert not is_successor(942, 909)


def test_areas_followed_from_2002_to_2026():
    found = Counter(one.decision for one in follow_areas(date(2002, 1, 1), date(2026, 1, 1)).decisions)
    # seven ended (820, 875, 835 to 837, 928, 909), ten began; seven have another code of the ONS
    assert found == {"throughout": 136, "code of ONS changed": 7, "ended": 7, "began": 10}
    assert len(follow_areas(date(2010, 1, 1), date(2018, 1, 1)).one_area) == 152
    assert follow_areas(date(2010, 1, 1), date(2018, 1, 1)).of(875) is None


def test_every_authority_has_a_region():
    assert [one.code for one in authorities() if region_of((one.code,)) == NOT_KNOWN] == []


@pytest.mark.parametrize("file", ["absence_la.csv.gz", "offers-by-la.csv.gz", "ks2_la.csv.gz"])
def test_every_pair_that_dfe_published_is_known(shared_files, file):
    frame = pd.read_csv(shared_files / "ees" / file, encoding="utf-8-sig", dtype=str, keep_default_na=False)
    rows = frame[frame["geographic_level"] == "Local authority"]
    published = set(zip(rows["old_la_code"].astype(int), rows["new_la_code"], strict=True))
    known = {(one.code, one.gss) for one in authorities()}
    assert len(published) > 150
    assert published - known == set()
