"""The store beside DuckDB, pandas and polars: files imported, imported again, and pupils made to school-years.

    python benchmarks/store.py                   30 million pupils; writes results/store.md
    python benchmarks/store.py --quick           1 million, printed only
    python benchmarks/store.py --files DIR       the folder of published files (default: ../shared, if there)

polars is no dependency of the kit: python -m pip install polars. See benchmarks/README.md for what the figures mean.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from machinery.environments import BENCHMARKS, RUNNERS
from machinery.outcomes import machine, write_record
from machinery.processes import environment_variables, run
from machinery.store_page import AGAIN, ENGLAND, PANEL, goals, markdown

ROOT = BENCHMARKS.parent
PROGRAMS = {"evalkit": "kit", "duckdb": "duckdb", "polars": "polars", "pandas": "pandas"}
OF_SCHOOL_YEARS = {
    "evalkit": "kit",
    "duckdb": "duckdb",
    "duckdb, 600 MB": "duckdb_held",
    "polars": "polars",
    "pandas": "pandas",
}
OF_ENGLAND = {"evalkit": "kit", "evalkit, from the store": "kit_stored", "pandas": "pandas"}
QUICK = 1_000_000
HAMPSHIRE = "data/performance-tables/ks2"


def main() -> int:
    """Run the benchmark; return 1 where a program gives another answer than the kit."""
    options = _options()
    variables = environment_variables(options.threads, options.memory, ROOT)
    with tempfile.TemporaryDirectory(prefix="evalkit-store-", dir=options.work) as folder:
        work = Path(folder)
        written = run(_command("write_pupils.py", str(work / "pupils"), str(options.rows)), variables, 3600)
        if "failure" in written:
            print(written["failure"], file=sys.stderr)
            return 1
        runs = []
        if (options.files / HAMPSHIRE).is_dir():
            england = run(
                _command("write_england.py", str(options.files / HAMPSHIRE), str(work / "raw")), variables, 600
            )
            run(_command("store_task.py", "kit_stored", "england", str(work / "raw"), str(work)), variables, 600)
            assert "failure" not in england, england
            runs += _task(ENGLAND, "england", options, (work / "raw", work), variables, OF_ENGLAND)
        if options.files.is_dir():
            runs += _task("all files imported", "import", options, (options.files, work / "files"), variables)
            runs += _task(AGAIN, "again", options, (options.files, work / "files"), variables, {"evalkit": "kit"})
        runs += _task("pupils imported", "import", options, (work / "pupils", work / "made"), variables)
        runs += _task(PANEL, "panel", options, (work / "pupils", work / "made"), variables, OF_SCHOOL_YEARS)
    record = {"machine": machine(options.threads), "rows": options.rows, "remark": options.remark, "runs": runs}
    record["goals"] = goals(runs)
    is_full = options.rows >= 30_000_000 and options.files.is_dir()
    write_record("store", record, markdown(record), options.output or (BENCHMARKS / "results" if is_full else None))
    return 1 if any(one.get("differs") for one in runs) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The store beside DuckDB, pandas and polars.")
    parser.add_argument("--rows", type=int, default=30_000_000, help="made-up pupils")
    parser.add_argument("--quick", action="store_const", const=QUICK, dest="rows", help="one million of them")
    parser.add_argument("--files", type=Path, default=ROOT.parent / "shared", help="folder of published files")
    parser.add_argument("--programs", nargs="+", default=[*PROGRAMS], help="some of them: evalkit and duckdb at least")
    parser.add_argument("--threads", type=int, default=2, help="threads every library may use")
    parser.add_argument("--limit", type=float, default=1800, help="seconds after which a run is ended")
    parser.add_argument("--memory", type=float, default=8, help="GiB that a run may hold")
    parser.add_argument("--work", type=Path, help="where there is room for some 10 GB")
    parser.add_argument("--remark", default="", help="what else the page should say of the machine")
    parser.add_argument("--output", type=Path, help="folder for store.md and store.json (default: results, if full)")
    return parser.parse_args()


def _command(runner: str, *words: str) -> list[str]:
    return [sys.executable, str(RUNNERS / runner), *words]


def _task(
    task: str,
    verb: str,
    options: argparse.Namespace,
    places: tuple[Path, Path],
    variables: dict,
    programs: dict[str, str] = PROGRAMS,
) -> list[dict]:
    """Return what each program took for a task, and whether its answer is that of the kit."""
    runs: list[dict] = []
    for program, name in programs.items():
        if program.partition(",")[0] not in options.programs:
            continue
        if program == "polars" and find_spec("polars") is None:
            found: dict = {"failure": "is not installed: python -m pip install polars"}
        else:
            command = _command("store_task.py", name, verb, *map(str, places))
            found = run(command, variables, options.limit)
        one = {"task": task, "program": program, **found}
        if verb in ("panel", "england") and runs and "answer" in found and "answer" in runs[0]:
            one["differs"] = _differs(found["answer"], runs[0]["answer"])
        runs.append(one)
        print(f"{task}, {program}: {found.get('failure') or round(found['process_wall'], 2)}", flush=True)
    return runs


def _differs(one: dict, other: dict) -> bool:
    return any(abs(one[name] - other[name]) > 1e-6 * max(1, abs(other[name])) for name in other)


if __name__ == "__main__":
    sys.exit(main())
