"""`evalkit similar FILE …`: which schools or areas are most like one, for someone with a table and no project."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evalkit.core.errors import InputError
from evalkit.run.tables.match_options import names_of
from evalkit.run.tables.written import Output, add_output_options, output_of
from evalkit.run.typed_paths import table_file

MOST: Final = 1000

_EPILOG: Final = """\
The table has one row for each unit: a school, or an area. Characteristics are numbers; columns of texts are compared by
category. FILE is a .csv, .csv.gz or .parquet file. Units that lack a characteristic are left out and counted. The list
goes to standard output, progress to standard error.

Distance: the typical difference over the characteristics, in their SDs over all units, weighted. Equally distant units
stand in the order of their ids (shorter ids first, then by letter). Without --for every unit gets a list: give --out
FILE.csv or --json for them.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarRequest:
    """What was asked: the file, which column plays which part, how likeness is measured, and for whom."""

    file: Path
    unit: str
    on: tuple[str, ...]
    categories: tuple[str, ...]
    name: str | None
    same: tuple[str, ...]
    not_same: tuple[str, ...]
    show: tuple[str, ...]
    pupils: tuple[str, ...]
    weights: dict[str, float]
    sd_within_same: bool
    n: int
    wanted: str | None
    output: Output


def add_similar_command(commands: Any) -> None:
    """Give a command line's subparsers the command `similar`."""
    parser = commands.add_parser(
        "similar",
        help="list the schools or areas most like one, from a table",
        description="Which units are most like one, by a weighted distance on stated characteristics.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("file", metavar="FILE", help="a .csv, .csv.gz or .parquet file")
    _add_columns(parser.add_argument_group("columns"))
    _add_list(parser.add_argument_group("list and output"))
    parser.set_defaults(command=_similar)


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


def _similar(given: argparse.Namespace) -> int:
    """List, tell the result, and return the exit code 0."""
    request = similar_request(given)  # before the slow imports, so that a slip of the keyboard is told at once
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.tables.similar_answer import similar_answer, told_of_similar
    from evalkit.run.tables.written import tell

    with environment_faults("comparing"):
        tell(told_of_similar(similar_answer(request, request.output.progress)), request.output)
    return 0


def similar_request(given: argparse.Namespace) -> SimilarRequest:
    """Return the request of a command line; raise `InputError` where something in it cannot be."""
    if not 1 <= given.n <= MOST:
        raise InputError(f"--n is the length of a list, from 1 to {MOST:,}, not {given.n}.")
    same, not_same = names_of(given.same, "--same"), names_of(given.not_same, "--not-same")
    if given.sd_within_same and not same:
        raise InputError("--sd-within-same is about the groups of --same. Name what is shared with --same.")
    return SimilarRequest(
        file=table_file(given.file),
        unit=given.id,
        on=names_of(given.on, "--on"),
        categories=names_of(given.categories, "--categories"),
        name=given.name,
        same=same,
        not_same=not_same,
        show=names_of(given.show, "--show"),
        pupils=names_of(given.pupils, "--pupils"),
        weights=_weights(given.weight or []),
        sd_within_same=given.sd_within_same,
        n=given.n,
        wanted=given.wanted,
        output=_output(given),
    )


def _weights(texts: list[str]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for text in texts:
        name, mark, size = text.rpartition("=")
        try:
            weight = float(size)
        except ValueError:
            weight = 0.0
        if not (mark and name.strip() and 0 < weight < 1e6):
            raise InputError(f"--weight {text!r}: give a characteristic and a positive number, such as fsm=2.")
        if name.strip() in weights:
            raise InputError(f"--weight names '{name.strip()}' twice. Give it one weight.")
        weights[name.strip()] = weight
    return weights


def _output(given: argparse.Namespace) -> Output:
    """Return where the lists go; raise `InputError` where a document was asked for, which is of one list, of none."""
    output = output_of(given, table_file(given.file))
    if output.file is not None and output.file.suffix.lower() != ".csv" and given.wanted is None:
        raise InputError(
            "A page or document is for the list of one unit. Name it with --for, or write all lists to a .csv file."
        )
    return output
