"""Made-up answers to an audit tool of five areas: two waves by school, with all that a survey is to find planted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import stream
from evalkit.data.synthetic.cells import Text, pick, whole_text
from evalkit.data.synthetic.long_csv import write_blocks, write_columns

POINTS: Final = {"1": "Not yet", "2": "Emerging", "3": "Developing", "4": "Established", "5": "Leading others"}
"""The points of the made-up audit tool."""
AUDIT: Final = {
    "professional": (
        "Professional characteristics",
        "Staff here expect every pupil to succeed",
        "Staff take part in learning with colleagues of other schools",
        "Staff act on what they are told about their teaching",
        "Roles and responsibilities are understood by everyone",
    ),
    "planning": (
        "Planning",
        "Lessons are planned from what pupils can already do",
        "Plans say how pupils of all abilities are to be stretched",
        "Planning is shared between departments",
        "Plans are seldom looked at again once they are written",
    ),
    "assessment": (
        "Assessment",
        "Pupils know what they need to do to improve",
        "Marking is used to change what is taught next",
        "Assessments of different teachers can be compared",
        "Pupils assess their own work and that of others",
    ),
    "learning": (
        "Learning experience",
        "Pupils work on problems that have more than one answer",
        "Technology is used where it helps pupils to learn",
        "Pupils have a say in how they learn",
        "Pupils learn outside the classroom and beyond the school",
    ),
    "climate": (
        "Climate",
        "Pupils and staff treat one another with respect",
        "Pupils feel safe in every part of the school",
        "Lessons are often lost to disruption",
        "Parents and carers are made welcome",
    ),
}
"""Name, label and items of each area; the fourth of planning and the third of climate are reversed."""
REVERSED: Final = (("planning", 3), ("climate", 2))
N_ITEMS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyTruth:
    """What is planted in made-up answers, in points of the scale before they are rounded to whole points.

    Attributes
    ----------
    change : by how much the mean of a school rises between the waves, in every area of the tool
    change_spread : standard deviation of that between schools
    between : standard deviation of schools' levels
    within : standard deviation of people in a school
    noise : standard deviation of a person's answers to the items of one area
    asked : people asked in a school, on average
    response : share who answer in each wave
    left_out : share of items that a respondent leaves out
    rater_noise : standard deviation of two outside raters' marks around what a school is like
    """

    change: float = 0.3
    change_spread: float = 0.15
    between: float = 0.35
    within: float = 0.7
    noise: float = 0.75
    asked: float = 28.0
    response: tuple[float, float] = (0.78, 0.66)
    left_out: float = 0.02
    rater_noise: float = 0.45

    @property
    def icc(self) -> float:
        """Return the intraclass correlation of an area's score before rounding: the share between schools."""
        person = self.within**2 + self.noise**2 / N_ITEMS
        return self.between**2 / (self.between**2 + person)


def columns_of(area: str) -> tuple[str, ...]:
    """Return the columns of an area's items.

    >>> columns_of("climate")
    ('climate_1', 'climate_2', 'climate_3', 'climate_4')
    """
    return tuple(f"{area}_{number}" for number in range(1, N_ITEMS + 1))


def write_audit(
    folder: Path, urns: Sequence[int] | Ints, waves: tuple[int, int], seed: int, truth: SurveyTruth | None = None
) -> None:
    """Write `audit_answers.csv`, a row for each person asked and wave, and `audit_ratings.csv`, of two outside raters.

    Whoever did not answer has a row of empty items; every person's id begins with SYN. A second wave asks other people.
    """
    held = truth or SurveyTruth()
    rng, n = stream(seed, "synthetic: audit tool"), len(urns)
    level = held.between * rng.standard_normal(n) + rng.normal(0.0, 0.15, (len(AUDIT), n)) + 3.0
    moved = held.change + held.change_spread * rng.standard_normal((len(AUDIT), n))
    size = np.maximum(rng.poisson(held.asked, n), 6)
    blocks, ratings = [], []
    for at, wave in enumerate(waves):
        now = level + at * moved
        blocks.append(_answers(rng, held, (np.array(urns), size, now), wave, held.response[at]))
        ratings += [_ratings(rng, held, (np.array(urns), now), wave, rater) for rater in (1, 2)]
    write_blocks(folder / "audit_answers.csv", blocks)
    write_blocks(folder / "audit_ratings.csv", ratings)
    write_columns(folder / "audit_items.csv", _item_list())


def _answers(
    rng: np.random.Generator, truth: SurveyTruth, schools: tuple[Ints, Ints, Floats], wave: int, response: float
) -> dict[str, Text]:
    urns, size, level = schools
    of = np.repeat(np.arange(len(urns)), size)
    n = len(of)
    answers = rng.random(n) < response
    person = truth.within * rng.standard_normal(n)
    found: dict[str, Text] = {
        "respondent": np.array([f"SYN{wave}{one:05d}" for one in range(n)], dtype=object),
        "urn": whole_text(urns[of]),
        "wave": np.full(n, str(wave), dtype=object),
        "years_in_post": whole_text(np.minimum(rng.poisson(7.0, n), 40) + 2 * answers),
    }
    for at, area in enumerate(AUDIT):
        points = level[at][of][:, None] + person[:, None] + truth.noise * rng.standard_normal((n, N_ITEMS))
        left_out = rng.random((n, N_ITEMS)) < truth.left_out
        found |= _cells(area, _rounded(area, points), left_out | ~answers[:, None])
    return found


def _ratings(
    rng: np.random.Generator, truth: SurveyTruth, schools: tuple[Ints, Floats], wave: int, rater: int
) -> dict[str, Text]:
    urns, level = schools
    n = len(urns)
    found: dict[str, Text] = {
        "rating": np.array([f"SYN{wave}{rater}{one:04d}" for one in range(n)], dtype=object),
        "rater": np.full(n, str(rater), dtype=object),
        "urn": whole_text(urns),
        "wave": np.full(n, str(wave), dtype=object),
    }
    milder = 0.15 if rater > 1 else 0.0
    for at, area in enumerate(AUDIT):
        points = level[at][:, None] + milder + truth.rater_noise * rng.standard_normal((n, N_ITEMS))
        found |= _cells(area, _rounded(area, points), np.zeros((n, N_ITEMS), dtype=bool))
    return found


def _rounded(area: str, points: Floats) -> Ints:
    whole = np.clip(np.round(points), 1, 5).astype(np.int64)
    for name, item in REVERSED:
        if name == area:
            whole[:, item] = 6 - whole[:, item]
    return whole


def _cells(area: str, points: Ints, is_empty: Bools) -> dict[str, Text]:
    return {name: pick(is_empty[:, k], "", whole_text(points[:, k])) for k, name in enumerate(columns_of(area))}


def _item_list() -> dict[str, Text]:
    rows = [
        (columns_of(area)[k], label, text, "yes" if (area, k) in REVERSED else "no")
        for area, (label, *texts) in AUDIT.items()
        for k, text in enumerate(texts)
    ]
    names = ("column", "area of the tool", "text", "reversed")
    return {name: np.array(cells, dtype=object) for name, cells in zip(names, zip(*rows, strict=True), strict=True)}
