"""A process just forked, made to look like one that was started."""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, Final, NoReturn

_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG: Final = 1


def run_forked(request: Mapping[str, Any], server: int) -> NoReturn:
    """Run what was asked for and end the process; call with every signal blocked and the streams in their places."""
    status = 1
    try:
        _die_with(server)
        _join(request["group"])
        _settle(request["env"], request["cwd"])
        _default_signals()
        status = _status_of(request["module"], request["arguments"])
        _wind_up()
    except BaseException:
        traceback.print_exc()
    finally:
        if status < 0:
            signal.signal(-status, signal.SIG_DFL)
            os.kill(os.getpid(), -status)
        os._exit(status & 0xFF)


def _die_with(server: int) -> None:
    """Have the system kill this process when the server ends, however that ends."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != server:
        os._exit(1)


def _join(group: int) -> None:
    """Join a process group; where that is of another session, or has ended, lead one of its own."""
    try:
        os.setpgid(0, group)
    except (PermissionError, ProcessLookupError):
        os.setpgid(0, 0)


def _settle(environment: Mapping[str, str], folder: str) -> None:
    """Take on an environment and a folder, and forget what was derived from the server's."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    time.tzset()
    tempfile.tempdir = None
    sys.stdout.reconfigure(line_buffering=os.isatty(1))  # type: ignore[union-attr]
    _new_random_state()
    _choose_backend(environment.get("MPLBACKEND"))
    gc.enable()


def _new_random_state() -> None:
    """Give numpy's own generator a state of this process's, as a process that was started has."""
    if (random := sys.modules.get("numpy.random")) is not None:
        random.seed()


def _choose_backend(backend: str | None) -> None:
    """Tell matplotlib the backend, which it reads when it is imported."""
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is not None and backend:
        matplotlib.rcParams["backend"] = backend


def _default_signals() -> None:
    """Handle signals as a Python that has just started does, those that came in the meantime too."""
    for number in signal.valid_signals():
        with suppress(OSError, ValueError):  # two of them can be handled by nobody
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _status_of(module: str, arguments: Sequence[str]) -> int:
    """Return the exit status of `python -m module arguments`, a signal as its negative number."""
    try:
        program = import_module(module)
        sys.argv = [program.__file__ or module, *arguments]
        sys.modules["__main__"] = program
        return _number(program.main(list(arguments)))
    except SystemExit as ended:
        return _number(ended.code)
    except BaseException as problem:
        traceback.print_exc()
        return -signal.SIGINT if isinstance(problem, KeyboardInterrupt) else 1


def _number(said: object) -> int:
    """Return an exit status as `sys.exit` understands it."""
    if said is None or isinstance(said, int):
        return int(said or 0)
    print(said, file=sys.stderr)
    return 1


def _wind_up() -> None:
    """Do what Python does before it ends."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
