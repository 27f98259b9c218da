"""The interaction-weighted event study: every cohort has its own effect in every period, in one regression."""

from __future__ import annotations

import numpy as np

from evalkit.core.arrays import Bools, Floats
from evalkit.core.errors import DesignError
from evalkit.core.words import listed
from evalkit.design.panel.staggered import StaggeredDesign
from evalkit.estimate.staggered.cells import CellAt, CellEstimates, GroupTimeEffects, Shares, StaggeredRows
from evalkit.estimate.two_way.absorbed_arrays import Contrasts, Regressors, Saturated, saturated_effects

METHOD = "interaction-weighted event study (Sun and Abraham)"
LAST_COHORT = (
    "No unit is never treated: the last cohort, {cohort}, is what the others are compared with, in the periods before "
    "its start (anticipation included)."
)


def sun_abraham_effects(design: StaggeredDesign, shares: Shares = "fixed") -> GroupTimeEffects:
    """Return the coefficients of cohort × period in a regression with unit and period effects (Sun, Abraham, 2021).

    Effects are measured from the last period before the start (and its anticipation) against never-treated units, or,
    where there are none, against the last cohort before its own start. Covariates enter with one coefficient each.
    Errors are cluster-robust with G/(G − 1) · (n − 1)/(n − k), unit effects not counted in k, and G − 1 degrees of
    freedom.

    Parameters
    ----------
    design : StaggeredDesign, of a panel
    shares : "fixed" (averages weigh observations, and their errors take the weights as given, as the reference
        implementation does) or "estimated" (they weigh cohorts, whose shares are those of a sample)

    Raises
    ------
    DesignError
        Where no cell can be estimated, or a covariate does not vary within units or follows from the others.

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
    >>> round(evalkit.overall_effect(evalkit.sun_abraham_effects(design)).estimate.value, 2)
    1.0
    """
    if shares not in ("fixed", "estimated"):
        raise DesignError(f"Shares '{shares}' are not known. They are fixed or estimated.")
    rows = StaggeredRows.of(design)
    rows.require_varying(rows.unit, "unit")
    reference, is_kept = comparison_rows(rows)
    cells = all_cells(design)
    contrasts = period_contrasts(design, cells, reference, np.empty((len(cells), 0)))
    saturated = saturated_effects(
        _regressors(rows, is_kept), rows.outcome[is_kept], contrasts, rows.cluster[is_kept], design.n_clusters
    )
    _require_known(design, saturated)
    is_compared = (rows.stratum == reference) & is_kept
    found = saturated_cells(rows, cells, saturated, is_compared, is_kept)
    return GroupTimeEffects(
        method=METHOD,
        design=design,
        cells=rows.cells(cells, found),
        influence=rows.influence(found.contribution, of_shares=shares == "estimated"),
        cohort_weight=rows.cohort_weight(),
        df=max(design.n_clusters - 1, 1),
        shares=shares,
        # Sun and Abraham weigh a relative period's cohorts by their observations in it.
        cell_weight=rows.cell_weight(rows.cells_of(cells), len(cells)) if shares == "fixed" else None,
        factor=small_sample_factor(design.n_clusters, int(is_kept.sum()), saturated.rank + 1),
        notes=() if design.n_never else (LAST_COHORT.format(cohort=design.cohorts[-1]),),
    )


def comparison_rows(rows: StaggeredRows) -> tuple[int, Bools]:
    """Return the stratum compared with, and the rows of periods in which it is untreated."""
    design = rows.design
    everything = np.ones(len(rows.unit), dtype=bool)
    if design.n_never:
        return len(design.cohorts), everything
    if len(design.cohorts) < 2:
        raise DesignError("There is one cohort and no unit is never treated, so there is nothing to compare with.")
    last = design.cohorts[-1]
    is_before = np.asarray(design.panel.periods) < last - design.anticipation
    return len(design.cohorts) - 1, is_before[rows.period]


def _regressors(rows: StaggeredRows, is_kept: Bools) -> Regressors:
    """Return what is regressed on: an intercept for each stratum × period, and a coefficient for each covariate."""
    return Regressors(
        unit=rows.unit[is_kept],
        code=(rows.stratum * rows.n_periods + rows.period)[is_kept],
        weight=rows.weight[is_kept],
        n_units=rows.n_units,
        n_codes=(len(rows.design.cohorts) + 1) * rows.n_periods,
        slopes=np.empty((int(is_kept.sum()), 0)),
        common=rows.covariates[is_kept],
    )


def all_cells(design: StaggeredDesign) -> tuple[CellAt, ...]:
    """Return every cohort in every period, measured from the last period before its start."""
    return tuple(
        CellAt(cohort, period, design.base_of(cohort)) for cohort in design.cohorts for period in design.panel.periods
    )


def period_contrasts(design: StaggeredDesign, cells: tuple[CellAt, ...], reference: int, at: Floats) -> Contrasts:
    """Return (μ_gt − μ_gb) − (μ_rt − μ_rb) for each cell, r being the reference; codes are stratum × period."""
    periods = design.panel.periods
    treated = np.array([design.cohorts.index(cell.cohort) for cell in cells]) * len(periods)
    compared = np.full(len(cells), reference * len(periods))
    period = np.array([periods.index(cell.period) for cell in cells])
    base = np.array([periods.index(cell.period if cell.base is None else cell.base) for cell in cells])
    plus = np.column_stack([treated + period, compared + base])
    minus = np.column_stack([treated + base, compared + period])
    return Contrasts(plus, minus, at)


def saturated_cells(
    rows: StaggeredRows, cells: tuple[CellAt, ...], saturated: Saturated, is_compared: Bools, is_kept: Bools
) -> CellEstimates:
    """Return estimates, and reasons where a cell has none; raise `DesignError` where no cell has one."""
    design = rows.design
    last = None if design.n_never or is_kept.all() else design.cohorts[-1]
    compared = set(rows.period[is_compared].tolist())
    reasons = []
    for cell, is_known in zip(cells, saturated.is_known, strict=True):
        where = f"Cohort {cell.cohort} in {cell.period}: "
        if cell.cohort == last:
            reasons.append(where + "no unit is never treated, and this cohort is what the others are compared with.")
        elif cell.period == cell.base or is_known:
            reasons.append("")
        elif design.panel.periods.index(cell.period) not in compared:
            reasons.append(where + "no unit is untreated then that it could be compared with.")
        else:
            from_base = "" if cell.base is None else f" and in {cell.base}, from which it is measured,"
            reasons.append(where + f"the units observed then{from_base} do not determine the effect.")
    if all(reason or cell.period == cell.base for cell, reason in zip(cells, reasons, strict=True)):
        raise DesignError(f"No effect can be estimated. {next(reason for reason in reasons if reason)}")
    return CellEstimates(saturated.value, tuple(reasons), saturated.contribution, is_kept, is_compared)


def small_sample_factor(n_clusters: int, n_rows: int, n_coefficients: int) -> float:
    """Return G/(G − 1) · (n − 1)/(n − k); 1 where there is one cluster, and no error that it could correct."""
    if n_clusters < 2:
        return 1.0
    if n_rows <= n_coefficients:
        raise DesignError(
            f"{n_rows} rows and {n_coefficients} coefficients leave nothing to estimate an error from. Give more rows."
        )
    return n_clusters / (n_clusters - 1) * (n_rows - 1) / (n_rows - n_coefficients)


def _require_known(design: StaggeredDesign, saturated: Saturated) -> None:
    names = [
        f"'{name}'" for name, known in zip(design.panel.covariates, saturated.is_common_known, strict=True) if not known
    ]
    if names:
        raise DesignError(
            f"Covariates that cannot be told from unit effects, from cohort and period, or from each other: "
            f"{listed(names)}. Leave one of them out."
        )
