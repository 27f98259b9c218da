"""The design is made without any outcome from after the programme began, on the path that a run takes."""

import csv
import shutil
from dataclasses import replace

import numpy as np
import pytest

from evalkit.core.errors import DataError
from evalkit.core.project import Analysis, Exposure, Outcome
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.design.kinds.matched import MatchedOptions
from evalkit.design.project.plan import make_design
from evalkit.report.documents.html import report_html
from evalkit.report.documents.released import tables_of
from evalkit.report.plan.document import plan_document
from evalkit.report.plan.shells import shell_of, shells
from evalkit.run.kinds.registry import design_project, evaluate_project
from evalkit.run.plan.writing import plan_contents
from tests.conftest import ROOT

FOLLOW_UP = ("2017-2018", "2018-2019")
SCORES = ("READPROG", "WRITPROG", "MATPROG", "P8MEA", "ATT8SCR")
BREAKDOWN = ("PTRWM_EXP", "PTRWM_EXP_FSM6CLA1A", "PTRWM_EXP_NotFSM6CLA1A")


def rewritten(source, target, change):
    """Copy a data folder; `change` gives the new cells of each score column of each follow-up table, over full rows."""
    shutil.copytree(source, target)
    for path in sorted(target.glob("performance-tables/ks[24]/*final.csv")):
        if not path.name.startswith(FOLLOW_UP):
            continue
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = csv.reader(file)
        schools = [row for row in rows if row[0] in ("1", "2") and len(row) == len(header)]
        for name in (*SCORES, *BREAKDOWN):
            if name not in header:
                continue
            at = header.index(name)
            for row, cell in zip(schools, change([row[at] for row in schools]), strict=True):
                row[at] = cell
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    return target


@pytest.fixture(scope="module")
def shuffled(small_england, tmp_path_factory):
    rng = np.random.default_rng(5)
    return rewritten(
        small_england, tmp_path_factory.mktemp("s") / "data", lambda cells: rng.permutation(cells).tolist()
    )


@pytest.fixture(scope="module")
def poisoned(small_england, tmp_path_factory):
    return rewritten(
        small_england, tmp_path_factory.mktemp("p") / "data", lambda cells: ["not to be read"] * len(cells)
    )


def design_of(project, folder):
    return make_design(project, read_baseline(project, folder, find_sources(folder)))


@pytest.fixture(scope="module")
def design(project, small_england):
    return design_of(project, small_england)


def assert_same_design(one, other):
    assert one.to_json().encode() == other.to_json().encode()
    for code, first in one.outcomes.items():
        second = other.outcomes[code]
        assert first.groups.equals(second.groups)
        assert first.baseline.units.equals(second.baseline.units)
        assert first.baseline.covariates.equals(second.baseline.covariates)
        for name, comparison in first.comparisons.items():
            assert comparison.compared.tobytes() == second.comparisons[name].compared.tobytes()
        for name, matches in first.matches.items():
            assert matches.partners.tobytes() == second.matches[name].partners.tobytes()
            assert matches.distance.tobytes() == second.matches[name].distance.tobytes()


def test_permuting_follow_up_outcomes_leaves_the_design_byte_identical(project, design, shuffled):
    assert_same_design(design, design_of(project, shuffled))


def test_permuting_them_leaves_the_plans_of_subgroups_byte_identical(project, small_england, shuffled):
    outcomes = (Outcome(measure="PTRWM_EXP", role="primary"),)
    years = Exposure(pre=(2017,), partial=(2018,), post=(2019,))
    ask = replace(project, by="disadvantaged", outcomes=outcomes, contrasts=(), exposure=years)
    one, other = (
        design_project(ask, read_baseline(ask, folder, find_sources(folder))).to_json()
        for folder in (small_england, shuffled)
    )
    assert one == other
    assert "common_sample" in one


def test_the_permutation_did_change_what_is_read_afterwards(project, small_england, shuffled):
    one, other = (
        read_records(project, folder, find_sources(folder)).records["KS2"] for folder in (small_england, shuffled)
    )
    for year, changes in ((2016, False), (2017, False), (2018, True), (2019, True)):
        assert one.values["READPROG"][year].equals(other.values["READPROG"][year]) != changes


def test_follow_up_cells_that_cannot_be_read_do_not_disturb_the_design_because_they_are_never_read(
    project, design, poisoned
):
    assert_same_design(design, design_of(project, poisoned))
    with pytest.raises(DataError, match="not to be read"):
        read_records(project, poisoned, find_sources(poisoned))


def test_the_baseline_holds_no_score_of_a_later_year(project, small_england):
    intake = read_baseline(project, small_england, find_sources(small_england))
    assert intake.years == (2016, 2017)
    assert intake.limits == {}
    assert set(intake.records) == {"KS2", "KS4"}
    for records in intake.records.values():
        assert records.years == (2016, 2017)
        for frame in (*records.values.values(), *records.reasons.values(), records.pupils):
            assert list(frame.columns) == [2016, 2017]
        assert not {"READPROG", "MATPROG", "P8MEA"} & set(records.schools.columns)


def test_the_design_says_only_what_was_known_before(design):
    for outcome in design.outcomes.values():
        assert outcome.baseline.years == (2016, 2017)
        years = {column.rpartition("_")[2] for column in outcome.baseline.covariates}
        assert years <= {"2016", "2017"}


def test_another_score_from_before_does_change_the_design(project, design, small_england, tmp_path):
    # So that the test above can fail: the same permutation of one year before the programme moves the matches.
    folder = tmp_path / "data"
    shutil.copytree(small_england, folder)
    path = next(folder.glob("performance-tables/ks2/2016-2017*"))
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    at = header.index("READPROG")
    schools = [row for row in rows if row[0] == "1" and len(row) == len(header)]
    cells = np.random.default_rng(6).permutation([row[at] for row in schools])
    for row, cell in zip(schools, cells.tolist(), strict=True):
        row[at] = cell
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    assert design_of(project, folder).to_json() != design.to_json()


def matched(project):
    """The project with a matched comparison in the place of its areas."""
    options = MatchedOptions(method="optimal", covariates=("pre_outcomes", "cohort_size"), exact=("region",))
    return replace(project, analyses=(Analysis(name="matched", kind="matched", primary=True, options=options),))


def locked(project, folder):
    return design_project(matched(project), read_baseline(matched(project), folder, find_sources(folder))).to_json()


def test_permuting_follow_up_outcomes_leaves_a_matched_comparison_byte_identical(project, small_england, shuffled):
    one = locked(project, small_england)
    assert '"pairs": [' in one
    assert one.encode() == locked(project, shuffled).encode()


def test_follow_up_cells_that_cannot_be_read_are_not_read_for_a_matched_comparison(project, small_england, poisoned):
    assert locked(project, small_england) == locked(project, poisoned)


# The plan that is written of it: the same bytes, and the tables that a run fills.


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Return what the plan of the Knowsley project, cut to a small England, is written from, by its folder of data."""
    folder = tmp_path_factory.mktemp("planned")
    text = (ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml").read_text(encoding="utf-8")
    for old, new in (
        ("minimum_treated: 10", "minimum_treated: 4"),
        ("minimum_area_schools: 5", "minimum_area_schools: 4"),
        ("  - measure: WRITPROG\n    role: secondary\n", ""),
        ("claims: claims.yml", "missing: {imputation: null, tipping: false}"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "project.yml").write_text(text, encoding="utf-8")
    made = {}

    def of(england):
        if england not in made:
            made[england] = plan_contents(folder / "project.yml", find_sources(england))
        return made[england]

    return of


def test_permuting_follow_up_outcomes_leaves_the_plan_byte_identical(planned, small_england, shuffled):
    first = report_html(plan_document(planned(small_england)))
    assert first == report_html(plan_document(planned(shuffled)))
    assert "Annex A. The tables of results, as they will be filled" in first
    assert "could not be laid out" not in first


@pytest.mark.slow
def test_the_tables_of_the_plan_are_those_that_a_run_fills(planned, small_england):
    contents = planned(small_england)
    laid_out = shells(contents.tables, ())
    project, sources = contents.project, find_sources(small_england)
    filled = tables_of(evaluate_project(contents.design, read_records(project, small_england, sources)))
    known = {"flow", "attrition", "missing_schools"}  # their rows are the reasons for which results are missing later
    assert {"answers", "effects", "event_study", "inference", "effect_sizes"} <= set(laid_out)
    for name in set(laid_out) - known:
        assert laid_out[name] == shell_of(filled[name]), name
