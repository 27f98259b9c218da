"""A wheel of this kit as it is installed, the same to the byte for the same code, made without any tool for it."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

import evalkit
from evalkit.core.errors import EnvironmentFault

DAY: Final = (1980, 1, 1, 0, 0, 0)
"""The time that every member of an archive bears: the earliest that the format knows."""
_MODE: Final = 0o644 << 16
_WHEEL: Final = "Wheel-Version: 1.0\nGenerator: evalkit pack\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def archived(files: Mapping[str, bytes]) -> bytes:
    """Return files as a zip archive whose bytes depend on names and contents alone.

    >>> archived({"b": b"2", "a": b"1"}) == archived({"a": b"1", "b": b"2"})
    True
    """
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, DAY)
            member.compress_type, member.external_attr, member.create_system = zipfile.ZIP_DEFLATED, _MODE, 3
            archive.writestr(member, files[name])
    return held.getvalue()


def kit_wheel() -> tuple[str, bytes] | None:
    """Return name and bytes of a wheel of this kit, None where nothing says how it is installed."""
    try:
        about = metadata.distribution("evalkit")
        said, starts = about.read_text("METADATA"), about.read_text("entry_points.txt")
    except metadata.PackageNotFoundError:
        return None
    if said is None:
        return None
    package = Path(evalkit.__file__).parent
    files = {
        f"evalkit/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    name = f"evalkit-{evalkit.__version__}"
    info = f"{name}.dist-info"
    files |= {f"{info}/METADATA": said.encode(), f"{info}/WHEEL": _WHEEL.encode()}
    files |= {f"{info}/entry_points.txt": starts.encode()} if starts else {}
    record = [f"{one},sha256={_digest(content)},{len(content)}" for one, content in sorted(files.items())]
    files[f"{info}/RECORD"] = ("\n".join([*record, f"{info}/RECORD,,"]) + "\n").encode()
    return f"{name}-py3-none-any.whl", archived(files)


def write_wheel(folder: Path) -> Path:
    """Write a wheel of this kit in a folder and return its place; raise `EnvironmentFault` where none can be made."""
    made = kit_wheel()
    if made is None:
        raise EnvironmentFault("This kit is not installed as a package, so no wheel of it can be made.")
    path = folder / made[0]
    path.write_bytes(made[1])
    return path


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
