"""The uncertainty of an effect on schools listed by name, where they lie in several areas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.core.project import Project
from evalkit.core.quantities import Unavailable
from evalkit.data.panel import Panel, Roles
from evalkit.design.areas import AreaComparisons
from evalkit.design.clusters import Recommendation
from evalkit.design.conservative import conservative_sentence
from evalkit.design.plan import OutcomeDesign
from evalkit.design.project_inference import ProjectInference, project_inference
from evalkit.estimate.effect import Effect
from evalkit.estimate.inference import Inference
from evalkit.estimate.recommended import InferenceOptions, two_way_inference
from evalkit.estimate.sample import Changes

_ROLES = Roles(unit="unit", period="period", outcome="outcome", cohort="cohort", cluster="area", weight="weight")
ONE_SIDED = "Only the two-sided test was made."


def clustered_by_area(
    effect: Effect,
    changes: Changes,
    areas: pd.Series,
    design: OutcomeDesign,
    comparison: AreaComparisons,
    project: Project,
) -> Effect:
    """Return an effect with the inference that its numbers of treated and comparison areas support.

    Parameters
    ----------
    effect : Effect, the difference in mean change between treated and comparison schools
    changes : Changes of all schools, as weighed in the effect
    areas : Series, area by school
    design, comparison : who is compared with whom
    project : its level and seed are used

    The regression of change on treatment gives the same estimate; the inference on it treats areas as clusters.
    """
    own = changes.group == design.treated_group
    used = own | np.isin(changes.group, comparison.of(design.treated_group))
    area = areas.reindex(changes.units).to_numpy()
    weight = pd.Series(changes.weight, changes.units)
    advice = project_inference(design, areas, weight)
    recommendation = Recommendation(advice.clustered, advice.reason)
    options = InferenceOptions(level=project.inference.level, seed=project.seed)
    found = two_way_inference(_panel(changes, own, used, area), recommendation, options)
    return replace(
        effect,
        std_error=found.std_error,
        interval=found.interval,
        p_value=found.p_value,
        p_value_one_sided=Unavailable(ONE_SIDED),
        inference="cluster",
        cluster_level="local_authority",
        n_treated_clusters=advice.counts.n_treated,
        method=" ".join(
            (
                effect.method,
                f"Clustered by local authority: {found.method}.",
                advice.reason,
                *(one for one in (_conservative(found, project),) if one),
                *_changed(design, areas, weight, advice),
            )
        ),
        permutation=None,
        effect_size=None,
    )


def _conservative(found: Inference, project: Project) -> str:
    return conservative_sentence(found.interval, project.inference.level, found.df, found.n_ranked)


def _changed(design: OutcomeDesign, areas: pd.Series, weight: pd.Series, made: ProjectInference) -> tuple[str, ...]:
    """Return why the inference made is not the one named before outcomes, nothing where it is."""
    before = weight.reindex(design.baseline.units.index).fillna(float(weight.mean()))
    named = project_inference(design, areas, before)
    if named.method == made.method:
        return ()
    return (
        f"Before outcomes were read the design supported {named.method}. {named.reason}",
        "Areas have left the analysis since, or carry other shares of it.",
    )


def _panel(
    changes: Changes, own: np.ndarray[tuple[int], np.dtype[np.bool_]], used: np.ndarray[tuple[int], np.dtype[np.bool_]],
    area: np.ndarray[tuple[int], np.dtype[np.object_]],
) -> Panel:  # fmt: skip
    """Return changes as a panel of two periods: 0 before, the change after."""
    after = pd.DataFrame(
        {
            "unit": changes.units[used],
            "period": 1,
            "outcome": changes.change[used],
            "cohort": np.where(own[used], 1.0, np.nan),
            "area": area[used],
            "weight": changes.weight[used],
        }
    )
    before = after.assign(period=0, outcome=0.0)
    return Panel.from_frame(pd.concat([before, after], ignore_index=True), _ROLES)
