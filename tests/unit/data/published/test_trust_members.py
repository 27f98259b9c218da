"""A trust's members as participants: from the day each joined, once each, and what is left out counted."""

from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.core.project import Participants
from evalkit.data.published.participants import read_participants
from evalkit.data.published.participants_file import read_listed_schools
from evalkit.data.published.records import SchoolRecords
from evalkit.data.published.school_lists import Links, read_links, read_register, read_spine
from evalkit.data.published.trust_members import listed_participants

HEAD = ",URN,Group UID,Group ID,Group Name,Group Type,Joined date,EstablishmentName\n"
GROUPS = HEAD + (
    "0,100009,11,TR1,PLOVER TRUST,Multi-academy trust,2018-09-01,Another Name Altogether\n"
    "1,100003,11,TR1,PLOVER TRUST,Multi-academy trust,2016-01-10,Robin Lane\n"
    "2,100001,11,TR1,PLOVER TRUST,Multi-academy trust,2017-09-01,Plover Primary School\n"
    "3,199999,11,TR1,PLOVER TRUST,Multi-academy trust,2019-09-01,Opened since\n"
    "4,200001,11,TR1,PLOVER TRUST,Multi-academy trust,1900-01-01,Harbour High\n"
    "5,199999,12,TR2,WREN TRUST,Multi-academy trust,2019-09-01,Opened since\n"
)
LINKS = Links({"100009": "100001"}, ())
SPINE = pd.DataFrame(
    {
        "area": 340, "laestab": ["3402001", "3404001"], "name": ["Plover Primary School", "Harbour High School"],
        "minor_group": "Academy", "is_primary": [True, False], "is_secondary": [False, True],
    },
    index=["100001", "200001"],
)  # fmt: skip


@pytest.fixture
def records():
    ids = ["100001", "100003"]
    names = ["Plover Primary School", "Robin Lane Primary School"]
    schools = pd.DataFrame(
        {"name": names, "laestab": ["3402001", "3402003"], "area": 340, "minor_group": "Academy"}, index=ids
    )
    known = {"100001": "100001", "100009": "100001", "100003": "100003"}
    return {"KS2": SchoolRecords("KS2", schools, {}, {}, pd.DataFrame(index=ids), (2016,), known, ())}


@pytest.fixture
def read(tmp_path, records):
    path = tmp_path / "group_links.csv"
    path.write_text(GROUPS, encoding="utf-8")

    def reading(trust):
        chosen = Participants(file=path.name, trust=trust)
        project = SimpleNamespace(participants=chosen, programme=SimpleNamespace(start=date(2017, 9, 1)))
        return read_participants(path, records, [SPINE], LINKS, project)

    return reading


@pytest.mark.parametrize("trust", ["Plover Trust", 11, "11", "tr1"])
def test_members_take_part_from_the_day_they_joined(read, trust):
    found = read(trust)
    assert found.schools == {"KS2": ("100001", "100003")}
    assert found.facts["start"].dropna().to_dict() == {
        "100001": pd.Timestamp(2017, 9, 1),  # of its two URNs in the trust the day of the first
        "100003": pd.Timestamp(2016, 1, 10),
    }
    assert found.facts.loc["100001", "cohort"] == 2018
    assert pd.isna(found.facts.loc["200001", "start"])  # 1 January 1900 stands for a day that is not known
    assert set(found.facts["group"]) == {"PLOVER TRUST"}
    assert found.told == ("start", "group")
    assert found.without_outcome == {"KS2": {"no KS2 outcome (a secondary school)": 1}}


def test_what_is_left_out_is_counted(read):
    counts = [(case.case, case.n) for case in read("Plover Trust").cases[:4]]
    assert counts == [
        ("members of PLOVER TRUST on the day of the file; schools that left it before are not in it", 5),
        ("of these, left out as neither the results nor the school list has them", 1),
        ("of these, left out as an earlier URN of the same school is there", 1),
        ("participants listed in the file", 3),
    ]


@pytest.mark.parametrize(
    ("trust", "said"),
    [
        ("Plovr Trust", "No group is called 'Plovr Trust'. Did you mean 'PLOVER TRUST'"),
        ("Wren Trust", "of 1 member of 'Wren Trust' none stands in the results or the school list"),
    ],
)
def test_a_trust_that_is_none_or_of_which_nobody_is_known(read, trust, said):
    with pytest.raises(DataError) as refused:
        read(trust)
    assert said in str(refused.value)


def test_a_file_without_a_trust_is_a_list_of_schools(tmp_path):
    (tmp_path / "list.csv").write_text("URN,start\n100001,2018\n", encoding="utf-8")
    found = listed_participants(tmp_path, Participants(file="list.csv"))
    assert found.first_start == date(2017, 9, 1)


# A cut of GIAS as it stands is a list of schools.

WHOLE = (
    "URN,LA (code),LA (name),EstablishmentNumber,EstablishmentName,OpenDate,CloseDate,NumberOfPupils,Trusts (name),"
    "OfstedLastInsp,LastChangedDate,InspectorateReport,DateOfLastInspectionVisit,NextInspectionVisit,"
    "PreviousLA (code),PreviousEstablishmentNumber,LSOA (name),UPRN,FSM"
)


def test_the_whole_list_of_gias_may_be_cut_to_participants(tmp_path):
    path = tmp_path / "edubasealldata20210901.csv"
    row = '100001,340,Knowsley,2001,"Ste Thérèse, Huyton",01-09-2012,,200,PLOVER TRUST,,,,,,,,,,'
    path.write_bytes(f"{WHOLE}\r\n{row}\r\n".encode("cp1252"))
    found = read_listed_schools(path)
    assert [(one.urn, one.name, one.problem) for one in found.rows] == [("100001", "Ste Thérèse, Huyton", "")]
    assert found.beside == ()  # the trust of one day is not the group of a programme
    assert "DateOfLastInspectionVisit" in found.unused


def test_sixty_surrey_schools_of_a_real_cut(tmp_path, shared_files, shared_data):
    source = (shared_files / "gias" / "2021_850_936_gias.csv").read_bytes().splitlines(keepends=True)
    surrey = [line for line in source[1:] if b',"936",' in line][:60]
    path = tmp_path / "participants.csv"
    path.write_bytes(source[0] + b"".join(surrey))
    gias = shared_data / "gias"
    spine, links = (
        read_spine(gias / "england_spine_2017-2018.csv"),
        read_links(gias / "links_edubasealldata_2022.csv"),
    )
    found = read_participants(path, {}, [spine], links)
    assert len(found.matched) == 60
    assert {school.area for school in found.matched} == {936}
    assert len({school.school for school in found.matched}) == 60


CUT = (
    '"URN","LA (code)","EstablishmentNumber","EstablishmentName","PhaseOfEducation (name)"\n'
    '"300001","340","2009","Plover Infant School","Primary"\n'
    '"300002","340","4002","Heron High School","Secondary"\n'
)


def test_a_cut_of_the_register_is_who_its_schools_are(tmp_path, records):
    path = tmp_path / "participants.csv"
    path.write_text("\ufeff" + CUT, encoding="utf-8")
    found = read_participants(path, records, [], LINKS)
    assert [one.area for one in found.matched] == [340, 340]
    assert found.without_outcome["KS2"] == {
        "no KS2 outcome (a secondary school)": 1,
        "no KS2 outcome (in the school list, without KS2 results)": 1,
    }
    # the same schools as a list like any other, of which no file knows them
    path.write_text(CUT.replace("LA (code)", "Authority"), encoding="utf-8")
    with pytest.raises(DataError, match="no file knows URN 300001"):
        read_participants(path, records, [], LINKS)
    # and where the register is among the files
    (tmp_path / "cut.csv").write_text(CUT, encoding="utf-8")
    assert len(read_participants(path, records, [read_register(tmp_path / "cut.csv")], LINKS).matched) == 2


def test_a_real_trust(tmp_path, shared_files, shared_data):
    chosen = Participants(file="group_links.csv.gz", trust="United Learning Trust")
    found = listed_participants(shared_files / "gias", chosen)
    assert len(found.rows) == 75
    assert found.first_start == date(2003, 9, 1)
    assert all(row.start is not None for row in found.rows)
