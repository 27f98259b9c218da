"""Bounds on violations of parallel trends: the kit and its peers on one event study, each with the ends it gives.

    python benchmarks/bounds.py --coefficients F --covariance F --peers PYTHON    writes benchmarks/results/bounds.md
    python benchmarks/bounds.py --coefficients F --covariance F --quick           the kit alone, printed

PYTHON is the interpreter of an environment of its own that holds the peers (`pip install StatsPAI==1.40.2 moderndid`).
The files are those of `evalkit bounds`. See benchmarks/README.md for what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parent
GOALS = {"relative": 0.4, "smoothness": 0.5}
NAMES = {"relative": "four relative magnitudes", "smoothness": "six smoothness values"}


def told(python: str, package: str, files: list[str]) -> dict[str, Any]:
    """Return what a package took and gave, on one thread."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": ""}
    runner = [python, str(BENCHMARKS / "runners" / "run_bounds.py"), package, *files]
    done = subprocess.run(runner, env=environment, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        return {"package": package, "version": "", "tasks": {name: {"failed": "it did not run"} for name in GOALS}}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def page(found: list[dict[str, Any]]) -> str:
    """Return the page of results: seconds and ends, the kit first."""
    lines = ["# Bounds on violations of parallel trends", "", "CPU seconds of one process, imports left out.", ""]
    lines += ["| | " + " | ".join(f"{one['package']} {one['version']}" for one in found) + " | goal |"]
    lines += ["|---" * (len(found) + 2) + "|"]
    for name, goal in GOALS.items():
        cells = [_seconds(one["tasks"][name]) for one in found]
        lines.append(f"| {NAMES[name]} | " + " | ".join(cells) + f" | {goal} |")
    for name, words in NAMES.items():
        lines += ["", f"Ends by {words}:", ""]
        for one in found:
            ends = one["tasks"][name].get("ends", [])
            if ends:
                shown = ", ".join(f"[{low:.5f}, {high:.5f}]" for low, high in ends)
                lines.append(f"- {one['package']}: {shown}")
    lines += ["", f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, one thread.", ""]
    return "\n".join(lines)


def _seconds(task: dict[str, Any]) -> str:
    return f"{task['seconds']:.2f}" if "seconds" in task else f"failed: {task['failed']}"


def main() -> None:
    """Run the kit and the peers, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coefficients", required=True)
    parser.add_argument("--covariance", required=True)
    parser.add_argument("--peers", help="python of the environment that holds the peers")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    files = [given.coefficients, given.covariance]
    found = [told(sys.executable, "evalkit", files)]
    if given.peers and not given.quick:
        found += [told(given.peers, package, files) for package in ("StatsPAI", "moderndid")]
    text = page(found)
    if not given.quick:
        (BENCHMARKS / "results" / "bounds.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
