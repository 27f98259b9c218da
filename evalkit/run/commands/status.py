"""The options of `evalkit status`."""

from __future__ import annotations

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from evalkit.run.commands.options import Options
    from evalkit.run.commands.reading import Given

DESCRIPTION = "Say of every project whether its report is current, stale and why, failed, busy or missing; run nothing."
EXAMPLES = {
    "evalkit status": "every project of the workspace, and reports of none",
    "evalkit status --out results": "of the reports in another folder",
    "evalkit status --json": "as JSON, for a program or a dashboard",
}
EPILOG = """\
A report is current where it is whole and of these very inputs: project file, published files, notebooks, code and
packages. It reads the data of the project file or of the last report, as `evalkit run` would.
"""


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit status`."""
    parser.add_argument("--out", metavar="DIR", help="where the reports are (default: outputs)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def refuse(given: Given) -> None:
    """Refuse nothing."""
