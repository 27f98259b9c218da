"""A panel's rows as arrays in the order of clusters, and how many clusters are treated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Codes, Floats
from evalkit.core.errors import DesignError
from evalkit.core.words import listed
from evalkit.data.panel import Panel
from evalkit.design.clusters import ClusterCounts, Concentration
from evalkit.design.panel.staggered import require_distinct_covariates
from evalkit.estimate.least_squares_arrays import CollinearError, LeastSquaresFit, least_squares, period_columns

TREATMENT = "treatment"
EVENT_TIME = "event time "


@dataclass(frozen=True, slots=True, eq=False)
class PanelRows:
    """A panel's rows by cluster, unit and period; treatment is 1 from a unit's cohort onwards.

    Attributes
    ----------
    outcome, treatment, weight, cohort : shape (n,)
        `cohort` is infinite for units never treated.
    covariates : shape (n, n_covariates), named by `covariate_names`
    cluster, unit, period : shape (n,)
        Codes 0, 1, …; `cluster` and `unit` are sorted.
    clusters : Index
        The clusters' names, by code.
    periods : tuple of int
        The periods, by code.
    """

    outcome: Floats
    treatment: Floats
    weight: Floats
    cohort: Floats
    covariates: Floats
    covariate_names: tuple[str, ...]
    cluster: Codes
    unit: Codes
    period: Codes
    clusters: pd.Index
    periods: tuple[int, ...]

    @classmethod
    def of(cls, panel: Panel) -> PanelRows:
        """Return a panel's rows in the order of clusters; raise `DesignError` that names collinear covariates."""
        require_distinct_covariates(panel)
        frame = panel.frame
        names, clusters = pd.factorize(frame["cluster"], sort=True)
        order = np.lexsort([panel.period_codes, panel.unit_codes, names])
        cohort = np.nan_to_num(frame["cohort"].to_numpy(dtype=float), nan=np.inf)[order]
        unit = panel.unit_codes[order]
        period = np.asarray(panel.periods)[panel.period_codes[order]]
        return cls(
            outcome=frame["outcome"].to_numpy(dtype=float)[order],
            treatment=(period >= cohort).astype(float),
            weight=frame["weight"].to_numpy(dtype=float)[order],
            cohort=cohort,
            covariates=frame[list(panel.covariates)].to_numpy(dtype=float)[order],
            covariate_names=panel.covariates,
            cluster=names[order].astype(np.intp),
            unit=np.cumsum(np.diff(unit, prepend=unit[:1]) != 0).astype(np.intp),
            period=panel.period_codes[order].astype(np.intp),
            clusters=pd.Index(clusters),
            periods=panel.periods,
        )

    @property
    def starting(self) -> NDArray[np.bool_]:
        """Return for each row whether its unit is seen both before and after its start."""
        treated = np.bincount(self.unit, self.treatment)
        return np.asarray(((treated > 0) & (treated < np.bincount(self.unit)))[self.unit])

    @property
    def switches(self) -> NDArray[np.bool_]:
        """Return for each cluster whether some unit of it starts treatment within the panel."""
        return np.asarray(np.bincount(self.cluster, self.starting) > 0)

    def counts(self) -> ClusterCounts:
        """Return the clusters in which a unit starts treatment, and those with a unit that does not.

        A cluster that holds both counts on both sides. Where every unit starts within the panel, the clusters that
        start last are what the others are compared with until then.
        """
        treated, comparison = self.switches, np.bincount(self.cluster, ~self.starting) > 0
        if not comparison.any():
            first = np.minimum.reduceat(self.cohort, np.flatnonzero(np.diff(self.cluster, prepend=-1)))
            comparison = first == first.max()
            treated = treated & ~comparison
        return ClusterCounts(int(treated.sum()), int(comparison.sum()))

    def concentration(self) -> Concentration:
        """Return how unequally clusters carry the two sides, by the weight of their rows; see `counts`."""
        treated = self.switches
        weight: Floats = np.bincount(self.cluster, self.weight * self.starting).astype(float)
        other: Floats = np.bincount(self.cluster, self.weight * ~self.starting).astype(float)
        if not other.any():
            first = np.minimum.reduceat(self.cohort, np.flatnonzero(np.diff(self.cluster, prepend=-1)))
            other = np.where(first == first.max(), weight, 0.0)
            treated = treated & (other == 0)
        return Concentration.of(weight[treated & (weight > 0)], other[other > 0])

    def fit_of_treatment(self) -> LeastSquaresFit:
        """Return the two-way fit: treatment is coefficient 0, the covariates follow."""
        return self.fit(np.column_stack([self.treatment, self.covariates]), (TREATMENT, *self.covariate_names))

    def fit(self, regressors: Floats, names: tuple[str, ...]) -> LeastSquaresFit:
        """Return the least-squares fit on regressors (n, p), unit and period effects beside them.

        Raise `DesignError` that names a regressor which is a sum of the others.
        """
        try:
            return least_squares(
                self.outcome, regressors, period_columns(self.period), self.weight, self.cluster, self.unit
            )
        except CollinearError as error:
            raise DesignError(_collinear(names[error.column], names)) from None


def require_contrast(rows: PanelRows) -> None:
    """Raise `DesignError` where no effect can be told from unit and period effects."""
    if not rows.treatment.any():
        raise DesignError(
            "No unit is treated in any period of the panel, so there is no effect to estimate. "
            "Check the column of cohorts, and that the panel reaches past the first start."
        )
    if rows.treatment.all():
        raise DesignError(
            "Every unit is treated in every period, so there is nothing to compare with. Add comparisons."
        )
    if not rows.switches.any():
        raise DesignError(
            "Every treated unit is treated from the panel's first period, so that no unit is seen before and after. "
            "Add earlier periods, or units that start later."
        )
    if len(rows.periods) < 2:
        raise DesignError("The panel has one period, so nothing changes over time. Add a period before treatment.")


def _collinear(name: str, names: tuple[str, ...]) -> str:
    if name == TREATMENT:
        return (
            "Treatment is the same for all units observed in a period, or follows from the unit, so that its effect "
            "cannot be told from unit and period effects. Add units that are not treated in those periods."
        )
    if name.startswith(EVENT_TIME):
        return (
            f"The effect at {name} cannot be told from unit and period effects: too few units are seen around it. "
            "Leave out the outermost periods, or add units that are not treated."
        )
    others = [each for each in names if each != name]
    return (
        f"The covariate '{name}' does not vary once unit and period effects and {listed(others, 5)} are taken out "
        "(a covariate that stays the same in each unit never does: unit effects already account for it). Leave it out."
    )
