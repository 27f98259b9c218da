"""The counts a run of `evalkit did` tells: of units in full, of single people never fewer than may be told of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.quantities import Unavailable
from evalkit.data.flow import LeftOut
from evalkit.report.border.told_effects import OF_FEW, rests_on_few, told_effects
from evalkit.run.tables.did_answer import DidAnswer, TwoWayAnswer

Count = int | Unavailable

FEW = Unavailable(f"fewer than {FEWEST_PEOPLE}")
REVEALING = Unavailable(f"It would reveal a count of fewer than {FEWEST_PEOPLE}.")
NO_IDS = Unavailable("Ids of people are not listed.")


def told_answer(answer: DidAnswer) -> DidAnswer:
    """Return an answer without estimates that rest on too few people, or would let such an estimate be worked out."""
    if isinstance(answer.results, TwoWayAnswer):
        return answer
    results = told_effects(answer.results)
    if not rests_on_few(results) or not isinstance(results.simple.estimate, Unavailable):
        return replace(answer, results=results)
    bare = replace(answer.inference, df=None, n_ranked=None, note="")  # each would tell how many are treated
    inference = replace(bare, std_error=OF_FEW, interval=OF_FEW, p_value=OF_FEW)
    return replace(answer, results=results, inference=inference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many were analysed; of repeated cross-sections these are observations, of panels units."""

    noun: str
    n_units: Count
    n_treated: Count
    n_comparison: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What was left out for one reason, as it may be told."""

    reason: str
    n_units: Count
    n_rows: Count
    units: tuple[str, ...] | Unavailable


def counts_of(answer: DidAnswer) -> Counts:
    """Return how many were analysed, treated, and never treated."""
    found = answer.results
    if isinstance(found, TwoWayAnswer):
        n_units, n_treated = found.effect.n_units, found.effect.n_treated_units
        return Counts(noun="unit", n_units=n_units, n_treated=n_treated, n_comparison=n_units - n_treated)
    if not answer.request.are_people:
        return Counts(noun="unit", n_units=found.n_units, n_treated=found.n_treated, n_comparison=found.n_comparison)
    is_few = any(0 < n < FEWEST_PEOPLE for n in (found.n_treated, found.n_comparison))
    return Counts(
        noun="observation" if answer.request.is_cross_section else "unit",
        n_units=REVEALING if is_few else found.n_units,
        n_treated=_of_people(found.n_treated),
        n_comparison=_of_people(found.n_comparison),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """How many clusters are treated and compared; `is_few` where they are people, too few to be counted."""

    n_treated: Count
    n_comparison: Count
    is_few: bool


def clusters_of(answer: DidAnswer) -> Clusters:
    """Return the numbers of clusters as they may be told."""
    treated, compared = answer.clusters.n_treated, answer.clusters.n_comparison
    if answer.names_units or answer.clustered_by not in ("row", answer.request.parts["unit"]):
        return Clusters(n_treated=treated, n_comparison=compared, is_few=False)
    is_few = any(0 < n < FEWEST_PEOPLE for n in (treated, compared))
    return Clusters(n_treated=_of_people(treated), n_comparison=_of_people(compared), is_few=is_few)


def losses_of(answer: DidAnswer) -> tuple[Loss, ...]:
    """Return everything that was left out, by reason: first rows of the table, then units of the design."""
    losses: tuple[LeftOut, ...] = (*answer.left_out, *answer.dropped)
    return tuple(
        Loss(
            reason=lost.reason,
            n_units=len(lost.units) if answer.names_units else _of_people(len(lost.units)),
            n_rows=_of_people(lost.n_rows) if answer.request.are_people else lost.n_rows,
            units=lost.units if answer.names_units else NO_IDS,
        )
        for lost in losses
    )


def _of_people(n: int) -> Count:
    return FEW if 0 < n < FEWEST_PEOPLE else n
