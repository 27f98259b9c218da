"""Whether programs agree with the kit, and whether the kit reaches its goals."""

from __future__ import annotations

CHECKS = ("overall", "overall_error", "event_mean")
TOLERANCE = 1e-6
"""Relative difference of estimates from the kit's: rounding, and where a logit's iteration stops."""
ERROR_TOLERANCE = 1e-5
"""The same of analytic standard errors; those of the bootstrap are draws of other generators and only shown."""

KIT, HALF, PASSES = "evalkit", 0.5, 5.0
IMPORT_SECONDS, PUPIL_SECONDS, PUPIL_MB = 0.5, 10.0, 2048.0
LARGE = 200_000
AHEAD = {
    "estimate_cpu": "CPU",
    "estimate_wall": "wall",
    "process_cpu": "CPU of the process",
    "peak_mb": "peak memory",
    "import_wall": "import",
}


def of_row(record: dict, n_units: int, with_covariate: bool, n_draws: int) -> list[dict]:
    """Return what was written down of every program on one row, the kit first."""
    wanted = (n_units, with_covariate, n_draws)
    return [one for one in record["rows"] if (one["n_units"], one["with_covariate"], one["n_draws"]) == wanted]


def rows_of(record: dict) -> list[tuple[int, bool, int]]:
    """Return the rows that were run, in order."""
    return list(dict.fromkeys((one["n_units"], one["with_covariate"], one["n_draws"]) for one in record["rows"]))


def compare(record: dict) -> None:
    """Write beside every program's answer how far it is from the kit's, and whether it is the same."""
    allowed = {one["program"]: one["tolerance"].get("covariate", TOLERANCE) for one in record["programs"]}
    for row in rows_of(record):
        programs = of_row(record, *row)
        own = programs[0]
        for other in programs[1:]:
            if "failure" in other or "failure" in own:
                continue
            apart = {name: _apart(other[name], own[name]) for name in CHECKS}
            bounds = dict.fromkeys(("overall", "event_mean"), allowed[other["program"]] if row[1] else TOLERANCE)
            if row[2] == 0:
                bounds["overall_error"] = ERROR_TOLERANCE
            other["apart"] = apart
            other["is_same"] = all((apart[name] or 0.0) <= bound for name, bound in bounds.items())


def _apart(value: float | None, reference: float) -> float | None:
    return None if value is None else float(f"{abs(value / reference - 1):.2g}")


def goals(record: dict) -> list[dict]:
    """Return every goal, what was measured and whether it is reached."""
    compare(record)
    found = [goal for row in rows_of(record) for goal in _of_row(record, row)]
    if "min" in record["import_evalkit_wall"]:
        found.append(
            goal_of("import evalkit", record["import_evalkit_wall"]["min"], IMPORT_SECONDS, "s, process included")
        )
    for one in record["pupils"]:
        name = f"{one['n_units']:,} pupils × 4 years, {errors_of(one['n_draws'])}"
        if "failure" in one:
            found.append({"goal": name, "measured": one["failure"], "is_reached": False})
            continue
        found.append(goal_of(f"{name}, wall", one["estimate_wall"]["min"], PUPIL_SECONDS, "s"))
        found.append(goal_of(f"{name}, peak memory", one["peak_mb"]["min"], PUPIL_MB, "MB"))
    return found


def errors_of(n_draws: int) -> str:
    """Return the kind of standard error in words."""
    return f"{n_draws} draws" if n_draws else "analytic"


def row_name(row: tuple[int, bool, int]) -> str:
    """Return a row in words."""
    return f"{row[0]:,} × 10, {'one covariate' if row[1] else 'no covariate'}, {errors_of(row[2])}"


def _of_row(record: dict, row: tuple[int, bool, int]) -> list[dict]:
    own, *others = of_row(record, *row)
    if "failure" in own:
        return [{"goal": row_name(row), "measured": own["failure"], "is_reached": False}]
    rivals = [other for other in others if "failure" not in other]
    return _beside_peers(record, row, own, rivals) + _beside_passes(record, row, own)


def _beside_peers(record: dict, row: tuple[int, bool, int], own: dict, rivals: list[dict]) -> list[dict]:
    """Return the kit's share of what the best peer needs, of each figure."""
    lazy = [one["program"] for one in record["programs"] if one["puts_off_imports"]]
    found = []
    for figure, words in AHEAD.items():
        compared = [other for other in rivals if figure != "import_wall" or other["program"] not in lazy]
        if compared:
            best = min(compared, key=lambda other: other[figure]["min"])
            share = own[figure]["min"] / best[figure]["min"]
            bound = HALF if figure == "estimate_cpu" and row[0] >= LARGE else 1.0
            found.append(
                goal_of(f"{row_name(row)}: {words} beside {best['program']}, the best peer", share, bound, "×")
            )
    return found


def _beside_passes(record: dict, row: tuple[int, bool, int], own: dict) -> list[dict]:
    """Return how often the kit's time, reading included, holds one pass that reads and pivots."""
    found = []
    for one in record["passes"]:
        if one["n_units"] == row[0] >= LARGE and "failure" not in one:
            for figure in ("cpu", "wall"):
                own_time, once = (
                    each[f"read_{figure}"]["min"] + each[f"estimate_{figure}"]["min"] for each in (own, one)
                )
                name = f"{row_name(row)}: {figure}, reading included, beside one pass that reads and pivots"
                found.append(goal_of(name, own_time / once, PASSES, "×"))
    return found


def goal_of(name: str, measured: float, bound: float, unit: str) -> dict:
    """Return a goal that something measured must not exceed."""
    return {
        "goal": f"{name}: at most {bound:g} {unit}",
        "measured": f"{measured:.3g}",
        "is_reached": measured <= bound,
    }
