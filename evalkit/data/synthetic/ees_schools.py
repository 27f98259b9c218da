"""School-level files of Explore Education Statistics: long, with breakdowns, symbols and names of their own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import stream
from evalkit.data.synthetic.cells import Text, constant, decimal_text, half_up, pick, whole_text
from evalkit.data.synthetic.geography import area_name
from evalkit.data.synthetic.ks2 import SIGMA
from evalkit.data.synthetic.later import Later, LaterSummer
from evalkit.data.synthetic.later_ks4 import WITH_PROGRESS, LaterSecondaries
from evalkit.data.synthetic.long_csv import Block, noughts, write_blocks, write_columns
from evalkit.data.synthetic.long_csv import cells as made_once
from evalkit.data.synthetic.public_codes import ENGLAND, gss_codes, region_of

KS2_PERIODS: Final = {2023: "202223", 2024: "202324", 2025: "202425"}
ABSENCE_PERIODS: Final = {
    2017: "201617", 2018: "201718", 2019: "201819", 2021: "202021", 2022: "202122", 2023: "202223", 2024: "202324",
    2025: "202425",
}  # fmt: skip
_FEW: Final = 5
_RWM: Final = "Reading, writing and maths"
_SUBJECTS: Final = {  # subject: columns of its shares, of its average, and its place among the progress scores
    "Reading": ("PTREAD", "READ_AVERAGE", 0),
    "Writing": ("PTWRITTA", "", 1),
    "Maths": ("PTMAT", "MAT_AVERAGE", 2),
    "Grammar, punctuation and spelling": ("PTGPS", "GPS_AVERAGE", None),
    _RWM: ("PTRWM", "", None),
}
_PROGRESS_OF: Final = ("READPROG", "WRITPROG", "MATPROG")
_BREAKDOWNS: Final = {  # breakdown: its topic, and how its share at the expected standard differs from all pupils'
    "Boys": ("Sex", -0.04),
    "Girls": ("Sex", 0.04),
    "Disadvantaged": ("Disadvantaged status", -0.10),
    "Not known to be disadvantaged": ("Disadvantaged status", 0.05),
    "Non mobile": ("Mobility", 0.01),
}
KS2_MEASURES: Final = (
    "expected_standard_pupil_percent", "higher_standard_pupil_percent", "average_scaled_score",
    "progress_measure_score", "progress_measure_lower_conf_interval", "progress_measure_upper_conf_interval",
)  # fmt: skip
_GROUPS: Final = {
    "CY": "Local authority maintained schools", "VA": "Local authority maintained schools",
    "VC": "Local authority maintained schools", "FD": "Local authority maintained schools", "ACC": "Academies",
    "AC": "Academies", "F": "Free schools", "CYS": "Special schools", "ACCS": "Academies", "IND": "Independent schools",
}  # fmt: skip


def write_ees_schools(
    folder: Path, seed: int, later: Later, summers: dict[int, LaterSummer], secondaries: LaterSecondaries
) -> None:
    """Write key stage 2 attainment and information, key stage 4, and absence by school."""
    _write_ks2(folder, later, summers)
    _write_information(folder, later, summers[2025])
    _write_ks4(folder, secondaries)
    _write_absence(folder, seed, later, secondaries)


def head(level: str, period: str, *, identifier: str = "Academic year") -> dict[str, Any]:
    """Return the columns that every such file begins with."""
    return {
        "time_period": period,
        "time_identifier": identifier,
        "geographic_level": level,
        "country_code": ENGLAND[0],
        "country_name": ENGLAND[1],
    }


def _of_codes(code: Ints) -> dict[str, Text]:
    """Return the columns that name an authority and its region."""
    distinct, place = np.unique(code, return_inverse=True)
    codes = distinct.tolist()
    named = {
        "region_code": [region_of(one)[0] for one in codes],
        "region_name": [region_of(one)[1] for one in codes],
        "old_la_code": [str(one) for one in codes],
        "new_la_code": [gss_codes()[one] for one in codes],
        "la_name": [area_name(one) for one in codes],
    }
    return {name: np.array(cells, dtype=object)[place] for name, cells in named.items()}


def _identity(later: Later | LaterSecondaries, year: int) -> dict[str, Text]:
    """Return who each school is in a year, one entry a school."""
    code = later.code(year)
    kinds = later.kind(year)
    return _of_codes(code) | {
        "school_urn": whole_text(later.urn(year)),
        "school_laestab": whole_text(code * 10_000 + later.estab(year)),
        "school_name": later.name,
        "establishment_type_group": np.array([_GROUPS[kind] for kind in kinds.tolist()], dtype=object),
    }


# Key stage 2, one row a school, year, subject and breakdown.


def _write_ks2(folder: Path, later: Later, summers: dict[int, LaterSummer]) -> None:
    """Write `ks2_school_attainment_data.csv.gz`: schools, then authorities and England for all pupils."""
    schools = (block for year in KS2_PERIODS for block in _ks2_blocks(later, summers, year))
    areas = (block for year in KS2_PERIODS for block in _ks2_areas(later, summers[year]))
    write_blocks(folder / "ees" / "ks2_school_attainment_data.csv.gz", chain(schools, areas), bom=True)


def _ks2_blocks(later: Later, summers: dict[int, LaterSummer], year: int) -> Iterator[Block]:
    """Yield the rows of one year, breakdown by breakdown."""
    summer = summers[year]
    is_there = np.flatnonzero(summer.pupils > 0)
    identity = {name: made_once(text[is_there]) for name, text in _identity(later, year).items()}
    for subject in _SUBJECTS:
        cells = _ks2_cells(summer, subject)
        yield _ks2_block(identity, year, ("All pupils", "Total", subject), {k: v[is_there] for k, v in cells.items()})
    for breakdown, (topic, _) in _BREAKDOWNS.items():
        for subject in (_RWM, "Reading") if breakdown.endswith("isadvantaged") else (_RWM,):
            cells = {k: v[is_there] for k, v in _breakdown_cells(summer, subject, breakdown).items()}
            yield _ks2_block(identity, year, (topic, breakdown, subject), cells)
    if year == max(KS2_PERIODS):
        cells = {k: v[is_there] for k, v in _three_years(summers).items()}
        yield _ks2_block(identity, year, ("3 year average", "3 year average", _RWM), cells)


def _ks2_block(
    identity: Block, year: int, filters: tuple[str, str, str], cells: dict[str, Text], level: str = "School"
) -> Block:
    names = ("old_la_code", "new_la_code", "la_name", "school_urn", "school_laestab", "school_name")
    block = head(level, KS2_PERIODS[year])
    block |= {name: identity.get(name, "") for name in names}
    block["version"] = "Final" if year < 2025 else "Revised"
    block["establishment_type_group"] = identity.get("establishment_type_group", "All schools")
    block |= dict(zip(("breakdown_topic", "breakdown", "subject"), filters, strict=True))
    return block | {name: cells.get(name, "z") for name in KS2_MEASURES}


def _ks2_cells(summer: LaterSummer, subject: str) -> dict[str, Text]:
    """Return one subject's columns for all pupils: c for up to five, z where the subject has no such measure."""
    share, average, place = _SUBJECTS[subject]
    cells = {
        KS2_MEASURES[0]: _percent(summer.shares[f"{share}_EXP"]),
        KS2_MEASURES[1]: _percent(summer.shares[f"{share}_HIGH"]),
    }
    if average:
        cells[KS2_MEASURES[2]] = decimal_text(np.clip(summer.averages[average], 80.0, 120.0), 0)
    cells = {name: pick(summer.pupils <= _FEW, "c", text) for name, text in cells.items()}
    if place is not None and summer.year == 2023:
        cells |= _progress(summer, place)
    return cells


def _progress(summer: LaterSummer, place: int) -> dict[str, Text]:
    score = summer.progress[:, place]
    half = 1.96 * SIGMA[_PROGRESS_OF[place]][2019] / np.sqrt(np.maximum(summer.prior, 1))
    texts = [decimal_text(values, 1) for values in (score, score - half, score + half)]
    low = summer.prior < 0.5 * summer.pupils
    few = summer.prior <= _FEW
    return {name: pick(few, "c", pick(low, "x", text)) for name, text in zip(KS2_MEASURES[3:], texts, strict=True)}


def _breakdown_cells(summer: LaterSummer, subject: str, breakdown: str) -> dict[str, Text]:
    """Return one breakdown's columns: c for one to five pupils and where the others would give them away."""
    share, average, _ = _SUBJECTS[subject]
    own = _of_breakdown(summer, breakdown)
    shift, rest = _BREAKDOWNS[breakdown][1], summer.pupils - own
    cells = {
        KS2_MEASURES[0]: _whole_pupils(summer.shares[f"{share}_EXP"] + shift, own),
        KS2_MEASURES[1]: _whole_pupils(summer.shares[f"{share}_HIGH"] + shift / 2, own),
    }
    if average:
        cells[KS2_MEASURES[2]] = decimal_text(np.clip(summer.averages[average] + 20 * shift, 80.0, 120.0), 0)
    hidden = (summer.pupils <= _FEW) | ((own >= 1) & (own <= _FEW)) | ((own <= 15) & (rest >= 1) & (rest <= _FEW))
    return {name: pick(own == 0, "z", pick(hidden, "c", text)) for name, text in cells.items()}


def _of_breakdown(summer: LaterSummer, breakdown: str) -> Ints:
    own: dict[str, Ints] = {
        "Boys": summer.boys,
        "Girls": summer.pupils - summer.boys,
        "Disadvantaged": summer.disadvantaged,
        "Not known to be disadvantaged": summer.pupils - summer.disadvantaged,
        "Non mobile": np.maximum(summer.pupils - summer.boys % 4, 0),
    }
    return own[breakdown]


def _three_years(summers: dict[int, LaterSummer]) -> dict[str, Text]:
    three = [summers[year] for year in KS2_PERIODS]
    pupils = np.sum([summer.pupils for summer in three], axis=0)
    cells = {}
    for name, column in zip(KS2_MEASURES[:2], ("PTRWM_EXP", "PTRWM_HIGH"), strict=True):
        total = np.sum([summer.pupils * summer.shares[column] for summer in three], axis=0)
        cells[name] = pick(pupils <= _FEW, "c", _percent(total / np.maximum(pupils, 1)))
    return cells


def _percent(share: Floats) -> Text:
    return np.array([str(i) for i in range(101)], dtype=object)[np.clip(half_up(share, 2), 0, 100)]


def _whole_pupils(share: Floats, pupils: Ints) -> Text:
    filled = np.maximum(pupils, 1)
    return _percent(np.rint(np.clip(share, 0.0, 1.0) * filled) / filled)


def _ks2_areas(later: Later, summer: LaterSummer) -> Iterator[Block]:
    """Yield the rows of authorities and of England, all pupils."""
    code = later.code(summer.year)
    distinct, place = np.unique(code[summer.pupils > 0], return_inverse=True)
    weight = summer.pupils[summer.pupils > 0]
    total = np.bincount(place, weight)
    for level, identity in (("Local authority", _of_codes(distinct)), ("National", {"la_name": made_once([""])})):
        for subject, (share, average, _) in _SUBJECTS.items():
            cells = {}
            columns = (summer.shares[f"{share}_EXP"], summer.shares[f"{share}_HIGH"], summer.averages.get(average))
            for name, values in zip(KS2_MEASURES[:3], columns, strict=True):
                if values is None:
                    continue
                sums = np.bincount(place, weight * values[summer.pupils > 0])
                mean = sums / total if level != "National" else np.array([sums.sum() / total.sum()])
                cells[name] = decimal_text(mean, 0) if name == KS2_MEASURES[2] else _percent(mean)
            yield _ks2_block(identity, summer.year, ("All pupils", "Total", subject), cells, level)


def _write_information(folder: Path, later: Later, summer: LaterSummer) -> None:
    """Write `ks2_school_information_data.csv`: who was tested in 2024/25; all text is quoted."""
    at = np.flatnonzero(summer.pupils > 0)
    identity = {name: text[at] for name, text in _identity(later, summer.year).items()}
    pupils, boys, poor = summer.pupils[at], summer.boys[at], summer.disadvantaged[at]
    columns = head("School", "202425")
    names = ("school_laestab", "school_urn", "school_name", "old_la_code", "new_la_code", "la_name")
    columns |= {name: identity[name] for name in names}
    columns["version"] = "Revised"
    columns["establishment_type_group"] = identity["establishment_type_group"]
    counts = {
        "telig": pupils, "belig": boys, "gelig": pupils - boys, "tfsm6cla1a": poor,
        "tealgrp2": pupils * (boys % 7) // 20,
        "tmobn": np.maximum(pupils - boys % 4, 0), "psenele": (poor % 5).astype(np.int64), "psenelk": 8 + poor % 11,
    }  # fmt: skip
    few = pupils <= _FEW
    coded = {
        name: whole_text(values) if name == "telig" else pick(few, "c", whole_text(values))
        for name, values in counts.items()
    }
    flags = {"contflag": noughts(len(at)), "iclose": noughts(len(at))}
    write_columns(folder / "ees" / "ks2_school_information_data.csv", columns | flags | coded, quoted=True)


# Key stage 4, one row a school, year and breakdown.

_KS4_BREAKDOWNS: Final = {  # breakdown: topic, its filter column, share of the pupils, points of Attainment 8
    "Total": ("Total", "", 1.0, 0.0),
    "Boys": ("Sex", "sex", 0.5, -2.5),
    "Girls": ("Sex", "sex", 0.5, 2.5),
    "Disadvantaged": ("Disadvantage status", "disadvantage_status", 0.0, -9.0),
    "Not known to be disadvantaged": ("Disadvantage status", "disadvantage_status", 0.0, 2.0),
}
_KS4_FILTERS: Final = ("sex", "disadvantage_status", "first_language", "prior_attainment", "mobility")


def _write_ks4(folder: Path, later: LaterSecondaries) -> None:
    """Write `202425_performance_tables_schools_final.csv`, with the three years that it holds."""
    blocks = (block for year in (2023, 2024, 2025) for block in _ks4_blocks(later, year))
    write_blocks(folder / "ees" / "202425_performance_tables_schools_final.csv", blocks, quoted=True)


def _ks4_blocks(later: LaterSecondaries, year: int) -> Iterator[Block]:
    at = np.flatnonzero(later.is_open(year))
    identity = {name: text[at] for name, text in _identity(later, year).items()}
    names = ("school_laestab", "school_urn", "school_name", "old_la_code", "new_la_code", "la_name")
    for breakdown, (topic, column, _, _) in _KS4_BREAKDOWNS.items():
        block = head("School", KS2_PERIODS[year]) | {name: identity[name] for name in names}
        block |= {"version": "Final", "establishment_type_group": identity["establishment_type_group"]}
        block |= {"breakdown_topic": topic, "breakdown": breakdown}
        block |= {name: breakdown if name == column else "Total" for name in _KS4_FILTERS}
        yield block | {name: text[at] for name, text in _ks4_cells(later, year, breakdown).items()}


def _ks4_cells(later: LaterSecondaries, year: int, breakdown: str) -> dict[str, Text]:
    """Return the measures of a breakdown: c for one to five pupils, z where none are or the year has no progress."""
    _, _, part, points = _KS4_BREAKDOWNS[breakdown]
    pupils, poor = later.pupils[year], later.schools.fsm / 100.0
    part_of = {"Disadvantaged": poor, "Not known to be disadvantaged": 1.0 - poor}.get(
        breakdown, np.full(len(poor), part)
    )
    own = np.rint(pupils * part_of).astype(np.int64)
    attainment = np.clip(later.attainment(year) + points, 0.0, 90.0)
    chance = {"engmath_95": 49.0, "engmath_94": 41.0, "ebacc_entering": 51.0}
    cells = {"attainment8_sum": _sums(attainment * own), "attainment8_average": decimal_text(attainment, 1)}
    for name, bar in chance.items():
        share = 1 / (1 + np.exp(-(attainment - bar) / 8.5))
        cells[f"{name}_total"] = whole_text(np.rint(share * own).astype(np.int64))
        cells[f"{name}_percent"] = decimal_text(100 * np.rint(share * own) / np.maximum(own, 1), 1)
    cells["ebacc_aps_average"] = decimal_text(attainment * 0.087, 2)
    cells |= _ks4_progress(later, year, own, points / 22.0)
    private = later.schools.sort == "independent"
    cells = {name: pick(own == 0, "z", pick(own <= _FEW, "c", text)) for name, text in cells.items()}
    hide = private & (breakdown != "Total")
    return {"pupil_count": whole_text(own), **{name: pick(hide, "z", text) for name, text in cells.items()}}


def _ks4_progress(later: LaterSecondaries, year: int, own: Ints, shift: float) -> dict[str, Text]:
    names = ("pupil_count", "sum", "average", "lower_95_ci", "upper_95_ci")
    if year not in WITH_PROGRESS:
        return {f"progress8_{name}": constant("z", len(own)) for name in names}
    included = np.maximum(1, np.rint(0.95 * own)).astype(np.int64)
    score, half = later.progress[year] + shift, 1.96 * 1.27 / np.sqrt(included)
    values = (score * included, score, score - half, score + half)
    texts = [whole_text(included), _sums(values[0]), *(decimal_text(numbers, 2) for numbers in values[1:])]
    private = later.schools.sort == "independent"
    return {f"progress8_{name}": pick(private, "z", text) for name, text in zip(names, texts, strict=True)}


def _sums(values: Floats) -> Text:
    return np.array([f"{value:.2f}" for value in values.tolist()], dtype=object)


# Absence, one row a school and year.

_SINCE_2020: Final = {2021: -0.3, 2022: 2.2, 2023: 2.4, 2024: 2.0, 2025: 1.8}  # points above the rate of before


def absence_rates(seed: int, later: Later | LaterSecondaries, year: int) -> tuple[Ints, Floats, Floats]:
    """Return pupils enrolled, the rate of sessions missed and the share of persistent absentees of each school."""
    rng, count = stream(seed, f"absence-{later.sort}-{year}"), len(later)
    lasting = stream(seed, f"absence-{later.sort}").normal(0.0, 0.12, count)
    level = (4.0 if later.sort == "primary" else 5.4) + _SINCE_2020.get(year, 0.0)
    rate = level * np.exp(0.012 * (later.fsm - 26.0) + lasting + rng.normal(0.0, 0.06, count)) + 4.5 * later.is_special
    enrolled = np.maximum(8, later.roll + rng.integers(-4, 5, count))
    persistent = np.clip(2.35 * rate - 0.3, 0.5, 95.0) / 100.0
    return enrolled, rate / 100.0, persistent


def _write_absence(folder: Path, seed: int, later: Later, secondaries: LaterSecondaries) -> None:
    """Write `1a_absence_3term_school.csv`: state-funded schools, each year of three terms."""
    blocks = (
        {
            name: text if isinstance(text, str) else text[at]
            for name, text in _absence_block(seed, schools, year).items()
        }
        for year in ABSENCE_PERIODS
        for schools in (later, secondaries)
        if len(at := np.flatnonzero(schools.is_open(year) & schools.is_state_funded))
    )
    write_blocks(folder / "ees" / "1a_absence_3term_school.csv", blocks)


def _absence_block(seed: int, schools: Later | LaterSecondaries, year: int) -> dict[str, Any]:
    identity, count = _identity(schools, year), len(schools)
    enrolled, rate, persistent = absence_rates(seed, schools, year)
    sessions = enrolled * 370
    missed = np.rint(sessions * rate).astype(np.int64)
    allowed = np.rint(missed * 0.72).astype(np.int64)
    often = np.rint(enrolled * persistent).astype(np.int64)
    severe = np.rint(enrolled * persistent * 0.09).astype(np.int64)
    phase = constant(f"State-funded {schools.sort}", count)
    counts = {
        "enrolments": enrolled, "sess_possible": sessions, "sess_overall": missed, "sess_authorised": allowed,
        "sess_unauthorised": missed - allowed, "enrolments_pa_10_exact": often, "enrolments_pa_50_exact": severe,
    }  # fmt: skip
    shares = {
        f"{name}_percent": 100 * counts[name] / sessions
        for name in ("sess_overall", "sess_authorised", "sess_unauthorised")
    }
    shares |= {f"{n}_percent": 100 * counts[n] / enrolled for n in ("enrolments_pa_10_exact", "enrolments_pa_50_exact")}
    cells = {name: whole_text(values) for name, values in counts.items()}
    cells |= {name: decimal_text(values, 1) for name, values in shares.items()}
    few = enrolled <= 10
    block = head("School", ABSENCE_PERIODS[year])
    block |= {name: identity[name] for name in ("region_code", "region_name", "old_la_code", "new_la_code", "la_name")}
    block |= {name: identity[name] for name in ("school_urn", "school_laestab", "school_name")}
    block["education_phase"] = pick(schools.is_special, "Special", phase)
    block["num_schools"] = "1"
    return block | {name: text if name == "enrolments" else pick(few, "c", text) for name, text in cells.items()}
