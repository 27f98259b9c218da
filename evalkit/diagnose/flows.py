"""The flow of schools from listed to analysed, by arm."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from evalkit.core.project import Project
from evalkit.data.codes import CODE_REASONS, ROW_ENDS
from evalkit.data.eligibility import exclusion_reasons, has_any_before_and_all_after
from evalkit.data.flow import Arm, Flow, FlowRow
from evalkit.data.intake import Intake
from evalkit.data.measures import measure
from evalkit.design.labels import NEIGHBOURS
from evalkit.design.plan import OUTSIDE, LockedDesign, OutcomeDesign

_ARMS: tuple[Arm, ...] = ("treated", "comparison", "rest_of_england")


def make_flow(project: Project, intake: Intake, design: LockedDesign, years: Sequence[int]) -> Flow:
    """Count every school from listed to analysed, with the reason of each that was lost, over `years`."""
    return Flow(tuple(row for found in design.outcomes.values() for row in _of_outcome(project, intake, found, years)))


def _of_outcome(project: Project, intake: Intake, design: OutcomeDesign, years: Sequence[int]) -> list[FlowRow]:
    stage = measure(design.outcome).key_stage
    records = intake.records[stage]
    reasons = exclusion_reasons(records, design.outcome, years, project.pool.minor_groups)
    if not project.pool.require_all_years and set(project.exposure.post) <= set(years):
        enough = has_any_before_and_all_after(
            records, design.outcome, project.exposure.pre, project.exposure.post, project.pool.minor_groups
        )
        reasons[enough] = ""
    reasons = reasons.str.replace(ROW_ENDS, CODE_REASONS[""], regex=False)  # one reason: the cell is empty
    outside = (reasons == "") & (design.groups == OUTSIDE)
    reasons[outside] = "in no arm (another school of the programme's area, or no area given)"
    arms = _arms(design)
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


def _arms(design: OutcomeDesign) -> pd.Series:
    near = design.comparisons[NEIGHBOURS].of(design.treated_group)
    arms = pd.Series("rest_of_england", index=design.groups.index, dtype=object)
    arms[design.groups.isin(near)] = "comparison"
    arms[design.groups == design.treated_group] = "treated"
    return arms
