"""Effects of an analysis of pupils in the form that every kind gives them, in standard deviations of pupils too."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from evalkit.core.formats import mean_of
from evalkit.core.project import Project
from evalkit.core.quantities import Estimand, Estimate, Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.words import counted
from evalkit.design.kinds.pupils import PupilPlan
from evalkit.diagnose.kinds.pupils import PupilOutcomeResults, SchoolTest
from evalkit.estimate.areas.effect_records import EffectKey, sets_effect
from evalkit.estimate.effect import Effect, EffectSize
from evalkit.estimate.effect_sizes import SdName, correction_factor, months_between
from evalkit.estimate.pupils.two_level import TwoLevelModel, two_level_effect_size

MODEL: Final = "two-level"
MEANS: Final = "school-means"
PUPILS: Final = "pupils"
WITHHELD: Final = "Withheld: the treated schools share {areas}, and the model has no area level."
NO_TEST: Final = Unavailable(
    "None: pupils of a school are not independent. It shows what the effect owes to how much each school counts."
)
ONE_SIDED: Final = Unavailable("Only the two-sided test was made.")
NO_SCHOOL_SD: Final = Unavailable("Effects on pupils are not divided by the spread of schools.")


def effects_of_outcome(found: PupilOutcomeResults, plan: PupilPlan, months_table: str = "toolkit") -> Iterator[Effect]:
    """Yield the effect by which the analysis is quoted, marked as the main one, and the others beside it."""
    by_sets = plan.outcomes[found.code].sets is not None
    means, model = _of_means(found, plan), _of_model(found, plan)
    led, beside = (means, model) if by_sets else (model, means)
    yield replace(led, is_main=True, effect_size=_size(found, led, months_table))
    yield replace(beside, effect_size=_size(found, beside, months_table))
    yield replace(_key(found, plan, PUPILS), estimate=found.pupils, method=_METHODS[PUPILS][plan.choices.model])


_METHODS: Final = {
    MODEL: {
        "cross-sections": "Random intercepts of schools before and after, constants of schools absorbed.",
        "waves": "Random intercepts of schools; later scores given the earlier.",
    },
    MEANS: {
        "cross-sections": "Mean change of schools' means from before to after, adjusted by the model's coefficients.",
        "waves": "Schools' means of later scores, adjusted by the model's coefficients.",
    },
    PUPILS: {
        "cross-sections": "Change of the mean of all pupils, nothing adjusted for.",
        "waves": "Difference of the later means of all pupils, nothing adjusted for.",
    },
}


def _of_means(found: PupilOutcomeResults, plan: PupilPlan) -> Effect:
    """Return the effect on schools' means, with what judges it."""
    test, empty = found.means, _key(found, plan, MEANS)
    if test.sets is not None:
        key = EffectKey(
            outcome=found.code,
            role=found.role,
            design=MEANS,
            period="post",
            estimand=empty.estimand,
            method=empty.method,
            n_treated_clusters=empty.n_treated_clusters,
        )
        return sets_effect(key, test.effects, test.sets)
    return _clustered(replace(empty, estimate=test.estimate), test)


def _of_model(found: PupilOutcomeResults, plan: PupilPlan) -> Effect:
    """Return the model's effect: judged with areas as clusters, or without an interval where sets judge means."""
    effect, empty = found.model.effect, _key(found, plan, MODEL)
    value: Quantity = effect.value if isinstance(effect, Estimate) else effect
    if found.as_weighted is not None:
        return _clustered(replace(empty, estimate=value), found.as_weighted)
    areas = counted(len(plan.outcomes[found.code].treated_areas), "area")
    none = Unavailable(WITHHELD.format(areas=areas))
    return replace(empty, estimate=value, std_error=none, interval=none, p_value=none, p_value_one_sided=none)


def _clustered(effect: Effect, test: SchoolTest) -> Effect:
    inference = test.inference
    assert inference is not None
    return replace(
        effect,
        std_error=inference.std_error,
        interval=inference.interval,
        p_value=inference.p_value,
        p_value_one_sided=ONE_SIDED,
        inference="cluster",
        cluster_level="local_authority",
        n_treated=test.n_treated,
        n_comparison=test.n_comparison,
        method=f"{effect.method} Clustered by local authority: {inference.method}.",
    )


def _key(found: PupilOutcomeResults, plan: PupilPlan, design: str) -> Effect:
    """Return an effect that has nothing yet but its names and schools."""
    outcome = plan.outcomes[found.code]
    is_whole = outcome.sets is not None and outcome.sets.is_whole
    return Effect(
        outcome=found.code,
        role=found.role,
        design=design,
        estimand=Estimand.AREA_ITT if is_whole else Estimand.ATT,
        period="post",
        estimate=NO_TEST,
        std_error=NO_TEST,
        interval=NO_TEST,
        p_value=NO_TEST,
        p_value_one_sided=NO_TEST,
        inference="units",
        cluster_level="school",
        n_treated=found.model.n_treated_schools,
        n_comparison=found.model.n_comparison_schools,
        n_treated_clusters=len(outcome.treated_areas),
        method=_METHODS[design][plan.choices.model],
    )


# In standard deviations of pupils.


def _size(found: PupilOutcomeResults, effect: Effect, months_table: str) -> EffectSize | None:
    """Return an effect over the total standard deviation of the empty model, both arms together (EEF's definition).

    The interval is that of the effect over the same number: that the standard deviation is estimated is ignored.
    """
    if isinstance(effect.estimate, Unavailable):
        return None
    sd, factor = total_sd(found.empty)
    g, interval = effect.estimate / sd * factor, _over(effect.interval, sd)
    given, name = _conditional_sd(found.model)
    conditional = given if isinstance(given, Unavailable) else effect.estimate / given
    return EffectSize(
        hedges_g=g,
        hedges_g_interval=interval,
        sd_used=sd,
        sd_name=str(SdName.TOTAL_UNCONDITIONAL),
        hedges_g_conditional=conditional,
        hedges_g_conditional_interval=given if isinstance(given, Unavailable) else _over(effect.interval, given),
        sd_conditional=given,
        sd_conditional_name=name,
        hedges_g_school=NO_SCHOOL_SD,
        school_sd=NO_SCHOOL_SD,
        months=months_between(g, interval, months_table),
    )


def total_sd(empty: TwoLevelModel) -> tuple[float, float]:
    """Return the total standard deviation of an empty model and Hedges' J for its degrees of freedom."""
    return math.sqrt(empty.unconditional.total), correction_factor(float(empty.n_pupils - 2))


def _conditional_sd(model: TwoLevelModel) -> tuple[Quantity, str]:
    found = two_level_effect_size(model, SdName.TOTAL_CONDITIONAL)
    if isinstance(found, Unavailable):
        return found, "none"
    return found.sd, str(SdName.TOTAL_CONDITIONAL)


def _over(interval: IntervalOrReason, sd: float) -> IntervalOrReason:
    if isinstance(interval, Unavailable):
        return interval
    return Interval(interval.lower / sd, interval.upper / sd, interval.level)


def estimand_of(project: Project, plan: PupilPlan) -> str:
    """Return what is estimated, in words."""
    what = {
        "cross-sections": f"how the results of pupils changed to {mean_of(plan.exposure.post)} from "
        f"{mean_of(plan.exposure.pre)} (other pupils each year), less what the change would have been",
        "waves": "the later results of pupils, given their earlier ones, less what they would have been",
    }[plan.choices.model]
    return f"The average effect of {project.programme.name} on the pupils of the treated schools: {what} without it."
