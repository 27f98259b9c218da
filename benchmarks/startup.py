"""How long commands take to start, beside `import pandas`, and one report beside papermill and nbconvert.

    python benchmarks/startup.py                 everything: a quarter of an hour; writes results/startup.md
    python benchmarks/startup.py --quick         commands only, five times each, printed only

See benchmarks/README.md for what the figures mean.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import sys
import tempfile
from pathlib import Path

import runs
from machinery.environments import BENCHMARKS
from machinery.outcomes import machine, write_record
from machinery.processes import environment_variables
from machinery.report_runs import measured
from machinery.startup_page import COMMANDS, LOOP, PANDAS, PASS, REPORT, WARM, goals, markdown

ROOT = BENCHMARKS.parent
KIT = [sys.executable, "-m", "evalkit"]
DID = ["did", "panel.csv", "--unit", "unit", "--period", "year", "--outcome", "y", "--cohort", "start"]
MATCH = ["match", "units.csv", "--id", "unit", "--treated", "treat", "--on", "a,b"]
SYNTH = ["synth", "panel.csv", "--unit", "unit", "--period", "year", "--outcome", "y", "--start", "2014"]


def main() -> int:
    """Run the benchmark; return 1 where a command failed that should not."""
    options = _options()
    variables = _variables(options.threads)
    with tempfile.TemporaryDirectory(prefix="evalkit-startup-") as folder:
        write_tables(Path(folder))
        started = _in_turn(_commands(), Path(folder), variables, 5 if options.quick else options.repeats)
        reports = [] if options.quick else _reports(Path(folder), options, variables)
    record = {"machine": machine(options.threads), "commands": started, "reports": reports}
    record["goals"] = goals(record)
    write_record(
        "startup", record, markdown(record), options.output or (None if options.quick else BENCHMARKS / "results")
    )
    return 1 if any(one["failure"] for one in (*started, *reports)) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Start-up of commands, and one report.")
    parser.add_argument("--quick", action="store_true", help="commands only, five times each, printed only")
    parser.add_argument("--repeats", type=int, default=15, help="times that each command runs, in turn with the others")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of published files")
    parser.add_argument("--threads", type=int, default=1, help="threads every library may use")
    parser.add_argument(
        "--output", type=Path, help="folder for startup.md and startup.json (default: results, if full)"
    )
    return parser.parse_args()


def _variables(threads: int) -> dict[str, str]:
    """Return the environment of every process; compiled modules are kept, as they are where the kit is installed."""
    variables = environment_variables(threads, 16, ROOT)
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    variables["PYTHONPATH"] = str(ROOT)
    return variables


def write_tables(folder: Path) -> None:
    """Write a panel of 100 units × 10 years and 1,000 units to be matched, from a fixed seed."""
    draw = random.Random(1)
    with (folder / "panel.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["unit", "year", "y", "start"])
        for unit in range(100):
            start, level = draw.choice(["", 2014, 2016]), draw.gauss(0, 1)
            rows.writerows(
                [f"u{unit}", year, round(level + draw.gauss(0, 1) + (1 if start and year >= start else 0), 3), start]
                for year in range(2010, 2020)
            )
    with (folder / "units.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["unit", "treat", "y", "a", "b"])
        for unit in range(1000):
            a, b = draw.gauss(0, 1), draw.gauss(0, 1)
            treated = int(draw.random() < 1 / (1 + 2.718 ** (2 - a)))
            rows.writerow([f"u{unit}", treated, round(a + b + treated + draw.gauss(0, 1), 3), round(a, 3), round(b, 3)])


def _commands() -> dict[str, tuple[list[str], int]]:
    """Return each command with the exit code that it should have."""
    python = [sys.executable, "-c"]
    return {
        PASS: ([*python, "pass"], 0),
        PANDAS: ([*python, "import pandas"], 0),
        "scipy.optimize and scipy.spatial as well": (
            [*python, "import pandas, scipy.optimize, scipy.spatial"],
            0,
        ),
        COMMANDS["help"]: ([*KIT, "--help"], 0),
        COMMANDS["did help"]: ([*KIT, "did", "--help"], 0),
        COMMANDS["match help"]: ([*KIT, "match", "--help"], 0),
        COMMANDS["run help"]: ([*KIT, "run", "--help"], 0),
        COMMANDS["no option"]: ([*KIT, *DID, "--levl", "0.9"], 2),
        COMMANDS["outside"]: ([*KIT, *DID, "--level", "2"], 2),
        COMMANDS["did"]: ([*KIT, *DID], 0),
        COMMANDS["match"]: ([*KIT, *MATCH], 0),
        "evalkit match --outcome, with sensitivity": ([*KIT, *MATCH, "--outcome", "y"], 0),
        "evalkit similar": ([*KIT, "similar", "units.csv", "--id", "unit", "--on", "a,b", "--for", "u1"], 0),
        "evalkit synth": ([*KIT, *SYNTH, "--treated", "u1"], 0),
        "evalkit status": ([*KIT, "status"], 0),
    }


def _in_turn(
    commands: dict[str, tuple[list[str], int]], folder: Path, variables: dict[str, str], repeats: int
) -> list[dict]:
    """Return the least CPU seconds of each command; they take turns, so that other work falls on all of them."""
    found: dict[str, list[float]] = {name: [] for name in commands}
    failures = dict.fromkeys(commands, "")
    for turn in range(repeats + 1):
        for name, (command, code) in commands.items():
            cpu, ended = _cpu(command, folder, variables)
            if ended != code:
                failures[name] = f"exit code {ended}, not {code}"
            if turn:  # the first compiles modules and fills the system's memory of files
                found[name].append(cpu)
    return [
        {"name": name, "cpu": min(times), "median": sorted(times)[len(times) // 2], "failure": failures[name]}
        for name, times in found.items()
    ]


def _cpu(command: list[str], folder: Path, variables: dict[str, str]) -> tuple[float, int]:
    """Return the CPU seconds of one process and its exit code."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        here = os.getcwd()
        os.chdir(folder)
        process = os.posix_spawn(
            command[0], command, variables, file_actions=[(os.POSIX_SPAWN_DUP2, nowhere, at) for at in (0, 1, 2)]
        )
        os.chdir(here)
        _, status, used = os.wait4(process, 0)
    finally:
        os.close(nowhere)
    return used.ru_utime + used.ru_stime, os.waitstatus_to_exitcode(status)


def _reports(folder: Path, options: argparse.Namespace, variables: dict[str, str]) -> list[dict]:
    """Return what one report takes: by the kit on the synthetic England, by papermill, and on published files."""
    workspace = runs._workspace(folder / "workspace", 1)
    slugs = [path.name for path in (workspace / "data" / "projects").iterdir()]
    england = runs._synthetic(workspace, variables)
    kit = [[*KIT, "run", *slugs, "--data", str(england), "--out", str(workspace / "kit"), "--force"]]
    found = [measured(name, kit, workspace, variables) for name in (f"{REPORT}, first", REPORT)]
    found.append(measured(LOOP, runs._loop(workspace, slugs, england), workspace, variables))
    if options.data.is_dir():
        options.jobs = 1
        found += runs._one(options, workspace, variables)
        found[-1] = measured(WARM, [_again(options, workspace)], workspace, variables)
    return [one.record() for one in found]


def _again(options: argparse.Namespace, workspace: Path) -> list[str]:
    command = [*KIT, "run", str(runs.KNOWSLEY / "project.yml"), "--force"]
    return [*command, "--data", str(options.data), "--out", str(workspace / "one")]


if __name__ == "__main__":
    sys.exit(main())
