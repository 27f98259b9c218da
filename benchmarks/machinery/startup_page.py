"""The page and the goals of the benchmark of start-up: every goal is a ratio within one run."""

from __future__ import annotations

PASS, PANDAS = "python -c pass", 'python -c "import pandas"'
COMMANDS = {
    "help": "evalkit --help",
    "did help": "evalkit did --help",
    "match help": "evalkit match --help",
    "run help": "evalkit run --help",
    "no option": "evalkit did, an option that there is not",
    "outside": "evalkit did, a level outside its range",
    "did": "evalkit did, 1,000 rows",
    "match": "evalkit match, 1,000 rows",
}
REPORT = "one report on the synthetic England, warm"
LOOP = "papermill for each of its notebooks, then nbconvert"
WARM = "one report on published files, warm"


def goals(record: dict) -> list[dict]:
    """Return each goal with the ratio that was measured for it and whether it was reached."""
    cpu = {one["name"]: one["cpu"] for one in (*record["commands"], *record["reports"])}
    told = [name for key, name in COMMANDS.items() if key not in ("did", "match")]
    found = [_ratio(f"{name}: at most 2 × {PASS}", cpu[name], cpu[PASS], 2) for name in told]
    found.append(_ratio("`did` on 1,000 rows: at most 1.3 × import pandas", cpu[COMMANDS["did"]], cpu[PANDAS], 1.3))
    found.append(_ratio("`match`: at most 2 × import pandas", cpu[COMMANDS["match"]], cpu[PANDAS], 2))
    if WARM in cpu:
        found.append(_ratio("one report from warm: at most 18 × import pandas", cpu[WARM], cpu[PANDAS], 18))
    return found


def _ratio(text: str, cpu: float, beside: float, most: float) -> dict:
    return {"goal": text, "measured": f"{cpu / beside:.2f}", "is_reached": cpu <= most * beside}


def markdown(record: dict) -> str:
    """Return the benchmark as a page."""
    cpu = {one["name"]: one["cpu"] for one in record["commands"]}
    commands = [
        f"| `{one['name']}` | {1000 * one['cpu']:.0f} | {1000 * one['median']:.0f} | {one['cpu'] / cpu[PASS]:.1f} | "
        f"{one['cpu'] / cpu[PANDAS]:.2f} | {one['failure']} |"
        for one in record["commands"]
    ]
    reports = [
        f"| {one['name']} | {one['cpu']:.1f} | {one['wall']:.1f} | {one['cpu'] / cpu[PANDAS]:.1f} | {one['failure']} |"
        for one in record["reports"]
    ]
    reached = [
        f"| {one['goal']} | {one['measured']} | {'reached' if one['is_reached'] else 'not reached'} |"
        for one in record["goals"]
    ]
    lines = [
        *("# Start-up", "", "Written by `benchmarks/startup.py`. CPU of a whole process, the least of its runs.", ""),
        *(f"Machine: {', '.join(f'{key} {value}' for key, value in record['machine'].items())}.", ""),
        *("| command | CPU ms | median | × pass | × import pandas | |", "|---|---:|---:|---:|---:|---|", *commands, ""),
        *(
            ["| report | CPU s | wall s | × import pandas | |", "|---|---:|---:|---:|---|", *reports, ""]
            if reports
            else []
        ),
        *("| goal | measured | |", "|---|---:|---|", *reached, ""),
    ]
    return "\n".join(lines)
