"""The options of `evalkit check`."""

from __future__ import annotations

from evalkit.run.commands.shared import PROJECT, add_data_options, refuse_data

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from evalkit.run.commands.options import Options
    from evalkit.run.commands.reading import Given

DESCRIPTION = "Read everything that a project names, estimate nothing, and say what was found."
EXAMPLES = {
    "evalkit check knowsley-ssif": "on the data of its last report, or on made-up schools",
    "evalkit check knowsley-ssif --data published": "on the published files in a folder",
    "evalkit check knowsley-ssif --json": "as JSON, for a program",
}
EPILOG = ""


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit check`."""
    parser.add_argument("project", metavar="PROJECT", help=PROJECT)
    add_data_options(parser)
    parser.add_argument("--json", action="store_true", help="write what was found as JSON")


def refuse(given: Given) -> None:
    """Raise `InputError` where two options exclude each other."""
    refuse_data(given)
