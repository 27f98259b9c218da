"""The options of `evalkit clean`."""

from __future__ import annotations

from evalkit.run.commands.shared import above_zero

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from typing import Final

    from evalkit.run.commands.options import Options
    from evalkit.run.commands.reading import Given

DAYS: Final = 90.0
DESCRIPTION = "List what no project needs any more, ask, and remove it. The report of a project is never removed."
EXAMPLES = {
    "evalkit clean": "lists, and asks before anything is removed",
    "evalkit clean --yes --days 30": "without a question, for a nightly job; records are kept for a month",
}
EPILOG = """\
What may be removed: reports of which there is no project any more (orphans), folders that a killed run left, records
of failures and of runs that are older than --days or of projects that are gone. A long log is put aside as log.1.jsonl,
in place of the one before.
"""


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit clean`."""
    parser.add_argument("--out", metavar="DIR", help="where the reports are (default: outputs)")
    parser.add_argument(
        "--days", type=above_zero, default=DAYS, metavar="N", help="records of runs are kept for N days (default: 90)"
    )
    parser.add_argument("--yes", action="store_true", help="remove what is listed without a question")


def refuse(given: Given) -> None:
    """Refuse nothing."""
