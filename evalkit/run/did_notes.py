"""What a reader of `evalkit did` must know beside the numbers."""

from __future__ import annotations

from collections.abc import Iterator

from evalkit.core.quantities import Unavailable
from evalkit.core.words import listed
from evalkit.estimate.staggered_results import Reported, StaggeredResults
from evalkit.run.did_answer import THIN, DidAnswer, TwoWayAnswer


def did_notes(answer: DidAnswer) -> tuple[str, ...]:
    """Return every note once, the most important first, how the file was read at the end."""
    return tuple(dict.fromkeys([*_notes(answer), *answer.reading]))


def is_recommended(answer: DidAnswer) -> bool:
    """Return whether the errors given are of the kind that the numbers of clusters support."""
    return isinstance(answer.results, TwoWayAnswer) or answer.recommendation.inference == "cluster-robust"


def reported(results: StaggeredResults) -> Iterator[Reported]:
    """Yield every summary, the overall ones first."""
    sets = (results.by_cohort, results.event_study, results.calendar)
    yield results.simple
    yield from (one.overall for one in sets)
    yield from (part for one in sets for part in one.parts)


def _notes(answer: DidAnswer) -> Iterator[str]:
    if isinstance(answer.results, TwoWayAnswer):
        yield answer.results.effect.meaning
        return
    if not is_recommended(answer):
        yield _caution(answer)
    elif answer.thin_cohorts:
        yield _thin(answer)
    if not counts_never(answer):
        yield "No unit is never treated within these periods: units that start later serve as comparison until then."
    yield from answer.results.notes
    yield from (one.note for one in reported(answer.results) if one.note)
    yield from (cell.note for cell in answer.results.group_time if cell.note)
    lacking = {cell for one in reported(answer.results) for cell in one.lacking}
    if lacking:
        yield (
            f"{len(lacking)} of {len(answer.results.group_time)} effects by cohort and period have no estimate, and "
            "averages are over those that have one; the reasons stand beside them."
        )


def _thin(answer: DidAnswer) -> str:
    """Return what to think of errors that rest on a cohort of few clusters, where the overall effect has a good one."""
    names = listed([str(cohort) for cohort in answer.thin_cohorts], 12)
    return (
        f"Of cohort {names} fewer than {THIN} clusters ({answer.clustered_by}) are treated: standard errors of its own "
        "effects, and of event times and periods that rest on few such cohorts, may be too small. That of the overall "
        "effect rests on all cohorts."
    )


def _caution(answer: DidAnswer) -> str:
    """Return what to think of the errors where the clusters do not support those that are given."""
    supported = answer.recommendation.inference
    if supported == "unavailable":
        return f"No inference is reliable with these clusters. {answer.recommendation.reason}"
    if isinstance(answer.inference.interval, Unavailable):
        return (
            f"What this design supports is {supported}. For the overall effect it gives no interval: "
            f"{answer.inference.interval.reason}"
        )
    made_by = f"the interval of the overall effect comes from {answer.inference.method}"
    simple = answer.results.simple if isinstance(answer.results, StaggeredResults) else None
    if simple is not None and isinstance(simple.std_error, Unavailable):
        return f"Errors clustered so cannot be given for this design; {made_by}."
    return f"The standard errors in the tables are cluster-robust and may be too small for this design; {made_by}."


def counts_never(answer: DidAnswer) -> int:
    """Return how many analysed units are never treated."""
    found = answer.results
    if isinstance(found, TwoWayAnswer):
        return found.effect.n_units - found.effect.n_treated_units
    return found.n_comparison
