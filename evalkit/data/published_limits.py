"""Published confidence limits, from which the pupil-level standard deviation can be recovered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evalkit.data.codes import parse_cells
from evalkit.data.measures import measure
from evalkit.data.performance import read_wide
from evalkit.data.sources import Sources


@dataclass(frozen=True, slots=True, eq=False)
class PublishedLimits:
    """Half-widths of the published 95% limits and the pupils they rest on, one entry per mainstream school.

    `cap_shift` is how much the cap on extreme scores moved each school's score (empty where
    the unadjusted score is not published). `scope` names the schools and the year.
    """

    half_width: NDArray[np.float64]
    pupils: NDArray[np.float64]
    cap_shift: NDArray[np.float64]
    scope: str


def read_limits(sources: Sources, code: str, year: int, names: Mapping[int, str]) -> PublishedLimits | None:
    """Return the limits of a measure in a summer; None where no wide table of that summer is at hand.

    A national table is preferred to one of a single area; `names` gives areas their names.
    """
    stage = measure(code).key_stage
    at_hand: Mapping[int, Path] = {**sources.county_tables[stage], **sources.tables[stage]}
    if year not in at_hand:
        return None
    path = at_hand[year]
    lower, upper, coverage = measure(code).limits
    pupils = measure(code).cohort
    unadjusted = f"{code}_UNADJUSTED" if stage == "KS2" else f"{code}_ORIG"
    frame = read_wide(path, [code, lower, upper, coverage, pupils], stage, optional=[unadjusted])
    frame = frame[frame["RECTYPE"] == "1"]
    numbers = {name: parse_cells(frame[name], f"{path.name}, {name}")[0] for name in frame.columns[5:]}
    half_width = (numbers[upper] - numbers[lower]) / 2
    shift = numbers[code] - numbers[unadjusted] if unadjusted in numbers else np.array([])
    area = str(frame["LEA"].iloc[0])
    if year in sources.tables[stage]:
        scope = f"the published table of England's schools, {year}"
    else:
        where = names.get(int(area), f"local authority {area}")
        scope = f"the published table of {where}'s schools, {year}, as these files hold none of all England"
    return PublishedLimits(half_width, numbers[pupils] * numbers[coverage] / 100.0, shift[np.isfinite(shift)], scope)
