"""The key stage 2 performance tables of the synthetic England, one file a year, in that year's columns."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evalkit.data.synthetic.cells import (
    Bools,
    Text,
    constant,
    csv_lines,
    decimal_text,
    percent_text,
    pick,
    quoted,
    whole_text,
    write_performance_table,
)
from evalkit.data.synthetic.geography import area_name
from evalkit.data.synthetic.identity import Identities
from evalkit.data.synthetic.ks2_scores import (
    COVERAGE_NAME,
    Summer,
    attainment_cells,
    blank,
    description_cells,
    draw_summer,
    progress_cells,
    pupil_cells,
    subgroup_cells,
)
from evalkit.data.synthetic.process import OUTCOMES, SCORE_YEARS
from evalkit.data.synthetic.world import Ints, Primaries

KS2_FILES = {2017: "2016-2017", 2018: "2017-2018", 2019: "2018-2019"}
_START = "RECTYPE ALPHAIND LEA ESTAB URN SCHNAME ADDRESS1 ADDRESS2 ADDRESS3 TOWN PCODE TELNUM"
_MIDDLE = (
    "URN_AC SCHNAME_AC OPEN_AC NFTYPE ICLOSE RELDENOM AGERANGE CONFEXAM TAB15 TAB1618 TOTPUPS TPUPYEAR TELIG BELIG "
    "GELIG TKS1AVERAGE PTKS1GROUP_L PTKS1GROUP_M PTKS1GROUP_H TFSM6CLA1A PTFSM6CLA1A TNotFSM6CLA1A PTEALGRP2 PTMOBN "
    "PTRWM_EXP PTRWM_HIGH READPROG READPROG_LOWER READPROG_UPPER READCOV WRITPROG WRITPROG_LOWER WRITPROG_UPPER "
    "WRITCOV MATPROG MATPROG_LOWER MATPROG_UPPER MATCOV PTREAD_EXP PTREAD_HIGH READ_AVERAGE PTGPS_EXP GPS_AVERAGE "
    "PTMAT_EXP MAT_AVERAGE PTWRITTA_EXP PTWRITTA_HIGH PTRWM_EXP_FSM6CLA1A PTRWM_EXP_NotFSM6CLA1A DIFFN_RWM_EXP "
    "READPROG_FSM6CLA1A READ_AVERAGE_FSM6CLA1A"
)
_PRIOR = (
    "PTRWM_EXP PTRWM_HIGH READPROG READPROG_LOWER READPROG_UPPER WRITPROG WRITPROG_LOWER WRITPROG_UPPER MATPROG "
    "MATPROG_LOWER MATPROG_UPPER READ_AVERAGE MAT_AVERAGE"
)
_LATE = (
    "TELIG_3YR PTRWM_EXP_3YR READ_AVERAGE_3YR MAT_AVERAGE_3YR "
    "READPROG_UNADJUSTED WRITPROG_UNADJUSTED MATPROG_UNADJUSTED"
)


def _prior(year: int, *, with_pupils: bool = False) -> list[str]:
    names = (["TELIG"] if with_pupils else []) + _PRIOR.split()
    return [f"{name}_{year % 100}" for name in names]


def _described(*years: int) -> list[str]:
    return [f"{name}_DESCR_{year % 100}" for year in years for name in OUTCOMES] + [f"{n}_DESCR" for n in OUTCOMES]


KS2_HEADERS: dict[int, list[str]] = {
    2017: [*_START.split(), *_MIDDLE.split(), "PSENELSAPK", *_prior(2016)],
    2018: [
        *_START.split(), *_MIDDLE.split(), "PSENELSAPK", *_prior(2017), *_prior(2016), *_LATE.split(),
        *_described(2016, 2017),
    ],
    2019: [
        *_START.split(), "PCON_CODE", "PCON_NAME", *_MIDDLE.split(), "PSENELEK", *_prior(2018, with_pupils=True),
        *_prior(2017, with_pupils=True), *_LATE.split(), *_described(2017, 2018),
    ],
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Listing:
    """The rows of one year's table: which school each is about, and whether it is a new school's short row."""

    school: Ints
    is_new: Bools
    is_announced_academy: Bools  # the new URN of a conversion, beside the old school's row


def list_rows(schools: Primaries, identities: Identities, year: int) -> Listing:
    """Return the rows of the table of `year`, in authority order, a new academy next to the school it replaces."""
    open_now = (schools.first <= year) & (year <= schools.last)
    soon = (schools.first > year) & (schools.first - year <= 2)
    academies = np.flatnonzero((identities.switch == year) & identities.listed_twice)
    ordinary = np.flatnonzero(open_now | soon)
    school = np.concatenate([ordinary, academies])
    is_academy = np.arange(len(school)) >= len(ordinary)
    is_new = is_academy | (schools.first[school] == year + 1)
    order = np.lexsort((is_academy, school, schools.code(year)[school]))
    return Listing(school[order], is_new[order], is_academy[order])


def write_ks2(folder: Path, seed: int, schools: Primaries, identities: Identities) -> None:
    """Write the three key stage 2 tables; the 2016 scores stand in the prior-year columns of the first."""
    summers = {year: draw_summer(seed, schools, year) for year in SCORE_YEARS}
    for year, name in KS2_FILES.items():
        measures = _measures(schools, summers, year)
        listing = list_rows(schools, identities, year)
        columns = _identity_columns(schools, identities, listing, summers[year])
        columns |= {column: text[listing.school] for column, text in measures.items()}
        ordered = {column: columns[column] for column in KS2_HEADERS[year]}
        lengths = _lengths(ordered, listing, summers[year])
        lines = [*csv_lines(ordered, lengths), *_summary_rows(schools, summers[year], KS2_HEADERS[year])]
        write_performance_table(folder / "performance-tables" / "ks2" / f"{name}_england_ks2final.csv", lines)


def _measures(schools: Primaries, summers: dict[int, Summer], year: int) -> dict[str, Text]:
    """Return every measure column of the year's table, one entry a school."""
    now, keep = summers[year], year == 2017
    progress = progress_cells(schools, now, keep_zeros=keep)
    cells = {**pupil_cells(now), **attainment_cells(now, schools.special), **progress}
    cells |= subgroup_cells(now, schools, keep_zeros=keep) | description_cells(progress, schools, now)
    cells["PSENELSAPK"] = cells["PSENELEK"]
    for earlier in (year - 1, year - 2):
        if earlier in summers:
            cells |= _prior_cells(schools, summers[earlier])
    if year > 2017:
        cells |= _three_year_cells(schools, summers, year)
        for name in OUTCOMES:
            cells[f"{name}_UNADJUSTED"] = cells[name]
    return cells


def _prior_cells(schools: Primaries, summer: Summer) -> dict[str, Text]:
    """Return the columns that carry an earlier summer: the school's own, or its predecessor's, on today's row."""
    progress = progress_cells(schools, summer, keep_zeros=False)
    cells = {**pupil_cells(summer), **attainment_cells(summer, schools.special), **progress}
    cells |= description_cells(progress, schools, summer)
    return {f"{name}_{summer.year % 100}": text for name, text in cells.items()}


def _three_year_cells(schools: Primaries, summers: dict[int, Summer], year: int) -> dict[str, Text]:
    """Return the three-year columns: NA where a year is missing, SUPP where the pupils are few."""
    three = [summers[y] for y in (year - 2, year - 1, year)]
    pupils = np.sum([s.pupils for s in three], axis=0)
    missing = np.any([s.pupils == 0 for s in three], axis=0)
    weights = [s.pupils / np.maximum(pupils, 1) for s in three]
    means = {
        "PTRWM_EXP_3YR": percent_text(sum(w * s.shares["PTRWM_EXP"] for w, s in zip(weights, three, strict=True))),
        "READ_AVERAGE_3YR": _mean_average("READ_AVERAGE", weights, three),
        "MAT_AVERAGE_3YR": _mean_average("MAT_AVERAGE", weights, three),
    }
    coded = {name: pick(missing, "NA", pick(pupils <= 5, "SUPP", text)) for name, text in means.items()}
    return {"TELIG_3YR": pick(missing, "", whole_text(pupils)), **coded}


def _mean_average(name: str, weights: list[np.ndarray], three: list[Summer]) -> Text:
    total = sum(w * s.averages[name] for w, s in zip(weights, three, strict=True))
    return decimal_text(np.clip(total, 80, 120), 0)


def _identity_columns(schools: Primaries, identities: Identities, listing: Listing, summer: Summer) -> dict[str, Text]:
    """Return who each row is about; conversion columns stand on the row of the school that closes."""
    year, at, count = summer.year, listing.school, len(listing.school)
    academy = listing.is_announced_academy
    closing = (identities.switch[at] == year) & ~academy
    fixed = _fixed_columns(count, at, schools)
    names = np.array([quoted(name) for name in identities.name.tolist()], dtype=object)[at]
    pupils = summer.pupils[at]
    return fixed | {
        "RECTYPE": np.where(schools.special[at], "2", "1").astype(object),
        "ALPHAIND": whole_text(2 * at + 10),
        "LEA": whole_text(schools.code(year)[at]),
        "ESTAB": whole_text(np.where(academy, identities.new_estab[at], identities.estab_in(year)[at])),
        "URN": whole_text(np.where(academy, identities.new_urn[at], identities.urn_in(year)[at])),
        "SCHNAME": names,
        "URN_AC": whole_text(np.where(closing, identities.new_urn[at], 0)),
        "SCHNAME_AC": pick(closing, names, blank(count)),
        "OPEN_AC": pick(closing, whole_text(identities.opened[at]), blank(count)),
        "NFTYPE": np.where(academy, identities.new_kind[at], identities.kind_in(year)[at]),
        "ICLOSE": np.where(closing & identities.listed_twice[at], "1", "0").astype(object),
        "TOTPUPS": pick(listing.is_new, "NEW", whole_text(np.maximum(7 * pupils, 60))),
        "TPUPYEAR": whole_text(pupils),
    }


def _fixed_columns(count: int, at: Ints, schools: Primaries) -> dict[str, Text]:
    """Return address and description columns, made up and the same in every year."""
    street = np.array([f"{number} Sample Street" for number in (at % 97 + 1).tolist()], dtype=object)
    area = schools.areas.code[schools.area[at]]
    empty = blank(count)
    return {
        "ADDRESS1": street,
        "ADDRESS2": empty,
        "ADDRESS3": empty,
        "TOWN": constant("Madeville", count),
        "PCODE": np.array([f"ZZ{i % 99 + 1} {i % 9}ZZ" for i in at.tolist()], dtype=object),
        "TELNUM": constant("01632960000", count),
        "PCON_CODE": constant("E14999999", count),
        "PCON_NAME": np.array([f"Synthetic Seat {code}" for code in area.tolist()], dtype=object),
        "RELDENOM": np.where(at % 3 == 0, "Church of England", "Does not apply").astype(object),
        "AGERANGE": np.where(at % 9 == 4, "7-11", "4-11").astype(object),
        "CONFEXAM": np.where(at % 3 == 1, "R", "").astype(object),
        "TAB15": constant("0", count),
        "TAB1618": constant("0", count),
    }


def _lengths(columns: dict[str, Text], listing: Listing, summer: Summer) -> Ints:
    """Return each row's number of cells: short where new or without a cohort; 2016/17 also drops trailing blanks."""
    header = list(columns)
    lengths = np.full(len(listing.school), len(header))
    if summer.year == 2017:
        open_end = np.ones(len(lengths), dtype=bool)
        for name in reversed(header):
            open_end &= columns[name] == ""
            lengths = lengths - open_end
    lengths = np.where(summer.pupils[listing.school] == 0, header.index("TPUPYEAR") + 1, lengths)
    return np.where(listing.is_new, header.index("TOTPUPS") + 1, lengths)


def _summary_rows(schools: Primaries, summer: Summer, header: list[str]) -> list[str]:
    """Return the authorities' rows (3), then the country's: all schools (4) and state-funded schools (5)."""
    code = schools.code(summer.year)
    rows = []
    for authority in np.unique(code[summer.pupils > 0]).tolist():
        cells = {"RECTYPE": "3", "LEA": str(authority), "SCHNAME": area_name(authority)}
        rows.append(_summary_row(cells, code == authority, schools, summer, header))
    everyone = np.ones(len(schools), dtype=bool)
    for kind in ("4", "5"):
        rows.append(_summary_row({"RECTYPE": kind}, everyone, schools, summer, header))
    return rows


def _summary_row(cells: dict[str, str], chosen: Bools, schools: Primaries, summer: Summer, header: list[str]) -> str:
    """Return one aggregate row: pupil-weighted means, a single space where a cell has no meaning."""
    at = SCORE_YEARS.index(summer.year)
    weight = np.where(chosen, summer.pupils, 0)
    total = max(int(weight.sum()), 1)
    cells = cells | {"TPUPYEAR": str(total), "TELIG": str(total), "TOTPUPS": str(7 * total)}
    cells["TFSM6CLA1A"] = str(int(summer.fsm_pupils[chosen].sum()))
    cells |= {name: percent_text(np.array([weight @ s / total]))[0] for name, s in summer.shares.items()}
    cells |= {name: decimal_text(np.array([weight @ a / total]), 0)[0] for name, a in summer.averages.items()}
    if cells["RECTYPE"] == "3":
        for k, name in enumerate(OUTCOMES):
            cells[name] = decimal_text(np.array([weight @ schools.scores[:, at, k] / total]), 1)[0]
            cells[COVERAGE_NAME[name]] = percent_text(np.array([(summer.prior @ chosen) / total]))[0]
    earlier = ("_16", "_17", "_18")
    return ",".join(cells.get(name, "" if name.endswith(earlier) else " ") for name in header)
