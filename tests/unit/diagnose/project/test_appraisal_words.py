"""Limits and appraisals say what follows from the project at hand."""

from dataclasses import replace

import pytest

from evalkit.core.project import Exposure
from evalkit.data.measures import measure
from evalkit.diagnose.project.appraisal import _years

READING = measure("READPROG")


@pytest.mark.parametrize(
    ("exposure", "primary", "said"),
    [
        (
            Exposure(pre=(2016, 2017), post=(2019,)),
            READING,
            [
                "There are 2 summers before and 1 after: hardly any trend before the programme can be seen and nothing "
                "can be said about whether a change lasted.",
                "Results in reading progress of later summers have been published, to 2023, and are no part of this "
                "question.",
            ],
        ),
        (
            Exposure(pre=(2016,), post=(2017, 2018)),
            READING,
            [
                "There is 1 summer before and 2 after: no trend before the programme can be seen.",
                "Results in reading progress of later summers have been published, to 2023, and are no part of this "
                "question.",
            ],
        ),
        (
            Exposure(pre=(2013, 2014, 2015, 2016), post=(2022, 2023)),
            replace(READING, years=(2016, 2022, 2023)),
            ["This kit knows reading progress to the summer of 2023: later years are not seen here."],
        ),
        # of a table of the project's own nobody here knows which further years there are
        (Exposure(pre=(2013, 2014, 2015, 2016), post=(2022, 2023)), replace(READING, years=()), []),
    ],
)  # fmt: skip
def test_what_the_years_leave_open_follows_from_them(exposure, primary, said):
    assert list(_years(exposure, primary)) == said
