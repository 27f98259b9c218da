"""From a request and its table to everything that is told: the design, its balance, the effect, what could be wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats
from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.draws import Executor
from evalkit.core.errors import DesignError, InputError
from evalkit.core.quantities import Unavailable
from evalkit.core.sentence import Sentence, count, named_people
from evalkit.core.words import listed
from evalkit.data.baseline import is_category
from evalkit.data.own_tables.unit_table import UnitColumns, UnitTable, read_unit_table
from evalkit.data.published.codes import coded_notes
from evalkit.design.matching.features import require_variation
from evalkit.design.matching.match import match
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import Target
from evalkit.diagnose.finding import Finding, not_assessable
from evalkit.diagnose.matched.balance import MatchBalance, match_balance
from evalkit.diagnose.matched.findings import match_findings
from evalkit.diagnose.matched.regression_to_mean import NAME as REGRESSION_TO_MEAN
from evalkit.diagnose.matched.regression_to_mean import regression_to_mean
from evalkit.diagnose.matched.sensitivity import MatchSensitivity, SensitivityOptions, match_sensitivity, no_inference
from evalkit.estimate.matched.matched_effect import MatchedEffect, matched_effect
from evalkit.estimate.matched.task import Adjustment, EffectOptions, Errors
from evalkit.run.console import Progress
from evalkit.run.processes.executors import executor_at
from evalkit.run.tables.match_options import MatchRequest, option_of

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
