"""The options of `evalkit bounds`, and what cannot be asked of it."""

from __future__ import annotations

from evalkit.core.errors import InputError
from evalkit.run.commands.options import Declared, add_output_options, refuse_level

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from typing import Final

    from evalkit.run.commands.options import Given, Options

LEAST_LEVEL: Final = 0.5


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit bounds`."""
    parser.add_argument(
        "file", metavar="COEFFICIENTS", help="a table with columns event_time and estimate, the reference -1 left out"
    )
    parser.add_argument(
        "--covariance", required=True, metavar="SIGMA", help="a .csv file of their covariance, without a header"
    )
    sizes = parser.add_argument_group("violations of parallel trends")
    sizes.add_argument(
        "--relative", metavar="M,M", help="times the largest step before the start (default: 0.5,1,1.5,2)"
    )
    sizes.add_argument(
        "--smoothness",
        metavar="M,M",
        help="changes of slope a period (default: 0, 0.25, 0.5 and 1 standard errors of the effect)",
    )
    sizes.add_argument("--sign", choices=("+", "-"), help="violations after the start are all of this sign")
    sizes.add_argument("--monotone", choices=("up", "down"), help="violations only rise, or only fall")
    effect = parser.add_argument_group("effect and output")
    effect.add_argument("--event-time", type=int, metavar="T", help="the effect at this time (default: 0)")
    effect.add_argument("--average", metavar="T,T", help="the mean effect at these times, such as 0,1,2")
    effect.add_argument("--level", type=float, default=0.95, metavar="P", help="level of intervals (default: 0.95)")
    add_output_options(effect, main_table="the intervals")


def refuse(given: Given) -> None:
    """Raise `InputError` where options exclude each other or a number lies outside its range."""
    refuse_level(given.level)
    if given.level < LEAST_LEVEL:
        raise InputError(f"--level lies between {LEAST_LEVEL} and 1, not at {given.level:g}. The usual one is 0.95.")
    if given.event_time is not None and given.average is not None:
        raise InputError("--event-time asks for one effect and --average for the mean of several. Give one of them.")
    if given.sign is not None and given.monotone is not None:
        raise InputError(
            "--sign and --monotone say the same or contradict each other: violations that only rise from 0 are "
            "positive. Give one of them."
        )


BOUNDS: Final = Declared(
    add_options,
    description="How far an event study's interval widens, and when it reaches 0, if trends are not parallel.",
    examples={
        "evalkit bounds coefficients.csv --covariance sigma.csv": (
            "intervals of the effect at the start, and breakdown values"
        ),
        "evalkit bounds coefficients.csv --covariance sigma.csv --average 0,1,2 --relative 0.5,1 --smoothness 0,0.01": (
            "the mean effect of three periods, at sizes of one's own"
        ),
        "evalkit bounds coefficients.csv --covariance sigma.csv --sign + --json": (
            "violations that can only have raised the result, as JSON"
        ),
    },
    epilog="""\
Event times before the start are -2 and earlier, from it on 0 and later, without a gap; all estimates are measured from
the period -1, which has no row. Estimates of early periods that are each measured from the period before (a varying
base) are others and give wrong bounds. SIGMA has a row and a column for each row of COEFFICIENTS, in the same order.

Relative: no step of the violation from period to period exceeds M times the largest one before the start. Smoothness:
its slope changes by at most M, in units of the outcome, from one period to the next. Breakdown: the largest M whose
interval leaves out 0. Rambachan and Roth (2023).
""",
    refuse=refuse,
)
