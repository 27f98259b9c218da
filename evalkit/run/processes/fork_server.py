"""A process that has imported everything once, and the processes forked from it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from evalkit.core.errors import EnvironmentFault
from evalkit.run.processes.light import ONE_THREAD
from evalkit.run.processes.temporary import FORK, PrivateFolder
from evalkit.run.project.workspace import SOURCE_ROOT

ADDRESS: Final = "EVALKIT_FORK_SERVER"
"""Names the variable that holds the address of the server, for a command that starts workers."""
PLAIN: Final = "EVALKIT_PLAIN_PROCESSES"
"""Names the variable that, set to 1, has every process started afresh."""
EVERYTHING: Final = (
    "evalkit.core.*",
    "evalkit.data.*",
    "evalkit.design.*",
    "evalkit.estimate.*",
    "evalkit.diagnose.*",
    "evalkit.report.*",
    "evalkit.run.notebooks.engine",
    "evalkit.run.notebooks.execute",
    "evalkit.run.outputs.manifest",
    "evalkit.run.project.runner",
    "evalkit.run.notebooks.tidy",
    "evalkit.run.processes.worker",
    "PIL.BmpImagePlugin",
    "PIL.GifImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.PpmImagePlugin",
    "docx",
    "ipykernel.compiler",
    "linearmodels",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.pyplot",
    "nbformat",
    "papermill",
    "pyarrow.pandas_compat",
    "pyarrow.parquet",
    "pydantic.dataclasses",
    "pydantic.types",
    "scipy.stats",
    "seaborn",
    "statsmodels.api",
    "typst",
)
"""What workers and their notebooks may need."""
_NOT_OF_A_RUN: Final = ("linearmodels", "statsmodels.api")
ONE_PROJECT: Final = (
    "evalkit.data.published.project_data",
    "evalkit.design.project.plan",
    "evalkit.diagnose.project.describe",
    "evalkit.diagnose.project.evaluate",
    "evalkit.report.documents.released",
    "evalkit.run.notebooks.session",
    *(name for name in EVERYTHING if not name.endswith(".*") and name not in _NOT_OF_A_RUN),
)
"""What one project needs for certain; for one it does not pay to import what it may not use."""
START_SECONDS: Final = 120
_LONGEST_PATH: Final = 107  # bytes that the address of a Unix socket may have, on Linux
_ENDING_SECONDS: Final = 10


class NoForkServer(EnvironmentFault):
    """Processes cannot be forked here; start them afresh, which gives the same results more slowly."""


def why_not() -> str | None:
    """Return why processes are started afresh here, or None where they can be forked."""
    if os.environ.get(PLAIN) == "1":
        return f"Processes are started afresh, as {PLAIN} is 1."
    if sys.platform != "linux":
        return "Processes are started afresh, as this system does not copy a running one safely."
    return None


def address_here() -> str | None:
    """Return the address of the server that this process shall fork from, or None where it shall not."""
    return None if why_not() else os.environ.get(ADDRESS) or None


class ForkServer:
    """A server to fork processes from, alive for a `with` block; all that came from it ends with it.

    It imports `modules` before it serves (`package.*`: all in a package). It ends, and with it every process forked
    from it, when `stop` is called or when the process that started it ends, however that ends.
    """

    def __init__(self, modules: Sequence[str] = EVERYTHING) -> None:
        self._modules = tuple(modules)
        self._folder: PrivateFolder | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """Where the server listens."""
        if self._folder is None:
            raise NoForkServer("The fork server has not been started.")
        return str(_socket(self._folder.path))

    @property
    def pid(self) -> int:
        """The number of the server's process."""
        if self._process is None:
            raise NoForkServer("The fork server has not been started.")
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it has imported everything: a few seconds.

        Raises
        ------
        NoForkServer
            Where the system cannot fork safely, `EVALKIT_PLAIN_PROCESSES` is 1, or the server did not start.
        """
        if (reason := why_not()) is not None:
            raise NoForkServer(reason)
        try:
            self._folder = _private_folder()
            self._process = _launched(self._folder.path, self._modules)
            _wait_until_ready(self._process)
        except OSError as problem:
            self.stop()
            raise NoForkServer(f"The process to fork from could not be started: {problem.strerror}.") from None
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server and everything forked from it; nothing happens where it has ended already."""
        process, folder = self._process, self._folder
        self._process = self._folder = None
        if process is not None:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()  # the end of its standard input tells the server to end
            try:
                process.wait(_ENDING_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if folder is not None:
            folder.remove()


def _socket(folder: Path) -> Path:
    return folder / "socket"


def _private_folder() -> PrivateFolder:
    """Return a new folder of ours alone, whose path is short enough for a socket in it."""
    for parent in (None, "/tmp"):
        folder = PrivateFolder(FORK, parent)
        if len(os.fsencode(_socket(folder.path))) <= _LONGEST_PATH:
            return folder
        folder.remove()
    raise NoForkServer("The path of the folder for temporary files is too long to fork processes.")


def _launched(folder: Path, modules: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own, so that Ctrl-C in a terminal reaches only the process that leads."""
    environment = {
        **os.environ,
        **ONE_THREAD,
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONPATH": os.pathsep.join([str(SOURCE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "JE_ARROW_MALLOC_CONF": "background_thread:false",  # otherwise importing pyarrow starts a thread
    }
    environment.pop("MPLBACKEND", None)
    environment.pop(ADDRESS, None)
    with (folder / "errors.txt").open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "evalkit.run.processes.forked", str(_socket(folder)), *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )


def _wait_until_ready(process: subprocess.Popen[bytes]) -> None:
    said = _first_line(process.stdout)
    if said.get("ready") is not True:
        reason = str(said.get("refused", "it ended before it was ready"))
        raise NoForkServer(f"The process to fork from could not be used: {reason}.")


def _first_line(stream: IO[bytes] | None) -> dict[str, Any]:
    """Return what the server says first; nothing where it says nothing in time."""
    assert stream is not None
    ready, _, _ = select.select([stream], [], [], START_SECONDS)
    try:
        said = json.loads(stream.readline() if ready else b"{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
