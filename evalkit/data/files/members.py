"""Every file below a folder, those inside archives too, each by a name that a reader can find it by."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """A file, or a file in an archive (`inner`), named by its path below the folder that was looked through."""

    name: str
    path: Path
    inner: str = ""

    @property
    def suffix(self) -> str:
        """Return how the name ends once it is unpacked: `.csv` of `a.csv.gz` and of `a.zip/b.csv`."""
        return PurePosixPath(self.name.lower().removesuffix(".gz")).suffix

    def open(self) -> IO[bytes]:
        """Open the file, unpacked."""
        if self.inner:
            return zipfile.ZipFile(self.path).open(self.inner)
        if self.path.name.lower().endswith(".gz"):
            return cast(IO[bytes], gzip.open(self.path, "rb"))
        return self.path.open("rb")


def members(folder: Path) -> Iterator[Member]:
    """Yield every file below a folder in the order of its name; of an archive each file in it."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                inner = [one.filename for one in archive.infolist() if not one.is_dir()]
            yield from (Member(f"{name}/{one}", path, one) for one in inner)
        else:
            yield Member(name, path)


def member_of(path: Path, inner: str = "") -> Member:
    """Return one file as a member of its own folder."""
    return Member(f"{path.name}/{inner}" if inner else path.name, path, inner)
