"""Randomisation inference: the two-way effect among those of other assignments of treatment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Codes
from evalkit.core.draws import (
    LEAST_INVERTED,
    LEVEL,
    N_DRAWS,
    PANEL_SEED,
    SERIAL,
    Executor,
    require_draws,
    require_level,
    require_room,
    require_seed,
    stream,
)
from evalkit.core.errors import DesignError
from evalkit.core.quantities import ROUNDING, Unavailable
from evalkit.core.shown import Shown
from evalkit.data.panel import Panel
from evalkit.design.clusters import independence_by
from evalkit.estimate.effect import ALIKE, Inference, exact_reason
from evalkit.estimate.inversion_arrays import Reference
from evalkit.estimate.two_way.inference_arrays import (
    MOST_ASSIGNMENTS_LISTED,
    assignments,
    cohort_sums,
    n_assignments,
    permutation_reference,
    places,
)
from evalkit.estimate.two_way.panel_rows import PanelRows, require_contrast


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomisationOptions:
    """Which other assignments could have been made, and what is compared.

    Attributes
    ----------
    over : "cluster" (whole areas change places) or "unit"
    strata : mapping from cluster (or unit) to its stratum, within which places are exchanged; None for one stratum
    is_studentised : whether effects are divided by their cluster-robust error first, which guards against clusters
        that vary unequally
    n_draws, seed : draws, where the assignments are too many to go through
    level : of the interval
    executor : who works through the assignments
    """

    over: Literal["cluster", "unit"] = "cluster"
    strata: Mapping[Any, Any] | None = None
    is_studentised: bool = False
    n_draws: int = N_DRAWS
    seed: int = PANEL_SEED
    level: float = LEVEL
    executor: Executor = field(default=SERIAL, compare=False, repr=False)

    def __post_init__(self) -> None:
        require_draws(self.n_draws)
        require_seed(self.seed)
        require_level(self.level, LEAST_INVERTED)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RandomisationTest(Shown):
    """The effect's place among those of other assignments.

    `n_assignments` counts the assignments compared, the actual one among them; `smallest_p` is one over them.
    """

    estimate: float
    inference: Inference
    n_assignments: int
    is_enumerated: bool
    smallest_p: float


def randomisation_test(panel: Panel, options: RandomisationOptions | None = None) -> RandomisationTest:
    """Return how unusual the two-way effect is among assignments that keep each cohort's number in each stratum.

    Exact for the hypothesis of no effect on anyone, if every such assignment was as likely (Fisher, 1935); the
    interval holds every constant effect that the test does not reject.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 6 and t >= 3), 3 if i < 6 else None)
    ...     for i in range(18) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> options = evalkit.RandomisationOptions(over="unit", n_draws=199, seed=7)
    >>> test = evalkit.randomisation_test(panel, options)
    >>> round(test.estimate, 2), test.inference.p_value < 0.001
    (0.98, True)
    """
    options = options or RandomisationOptions()
    rows = PanelRows.of(panel)
    require_contrast(rows)
    names = rows.clusters if options.over == "cluster" else panel.units[_units_in_order(panel)]
    if options.over == "unit":
        rows = replace(rows, cluster=rows.unit, clusters=names)
    cohort, starts = _cohorts(rows)
    stratum = _strata(options.strata, names)
    require_room(int((cohort > 0).sum()), options.n_draws, f"treated {options.over}s")
    who = assignments(cohort, stratum, options.n_draws, stream(options.seed, "randomisation"))
    actual_places = places(cohort, stratum)
    reference = _reference(rows, starts, (who, actual_places), cohort[actual_places], options)
    is_enumerated = n_assignments(cohort, stratum) <= MOST_ASSIGNMENTS_LISTED
    return RandomisationTest(
        estimate=reference.estimate,
        inference=replace(
            _inference(reference, rows, options, len(who), is_enumerated),
            assumes=independence_by("unit" if options.over == "unit" else panel.clustered_by),
        ),
        n_assignments=len(who),
        is_enumerated=is_enumerated,
        smallest_p=1 / len(who),
    )


def _units_in_order(panel: Panel) -> Codes:
    """Return the position in `panel.units` of each unit in the order of clusters."""
    cluster = pd.factorize(panel.frame["cluster"], sort=True)[0][panel.first_rows]
    return np.lexsort([np.arange(len(cluster)), cluster])


def _cohorts(rows: PanelRows) -> tuple[Codes, NDArray[np.float64]]:
    """Return each cluster's cohort as a code, 0 for one not treated within the panel, and the cohorts' starts."""
    first = np.flatnonzero(np.diff(rows.cluster, prepend=-1))
    # A start before the first period is one at it: treated throughout; one after the last is none.
    cohort = np.where(rows.cohort > rows.periods[-1], np.inf, np.maximum(rows.cohort, rows.periods[0]))
    lowest, highest = np.minimum.reduceat(cohort, first), np.maximum.reduceat(cohort, first)
    if (lowest != highest).any():
        name = rows.clusters[int(np.argmax(lowest != highest))]
        raise DesignError(
            f"Cluster {name} has units of more than one cohort, so that treatment was not given to whole clusters. "
            "Permute over units, or name a cluster that holds one cohort."
        )
    starts, codes = np.unique(-lowest, return_inverse=True)  # infinity, never treated, comes first
    if np.isfinite(starts[0]):
        starts, codes = np.concatenate([[-np.inf], starts]), codes + 1
    return codes.astype(np.intp), -starts


def _strata(strata: Mapping[Any, Any] | None, names: pd.Index) -> Codes:
    if strata is None:
        return np.zeros(len(names), dtype=np.intp)
    missing = [name for name in names if name not in strata]
    if missing:
        raise DesignError(f"{missing[0]} has no stratum. Give one for each of the {len(names)} that change places.")
    return np.asarray(pd.factorize(pd.Series([strata[name] for name in names]), sort=True)[0], dtype=np.intp)


def _reference(
    rows: PanelRows,
    starts: NDArray[np.float64],
    assigned: tuple[Codes, Codes],
    cohort: Codes,
    options: RandomisationOptions,
) -> Reference:
    """Return the effect under every assignment; `assigned` holds them all and the one that was made."""
    who, actual_places = assigned
    without = rows.fit(rows.covariates, rows.covariate_names)
    # The covariates' own directions are part of what treatment is compared within.
    sums = cohort_sums(without, starts, np.asarray(rows.periods, dtype=float)[rows.period], rows.treatment)
    actual = int(np.flatnonzero((who == actual_places).all(axis=1))[0])
    return permutation_reference(sums, who, cohort, actual, options.is_studentised, options.executor)


def _inference(
    reference: Reference, rows: PanelRows, options: RandomisationOptions, n: int, is_enumerated: bool
) -> Inference:
    fit = rows.fit_of_treatment()
    reason = exact_reason(fit)
    if options.is_studentised and reference.scale <= ROUNDING * fit.size:
        reason = ALIKE
    if n < 2:
        reason = "No other assignment keeps the numbers of each cohort in each stratum, so there is nothing to compare."
    if reason:
        return Inference.unavailable("randomisation inference", reason)
    how = f"all {n:,} assignments" if is_enumerated else f"{n - 1:,} drawn assignments, seed {options.seed}"
    return Inference(
        method="randomisation inference",
        std_error=Unavailable("Randomisation compares assignments and gives no standard error."),
        df=None,
        interval=reference.interval(options.level),
        p_value=reference.p_value(),
        n_ranked=n,
        note=f"{how} over {len(rows.clusters)} {options.over}s"
        + (", effects divided by their cluster-robust errors." if options.is_studentised else "."),
    )
