"""Write made-up pupils as CSV files, one a school year: `python write_pupils.py FOLDER ROWS`.

Ten years; each pupil once a year, but for every hundredth row, which stands there twice; a score in twenty is a code.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

YEARS = range(2016, 2026)
SCHOOLS = 16_000
BLOCK = 500_000
CODES = np.array(["SUPP", "NE", "", "x", "c"], dtype=object)


def write(folder: Path, n_rows: int) -> None:
    """Write so many rows in all."""
    folder.mkdir(parents=True, exist_ok=True)
    for year in YEARS:
        random = np.random.default_rng(year)
        path, n_year = folder / f"pupils_{year}.csv", n_rows // len(YEARS)
        writer = None
        for first in range(0, n_year, BLOCK):
            table = pupils(random, year, first, min(BLOCK, n_year - first), n_year)
            writer = writer or csv.CSVWriter(path, table.schema, write_options=csv.WriteOptions(quoting_style="none"))
            writer.write_table(table)
        writer.close()


def pupils(random: np.random.Generator, year: int, first: int, n: int, n_year: int) -> pa.Table:
    """Return the next rows of a year."""
    pupil = np.arange(first, first + n)
    pupil[99::100] = pupil[98 : len(pupil) - 1 : 100]  # a row in a hundred is a pupil's second
    school = (pupil.astype(np.int64) * 7919 + year) % min(SCHOOLS, max(n_year // 40, 1))
    columns = {
        "KS2_PupilMatchingRefAnonymous": pa.array(np.char.add("P", np.char.zfill(pupil.astype("U8"), 9))),
        "KS2_ACADYR": pa.array([f"{year - 1}/{year}"] * n),
        "KS2_URN": pa.array(100_000 + school),
        "KS2_LAESTAB": pa.array(2_010_000 + school),
        "KS2_GENDER": pa.array(np.where(pupil % 2, "F", "M")),
        "KS2_FSM6": pa.array((pupil % 5 == 0).astype(np.int8)),
    }
    for subject, mean in (("READ", 104), ("MAT", 105)):
        # a pupil's second row has the score of the first, as a duplicate has
        scores = np.clip(np.round(random.normal(mean, 8, n)), 80, 120).astype(int)
        scores[99::100] = scores[98 : n - 1 : 100]
        text = scores.astype("U4").astype(object)
        is_code = (pupil * 31 + year) % 20 == 0
        text[is_code] = CODES[pupil[is_code] % len(CODES)]
        columns[f"KS2_{subject}SCORE"] = pa.array(text, pa.string())
    return pa.table(columns)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
    print("{}")  # a run says something in its last line
