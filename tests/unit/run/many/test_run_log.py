"""The log: one whole line of JSON for each thing, though several runs write at once."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from evalkit.run.many.live import RunLog, new_run_id
from evalkit.run.many.task import RunResult
from evalkit.run.processes.failure import Failure


def lines(out) -> list[dict]:
    return [json.loads(line) for line in (out / "_runs" / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def test_events_and_outcomes_are_logged_with_time_and_run(tmp_path):
    log = RunLog(tmp_path, "r1")
    failure = Failure(slug="a", kind="time limit", message="Long.", exit_code=1, stage="notebook 2_impact")
    log.event({"event": "stage ended", "project": "a", "stage": "reading", "seconds": 1.5})
    log.event({"event": "cell", "project": "a", "heading": "x", "call": "y"})
    log.ended(RunResult(slug="a", status="failed", seconds=60.0, failure=failure, peak_mb=300.0))
    first, second = lines(tmp_path)
    assert datetime.fromisoformat(first.pop("time")).utcoffset().total_seconds() == 0
    assert first == {"run": "r1", "event": "stage ended", "project": "a", "stage": "reading", "seconds": 1.5}
    del second["time"]
    assert second == {
        "run": "r1",
        "event": "project ended",
        "project": "a",
        "status": "failed",
        "seconds": 60.0,
        "peak_mb": 300.0,
        "kind": "time limit",
        "stage": "notebook 2_impact",
    }


def test_lines_of_several_runs_do_not_mix(tmp_path):
    logs = [RunLog(tmp_path, f"r{i}") for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for log in logs * 50:
            pool.submit(log.event, {"event": "stage started", "project": "a" * 500, "stage": "b" * 500})
    assert len(lines(tmp_path)) == 400


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "file").touch()
    RunLog(tmp_path / "file", "r1").event({"event": "run started"})


def test_a_run_has_a_name_of_its_own():
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{4}", new_run_id())
