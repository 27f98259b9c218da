"""The process that others are forked from: `python -m evalkit.run.processes.forked SOCKET MODULE...`.

It imports the modules (`package.*`: all in a package) once, says `{"ready": true}` on its standard output, and then
forks one process for each connection to its socket. A client sends one line of JSON (`fork_server.Launch`) with
three file descriptors, and is sent `{"pid": …}`, and `{"status": …}` when that process has ended; it may send
`{"signal": …}` in between. The process is killed when its connection closes. The server ends when its standard input
does, and with it everything it forked.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import json
import os
import pkgutil
import selectors
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

from evalkit.core.words import counted
from evalkit.run.processes.light import import_jsonschema

# A process just forked, made to look like one that was started.

_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG: Final = 1


def run_forked(request: Mapping[str, Any], server: int) -> NoReturn:
    """Run what was asked for and end the process; call with every signal blocked and the streams in their places."""
    status = 1
    try:
        _die_with(server)
        os.setpgid(0, 0)
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


# What the process to fork from does all day, in one thread: fork, pass signals on, say how processes ended.

_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
_MOST: Final = 1 << 16
_STREAMS: Final = 3


@dataclass(eq=False)
class Client:
    """A connection, the process forked for it (0: none yet), and what was received and not yet used."""

    connection: socket.socket
    received: bytes = b""
    descriptors: list[int] = field(default_factory=list)
    pid: int = 0

    def say(self, message: dict[str, int]) -> None:
        """Send one line; a client that does not listen is noticed when its connection closes."""
        with suppress(OSError):
            self.connection.sendall(json.dumps(message).encode() + b"\n")

    def close(self) -> None:
        """Close the connection and what came with it."""
        self.connection.close()
        self.close_descriptors()

    def close_descriptors(self) -> None:
        """Close the streams that the client sent."""
        while self.descriptors:
            os.close(self.descriptors.pop())


class ForkLoop:
    """Forks a process for each connection to `listener`, until standard input ends or the system asks to end."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._clients: set[Client] = set()
        self._children: dict[int, Client] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        self._is_ending = False
        self._server = os.getpid()

    def run(self) -> None:
        """Serve; on the way out kill and collect every process forked."""
        self._listen(self._listener, self._accept)
        self._listen(0, self._parent_ended)
        self._listen(self._woken, self._signalled)
        self._waker.setblocking(False)
        for number in (signal.SIGCHLD, *_ENDING):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        while not self._is_ending:
            for key, _ in self._selector.select():
                key.data()
        for pid in self._children:
            _kill(pid)
        for pid in self._children:
            os.waitpid(pid, 0)

    def _listen(self, source: socket.socket | int, answer: Callable[[], None]) -> None:
        if not isinstance(source, int):
            source.setblocking(False)
        self._selector.register(source, selectors.EVENT_READ, answer)

    def _parent_ended(self) -> None:
        if not os.read(0, _MOST):
            self._is_ending = True

    def _signalled(self) -> None:
        if set(self._woken.recv(_MOST)) & {int(number) for number in _ENDING}:
            self._is_ending = True
        self._collect()

    def _collect(self) -> None:
        """Say of each process that ended how it did, and end what is left of the group it led."""
        while self._children:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return
            _kill(ended.si_pid)  # before it is collected, as its number may be another's afterwards
            _, status = os.waitpid(ended.si_pid, 0)
            client = self._children.pop(ended.si_pid)
            client.say({"status": os.waitstatus_to_exitcode(status)})
            self._let_go(client)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        client = Client(connection)
        if _user(connection) != os.getuid():
            client.close()
            return
        self._clients.add(client)
        self._listen(connection, lambda: self._receive(client))

    def _receive(self, client: Client) -> None:
        if client not in self._clients:
            return
        try:
            data, descriptors, _, _ = socket.recv_fds(client.connection, _MOST, _STREAMS, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        client.descriptors += descriptors
        client.received += data
        if data:
            self._asked(client)
        else:
            self._gone(client)

    def _gone(self, client: Client) -> None:
        """End the process of a client that left."""
        if client.pid:
            _kill(client.pid)
        self._let_go(client)

    def _let_go(self, client: Client) -> None:
        if client in self._clients:
            self._clients.remove(client)
            self._selector.unregister(client.connection)
            client.close()

    def _asked(self, client: Client) -> None:
        *lines, client.received = client.received.split(b"\n")
        for request in map(json.loads, lines):
            if client.pid in self._children:
                with suppress(OSError):  # no such signal
                    os.kill(client.pid, request["signal"])  # a child not collected yet: the number is still its own
            elif client.pid == 0 and len(client.descriptors) == _STREAMS:
                self._fork(client, request)

    def _fork(self, client: Client, request: dict[str, Any]) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            client.pid = os.fork()
            if client.pid == 0:
                self._become(client, request)
        except OSError as problem:
            client.say({"error": problem.errno or 0})
            self._let_go(client)
            return
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._children[client.pid] = client
        client.close_descriptors()
        client.say({"pid": client.pid})

    def _become(self, client: Client, request: dict[str, Any]) -> NoReturn:
        """Turn this copy of the server into the process asked for, with nothing of the server's left in it."""
        signal.set_wakeup_fd(-1)
        for number, stream in enumerate(client.descriptors):
            os.dup2(stream, number)
        for other in self._clients:
            other.close()
        for source in (self._listener, self._woken, self._waker, self._selector):
            source.close()
        run_forked(request, self._server)


def _kill(pid: int) -> None:
    """Kill a process that is not collected yet, and its group where it leads one."""
    with suppress(ProcessLookupError, PermissionError):
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)


def _user(connection: socket.socket) -> int:
    """Return who stands at the other end."""
    credentials = struct.Struct("3i")  # pid, user, group
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
    return int(credentials.unpack(packed)[1])


# The process that others are forked from: `python -m evalkit.run.processes.forked SOCKET MODULE...`.


def main(arguments: list[str] | None = None) -> int:
    """Import the modules named, and serve forks at the socket named until standard input ends."""
    address, *modules = sys.argv[1:] if arguments is None else arguments
    gc.disable()
    import_jsonschema()
    for name in modules:
        _import(name)
    reason = why_unsafe()
    if reason is not None:
        _say({"refused": reason})
        return 1
    gc.collect()
    gc.freeze()  # what is imported is looked at no more, so that its pages stay shared
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    try:
        _say({"ready": True})
        ForkLoop(listener).run()
    finally:
        shutil.rmtree(Path(address).parent, ignore_errors=True)
    return 0


def why_unsafe() -> str | None:
    """Return why this process may not be forked: a thread would be missing from the copy, with what it holds."""
    threads = max(threading.active_count(), len(os.listdir("/proc/self/task")))
    return None if threads == 1 else f"importing the libraries started {counted(threads - 1, 'thread')}"


def _import(name: str) -> None:
    """Import a module, or all of a package; what cannot be imported is left to the process that needs it."""
    package = name.removesuffix(".*")
    try:
        found = import_module(package)
    except Exception as problem:
        print(f"{package} could not be imported ({type(problem).__name__})", file=sys.stderr)
        return
    if package != name:
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            _import(module.name)


def _say(message: dict[str, object]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(main())
