"""How long `evalkit did` takes on a large table, and how much memory: `python benchmarks/reading.py [--units N]`.

A table of N units × 10 years (2 million rows as it stands) is written to a temporary folder and deleted; the command
runs as a process of its own, three times. Prints wall time, the time until reading is over, and peak memory.
"""

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

YEARS = np.arange(2010, 2020)
COLUMNS = ["--unit", "school", "--period", "year", "--outcome", "score", "--cohort", "first"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.csv"
        write_table(path, options.units)
        print(f"{options.units * len(YEARS):,} rows, {path.stat().st_size / 1e6:.0f} MB")
        for _ in range(options.repeats):
            print(measured(path))
    return 0


def write_table(path: Path, n_units: int) -> None:
    """Write units that start in three years or never, from a fixed seed."""
    random = np.random.default_rng(1)
    start = random.choice([2013, 2015, 2017, 0], n_units)
    level = random.normal(size=n_units)
    with path.open("w", encoding="utf-8") as file:
        file.write("school,year,score,first\n")
        for first in range(0, n_units, 20_000):
            unit = np.repeat(np.arange(first, min(first + 20_000, n_units)), len(YEARS))
            year, cohort = np.tile(YEARS, len(unit) // len(YEARS)), start[unit]
            score = level[unit] + random.normal(size=len(unit)) + ((cohort > 0) & (year >= cohort))
            rows = zip(unit.tolist(), year.tolist(), score.tolist(), cohort.tolist(), strict=True)
            file.writelines(f"{100_000 + u},{y},{s:.4f},{c or ''}\n" for u, y, s, c in rows)


def measured(path: Path) -> str:
    began = time.perf_counter()
    command = [str(Path(sys.executable).with_name("evalkit")), "did", str(path), *COLUMNS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - began
    read = re.search(r"\[ *([\d.]+) s\] estimating", done.stderr)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return f"exit {done.returncode}: {wall:.1f} s, read after {read[1] if read else '?'} s, peak {peak:.0f} MB"


if __name__ == "__main__":
    sys.exit(main())
