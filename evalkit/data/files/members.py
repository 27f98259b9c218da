"""Every file below a folder, those inside archives too, each by a name that a reader can find it by."""

from __future__ import annotations

import gzip
import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast

from evalkit.core.errors import DataError

MOST_IN_ARCHIVE: Final = 10_000
"""Files of one archive; a published one has some dozens."""
MOST_UNPACKED: Final = 250
"""Times its own size that a file may unpack to, past `FREE_BYTES`; published tables unpack to some 5 to 30 times."""
FREE_BYTES: Final = 100_000_000
_DEEPEST: Final = 2
"""Archives in one another that are looked into."""
_UNFINISHED: Final = (".part", ".partial", ".crdownload", ".download", ".tmp", ".filepart")
_OF_OFFICE: Final = ("[Content_Types].xml", "mimetype")
"""What marks an archive as one workbook or text: it is a file, not a folder of files."""
_SUPPORTED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_IS_ENCRYPTED: Final = 0x1
_BLOCK: Final = 1 << 20
GZIP: Final = b"\x1f\x8b"
"""How a file begins that gzip has packed."""
FETCHED: Final = "evalkit-fetched.json"
"""Where `evalkit fetch` keeps what it fetched into a folder."""
STORE_MARK: Final = "evalkit-store.json"
"""A folder that holds this file is a store of imported files; what lies in it is no file of a publisher."""


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """A file, or a file in an archive, named by its path below the folder that was looked through.

    `inner` is its name in the archive at `path`, `nested` its name in an archive inside that one. Where it cannot be
    opened at all, `problem` says why.
    """

    name: str
    path: Path
    inner: str = ""
    nested: str = ""
    problem: str = ""

    @property
    def suffix(self) -> str:
        """Return how the name ends once it is unpacked: `.csv` of `a.csv.gz` and of `a.zip/b.csv`."""
        return PurePosixPath(self.name.lower().removesuffix(".gz")).suffix

    def open_packed(self) -> IO[bytes]:
        """Open the file as it lies in its folder or archive."""
        if not self.inner:
            return self.path.open("rb")
        outer = zipfile.ZipFile(self.path).open(self.inner)  # noqa: SIM115
        return zipfile.ZipFile(outer).open(self.nested) if self.nested else outer

    def open(self) -> IO[bytes]:
        """Open the file, unpacked; `own_tables.csv_records.opened` sets a limit to how much is read."""
        stream = self.open_packed()
        is_packed = stream.read(2) == GZIP
        stream.seek(0)
        return cast(IO[bytes], _Unpacked(stream)) if is_packed else stream

    @property
    def most_bytes(self) -> int:
        """Return how many bytes it may unpack to before it counts as swollen."""
        return MOST_UNPACKED * self.path.stat().st_size + FREE_BYTES


class _Unpacked(gzip.GzipFile):
    """A gzip stream that closes the stream beneath it as well."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(fileobj=stream, mode="rb")
        self._beneath = stream

    def close(self) -> None:
        super().close()
        self._beneath.close()


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn what can go wrong with a file while it is read into a `DataError` of one sentence."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{name}: there is no such file. Check the name and the folder.") from None
    except IsADirectoryError:
        raise DataError(f"{name}: this is a folder, not a table.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile):
        raise DataError(f"{name}: the compressed file is damaged or cut short. Download it again.") from None
    except (NotImplementedError, RuntimeError) as problem:
        raise DataError(f"{name}: the archive cannot be unpacked here ({problem}). Unpack it first.") from None
    except OSError as problem:
        raise DataError(f"{name}: the file cannot be read ({problem.strerror or problem}).") from None


def require_folder(folder: Path) -> None:
    """Raise `DataError` where a folder is none."""
    if not folder.is_dir():
        what = "a file, not a folder" if folder.exists() else "no folder: nothing is there"
        raise DataError(f"{folder}: this is {what}. Name the folder that holds the downloaded files.")


def members(folder: Path) -> Iterator[Member]:
    """Yield every file below a folder in the order of its name; of an archive each file in it.

    A store of imported files below it is passed over as a whole: nothing in it was published.
    """
    for member in disk_files(folder):
        yield from unpacked(member)


def disk_files(folder: Path) -> Iterator[Member]:
    """Yield every file below a folder in the order of its name, an archive as one."""
    for path in sorted(_paths(folder)):
        yield Member(path.relative_to(folder).as_posix(), path, problem=_problem(path, folder))


def unpacked(member: Member) -> Iterator[Member]:
    """Yield the files of an archive; the file itself where it is none, or cannot be opened."""
    if member.problem:
        yield member
    else:
        yield from _archived(member)


def _paths(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        here = Path(root)
        if STORE_MARK in files:
            folders.clear()
            continue
        yield from (here / name for name in files)
        yield from (here / name for name in folders if (here / name).is_symlink())


def _problem(path: Path, folder: Path) -> str:
    """Return why a file is not opened at all, by its name and kind alone."""
    if path.is_symlink():
        return _of_link(path, folder)
    if not path.is_file():
        return "it is no file that holds data, but a device or a pipe"
    return _of_name(path.relative_to(folder).as_posix())


def _of_link(path: Path, folder: Path) -> str:
    target, home = path.resolve(), folder.resolve()
    if not target.exists():
        return "it is a link to something that is not there"
    if target.is_relative_to(home):
        return f"it is a link to {target.relative_to(home).as_posix() or 'the folder itself'}, which is read there"
    return "it is a link that leads out of the folder. Put the file itself there"


def _of_name(name: str) -> str:
    parts = PurePosixPath(name).parts
    if "__MACOSX" in parts or parts[-1] in ("Thumbs.db", "desktop.ini"):
        return "it is a file of the operating system, not of a publisher"
    if any(part.startswith(".") for part in parts):
        return "it is a hidden file or lies in a hidden folder"
    if parts[-1] == FETCHED:
        return "it is the register of what `evalkit fetch` brought here"
    if parts[-1].startswith("~$"):
        return "it is what a spreadsheet program keeps while a workbook is open"
    if parts[-1].lower().endswith(_UNFINISHED):
        return "its name is that of a download that has not ended. Download it again, or rename it if it is whole"
    return ""


def _archived(member: Member, depth: int = 1) -> Iterator[Member]:
    """Yield the files of an archive, or the file itself where it is none."""
    try:
        with told(member.name):
            found = list(_files_of(member, depth))
    except DataError as problem:
        yield Member(member.name, member.path, member.inner, problem=str(problem).removeprefix(f"{member.name}: "))
        return
    yield from found


def _files_of(member: Member, depth: int) -> Iterator[Member]:
    with member.open_packed() as stream:
        starts_as_zip = stream.read(4) == b"PK\x03\x04"
        if not starts_as_zip and member.name.lower().endswith(".zip"):
            raise zipfile.BadZipFile
        infos = zipfile.ZipFile(stream).infolist() if starts_as_zip else []
    names = [info.filename for info in infos]
    if not starts_as_zip or any(mark in names for mark in _OF_OFFICE):
        yield member
        return
    _require_sound(member, infos, depth)
    for at, info in enumerate(infos):
        if info.is_dir():
            continue
        name = f"{member.name}/{info.filename}"
        inner = (member.inner, info.filename) if member.inner else (info.filename, "")
        problem = _of_inner(info, is_repeated=info.filename in names[:at])
        if problem:
            yield Member(name, member.path, *inner, problem=problem)
        else:
            yield from _within(Member(name, member.path, *inner), depth)


def _within(member: Member, depth: int) -> Iterator[Member]:
    """Yield the files of an archive inside an archive, or the file itself."""
    if member.name.lower().endswith(".zip"):
        yield from _archived(member, depth + 1)
    else:
        yield member


def _require_sound(member: Member, infos: list[zipfile.ZipInfo], depth: int) -> None:
    if depth > _DEEPEST:
        raise DataError(f"{member.name}: it is an archive in an archive in an archive. Unpack the outer ones first.")
    if not any(not info.is_dir() for info in infos):
        raise DataError(f"{member.name}: the archive is empty. Download it again.")
    if len(infos) > MOST_IN_ARCHIVE:
        raise DataError(
            f"{member.name}: the archive holds {len(infos):,} files, more than {MOST_IN_ARCHIVE:,}. "
            "Unpack what is needed from it."
        )


def _of_inner(info: zipfile.ZipInfo, *, is_repeated: bool) -> str:
    """Return why a file of an archive is not opened."""
    if is_repeated:
        return "its name stands twice in the archive, so that it is not clear which is meant. Unpack it"
    if info.flag_bits & _IS_ENCRYPTED:
        return "it is encrypted. Unpack the archive with its password"
    if info.compress_type not in _SUPPORTED:
        return "the archive packs it in a way that is not read here. Unpack it first"
    if info.file_size > MOST_UNPACKED * info.compress_size + FREE_BYTES:
        return (
            f"it would unpack to {info.file_size / 1e9:.1f} GB, more than {MOST_UNPACKED} times its size, as no table "
            "does. Download it again"
        )
    return _of_name(info.filename.replace("\\", "/"))


def member_of(path: Path, inner: str = "") -> Member:
    """Return one file as a member of its own folder."""
    return Member(f"{path.name}/{inner}" if inner else path.name, path, inner)


def sha256_of(member: Member, *, is_unpacked: bool = False) -> str:
    """Return the SHA-256 of a file as it lies in its folder or archive, or unpacked."""
    digest = hashlib.sha256()
    with told(member.name), member.open() if is_unpacked else member.open_packed() as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
