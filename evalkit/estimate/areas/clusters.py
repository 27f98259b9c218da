"""The uncertainty of an effect on schools listed by name, where they lie in several areas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Bools
from evalkit.core.project import Project
from evalkit.core.quantities import Unavailable
from evalkit.core.words import counted
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.clusters import CR2, LEAST_DF, Recommendation, conservative_sentence, one_decimal_below
from evalkit.design.project.areas import AreaComparisons
from evalkit.design.project.inference import ProjectInference, clusters_inference, project_inference
from evalkit.design.project.labels import NEIGHBOURS
from evalkit.design.project.plan import OutcomeDesign
from evalkit.estimate.areas.sample import Changes
from evalkit.estimate.areas.set_effects import own_weights
from evalkit.estimate.effect import Effect, Inference
from evalkit.estimate.least_squares_arrays import cluster_error
from evalkit.estimate.two_way.panel_rows import PanelRows
from evalkit.estimate.two_way.recommended import InferenceOptions, two_way_inference

_ROLES = Roles(unit="unit", period="period", outcome="outcome", cohort="cohort", cluster="area", weight="weight")
ONE_SIDED = "Only the two-sided test was made."
_EXCHANGES = ("randomisation inference", "Conley–Taber")
_NO_ERROR = (
    "With {n} no error clustered by area can be relied on; other areas in their places are what the draws beside it "
    "already show."
)


def supported_inference(design: OutcomeDesign, areas: pd.Series, weight: pd.Series | None = None) -> ProjectInference:
    """Return the inference on a design's main effect: that of `project_inference`, with degrees of freedom enough.

    Those that CR2 leaves follow from the schools of each area and their weights, not from outcomes, so that
    `evalkit power` and a run find the same. With fewer than two nothing is inferred.
    """
    return _with_freedom(project_inference(design, areas, weight), design, areas, weight)


def supported_clusters(design: OutcomeDesign, areas: pd.Series, weight: pd.Series | None = None) -> ProjectInference:
    """Return the inference that areas as clusters support, whether it leads or only checks what sets say.

    Beside sets an exchange of places among the compared areas is no check: schools keep the weight with which they
    serve a treated area, so that in every exchange the treated schools are half of the comparison, effect and all.
    """
    each = pd.Series(1.0, design.baseline.units.index) if weight is None else weight
    found = _with_freedom(clusters_inference(design, areas, each), design, areas, weight)
    if found.clustered in _EXCHANGES and project_inference(design, areas, each).kind == "sets":
        reason = _NO_ERROR.format(n=counted(found.counts.n_treated, "treated area"))
        return replace(found, kind="none", method="none", reason=reason)
    return found


def _with_freedom(
    named: ProjectInference, design: OutcomeDesign, areas: pd.Series, weight: pd.Series | None
) -> ProjectInference:
    df = degrees_of_freedom(design, areas, weight) if named.clustered == CR2 else None
    if df is None or df >= LEAST_DF:
        return replace(named, df=df)
    reason = (
        f"Too few of the {named.counts.n_treated} treated and {named.counts.n_comparison} comparison areas carry the "
        "effect, or too unequally, for an error that could be relied on: they leave "
        f"{one_decimal_below(df)} degrees of freedom, and {LEAST_DF:.0f} are needed."
    )
    return replace(named, kind="none", method="none", reason=reason)


def degrees_of_freedom(design: OutcomeDesign, areas: pd.Series, weight: pd.Series | None = None) -> float:
    """Return Satterthwaite's degrees of freedom of CR2 with areas as clusters, of schools that weigh `weight`."""
    weight = pd.Series(1.0, design.baseline.units.index) if weight is None else weight
    group = design.groups.reindex(weight.index).to_numpy()
    any_change = np.arange(len(weight), dtype=float)
    changes = Changes(weight.index, group, any_change, weight.to_numpy(dtype=float))
    panel = change_panel(*_compared(changes, design, design.comparisons[NEIGHBOURS], areas))
    return cluster_error(PanelRows.of(panel).fit_of_treatment(), 0, "CR2").df


def _compared(
    changes: Changes, design: OutcomeDesign, comparison: AreaComparisons, areas: pd.Series
) -> tuple[Changes, Bools, NDArray[np.object_]]:
    """Return the changes of treated and compared schools, weighed so that each area is set against its own."""
    if design.sets is not None:
        weight = own_weights(changes, design.sets, comparison)
        changes = Changes(changes.units, changes.group, changes.change, weight)
        kept = changes.keep(changes.units[weight > 0])
    else:
        wanted = [design.treated_group, *comparison.of(design.treated_group)]
        kept = changes.keep(changes.units[np.isin(changes.group, wanted)])
    return kept, kept.group == design.treated_group, areas.reindex(kept.units).to_numpy()


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

    The regression of change on treatment, compared schools weighed as they serve treated areas, gives the difference
    of each area from its own comparison; the inference on it treats areas as clusters.
    """
    weight = pd.Series(changes.weight, changes.units)
    advice = supported_clusters(design, areas, weight)
    recommendation = Recommendation(advice.clustered, advice.reason)
    options = InferenceOptions(level=project.inference.level, seed=project.seed)
    inference = two_way_inference(change_panel(*_compared(changes, design, comparison, areas)), recommendation, options)
    return replace(
        effect,
        estimate=effect.sets.unadjusted if effect.sets else effect.estimate,
        std_error=inference.std_error,
        interval=inference.interval,
        p_value=inference.p_value,
        p_value_one_sided=Unavailable(ONE_SIDED),
        inference="cluster",
        cluster_level="local_authority",
        n_treated_clusters=advice.counts.n_treated,
        method=" ".join(
            (
                effect.method,
                f"Clustered by local authority: {inference.method}.",
                advice.reason,
                *(one for one in (_conservative(inference, project),) if one),
                *_changed(design, areas, weight, advice),
            )
        ),
        permutation=None,
        effect_size=None,
        sets=None,
    )


def _conservative(found: Inference, project: Project) -> str:
    return conservative_sentence(found.interval, project.inference.level, found.df, found.n_ranked)


def _changed(design: OutcomeDesign, areas: pd.Series, weight: pd.Series, made: ProjectInference) -> tuple[str, ...]:
    """Return why the inference made is not the one named before outcomes, nothing where it is."""
    before = weight.reindex(design.baseline.units.index).fillna(float(weight.mean()))
    named = supported_clusters(design, areas, before)
    if named.method == made.method:
        return ()
    return (
        f"Before outcomes were read the design supported {named.method}. {named.reason}",
        "Areas have left the analysis since, or carry other shares of it.",
    )


def change_panel(changes: Changes, is_treated: Bools, area: NDArray[np.object_]) -> Panel:
    """Return changes as a panel of two periods: 0 before, the change after."""
    after = pd.DataFrame(
        {
            "unit": changes.units,
            "period": 1,
            "outcome": changes.change,
            "cohort": np.where(is_treated, 1.0, np.nan),
            "area": area,
            "weight": changes.weight,
        }
    )
    before = after.assign(period=0, outcome=0.0)
    return Panel.from_frame(pd.concat([before, after], ignore_index=True), _ROLES)
