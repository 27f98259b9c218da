"""What the matching benchmark measured, as Markdown."""

from __future__ import annotations

from machinery.matching_goals import TOLERANCE, of_row, rows_of, size_name
from machinery.tables import goals_table, programs_list, table

HEADS = (
    "program",
    "treated × comparison",
    "runs",
    "CPU s",
    "wall s",
    "step, wall s",
    "read, wall s",
    "process CPU s",
    "process wall s",
    "peak MB",
    "import s",
    "same answer",
)
TITLES = {
    "greedy": "Greedy 1:1 on a known propensity score, without replacement",
    "score-greedy": "The same from a CSV file, the score fitted too",
    "nearest-five": "Mahalanobis 1:5 with replacement",
    "optimal-score": "Optimal 1:1 on a known propensity score",
    "optimal-mahalanobis": "Optimal 1:1 on the Mahalanobis distance",
    "full": "Full matching on a known propensity score",
    "entropy": "Entropy balancing",
    "inverse-probability": "Inverse probability weights, for the average effect on all",
    "balance": "Balance of eight covariates before and after, for known weights",
    "command": "The whole command: `evalkit match FILE --treated … --on … --id … --outcome … --json`",
}
ELSEWHERE = {
    "greedy": "0.25, 0.33, 0.31 and 0.96 s (716 MB)",
    "nearest-five": "0.47, 3.1 and 239 s, and hours",
    "optimal-score": "4.5 and 6.2 s; at 5,000 × 100,000 it was killed at 20.9 GB",
}
"""The matching step of R's MatchIt 4.7.2 by size, measured elsewhere on two cores and other data of these sizes."""
NAMES = {
    "total_distance": "total",
    "n_treated": "treated",
    "n_comparison": "comparison",
    "effect": "effect",
    "imbalance": "imbalance",
    "smd_before": "SMD before",
    "smd_after": "SMD after",
    "variance_ratio": "variance ratio",
}


def markdown(record: dict) -> str:
    """Return the whole record as a page."""
    machine, tasks = record["machine"], dict.fromkeys(task for task, _ in rows_of(record))
    parts = [
        "# Matching and weighting: the kit and its peers",
        f"{machine['n_cores']} cores, {machine['memory_gib']} GiB, {machine['n_threads']} threads for every library; "
        f"the kit on Python {machine['python']}. Least of the runs; each run is a fresh process that may take "
        f"{machine['limit']:g} s and hold {machine['memory_limit']:g} GiB. CPU and wall hold a package's intake of the "
        "table and the step itself. Answers are the same where they differ by at most "
        f"{TOLERANCE:g} of the kit's. See `benchmarks/README.md`.",
        programs_list(record),
        *(_task(record, task) for task in tasks),
        f"## Goals\n\n{goals_table(record['goals'])}",
    ]
    return "\n\n".join(parts) + "\n"


def _task(record: dict, task: str) -> str:
    rows = [of_row(record, *row) for row in rows_of(record) if row[0] == task]
    sizes = [size for name, size in rows_of(record) if name == task]
    lines = [_cells(one, size_name(size)) for size, row in zip(sizes, rows, strict=True) for one in row.values()]
    parts = [f"## {TITLES[task]}", table(HEADS, lines)]
    if task in ELSEWHERE:
        parts.append(f"R's MatchIt 4.7.2, measured elsewhere, the step by size: {ELSEWHERE[task]}.")
    lacking = [f"{one['program']} ({one['lacks'][task]})" for one in record["programs"] if task in one["lacks"]]
    if lacking:
        parts.append(f"Nothing to compare: {'; '.join(lacking)}.")
    return "\n\n".join(parts)


def _cells(one: dict, size: str) -> list[str]:
    start = [one["program"], size, str(one["n_runs"])]
    if "failure" in one:
        return [*start, *[""] * (len(HEADS) - 4), one["failure"]]
    figures = ("work_cpu", "work_wall", "step_wall", "read_wall", "process_cpu", "process_wall")
    told = [f"{one[name]['min']:.3f}" if one[name]["min"] < 1 else f"{one[name]['min']:.2f}" for name in figures]
    return [*start, *told, f"{one['peak_mb']['min']:.0f}", f"{one['import_wall']['min']:.2f}", _agreement(one)]


def _agreement(one: dict) -> str:
    if "apart" not in one:
        return ""
    told = ", ".join(
        f"{NAMES[name]} {value:.0e}" if value else f"{NAMES[name]} 0" for name, value in one["apart"].items()
    )
    if "differs" in one:
        return f"{'by design' if one['is_same'] else '**NO**'}: {one['differs']} ({told})"
    return f"{'yes' if one['is_same'] else '**NO**'} ({told})"
