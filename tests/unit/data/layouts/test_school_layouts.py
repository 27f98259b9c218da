"""Files of schools, small areas and pupils: hand-made rows of each layout, and what is said of a wrong file."""

import numpy as np
import openpyxl
import pandas as pd
import pytest

import evalkit
from evalkit.core.errors import DataError
from evalkit.data.files.members import member_of
from evalkit.data.files.raw_table import RawTable
from evalkit.data.files.recognition import layout_of
from evalkit.data.layouts.registry import layouts

CENSUS = "URN,LA,Estab,SCHOOLTYPE,NOR,PNORG\n"
CENSUS_ROWS = "100000,201,3614,State-funded primary,271,46.9%\n100001,202,6005,Independent school,739,NA\n"
CARDS = (
    "URN,School name,Inspection start date,Inclusion,Curriculum and teaching,Achievement,"
    "Latest OEIF overall effectiveness,Inspection start date of latest OEIF graded inspection\n"
)
MANAGEMENT = "URN,School name,Inspection start date,Overall effectiveness,Quality of education\n"
PUPILS = "KS2_PupilMatchingRefAnonymous,KS2_ACADYR,KS2_URN,KS2_LAESTAB,KS2_READSCORE,KS2_GENDER\n"
PUPIL_ROWS = "A1,2018/2019,100001,3402001,104,F\nA2,2018/2019,100001,3402001,N,M\nA1,2017/2018,100001,3402001,99,F\n"
IDACI = "LSOA code (2011),Income Deprivation Affecting Children Index (IDACI) Score (rate)\n"


def written(tmp_path, text, name="a.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    return path


def contents(path):
    table = RawTable(member_of(path))
    layout = layout_of(table.peek, layouts())
    assert layout is not None
    return layout.name, layout.contents(table)


def refusal(read, path, **asked):
    with pytest.raises(DataError) as refused:
        read(path, **asked)
    return str(refused.value)


def test_census_rows_of_england_stand_apart_and_the_name_says_the_year(tmp_path):
    rows = CENSUS_ROWS + "NAT,,PRI,State-funded primary,4647851,49.1%\n"
    path = written(tmp_path, CENSUS + rows, "2022-2023_england_census.csv", "utf-8-sig")
    census = evalkit.read_school_census(path)
    assert census.keys["level"].tolist() == ["school", "school", "national"]
    assert census.keys["ESTAB"].tolist() == ["3614", "6005", "PRI"]
    assert census.keys["year"].unique().tolist() == [2023]
    np.testing.assert_array_equal(census.values["PNORG"], [46.9, np.nan, 49.1])
    assert census.notes == ("In 'PNORG' count as missing: 1 cell NA (not applicable or not available for the year).",)
    name, found = contents(path)
    assert (name, found.rows, found.years, found.areas) == ("school-census", 3, (2023,), ("201", "202"))
    assert (found.levels, found.subject) == (("national", "school"), "school census 2023 England")


def test_a_name_with_two_school_years_says_none(tmp_path):
    path = written(tmp_path, CENSUS + CENSUS_ROWS, "2022-23_census_published_2023-24.csv")
    assert "year" not in evalkit.read_school_census(path).keys
    assert evalkit.read_school_census(path, year=2023).keys["year"].unique().tolist() == [2023]
    assert contents(path)[1].years == ()


def test_a_file_that_says_no_year_has_none_and_says_so(tmp_path):
    census = evalkit.read_school_census(written(tmp_path, CENSUS + CENSUS_ROWS))
    assert "year" not in census.keys
    assert "Neither the file nor its name says the year of NOR and PNORG." in census.notes
    assert contents(tmp_path / "a.csv")[1].subject == ""


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (
            "read_school_census",
            CENSUS + CENSUS_ROWS + CENSUS_ROWS.splitlines()[0] + "\n",
            "line 4: a row stands there twice",
        ),
        ("read_school_census", CENSUS + "1000,201,3614,x,271,1%\n", "line 2: '1000' in the column 'URN' is none"),
        (
            "read_school_census",
            CENSUS + "100000,201,3614,x,many,1%\n",
            "line 2: 'many' in the column 'NOR' is not a number",
        ),
        ("read_school_census", CENSUS, "a header but no rows"),
        ("read_school_census", CENSUS + CENSUS_ROWS[:60], "line 3: the file is cut short"),
        ("read_school_census", "URN,LA,NOR\n100000,201,3\n", "It lacks ESTAB."),
        ("read_school_absence", CENSUS + CENSUS_ROWS, "It looks like this: Performance tables, pupils of each school"),
        ("read_ofsted_inspections", "URN,Rating,Inspection Date\n100000,Super,20180306\n", "'Super' is not a rating"),
        (
            "read_ofsted_inspections",
            "URN,Rating,Inspection Date\n100000,Good,20181340\n",
            "line 2: '20181340' is not a day",
        ),
        (
            "read_ofsted_inspections",
            MANAGEMENT + "100000,Plover,01/03/2018,7,2\n",
            "7 in the column 'Overall effectiveness'",
        ),
        ("read_ofsted_inspections", MANAGEMENT + "1,Plover,01/03/2018,2,2\n", "'1' in the column 'URN' is none"),
        (
            "read_pupils",
            PUPILS + PUPIL_ROWS + "A2,2018/2019,100001,3402001,90,M\n",
            "line 5: a pupil and year stands there twice",
        ),
        ("read_pupils", PUPILS + ",2018/2019,100001,3402001,90,M\n", "line 2: a row is of no pupil"),
        ("read_pupils", PUPILS + "A1,2018/2020,100001,3402001,90,M\n", "line 2: '2018/20' is an average over several"),
        ("read_idaci", IDACI + "E0100644,0.4\n", "line 2: 'E0100644' is no small area"),
        ("read_idaci", IDACI + "E01006442,41\n", "line 2: 41 is no score"),
        ("read_idaci", IDACI + "E01006442,0.1\nE01006442,0.2\n", "line 3: a small area stands there twice"),
        ("read_similar_schools", "URN,similar_school_1,similar_school_2\n100001,100002,1x\n", "line 2: '1x' is no URN"),
        ("read_similar_schools", "URN,similar_urn\n100001,100002\n100001,100002\n", "line 3: a row stands there twice"),
        ("read_destinations", CENSUS + CENSUS_ROWS, "evalkit.read_school_census"),
        (
            "read_16_to_18",
            "RECTYPE,LEA,ESTAB,URN,TPUP1618,TALLPPE_ALEV_1618\n1,340,1,1,3,x1\n",
            "'1' in the column 'URN'",
        ),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(tmp_path, read, text, said):
    assert said in refusal(getattr(evalkit, read), written(tmp_path, text))


def test_histories_of_ratings_have_a_day_and_a_framework(tmp_path):
    rows = "100000,Outstanding,20130418\n100000,Satisfactory,20080926\n100001,Inadequate,20190320\n"
    path = written(tmp_path, "URN,Rating,Inspection Date\n" + rows)
    found = evalkit.read_ofsted_inspections(path)
    assert found.values["Overall effectiveness"].tolist() == [1, 3, 4]
    assert found.keys["day"].tolist() == ["20130418", "20080926", "20190320"]
    assert set(found.keys["framework"]) == {"overall grade"}
    assert contents(path)[1].years == (2009, 2013, 2019)  # school years: 26 September 2008 is of 2008/09


def test_the_series_of_overall_grades_breaks_in_september_2024(tmp_path):
    rows = "100000,A,01/09/2024,2,2\n100001,B,02/09/2024,Not judged,3\n100002,C,NULL,NULL,NULL\n"
    found = evalkit.read_ofsted_inspections(written(tmp_path, MANAGEMENT + rows))
    assert found.keys["framework"].tolist() == ["overall grade", "no overall grade", ""]
    np.testing.assert_array_equal(found.values["Overall effectiveness"], [2, np.nan, np.nan])
    assert found.reasons["Overall effectiveness"].tolist() == ["", "not judged", "not given (NULL in the source)"]
    assert "a series of good or better ends there" in found.notes[0]


def test_report_cards_are_points_where_the_best_is_highest(tmp_path):
    rows = (
        "100000,A,10/11/2025,Strong standard,Exceptional,Expected standard,2,03/03/2020\n"
        "100001,B,11/11/2025,Needs attention,Urgent improvement,NULL,Not judged,NULL\n"
    )
    found = evalkit.read_ofsted_inspections(written(tmp_path, CARDS + rows))
    assert found.keys["framework"].tolist() == ["report card", "report card"]
    assert found.values["Inclusion"].tolist() == [4, 2]
    assert found.values["Curriculum and teaching"].tolist() == [5, 1]
    assert found.reasons["Achievement"].tolist() == ["", "not given (NULL in the source)"]
    assert found.reasons["Latest OEIF overall effectiveness"].tolist() == ["", "not judged"]
    assert contents(tmp_path / "a.csv")[0] == "ofsted-report-cards"


def test_pupils_have_their_year_and_every_code_is_no_number(tmp_path):
    path = written(tmp_path, PUPILS + PUPIL_ROWS.replace(",N,", ",SUPP,"))
    pupils = evalkit.read_pupils(path)
    assert pupils.keys[["pupil", "year"]].to_numpy().tolist() == [["A1", 2019], ["A2", 2019], ["A1", 2018]]
    np.testing.assert_array_equal(pupils.values["KS2_READSCORE"], [104, np.nan, 99])
    assert pupils.keys["KS2_GENDER"].tolist() == ["F", "M", "F"]
    assert "fewer than 10 cells SUPP" in pupils.notes[1]  # how few they are is not told
    name, found = contents(path)
    assert (name, found.years, found.areas, found.levels) == ("pupils", (2018, 2019), ("340",), ("pupil",))
    assert found.measures == ("KS2_READSCORE",)


def test_a_pupil_score_that_is_a_letter_is_refused_where_it_is_asked_for(tmp_path):
    path = written(tmp_path, PUPILS + PUPIL_ROWS)
    assert "KS2_READSCORE" in evalkit.read_pupils(path).keys  # numbers and letters: a text
    assert "line 3: 'N' in the column 'KS2_READSCORE'" in refusal(evalkit.read_pupils, path, measures=["KS2_READSCORE"])


def test_of_a_workbook_the_sheet_is_read_that_holds_the_table(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Notes on this edition"])
    sheet = book.create_sheet("Scores")
    sheet.append(IDACI.strip().split(","))
    sheet.append(["E01006442", 0.412])
    book.save(tmp_path / "scores.xlsx")
    assert evalkit.read_idaci(tmp_path / "scores.xlsx").values["IDACI score"].tolist() == [0.412]
    said = refusal(evalkit.read_school_census, tmp_path / "scores.xlsx")
    assert "It looks like this: Income deprivation" in said


def test_a_schools_small_area_is_found_or_its_lack_has_a_reason(tmp_path):
    path = written(tmp_path, IDACI + "E01006442,0.412\nE01006443,0.1\n")
    schools = written(tmp_path, "URN,LSOA (code)\n100001,E01006443\n100002,\n100003,E01033333\n", "gias.csv")
    found = evalkit.read_idaci(path, schools)
    np.testing.assert_array_equal(found.values["IDACI score"], [0.1, np.nan, np.nan])
    assert found.reasons["IDACI score"].tolist() == [
        "",
        "the file names no small area for this school",
        "the school's small area is not in this edition of the index",
    ]
    assert found.notes == ("2 schools of 3 have no small area here.",)


def test_similar_schools_in_rows_and_in_columns_give_the_same_pairs(tmp_path):
    wide = written(tmp_path, "URN,Similar school 2 URN,Similar school 1 URN\n100001,100003,100002\n")
    long = written(tmp_path, "school_urn,similar_school_urn,rank\n100001,100002,1\n100001,100003,2\n", "b.csv")
    one, other = evalkit.read_similar_schools(wide), evalkit.read_similar_schools(long)
    assert (
        one.keys.to_numpy().tolist() == other.keys.to_numpy().tolist() == [["100001", "100002"], ["100001", "100003"]]
    )
    assert one.values["rank"].tolist() == other.values["rank"].tolist() == [1, 2]


def test_destinations_keep_codes_as_reasons(tmp_path):
    header = "RECTYPE,LEA,ESTAB,URN,SCHNAME,COHORT,OVERALL_DEST,OVERALL_DESTPER,OVERALL_DESTPER_DIS\n"
    path = written(tmp_path, header + "1,340,4001,100001,Plover,120,113,94%,SUPP\n4,340,,,Knowsley,900,800,89%,80%\n")
    found = evalkit.read_destinations(path, year=2022)
    assert found.values["OVERALL_DESTPER"].tolist() == [94, 89]
    assert found.reasons["OVERALL_DESTPER_DIS"].tolist() == ["suppressed (too few pupils)", ""]
    assert found.notes[1:] == ("In 'OVERALL_DESTPER_DIS' count as missing: 1 cell SUPP (suppressed: too few pupils).",)
    assert contents(path)[1].areas == ("340",)


@pytest.mark.parametrize(
    ("header", "row", "name"),
    [
        ("Variable,Label,Type,Description", "LA,Number,TEXT,", "meta-variables"),
        ("col_name,col_type,label,indicator_unit", "rate,Indicator,Rate,%", "meta-ees"),
        ("LEA,LA Name,REGION,REGION NAME", "841,Darlington,1,North East A", "codes-areas-regions"),
        ("SCHOOL_ID,URN,YEAR,LA,LAESTAB,SCHNAME", "1,1,2016,201,2013614,Plover", "derived-panel"),
        ("URN,SCHNAME.x,LEA,TOWN.x,ADMPOL.y", "1,Plover,201,London,None", "derived-merged"),
        ("Reformed English and mathematics GCSEs,,", '"New ones, taught from 2015.",,', "notes"),
    ],
)
def test_files_without_records_are_recognised_and_not_used(tmp_path, header, row, name):
    path = written(tmp_path, f"{header}\n{row}\n")
    layout = layout_of(RawTable(member_of(path)).peek, layouts())
    assert layout is not None
    assert layout.name == name
    assert layout.unused_reason
    assert not layout.reader
    assert layout.contents(RawTable(member_of(path))).rows == 1


def test_columns_in_another_order_or_case_give_the_same(tmp_path):
    one = evalkit.read_school_census(written(tmp_path, CENSUS + CENSUS_ROWS))
    rows = [line.split(",") for line in (CENSUS.lower() + CENSUS_ROWS).strip().split("\n")]
    other = evalkit.read_school_census(
        written(tmp_path, "\n".join(",".join(row[::-1]) for row in rows) + "\n", "b.csv")
    )
    pd.testing.assert_frame_equal(one.values, other.values[list(one.values.columns)])


def test_area_readers_say_what_another_file_looks_like(tmp_path):
    path = written(tmp_path, CENSUS + CENSUS_ROWS)
    for read, rest in ((evalkit.read_lait, "AVG"), (evalkit.read_exclusions, "fixed_excl_rate")):
        with pytest.raises(DataError, match=r"It looks like this: Performance tables, pupils of each school"):
            read(path, rest)


def test_a_lait_label_that_is_no_year_and_holds_nothing_is_left_out_and_said(tmp_path):
    rows = "M,0,340,Knowsley,-\nM,2018,340,Knowsley,1.5\nM,0,341,Liverpool,-\nM,2018,341,Liverpool,2\n"
    path = written(tmp_path, "Short Desc,Years,LA Number,LA and Regions,Values\n" + rows)
    series = evalkit.read_lait(path, "M")
    assert series.periods == (2018,)
    assert "No area has a value under the label '0', which is no year." in series.notes
    path = written(tmp_path, "Short Desc,Years,LA Number,LA and Regions,Values\n" + rows.replace("-", "3", 1))
    assert "the label '0' is not a year" in refusal(lambda at: evalkit.read_lait(at, "M"), path)
