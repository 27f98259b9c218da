"""`evalkit portfolio`: one static site over all finished projects of a workspace."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.errors import InputError
from evalkit.core.words import counted, listed
from evalkit.run.console import Progress
from evalkit.run.outputs.folder import MANIFEST, MANIFEST_KIND, PORTFOLIO, refuse_foreign, staging
from evalkit.run.processes.failure import environment_faults
from evalkit.run.project.workspace import writable_root
from evalkit.run.typed_paths import out_folder

if TYPE_CHECKING:
    from evalkit.diagnose.portfolio.portfolio import Portfolio
    from evalkit.run.many.portfolio_reader import OutputsRead

SCHEMA_VERSION: Final = 1
_EPILOG: Final = """\
Every folder that `evalkit run` finished is read; folders that cannot be counted are named on the page with the reason,
and so are projects whose last run failed. Pooled are estimates of whole areas given the baseline, of one outcome, one
set of years, one kind of data and one kind of comparison, never fewer than three; sets of areas without a programme
that are like the projects give the p-value and the interval. A report whose project has changed since or is gone is
left out unless --include-stale is given. Prints the path of the page. What stood in DIR/_portfolio before is replaced
whole, or left as it was.
"""


def add_portfolio_command(commands: Any) -> None:
    """Give a command line's subparsers the command `portfolio`."""
    parser = commands.add_parser(
        "portfolio",
        help="make one page over all finished projects, with pooled results",
        description="One static site over all finished projects: sortable table, forest plots, random-effects pooling.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--outputs", metavar="DIR", help="where the reports are (default: outputs)")
    parser.add_argument("--out", metavar="DIR", help="the site goes to DIR/_portfolio (default: beside the reports)")
    parser.add_argument(
        "--without", action="append", default=[], metavar="SLUG", help="leave out a project; may be repeated"
    )
    parser.add_argument(
        "--include-stale", action="store_true", help="pool reports too whose project has changed since or is gone"
    )
    parser.set_defaults(command=_portfolio)


def _portfolio(options: argparse.Namespace) -> int:
    """Make the site, print the path of its page and return the exit code 0."""
    outputs = out_folder(options.outputs, "--outputs") or writable_root() / "outputs"
    out = out_folder(options.out) or outputs
    site = make_portfolio_site(outputs, out, tuple(options.without), Progress(), include_stale=options.include_stale)
    print(site / "index.html", flush=True)
    return 0


def make_portfolio_site(
    outputs: Path, out: Path, without: tuple[str, ...], progress: Progress, *, include_stale: bool = False
) -> Path:
    """Return the folder of the site made from the reports in `outputs`, replaced whole in `out`.

    Raises
    ------
    InputError
        If there is no such folder of reports, no finished evaluation in it, no project `without` names, or something
        else stands where the site goes.
    """
    from evalkit.report.portfolio.site import portfolio_files
    from evalkit.run.many.portfolio_reader import read_outputs

    refuse_foreign(out / PORTFOLIO)
    with environment_faults("making the portfolio"):
        with progress.step(f"reading the reports in {outputs}"):
            outputs_read = read_outputs(outputs, out / PORTFOLIO, without)
        for one in outputs_read.unread:
            progress.say(f"{one.name} is not counted. {one.reason}")
        if not outputs_read.projects:
            raise InputError(_nothing(outputs, outputs_read, without))
        with progress.step(f"pooling and drawing {len(outputs_read.projects)} projects"):
            files = portfolio_files(_portfolio_of(outputs_read, include_stale))
        with staging(out, PORTFOLIO) as made:
            made.write({**files, MANIFEST: _manifest(files, dict(outputs_read.hashes), without, include_stale)})
            return made.release()


def _portfolio_of(outputs_read: OutputsRead, include_stale: bool) -> Portfolio:
    from evalkit.diagnose.portfolio.portfolio import make_portfolio

    return make_portfolio(outputs_read.projects, outputs_read.failed, outputs_read.unread, include_stale=include_stale)


def _nothing(outputs: Path, outputs_read: OutputsRead, without: tuple[str, ...]) -> str:
    """Return why there is no portfolio of a folder without a finished evaluation."""
    n = len(outputs_read.unread)
    rest = f" {counted(n, 'folder')} in it cannot be counted; why is said above." if n else ""
    left = f" {listed(sorted(without))} left out by --without." if without else ""
    if (outputs / "results.json").is_file():
        return f"{outputs} is one evaluation, not a folder of them. Name the folder above it; nothing was written."
    return f"{outputs} holds no finished evaluation.{rest}{left} `evalkit run` makes one; nothing was written."


def _manifest(
    files: Mapping[str, bytes], inputs: Mapping[str, str], without: tuple[str, ...], include_stale: bool
) -> bytes:
    """Return what the site was made from; its `kind` marks the folder as one this kit may replace."""
    from evalkit.run.outputs.manifest import commit, versions
    from evalkit.run.project.workspace import SOURCE_ROOT

    content = {
        "kind": MANIFEST_KIND,
        "schema_version": SCHEMA_VERSION,
        "slug": PORTFOLIO,
        "without": sorted(without),
        "include_stale": include_stale,
        "inputs": [{"path": path, "sha256": digest} for path, digest in sorted(inputs.items())],
        "versions": versions(),
        "commit": commit(SOURCE_ROOT),
        "outputs": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
