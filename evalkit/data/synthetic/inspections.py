"""Ofsted's files of the synthetic England: ratings to 2020, inspections of a year, and the latest of every school."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from evalkit.core.arrays import Bools, Ints
from evalkit.core.draws import stream
from evalkit.data.synthetic.cells import Text, constant, pick, whole_text
from evalkit.data.synthetic.geography import area_name
from evalkit.data.synthetic.gias_extract import Establishments
from evalkit.data.synthetic.long_csv import write_columns
from evalkit.data.synthetic.public_codes import region_of

_RATINGS: Final = ("Outstanding", "Good", "Requires Improvement", "Inadequate")
_SHARES: Final = (0.17, 0.66, 0.14, 0.03)
_CARD: Final = ("Exceptional", "Strong standard", "Expected standard", "Needs attention", "Urgent improvement")
_CARD_SHARES: Final = (0.05, 0.30, 0.48, 0.15, 0.02)
_JUDGED: Final = (
    "Latest OEIF overall effectiveness", "Latest OEIF quality of education", "Latest OEIF behaviour and attitudes",
    "Latest OEIF personal development", "Latest OEIF effectiveness of leadership and management",
)  # fmt: skip
_AREAS: Final = (
    "Inclusion", "Curriculum and teaching", "Achievement", "Attendance and behaviour",
    "Personal development and wellbeing", "Leadership and governance",
)  # fmt: skip
_NONE: Final = "NULL"


def write_inspections(folder: Path, seed: int, every: Establishments) -> None:
    """Write the history to 2020, the management information of 2018/19, and the latest inspections in late 2025.

    No overall grade is given from September 2024 on, and report cards stand beside earlier grades from November 2025.
    """
    inspected = every.closed != 0
    at = np.flatnonzero(~inspected | (every.closed > 20180901))
    _write_history(folder, seed, every, at)
    _write_year(folder, seed, every, at)
    _write_latest(folder, seed, every, np.flatnonzero((every.closed == 0) & (every.kind != "IND")))


def _days(rng: np.random.Generator, first: int, last: int, count: int) -> Ints:
    """Return days (yyyymmdd) of the years from `first` to `last`."""
    return np.asarray(
        rng.integers(first, last + 1, count) * 10_000 + rng.integers(1, 13, count) * 100 + rng.integers(1, 29, count)
    )


def _slashed(day: Ints) -> Text:
    return np.array([f"{d % 100:02d}/{d // 100 % 100:02d}/{d // 10_000}" for d in day.tolist()], dtype=object)


def _write_history(folder: Path, seed: int, every: Establishments, at: Ints) -> None:
    """Write two ratings a school, newest first."""
    rng = stream(seed, "ofsted-history")
    blocks = []
    for first, last in ((2015, 2019), (2008, 2014)):
        rating = rng.choice(np.array(_RATINGS, dtype=object), size=len(at), p=_SHARES)
        blocks.append((every.urn[at], rating, _days(rng, first, last, len(at))))
    urn, rating, day = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    order = np.lexsort((-day, urn))
    columns = {"URN": whole_text(urn[order]), "Rating": rating[order], "Inspection Date": whole_text(day[order])}
    write_columns(folder / "ofsted" / "ofsted_ratings_history_to_2020.csv", columns)


def _who(every: Establishments, at: Ints) -> dict[str, Any]:
    distinct, place = np.unique(every.code[at], return_inverse=True)
    regions = [region_of(code)[1] for code in distinct.tolist()]
    names = [area_name(code) for code in distinct.tolist()]
    return {
        "URN": whole_text(every.urn[at]),
        "LAESTAB": whole_text(every.code[at] * 10_000 + every.estab[at]),
        "School name": every.name[at],
        "Ofsted phase": np.where(every.is_primary[at], "Primary", "Secondary").astype(object),
        "Local authority": np.array(names, dtype=object)[place],
        "Region": np.array(regions, dtype=object)[place],
        "Postcode": np.array([f"ZZ{i % 99 + 1} {i % 9}ZZ" for i in every.school[at].tolist()], dtype=object),
        "Total number of pupils": whole_text(every.pupils[at]),
    }


def _write_year(folder: Path, seed: int, every: Establishments, at: Ints) -> None:
    """Write the inspections of 2018/19: grades 1 to 4, dates with slashes."""
    rng = stream(seed, "ofsted-2019")
    some = np.sort(rng.choice(at, size=len(at) // 4, replace=False))
    day = _days(rng, 2019, 2019, len(some))
    columns = _who(every, some) | {
        "Academic year": "2018/2019",
        "Inspection number": whole_text(10_100_000 + np.arange(len(some))),
        "Inspection type": "S5 Inspection",
        "Inspection start date": _slashed(day),
        "Publication date": _slashed(day),
        "Overall effectiveness": _grade(rng, len(some)),
        "Quality of teaching, learning and assessment": _grade(rng, len(some)),
        "Effectiveness of leadership and management": _grade(rng, len(some)),
    }
    write_columns(folder / "ofsted" / "management_information_inspections_2018_19.csv", columns, encoding="cp1252")


def _grade(rng: np.random.Generator, count: int) -> Text:
    return rng.choice(np.array(["1", "2", "3", "4"], dtype=object), size=count, p=_SHARES)


def _write_latest(folder: Path, seed: int, every: Establishments, at: Ints) -> None:
    """Write the latest inspections of every open school: earlier grades, ungraded visits, and report cards."""
    rng, count = stream(seed, "ofsted-latest"), len(at)
    graded = _days(rng, 2021, 2024, count)
    visited = _days(rng, 2022, 2024, count)
    is_visited, has_card = rng.random(count) < 0.45, rng.random(count) < 0.08
    no_overall = graded >= 20240901
    columns = {"Web Link (opens in new window)": _link(every.urn[at])} | _who(every, at)
    columns |= {
        "The income deprivation affecting children index (IDACI) quintile": whole_text(rng.integers(1, 6, count)),
        "Multi-academy trust name": _trust(every, at),
        "Latest ungraded inspection number": _if(is_visited, whole_text(10_300_000 + np.arange(count))),
        "Date of latest ungraded inspection": _if(is_visited, _slashed(visited)),
        "Ungraded inspection overall outcome": _if(is_visited, constant("School remains Good", count)),
        "Inspection number of latest OEIF graded inspection": whole_text(10_200_000 + np.arange(count)),
        "Inspection start date of latest OEIF graded inspection": _slashed(graded),
        "Publication date of latest OEIF graded inspection": _slashed(graded),
    }
    columns |= {name: _grade(rng, count) for name in _JUDGED}
    columns[_JUDGED[0]] = pick(no_overall, "Not judged", columns[_JUDGED[0]])
    card = constant("10/11/2025", count)
    columns |= {
        "Latest OEIF  safeguarding is effective?": constant("Yes", count),
        "Inspection number of latest full inspection": _if(has_card, whole_text(10_400_000 + np.arange(count))),
        "Inspection start date": _if(has_card, card),
        "Publication date": _if(has_card, constant("08/12/2025", count)),
        "Safeguarding standards": _if(has_card, constant("Met", count)),
    }
    for name in _AREAS:
        columns[name] = _if(has_card, rng.choice(np.array(_CARD, dtype=object), size=count, p=_CARD_SHARES))
    path = folder / "ofsted" / "management_information_latest_inspections_2025_12_31.csv"
    write_columns(path, columns, encoding="cp1252")


def _if(condition: Bools, text: Text) -> Text:
    return pick(~condition, _NONE, text)


def _trust(every: Establishments, at: Ints) -> Text:
    trust = every.trust[at].tolist()
    return np.array([f"Synthetic Learning Trust {one - 10_000}" if one else _NONE for one in trust], dtype=object)


def _link(urn: Ints) -> Text:
    return np.array([f"https://reports.example/synthetic/{one}" for one in urn.tolist()], dtype=object)
