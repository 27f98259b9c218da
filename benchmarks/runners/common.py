"""What every runner does: import the package, read the table, estimate, and print one line of figures."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass


@dataclass
class Task:
    """What is asked: the table, with one covariate `x` or none, and how many bootstrap draws (0: analytic errors)."""

    data: str
    with_covariate: bool
    n_draws: int
    seed: int = 1


@dataclass
class Found:
    """What a peer answered: the average over all effects after the start, and the mean of the event study."""

    overall: float | None
    overall_error: float | None
    event_mean: float


@contextlib.contextmanager
def clock(into: dict[str, float], name: str) -> Iterator[None]:
    """Add CPU seconds (all threads) and wall seconds of a block under a name."""
    cpu, wall = time.process_time(), time.perf_counter()
    yield
    into[f"{name}_cpu"] = time.process_time() - cpu
    into[f"{name}_wall"] = time.perf_counter() - wall


def peak_mb() -> float:
    """Return the most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(load: Callable, prepare: Callable, estimate: Callable) -> None:
    """Import, read, estimate, and print the figures as the last line.

    `load()` imports the package and returns what `estimate` calls; `prepare(frame, task)` gives the table the
    form the package asks for, untimed; `estimate(tool, table, task)` returns `Found`.
    """
    task, figures = _task(), {}
    hold_to_memory()
    with contextlib.redirect_stdout(sys.stderr):
        with clock(figures, "import"):
            tool = load()
        import pandas as pd

        with clock(figures, "read"):
            frame = pd.read_parquet(task.data)
        table = prepare(frame, task)
        del frame
        figures["peak_before_mb"] = peak_mb()
        with clock(figures, "estimate"):
            found = estimate(tool, table, task)
    tell(figures | asdict(found))


def tell(figures: dict) -> None:
    """Print the figures as the last line."""
    print(json.dumps(figures | {"python": platform.python_version()}))


def hold_to_memory() -> None:
    """Let this process hold no more memory than a run may."""
    if memory := int(os.environ.get("BENCHMARK_MEMORY", "0")):
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _task() -> Task:
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--with-covariate", action="store_true")
    parser.add_argument("--n-draws", type=int, default=0)
    return Task(**vars(parser.parse_args()))


def never_as_zero(frame, task: Task):
    """Return the table with cohort 0 for units never treated, as several packages ask for."""
    frame["cohort"] = frame["cohort"].fillna(0).astype("int64")
    return frame
