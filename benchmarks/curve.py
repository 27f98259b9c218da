"""Specification curves of the Knowsley project, on two workers: without matching anew, and with distinct matchings.

    python benchmarks/curve.py                          writes benchmarks/results/curve.md
    python benchmarks/curve.py --quick                  a few of the specifications, printed
    python benchmarks/curve.py --data ../shared/data --only areas matchings-list

Reading stands apart: what is counted is the plans of all specifications, their statistics of every area or set, and the
joint test. See benchmarks/README.md for what the figures mean.
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

GOAL = 60
"""Wall seconds that each curve may take on two quiet cores."""
WHOLE = {"areas": 10_000, "matchings-area": 150, "matchings-list": 150}
"""Specifications for which that goal is."""
WORDS = {
    "areas": "whole area, nothing matched anew",
    "matchings-area": "distinct matchings, whole area",
    "matchings-list": "distinct matchings, list of 26 schools",
}
RUNNER = "run_curve.py"


def main() -> int:
    """Run the benchmark; return 1 where a curve failed or missed the goal with all its specifications."""
    options = _options()
    variables = environment_variables(1, 16, BENCHMARKS.parent)
    rows = [_measured(name, options, variables) for name in options.only]
    record = {
        "machine": machine(1),
        "n_workers": options.workers,
        "data": rows[0].get("data", ""),
        "rows": rows,
    }
    write_record("curve", record, markdown(record), options.output)
    return 0 if all(_is_well(row) for row in rows) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Specification curves, without matching anew and with.")
    parser.add_argument("--only", nargs="+", default=list(WHOLE), choices=WHOLE)
    parser.add_argument("--quick", action="store_true", help="a few of the specifications")
    parser.add_argument("--data", default="", help="folder of published files (default: the synthetic England)")
    parser.add_argument("--workers", type=int, default=2, help="processes that share the work")
    parser.add_argument("--output", type=Path, help="folder for curve.md and curve.json (default: results, if full)")
    options = parser.parse_args()
    if options.output is None and not options.quick and options.only == list(WHOLE):
        options.output = BENCHMARKS / "results"
    return options


def _measured(name: str, options: argparse.Namespace, variables: dict[str, str]) -> dict:
    share = "0.1" if options.quick else "1"
    command = [sys.executable, str(RUNNERS / RUNNER), name, share, str(options.workers), options.data]
    print(f"{name} …", file=sys.stderr, flush=True)
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    if done.returncode:
        return {"name": name, "failure": (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]}
    return {"name": name, **json.loads(done.stdout.splitlines()[-1])}


def _is_whole(row: dict) -> bool:
    return row["n_specifications"] >= WHOLE[row["name"]]


def _is_well(row: dict) -> bool:
    return "failure" not in row and (not _is_whole(row) or row["wall"] <= GOAL)


def markdown(record: dict) -> str:
    """Return the benchmark as a page."""
    machine_said = ", ".join(f"{key} {value}" for key, value in record["machine"].items())
    return "\n".join(
        [
            *("# Specification curves", ""),
            *(f"Written by `benchmarks/curve.py`: {record['n_workers']} workers, {record['data']}.", ""),
            *(f"Machine: {machine_said}. CPU seconds are those of all processes together.", ""),
            "| curve | specifications | without an estimate | areas, J | sets | CPU s | wall s | goal, wall s | |",
            "|---|---:|---:|---:|---:|---:|---:|---:|---|",
            *map(_line, record["rows"]),
            "",
        ]
    )


def _line(row: dict) -> str:
    said = WORDS[row["name"]]
    if "failure" in row:
        return f"| {said} | | | | | | | {GOAL} | {row['failure']} |"
    reached = "" if not _is_whole(row) else "reached" if row["wall"] <= GOAL else "not reached"
    return (
        f"| {said} | {row['n_specifications']:,} | {row['n_failed']:,} | {row['n_areas']} | {row['n_sets']:,} | "
        f"{row['cpu']:.0f} | {row['wall']:.0f} | {GOAL} | {reached} |"
    )


if __name__ == "__main__":
    sys.exit(main())
