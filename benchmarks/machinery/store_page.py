"""The page and the goals of the benchmark of the store."""

from __future__ import annotations

PANEL, AGAIN = "pupils to school-years", "all files again, nothing changed"
ENGLAND = "England, key stage 2, 2016 to 2019"
MOST_TIMES, MOST_GB, MOST_SECONDS, MOST_ENGLAND_SECONDS = 1.3, 1, 1, 3
MOST_IMPORT_GB = 3


def goals(runs: list[dict]) -> list[dict]:
    """Return each goal with what was measured for it and whether it was reached."""
    by = {(run["task"], run["program"]): run for run in runs}
    kit, peer = by[(PANEL, "evalkit")], by[(PANEL, "duckdb")]
    found = []
    for program in ("evalkit", "evalkit, from the store"):
        england = by.get((ENGLAND, program))
        if england and "failure" not in england:
            wall, cpu = england["process_wall"], england["process_cpu"]
            goal = f"{ENGLAND}, {program}: under {MOST_ENGLAND_SECONDS} s"
            found.append(_goal(goal, f"{wall:.2f} s ({cpu:.2f} of CPU)", wall < MOST_ENGLAND_SECONDS))
    if "failure" not in kit and "failure" not in peer:
        times, cpu = (kit[what] / peer[what] for what in ("process_wall", "process_cpu"))
        measured = f"{times:.2f} times ({cpu:.2f} of CPU)"
        found.append(_goal(f"school-years within {MOST_TIMES} × DuckDB alone", measured, times <= MOST_TIMES))
    if "failure" not in kit:
        found.append(_within("school-years", kit["peak_mb"], MOST_GB))
    for task, run in ((task, run) for (task, program), run in by.items() if program == "evalkit"):
        if "failure" in run:
            found.append(_goal(f"{task}: done", run["failure"], False))
        elif task == AGAIN:
            wall = run["process_wall"]
            goal = f"second import with nothing changed under {MOST_SECONDS} s"
            found.append(_goal(goal, f"{wall:.2f} s ({run['process_cpu']:.2f} of CPU)", wall < MOST_SECONDS))
        elif task == "pupils imported":
            found.append(_within(task, run["peak_mb"], MOST_IMPORT_GB))
    return found


def _within(task: str, peak_mb: float, most_gb: int) -> dict:
    return _goal(f"{task} within {most_gb} GB", f"{peak_mb:.0f} MB", peak_mb <= most_gb * 1024)


def _goal(text: str, measured: str, is_reached: bool) -> dict:
    return {"goal": text, "measured": measured, "is_reached": is_reached}


def markdown(record: dict) -> str:
    """Return the benchmark as a page."""
    rows = [f"| {run['task']} | {run['program']} | {_figures(run)} | {_said(run)} |" for run in record["runs"]]
    reached = [
        f"| {one['goal']} | {one['measured']} | {'reached' if one['is_reached'] else 'not reached'} |"
        for one in record["goals"]
    ]
    lines = [
        "# The store",
        "",
        f"{record['rows']:,} made-up pupils, and the published files at hand. Written by `benchmarks/store.py`.",
        "",
        f"Machine: {', '.join(f'{key} {value}' for key, value in record['machine'].items())}. {record['remark']}",
        "",
        "| task | program | wall s | CPU s | peak MB | |",
        "|---|---|---:|---:|---:|---|",
        *rows,
        "",
        "| goal | measured | |",
        "|---|---|---|",
        *reached,
    ]
    return "\n".join(lines) + "\n"


def _figures(run: dict) -> str:
    if "failure" in run:
        return "| |"
    return f"{run['process_wall']:.2f} | {run['process_cpu']:.2f} | {run['peak_mb']:.0f}"


def _said(run: dict) -> str:
    if "failure" in run:
        return run["failure"]
    not_read = run["answer"].get("not_read", [])
    if not_read:
        return f"{len(not_read)} of {run['answer']['files']} files not read: {', '.join(not_read[:3])}"
    return "another answer" if run.get("differs") else ""
