"""Where replications are carried out: in this process, in several of this machine, or on a cluster."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.errors import InputError
from evalkit.run.threads import ONE_THREAD

if TYPE_CHECKING:
    from evalkit.core.executor import Executor

MOST_WORKERS: Final = 256


@dataclass(frozen=True, slots=True)
class Where:
    """So many processes of this machine, or the cluster of a scheduler."""

    n_workers: int = 1
    scheduler: str | None = None

    @property
    def is_here(self) -> bool:
        """Return whether this process does everything itself."""
        return self.scheduler is None and self.n_workers == 1


def add_where_options(group: Any) -> None:
    """Give a parser's group the options that say who carries out replications."""
    group.add_argument("-j", dest="jobs", type=int, metavar="N", help="processes that share replications (default: 1)")
    group.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler, or its file, whose workers share them")


def where_of(given: argparse.Namespace, idle: str = "") -> Where:
    """Return where replications are carried out.

    Raise `InputError` where the options exclude each other, or where nothing is replicated, `idle` saying why.
    """
    if given.jobs is not None and given.scheduler is not None:
        raise InputError("-j shares replications out on this machine and --scheduler on a cluster. Give one of them.")
    if given.jobs is not None and not 1 <= given.jobs <= MOST_WORKERS:
        raise InputError(f"-j is a number of processes from 1 to {MOST_WORKERS}, not {given.jobs}.")
    if given.scheduler is not None and not given.scheduler.strip():
        raise InputError("--scheduler was given as an empty text. Give tcp://HOST:PORT, or leave the option out.")
    where = Where(given.jobs or 1, given.scheduler)
    if idle and not where.is_here:
        raise InputError(f"{'--scheduler' if where.scheduler else '-j'} shares out replications, and {idle}.")
    return where


@contextmanager
def executor_at(where: Where) -> Iterator[Executor]:
    """Give the executor for a place, and let go of it after the block."""
    if where.scheduler is not None:
        from evalkit.run.cluster import dask_executor

        with dask_executor(where.scheduler) as executor:
            yield executor
        return
    from evalkit.core.executor import SERIAL
    from evalkit.run.executors import ProcessPool

    yield SERIAL if where.is_here else ProcessPool(where.n_workers)


def compute_on_one_thread() -> None:
    """Let this process compute as every worker does, so that the last digits agree; too late once numpy is loaded."""
    if "numpy" not in sys.modules:
        for name, value in ONE_THREAD.items():
            os.environ.setdefault(name, value)
