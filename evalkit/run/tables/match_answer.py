"""From a request and its table to an answer, and from it what may be told where units are people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any, Final, cast

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats
from evalkit.core.disclosure import FEWEST_PEOPLE, few, is_dominated
from evalkit.core.draws import Executor
from evalkit.core.errors import DesignError, EvalkitError, InputError
from evalkit.core.quantities import Unavailable
from evalkit.core.sentence import Count, Sentence, count, named_people
from evalkit.core.words import listed
from evalkit.data.baseline import is_category
from evalkit.data.own_tables.unit_table import UnitColumns, UnitTable, read_unit_table
from evalkit.data.published.codes import coded_notes
from evalkit.design.clusters import AT_ALL, independence_by
from evalkit.design.matching.features import require_variation
from evalkit.design.matching.match import match
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import Target
from evalkit.diagnose.finding import Finding, not_assessable, released_finding
from evalkit.diagnose.matched.balance import ArmBalance, BalanceValues, CovariateBalance, MatchBalance, match_balance
from evalkit.diagnose.matched.findings import baseline_balance, match_findings, variance_ratios
from evalkit.diagnose.matched.regression_to_mean import NAME as REGRESSION_TO_MEAN
from evalkit.diagnose.matched.regression_to_mean import regression_to_mean
from evalkit.diagnose.matched.sensitivity import MatchSensitivity, SensitivityOptions, match_sensitivity, no_inference
from evalkit.estimate.matched.matched_effect import MatchedEffect, matched_effect
from evalkit.estimate.matched.task import Adjustment, EffectOptions, Errors
from evalkit.report.border.disclosure import told
from evalkit.run.console import Progress
from evalkit.run.processes.executors import executor_at
from evalkit.run.tables.match_options import MatchRequest, option_of

# From a request and its table to everything that is told: the design, its balance, the effect, what could be wrong.

NO_OUTCOME = Unavailable("No outcome was named, so there is no effect. Name one with --outcome.")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchAnswer:
    """Everything one run of `evalkit match` tells.

    Attributes
    ----------
    design : the comparison group and its weights
    balance : how alike the groups are before and after
    effect : the effect, or why there is none
    unadjusted : the same without adjustment, where the effect is adjusted
    sensitivity : how much that was not measured it would take
    findings : what could be wrong
    unmatched : ids of the target group's units that were not used
    over_time : names and values, shape (n_units, k), of earlier measures and the outcome, None where none were named
    reading : which codes stood in the place of numbers, and what else a reader must know of the file
    """

    request: MatchRequest
    design: MatchedDesign
    balance: MatchBalance
    effect: MatchedEffect | Unavailable
    unadjusted: MatchedEffect | None
    sensitivity: MatchSensitivity | Unavailable
    findings: tuple[Finding, ...]
    unmatched: tuple[str, ...]
    over_time: tuple[tuple[str, ...], Floats] | None
    reading: tuple[str, ...] = ()


def match_answer(request: MatchRequest, progress: Progress) -> MatchAnswer:
    """Read the table, match, and estimate; raise `InputError` where that cannot be done."""
    option = option_of(request)
    with progress.step(f"reading {request.file.name}"):
        table = read_unit_table(
            request.file, _columns(request), "category" if request.is_missing_a_category else "refuse"
        )
    require_variation(table.baseline)
    with progress.step(f"matching ({request.method})"):
        design = match(table.baseline, option, cast(Target, request.estimand))
        balance = match_balance(design)
    with progress.step("estimating and checking"), executor_at(request.where) as executor:
        effect, unadjusted = _effects(request, design, table, executor)
        sensitivity = _sensitivity(request, design, table, effect)
        findings = (*match_findings(design, balance), *_regression(request, design, table, effect))
    return MatchAnswer(
        request=request,
        design=design,
        balance=balance,
        effect=effect,
        unadjusted=unadjusted,
        sensitivity=sensitivity,
        findings=findings,
        unmatched=_unmatched(design),
        over_time=_over_time(request, table),
        reading=(*table.notes, *coded_notes(table.codes, FEWEST_PEOPLE if request.are_people else 0)),
    )


def _columns(request: MatchRequest) -> UnitColumns:
    labels = [*request.exact, *request.anti_exact, *([request.cluster] if request.cluster else [])]
    if "within_first" in request.chosen:
        labels.append(request.chosen["within_first"])
    beside = [name for name in (*request.adjust, *request.earlier) if name not in request.on]
    return UnitColumns(
        treated=request.treated,
        covariates=request.on,
        unit=request.unit,
        labels=tuple(dict.fromkeys(labels)),
        categories=request.categories,
        outcome=request.outcome,
        beside=tuple(dict.fromkeys(beside)),
    )


def _effects(
    request: MatchRequest, design: MatchedDesign, table: UnitTable, executor: Executor
) -> tuple[MatchedEffect | Unavailable, MatchedEffect | None]:
    """Return the effect asked for and, where that is adjusted, the one that is not."""
    if request.outcome is None:
        return NO_OUTCOME, None
    outcome = table.later[request.outcome]
    lost = _lost(design, outcome, request.outcome)
    if lost:
        return lost, None
    options = replace(_options(request, table, is_adjusted=True), executor=executor)
    if not request.adjust:
        return _plain_effect(request, design, outcome, options), None
    effect = matched_effect(design, outcome, options)
    return effect, matched_effect(design, outcome, _options(request, table, is_adjusted=False))


def _plain_effect(
    request: MatchRequest, design: MatchedDesign, outcome: pd.Series, options: EffectOptions
) -> MatchedEffect | Unavailable:
    """Return the effect; where nobody asked for a kind of error, the lack of one leaves the design as it is."""
    try:
        return matched_effect(design, outcome, options)
    except DesignError as problem:
        if request.errors is not None or request.cluster is not None:
            raise
        return Unavailable(str(problem))


def _options(request: MatchRequest, table: UnitTable, is_adjusted: bool) -> EffectOptions:
    beside = [name for name in request.adjust if name not in request.on]
    errors = "default" if request.errors is None or not is_adjusted else request.errors
    return EffectOptions(
        adjust=request.adjust if is_adjusted else (),
        columns=table.later[beside] if beside and is_adjusted else None,
        adjustment=cast(Adjustment | None, request.adjustment) if is_adjusted else None,
        errors=cast(Errors, errors if request.adjust else request.errors or "default"),
        cluster=request.cluster,
        level=request.level,
        seed=request.seed,
    )


def _lost(design: MatchedDesign, outcome: pd.Series, name: str) -> Unavailable | None:
    """Return why no effect is given where a unit that was matched has no outcome, else None."""
    lost = design.is_used & outcome.isna().to_numpy()
    if not lost.any():
        return None
    ids = [str(unit) for unit in design.baseline.units.index[lost]]
    n_treated = int((lost & design.baseline.is_treated).sum())
    return Unavailable(
        Sentence(
            "The outcome '{name}' is missing for {n}, {treated} of them treated ({ids}). An effect without them would "
            "be one on other units than were chosen. Fill the outcome in; or leave units without an outcome out of the "
            "file, and report how many they are.",
            name=name,
            n=count(len(ids), "units", "matched unit"),
            treated=count(n_treated, among=len(ids)),
            ids=named_people(listed(ids, 5)),
        )
    )


def _sensitivity(
    request: MatchRequest, design: MatchedDesign, table: UnitTable, effect: MatchedEffect | Unavailable
) -> MatchSensitivity | Unavailable:
    if isinstance(effect, Unavailable) or request.outcome is None:
        return NO_OUTCOME if request.outcome is None else Unavailable("There is no effect to question.")
    options = SensitivityOptions(level=request.level)
    return match_sensitivity(design, table.later[request.outcome], effect, options)


def _regression(
    request: MatchRequest, design: MatchedDesign, table: UnitTable, effect: MatchedEffect | Unavailable
) -> tuple[Finding, ...]:
    """Return whether the treated were chosen on a passing low, where earlier measures of the outcome are given.

    Its test takes units as independent, so that it is not made where the effect's own interval was refused.
    """
    found = _over_time(request, table)
    if found is None:
        return ()
    refused = None if isinstance(effect, Unavailable) else no_inference(effect.estimate)
    if refused is not None:
        return (not_assessable(REGRESSION_TO_MEAN, refused.reason),)
    n_before = len(request.earlier)
    outcome = None if request.outcome is None else found[1][:, n_before]
    return (regression_to_mean(design, found[1][:, :n_before], outcome),)


def _over_time(request: MatchRequest, table: UnitTable) -> tuple[tuple[str, ...], Floats] | None:
    """Return earlier measures of the outcome and the outcome, in order of time."""
    if not request.earlier:
        return None
    names = (*request.earlier, *([request.outcome] if request.outcome else []))
    columns = [table.baseline.label(name) if name in request.on else table.later[name] for name in names]
    texts = [name for name, column in zip(names, columns, strict=True) if is_category(column)]
    if texts:
        raise InputError(f"--earlier names '{texts[0]}', which holds texts. Earlier measures are numbers.")
    return names, np.column_stack([column.to_numpy(dtype=float) for column in columns])


def _unmatched(design: MatchedDesign) -> tuple[str, ...]:
    """Return the ids of units of the target group that were not used; treated units for the ATE."""
    treated = design.baseline.is_treated
    wanted = ~treated if design.target == "ATC" else treated
    return tuple(str(unit) for unit in design.baseline.units.index[wanted & ~design.is_used])


# What of a match of people may be told: the same answer, with everything withheld that rests on too few of them.

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
    hidden_covariates : covariates of two values that too few people of an arm have, or lack, and others of whose mean
        one or two people make up most
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
        over_time=_told_over_time(answer),
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
    hidden = tuple(row.covariate for row in balance.rows if row.is_dominated or _counts_few(row, balance))
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


def _told_over_time(
    answer: MatchAnswer,
) -> tuple[tuple[str, ...], np.ndarray[tuple[int, int], np.dtype[np.float64]]] | None:
    """Return measures over time, unless too few people of an arm have one of them, or one or two make up its mean."""
    if answer.over_time is None:
        return None
    design, known = answer.design, np.isfinite(answer.over_time[1])
    arms = [arm & design.is_used for arm in (design.baseline.is_treated, ~design.baseline.is_treated)]
    fewest = min(int(known[arm].sum(axis=0).min()) for arm in arms)
    lacking = max(int((~known[arm]).sum(axis=0).max()) for arm in arms)
    is_few = fewest < FEWEST_PEOPLE or 0 < lacking < FEWEST_PEOPLE
    columns = answer.over_time[1].T
    parts = (column[arm & np.isfinite(column)] for arm in arms for column in columns)
    return None if is_few or any(map(is_dominated, parts)) else answer.over_time


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
