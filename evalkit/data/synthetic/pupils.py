"""Made-up pupils of some schools, one row a pupil, in the plain layout for extracts of the National Pupil Database."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from evalkit.core.arrays import Ints
from evalkit.core.draws import stream
from evalkit.data.synthetic.cells import Text, constant, decimal_text, half_up, pick, whole_text
from evalkit.data.synthetic.ks2 import WITHIN_SCHOOL_SD
from evalkit.data.synthetic.later import Later, LaterSummer
from evalkit.data.synthetic.long_csv import write_blocks

_SCHOOLS: Final = 60
_YEARS: Final = (2023, 2024, 2025)
_POOR: Final = -3.0  # points of the scaled score that a disadvantaged pupil lies below the others


def write_pupils(folder: Path, seed: int, later: Later, summers: dict[int, LaterSummer]) -> None:
    """Write the pupils of sixty primaries, half of them in the programme of 2023 to 2025; every id begins with SYN.

    A school's pupils are spread around the averages that its tables are drawn from, so the programme's effects are in.
    """
    rng = stream(seed, "pupils")
    free = np.flatnonzero(later.is_open(2025) & ~later.schools.special & ~later.is_supported)
    free = free[later.schools.fsm[free] >= np.median(later.schools.fsm)]
    supported = np.flatnonzero(later.is_supported)
    half = min(_SCHOOLS // 2, len(supported), len(free))
    chosen = [rng.choice(group, size=half, replace=False) for group in (supported, free)]
    schools = np.sort(np.concatenate(chosen))
    blocks = [_pupils(rng, later, summers[year], schools) for year in _YEARS]
    write_blocks(folder / "pupils" / "synthetic_pupils.csv", blocks)


def _pupils(rng: np.random.Generator, later: Later, summer: LaterSummer, schools: Ints) -> dict[str, Text]:
    """Return one summer's pupils of the schools."""
    of = np.repeat(schools, summer.pupils[schools])
    count = len(of)
    poor = rng.random(count) < np.clip(later.schools.fsm[of] * 0.011, 0.0, 0.98)
    ability = rng.standard_normal(count)
    share = np.bincount(of, poor, minlength=len(later))[of] / np.maximum(summer.pupils[of], 1)
    scores = {}
    for subject, sd in WITHIN_SCHOOL_SD.items():
        own = 0.8 * ability + 0.6 * rng.standard_normal(count)
        mean = summer.averages[f"{subject}_AVERAGE"][of] + _POOR * (poor - share)
        scores[subject] = np.clip(half_up(mean + sd * own, 0), 80, 120)
    absent = rng.random(count) < 0.01
    number = np.arange(count)
    code = later.code(summer.year)[of]
    return {
        "PupilMatchingRefAnonymous": np.array([f"SYN{summer.year}{one:06d}" for one in number.tolist()], dtype=object),
        "AcademicYear": constant(f"{summer.year - 1}/{summer.year % 100}", count),
        "URN": whole_text(later.urn(summer.year)[of]),
        "LAESTAB": whole_text(code * 10_000 + later.estab(summer.year)[of]),
        "LA": whole_text(code),
        "NCyearActual": constant("6", count),
        "Gender": np.where(rng.random(count) < 0.51, "M", "F").astype(object),
        "EVERFSM_6": np.where(poor, "1", "0").astype(object),
        "SENprovision": rng.choice(np.array(["N", "K", "E"], dtype=object), size=count, p=[0.81, 0.15, 0.04]),
        "LanguageGroupMajor": rng.choice(
            np.array(["1_ENG", "2_OTH", "3_UNCL"], dtype=object), size=count, p=[0.8, 0.195, 0.005]
        ),
        "KS2_READSCORE": pick(absent, "", whole_text(scores["READ"])),
        "KS2_GPSSCORE": pick(absent, "", whole_text(scores["GPS"])),
        "KS2_MATSCORE": pick(absent, "", whole_text(scores["MAT"])),
        "OverallAbsence_6HalfTerms": decimal_text(np.clip(rng.gamma(2.0, 2.6, count) + 1.5 * poor, 0.0, 90.0), 1),
    }
