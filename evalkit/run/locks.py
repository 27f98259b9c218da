"""A lock that the system lets go of, even where its holder is killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from evalkit.core.errors import EvalkitError


@contextmanager
def only_one(path: Path, refusal: str) -> Iterator[None]:
    """Hold the lock file at `path` for the block; raise `EvalkitError(refusal)` where another process holds it."""
    file = _held(path, refusal)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        file.close()


def _held(path: Path, refusal: str) -> IO[bytes]:
    while True:
        file = path.open("a+b")
        if not _try_lock(file):
            file.close()
            raise EvalkitError(refusal)
        if _is_still_at(path, file):
            return file
        file.close()  # its last holder removed it between our opening and our locking


def _is_still_at(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        return False


def _try_lock(file: IO[bytes]) -> bool:
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
        return True
    return True
