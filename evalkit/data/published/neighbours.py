"""DfE's statistical-neighbour lists, as the workbooks of the Local Authority Interactive Tool hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.core.words import did_you_mean
from evalkit.data.published.tables import sheet_rows

_SHEET: Final = "LA SN Groups"
_HEADER: Final = ("LA num", "LA Name")
_FIRST, _STEP, _COUNT, _REGION = 5, 2, 10, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """One neighbour of an area: its rank from 1 on, and how close DfE calls it (empty where it does not say)."""

    rank: int
    code: int
    name: str
    region: str
    closeness: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NeighbourTable(Shown):
    """Each area's neighbours, nearest first, with the areas' names and regions (by DfE code).

    `closeness` says for each neighbour how close it is, in DfE's words: extremely close, very close, close,
    somewhat close, not close. `n_not_codes` counts places of the list that hold no area (a dash or a blank).
    """

    neighbours: dict[int, tuple[int, ...]]
    names: dict[int, str]
    regions: dict[int, str]
    n_not_codes: int
    closeness: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def of(self, area: int) -> tuple[int, ...]:
        """Return an area's neighbours; empty where the list does not have the area."""
        return self.neighbours.get(area, ())

    @property
    def without_list(self) -> tuple[int, ...]:
        """Return the areas that the workbook names without a single neighbour, such as ones just made."""
        return tuple(sorted(area for area, neighbours in self.neighbours.items() if not neighbours))

    def ranked(self, area: int | str) -> tuple[Neighbour, ...]:
        """Return the neighbours of an area, by its code or name; empty where it has no list.

        A neighbour that the workbook does not describe (an authority since abolished, say) is named by its code.
        Raise `DataError` where the workbook does not have the area.
        """
        code = self._code(area)
        words = self.closeness.get(code, ())
        return tuple(
            Neighbour(
                rank=rank,
                code=neighbour,
                name=self.names.get(neighbour, str(neighbour)),
                region=self.regions.get(neighbour, ""),
                closeness=words[rank - 1] if words else "",
            )
            for rank, neighbour in enumerate(self.of(code), start=1)
        )

    def name_of(self, area: int | str) -> str:
        """Return the name of an area, by its code or name; raise `DataError` where the workbook does not have it."""
        return self.names[self._code(area)]

    def _code(self, area: int | str) -> int:
        by_name = {name.lower(): code for code, name in self.names.items()}
        code = _code(area) or by_name.get(str(area).strip().lower())
        if code is None or code not in self.neighbours:
            raise DataError(
                f"The neighbour list has no area '{area}'.{did_you_mean(str(area), self.names.values())} Give a DfE "
                "code of three digits or a name as it stands in the workbook."
            )
        return code


def read_neighbours(path: Path) -> NeighbourTable:
    """Read a statistical-neighbour workbook, including the block of former authorities at its foot.

    Raises
    ------
    DataError
        If the file is not such a workbook.

    Examples
    --------
    >>> from pathlib import Path
    >>> from openpyxl import Workbook
    >>> from evalkit import read_neighbours
    >>> book = Workbook()
    >>> sheet = book.active
    >>> sheet.title = "LA SN Groups"
    >>> sheet.append(["LA num", "LA Name", "", "", "Region", "SN1", "", "SN2", ""])
    >>> sheet.append([340, "Knowsley", "", "", "North West", 341, "Close", 876, "Not Close"])
    >>> sheet.append([341, "Liverpool", "", "", "North West", 340, "Close", "-", ""])
    >>> book.save("sn_april_2021.xlsx")
    >>> lists = read_neighbours(Path("sn_april_2021.xlsx"))
    >>> lists.of(340), lists.names[341]
    ((341, 876), 'Liverpool')
    >>> [(neighbour.rank, neighbour.code, neighbour.closeness) for neighbour in lists.ranked("Knowsley")]
    [(1, 341, 'Close'), (2, 876, 'Not close')]
    """
    rows = sheet_rows(path, _SHEET, _FIRST + _STEP * _COUNT)
    start = next((n for n, row in enumerate(rows) if tuple(row[:2]) == _HEADER), None)
    if start is None or "SN1" not in rows[start]:
        raise DataError(
            f"{path.name}: the sheet '{_SHEET}' has no row starting 'LA num', 'LA Name', so it is not a neighbour list."
        )
    table: dict[int, tuple[int, ...]] = {}
    names: dict[int, str] = {}
    regions: dict[int, str] = {}
    closeness: dict[int, tuple[str, ...]] = {}
    not_codes = 0
    for row in rows[start + 1 :]:
        code = _code(row[0])
        # a code may stand again in the block of former authorities at the foot: the first row counts
        if code is None or code in table:
            continue
        places = row[_FIRST : _FIRST + _STEP * _COUNT]
        codes = [_code(cell) for cell in places[::_STEP]]
        words = [_word(cell) for cell in places[1::_STEP]]
        words += [""] * (len(codes) - len(words))  # a row cut short lacks its last word
        table[code] = tuple(neighbour for neighbour in codes if neighbour is not None)
        closeness[code] = tuple(word for word, neighbour in zip(words, codes, strict=True) if neighbour is not None)
        not_codes += codes.count(None)
        names[code], regions[code] = str(row[1]), str(row[_REGION] or "")
    if not table:
        raise DataError(f"{path.name}: the sheet '{_SHEET}' names no local authority. Download the workbook again.")
    return NeighbourTable(table, names, regions, not_codes, closeness)


def _code(cell: object) -> int | None:
    """Return a local-authority code, or None for a dash, a blank or a heading."""
    text = str(cell).strip().removesuffix(".0")
    return int(text) if text.isdigit() and len(text) == 3 else None


def _word(cell: object) -> str:
    """Return how close a neighbour is, as written in one of the workbooks: `Very close`; empty for a dash."""
    text = str(cell or "").strip().strip("-")
    return text.capitalize()
