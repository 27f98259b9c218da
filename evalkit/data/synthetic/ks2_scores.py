"""What is published of one summer at key stage 2: cells by column name, one entry a school, suppressed as published."""

from dataclasses import dataclass

import numpy as np

from evalkit.core.seeds import stream
from evalkit.data.synthetic.cells import Bools, Floats, Text, constant, decimal_text, percent_text, pick, whole_text
from evalkit.data.synthetic.process import OUTCOMES, SCORE_YEARS
from evalkit.data.synthetic.world import Ints, Primaries

# Pupil-level SD behind the published 95% limits, from two counties' tables; 2016 is set near 2017.
SIGMA = {
    "READPROG": {2016: 6.2, 2017: 6.22, 2018: 5.98, 2019: 6.17},
    "WRITPROG": {2016: 6.0, 2017: 6.04, 2018: 5.77, 2019: 5.71},
    "MATPROG": {2016: 5.6, 2017: 5.62, 2018: 5.43, 2019: 5.39},
}
COVERAGE_NAME = {"READPROG": "READCOV", "WRITPROG": "WRITCOV", "MATPROG": "MATCOV"}
_SUPPRESSED_UP_TO = 5
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
        shares=_shares(averages, writing, pupils),
    )


def _shares(averages: dict[str, Floats], writing: Floats, pupils: Ints) -> dict[str, Floats]:
    """Return shares at the expected and the higher standard, as whole pupils."""
    read, grammar, maths = (averages[name] for name in ("READ_AVERAGE", "GPS_AVERAGE", "MAT_AVERAGE"))
    logits = {
        "PTRWM_EXP": ((read + maths) / 2 - 102.8) / 3,
        "PTRWM_HIGH": ((read + maths) / 2 - 110.8) / 3,
        "PTREAD_EXP": (read - 101.1) / 3,
        "PTREAD_HIGH": (read - 107.0) / 3,
        "PTGPS_EXP": (grammar - 102.4) / 3,
        "PTMAT_EXP": (maths - 101.0) / 3,
        "PTWRITTA_EXP": 1.2 + writing / 3,
        "PTWRITTA_HIGH": -1.6 + writing / 3,
    }
    filled = np.maximum(pupils, 1)
    return {name: np.rint(filled / (1.0 + np.exp(-logit))) / filled for name, logit in logits.items()}


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


def attainment_cells(summer: Summer, special: Bools) -> dict[str, Text]:
    """Return shares and scaled scores, suppressed up to five pupils; special schools often have no average."""
    cells = {name: percent_text(share) for name, share in summer.shares.items()}
    no_average = special & (summer.key_stage_1 < 7.0)
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
