"""Private folders in the temporary place: each is removed by its owner, or by a later run where that was killed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from evalkit.data.locks import try_lock

WORKER: Final = "e-"
"""What the folder of a worker begins with: a short name, as sockets are made below it."""
READ: Final = "evalkit-read-"
FORK: Final = "evalkit-fork-"
REVIEW: Final = "evalkit-review-"
_OURS: Final = re.compile(rf"(?:{WORKER}|{READ}|{FORK}|{REVIEW})[a-z0-9_]{{8}}")
OWNER: Final = ".evalkit-owner"
"""A file in each such folder, locked as long as the process lives that made it: the system lets go of it, however that
ends. The number of a process would not do, as another machine or container that shares the place has its own."""


class PrivateFolder:
    """A new folder of this process alone, until `remove` is called."""

    def __init__(self, prefix: str, parent: str | None = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        self._owner = _mark(self.path)

    def remove(self) -> None:
        """Remove the folder with all that is in it; what cannot be removed is left."""
        self._owner.close()  # an open file cannot be removed on Windows
        shutil.rmtree(self.path, ignore_errors=True)


@contextmanager
def private_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """Give a folder of this process alone for the block, and remove it, however the block ends."""
    folder = PrivateFolder(prefix, None if parent is None else str(parent))
    try:
        yield folder.path
    finally:
        folder.remove()


@contextmanager
def folder_to_be(target: Path) -> Iterator[Path]:
    """Give a folder to fill that becomes `target` when the block ends well; of one that does not nothing is left.

    Where another process has made `target` meanwhile, that one stands. What a killed process left beside it is removed.
    """
    prefix = f".{target.name}-"
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(str(target.parent), re.compile(rf"{re.escape(prefix)}[a-z0-9_]{{8}}"))
    with private_folder(prefix, target.parent) as private:
        made = private / target.name
        made.mkdir()
        yield made
        try:
            made.rename(target)
        except OSError:
            if not target.is_dir():
                raise


def sweep() -> None:
    """Remove the folders of processes of this user that were killed; those of living ones, and any others, stay."""
    for folder in left_behind():
        shutil.rmtree(folder, ignore_errors=True)


def left_behind() -> list[Path]:
    """Return the folders in the temporary place of processes of this user that were killed."""
    places = sorted({tempfile.gettempdir(), "/tmp"})
    return [folder for place in places for folder in _left_in(place, _OURS)]


def _sweep(place: str, names: re.Pattern[str]) -> None:
    for folder in _left_in(place, names):
        shutil.rmtree(folder, ignore_errors=True)


def _left_in(place: str, names: re.Pattern[str]) -> list[Path]:
    with suppress(OSError):
        entries = [entry for entry in os.scandir(place) if names.fullmatch(entry.name)]
        return [Path(entry) for entry in entries if entry.is_dir(follow_symlinks=False) and _is_left(Path(entry))]
    return []


def _mark(folder: Path) -> IO[bytes]:
    """Mark a folder as this process's; the mark is locked before it bears its name, lest it be taken for left."""
    part = folder / f"{OWNER}.part"
    file = part.open("w+b")
    if try_lock(file, where_none=False):
        with suppress(OSError):  # of Windows, for an open file: without the mark the folder is never swept
            part.rename(folder / OWNER)
    return file


def _is_left(folder: Path) -> bool:
    """Return whether the process that made a folder has ended without removing it."""
    try:
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            return False
        with (folder / OWNER).open("r+b") as file:
            return try_lock(file, where_none=False)
    except OSError:
        return False
