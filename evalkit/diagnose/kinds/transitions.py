"""Results of an analysis of ordered categories: who moved where in each arm, and what that says of the programme."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats
from evalkit.core.formats import p_equals, visible
from evalkit.core.project import Project
from evalkit.core.quantities import Estimand, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.data.flow import LeftOut
from evalkit.data.measures import measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords, exclusion_reasons
from evalkit.design.kinds.transitions import TransitionsOutcome, TransitionsPlan
from evalkit.diagnose.evaluation import ByOutcome
from evalkit.diagnose.finding import Finding, FindingKind, Verdict, banded, design_fact, not_assessable
from evalkit.estimate.areas.effect_records import sets_detail
from evalkit.estimate.areas.sample import Changes
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.estimate.categories.transitions_arrays import Symmetry, Transitions, symmetry
from evalkit.estimate.dose.listed import AgainstComparison, Listed, listed_effect_of, placed_listed, placing_of_list
from evalkit.estimate.effect import Effect

POINTS: Final = "percentage points"
NUMBERS: Final = {
    "improved": "Share that improved",
    "improved_given_before": "Share that improved, given where each stood",
    "declined": "Share that declined",
    "steps": "Categories moved up, on average",
}
"""What is set against those outside, with the words for each."""
_HUNDRED: Final = 100.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Arm:
    """One arm: its matrix, and the test that as many moved up as down between each two categories."""

    matrix: Transitions
    symmetry: Symmetry


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class TransitionsResults(Shown):
    """What was found for one outcome.

    `arms` are `listed` and `compared`; `against` the numbers of `NUMBERS`, listed less compared; `lead` the share that
    improved between the first and the last year before; `gap` how much better the listed stood before, in standard
    deviations; `left_out` participants that are not analysed.
    """

    code: str
    label: str
    role: str
    plan: TransitionsOutcome
    arms: dict[str, Arm]
    against: dict[str, AgainstComparison | Unavailable]
    lead: AgainstComparison | Unavailable
    gap: Quantity
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class TransitionsFindings(ByOutcome[TransitionsResults]):
    """The results of every outcome, and the plan they follow."""

    plan: TransitionsPlan


def transitions_outcomes(plan: TransitionsPlan, intake: ProjectData) -> TransitionsFindings:
    """Compare categories before and after for every outcome of a plan."""
    made = [_outcome(plan, intake, one) for one in plan.outcomes.values()]
    return TransitionsFindings(plan=plan, outcomes=tuple(made))


def _outcome(plan: TransitionsPlan, intake: ProjectData, outcome: TransitionsOutcome) -> TransitionsResults:
    project, records, options = plan.project, intake.records[outcome.stage], plan.options
    known = measure_of(project, outcome.code)
    first, last = plan.years
    table = _positions(plan, outcome, records, (first, last))
    groups = outcome.against.groups.reindex(table.index)
    is_listed = groups.eq(0).to_numpy()
    is_compared = np.isin(
        groups.to_numpy(), sorted({c for own in outcome.against.comparison.own.values() for c in own})
    )
    n = len(options.categories)
    before, after = (table[year].to_numpy(dtype=np.int64) for year in (first, last))
    arms = {}
    for name, own in (("listed", is_listed), ("compared", is_compared)):
        matrix = Transitions.of(before[own], after[own], n)
        arms[name] = Arm(matrix=matrix, symmetry=symmetry(matrix))
    lost = table.index.symmetric_difference(table.index.union(outcome.participants))
    return TransitionsResults(
        code=outcome.code,
        label=known.label,
        role=next(one.role for one in project.outcomes if one.code == outcome.code),
        plan=outcome,
        arms=arms,
        against=_against(project, outcome, table, (first, last)),
        lead=_lead(plan, outcome, records),
        gap=_gap(before, is_listed, is_compared),
        left_out=(*outcome.left_out, *_lost(project, records, outcome, last, lost)),
    )


def _positions(
    plan: TransitionsPlan, outcome: TransitionsOutcome, records: SchoolRecords, years: tuple[int, int]
) -> pd.DataFrame:
    """Return the positions of units with a category in both years and a group, in the order of ids."""
    reasons = exclusion_reasons(records, outcome.code, years, plan.project.pool.minor_groups)
    kept = reasons.index[reasons == ""].intersection(outcome.against.groups.index).sort_values()
    wide = records.values[outcome.code].loc[kept, list(years)]
    label = plan.labels[outcome.code]
    return pd.DataFrame({year: plan.options.positions(wide[year], f"{label} in {year}") for year in years}, index=kept)


def _lost(
    project: Project, records: SchoolRecords, outcome: TransitionsOutcome, year: int, units: pd.Index
) -> Iterator[LeftOut]:
    reasons = exclusion_reasons(records, outcome.code, (year,), project.pool.minor_groups).reindex(units)
    for reason in sorted(set(reasons) - {""}):
        lost = tuple(map(str, reasons.index[reasons == reason]))
        yield LeftOut(reason, lost, len(lost))


def placed_transitions(plan: TransitionsPlan, code: str, intake: ProjectData) -> PlacedStatistic | Unavailable:
    """Return the difference in the share that improved as what can be placed beside others; or why it is not."""
    outcome = plan.outcomes[code]
    if outcome.too_few:
        return Unavailable(f"Not estimated: {outcome.too_few}.")
    table = _positions(plan, outcome, intake.records[outcome.stage], plan.years)
    before, after = (table[year].to_numpy(dtype=float) for year in plan.years)
    listed = listed_of(plan.project, outcome, table.index, np.asarray(_HUNDRED * (after < before), dtype=np.float64))
    return listed if isinstance(listed, Unavailable) else placed_listed(listed)


def _against(
    project: Project, outcome: TransitionsOutcome, table: pd.DataFrame, years: tuple[int, int]
) -> dict[str, AgainstComparison | Unavailable]:
    if outcome.too_few:
        none = Unavailable(f"Not estimated: {outcome.too_few}.")
        return dict.fromkeys(NUMBERS, none)
    before, after = (table[year].to_numpy(dtype=float) for year in years)
    improved = improved_of(before, after)
    numbers = {
        "improved": improved,
        "improved_given_before": improved - _rates(improved, before, outcome.against.groups.reindex(table.index).ne(0)),
        "declined": _HUNDRED * (after > before),
        "steps": before - after,
    }
    return {name: _placed(project, outcome, table.index, values) for name, values in numbers.items()}


def improved_of(before: Floats, after: Floats) -> Floats:
    """Return 100 for units in a better category after than before and 0 for the others, from positions of each."""
    return np.asarray(_HUNDRED * (after < before), dtype=np.float64)


def _rates(improved: Floats, before: Floats, is_other: pd.Series) -> Floats:
    """Return the share that improved among units outside the programme that stood where each stood."""
    outside, found = is_other.to_numpy(dtype=bool), np.zeros(len(before))
    for place in np.unique(before):
        own = improved[outside & (before == place)]
        found[before == place] = own.mean() if len(own) else 0.0
    return found


def _placed(
    project: Project, outcome: TransitionsOutcome, units: pd.Index, values: Floats
) -> AgainstComparison | Unavailable:
    """Return the mean of the listed less that of what their areas are set against, judged as the plan says."""
    listed = listed_of(project, outcome, units, values)
    return listed if isinstance(listed, Unavailable) else listed_effect_of(listed, project.inference.level)


def listed_of(project: Project, outcome: TransitionsOutcome, units: pd.Index, values: Floats) -> Listed | Unavailable:
    """Return numbers of units as those of the listed and of those they are set against."""
    against = outcome.against
    group = against.groups.reindex(units).to_numpy(dtype=np.int64)
    if not (group == 0).any():
        return Unavailable("No listed school has a category in both years.")
    return Listed(
        changes=Changes(units, group, values, np.ones(len(units))),
        sets=against.sets,
        comparison=against.comparison,
        placing=placing_of_list(project),
        has_many=against.has_many_areas,
    )


def _lead(
    plan: TransitionsPlan, outcome: TransitionsOutcome, records: SchoolRecords
) -> AgainstComparison | Unavailable:
    """Return the share that improved from the first to the last year before, listed less compared."""
    pre = plan.project.exposure.pre
    if len(pre) < 2:
        return Unavailable("Only one year was observed before the programme, so that no move before it is known.")
    if outcome.too_few:
        return Unavailable(f"Not estimated: {outcome.too_few}.")
    table = _positions(plan, outcome, records, (min(pre), max(pre)))
    moved = improved_of(*(table[year].to_numpy(dtype=float) for year in (min(pre), max(pre))))
    return _placed(plan.project, outcome, table.index, moved)


def _gap(before: Floats | np.ndarray, is_listed: Bools, is_compared: Bools) -> Quantity:
    """Return how much better the listed stood before than those compared, in standard deviations of the latter."""
    if not is_listed.any() or is_compared.sum() < 2:
        return Unavailable("Nobody is left to compare.")
    spread = float(np.std(before[is_compared], ddof=1))
    if spread <= 0:
        return Unavailable("All of those compared stood in one category before.")
    return float(before[is_compared].mean() - before[is_listed].mean()) / spread


# What could be wrong, and the effects.


def findings_of(found: TransitionsFindings) -> tuple[Finding, ...]:
    """Return what could be wrong with the primary outcome's answer, each check named and judged."""
    one = found.primary
    pre = found.plan.project.exposure.pre
    lost = sum(len(each.units) for each in one.left_out)
    share = lost / max(lost + one.arms["listed"].matrix.n, 1)
    return (
        _stood(one),
        _tested("pre_trend", one.lead, f"From {min(pre)} to {max(pre)}, before the programme, the share that improved"),
        *(
            _tested("placebo_outcome", other.against["improved"], f"{other.label}: the share that improved")
            for other in found.outcomes
            if other.role == "placebo"
        ),
        design_fact("left_out", banded(share, 0.1, 0.2), share, f"{share:.0%} of the participants are not analysed."),
    )


def _stood(one: TransitionsResults) -> Finding:
    if isinstance(one.gap, Unavailable):
        return not_assessable("balance", one.gap.reason, FindingKind.DESIGN_FACT)
    side = "better" if one.gap > 0 else "worse"
    sentence = (
        f"Before the programme those that took part stood {abs(one.gap):.2f} standard deviations {side} than those "
        "compared. Who stands low has more room to rise; the share given where each stood allows for that."
    )
    return design_fact("balance", banded(abs(one.gap), 0.05, 0.25), one.gap, sentence)


def _tested(name: str, found: AgainstComparison | Unavailable, what: str) -> Finding:
    reason = found if isinstance(found, Unavailable) else found.p_value
    if isinstance(reason, Unavailable) or isinstance(found, Unavailable) or isinstance(found.estimate, Unavailable):
        text = reason.reason if isinstance(reason, Unavailable) else "There is no estimate."
        return not_assessable(name, text, FindingKind.FALSIFICATION)
    p = reason
    verdict = Verdict.SERIOUS if p <= 0.05 else Verdict.CAUTION if p <= 0.20 else Verdict.REASSURING
    sentence = f"{what} differed by {visible(found.estimate)} {POINTS} from that of those compared ({p_equals(p)})."
    n_areas: int | Unavailable = Unavailable("Errors are by area.") if found.sets is None else found.sets.n_areas
    none = Unavailable("No power was reckoned.")
    return Finding(name, verdict, found.estimate, sentence, FindingKind.FALSIFICATION, p, n_areas, none)


def effects_of(one: TransitionsResults) -> Iterator[Effect]:
    """Yield the difference in the share that improved, marked as the main effect, and the other numbers beside it."""
    for name, found in one.against.items():
        yield _effect(one, name, found)


def _effect(one: TransitionsResults, name: str, found: AgainstComparison | Unavailable) -> Effect:
    none = found if isinstance(found, Unavailable) else None
    made = found if isinstance(found, AgainstComparison) else None
    return Effect(
        outcome=one.code,
        role=one.role,
        design=name,
        estimand=Estimand.AREA_ITT if one.plan.against.sets.is_whole else Estimand.ATT,
        period="post",
        estimate=made.estimate if made else none,  # type: ignore[arg-type]  # one of the two is there
        std_error=made.std_error if made else none,  # type: ignore[arg-type]
        interval=made.interval if made else none,  # type: ignore[arg-type]
        p_value=made.p_value if made else none,  # type: ignore[arg-type]
        p_value_one_sided=made.p_value_one_sided if made else none,  # type: ignore[arg-type]
        inference="cluster" if made is not None and made.sets is None else "sets",
        cluster_level="local_authority",
        n_treated=made.n_listed if made else one.arms["listed"].matrix.n,
        n_comparison=made.n_compared if made else one.arms["compared"].matrix.n,
        n_treated_clusters=made.n_areas if made else len(one.plan.against.sets.treated),
        method=f"{NUMBERS[name]}: listed less compared.",
        is_main=name == "improved",
        sets=sets_detail(made.sets) if made and made.sets is not None else None,
        unit="categories" if name == "steps" else POINTS,
    )
