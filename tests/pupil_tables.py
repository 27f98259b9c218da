"""Made-up projects with a table of pupils, for tests of the kind `pupils`."""

from pathlib import Path

import numpy as np
import pandas as pd

EFFECT = 4.0

PROJECT = """\
schema_version: 2
slug: tutoring
title: Pupils of schools that took part
question: Did pupils of the schools that took part do better?
programme:
  name: Tutoring
  place: some areas
  funder: a fund
  aim: to raise scores
  start: 2017-09-01
  end: 2019-07-31
data:
  kind: synthetic
  tables:
    pupils: {{file: pupils.csv, unit: school, person: pupil, period: year, area: la}}
participants: {{file: participants.csv}}
outcomes:
  - {{table: pupils, column: score, label: Score, unit: points, role: primary}}
exposure: {{pre: [{pre}], post: [{post}]}}
disclosure: {{threshold: 10}}
analyses:
  - {{name: pupils, kind: pupils, primary: true{options}}}
"""


def pupil_table(n_areas, n_treated_areas, *, years=(2016, 2017, 2018), n_pupils=14, effect=EFFECT, seed=3):
    """Return other pupils each year in four schools an area, two of which take part in the treated areas from 2018."""
    rng = np.random.default_rng(seed)
    place = pd.DataFrame({"area": np.repeat(np.arange(n_areas), 4), "k": np.tile(np.arange(4), n_areas)})
    place["is_listed"] = (place["area"] < n_treated_areas) & (place["k"] < 2)
    school = np.repeat(np.arange(len(place)), len(years))
    year = np.tile(years, len(place))
    level = rng.normal(100, 4, len(place))[school] + rng.normal(0, 1.5, len(school))
    n = rng.poisson(n_pupils, len(school)) + 2
    cell = np.repeat(np.arange(len(school)), n)
    listed = place["is_listed"].to_numpy()[school[cell]]
    prior = rng.normal(0, 1, len(cell))
    score = level[cell] + 3 * prior + rng.normal(0, 6, len(cell)) + effect * (listed & (year[cell] >= 2018))
    return pd.DataFrame(
        {
            "school": [f"s{at:03d}" for at in school[cell]],
            "la": 301 + place["area"].to_numpy()[school[cell]],
            "year": year[cell],
            "pupil": [f"p{at:05d}" for at in range(len(cell))],
            "prior": prior.round(3),
            "score": score.round(2),
            "listed": listed,
        }
    )


def two_waves(n_areas, n_treated_areas, *, n_pupils=14, effect=EFFECT, lost=0.1, seed=3):
    """Return the same pupils in 2017 and, but for those lost, in 2018."""
    first = pupil_table(n_areas, n_treated_areas, years=(2017,), n_pupils=n_pupils, effect=0.0, seed=seed)
    rng = np.random.default_rng(seed + 1)
    school = pd.factorize(first["school"])[0]
    later = first.assign(year=2018)
    shock = rng.normal(0, 1, school.max() + 1)[school]
    later["score"] = 40 + 0.6 * first["score"] + shock + rng.normal(0, 4, len(first)) + effect * first["listed"]
    later["score"] = later["score"].round(2)
    return pd.concat([first, later[rng.random(len(later)) >= lost]], ignore_index=True)


def made(folder: Path, table: pd.DataFrame, *, options="", pre="2016, 2017", post="2018", order=None, text=PROJECT):
    """Write a project of a table of pupils, and return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    written = table.drop(columns="listed")
    (written if order is None else written.sample(frac=1, random_state=order)).to_csv(
        folder / "pupils.csv", index=False
    )
    table.loc[table["listed"], ["school"]].drop_duplicates().to_csv(folder / "participants.csv", index=False)
    (folder / "project.yml").write_text(text.format(options=options, pre=pre, post=post), encoding="utf-8")
    return folder / "project.yml"
