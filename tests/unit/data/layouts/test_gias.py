"""Cuts of GIAS and the performance tables' list of schools: typed cells, a reason in every gap, and what is refused."""

import gzip

import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.data.files.members import member_of
from evalkit.data.files.raw_table import RawTable
from evalkit.data.layouts.gias import LAYOUTS, read_gias
from evalkit.data.layouts.school_columns import ABSENT, BLANK, NO_AUTHORITY, UNKNOWN_DAY

GIAS, SPINE, _ = LAYOUTS
HEAD = (
    '"URN","LA (code)","EstablishmentNumber","EstablishmentName","OpenDate","CloseDate","PercentageFSM",'
    '"TypeOfEstablishment (name)"'
)
ROWS = (
    '104451,"340","3312","Huyton with Roby","","31-01-2018","",""',
    '145435,"340","3312","Huyton with Roby","01-02-2018","","21.4","Academy converter"',
    '100000,"201","","Émile’s","01-01-1900","","0","Other"',
    '402000,"000","6001","Ysgol Gymraeg","","","",""',
)


@pytest.fixture
def written(tmp_path):
    def write(*rows, head=HEAD, name="edubasealldata20210901.csv", encoding="cp1252"):
        path = tmp_path / name
        path.write_bytes(("\r\n".join([head, *rows]) + "\r\n").encode(encoding))
        return path

    return write


def test_cells_are_typed_and_gaps_have_their_reason(written):
    found = read_gias(written(*ROWS))
    schools, why = found.schools, found.reasons
    assert list(schools.index) == ["104451", "145435", "100000", "402000"]
    assert list(schools["laestab"]) == ["3403312", "3403312", "", ""]
    assert schools.loc["145435", "opened"] == pd.Timestamp(2018, 2, 1)
    assert schools.loc["145435", "fsm_percent"] == 21.4
    assert schools.loc["100000", "fsm_percent"] == 0
    assert schools.loc["100000", "name"] == "Émile’s"
    assert why.loc["100000", "opened"] == UNKNOWN_DAY
    assert pd.isna(schools.loc["402000", "area"])
    assert why.loc["402000", "area"] == NO_AUTHORITY
    assert why.loc["104451", "fsm_percent"] == BLANK
    assert set(why["phase"]) == {ABSENT}
    assert found.as_of == "2018-02-01"
    # a cell is missing exactly where there is a reason
    is_missing = schools.isna() | (schools == "")
    assert (is_missing[why.columns] == (why != "")).all().all()


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig"])
def test_encodings(written, encoding):
    assert read_gias(written(*ROWS, encoding=encoding)).schools.loc["100000", "name"] == "Émile’s"


def test_shuffled_columns_are_the_same_list(written, tmp_path):
    path = written(*ROWS)
    frame = pd.read_csv(path, encoding="cp1252", dtype=str, keep_default_na=False)
    shuffled = tmp_path / "shuffled.csv"
    frame[sorted(frame.columns)].to_csv(shuffled, index=False, encoding="cp1252")
    pd.testing.assert_frame_equal(read_gias(path).schools, read_gias(shuffled).schools)


@pytest.mark.parametrize(
    ("rows", "head", "said"),
    [
        (ROWS, HEAD.replace("EstablishmentNumber", "EstabNumber"), "has no column EstablishmentNumber"),
        ((*ROWS, ROWS[0]), HEAD, "row 6: URN 104451 has a row already"),
        (("1044,340,3312,A,,,,",), HEAD, "row 2: '1044' in the column 'URN' is no URN"),
        (("104451,Knowsley,3312,A,,,,",), HEAD, "row 2: 'Knowsley' is no local authority's code"),
        (("104451,340,3312,A,2018,,,",), HEAD, "OpenDate, row 2: '2018' is no day such as 31-08-2021"),
        (("104451,340,3312,A,31-02-2018,,,",), HEAD, "'31-02-2018' is no day"),
        (("104451,340,3312,A,,,many,",), HEAD, "PercentageFSM: 'many'"),
        ((), HEAD, "headings and no row"),
        (ROWS, HEAD.replace("CloseDate", "OpenDate"), "the column OpenDate stands there twice"),
    ],
)
def test_what_is_refused_in_a_sentence(written, rows, head, said):
    with pytest.raises(DataError, match=f"edubasealldata20210901.csv.*{said}"):
        read_gias(written(*rows, head=head))


def test_a_download_that_broke_off(written):
    path = written(*ROWS)
    path.write_bytes(path.read_bytes()[:-25])
    with pytest.raises(DataError, match="cut short"):
        read_gias(path)


def test_nuls_and_compressed_files(tmp_path, written):
    path = written(*ROWS)
    packed = tmp_path / "cut.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert len(read_gias(packed).schools) == 4
    packed.write_bytes(packed.read_bytes()[:60])
    with pytest.raises(DataError, match=r"cut\.csv\.gz: the compressed file is damaged or cut short"):
        read_gias(packed)
    path.write_bytes(path.read_bytes().replace(b"Huyton", b"Huy\0ton"))
    with pytest.raises(DataError, match="holds NULs, so it is not text"):
        read_gias(path)
    path.write_text("\n".join([HEAD, *ROWS]), encoding="utf-16")
    with pytest.raises(DataError, match="holds NULs, so it is not text"):
        read_gias(path)


def test_layouts_are_told_apart(written, tmp_path):
    path = written(*ROWS)
    assert GIAS.fits(RawTable(member_of(path)).peek)
    assert not SPINE.fits(RawTable(member_of(path)).peek)
    other = tmp_path / "spine.csv"
    other.write_text("URN,LA,ESTAB,LAESTAB,SCHNAME,MINORGROUP,NFTYPE\n104451,340,3312,3403312,A,Academy,B\n")
    assert SPINE.fits(RawTable(member_of(other)).peek)
    assert not GIAS.fits(RawTable(member_of(other)).peek)
    assert read_gias(other).schools.loc["104451", "laestab"] == "3403312"


def test_the_real_cut(shared_files):
    path = shared_files / "gias" / "2021_850_936_gias.csv"
    found = read_gias(path)
    assert len(found.schools) == 729  # and 95 blank cells, as an independent reading counted them
    assert (found.reasons == BLANK).sum().sum() == 95
    assert found.schools["area"].value_counts().to_dict() == {850: 427, 936: 302}
    assert found.schools["fsm_percent"].notna().sum() == 714
    contents = GIAS.contents(RawTable(member_of(path)))
    assert (contents.rows, contents.areas) == (729, ("850", "936"))
    assert contents.subject == "GIAS of 850, 936"


def test_the_real_list_of_2017(shared_data):
    path = shared_data / "gias" / "england_spine_2017-2018.csv"
    found = read_gias(path)
    assert len(found.schools) == 26_078
    assert (found.schools["area"] == 340).sum() > 60
    assert found.schools["opened"].notna().sum() == 26_078 - 23_896
    assert found.schools["closed"].notna().sum() == 26_078 - 23_932
    assert found.as_of == "2019-11-07"


def test_a_list_is_told_without_its_days_and_in_any_case_of_letters(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("URN,LA,ESTAB,LAESTAB,SCHNAME,MINORGROUP\n104451,340,3312,3403312,Huyton,Academy\n")
    contents = SPINE.contents(RawTable(member_of(path)))
    assert (contents.rows, contents.areas, contents.as_of) == (1, ("340",), "")
    path.write_text("urn,la (code),establishmentnumber,establishmentname,opendate\n104451,340,3312,Huyton,01-02-2018\n")
    contents = GIAS.contents(RawTable(member_of(path)))
    assert (contents.rows, contents.areas, contents.as_of) == (1, ("340",), "2018-02-01")
