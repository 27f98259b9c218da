"""How `evalkit run` ends: the answer of a report in a sentence, what to type next, and what became of each project."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from evalkit.core.plain import json_text
from evalkit.core.words import cleaned
from evalkit.data.locks import write_whole
from evalkit.run.many.task import RunResult
from evalkit.run.outputs.folder import MANIFEST
from evalkit.run.processes.failure import RUNS

_SUMMARY: Final = Path("notebooks", "0_summary.ipynb")
RESULTS: Final = "results.json"
_MARK: Final = 'class="evalkit evalkit-headline"'
_SENTENCE_ENDS: Final = re.compile(r"(?<!\bSt\.)(?<=[.!?])\s")


def answer_of(folder: Path) -> str:
    """Return the first sentence of a report's headline, as its summary shows it; empty where it cannot be read."""
    with suppress(OSError, ValueError, RecursionError, AttributeError, KeyError, TypeError):
        notebook = json.loads((folder / _SUMMARY).read_text(encoding="utf-8"))
        shown = (output["data"] for cell in notebook["cells"] for output in cell.get("outputs", ()) if "data" in output)
        texts = (data["text/plain"] for data in shown if _MARK in "".join(data.get("text/html", "")))
        return _SENTENCE_ENDS.split(cleaned("".join(next(texts, ""))).strip(), maxsplit=1)[0]
    return ""


def lock_of_report(folder: Path) -> str:
    """Return what a report says of its locked plan, in a sentence; empty where it was not locked."""
    with suppress(OSError, ValueError, RecursionError, AttributeError, KeyError, TypeError):
        return cleaned(json.loads((folder / RESULTS).read_text(encoding="utf-8"))["plan_lock"]["sentence"])
    return ""


def closing_lines(outcomes: Sequence[RunResult], again: Mapping[str, str]) -> Iterator[str]:
    """Yield what is said at the end of a run, after where its reports are: the answer of one, and what to do next."""
    made = [outcome for outcome in outcomes if outcome.report is not None]
    if len(outcomes) == 1 and made:
        folder = made[0].report.parent if made[0].report else Path()
        if answer := answer_of(folder):
            yield f"{answer} (These are made-up schools.)" if _is_made_up(folder) else answer
        if said := lock_of_report(folder):
            yield said
        yield f"Open the report in a browser; `{_lab(made[0].slug, again)}` opens its notebooks."
        return
    if any(outcome.status in ("failed", "interrupted", "not begun") for outcome in outcomes):
        yield "The same command makes what is missing, and leaves alone what is current. `evalkit status` says which."
    elif len(made) > 1:
        yield "`evalkit portfolio` sets the reports side by side on one page."


def _is_made_up(folder: Path) -> bool:
    with suppress(OSError, ValueError, RecursionError, AttributeError):
        return bool(json.loads((folder / MANIFEST).read_text(encoding="utf-8")).get("data_kind") == "synthetic")
    return False


def _lab(slug: str, again: Mapping[str, str]) -> str:
    words: list[Any] = shlex.split(again.get(slug, f"evalkit run {slug}"))
    kept = [word for at, word in enumerate(words) if word != "--out" and words[at - 1] != "--out"]
    return shlex.join(["evalkit", "lab", *kept[2:]])


# What became of each project, as JSON beside the reports, for whoever looks after hundreds.

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
    return json_text(content)


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
