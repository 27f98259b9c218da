"""Matching and weighting: the kit and its peers side by side in one run, each checked to give the same answer.

    python benchmarks/matching.py                     everything; writes results/matching.md and matching.json
    python benchmarks/matching.py --quick             29 and 500 treated beside 16,800, printed only
    python benchmarks/matching.py --tasks greedy full --sizes 5000x100000 --peers causalml --repeats 1

See benchmarks/README.md for what the figures mean.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path

from machinery.environments import BENCHMARKS, KIT, RUNNERS, Environment, Peer, environment, kit, known_peers
from machinery.matching_goals import CHECKS, REFERENCE, compare, goals
from machinery.matching_tables import markdown
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

PEERS, KIT_RUNNER, COMMAND, COMMAND_RUNNER = "peers-matching.toml", "match_evalkit.py", "command", "match_command.py"
TASKS = tuple(CHECKS)
SIZES, QUICK = ("29x16800", "500x16800", "5000x100000", "50000x600000"), ("29x16800", "500x16800")
FROM_CSV = ("score-greedy", COMMAND)
MOST_PAIRS = {"nearest-five": 5e8, "optimal-score": 1e7, "optimal-mahalanobis": 1e7, "full": 1e7}
"""Pairs of units beyond which the reference, which looks at each, is not asked."""
KINDS = ("cpu", "wall")
FIGURES = tuple(f"{part}_{kind}" for part in ("work", "step", "read", "process") for kind in KINDS)
FIGURES += ("peak_mb", "import_wall")


@dataclass(frozen=True)
class Row:
    """One row of the benchmark: a task on so many treated and comparison units."""

    task: str
    n_treated_given: int
    n_comparison_given: int


def main() -> int:
    """Run the benchmark; return 1 where a program's answer differs from the kit's."""
    options = _options()
    variables = environment_variables(options.threads, options.memory, BENCHMARKS.parent)
    known = known_peers(PEERS)
    programs = [kit(KIT_RUNNER), _reference(), *(environment(known[name]) for name in known if name in options.peers)]
    outcomes = [outcome for task in options.tasks for outcome in _by_size(task, programs, options, variables)]
    record = {
        "machine": machine(options.threads) | {"limit": options.limit, "memory_limit": round(options.memory, 1)},
        "programs": [described(one) | _abilities(one.peer) for one in programs],
        "rows": [outcome.record() for outcome in outcomes],
        "import_evalkit_wall": import_time(options, variables),
    }
    compare(record)
    record["goals"] = goals(record)
    write_record("matching", record, markdown(record), options.output)
    return 0 if all(one["is_same"] for one in record["rows"] if "is_same" in one) else 1


def _options() -> argparse.Namespace:
    names = list(known_peers(PEERS))
    parser = argparse.ArgumentParser(description="Matching and weighting: the kit and its peers, side by side.")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=SIZES, help="treated x comparison units")
    parser.add_argument("--peers", nargs="*", default=names, choices=names)
    parser.add_argument("--quick", action="store_true", help="29 and 500 treated units only")
    add_run_options(parser, budget=10, limit=60)
    parser.add_argument("--output", type=Path, help="folder for matching.md and .json (default: results, if full)")
    options = parser.parse_args()
    if options.quick:
        options.sizes = list(QUICK)
    is_full = set(options.sizes) == set(SIZES) and set(options.tasks) == set(TASKS) and set(options.peers) == set(names)
    if options.output is None and is_full:
        options.output = BENCHMARKS / "results"
    return options


def _abilities(peer: Peer) -> dict:
    return {"lacks": peer.lacks, "differs": peer.differs, "part": list(peer.part)}


def _reference() -> Environment:
    note = "Each task from its definition in a few lines of numpy and scipy, to check answers, not to be fast."
    return Environment(Peer(REFERENCE, "", "match_reference.py", ("numpy",), note), Path(sys.executable))


def _by_size(task: str, programs: list[Environment], options, variables: dict[str, str]) -> list[Outcome]:
    """Run a task from the smallest size on; a program that failed is not tried on a larger one."""
    able = [one for one in programs if task not in one.peer.lacks and (task != COMMAND or one.peer.name == KIT)]
    failed = {one.peer.name: one.failure for one in able}
    found: list[Outcome] = []
    for size in options.sizes:
        n_treated, n_comparison = map(int, size.split("x"))
        row = Row(task, n_treated, n_comparison)
        asked = [one for one in able if one.peer.name != REFERENCE or _is_short(row)]
        outcomes = [Outcome(one.peer.name, row, FIGURES, CHECKS[task], failed[one.peer.name]) for one in asked]
        found += take_turns(outcomes, [_command(one, row, size) for one in asked], options, variables, _say)
        late = {one.program: f"not tried: {one.failure} at {n_treated:,} × {n_comparison:,}" for one in outcomes}
        failed |= {one.program: late[one.program] for one in outcomes if one.failure and not failed[one.program]}
    return found


def _is_short(row: Row) -> bool:
    return row.n_treated_given * row.n_comparison_given <= MOST_PAIRS.get(row.task, float("inf"))


def _command(one: Environment, row: Row, size: str) -> list[str]:
    suffix = "csv" if row.task in FROM_CSV else "parquet"
    data = data_file(f"units-{size}.{suffix}", "write_matching_data.py", *size.split("x"))
    if row.task == COMMAND:
        return [str(one.python), str(RUNNERS / COMMAND_RUNNER), str(data)]
    return [str(one.python), str(RUNNERS / one.peer.runner), str(data), row.task]


def _say(outcome: Outcome, found: dict) -> None:
    task, *size = dataclasses.astuple(outcome.row)
    told = outcome.failure or f"{found['work_cpu']:.3f} s CPU, {found['work_wall']:.3f} s, {found['peak_mb']:.0f} MB"
    print(f"{task} {size[0]:,} × {size[1]:,}: {outcome.program}: {told}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
