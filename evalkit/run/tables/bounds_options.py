"""`evalkit bounds COEFFICIENTS …`: from its options, which hold together, to the question, and to the answer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evalkit.core.errors import InputError
from evalkit.core.questions import BoundsQuestion
from evalkit.run.commands.options import KINDS
from evalkit.run.processes.executors import compute_on_one_thread
from evalkit.run.tables.written import output_of, tell
from evalkit.run.typed_paths import out_file, table_file

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given


def bounds_command(given: Given) -> int:
    """Read the two files, print or write the bounds, and return the exit code 0."""
    question = bounds_question(given)  # before the slow imports, so that what cannot be asked is told at once
    output = output_of(given, question.file)
    out_file(given.out, KINDS, question.covariance)
    compute_on_one_thread()
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.tables.bounds import bounds_answer, bounds_told

    with environment_faults("making bounds"):
        tell(bounds_told(bounds_answer(question)), output)
    return 0


def bounds_question(given: Given) -> BoundsQuestion:
    """Return the question of a command line; raise `InputError` where a list of numbers cannot be."""
    average = None if given.average is None else _numbers(given.average, "--average")
    if average is not None and any(time != round(time) for time in average):
        raise InputError(f"--average {given.average!r}: event times are whole numbers, such as 0,1,2.")
    return BoundsQuestion(
        file=table_file(given.file),
        covariance=table_file(given.covariance),
        relative=None if given.relative is None else _numbers(given.relative, "--relative"),
        smoothness=None if given.smoothness is None else _numbers(given.smoothness, "--smoothness"),
        event_time=given.event_time,
        average=None if average is None else tuple(map(int, average)),
        sign=given.sign,
        monotone=given.monotone,
        level=given.level,
    )


def _numbers(text: str, option: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = (-1.0,)
    if any(not (math.isfinite(one) and one >= 0) for one in found):
        raise InputError(f"{option} {text!r} is no list of numbers from 0 on. Write it like 0.5,1,1.5.")
    return found
