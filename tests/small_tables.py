"""One small valid table for each command that reads a user's table, and the words that run the command on it."""

import numpy as np
import pandas as pd

DID = ("--unit", "school", "--period", "year", "--outcome", "score", "--cohort", "first")
MATCH = ("--treated", "joined", "--on", "before,fsm", "--id", "school", "--outcome", "score")
SYNTH = ("--unit", "area", "--period", "year", "--outcome", "score", "--treated", "A01", "--start", "2016")
SIMILAR = ("--id", "school", "--on", "before,fsm", "--for", "100003")


def did_table() -> pd.DataFrame:
    """Thirty schools in six years, twenty of which start in 2016 or 2018, with pupils, an area and a covariate."""
    random = np.random.default_rng(5)
    n, years = 30, list(range(2014, 2020))
    first = [[2016, 2018, None][at % 3] for at in range(n)]
    table = pd.DataFrame(
        {
            "school": np.repeat([str(100_000 + at) for at in range(n)], len(years)),
            "year": np.tile(years, n),
            "score": (np.repeat(random.normal(50, 2, n), len(years)) + random.normal(size=n * len(years))).round(3),
            "first": pd.array(np.repeat(first, len(years)), dtype="Int64"),
            "pupils": np.repeat(random.integers(20, 90, n), len(years)),
            "area": np.repeat([f"A{at % 10:02d}" for at in range(n)], len(years)),
            "fsm": np.repeat(random.uniform(5, 40, n).round(1), len(years)),
        }
    )
    table["score"] += (table["year"] >= table["first"]).fillna(False).astype(float)
    return table


def match_table() -> pd.DataFrame:
    """Sixty schools of which twelve took part, with two covariates, a region and an outcome."""
    random = np.random.default_rng(6)
    before, fsm = random.normal(100, 4, 60).round(2), random.uniform(5, 40, 60).round(1)
    return pd.DataFrame(
        {
            "school": [str(100_000 + at) for at in range(60)],
            "joined": [int(at % 5 == 0) for at in range(60)],
            "before": before,
            "fsm": fsm,
            "region": [["North", "South"][at % 2] for at in range(60)],
            "score": (before + random.normal(size=60)).round(3),
        }
    )


def synth_table() -> pd.DataFrame:
    """Twelve areas in twelve years; A01 starts in 2016."""
    random = np.random.default_rng(7)
    years = list(range(2008, 2020))
    level, steps = np.repeat(random.normal(60, 3, 12), 12), random.normal(size=(12, 12)).cumsum(axis=1).ravel()
    ids = np.repeat([f"A{at:02d}" for at in range(12)], len(years))
    return pd.DataFrame({"area": ids, "year": np.tile(years, 12), "score": (level + steps).round(3)})


def similar_table() -> pd.DataFrame:
    """Forty schools with two characteristics, pupils and a region."""
    return match_table().iloc[:40].assign(pupils=[30 + at for at in range(40)])


TABLES = {
    "did": (did_table, DID),
    "match": (match_table, MATCH),
    "synth": (synth_table, SYNTH),
    "similar": (similar_table, SIMILAR),
}
