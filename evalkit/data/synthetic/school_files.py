"""Further national school files: census, absence, destinations, 16 to 18, similar schools, and what columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import stream
from evalkit.data.synthetic.cells import Text, constant, decimal_text, percent_text, pick, whole_text
from evalkit.data.synthetic.ees_schools import absence_rates
from evalkit.data.synthetic.ks2 import KS2_HEADERS
from evalkit.data.synthetic.later import Later
from evalkit.data.synthetic.later_ks4 import LaterSecondaries
from evalkit.data.synthetic.long_csv import write_blocks, write_columns

_YEAR: Final = 2023
_FOLDER: Final = "schools-2022-23"
_FEW: Final = 5
_SIMILAR_YEAR, _SIMILAR = 2025, 50


def write_school_files(folder: Path, seed: int, later: Later, secondaries: LaterSecondaries) -> None:
    """Write the files of 2022/23 as they are downloaded beside the performance tables, and those of 16 to 18."""
    _write_census(folder / _FOLDER, seed, later, secondaries)
    _write_absence(folder / _FOLDER, seed, later, secondaries)
    _write_destinations(folder / _FOLDER, seed, secondaries)
    for year in (2019, 2023):
        _write_post_16(folder / "performance-tables" / "ks5", seed, secondaries, year)
    _write_meanings(folder / "performance-tables" / "meta")
    _write_similar(folder / "similar-schools", later)


def _both(later: Later, secondaries: LaterSecondaries) -> list[tuple[Later | LaterSecondaries, Ints]]:
    """Return primaries and secondaries with which of them are open."""
    return [(schools, np.flatnonzero(schools.is_open(_YEAR))) for schools in (later, secondaries)]


def _school_type(schools: Later | LaterSecondaries) -> Text:
    names = constant(f"State-funded {schools.sort}", len(schools))
    return pick(~schools.is_state_funded, "Independent school", pick(schools.is_special, "Special school", names))


def _write_census(folder: Path, seed: int, later: Later, secondaries: LaterSecondaries) -> None:
    """Write `england_census.csv`: NA for independent schools, the country's rows keyed NAT."""
    blocks: list[Mapping[str, Any]] = []
    for schools, at in _both(later, secondaries):
        rng = stream(seed, f"census-{schools.sort}")
        roll = absence_rates(seed, schools, _YEAR)[0]
        girls = rng.binomial(roll, 0.49)
        support, plans = rng.binomial(roll, 0.13), rng.binomial(roll, 0.045)
        other, not_known = rng.binomial(roll, 0.2), rng.binomial(roll, 0.004)
        free = rng.binomial(roll, np.clip(schools.fsm * 0.009, 0, 0.98))
        ever = np.minimum(roll, free + rng.binomial(roll, 0.04))
        private = _school_type(schools) == "Independent school"
        counts = {
            "NOR": roll, "NORG": girls, "NORB": roll - girls, "PNORG": girls / roll, "PNORB": 1 - girls / roll,
            "TSENELSE": plans, "PSENELSE": plans / roll, "TSENELK": support, "PSENELK": support / roll,
            "NUMEAL": other, "NUMENGFL": roll - other - not_known, "NUMUNCFL": not_known, "PNUMEAL": other / roll,
            "PNUMENGFL": (roll - other - not_known) / roll, "PNUMUNCFL": not_known / roll, "NUMFSM": free,
            "NUMFSMEVER": ever, "NORFSMEVER": roll, "PNUMFSMEVER": ever / roll,
        }  # fmt: skip
        cells = {name: _share(v) if name.startswith("P") else whole_text(np.asarray(v)) for name, v in counts.items()}
        cells = {name: pick(private, "NA", t) if "NUM" in name or "EVER" in name else t for name, t in cells.items()}
        who = {
            "URN": whole_text(schools.urn(_YEAR)), "LA": whole_text(schools.code(_YEAR)),
            "Estab": whole_text(schools.estab(_YEAR)), "SCHOOLTYPE": _school_type(schools),
        }  # fmt: skip
        blocks.append({name: text[at] for name, text in (who | cells).items()})
        total = {name: constant("", 1) for name in (*who, *cells)} | {
            "URN": constant("NAT", 1), "Estab": constant(schools.sort[:3].upper(), 1),
            "SCHOOLTYPE": constant(f"State-funded {schools.sort}", 1),
            "NOR": constant(str(int(roll[at].sum())), 1),
            "PNUMFSMEVER": _share(np.array([ever[at].sum() / roll[at].sum()])),
        }  # fmt: skip
        blocks.append(total)
    write_blocks(folder / "england_census.csv", blocks[::2] + blocks[1::2], bom=True)


def _share(values: Floats) -> Text:
    return np.array([f"{100 * value:.1f}%" for value in values.tolist()], dtype=object)


def _write_absence(folder: Path, seed: int, later: Later, secondaries: LaterSecondaries) -> None:
    """Write `england_abs.csv`: two rates, no sign, the country's rows keyed NAT."""
    blocks = []
    for schools, at in _both(later, secondaries):
        _, rate, persistent = absence_rates(seed, schools, _YEAR)
        cells = {
            "LA": whole_text(schools.code(_YEAR)), "ESTAB": whole_text(schools.estab(_YEAR)),
            "URN": whole_text(schools.urn(_YEAR)), "PERCTOT": decimal_text(100 * rate, 1),
            "PPERSABS10": decimal_text(100 * persistent, 1),
        }  # fmt: skip
        blocks.append({name: text[at][schools.is_state_funded[at]] for name, text in cells.items()})
    for name, values in (("PRI", ("5.9", "16.2")), ("SEC", ("9", "26.5"))):
        row = {"LA": "NAT", "ESTAB": name, "URN": "", "PERCTOT": values[0], "PPERSABS10": values[1]}
        blocks.append({column: constant(text, 1) for column, text in row.items()})
    write_blocks(folder / "england_abs.csv", blocks, bom=True)


def _write_destinations(folder: Path, seed: int, later: LaterSecondaries) -> None:
    """Write `england_ks4-pupdest.csv`: where pupils went after key stage 4; SUPP below ten."""
    at = np.flatnonzero(later.is_open(_YEAR) & (later.schools.sort != "independent"))
    rng, pupils = stream(seed, "destinations"), later.pupils[2022][at]
    poor = np.rint(pupils * later.schools.fsm[at] / 100).astype(np.int64)
    stayed = np.clip(0.94 - 0.0012 * (later.schools.fsm[at] - 26) + rng.normal(0, 0.015, len(at)), 0.5, 1.0)
    columns: dict[str, Text] = {
        "RECTYPE": np.where(later.schools.sort[at] == "special", "2", "1").astype(object),
        "LEA": whole_text(later.code(_YEAR)[at]),
        "ESTAB": whole_text(later.schools.estab[at]),
        "URN": whole_text(later.urn(_YEAR)[at]),
        "ICLOSE": constant("0", len(at)),
        "SCHNAME": later.schools.name[at],
        "NFTYPE": later.kind(_YEAR)[at],
    }
    groups = (("", pupils, 0.0), ("_DIS", poor, -0.05), ("_NONDIS", pupils - poor, 0.02))
    for suffix, cohort, shift in groups:
        count = np.rint(cohort * np.clip(stayed + shift, 0, 1)).astype(np.int64)
        schooling = np.rint(count * 0.93).astype(np.int64)
        numbers = {"OVERALL_DEST": count, "EDUCATION": schooling, "NOT_SUSTAINED": cohort - count}
        columns[f"COHORT{suffix}"] = whole_text(cohort)
        few = cohort < 10
        columns |= {f"{name}{suffix}": pick(few, "SUPP", whole_text(v)) for name, v in numbers.items()}
        share = {f"{name}PER{suffix}": percent_text(v / np.maximum(cohort, 1)) for name, v in numbers.items()}
        columns |= {name: pick(few, "SUPP", text) for name, text in share.items()}
    write_columns(folder / "england_ks4-pupdest.csv", columns, bom=True, crlf=True)


def _write_post_16(folder: Path, seed: int, later: LaterSecondaries, year: int) -> None:
    """Write a table of 16 to 18 study; columns as far as they are known, no table of it was at hand."""
    sixth = (np.arange(len(later)) % 2 == 0) & (later.schools.sort != "special") & later.is_open(year)
    at = np.flatnonzero(sixth)
    rng = stream(seed, f"ks5-{year}")
    students = np.rint(later.pupils[year][at] * rng.uniform(0.3, 0.9, len(at))).astype(np.int64)
    points = np.clip(33.0 + 7.0 * later.progress[year][at] + rng.normal(0, 2.0, len(at)), 10.0, 60.0)
    grades = np.array(["D", "D+", "C-", "C", "C+", "B-", "B", "B+", "A-", "A"], dtype=object)
    few = students <= _FEW
    measures = {
        "TALLPUP_ALEV_1618": whole_text(np.rint(0.8 * students).astype(np.int64)),
        "TALLPPE_ALEV_1618": decimal_text(points, 2),
        "TALLPPEGRD_ALEV_1618": grades[np.clip((points - 20) // 3, 0, 9).astype(int)],
        "TB3PTSE": decimal_text(points + 1.2, 2),
        "PTAAB": percent_text(np.clip((points - 22) / 80, 0, 1)),
    }
    columns = {
        "RECTYPE": constant("1", len(at)), "LEA": whole_text(later.code(year)[at]),
        "ESTAB": whole_text(later.schools.estab[at]), "URN": whole_text(later.urn(year)[at]),
        "SCHNAME": later.schools.name[at], "NFTYPE": later.kind(year)[at], "TPUP1618": whole_text(students),
        **{name: pick(few, "SUPP", text) for name, text in measures.items()},
        f"TALLPPE_ALEV_1618_{year % 100 - 1}": constant("NA", len(at)),
        f"TB3PTSE_{year % 100 - 1}": constant("NA", len(at)),
    }  # fmt: skip
    write_columns(folder / f"{year - 1}-{year}_england_ks5final.csv", columns, bom=True, crlf=True)


def _write_similar(folder: Path, later: Later) -> None:
    """Write the fifty primaries most like each: next to it in deprivation; no file of this kind was at hand."""
    at = np.flatnonzero(later.is_open(_SIMILAR_YEAR) & ~later.is_special)
    order = at[np.argsort(later.fsm[at], kind="stable")]
    urn = whole_text(later.urn(_SIMILAR_YEAR)[order])
    count, half = len(order), min(_SIMILAR // 2, (len(order) - 1) // 2)
    steps = [step for near in range(1, half + 1) for step in (near, -near)]
    columns = {"URN": urn}
    columns |= {f"similar_school_{n}": urn[(np.arange(count) + step) % count] for n, step in enumerate(steps, start=1)}
    write_columns(folder / "similar_schools_2026.csv", columns)


def _write_meanings(folder: Path) -> None:
    """Write what the columns of the key stage 2 table of 2018/19 mean, as such a list comes with the tables."""
    names = KS2_HEADERS[2019]
    columns = {
        "Column": whole_text(np.arange(1, len(names) + 1)),
        "Field Name": np.array(names, dtype=object),
        "Label/Description": np.array([f"Synthetic description of {name}" for name in names], dtype=object),
    }
    write_columns(folder / "2018-2019_ks2_meta.csv", columns, crlf=True)
