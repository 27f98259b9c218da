"""The whole synthetic England: the usual files untouched, later ones laid out as the real ones, one truth in all."""

import collections
import csv
import gzip
import hashlib
import io
import json
import zipfile
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from evalkit.data.files.catalogue import catalogue
from evalkit.data.layouts.registry import MODULES, layouts
from evalkit.data.published.sources import find_sources
from evalkit.data.synthetic import write_synthetic_england
from evalkit.data.synthetic.known import KNOWN_FOLDER, KnownEffects
from evalkit.data.synthetic.later import SUPPORT_EFFECTS, draw_later, draw_later_summers
from evalkit.data.synthetic.public_codes import gss_codes, region_of
from evalkit.data.synthetic.register import draw_identities
from evalkit.data.synthetic.whole_england import write_whole_england
from evalkit.data.synthetic.world import draw_primaries

SEED, SCALE = 7, 0.06


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    write_whole_england(folder, seed=SEED, scale=SCALE)
    return folder


@pytest.fixture(scope="module")
def drawn():
    """The schools and summers of a whole country, nothing written."""
    schools = draw_primaries(2015, 1.0)
    later = draw_later(2015, schools, draw_identities(2015, schools, 1.0), 1.0)
    return later, draw_later_summers(2015, later)


def text_of(path):
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def rows_of(path, encoding="utf-8-sig"):
    return list(csv.DictReader(io.StringIO(text_of(path).decode(encoding))))


def header_of(content):
    return next(csv.reader(io.StringIO(content.decode("cp1252", errors="replace"))))


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def attainment(whole):
    return pd.read_csv(whole / "ees" / "ks2_school_attainment_data.csv.gz", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def extract(whole):
    return {row["URN"]: row for row in rows_of(whole / "gias" / "edubasealldata20251103.csv", "cp1252")}


def test_the_usual_files_keep_their_bytes(whole, tmp_path):
    write_synthetic_england(tmp_path, seed=SEED, scale=SCALE)
    usual, all_of_it = digests(tmp_path), digests(whole)
    del usual["SYNTHETIC.json"]
    assert len(usual) == 13
    assert {name: all_of_it[name] for name in usual} == usual


def test_same_seed_same_bytes(whole, tmp_path):
    write_whole_england(tmp_path / "again", seed=SEED, scale=SCALE)
    assert digests(tmp_path / "again") == digests(whole)


def test_the_card_says_what_is_true_of_the_later_programme(whole):
    card = json.loads((whole / "SYNTHETIC.json").read_text(encoding="utf-8"))
    assert (card["kind"], card["extent"]) == ("synthetic", "whole")
    assert card["later_programme"]["true_effects_by_summer"]["READ_AVERAGE"] == {"2024": 0.6, "2025": 1.2}
    listed = rows_of(whole / card["later_programme"]["participants"])
    assert len(listed) == card["later_programme"]["schools"] == 20


def test_what_is_planted_stands_in_the_card_and_in_the_tables(whole):
    known = json.loads((whole / "SYNTHETIC.json").read_text(encoding="utf-8"))["known_effects"]
    assert known["effects"] == asdict(KnownEffects())
    schools = pd.read_csv(whole / known["folder"] / "schools.csv")
    listed = pd.read_csv(whole / known["folder"] / known["schools"]["participants"])
    assert len(listed) == known["schools"]["schools"] == listed["urn"].nunique()
    assert listed["dose"].between(1, 12).all()
    grades = schools.pivot(index="urn", columns="year", values="grade")
    assert (grades[2024] == grades[2025]).all()
    assert known["percentage_points_better"] == 100 * known["schools_lifted_a_grade"] / len(listed)
    # half up: a quarter of the supported schools
    assert known["schools_lifted_a_grade"] == int(0.25 * len(listed) + 0.5)
    areas = pd.read_csv(whole / known["folder"] / "areas.csv")
    assert areas.groupby("la_code")["year"].nunique().eq(28).all()
    assert areas.drop(columns="la_name").notna().all(axis=None)


@pytest.mark.parametrize(
    ("made", "real"),
    [
        ("ees/ks2_la.csv.gz", "files/ees/ks2_la.csv.gz"),
        ("ees/absence_la.csv.gz", "files/ees/absence_la.csv.gz"),
        ("schools-2022-23/england_abs.csv", "data/schools-2022-23/england_abs.csv"),
        ("schools-2022-23/england_census.csv", "data/schools-2022-23/england_census.csv"),
        ("exclusions/clean_la_data.csv", "data/exclusions/clean_la_data.csv"),
        ("gias/links_edubasealldata20251103.csv", "data/gias/links_edubasealldata_2022.csv"),
        ("gias/group_links20251103.csv", "files/gias/group_links.csv.gz"),
        ("ofsted/ofsted_ratings_history_to_2020.csv", "data/ofsted/ofsted_ratings_history_to_2020.csv"),
        ("neighbours/sn_model_2025_wide.csv", "files/neighbours/sn_model_2025_wide.csv"),
        (
            "neighbours/New_Statistical_Neighbour_Groupings_April_2021.csv",
            "files/neighbours/New_Statistical_Neighbour_Groupings_April_2021.csv",
        ),
    ],
)
def test_columns_are_those_of_the_real_file(whole, shared, made, real):
    content, published = text_of(whole / made), text_of(shared / real)
    assert header_of(content) == header_of(published)
    assert content.startswith(b"\xef\xbb\xbf") == published.startswith(b"\xef\xbb\xbf")


def test_exclusions_are_an_archive_of_a_table_and_its_description(whole, shared):
    made = zipfile.ZipFile(whole / "ees" / "exclusions_by_geographic_level.zip")
    real = zipfile.ZipFile(shared / "files" / "ees" / "exclusions_by_geographic_level.zip")
    assert sorted(made.namelist()) == sorted(real.namelist())
    for name in real.namelist():
        assert header_of(made.read(name)) == header_of(real.read(name)[:2000].replace(b"\r\n", b"\n")), name


def test_columns_of_the_register_stand_in_the_order_of_a_real_extract(extract, shared):
    real = header_of((shared / "files" / "gias" / "2021_850_936_gias.csv").read_bytes())
    made = list(next(iter(extract.values())))
    known = [name for name in real if name != "OfstedRating (name)"]  # later extracts lack it
    assert [name for name in made if name in known] == known


def test_the_same_results_stand_in_the_wide_table_and_in_the_long_file(whole, attainment):
    wide = {
        row["URN"]: row["PTRWM_EXP"]
        for row in rows_of(whole / "performance-tables" / "ks2" / "2022-2023_england_ks2final.csv")
        if row["RECTYPE"] in ("1", "2") and row["TELIG"]
    }
    total = attainment[
        (attainment["time_period"] == "202223")
        & (attainment["breakdown"] == "Total")
        & (attainment["subject"] == "Reading, writing and maths")
        & (attainment["geographic_level"] == "School")
    ]
    long = dict(zip(total["school_urn"], total["expected_standard_pupil_percent"], strict=True))
    assert wide == {urn: "SUPP" if cell == "c" else f"{cell}%" for urn, cell in long.items()}
    assert len(long) > 900


def test_symbols_and_breakdowns_are_those_of_the_published_file(attainment):
    symbols = collections.Counter(attainment["expected_standard_pupil_percent"])
    assert symbols["c"] > 100
    assert symbols["z"] > 0
    progress = attainment[attainment["time_period"] != "202223"]["progress_measure_score"]
    assert set(progress) == {"z"}  # none after 2022/23
    assert set(attainment["breakdown"]) == {
        "Total", "Boys", "Girls", "Disadvantaged", "Not known to be disadvantaged", "Non mobile", "3 year average",
    }  # fmt: skip


def test_divided_counties_have_their_new_codes_from_the_first_summer_on(whole, attainment):
    schools = attainment[attainment["geographic_level"] == "School"]
    by_period = {period: set(rows["old_la_code"]) for period, rows in schools.groupby("time_period")}
    assert all({"940", "941", "942", "943"} <= codes and not {"928", "909"} & codes for codes in by_period.values())
    before = rows_of(whole / "performance-tables" / "ks2" / "2018-2019_england_ks2final.csv")
    assert {"928", "909"} <= {row["LEA"] for row in before}
    areas = pd.read_csv(whole / "ees" / "ks2_la.csv.gz", dtype=str, keep_default_na=False)
    in_2022 = set(areas[areas["time_period"] == "202122"]["old_la_code"])
    assert {"940", "941", "909"} <= in_2022
    assert "942" not in in_2022
    assert gss_codes()[942] == "E06000063"
    assert region_of(942) == ("E12000002", "North West")


def test_every_school_with_results_is_in_the_register_and_was_open(attainment, extract):
    schools = attainment[(attainment["geographic_level"] == "School") & (attainment["time_period"] == "202425")]
    for urn, laestab in set(zip(schools["school_urn"], schools["school_laestab"], strict=True)):
        row = extract[urn]
        assert laestab == row["LA (code)"] + row["EstablishmentNumber"]
        assert row["CloseDate"] == "" or row["CloseDate"][-4:] >= "2025"


def test_links_lead_from_closed_schools_to_those_that_took_over(whole, extract):
    rows = rows_of(whole / "gias" / "links_edubasealldata20251103.csv", "cp1252")
    kinds = collections.Counter(row["LinkType"] for row in rows)
    assert kinds["Successor"] == kinds["Predecessor"] > 100
    assert kinds["Successor - merged"] == kinds["Predecessor - merged"] > 0
    assert kinds["Successor - amalgamated"] == kinds["Predecessor - amalgamated"] > 0
    later = [row for row in rows if row["LinkEstablishedDate"][-4:] >= "2021" and row["LinkType"].startswith("Succ")]
    assert len(later) > 10
    for row in later:
        assert extract[row["URN"]]["CloseDate"] != ""
        assert row["LinkURN"] in extract
    before = rows_of(whole / "gias" / "links_edubasealldata_2022.csv", "cp1252")
    assert {tuple(row.values()) for row in before} <= {tuple(row.values()) for row in rows}


def test_no_urn_stands_twice_and_dates_are_in_order(extract, whole):
    assert len(extract) == len(rows_of(whole / "gias" / "edubasealldata20251103.csv", "cp1252"))
    for row in extract.values():
        opened, closed = (row[name][-4:] + row[name][3:5] + row[name][:2] for name in ("OpenDate", "CloseDate"))
        assert not (opened and closed) or opened < closed, row["URN"]
        assert (row["EstablishmentStatus (name)"] == "Closed") == (closed != "")


def test_the_later_programme_is_recovered_by_a_plain_difference(drawn):
    """240 schools against all others; a change varies by 1.7 points between schools, so its mean by 0.11."""
    later, summers = drawn
    others = ~later.is_supported & ~later.schools.special & (later.last == 2025) & ~later.schools.is_treated
    assert later.is_supported.sum() == 240
    for name, effects in SUPPORT_EFFECTS.items():
        for year, true in effects.items():
            change = summers[year].averages[name] - summers[2023].averages[name]
            spread = change[others].std() / np.sqrt(240)
            assert abs(change[later.is_supported].mean() - change[others].mean() - true) < 3 * spread, (name, year)


def test_the_first_programme_lasts(drawn):
    """In the treated area reading is up by 0.9 points of progress over its lasting level, less what all lose of it."""
    later, summers = drawn
    treated = later.schools.is_treated
    before = later.schools.scores[:, :2, 0].mean(axis=1)
    change = summers[2025].progress[:, 0] - before
    others = ~treated & ~later.schools.special & ~later.is_supported
    slope = np.polyfit(before[others], change[others], 1)
    surplus = (change - np.polyval(slope, before))[treated]
    assert abs(surplus.mean() - 0.9) < 0.9  # one area: its own shock and 52 schools


def test_supported_schools_are_drawn_by_lot_outside_the_first_area(drawn):
    later, summers = drawn
    supported = later.is_supported
    level = summers[2022].averages["READ_AVERAGE"]
    others = ~supported & ~later.schools.special & (later.last == 2025) & (later.schools.cohort.min(axis=1) >= 15)
    spread = level[others].std() / np.sqrt(supported.sum())
    assert abs(level[supported].mean() - level[others].mean()) < 3 * spread
    assert not later.schools.is_treated[supported].any()


def test_pupils_are_made_up_and_lie_around_their_schools_averages(whole, attainment):
    pupils = pd.read_csv(whole / "pupils" / "synthetic_pupils.csv", dtype=str)
    assert pupils["PupilMatchingRefAnonymous"].str.startswith("SYN").all()
    assert pupils["PupilMatchingRefAnonymous"].is_unique
    assert 3000 < len(pupils) < 12_000
    scored = pupils[pupils["KS2_READSCORE"].notna()].assign(score=lambda frame: frame["KS2_READSCORE"].astype(float))
    means = scored.groupby(["AcademicYear", "URN"])["score"].mean()
    published = attainment[(attainment["subject"] == "Reading") & (attainment["breakdown"] == "Total")]
    at = {
        ("2024/25", row.school_urn): row.average_scaled_score
        for row in published.itertuples()
        if row.time_period == "202425"
    }
    gaps = [mean - float(at[key]) for key, mean in means.items() if key in at and at[key].isdigit()]
    assert len(gaps) > 20
    assert abs(float(np.mean(gaps))) < 0.6


def test_later_tables_have_the_codes_of_published_ones(whole):
    ks2 = text_of(whole / "performance-tables" / "ks2" / "2022-2023_england_ks2final.csv").decode("utf-8-sig")
    ks4 = text_of(whole / "performance-tables" / "ks4" / "2022-2023_england_ks4final.csv").decode("utf-8-sig")
    for content, codes in ((ks2, ("SUPP", "NA", "NEW", "94%")), (ks4, ("SUPP", "NE", "NP", "NA", "LOWCOV"))):
        cells = {cell for row in csv.reader(io.StringIO(content)) for cell in row}
        assert {*codes} <= cells, set(codes) - cells
        assert content.count("\r\n") == content.count("\n")


def test_every_name_says_that_it_is_made_up(extract):
    made_up = ("Synthetic", "Synthétique", "Example", "Fictus", "Samples", "Imaginary", "Placeholder")
    assert all(any(word in row["EstablishmentName"] for word in made_up) for row in extract.values())
    assert all("ynthetic" in row["LA (name)"] for row in extract.values())


NOT_DATA = {"SYNTHETIC.json", "programme/participants.csv"}
REGISTER = ("boundaries", "gias", "lait/sn_", "neighbours/")
"""Begin the names of files of layouts that are registered together: register, links, trusts, neighbours, outlines."""


def test_every_file_is_recognised_with_its_years(whole):
    has_register = "gias" in MODULES
    found = catalogue(whole, layouts()).entries
    unknown = {entry.member.name for entry in found if entry.layout is None} - NOT_DATA
    unknown = {name for name in unknown if not name.startswith(f"{KNOWN_FOLDER}/")}  # tables of a project's own
    assert {name for name in unknown if has_register or not name.startswith(REGISTER)} == set()
    years = {entry.member.name: set(entry.contents.years) for entry in found}
    assert years["ees/ks2_school_attainment_data.csv.gz"] == {2023, 2024, 2025}
    assert years["ees/absence_la.csv.gz"] == {2019, *range(2021, 2026)}
    assert years["performance-tables/ks2/2022-2023_england_ks2final.csv"] == {2023}
    assert years["performance-tables/ks4/2014-2015_england_ks4final.csv"] == {2015}
    assert years["pupils/synthetic_pupils.csv"] == {2023, 2024, 2025}
    rows = {entry.member.name: entry.contents.rows for entry in found}
    assert rows["schools-2022-23/england_abs.csv"] == len(rows_of(whole / "schools-2022-23" / "england_abs.csv"))


def test_a_project_reads_the_files_that_the_catalogue_uses(whole):
    used = {entry.member.path: entry.layout.name for entry in catalogue(whole, layouts()).entries if entry.is_used}
    found = find_sources(whole)
    lists = {"links": "gias-links", "spine": "gias-spine", "establishments": "gias"}
    assert {name: used[getattr(found, name).path] for name in lists} == lists
    tables = {
        one.file.path: stage for stage in ("KS2", "KS4") for files in found.tables[stage].values() for one in files
    }
    assert len(tables) > 10
    assert {path: used[path] for path in tables} == {
        path: f"performance-table-{stage.lower()}" for path, stage in tables.items()
    }
    assert {used[path] for path in found.neighbours.values()} == {"neighbours"}
    assert {used[one] for one in found.boundaries} == {"boundaries"}
    assert {used[one.path][:3] for files in found.ees.values() for one in files} == {"ees"}
