"""The two statistical-neighbour workbooks, as the Department lays them out, with bytes that repeat."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
from openpyxl import Workbook

from evalkit.core.arrays import Floats
from evalkit.core.draws import stream
from evalkit.data.synthetic.geography import TREATED_CODE, Areas, area_name

SHEET = "LA SN Groups"
_TOP = (
    ["A", "B", "C", "D", "E", *range(3, 23)],
    list(range(1, 26)),
    ["LA num", "LA Name", "LA number", "GOInd", "GOReg", *(x for k in range(1, 11) for x in (f"SN{k}", "SNP"))],
)
_SUCCESSORS = {  # codes that came after 2019: region number, region, the authority whose character they take
    940: (1, "East Midlands", 928), 941: (1, "East Midlands", 928),
    942: (5, "North West", 909), 943: (5, "North West", 909),
}  # fmt: skip
_OLD = {835: (7, "South West", 838), 836: (7, "South West", 839), 837: (7, "South West", 839)}
_FIXED_TIME = (2026, 1, 1, 0, 0, 0)
_FIXED_STAMP = b"2026-01-01T00:00:00Z"
_DEGREES = ((0.6, "Extremely {}lose"), (1.3, "Very {}lose"), (1.9, "Close"), (2.6, "Somewhat close"))


def write_neighbours(folder: Path, seed: int, areas: Areas) -> None:
    """Write the April 2021 and the May 2025 list: alike, not the same, and both later than the tables."""
    base = _positions(areas)
    moved = {code: spot + 0.35 * stream(seed, f"moved-{code}").standard_normal(3) for code, spot in base.items()}
    late = dict(sorted(moved.items()))
    early_codes = [code for code in base if code not in (942, 943, 928, *_OLD)]
    late_codes = [code for code in late if code not in (909, 928, *_OLD)]
    early = [_row(areas, code, base, early_codes, "C") for code in early_codes]
    early += [[code, area_name(code), code, *_SUCCESSORS[code][:2], *["-"] * 20] for code in (942, 943)]
    later = [_row(areas, code, late, late_codes, "c") for code in sorted(late_codes, key=area_name)]
    for row in later:
        if row[0] == TREATED_CODE:
            row[23] = 942  # an authority that the tables of 2016 to 2019 do not have
    old_early = [_row(areas, code, base, early_codes, "C") for code in (*_OLD, 928)]
    old_later = [_row(areas, code, late, late_codes, "c") for code in (*_OLD, 928, 909)]
    write_workbook(folder / "lait" / "sn_april_2021.xlsx", early, old_early)
    write_workbook(folder / "lait" / "sn_may_2025.xlsx", later, old_later)


def _positions(areas: Areas) -> dict[int, Floats]:
    """Return where every authority, old and new, stands in what neighbours are compared on."""
    depth = (areas.fsm - areas.fsm.mean()) / areas.fsm.std()
    spots = {int(c): np.array([1.5 * depth[i], *areas.features[i]]) for i, c in enumerate(areas.code)}
    for code, (_, _, like) in {**_SUCCESSORS, **_OLD}.items():
        spots[code] = spots[like] + 0.05 * (code % 7)
    return dict(sorted(spots.items()))


def _row(areas: Areas, code: int, spots: dict[int, Floats], among: list[int], initial: str) -> list[object]:
    """Return one authority's row: its region and its ten nearest, each with a phrase for how near."""
    number, region = _region(areas, code)
    others = [other for other in among if other != code]
    distance = np.array([float(np.linalg.norm(spots[other] - spots[code])) for other in others])
    cells: list[object] = [code, area_name(code), code, number, region]
    for k in np.argsort(distance, kind="stable")[:10].tolist():
        phrase = next((text for limit, text in _DEGREES if distance[k] < limit), "Not {}lose")
        cells += [others[k], phrase.format(initial)]
    return cells


def _region(areas: Areas, code: int) -> tuple[int, str]:
    if code in _SUCCESSORS:
        return _SUCCESSORS[code][:2]
    if code in _OLD:
        return _OLD[code][:2]
    at = int(np.flatnonzero(areas.code == code)[0])
    return int(areas.region_number[at]), areas.region[at]


def write_workbook(path: Path, rows: list[list[object]], old: list[list[object]]) -> None:
    """Write one list: three header rows, the authorities, a blank row, and the lists of abolished ones."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = SHEET
    blank: list[object] = [None]
    for row in (*_TOP, *rows, blank, [None, "Old SNs:"], blank, *old):
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(repeatable(buffer.getvalue()))


def repeatable(workbook: bytes) -> bytes:
    """Return the workbook with every date that the clock put in it replaced by one fixed date."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as source, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", _FIXED_STAMP, content)
            entry = zipfile.ZipInfo(name, date_time=_FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return result.getvalue()
