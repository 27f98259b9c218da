"""The outputs folder: made beside its place, checked, and put there whole or not at all, with a way back."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evalkit.core.errors import EvalkitError, InputError
from evalkit.data.locks import only_one
from evalkit.run.processes.failure import environment_faults
from evalkit.run.project.workspace import is_slug

# Putting one folder in the place of another: in one step where the system can, otherwise with a way back.

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


# The outputs folder: made beside its place, checked, and put there whole or not at all.

MANIFEST: Final = "manifest.json"
MANIFEST_KIND: Final = "evalkit outputs"
PORTFOLIO: Final = "_portfolio"
"""Where the site over all projects goes; no project can have this name."""
_MARK: Final = ".evalkit-staging"
PRIVATE: Final = ".private"
"""A folder of the staging area for what one run's notebooks share; removed before release."""


@dataclass(frozen=True, slots=True)
class Staging:
    """A folder that is being filled, and the place it will take."""

    folder: Path
    target: Path

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files by their path inside the outputs folder."""
        for name, content in files.items():
            path = self.folder / name
            if ".." in Path(name).parts or not path.resolve().is_relative_to(self.folder.resolve()):
                raise EvalkitError(f"'{name}' would be written outside the outputs folder; please report this.")
            with environment_faults(f"writing {name}"):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    def release(self) -> Path:
        """Put the folder in its place, whole; return the place. What stood there before is removed last."""
        with environment_faults(f"putting {self.target.name} in place"):
            _remove_private(self.folder)
            sync_tree(self.folder)
            refuse_foreign(self.target)
            old = put_in_place(self.folder, self.target, _aside(self.target, self.folder))
            sync_folder(self.target.parent)
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)
        return self.target


@contextmanager
def staging(parent: Path, slug: str) -> Iterator[Staging]:
    """Give a staging folder beside `parent`/`slug` for the block, and remove it where it was not released.

    Raises
    ------
    InputError
        If what stands at the target was not made by this kit.
    Busy
        If another run is writing the same project there.
    EnvironmentFault
        If the disk is full or the folder may not be written.
    """
    if not is_slug(slug) and slug != PORTFOLIO:
        raise InputError(f"'{slug}' cannot name an outputs folder.")
    with ExitStack() as held:
        with environment_faults(f"making the folder {parent}"):
            _make_parent(parent)
            target = parent.resolve() / slug
            refuse_foreign(target)
            busy = f"Another run of {slug} is writing to {parent}. Wait until it has ended, or give another --out."
            held.enter_context(only_one(lock_of(parent, slug), busy))
            clean_up(target)
            made = _new(target)
        held.callback(shutil.rmtree, made.folder, ignore_errors=True)
        yield made


def lock_of(parent: Path, slug: str) -> Path:
    """Return the file that a run holds locked while it writes the outputs of a project in `parent`."""
    return parent.resolve() / f".{slug}.lock"


def refuse_foreign(target: Path) -> None:
    """Raise `InputError` where something stands at `target` that this kit did not make."""
    if target.is_symlink():
        raise InputError(f"{target} is a link. It is left alone: remove it, or give another folder with --out.")
    if target.exists() and not is_ours(target):
        raise InputError(
            f"{target} is there already and was not made by evalkit (it has no {MANIFEST} of ours). "
            "It is left alone: move it away, or give another folder with --out."
        )


def is_ours(folder: Path) -> bool:
    """Return whether a folder holds the manifest of an earlier run."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("kind") == MANIFEST_KIND


def clean_up(target: Path) -> None:
    """Take back what a killed run had set aside, and remove what it left; call only with the lock held."""
    pattern = re.compile(rf"\.{re.escape(target.name)}\.\d+\.(staging|previous)")
    left = [path for path in target.parent.iterdir() if pattern.fullmatch(path.name) and not path.is_symlink()]
    for path in sorted(left):
        if path.name.endswith(".previous") and not target.exists() and is_ours(path):
            path.rename(target)
    for path in left:
        if path.is_dir() and (is_ours(path) or (path / _MARK).exists() or not any(path.iterdir())):
            shutil.rmtree(path, ignore_errors=True)


def clear_away(parent: Path, slug: str) -> None:
    """Clean up after a run of a project that was killed, where no other run of it is under way."""
    if is_slug(slug) and parent.is_dir():
        target = parent.resolve() / slug
        with suppress(OSError, EvalkitError), only_one(lock_of(parent, slug), ""):
            clean_up(target)


def _make_parent(parent: Path) -> None:
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{parent}: this is a file, not a folder. Give a folder with --out.") from None


def _new(target: Path) -> Staging:
    folder = target.with_name(f".{target.name}.{os.getpid()}.staging")
    folder.mkdir()
    (folder / _MARK).touch()
    (folder / PRIVATE).mkdir(mode=0o700)
    return Staging(folder, target)


def _aside(target: Path, folder: Path) -> Path:
    return target.with_name(folder.name.removesuffix("staging") + "previous")


def _remove_private(folder: Path) -> None:
    shutil.rmtree(folder / PRIVATE, ignore_errors=True)
    if not is_ours(folder):
        raise EvalkitError("The outputs have no manifest, so they are not released; please report this.")
    (folder / _MARK).unlink(missing_ok=True)
