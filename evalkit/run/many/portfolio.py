"""`evalkit portfolio`: one static site over all finished projects of a workspace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evalkit.core.errors import InputError
from evalkit.core.words import counted, listed
from evalkit.run.console import Progress
from evalkit.run.outputs.folder import MANIFEST, MANIFEST_KIND, PORTFOLIO, refuse_foreign, staging
from evalkit.run.processes.failure import environment_faults
from evalkit.run.project.workspace import writable_root
from evalkit.run.typed_paths import out_folder

if TYPE_CHECKING:
    from evalkit.diagnose.portfolio.portfolio import Portfolio
    from evalkit.run.commands.options import Given
    from evalkit.run.many.portfolio_reader import OutputsRead

SCHEMA_VERSION: Final = 1


def portfolio_command(given: Given) -> int:
    """Make the site, print the path of its page and return the exit code 0."""
    outputs = out_folder(given.outputs, "--outputs") or writable_root() / "outputs"
    out = out_folder(given.out) or outputs
    site = make_portfolio_site(outputs, out, tuple(given.without), Progress(), include_stale=given.include_stale)
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
