"""The whole command line inside the test's own process, as a user types it."""

import contextlib
import io
import signal
from pathlib import Path

from evalkit.run import cli
from tests.did_command import Ran


def typed(*words: str | Path) -> Ran:
    """Run `evalkit` with these words and return its exit code and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = cli.main([str(word) for word in words])
            except SystemExit as stopped:
                code = int(stopped.code or 0)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return Ran(code, out.getvalue(), err.getvalue())
