"""Readers of area series, on made-up files in the published formats."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.data.areas.exclusions import read_exclusions
from evalkit.data.areas.lait import NOT_LOOKED_AT, area_breaks, read_lait, unjoined
from evalkit.data.areas.ofsted_shares import read_ofsted_shares
from evalkit.data.areas.series import AreaRoles, AreaSeries, read_area_file
from evalkit.data.own_tables.year_labels import read_year_label

ROLES = AreaRoles(unit="area", period="year", outcome="y")


@pytest.mark.parametrize(
    ("text", "year", "stage"),
    [
        ("2019", 2019, ""),
        ("2018/19", 2019, ""),
        ("2015-16", 2016, ""),
        ("1999/00", 2000, ""),
        ("201819", 2019, ""),
        ("2018 (Rev)", 2018, "Rev"),
        ("2020 (Final)", 2020, "Final"),
        ("2025 (prov)", 2025, "prov"),
        ("2016-17 (OT)", 2017, "OT"),
    ],
)
def test_year_labels(text, year, stage):
    found = read_year_label(text, "file")
    assert (found.year, found.stage) == (year, stage)


@pytest.mark.parametrize("text", ["2014-16", "2013/14-15/16"])
def test_averages_over_years_are_refused(text):
    with pytest.raises(DataError, match="is an average over several years"):
        read_year_label(text, "file")


@pytest.mark.parametrize("text", ["0", "", "summer", "20191", "2019/18", "2019 (a b)"])
def test_what_is_no_year(text):
    with pytest.raises(DataError, match="is not a year"):
        read_year_label(text, "file")


def lait(tmp_path, rows, name="bds_long_0.parquet"):
    """Write rows of (measure, label, area, number, value) as the tool's table."""
    frame = pd.DataFrame(rows, columns=["Short Desc", "Years", "LA and Regions", "LA Number", "Values"])
    frame = frame.assign(Region="", **{"Data item": "NA"})
    path = tmp_path / name
    frame.astype({"LA Number": float}).to_parquet(path)
    return path


def lait_rows(measure="AVG_Prog8_Score", labels=("2017", "2018 (Rev)", "2019")):
    rows = [
        (measure, label, name, number, value)
        for name, number, values in (
            ("Knowsley", 340, ("-0.89", "7.0000000000000007E-2", "-0.5")),
            ("Halton", 876, ("-", "0.1", "0.2")),
            ("England", 970, ("0", "0", "0")),
            ("North West", 981, ("0", "0", "0")),
        )
        for label, value in zip(labels, values, strict=True)
    ]
    return [*rows, ("Other", "2014-16", "Knowsley", 340, "1")]


def test_lait(tmp_path):
    found = read_lait(lait(tmp_path, lait_rows()), "AVG_Prog8_Score")
    assert found.areas.tolist() == [340, 876]
    assert found.periods == (2017, 2018, 2019)
    np.testing.assert_array_equal(found.values, [[-0.89, 0.07, -0.5], [np.nan, 0.1, 0.2]])
    assert found.name(340) == "Knowsley"
    assert [one.kind for one in found.breaks] == ["year-common", "year-common"]


def test_lait_as_csv_and_percentages(tmp_path):
    rows = [(*row[:4], row[4] + "%" if row[4] != "-" else "-") for row in lait_rows()]
    path = tmp_path / "lait.csv"
    pd.read_parquet(lait(tmp_path, rows)).to_csv(path, index=False)
    assert read_lait(path, "AVG_Prog8_Score").values[0, 0] == -0.89


def test_lait_says_what_it_does_not_know(tmp_path):
    found = read_lait(lait(tmp_path, lait_rows("SecTotAbs", ("2017", "2018", "2025 (prov)"))), "SecTotAbs")
    assert found.notes == ("Values of 2025 are provisional.", NOT_LOOKED_AT)


def test_lait_areas_that_changed_are_not_joined_up(tmp_path):
    extra = [("AVG_Prog8_Score", "2019", "Dorset", 838, "1"), ("AVG_Prog8_Score", "2017", "Dorset (Pre LG)", 835, "1")]
    found = read_lait(lait(tmp_path, lait_rows() + extra), "AVG_Prog8_Score")
    assert "not joined up with them: Dorset (838)." in found.notes[-1]


def test_areas_made_before_the_years_of_a_series_are_not_told(tmp_path):
    years = ("2020", "2021", "2022")
    extra = [("AVG_Prog8_Score", year, "Dorset", 838, "1" if year != "2021" else "c") for year in years]
    extra += [("AVG_Prog8_Score", "2022", "North Northamptonshire", 940, "1")]
    found = read_lait(lait(tmp_path, lait_rows("AVG_Prog8_Score", years) + extra), "AVG_Prog8_Score")
    assert "not joined up with them: North Northamptonshire (940)." in " ".join(found.notes)


def test_the_areas_of_2009_are_told_as_the_later_ones_are():
    rows = [(895, 2010, 1.0), (895, 2011, 1.0), (340, 2008, 1.0), (340, 2010, 1.0), (340, 2011, 1.0)]
    frame = pd.DataFrame(rows, columns=["area", "year", "rate"])
    series = AreaSeries.from_frame(frame, AreaRoles(unit="area", period="year", outcome="rate"))
    assert unjoined(series, {895: "Cheshire East"}, series.periods) == (
        "Areas made from others within these years are not joined up with them: Cheshire East (895)."
    )
    assert unjoined(series.within(2010, 2011), {895: "Cheshire East"}, (2010, 2011)) == ""


def test_a_year_no_area_has_is_left_out_and_said(tmp_path):
    rows = [(*row[:4], "-" if row[1] == "2018 (Rev)" else row[4]) for row in lait_rows()]
    found = read_lait(lait(tmp_path, rows), "AVG_Prog8_Score")
    assert found.periods == (2017, 2019)
    assert "No area has a value in 2018." in found.notes


@pytest.mark.parametrize(
    ("change", "measure", "said"),
    [
        (lambda rows: rows, "AVG_Prog8_Scor", "no measure 'AVG_Prog8_Scor'. Did you mean 'AVG_Prog8_Score'"),
        (lambda rows: rows, "Other", "average over several years"),
        (lambda rows: [(*r[:4], "n.k.") if r[1] == "2019" else r for r in rows], "AVG_Prog8_Score", "'n.k.'"),
        (lambda rows: [(r[0], "2018", *r[2:]) if r[1] == "2019" else r for r in rows], "AVG_Prog8_Score", "one year"),
        (lambda rows: [(r[0], "0", *r[2:]) if r[1] == "2019" else r for r in rows], "AVG_Prog8_Score", "not a year"),
    ],
)
def test_what_lait_refuses(tmp_path, change, measure, said):
    with pytest.raises(DataError, match=said):
        read_lait(lait(tmp_path, change(lait_rows())), measure)


def test_lait_without_a_column(tmp_path):
    path = tmp_path / "lait.parquet"
    pd.read_parquet(lait(tmp_path, lait_rows())).drop(columns="Values").to_parquet(path)
    with pytest.raises(DataError, match="no column 'Values'"):
        read_lait(path, "AVG_Prog8_Score")


@pytest.mark.parametrize(
    ("measure", "years"),
    [
        ("KS2RWM_Expected_STD", {(2015, 2016): "level", (2017, 2018): "year-common"}),
        ("KS2R_Expected_STD", {(2015, 2016): "level"}),
        ("KS2M_Prog_VA", {(2015, 2016): "level", (2017, 2018): "year-common"}),
        ("FSM_AVG_Prog8_Score", {(2016, 2017): "year-common", (2017, 2018): "year-common"}),
        (
            "AVG_Attain8_Score",
            {(2016, 2017): "level", (2019, 2020): "level", (2021, 2022): "level", (2022, 2023): "year-common"},
        ),
        ("EngMaths9-4", {(2019, 2020): "level", (2021, 2022): "level", (2022, 2023): "year-common"}),
        ("FSP_NEW_GOODDEV", {(2019, 2022): "level"}),
    ],
)
def test_breaks_of_measures(measure, years):
    assert {(one.before, one.after): one.kind for one in area_breaks(measure)} == years


def test_a_measure_without_known_breaks():
    assert area_breaks("SecTotAbs") is None


EXCLUSIONS = """\
"year","level","la_name","school_type","perm_excl","perm_excl_rate"
"201617","National","England","Total","7720","0.1"
"201617","Region","North West","Total","10","0.1"
"201617","Local authority","Bury","Total","5","0.28"
"201516","Local authority","Bury","Total","x","x"
"201617","Local authority","Wigan","Total","1","0.01"
"201516","Local authority","Wigan","Total","0","."
"201516","Local authority","Wigan","Secondary","0","0.5"
"200607","Local authority","NULL","Total","0","."
"200607","Local authority","Cheshire (Pre LGR 2009)","Total","3","0.11"
"""


def exclusions(tmp_path, text=EXCLUSIONS):
    path = tmp_path / "clean_la_data.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_exclusions(tmp_path):
    found = read_exclusions(exclusions(tmp_path), "perm_excl_rate")
    assert found.areas.tolist() == ["Bury", "Wigan", "Cheshire (Pre LGR 2009)"]
    assert found.periods == (2007, 2017)
    np.testing.assert_array_equal(found.values, [[np.nan, 0.28], [np.nan, 0.01], [0.11, np.nan]])
    assert "Cheshire (Pre LGR 2009)" in found.notes[-1]
    assert "counts" in read_exclusions(exclusions(tmp_path), "perm_excl").notes[1]
    assert read_exclusions(exclusions(tmp_path), "perm_excl_rate", "Secondary").values.tolist() == [[0.5]]


def test_exclusions_without_a_level_column(tmp_path):
    text = "\n".join(",".join(line.split(",")[:1] + line.split(",")[2:]) for line in EXCLUSIONS.splitlines()) + "\n"
    found = read_exclusions(exclusions(tmp_path, text), "perm_excl_rate")
    assert found.areas.tolist() == ["Bury", "Wigan", "Cheshire (Pre LGR 2009)"]


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (EXCLUSIONS, {"measure": "perm_rate"}, "no column perm_rate"),
        (EXCLUSIONS, {"measure": "perm_excl_rate", "school_type": "Totals"}, "no type of school 'Totals'"),
        (EXCLUSIONS.replace('"0.28"', '"high"'), {"measure": "perm_excl_rate"}, "'high'"),
        (EXCLUSIONS.replace('"201617"', '"201618"'), {"measure": "perm_excl_rate"}, "average over several years"),
        (EXCLUSIONS.replace("Local authority", "Region"), {"measure": "perm_excl_rate"}, "no row is of a local"),
    ],
)
def test_what_exclusions_refuse(tmp_path, text, options, said):
    with pytest.raises(DataError, match=said):
        read_exclusions(exclusions(tmp_path, text), **options)


def ofsted(tmp_path, history, closed=""):
    """Write a history and a list of twelve schools in 340 (1 to 12) and one in 341."""
    ratings, spine = tmp_path / "ratings.csv", tmp_path / "spine.csv"
    ratings.write_text("URN,Rating,Inspection Date\n" + "".join(f"{row}\n" for row in history), encoding="utf-8")
    rows = [f"{urn},340,{closed if urn == 12 else ''}" for urn in range(1, 13)] + ["99,341,"]
    spine.write_text("URN,LA,CLOSEDATE\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return ratings, spine


FIRST = [f"{urn},{'Good' if urn <= 6 else 'Satisfactory'},20090101" for urn in range(1, 13)]


def test_ofsted_shares(tmp_path):
    later = ["7,Outstanding,20100831", "8,Good,20100901", "1,Inadequate,20110501", "99,Good,20090101"]
    found = read_ofsted_shares(*ofsted(tmp_path, FIRST + later, "2010-12-31 00:00:00"), [2009, 2010, 2011])
    assert found.areas.tolist() == [340]  # 341 has one school
    # 6 of 12; with school 7, 7 of 12; without the closed school 12, with 8 and without 1: 7 of 11
    np.testing.assert_allclose(found.values[0], [50, 100 * 7 / 12, 100 * 7 / 11])


def test_of_two_ratings_on_one_day_the_worse_counts(tmp_path):
    found = read_ofsted_shares(*ofsted(tmp_path, [*FIRST, "1,Inadequate,20090201", "1,Good,20090201"]), [2009])
    assert found.values[0, 0] == pytest.approx(100 * 5 / 12)


@pytest.mark.parametrize(
    ("row", "years", "said"),
    [
        ("1,Super,20090101", [2009], "'Super' is not a rating"),
        ("1,Good,20091301", [2009], "'20091301' is not a day"),
        ("1,Good,20090101", [1999], "no area has 10 rated schools"),
        ("1,Good,20090101", [], "No year was named"),
    ],
)
def test_what_ofsted_shares_refuse(tmp_path, row, years, said):
    with pytest.raises(DataError, match=said):
        read_ofsted_shares(*ofsted(tmp_path, [*FIRST, row]), years)


def test_a_user_s_file(tmp_path):
    path = tmp_path / "areas.csv"
    path.write_text("area,year,y\n007,2001,1\n007,2002,\n010,2001,3\n010,2002,4\n", encoding="utf-8")
    found = read_area_file(path, ROLES)
    assert found.areas.tolist() == ["007", "010"]
    assert found.notes == ("1 row has no outcome; such an area lacks that period.",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("area,year,y\na,2001,1\n,2002,2\n", "line 3: column 'area': the unit is missing"),
        ("area,year,y\na,2001,1\na,,2\n", "line 3: column 'year': the period is missing"),
        ("area,year,y\na,2001.5,1\n", "a period is a whole number"),
        ("area,year,y\na,2001,inf\n", "infinite"),
        ("area,year,y\na,2001,high\n", "line 2: 'high' in the column 'y' is not a number"),
        ("area,year,y\na,2001,1\na,2001,2\n", "two rows in period 2001"),
        ("area,year\na,2001\n", "no column 'y'"),
        ("area,year,y\n", "no rows"),
    ],
)
def test_a_user_s_file_that_cannot_be_used(tmp_path, text, said):
    path = tmp_path / "areas.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        read_area_file(path, ROLES)
