"""The cluster bootstrap: whole clusters drawn again, and the whole estimator run on every draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.draws import FEWEST_DRAWS, LARGEST_LOSS, Draws, draws_in_chunks
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Interval, Unavailable, critical_value
from evalkit.data.panel import CrossSections, Panel
from evalkit.design.panel.staggered import StaggeredDesign, staggered_design
from evalkit.estimate.staggered.bands import Uncertainty
from evalkit.estimate.staggered.cells import GroupTimeEffects
from evalkit.estimate.staggered.results import Reported, ReportedSet, StaggeredResults, staggered_results
from evalkit.estimate.staggered.summaries import (
    Summary,
    effects_by_cohort,
    effects_by_period,
    event_study,
    overall_effect,
)

_Key = tuple[str, int | None]
Estimator = Callable[[StaggeredDesign], GroupTimeEffects]

STREAM: Final = "difference-in-differences: cluster bootstrap"
CHUNK: Final = 25
"""Draws in a chunk: a second or so of work, and 40 chunks in 999 draws to share out."""


def cluster_bootstrap(design: StaggeredDesign, estimator: Estimator, options: Uncertainty) -> StaggeredResults:
    """Return an estimator's results with standard errors from drawing clusters again, with replacement.

    Parameters
    ----------
    design : StaggeredDesign
        Its clusters are drawn, as many as there are; a cluster drawn twice weighs twice, one not drawn is gone.
    estimator : verb from a design to group-time effects, for example `group_time_effects`
    options : Uncertainty, with `n_draws` of 99 or more; its executor carries out the draws in chunks of 25

    Returns
    -------
    StaggeredResults
        Standard errors are the standard deviation over the draws, intervals estimate ± normal quantile ×
        standard error, the band uses the quantile of the largest |draw − estimate| / standard error over event
        times (Efron and Tibshirani, 1993, for clusters Cameron, Gelbach and Miller, 2008). A number that more than
        5% of the draws could not give has no error, with the reason. Where analytic errors are unavailable
        because too few clusters are treated, these are as well: the draws would not know the missing shock either.

    Raises
    ------
    DesignError
        Where no draws were asked for.

    Examples
    --------
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
    >>> drawn = evalkit.cluster_bootstrap(design, evalkit.group_time_effects, evalkit.Uncertainty(n_draws=99, seed=7))
    >>> round(drawn.simple.estimate, 2), round(drawn.simple.std_error, 2)
    (1.0, 0.08)
    """
    if not options.n_draws:
        raise DesignError(f"The cluster bootstrap needs a number of draws: 999 for a report, {FEWEST_DRAWS} at least.")
    effects = estimator(design)
    plain = staggered_results(effects, Uncertainty(level=options.level, seed=options.seed, errors=options.errors))
    draws = _draws(design, estimator, options)
    return _replaced(plain, {key: np.array(values) for key, values in draws.items()}, options)


def _draws(design: StaggeredDesign, estimator: Estimator, options: Uncertainty) -> dict[_Key, list[float]]:
    """Return every number of every draw, NaN where a draw gave none."""
    found: dict[_Key, list[float]] = {}
    chunks = draws_in_chunks(options.seed, STREAM, options.n_draws, CHUNK)
    parts = options.executor.map(partial(_points_of_chunk, design, estimator), chunks)
    for number, points in enumerate(each for part in parts for each in part):
        for key in dict.fromkeys([*found, *points]):
            found.setdefault(key, [np.nan] * number).append(points.get(key, np.nan))
    return found


def _points_of_chunk(design: StaggeredDesign, estimator: Estimator, draws: Draws) -> list[dict[_Key, float]]:
    """Return the numbers of each draw of a chunk, none where a draw leaves nothing to compare."""
    return [{} if drawn is None else _points(drawn, estimator) for drawn in _drawn_designs(design, draws)]


def _drawn_designs(design: StaggeredDesign, draws: Draws) -> Iterator[StaggeredDesign | None]:
    """Yield the design of each draw, None where a draw leaves nothing to compare."""
    generator, n = draws.stream(), design.n_clusters
    of_unit = np.arange(n) if design.cluster is None else design.cluster
    of_row = of_unit[design.panel.unit_codes] if design.is_panel else of_unit
    for _ in range(draws.n):
        times = np.bincount(generator.integers(0, n, n), minlength=n)[of_row]
        try:
            yield staggered_design(_drawn(design.observations, times), design.options)
        except DesignError:
            yield None


def _drawn(observations: Panel | CrossSections, times: NDArray[np.int64]) -> Panel | CrossSections:
    """Return observations with each row weighing as often as its cluster was drawn."""
    kept = times > 0
    restricted = observations.restricted(kept)
    weight = restricted.frame["weight"].to_numpy() * times[kept]
    return replace(restricted, frame=restricted.frame.assign(weight=weight))


def _points(design: StaggeredDesign, estimator: Estimator) -> dict[_Key, float]:
    """Return every summary's estimate, of those that have one, under the names of `_numbers`."""
    try:
        effects = estimator(design)
    except DesignError:
        return {}
    found: list[tuple[_Key, Summary]] = [(("simple", None), overall_effect(effects))]
    for name, group in (
        ("by_cohort", effects_by_cohort(effects)),
        ("event_study", event_study(effects)),
        ("calendar", effects_by_period(effects)),
    ):
        found.append(((name, None), group.overall))
        found += [((name, part.label), part) for part in group.parts]
    return {key: one.estimate.value for key, one in found if isinstance(one.estimate, Estimate)}


def _numbers(results: StaggeredResults) -> Iterator[tuple[_Key, Reported]]:
    """Yield every summary of some results under its name."""
    yield ("simple", None), results.simple
    for name in ("by_cohort", "event_study", "calendar"):
        group: ReportedSet = getattr(results, name)
        yield (name, None), group.overall
        yield from (((name, part.label), part) for part in group.parts)


def _replaced(results: StaggeredResults, draws: dict[_Key, Floats], options: Uncertainty) -> StaggeredResults:
    """Return results with the errors of the draws; cells have none, as only summaries are drawn."""
    new = {key: _with_draws(one, draws.get(key), options) for key, one in _numbers(results)}

    def renewed(name: str, group: ReportedSet) -> ReportedSet:
        return ReportedSet(overall=new[name, None], parts=tuple(new[name, part.label] for part in group.parts))

    none = Unavailable("The cluster bootstrap was run for the summaries, not for single cohorts and periods.")
    cells = tuple(replace(cell, std_error=none, interval=none) for cell in results.group_time)
    return replace(
        results,
        simple=new["simple", None],
        group_time=cells,
        by_cohort=renewed("by_cohort", results.by_cohort),
        event_study=_banded(renewed("event_study", results.event_study), draws, options),
        calendar=renewed("calendar", results.calendar),
    )


def _with_draws(one: Reported, draws: Floats | None, options: Uncertainty) -> Reported:
    if not isinstance(one.estimate, float) or not isinstance(one.std_error, float) or one.method != "cluster-robust":
        return one  # draws of few treated clusters are too alike: such numbers keep the inference they have
    known = np.empty(0) if draws is None else draws[np.isfinite(draws)]
    if len(known) < (1 - LARGEST_LOSS) * options.n_draws:
        lost = options.n_draws - len(known)
        none = Unavailable(f"{lost} of {options.n_draws} bootstrap draws gave no estimate, so that they give no error.")
        return replace(one, std_error=none, interval=none, p_value=none)
    estimate = Estimate(one.estimate, float(known.std(ddof=1)))
    return replace(
        one, std_error=estimate.std_error, interval=estimate.interval(options.level), p_value=estimate.p_value
    )


def _banded(study: ReportedSet, draws: dict[_Key, Floats], options: Uncertainty) -> ReportedSet:
    """Return the event study with a band over the times that have an error."""
    usable = [part for part in study.parts if isinstance(part.std_error, float) and isinstance(part.estimate, float)]
    if not usable or any(part.method != "cluster-robust" for part in study.parts):
        return study
    deviations = [(draws["event_study", p.label] - p.estimate) / p.std_error for p in usable]  # type: ignore[operator]
    largest = np.nanmax(np.abs(deviations), axis=0, initial=0.0)
    drawn = float(np.quantile(largest, options.level, method="inverted_cdf"))
    critical = max(drawn, critical_value(options.level))  # a band is never narrower than an interval
    return replace(study, parts=tuple(_band(part, critical, options.level) for part in study.parts))


def _band(part: Reported, critical: float, level: float) -> Reported:
    if isinstance(part.estimate, Unavailable) or isinstance(part.std_error, Unavailable):
        return replace(part, band=part.std_error if isinstance(part.std_error, Unavailable) else None)
    reach = critical * part.std_error
    return replace(part, band=Interval(part.estimate - reach, part.estimate + reach, level))
