"""One package's bounds on violations of parallel trends: `run_bounds.py PACKAGE COEFFICIENTS SIGMA`, told as JSON.

Each task is done once to load what it needs, and then timed: seconds of this process and its threads, imports left out.
"""

from __future__ import annotations

import csv
import json
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

RELATIVE, SMOOTH = [0.5, 1.0, 1.5, 2.0], [0.0, 0.01, 0.02, 0.03, 0.04, 0.05]
Ends = list[list[float]]


def evalkit_tasks(beta: Any, sigma: Any, times: list[int]) -> dict[str, Callable[[], Ends]]:
    """The kit's; either task also gives both breakdown values."""
    import evalkit

    def ends(key: str, **sizes: list[float]) -> Ends:
        found = evalkit.violation_bounds(beta, sigma, event_times=times, **sizes)
        return [[one.interval.lower, one.interval.upper] for one in getattr(found, key)]

    return {
        "relative": lambda: ends("relative", relative=RELATIVE, smoothness=[]),
        "smoothness": lambda: ends("smoothness", relative=[], smoothness=SMOOTH),
    }


def statspai_tasks(beta: Any, sigma: Any, times: list[int]) -> dict[str, Callable[[], Ends]]:
    """StatsPAI's own implementation."""
    import statspai

    def ends(method: str, sizes: list[float], **how: str) -> Ends:
        found = statspai.honest_did_from_moments(beta, sigma, event_times=times, method=method, m_grid=sizes, **how)
        return found[["ci_lower", "ci_upper"]].to_numpy().tolist()

    return {
        "relative": lambda: ends("relative_magnitude", RELATIVE, honestdid_method="C-LF"),
        "smoothness": lambda: ends("smoothness", SMOOTH),
    }


def moderndid_tasks(beta: Any, sigma: Any, times: list[int]) -> dict[str, Callable[[], Ends]]:
    """moderndid's port of HonestDiD."""
    from moderndid.didhonest import sensitivity

    p = sum(time < 0 for time in times)
    sides = {"betahat": beta, "sigma": sigma, "num_pre_periods": p, "num_post_periods": len(times) - p}

    def ends(found: Any) -> Ends:
        rows = found.to_dicts() if hasattr(found, "to_dicts") else found.to_dict("records")
        return [[float(row["lb"]), float(row["ub"])] for row in rows]

    relative, smooth = sensitivity.create_sensitivity_results_rm, sensitivity.create_sensitivity_results_sm
    return {
        "relative": lambda: ends(relative(**sides, method="C-LF", m_bar_vec=np.array(RELATIVE))),
        "smoothness": lambda: ends(smooth(**sides, method="FLCI", m_vec=np.array(SMOOTH))),
    }


def main() -> None:
    """Time both tasks of a package."""
    warnings.filterwarnings("ignore")
    package, coefficients, covariance = sys.argv[1:]
    with open(coefficients, encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    beta = np.array([float(row["estimate"]) for row in rows])
    times = [int(row["event_time"]) for row in rows]
    sigma = np.loadtxt(covariance, delimiter=",")
    told: dict[str, Any] = {}
    for name, task in {"evalkit": evalkit_tasks, "StatsPAI": statspai_tasks, "moderndid": moderndid_tasks}[package](
        beta, sigma, times
    ).items():
        try:
            task()
            start = time.process_time()
            told[name] = {"ends": task(), "seconds": time.process_time() - start}
        except Exception as problem:
            told[name] = {"failed": f"{type(problem).__name__}: {str(problem)[:120]}"}
    print(json.dumps({"package": package, "version": version(package), "tasks": told}))


if __name__ == "__main__":
    main()
