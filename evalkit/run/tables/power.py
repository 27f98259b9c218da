"""What a project's design could detect, before any outcome is read: `evalkit power`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.core.plain import plain_or_reason
from evalkit.core.quantities import Unavailable
from evalkit.run.processes.executors import compute_on_one_thread, executor_at, executor_choice
from evalkit.run.tables.written import CommandAnswer, output_of, tell

if TYPE_CHECKING:
    from evalkit.core.project import Project
    from evalkit.data.published.performance import PublishedLimits
    from evalkit.data.published.project_data import ProjectData
    from evalkit.data.published.sources import Sources
    from evalkit.diagnose.power.report import AnalysisPower, OutcomePower, PowerOptions, PowerReport
    from evalkit.report.border.parts import Document, Part
    from evalkit.run.commands.options import Given
    from evalkit.run.kinds.registry import PowerRequest


def power_command(options: Given) -> int:
    """Say what a project could detect, or write it, and return the exit code 0."""
    where = executor_choice(options)
    compute_on_one_thread()
    from evalkit.diagnose.power.report import PowerOptions
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.project.chosen_data import chosen_here
    from evalkit.run.project.project_file import load_project
    from evalkit.run.project.workspace import project_file

    path = project_file(options.project)
    output = output_of(options, path)
    data = chosen_here(options, path)
    level = load_project(path).inference.level if options.level is None else options.level
    chosen = PowerOptions(level=level, power=options.power, n_simulations=options.simulations)
    doing = f"{options.project}: reading the years before, only"
    with environment_faults("computing power"), output.progress.step(doing), executor_at(where) as executor:
        report = power_of_project(path, data, replace(chosen, executor=executor))
    tell(told_of_power(report), output)
    return 0


def power_of_project(project_file: Path, data: Path | None, options: PowerOptions) -> PowerReport:
    """Return what a project could detect, reading the years before the programme and no others."""
    from evalkit.data.published.project_data import read_baseline
    from evalkit.run.project.chosen_data import telling_of_missing_data
    from evalkit.run.project.project_file import load_project
    from evalkit.run.project.runner import find_data

    project, sources = load_project(project_file), find_data(data)
    with telling_of_missing_data(sources):
        intake = read_baseline(project, project_file.parent, sources)
    return power_of(project, intake, sources, options)


def power_of(project: Project, intake: ProjectData, sources: Sources, options: PowerOptions) -> PowerReport:
    """Return what a project could detect from its baseline, `intake`."""
    from evalkit.diagnose.power.analyses import areas_power
    from evalkit.diagnose.power.report import PowerReport
    from evalkit.run.kinds.registry import PowerRequest, before_of, plan_of

    limits = _limits_before(project, intake, sources)
    requests = tuple(
        PowerRequest(
            plan=plan_of(project, one, intake), intake=before_of(project, one, intake), options=options, limits=limits
        )
        for one in project.analyses
    )
    detailed, outcomes = _of_areas(requests)
    return PowerReport(
        project=project,
        data_kind=intake.kind,
        options=options,
        years=intake.years,
        outcomes=outcomes,
        analyses=tuple(
            row
            for one in requests
            for row in (areas_power(outcomes, one.plan.analysis.name) if one is detailed else _rows(one))
        ),
    )


def _of_areas(requests: tuple[PowerRequest, ...]) -> tuple[PowerRequest | None, tuple[OutcomePower, ...]]:
    """Return the first analysis of the kind `areas`, and in detail what it could detect; nothing without one."""
    from evalkit.diagnose.power.power import project_power

    first = next((one for one in requests if one.plan.analysis.kind == "areas"), None)
    if first is None:
        return None, ()
    locked = first.plan.details.locked  # type: ignore[attr-defined]  # the plan of that kind, which others may lack
    found = project_power(first.plan.project, first.intake, locked, first.limits, first.options)
    return first, found.outcomes


def _rows(request: PowerRequest) -> Iterator[AnalysisPower]:
    """Yield what one analysis could detect, or that its kind has no answer."""
    from evalkit.core.quantities import Unavailable
    from evalkit.diagnose.power.report import AnalysisPower
    from evalkit.run.kinds.registry import NO_EFFECT, kind_of

    analysis, answer = request.plan.analysis, kind_of(request.plan.analysis.kind).power
    if answer is not None:
        yield from answer(request)
        return
    if analysis.describes:
        none = Unavailable(NO_EFFECT.format("a least detectable effect"))
        yield AnalysisPower(
            analysis=analysis.name,
            kind=analysis.kind,
            outcome="",
            label="No effect is estimated",
            unit="",
            least=none,
            leads="none",
            why="",
            method="none",
        )
        return
    for outcome in request.plan.project.outcomes:
        yield AnalysisPower(
            analysis=analysis.name,
            kind=analysis.kind,
            outcome=outcome.code,
            label=outcome.code,
            unit="",
            least=Unavailable("This kind of analysis has no power reckoned before outcomes."),
            leads="none",
            why="",
            method="none",
        )


def _limits_before(project: Project, intake: ProjectData, sources: Sources) -> dict[str, PublishedLimits]:
    """Return the published limits of the last year before the programme, by measure, where at hand."""
    from evalkit.data.measures import measure_of
    from evalkit.data.published.performance import read_limits

    if not project.exposure.pre:  # participants start in years of their own
        return {}
    year, names = max(project.exposure.pre), intake.neighbours[project.pool.neighbours].names
    found = {o.code: read_limits(sources, measure_of(project, o.code), year, names) for o in project.outcomes}
    return {code: limits for code, limits in found.items() if limits is not None}


def told_of_power(report: PowerReport) -> CommandAnswer:
    """Return everything that is told of what a project could detect, each form made when it is asked for."""
    from evalkit.report.tables.power import power, power_of_analyses

    return CommandAnswer(
        document=lambda has_figures: power_document(report, has_figures),
        csv=lambda: (power(report) if report.outcomes else power_of_analyses(report)).to_csv(),
        record=lambda: power_record(report),
    )


def power_document(report: PowerReport, has_figures: bool) -> Document:
    """Return what a project could detect as the tables that a notebook shows of it."""
    from evalkit.report.border.parts import Document
    from evalkit.report.words.statements import synthetic_banner

    return Document(
        title=f"{report.project.slug}: what its design could detect",
        banner=synthetic_banner(report.project.programme.place) if report.data_kind == "synthetic" else "",
        sections=(tuple(_parts(report, has_figures)),),
    )


def _parts(report: PowerReport, has_figures: bool) -> Iterator[Part]:
    from evalkit.report.tables.power import (
        power,
        power_of_analyses,
        power_simulated,
        power_two_level,
        power_units,
        power_words,
    )

    yield power_words(report)
    yield power_of_analyses(report)
    if not report.outcomes:
        return
    yield power(report)
    if has_figures:
        from evalkit.report.figures.design import power_plot

        yield power_plot(report)
    yield power_units(report)
    yield power_simulated(report)
    yield power_two_level(report)


def power_record(report: PowerReport) -> dict[str, Any]:
    """Return what was found as plain data; what cannot be given is `{"unavailable": reason}`."""
    return {
        "schema_version": 1,
        "project": report.project.slug,
        "data_kind": report.data_kind,
        "years_read": list(report.years),
        "level": report.options.level,
        "power": report.options.power,
        "n_simulations": report.options.n_simulations,
        "outcomes": [_record(found) | _analysis_of(report) for found in report.outcomes],
        "analyses": [_analysis_record(row) for row in report.analyses],
    }


def _analysis_of(report: PowerReport) -> dict[str, str]:
    """Return which analysis the outcomes in detail are of."""
    return {"analysis": row.analysis} if (row := next((r for r in report.analyses if r.kind == "areas"), None)) else {}


def _analysis_record(row: AnalysisPower) -> dict[str, Any]:
    return {
        "analysis": row.analysis,
        "kind": row.kind,
        "outcome": row.outcome,
        "unit": row.unit,
        "mdes_points": plain_or_reason(row.least),
        "leading_inference": row.leads,
        "why": row.why,
        "method": row.method,
    }


def _record(found: OutcomePower) -> dict[str, Any]:
    return {
        "outcome": found.outcome.code,
        "role": found.outcome.role,
        "n_treated": found.n_treated,
        "n_comparison": found.n_comparison,
        "n_comparison_areas": found.n_comparison_areas,
        "pupil_sd": plain_or_reason(found.pupil_sd),
        "pupil_sd_name": found.pupil_sd_name,
        "sd_given_prior": plain_or_reason(found.sd_given_prior),
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
