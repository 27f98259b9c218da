"""What is shown while projects run: lines for one, the state of all for several, failures as they come."""

import io
import re
import sys
import time
from pathlib import Path

import pytest

from evalkit.run.console import Progress
from evalkit.run.many import live
from evalkit.run.many.live import Lines, LiveTable, Standing, failure_text, screen
from evalkit.run.many.task import RunResult
from evalkit.run.processes.failure import Failure, interrupted

FAILURE = Failure(
    slug="b", kind="error", message="It went wrong.", exit_code=1, stage="notebook 2_impact", heading="Who?", call="f()"
)


def done(slug: str) -> RunResult:
    return RunResult(slug=slug, status="done", seconds=1.0, report=Path(slug))


def failed(failure: Failure) -> RunResult:
    return RunResult(slug=failure.slug, status="failed", seconds=1.0, failure=failure)


def play(shown) -> None:
    """Tell of two projects: one is done, one failed."""
    shown.event({"event": "preparing", "what": "loading the libraries"})
    for slug in "ab":
        shown.event({"event": "project started", "project": slug})
        shown.event({"event": "stage started", "project": slug, "stage": "reading"})
    shown.ended(done("a"))
    shown.ended(failed(FAILURE))


def test_of_one_project_every_stage_is_said(capsys):
    with Lines(1, Progress()) as shown:
        shown.event({"event": "project started", "project": "a"})
        shown.event({"event": "stage started", "project": "a", "stage": "reading"})
        shown.ended(done("a"))
    said = re.sub(r"\[ *[\d.]+ s\] ", "", capsys.readouterr().err)
    assert said.splitlines() == ["a: reading", "a: done"]


def test_of_several_their_ends_are_said(capsys):
    with Lines(2, Progress()) as shown:
        play(shown)
    said = re.sub(r"\[ *[\d.]+ s\] ", "", capsys.readouterr().err)
    place = "It was at: notebook 2_impact, 'Who?', f()."
    assert said.splitlines() == ["loading the libraries", "a: done", f"evalkit: b: It went wrong. {place}"]


def test_a_sign_of_life_is_given(monkeypatch, capsys):
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.2)
    with Lines(1, Progress()) as shown:
        shown.event({"event": "project started", "project": "a"})
        shown.event({"event": "stage started", "project": "a", "stage": "reading"})
        time.sleep(1)
    assert "a: reading, still at work" in capsys.readouterr().err


def test_the_state_of_all_is_one_line():
    standing = Standing(24)
    play_on = [done("a"), failed(FAILURE), RunResult.without_report(interrupted("c", ""))]
    for slug in "abd":
        standing.event({"event": "project started", "project": slug})
    for outcome in play_on:
        standing.end(outcome)
    assert standing.line() == "3 of 24 projects ended, 1 done, 1 failed, 1 not begun, 1 under way, 0 s"


def test_on_a_terminal_projects_and_stages_are_a_table(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with screen(3, Progress()) as shown:
        assert isinstance(shown, LiveTable)
        play(shown)
        shown.event({"event": "project started", "project": "c"})
        shown.event({"event": "stage started", "project": "c", "stage": "notebook 1_design"})
        shown._live.refresh()
    written = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())
    assert "evalkit: b: It went wrong. It was at: notebook 2_impact, 'Who?', f()." in written
    assert re.search(rf"c +━─+ 1/{live.N_STAGES} +notebook 1_design +0 s", written)
    assert "2 of 3 projects ended, 1 done, 1 failed, 1 under way, 0 s" in written


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("error", "evalkit: It went wrong. It was at: notebook 2_impact, 'Who?', f()."),
        ("bad input", "evalkit: It went wrong."),
    ],
)
def test_the_place_is_said_where_it_helps(kind, expected):
    failure = Failure(
        slug="b",
        kind=kind,
        message="It went wrong.",
        exit_code=1,
        stage="notebook 2_impact",
        heading="Who?",
        call="f()",
    )
    assert failure_text(failed(failure), is_one=True) == expected
