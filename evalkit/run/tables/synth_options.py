"""What `evalkit synth` may be asked, and the request that is left when everything in it holds together."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evalkit.core.errors import InputError
from evalkit.data.own_tables.year_labels import is_period
from evalkit.run.processes.executors import ExecutorChoice, add_executor_options, executor_choice
from evalkit.run.typed_paths import table_file

METHODS: Final = ("sc", "augmented", "sdid")

_EPILOG: Final = """\
The table has one row for each area and period. FILE is a .csv, .csv.gz or .parquet file. Every area that is neither
treated nor excluded and has every period is a donor. The result goes to standard output, progress to standard error.

Methods: sc, synthetic control on every outcome before the start; augmented, the same with a ridge correction; sdid,
synthetic difference-in-differences. Several treated areas are taken as one, the mean of their outcomes.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthRequest:
    """What was asked: the file, which column plays which part, who was treated from when, and by which method."""

    file: Path
    unit: str
    period: str
    outcome: str
    treated: tuple[str, ...]
    excluded: tuple[str, ...]
    start: str
    method: str
    level: float
    seed: int
    is_json: bool
    where: ExecutorChoice


def add_synth_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of `evalkit synth`."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", metavar="FILE", help="a .csv, .csv.gz or .parquet file")
    columns = parser.add_argument_group("columns")
    columns.add_argument("--unit", required=True, metavar="U", help="id of the area")
    columns.add_argument("--period", required=True, metavar="T", help="period: a year, school year, quarter or month")
    columns.add_argument("--outcome", required=True, metavar="Y", help="the outcome, a number")
    design = parser.add_argument_group("design")
    design.add_argument(
        "--treated", required=True, nargs="+", action="extend", metavar="UNIT", help="ids of the treated areas"
    )
    design.add_argument("--start", required=True, metavar="P", help="the first treated period, as the file writes it")
    design.add_argument(
        "--exclude", nargs="+", action="extend", default=[], metavar="UNIT", help="ids of areas that are no donors"
    )
    design.add_argument("--method", choices=METHODS, default="sc", help="default: sc")
    output = parser.add_argument_group("inference and output")
    output.add_argument("--level", type=float, default=0.95, metavar="P", help="level of intervals (default: 0.95)")
    output.add_argument("--seed", type=int, default=1, metavar="S", help="seed of every draw (default: 1)")
    output.add_argument("--json", action="store_true", help="print one JSON object")
    add_executor_options(output)


def synth_request(given: argparse.Namespace) -> SynthRequest:
    """Return the request of a command line; raise `InputError` where a number lies outside its range."""
    if not 0 < given.level < 1:
        raise InputError(f"--level lies between 0 and 1, not at {given.level:g}. The usual one is 0.95.")
    if given.seed < 0:
        raise InputError(f"--seed is a whole number from 0 on, not {given.seed}.")
    if not is_period(given.start):
        raise InputError(
            f"--start {given.start!r} is no period. Write it as the file does: 2019, 2018/19, 201819, 2019Q1 or "
            "2019-03."
        )
    return SynthRequest(
        file=table_file(given.file),
        unit=given.unit,
        period=given.period,
        outcome=given.outcome,
        treated=tuple(given.treated),
        excluded=tuple(given.exclude),
        start=given.start,
        method=given.method,
        level=given.level,
        seed=given.seed,
        is_json=given.json,
        where=executor_choice(given),
    )
