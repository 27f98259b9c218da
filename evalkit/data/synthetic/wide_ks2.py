"""The key stage 2 tables of 2014/15, 2022/23 and 2023/24, wide: the years before and after those of `ks2`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import stream
from evalkit.core.scipy_parts import special
from evalkit.data.synthetic.cells import Text, constant, decimal_text, percent_text, pick, whole_text
from evalkit.data.synthetic.geography import area_name
from evalkit.data.synthetic.ks2 import COVERAGE_NAME, SIGMA
from evalkit.data.synthetic.later import Later, LaterSummer
from evalkit.data.synthetic.long_csv import write_columns
from evalkit.data.synthetic.world import OUTCOMES

Means = tuple[dict[str, Floats], dict[str, Floats]]
"""What the rows of areas are means of: shares, and averages."""

_FEW: Final = 5
_WHO: Final = (
    "RECTYPE LEA ESTAB URN SCHNAME ADDRESS1 TOWN PCODE TELNUM PCON_CODE PCON_NAME NFTYPE ICLOSE RELDENOM AGERANGE"
)
_PUPILS: Final = "TOTPUPS TPUPYEAR TELIG BELIG GELIG TFSM6CLA1A PTFSM6CLA1A TNotFSM6CLA1A PTNotFSM6CLA1A PSENELEK"
_RESULTS: Final = (
    "PTRWM_EXP PTRWM_HIGH READPROG READPROG_LOWER READPROG_UPPER READCOV WRITPROG WRITPROG_LOWER WRITPROG_UPPER "
    "WRITCOV MATPROG MATPROG_LOWER MATPROG_UPPER MATCOV PTREAD_EXP PTREAD_HIGH READ_AVERAGE PTGPS_EXP PTGPS_HIGH "
    "GPS_AVERAGE PTMAT_EXP PTMAT_HIGH MAT_AVERAGE PTWRITTA_EXP PTWRITTA_HIGH PTRWM_EXP_FSM6CLA1A "
    "PTRWM_EXP_NotFSM6CLA1A"
)
_LEVELS: Final = (
    "PTREADWRITTAMATX PTREADWRITTAMAT4B PTREADWRITTAMATAX PTREADX PTMATX PTGPSX PTWRITTAX PT2READ COVREAD PT2WRITTA "
    "COVWRITTA PT2MATH COVMATH TAPS AVGLEVEL OVAMEAS OLCONF OUCONF VACOV"
)
_PRIOR: Final = "TELIG PTRWM_EXP READ_AVERAGE MAT_AVERAGE"
LATER_HEADERS: Final = {
    2015: [*_WHO.split(), *_PUPILS.split(), *_LEVELS.split(), "TELIG_14", "PTREADWRITTAMATX_14", "TAPS_14"],
    **{
        year: [
            *_WHO.split(), *_PUPILS.split(), *_RESULTS.split(),
            *(f"{name}_{year % 100 - 1}" for name in _PRIOR.split()),
        ]
        for year in (2023, 2024)
    },
}  # fmt: skip
"""Columns as far as they are known: no table of these years was at hand."""


def write_wide_ks2(folder: Path, seed: int, later: Later, summers: dict[int, LaterSummer]) -> None:
    """Write the three tables; in 2022/23 progress is the last published, in 2014/15 results are levels."""
    cells = {year: _later_cells(summers[year]) for year in (2023, 2024)}
    cells[2024] |= {f"{name}_23": cells[2023][name] for name in _PRIOR.split()}
    for year in (2023, 2024):
        summer = summers[year]
        means = (summer.shares, summer.averages)
        _write(folder, later, year, summer.pupils, cells[year], means)
    pupils = later.schools.cohort[:, 0] * (later.schools.first == 2016)
    _write(folder, later, 2015, pupils, _level_cells(seed, later, pupils), ({}, {}))


def _write(folder: Path, later: Later, year: int, pupils: Ints, cells: dict[str, Text], means: Means) -> None:
    """Write one table: schools in authority order, then authorities, then England."""
    at = np.flatnonzero(later.is_open(max(year, 2016)))
    at = at[np.lexsort((at, later.code(max(year, 2014))[at]))]
    whole = _who(later, year) | {"TPUPYEAR": whole_text(pupils)} | cells
    header = LATER_HEADERS[year]
    rows = {name: whole.get(name, constant("NA", len(later)))[at] for name in header}
    totals = _totals(later, year, pupils, means)
    new = _announced(later, year, header)
    joined = {
        name: np.concatenate([rows[name], new[name], [total.get(name, " ") for total in totals]]) for name in header
    }
    path = folder / "performance-tables" / "ks2" / f"{year - 1}-{year}_england_ks2final.csv"
    write_columns(path, joined, bom=True, crlf=True)


def _announced(later: Later, year: int, header: list[str]) -> dict[str, Text]:
    """Return the rows of academies that opened since the tests: beside the old school, NEW and without results."""
    at = np.flatnonzero((later.switch == year) & (later.opened < (year + 1) * 10_000))
    known = _who(later, year + 1)
    blank = constant("", len(at))
    rows = {name: known[name][at] if name in known else blank for name in header}
    return rows | {"TOTPUPS": constant("NEW", len(at)), "ICLOSE": constant("0", len(at))}


def _who(later: Later, year: int) -> dict[str, Text]:
    """Return who each row is about."""
    count, schools = len(later), later.schools
    at = np.arange(count)
    urn = later.urn(max(year, 2016))
    return {
        "RECTYPE": np.where(schools.special, "2", "1").astype(object),
        "LEA": whole_text(later.code(year)),
        "ESTAB": whole_text(later.estab(year)),
        "URN": whole_text(urn),
        "SCHNAME": later.identities.name,
        "ADDRESS1": np.array([f"{number} Sample Street" for number in (at % 97 + 1).tolist()], dtype=object),
        "TOWN": constant("Madeville", count),
        "PCODE": np.array([f"ZZ{i % 99 + 1} {i % 9}ZZ" for i in at.tolist()], dtype=object),
        "TELNUM": constant("01632960000", count),
        "PCON_CODE": constant("E14999999", count),
        "PCON_NAME": constant("Synthetic Seat", count),
        "NFTYPE": later.kind(year),
        "ICLOSE": np.where(later.last == year, "1", "0").astype(object),
        "RELDENOM": np.where(at % 3 == 0, "Church of England", "Does not apply").astype(object),
        "AGERANGE": np.where(at % 9 == 4, "7-11", "4-11").astype(object),
        "TOTPUPS": whole_text(np.maximum(7 * schools.cohort.max(axis=1), 60)),
    }


def _coded(cells: dict[str, Text], pupils: Ints) -> dict[str, Text]:
    """Put SUPP up to five pupils and a blank where there are none."""
    few, none = pupils <= _FEW, pupils == 0
    return {name: pick(none, "", pick(few, "SUPP", text)) for name, text in cells.items()}


def _make_up(pupils: Ints, boys: Ints, disadvantaged: Ints) -> dict[str, Text]:
    filled = np.maximum(pupils, 1)
    cells = {
        "BELIG": whole_text(boys),
        "GELIG": whole_text(pupils - boys),
        "TFSM6CLA1A": whole_text(disadvantaged),
        "PTFSM6CLA1A": percent_text(disadvantaged / filled),
        "TNotFSM6CLA1A": whole_text(pupils - disadvantaged),
        "PTNotFSM6CLA1A": percent_text((pupils - disadvantaged) / filled),
        "PSENELEK": percent_text(0.10 + 0.015 * (disadvantaged % 9)),
    }
    return {"TELIG": pick(pupils == 0, "", whole_text(pupils)), **_coded(cells, pupils)}


def _later_cells(summer: LaterSummer) -> dict[str, Text]:
    """Return every measure of a summer from 2022 on, coded as published."""
    cells = {name: percent_text(share) for name, share in summer.shares.items()}
    share = summer.shares["PTRWM_EXP"]
    cells["PTRWM_EXP_NotFSM6CLA1A"] = percent_text(np.clip(share + 0.05, 0, 1))
    cells["PTRWM_EXP_FSM6CLA1A"] = pick(
        (summer.disadvantaged <= _FEW), "SUPP", percent_text(np.clip(share - 0.10, 0, 1))
    )
    for name, values in summer.averages.items():
        cells[name] = decimal_text(np.clip(values, 80.0, 120.0), 0)
    coded = _coded(cells, summer.pupils)
    coded |= _progress_cells(summer) if summer.year == 2023 else {}
    return _make_up(summer.pupils, summer.boys, summer.disadvantaged) | coded


def _progress_cells(summer: LaterSummer) -> dict[str, Text]:
    """Return each progress score, its limits and coverage, with LOWCOV where few had been tested before."""
    few = (summer.prior <= _FEW) | (summer.pupils <= _FEW)
    low = summer.prior < 0.5 * summer.pupils
    cells: dict[str, Text] = {}
    for k, name in enumerate(OUTCOMES):
        half = 1.96 * SIGMA[name][2019] / np.sqrt(np.maximum(summer.prior, 1))
        score = summer.progress[:, k]
        for column, values in {name: score, f"{name}_LOWER": score - half, f"{name}_UPPER": score + half}.items():
            cells[column] = pick(low, "LOWCOV", decimal_text(values, 1))
        cells[COVERAGE_NAME[name]] = percent_text(summer.prior / np.maximum(summer.pupils, 1))
    return {name: pick(summer.pupils == 0, "", pick(few, "SUPP", text)) for name, text in cells.items()}


def _level_cells(seed: int, later: Later, pupils: Ints) -> dict[str, Text]:
    """Return the measures of 2014/15: shares at level 4 and above, two levels' progress, value added."""
    rng, schools = stream(seed, "ks2-summer-2015"), later.schools
    noise = rng.normal(0.0, 0.35, len(later))
    of_2016 = schools.scores[:, 0, :]
    base = 1.45 - 0.02 * (schools.fsm - 26.0) + 0.18 * of_2016.mean(axis=1) + noise - 3.5 * schools.special
    offsets = {
        "PTREADWRITTAMATX": 0.0, "PTREADWRITTAMAT4B": -0.6, "PTREADWRITTAMATAX": -2.6, "PTREADX": 0.7, "PTMATX": 0.5,
        "PTGPSX": 0.1, "PTWRITTAX": 0.5, "PT2READ": 0.9, "PT2WRITTA": 1.4, "PT2MATH": 0.8, "COVREAD": 2.6,
        "COVWRITTA": 2.6, "COVMATH": 2.6, "VACOV": 2.6, "PTREADWRITTAMATX_14": -0.1,
    }  # fmt: skip
    cells = {name: percent_text(special.expit(base + offset)) for name, offset in offsets.items()}
    points: Floats = 28.6 + 1.1 * base + 0.3 * noise
    added = 100.0 + 0.45 * of_2016.mean(axis=1)
    width = 1.96 * 3.0 / np.sqrt(np.maximum(pupils, 1))
    cells |= {
        "TAPS": decimal_text(points, 1),
        "TAPS_14": decimal_text(points - 0.1, 1),
        "AVGLEVEL": np.where(points >= 30, "5C", np.where(points >= 27, "4B", "4C")).astype(object),
        "OVAMEAS": decimal_text(added, 1),
        "OLCONF": decimal_text(added - width, 1),
        "OUCONF": decimal_text(added + width, 1),
        "TELIG_14": whole_text(pupils),
    }
    boys, disadvantaged = rng.binomial(pupils, 0.51), rng.binomial(pupils, np.clip(schools.fsm * 0.0115, 0.0, 0.98))
    return _make_up(pupils, boys, disadvantaged) | _coded(cells, pupils)


def _totals(later: Later, year: int, pupils: Ints, means: Means) -> list[dict[str, str]]:
    """Return the authorities' rows (3) and the country's (4: all schools, 5: state-funded schools)."""
    code = later.code(year)
    rows = []
    for authority in np.unique(code[pupils > 0]).tolist():
        named = {"RECTYPE": "3", "LEA": str(authority), "SCHNAME": area_name(authority)}
        rows.append(named | _total(code == authority, pupils, means))
    england = _total(np.ones(len(later), dtype=bool), pupils, means)
    return [*rows, {"RECTYPE": "4"} | england, {"RECTYPE": "5"} | england]


def _total(chosen: Bools, pupils: Ints, means: Means) -> dict[str, str]:
    """Return one aggregate row: pupils and their means; the rest a space."""
    at = np.flatnonzero(chosen)
    weight, total = pupils[at], int(pupils[at].sum())
    shares, averages = means
    cells = {"TPUPYEAR": str(total), "TELIG": str(total), "TOTPUPS": str(7 * total)}
    cells |= {name: percent_text(np.array([weight @ values[at] / total]))[0] for name, values in shares.items()}
    return cells | {name: decimal_text(np.array([weight @ v[at] / total]), 0)[0] for name, v in averages.items()}
