"""Opening a file as what it is said to be: a file for another reader is told by what it looks like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path, PurePosixPath

from evalkit.core.errors import DataError
from evalkit.core.words import did_you_mean, listed
from evalkit.data.files.layout import Layout, lacking
from evalkit.data.files.members import Member, member_of, members
from evalkit.data.files.raw_table import RawTable
from evalkit.data.files.recognition import recognised


def open_as(path: Path, layouts: Sequence[Layout]) -> tuple[RawTable, Layout]:
    """Return a file with the layout, of those given, that it has; of an archive the one file that has one.

    Of a workbook it is the first sheet that has one. A file in an archive is also named by its path below it,
    `a.zip/b.csv`. Raise `DataError` where there is no such file, an archive holds several of the layouts, or the file
    has none of them: then it is said what it looks like.
    """
    tables = [RawTable(member) for member in _members_at(path)]
    found = [(one.table, one.layout) for table in tables if (one := recognised(table, layouts)).layout is not None]
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        names = [table.name for table, _ in found]
        raise DataError(f"{path.name}: the archive holds {listed(names)}. Name one of them, such as {names[0]}.")
    raise DataError(_what_it_is(tables, layouts, path))


@contextmanager
def told_by_looks(path: Path, reader: str) -> Iterator[None]:
    """Add to the refusal of a file what it looks like, where that is a file for another reader."""
    try:
        yield
    except DataError as problem:
        try:
            other = recognised(RawTable(member_of(path)), _every_layout()).layout if path.is_file() else None
        except DataError:
            other = None
        if other is None or other.reader in ("", reader):
            raise
        raise DataError(f"{problem}\n{_looks_like(other)}") from None


def _members_at(path: Path) -> list[Member]:
    if path.is_dir():
        raise DataError(f"{path.name or path}: this is a folder, not a table. Name a file in it.")
    if path.is_file():
        if path.suffix.lower() != ".zip":
            return [member_of(path)]
        inner = [member for member in members(path.parent) if member.path == path]
        return [Member(member.name.partition("/")[0] + "/" + member.inner, path, member.inner) for member in inner]
    archive = next((parent for parent in path.parents if parent.suffix.lower() == ".zip" and parent.is_file()), None)
    if archive is None:
        raise DataError(f"{path}: there is no such file. Check the name and the folder.")
    inner_name = PurePosixPath(path.relative_to(archive).as_posix()).as_posix()
    if inner_name not in {member.inner for member in members(archive.parent) if member.path == archive}:
        raise DataError(f"{archive.name}: the archive holds no file {inner_name}.")
    return [member_of(archive, inner_name)]


def _what_it_is(tables: Sequence[RawTable], layouts: Sequence[Layout], path: Path) -> str:
    wanted = listed([layout.title for layout in layouts], 3)
    others = [other for table in tables if (other := recognised(table, _every_layout()).layout) is not None]
    if others:
        return f"{path.name}: this is not what was asked for ({wanted}).\n{_looks_like(others[0])}"
    if not tables or not tables[0].peek.columns:
        return f"{path.name}: the file is no table that this kit reads, or it is empty. Download it again."
    columns = tables[0].peek.columns
    missing = lacking(columns, layouts[0].fields)
    lack = f" It lacks {listed(missing, 4)}.{did_you_mean(missing[0], columns)}" if missing else ""
    return (
        f"{path.name}: this is not what was asked for ({wanted}).{lack} Its columns are {listed(list(columns), 8)}. "
        "Check that it is the table its name says, as it was downloaded."
    )


def _looks_like(layout: Layout) -> str:
    remedy = f"Read it with evalkit.{layout.reader}." if layout.reader else "No function reads it."
    return f"It looks like this: {layout.title} ({layout.publisher}). {remedy}"


def _every_layout() -> Sequence[Layout]:
    # by name, as the registry imports the layouts, and they this module
    found: Sequence[Layout] = import_module("evalkit.data.layouts.registry").layouts()
    return found
