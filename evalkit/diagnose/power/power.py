"""What a project's design could detect, from what was known before the programme."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.errors import DesignError
from evalkit.core.project import Outcome, Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.measures import measure_of
from evalkit.data.published.performance import PublishedLimits
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords
from evalkit.design.power.mdes import (
    PanelPlan,
    TwoLevelPlan,
    averaging_factor,
    multiplier,
    one_area_mdes,
    panel_mdes,
    two_level_mdes,
)
from evalkit.design.power.simulation import SimulatedPower, simulated_power
from evalkit.design.project.areas import TREATED_GROUP
from evalkit.design.project.inference import PERMUTATION, ProjectInference
from evalkit.design.project.labels import NEIGHBOURS
from evalkit.design.project.plan import LockedDesign, OutcomeDesign
from evalkit.diagnose.power.placebos import PlaceboSets, area_placebos, placebo_areas, school_set_placebos
from evalkit.diagnose.power.report import (
    OutcomePower,
    PlanFromRecords,
    PowerOptions,
    PowerReport,
    in_pupil_sd,
    plan_from_records,
)
from evalkit.diagnose.project.describe import ONE_YEAR_BEFORE, baseline_panel
from evalkit.estimate.areas.clusters import supported_inference
from evalkit.estimate.areas.sample import Changes, changes_before
from evalkit.estimate.published_spread import pupil_sd, unconditional_spread
from evalkit.estimate.pupils.random_intercept_arrays import fit, group_sums

OVER_SETS: Final = "randomisation over sets of schools"
_IN_ITS_PLACE: Final = (
    "What is simulated is another test, which the report does not make: sets of untreated schools drawn in the same "
    "way share area shocks as the listed schools do, and show what such a list could detect."
)
_GRID: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)


def project_power(
    project: Project,
    intake: ProjectData,
    locked: LockedDesign,
    limits: Mapping[str, PublishedLimits],
    options: PowerOptions,
) -> PowerReport:
    """Return what a locked design could detect.

    `intake` holds the years before the programme only; `limits` are published confidence limits of the last of them,
    by measure, where at hand. Raises `DesignError` where a later year is in memory.
    """
    late = [year for year in intake.years if year not in project.exposure.pre]
    if late:
        raise DesignError(f"Power is computed before outcomes are read, and {late[0]} is in memory.")
    found = [_of_outcome(project, intake, locked.outcomes[o.code], o, limits, options) for o in project.outcomes]
    return PowerReport(
        project=project, data_kind=intake.kind, options=options, years=intake.years, outcomes=tuple(found)
    )


def _of_outcome(
    project: Project,
    intake: ProjectData,
    design: OutcomeDesign,
    outcome: Outcome,
    limits: Mapping[str, PublishedLimits],
    options: PowerOptions,
) -> OutcomePower:
    known = measure_of(project, outcome.code)
    given_prior = _pupil_sd(limits.get(outcome.code), max(project.exposure.pre))
    spread = unconditional_spread(known, intake.shares.get(outcome.code))
    changes = _changes(project, intake, design)
    sets = _placebos(project, intake, design, changes, options)
    plan = plan_from_records(project, intake, design, given_prior)
    single = partial(_two_level, plan, options, (given_prior, spread.sd))
    counts = _counts(design)
    advice = supported_inference(design, _areas(project, intake, design), _weights(project, intake, design))
    panel, method = _panel(project, intake, design, changes, options, advice)
    return OutcomePower(
        outcome=outcome,
        label=known.label,
        unit=known.unit,
        n_treated=counts[0],
        n_comparison=counts[1],
        n_comparison_areas=counts[2],
        panel=panel,
        panel_method=method,
        pupil_sd=spread.sd,
        pupil_sd_name=spread.name,
        sd_given_prior=given_prior,
        two_level=single(0.0),
        two_level_after_loss=single(0.2),
        two_level_plan=plan,
        two_level_note=_note(design),
        simulated=_simulated(sets, project, options),
        simulated_sets=sets.what if isinstance(sets, PlaceboSets) else "",
        simulated_test=PERMUTATION if advice.kind == "whole area" else OVER_SETS,
        leads=advice.method,
        why=_why(project, advice, design),
    )


def _pupil_sd(limits: PublishedLimits | None, year: int) -> Quantity:
    if limits is None:
        return Unavailable(f"No table with published confidence limits of {year} is at hand, so no spread of pupils.")
    return pupil_sd(limits.half_width, limits.pupils)


def _changes(project: Project, intake: ProjectData, design: OutcomeDesign) -> Changes | Unavailable:
    if design.too_few:
        return Unavailable(f"Not estimated: {design.too_few}.")
    if len(project.exposure.pre) < 2:
        return Unavailable(ONE_YEAR_BEFORE)
    changes = changes_before(baseline_panel(project, intake, design), project.exposure)
    if project.estimation.weights == "schools":
        return changes
    return changes.scaled(_records(project, intake, design).pupils[list(project.exposure.pre)].mean(axis=1))


def _counts(design: OutcomeDesign) -> tuple[int, int, int]:
    """Return treated schools, comparison schools and comparison areas of the main comparison."""
    groups = design.baseline.units["group"].to_numpy()
    areas = design.comparisons[NEIGHBOURS].of(design.treated_group)
    return int((groups == design.treated_group).sum()), int(np.isin(groups, areas).sum()), len(areas)


def _years(project: Project) -> tuple[int, int]:
    return len(project.exposure.pre), len(project.exposure.post)


def treated_by_area(project: Project, intake: ProjectData, design: OutcomeDesign) -> list[int]:
    """Return how many analysed treated schools lie in each treated area."""
    units = design.baseline.units
    treated = units.index[units["group"] == design.treated_group]
    areas = _areas(project, intake, design).reindex(treated)
    return [int(n) for n in areas.value_counts(sort=False).sort_index()]


def _records(project: Project, intake: ProjectData, design: OutcomeDesign) -> SchoolRecords:
    return intake.records[measure_of(project, design.outcome).key_stage]


def _areas(project: Project, intake: ProjectData, design: OutcomeDesign) -> pd.Series:
    """Return the area of each school."""
    areas: pd.Series = _records(project, intake, design).schools["area"]
    return areas


def _weights(project: Project, intake: ProjectData, design: OutcomeDesign) -> pd.Series | None:
    """Return what each school of the design weighs in the main effect; None where all weigh the same."""
    if project.estimation.weights == "schools":
        return None
    pupils = _records(project, intake, design).pupils[list(project.exposure.pre)].mean(axis=1)
    known = pupils.reindex(design.baseline.units.index)
    return known[known > 0]


def _panel(
    project: Project, intake: ProjectData, design: OutcomeDesign, changes: Changes | Unavailable, options: PowerOptions,
    advice: ProjectInference,
) -> tuple[Quantity, str]:  # fmt: skip
    if isinstance(changes, Unavailable):
        return changes, "none"
    years, ask = _years(project), (options.level, options.power)
    if design.is_whole_area:
        placebos = placebo_areas(project, design, changes).effects.tolist()
        return one_area_mdes(placebos, years, *ask), f"the spread of {len(placebos)} placebo areas' effects"
    treated = treated_by_area(project, intake, design)
    if len(treated) == 1 or advice.kind == "sets":
        return _one_area_of_schools(project, design, changes, treated, options)
    plan = _panel_plan(design, changes, treated, years, advice)
    untreated = changes.group != TREATED_GROUP
    _, codes = np.unique(changes.group[untreated], return_inverse=True)
    parts = fit(group_sums(changes.change[untreated], np.empty((len(codes), 0)), codes))
    is_made = "" if plan.test_df else ", as of a test that the report does not make"
    return panel_mdes(plan, parts.between, parts.within, *ask), (
        f"variance of changes between areas ({parts.between:.3g}) and between schools of an area "
        f"({parts.within:.3g}), with {plan.df:.1f} degrees of freedom{is_made}"
    )


def _panel_plan(
    design: OutcomeDesign, changes: Changes, treated: list[int], years: tuple[int, int], advice: ProjectInference
) -> PanelPlan:
    """Return the schools of each area, with the degrees of freedom of the test that leads, where it has any."""
    compared = [int((changes.group == area).sum()) for area in design.comparisons[NEIGHBOURS].of(TREATED_GROUP)]
    return PanelPlan(
        treated=tuple(treated),
        comparison=tuple(n for n in compared if n),
        n_pre=years[0],
        n_post=years[1],
        test_df=advice.df if advice.kind == "areas as clusters" else None,
    )


def _one_area_of_schools(
    project: Project, design: OutcomeDesign, changes: Changes, treated: list[int], options: PowerOptions
) -> tuple[Quantity, str]:
    sets = _school_sets(project, design, changes, treated, options)
    if isinstance(sets, Unavailable):
        return sets, "none"
    found = one_area_mdes(sets.effects.tolist(), _years(project), options.level, options.power)
    return found, f"the spread of effects of {len(sets.effects):,} {sets.what}"


def _placebos(
    project: Project, intake: ProjectData, design: OutcomeDesign, changes: Changes | Unavailable, options: PowerOptions
) -> PlaceboSets | Unavailable:
    if isinstance(changes, Unavailable):
        return changes
    if not design.is_whole_area:
        return _school_sets(project, design, changes, treated_by_area(project, intake, design), options)
    return area_placebos(project, design, changes, options)


def _school_sets(
    project: Project, design: OutcomeDesign, changes: Changes, treated: list[int], options: PowerOptions
) -> PlaceboSets | Unavailable:
    try:
        return school_set_placebos(project, design, changes, treated, options)
    except DesignError as problem:
        return Unavailable(str(problem))


def _simulated(
    sets: PlaceboSets | Unavailable, project: Project, options: PowerOptions
) -> SimulatedPower | Unavailable:
    if isinstance(sets, Unavailable):
        return sets
    if len(sets.effects) < 2:
        return Unavailable("No other area could serve as a placebo before the programme.")
    factor = averaging_factor(*_years(project))
    step = multiplier(None, options.level, options.power) * float(sets.effects.std(ddof=1)) * factor
    effects = [step * share for share in _GRID]
    return simulated_power(sets.effects * factor, sets.critical * factor, effects, options.power, sets.is_every_set)


def _two_level(
    plan: PlanFromRecords | Unavailable, options: PowerOptions, sds: tuple[Quantity, Quantity], lost: float
) -> Quantity:
    """Return the least effect of single schools in SDs between all pupils; the plan is in those given prior results."""
    if isinstance(plan, Unavailable):
        return plan
    chosen: TwoLevelPlan = plan.plan.after_attrition(lost)
    found, (given_prior, of_all) = two_level_mdes(chosen, options.level, options.power), sds
    if isinstance(found, Unavailable) or isinstance(given_prior, Unavailable):
        return found if isinstance(found, Unavailable) else given_prior
    return in_pupil_sd(found * given_prior, of_all)


def _note(design: OutcomeDesign) -> str:
    if design.is_whole_area or len(design.treated_areas) == 1:
        return (
            "It leaves out what happens to a whole area, and all treated schools lie in one: it says what as many "
            "schools chosen one by one across the country could show, and not what this design can."
        )
    return "It counts schools as independent: what happens to a whole area is not in it."


def _why(project: Project, advice: ProjectInference, design: OutcomeDesign) -> str:
    """Return why this inference leads; of listed schools also what the simulation tries in its place."""
    if design.too_few:
        return advice.reason
    if advice.kind == "whole area":
        return (
            f"{advice.reason} It compares areas by {project.inference.statistic} changes, as simulation does among "
            "areas of like size."
        )
    return advice.reason if advice.kind == "sets" else f"{advice.reason} {_IN_ITS_PLACE}"
