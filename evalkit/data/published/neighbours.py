"""DfE's statistical-neighbour lists: the workbooks of the Local Authority Interactive Tool, and the same as CSV."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from evalkit.core.errors import DataError, DesignError, MissingData
from evalkit.core.shown import Shown
from evalkit.core.words import did_you_mean
from evalkit.data.files.members import Member, member_of
from evalkit.data.published.tables import sheet_rows

SHEET: Final = "LA SN Groups"
_STEP, _COUNT = 2, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How a list is laid out: what its row of headings begins with and must hold, and where things stand in a row."""

    header: tuple[str, str]
    first_name: str
    first: int
    region: int


_FORMS: Final = (
    _Form(header=("LA num", "LA Name"), first_name="SN1", first=5, region=4),
    _Form(header=("old_la_code", "la_name"), first_name="SN_1", first=4, region=3),
)
"""As the workbooks have it, and the CSV of 2021; as the CSV of 2025 has it."""
_WIDEST: Final = max(form.first for form in _FORMS) + _STEP * _COUNT
_MOST_BYTES: Final = 2_000_000
"""Bytes of a list as CSV; a published one has 30,000."""


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
        """Return the areas that the list names without a single neighbour, such as ones just made."""
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


def read_neighbours(path: Path | Member) -> NeighbourTable:
    """Read a list of statistical neighbours, as a workbook with the block of former authorities at its foot, or as CSV.

    Raises
    ------
    DataError
        If the file is neither.

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
    return neighbours_of(path if isinstance(path, Member) else member_of(path))


def neighbours_of(member: Member) -> NeighbourTable:
    """Return the neighbour list of a file, or of a file in an archive; raise `DataError` where it is none."""
    is_workbook = not member.suffix.startswith((".csv", ".txt"))
    rows = sheet_rows(member, SHEET, _WIDEST) if is_workbook else [_padded(row) for row in csv_records(member)]
    where = f"{member.name}: the sheet '{SHEET}'" if is_workbook else f"{member.name}: the file"
    found = ((n, form) for n, row in enumerate(rows) for form in _FORMS if _is_header(row, form))
    start, form = next(found, (None, _FORMS[0]))
    if start is None:
        raise DataError(f"{where} has no row starting 'LA num', 'LA Name', so it is not a neighbour list.")
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
        places = row[form.first : form.first + _STEP * _COUNT]
        codes = [_code(cell) for cell in places[::_STEP]]
        words = [_word(cell) for cell in places[1::_STEP]]
        words += [""] * (len(codes) - len(words))  # a row cut short lacks its last word
        table[code] = tuple(neighbour for neighbour in codes if neighbour is not None)
        closeness[code] = tuple(word for word, neighbour in zip(words, codes, strict=True) if neighbour is not None)
        not_codes += codes.count(None)
        names[code], regions[code] = str(row[1]), str(row[form.region] or "")
    if not table:
        raise DataError(f"{where} names no local authority. Download it again.")
    return NeighbourTable(table, names, regions, not_codes, closeness)


def _is_header(row: Sequence[object], form: _Form) -> bool:
    cells = [str(cell).strip().casefold() for cell in row]
    return cells[:2] == [name.casefold() for name in form.header] and form.first_name.casefold() in cells


def _padded(row: Sequence[str]) -> tuple[object, ...]:
    return (*row, *[""] * (_WIDEST - len(row)))


def csv_records(member: Member) -> list[list[str]]:
    """Return the rows of a list as CSV, its headings first, which may repeat."""
    try:
        with member.open() as stream:
            content = stream.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise DataError(f"{member.name}: the file is larger than {_MOST_BYTES:,} bytes; no list of areas is.")
        if b"\0" in content:
            raise DataError(f"{member.name}: the file holds NULs, so it is not CSV in UTF-8. Download it again.")
        rows = list(csv.reader(content.decode("utf-8-sig").splitlines(), strict=True))
    except FileNotFoundError:
        raise MissingData(f"{member.name}: there is no such file. Put it there and try again.") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error):
        raise DataError(f"{member.name}: the file is not CSV in UTF-8, or is damaged. Download it again.") from None
    if rows and content[-1:] not in (b"\n", b"\r") and len(rows[-1]) < len(rows[0]):
        raise DataError(f"{member.name}: the file is cut short: its last line breaks off. Download it again.")
    return [row for row in rows if row]


LISTS: Final = ("april_2021", "may_2025")
"""Names of DfE's lists, as a project file has them."""
_NEW_IN: Final = {"april_2021": 940, "may_2025": 942}
"""The authority that the list is the first to have neighbours of: North Northamptonshire, Cumberland."""


def name_of_list(table: NeighbourTable) -> str:
    """Return which of DfE's lists a table is, by the authorities it has neighbours of; empty where it is neither.

    North Northamptonshire (2021) is in both, Cumberland (2023) in that of May 2025 alone.
    """
    return next((name for name in reversed(LISTS) if table.of(_NEW_IN[name])), "")


def _code(cell: object) -> int | None:
    """Return a local-authority code, or None for a dash, a blank or a heading."""
    text = str(cell).strip().removesuffix(".0")
    return int(text) if text.isdigit() and len(text) == 3 else None


def _word(cell: object) -> str:
    """Return how close a neighbour is, as written in one of the workbooks: `Very close`; empty for a dash."""
    text = str(cell or "").strip().strip("-")
    return text.capitalize()


def area_codes(areas: Sequence[int | str], known: NeighbourTable) -> tuple[int, ...]:
    """Return the codes of the whole areas that take part; raise `DesignError` for a name that no area has."""
    return tuple(area_code(area, known) for area in areas)


def area_code(area: int | str, known: NeighbourTable) -> int:
    """Return the code of an authority by its code or its name; raise `DesignError` for a name that none has."""
    if isinstance(area, int) or area.strip().isdigit():
        return int(area)
    called = {name.casefold(): code for code, name in known.names.items()}
    if area.strip().casefold() not in called:
        near = did_you_mean(area.strip(), known.names.values())
        raise DesignError(f"`participants.areas` names '{area}', and no local authority is called that.{near}")
    return called[area.strip().casefold()]
