"""One analysis of 26 drawn schools, three outcomes: `run_sets.py NAME SHARE [DATA]` prints its times as JSON.

SHARE is the share of the sets that a run draws; DATA a folder of published files, else the synthetic England.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import yaml

from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.diagnose.kinds import matched
from evalkit.estimate.areas import set_matches
from evalkit.run.kinds.registry import design_project, evaluate_project
from evalkit.run.project.project_file import load_project
from evalkit.run.project.runner import find_data

PROJECT = Path(__file__).resolve().parents[2] / "data" / "projects" / "knowsley-ssif" / "project.yml"
OUTCOMES = ("READPROG", "WRITPROG", "MATPROG")
COVARIATES = {"covariates": ["pre_outcomes", "cohort_size"], "estimate": "change"}
ANALYSES = {
    "areas": {"kind": "areas"},
    "nearest": {"kind": "matched", "method": "nearest", **COVARIATES},
    "optimal": {"kind": "matched", "method": "optimal", **COVARIATES},
    "full": {"kind": "matched", "method": "full", **COVARIATES},
}


def main(name: str, share: float, data: str) -> None:
    n_sets = _fewer_sets(name, share)
    sources = find_data(Path(data) if data else None)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        _write_project(folder, ANALYSES[name])
        project = load_project(folder / "project.yml")
        baseline, everything = read_baseline(project, folder, sources), read_records(project, folder, sources)
    design, plan_times = _timed(lambda: design_project(project, baseline))
    _, estimate_times = _timed(lambda: evaluate_project(design, everything))
    said = {
        "n_sets": n_sets,
        "n_schools": len(everything.records["KS2"].schools),
        "data": "published files" if data else "the synthetic England",
        "plan_cpu": plan_times[0],
        "estimate_cpu": estimate_times[0],
        "estimate_wall": estimate_times[1],
    }
    print(json.dumps(said))


def _fewer_sets(name: str, share: float) -> int:
    """Let a share of the sets be drawn, and return how many have a matching of their own."""
    for module in (matched, set_matches):
        module.FEWER_SETS = max(1, round(module.FEWER_SETS * share))
    matched._FEWER.update({kind: max(1, round(n * share)) for kind, n in matched._FEWER.items()})
    by_name = {kind.__name__: n for kind, n in matched._FEWER.items()}
    return by_name.get(f"{name.title()}Matching", matched.FEWER_SETS)


def _write_project(folder: Path, analysis: dict) -> None:
    """Write the Knowsley project with a made-up list, three outcomes and one analysis."""
    project = yaml.safe_load(PROJECT.read_text(encoding="utf-8"))
    project["participants"] = {"draw": {"n": 26, "of": 340}}
    roles = ("primary", "secondary", "placebo")
    project["outcomes"] = [{"measure": code, "role": role} for code, role in zip(OUTCOMES, roles, strict=True)]
    project["analyses"] = [{"name": "main", "primary": True, **analysis}]
    project.pop("claims", None)
    (folder / "project.yml").write_text(yaml.safe_dump(project, sort_keys=False), encoding="utf-8")


def _timed(work):
    cpu, wall = time.process_time(), time.perf_counter()
    made = work()
    return made, (time.process_time() - cpu, time.perf_counter() - wall)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "")
