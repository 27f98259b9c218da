"""One process forked from the server, as the process that asked for it sees it."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import IO, Any, Final, Self, TypedDict, Unpack

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
