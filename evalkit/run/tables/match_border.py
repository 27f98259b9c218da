"""What of a match of people may be told: the same answer, with everything withheld that rests on too few of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np

from evalkit.core.disclosure import FEWEST_PEOPLE, few
from evalkit.core.errors import EvalkitError
from evalkit.core.quantities import Unavailable
from evalkit.core.sentence import Count, Sentence, count
from evalkit.design.clusters import AT_ALL, independence_by
from evalkit.diagnose.finding import Finding, not_assessable, released_finding
from evalkit.diagnose.matched.balance import ArmBalance, BalanceValues, CovariateBalance, MatchBalance
from evalkit.diagnose.matched.findings import baseline_balance, variance_ratios
from evalkit.diagnose.matched.sensitivity import MatchSensitivity
from evalkit.estimate.matched.matched_effect import MatchedEffect
from evalkit.report.border.disclosure import told
from evalkit.run.tables.match_answer import MatchAnswer

FEW: Final = Unavailable(few(FEWEST_PEOPLE))
"""What stands in the place of a number that rests on too few people."""
MEASURES: Final = ("hidden_bias", "e_value", "robustness", "selection")
"""The measures of sensitivity, in the order of their sentences."""
_OF_BALANCE: Final = {"baseline_balance": baseline_balance, "variance_ratios": variance_ratios}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCounts:
    """The units of one arm as typed counts: all of them, those used, and those not used."""

    n: Count
    used: Count
    unused: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldMatch:
    """A match as it may be told: the answer, and by how few people what was withheld.

    Attributes
    ----------
    fewest : counts of people from 1 to under this are withheld; 0 where the units are schools
    answer : the answer, its sentences plain and its numbers those that may be told
    treated, comparison : the counts of each arm
    withheld : why nothing that compares the arms is told, or None
    is_difference_few : whether so few people of an arm are not used that before and after tell of them
    hidden_covariates : covariates of two values that too few people of an arm have, or lack
    """

    fewest: int
    answer: MatchAnswer
    treated: ArmCounts
    comparison: ArmCounts
    withheld: Unavailable | None = None
    is_difference_few: bool = False
    hidden_covariates: tuple[str, ...] = ()

    @property
    def n_target(self) -> int:
        """Return how many units the target group has; of both arms the treated, whose losses are told."""
        return (self.comparison if self.answer.design.target == "ATC" else self.treated).n.n

    def told(self, n: Count) -> int | Unavailable:
        """Return a count, or what stands in its place."""
        return n.n if n.is_told(self.fewest) else FEW


def told_match(answer: MatchAnswer) -> ToldMatch:
    """Return an answer as it may be told: whole where units are schools, released where they are people."""
    whole = ToldMatch(
        fewest=0, answer=answer, treated=_arm(*answer.balance.treated), comparison=_arm(*answer.balance.comparison)
    )
    if not answer.request.are_people:
        return whole
    design = replace(answer.design, notes=tuple(told(note, FEWEST_PEOPLE) for note in answer.design.notes))
    match = replace(whole, fewest=FEWEST_PEOPLE, answer=replace(answer, design=design))
    used = (match.treated.used, match.comparison.used)
    if min(n.n for n in used) < FEWEST_PEOPLE:
        return replace(match, answer=_without_numbers(match.answer), withheld=FEW, is_difference_few=True)
    return _released(replace(match, is_difference_few=not all(n.is_told(FEWEST_PEOPLE) for n in used)))


def _released(match: ToldMatch) -> ToldMatch:
    """Return a match whose arms are large enough, without what rests on too few people all the same."""
    answer, is_few = match.answer, match.is_difference_few
    balance, hidden = _balance(answer.balance, is_few)
    found = answer.sensitivity
    released = replace(
        answer,
        balance=balance,
        effect=_effect(answer.effect, is_few),
        unadjusted=None if answer.unadjusted is None else _known_effect(answer.unadjusted, is_few),
        sensitivity=_reason(found) if isinstance(found, Unavailable) else _measures(found),
        findings=tuple(_finding(finding, balance) for finding in answer.findings),
        over_time=_over_time(answer),
    )
    return replace(match, answer=released, hidden_covariates=hidden)


def _arm(before: ArmBalance, after: ArmBalance) -> ArmCounts:
    lost = before.n - after.n
    return ArmCounts(n=count(before.n), used=count(after.n, among=before.n), unused=count(lost, among=before.n))


def _without_numbers(answer: MatchAnswer) -> MatchAnswer:
    """Return an answer of which an arm has too few people for any comparison to be told."""
    return replace(
        answer,
        balance=replace(answer.balance, rows=()),
        effect=FEW if not isinstance(answer.effect, Unavailable) else _reason(answer.effect),
        unadjusted=None,
        sensitivity=FEW,
        findings=tuple(not_assessable(finding.name, FEW.reason) for finding in answer.findings),
        over_time=None,
    )


def _finding(finding: Finding, balance: MatchBalance) -> Finding:
    """Return a finding with its counts withheld; those on balance are made again of the covariates that are told."""
    made = _OF_BALANCE[finding.name](balance) if finding.name in _OF_BALANCE else finding
    released = released_finding(made, FEWEST_PEOPLE)
    sentence = released.sentence if isinstance(made.sentence, Sentence) else told(made.sentence, FEWEST_PEOPLE)
    return replace(released, sentence=sentence)


def _effect(effect: MatchedEffect | Unavailable, is_few: bool) -> MatchedEffect | Unavailable:
    return _reason(effect) if isinstance(effect, Unavailable) else _known_effect(effect, is_few)


def _known_effect(effect: MatchedEffect, is_few: bool) -> MatchedEffect:
    """Return an effect; where it would tell how many were lost, without the degrees of freedom, which count people."""
    notes = tuple(told(note, FEWEST_PEOPLE) for note in effect.notes)
    if effect.assumes == independence_by("unit", AT_ALL):
        effect = replace(effect, assumes=independence_by("row", AT_ALL))
    if not is_few:
        return replace(effect, notes=notes)
    return replace(effect, notes=notes, inference=effect.inference.partition(", Student's t")[0])


def _reason(none: Unavailable) -> Unavailable:
    return Unavailable(told(none.reason, FEWEST_PEOPLE))


def _measures(found: MatchSensitivity) -> MatchSensitivity:
    """Return measures of which those that do not apply say why without a count of people."""
    reasons: dict[str, Any] = {
        name: _reason(measure) for name in MEASURES if isinstance(measure := getattr(found, name), Unavailable)
    }
    return replace(found, **reasons)


def _balance(balance: MatchBalance, is_few: bool) -> tuple[MatchBalance, tuple[str, ...]]:
    """Return the balance of covariates that may be told of, and the names of the others."""
    hidden = tuple(row.covariate for row in balance.rows if _counts_few(row, balance))
    rows = [row for row in balance.rows if row.covariate not in hidden]
    if is_few:
        nothing = BalanceValues(*[FEW] * len(fields(BalanceValues)))
        rows = [replace(row, before=nothing, denominator=FEW) for row in rows]
    return replace(balance, rows=tuple(rows)), hidden


def _counts_few(row: CovariateBalance, balance: MatchBalance) -> bool:
    """Return whether the mean of a covariate of two values is the share of too few people of an arm."""
    if not row.is_binary:
        return False
    arms = ((row.before, 0), (row.after, 1))
    parts = [(values.mean_treated, balance.treated[at].n) for values, at in arms]
    parts += [(values.mean_comparison, balance.comparison[at].n) for values, at in arms]
    return any(_is_few_of(mean, n) for mean, n in parts if not isinstance(mean, Unavailable))


def _is_few_of(mean: float, n: int) -> bool:
    return any(0.5 / n < share < (FEWEST_PEOPLE - 0.5) / n for share in (mean, 1 - mean))


def _over_time(answer: MatchAnswer) -> tuple[tuple[str, ...], np.ndarray[tuple[int, int], np.dtype[np.float64]]] | None:
    """Return measures over time, unless too few people of an arm have one of them."""
    if answer.over_time is None:
        return None
    design, known = answer.design, np.isfinite(answer.over_time[1])
    arms = [arm & design.is_used for arm in (design.baseline.is_treated, ~design.baseline.is_treated)]
    fewest = min(int(known[arm].sum(axis=0).min()) for arm in arms)
    lacking = max(int((~known[arm]).sum(axis=0).max()) for arm in arms)
    return None if fewest < FEWEST_PEOPLE or 0 < lacking < FEWEST_PEOPLE else answer.over_time


@contextmanager
def no_small_counts_told(are_people: bool) -> Iterator[None]:
    """Withhold small counts of people, and their ids, from the message of an error that names them by type."""
    try:
        yield
    except EvalkitError as problem:
        message = problem.args[0] if problem.args else ""
        if not are_people or not isinstance(message, Sentence):
            raise
        raise type(problem)(message.written(FEWEST_PEOPLE)) from None
