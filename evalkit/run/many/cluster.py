"""Replications on the workers of a Dask cluster, with the numbers that one process gives."""

from __future__ import annotations

import hashlib
import json
import logging
import pickle
import platform
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final, TypeVar

import evalkit
from evalkit.core.errors import EnvironmentFault, InputError
from evalkit.core.words import counted
from evalkit.run.processes.executors import pickled

C = TypeVar("C")
R = TypeVar("R")
Client = Any
Future = Any
"""Those of `distributed`, which says little of its types."""

REACHED_WITHIN: Final = 10.0
"""Seconds within which a scheduler answers, or is taken not to."""
WORKERS_WITHIN: Final = 60.0
"""Seconds that a scheduler may be without any worker."""
_LOOK_EVERY: Final = 5.0
_TICK: Final = 0.01
_LARGE: Final = "1TB"
"""Data sent with the work, above which Dask would warn; it travels once to each worker whatever its size."""

MISSING: Final = "--scheduler needs the package distributed. Type: pip install 'evalkit[cluster]'"
GONE: Final = (
    "The connection to the Dask scheduler was lost while work was under way. Nothing was written here. See what ended "
    "the scheduler (its log, or the time limit of its job), start it again, and type the same command again."
)

DESERTED: Final = (
    f"The cluster has had no worker for {WORKERS_WITHIN:.0f} seconds. See what ended them (their logs, or the time "
    "limit of their job), start some, and type the same command again."
)


@contextmanager
def connected(address: str, workers_within: float = WORKERS_WITHIN) -> Iterator[Client]:
    """Give a connection to a Dask cluster whose workers run this very kit.

    Parameters
    ----------
    address : str
        `tcp://HOST:PORT`, or the path of the scheduler file that `dask scheduler --scheduler-file` wrote.
    workers_within : float
        Seconds to wait for the first worker.

    Raises
    ------
    InputError
        Where distributed is not installed, no scheduler answers, it has no worker, or a worker differs from this
        process in Python, in a library that computes, or in this kit's code.
    """
    client = _client(_url(address), address)
    try:
        _await_workers(client, address, workers_within)
        _refuse_others(client)
        yield client
    finally:
        client.close()


def _url(address: str) -> str:
    """Return the address of a scheduler, read from its file where one is named."""
    path = Path(address).expanduser()
    if path.is_file():
        try:
            return str(json.loads(path.read_text(encoding="utf-8"))["address"])
        except (OSError, ValueError, KeyError, TypeError):
            raise InputError(
                f"--scheduler {address}: this is no scheduler file, or the scheduler has not finished writing it. Name "
                "the file that was given to dask scheduler --scheduler-file."
            ) from None
    if re.fullmatch(r"(\w+://)?[^\s/]+:\d{1,5}", address):
        return address
    raise InputError(
        f"--scheduler {address}: this is neither an address, such as tcp://HOST:8786, nor a scheduler file that exists."
    )


def _client(url: str, address: str) -> Client:
    try:
        import distributed
    except ModuleNotFoundError:
        raise InputError(MISSING) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is said once, in a sentence
    try:
        make: Any = distributed.Client
        return make(url, timeout=REACHED_WITHIN, set_as_default=False, name="evalkit")
    except (OSError, TimeoutError, ValueError) as problem:
        raise InputError(
            f"No Dask scheduler answers at {address} ({type(problem).__name__}). Give the address that `dask "
            "scheduler` prints, such as tcp://HOST:8786, or the path of its scheduler file, and check that it runs."
        ) from None


def _await_workers(client: Client, address: str, within: float) -> None:
    try:
        client.wait_for_workers(1, timeout=within)
    except TimeoutError:
        raise InputError(
            f"The scheduler at {address} has had no worker for {within:.0f} seconds. Start some: dask worker {address}"
        ) from None


@cache
def facts() -> dict[str, str]:
    """Return what must be the same wherever chunks are done: Python, the libraries that compute, this kit's code."""
    code = hashlib.sha256()
    package = Path(evalkit.__file__).parent
    for path in sorted(package.rglob("*.py")):
        code.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return {
        "Python": platform.python_version(),
        "evalkit": evalkit.__version__,
        **{name: metadata.version(name) for name in ("numpy", "scipy", "pandas")},
        "the code of evalkit": code.hexdigest()[:12],
    }


def differences(here: dict[str, str], there: dict[str, str]) -> list[str]:
    """Return in words what differs between two processes."""
    return [
        f"{name} is {there.get(name, 'missing')} there and {value} here"
        for name, value in here.items()
        if there.get(name) != value
    ]


def require_same(here: dict[str, str], there: dict[str, str], worker: str) -> None:
    """Raise `InputError` where a worker differs, as its numbers could."""
    apart = differences(here, there)
    if apart:
        raise InputError(
            f"The worker {worker} differs from this process: {'; '.join(apart)}. Its numbers could differ as well. "
            "Install the same lock file (requirements.lock) and the same evalkit on every worker, and start it again."
        )


def _refuse_others(client: Client) -> None:
    for worker, reply in client.run(facts, on_error="return").items():
        if isinstance(reply, OSError):  # it died in that moment; one that comes in its place is asked with each chunk
            continue
        if not isinstance(reply, dict):
            raise InputError(
                f"The worker {worker} cannot load evalkit ({type(reply).__name__}: {reply}). Install it there, in the "
                "environment in which `dask worker` is started."
            )
        require_same(facts(), reply, worker)


@dataclass(frozen=True, slots=True)
class DaskExecutor:
    """Shares chunks out among the workers of a cluster; those of a worker that is lost are done again by another."""

    client: Client

    def map(self, function: Callable[[C], R], chunks: Sequence[C]) -> list[R]:
        """Return what the function gives for each chunk, in order, whichever worker did it.

        Raises
        ------
        InputError
            Where the function cannot be sent, or a worker that joined later differs from this process.
        EnvironmentFault
            Where the scheduler is lost, all workers are, or one chunk ends worker after worker. An error in a chunk
            is raised as it is.
        """
        from dask import config

        sent = pickled(function)
        with config.set({"distributed.admin.large-graph-warning-threshold": _LARGE}):
            shared = self.client.submit(pickle.loads, sent, pure=False)
            _spread(self.client, shared)
            futures = [self.client.submit(_apply, shared, chunk, facts(), pure=False) for chunk in chunks]
        try:
            return [awaited(self.client, future) for future in futures]
        except BaseException:
            _let_go(self.client, futures)
            raise


def _spread(client: Client, shared: Future) -> None:
    """Have every worker hold what all chunks share, else most chunks would go to the one worker that has it.

    The work is done all the same where this fails, as it does when a worker dies in that moment: the scheduler then
    picks more workers than are left ("Sample larger than population"). What is truly lost shows in the chunks.
    """
    try:
        client.replicate([shared])
    except Exception:
        logging.getLogger(__name__).debug("what chunks share was not spread", exc_info=True)


def awaited(client: Client, future: Future) -> Any:
    """Return the result of a future; raise `EnvironmentFault` where the cluster can no longer give it."""
    deserted = Deserted()
    while not _is_done(future, _LOOK_EVERY):
        if deserted.for_long(client):
            raise EnvironmentFault(DESERTED)
    return result_of(client, future)


def _is_done(future: Future, within: float) -> bool:
    """Return whether a future ends within some seconds; its state is sent here, and looking at it costs nothing."""
    deadline = time.monotonic() + within
    while not future.done() and time.monotonic() < deadline:
        time.sleep(_TICK)
    return bool(future.done())


def result_of(client: Client, future: Future) -> Any:
    """Return the result of a future that has ended; raise `EnvironmentFault` where it has none, its own error as it is.

    One that has not ended counts as lost.
    """
    from concurrent.futures import CancelledError

    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    try:
        if not future.done():
            raise EnvironmentFault(GONE if client.status != "running" else DESERTED)
        return future.result(timeout=REACHED_WITHIN)
    except KilledWorker as problem:
        raise EnvironmentFault(_killed(problem)) from None
    except (CancelledError, CommClosedError):
        raise EnvironmentFault(GONE) from None


class Deserted:
    """Takes note of how long a cluster has been without workers."""

    def __init__(self) -> None:
        self._since: float | None = None

    def for_long(self, client: Client) -> bool:
        """Look at the cluster, and return whether it has had no worker for long, or is gone."""
        try:
            has_workers = bool(client.nthreads())
        except (OSError, TimeoutError, RuntimeError):
            return bool(client.status != "connecting")
        now = time.monotonic()
        self._since = None if has_workers else now if self._since is None else self._since
        return self._since is not None and now - self._since > WORKERS_WITHIN


def _killed(problem: Any) -> str:
    times = getattr(problem, "allowed_failures", 0) + 1
    return (
        f"A part of the work ended {counted(times, 'worker')} one after the other, most likely because memory ran out. "
        "Give the workers more memory, or start fewer of them on a machine, and type the same command again."
    )


def _let_go(client: Client, futures: list[Future]) -> None:
    """Have what is still to be done dropped, where the scheduler can still be told."""
    try:
        client.cancel(futures)
    except Exception:
        logging.getLogger(__name__).debug("the scheduler is gone", exc_info=True)


def _apply(function: Callable[[C], R], chunk: C, wanted: dict[str, str]) -> R:
    """Do one chunk on a worker, if the worker is the same as the process that asked."""
    from distributed import get_worker

    require_same(wanted, facts(), get_worker().address)
    return function(chunk)


@contextmanager
def dask_executor(address: str) -> Iterator[DaskExecutor]:
    """Give the executor of a cluster for the block; see `connected` for the address and what is refused."""
    with connected(address) as client:
        yield DaskExecutor(client)
