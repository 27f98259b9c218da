"""Effects of an analysis of staggered starts in the form that every kind gives them, and what they are effects of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalkit.core.project import Project
from evalkit.core.quantities import Estimand, Quantity, Unavailable
from evalkit.core.words import listed
from evalkit.design.kinds.staggered import StaggeredChoices
from evalkit.diagnose.kinds.staggered import StaggeredFindings, StaggeredOutcomeResults
from evalkit.estimate.areas.effect_records import sets_detail
from evalkit.estimate.effect import ClusterLevel, Effect, EffectSize, InferenceName
from evalkit.estimate.published_spread import effect_size

LEVELS: Final[dict[str, ClusterLevel]] = {"area": "local_authority", "group": "group", "unit": "school"}


def effects_of_outcome(found: StaggeredOutcomeResults, choices: StaggeredChoices) -> Iterator[Effect]:
    """Yield the overall effect by the quoted estimator, marked as the main one, and by the others beside it."""
    estimand = Estimand.AREA_ITT if found.is_whole and choices.cluster == "area" else Estimand.ATT
    for row in found.checks.rows:
        is_main = row.estimator == choices.estimator
        yield Effect(
            outcome=found.code,
            role=found.role,
            design=row.estimator,
            estimand=estimand,
            period="post",
            estimate=found.quoted.simple.estimate if is_main else row.estimate,
            std_error=found.results.simple.std_error if is_main else row.std_error,
            interval=found.results.simple.interval if is_main else row.interval,
            p_value=found.results.simple.p_value if is_main else _ONLY_QUOTED,
            p_value_one_sided=_one_sided(found) if is_main else _ONLY_QUOTED,
            inference=_inference_name(found, choices),
            cluster_level=LEVELS[choices.cluster],
            n_treated=found.results.n_treated,
            n_comparison=found.results.n_comparison,
            n_treated_clusters=found.n_treated_areas,
            method=f"{row.estimator}: {row.compares}",
            is_main=is_main,
            sets=sets_detail(found.overall) if is_main and found.overall is not None else None,
            effect_size=_size(found) if is_main else None,
        )


def _size(found: StaggeredOutcomeResults) -> EffectSize | None:
    """Return the quoted effect in standard deviations, None where there is none."""
    estimate = found.quoted.simple.estimate
    if isinstance(estimate, Unavailable):
        return None
    return effect_size(estimate, found.results.simple.interval, found.spreads)


_ONLY_QUOTED: Final = Unavailable(
    "A p-value is given for the quoted estimator; the others show whether it depends on it."
)


def _inference_name(found: StaggeredOutcomeResults, choices: StaggeredChoices) -> InferenceName:
    if found.overall is not None:
        return "sets"
    return "units" if choices.cluster == "unit" else "cluster"


def _one_sided(found: StaggeredOutcomeResults) -> Quantity:
    if found.overall is not None:
        return found.overall.p_value_one_sided
    p, estimate = found.results.simple.p_value, found.results.simple.estimate
    if isinstance(p, Unavailable) or isinstance(estimate, Unavailable):
        return p if isinstance(p, Unavailable) else Unavailable("There is no estimate.")
    return p / 2 if estimate > 0 else 1 - p / 2


def estimand_of(project: Project, found: StaggeredFindings) -> str:
    """Return what is estimated, in words."""
    primary = found.primary
    cohorts = listed([str(year) for year in primary.cohorts], 12)
    return (
        f"The average effect of {project.programme.name} on the participants from their start on (first summers "
        f"{cohorts}), each cohort weighted by its size: how {primary.label} changed since the last summer before the "
        "start, less what the change would have been without the programme."
    )
