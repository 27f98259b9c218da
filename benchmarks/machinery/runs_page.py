"""The page and the goals of the benchmark of runs."""

from __future__ import annotations

KIT, AGAIN, LOOP = "evalkit run", "evalkit run, nothing changed", "papermill loop and nbconvert"
WARM = "one report on published files, warm"


def goals(record: dict) -> list[dict]:
    """Return each goal with what was measured for it and whether it was reached."""
    runs = {run["name"]: run for run in record["runs"]}
    ratio = runs[LOOP]["cpu"] / max(runs[KIT]["cpu"], 0.01)
    found = [
        _goal(f"at least 5 times fewer CPU seconds for {record['projects']} reports", f"{ratio:.1f} times", ratio >= 5),
        _goal("a second run with nothing changed under 2 s", f"{runs[AGAIN]['wall']:.2f} s", runs[AGAIN]["wall"] < 2),
        _goal(
            "every cell shows the same as papermill's",
            f"{len(record['differing_outputs'])} cells differ",
            not record["differing_outputs"],
        ),
    ]
    if WARM in runs:
        wall = runs[WARM]["wall"]
        found.append(_goal("one report of the Knowsley project from warm under 15 s", f"{wall:.1f} s", wall < 15))
    return found


def _goal(text: str, measured: str, is_reached: bool) -> dict:
    return {"goal": text, "measured": measured, "is_reached": is_reached}


def markdown(record: dict) -> str:
    """Return the benchmark as a page."""
    runs = [
        f"| {run['name']} | {run['n_commands']} | {run['cpu']:.1f} | {run['wall']:.1f} | {run['failure'] or 'done'} |"
        for run in record["runs"]
    ]
    reached = [
        f"| {one['goal']} | {one['measured']} | {'reached' if one['is_reached'] else 'not reached'} |"
        for one in record["goals"]
    ]
    lines = [
        "# Reports of many projects",
        "",
        f"{record['projects']} projects on the synthetic England, {len(record['notebooks'])} notebooks each, and the "
        "Knowsley project on published files. Written by `benchmarks/runs.py`.",
        "",
        f"Machine: {', '.join(f'{key} {value}' for key, value in record['machine'].items())}.",
        "",
        "| what | commands | CPU s | wall s | |",
        "|---|---:|---:|---:|---|",
        *runs,
        "",
        "| goal | measured | |",
        "|---|---|---|",
        *reached,
    ]
    return "\n".join(lines) + "\n"
