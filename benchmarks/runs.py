"""Reports of many projects: the kit beside papermill in a loop and nbconvert, on the same notebooks and data.

    python benchmarks/runs.py                    20 projects, and one on published files; writes results/runs.md
    python benchmarks/runs.py --projects 4       fewer, printed only
    python benchmarks/runs.py --data DIR         the folder of published files (default: ../shared/data, if there)

See benchmarks/README.md for what the figures mean.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import yaml
from machinery.environments import BENCHMARKS
from machinery.outcomes import machine, write_record
from machinery.processes import environment_variables
from machinery.report_runs import Measured, differing_outputs, measured
from machinery.runs_page import WARM, goals, markdown

ROOT = BENCHMARKS.parent
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
EXECUTED = [*NOTEBOOKS[1:], NOTEBOOKS[0]]
"""The design first, as it stops before outcomes are read; the summary last."""
AREAS = (340, 341, 342, 343, 344, *range(350, 360), *range(370, 374), 380, 381, 382)
"""Boroughs with some dozens of primary schools."""
KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif"


def main() -> int:
    """Run the benchmark; return 1 where the two ways show different results."""
    options = _options()
    variables = environment_variables(options.threads, 16, ROOT)
    with tempfile.TemporaryDirectory(prefix="evalkit-runs-") as folder:
        workspace = _workspace(Path(folder), options.projects)
        slugs = sorted(path.name for path in (workspace / "data" / "projects").iterdir() if path.is_dir())
        england = _synthetic(workspace, variables)
        runs = [
            measured("evalkit run", _kit(slugs, england, workspace / "kit", options), workspace, variables),
            measured(
                "evalkit run, nothing changed", _kit(slugs, england, workspace / "kit", options), workspace, variables
            ),
            measured("papermill loop and nbconvert", _loop(workspace, slugs, england), workspace, variables),
        ]
        differing = differing_outputs(workspace / "kit", workspace / "loop", slugs)
        if options.data.is_dir():
            runs += _one(options, workspace, variables)
    record = {
        "machine": machine(options.threads),
        "projects": len(slugs),
        "notebooks": NOTEBOOKS,
        "runs": [run.record() for run in runs],
        "differing_outputs": differing,
    }
    record["goals"] = goals(record)
    full = options.projects == 20 and options.data.is_dir()
    write_record("runs", record, markdown(record), options.output or (BENCHMARKS / "results" if full else None))
    return 1 if differing or any(run.failure for run in runs) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Reports of many projects: the kit beside papermill and nbconvert.")
    parser.add_argument("--projects", type=int, default=20, help="projects on the synthetic England")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of published files")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="projects that the kit runs at once")
    parser.add_argument("--threads", type=int, default=1, help="threads every library may use")
    parser.add_argument("--output", type=Path, help="folder for runs.md and runs.json (default: results, if full)")
    return parser.parse_args()


def _workspace(folder: Path, n_projects: int) -> Path:
    """Return a workspace with so many projects, each the Knowsley one on another area of the synthetic England."""
    text = (KNOWSLEY / "project.yml").read_text(encoding="utf-8")
    for area in AREAS[:n_projects]:
        content = yaml.safe_load(text)
        content["slug"] = f"area-{area}"
        content["participants"]["local_authority"] = area
        content["pool"]["minimum_treated"] = 5
        content.pop("contamination", None)
        target = folder / "data" / "projects" / f"area-{area}"
        target.mkdir(parents=True)
        shutil.copy(KNOWSLEY / "claims.yml", target)
        (target / "project.yml").write_text(
            yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8"
        )
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    return folder


def _synthetic(workspace: Path, variables: dict[str, str]) -> Path:
    """Return the synthetic England, made before anything is measured."""
    made = "from evalkit.run.notebooks.session import synthetic_folder; print(synthetic_folder())"
    run = measured("the synthetic England", [[sys.executable, "-c", made]], workspace, variables)
    return Path(run.output.strip().splitlines()[-1])


def _kit(slugs: list[str], data: Path, out: Path, options: argparse.Namespace) -> list[list[str]]:
    command = [sys.executable, "-m", "evalkit", "run", *slugs, "--data", str(data), "--out", str(out)]
    return [[*command, "-j", str(options.jobs)]]


def _loop(workspace: Path, slugs: list[str], data: Path) -> list[list[str]]:
    """Return what a team types without the kit: papermill for every notebook, then nbconvert for all of a project."""
    commands = []
    for slug in slugs:
        out = workspace / "loop" / slug
        out.mkdir(parents=True)
        project = workspace / "data" / "projects" / slug / "project.yml"
        for name in EXECUTED:
            parameters = ["-p", "project_file", str(project), "-p", "data", str(data), "-p", "out", str(out)]
            source = str(workspace / "notebooks" / name)
            commands.append([sys.executable, "-m", "papermill", source, str(out / name), *parameters])
        made = [str(out / name) for name in NOTEBOOKS]
        commands.append([sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "--no-input", *made])
    return commands


def _one(options: argparse.Namespace, workspace: Path, variables: dict[str, str]) -> list[Measured]:
    """Return the Knowsley report on published files, the first time and when all files have been read before."""
    command = [sys.executable, "-m", "evalkit", "run", str(KNOWSLEY / "project.yml"), "--force"]
    command += ["--data", str(options.data), "--out", str(workspace / "one")]
    names = ("one report on published files, first", WARM)
    return [measured(name, [command], workspace, variables) for name in names]


if __name__ == "__main__":
    sys.exit(main())
