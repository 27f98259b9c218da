"""Small projects of every kind with tables of their own, whose outcomes can be dealt anew, for tests of plans."""

from pathlib import Path

import numpy as np
import pandas as pd

YEARS, FOLLOW_UP = (2014, 2015, 2016, 2018), (2018,)

TOP = """\
schema_version: 2
slug: small
title: Schools that had coaching
question: Did scores rise in the schools that had coaching?
programme:
  {{name: Coaching, place: some areas, funder: a fund, aim: to raise scores, start: 2016-09-01, end: 2018-07-31}}
data:
  kind: synthetic
  tables:
    scores: {{file: scores.csv, unit: {unit}, period: year{area}}}{tables}
participants: {{file: participants.csv}}
exposure: {{pre: [2015, 2016], post: [2018]}}
missing: {{imputation: null, tipping: false}}
outcomes:
  - {{table: scores, column: {outcome}, role: primary, {measured}}}
analyses:
  - {{name: main, kind: {kind}, primary: true{options}}}
"""
SCORE = "label: Score, unit: points"
SCHOOLS = {
    "matched": {"options": ", covariates: [pre_outcomes], method: nearest, exact: []"},
    "staggered": {"options": ""},
    "dose": {"options": ", per: day, against: others"},
    "transitions": {
        "outcome": "grade",
        "measured": "label: Grade, unit: category, direction: lower",
        "options": ', against: others, categories: {"1": Best, "2": Good, "3": Fair, "4": Poor}',
    },
}
AREAS = {"series": {"options": ", comparison: all"}, "synthetic": {"options": ""}}
KINDS = (*SCHOOLS, *AREAS, "pupils")


def school_table(seed: int = 5, n_areas: int = 24) -> pd.DataFrame:
    """Sixteen schools in each area over four years; twelve of the first area are listed, with doses."""
    rng = np.random.default_rng(seed)
    n = n_areas * 16
    school = np.repeat(np.arange(n), len(YEARS))
    level = rng.normal(100, 4, n)[school]
    grade = np.clip(rng.integers(1, 5, n)[school] + rng.integers(-1, 2, len(school)), 1, 4)
    return pd.DataFrame(
        {
            "school": [f"s{at:04d}" for at in school],
            "la": 301 + school // 16,
            "year": np.tile(YEARS, n),
            "score": (level + rng.normal(0, 1, len(school))).round(3),
            "grade": grade,
            "is_listed": (school // 16 == 0) & (school % 16 < 12),
        }
    )


def project(folder: Path, kind: str, *, seed: int | None = None, more: str = "") -> Path:
    """Write a project of a kind and return its file; with a `seed` its outcomes after the start are dealt anew."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "pupils":
        return _pupils(folder, seed, more)
    table = school_table(n_areas=44 if kind in AREAS else 24)
    outcome = SCHOOLS.get(kind, {}).get("outcome", "score")
    listed = table.loc[table["is_listed"], ["school"]].drop_duplicates()
    unit, area = "school", ", area: la"
    if kind in AREAS:
        table = table.groupby(["la", "year"], as_index=False)["score"].mean().round(3)
        table["school"] = "a" + table["la"].astype(str)
        listed, unit, area = pd.DataFrame({"school": ["a301"]}), "school", ""
    listed = listed.assign(start="2016-09-01") if kind in ("staggered", *AREAS) else listed
    listed = listed.assign(dose=[4 + at % 5 for at in range(len(listed))]) if kind == "dose" else listed
    _dealt(table, outcome, seed).drop(columns="is_listed", errors="ignore").to_csv(folder / "scores.csv", index=False)
    listed.to_csv(folder / "participants.csv", index=False)
    said = {"outcome": outcome, "measured": SCORE, **{**SCHOOLS, **AREAS}[kind]}
    text = TOP.format(kind=kind, unit=unit, area=area, tables="", **said)
    if kind in ("staggered", *AREAS):
        text = text.replace("exposure: {pre: [2015, 2016], post: [2018]}\n", "")
    (folder / "project.yml").write_text(text + more, encoding="utf-8")
    return folder / "project.yml"


def _dealt(table: pd.DataFrame, column: str, seed: int | None) -> pd.DataFrame:
    """Return a table with the outcomes of the years after the start in another order."""
    if seed is None:
        return table
    made, after = table.copy(), table["year"].isin(FOLLOW_UP)
    made.loc[after, column] = np.random.default_rng(seed).permutation(table.loc[after, column])
    return made


def _pupils(folder: Path, seed: int | None, more: str) -> Path:
    from tests.pupil_tables import made, pupil_table

    table = _dealt(pupil_table(24, 2), "score", seed)
    path = made(folder, table, options=", covariates: [pupils.prior]")
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    return path
