"""Conversions are dated by the school list, then by the links file, and counted between the tests."""

import pandas as pd
import pytest

from evalkit.core.project import Exposure
from evalkit.data.published.records import SchoolRecords
from evalkit.data.published.school_lists import Links, conversions_of, with_conversions

EXPOSURE = Exposure(pre=(2016, 2017), partial=(2018,), post=(2019,))


def records():
    index = pd.Index(["1", "2", "3", "4", "5"])
    schools = pd.DataFrame({"is_converted": [True] * 5}, index=index)
    return SchoolRecords("KS2", schools, {}, {}, pd.DataFrame(index=index), (), {}, ())


def spine(rows):
    return pd.DataFrame(rows, columns=["urn", "opened", "other_urn"]).set_index("urn")


# New URNs 11 … 15 follow 1 … 5. The tests are taken as the 15th of May: 2017-05-15 < day ≤ 2019-05-15.
LINKS = Links(
    {"11": "1", "12": "2", "13": "3", "14": "4", "15": "5"},
    (),
    {"11": "01-04-2017", "12": "01-10-2016", "13": "01-03-2019", "14": "01-07-2019", "15": ""},
)


def test_the_window_runs_from_the_last_tests_before_to_the_last_analysed():
    found = with_conversions(records(), conversions_of(LINKS, None), EXPOSURE).schools["is_converted"]
    assert found[found].index.tolist() == ["3"]


def test_the_school_list_goes_before_the_links_file_and_the_conflict_is_counted():
    told = spine([("12", "2017-10-01 00:00:00", "2"), ("15", "2018-09-01 00:00:00", "5"), ("1", "", "")])
    made = with_conversions(records(), conversions_of(LINKS, told), EXPOSURE)
    found = made.schools["is_converted"]
    assert found[found].index.tolist() == ["2", "3", "5"]
    assert made.cases[-1].n == 1  # 12: October 2017 against October 2016


@pytest.mark.parametrize(("day", "inside"), [("15-05-2017", False), ("16-05-2017", True), ("15-05-2019", True)])
def test_the_ends_of_the_window(day, inside):
    links = Links({"11": "1"}, (), {"11": day})
    assert with_conversions(records(), conversions_of(links, None), EXPOSURE).schools.loc["1", "is_converted"] == inside


def test_without_either_file_the_tables_are_all_there_is():
    assert with_conversions(records(), conversions_of(None, None), EXPOSURE).schools["is_converted"].all()
