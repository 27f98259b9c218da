"""The inference on a project's main effect: what `evalkit power` names before outcomes, and what a run then makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats
from evalkit.core.formats import lower_first, visible
from evalkit.design.clusters import ClusterCounts, Concentration, InferenceMethod, recommended_inference
from evalkit.design.project.labels import NEIGHBOURS
from evalkit.design.project.plan import OutcomeDesign
from evalkit.design.project.set_rule import MOST_AREAS, SetDesign

Kind = Literal["whole area", "sets", "areas as clusters", "none"]

PERMUTATION: Final = "area permutation"
SETS: Final = "randomisation over sets"
WHOLE_SETS: Final = "randomisation over whole areas"

_WHOLE: Final = (
    "One area is treated, so that its own shock cannot be told from the programme by any error clustered within it; "
    "its change is placed among those of all areas."
)
_LISTED: Final = (
    "The listed schools share the shock of {where}, which no error clustered within {it} tells from the programme; "
    "they are placed among sets of as many schools drawn {drawn}, each set against its own area's neighbours."
)
_SEVERAL_WHOLE: Final = (
    "{n} whole areas are treated, each with its own shock; they are placed among draws of as many other areas, each "
    "against its own neighbours."
)
_EVERY_SCHOOL: Final = (
    "Every school of the one area is listed, so that its change is placed among those of all areas; the area's own "
    "shock cannot be told from the programme by any error clustered within it."
)
_LIKE: Final = (
    " Before the programme the listed schools lay {by} within-area standard deviations below their {areas}: chance in "
    "low scores fades, so that the sets hold as many schools of each national tenth as the list, and what such sets "
    "gain where nothing happened is taken off."
)


_RULED: Final = (
    " They were listed by a declared rule, which is applied in every other area: what the schools listed there gain "
    "where nothing happened is taken off."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectInference:
    """How uncertain a project's main effect is said to be.

    Attributes
    ----------
    kind : whether areas are permuted, sets of schools (or of whole areas) drawn, areas taken as clusters, or none
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

    A whole area is placed among all areas; listed schools of up to 20 areas, and several whole areas, among sets drawn
    in other areas. In more areas than that, or where too few others could hold such sets, areas are clusters by the
    rule of numbers and shares that `evalkit did` follows.
    """
    weight = pd.Series(1.0, design.baseline.units.index) if weight is None else weight
    if design.too_few:
        return _none(f"Not estimated: {design.too_few}.")
    if design.is_whole_area:
        n_others = len(design.comparisons[NEIGHBOURS].of(design.treated_group))
        return ProjectInference(kind="whole area", method=PERMUTATION, reason=_WHOLE, counts=ClusterCounts(1, n_others))
    sets, counts = design.sets, cluster_counts(design, area, weight)
    if sets is not None and len(sets.treated) <= MOST_AREAS and not sets.too_few:
        return _over_sets(sets, counts)
    found = clusters_inference(design, area, weight)
    if sets is None or found.kind != "none" or len(sets.treated) > MOST_AREAS:
        return found
    return replace(_none(f"Nothing is inferred: {lower_first(sets.too_few)}"), counts=counts)


def cluster_counts(design: OutcomeDesign, area: pd.Series, weight: pd.Series) -> ClusterCounts:
    """Return how many treated and comparison areas carry the effect."""
    treated, compared = weights_by_area(design, area, weight)
    return ClusterCounts(len(treated), len(compared))


def clusters_inference(design: OutcomeDesign, area: pd.Series, weight: pd.Series) -> ProjectInference:
    """Return the inference that areas as clusters support: a cross-check of sets, or what leads in their place."""
    treated, compared = weights_by_area(design, area, weight)
    counts = ClusterCounts(len(treated), len(compared))
    advice = recommended_inference(counts, "area", Concentration.of(treated, compared) if len(compared) else None)
    kind: Kind = "none" if advice.inference == "unavailable" else "areas as clusters"
    method = "none" if kind == "none" else advice.inference
    return ProjectInference(kind=kind, method=method, reason=advice.reason, counts=counts)


def _over_sets(sets: SetDesign, counts: ClusterCounts) -> ProjectInference:
    n = len(sets.treated)
    if sets.is_whole:
        method, reason = (PERMUTATION, _EVERY_SCHOOL) if n == 1 else (WHOLE_SETS, _SEVERAL_WHOLE.format(n=n))
        return ProjectInference(kind="sets", method=method, reason=reason, counts=counts)
    where, it, drawn = (
        ("their area", "it", "in each other area in turn") if n == 1 else
        ("their areas", "them", f"in {n} other areas at a time")
    )  # fmt: skip
    like = ""
    if sets.rule == "like" and isinstance(sets.below, float):
        like = _LIKE.format(by=visible(sets.below), areas="area" if n == 1 else "areas")
    like = _RULED if sets.rule == "rule" else like
    reason = _LISTED.format(where=where, it=it, drawn=drawn) + like
    return ProjectInference(kind="sets", method=SETS, reason=reason, counts=counts)


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
