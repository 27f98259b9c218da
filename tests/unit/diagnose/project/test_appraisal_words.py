"""Limits and appraisals say what follows from the project at hand."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from evalkit.core.project import Exposure, Outcome
from evalkit.data.measures import measure
from evalkit.diagnose.project.appraisal import _measurement, _years

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


@pytest.mark.parametrize(
    ("codes", "judgement", "said"),
    [
        (["READPROG", "WRITPROG"], "low for tests", "come from tests set and marked outside the schools. Writing prog"),
        (["P8MEA"], "low for exams", "Outcomes come from exams set and marked outside the schools."),
        (["READPROG", "P8MEA"], "low for tests and exams", "tests and exams"),
        (["WRITPROG"], "moderate", "assessed by teachers who knew of the programme"),
        (["scores.age"], "not known", "age: from a table of the evaluators' own"),
        (["READPROG", "scores.age"], "low for tests", "marked outside the schools. age: from a table"),
    ],
)
def test_how_outcomes_are_measured_follows_from_them(codes, judgement, said):
    outcomes = [
        Outcome(role="secondary", measure=code)
        if "." not in code
        else Outcome(role="secondary", table=code.partition(".")[0], column=code.partition(".")[2])
        for code in codes
    ]
    found = _measurement(SimpleNamespace(project=SimpleNamespace(outcomes=outcomes)))
    assert found[0] == judgement
    assert said in found[1]
