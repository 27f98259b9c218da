"""A small synthetic England, evaluated once."""

from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.core.project import Claim
from evalkit.data.published.project_data import ProjectData, read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.data.synthetic import write_synthetic_england
from evalkit.design.project.plan import DesignStage, LockedDesign, make_design
from evalkit.diagnose.project.describe import describe_design
from evalkit.diagnose.project.evaluate import evaluate
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.run.project.project_file import load_project

ROOT = Path(__file__).resolve().parents[3]
CLAIMS = (
    Claim(quote="Scores rose.", part="that scores rose", source="somebody", measure="READPROG"),
    Claim(
        quote="Lessons improved.",
        part="that lessons improved",
        source="somebody",
        reason="Results do not show lessons.",
    ),
)


@pytest.fixture(scope="session")
def small_project():
    """The Knowsley project with limits on counts that a small England can meet."""
    whole = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    return replace(whole, pool=replace(whole.pool, minimum_treated=4, minimum_area_schools=4))


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("england")
    write_synthetic_england(folder, seed=5, scale=0.25)
    return folder


@pytest.fixture(scope="session")
def designed(small_project, small_folder) -> tuple[ProjectData, LockedDesign, DesignStage]:
    baseline = read_baseline(small_project, small_folder, find_sources(small_folder))
    locked = make_design(small_project, baseline)
    return baseline, locked, describe_design(small_project, baseline, locked)


@pytest.fixture(scope="session")
def intake(small_project, small_folder) -> ProjectData:
    return read_records(small_project, small_folder, find_sources(small_folder))


@pytest.fixture(scope="session")
def evaluation(small_project, designed, intake) -> AreasResults:
    _, locked, stage = designed
    return evaluate(small_project, intake, locked, stage, CLAIMS)
