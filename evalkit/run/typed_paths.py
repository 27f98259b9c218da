"""Files and folders that a user names: looked at before anything is computed."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from evalkit.core.errors import EnvironmentFault, InputError
from evalkit.core.words import listed
from evalkit.data.locks import part_of

_TOO_LONG: Final = {errno.ENAMETOOLONG, errno.EINVAL}


def data_folder(text: str | None) -> Path | None:
    """Return the folder of published files that `--data` names, None where it was left out."""
    path = _folder(text, "--data")
    if path is not None and not path.is_dir():
        is_there = f"{path} is not a folder" if path.exists() else f"{path}: there is no such folder"
        raise InputError(f"{is_there}. Give the folder of published files with --data.")
    return path


def out_folder(text: str | None, option: str = "--out") -> Path | None:
    """Return the folder that an option names for outputs, None where it was left out; it need not be there yet."""
    path = _folder(text, option)
    if path is not None:
        nearest = next(folder for folder in (path, *path.parents) if folder.exists() or folder.is_symlink())
        if not nearest.is_dir():
            raise InputError(f"{nearest}: this is a file, not a folder. Give a folder with {option}.")
    return path


def table_file(text: str) -> Path:
    """Return the table that a user names, there or not; raise `InputError` for a name that could be no table's."""
    path = typed_path(text, "FILE")
    _require_short(path, text, "FILE")
    if path.exists() and not (path.is_file() or path.is_dir()):  # what a folder is, its reader says
        raise InputError(f"{path}: this is a pipe or a device, which is read once and then gone. Give a file.")
    return path


def out_file(text: str | None, kinds: Sequence[str], table: Path) -> Path | None:
    """Return the file that `--out` names, None where it was left out.

    Parameters
    ----------
    text : str or None
        The name as typed.
    kinds : sequence of str
        Endings that the name may have, such as `.csv`.
    table : Path
        The table that is read, which is never written over.

    Raises
    ------
    InputError
        Where no file of this name could be written: it has another ending, is a folder, a pipe or a device, is too
        long, is the table that is read, or lies in a folder that is not there.
    EnvironmentFault
        Where the folder may not be written.
    """
    if text is None:
        return None
    path = typed_path(text, "--out")
    if path.suffix.lower() not in kinds:
        raise InputError(f"--out {text!r}: the name must end in {listed(list(kinds))}.")
    _require_short(part_of(path), text, "--out")
    if not path.parent.is_dir():
        raise InputError(f"--out {path}: there is no folder '{path.parent}'. Make it, or give another name.")
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "a pipe or a device"
        raise InputError(f"--out {path}: this is {kind}, not a file. Give the name of a file.")
    if path.exists() and table.exists() and path.samefile(table):
        raise InputError(f"--out {path}: this is the table that was read. Give another name.")
    if not os.access(path.parent, os.W_OK):
        raise EnvironmentFault(f"--out {path}: the folder may not be written. Check who owns it, or give another one.")
    return path


def _folder(text: str | None, option: str) -> Path | None:
    if text is None:
        return None
    if not text.strip():
        raise InputError(f"{option} was given as an empty text. Name the folder, or leave the option out.")
    path = typed_path(text, option).absolute()
    _require_short(path, text, option)
    return path


def typed_path(text: str, option: str) -> Path:
    """Return a path as typed, `~` filled in; raise `InputError` where it stands for nobody this machine knows."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # of `~somebody`, whom this machine does not know
        raise InputError(f"{option} {text!r}: there is no such home folder. Write the path out.") from None


def _require_short(path: Path, text: str, option: str) -> None:
    try:
        path.lstat()
    except OSError as problem:
        if problem.errno in _TOO_LONG:
            shown = text if len(text) <= 60 else f"{text[:59]}…"
            raise InputError(f"{option} {shown!r}: the path is too long for this system. Give a shorter one.") from None
