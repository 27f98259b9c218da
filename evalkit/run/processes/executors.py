"""Where replications are carried out: in this process, in several of this machine, or on a cluster."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver, parent_process, process
from typing import TYPE_CHECKING, Any, Final, TypeVar

from evalkit.core.errors import EnvironmentFault, InputError
from evalkit.run.commands.options import MOST_WORKERS, refuse_where
from evalkit.run.processes.light import ONE_THREAD

if TYPE_CHECKING:
    from evalkit.core.draws import Executor
    from evalkit.run.commands.options import Given


# Where replications are carried out: in this process, in several of this machine, or on a cluster.


@dataclass(frozen=True, slots=True)
class ExecutorChoice:
    """So many processes of this machine, or the cluster of a scheduler."""

    n_workers: int = 1
    scheduler: str | None = None

    @property
    def is_here(self) -> bool:
        """Return whether this process does everything itself."""
        return self.scheduler is None and self.n_workers == 1


def executor_choice(given: Given, idle: str = "") -> ExecutorChoice:
    """Return where replications are carried out.

    Raise `InputError` where the options exclude each other, or where nothing is replicated, `idle` saying why.
    """
    refuse_where(given, idle)
    return ExecutorChoice(given.jobs or 1, given.scheduler)


@contextmanager
def executor_at(where: ExecutorChoice) -> Iterator[Executor]:
    """Give the executor for a place, and let go of it after the block."""
    if where.scheduler is not None:
        from evalkit.run.many.cluster import dask_executor

        with dask_executor(where.scheduler) as executor:
            yield executor
        return
    if where.is_here:
        from evalkit.core.draws import SERIAL

        yield SERIAL
        return

    yield ProcessPool(where.n_workers)


def compute_on_one_thread() -> None:
    """Let this process compute as every worker does, so that the last digits agree; too late once numpy is loaded."""
    if "numpy" not in sys.modules:
        for name, value in ONE_THREAD.items():
            os.environ.setdefault(name, value)


# Replications on several processes of this machine.

C = TypeVar("C")
R = TypeVar("R")

_ESTIMATORS: Final = ("evalkit.estimate.cluster_bootstrap", "evalkit.estimate.matched.matched_effect")
"""Imported once, by the process that workers are forked from."""
LOST: Final = (
    "A worker process was ended from outside, by hand or because memory ran out. Nothing was estimated. Close other "
    "programs or give fewer workers (-j), and type the same command again."
)


@dataclass(frozen=True, slots=True)
class ProcessPool:
    """Shares chunks out among so many processes of this machine, started for each call and ended after it."""

    n_workers: int

    def __post_init__(self) -> None:
        if not 1 <= self.n_workers <= MOST_WORKERS:
            raise InputError(f"The number of workers is a whole number from 1 to {MOST_WORKERS}, not {self.n_workers}.")

    def map(self, function: Callable[[C], R], chunks: Sequence[C]) -> list[R]:
        """Return what the function gives for each chunk, in order, whichever process did it.

        Raises
        ------
        InputError
            Where the function cannot be sent to another process.
        EnvironmentFault
            Where a process was killed. An error in a chunk is raised as it is.
        """
        if not chunks:
            return []
        sent, before = pickled(function), set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(
            min(self.n_workers, len(chunks)), mp_context=_context(), initializer=_begin, initargs=(sent,)
        )
        try:
            return _results([pool.submit(_apply, chunk) for chunk in chunks])
        except BrokenProcessPool:
            raise EnvironmentFault(LOST) from None
        except BaseException:
            _end(set(multiprocessing.active_children()) - before)
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def pickled(function: Callable[..., Any]) -> bytes:
    """Return a function as bytes; raise `InputError` for one that no other process could know."""
    try:
        return pickle.dumps(function, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as problem:
        raise InputError(
            f"What is to be estimated cannot be sent to other processes ({problem}). Define the estimator in a module "
            "rather than as a lambda or inside a function; functools.partial gives it options."
        ) from None


def _results(futures: list[Future[R]]) -> list[R]:
    """Return the results in order; an error of an earlier chunk comes before that of a later one."""
    return [future.result() for future in futures]


def _end(processes: set[process.BaseProcess]) -> None:
    """End the workers of a call that was interrupted or failed, whatever they are at."""
    for each in processes:
        each.terminate()


def _context() -> Any:
    """Return how processes are started: forked from a server that has imported everything, else anew."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_ESTIMATORS))
    with one_thread():
        forkserver.ensure_running()
    return context


@contextmanager
def one_thread() -> Iterator[None]:
    """Let processes that are started inside the block do linear algebra on one thread."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_function: Callable[[Any], Any] | None = None
"""In a worker: what all its chunks share."""


def _begin(function: bytes) -> None:
    """Make a process a worker: it holds the function, leaves Ctrl-C to its parent, and does not outlive it."""
    global _function
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _function = pickle.loads(function)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _apply(chunk: Any) -> Any:
    assert _function is not None
    return _function(chunk)
