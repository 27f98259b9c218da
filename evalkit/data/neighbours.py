"""DfE's statistical-neighbour lists, as the workbooks of the Local Authority Interactive Tool hold them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from evalkit.core.errors import DataError

_SHEET: Final = "LA SN Groups"
_HEADER: Final = ("LA num", "LA Name")
_FIRST, _STEP, _COUNT, _REGION = 5, 2, 10, 4


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourTable:
    """Each area's neighbours, nearest first, with the areas' names and regions (by DfE code)."""

    neighbours: dict[int, tuple[int, ...]]
    names: dict[int, str]
    regions: dict[int, str]
    n_not_codes: int

    def of(self, area: int) -> tuple[int, ...]:
        """Return an area's neighbours; empty where the list does not have the area."""
        return self.neighbours.get(area, ())


def read_neighbours(path: Path) -> NeighbourTable:
    """Read a statistical-neighbour workbook, including the block of former authorities at its foot.

    Raises
    ------
    DataError
        If the file is not such a workbook.
    """
    rows = list(_rows(path))
    start = next((n for n, row in enumerate(rows) if tuple(row[:2]) == _HEADER), None)
    if start is None or "SN1" not in rows[start]:
        raise DataError(
            f"{path.name}: the sheet '{_SHEET}' has no row starting 'LA num', 'LA Name', so it is not a neighbour list."
        )
    table: dict[int, tuple[int, ...]] = {}
    names: dict[int, str] = {}
    regions: dict[int, str] = {}
    not_codes = 0
    for row in rows[start + 1 :]:
        code = _code(row[0])
        if code is None or code in table:
            continue
        cells = row[_FIRST : _FIRST + _STEP * _COUNT : _STEP]
        codes = [_code(cell) for cell in cells]
        table[code] = tuple(found for found in codes if found is not None)
        not_codes += codes.count(None)
        names[code], regions[code] = str(row[1]), str(row[_REGION] or "")
    if not table:
        raise DataError(f"{path.name}: the sheet '{_SHEET}' names no local authority. Download the workbook again.")
    return NeighbourTable(table, names, regions, not_codes)


def _rows(path: Path) -> Iterable[Sequence[Any]]:
    try:
        with open(path, "rb") as stream:
            book = openpyxl.load_workbook(stream, data_only=True)
    except FileNotFoundError:
        raise DataError(
            f"{path.name}: there is no such file in {path.parent.name}/. Put it there and try again."
        ) from None
    except (zipfile.BadZipFile, zlib.error, ParseError, InvalidFileException, KeyError, EOFError, OSError):
        raise DataError(f"{path.name}: the file is not an Excel workbook, or is damaged. Download it again.") from None
    if _SHEET not in book.sheetnames:
        raise DataError(f"{path.name}: the workbook has no sheet '{_SHEET}', so it is not a neighbour list.")
    return [tuple(row) for row in book[_SHEET].iter_rows(values_only=True)]


def _code(cell: object) -> int | None:
    """Return a local-authority code, or None for a dash, a blank or a heading."""
    text = str(cell).strip()
    return int(text) if text.isdigit() and len(text) == 3 else None
