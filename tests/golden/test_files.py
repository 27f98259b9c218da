"""Every public file at hand: what it is told to be and what it gives, against an independent count of it."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest

import evalkit
from evalkit.core.errors import DataError
from evalkit.data.areas.lait import area_breaks
from evalkit.data.files.members import member_of
from evalkit.data.files.raw_table import RawTable
from evalkit.data.files.recognition import layout_of
from evalkit.data.layouts.registry import layouts
from tests.conftest import ROOT

FILES = ROOT.parent / "shared" / "files"
DATA = ROOT.parent / "shared" / "data"
KNOWN = json.loads((FILES / "expected.json").read_text(encoding="utf-8")) if FILES.is_dir() else []
LONG = [one for one in KNOWN if "time_period" in one]
needs_files = pytest.mark.skipif(not KNOWN, reason="needs the published files in ../shared/files")
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs the published files in ../shared/data")
SYMBOLS = ("z", "c", "x", "k", "u", ":", "")


def told(path):
    table = RawTable(member_of(path))
    layout = layout_of(table.peek, layouts())
    return table, layout, layout.contents(table) if layout else None


@needs_files
@pytest.mark.parametrize("expected", LONG, ids=lambda one: one["file"].partition("/")[2])
def test_a_long_file_gives_its_rows_levels_and_periods(expected):
    table, layout, contents = told(FILES / expected["file"])
    assert (layout.name, contents.rows) == ("ees", expected["rows"])
    assert contents.levels == tuple(sorted(level.casefold() for level in expected["levels"]))
    assert contents.years == tuple(int(period[:4]) + 1 for period in expected["time_period"])
    assert len(table.peek.columns) == expected["cols"]


@needs_files
@pytest.mark.parametrize("expected", LONG, ids=lambda one: one["file"].partition("/")[2])
def test_every_symbol_of_a_long_file_is_a_reason_or_stands_in_a_key(expected):
    read = evalkit.read_ees(FILES / expected["file"])
    assert len(read) == expected["rows"]
    assert read.keys["geographic_level"].value_counts().to_dict() == expected["levels"]
    in_values = Counter(dict.fromkeys(SYMBOLS, 0))
    for code in read.codes:
        in_values[code.code] += code.n_cells
    published = pd.read_csv(
        FILES / expected["file"], dtype=str, keep_default_na=False, usecols=list(read.values), encoding="utf-8-sig"
    )
    in_keys = Counter(dict.fromkeys(expected["codes"], 0))
    for column in read.keys.drop(columns=["year", "summer"]):
        in_keys.update(cell for cell in read.keys[column] if cell in expected["codes"])
    for code, n in expected["codes"].items():
        if code not in ("", " "):  # keys stand without the blanks around them
            assert in_values[code] + in_keys[code] == n, code
    numbers = published.apply(pd.to_numeric, errors="coerce")
    np.testing.assert_array_equal(read.values[list(numbers)], numbers)
    assert (read.reasons.ne("").to_numpy() == read.values.isna().to_numpy()).all()


@needs_files
@pytest.mark.slow
def test_exclusions_of_schools_come_out_of_their_archive():
    archive = FILES / "ees" / "exclusions_by_geographic_level.zip"
    asked = {"level": "School", "where": {"time_period": "201617", "la_name": "Suffolk"}}
    read = evalkit.read_ees(archive, measures=["perm_excl", "fixed_excl_rate"], **asked)
    assert read.keys["school_laestab"].str.startswith("935").all()
    assert set(read.reasons["perm_excl"]) <= {"", "not available for other reasons", "not applicable"}
    assert read.values["perm_excl"].notna().sum() + read.reasons["perm_excl"].ne("").sum() == len(read) > 300


@needs_data
@pytest.mark.parametrize(
    ("file", "layout", "rows", "years"),
    [
        ("schools-2022-23/england_census.csv", "school-census", 24436, ()),
        ("schools-2022-23/england_abs.csv", "school-absence", 21284, ()),
        ("schools-2022-23/england_filtered.csv", "derived-merged", 3056, ()),
        ("exclusions/clean_la_data.csv", "exclusions", 7122, tuple(range(2007, 2018))),
        ("exclusions/clean_la_exclusions_data.csv", "exclusions-by-reason", 6564, tuple(range(2007, 2018))),
        ("exclusions/SFR35_2017_reason_for_exclusion.csv", "exclusions-by-reason", 6367, tuple(range(2007, 2017))),
        ("lait/lait_data_dictionary.csv", "meta-lait", 448, ()),
        ("lait/knowsley_kpi_check.csv", "derived-kpi-check", 16, ()),
        ("panel/ks2_school_covariates.csv.gz", "derived-covariates", 16308, ()),
        ("performance-tables/meta/2018-2019_ks4_meta_methodology.csv", "notes", 49, ()),
        ("ofsted/ofsted_ratings_history_to_2020.csv", "ofsted-history", 60134, tuple(range(2006, 2021))),
    ],
)
def test_a_file_is_told_by_its_content_with_its_rows_and_years(file, layout, rows, years):
    _, found, contents = told(DATA / file)
    assert (found.name, contents.rows, contents.years) == (layout, rows, years)


@needs_data
def test_ratings_are_numbered_as_often_as_they_stand_there():
    read = evalkit.read_ofsted_inspections(DATA / "ofsted" / "ofsted_ratings_history_to_2020.csv")
    counts = read.values["Overall effectiveness"].value_counts().to_dict()
    assert counts == {1: 6630, 2: 32157, 3: 8451 + 9845 - 1, 4: 3051 - 1}
    assert read.notes[-1] == "2 rows stand there twice and count once."  # one third and one fourth grade


@needs_data
def test_the_indicators_of_a_strategy_are_those_of_the_interactive_tool():
    check = pd.read_csv(DATA / "lait" / "knowsley_kpi_check.csv", dtype={"lait_code": str})
    path = DATA / "lait" / "bds_long_0.parquet"
    for row in check.to_dict("records"):
        of_area = {"lait": evalkit.read_lait(path, row["lait_code"]), "england": None}
        of_area["england"] = evalkit.read_lait(path, row["lait_code"], level="nation")
        for column, value in row.items():
            source, _, year = column.rpartition("_")
            if source not in of_area or not year.isdigit() or pd.isna(value):
                continue
            series = of_area[source]
            at = series.position(340 if source == "lait" else 970)
            assert series.values[at, series.periods.index(int(year))] == pytest.approx(value), (
                row["lait_code"],
                column,
            )


@needs_data
@pytest.mark.slow
def test_every_measure_of_the_interactive_tool_is_read_or_refused_with_a_reason(monkeypatch):
    from evalkit.data.areas import lait
    from evalkit.data.own_tables.columns import read_columns

    path = DATA / "lait" / "bds_long_0.parquet"
    whole = read_columns(path, [lait.MEASURE, lait.YEAR, lait.NAME, lait.VALUE], [lait.NUMBER])
    monkeypatch.setattr(lait, "read_columns", lambda *_: whole)  # read once for 434 measures
    refused = {}
    measures = whole.texts[lait.MEASURE].dropna().unique().tolist()
    for measure in measures:
        try:
            series = lait.read_lait(path, measure)
            assert np.isfinite(series.values).any()
            assert series.breaks == (area_breaks(measure) or ())
        except DataError as problem:
            refused[measure] = str(problem)
    assert len(measures) == 434
    assert set(refused) == {"RTA", "Hosp_Adm_Alc_<18yrs"}
    assert all("an average over several years" in said for said in refused.values())
