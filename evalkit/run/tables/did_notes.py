"""What a reader of `evalkit did` must know beside the numbers."""

from __future__ import annotations

from collections.abc import Iterator

from evalkit.core.quantities import Unavailable
from evalkit.core.words import listed
from evalkit.estimate.staggered.results import Reported, ReportedCell, StaggeredResults
from evalkit.run.tables.did_answer import DidAnswer, TwoWayAnswer


def did_notes(answer: DidAnswer) -> tuple[str, ...]:
    """Return every note once, the most important first, how the file was read at the end."""
    return tuple(dict.fromkeys([*_notes(answer), *answer.reading]))


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
    caution = _caution(answer, answer.results)
    if caution:
        yield caution
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


def _caution(answer: DidAnswer, results: StaggeredResults) -> str:
    """Return what to think of intervals where few clusters carry some numbers, or an empty text."""
    rows: list[Reported | ReportedCell] = [*reported(results), *results.group_time]
    if all(row.method == "cluster-robust" for row in rows):
        return ""
    parts = [
        "Few clusters carry some of these numbers, or a few of them most of the weight: every interval is by the "
        "inference that the clusters behind that number support"
    ]
    methods = list(dict.fromkeys(row.method for row in rows if row.method not in ("cluster-robust", "unavailable")))
    if methods:
        parts.append(f" ({listed(methods)})")
    parts.append(", and where none holds its level there is a reason instead.")
    if isinstance(answer.inference.interval, Unavailable):
        parts.append(f" The overall effect has no interval: {answer.inference.interval.reason}")
    return "".join(parts)


def counts_never(answer: DidAnswer) -> int:
    """Return how many analysed units are never treated."""
    found = answer.results
    if isinstance(found, TwoWayAnswer):
        return found.effect.n_units - found.effect.n_treated_units
    return found.n_comparison
