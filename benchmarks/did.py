"""Difference-in-differences: the kit and its peers side by side in one run, each checked to give the same estimate.

    python benchmarks/did.py                     everything; writes benchmarks/results/did.md and did.json
    python benchmarks/did.py --quick             1,000 and 20,000 units, printed only
    python benchmarks/did.py --rows 1000 --peers diff-diff csdid --repeats 1

See benchmarks/README.md for what the figures mean.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

from machinery.environments import BENCHMARKS, KIT, RUNNERS, Environment, environment, kit, known_peers
from machinery.goals import CHECKS, goals
from machinery.outcomes import (
    Outcome,
    add_run_options,
    data_file,
    described,
    import_time,
    machine,
    take_turns,
    write_record,
)
from machinery.processes import environment_variables
from machinery.tables import markdown

PEERS, KIT_RUNNER = "peers.toml", "run_evalkit.py"
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


def main() -> int:
    """Run the benchmark; return 1 where a program's estimate differs from the kit's."""
    options = _options()
    variables = environment_variables(options.threads, options.memory, BENCHMARKS.parent)
    peers = known_peers(PEERS)
    environments = [kit(KIT_RUNNER), *(environment(peer) for name, peer in peers.items() if name in options.peers)]
    grid = itertools.product(options.rows, (False, True), (0, 999))
    rows = [Row(n_units, covariate, n_draws) for n_units, covariate, n_draws in grid]
    outcomes = [outcome for row in rows for outcome in _compared(row, environments, options, variables)]
    passes = [_yardstick(n_units, options, variables) for n_units in options.rows]
    pupils = [] if options.no_pupils else [_pupils(n_draws, options, variables) for n_draws in (0, 999)]
    record = {
        "machine": machine(options.threads),
        "programs": [described(one) for one in environments],
        "rows": [outcome.record() for outcome in outcomes],
        "passes": [outcome.record() for outcome in passes],
        "pupils": [outcome.record() for outcome in pupils],
        "import_evalkit_wall": import_time(options, variables),
    }
    record["goals"] = goals(record)
    write_record("did", record, markdown(record), options.output)
    return 0 if all(one["is_same"] for one in record["rows"] if "is_same" in one) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The kit and its peers, side by side.")
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS), help="numbers of units")
    parser.add_argument("--peers", nargs="*", default=list(known_peers(PEERS)), choices=list(known_peers(PEERS)))
    parser.add_argument("--quick", action="store_true", help="1,000 and 20,000 units, no pupils")
    add_run_options(parser, budget=120, limit=600)
    parser.add_argument("--no-pupils", action="store_true", help="leave out the repeated cross-sections")
    parser.add_argument("--output", type=Path, help="folder for did.md and did.json (default: results, for a full run)")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.no_pupils = list(QUICK), True
    is_full = set(options.rows) >= set(ROWS) and set(options.peers) == set(known_peers(PEERS)) and not options.no_pupils
    if options.output is None and is_full:
        options.output = BENCHMARKS / "results"
    return options


def _compared(row: Row, environments: list[Environment], options, variables: dict[str, str]) -> list[Outcome]:
    """Run every program on a row, turn by turn, so that what else the machine does falls on all of them."""
    data = _data("panel", row.n_units)
    outcomes = [Outcome(one.peer.name, row, FIGURES, CHECKS, failure=_why_not(one, row)) for one in environments]
    return take_turns(outcomes, [_command(one, data, row) for one in environments], options, variables, _say)


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
    command = [sys.executable, str(RUNNERS / runner), str(data), "--n-draws", str(row.n_draws)]
    unlimited = argparse.Namespace(**(vars(options) | {"budget": float("inf")}))
    return take_turns([Outcome(program, row, FIGURES, CHECKS)], [command], unlimited, variables, _say)[0]


def _data(kind: str, n: int) -> Path:
    return data_file(f"{kind}-{n}.parquet", "write_data.py", kind, str(n))


def _say(outcome: Outcome, found: dict) -> None:
    row = outcome.row
    told = outcome.failure or f"{found['estimate_cpu']:.2f} s CPU, {found['peak_mb']:.0f} MB"
    print(f"{row.n_units:,} {' '.join(row.kinds) or 'plain'}: {outcome.program}: {told}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
