"""The assembled England panels against every untouched table at hand: two counties, both stages, each difference."""

import pandas as pd
import pytest

from evalkit.data.files.members import member_of
from evalkit.data.published.assembled import read_assembled
from evalkit.data.published.codes import parse_cells
from evalkit.data.published.performance import read_performance
from evalkit.data.published.school_lists import read_links
from evalkit.data.published.sources import TableFile

YEARS = (2016, 2017, 2018, 2019)
KEYS = ["school_id", "year"]
CODES = {"KS2": ("TELIG", ["READPROG", "WRITPROG", "MATPROG"]), "KS4": ("TPUP", ["P8MEA", "ATT8SCR"])}
AT_HAND = {
    # authority and summers whose table is here; 2016 stands in the prior-year columns of 2017's
    "KS2": {(850, 2016), (850, 2017), (850, 2018), (850, 2019), (936, 2016), (936, 2017), (936, 2019)},
    "KS4": {(850, 2016), (850, 2017), (850, 2018), (936, 2016), (936, 2017), (936, 2019)},
}
N_KNOWN = {
    "KS2": {"READPROG": 1913, "WRITPROG": 1915, "MATPROG": 1913},
    "KS4": {"P8MEA": 435, "ATT8SCR": 630},
}
# In the panel and not in the parts: results of 2016 of a school that had another URN then. DfE carries a school's
# results of the year before to the row of its URN, not to that of its successor (in the second of KS4 it says NA).
ONLY_IN_PANEL = {
    "KS2": {("115969", 2016), ("116161", 2016), ("124998", 2016)},
    "KS4": {("125262", 2016)},
}
# 116445 is called the one successor of 116425 (Quilley), and had results of its own before: what the table of 2017 says
# of its 2016 (-0.2) is its own; what the panel has of 2016 (-0.13) is Quilley's, of whom that table says nothing.
UNEQUAL = {"KS2": {}, "KS4": {("116425", 2016): {"P8MEA": (-0.2, -0.13), "ATT8SCR": (47.6, 42.9)}}}
# Schools of 2016 without a row of 2017 under the same URN: closed, so that no table at hand has them.
ROWS_ONLY_IN_PANEL = {"KS2": {("124961", 2016)}, "KS4": {("131976", 2016)}}
# Listed in the tables of 2017 without results in 2016, or without an area in the panel (two rows in each stage).
ROWS_ONLY_IN_PARTS = {"KS2": 6, "KS4": 7}


@pytest.fixture(scope="module", params=["KS2", "KS4"])
def stage(request):
    return request.param


@pytest.fixture(scope="module")
def parts(stage, shared_data, shared_files):
    by_year = {}
    for folder in (shared_data / "performance-tables" / stage.lower(), shared_files / "performance-tables"):
        for path in sorted(folder.glob(f"*_{stage.lower()}final.csv")):
            table = TableFile(member_of(path), int(path.name.split("_")[1]))
            by_year.setdefault(int(path.name[5:9]), []).append(table)
    links = read_links(shared_data / "gias" / "links_edubasealldata_2022.csv")
    tables = {year: tuple(found) for year, found in sorted(by_year.items())}
    return numbers(read_performance(tables, links, CODES[stage][1], stage, YEARS), stage)


@pytest.fixture(scope="module")
def panel(stage, shared_data):
    path = shared_data / "panel" / f"{stage.lower()}_school_panel_2016_2019_england.csv.gz"
    pupils, codes = CODES[stage]
    return numbers(read_assembled(path, codes, pupils, YEARS), stage)


def numbers(listing, stage):
    """Return the results of a listing as numbers, with the area, by school and summer."""
    scores = listing.scores.set_index(KEYS)
    found = {code: pd.Series(parse_cells(scores[code], code)[0], scores.index) for code in CODES[stage][1]}
    return pd.DataFrame(found).assign(area=listing.identity.set_index(KEYS)["area"])


def test_every_row_of_the_panel_is_in_the_parts_where_they_are_at_hand(stage, parts, panel):
    here = {key for key, area in panel["area"].dropna().items() if (int(area), key[1]) in AT_HAND[stage]}
    assert here - set(parts.index) == ROWS_ONLY_IN_PANEL[stage]
    more = set(parts.index) - here
    assert len(more) == ROWS_ONLY_IN_PARTS[stage]
    assert {year for _, year in more} <= {2016, 2017}
    assert not set(panel.reindex(list(more))["area"].dropna())


def test_every_result_that_both_have_is_equal_and_each_other_one_is_explained(stage, parts, panel):
    both = parts.index.intersection(panel.index)
    for code, n_known in N_KNOWN[stage].items():
        part, whole = parts.loc[both, code], panel.loc[both, code]
        known = part.notna() & whole.notna()
        assert int(known.sum()) == n_known
        unequal = {key: (part[key], whole[key]) for key in both[known & (part != whole)]}
        assert unequal == {key: values[code] for key, values in UNEQUAL[stage].items()}
        assert set(both[part.isna() & whole.notna()]) == ONLY_IN_PANEL[stage]
        assert not (part.notna() & whole.isna()).any()
