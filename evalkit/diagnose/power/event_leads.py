"""What passing the tests before the start is worth for staggered starts: from the effects by cohort and period."""

from __future__ import annotations

from typing import Final

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL, SEED
from evalkit.core.quantities import Estimate, Quantity, Unavailable, critical_value
from evalkit.diagnose.power import pre_trends_arrays as kernel
from evalkit.diagnose.power.pre_trends import (
    ONE_PERIOD,
    POWERS,
    Leads,
    PreTrendPower,
    StandIns,
    rank_trend_power,
)
from evalkit.diagnose.power.pre_trends_arrays import LeadTest
from evalkit.estimate.staggered.cells import GroupTimeEffects
from evalkit.estimate.staggered.pre_test import (
    NOTHING_BEFORE,
    PreTest,
    PreTestKind,
    cells_before,
    covariance_of,
    event_times_before,
    pre_test,
)
from evalkit.estimate.staggered.relabelled import OVERALL
from evalkit.estimate.staggered.results_by_sets import DETECTABLE, NumbersBySets
from evalkit.estimate.staggered.row_inference import Rows, row_inference
from evalkit.estimate.staggered.summaries import Summary, overall_effect

RANKED_ONLY: Final = (
    "One treated cluster gives no covariance of the effects before the start, and where clusters change places no "
    "slope found by their test is told."
)
_SINGULAR: Final = 1e-10


def staggered_pre_trends(
    effects: GroupTimeEffects, level: float = LEVEL, seed: int = SEED
) -> PreTrendPower | Unavailable:
    """Return which linear trends the test before the start, and "any event time significant", would find.

    A trend of slope 1 adds to each cell the periods between it and its base, whichever the base. The joint test is that
    of `pre_test`: Wald's over cells, the approximate Hotelling test, or the largest event time. "Any lead" is what a
    reader of an event study looks for: an event time whose own interval leaves out zero. The bias asked about is the
    effect that would be found four times in five, 2.8 standard errors of the overall effect. Roth (2022).

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 30 and t >= 3), 3 if i < 30 else None)
    ...     for i in range(90) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> design = evalkit.staggered_design(evalkit.Panel.from_frame(table, roles))
    >>> found = evalkit.staggered_pre_trends(evalkit.group_time_effects(design))
    >>> [test.n_leads for test in found.tests]
    [2, 2]
    """
    rows = Rows.of(effects, seed)
    test = pre_test(effects, rows)
    if isinstance(test, Unavailable):
        return Unavailable(ONE_PERIOD) if test.reason == NOTHING_BEFORE else test
    if test.kind == "rank":
        return Unavailable(RANKED_ONLY)
    overall = overall_effect(effects)
    single = _with_errors(rows, event_times_before(effects), level)
    joint = cells_before(effects) if test.kind == "chi-squared" else [lead for lead, _ in single]
    if not single or not joint:
        return Unavailable(RANKED_ONLY)
    together, each = _leads(rows, joint, overall, test), _leads(rows, [lead for lead, _ in single], overall, test)
    if together is None or each is None:
        return Unavailable("Effects before the start depend on each other, so that no power could be reckoned.")
    violation = _violation(rows, overall, level)
    points = np.array([critical_value(level, df) for _, df in single])
    tests = [each.tested("any lead", kernel.single_test(each.covariance, points), POWERS, violation)]
    tests.insert(0, together.tested("joint", _joint(together, test, single, level), POWERS, violation))
    reference = -1 - effects.design.anticipation
    return PreTrendPower(tests=tuple(tests), reference=reference, level=level, violation=violation)


def _with_errors(rows: Rows, leads: list[Summary], level: float) -> list[tuple[Summary, float | None]]:
    """Return the event times that have a standard error, with its degrees of freedom."""
    found = [(lead, row_inference(rows, lead, level)) for lead in leads]
    return [(lead, one.df) for lead, one in found if isinstance(one.std_error, float) and one.std_error > 0]


def _joint(leads: Leads, test: PreTest, single: list[tuple[Summary, float | None]], level: float) -> LeadTest:
    if test.kind == "largest":  # Bonferroni's
        stricter = 1 - (1 - level) / len(single)
        points = np.array([critical_value(stricter, df) for _, df in single])
        return kernel.single_test(leads.covariance, points)
    return leads.joint(level, test.df_denominator)


def _leads(rows: Rows, numbers: list[Summary], overall: Summary, test: PreTest) -> Leads | None:
    """Return numbers before the start as leads, None where their covariance has no inverse.

    CR2 divides by what all numbers asked for give to a cluster, so that the leads' own covariance is that of the test
    and the slope of the effect on them is of all together.
    """
    kind: PreTestKind = "chi-squared" if test.kind == "chi-squared" else "F"
    covariance, both = covariance_of(rows, numbers, kind), covariance_of(rows, [*numbers, overall], kind)
    size = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    if (size == 0).any() or np.linalg.eigvalsh(covariance / np.outer(size, size))[0] < _SINGULAR:
        return None
    cells = rows.effects.cells
    since = np.array([0.0 if cell.base is None else float(cell.period - cell.base) for cell in cells])
    columns = np.column_stack([one.weights for one in numbers])[: len(cells)]
    return Leads(
        values=columns.T @ np.nan_to_num(rows.effects.values),
        times=columns.T @ since,
        covariance=covariance,
        with_effect=covariance @ np.linalg.solve(both[:-1, :-1], both[:-1, -1]),
        effect_time=float(overall.weights[: len(cells)] @ since),
    )


def _violation(rows: Rows, overall: Summary, level: float) -> Quantity:
    """Return the overall effect that would be found in four of five cases: 2.8 standard errors."""
    error = row_inference(rows, overall, level).std_error
    if isinstance(overall.estimate, Estimate) and isinstance(error, float) and error > 0:
        return DETECTABLE * error
    return Unavailable("The overall effect has no standard error that a bias could be measured by.")


def sets_pre_trends(by_sets: NumbersBySets, of_trend: Floats, before: int = 0) -> PreTrendPower | Unavailable:
    """Return which trends of the listed the largest lead's rank among sets would find.

    `of_trend`, shape (n_numbers,), is what a trend of 1 a period adds to each number. The bias asked about is 2.8
    standard deviations of the overall effect over sets.
    """
    columns, statistics = by_sets.leads(before), by_sets.statistics
    if not columns:
        return Unavailable(ONE_PERIOD)
    entries = statistics.together([by_sets.numbers.index(OVERALL), *columns])
    if entries.reason or len(entries.others) < 2:
        return Unavailable(entries.reason or "Too few sets have every number before the start.")
    effects, rise = entries.others[:, 0], float(of_trend[by_sets.numbers.index(OVERALL)])
    if abs(rise) < _SINGULAR:
        return Unavailable("A trend of the treated adds nothing to the effect.")
    away = effects - np.average(effects, weights=entries.weights)
    spread = float(np.sqrt(np.average(away**2, weights=entries.weights)))
    others = StandIns(
        moved=entries.others[:, 1:],
        effects=effects,
        weights=entries.weights,
        rise=of_trend[columns],
        effect_rise=rise,
        n_areas=entries.n_areas,
    )
    return rank_trend_power(others, DETECTABLE * spread, -1 + before, by_sets.level)
