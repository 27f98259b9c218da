"""Fixtures of the report room: invented evaluations and the files made from them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.report import released_files

sys.path.insert(0, str(Path(__file__).parent))

from report_fixture import make_evaluation, make_unavailable, whole
from report_running import executed


@pytest.fixture
def evaluation() -> AreasResults:
    """Return an evaluation whose interval excludes zero."""
    return make_evaluation()


@pytest.fixture
def unavailable() -> AreasResults:
    """Return an evaluation in which nothing could be estimated."""
    return make_unavailable()


@pytest.fixture(scope="session")
def made() -> dict[str, dict[str, bytes]]:
    """Return every released file of both evaluations."""
    both = {"whole": make_evaluation(), "none": make_unavailable()}
    return {name: released_files(whole(one), executed(one)) for name, one in both.items()}


@pytest.fixture(scope="session")
def made_again() -> dict[str, bytes]:
    """Return the files of the whole evaluation, made a second time."""
    return released_files(whole(make_evaluation()), executed(make_evaluation()))
