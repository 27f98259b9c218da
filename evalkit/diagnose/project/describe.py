"""The design as a reader may see it, from baseline data alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evalkit.core.project import Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.flow import CountedCase
from evalkit.data.measures import Measure, measure
from evalkit.data.panel import Panel
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.school_lists import CONFLICTS
from evalkit.design.power.mdes import detectable_at_design
from evalkit.design.project.labels import LIST_LABEL, NEIGHBOURS, neighbours_of
from evalkit.design.project.plan import (
    AreaComparison,
    DesignStage,
    DetectableEffect,
    LockedDesign,
    MeasureNote,
    OutcomeDesign,
)
from evalkit.diagnose.project.balance import balance_of, match_summaries
from evalkit.diagnose.project.flows import make_flow
from evalkit.estimate.areas.area_effects import effects_by_area
from evalkit.estimate.areas.sample import changes_before, make_panel

_NO_PLACEBO = "The listed schools are part of their area, so other areas cannot serve as placebos."
ONE_YEAR_BEFORE = "Only one year was observed before the programme, so no change before it can be seen."


def describe_design(project: Project, intake: ProjectData, locked: LockedDesign) -> DesignStage:
    """Describe a locked design: areas, flow, identity, matches, balance, least detectable effect, measures."""
    estimated = [design for design in locked.outcomes.values() if not design.too_few]
    return DesignStage(
        project=project,
        data_kind=intake.kind,
        areas=_areas(project, intake, locked.outcomes[project.primary.measure]),
        flow=make_flow(project, intake, locked, project.exposure.pre),
        identity=tuple(_identity(intake)),
        participants=intake.treated.cases,
        matches=tuple(summary for design in estimated for summary in match_summaries(design)),
        balance=tuple(row for design in estimated for row in balance_of(design)),
        detectable=tuple(_detectable(project, intake, design) for design in estimated),
        measures=tuple(measure_note(project, measure(outcome.measure)) for outcome in project.outcomes),
        area_names=intake.neighbours[project.pool.neighbours].names,
        boundaries=intake.boundaries,
    )


def _identity(intake: ProjectData) -> Iterator[CountedCase]:
    """Yield each case by key stage, and once what is counted over whole files."""
    whole: dict[str, CountedCase] = {}
    for stage, records in intake.records.items():
        for case in records.cases:
            if case.case == CONFLICTS:
                whole[case.case] = CountedCase(f"Both key stages: {case.case}", case.n)
            else:
                yield CountedCase(f"{stage}: {case.case}", case.n)
    yield from whole.values()


def _areas(project: Project, intake: ProjectData, design: OutcomeDesign) -> tuple[AreaComparison, ...]:
    pool = project.pool
    lists = {NEIGHBOURS: pool.neighbours, neighbours_of(pool.alternative_neighbours): pool.alternative_neighbours}
    return tuple(_area(design, name, used, intake.neighbours[used].names) for name, used in lists.items())


def _area(design: OutcomeDesign, name: str, used: str, names: dict[int, str]) -> AreaComparison:
    comparison = design.comparisons[name]
    return AreaComparison(
        list_name=used,
        list_label=LIST_LABEL[used],
        treated=tuple((code, names.get(code, str(code))) for code in design.treated_areas),
        comparison=tuple((code, names.get(code, str(code))) for code in comparison.of(design.treated_group)),
        absent=comparison.absent[design.treated_group],
    )


def baseline_panel(project: Project, intake: ProjectData, design: OutcomeDesign) -> Panel:
    """Return the schools of the baseline over the years before the programme."""
    values = intake.records[measure(design.outcome).key_stage].values[design.outcome]
    wide = values.loc[design.baseline.units.index, list(project.exposure.pre)]
    return make_panel(wide, design.groups, design.treated_group, project)


def _detectable(project: Project, intake: ProjectData, design: OutcomeDesign) -> DetectableEffect:
    at_design, n_areas = _from_placebos(project, intake, design)
    later = Unavailable("Outcomes have not been read.")
    return DetectableEffect(outcome=design.outcome, at_design=at_design, realised=later, n_areas=n_areas)


def _from_placebos(project: Project, intake: ProjectData, design: OutcomeDesign) -> tuple[Quantity, int]:
    exposure = project.exposure
    if not design.is_whole_area:
        return Unavailable(_NO_PLACEBO), 0
    if len(exposure.pre) < 2:
        return Unavailable(ONE_YEAR_BEFORE), 0
    changes = changes_before(baseline_panel(project, intake, design), exposure)
    treated_group, fewest = design.treated_group, project.pool.minimum_area_schools
    areas = effects_by_area(changes, design.comparisons[NEIGHBOURS], treated_group, fewest)
    placebos = areas.effects[areas.groups != treated_group]
    return detectable_at_design(np.asarray(placebos).tolist(), len(exposure.pre), len(exposure.post)), len(placebos)


def measure_note(project: Project, found: Measure) -> MeasureNote:
    """Return what a reader must know of a measure before comparing the project's years."""
    sentences = tuple(dict.fromkeys(b.sentence for b in found.breaks_within(project.exposure.years)))
    return MeasureNote(measure=found.code, label=found.label, unit=found.unit, sentences=sentences)
