"""The inference on a project's main effect: what `evalkit power` names before outcomes, and what a run then makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats
from evalkit.design.clusters import ClusterCounts, Concentration, InferenceMethod, recommended_inference
from evalkit.design.project.labels import NEIGHBOURS
from evalkit.design.project.plan import OutcomeDesign

Kind = Literal["whole area", "areas as clusters", "none"]

PERMUTATION: Final = "area permutation"

_WHOLE: Final = (
    "One area is treated, so that its own shock cannot be told from the programme by any error clustered within it; "
    "its change is placed among those of all areas."
)
_PART: Final = (
    "The listed schools lie in one area and are only part of it: no other area can stand in for them, and nothing in "
    "their own area tells its shock from the programme. The report gives the estimate without interval and p-value."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectInference:
    """How uncertain a project's main effect is said to be.

    Attributes
    ----------
    kind : whether areas are permuted, or taken as clusters, or neither
    method : its name in reports and in `evalkit power`; "none" where nothing is inferred
    reason : why, in a sentence
    counts : the treated and comparison areas that carry the effect
    df : the degrees of freedom of errors by CR2, where they have been reckoned
    """

    kind: Kind
    method: str
    reason: str
    counts: ClusterCounts
    df: float | None = None

    @property
    def clustered(self) -> InferenceMethod:
        """Return the inference with areas as clusters, "unavailable" where there is none."""
        return "unavailable" if self.kind != "areas as clusters" else self.method  # type: ignore[return-value]


def project_inference(design: OutcomeDesign, area: pd.Series, weight: pd.Series | None = None) -> ProjectInference:
    """Return the inference that a design supports, of the schools it has before outcomes or of those analysed.

    Parameters
    ----------
    design : OutcomeDesign
    area : Series, area by school
    weight : Series by school analysed; None for every school of the design, weighing the same

    A whole area is placed among all areas. Schools listed by name in several areas have these as clusters, by the
    rule of numbers and shares that `evalkit did` follows; in one area nothing is inferred.
    """
    weight = pd.Series(1.0, design.baseline.units.index) if weight is None else weight
    if design.too_few:
        return _none(f"Not estimated: {design.too_few}.")
    if design.is_whole_area:
        n_others = len(design.comparisons[NEIGHBOURS].of(design.treated_group))
        return ProjectInference(kind="whole area", method=PERMUTATION, reason=_WHOLE, counts=ClusterCounts(1, n_others))
    treated, compared = weights_by_area(design, area, weight)
    if len(design.treated_areas) < 2:
        return replace(_none(_PART), counts=ClusterCounts(len(treated), len(compared)))
    counts = ClusterCounts(len(treated), len(compared))
    advice = recommended_inference(counts, "area", Concentration.of(treated, compared) if len(compared) else None)
    kind: Kind = "none" if advice.inference == "unavailable" else "areas as clusters"
    method = "none" if kind == "none" else advice.inference
    return ProjectInference(kind=kind, method=method, reason=advice.reason, counts=counts)


def weights_by_area(design: OutcomeDesign, area: pd.Series, weight: pd.Series) -> tuple[Floats, Floats]:
    """Return the weights of treated and of comparison areas, shapes (n_treated,) and (n_comparison,)."""
    groups = design.groups.reindex(weight.index).to_numpy()
    is_treated = groups == design.treated_group
    is_compared = np.isin(groups, design.comparisons[NEIGHBOURS].of(design.treated_group))
    place = area.reindex(weight.index)
    treated, compared = (
        weight[arm].groupby(place[arm]).sum().to_numpy(dtype=float) for arm in (is_treated, is_compared)
    )
    return treated[treated > 0], compared[compared > 0]


def _none(reason: str) -> ProjectInference:
    return ProjectInference(kind="none", method="none", reason=reason, counts=ClusterCounts(0, 0))
