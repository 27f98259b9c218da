"""The key stage 2 performance tables of the synthetic England, one file a year, suppressed as published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import stream
from evalkit.core.scipy_parts import special
from evalkit.data.synthetic.cells import (
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
from evalkit.data.synthetic.register import Identities
from evalkit.data.synthetic.world import OUTCOMES, SCORE_YEARS, Primaries

# What is published of one summer at key stage 2: cells by column name, one entry a school, suppressed as published.

# Pupil-level SD behind the published 95% limits, from two counties' tables; 2016 is set near 2017.
SIGMA = {
    "READPROG": {2016: 6.2, 2017: 6.22, 2018: 5.98, 2019: 6.17},
    "WRITPROG": {2016: 6.0, 2017: 6.04, 2018: 5.77, 2019: 5.71},
    "MATPROG": {2016: 5.6, 2017: 5.62, 2018: 5.43, 2019: 5.39},
}
COVERAGE_NAME = {"READPROG": "READCOV", "WRITPROG": "WRITCOV", "MATPROG": "MATCOV"}
_SUPPRESSED_UP_TO = 5
# SD of pupils' scaled scores within a school: with schools' own spread it makes the SD of all pupils that the published
# shares at the standards give for 2017 (7.9 in reading, 7.0 in maths), and near 8 in grammar.
WITHIN_SCHOOL_SD = {"READ": 7.4, "GPS": 7.6, "MAT": 6.4}
_STANDARDS = {"EXP": 100.0, "HIGH": 110.0}
_NATIONAL_NOT_FSM = 0.67  # share of other pupils at the expected standard, 2017


@dataclass(frozen=True, eq=False)
class Summer:
    """The numbers of one summer before anything is suppressed."""

    year: int
    pupils: Ints
    prior: Ints
    boys: Ints
    fsm_pupils: Ints
    key_stage_1: Floats
    averages: dict[str, Floats]
    shares: dict[str, Floats]


def draw_summer(seed: int, schools: Primaries, year: int) -> Summer:
    """Return one summer's cohort make-up and attainment, which follow prior attainment and progress."""
    rng = stream(seed, f"ks2-summer-{year}")
    at = SCORE_YEARS.index(year)
    pupils, count = schools.cohort[:, at], len(schools)
    key_stage_1 = 16.1 - 0.05 * (schools.fsm - 26.0) + 0.7 * rng.standard_normal(count) - 9.0 * schools.special
    reading, writing, maths = (schools.scores[:, at, k] for k in range(3))
    base = 104.0 + 0.35 * (year - 2017) + 1.1 * (key_stage_1 - 16.1)
    averages = {
        "READ_AVERAGE": base + 0.9 * reading,
        "GPS_AVERAGE": base + 1.8 + 0.5 * (reading + writing),
        "MAT_AVERAGE": base + 0.2 + 0.9 * maths,
    }
    return Summer(
        year=year,
        pupils=pupils,
        prior=schools.prior[:, at],
        boys=rng.binomial(pupils, 0.51),
        fsm_pupils=rng.binomial(pupils, np.clip(schools.fsm * 1.15 / 100.0, 0.0, 0.98)),
        key_stage_1=np.clip(key_stage_1, 1.0, 21.0),
        averages=averages,
        shares=standards_reached(averages, writing, pupils),
    )


def standards_reached(averages: dict[str, Floats], writing: Floats, pupils: Ints) -> dict[str, Floats]:
    """Return shares at the expected and the higher standard, as whole pupils.

    In a tested subject pupils are normal around their school's average; no more reach all three than reach one.
    """
    both = (averages["READ_AVERAGE"] + averages["MAT_AVERAGE"]) / 2
    logits = {
        "PTRWM_EXP": (both - 102.8) / 3,
        "PTRWM_HIGH": (both - 110.8) / 3,
        "PTWRITTA_EXP": 1.2 + writing / 3,
        "PTWRITTA_HIGH": -1.6 + writing / 3,
    }
    likely = {name: special.expit(logit) for name, logit in logits.items()}
    for subject, sd in WITHIN_SCHOOL_SD.items():
        for standard, points in _STANDARDS.items():
            likely[f"PT{subject}_{standard}"] = special.ndtr((averages[f"{subject}_AVERAGE"] - points) / sd)
    for standard in _STANDARDS:
        least = np.minimum(likely[f"PTREAD_{standard}"], likely[f"PTMAT_{standard}"])
        likely[f"PTRWM_{standard}"] = np.minimum(likely[f"PTRWM_{standard}"], least)
    filled = np.maximum(pupils, 1)
    return {name: np.rint(filled * share) / filled for name, share in likely.items()}


def progress_cells(schools: Primaries, summer: Summer, *, keep_zeros: bool) -> dict[str, Text]:
    """Return each outcome's score, limits and coverage, with SUPP, LOWCOV and NA where they would stand."""
    at = SCORE_YEARS.index(summer.year)
    cells: dict[str, Text] = {}
    for k, name in enumerate(OUTCOMES):
        score = schools.scores[:, at, k]
        half_width = 1.96 * SIGMA[name][summer.year] / np.sqrt(np.maximum(summer.prior, 1))
        limits = {name: score, f"{name}_LOWER": score - half_width, f"{name}_UPPER": score + half_width}
        for column, values in limits.items():
            cells[column] = _with_codes(decimal_text(values, 1, keep_zeros=keep_zeros), summer, name)
        coverage = percent_text(summer.prior / np.maximum(summer.pupils, 1))
        cells[COVERAGE_NAME[name]] = _with_codes(coverage, summer, name)
    return cells


def _with_codes(text: Text, summer: Summer, outcome: str) -> Text:
    """Put codes over numbers: few pupils SUPP, few of them with prior attainment LOWCOV, none NA, no cohort blank."""
    few = (summer.prior <= _SUPPRESSED_UP_TO) | (summer.pupils <= _SUPPRESSED_UP_TO)
    text = pick(summer.prior < 0.5 * summer.pupils, "LOWCOV", text) if outcome != "WRITPROG" else text
    text = pick(few, "SUPP", text)
    text = pick((summer.prior == 0) & (summer.pupils > _SUPPRESSED_UP_TO), "NA", text)
    return pick(summer.pupils == 0, "", text)


def pupil_cells(summer: Summer) -> dict[str, Text]:
    """Return the cohort's make-up: counts always for TELIG, the rest suppressed up to five pupils."""
    pupils = np.maximum(summer.pupils, 1)
    low: Floats = np.clip(0.30 - 0.05 * (summer.key_stage_1 - 14.0), 0.0, 1.0)
    rest: Floats = 1.0 - low
    cells = {
        "BELIG": whole_text(summer.boys),
        "GELIG": whole_text(summer.pupils - summer.boys),
        "TKS1AVERAGE": decimal_text(summer.key_stage_1, 1, keep_zeros=summer.year == 2017),
        "PTKS1GROUP_L": percent_text(low),
        "PTKS1GROUP_M": percent_text(rest * 0.65),
        "PTKS1GROUP_H": percent_text(rest * 0.35),
        "TFSM6CLA1A": whole_text(summer.fsm_pupils),
        "PTFSM6CLA1A": percent_text(summer.fsm_pupils / pupils),
        "TNotFSM6CLA1A": whole_text(summer.pupils - summer.fsm_pupils),
        "PTEALGRP2": percent_text(np.clip(0.16 + 0.02 * (summer.boys % 7 - 3), 0, 1)),
        "PTMOBN": percent_text(1.0 - 0.02 * (summer.boys % 8)),
        "PSENELEK": percent_text(0.10 + 0.015 * (summer.fsm_pupils % 9)),
    }
    few = summer.pupils <= _SUPPRESSED_UP_TO
    suppressed = {name: pick(few, "SUPP", text) for name, text in cells.items()}
    return {"TELIG": pick(summer.pupils == 0, "", whole_text(summer.pupils)), **suppressed}


def attainment_cells(summer: Summer, is_special: Bools) -> dict[str, Text]:
    """Return shares and scaled scores, suppressed up to five pupils; special schools often have no average."""
    cells = {name: percent_text(share) for name, share in summer.shares.items()}
    no_average = is_special & (summer.key_stage_1 < 7.0)
    for name, values in summer.averages.items():
        cells[name] = pick(no_average, "", decimal_text(np.clip(values, 80.0, 120.0), 0))
    few = summer.pupils <= _SUPPRESSED_UP_TO
    cells = {name: pick(few & (text != ""), "SUPP", text) for name, text in cells.items()}
    return {name: pick(summer.pupils == 0, "", text) for name, text in cells.items()}


def subgroup_cells(summer: Summer, schools: Primaries, *, keep_zeros: bool) -> dict[str, Text]:
    """Return disadvantaged pupils' results: SUPP for one to five, and where the complement would give them away."""
    at, pupils, fsm = SCORE_YEARS.index(summer.year), summer.pupils, summer.fsm_pupils
    share = summer.shares["PTRWM_EXP"]
    cells = {
        "PTRWM_EXP_FSM6CLA1A": percent_text(np.clip(share - 0.10, 0, 1)),
        "PTRWM_EXP_NotFSM6CLA1A": percent_text(np.clip(share + 0.05, 0, 1)),
        "DIFFN_RWM_EXP": decimal_text(100 * (np.clip(share - 0.10, 0, 1) - _NATIONAL_NOT_FSM), 0),
        "READPROG_FSM6CLA1A": decimal_text(schools.scores[:, at, 0] - 0.8, 1, keep_zeros=keep_zeros),
        "READ_AVERAGE_FSM6CLA1A": decimal_text(np.clip(summer.averages["READ_AVERAGE"] - 2, 80, 120), 0),
    }
    rest = pupils - fsm
    secondary = (fsm <= 15) & (rest >= 1) & (rest <= _SUPPRESSED_UP_TO)
    hidden = (pupils <= _SUPPRESSED_UP_TO) | ((fsm >= 1) & (fsm <= _SUPPRESSED_UP_TO)) | secondary
    cells = {name: pick(hidden, "SUPP", text) for name, text in cells.items()}
    return {
        name: text if name == "PTRWM_EXP_NotFSM6CLA1A" else pick(fsm == 0, "", text) for name, text in cells.items()
    }


def description_cells(cells: dict[str, Text], schools: Primaries, summer: Summer) -> dict[str, Text]:
    """Return the five-word description of each score as its number: 1 well above average to 5 well below."""
    at = SCORE_YEARS.index(summer.year)
    described: dict[str, Text] = {}
    for k, name in enumerate(OUTCOMES):
        score = schools.scores[:, at, k]
        half_width = 1.96 * SIGMA[name][summer.year] / np.sqrt(np.maximum(summer.prior, 1))
        above, below = score - half_width > 0, score + half_width < 0
        bands = [above & (score > 3), above, below & (score < -3), below]
        number = np.select(bands, ["1", "2", "5", "4"], "3").astype(object)
        code = np.isin(cells[name], ["SUPP", "LOWCOV", "NA", ""])
        described[f"{name}_DESCR"] = pick(code, cells[name], number)
    return described


def blank(count: int) -> Text:
    """Return empty cells."""
    return constant("", count)


# The key stage 2 performance tables of the synthetic England, one file a year, in that year's columns.

KS2_FILES = {2016: "2015-2016", 2017: "2016-2017", 2018: "2017-2018", 2019: "2018-2019"}
_START = "RECTYPE ALPHAIND LEA ESTAB URN SCHNAME ADDRESS1 ADDRESS2 ADDRESS3 TOWN PCODE TELNUM"
_MIDDLE = (
    "URN_AC SCHNAME_AC OPEN_AC NFTYPE ICLOSE RELDENOM AGERANGE CONFEXAM TAB15 TAB1618 TOTPUPS TPUPYEAR TELIG BELIG "
    "GELIG TKS1AVERAGE PTKS1GROUP_L PTKS1GROUP_M PTKS1GROUP_H TFSM6CLA1A PTFSM6CLA1A TNotFSM6CLA1A PTEALGRP2 PTMOBN "
    "PTRWM_EXP PTRWM_HIGH READPROG READPROG_LOWER READPROG_UPPER READCOV WRITPROG WRITPROG_LOWER WRITPROG_UPPER "
    "WRITCOV MATPROG MATPROG_LOWER MATPROG_UPPER MATCOV PTREAD_EXP PTREAD_HIGH READ_AVERAGE PTGPS_EXP PTGPS_HIGH "
    "GPS_AVERAGE PTMAT_EXP PTMAT_HIGH MAT_AVERAGE PTWRITTA_EXP PTWRITTA_HIGH PTRWM_EXP_FSM6CLA1A "
    "PTRWM_EXP_NotFSM6CLA1A DIFFN_RWM_EXP READPROG_FSM6CLA1A READ_AVERAGE_FSM6CLA1A"
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
    # the layout of 2016/17 without earlier years: no published table of 2015/16 was at hand
    2016: [*_START.split(), *_MIDDLE.split(), "PSENELSAPK"],
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
class KS2Listing:
    """The rows of one year's table: which school each is about, and whether it is a new school's short row."""

    school: Ints
    is_new: Bools
    is_announced_academy: Bools  # the new URN of a conversion, beside the old school's row


def list_rows(schools: Primaries, identities: Identities, year: int) -> KS2Listing:
    """Return the rows of the table of `year`, in authority order, a new academy next to the school it replaces."""
    open_now = (schools.first <= year) & (year <= schools.last)
    soon = (schools.first > year) & (schools.first - year <= 2)
    academies = np.flatnonzero((identities.switch == year) & identities.listed_twice)
    ordinary = np.flatnonzero(open_now | soon)
    school = np.concatenate([ordinary, academies])
    is_academy = np.arange(len(school)) >= len(ordinary)
    is_new = is_academy | (schools.first[school] == year + 1)
    order = np.lexsort((is_academy, school, schools.code(year)[school]))
    return KS2Listing(school[order], is_new[order], is_academy[order])


def write_ks2(folder: Path, seed: int, schools: Primaries, identities: Identities) -> None:
    """Write the four key stage 2 tables; earlier scores stand in the prior-year columns of the later ones too."""
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


def _identity_columns(
    schools: Primaries, identities: Identities, listing: KS2Listing, summer: Summer
) -> dict[str, Text]:
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


def _lengths(columns: dict[str, Text], listing: KS2Listing, summer: Summer) -> Ints:
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
    at, own = SCORE_YEARS.index(summer.year), np.flatnonzero(chosen)
    weight = summer.pupils[own]
    total = max(int(weight.sum()), 1)
    cells = cells | {"TPUPYEAR": str(total), "TELIG": str(total), "TOTPUPS": str(7 * total)}
    cells["TFSM6CLA1A"] = str(int(summer.fsm_pupils[own].sum()))
    cells |= {name: percent_text(np.array([weight @ s[own] / total]))[0] for name, s in summer.shares.items()}
    cells |= {name: decimal_text(np.array([weight @ a[own] / total]), 0)[0] for name, a in summer.averages.items()}
    if cells["RECTYPE"] == "3":
        for k, name in enumerate(OUTCOMES):
            cells[name] = decimal_text(np.array([weight @ schools.scores[own, at, k] / total]), 1)[0]
            cells[COVERAGE_NAME[name]] = percent_text(np.array([summer.prior[own].sum() / total]))[0]
    earlier = ("_16", "_17", "_18")
    return ",".join(cells.get(name, "" if name.endswith(earlier) else " ") for name in header)
