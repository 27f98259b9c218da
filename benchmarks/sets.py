"""CPU seconds of randomisation over sets, by kind of analysis and method of matching, for a list of 26 schools.

    python benchmarks/sets.py                    2,000 sets (full matching 500); writes results/sets.md
    python benchmarks/sets.py --quick            a tenth of the sets
    python benchmarks/sets.py --data ../shared/data --only areas nearest

Each analysis is made in a process of its own, as a run makes it: reading and plan stand apart, and what is counted is
the estimate with everything beside it. See benchmarks/README.md for what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from machinery.environments import BENCHMARKS, RUNNERS
from machinery.outcomes import machine, write_record
from machinery.processes import environment_variables

GOALS = {"areas": 20, "nearest": 40, "optimal": 100, "full": 60}
"""CPU seconds that an analysis of three outcomes may take with all its sets."""
RUNNER = "run_sets.py"


def main() -> int:
    """Run the benchmark; return 1 where an analysis failed or a goal was missed with all its sets."""
    options = _options()
    variables = environment_variables(options.threads, 16, BENCHMARKS.parent)
    rows = [_measured(name, options, variables) for name in options.only]
    record = {
        "machine": machine(options.threads),
        "data": rows[0].get("data", ""),
        "share": options.share,
        "rows": rows,
    }
    write_record("sets", record, markdown(record), options.output)
    return 0 if all(_is_well(row, options.share) for row in rows) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Randomisation over sets, by kind and method.")
    parser.add_argument("--only", nargs="+", default=list(GOALS), choices=GOALS)
    parser.add_argument("--quick", action="store_true", help="a tenth of the sets")
    parser.add_argument("--data", default="", help="folder of published files (default: the synthetic England)")
    parser.add_argument("--threads", type=int, default=1, help="threads every library may use")
    parser.add_argument("--output", type=Path, help="folder for sets.md and sets.json (default: results, if full)")
    options = parser.parse_args()
    options.share = 0.1 if options.quick else 1.0
    if options.output is None and not options.quick and options.only == list(GOALS):
        options.output = BENCHMARKS / "results"
    return options


def _measured(name: str, options: argparse.Namespace, variables: dict[str, str]) -> dict:
    command = [sys.executable, str(RUNNERS / RUNNER), name, str(options.share), options.data]
    print(f"{name} …", file=sys.stderr, flush=True)
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    if done.returncode:
        return {"name": name, "failure": (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]}
    return {"name": name, **json.loads(done.stdout.splitlines()[-1])}


def _is_well(row: dict, share: float) -> bool:
    return "failure" not in row and (share < 1 or row["estimate_cpu"] <= GOALS[row["name"]])


def markdown(record: dict) -> str:
    """Return the benchmark as a page."""
    part = "all sets" if record["share"] == 1 else f"{record['share']:.0%} of the sets (--quick)"
    machine_said = ", ".join(f"{key} {value}" for key, value in record["machine"].items())
    return "\n".join(
        [
            *("# Randomisation over sets", "", f"Written by `benchmarks/sets.py`: {part}, {record['data']}.", ""),
            *(f"Machine: {machine_said}.", ""),
            "| analysis | sets matched anew | schools | estimate, CPU s | wall s | goal, all sets | plan, CPU s | |",
            "|---|---:|---:|---:|---:|---:|---:|---|",
            *(_line(row, record["share"]) for row in record["rows"]),
            "",
        ]
    )


def _line(row: dict, share: float) -> str:
    goal = GOALS[row["name"]]
    if "failure" in row:
        return f"| {row['name']} | | | | | {goal} | | {row['failure']} |"
    reached = "" if share < 1 else "reached" if row["estimate_cpu"] <= goal else "not reached"
    return (
        f"| {row['name']} | {row['n_sets']:,} | {row['n_schools']:,} | {row['estimate_cpu']:.1f} | "
        f"{row['estimate_wall']:.1f} | {goal} | {row['plan_cpu']:.1f} | {reached} |"
    )


if __name__ == "__main__":
    sys.exit(main())
