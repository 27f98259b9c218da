"""Whether programs of the matching benchmark agree with the kit, and whether the kit reaches its goals."""

from __future__ import annotations

from machinery.environments import KIT
from machinery.goals import goal_of

REFERENCE = "reference"
PAIRS = ("total_distance", "n_treated", "n_comparison", "effect")
CHECKS = {
    "greedy": PAIRS,
    "score-greedy": PAIRS,
    "nearest-five": PAIRS,
    "optimal-score": PAIRS[:3],
    "optimal-mahalanobis": PAIRS,
    "full": ("total_distance",),
    "entropy": ("effect", "imbalance"),
    "inverse-probability": ("effect", "imbalance"),
    "balance": ("smd_before", "smd_after", "variance_ratio"),
    "command": PAIRS,
}
"""What is checked of each task's answer. Many pairings share the least total of scores: their effects may differ."""
AS = {"command": "score-greedy"}
"""Tasks whose answer must be that of another task."""
TOLERANCE, BALANCED, NO_BETTER = 1e-6, 1e-8, 1e-9
"""Relative difference from the kit's; difference in means that is none; share of a least total that is rounding."""

AHEAD = {"work_cpu": "CPU", "work_wall": "wall", "process_cpu": "CPU of the process", "peak_mb": "peak memory"}
IMPORT_SECONDS = 0.5
BOUNDS = (
    ("greedy", (50_000, 600_000), "step_wall", 0.5, "s"),
    ("greedy", (50_000, 600_000), "peak_mb", 1536.0, "MB"),
    ("nearest-five", (5_000, 100_000), "step_wall", 2.0, "s"),
    ("optimal-score", (5_000, 100_000), "step_wall", 2.0, "s"),
    ("optimal-score", (5_000, 100_000), "peak_mb", 1024.0, "MB"),
    ("optimal-mahalanobis", (5_000, 100_000), "step_wall", 2.0, "s"),
    ("optimal-mahalanobis", (5_000, 100_000), "peak_mb", 1024.0, "MB"),
    ("balance", (50_000, 600_000), "step_wall", 1.0, "s"),
)
LARGE, BYTES, HALF = 5e8, 8, 0.5
"""From so many pairs on, an array with a number of so many bytes for each would be seen in the peak."""


def size_of(one: dict) -> tuple[int, int]:
    """Return how many treated and comparison units were given."""
    return one["n_treated_given"], one["n_comparison_given"]


def size_name(size: tuple[int, int]) -> str:
    """Return a size in words."""
    return f"{size[0]:,} × {size[1]:,}"


def of_row(record: dict, task: str, size: tuple[int, int]) -> dict[str, dict]:
    """Return what was written down of every program on one row, by program."""
    return {one["program"]: one for one in record["rows"] if one["task"] == task and size_of(one) == size}


def rows_of(record: dict) -> list[tuple[str, tuple[int, int]]]:
    """Return the rows that were run, in order."""
    return list(dict.fromkeys((one["task"], size_of(one)) for one in record["rows"]))


def compare(record: dict) -> None:
    """Write beside every answer how far it is from the kit's, and whether it is the same.

    Where a program's answer is another by design the reason stands there instead; but nobody's total may be below
    the least there is.
    """
    differs = {one["program"]: one["differs"] for one in record["programs"]}
    for task, size in rows_of(record):
        found = of_row(record, task, size)
        for name, one in found.items():
            base = of_row(record, AS[task], size).get(KIT) if task in AS else _base(found)
            if one is base or base is None or "failure" in one or "failure" in base:
                continue
            one["apart"] = {check: _apart(check, one[check], base[check]) for check in CHECKS[task] if check in one}
            is_same = all(value <= TOLERANCE for value in one["apart"].values())
            beaten = task.startswith("optimal") and one["total_distance"] < base["total_distance"] * (1 - NO_BETTER)
            if task in differs[name]:
                one["differs"] = differs[name][task]
                is_same = True
            one["is_same"] = is_same and not beaten


def _base(found: dict[str, dict]) -> dict | None:
    answered = [found[name] for name in (KIT, REFERENCE) if name in found and "failure" not in found[name]]
    return answered[0] if answered else None


def _apart(check: str, value: float, base: float) -> float:
    if check == "imbalance" and max(value, base) <= BALANCED:
        return 0.0
    return float(f"{abs(value - base) / abs(base):.2g}") if base else float(value != base)


def goals(record: dict) -> list[dict]:
    """Return every goal, what was measured and whether it is reached."""
    found = [goal for bound in BOUNDS for goal in _bounded(record, *bound)]
    found += _without_every_pair(record)
    if "min" in record["import_evalkit_wall"]:
        wall = record["import_evalkit_wall"]["min"]
        found.append(goal_of("import evalkit", wall, IMPORT_SECONDS, "s, process included"))
    for task, size in rows_of(record):
        partial = [one["program"] for one in record["programs"] if task in one["part"]]
        found += _beside_peers(task, size, of_row(record, task, size), partial)
    return found


def _bounded(record: dict, task: str, size: tuple[int, int], figure: str, bound: float, unit: str) -> list[dict]:
    one = of_row(record, task, size).get(KIT)
    name = f"{task}, {size_name(size)}: {'peak memory' if figure == 'peak_mb' else 'the step, wall'}"
    if one is None:
        return []
    if "failure" in one:
        return [{"goal": f"{name}: at most {bound:g} {unit}", "measured": one["failure"], "is_reached": False}]
    return [goal_of(name, one[figure]["min"], bound, unit)]


def _without_every_pair(record: dict) -> list[dict]:
    """Return whether the kit's peaks leave no room for an array with a number for each pair of units."""
    found = []
    for size in dict.fromkeys(size for _, size in rows_of(record)):
        own = [one for one in record["rows"] if one["program"] == KIT and size_of(one) == size and "failure" not in one]
        if own and size[0] * size[1] >= LARGE:
            most = max(own, key=lambda one: one["peak_mb"]["min"])
            name = f"{size_name(size)}: highest peak ({most['task']}) beside a number for each pair of units"
            found.append(goal_of(name, most["peak_mb"]["min"] * 2**20 / (size[0] * size[1] * BYTES), HALF, "×"))
    return found


def _beside_peers(task: str, size: tuple[int, int], found: dict[str, dict], partial: list[str]) -> list[dict]:
    """Return the kit's share of what the best peer that does the whole task needs, of each figure."""
    own = found.get(KIT)
    rivals = [one for name, one in found.items() if name not in (KIT, REFERENCE, *partial) and "failure" not in one]
    if own is None or not rivals:
        return []
    if "failure" in own:
        return [{"goal": f"{task}, {size_name(size)}", "measured": own["failure"], "is_reached": False}]
    told = []
    for figure, words in AHEAD.items():
        best = min(rivals, key=lambda one: one[figure]["min"])
        share = own[figure]["min"] / max(best[figure]["min"], 1e-4)
        told.append(
            goal_of(f"{task}, {size_name(size)}: {words} beside {best['program']}, the best peer", share, 1, "×")
        )
    return told
