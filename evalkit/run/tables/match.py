"""`evalkit match FILE …`: a comparison group, its balance and an effect, for someone with a table and no project."""

from __future__ import annotations

import argparse
from typing import Any

from evalkit.run.processes.executors import compute_on_one_thread
from evalkit.run.tables.match_options import add_match_options, match_request


def add_match_command(commands: Any) -> None:
    """Give a command line's subparsers the command `match`."""
    parser = commands.add_parser(
        "match",
        help="choose a comparison group from a table, without a project",
        description="Match or weight comparison units by what was known before, and compare outcomes.",
        allow_abbrev=False,
    )
    add_match_options(parser)
    parser.set_defaults(command=_match)


def _match(given: argparse.Namespace) -> int:
    """Match, tell the result, and return the exit code 0."""
    request = match_request(given)  # before the slow imports, so that a slip of the keyboard is told at once
    compute_on_one_thread()
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.tables.match_answer import match_answer
    from evalkit.run.tables.match_border import no_small_counts_told
    from evalkit.run.tables.match_told import told_of_match
    from evalkit.run.tables.written import tell

    with environment_faults("matching"), no_small_counts_told(request.are_people):
        tell(told_of_match(match_answer(request, request.output.progress)), request.output)
    return 0
