"""One specification curve of the Knowsley project: `run_curve.py NAME SHARE WORKERS [DATA]` prints its times as JSON.

SHARE is the share of the specifications; WORKERS the processes it is shared among; DATA a folder of published files,
else the synthetic England.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from evalkit.core.draws import Executor
from evalkit.data.published.project_data import read_records
from evalkit.run.kinds.curve import curve_of
from evalkit.run.processes.executors import ExecutorChoice, executor_at
from evalkit.run.project.project_file import load_project
from evalkit.run.project.runner import find_data

PROJECT = Path(__file__).resolve().parents[2] / "data" / "projects" / "knowsley-ssif" / "project.yml"
LIST = {"draw": {"n": 26, "of": 340}}
AREAS = {
    "pool.neighbours": ["april_2021", "may_2025"],
    "pool.require_all_years": [True, False],
    "pool.minimum_area_schools": [5, *range(6, 23)],
    "estimation.weights": ["schools", "pupils"],
    "exposure.pre": [[2016, 2017], [2016], [2017]],
    "comparison": ["neighbours", "england", "matched", "matched_without_outcomes"],
    "sample": ["every_school", "without_conversions", "without_contaminated"],
    "change": ["plain", "less_trend"],
}
MATCHINGS = {
    "main.covariates": [[], ["pre_outcomes"], ["cohort_size"]],
    "main.method": ["nearest", "optimal"],
    "main.ratio": [1, 2, 3, 4, 5],
    "main.caliper": [None, 0.1, 0.2, 0.25, 0.5],
}
CURVES = {
    "areas": ({"kind": "areas"}, AREAS, None),
    "matchings-area": ({"kind": "matched", "ratio": 1}, MATCHINGS, None),
    "matchings-list": ({"kind": "matched", "ratio": 1}, MATCHINGS, LIST),
}


def main(name: str, share: float, n_workers: int, data: str) -> None:
    sources = find_data(Path(data) if data else None)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        _write_project(folder, name, share)
        project = load_project(folder / "project.yml")
        everything = read_records(project, folder, sources)
    cpu, wall = time.process_time(), time.perf_counter()
    with executor_at(ExecutorChoice(n_workers=n_workers)) as executor:
        counted = _Counted(executor, is_elsewhere=n_workers > 1)
        curve = curve_of(project, everything, counted)
    said = {
        "n_specifications": len(curve.specifications),
        "n_failed": curve.n_failed,
        "n_areas": curve.n_areas,
        "n_sets": curve.n_sets,
        "median": curve.median if isinstance(curve.median, float) else curve.median.reason,
        "p_value": curve.p_value if isinstance(curve.p_value, float) else None,
        "locked": curve.locked.estimate if isinstance(curve.locked.estimate, float) else None,
        "data": "published files" if data else "the synthetic England",
        "cpu": time.process_time() - cpu + counted.cpu,
        "wall": time.perf_counter() - wall,
    }
    print(json.dumps(said))


def _write_project(folder: Path, name: str, share: float) -> None:
    """Write the Knowsley project with one outcome, one analysis and as many options of its choices as asked for."""
    analysis, vary, participants = CURVES[name]
    project = yaml.safe_load(PROJECT.read_text(encoding="utf-8"))
    if participants is not None:
        project["participants"] = participants
    longest = max(vary, key=lambda key: len(vary[key]))
    fewer = vary | {longest: list(islice(vary[longest], max(2, round(len(vary[longest]) * share))))}
    project["outcomes"] = [{"measure": "READPROG", "role": "primary"}]
    project["analyses"] = [{"name": "main", "primary": True, **analysis}]
    project["choices"] = {"vary": fewer}
    for key in ("claims", "contrasts", "cost"):
        project.pop(key, None)
    (folder / "project.yml").write_text(yaml.safe_dump(project, sort_keys=False), encoding="utf-8")


@dataclass
class _Counted:
    """An executor that adds up the CPU seconds of its workers, which no parent can ask for after they have ended."""

    executor: Executor
    is_elsewhere: bool
    cpu: float = 0.0

    def map(self, function: Callable[[Any], Any], chunks: Sequence[Any]) -> list[Any]:
        found = self.executor.map(partial(_with_cpu, function), chunks)
        self.cpu += sum(cpu for _, cpu in found) if self.is_elsewhere else 0.0
        return [made for made, _ in found]


def _with_cpu(function: Callable[[Any], Any], chunk: Any) -> tuple[Any, float]:
    begin = time.process_time()
    made = function(chunk)
    return made, time.process_time() - begin


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else "")
