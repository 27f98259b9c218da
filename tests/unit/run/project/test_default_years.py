"""Years that a project file does not name are those that run on around the programme."""

from dataclasses import replace
from datetime import date

import pytest

from evalkit.core.project import Exposure
from evalkit.run.project.analyses import with_defaults
from evalkit.run.project.project_file import load_project
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("start", "end", "before", "after"),
    [
        (date(2018, 2, 1), date(2019, 7, 31), (2016, 2017), (2019,)),  # not 2022 and on
        (date(2023, 9, 1), date(2025, 7, 31), (2022, 2023), (2024, 2025)),  # not 2019 and before
        (date(2019, 9, 1), date(2021, 7, 31), (2016, 2017, 2018, 2019), (2022, 2023, 2024, 2025)),  # across the gap
    ],
)
def test_the_gap_of_2020_and_2021_is_not_crossed_unasked(start, end, before, after):
    project = load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml")
    reading = tuple(replace(one, measure="READ_AVERAGE") for one in project.outcomes if one.role == "primary")
    programme = replace(project.programme, start=start, end=end)
    bare = replace(project, programme=programme, outcomes=reading, contrasts=(), exposure=Exposure())
    found = with_defaults(bare).exposure
    assert found.pre == before
    assert found.post == after
