"""From area effects, and from sets, to effects that can be reported: estimand, sample, method, uncertainty."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evalkit.core.project import InferenceChoices
from evalkit.core.quantities import Estimand, Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.words import counted
from evalkit.design.project.areas import TREATED_GROUP
from evalkit.design.project.set_rule import P_NEEDS
from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.changes_arrays import PermutationTest, permutation_test
from evalkit.estimate.areas.sets import SetsInference, WithinAreas
from evalkit.estimate.effect import Effect, PermutationDetail, SetsDetail

NO_P_FOR_SCHOOLS = (
    "Clustering by school covers school sampling only and excludes area shocks, so it gives no p-value and no "
    "interval here."
)
NO_ERROR_FROM_PERMUTATION = "The permutation compares areas directly and gives no standard error."
TEST_ALONE = "Relabelling schools within the area tests that nobody was affected, and gives no error and no interval."
RELABELLED = (
    "p over {n:,} relabellings within the area: what moved the whole area cancels, and so does what the programme did "
    "to the other schools."
)
NO_ERROR_FROM_SETS = "Sets compare schools' changes directly and give no standard error."
PART_OF_AREA = "Not given, as the listed schools are only part of their area."
NOBODY_LEFT = (
    "No treated school has both a result after the programme and a school to compare with, so there is no estimate."
)
NOT_STUDENTISED = "An area has no school-sampling error, so effects cannot be studentised."
NO_RANK = (
    "{areas} of these files could be analysed the same way, the treated one counted; {needed} are needed before a rank "
    "among them can be unlikely. Add the tables of more authorities, or of all England."
)
FEW_AREAS = "Fewer than {needed} areas could be analysed the same way, so no interval at this level exists."


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectKey:
    """What an effect is an effect of, and how many areas hold the treated schools."""

    outcome: str
    role: str
    design: str
    period: str
    estimand: Estimand
    method: str
    n_treated_clusters: int


def permutation_effect(key: EffectKey, areas: AreaEffects, treated_group: int, inference: InferenceChoices) -> Effect:
    """Return the treated group's effect with its place among all areas analysed the same way.

    Schools treated by name are not a whole area: no area can stand in for them, and `sets_effect` places them.
    """
    effect = _estimated(key, areas, treated_group, PART_OF_AREA)
    if treated_group == TREATED_GROUP:
        return effect
    at = areas.position(treated_group)
    if at < 0:
        return effect
    if len(areas.groups) < P_NEEDS:
        none = Unavailable(NO_RANK.format(areas=counted(len(areas.groups), "area"), needed=P_NEEDS))
        return replace(effect, interval=none, p_value=none, p_value_one_sided=none)
    plain, studentised = (_tested(areas, at, kind, inference.level) for kind in ("unstudentised", "studentised"))
    p, interval, test = studentised if inference.statistic == "studentised" else plain
    if test is None:
        return replace(effect, interval=interval, p_value=p, p_value_one_sided=p)
    return replace(
        effect,
        interval=interval,
        p_value=p,
        p_value_one_sided=test.p_value_one_sided,
        permutation=PermutationDetail(
            rank=test.rank,
            n_areas=test.n,
            smallest_p=1 / test.n,
            studentised_p=studentised[0],
            studentised_interval=studentised[1],
            plain_p=plain[0],
            plain_interval=plain[1],
        ),
    )


def sets_effect(key: EffectKey, areas: AreaEffects, found: SetsInference | Unavailable) -> Effect:
    """Return the listed schools' effect with their place among sets drawn in other areas, or why they have none.

    The estimate is T; where the sets are like the list, or by its rule, T less what they gain on average.
    """
    if isinstance(found, Unavailable):
        return replace(_estimated(key, areas, TREATED_GROUP, found.reason), inference="sets")
    effect = replace(_estimated(key, areas, TREATED_GROUP, NOBODY_LEFT), inference="sets")
    if isinstance(effect.estimate, Unavailable):
        return effect
    return replace(
        effect,
        estimate=found.estimate if isinstance(found.adjusted, Unavailable) else found.adjusted,
        std_error=Unavailable(NO_ERROR_FROM_SETS),
        interval=found.interval,
        p_value=found.p_value,
        p_value_one_sided=found.p_value_one_sided,
        sets=sets_detail(found),
    )


def sets_detail(found: SetsInference) -> SetsDetail:
    """Return where an estimate stands among sets, as an effect of any kind carries it."""
    return SetsDetail(
        rule=found.rule,
        unadjusted=found.estimate,
        expected=found.expected,
        spread=found.spread,
        n_areas=found.n_areas,
        n_treated_areas=found.n_treated_areas,
        n_sets=found.n_sets,
        monte_carlo_error=found.monte_carlo_error,
        is_whole=found.is_whole,
    )


def others_effect(key: EffectKey, found: WithinAreas | Unavailable) -> Effect:
    """Return the listed schools' effect against the others of their areas, with the p-value of relabelling them."""
    if isinstance(found, Unavailable):
        return replace(_none(key, found.reason, 0), inference="units", cluster_level="school")
    return replace(
        _none(key, TEST_ALONE, found.n_listed),
        estimate=found.estimate,
        p_value=found.p_value,
        n_comparison=found.n_others,
        inference="units",
        cluster_level="school",
        method=f"{key.method} {RELABELLED.format(n=found.n_draws)}",
    )


def _tested(
    areas: AreaEffects, at: int, kind: str, level: float
) -> tuple[Quantity, IntervalOrReason, PermutationTest | None]:
    """Return the p-value of one statistic, the interval of effects it does not reject, and the test; or the reason."""
    statistic = permuted_statistic(areas, kind)
    if not np.isfinite(statistic).all():
        none = Unavailable(NOT_STUDENTISED)
        return none, none, None
    test = permutation_test(statistic, at, 1 - level)
    scale = float(areas.std_errors[at]) if kind == "studentised" else 1.0
    return test.p_value, _interval(float(areas.effects[at]), test.reach * scale, level), test


def school_cluster_effect(key: EffectKey, areas: AreaEffects, treated_group: int) -> Effect:
    """Return the treated group's effect with its school-sampling standard error, and nothing inferred from it."""
    at = areas.position(treated_group)
    effect = replace(
        _estimated(key, areas, treated_group, NO_P_FOR_SCHOOLS), inference="cluster", cluster_level="school"
    )
    if at < 0:
        return effect
    error = float(areas.std_errors[at])
    single = Unavailable("A single school has no sampling variance.")
    return replace(effect, std_error=error if np.isfinite(error) else single, n_treated_clusters=int(areas.n[at]))


def unavailable_effects(key: EffectKey, reason: str, n_treated: int, n_comparison: int) -> tuple[Effect, Effect]:
    """Return the two records of an effect that cannot be estimated, each with the reason."""
    none = replace(_none(key, reason, n_treated), n_comparison=n_comparison)
    return none, replace(none, inference="cluster", cluster_level="school", n_treated_clusters=n_treated)


def _none(key: EffectKey, reason: str, n_treated: int) -> Effect:
    none = Unavailable(reason)
    return Effect(
        outcome=key.outcome,
        role=key.role,
        design=key.design,
        estimand=key.estimand,
        period=key.period,
        estimate=none,
        std_error=none,
        interval=none,
        p_value=none,
        p_value_one_sided=none,
        inference="permutation",
        cluster_level="local_authority",
        n_treated=n_treated,
        n_comparison=0,
        n_treated_clusters=key.n_treated_clusters,
        method=key.method,
    )


def _estimated(key: EffectKey, areas: AreaEffects, treated_group: int, reason: str) -> Effect:
    """Return an effect with its estimate and counts, and the reason wherever inference would stand."""
    at = areas.position(treated_group)
    if at < 0:
        return _none(key, NOBODY_LEFT, 0)
    return replace(
        _none(key, reason, int(areas.n[at])),
        estimate=float(areas.effects[at]),
        n_comparison=int(areas.n_comparison[at]),
        std_error=Unavailable(NO_ERROR_FROM_PERMUTATION),
    )


def permuted_statistic(areas: AreaEffects, kind: str) -> NDArray[np.float64]:
    """Return what areas are compared by: their effects, or with `studentised` those over their sampling errors."""
    if kind == "unstudentised":
        return areas.effects
    with np.errstate(invalid="ignore", divide="ignore"):
        return areas.effects / areas.std_errors


def _interval(estimate: float, reach: float, level: float) -> IntervalOrReason:
    if not np.isfinite(reach):
        return Unavailable(FEW_AREAS.format(needed=round(1 / (1 - level))))
    return Interval(estimate - reach, estimate + reach, level)
