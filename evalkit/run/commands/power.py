"""The options of `evalkit power`."""

from __future__ import annotations

from evalkit.run.commands.shared import (
    PROJECT,
    add_data_options,
    add_output_options,
    add_where_options,
    refuse_data,
    refuse_where,
)

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from evalkit.run.commands.options import Options
    from evalkit.run.commands.reading import Given

DESCRIPTION = "Say which effects a project's design could detect, from the years before the programme alone."
EXAMPLES = {
    "evalkit power knowsley-ssif": "with 80% probability, at the project's own level",
    "evalkit power knowsley-ssif --power 0.9 --simulations 5000": "with 90%, and a finer simulation",
}
EPILOG = ""


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit power`."""
    parser.add_argument("project", metavar="PROJECT", help=PROJECT)
    add_data_options(parser)
    parser.add_argument(
        "--level", type=float, metavar="L", help="level of the test's interval (default: the project's)"
    )
    parser.add_argument("--power", type=float, default=0.8, metavar="P", help="power asked for (default: 0.8)")
    parser.add_argument(
        "--simulations", type=int, default=1000, metavar="N", help="most placebo sets in the simulation (default: 1000)"
    )
    add_output_options(parser, main_table="the least detectable effects by outcome")
    add_where_options(parser)


def refuse(given: Given) -> None:
    """Raise `InputError` where two options exclude each other."""
    refuse_data(given)
    refuse_where(given)
