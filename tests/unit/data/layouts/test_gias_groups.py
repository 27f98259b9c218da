"""Members of groups: by name and number, on a day, and the real list of March 2022."""

from datetime import date

import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.data.files.members import member_of
from evalkit.data.files.raw_table import RawTable
from evalkit.data.layouts.gias_groups import LAYOUTS, read_trusts
from evalkit.data.layouts.school_columns import ABSENT, UNKNOWN_DAY

HEAD = ",URN,Group UID,Group ID,Group Name,Group Type,Closed Date,Joined date,EstablishmentName"
ROWS = (
    "0,100001,11,TR1,PLOVER TRUST,Multi-academy trust,,2018-09-01,A",
    "1,100002,11,TR1,PLOVER TRUST,Multi-academy trust,,2016-09-01,B",
    "2,100001,12,SP1,Plover Trust,School sponsor,,2018-09-01,A",
    "3,100003,13,,Wren Federation,Federation,,1900-01-01,C",
    "4,100004,14,,Wren Federation,Federation,,2015-01-01,D",
    "5,100005,15,TR5,Lapwing,Single-academy trust,2017-08-31,2012-04-01,E",
)


@pytest.fixture
def written(tmp_path):
    def write(*rows, head=HEAD):
        path = tmp_path / "group_links.csv"
        path.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("asked", "urns"),
    [
        ("Plover Trust", ["100002", "100001"]),  # the trust, not its sponsor; in the order of joining
        (" plover trust ", ["100002", "100001"]),
        ("11", ["100002", "100001"]),
        ("sp1", ["100001"]),
        ("Lapwing", ["100005"]),
    ],
)
def test_a_group_by_name_or_number(written, asked, urns):
    assert list(read_trusts(written(*ROWS)).of(asked)["urn"]) == urns


def test_a_name_that_is_none_or_of_several(written):
    found = read_trusts(written(*ROWS))
    with pytest.raises(DataError, match=r"No group is called 'Plovr Trust'\. Did you mean"):
        found.of("Plovr Trust")
    with pytest.raises(
        DataError, match=r"more than one group: 13 \(1 member\) and 14 \(1 member\). Give the Group UID"
    ):
        found.of("Wren Federation")


@pytest.mark.parametrize(
    ("day", "urns"),
    [
        (date(2014, 1, 1), {"100003", "100005"}),
        (date(2016, 9, 1), {"100002", "100003", "100004", "100005"}),
        (date(2017, 8, 31), {"100002", "100003", "100004"}),  # the day a group closed it is no more
    ],
)
def test_members_of_a_day(written, day, urns):
    assert set(read_trusts(written(*ROWS)).on(day)["urn"]) == urns


def test_days_not_known_and_columns_not_there(written):
    found = read_trusts(written(*ROWS))
    assert found.reasons.loc[3, "joined"] == UNKNOWN_DAY
    assert set(found.reasons["phase"]) == {ABSENT}
    assert found.members["area"].isna().all()
    assert found.as_of == "2018-09-01"


@pytest.mark.parametrize(
    ("rows", "head", "said"),
    [
        (ROWS, HEAD.replace("Joined date", "Joined"), "has no column Joined date"),
        ((*ROWS, ROWS[0]), HEAD, "row 8: URN 100001 stands twice in group 11"),
        ((ROWS[0].replace("2018-09-01", "soon"),), HEAD, "Joined date, row 2: 'soon' is no day"),
    ],
)
def test_what_is_refused(written, rows, head, said):
    with pytest.raises(DataError, match=f"group_links.csv.*{said}"):
        read_trusts(written(*rows, head=head))


def test_the_real_list(shared_files):
    path = shared_files / "gias" / "group_links.csv.gz"
    found = read_trusts(path)
    counts = [case.n for case in found.cases]
    assert counts == [20_395, 4_741, 13_080, 1_381, 54]
    united = found.of("United Learning Trust")
    assert len(united) == 75
    assert set(united["group"]) == set(found.of("TR02343")["group"])
    assert united["joined"].min() == pd.Timestamp(2003, 9, 1)
    assert len(found.on(date(2016, 9, 1))) == 10_449
    [layout] = LAYOUTS
    table = RawTable(member_of(path))
    assert layout.fits(table.peek)
    assert layout.contents(table).rows == 20_395
    assert (table.read() == "").sum().sum() == 54_416  # blank cells, as an independent reading counted them
