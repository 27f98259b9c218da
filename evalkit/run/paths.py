"""Files of a project never lie outside its folder."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_RESERVED: Final = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")


def is_slug(text: str) -> bool:
    """Return whether a text can name a project and its outputs folder on every system."""
    return bool(SLUG.fullmatch(text)) and not _RESERVED.fullmatch(text)


def complaint_about(folder: Path, name: str) -> str:
    """Return why a file name in a project file cannot be used, or an empty text."""
    if not name.strip():
        return "the name of the file is empty"
    parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
    is_absolute = PurePosixPath(name).is_absolute() or bool(PureWindowsPath(name).anchor)
    if is_absolute or ".." in parts or name.startswith("~"):
        return f"'{name}' leads out of the project's folder. Put the file beside the project file and name it alone"
    home = folder.resolve()
    if not (folder / name).resolve().is_relative_to(home):
        return f"'{name}' is a link that leads out of the project's folder. Put the file itself there"
    if not (folder / name).exists():
        return f"'{name}' is missing: there is no such file in the project's folder"
    return "" if (folder / name).is_file() else f"'{name}' is not a file"
