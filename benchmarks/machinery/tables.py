"""What was measured, as Markdown."""

from __future__ import annotations

from machinery.goals import ERROR_TOLERANCE, TOLERANCE, of_row, row_name, rows_of

HEADS = (
    "program",
    "runs",
    "CPU s",
    "CPU s, median",
    "wall s",
    "process CPU s",
    "process wall s",
    "peak MB",
    "import s",
    "same estimate",
)


def markdown(record: dict) -> str:
    """Return the whole record as a page."""
    machine = record["machine"]
    parts = [
        "# Difference-in-differences: the kit and its peers",
        f"{machine['n_cores']} cores, {machine['memory_gib']} GiB, {machine['n_threads']} threads for every library; "
        f"the kit on Python {machine['python']}. Least of the runs unless a column says otherwise; each run is a "
        f"fresh process. Estimates are the same where they differ by at most {TOLERANCE:g} of the kit's, analytic "
        f"standard errors by at most {ERROR_TOLERANCE:g}. See `benchmarks/README.md`.",
        programs_list(record),
        *(f"## {row_name(row)}\n\n{_row(record, row)}" for row in rows_of(record)),
        f"## One pass that reads and pivots\n\n{_alone(record['passes'])}",
    ]
    if record["pupils"]:
        parts.append(
            f"## Pupils × 4 years: repeated cross-sections, doubly robust, by school\n\n{_alone(record['pupils'])}"
        )
    parts.append(f"## Goals\n\n{goals_table(record['goals'])}")
    return "\n\n".join(parts) + "\n"


def programs_list(record: dict) -> str:
    """Return the programs with their versions and notes."""
    lines = []
    for one in record["programs"]:
        words = [one["version"], one["note"], one["failure"]]
        lines.append(f"- **{one['program']}** {'. '.join(word.rstrip('.') for word in words if word)}".rstrip())
    return "\n".join(lines)


def _row(record: dict, row: tuple[int, bool, int]) -> str:
    return table(HEADS, [_cells(one) for one in of_row(record, *row)])


def _cells(one: dict) -> list[str]:
    if "failure" in one:
        return [one["program"], str(one["n_runs"]), one["failure"], *[""] * (len(HEADS) - 3)]
    return [one["program"], str(one["n_runs"]), *_figures(one), _agreement(one)]


def _figures(one: dict) -> list[str]:
    cpu = one["estimate_cpu"]
    return [
        f"{cpu['min']:.2f}",
        f"{cpu['median']:.2f}",
        f"{one['estimate_wall']['min']:.2f}",
        f"{one['process_cpu']['min']:.2f}",
        f"{one['process_wall']['min']:.2f}",
        f"{one['peak_mb']['min']:.0f}",
        f"{one['import_wall']['min']:.2f}",
    ]


def _agreement(one: dict) -> str:
    if "apart" not in one:
        return ""
    names = {"overall": "overall", "overall_error": "its error", "event_mean": "event study"}
    told = [f"{names[name]} {value:.0e}" for name, value in one["apart"].items() if value is not None]
    return f"{'yes' if one['is_same'] else '**NO**'} ({', '.join(told)})"


def _alone(records: list[dict]) -> str:
    heads = (
        "units",
        "errors",
        "runs",
        "read CPU s",
        "CPU s",
        "CPU s, median",
        "wall s",
        "process CPU s",
        "process wall s",
        "peak MB",
    )
    lines = []
    for one in records:
        start = [f"{one['n_units']:,}", str(one["n_draws"] or "analytic"), str(one["n_runs"])]
        if "failure" in one:
            lines.append([*start, one["failure"], *[""] * 6])
        else:
            lines.append([*start, f"{one['read_cpu']['min']:.2f}", *_figures(one)[:6]])
    return table(heads, lines)


def goals_table(found: list[dict]) -> str:
    """Return the goals, what was measured and whether they are reached."""
    lines = [[one["goal"], one["measured"], "yes" if one["is_reached"] else "**no**"] for one in found]
    return table(("goal", "measured", "reached"), lines)


def table(heads: tuple[str, ...], lines: list[list[str]]) -> str:
    """Return a table whose first column is of words and the others of numbers."""
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *lines))
