"""`evalkit did` inside the test's own process, and tables to try it on."""

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalkit.core.errors import EvalkitError
from evalkit.run import cli

COLUMNS = ("--unit", "unit", "--period", "year", "--outcome", "y", "--cohort", "cohort")


@dataclass(frozen=True)
class Ran:
    """What a run of the command left behind."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> dict[str, Any]:
        assert self.code == 0, self.err
        return json.loads(self.out, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise AssertionError(f"JSON holds {name}")


def run_did(path: Path, *options: str, columns: tuple[str, ...] = COLUMNS) -> Ran:
    """Run the command on a file and return what it printed; an error that no one foresaw fails the test."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.done(cli.parsed(["did", str(path), *columns, *options]))
        except EvalkitError as problem:
            print(problem, file=err)
            code = problem.exit_code
    return Ran(code, out.getvalue(), err.getvalue())


def did(table: pd.DataFrame, folder: Path, *options: str, columns: tuple[str, ...] = COLUMNS) -> Ran:
    """Write a table as CSV and run the command on it with --json."""
    path = folder / "table.csv"
    table.to_csv(path, index=False)
    return run_did(path, *options, "--json", columns=columns)


def simulated(
    n_units: int = 90,
    starts: tuple[int | None, ...] = (2013, 2015, None),
    years: range = range(2010, 2018),
    seed: int = 1,
) -> pd.DataFrame:
    """A panel in which the effect is 1 in every cohort and period, and ids begin with zeros."""
    random = np.random.default_rng(seed)
    n_years = len(years)
    start = np.array([starts[at % len(starts)] or np.nan for at in range(n_units)], dtype=float)
    table = pd.DataFrame(
        {
            "unit": np.repeat([f"{at:04d}" for at in range(n_units)], n_years),
            "year": np.tile(list(years), n_units),
            "cohort": pd.array(np.repeat(start, n_years), dtype="Int64"),
            "x": np.repeat(random.normal(size=n_units), n_years),
        }
    )
    noise = np.repeat(random.normal(size=n_units), n_years) + 0.5 * random.normal(size=len(table))
    is_treated = (table["year"] >= table["cohort"]).fillna(False).to_numpy(dtype=bool)
    table["y"] = noise + 0.2 * (table["year"] - 2010) + is_treated
    return table
