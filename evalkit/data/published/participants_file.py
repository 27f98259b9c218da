"""A list of schools as people keep one: whatever the encoding, the separator and the headings."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from evalkit.core.errors import DataError
from evalkit.core.words import listed

HINT: Final = "Write one school a row: a column URN, or a column LAESTAB, and the name beside it as a check."
HINT_OF_TABLES: Final = "Write one unit a row: in the first column its id as it stands in the project's own table."

_HEADINGS: Final = {
    "urn": {"urn", "urns", "schoolurn", "urnofschool", "urnnumber", "urnno", "uniquereferencenumber", "giasurn"}
    | {"edubaseurn", "academyurn", "establishmenturn"},
    "laestab": {"laestab", "laestabnumber", "laestabno", "laestabcode", "laestabnumbers", "dfenumber", "dfeno", "dfe"}
    | {"dfecode", "dfelaestab", "schoollaestab", "dfenumberlaestab", "dfeschoolnumber", "schooldfenumber", "ladfe"}
    | {"dcsfnumber", "dfesnumber", "dfeestablishmentnumber", "laestablishmentnumber"},
    "name": {"name", "names", "school", "schoolname", "nameofschool", "establishmentname", "establishment"}
    | {"schname", "participant", "academyname", "schoolacademy", "nameoftheschool", "schoolsname"},
}
_BESIDE: Final = {
    "start": {"start", "starts", "started", "startdate", "dateofstart", "firstday", "startyear", "yearofstart"},
    "dose": {"dose", "dosage"},
    "group": {"group", "trust", "network", "trustname", "networkname", "trustornetwork"},
}
"""What may be said of a participant beside which it is: when it began, how much it had, its trust or network."""
_HALVES: Final = {
    "la": {"la", "lacode", "lano", "lanumber", "lea", "leacode", "leano", "localauthoritycode", "localauthoritynumber"},
    "estab": {"estab", "estabno", "estabnumber", "establishmentnumber", "establishmentno", "establishmentcode"},
}
"""The two columns whose numbers together are a LAESTAB, where the file has neither that nor a URN."""
_CHOICES: Final = re.compile(
    r"\b(start|begin|began|join|withdr|dos(e|age)|hours|days|visits|sessions|intensity|weight|treat|cohort|wave|tranche"
    r"|includ|exclud|participat|took part|takes part|arm\b)|^(date|year|group|level|status|ended|end|left)\b"
)
"""Headings that read like something an effect could depend on, as small words."""
_OF_GIAS: Final = frozenset({"DateOfLastInspectionVisit"})
"""Headings of the whole GIAS list that read like a choice and are none."""
_MOST_BYTES: Final = 5_000_000
_SEPARATORS: Final = ",;\t|"


@dataclass(frozen=True, slots=True)
class ListedSchool:
    """One row of a list of schools: its number in the file, and what it gives, each text empty where it gives nothing.

    `unit` is an id of a table of the project's own, where the file knows units by nothing else. `start` (None where
    the cell is empty), `dose` (NaN) and `group` are what stands beside the school. `problem` says what is wrong with
    the row as it is written, or is empty.
    """

    row: int
    urn: str
    laestab: str
    name: str
    problem: str = ""
    unit: str = ""
    start: date | None = None
    dose: float = float("nan")
    group: str = ""

    @property
    def label(self) -> str:
        """Return the row as messages call it, with the school's name where it has one."""
        name = self.name or self.unit
        return f"row {self.row} ({shortened(name)})" if name else f"row {self.row}"


@dataclass(frozen=True, slots=True)
class ParticipantsFile:
    """The rows of a list of schools, headings of columns that say nothing of them, and which of `start`, … it has."""

    rows: tuple[ListedSchool, ...]
    unused: tuple[str, ...]
    beside: tuple[str, ...] = ()

    @property
    def first_start(self) -> date | None:
        """Return the earliest start that can be read, None where the file has none."""
        return min((row.start for row in self.rows if row.start is not None), default=None)


def shortened(text: str, most: int = 60) -> str:
    """Return a text as it may stand in a message, cut after `most` letters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def read_listed_schools(path: Path, has_tables: bool = False) -> ParticipantsFile:
    """Read a list of schools; rows that cannot be understood carry their problem.

    Beside the school a row may give its start (a date, or a school year by its summer), its dose and its trust or
    network. With `has_tables`, for a project with tables of its own, the first column may be a unit's id there.

    Raises
    ------
    DataError
        If the file is no text, has no column by which a school is known, lists none, or has a column that reads like
        an analytical choice: nothing here depends on such a column, so that it must not look as if something did.
    """
    cells = _cells(path)
    filled = [(number, row) for number, row in enumerate(cells, start=1) if any(row)]
    if not filled:
        raise DataError(f"{path.name}: the file is empty. {HINT}")
    header, *body = filled
    columns = _columns(path.name, header[1], has_tables)
    if not body:
        raise DataError(f"{path.name}: the file lists no school. {HINT_OF_TABLES if has_tables else HINT}")
    used = set(columns.values())
    unused = tuple(text for place, text in enumerate(header[1]) if place not in used and _is_told(text, body, place))
    _refuse_choices(path.name, unused)
    rows = tuple(_school(number, row, columns, len(header[1])) for number, row in body)
    return ParticipantsFile(rows, unused, tuple(role for role in _BESIDE if role in columns))


def _is_told(heading: str, body: Sequence[tuple[int, list[str]]], place: int) -> bool:
    return bool(heading) or any(len(row) > place and row[place] for _, row in body)


def _cells(path: Path) -> list[list[str]]:
    text = _text(path)
    first, _, rest = text.lstrip("\n").partition("\n")
    separator_line = re.fullmatch(r"sep=(.)", first.strip().lower())
    separator = separator_line[1] if separator_line and separator_line[1] in _SEPARATORS else _separator(first)
    lines = f"\n{rest}" if separator_line else text
    try:
        rows = list(csv.reader(io.StringIO(lines), delimiter=separator, strict=True))
    except csv.Error:
        rows = None
    if rows is None or any("\n" in cell for row in rows for cell in row):
        raise DataError(
            f"{path.name}: a quotation mark opens a cell that does not close in its row. Write each school in one "
            'line, and a quotation mark inside a quoted cell twice ("").'
        )
    return [[_cell(cell) for cell in row] for row in rows]


def _cell(text: str) -> str:
    """Return a cell without what spreadsheets and people put around a value."""
    inner = re.fullmatch(r'="(.*)"', text.strip())
    return " ".join((inner[1] if inner else text).replace("\u200b", "").replace("\ufeff", "").split())


def _separator(first: str) -> str:
    """Return the separator under which most headings of a line are known, then the one that stands there most."""
    outside = re.sub(r'"[^"]*"', "", first)

    def known(separator: str) -> tuple[int, int]:
        headings = [text.strip('"') for text in first.split(separator)]
        return len(_halves(headings)) + sum(bool(_role(text)) for text in headings), outside.count(separator)

    return max(_SEPARATORS, key=known)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path.name}: there is no such file in {path.parent.name}/. {HINT}") from None
    except OSError as problem:
        raise DataError(f"{path.name}: the file cannot be read ({problem.strerror}).") from None
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise DataError(f"{path.name}: this is a workbook, not text. Open it and save the sheet as CSV (UTF-8).")
    if len(content) > _MOST_BYTES:
        raise DataError(f"{path.name}: the file is larger than {_MOST_BYTES // 1_000_000} MB; no list of schools is.")
    text = _decoded(content)
    if text is None or "\0" in text:
        raise DataError(f"{path.name}: the file is not text in UTF-8, UTF-16 or Windows-1252. Save it as CSV (UTF-8).")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(content: bytes) -> str | None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        order = ["utf-16"]
    elif b"\0" in content[:200]:
        order = ["utf-16-be" if content[:1] == b"\0" else "utf-16-le"]
    else:
        order = ["utf-8-sig", "cp1252"]
    for encoding in order:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _role(heading: str) -> str:
    plain = re.sub(r"[^a-z]", "", heading.lower())
    return next((role for role, known in (_HEADINGS | _BESIDE).items() if plain in known), "")


def _columns(name: str, header: list[str], has_tables: bool) -> dict[str, int]:
    """Return the place of each column that says which school a row is, or what stands beside it."""
    roles = [_role(text) for text in header]
    if has_tables and not {"urn", "laestab"} & set(roles) and not _halves(header):
        roles[0] = "unit"
    for role in ("urn", "laestab", "name", *_BESIDE):
        if roles.count(role) > 1:
            twice = [f"'{text}'" for text, found in zip(header, roles, strict=True) if found == role]
            raise DataError(f"{name}: the columns {listed(twice)} say the same of a school. Keep one of them.")
    if not {"urn", "laestab", "name", "unit"} & set(roles) and not _halves(header):
        found = listed([f"'{shortened(text, 30)}'" for text in header if text], 12)
        is_school = any(re.fullmatch(r"\d{6,7}|\d{3}/\d{4}", text) for text in header)
        lacks = " The first row is a school, and must be the headings." if is_school else ""
        raise DataError(f"{name}: no column says which school a row is; the columns found are {found}.{lacks} {HINT}")
    places = {role: place for place, role in enumerate(roles) if role}
    return places | ({} if {"urn", "laestab"} & set(roles) else _halves(header))


def _halves(header: list[str]) -> dict[str, int]:
    """Return the places of the two columns that make a LAESTAB, nothing where not just one of each is there."""
    plain = [re.sub(r"[^a-z]", "", text.lower()) for text in header]
    found = {role: [at for at, text in enumerate(plain) if text in known] for role, known in _HALVES.items()}
    return {role: places[0] for role, places in found.items()} if all(len(p) == 1 for p in found.values()) else {}


def _refuse_choices(name: str, unused: Sequence[str]) -> None:
    words = {
        text: re.sub(r"[^a-z]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()).strip() for text in unused
    }
    choices = [f"'{shortened(text, 30)}'" for text in unused if text not in _OF_GIAS and _CHOICES.search(words[text])]
    if choices:
        one = len(choices) == 1
        raise DataError(
            f"{name}: the column{'' if one else 's'} {listed(choices)} would change nothing: beside the school only "
            "`start` (its first day), `dose` and `group` (its trust or network) are read, and each school listed "
            f"counts as treated. Leave out the schools that did not take part, and delete the column"
            f"{'' if one else 's'}, or give {'it' if one else 'them'} one of these headings."
        )


def _school(number: int, row: list[str], columns: dict[str, int], width: int) -> ListedSchool:
    cells = {role: row[place] if place < len(row) else "" for role, place in columns.items()}
    if "la" in cells:
        halves = (_digits(cells[half]) for half in ("la", "estab"))
        cells["laestab"] = "/".join(half for half in halves if half)
    urn, laestab = _digits(cells.get("urn", "")), _laestab(cells.get("laestab", ""))
    start, dose = _start(cells.get("start", "")), _dose(cells.get("dose", ""))
    problem = _problem(cells, urn, laestab) or next((found for found in (start, dose) if isinstance(found, str)), "")
    if any(row[width:]):
        problem = "the row has more cells than there are headings; write a name with a separator in quotation marks"
    return ListedSchool(
        number,
        urn,
        laestab,
        cells.get("name", ""),
        problem,
        cells.get("unit", ""),
        start if isinstance(start, date) else None,
        dose if isinstance(dose, float) else float("nan"),
        cells.get("group", ""),
    )


_ISO: Final = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})([ T]00:00(:00)?)?")
_BRITISH: Final = re.compile(r"(?P<day>\d{1,2})[/.](?P<month>\d{1,2})[/.](?P<year>\d{4})( 00:00(:00)?)?")
_YEAR: Final = re.compile(r"(?P<year>\d{4})(\.0+)?")
_SCHOOL_YEAR: Final = re.compile(r"(?P<first>\d{4})[/-](\d{2})?(?P<last>\d{2})")
_WRITE_START: Final = "Write a date as 2018-02-01 or 01/02/2018, or the summer of the first school year as 2018"


def _start(text: str) -> date | str | None:
    """Return the day a cell gives, None where it is empty, else what is wrong with it.

    A year is the school year of that summer, and so its first day.
    """
    if not text:
        return None
    if (found := _YEAR.fullmatch(text)) and 1900 <= int(found["year"]) <= 2100:
        return date(int(found["year"]) - 1, 9, 1)
    school_year = _SCHOOL_YEAR.fullmatch(text)
    if school_year and (int(school_year["first"]) + 1) % 100 == int(school_year["last"]):
        return date(int(school_year["first"]), 9, 1)
    if day := _ISO.fullmatch(text) or _BRITISH.fullmatch(text):
        with suppress(ValueError):
            return date(int(day["year"]), int(day["month"]), int(day["day"]))
    return f"the start '{shortened(text, 40)}' is no date. {_WRITE_START}"


def _dose(text: str) -> float | str:
    """Return the number a cell gives, NaN where it is empty, else what is wrong with it."""
    if not text:
        return float("nan")
    with suppress(ValueError):
        number = float(text.removesuffix("%"))
        if math.isfinite(number):
            return number
    return f"the dose '{shortened(text, 40)}' is no number"


def _digits(text: str) -> str:
    """Return a whole number without what programs and people do to one: `106438.0`, `106,438`, `URN 106438`."""
    bare = re.sub(r"^(urn|no\.?|#|')[\s:]*", "", text, flags=re.IGNORECASE)
    bare = re.sub(r"\.0*$", "", bare)
    return bare.replace(",", "").replace(" ", "") if re.fullmatch(r"\d{1,3}[, ]\d{3}|\d+", bare) else bare


def _laestab(text: str) -> str:
    bare = re.sub(r"\.0*$", "", text.lstrip("'"))
    parts = re.fullmatch(r"(\d{3})\s?[/\-\\. ]?\s?(\d{4})", bare)
    return parts[1] + parts[2] if parts else bare


def _problem(cells: dict[str, str], urn: str, laestab: str) -> str:
    if re.fullmatch(r"\d{7}", _laestab(urn)) and not laestab:
        return f"'{urn}' is a LAESTAB (three digits and four), not a URN; put it under the heading LAESTAB"
    if urn and not re.fullmatch(r"\d{6}", urn):
        return f"'{shortened(cells['urn'], 40)}' is not a URN (six digits)"
    if laestab and not urn and re.fullmatch(r"\d{6}", laestab):
        return f"'{laestab}' may be a URN (six digits); put it under the heading URN"
    if laestab and not re.fullmatch(r"\d{7}", laestab):
        return f"'{shortened(cells['laestab'], 40)}' is not a LAESTAB (such as 340/2001)"
    return ""
