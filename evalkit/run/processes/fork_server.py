"""A process that has imported everything once, and the processes forked from it."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, TypedDict, Unpack

from evalkit.core.errors import EnvironmentFault
from evalkit.run.processes.light import ONE_THREAD
from evalkit.run.processes.temporary import FORK, PrivateFolder
from evalkit.run.project.workspace import SOURCE_ROOT

# One process forked from the server, as the process that asked for it sees it.

Stream = int | IO[Any] | None
_NAMES: Final = ("stdin", "stdout", "stderr")


class Streams(TypedDict, total=False):
    """The standard streams of a process, each as `subprocess.Popen` takes it."""

    stdin: Stream
    stdout: Stream
    stderr: Stream


@dataclass(frozen=True, slots=True, kw_only=False)
class Launch:
    """What a forked process runs and with what: it leads a process group of its own."""

    module: str
    arguments: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str


def fork(address: str, launch: Launch, **streams: Unpack[Streams]) -> ForkedProcess:
    """Return a new process forked from the server at `address`.

    Raises
    ------
    OSError
        Where the server is gone, its folder may not be used, or the system has no room for one more process.
    """
    if not os.path.isdir(launch.cwd):
        raise FileNotFoundError(2, "No such folder", launch.cwd)
    connection = socket.socket(socket.AF_UNIX)
    with ExitStack() as on_failure, _Ends.of(streams) as ends:
        on_failure.callback(connection.close)
        connection.connect(address)
        request = json.dumps({**asdict(launch), "env": dict(launch.env)}).encode() + b"\n"
        sent = socket.send_fds(connection, [request], list(ends.theirs))
        connection.sendall(request[sent:])
        process = ForkedProcess(connection, ends.take())
        on_failure.pop_all()
    return process


class ForkedProcess:
    """A forked process with the manners of `subprocess.Popen`.

    Signals go through the server, whose child it is, so that none reaches another process that has got its number.
    """

    def __init__(self, connection: socket.socket, pipes: Mapping[str, IO[bytes]]) -> None:
        self._connection = connection
        self._reading = threading.Lock()
        self._unread = b""
        self.stdin, self.stdout, self.stderr = (pipes.get(name) for name in _NAMES)
        self.returncode: int | None = None
        self.pid = self._born()

    def __repr__(self) -> str:
        return f"<ForkedProcess {self.pid}: {'running' if self.returncode is None else self.returncode}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def poll(self) -> int | None:
        """Return how the process ended, a signal as its negative number; None while it runs."""
        with self._reading:
            while self.returncode is None and self._has_news(0):
                self._read_on()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return how the process ended, when it has; raise `subprocess.TimeoutExpired` after `timeout` seconds."""
        while self.poll() is None:
            if not self._has_news(timeout):
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to the process; nothing happens where it has ended."""
        if self.poll() is None:
            try:
                self._connection.sendall(json.dumps({"signal": int(number)}).encode() + b"\n")
            except OSError:
                self.poll()  # the server is gone, and the process with it

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process, and its group where it leads one."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Kill the process where it still runs, and let go of its streams."""
        if self.poll() is None:
            self.kill()
            self.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()

    def _born(self) -> int:
        while True:
            line, found, rest = self._unread.partition(b"\n")
            if found:
                self._unread = rest
                said = json.loads(line)
                if "error" in said:
                    raise OSError(said["error"], os.strerror(said["error"]))
                return int(said["pid"])
            if not (more := self._connection.recv(4096)):
                raise ConnectionError("the fork server ended")
            self._unread += more

    def _has_news(self, timeout: float | None) -> bool:
        if self.returncode is not None:
            return True
        waiting = select.poll()
        waiting.register(self._connection, select.POLLIN)
        return bool(waiting.poll(None if timeout is None else max(timeout, 0) * 1000))

    def _read_on(self) -> None:
        try:
            more = self._connection.recv(4096)
        except OSError:
            more = b""
        self._unread += more
        line, found, _ = self._unread.partition(b"\n")
        if found:
            self._ended(int(json.loads(line)["status"]))
        elif not more:
            self._ended(-signal.SIGKILL)  # nothing forked from a server outlives it

    def _ended(self, status: int) -> None:
        self.returncode = status
        self._connection.close()


class _Ends:
    """Both ends of a process's streams: theirs to send, ours to keep."""

    def __init__(self) -> None:
        self.theirs: list[int] = []
        self._ours: dict[str, IO[bytes]] = {}
        self._opened: list[int] = []

    @classmethod
    def of(cls, streams: Streams) -> Self:
        """Return the ends of the streams asked for."""
        ends = cls()
        try:
            for number, stream in enumerate((streams.get("stdin"), streams.get("stdout"), streams.get("stderr"))):
                ends.theirs.append(ends._end(number, stream))
        except BaseException:
            ends.__exit__()
            raise
        return ends

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close what was opened for the other process, and what was not taken."""
        for number in self._opened:
            os.close(number)
        for stream in self._ours.values():
            stream.close()

    def take(self) -> dict[str, IO[bytes]]:
        """Return our ends, which are the caller's to close from now on."""
        taken, self._ours = self._ours, {}
        return taken

    def _end(self, number: int, stream: Stream) -> int:
        if stream is None:
            return number
        if stream == subprocess.DEVNULL:
            return self._kept(os.open(os.devnull, os.O_RDWR))
        if stream == subprocess.STDOUT:
            return self.theirs[1]
        if stream == subprocess.PIPE:
            reading, writing = os.pipe()
            theirs, ours = (reading, writing) if number == 0 else (writing, reading)
            self._ours[_NAMES[number]] = os.fdopen(ours, "wb" if number == 0 else "rb")
            return self._kept(theirs)
        return stream if isinstance(stream, int) else stream.fileno()

    def _kept(self, number: int) -> int:
        self._opened.append(number)
        return number


# A process that has imported everything once, and the processes forked from it.

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
