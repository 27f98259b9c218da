"""Whole runs of the command line, each made once for all test processes; fixtures for every folder that reads one."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, beside_the_project, made_once


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Type an evalkit command and return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "evalkit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=600, check=False)


@pytest.fixture(scope="session")
def outputs(tmp_path_factory) -> Callable[..., Path]:
    """Return the outputs of a run by its name, making them where no test process has."""
    base = tmp_path_factory.getbasetemp()
    common = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base

    def make(name: str, project: str, *options: str) -> Path:
        def work(folder: Path) -> None:
            done = run("run", project, *options, "--out", str(folder))
            assert done.returncode == 0, done.stderr
            assert done.stdout.strip().endswith("report.html")

        slug = Path(project).parent.name if project.endswith(".yml") else project
        return made_once(common / f"run-{name}", work) / slug

    return make


@pytest.fixture(scope="session")
def synthetic_run(outputs, synthetic_england) -> Path:
    """The Knowsley project on the synthetic England of the tests."""
    return outputs("synthetic", "knowsley-ssif", "--data", str(synthetic_england))


@pytest.fixture(scope="session")
def real_run(outputs) -> Path:
    """The Knowsley project on the published files."""
    return outputs("real", "knowsley-ssif", "--data", str(beside_the_project("data")))
