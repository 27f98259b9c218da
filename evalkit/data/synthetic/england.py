"""Write the whole synthetic England, with its neighbour workbooks: laid out and formatted as published files are."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
from openpyxl import Workbook

from evalkit.core.arrays import Floats
from evalkit.core.draws import stream
from evalkit.data.synthetic.cells import constant, csv_lines, pick, quoted, whole_text, write_gzip
from evalkit.data.synthetic.geography import TREATED_CODE, Areas, area_name, write_boundaries
from evalkit.data.synthetic.ks2 import write_ks2
from evalkit.data.synthetic.ks4 import draw_secondaries, write_ks4
from evalkit.data.synthetic.register import Identities, draw_identities, write_gias
from evalkit.data.synthetic.world import TRUE_EFFECTS, Primaries, draw_primaries
from evalkit.data.synthetic_edition import DEFAULT_SEED, GENERATOR_VERSION

# The two statistical-neighbour workbooks, as the Department lays them out, with bytes that repeat.

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
    distance = np.linalg.norm(np.array([spots[other] for other in others]) - spots[code], axis=1)
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


# Write the whole synthetic England: one folder, laid out and formatted as the published files are.

_RATINGS = ("Good", "", "Outstanding", "Requires Improvement", "Inadequate")
_SHARES = (0.60, 0.16, 0.14, 0.08, 0.02)  # as in the real file


def write_covariates(folder: Path, seed: int, schools: Primaries, identities: Identities) -> None:
    """Write one row a school, keyed by the oldest URN of its one-to-one chain."""
    rng = stream(seed, "covariates")
    count = len(schools)
    absent = rng.random(count) < 0.02
    rating = rng.choice(np.array(_RATINGS, dtype=object), size=count, p=_SHARES)
    year, month, day = rng.integers(2012, 2018, count), rng.integers(1, 13, count), rng.integers(1, 29, count)
    dates = 10_000 * year + 100 * month + day
    empty = constant("", count)
    roll = np.rint(7.0 * np.maximum(schools.cohort.mean(axis=1), 5.0))
    columns = {
        "SCHOOL_ID": whole_text(identities.oldest()),
        "LA": whole_text(schools.code(2018)),
        "SCHNAME": np.array([quoted(name) for name in identities.name.tolist()], dtype=object),
        "FSM6_PCT_2223": pick(absent, "", np.array([f"{x:.1f}" for x in schools.fsm.tolist()], dtype=object)),
        "NOR_2223": pick(absent, "", np.array([f"{x:.1f}" for x in roll.tolist()], dtype=object)),
        "OFSTED_PRE_FEB2018": rating,
        "OFSTED_DATE": pick(rating == "", empty, whole_text(dates)),
    }
    order = np.argsort(identities.oldest(), kind="stable")
    sorted_columns = {name: text[order] for name, text in columns.items()}
    write_gzip(folder / "panel" / "ks2_school_covariates.csv.gz", csv_lines(sorted_columns))


# Write the whole synthetic England: one folder, laid out and formatted as the published files are.

_NOTE = (
    "Made-up schools in the Department for Education's file formats. Scores are drawn with the variation of the "
    "published England panel; the treated area was chosen for its low reading scores in 2016 and 2017, so some of its "
    "rise is regression to the mean, and the true effects were then added to its mainstream primaries: half in 2018, "
    "whole in 2019. No effect was added to secondaries."
)


def write_synthetic_england(folder: Path, seed: int = DEFAULT_SEED, scale: float = 1.0) -> None:
    """Write the synthetic England into `folder`; same seed and scale, same bytes.

    `scale` is the share of the country's schools to make (1.0: about 16,800 primaries and 3,400 secondaries).
    """
    schools = draw_primaries(seed, scale)
    identities = draw_identities(seed, schools, scale)
    secondaries = draw_secondaries(seed, schools.areas, scale)
    folder.mkdir(parents=True, exist_ok=True)
    write_ks2(folder, seed, schools, identities)
    write_ks4(folder, secondaries)
    write_gias(folder, seed, schools, identities, secondaries)
    write_neighbours(folder, seed, schools.areas)
    write_covariates(folder, seed, schools, identities)
    write_boundaries(folder, seed, schools.areas)
    _write_card(folder, seed, scale)


def _write_card(folder: Path, seed: int, scale: float) -> None:
    """Write what this folder is, last: a folder without it was not finished."""
    card = {
        "kind": "synthetic",
        "generator_version": GENERATOR_VERSION,
        "seed": seed,
        "scale": scale,
        "treated_la": TREATED_CODE,
        "treated_la_name": area_name(TREATED_CODE),
        "true_effects": TRUE_EFFECTS,
        "note": _NOTE,
    }
    (folder / "SYNTHETIC.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
