"""Imputation, and two stages: outcomes less what untreated observations predict, cell by cell or averaged."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from evalkit.core.arrays import Ints
from evalkit.core.errors import DesignError
from evalkit.core.words import listed
from evalkit.data.flow import LeftOut
from evalkit.design.panel.staggered import StaggeredDesign
from evalkit.estimate.staggered.cells import CellAt, CellEstimates, GroupTimeEffects, StaggeredRows
from evalkit.estimate.staggered.imputation_arrays import Imputed, Observations, Residuals, first_stage, imputed_effects
from evalkit.estimate.two_way.absorbed_arrays import Absorbed

# Imputation: what treated units would have scored is predicted from untreated observations.

METHOD = "imputation (Borusyak, Jaravel and Spiess)"
EVERY_UNTREATED = "Every untreated observation predicts, those of cohorts before their start among them."
UNTREATED_NEVER = "its unit has no untreated period, so that nothing is known of it without the programme"


def imputation_effects(
    design: StaggeredDesign, errors: Literal["conservative", "leave-out"] = "conservative"
) -> GroupTimeEffects:
    """Return each cohort's mean of outcome less imputed outcome in each period (Borusyak, Jaravel and Spiess, 2024).

    Unit and period effects, and the panel's covariates as they vary over time, are estimated from all untreated
    observations: those of never-treated units and those before a start, whatever `design.comparison` says. Cells run
    from the start of each cohort (its anticipation included). Averages weigh treated observations alike, or by weight.

    Parameters
    ----------
    design : StaggeredDesign, of a panel
    errors : "conservative", or "leave-out": each effect is compared with the mean of the others in its cell

    Raises
    ------
    DesignError
        Where no effect can be imputed, or a covariate does not vary within units.

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
    >>> round(evalkit.overall_effect(evalkit.imputation_effects(design)).estimate.value, 2)
    0.98
    """
    if errors not in ("conservative", "leave-out"):
        raise DesignError(f"Errors '{errors}' are not known. They are conservative or leave-out.")
    design = with_untreated_periods(design)
    rows = StaggeredRows.of(design)
    rows.require_varying(rows.unit, "unit")
    cells = exposed_cells(design)
    kind: Residuals = "grouped" if errors == "conservative" else "leave-out"
    imputed = impute(rows, rows.cells_of(cells), len(cells), rows.unit, kind)
    found = imputed_cells(rows, cells, imputed)
    return GroupTimeEffects(
        method=METHOD,
        design=design,
        cells=rows.cells(cells, found),
        influence=rows.influence(found.contribution, of_shares=False),
        cohort_weight=rows.cohort_weight(),
        df=None if design.cluster is None else design.n_clusters - 1,
        shares="fixed",
        cell_weight=imputed.weight,
        notes=(EVERY_UNTREATED,),
    )


def exposed_cells(design: StaggeredDesign) -> tuple[CellAt, ...]:
    """Return every cohort in every period from its start, or from its anticipation, on."""
    return tuple(
        CellAt(cohort, period, None)
        for cohort in design.cohorts
        for period in design.panel.periods
        if period >= cohort - design.anticipation
    )


def with_untreated_periods(design: StaggeredDesign) -> StaggeredDesign:
    """Return the design without units that are treated in every period they have; they join those dropped."""
    rows = StaggeredRows.of(design)
    keep = np.bincount(rows.unit, ~rows.is_exposed, rows.n_units) > 0
    if keep.all():
        return design
    if not keep.any():
        raise DesignError("No observation is untreated, so there is nothing to predict from. Add earlier periods.")
    panel, lost = design.panel, design.panel.units[~keep]
    dropped = LeftOut(UNTREATED_NEVER, tuple(map(str, lost)), int((~keep[rows.unit]).sum()))
    cluster = None if design.cluster is None else np.unique(design.cluster[keep], return_inverse=True)[1]
    return replace(
        design,
        observations=panel.restricted(keep[rows.unit]),
        stratum=design.stratum[keep],
        cluster=cluster,
        n_clusters=int(keep.sum()) if cluster is None else int(cluster.max()) + 1,
        dropped=(*design.dropped, dropped),
    )


def impute(rows: StaggeredRows, cell: Ints, n_cells: int, group: Ints, kind: Residuals) -> Imputed:
    """Return the imputed effects of cells, the effects of `group` (units, or what holds them) being taken out."""
    is_sorted = bool((group[1:] >= group[:-1]).all())
    order: slice | Ints = slice(None) if is_sorted else np.argsort(group, kind="stable")
    observations = Observations(
        group[order],
        rows.period[order],
        rows.cluster[order],
        cell[order],
        ~rows.is_exposed[order],
        rows.outcome[order],
        rows.weight[order],
        rows.covariates[order],
        int(group.max()) + 1,
        rows.n_periods,
        rows.design.n_clusters,
        n_cells,
    )
    stage = first_stage(observations)
    _require_identified(rows, stage)
    found = imputed_effects(observations, stage, kind)
    is_used = np.zeros(len(group), dtype=bool)
    is_used[order] = found.is_used
    if not is_used.any():
        raise DesignError(
            "No effect can be imputed: no treated period has untreated observations that unit effects link to it. "
            "Add units that are never treated or start later."
        )
    return found._replace(is_used=is_used)


def imputed_cells(rows: StaggeredRows, cells: tuple[CellAt, ...], imputed: Imputed) -> CellEstimates:
    """Return what was found, with reasons where no row of a cell could be imputed."""
    untreated = np.bincount(rows.period[~rows.is_exposed], minlength=rows.n_periods)
    seen = np.bincount(*_inside(rows.cells_of(cells)), minlength=len(cells))
    periods = rows.design.panel.periods
    reasons = [
        _why_none(cell, int(seen[k]), int(untreated[periods.index(cell.period)])) if imputed.weight[k] == 0 else ""
        for k, cell in enumerate(cells)
    ]
    return CellEstimates(imputed.value, tuple(reasons), imputed.contribution, imputed.is_used, ~rows.is_exposed)


def _inside(cell: Ints) -> tuple[Ints]:
    return (cell[cell >= 0],)


def _why_none(cell: CellAt, n_rows: int, n_untreated: int) -> str:
    where = f"Cohort {cell.cohort} in {cell.period}: "
    if not n_rows:
        return where + "no unit of it that has an untreated period is observed then."
    if not n_untreated:
        return where + "no unit is untreated then, so that the period's effect cannot be told from the programme's."
    return where + "no unit links it to the periods in which the cohort was untreated."


def _require_identified(rows: StaggeredRows, stage: Absorbed) -> None:
    """Raise `DesignError` for covariates that untreated observations cannot tell from the effects or each other."""
    names = rows.design.panel.covariates
    if not names:
        return
    unknown = ~stage.is_estimable(np.eye(len(stage.normal))[:, -len(names) :])
    if unknown.any():
        lost = listed([f"'{name}'" for name, is_lost in zip(names, unknown, strict=True) if is_lost])
        raise DesignError(
            "Covariates that untreated observations cannot tell from unit and period effects or from each other: "
            f"{lost}. Leave one of them out."
        )


# Two stages: outcomes less what untreated observations predict, averaged by cohort and period.

TWO_STAGE_METHOD = "two-stage (Gardner)"
BEFORE = "Before the start the numbers are means of first-stage residuals: they show fit, and are no test of trends."
FIXED = (
    "Units lack periods or change weight, so that cells weigh by their observations, and standard errors of averages "
    "take these weights as given."
)


def two_stage_effects(design: StaggeredDesign, effects: Literal["unit", "cluster"] = "unit") -> GroupTimeEffects:
    """Return each cohort's mean of outcome less predicted outcome in every period (Gardner, 2022).

    First stage: effects and period effects, and the panel's covariates, from all untreated observations, whatever
    `design.comparison` says. Second stage: outcomes less the prediction on an indicator for each cohort and period.
    Errors are those of the two moment conditions taken together. Before the start a cell is a mean of first-stage
    residuals: it shows fit, and is measured from no base period.

    Parameters
    ----------
    design : StaggeredDesign, of a panel
    effects : "unit", or "cluster": one effect for each cluster instead of each unit

    Raises
    ------
    DesignError
        Where no effect can be predicted, or a covariate does not vary within the effects' groups.

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
    >>> round(evalkit.overall_effect(evalkit.two_stage_effects(design)).estimate.value, 2)
    0.98
    """
    if effects not in ("unit", "cluster"):
        raise DesignError(f"First-stage effects '{effects}' are not known. They are unit or cluster.")
    design = with_untreated_periods(design) if effects == "unit" else design
    rows = StaggeredRows.of(design)
    group = rows.unit if effects == "unit" else rows.cluster
    rows.require_varying(group, effects)
    cells = tuple(CellAt(cohort, period, None) for cohort in design.cohorts for period in design.panel.periods)
    imputed = impute(rows, rows.cells_of(cells), len(cells), group, "second-stage")
    found = imputed_cells(rows, cells, imputed)
    is_even = design.panel.is_balanced and _has_fixed_weights(rows)
    return GroupTimeEffects(
        method=TWO_STAGE_METHOD,
        design=design,
        cells=rows.cells(cells, found),
        influence=rows.influence(found.contribution, of_shares=is_even),
        cohort_weight=rows.cohort_weight(),
        df=None if design.cluster is None else design.n_clusters - 1,
        shares="estimated" if is_even else "fixed",
        cell_weight=None if is_even else imputed.weight,
        notes=(EVERY_UNTREATED, BEFORE) if is_even else (EVERY_UNTREATED, BEFORE, FIXED),
    )


def _has_fixed_weights(rows: StaggeredRows) -> bool:
    """Return whether weights are constant within units, so that cells of one cohort weigh alike."""
    first = rows.weight[rows.design.panel.first_rows]
    return bool((rows.weight == first[rows.unit]).all())
