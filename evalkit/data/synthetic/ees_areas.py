"""Area-level files of Explore Education Statistics, several rows an area, and exclusions of all levels."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import stream
from evalkit.data.synthetic.cells import Text, constant, decimal_text, pick, whole_text
from evalkit.data.synthetic.geography import Areas
from evalkit.data.synthetic.later import Later
from evalkit.data.synthetic.later_ks4 import LaterSecondaries
from evalkit.data.synthetic.long_csv import Block, write_blocks
from evalkit.data.synthetic.public_codes import ENGLAND, SPLIT, authority_cells, regions

_PERIODS: Final = {
    2019: "201819", 2020: "201920", 2021: "202021", 2022: "202122", 2023: "202223", 2024: "202324", 2025: "202425",
}  # fmt: skip
_GROUPS: Final = {"CINO at 31 March": 0.035, "CPPO at 31 March": 0.005, "CLA 12 months at 31 March": 0.008}
_PHASES: Final = {
    "Total": 1.0, "State-funded primary": 0.45, "State-funded secondary": 0.40, "Special": 0.12,
    "State-funded alternative provision school": 0.03,
}  # fmt: skip
_NAMES: Final = ("region_code", "region_name", "old_la_code", "la_name", "new_la_code")
_FEW: Final = 10


def write_ees_areas(folder: Path, seed: int, later: Later, secondaries: LaterSecondaries) -> None:
    """Write key stage 2, absence by year, by term and by week, early years, and exclusions."""
    areas = later.schools.areas
    write_blocks(folder / "ees" / "ks2_la.csv.gz", _ks2_blocks(seed, areas), bom=True)
    write_blocks(folder / "ees" / "absence_la.csv.gz", _absence_blocks(seed, areas))
    write_blocks(folder / "ees" / "absence_termly_la.csv", _term_blocks(seed, areas))
    write_blocks(folder / "ees" / "attendance_weekly_la.csv", _week_blocks(seed, areas))
    write_blocks(folder / "ees" / "eyfsp_gld_la_2013_2018.csv.gz", _early_blocks(seed, areas))
    _write_exclusions(folder, seed, later, secondaries)
    write_blocks(folder / "exclusions" / "clean_la_data.csv", _short_blocks(seed, areas), quoted=True)


def codes_of(areas: Areas, year: int) -> list[int]:
    """Return the codes of the authorities of a summer, divided counties by what they were divided into."""
    codes = [int(code) for code in areas.code]
    if year < 2019:
        codes += [835, 836, 837]
        codes.remove(838)
        codes.remove(839)
    for old, (first, new) in SPLIT.items():
        if year >= first:
            codes.remove(old)
            codes += new
    return sorted(codes)


def level_of(areas: Areas, code: int) -> float:
    """Return how far an authority stands from the mean in deprivation, in standard deviations."""
    like = {940: 928, 941: 928, 942: 909, 943: 909, 835: 838, 836: 839, 837: 839}.get(code, code)
    at = int(np.flatnonzero(areas.code == like)[0])
    return float((areas.fsm[at] - areas.fsm.mean()) / areas.fsm.std())


def _head(
    level: str, period: str, rows: list[dict[str, str]], names: tuple[str, ...] = _NAMES, **also: str
) -> dict[str, Any]:
    """Return the columns that every file begins with."""
    fixed = {"time_period": period, "time_identifier": "Academic year"} | also
    fixed |= {"geographic_level": level, "country_code": ENGLAND[0], "country_name": ENGLAND[1]}
    return fixed | {name: np.array([row.get(name, "") for row in rows], dtype=object) for name in names}


def _authorities(areas: Areas, year: int) -> tuple[list[dict[str, str]], Floats]:
    """Return who the authorities of a summer are, and how deprived."""
    codes = codes_of(areas, year)
    return [authority_cells(code) for code in codes], np.array([level_of(areas, code) for code in codes])


def _pupils(areas: Areas, year: int) -> Floats:
    """Return pupils of school age in each authority, from its number of primaries."""
    at = {int(code): number for code, number in zip(areas.code, areas.n_primaries, strict=True)}
    at |= {new: at[old] / 2 for old, (_, both) in SPLIT.items() for new in both}
    at |= {835: at[838], 836: at[839] / 2, 837: at[839] / 2}
    return np.array([480.0 * at[code] for code in codes_of(areas, year)])


def _levels(areas: Areas, year: int) -> Iterator[tuple[str, list[dict[str, str]], Floats, Floats]]:
    """Yield England, the regions and the authorities: who they are, how deprived, and how many pupils."""
    rows, deprived = _authorities(areas, year)
    pupils = _pupils(areas, year)
    yield "National", [{}], np.array([0.0]), np.array([pupils.sum()])
    own = np.array([row["region_code"] for row in rows])
    of_regions = [{"region_code": code, "region_name": name} for code, name in regions()]
    sums = np.array([pupils[own == code].sum() for code, _ in regions()])
    means = np.array([deprived[own == code].mean() for code, _ in regions()])
    yield "Regional", of_regions, means, sums
    yield "Local authority", rows, deprived, pupils


def _rounded(values: Floats, level: str) -> Ints:
    """Return counts, to the nearest ten above authorities as such tables have them."""
    unit = 1 if level == "Local authority" else 10
    return np.asarray(np.rint(values / unit), dtype=np.int64) * unit


# Key stage 2 of children in need, by authority.

_KS2_SUBJECTS: Final = {"read": 0.45, "writta": 0.40, "mat": 0.42, "rwm": 0.30, "gps": 0.43, "scita": 0.50}


def _ks2_blocks(seed: int, areas: Areas) -> Iterator[Block]:
    """Yield the rows of every year with tests; no progress where pupils were not tested before (x)."""
    for year in (2025, 2024, 2023, 2022, 2019):
        rng, levels = stream(seed, f"ees-ks2-{year}"), list(_levels(areas, year))
        for group, share in _GROUPS.items():
            for level, rows, deprived, pupils in levels:
                block = _head(level, _PERIODS[year], rows)
                block |= {"social_care_group": group, "version": "Revised" if year == 2025 else "Final"}
                eligible = _rounded(pupils / 11.0 * share * np.exp(0.3 * deprived), level)
                yield block | _ks2_cells(rng, eligible, year)


def _ks2_cells(rng: np.random.Generator, eligible: Ints, year: int) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    few = eligible <= _FEW
    for subject, share in _KS2_SUBJECTS.items():
        if year == 2019 and subject == "scita":
            share += 0.04
        met = np.minimum(np.rint(eligible * np.clip(rng.normal(share, 0.05, len(eligible)), 0.02, 0.95)), eligible)
        percent = decimal_text(100.0 * met / np.maximum(eligible, 1), 0)
        cells[f"t_{subject}_eligible_pupils"] = whole_text(eligible)
        cells[f"t_{subject}_met_expected_standard"] = pick(few, "c", whole_text(met.astype(np.int64)))
        percent = pick((met > 0) & (percent == "0"), "k", percent)
        cells[f"pt_{subject}_met_expected_standard"] = pick(few, "c", percent)
    has_progress = year in (2019, 2022, 2023)
    for subject, sd in {"read": 6.2, "writta": 5.8, "mat": 5.4}.items():
        included = np.maximum(np.rint(0.9 * eligible), 1.0)
        mean, half = rng.normal(-1.5, 1.0, len(eligible)), 1.96 * sd / np.sqrt(included)
        sums = np.array([f"{value:.2f}" for value in (mean * included).tolist()], dtype=object)
        texts = [
            whole_text(included.astype(np.int64)),
            sums,
            *(decimal_text(v, 2) for v in (mean, mean - half, mean + half)),
        ]
        mean_name = f"avg_{subject}_progress_score"
        counts = (f"t_{subject}_progress_eligible_pupils", f"t_{subject}_progress_score")
        names = (*counts, mean_name, f"{mean_name}_lower_CI", f"{mean_name}_upper_CI")
        for name, text in zip(names, texts, strict=True):
            cells[name] = pick(few, "c", text) if has_progress else "x"
    return cells


# Absence: of children in need by year, of all pupils by term and by week.


def _absence_blocks(seed: int, areas: Areas) -> Iterator[Block]:
    for year in (2025, 2024, 2023, 2022, 2021, 2019):
        rng, levels = stream(seed, f"ees-absence-{year}"), list(_levels(areas, year))
        for group, share in _GROUPS.items():
            for phase, part in _PHASES.items():
                for level, rows, deprived, pupils in levels:
                    block = _head(level, _PERIODS[year], rows)
                    block |= {
                        "absence_terms": "six half terms",
                        "social_care_group": group,
                        "phase_type_grouping": phase,
                    }
                    count = _rounded(pupils * share * part * np.exp(0.3 * deprived), level)
                    rate = 0.12 + 0.01 * deprived + 0.04 * (phase == "State-funded secondary") + 0.02 * (year > 2021)
                    yield block | _absence_cells(rng, count, rate)


def _absence_cells(rng: np.random.Generator, count: Ints, rate: Floats) -> dict[str, Any]:
    """Return sessions and persistent absentees: z where there are no such pupils, c where there are few."""
    own = np.clip(rate + rng.normal(0.0, 0.012, len(count)), 0.02, 0.9)
    possible = np.rint(count * 353.0)
    missed, allowed = np.rint(possible * own), np.rint(possible * own * 0.55)
    often, severe = np.rint(count * np.clip(2.6 * own, 0, 1)), np.rint(count * np.clip(0.55 * own - 0.02, 0, 1))
    filled, sessions = np.maximum(count, 1), np.maximum(possible, 1)
    cells = {"t_pupils": whole_text(count), "t_sess_possible": whole_text(possible.astype(np.int64))}
    for name, values in (("overall", missed), ("authorised", allowed), ("unauthorised", missed - allowed)):
        cells[f"t_sess_{name}"] = whole_text(values.astype(np.int64))
        cells[f"pt_sess_{name}" if name != "overall" else "pt_overall"] = decimal_text(100 * values / sessions, 1)
    for name, values in (("10", often), ("50", severe)):
        few = (values > 0) & (values <= 4)
        percent = pick((values > 0) & (100 * values / filled < 0.05), "k", decimal_text(100 * values / filled, 1))
        cells[f"t_pupils_pa_{name}_exact"] = pick(few, "c", whole_text(values.astype(np.int64)))
        cells[f"pt_pupils_pa_{name}_exact"] = pick(few, "c", percent)
    no_one = count == 0
    return {name: text if name == "t_pupils" else pick(no_one, "z", text) for name, text in cells.items()}


def _term_blocks(seed: int, areas: Areas) -> Iterator[Block]:
    """Yield absence of all pupils in each term of three years."""
    for year in (2023, 2024, 2025):
        levels = list(_levels(areas, year))
        for shift, term in enumerate(("Autumn term", "Spring term", "Summer term")):
            rng = stream(seed, f"ees-term-{year}-{shift}")
            for level, rows, deprived, pupils in levels:
                rate = 0.066 + 0.002 * shift + 0.007 * deprived + rng.normal(0.0, 0.002, len(rows))
                block = _head(level, _PERIODS[year], rows, time_identifier=term) | {"education_phase": "Total"}
                yield block | {
                    "enrolments": whole_text(np.rint(pupils).astype(np.int64)),
                    "sess_overall_percent": decimal_text(100 * rate, 1),
                    "enrolments_pa_10_exact_percent": decimal_text(290 * rate, 1),
                }


def _week_blocks(seed: int, areas: Areas) -> Iterator[Block]:
    """Yield attendance in twelve weeks of the autumn of 2024; a week's period is its calendar year."""
    levels = list(_levels(areas, 2025))
    for week in range(37, 49):
        rng = stream(seed, f"ees-week-{week}")
        for level, rows, deprived, _ in levels:
            absent = 0.068 + 0.0006 * (week - 37) + 0.007 * deprived + rng.normal(0.0, 0.003, len(rows))
            block = _head(level, "2024", rows, time_identifier=f"Week {week}") | {"education_phase": "Total"}
            yield block | {
                "attendance_perc": decimal_text(100 * (1 - absent), 1),
                "overall_absence_perc": decimal_text(100 * absent, 1),
                "unauthorised_absence_perc": pick(absent < 0.055, "low", decimal_text(24 * absent, 1)),
            }


# Early years: six years of two sexes, with single spaces where England's rows have no authority.


def _early_blocks(seed: int, areas: Areas) -> Iterator[Block]:
    names = ("region_code", "region_name", "old_la_code", "new_la_code", "la_name")
    for year in range(2018, 2012, -1):
        rng = stream(seed, f"ees-early-{year}")
        for level, rows, deprived, pupils in _levels(areas, year):
            lift = rng.normal(0.0, 0.015, len(rows))
            for group, sex, shift in (
                ("Total", "Total", 0.0),
                ("Gender", "Gender Female", 0.07),
                ("Gender", "Gender Male", -0.07),
            ):
                block = _head(level, f"{year - 1}{year % 100}", rows, names)
                block = {name: pick(v == "", " ", v) if name in names else v for name, v in block.items()}
                share = np.clip(0.55 + 0.03 * (year - 2013) - 0.02 * deprived + shift + lift, 0.2, 0.95)
                count = np.rint(pupils / 12.0 * (1.0 if sex == "Total" else 0.5))
                yield block | {
                    "characteristic_group": group,
                    "characteristic": sex,
                    "number_of_children": whole_text(count.astype(np.int64)),
                    "average_point_score": decimal_text(33.0 + 4.0 * (share - 0.6), 1),
                    "gld_number": whole_text(np.rint(count * share).astype(np.int64)),
                    "gld_percent": decimal_text(100 * share, 1),
                }


# Exclusions: areas 2006/07 to 2018/19, and schools of its last four years; older symbols, time_identifier first.

EXCLUSION_SCHOOL_YEARS: Final = (2016, 2017, 2018, 2019)
_EXCLUSION_NAMES: Final = ("region_code", "region_name", "old_la_code", "new_la_code", "la_name", "estab", "laestab")
_SCHOOL_TYPES: Final = {
    "Total": (1.0, 0.001, 0.048), "State-funded primary": (0.58, 0.0002, 0.012),
    "State-funded secondary": (0.40, 0.002, 0.094), "Special": (0.02, 0.0007, 0.11),
}  # fmt: skip
_ACADEMIES: Final = {
    "ACC": "Converter academy",
    "AC": "Sponsored academy",
    "F": "Free school",
    "ACCS": "Converter academy",
}
_META: Final = (
    "col_name,col_type,label,indicator_grouping,indicator_unit,filter_hint,filter_grouping_column",
    "school_type,Filter,School type,,,Filter by school type,",
    *(f"{name},Indicator,{label},,{unit},," for name, label, unit in (
        ("num_schools", "Number of schools", ""), ("headcount", "Number of pupils", ""),
        ("perm_excl", "Number of permanent exclusions", ""), ("perm_excl_rate", "Permanent exclusion rate", "%"),
        ("fixed_excl", "Number of fixed period exclusions", ""),
        ("fixed_excl_rate", "Fixed period exclusion rate", "%"),
        ("one_plus_fixed", "Pupils with one or more fixed period exclusions", ""),
        ("one_plus_fixed_rate", "Share of pupils with one or more fixed period exclusions", "%"),
    )),
)  # fmt: skip


def _write_exclusions(folder: Path, seed: int, later: Later, secondaries: LaterSecondaries) -> None:
    """Write `exclusions_by_geographic_level.zip`: the table and what its columns are."""
    table = folder / "ees" / "exclusions_by_geographic_level.csv"
    write_blocks(table, _exclusion_blocks(seed, later, secondaries), crlf=True)
    with zipfile.ZipFile(table.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        _put(archive, table.name, table.read_bytes())
        _put(archive, "exclusions_by_geographic_level.meta.csv", ("\r\n".join(_META) + "\r\n").encode("utf-8"))
    table.unlink()


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def _exclusion_blocks(seed: int, later: Later, secondaries: LaterSecondaries) -> Iterator[Block]:
    for year in EXCLUSION_SCHOOL_YEARS[::-1]:
        for schools in (later, secondaries):
            yield _school_exclusions(seed, schools, year)
    for level, year, rows, kind, cells in _area_exclusions(seed, later.schools.areas):
        yield _exclusion_head(level, year, rows, kind) | cells


def _area_exclusions(seed: int, areas: Areas) -> Iterator[tuple[str, int, list[dict[str, str]], str, dict[str, Any]]]:
    """Yield level, year, who the places are, school type and measures."""
    for year in range(2019, 2006, -1):
        rng, levels = stream(seed, f"ees-exclusions-{year}"), list(_levels(areas, year))
        for kind, (part, permanent, fixed) in _SCHOOL_TYPES.items():
            for level, rows, deprived, pupils in levels:
                count = _rounded(pupils * part, level)
                lift = np.exp(0.25 * deprived + rng.normal(0.0, 0.1, len(rows)))
                cells = _exclusion_cells(count, np.rint(count * permanent * lift), np.rint(count * fixed * lift), 1)
                yield level, year, rows, kind, cells


def _short_blocks(seed: int, areas: Areas) -> Iterator[Block]:
    """Yield the same areas in the columns of the older list by authority, regions left out."""
    names = {"one_plus_fixed_rate": "one_or_more_fixed_excl_rate"}
    for level, year, rows, kind, cells in _area_exclusions(seed, areas):
        if level != "Regional":
            place = np.array([row.get("la_name", ENGLAND[1]) for row in rows], dtype=object)
            block = {"year": f"{year - 1}{year % 100:02d}", "level": level, "la_name": place, "school_type": kind}
            yield block | {names.get(name, name): text for name, text in cells.items()}


def _exclusion_head(level: str, year: int, rows: list[dict[str, str]], kind: str) -> dict[str, Any]:
    head = _head(level, f"{year - 1}{year % 100:02d}", rows, _EXCLUSION_NAMES)
    first = {"time_identifier": head.pop("time_identifier")}
    return first | head | {"academy_type": "Total", "academy_open_date": "Total", "school_type": kind}


def _exclusion_cells(count: Ints, permanent: Floats, fixed: Floats, schools: int) -> dict[str, Any]:
    """Return counts and rates: x for one to four, a full stop where there are no pupils."""
    pupils = np.minimum(np.rint(0.5 * fixed), count)
    number = np.maximum(1, count // 380) if schools else np.ones(len(count), dtype=np.int64)
    cells: dict[str, Any] = {"num_schools": whole_text(number), "headcount": whole_text(count)}
    for name, values in (("perm_excl", permanent), ("fixed_excl", fixed), ("one_plus_fixed", pupils)):
        few = (values >= 1) & (values <= 4)
        rate = decimal_text(100 * values / np.maximum(count, 1), 2)
        cells[name] = pick(few, "x", whole_text(values.astype(np.int64)))
        cells[f"{name}_rate"] = pick(count == 0, ".", pick(few, "x", rate))
    return cells


def _school_exclusions(seed: int, schools: Later | LaterSecondaries, year: int) -> Block:
    rng = stream(seed, f"exclusions-{schools.sort}-{year}")
    at = np.flatnonzero(schools.is_open(year) & schools.is_state_funded)
    kinds, count = schools.kind(year)[at], schools.roll[at]
    _, permanent_rate, fixed_rate = _SCHOOL_TYPES[f"State-funded {schools.sort}"]
    fixed = rng.poisson(count * fixed_rate * np.exp(rng.normal(0.0, 0.7, len(at)))).astype(float)
    permanent = rng.poisson(count * permanent_rate).astype(float)
    kind = pick(schools.is_special[at], "Special", constant(f"State-funded {schools.sort}", len(at)))
    code, estab = schools.code(year)[at], schools.estab(year)[at]
    academy = np.array([_ACADEMIES.get(one, "Total") for one in kinds.tolist()], dtype=object)
    block = _exclusion_head("School", year, [], "") | _named(code)
    block |= {"estab": whole_text(estab), "laestab": whole_text(code * 10_000 + estab), "academy_type": academy}
    block |= {
        "academy_open_date": pick(academy == "Total", "Total", constant("01/09/2012", len(at))),
        "school_type": kind,
    }
    return block | _exclusion_cells(count, permanent, fixed, 0)


def _named(code: Ints) -> dict[str, Text]:
    """Return the columns that name an authority, for many rows."""
    distinct, place = np.unique(code, return_inverse=True)
    rows = [authority_cells(one) for one in distinct.tolist()]
    return {name: np.array([row[name] for row in rows], dtype=object)[place] for name in _EXCLUSION_NAMES[:5]}
