"""A synthetic England of a fifth of the size, and the Knowsley project cut to it."""

from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.core.project import Project
from evalkit.data.synthetic import write_synthetic_england
from evalkit.run.project.project_file import load_project

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def small_england(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About 3,300 primaries, ten of them in the treated area."""
    folder = tmp_path_factory.mktemp("small-england")
    write_synthetic_england(folder, seed=11, scale=0.2)
    return folder


@pytest.fixture(scope="session")
def project() -> Project:
    """The Knowsley project, with the limits on counts that a small England can meet."""
    whole = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    outcomes = tuple(outcome for outcome in whole.outcomes if outcome.measure in ("READPROG", "MATPROG", "P8MEA"))
    pool = replace(whole.pool, minimum_treated=4, minimum_area_schools=4)
    return replace(whole, outcomes=outcomes, pool=pool)
