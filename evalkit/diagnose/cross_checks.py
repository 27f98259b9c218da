"""The overall effect by every estimator at hand, side by side: where they part, some assumption matters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from evalkit.core.draws import SERIAL
from evalkit.core.errors import InputError
from evalkit.core.quantities import IntervalOrReason, Quantity, Unavailable
from evalkit.core.shown import ShownModel
from evalkit.design.clusters import independence_by
from evalkit.design.panel.staggered import StaggeredDesign, StaggeredOptions
from evalkit.estimate.staggered.bands import Uncertainty
from evalkit.estimate.staggered.cells import GroupTimeEffects
from evalkit.estimate.staggered.results import staggered_results

COMPARES = {
    "group-time": "each cohort with {compared}, measured from the last period before its start",
    "imputation": "each treated observation with what untreated ones predict; trends must be parallel in every period",
    "sun-abraham": "each cohort with never-treated units (or the last to start), in one regression; shares are fixed",
    "extended": "each cohort with all untreated observations, in one regression; each cohort and period may differ",
    "two-stage": "as imputation; errors carry both of its regressions",
    "twfe": "all units with each other, those already treated included: misleading where effects grow or differ",
}
"""What each estimator compares, in a phrase; the keys are the estimators' names on the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheck:
    """The overall effect by one estimator, or the reason why it cannot be given, and what it compares."""

    estimator: str
    compares: str
    estimate: Quantity
    std_error: Quantity
    interval: IntervalOrReason


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CrossChecks(ShownModel):
    """The overall effect by every estimator, on the same units."""

    level: float
    rows: tuple[CrossCheck, ...]
    assumes: str = ""


def cross_checks(effects: GroupTimeEffects, options: Uncertainty | None = None) -> CrossChecks:
    """Return the overall effect of group-time effects beside that of every other estimator on the same design.

    Every row has the inference that the clusters support, or with `errors="plain"` plain clustered errors. All average
    over treated units and periods, though not with the same weights in unbalanced panels. Estimators other than the
    group-time one compare with whom they always do, whatever `design.comparison` says.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 6 and t >= 3), 3 if i < 6 else None)
    ...     for i in range(18) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> design = evalkit.staggered_design(panel)
    >>> effects = evalkit.group_time_effects(design)
    >>> checks = evalkit.cross_checks(effects)
    >>> [(row.estimator, round(row.estimate, 2)) for row in checks.rows[:3]]
    [('group-time', 1.0), ('imputation', 0.98), ('sun-abraham', 1.0)]
    """
    options = options or Uncertainty()
    plain = replace(options, n_draws=0, executor=SERIAL)
    design = open_design(effects.design)
    compared = "never-treated units" if effects.design.comparison == "never" else "units never or not yet treated"
    rows = [_of_effects("group-time", lambda: effects, options, COMPARES["group-time"].format(compared=compared))]
    rows += options.executor.map(partial(_check, design, plain), (*ESTIMATORS, "twfe"))
    assumes = independence_by(effects.design.observations.clustered_by)
    return CrossChecks(level=options.level, rows=tuple(rows), assumes=assumes)


def open_design(design: StaggeredDesign) -> StaggeredDesign:
    """Return the design in which all untreated observations may be compared."""
    kept = StaggeredOptions(comparison="not-yet", anticipation=design.anticipation)
    return replace(design, options=kept)


ESTIMATORS = ("imputation", "sun-abraham", "extended", "two-stage")
"""Estimators that give group-time effects, beside the group-time estimator itself."""


def effects_by(name: str, design: StaggeredDesign) -> GroupTimeEffects:
    """Return the effects by one of `ESTIMATORS`."""
    from evalkit.estimate.staggered.extended import extended_effects
    from evalkit.estimate.staggered.imputation import imputation_effects, two_stage_effects
    from evalkit.estimate.staggered.sun_abraham import sun_abraham_effects

    verbs: dict[str, Callable[[StaggeredDesign], GroupTimeEffects]] = {
        "imputation": imputation_effects,
        "sun-abraham": sun_abraham_effects,
        "extended": extended_effects,
        "two-stage": two_stage_effects,
    }
    return verbs[name](design)


def _check(design: StaggeredDesign, options: Uncertainty, name: str) -> CrossCheck:
    """Return the overall effect by one estimator other than the group-time one."""
    if name == "twfe":
        return _two_way(design, options)
    return _of_effects(name, lambda: effects_by(name, design), options, COMPARES[name])


def _of_effects(
    name: str, estimated: Callable[[], GroupTimeEffects], options: Uncertainty, compares: str
) -> CrossCheck:
    try:
        simple = staggered_results(estimated(), options).simple
    except InputError as problem:
        return _none(name, compares, problem)
    return CrossCheck(
        estimator=name,
        compares=compares,
        estimate=simple.estimate,
        std_error=simple.std_error,
        interval=simple.interval,
    )


def _two_way(design: StaggeredDesign, options: Uncertainty) -> CrossCheck:
    from evalkit.estimate.two_way.recommended import InferenceOptions
    from evalkit.estimate.two_way.two_way import two_way_effect

    compares = COMPARES["twfe"] + ("; takes no account of anticipation" if design.anticipation else "")
    try:
        found = two_way_effect(design.panel, InferenceOptions(level=options.level, seed=options.seed))
    except InputError as problem:
        return _none("twfe", compares, problem)
    is_plain = options.errors == "plain"
    return CrossCheck(
        estimator="twfe",
        compares=compares,
        estimate=found.estimate.value,
        std_error=found.estimate.std_error if is_plain else found.inference.std_error,
        interval=found.estimate.interval(options.level) if is_plain else found.inference.interval,
    )


def _none(name: str, compares: str, problem: InputError) -> CrossCheck:
    reason = Unavailable(str(problem))
    return CrossCheck(estimator=name, compares=compares, estimate=reason, std_error=reason, interval=reason)
