"""The options of `evalkit synth`, and what cannot be asked of it."""

from __future__ import annotations

from evalkit.run.commands.options import (
    TABLE,
    Declared,
    add_output_options,
    add_where_options,
    refuse_level,
    refuse_seed,
    refuse_where,
)

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from typing import Final

    from evalkit.run.commands.options import Given, Options

METHODS: Final = ("sc", "augmented", "sdid")


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit synth`."""
    parser.add_argument("file", metavar="FILE", help=TABLE)
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
    add_output_options(output, main_table="the gap period by period")
    add_where_options(output)


def refuse(given: Given) -> None:
    """Raise `InputError` where a number lies outside its range."""
    refuse_level(given.level)
    refuse_seed(given.seed)
    refuse_where(given)


SYNTH: Final = Declared(
    add_options,
    description=(
        "The effect on one or few treated areas: a weighted average of other areas stands for what would have been."
    ),
    examples={
        "evalkit synth areas.csv --unit la --period year --outcome ks2 --treated 340 --start 2017": (
            "area 340 beside a weighted average of the others"
        ),
        (
            "evalkit synth areas.csv --unit la --period year --outcome ks2 --treated 340 341 --start 2017"
            " --exclude 342 --method sdid"
        ): "two areas as one, a neighbour left out, by synthetic difference-in-differences",
    },
    epilog="""\
The table has one row for each area and period. FILE is a .csv, .csv.gz or .parquet file. Every area that is neither
treated nor excluded and has every period is a donor. The result goes to standard output, progress to standard error.

Methods: sc, synthetic control on every outcome before the start; augmented, the same with a ridge correction; sdid,
synthetic difference-in-differences. Several treated areas are taken as one, the mean of their outcomes.
""",
    refuse=refuse,
)
