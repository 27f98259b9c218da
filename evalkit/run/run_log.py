"""The log of runs: one line of JSON for each thing that happened, in a file that runs side by side may share."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from evalkit.run.failure import RUNS
from evalkit.run.task import Outcome

LOG: Final = "log.jsonl"
_LOGGED: Final = ("run started", "project started", "stage started", "stage ended", "run ended")


def new_run_id() -> str:
    """Return a name for a run: when it began, in UTC, and four letters by chance."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


class RunLog:
    """Appends what happens in one run to the log; where the disk does not take it, the run goes on without."""

    def __init__(self, out: Path, run_id: str) -> None:
        self._path, self._run = out / RUNS / LOG, run_id

    def event(self, event: Mapping[str, object]) -> None:
        """Log an event of a run or of a worker."""
        if event["event"] in _LOGGED:
            self._append(event)

    def ended(self, outcome: Outcome) -> None:
        """Log what became of a project."""
        found = {
            "event": "project ended",
            "project": outcome.slug,
            "status": outcome.status,
            "seconds": outcome.seconds,
            "peak_mb": outcome.peak_mb,
        }
        failure = outcome.failure
        self._append({**found, "kind": failure.kind, "stage": failure.stage} if failure else found)

    def _append(self, event: Mapping[str, object]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"time": now, "run": self._run, **event}, ensure_ascii=False) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(file, line.encode())  # one write a line, so that lines of several runs do not mix
            finally:
                os.close(file)
        except OSError:
            return
