"""One row for each outcome: who was analysed, means before and after, the p-value adjusted for several outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.project import AIMED_AT
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.measures import measure_of
from evalkit.data.panel import Panel
from evalkit.design.project import labels
from evalkit.diagnose.project.appraisal import detectable_in_sd
from evalkit.diagnose.project.evaluation import ArmYear, OutcomeSummary
from evalkit.diagnose.project.results import FEWEST_KNOWN, Results
from evalkit.estimate.areas.outcome_effects import OutcomeEffects
from evalkit.estimate.effect import holm_adjusted

_NOT_AIMED_AT: Final = Unavailable("Not aimed at.")
_NO_COHORT: Final = Unavailable("Pupils not known.")
_NO_SCHOOL: Final = Unavailable("No school.")


def outcome_summaries(results: Results) -> Iterator[OutcomeSummary]:
    """Yield one row for each outcome of the project, in its order."""
    adjusted = adjusted_p_values(results)
    for outcome in results.project.outcomes:
        yield _summary(results, outcome.code, outcome.role, adjusted[outcome.code])


def _summary(results: Results, code: str, role: str, p_adjusted: Quantity) -> OutcomeSummary:
    exposure, known, effect = results.project.exposure, measure_of(results.project, code), results.effect(code)
    means = _means(results, code)
    none = effect.estimate if effect and isinstance(effect.estimate, Unavailable) else Unavailable("Not estimated.")

    def mean(arm: str, years: Sequence[int]) -> Quantity:
        known = [means[arm, year] for year in years if (arm, year) in means]
        return float(np.mean(known)) if known else none

    after, compared = mean("treated", exposure.post), mean("neighbours", exposure.post)
    lacking = isinstance(after, Unavailable) or isinstance(compared, Unavailable)
    return OutcomeSummary(
        outcome=code,
        label=known.label,
        role=role,
        unit=known.unit,
        n_treated=effect.n_treated if effect else 0,
        n_comparison=effect.n_comparison if effect else 0,
        n_pupils_treated=_pupils(results, code, "treated"),
        n_pupils_comparison=_pupils(results, code, "neighbours"),
        treated_pre=mean("treated", exposure.pre),
        treated_post=after,
        comparison_pre=mean("neighbours", exposure.pre),
        comparison_post=compared,
        raw_difference=none if lacking else float(after) - float(compared),  # type: ignore[arg-type]  # both numbers
        p_adjusted=p_adjusted,
        detectable_sd=detectable_in_sd(results, code),
    )


def adjusted_p_values(results: Results) -> dict[str, Quantity]:
    """Return the main p-value of each outcome aimed at, adjusted for how many such p-values there are (Holm)."""
    found: dict[str, Quantity] = {}
    family: dict[str, float] = {}
    for outcome in results.project.outcomes:
        sure = results.surest(outcome.code)
        p = sure.p_value if sure else Unavailable("Not estimated.")
        if isinstance(p, Unavailable) or outcome.role not in AIMED_AT:
            found[outcome.code] = p if isinstance(p, Unavailable) else _NOT_AIMED_AT
        else:
            family[outcome.code] = p
    return {**found, **dict(zip(family, holm_adjusted(list(family.values())), strict=True))}


def trajectories(results: Results) -> Iterator[ArmYear]:
    """Yield the mean of each arm and year, for every outcome that was estimated."""
    for outcome in results.project.outcomes:
        yield from _arm_years(results, results.outcomes[outcome.code])


def _means(results: Results, code: str) -> dict[tuple[str, int], float]:
    return {(row.arm, row.year): row.mean for row in _arm_years(results, results.outcomes[code])}


def _arm_years(results: Results, found: OutcomeEffects) -> Iterator[ArmYear]:
    """Yield the mean of each arm and year over the analysed schools, for outcomes that were estimated."""
    if not found.areas:
        return
    frame = _weighed_frame(found)
    for arm, rows in _arms(results, found.outcome, frame["cluster"]).items():
        for year, part in frame[rows].groupby("period"):
            mean = float(np.average(part["outcome"], weights=part["weight"]))
            yield ArmYear(outcome=found.outcome, arm=arm, year=int(str(year)), mean=mean, n=len(part))


def _arms(results: Results, code: str, cluster: pd.Series) -> dict[str, pd.Series]:
    design = results.locked.outcomes[code]
    treated_group = design.treated_group
    return {
        "treated": cluster == treated_group,
        "neighbours": cluster.isin(design.comparisons[labels.NEIGHBOURS].of(treated_group)),
        "england": cluster.isin(design.comparisons[labels.ENGLAND].of(treated_group)),
    }


def _weighed_frame(found: OutcomeEffects) -> pd.DataFrame:
    """Return the analysed schools' rows with the weights of the main comparison."""
    frame = found.panel.frame
    if found.weights is None:
        return frame
    weight = frame["unit"].map(found.weights)
    return frame.assign(weight=weight)[weight > 0]


def _pupils(results: Results, code: str, arm: str) -> int | Unavailable:
    panel: Panel = results.outcomes[code].panel
    groups = panel.by_unit()["cluster"]
    schools = groups.index[_arms(results, code, groups)[arm]]
    pupils = results.intake.records[measure_of(results.project, code).key_stage].pupils
    years = [year for year in results.project.exposure.pre if year in pupils]
    return mean_pupils(pupils.reindex(schools)[years])


def mean_pupils(pupils: pd.DataFrame) -> int | Unavailable:
    """Return the pupils of an average year, school × year; schools without a number count with the mean of the others.

    `Unavailable` where more than a tenth of the schools have none.
    """
    each = pupils.mean(axis=1)
    if pupils.index.empty:
        return _NO_SCHOOL
    if each.notna().mean() < FEWEST_KNOWN or pupils.columns.empty:
        return _NO_COHORT
    return int(float(each.fillna(each.mean()).sum()) + 0.5)
