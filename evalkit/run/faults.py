"""What the machine, not the project, does to a run, in sentences."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from evalkit.core.errors import EnvironmentFault

_SENTENCES: Final = {
    errno.ENOSPC: "The disk is full. Make room, or give another folder with --out, and type the same command again.",
    errno.EDQUOT: "Your quota of disk space is used up. Make room and type the same command again.",
    errno.EFBIG: "A file would be larger than this system allows. Give another folder with --out.",
    errno.EROFS: "The folder can only be read. Give a folder that can be written with --out.",
    errno.EACCES: "Permission was denied. Check who owns the file or folder, or give another one.",
    errno.EPERM: "Permission was denied. Check who owns the file or folder, or give another one.",
    errno.ENOENT: "A file or folder vanished or cannot be made there. Check the path, or give another one.",
    errno.ENOTDIR: "A part of the path is not a folder. Check the path, or give another one.",
    errno.ENAMETOOLONG: "The path is too long for this system. Give a shorter one.",
    errno.ELOOP: "The path goes round in a circle of links. Give another one.",
    errno.EIO: "The disk reported an error. Check the disk, then type the same command again.",
    errno.ENOMEM: "There is not enough memory. Close other programs and type the same command again.",
    errno.EMFILE: "Too many files are open. Close other programs and type the same command again.",
    errno.ENFILE: "Too many files are open. Close other programs and type the same command again.",
}
OUT_OF_MEMORY: Final = (
    "There is not enough memory. Close other programs, or use a machine with more, and type the same command again."
)


def fault(problem: OSError, doing: str) -> EnvironmentFault | None:
    """Return the sentence for an error of the system, or None where it may be a fault of this kit."""
    sentence = _SENTENCES.get(problem.errno or 0)
    if sentence is None:
        return None
    where = f" ({problem.filename})" if problem.filename else ""
    return EnvironmentFault(f"Stopped while {doing}{where}. {sentence}")


@contextmanager
def environment_faults(doing: str) -> Iterator[None]:
    """Turn a full disk, missing memory or permissions inside the block into `EnvironmentFault`."""
    try:
        yield
    except MemoryError:
        raise EnvironmentFault(f"Stopped while {doing}. {OUT_OF_MEMORY}") from None
    except OSError as problem:
        found = fault(problem, doing)
        if found is None:
            raise
        raise found from problem
