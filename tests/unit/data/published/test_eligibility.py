"""Each school that cannot be analysed has one reason, the first that holds."""

import numpy as np
import pandas as pd

from evalkit.data.published.records import SchoolRecords, exclusion_reasons, has_any_before_and_all_after

GROUPS = ("Maintained School", "Academy")


def records():
    index = pd.Index(list("abcdef"), name="school_id")
    groups = ["Maintained School", "Academy", "Academy", "Special School", "", "Academy"]
    schools = pd.DataFrame({"minor_group": groups, "area": 340}, index=index)
    values = pd.DataFrame(
        {2016: [1, 2, np.nan, np.nan, 1, np.nan], 2017: [1, np.nan, np.nan, 1, 1, 2.0], 2019: [1, 2, 3, 1, 1, 5.0]},
        index=index,
    )
    reasons = pd.DataFrame("", index=index, columns=[2016, 2017, 2019]).astype(object)
    reasons[values.isna()] = "suppressed"
    reasons.loc["b", 2017] = "blank"
    return SchoolRecords(
        "KS2", schools, {"READPROG": values}, {"READPROG": reasons}, values, (2016, 2017, 2019), {}, ()
    )


def test_the_first_reason_that_holds_is_given():
    found = exclusion_reasons(records(), "READPROG", (2019, 2016, 2017), GROUPS)
    assert found.to_dict() == {
        "a": "",
        "b": "2017: blank",
        "c": "2016: suppressed",  # 2017 is missing too; the earlier year is named
        "d": "not mainstream state-funded (special school)",  # before any missing year
        "e": "not in the 2017/18 school list",
        "f": "2016: suppressed",
    }


def test_the_looser_rule_asks_for_one_year_before_and_all_after():
    found = has_any_before_and_all_after(records(), "READPROG", (2016, 2017), (2019,), GROUPS)
    assert found.to_dict() == {"a": True, "b": True, "c": False, "d": False, "e": False, "f": True}
