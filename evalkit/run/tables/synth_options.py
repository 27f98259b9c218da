"""`evalkit synth FILE …`: from its options, which hold together, to the request, and from there to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.core.errors import InputError
from evalkit.core.questions import SynthQuestion
from evalkit.data.own_tables.year_labels import is_period
from evalkit.run.processes.executors import compute_on_one_thread, executor_choice
from evalkit.run.tables.written import TableRequest, output_of, tell
from evalkit.run.typed_paths import table_file

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given


def synth_command(given: Given) -> int:
    """Estimate, print or write the result, and return the exit code 0."""
    request = synth_request(given)  # before the slow imports, so that a file that cannot be is told at once
    compute_on_one_thread()
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.tables.synth import synth_answer, synth_told

    with environment_faults("estimating"):
        answer = synth_answer(request, request.output.progress)
        tell(synth_told(answer), request.output)
    return 0


def synth_request(given: Given) -> TableRequest[SynthQuestion]:
    """Return the request of a command line; raise `InputError` where a file or the start cannot be."""
    if not is_period(given.start):
        raise InputError(
            f"--start {given.start!r} is no period. Write it as the file does: 2019, 2018/19, 201819, 2019Q1 or "
            "2019-03."
        )
    question = SynthQuestion(
        file=table_file(given.file),
        unit=given.unit,
        period=given.period,
        outcome=given.outcome,
        treated=tuple(given.treated),
        excluded=tuple(given.exclude),
        start=given.start,
        method=given.method,
        level=given.level,
        seed=given.seed,
    )
    return TableRequest(question, output_of(given, question.file), executor_choice(given))
