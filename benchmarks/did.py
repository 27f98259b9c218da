"""Difference-in-differences: the kit and its peers side by side in one run, each checked to give the same estimate.

    python benchmarks/did.py                     everything; writes benchmarks/results/did.md and did.json
    python benchmarks/did.py --quick             1,000 and 20,000 units, printed only
    python benchmarks/did.py --rows 1000 --peers diff-diff csdid --repeats 1

See benchmarks/README.md for what the figures mean.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from machinery.environments import BENCHMARKS, CACHE, KIT, RUNNERS, Environment, environment, kit, known_peers
from machinery.goals import CHECKS, goals
from machinery.processes import environment_variables, run
from machinery.tables import markdown

ROWS, QUICK = (1_000, 20_000, 200_000), (1_000, 20_000)
PUPILS = 600_000
FIGURES = (
    "estimate_cpu",
    "estimate_wall",
    "process_cpu",
    "process_wall",
    "peak_mb",
    "import_wall",
    "read_cpu",
    "read_wall",
)


@dataclass(frozen=True)
class Row:
    """One row of the benchmark: how many units, with or without the covariate, analytic errors (0) or draws."""

    n_units: int
    with_covariate: bool
    n_draws: int

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return what a peer must be able to do for this row."""
        return ("covariate",) * self.with_covariate + ("bootstrap",) * (self.n_draws > 0)


@dataclass
class Outcome:
    """A program's runs on one row: each figure's least and median value, the answer, or why there is none."""

    program: str
    row: Row
    failure: str = ""
    runs: list[dict] = field(default_factory=list)

    def record(self) -> dict:
        """Return what is written down."""
        told = {"program": self.program} | asdict(self.row) | {"n_runs": len(self.runs)}
        if self.failure:
            return told | {"failure": self.failure}
        spread = {name: _least_and_median([one[name] for one in self.runs]) for name in FIGURES}
        last = self.runs[-1]
        return told | spread | {name: last[name] for name in CHECKS}


def _least_and_median(values: list[float]) -> dict[str, float]:
    return {"min": round(min(values), 4), "median": round(statistics.median(values), 4)}


def main() -> int:
    """Run the benchmark; return 1 where a program's estimate differs from the kit's."""
    options = _options()
    variables = environment_variables(options.threads, options.memory, BENCHMARKS.parent)
    environments = [kit(), *(environment(peer) for name, peer in known_peers().items() if name in options.peers)]
    grid = itertools.product(options.rows, (False, True), (0, 999))
    rows = [Row(n_units, covariate, n_draws) for n_units, covariate, n_draws in grid]
    outcomes = [outcome for row in rows for outcome in _compared(row, environments, options, variables)]
    passes = [_yardstick(n_units, options, variables) for n_units in options.rows]
    pupils = [] if options.no_pupils else [_pupils(n_draws, options, variables) for n_draws in (0, 999)]
    record = {
        "machine": _machine(options.threads),
        "programs": [_described(one) for one in environments],
        "rows": [outcome.record() for outcome in outcomes],
        "passes": [outcome.record() for outcome in passes],
        "pupils": [outcome.record() for outcome in pupils],
        "import_evalkit_wall": _import_time(options, variables),
    }
    record["goals"] = goals(record)
    _written(record, options.output)
    return 0 if all(one["is_same"] for one in record["rows"] if "is_same" in one) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The kit and its peers, side by side.")
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS), help="numbers of units")
    parser.add_argument("--peers", nargs="*", default=list(known_peers()), choices=list(known_peers()))
    parser.add_argument("--quick", action="store_true", help="1,000 and 20,000 units, no pupils")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each program on each row")
    parser.add_argument(
        "--budget", type=float, default=120, help="seconds of a program on a row after which it repeats no more"
    )
    parser.add_argument("--limit", type=float, default=600, help="seconds after which one run is ended")
    parser.add_argument("--threads", type=int, default=2, help="threads every library may use")
    parser.add_argument(
        "--memory", type=float, default=_memory_gib() / 2, help="GiB a run may hold (default: half of all)"
    )
    parser.add_argument("--no-pupils", action="store_true", help="leave out the repeated cross-sections")
    parser.add_argument("--output", type=Path, help="folder for did.md and did.json (default: results, for a full run)")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.no_pupils = list(QUICK), True
    is_full = set(options.rows) >= set(ROWS) and set(options.peers) == set(known_peers()) and not options.no_pupils
    if options.output is None and is_full:
        options.output = BENCHMARKS / "results"
    return options


def _compared(row: Row, environments: list[Environment], options, variables: dict[str, str]) -> list[Outcome]:
    """Run every program on a row, turn by turn, so that what else the machine does falls on all of them."""
    data = _data("panel", row.n_units)
    outcomes = [Outcome(one.peer.name, row, failure=_why_not(one, row)) for one in environments]
    spent = dict.fromkeys([one.peer.name for one in environments], 0.0)
    for _ in range(options.repeats):
        for one, outcome in zip(environments, outcomes, strict=True):
            if outcome.failure or (outcome.runs and spent[outcome.program] >= options.budget):
                continue
            begin = time.perf_counter()
            found = run(_command(one, data, row), variables, options.limit)
            spent[outcome.program] += time.perf_counter() - begin
            outcome.failure = str(found.get("failure", ""))
            outcome.runs += [] if outcome.failure else [found]
            _say(outcome, found)
    return outcomes


def _why_not(one: Environment, row: Row) -> str:
    lacking = [f"not comparable: {one.peer.lacks[kind]}" for kind in row.kinds if kind in one.peer.lacks]
    return one.failure or next(iter(lacking), "")


def _command(one: Environment, data: Path, row: Row) -> list[str]:
    options = ["--n-draws", str(row.n_draws), *(["--with-covariate"] if row.with_covariate else [])]
    return [str(one.python), str(RUNNERS / one.peer.runner), str(data), *options]


def _yardstick(n_units: int, options, variables: dict[str, str]) -> Outcome:
    """Return the time of one pass that reads and pivots the same table."""
    return _alone("read and pivot", "run_pass.py", _data("panel", n_units), Row(n_units, False, 0), options, variables)


def _pupils(n_draws: int, options, variables: dict[str, str]) -> Outcome:
    return _alone(KIT, "run_pupils.py", _data("pupils", PUPILS), Row(PUPILS, True, n_draws), options, variables)


def _alone(program: str, runner: str, data: Path, row: Row, options, variables: dict[str, str]) -> Outcome:
    outcome = Outcome(program, row)
    for _ in range(options.repeats):
        command = [sys.executable, str(RUNNERS / runner), str(data), "--n-draws", str(row.n_draws)]
        found = run(command, variables, options.limit)
        outcome.failure = str(found.get("failure", ""))
        if outcome.failure:
            break
        outcome.runs.append(found)
        _say(outcome, found)
    return outcome


def _import_time(options, variables: dict[str, str]) -> dict[str, float]:
    """Return wall seconds of a fresh process that imports the kit, its start included."""
    code = "import evalkit; print('{}')"
    found = [run([sys.executable, "-c", code], variables, options.limit) for _ in range(max(options.repeats, 3))]
    return _least_and_median([float(one["process_wall"]) for one in found])


def _data(kind: str, n: int) -> Path:
    path = CACHE / "data" / f"{kind}-{n}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, str(RUNNERS / "write_data.py"), kind, str(n), str(path)], check=True)
    return path


def _machine(n_threads: int) -> dict:
    python = ".".join(str(part) for part in sys.version_info[:3])
    return {"n_cores": os.cpu_count(), "memory_gib": round(_memory_gib()), "python": python, "n_threads": n_threads}


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _described(one: Environment) -> dict:
    return {
        "program": one.peer.name,
        "version": one.peer.version,
        "packages": list(one.peer.packages),
        "note": one.peer.note,
        "tolerance": one.peer.tolerance,
        "puts_off_imports": one.peer.puts_off_imports,
        "failure": one.failure,
    }


def _say(outcome: Outcome, found: dict) -> None:
    row = outcome.row
    told = outcome.failure or f"{found['estimate_cpu']:.2f} s CPU, {found['peak_mb']:.0f} MB"
    print(f"{row.n_units:,} {' '.join(row.kinds) or 'plain'}: {outcome.program}: {told}", file=sys.stderr, flush=True)


def _written(record: dict, folder: Path | None) -> None:
    text = markdown(record)
    print(text)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "did.md").write_text(text, encoding="utf-8")
        (folder / "did.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
