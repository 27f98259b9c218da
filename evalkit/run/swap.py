"""Putting one folder in the place of another: in one step where the system can, otherwise with a way back."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Final

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2  # renameat2 on Linux and renamex_np's RENAME_SWAP on macOS share the number
_CANNOT: Final = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV, errno.EPERM}


def exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; return whether the system could."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        names = os.fsencode(one), os.fsencode(other)
        if sys.platform == "darwin":
            code = library.renamex_np(*names, ctypes.c_uint(_RENAME_EXCHANGE))
        else:
            code = library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], ctypes.c_uint(_RENAME_EXCHANGE))
    except (AttributeError, OSError, TypeError):  # another system, or a C library without the call
        return False
    if code == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(other))


def put_in_place(new: Path, target: Path, aside: Path) -> Path | None:
    """Rename `new` to `target`; return where the folder that stood there is now, or None where none did.

    Where the system cannot exchange, the old folder goes to `aside` first; `recover` takes it back
    from there if this process ends between the two renames.
    """
    if not target.exists():
        new.rename(target)
        return None
    if exchange(new, target):
        return new
    try:
        target.rename(aside)
        new.rename(target)
    except BaseException:  # a wish to end the process is one, too
        if aside.exists() and not target.exists():
            aside.rename(target)
        raise
    return aside


def sync_tree(folder: Path) -> None:
    """Ask the system to have every file and folder below `folder` on the disk."""
    for root, _, files in os.walk(folder):
        for name in files:
            _sync(Path(root, name))
        _sync(Path(root))


def sync_folder(folder: Path) -> None:
    """Ask the system to have the names in a folder on the disk."""
    _sync(folder)


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
