"""What the process to fork from does all day, in one thread: fork, pass signals on, say how processes ended."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from evalkit.run.forked_child import run_forked

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
