"""`evalkit did FILE …`: from its options, which hold together, to the request, and from there to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.core.draws import LEVEL, SEED
from evalkit.core.errors import InputError
from evalkit.core.questions import DidQuestion
from evalkit.run.commands.did import estimator_of
from evalkit.run.processes.executors import compute_on_one_thread, executor_choice
from evalkit.run.tables.written import TableRequest, output_of, tell
from evalkit.run.typed_paths import table_file

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given


def did_command(given: Given) -> int:
    """Estimate, print or write the result, and return the exit code 0."""
    request = did_request(given)  # before the slow imports, so that a file that cannot be is told at once
    compute_on_one_thread()
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.tables.did import did_answer, did_told

    with environment_faults("estimating"):
        answer = did_answer(request, request.output.progress)
        tell(did_told(answer), request.output)
    return 0


def did_request(given: Given) -> TableRequest[DidQuestion]:
    """Return the request of a command line; raise `InputError` where a file or a list of columns cannot be."""
    estimator = estimator_of(given)
    question = DidQuestion(
        file=table_file(given.file),
        parts={
            "unit": given.unit,
            "period": given.period,
            "outcome": given.outcome,
            "cohort": given.cohort,
            "cluster": given.cluster,
            "weight": given.weights,
        },
        covariates=_names(given.covariates),
        estimator=estimator,
        method=given.method or "dr",
        comparison=given.comparison or ("not-yet" if estimator == "extended" else "never"),
        anticipation=given.anticipation or 0,
        base_period=given.base_period or "varying",
        unbalanced=given.unbalanced or "pairs",
        is_cross_section=bool(given.repeated_cross_sections),
        are_units_people=given.people,
        n_draws=given.bootstrap or 0,
        are_clusters_drawn=given.draw == "clusters",
        seed=SEED if given.seed is None else given.seed,
        level=LEVEL if given.level is None else given.level,
        balanced_until=given.balanced_until,
        has_bounds=bool(given.bounds),
    )
    return TableRequest(question, output_of(given, question.file), executor_choice(given))


def _names(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise InputError(f"--covariates {text!r} names an empty column. Give names with single commas between: a,b.")
    return names
