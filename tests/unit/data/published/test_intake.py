"""Everything a project reads, on the path that a run takes, and what is refused there."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from evalkit.core.errors import DataError, MissingData, ProjectError
from evalkit.core.project import Exposure, Outcome, Participants
from evalkit.data.published.assembled import read_assembled
from evalkit.data.published.codes import LOST, NO_ROW
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.records import Listing, make_records
from evalkit.data.published.sources import find_sources
from evalkit.data.synthetic import write_synthetic_england
from evalkit.run.project.project_file import load_project

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def england(tmp_path_factory):
    folder = tmp_path_factory.mktemp("intake") / "data"
    write_synthetic_england(folder, seed=3, scale=0.06)
    return folder


@pytest.fixture(scope="module")
def project():
    return load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")


@pytest.fixture
def copied(england, tmp_path):
    return shutil.copytree(england, tmp_path / "data")


def refusal(project, folder, read=read_records, kind=(DataError, ProjectError)):
    with pytest.raises(kind) as refused:
        read(project, folder, find_sources(folder))
    return str(refused.value)


def test_what_a_run_reads(project, england):
    intake = read_records(project, england, find_sources(england))
    assert intake.kind == "synthetic"
    assert intake.years == (2016, 2017, 2018, 2019)
    assert set(intake.records) == {"KS2", "KS4"}
    assert set(intake.neighbours) == {"april_2021", "may_2025"}
    assert set(intake.limits) == {"READPROG", "WRITPROG", "MATPROG", "P8MEA"}
    assert intake.treated.is_whole_area
    for records in intake.records.values():
        assert set(records.schools.loc[list(intake.treated.schools[records.key_stage]), "area"]) == {340}
        for code, values in records.values.items():
            assert (values.isna() == (records.reasons[code] != "")).all(axis=None)


ATTAINMENT = ("READ_AVERAGE", "MAT_AVERAGE", "GPS_AVERAGE", "PTRWM_EXP", "PTREAD_EXP", "PTMAT_HIGH")


def test_attainment_is_read_for_every_summer_with_what_it_is_standardised_by(project, england):
    outcomes = tuple(Outcome(measure=code, role="secondary") for code in ATTAINMENT[1:])
    asked = replace(project, outcomes=(Outcome(measure=ATTAINMENT[0], role="primary"), *outcomes), contrasts=())
    intake = read_records(asked, england, find_sources(england))
    for code in ATTAINMENT:
        values = intake.records["KS2"].values[code]
        low, high = (80, 120) if code.endswith("AVERAGE") else (0, 100)
        assert list(values.columns) == [2016, 2017, 2018, 2019]
        assert (values.notna().mean() > 0.8).all()
        assert values.stack().dropna().between(low, high).all()
    assert set(intake.shares) == set(ATTAINMENT)
    assert len(intake.shares["GPS_AVERAGE"].shares) == 2
    assert all("2017" in shares.scope for shares in intake.shares.values())  # the last summer before the programme
    assert not intake.limits  # none are published of attainment
    before = read_baseline(asked, england, find_sources(england))
    assert before.shares == intake.shares  # known with the design


def test_a_column_without_results_in_a_summer_is_refused(project, shared_data):
    asked = replace(project, outcomes=(Outcome(measure="READ_AVERAGE", role="primary"),), contrasts=())
    said = refusal(asked, shared_data, kind=MissingData)
    assert "ks2_school_panel_2016_2019_england.csv.gz: no school has a result in READ_AVERAGE for 2019" in said
    assert "\n" in said


def test_a_column_that_no_file_has_is_missed_by_name(project, shared_data):
    asked = replace(project, outcomes=(Outcome(measure="PTWRITTA_EXP", role="primary"),), contrasts=())
    assert "the file has no column PTWRITTA_EXP" in refusal(asked, shared_data)


def test_the_pool_keeps_the_area_of_the_last_year(project, england):
    schools = read_records(project, england, find_sources(england)).records["KS2"].schools
    assert not {835, 836, 837} & set(schools["area"])


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("lait/sn_may_2025.xlsx", "sn_may_2025.xlsx: there is no such file"),
        ("gias/links_edubasealldata_2022.csv", "gias/links"),
        ("gias/england_spine_2017-2018.csv", "england_spine"),
        ("performance-tables/ks2/2016-2017_england_ks2final.csv", "no KS2 table gives the results of 2017"),
        ("performance-tables/ks2/2017-2018_england_ks2final.csv", "no KS2 table gives the results of 2018"),
        ("performance-tables/ks2/2018-2019_england_ks2final.csv", "no KS2 table gives the results of 2019"),
    ],
)
def test_a_missing_file_is_missed_by_name(project, copied, gone, said):
    (copied / gone).unlink()
    assert said in refusal(project, copied)


def test_an_outcome_without_any_table_of_its_key_stage(project, copied):
    shutil.rmtree(copied / "performance-tables" / "ks4")
    assert "there is no KS4 table of England" in refusal(project, copied)


def test_a_table_cut_short(project, copied):
    path = copied / "performance-tables" / "ks2" / "2018-2019_england_ks2final.csv"
    path.write_bytes(path.read_bytes()[:200_000])
    message = refusal(project, copied)
    assert "2018-2019_england_ks2final.csv: " in message
    assert "cut short" in message


def test_a_renamed_column(project, copied):
    path = copied / "performance-tables" / "ks2" / "2018-2019_england_ks2final.csv"
    path.write_bytes(path.read_bytes().replace(b",READPROG,", b",READ_PROG,", 1))
    message = refusal(project, copied)
    assert "2018-2019_england_ks2final.csv: the file has no column READPROG" in message
    assert "Did you mean 'READ_PROG'" in message


def test_a_table_in_the_place_of_a_workbook(project, copied):
    (copied / "lait" / "sn_april_2021.xlsx").write_text("LA num,LA Name\n", encoding="utf-8")
    assert "sn_april_2021.xlsx: the file is not an Excel workbook" in refusal(project, copied, read_baseline)


def test_a_year_without_tests(project, england):
    later = replace(project, exposure=Exposure(pre=(2016, 2017), partial=(2018, 2019), post=(2020,)))
    for read in (read_baseline, read_records):
        assert "does not exist for 2020" in refusal(later, england, read)


def test_a_level_break_between_the_years(project, england):
    other = replace(project, outcomes=(Outcome(measure="ATT8SCR", role="primary"),))
    assert "ATT8SCR cannot be followed from 2016 to 2019" in refusal(other, england)


def test_participants_of_a_file_on_synthetic_england(project, england, tmp_path):
    every = read_records(project, england, find_sources(england)).records
    schools = every["KS2"].schools
    # Two schools that converted are listed by the URN of 2019, one by its LAESTAB, and a secondary by its URN.
    newest = {school: urn for urn, school in every["KS2"].urns.items() if urn != school}
    converted = schools.index[schools["is_converted"]][:2]
    plain = schools.index[~schools["is_converted"] & (schools["minor_group"] == "Maintained School")][0]
    secondary = next(iter(every["KS4"].urns))
    rows = [f"{newest[school]},," for school in converted]
    rows += [f',{schools.loc[plain, "laestab"]},"{schools.loc[plain, "name"]}"', f"{secondary},,"]
    (tmp_path / "participants.csv").write_text("\n".join(["URN,LAESTAB,name", *rows]) + "\n", encoding="utf-8")
    listed = replace(project, participants=Participants(file="participants.csv"))
    treated = read_records(listed, tmp_path, find_sources(england)).treated
    assert set(treated.schools["KS2"]) == {*converted, plain}
    assert treated.without_outcome["KS2"] == {"no KS2 outcome (a secondary school)": 1}
    assert len(treated.schools["KS4"]) == 1


HEADER = "SCHOOL_ID,URN,YEAR,LA,LAESTAB,SCHNAME,MINORGROUP_SPINE1718,TELIG,READPROG"


def assembled(tmp_path, *rows):
    path = tmp_path / "ks2_school_panel_2016_2019_england.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def test_an_assembled_panel_is_read_for_the_years_asked_and_no_other(tmp_path):
    path = assembled(
        tmp_path,
        "1,1,2016,340,3402001,One,Academy,30,1.5",
        "1,1,2019,340,3402001,One,Academy,30,POISON",
        "1,1,2017,340,3402001,One,Academy,30,",
    )
    listing = read_assembled(path, ["READPROG"], "TELIG", (2016, 2017))
    assert listing.scores["READPROG"].tolist() == ["1.5", ""]
    assert listing.identity["year"].tolist() == [2016, 2019, 2017]
    exposure = Exposure(pre=(2016, 2017), post=(2019,))
    records = make_records(
        listing, "KS2", ["READPROG"], exposure, NeighbourTable({}, {340: "Knowsley"}, {340: "NW"}, 0)
    )
    assert records.years == (2016, 2017)
    # A blank of 2017 has lost its code; the area is that of the last row.
    assert records.reasons["READPROG"].loc["1"].tolist() == ["", LOST]
    assert records.schools.loc["1", ["area", "area_name", "region"]].tolist() == [340, "Knowsley", "NW"]


def test_a_school_twice_in_one_year_is_refused(tmp_path):
    path = assembled(tmp_path, "1,1,2016,340,3402001,One,Academy,30,1.5", "1,2,2016,340,3402001,One,Academy,30,")
    with pytest.raises(DataError, match="two rows in one year"):
        read_assembled(path, ["READPROG"], "TELIG", (2016,))


def test_a_year_that_is_no_year_is_refused(tmp_path):
    path = assembled(tmp_path, "1,1,2016,340,3402001,One,Academy,30,1.5", "2,2,2016/17,340,3402002,Two,Academy,30,1.5")
    with pytest.raises(DataError, match=r"YEAR: '2016/17' \(row 3 of the file\)"):
        read_assembled(path, ["READPROG"], "TELIG", (2016,))


def test_a_gap_between_rows_and_a_conversion(tmp_path):
    identity = pd.DataFrame(
        [("1", "1", 2016, 835, "8352001", "One", ""), ("1", "9", 2019, 838, "8382001", "One Academy", ""),
         ("2", "2", 2017, 838, "8382002", "Two", "")],
        columns=["school_id", "urn", "year", "area", "laestab", "name", "minor_group"],
    )  # fmt: skip
    scores = identity[["school_id", "year"]].assign(pupils="30", READPROG="1")
    exposure = Exposure(pre=(2016, 2017), post=(2019,))
    records = make_records(
        Listing(identity, scores, {}, (), "t"),
        "KS2",
        ["READPROG"],
        exposure,
        NeighbourTable({}, {838: "Dorset"}, {838: "SW"}, 0),
    )
    assert records.schools["is_converted"].to_dict() == {"1": True, "2": False}
    assert records.schools["area"].to_dict() == {"1": 838, "2": 838}
    assert records.reasons["READPROG"].loc["1", 2017] == NO_ROW
    assert records.urns == {"1": "1", "9": "1", "2": "2"}


def test_results_of_part_of_england_are_refused(england, tmp_path, project):
    folder = shutil.copytree(england, tmp_path / "data")
    for path in (folder / "performance-tables" / "ks2").glob("*.csv"):
        lines = path.read_bytes().split(b"\r\n")
        path.write_bytes(b"\r\n".join([*lines[: len(lines) // 2], *lines[-3:]]))  # the rows for England stay
    with pytest.raises(DataError, match="cut short or is not of England"):
        read_baseline(project, folder, find_sources(folder))


def kept_in(kept, read):
    """Return a keeper that counts what was read, for `kept` a dictionary and `read` a list."""

    def keep(wanted, make):
        if wanted not in kept:
            read.append(wanted)
            kept[wanted] = make()
        return kept[wanted]

    return keep


def test_projects_of_one_command_read_tables_once_and_their_own_schools_each(project, england):
    other = replace(project, slug="other", participants=replace(project.participants, areas=(341,)))
    sources, read = find_sources(england), []
    keep = kept_in({}, read)
    shared = [read_records(one, england, sources, keep) for one in (project, other)]
    assert len(read) == 1
    for one, intake in zip((project, other), shared, strict=True):
        alone = read_records(one, england, sources)
        assert intake.treated.schools == alone.treated.schools
        assert intake.roll.equals(alone.roll)
        for stage, records in alone.records.items():
            assert intake.records[stage].schools.equals(records.schools)
            assert all(intake.records[stage].values[code].equals(values) for code, values in records.values.items())


def test_other_years_outcomes_or_neighbours_are_other_tables(project, england):
    sources, read = find_sources(england), []
    keep = kept_in({}, read)
    read_records(project, england, sources, keep)
    baseline = read_baseline(project, england, sources, keep)
    assert set(baseline.records["KS2"].years) == set(project.exposure.pre)
    fewer = replace(project, outcomes=project.outcomes[:1], contrasts=())
    assert set(read_records(fewer, england, sources, keep).records) == {"KS2"}
    lists = replace(project.pool, neighbours="may_2025", alternative_neighbours="april_2021")
    read_records(replace(project, pool=lists), england, sources, keep)
    assert len(read) == 4
