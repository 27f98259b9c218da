"""The table at the end of a run of several projects."""

from pathlib import Path

import pytest

from evalkit.run.many.live import duration, first_sentence, summary
from evalkit.run.many.task import RunResult
from evalkit.run.processes.failure import Failure, interrupted


def failed(slug: str, message: str) -> RunResult:
    failure = Failure(slug=slug, kind="bad input", message=message, exit_code=2, stage="reading")
    return RunResult(slug=slug, status="failed", seconds=3.2, failure=failure)


def test_a_summary_has_a_line_for_each_project_and_counts_them():
    outcomes = [
        RunResult(slug="a", status="done", seconds=61.4, report=Path("o/a/report.html")),
        failed("long-name", "a.csv is empty. Get it again.\nAnd again."),
        RunResult(slug="c", status="unchanged", seconds=0.0, report=Path("o/c/report.html")),
        RunResult.without_report(interrupted("d", "")),
    ]
    # 61.4 s are 1 min 01 s; 74 s are 1 min 14 s
    assert summary(outcomes, 74.0, Path("o")).splitlines() == [
        "project    status                   time  report, or why there is none",
        "a          done               1 min 01 s  o/a/report.html",
        "long-name  failed: bad input         3 s  a.csv is empty.",
        "c          unchanged                      o/c/report.html",
        "d          not begun                      Interrupted before it began.",
        "",
        "4 projects in 1 min 14 s: 1 done, 1 failed, 1 unchanged and 1 not begun.",
        "Records of failures: o/_runs",
    ]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (3599, "59 min 59 s"), (7800, "2 h 10 min")],
)
def test_a_duration_is_said_in_two_units(seconds, expected):
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two.", "One."),
        ("project.yml: 2 things need correcting.\n  - a", "project.yml: 2 things need correcting."),
        ("Rounded to 0.5 points", "Rounded to 0.5 points"),
        ("x" * 200, "x" * 119 + "…"),
    ],
)
def test_the_first_sentence_stands_for_a_message(text, expected):
    assert first_sentence(text) == expected
