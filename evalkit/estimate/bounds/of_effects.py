"""Bounds on violations of parallel trends for an event study that the kit made, where its covariance can be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL, SEED
from evalkit.core.formats import MINUS
from evalkit.core.quantities import Estimate, Unavailable, critical_value
from evalkit.core.words import counted, listed
from evalkit.estimate.bounds.violation_bounds import ViolationBounds, violation_bounds
from evalkit.estimate.staggered.cells import GroupTimeEffects
from evalkit.estimate.staggered.row_inference import Rows, row_inference
from evalkit.estimate.staggered.summaries import Summary, event_study

FEWEST_DF: Final = 10.0
"""Degrees of freedom that every coefficient needs: the tests take the covariance for known."""
NO_COMMON_BASE: Final = (
    "Bounds need every estimate measured from the last period before the start. Those of the early periods here are "
    "each measured from the period before it (a varying base), which makes other violations of them."
)
NO_EARLY: Final = (
    "This estimator gives no effects before the start that are measured, like those after it, from the last period "
    "before it, so there is nothing that violations could be bounded by."
)
ANTICIPATED: Final = (
    "The programme may act before the start, so that the last period before it is no base to measure violations from."
)
MEASURED: Final = (
    "Every estimate is measured from the last period before the start, those of early periods as well. Intervals are "
    "by errors by cluster and the normal distribution. In a mean over times each weighs alike, so that the one with "
    "parallel trends may differ a little from the effect that is quoted."
)
OF_FEW: Final = "It rests on too few people to be told."


def event_study_bounds(
    effects: GroupTimeEffects, *, event_time: int | None = None, level: float = LEVEL, seed: int = SEED
) -> ViolationBounds | Unavailable:
    """Return bounds for the effect at one time, or for the mean over all times, or why there are none.

    The effects' own covariance stands behind them: that of influence functions, or where few clusters carry some
    coefficient the bias-reduced one (CR2). No bounds are made where a coefficient has fewer than ten degrees of freedom
    of its own, as their tests take the covariance for known. Times beyond a gap in the periods are left out.

    Parameters
    ----------
    effects : with a universal base, as `StaggeredOptions(base_period="universal")` or Sun and Abraham's have it
    event_time : whose effect the bounds are of; None for the mean over all times from 0 on
    level, seed : as in `violation_bounds`

    Examples
    --------
    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 7 / 4 + (7 * i * i * (t + 2) ** 3 + i * t) % 31 / 30 + (i % 2 and t >= 3), 3 if i % 2 else None)
    ...     for i in range(80) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> design = evalkit.staggered_design(panel, evalkit.StaggeredOptions(base_period="universal"))
    >>> bounds = evalkit.event_study_bounds(evalkit.group_time_effects(design), event_time=0)
    >>> bounds.times, round(bounds.estimate, 2)
    ((0,), 1.05)
    >>> bounds.breakdown_relative > 1
    True
    """
    if effects.design.anticipation:
        return Unavailable(ANTICIPATED)
    parts = [part for part in event_study(effects).parts if not _is_base(effects, part)]
    reason = _why_not(effects, parts)
    if reason:
        return Unavailable(reason)
    kept, cut = _without_gaps(effects, parts)
    times = [part.label for part in kept if part.label is not None]
    after = tuple(time for time in times if time >= 0)
    if min(times, default=0) >= 0 or not after or (event_time is not None and event_time not in after):
        return Unavailable(_too_short(effects, event_time))
    rows = Rows.of(effects, seed)
    reason = _why_not_trusted(rows, kept, level)
    if reason:
        return Unavailable(reason)
    wider = _widening(rows, kept, level)
    made = violation_bounds(
        [part.estimate.value for part in kept if isinstance(part.estimate, Estimate)],
        _covariance(rows, kept) * wider**2,
        event_times=times,
        average=after if event_time is None else (event_time,),
        level=level,
        seed=seed,
    )
    own_error = made.std_error / wider
    return replace(made, std_error=own_error, notes=(MEASURED, cut) if cut else (MEASURED,))


def _covariance(rows: Rows, parts: list[Summary]) -> Floats:
    """Return the covariance behind the parts' printed errors: plain where many clusters carry each of them."""
    columns = np.column_stack([part.weights for part in parts])
    if not all(rows.is_plain(part) for part in parts):
        return rows.covariance(columns)
    plain: Floats = columns.T @ rows.effects.covariance @ columns
    return plain


def _widening(rows: Rows, parts: list[Summary], level: float) -> float:
    """Return by how much intervals of the parts are wider than normal ones: Student's t with the least df of theirs.

    The tests take the covariance for known. That it is estimated from few clusters shortens every interval made of it,
    those of single coefficients by exactly this; where their own intervals are normal it is 1.
    """
    known = [df for part in parts if (df := row_inference(rows, part, level).df) is not None]
    return critical_value(level, min(known)) / critical_value(level) if known else 1.0


def _is_base(effects: GroupTimeEffects, part: Summary) -> bool:
    """Return whether a part is of base periods alone, zero by definition."""
    used = part.weights[: len(effects.cells)] != 0
    return bool(used.any()) and bool(effects.is_reference[used].all())


def _used(effects: GroupTimeEffects, part: Summary) -> Iterable[int]:
    return np.flatnonzero(part.weights[: len(effects.cells)] != 0).tolist()


def _why_not(effects: GroupTimeEffects, parts: list[Summary]) -> str:
    """Return why no bounds can be made of these effects, an empty text where they can."""
    if any(part.is_of_few for part in parts):
        return OF_FEW
    early = [effects.cells[at] for part in parts if (part.label or 0) < 0 for at in _used(effects, part)]
    if not early or any(cell.base is None for cell in early):
        return NO_EARLY
    if any(cell.base != effects.design.base_of(cell.cohort) for cell in early):
        return NO_COMMON_BASE
    return ""


def _without_gaps(effects: GroupTimeEffects, parts: list[Summary]) -> tuple[list[Summary], str]:
    """Return the parts around the start between which no period lacks, and what to say of those beyond."""
    by_time = {part.label: part for part in parts if part.label is not None and _follows(effects, part)}
    kept, time = [], -2
    while time in by_time:
        kept.append(by_time[time])
        time -= 1
    time = 0
    while time in by_time:
        kept.append(by_time[time])
        time += 1
    left = sorted({part.label for part in parts if part.label is not None} - {part.label for part in kept})
    names = [str(one).replace("-", MINUS) for one in left]
    beyond = f"Left out, as a period between them and the start has no results: event times {listed(names, 12)}."
    return sorted(kept, key=lambda part: part.label or 0), beyond if left else ""


def _follows(effects: GroupTimeEffects, part: Summary) -> bool:
    """Return whether a part has an estimate, and every period between its cells and their bases is there."""
    periods = set(effects.design.observations.periods)
    for at in _used(effects, part):
        cell = effects.cells[at]
        base = effects.design.base_of(cell.cohort)
        low, high = sorted((cell.period, base))
        if base != cell.cohort - 1 or not set(range(low, high + 1)) <= periods:
            return False
    return isinstance(part.estimate, Estimate)


def _too_short(effects: GroupTimeEffects, event_time: int | None) -> str:
    if event_time is not None:
        after = f"{counted(event_time, 'period')} after the start"
        return f"The effect {after} cannot be bounded: it has no estimate, or a period before it has no results."
    return (
        "Bounds need two periods before the start and one from it on, next to each other without a gap. The periods "
        f"with results are {listed(list(map(str, effects.design.observations.periods)), 12)}."
    )


def _why_not_trusted(rows: Rows, parts: list[Summary], level: float) -> str:
    """Return which coefficient has too few degrees of freedom for its error to be taken as known, or an empty text."""
    for part in parts:
        found = row_inference(rows, part, level)
        time = str(part.label).replace("-", MINUS)
        if isinstance(found.std_error, Unavailable):
            return f"The estimate at event time {time} has no standard error by cluster. {found.std_error.reason}"
        df = rows.df(part) if found.df is None else min(found.df, rows.df(part))
        if df < FEWEST_DF:
            return (
                f"Bounds start from a covariance, and that of event time {time} has {df:.1f} degrees of freedom; below "
                f"{FEWEST_DF:.0f} it cannot be taken as known."
            )
    return ""
