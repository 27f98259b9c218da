"""`evalkit synth FILE …`: the effect on one or few treated areas, from a table and no project."""

from __future__ import annotations

import argparse
from typing import Any

from evalkit.run.processes.executors import compute_on_one_thread
from evalkit.run.tables.synth_options import add_synth_options, synth_request


def add_synth_command(commands: Any) -> None:
    """Give a command line's subparsers the command `synth`."""
    parser = commands.add_parser(
        "synth",
        help="estimate the effect on one or few areas from a table, by a synthetic control",
        description="The effect on one or few treated areas: a weighted average of other areas stands for what would "
        "have been.",
        allow_abbrev=False,
    )
    add_synth_options(parser)
    parser.set_defaults(command=_synth)


def _synth(given: argparse.Namespace) -> int:
    """Estimate, print the result on standard output, and return the exit code 0."""
    request = synth_request(given)  # before the slow imports, so that a slip of the keyboard is told at once
    compute_on_one_thread()
    from evalkit.run.console import Progress
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.tables.synth_answer import synth_answer
    from evalkit.run.tables.synth_json import synth_json
    from evalkit.run.tables.synth_text import synth_text

    with environment_faults("estimating"):
        answer = synth_answer(request, Progress())
    print(synth_json(answer) if request.is_json else synth_text(answer))
    return 0
