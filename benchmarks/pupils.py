"""What a project with a large table of pupils takes: `python benchmarks/pupils.py [--pupils N] [--output FILE]`.

N pupils a year (600,000) × 4 years in 16,800 schools of 150 areas, with a covariate, are written as CSV to a temporary
folder; 60 schools of three areas take part in the last two years. `evalkit run` makes the whole report. Prints CPU
seconds of all its processes, wall time, the memory of the largest process, and that of all together (each shared page
counted once), and whether the effect that was put in is in the interval.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
from pyarrow import csv

YEARS = (2016, 2017, 2018, 2019)
SCHOOLS, AREAS, EFFECT = 16_800, 150, 2.0
PROJECT = """\
schema_version: 2
slug: pupils
title: Made-up pupils
question: How long does it take?
programme:
  {name: Made up, place: three areas, funder: nobody, aim: to be measured, start: 2017-09-01, end: 2019-07-31}
data:
  kind: synthetic
  tables:
    pupils: {file: pupils.csv, unit: school, person: pupil, period: year, area: la}
participants: {file: participants.csv}
outcomes:
  - {table: pupils, column: score, label: Score, role: primary}
exposure: {pre: [2016, 2017], post: [2018, 2019]}
disclosure: {threshold: 10}
analyses:
  - {name: pupils, kind: pupils, primary: true, covariates: [pupils.prior]}
"""


def main() -> int:
    """Run the benchmark; return 1 where the run fails or its interval misses the truth by far."""
    parser = argparse.ArgumentParser(description="A project with a large table of pupils.")
    parser.add_argument("--pupils", type=int, default=600_000, help="pupils in each of four years")
    parser.add_argument("--output", type=Path, help="file to which the line is written as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="evalkit-pupils-") as folder:
        project = Path(folder) / "project"  # a folder of its own: a run reads anew what changes beside the project file
        project.mkdir()
        write_project(project, options.pupils)
        size = (project / "pupils.csv").stat().st_size / 1e6
        told, failed = measured(project, Path(folder))
    line = f"{options.pupils * len(YEARS):,} rows, {size:.0f} MB of CSV: {told}"
    print(line)
    if options.output:
        options.output.write_text(line + "\n", encoding="utf-8")
    return failed


def write_project(folder: Path, n_pupils: int) -> None:
    """Write pupils of schools in areas, other pupils each year, from a fixed seed."""
    rng = np.random.default_rng(1)
    level = rng.normal(100, 3, SCHOOLS)
    treated = np.concatenate([np.flatnonzero(np.arange(SCHOOLS) % AREAS == area)[:20] for area in range(3)])
    parts = []
    for at, year in enumerate(YEARS):
        school = np.sort(rng.integers(0, SCHOOLS, n_pupils))
        prior = rng.normal(0, 1, n_pupils)
        mean = level + rng.normal(0, 1, SCHOOLS) + EFFECT * (np.isin(np.arange(SCHOOLS), treated) & (year >= 2018))
        score = mean[school] + 4 * prior + rng.normal(0, 8, n_pupils)
        columns = {
            "pupil": np.arange(n_pupils) + 10_000_000 * (at + 1),
            "school": 500_000 + school,
            "la": 201 + school % AREAS,
            "year": np.full(n_pupils, year),
            "prior": prior.round(3),
            "score": score.round(1),
        }
        parts.append(pa.table(columns))
    csv.write_csv(pa.concat_tables(parts), folder / "pupils.csv")
    text = "school\n" + "".join(f"{500_000 + one}\n" for one in treated.tolist())
    (folder / "participants.csv").write_text(text, encoding="utf-8")
    (folder / "project.yml").write_text(PROJECT, encoding="utf-8")


def measured(project: Path, folder: Path) -> tuple[str, int]:
    """Return what a run took in words, and 1 where it failed or missed the effect by three half-lengths."""
    command = [sys.executable, "-m", "evalkit", "run", str(project / "project.yml"), "--out", str(folder / "out")]
    began, together = time.perf_counter(), 0
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"})
        while running.poll() is None:
            together = max(together, memory_of(running.pid))
            time.sleep(0.5)
    wall, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if running.returncode:
        return (folder / "log").read_text(encoding="utf-8")[-400:], 1
    results = json.loads((folder / "out" / "pupils" / "results.json").read_text(encoding="utf-8"))
    led = next(one for one in results["analyses"][0]["effects"] if one.get("main"))
    half = (led["interval"]["upper"] - led["interval"]["lower"]) / 2
    told = (
        f"{used.ru_utime + used.ru_stime:.1f} CPU s, {wall:.1f} s, largest process {used.ru_maxrss / 1e6:.2f} GB, all "
        f"together {together / 1e9:.2f} GB; effect {led['estimate']:.2f} (put in: {EFFECT}), half-length {half:.2f}"
    )
    return told, int(abs(led["estimate"] - EFFECT) > 3 * half)


def memory_of(pid: int) -> int:
    """Return the bytes that a process and its children hold, a page they share counted once."""
    total = 0
    try:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            total += one.memory_full_info().pss
    except psutil.Error:
        pass  # one of them has ended in between
    return total


if __name__ == "__main__":
    sys.exit(main())
