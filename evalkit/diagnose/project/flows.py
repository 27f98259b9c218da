"""The flow of schools from listed to analysed, by arm, and how far the arms differ in what they lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from evalkit.core.project import Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.flow import Arm, Flow, FlowRow
from evalkit.data.measures import measure_of
from evalkit.data.published.codes import CODE_REASONS, ROW_ENDS
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import exclusion_reasons, has_any_before_and_all_after
from evalkit.design.project.labels import NEIGHBOURS
from evalkit.design.project.plan import LockedDesign, OutcomeDesign

# Schools lost between eligible and analysed: overall, and how far the arms differ in it.

_NOBODY = Unavailable("No school of this arm was eligible.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attrition:
    """Schools of one outcome that were eligible and those of them without a published result in some year.

    Shares are between 0 and 1; `differential` is the treated share lost less the comparison share. A school that
    is no mainstream school of the phase, or in no arm, was never eligible.
    """

    outcome: str
    eligible_treated: int
    lost_treated: int
    eligible_comparison: int
    lost_comparison: int
    share_treated: Quantity
    share_comparison: Quantity
    overall: Quantity
    differential: Quantity

    @property
    def worst(self) -> Quantity:
        """Return the share lost in the arm that lost more."""
        first, second = self.share_treated, self.share_comparison
        if isinstance(first, Unavailable) or isinstance(second, Unavailable):
            return first if isinstance(first, Unavailable) else second
        return max(first, second)


def attrition_of(flow: Flow, outcome: str) -> Attrition:
    """Return what was lost of the eligible treated and comparison schools of one outcome."""
    eligible = {arm: _eligible(flow, outcome, arm) for arm in ("treated", "comparison")}
    lost = {arm: n - flow.count(outcome, arm, "analysed") for arm, n in eligible.items()}
    treated, comparison = (_share(lost[arm], n) for arm, n in eligible.items())
    lacking = next((one for one in (treated, comparison) if isinstance(one, Unavailable)), None)
    apart = 0.0 if isinstance(treated, Unavailable) or isinstance(comparison, Unavailable) else treated - comparison
    return Attrition(
        outcome=outcome,
        eligible_treated=eligible["treated"],
        lost_treated=lost["treated"],
        eligible_comparison=eligible["comparison"],
        lost_comparison=lost["comparison"],
        share_treated=treated,
        share_comparison=comparison,
        overall=_share(sum(lost.values()), sum(eligible.values())),
        differential=lacking or apart,
    )


def _eligible(flow: Flow, outcome: str, arm: str) -> int:
    """Return the listed schools less those left out for what they are rather than for a year without a result."""
    outside = sum(
        row.n
        for row in flow.rows
        if (row.outcome, row.arm, row.stage) == (outcome, arm, "excluded") and not row.reason[:4].isdigit()
    )
    return flow.count(outcome, arm, "listed") - outside


def _share(lost: int, eligible: int) -> Quantity:
    return lost / eligible if eligible else _NOBODY


# The flow of schools from listed to analysed, by arm.

_ARMS: tuple[Arm, ...] = ("treated", "comparison", "rest_of_england")


def make_flow(project: Project, intake: ProjectData, design: LockedDesign, years: Sequence[int]) -> Flow:
    """Count every school from listed to analysed, with the reason of each that was lost, over `years`."""
    return Flow(tuple(row for found in design.outcomes.values() for row in _of_outcome(project, intake, found, years)))


def participants_flow(
    project: Project,
    intake: ProjectData,
    years: Mapping[str, Sequence[int]],
    minor_groups: Sequence[str] | None = None,
) -> Flow:
    """Count the participants listed, those left out with the reason, and those left, for each outcome.

    A participant is left out without results at the outcome's stage, outside the groups of schools, or without a result
    in one of the `years` of the outcome, which lie before the programme: nothing that came later is looked at.
    """
    rows: list[FlowRow] = []
    for outcome in project.outcomes:
        stage = measure_of(project, outcome.code).key_stage
        groups = project.pool.minor_groups if minor_groups is None else minor_groups
        reasons = exclusion_reasons(intake.records[stage], outcome.code, years.get(outcome.code, ()), groups)
        reasons = reasons.str.replace(ROW_ENDS, CODE_REASONS[""], regex=False)
        of_treated = reasons.reindex(list(intake.treated.schools[stage]), fill_value="").value_counts()
        lost = Counter({str(reason): int(n) for reason, n in of_treated.items() if reason})
        lost.update(intake.treated.without_outcome.get(stage, {}))
        left = int(of_treated.get("", 0))
        rows.append(FlowRow(outcome.code, "treated", "listed", "", left + lost.total()))
        rows += [FlowRow(outcome.code, "treated", "excluded", reason, n) for reason, n in sorted(lost.items())]
        rows.append(FlowRow(outcome.code, "treated", "analysed", "", left))
    return Flow(tuple(rows))


def _of_outcome(project: Project, intake: ProjectData, design: OutcomeDesign, years: Sequence[int]) -> list[FlowRow]:
    stage = measure_of(project, design.outcome).key_stage
    records = intake.records[stage]
    reasons = exclusion_reasons(records, design.outcome, years, project.pool.minor_groups)
    if not project.pool.require_all_years and set(project.exposure.post) <= set(years):
        enough = has_any_before_and_all_after(
            records, design.outcome, project.exposure.pre, project.exposure.post, project.pool.minor_groups
        )
        reasons[enough] = ""
    reasons = reasons.str.replace(ROW_ENDS, CODE_REASONS[""], regex=False)  # one reason: the cell is empty
    outside = (reasons == "") & ~reasons.index.isin(design.groups.index)
    reasons[outside] = "in no arm (another school of the programme's area, or no area given)"
    arms = _arms(design, reasons.index)
    rows: list[FlowRow] = []
    for arm in _ARMS:
        counts = reasons[arms == arm].value_counts()
        extra = intake.treated.without_outcome[stage] if arm == "treated" else {}
        lost = {**{str(reason): int(n) for reason, n in counts.items() if reason}, **extra}
        listed = int(counts.sum()) + sum(extra.values())
        rows.append(FlowRow(design.outcome, arm, "listed", "", listed))
        rows += [FlowRow(design.outcome, arm, "excluded", reason, lost[reason]) for reason in sorted(lost)]
        rows.append(FlowRow(design.outcome, arm, "analysed", "", int(counts.get("", 0))))
    return rows


def _arms(design: OutcomeDesign, schools: pd.Index) -> pd.Series:
    near, groups = design.comparisons[NEIGHBOURS].of(design.treated_group), design.groups
    arms = pd.Series("rest_of_england", index=schools, dtype=object)
    arms[groups.index[groups.isin(near)]] = "comparison"
    arms[groups.index[groups == design.treated_group]] = "treated"
    return arms
