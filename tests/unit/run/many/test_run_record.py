"""What became of each project of a run stands beside the reports as JSON."""

import json
from pathlib import Path

from evalkit.run.many.run_record import run_json, write_run_record
from evalkit.run.many.task import RunResult
from evalkit.run.processes.failure import Failure

FAILED = RunResult.without_report(
    Failure(slug="b", kind="disk", message="Full.", exit_code=3, stage="reading"), seconds=2
)
DONE = RunResult(slug="a", status="done", seconds=1.23456, report=Path("/somewhere/a/report.html"), peak_mb=99.96)


def test_every_project_is_told_with_what_became_of_it():
    content = json.loads(run_json("20260101T000000Z-ab12", [DONE, FAILED], 3.5))
    assert content["counts"] == {"done": 1, "failed": 1}
    first, second = content["projects"]
    assert (first["slug"], first["report"], first["seconds"], first["peak_mb"]) == ("a", "a/report.html", 1.235, 100.0)
    assert (second["kind"], second["stage"], second["exit_code"], second["report"]) == ("disk", "reading", 3, None)
    assert "somewhere" not in json.dumps(content)  # no folder of this machine


def test_it_stands_among_the_records_of_runs_and_a_full_disk_stops_nothing(tmp_path):
    write_run_record(tmp_path, "r-1", [DONE], 1.0)
    assert json.loads((tmp_path / "_runs" / "r-1.run.json").read_text())["run"] == "r-1"
    (tmp_path / "file").touch()
    write_run_record(tmp_path / "file", "r-1", [DONE], 1.0)
