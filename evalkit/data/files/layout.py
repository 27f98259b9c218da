"""What a layout is: how a published file is told by its content, what its columns mean, and what a file of it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from evalkit.core.errors import DataError

if TYPE_CHECKING:
    from evalkit.data.files.raw_table import Peek, RawTable
    from evalkit.data.files.signature import TableForm

Form = Literal["text", "urn", "laestab", "area", "number", "percent", "date", "period", "code"]
Stage = Literal["", "provisional", "revised", "final"]
STAGES: Final[tuple[Stage, ...]] = ("provisional", "revised", "", "final")
"""Of two files for the same thing the later of these is used; one that does not say is later than one revised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column of a layout: its published name, what it means, and other names it has had (`also`)."""

    name: str
    meaning: str
    form: Form = "text"
    is_required: bool = True
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What one file gives.

    `rows` are its records; `years` the summers (the later year of a school year); `areas` codes of local authorities
    (three digits) or GSS codes; `measures` names of columns or of measures; `levels` such as school, local authority,
    national. `subject` is what there should be one file of, such as `KS2 2017 England`: of two files with one subject
    the later `stage` is used; an empty subject conflicts with nothing. `as_of` is the latest day (yyyy-mm-dd) that its
    rows tell, where that is what makes a later cut of one list: of two of one stage the later is used.
    """

    rows: int
    years: tuple[int, ...] = ()
    areas: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    stage: Stage = ""
    subject: str = ""
    as_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A published layout, and how a file of it is read.

    `fits` tells it from a file's beginning alone; `contents` reads what it gives and raises `DataError` where the file
    is damaged. `reader` is the public function that reads it, empty where none does. `seen` names the real files that
    it was tried on; where it is empty the data dictionary says that no real file was ever read. A layout with an
    `unused_reason` is recognised, listed and not used.
    """

    name: str
    title: str
    publisher: str
    fields: tuple[Field, ...]
    fits: Callable[[Peek], bool]
    contents: Callable[[RawTable], Contents]
    reader: str = ""
    seen: str = ""
    unused_reason: str = ""


def spelled(name: str, columns: Sequence[str], file: str) -> str | None:
    """Return a column as a file spells it: as named where it stands so, else in any case of letters; None without.

    This is the one rule by which columns are found, where files are told and where they are read. Raise `DataError`
    where several are spelled alike but for the case of letters, and none as named.
    """
    if name in columns:
        return name
    alike = [column for column in columns if column.casefold() == name.casefold()]
    if len(set(alike)) > 1:
        raise DataError(
            f"{file}: the columns {' and '.join(dict.fromkeys(alike))} differ in the case of letters alone, so it is "
            f"not clear which is {name}. Rename the one that is not."
        )
    return alike[0] if alike else None


def has_fields(peek: Peek, fields: tuple[Field, ...]) -> bool:
    """Return whether a table has every required column of a layout, under one of its names, in any case of letters."""
    return not lacking(peek.columns, fields)


def fitting(fields: tuple[Field, ...], *forms: TableForm) -> Callable[[Peek], bool]:
    """Return what tells a table by its required columns; one of any form, or of `forms` alone."""

    def fits(peek: Peek) -> bool:
        return peek.form in (forms or ("csv", "parquet", "workbook")) and has_fields(peek, fields)

    return fits


def lacking(columns: Iterable[str], fields: Sequence[Field]) -> list[str]:
    """Return the required columns of a layout that a table has under none of their names, in any case of letters."""
    present = {column.casefold() for column in columns}
    required = (field for field in fields if field.is_required)
    return [field.name for field in required if present.isdisjoint(map(str.casefold, (field.name, *field.also)))]
