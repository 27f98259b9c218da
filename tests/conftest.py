"""What every test may ask for: the folders of published data, and the synthetic England."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SYNTHETIC_SEED = 20190712
WAIT_SECONDS = 300


def beside_the_project(*parts: str) -> Path:
    """Return a folder of ../shared, or skip the test with the reason."""
    folder = ROOT.parent.joinpath("shared", *parts)
    if not folder.is_dir():
        pytest.skip(f"needs the published files in ../{'/'.join(('shared', *parts))}, which are not on this machine")
    return folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the project."""
    return beside_the_project()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The published files: ../shared/data."""
    return beside_the_project("data")


@pytest.fixture(scope="session")
def shared_files() -> Path:
    """More published files, as evaluators have them: ../shared/files."""
    return beside_the_project("files")


@pytest.fixture(scope="session")
def golden() -> Path:
    """Reference results from other programs: ../shared/golden."""
    return beside_the_project("golden")


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return `folder` as `make` fills it; of several test processes the first makes it and the others wait."""
    finished = folder.with_name(folder.name + ".finished")
    turn = folder.with_name(folder.name + ".turn")
    try:
        turn.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + WAIT_SECONDS
        while not finished.exists():
            assert time.monotonic() < deadline, f"{folder.name} was not made by another test process; see its failure"
            time.sleep(0.1)
        return folder
    make(folder)
    finished.touch()
    return folder


@pytest.fixture(scope="session")
def synthetic_england(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the synthetic England, made once for all test processes of a run."""
    from evalkit.data.synthetic import write_synthetic_england

    place = _common(tmp_path_factory) / "synthetic-england"
    return made_once(place, lambda folder: write_synthetic_england(folder, seed=SYNTHETIC_SEED))


@pytest.fixture(scope="session")
def third_england(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic England of a third of its schools, made once for all test processes; nobody writes into it."""
    from evalkit.data.synthetic import write_synthetic_england

    place = _common(tmp_path_factory) / "third-of-england"
    return made_once(place, lambda folder: write_synthetic_england(folder, seed=11, scale=0.35))


def _common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all test processes of a run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
