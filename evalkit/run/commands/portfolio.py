"""The options of `evalkit portfolio`."""

from __future__ import annotations

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from evalkit.run.commands.options import Options
    from evalkit.run.commands.reading import Given

DESCRIPTION = "One static site over all finished projects: sortable table, forest plots, random-effects pooling."
EXAMPLES = {
    "evalkit portfolio": "over the reports in outputs, to outputs/_portfolio/index.html",
    "evalkit portfolio --without my-trial --without old-one": "without two of them",
}
EPILOG = """\
Every folder that `evalkit run` finished is read; folders that cannot be counted are named on the page with the reason,
and so are projects whose last run failed. Pooled are estimates of whole areas given the baseline, of one outcome, one
set of years, one kind of data and one kind of comparison, never fewer than three; sets of areas without a programme
that are like the projects give the p-value and the interval. A report whose project has changed since or is gone is
left out unless --include-stale is given. Prints the path of the page. What stood in DIR/_portfolio before is replaced
whole, or left as it was.
"""


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit portfolio`."""
    parser.add_argument("--outputs", metavar="DIR", help="where the reports are (default: outputs)")
    parser.add_argument("--out", metavar="DIR", help="the site goes to DIR/_portfolio (default: beside the reports)")
    parser.add_argument(
        "--without", action="append", default=[], metavar="SLUG", help="leave out a project; may be repeated"
    )
    parser.add_argument(
        "--include-stale", action="store_true", help="pool reports too whose project has changed since or is gone"
    )


def refuse(given: Given) -> None:
    """Refuse nothing."""
