"""Two stages: outcomes less what untreated observations predict, averaged by cohort and period."""

from __future__ import annotations

from typing import Literal

from evalkit.core.errors import DesignError
from evalkit.design.panel.staggered import StaggeredDesign
from evalkit.estimate.staggered.cells import CellAt, GroupTimeEffects, StaggeredRows
from evalkit.estimate.staggered.imputation import EVERY_UNTREATED, impute, imputed_cells, with_untreated_periods

METHOD = "two-stage (Gardner)"
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
        method=METHOD,
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
