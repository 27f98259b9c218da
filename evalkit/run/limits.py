"""The processes of one worker: what they hold in memory together, and their end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

import psutil

_MB = 2.0**20


class Family:
    """A worker, its process group, and whatever either has started, from the first look on.

    A process is told from another that later gets its number by the time it started.
    """

    def __init__(self, pid: int) -> None:
        self._group, self._root, self._since = pid, None, float("inf")
        with suppress(psutil.Error):
            self._root = psutil.Process(pid)
            self._since = self._root.create_time()
        self._seen = {self._root} if self._root else set()

    def look(self) -> list[psutil.Process]:
        """Return the processes that are alive, in order of their numbers."""
        self._seen.update(self._of_group())
        with suppress(psutil.Error):
            self._seen.update(self._root.children(recursive=True) if self._root else ())
        self._seen = {process for process in self._seen if _is_alive(process)}
        return sorted(self._seen, key=lambda process: process.pid)

    def memory_mb(self) -> float:
        """Return the megabytes they hold, each page that several share counted once where the system tells."""
        return sum(_memory(process) for process in self.look()) / _MB

    def end(self) -> None:
        """Kill them all, those too that are started in the meantime."""
        while alive := self.look():
            for process in alive:
                with suppress(psutil.Error):
                    process.kill()
            psutil.wait_procs(alive, timeout=1)

    def _of_group(self) -> Iterator[psutil.Process]:
        if not hasattr(os, "getpgid"):
            return
        for pid in psutil.pids():
            with suppress(OSError, psutil.Error):
                if os.getpgid(pid) == self._group and (found := psutil.Process(pid)).create_time() >= self._since:
                    yield found


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _memory(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        full = process.memory_full_info()
        return float(getattr(full, "pss", 0) or full.uss)
    with suppress(psutil.Error):  # one we may not look into
        return float(process.memory_info().rss)
    return 0.0
