"""Measures of authorities among published files: which file, which years, in which unit, of which authority."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError, MissingData
from evalkit.data.measures import AREAS, measure
from evalkit.data.published.area_records import area_file, area_files, area_records, area_years
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.sources import find_sources

NO_LIST = NeighbourTable({}, {}, {}, 0)
LAIT = "Short Desc,Years,LA Number,LA and Regions,Values\n"
EXCLUSIONS = (
    "level,year,la_name,school_type,headcount,perm_excl,perm_excl_rate,fixed_excl,fixed_excl_rate,one_plus_fixed,"
    "one_or_more_fixed_excl_rate\n"
)


def lait(folder: Path, rows: list[str], name: str = "bds_long_0.csv") -> Path:
    (folder / name).write_text(LAIT + "".join(f"{row}\n" for row in rows))
    return folder


def exclusions(folder: Path, rows: list[tuple[str, str, str]]) -> Path:
    """Write rates of secondaries by year and authority."""
    text = "".join(
        f"Local authority,{year},{name},Secondary,1000,1,0.1,90,{rate},50,5.0\n" for year, name, rate in rows
    )
    (folder / "rates.csv").write_text(EXCLUSIONS + text)
    return folder


def records(folder, code, first, years):
    sources = find_sources(folder)
    return area_records(sources, [area_years(sources, measure(code), first)], years, NO_LIST)


def test_values_stand_by_code_and_year_and_a_missing_one_has_its_reason(tmp_path):
    rows = [
        "TotAbs,2018/19,340,Knowsley,5.1",
        "TotAbs,2019,341,Liverpool,4.9",
        "TotAbs,2018,340,Knowsley,-",
        "TotAbs,2018,341,Liverpool,4.7%",
        "TotAbs,2018,970,England,4.8",
        "PriTotAbs,2018,340,Knowsley,9.9",
    ]
    rows[1] = "TotAbs,2018/19,341,Liverpool,4.9"
    found = records(lait(tmp_path, rows), "overall_absence", 2019, (2018, 2019))
    values = found.records.values["overall_absence"]
    assert found.records.key_stage == AREAS
    assert values.index.tolist() == ["340", "341"]
    assert values.loc["340", 2019] == 5.1
    assert values.loc["341"].tolist() == [4.7, 4.9]
    assert np.isnan(values.loc["340", 2018])
    reasons = found.records.reasons["overall_absence"]
    assert reasons.loc["340"].tolist() == ["no value is published", ""]
    assert found.records.schools["area_name"].tolist() == ["Knowsley", "Liverpool"]
    assert found.records.schools["region"].tolist() == ["North West", "North West"]
    source = found.sources["overall_absence"]
    assert (source.file, source.column) == ("bds_long_0.csv", "TotAbs")
    # three of the four cells of two areas in two years are numbers
    assert "Of 4 values of authorities 1 are no number" in " ".join(source.notes)


def test_cells_of_other_years_are_not_looked_at(tmp_path):
    rows = ["TotAbs,2018,340,Knowsley,5.1", "TotAbs,2018,341,Liverpool,4.9", "TotAbs,2019,340,Knowsley,spoilt"]
    folder = lait(tmp_path, rows)
    assert records(folder, "overall_absence", 2019, (2018,)).records.values["overall_absence"].loc["340", 2018] == 5.1
    with pytest.raises(DataError, match="'spoilt'"):
        records(folder, "overall_absence", 2019, (2018, 2019))


def test_the_file_with_years_on_both_sides_of_the_start_is_read(tmp_path):
    lait(tmp_path, [f"SecFixedEx,{y}/{y % 100 + 1},340,Knowsley,9.0" for y in range(2015, 2020)])
    exclusions(tmp_path, [(f"{y}{y % 100 + 1:02d}", "Knowsley", "8.5") for y in range(2008, 2017)])
    sources, known = find_sources(tmp_path), measure("secondary_fixed_exclusions")
    assert [one.place.layout for one in area_files(sources, known)] == ["exclusions", "lait"]
    assert area_file(sources, known, 2013).years == tuple(range(2009, 2018))
    assert area_file(sources, known, 2018).place.layout == "lait"
    # 2016 and 2017 stand in both: where either would do, the first of the registry is read and the other is told
    assert area_file(sources, known, 2017).place.layout == "exclusions"
    (note,) = area_years(sources, known, 2017).notes
    assert "Also at hand, and not read: bds_long_0.csv" in note


def test_two_files_of_one_kind_are_refused_by_name(tmp_path):
    lait(tmp_path, ["TotAbs,2018,340,Knowsley,5.1"])
    lait(tmp_path, ["TotAbs,2019,340,Knowsley,5.1"], "other.csv")
    with pytest.raises(DataError, match=r"bds_long_0\.csv and other\.csv all hold overall_absence"):
        area_files(find_sources(tmp_path), measure("overall_absence"))


def test_what_is_nowhere_is_missed_with_what_would_hold_it_and_what_is_there(tmp_path):
    lait(tmp_path, ["TotAbs,2018,340,Knowsley,5.1"])
    with pytest.raises(MissingData) as told:
        area_file(find_sources(tmp_path), measure("secondary_fixed_exclusions"), 2018)
    text = str(told.value)
    assert "statistical releases on exclusions: fixed_excl_rate, school_type Secondary" in text
    assert "At hand with measures of authorities: bds_long_0.csv" in text
    assert "they hold overall_absence." in text


def test_another_unit_is_refused(tmp_path):
    lait(tmp_path, [f"TotAbs,2018,{code},Area,0.0{code % 10 + 1}" for code in range(340, 345)])
    with pytest.raises(DataError, match=r"the middle authority has 0\.03 of overall_absence in 2018; in per cent of"):
        records(tmp_path, "overall_absence", 2019, (2018,))


@pytest.mark.parametrize(
    ("first", "followed", "told"),
    [
        (2018, (2016, 2017, 2018, 2019), "2022 and 2023 are not compared"),
        (2023, (2022, 2023), "2016 to 2019 are not compared"),
    ],
)
def test_a_break_of_level_stops_the_series_on_either_side(tmp_path, first, followed, told):
    years = (2016, 2017, 2018, 2019, 2022, 2023)
    lait(tmp_path, [f"FSP_NEW_GOODDEV,{year},340,Knowsley,66.0" for year in years])
    plan = area_years(find_sources(tmp_path), measure("good_level_of_development"), first)
    assert plan.years == followed
    assert plan.stopped == (f"{told}: {measure('good_level_of_development').breaks[0].sentence}",)


def test_only_the_nearest_break_on_either_side_is_told(tmp_path):
    lait(tmp_path, [f"AVG_Attain8_Score,{year},340,Knowsley,46.0" for year in range(2016, 2026)])
    plan = area_years(find_sources(tmp_path), measure("attainment_8_of_area"), 2019)
    assert plan.years == (2017, 2018, 2019)
    assert [text.partition(":")[0] for text in plan.stopped] == [
        "2016 is not compared",
        "2020 to 2025 are not compared",
    ]


def test_authorities_are_told_by_the_names_of_the_releases(tmp_path):
    names = ["Bristol City of", "St. Helens", "Kingston upon Hull City of", "Bedfordshire (Pre LGR 2009)", "Dorset"]
    exclusions(tmp_path, [(year, name, "9.0") for name in names for year in ("200708", "200809")])
    found = records(tmp_path, "secondary_fixed_exclusions", 2009, (2008, 2009))
    # by the register of authorities: Dorset was 835 until 2019, and is 838 since; Bedfordshire 820 ended in 2009
    assert found.records.values["secondary_fixed_exclusions"].index.tolist() == ["342", "801", "810", "820", "835"]
    exclusions(tmp_path, [("200809", "Atlantis", "9.0")])
    with pytest.raises(DataError, match=r"rates\.csv: Atlantis is no local authority since 2002"):
        records(tmp_path, "secondary_fixed_exclusions", 2009, (2009,))


EES = "time_period,time_identifier,geographic_level,old_la_code,new_la_code,la_name,characteristic_group,characteristic"


def test_a_long_file_is_read_where_nothing_else_parts_its_rows(tmp_path):
    def write(extra: str, cells: str) -> Path:
        rows = [
            f"201718,Academic year,Local authority,340,E08000011,Knowsley,{group},{which}{cells},{value}\n"
            for group, which, value in (
                ("Total", "Total", "68.5"),
                ("Gender", "Girls", "75.0"),
                ("Gender", "Boys", "c"),
            )
        ]
        (tmp_path / "profile.csv").write_text(f"{EES}{extra},gld_percent\n" + "".join(rows))
        return tmp_path

    code = "good_level_of_development"
    found = records(write("", ""), code, 2018, (2018,))
    assert found.records.values[code].loc["340"].tolist() == [68.5]
    assert found.sources[code].record()["where"] == {"characteristic_group": "Total", "characteristic": "Total"}
    # of a file that parts its rows by something more it is not known which of them is meant
    parted = find_sources(write(",first_language", ",English"))
    assert area_files(parted, measure(code)) == ()


def test_the_share_of_good_schools_is_worked_out_of_ratings(tmp_path):
    """Ten schools of one area: in 2018 seven of ten good, in 2019, one more inspected again, eight."""
    schools = [f"10000{number}" for number in range(10)]
    (tmp_path / "england_spine_2017-2018.csv").write_text(
        "URN,LA,ESTAB,LAESTAB,NFTYPE,MINORGROUP,SCHNAME,OPENDATE,CLOSEDATE,ISPRIMARY,ISSECONDARY,OTHERURN\n"
        + "".join(f"{urn},340,200{urn[-1]},340/200{urn[-1]},CY,Maintained School,S,,,1,0,\n" for urn in schools)
    )
    ratings = [f"{urn},{'Good' if urn < '100007' else 'Inadequate'},20180306\n" for urn in schools]
    again = "100009,Good,20190306\n100000,Good,20191001\n"
    (tmp_path / "ratings.csv").write_text("URN,Rating,Inspection Date\n" + "".join(ratings) + again)
    found = records(tmp_path, "good_or_better", 2019, (2018, 2019))
    assert found.records.values["good_or_better"].loc["340"].tolist() == [70.0, 80.0]
    (tmp_path / "england_spine_2017-2018.csv").unlink()
    with pytest.raises(MissingData, match="in which authority each inspected school lies"):
        records(tmp_path, "good_or_better", 2019, (2018,))


def test_the_order_of_rows_changes_nothing(tmp_path):
    rows = [f"TotAbs,{year},{code},Area,{4 + code % 7 / 10:.1f}" for year in (2018, 2019) for code in range(340, 345)]
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    found = [
        records(lait(folder, lines), "overall_absence", 2019, (2018, 2019)).records.values["overall_absence"]
        for folder, lines in ((one, rows), (other, rows[::-1]))
    ]
    pd.testing.assert_frame_equal(*found)
