"""`evalkit synth FILE …`: what it may be asked, and the request that is left when all of it holds together."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any, Final

from evalkit.core.errors import InputError
from evalkit.core.questions import SynthQuestion
from evalkit.data.own_tables.year_labels import is_period
from evalkit.run.processes.executors import ExecutorChoice, add_executor_options, compute_on_one_thread, executor_choice
from evalkit.run.tables.written import Output, add_output_options, output_of, tell
from evalkit.run.typed_paths import table_file

METHODS: Final = ("sc", "augmented", "sdid")
MAIN_TABLE: Final = "the gap period by period"

_EPILOG: Final = """\
The table has one row for each area and period. FILE is a .csv, .csv.gz or .parquet file. Every area that is neither
treated nor excluded and has every period is a donor. The result goes to standard output, progress to standard error.

Methods: sc, synthetic control on every outcome before the start; augmented, the same with a ridge correction; sdid,
synthetic difference-in-differences. Several treated areas are taken as one, the mean of their outcomes.
"""


@dataclass(frozen=True, slots=True)
class SynthRequest:
    """A command line whose options hold together: what is asked, where the answer goes, and where it is worked out."""

    question: SynthQuestion
    output: Output
    where: ExecutorChoice


def add_synth_command(commands: Any) -> None:
    """Give a command line's subparsers the command `synth`."""
    parser = commands.add_parser(
        "synth",
        help="estimate the effect on one or few areas from a table, by a synthetic control",
        description="The effect on one or few treated areas: a weighted average of other areas stands for what would "
        "have been.",
        allow_abbrev=False,
    )
    add_synth_options(parser)
    parser.set_defaults(command=_synth)


def _synth(given: argparse.Namespace) -> int:
    """Estimate, print or write the result, and return the exit code 0."""
    request = synth_request(given)  # before the slow imports, so that a slip of the keyboard is told at once
    compute_on_one_thread()
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.tables.synth import synth_answer, synth_told

    with environment_faults("estimating"):
        answer = synth_answer(request, request.output.progress)
        tell(synth_told(answer), request.output)
    return 0


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
    add_output_options(output, main_table=MAIN_TABLE)
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
    question = SynthQuestion(
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
    )
    return SynthRequest(question, output_of(given, question.file), executor_choice(given))
