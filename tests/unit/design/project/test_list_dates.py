"""Whether a list of neighbours is later than the programme is reckoned, never taken for granted."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from evalkit.design.project.labels import age_of_lists, postdates
from evalkit.run.project.project_file import load_project

PROJECT = load_project(Path(__file__).parents[4] / "data" / "projects" / "knowsley-ssif" / "project.yml")


def during(start, end):
    return replace(PROJECT, programme=replace(PROJECT.programme, start=start, end=end))


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (date(2018, 2, 1), date(2019, 7, 31), "were drawn up after the programme, which ended in July 2019"),
        (
            date(2018, 2, 1),
            date(2022, 7, 31),
            "April 2021 was drawn up while the programme ran, and that of May",
        ),
        (
            date(2021, 9, 1),
            date(2025, 7, 31),
            "April 2021 was drawn up before the programme began, and that of May",
        ),
        (date(2025, 9, 1), date(2026, 7, 31), "(April 2021 and May 2025) were drawn up before the programme began."),
    ],
)
def test_the_lists_are_dated_against_the_programme(start, end, said):
    assert said in age_of_lists(during(start, end))


def test_a_list_from_before_the_start_is_not_shaped_by_the_programme():
    assert postdates(PROJECT, "april_2021")
    assert not postdates(during(date(2021, 9, 1), date(2025, 7, 31)), "april_2021")
