"""Programs that take turns on a row of a benchmark, and what is written down of them."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from machinery.environments import CACHE, RUNNERS, Environment
from machinery.processes import run


@dataclass
class Outcome:
    """A program's runs on one row: each figure's least and median value, the answer, or why there is none."""

    program: str
    row: Any
    figures: tuple[str, ...]
    answers: tuple[str, ...]
    failure: str = ""
    runs: list[dict] = field(default_factory=list)

    def record(self) -> dict:
        """Return what is written down."""
        told = {"program": self.program} | asdict(self.row) | {"n_runs": len(self.runs)}
        if self.failure:
            return told | {"failure": self.failure}
        spread = {name: least_and_median([one[name] for one in self.runs]) for name in self.figures}
        last = self.runs[-1]
        return told | spread | {name: last[name] for name in self.answers if name in last}


def least_and_median(values: list[float]) -> dict[str, float]:
    """Return the least and the median of several runs."""
    return {"min": round(min(values), 4), "median": round(statistics.median(values), 4)}


def take_turns(
    outcomes: list[Outcome],
    commands: list[list[str]],
    options: Namespace,
    variables: dict[str, str],
    say: Callable[[Outcome, dict], None],
) -> list[Outcome]:
    """Run programs on a row, turn by turn, so that what else the machine does falls on all of them.

    A program that has used the budget repeats no more; one that failed is not run again.
    """
    spent = [0.0] * len(outcomes)
    for _ in range(options.repeats):
        for at, (outcome, command) in enumerate(zip(outcomes, commands, strict=True)):
            if outcome.failure or (outcome.runs and spent[at] >= options.budget):
                continue
            begin = time.perf_counter()
            found = run(command, variables, options.limit)
            spent[at] += time.perf_counter() - begin
            outcome.failure = str(found.get("failure", ""))
            outcome.runs += [] if outcome.failure else [found]
            say(outcome, found)
    return outcomes


def add_run_options(parser: ArgumentParser, budget: float, limit: float) -> None:
    """Give a benchmark the options that say how often, how long and with how much programs run."""
    parser.add_argument("--repeats", type=int, default=3, help="runs of each program on each row")
    parser.add_argument(
        "--budget", type=float, default=budget, help="seconds of a program on a row after which it repeats no more"
    )
    parser.add_argument("--limit", type=float, default=limit, help="seconds after which one run is ended")
    parser.add_argument("--threads", type=int, default=2, help="threads every library may use")
    parser.add_argument(
        "--memory", type=float, default=memory_gib() / 2, help="GiB a run may hold (default: half of all)"
    )


def import_time(options: Namespace, variables: dict[str, str]) -> dict[str, float]:
    """Return wall seconds of a fresh process that imports the kit, its start included."""
    code = "import evalkit; print('{}')"
    found = [run([sys.executable, "-c", code], variables, options.limit) for _ in range(max(options.repeats, 3))]
    return least_and_median([float(one["process_wall"]) for one in found])


def data_file(name: str, writer: str, *arguments: str) -> Path:
    """Return the path of a table, written once by one of the runners."""
    path = CACHE / "data" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, str(RUNNERS / writer), *arguments, str(path)], check=True)
    return path


def machine(n_threads: int) -> dict:
    """Return what the figures were measured on."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    return {"n_cores": os.cpu_count(), "memory_gib": round(memory_gib()), "python": python, "n_threads": n_threads}


def memory_gib() -> float:
    """Return the machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def described(one: Environment) -> dict:
    """Return what is written down of a program."""
    return {
        "program": one.peer.name,
        "version": one.peer.version,
        "packages": list(one.peer.packages),
        "note": one.peer.note,
        "tolerance": one.peer.tolerance,
        "puts_off_imports": one.peer.puts_off_imports,
        "failure": one.failure,
    }


def write_record(name: str, record: dict, text: str, folder: Path | None) -> None:
    """Print the page, and write it and the record where a folder is given."""
    print(text)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
