"""The options of `evalkit run`."""

from __future__ import annotations

from evalkit.core.errors import InputError
from evalkit.run.commands.shared import PROJECT, above_zero, add_data_options, count, refuse_data

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from evalkit.run.commands.options import Options
    from evalkit.run.commands.reading import Given

DESCRIPTION = "Evaluate projects and write their reports; one whose report is of these very inputs is left as it is."
EXAMPLES = {
    "evalkit run knowsley-ssif --data published": "one report, outputs/knowsley-ssif/report.html",
    "evalkit run --all --dry-run": "what would be run, and why; nothing is",
    "evalkit run --all -j 4 --time-limit 30": "every project, four at once, half an hour for each",
    "evalkit run --all --shard 2/8": "the second of eight parts, for a job of its own",
}
EPILOG = """\
The standard output has the path of the report, or for several projects a table; what goes on stands on standard error,
and at its end the answer in a sentence. What became of each project is kept in _runs/ beside the reports.
"""


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit run`."""
    parser.add_argument("projects", nargs="*", metavar="PROJECT", help=PROJECT)
    parser.add_argument("--all", action="store_true", dest="is_all", help="every project under data/projects/")
    add_data_options(parser)
    parser.add_argument("--out", metavar="DIR", help="the report goes to DIR/<slug>/ (default: outputs)")
    parser.add_argument(
        "-j", "--jobs", type=count, metavar="N", help="projects at once (default: by cores and free memory)"
    )
    parser.add_argument("--force", action="store_true", help="make reports again whose inputs have not changed")
    parser.add_argument("--dry-run", action="store_true", help="say what would be run and why, and run nothing")
    parser.add_argument(
        "--shard", metavar="I/N", help="only the I-th of N parts of the projects, in order of their slugs"
    )
    parser.add_argument(
        "--time-limit", type=above_zero, metavar="MINUTES", help="end a project that takes longer (default: 60)"
    )
    parser.add_argument("--memory-limit", type=above_zero, metavar="GB", help="end a project that holds more")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="run on the workers of a Dask cluster, at this address")


def refuse(given: Given) -> None:
    """Raise `InputError` where two options exclude each other, or nothing is named."""
    if given.is_all == bool(given.projects):
        raise InputError("Name the projects to run, or give --all, and not both. `evalkit projects` lists them.")
    if given.jobs and given.scheduler:
        raise InputError("-j is for this machine and --scheduler for a cluster, which has its own. Give one of them.")
    refuse_data(given)
