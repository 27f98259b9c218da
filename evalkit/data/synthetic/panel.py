"""The school covariates that go with the assembled panel: free meals and roll of 2022/23, last rating before 2018."""

from pathlib import Path

import numpy as np

from evalkit.core.seeds import stream
from evalkit.data.synthetic.cells import constant, csv_lines, pick, quoted, whole_text, write_gzip
from evalkit.data.synthetic.identity import Identities
from evalkit.data.synthetic.world import Primaries

_RATINGS = ("Good", "", "Outstanding", "Requires Improvement", "Inadequate")
_SHARES = (0.60, 0.16, 0.14, 0.08, 0.02)  # as in the real file


def write_covariates(folder: Path, seed: int, schools: Primaries, identities: Identities) -> None:
    """Write one row a school, keyed by the oldest URN of its one-to-one chain."""
    rng = stream(seed, "covariates")
    count = len(schools)
    absent = rng.random(count) < 0.02
    rating = rng.choice(np.array(_RATINGS, dtype=object), size=count, p=_SHARES)
    year, month, day = rng.integers(2012, 2018, count), rng.integers(1, 13, count), rng.integers(1, 29, count)
    dates = 10_000 * year + 100 * month + day
    empty = constant("", count)
    roll = np.rint(7.0 * np.maximum(schools.cohort.mean(axis=1), 5.0))
    columns = {
        "SCHOOL_ID": whole_text(identities.oldest()),
        "LA": whole_text(schools.code(2018)),
        "SCHNAME": np.array([quoted(name) for name in identities.name.tolist()], dtype=object),
        "FSM6_PCT_2223": pick(absent, "", np.array([f"{x:.1f}" for x in schools.fsm.tolist()], dtype=object)),
        "NOR_2223": pick(absent, "", np.array([f"{x:.1f}" for x in roll.tolist()], dtype=object)),
        "OFSTED_PRE_FEB2018": rating,
        "OFSTED_DATE": pick(rating == "", empty, whole_text(dates)),
    }
    order = np.argsort(identities.oldest(), kind="stable")
    sorted_columns = {name: text[order] for name, text in columns.items()}
    write_gzip(folder / "panel" / "ks2_school_covariates.csv.gz", csv_lines(sorted_columns))
