"""What a project's design could detect, before any outcome is read: `evalkit power`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.core.formats import interval_text, level_text, number, number_or_reason, years_text
from evalkit.core.plain import json_text, plain_or_reason
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import cleaned, counted
from evalkit.run.processes.executors import add_executor_options, compute_on_one_thread, executor_at, executor_choice
from evalkit.run.typed_paths import add_data_options

if TYPE_CHECKING:
    from evalkit.core.project import Project
    from evalkit.data.published.performance import PublishedLimits
    from evalkit.data.published.project_data import ProjectData
    from evalkit.data.published.sources import Sources
    from evalkit.design.power.simulation import SimulatedPower
    from evalkit.diagnose.power.report import OutcomePower, PowerOptions, PowerReport

Commands = Any
"""What `ArgumentParser.add_subparsers` returns."""


def add_power_command(commands: Commands) -> None:
    """Add `evalkit power PROJECT` to the command line."""
    power = commands.add_parser("power", help="say what a project could detect, before outcomes are read")
    power.add_argument("project", metavar="PROJECT", help="slug, or path of a project.yml")
    add_data_options(power)
    power.add_argument("--json", action="store_true", help="write what was found as JSON")
    power.add_argument("--level", type=float, metavar="L", help="level of the test's interval (default: the project's)")
    power.add_argument("--power", type=float, default=0.8, metavar="P", help="power asked for (default: 0.8)")
    power.add_argument(
        "--simulations", type=int, default=1000, metavar="N", help="most placebo sets in the simulation (default: 1000)"
    )
    add_executor_options(power)
    power.set_defaults(command=_power)


def _power(options: argparse.Namespace) -> int:
    where = executor_choice(options)
    compute_on_one_thread()
    from evalkit.diagnose.power.report import PowerOptions
    from evalkit.run.console import Progress
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.project.chosen_data import chosen_here
    from evalkit.run.project.project_file import load_project
    from evalkit.run.project.workspace import project_file

    path = project_file(options.project)
    data = chosen_here(options, path)
    level = load_project(path).inference.level if options.level is None else options.level
    chosen = PowerOptions(level=level, power=options.power, n_simulations=options.simulations)
    doing = f"{options.project}: reading the years before, only"
    progress = Progress()
    with environment_faults("computing power"), progress.step(doing), executor_at(where) as executor:
        report = power_of_project(path, data, replace(chosen, executor=executor))
    print(power_json(report) if options.json else power_text(report))
    return 0


def power_of_project(project_file: Path, data: Path | None, options: PowerOptions) -> PowerReport:
    """Return what a project could detect, reading the years before the programme and no others."""
    from evalkit.data.published.project_data import read_baseline
    from evalkit.design.project.plan import make_design
    from evalkit.diagnose.power.power import project_power
    from evalkit.run.project.chosen_data import telling_of_missing_data
    from evalkit.run.project.project_file import load_project
    from evalkit.run.project.runner import find_data

    project, sources = load_project(project_file), find_data(data)
    with telling_of_missing_data(sources):
        intake = read_baseline(project, project_file.parent, sources)
    return project_power(
        project, intake, make_design(project, intake), _limits_before(project, intake, sources), options
    )


def _limits_before(project: Project, intake: ProjectData, sources: Sources) -> dict[str, PublishedLimits]:
    """Return the published limits of the last year before the programme, by measure, where at hand."""
    from evalkit.data.published.performance import read_limits

    year, names = max(project.exposure.pre), intake.neighbours[project.pool.neighbours].names
    found = {o.measure: read_limits(sources, o.measure, year, names) for o in project.outcomes}
    return {code: limits for code, limits in found.items() if limits is not None}


def power_json(report: PowerReport) -> str:
    """Return what was found as JSON; what cannot be given is `{"unavailable": reason}`."""
    content: dict[str, Any] = {
        "schema_version": 1,
        "project": report.project.slug,
        "data_kind": report.data_kind,
        "years_read": list(report.years),
        "level": report.options.level,
        "power": report.options.power,
        "n_simulations": report.options.n_simulations,
        "outcomes": [_record(found) for found in report.outcomes],
    }
    return json_text(content)


def _record(found: OutcomePower) -> dict[str, Any]:
    return {
        "outcome": found.outcome.measure,
        "role": found.outcome.role,
        "n_treated": found.n_treated,
        "n_comparison": found.n_comparison,
        "n_comparison_areas": found.n_comparison_areas,
        "pupil_sd": plain_or_reason(found.pupil_sd),
        "panel": {
            "mdes_points": plain_or_reason(found.panel),
            "mdes_pupil_sd": plain_or_reason(found.panel_g),
            "method": found.panel_method,
        },
        "two_level": _two_level(found),
        "simulated": _simulated(found),
        "leading_inference": found.leads,
        "why": found.why,
    }


def _two_level(found: OutcomePower) -> dict[str, Any]:
    made: dict[str, Any] = {
        "mdes_pupil_sd": plain_or_reason(found.two_level),
        "mdes_points": plain_or_reason(found.two_level_points),
        "mdes_pupil_sd_after_losing_a_fifth": plain_or_reason(found.two_level_after_loss),
        "note": found.two_level_note,
    }
    if isinstance(found.two_level_plan, Unavailable):
        return made | {"plan": plain_or_reason(found.two_level_plan)}
    plan = found.two_level_plan.plan
    named = ("n_treated", "n_comparison", "pupils", "icc", "r2_school", "r2_pupil", "n_school_covariates")
    return made | {"plan": {name: getattr(plan, name) for name in named} | {"source": found.two_level_plan.source}}


def _simulated(found: OutcomePower) -> object:
    if isinstance(found.simulated, Unavailable):
        return plain_or_reason(found.simulated)
    return {
        "effect_points": plain_or_reason(found.simulated.effect),
        "effect_interval": plain_or_reason(found.simulated.effect_interval),
        "n_placebo_sets": found.simulated.n_draws,
        "is_every_set": found.simulated.is_every_set,
        "placebo_sets": found.simulated_sets,
        "test": found.simulated_test,
        "curve": [
            {"effect": p.effect, "power": p.power, "monte_carlo_error": p.monte_carlo_error}
            for p in found.simulated.curve
        ],
    }


def power_text(report: PowerReport) -> str:
    """Return what was found in lines a person reads."""
    return cleaned("\n".join(_lines(report)))


def _lines(report: PowerReport) -> Iterator[str]:
    kind = "the synthetic England: made-up schools" if report.data_kind == "synthetic" else "published files"
    options = report.options
    yield f"{report.project.slug}: what its design could detect. Data: {kind}."
    yield f"Years read: {years_text(report.years)}, all before the programme, and no others."
    yield (
        f"Least detectable effects: found with {level_text(options.power)} probability by a two-sided test at "
        f"{level_text(1 - options.level)}."
    )
    for found in report.outcomes:
        yield from _outcome_lines(found)


def _outcome_lines(found: OutcomePower) -> Iterator[str]:
    yield f"\n{found.outcome.measure}, {found.label} ({found.outcome.role})"
    yield (
        f"  {counted(found.n_treated, 'treated school')}, {counted(found.n_comparison, 'comparison school')} in "
        f"{counted(found.n_comparison_areas, 'area')}"
    )
    if all(isinstance(one, Unavailable) for one in (found.panel, found.simulated, found.two_level)):
        yield f"  Nothing can be given. {found.panel.reason if isinstance(found.panel, Unavailable) else ''}"
        return
    yield f"  Leading inference: {found.leads}. {found.why}"
    yield f"  Panel: {_points(found.panel, found)}"
    if not isinstance(found.panel, Unavailable):
        yield f"    in pupil standard deviations: {number_or_reason(found.panel_g)}"
        yield f"    from {found.panel_method}"
    if isinstance(found.simulated, Unavailable):
        yield f"  By simulation: {found.simulated.reason}"
    else:
        yield from _simulated_lines(found, found.simulated)
    yield from _two_level_lines(found)


def _points(quantity: float | Unavailable, found: OutcomePower) -> str:
    return (
        number_or_reason(quantity)
        if isinstance(quantity, Unavailable)
        else f"{number_or_reason(quantity)} {found.unit}"
    )


def _simulated_lines(found: OutcomePower, simulated: SimulatedPower) -> Iterator[str]:
    yield f"  By simulation of {found.simulated_test}: {_points(simulated.effect, found)}"
    if isinstance(simulated.effect_interval, Interval):
        yield f"    Monte Carlo interval: {interval_text(simulated.effect_interval)}"
    every = "all " if simulated.is_every_set else ""
    yield f"    placebo sets: {every}{simulated.n_draws:,}; {found.simulated_sets}"
    for point in simulated.curve:
        share, error = (level_text(round(value, 3)) for value in (point.power, point.monte_carlo_error))
        yield f"    an effect of {number(point.effect)} is found in {share} (Monte Carlo error {error})"


def _two_level_lines(found: OutcomePower) -> Iterator[str]:
    if isinstance(found.two_level, Unavailable) or isinstance(found.two_level_plan, Unavailable):
        yield f"  Two-level: {number_or_reason(found.two_level)}"
        return
    plan = found.two_level_plan.plan
    yield f"  Two-level: {number_or_reason(found.two_level)} pupil standard deviations"
    yield f"    after a fifth of the schools is lost: {number_or_reason(found.two_level_after_loss)}"
    yield (
        f"    icc {number(plan.icc, 3)}, {number(plan.pupils, 1)} pupils a school, {number(plan.r2_school, 2)} of the "
        f"variance between schools explained by the year before; {found.two_level_plan.source}"
    )
    yield f"    {found.two_level_note}"
