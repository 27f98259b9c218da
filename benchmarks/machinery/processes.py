"""One run in a fresh process: its figures, or the reason why there are none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

THREADS = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)


def environment_variables(n_threads: int, memory_gib: float, root: Path) -> dict[str, str]:
    """Return the variables every run gets: equal threads, most memory, one hash seed, the kit to be found."""
    fixed = dict.fromkeys(THREADS, str(n_threads)) | {"BENCHMARK_MEMORY": str(int(memory_gib * 2**30))}
    return os.environ | fixed | {"PYTHONHASHSEED": "0", "PYTHONPATH": str(root), "PYTHONWARNINGS": "ignore"}


def run(command: list[str], variables: dict[str, str], limit: float) -> dict[str, object]:
    """Return what the last line a program prints says, with the CPU, wall time and peak memory of its process.

    The peak is that of the process since it started. The caller must itself be small: a process starts with
    the peak of the one that made it. With a failure the result holds `failure` and nothing else.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=errors, env=variables, start_new_session=True)
        timer = threading.Timer(limit, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            return {"failure": _failure(process.returncode, errors, wall >= limit, limit)}
        output.seek(0)
        said = json.loads(output.read().splitlines()[-1])
    return said | {
        "process_cpu": usage.ru_utime + usage.ru_stime,
        "process_wall": wall,
        "peak_mb": usage.ru_maxrss / 1024,
    }


def _failure(code: int, errors, late: bool, limit: float) -> str:
    if late:
        return f"took longer than {limit:.0f} s"
    if code == -signal.SIGKILL:
        return "was killed: most likely there was not enough memory"
    errors.seek(0)
    lines = [line for line in errors.read().splitlines() if line.strip()]
    return f"failed: {lines[-1].strip()[:200]}" if lines else f"failed with exit code {code}"
