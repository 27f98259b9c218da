"""Imputation: what treated units would have scored is predicted from untreated observations."""

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
    """
    if errors not in ("conservative", "leave-out"):
        raise DesignError(f"Errors '{errors}' are not known. They are conservative or leave-out.")
    design = with_untreated_periods(design)
    rows = StaggeredRows.of(design)
    rows.require_varying(rows.unit, "unit")
    cells = exposed_cells(design)
    kind: Residuals = "grouped" if errors == "conservative" else "leave-out"
    imputed = impute(rows, rows.cells_of(cells), len(cells), rows.unit, kind)
    found = found_cells(rows, cells, imputed)
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


def found_cells(rows: StaggeredRows, cells: tuple[CellAt, ...], imputed: Imputed) -> CellEstimates:
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
