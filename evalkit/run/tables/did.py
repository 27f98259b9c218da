"""`evalkit did FILE …`: difference-in-differences for someone with a table and no project."""

from __future__ import annotations

import argparse
from typing import Any

from evalkit.run.processes.executors import compute_on_one_thread
from evalkit.run.tables.did_options import add_did_options, did_request


def add_did_command(commands: Any) -> None:
    """Give a command line's subparsers the command `did`."""
    parser = commands.add_parser(
        "did",
        help="estimate effects from a table, without a project",
        description="Difference-in-differences with cohorts that start in different periods, from a table.",
        allow_abbrev=False,
    )
    add_did_options(parser)
    parser.set_defaults(command=_did)


def _did(given: argparse.Namespace) -> int:
    """Estimate, print the result on standard output, and return the exit code 0."""
    request = did_request(given)  # before the slow imports, so that a slip of the keyboard is told at once
    compute_on_one_thread()
    from evalkit.run.console import Progress
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.tables.did_answer import did_answer
    from evalkit.run.tables.did_json import did_json
    from evalkit.run.tables.did_text import did_text

    with environment_faults("estimating"):
        answer = did_answer(request, Progress())
    print(did_json(answer) if request.is_json else did_text(answer))
    return 0
