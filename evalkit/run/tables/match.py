"""`evalkit match FILE …`: a comparison group, its balance and an effect, for someone with a table and no project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.run.processes.executors import compute_on_one_thread
from evalkit.run.tables.match_options import match_request

if TYPE_CHECKING:
    from evalkit.run.commands.reading import Given


def match_command(given: Given) -> int:
    """Match, tell the result, and return the exit code 0."""
    request = match_request(given)  # before the slow imports, so that a file that cannot be is told at once
    compute_on_one_thread()
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.tables.match_answer import match_answer
    from evalkit.run.tables.match_border import no_small_counts_told
    from evalkit.run.tables.match_told import told_of_match
    from evalkit.run.tables.written import tell

    with environment_faults("matching"), no_small_counts_told(request.are_people):
        tell(told_of_match(match_answer(request, request.output.progress)), request.output)
    return 0
