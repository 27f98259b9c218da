"""The bootstrap after matching or weighting, where it is known to hold, and the reason where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import LARGEST_LOSS, SERIAL, Draws, draws_in_chunks
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.data.baseline import Baseline
from evalkit.design.matching.match import match
from evalkit.design.matching.matched import MatchedDesign, stratum_weights
from evalkit.design.matching.options import (
    CoarsenedExact,
    CovariateBalancing,
    EntropyBalancing,
    ExactMatching,
    FullMatching,
    InverseProbability,
    NearestNeighbour,
    OptimalMatching,
)
from evalkit.estimate.effect import ExplainedEstimate, guarded_estimate, why_no_error
from evalkit.estimate.matched.contrast_arrays import ArmRows, arm_fit
from evalkit.estimate.matched.regression import fitted, set_noun, shares_partners, unit_rows
from evalkit.estimate.matched.task import EffectTask

CHUNK: Final = 25
"""Draws in a chunk, whoever carries them out."""


def bootstrap_effect(task: EffectTask) -> ExplainedEstimate:
    """Return the estimate with the standard deviation of estimates from samples drawn again.

    - Pairs and sets without replacement: whole sets are drawn (Austin and Small, 2014).
    - Exact and coarsened exact strata: units within each arm, strata as they are, weights anew.
    - Weights: units, or clusters where given, within each arm, and weights estimated anew on each sample.

    Raise `DesignError` for other designs: with replacement the bootstrap is known to fail (Abadie and Imbens, 2008).
    """
    resampling = _resampling(task)
    rows = unit_rows(task)
    value = float(fitted(rows).coefficients[0])
    reason = why_no_error(task)
    if reason is not None:
        return ExplainedEstimate(estimate=Estimate(value, Unavailable(reason)), inference="none")
    drawn = _drawn(task, resampling)
    found = drawn[np.isfinite(drawn)]
    inference = f"bootstrap, {task.options.n_draws:,} draws of {resampling.words}; standard deviation of draws, normal"
    if len(found) < (1 - LARGEST_LOSS) * task.options.n_draws:
        lost = task.options.n_draws - len(found)
        none = Unavailable(
            f"{lost} of {task.options.n_draws} bootstrap draws gave no estimate, so that they give no error."
        )
        return ExplainedEstimate(estimate=Estimate(value, none), inference=inference)
    return ExplainedEstimate(
        estimate=guarded_estimate(task, value, float(found.std(ddof=1)), None), inference=inference
    )


class Resampling(NamedTuple):
    """What is drawn, in words, the name of its stream, and the verb that gives an estimate for each draw."""

    words: str
    stream: str
    estimates: Callable[[EffectTask, Draws], Iterator[float]]


def _drawn(task: EffectTask, resampling: Resampling) -> Floats:
    """Return an estimate for each draw, NaN where a draw gives none."""
    options = task.options
    chunks = draws_in_chunks(options.seed, resampling.stream, options.n_draws, CHUNK)
    sent = replace(task, options=replace(options, executor=SERIAL))  # workers have no use for a way to reach workers
    return np.concatenate(options.executor.map(partial(_of_chunk, sent, resampling.estimates), chunks))


def _of_chunk(task: EffectTask, estimates: Callable[[EffectTask, Draws], Iterator[float]], draws: Draws) -> Floats:
    return np.fromiter(estimates(task, draws), dtype=float, count=draws.n)


def _resampling(task: EffectTask) -> Resampling:
    """Return how a design is drawn again; raise `DesignError` where no way is known to hold."""
    design = task.design
    option = design.option
    if shares_partners(design):
        raise DesignError(
            "The bootstrap does not hold for nearest neighbours with replacement (Abadie and Imbens, 2008). Ask for "
            "two-way or Abadie–Imbens errors."
        )
    if isinstance(option, EntropyBalancing | InverseProbability | CovariateBalancing):
        words = "units within each arm" if task.cluster is None else "clusters within each arm"
        return Resampling(f"{words}, weights estimated anew", "effect after weighting: bootstrap", _weighted_draws)
    if task.cluster is not None:
        raise DesignError(
            "The bootstrap of a matched design draws matched sets or units, not clusters above them. Ask for two-way "
            "errors, or leave the clusters out."
        )
    is_paired = isinstance(option, NearestNeighbour | OptimalMatching | FullMatching)
    if design.strata is not None and (is_paired or (isinstance(option, CoarsenedExact) and option.one_to_one)):
        return Resampling(f"{set_noun(design)}s", "effect after matching: bootstrap of sets", _set_draws)
    if isinstance(option, ExactMatching | CoarsenedExact):
        words = "units within each arm, strata as they are"
        return Resampling(words, "effect after matching: bootstrap within arms", _stratum_draws)
    raise DesignError(
        "How a bootstrap would behave for this method is not known (subclasses and profiles move with every draw). Ask "
        "for errors 'default'."
    )


def _set_draws(task: EffectTask, draws: Draws) -> Iterator[float]:
    rows, generator = unit_rows(task), draws.stream()
    assert rows.matched_set is not None
    for _ in range(draws.n):
        # A set drawn twice counts twice: weights stand for repeats, and no sample is copied.
        times = np.bincount(generator.integers(0, rows.n_sets, rows.n_sets), minlength=rows.n_sets)
        yield _refitted(task, rows.unit, rows.arms.weight, times[rows.matched_set])


def _stratum_draws(task: EffectTask, draws: Draws) -> Iterator[float]:
    design, generator = task.design, draws.stream()
    assert design.strata is not None
    is_treated = design.baseline.is_treated
    for _ in range(draws.n):
        drawn = _within_arms(generator, is_treated, design.is_used)
        weights = stratum_weights(is_treated[drawn], design.strata[drawn], design.target)
        yield _estimate(task, drawn, weights)


def _weighted_draws(task: EffectTask, draws: Draws) -> Iterator[float]:
    design, generator = task.design, draws.stream()
    everyone = np.ones(len(design.weights), dtype=bool)
    for _ in range(draws.n):
        if task.cluster is None:
            drawn = _within_arms(generator, design.baseline.is_treated, everyone)
        else:
            drawn = _whole_clusters(generator, task)
        try:
            again = match(_drawn_baseline(design, drawn), design.option, design.target)
        except DesignError:
            yield np.nan
            continue
        yield _estimate(task, drawn, again.weights)


def _within_arms(generator: np.random.Generator, is_treated: NDArray[np.bool_], among: NDArray[np.bool_]) -> Ints:
    arms = [np.flatnonzero(among & arm) for arm in (is_treated, ~is_treated)]
    return np.concatenate([units[generator.integers(0, len(units), len(units))] for units in arms])


def _whole_clusters(generator: np.random.Generator, task: EffectTask) -> Ints:
    """Return the units of clusters drawn among those with treated units and, apart from them, among the others."""
    assert task.cluster is not None
    n = int(task.cluster.max()) + 1
    known = task.cluster >= 0
    has_treated = np.bincount(task.cluster[known], task.design.baseline.is_treated[known], minlength=n) > 0
    order = np.argsort(task.cluster, kind="stable")
    starts = np.searchsorted(task.cluster[order], np.arange(n + 1))
    drawn = [
        generator.choice(codes, len(codes))
        for codes in (np.flatnonzero(has_treated), np.flatnonzero(~has_treated))
        if len(codes)
    ]
    return np.concatenate([order[starts[code] : starts[code + 1]] for code in np.concatenate(drawn)])


def _drawn_baseline(design: MatchedDesign, drawn: Ints) -> Baseline:
    """Return the baseline of a sample with repeats, units numbered anew."""
    index = pd.RangeIndex(1, len(drawn) + 1)
    units = design.baseline.units.iloc[drawn].set_axis(index)
    return Baseline(units, design.baseline.covariates.iloc[drawn].set_axis(index))


def _estimate(task: EffectTask, drawn: Ints, weights: Floats) -> float:
    has_weight = weights > 0
    return _refitted(task, drawn[has_weight], weights[has_weight], np.ones(int(has_weight.sum()), dtype=np.int64))


def _refitted(task: EffectTask, unit: Ints, weight: Floats, times: Ints) -> float:
    """Return the estimate from units of which each counts so many times, centred at their own target group."""
    drawn = np.flatnonzero(times)
    unit, weight, times = unit[drawn], weight[drawn], times[drawn]
    is_treated = task.design.baseline.is_treated[unit]
    target = {"ATT": is_treated, "ATC": ~is_treated, "ATE": np.ones(len(unit), dtype=bool)}[task.design.target]
    covariates, outcome = task.covariates[unit], task.outcome[unit]
    is_known = np.isfinite(outcome).all() and np.isfinite(covariates).all()  # a unit trimmed away may lack its own
    if is_treated.all() or not is_treated.any() or not is_known:
        return float("nan")
    centre = np.average(covariates[target], axis=0, weights=times[target])
    arms = ArmRows(outcome, weight * times, is_treated, covariates - centre, task.options.how == "g-computation")
    try:
        return float(arm_fit(arms).coefficients[0])
    except DesignError:
        return float("nan")
