"""What became of each project of one run, as JSON beside the reports, for whoever looks after hundreds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from evalkit.core.words import escaped
from evalkit.run.many.task import RunResult
from evalkit.run.processes.failure import RUNS
from evalkit.run.processes.locks import write_whole

SCHEMA_VERSION: Final = 1


def write_run_record(out: Path, run_id: str, outcomes: Sequence[RunResult], seconds: float) -> None:
    """Write what became of each project of a run to `_runs/<run>.run.json`; without it the run stands all the same."""
    path = out / RUNS / f"{run_id}.run.json"
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, (run_json(run_id, outcomes, seconds) + "\n").encode())


def run_json(run_id: str, outcomes: Sequence[RunResult], seconds: float) -> str:
    """Return what became of each project of a run as one JSON object; reports are named from the folder of reports."""
    words = [outcome.status for outcome in outcomes]
    content = {
        "schema_version": SCHEMA_VERSION,
        "run": run_id,
        "began": f"{datetime.now(UTC) - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}",
        "seconds": round(seconds, 3),
        "counts": {word: words.count(word) for word in dict.fromkeys(words)},
        "projects": [_project(outcome) for outcome in outcomes],
    }
    return escaped(json.dumps(content, indent=2, ensure_ascii=False))


def _project(outcome: RunResult) -> Mapping[str, Any]:
    failure = outcome.failure
    return {
        "slug": outcome.slug,
        "status": outcome.status,
        "seconds": round(outcome.seconds, 3),
        "peak_mb": round(outcome.peak_mb, 1),
        "report": None if outcome.report is None else f"{outcome.slug}/{outcome.report.name}",
        "kind": None if failure is None else failure.kind,
        "stage": None if failure is None else failure.stage,
        "message": None if failure is None else failure.message,
        "exit_code": outcome.exit_code,
    }
