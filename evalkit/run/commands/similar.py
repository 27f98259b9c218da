"""The options of `evalkit similar`, and what cannot be asked of it."""

from __future__ import annotations

from evalkit.core.errors import InputError
from evalkit.run.commands.options import TABLE, Declared, add_output_options

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from typing import Any, Final

    from evalkit.run.commands.options import Given, Options

MOST: Final = 1000


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit similar`."""
    parser.add_argument("file", metavar="FILE", help=TABLE)
    _add_columns(parser.add_argument_group("columns"))
    _add_list(parser.add_argument_group("list and output"))


def _add_columns(group: Any) -> None:
    group.add_argument("--id", required=True, metavar="ID", help="id of the unit, such as a URN or an area's code")
    group.add_argument("--on", required=True, metavar="A,B", help="characteristics that are compared on")
    group.add_argument("--name", metavar="NAME", help="the unit's name, shown in the list")
    group.add_argument("--same", metavar="C,D", help="columns that listed units must share, such as phase,region")
    group.add_argument("--not-same", metavar="E", help="columns that listed units must not share, such as the area")
    group.add_argument("--show", metavar="F", help="further columns that are shown, such as the area")
    group.add_argument("--categories", metavar="A", help="characteristics of numbers that are categories all the same")
    group.add_argument("--pupils", metavar="A", help="characteristics that count pupils: small ones are withheld")
    group.add_argument("--weight", action="append", metavar="A=2", help="weight of a characteristic; may be repeated")
    group.add_argument(
        "--sd-within-same", action="store_true", help="measure in SDs within groups of --same, not over all units"
    )


def _add_list(group: Any) -> None:
    group.add_argument("--for", dest="wanted", metavar="UNIT", help="id (or name) of the unit the list is for")
    group.add_argument("--n", type=int, default=50, metavar="N", help="units in a list (default: 50)")
    add_output_options(group, main_table="the list, or without --for all lists (documents need --for)")


def refuse(given: Given) -> None:
    """Raise `InputError` where a number lies outside its range or an option lacks another."""
    if not 1 <= given.n <= MOST:
        raise InputError(f"--n is the length of a list, from 1 to {MOST:,}, not {given.n}.")
    if given.sd_within_same and given.same is None:
        raise InputError("--sd-within-same is about the groups of --same. Name what is shared with --same.")


SIMILAR: Final = Declared(
    add_options,
    description="Which units are most like one, by a weighted distance on stated characteristics.",
    examples={
        "evalkit similar schools.csv --id urn --name name --on n_pupils,fsm,eal --for 104413 --same phase": (
            "the 50 schools of its phase most like school 104413"
        ),
        "evalkit similar schools.csv --id urn --on n_pupils,fsm --weight fsm=2 --out similar.csv": (
            "a list for every school, free meals counted twice, in a file"
        ),
    },
    epilog="""\
The table has one row for each unit: a school, or an area. Characteristics are numbers; columns of texts are compared by
category. FILE is a .csv, .csv.gz or .parquet file. Units that lack a characteristic are left out and counted. The list
goes to standard output, progress to standard error.

Distance: the typical difference over the characteristics, in their SDs over all units, weighted. Equally distant units
stand in the order of their ids (shorter ids first, then by letter). Without --for every unit gets a list: give --out
FILE.csv or --json for them.
""",
    refuse=refuse,
)
