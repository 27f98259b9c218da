"""Files that several processes may touch: there whole or not at all, and locks the system lets go of."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from evalkit.core.errors import EvalkitError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there, so that no half of it is ever seen."""
    part = part_of(path)
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def part_of(path: Path) -> Path:
    """Return where a file is while it is written: beside its place, under a longer name."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


# A lock that the system lets go of, even where its holder is killed.

LOOK_SECONDS: Final = 0.25


class Busy(EvalkitError):
    """Another process holds what is asked for; it may be had when that has ended."""

    exit_code = 4


@contextmanager
def only_one(path: Path, refusal: str) -> Iterator[None]:
    """Hold the lock file at `path` for the block; raise `Busy(refusal)` where another process holds it.

    The file names the process that holds it and the time since when, for `holder_of`.
    """
    file = _held(path, refusal)
    with suppress(OSError):
        file.truncate(0)
        file.write(f"process {os.getpid()} since {datetime.now():%Y-%m-%d %H:%M:%S}\n".encode())
        file.flush()
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        file.close()


def holder_of(path: Path) -> str:
    """Return which process says that it holds the lock file at `path` and since when, as far as can be read."""
    try:
        return path.read_text(encoding="utf-8").strip() or "another process"
    except (OSError, UnicodeError):
        return "another process"


def await_free(path: Path, within: float, stop: threading.Event | None = None) -> bool:
    """Return whether the lock file at `path` is free, or is let go of within some seconds; once stopped it is not."""
    deadline, stopped = time.monotonic() + within, stop or threading.Event()
    while is_held(path):
        if time.monotonic() > deadline or stopped.wait(LOOK_SECONDS):
            return False
    return True


def is_held(path: Path) -> bool:
    """Return whether a process holds the lock file at `path`; where the system has no locks, none does."""
    try:
        with path.open("r+b") as file:
            return not try_lock(file)
    except OSError:
        return False


def _held(path: Path, refusal: str) -> IO[bytes]:
    while True:
        file = path.open("a+b")
        if not try_lock(file):
            file.close()
            raise Busy(refusal)
        if _is_still_at(path, file):
            return file
        file.close()  # its last holder removed it between our opening and our locking


def _is_still_at(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        return False


def try_lock(file: IO[bytes], *, where_none: bool = True) -> bool:
    """Lock an open file and return whether that succeeded; `where_none` where the file system has no locks."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks: two runs at once are then the user's to avoid
        return where_none
    return True
