"""The options of `evalkit lab`."""

from __future__ import annotations

from evalkit.core.errors import InputError
from evalkit.run.commands.shared import PROJECT, add_data_options, refuse_data

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from typing import Final

    from evalkit.run.commands.options import Options
    from evalkit.run.commands.reading import Given

LAST_PORT: Final = 65535
DESCRIPTION = (
    "Open JupyterLab on the workspace. With a project its notebooks are made in lab/<slug>, parameters filled in: run "
    "by hand they give the numbers of the report. Ctrl-C ends it."
)
EXAMPLES = {
    "evalkit lab knowsley-ssif": "its notebooks, on the data of its last report",
    "evalkit lab knowsley-ssif --no-browser --port 8890": "on a machine without a screen: the address is printed",
}
EPILOG = ""


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit lab`."""
    parser.add_argument("project", nargs="?", metavar="PROJECT", help=PROJECT)
    add_data_options(parser)
    parser.add_argument("--fresh", action="store_true", help="make the notebooks anew; changed ones are put aside")
    parser.add_argument(
        "--port", type=int, metavar="N", help="port on this machine (default: the first free from 8888)"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address, and open no browser")


def refuse(given: Given) -> None:
    """Raise `InputError` where two options exclude each other, or a port is none."""
    if given.project is None and (given.data is not None or given.synthetic or given.fresh):
        raise InputError("--data, --synthetic and --fresh are about a project's notebooks. Name the project as well.")
    refuse_data(given)
    if given.port is not None and not 1 <= given.port <= LAST_PORT:
        raise InputError(f"--port is a number from 1 to {LAST_PORT}, not {given.port}.")
