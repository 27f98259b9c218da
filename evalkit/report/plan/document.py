"""The statistical analysis plan of a project: one document, in the order that the EEF asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from evalkit.core.formats import as_sentence, lower_first, years_text
from evalkit.core.manifest import Provenance
from evalkit.core.project import Project
from evalkit.core.quantities import Unavailable
from evalkit.core.words import listed
from evalkit.design.analysis_plan import AnalysisPlan, ProjectDesign
from evalkit.diagnose.evaluation import Evaluation
from evalkit.diagnose.power.report import PowerReport
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Document, Heading, Part, Prose
from evalkit.report.border.table import Column, Table
from evalkit.report.kinds.kind_module import said_by_kind
from evalkit.report.plan.checks import cannot_say, checks_planned, conclusions
from evalkit.report.plan.shells import shells
from evalkit.report.tables.analyses import estimands
from evalkit.report.tables.curve import choices_planned
from evalkit.report.tables.design import measures_compared
from evalkit.report.tables.power import (
    power,
    power_of_analyses,
    power_simulated,
    power_two_level,
    power_units,
    power_words,
)
from evalkit.report.tables.reproducibility import parameters, randomness, versions
from evalkit.report.tables.subgroups import subgroups_planned
from evalkit.report.words.answers import plans_in_full, title_of
from evalkit.report.words.front import banner, byline, disclosure, face_whom, programme, question, sources
from evalkit.report.words.names import ROLES, capital, measure_label, measure_unit
from evalkit.report.words.statements import day_text

BLIND: Final = (
    "This plan was written from the project file and from the years before the programme: no result of a later year "
    "was read for it."
)
ENDS_WITH: Final = (
    "Written by evalkit from the project “{slug}”, from the file that will run it: the report has the same words, "
    "tables and numbers. `evalkit lock {slug}` seals it."
)
_BOUNDS: Final = {
    "lee": "bounds for schools that would be published in either arm (Lee, 2009)",
    "none": "",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanContents:
    """What a plan is written from; nothing in it depends on a result of a year after the programme began.

    Attributes
    ----------
    design : the plans of all analyses
    power : what they could detect
    provenance : files, choices and versions
    code : the SHA-256 of the kit's code; its commit changes where the plan itself is committed beside it
    laid_out : the results that made-up outcomes give, for the rows and columns of tables; or why there are none
    tables : the tables of these, by the names of their files
    """

    design: ProjectDesign
    power: PowerReport
    provenance: Provenance
    code: str
    laid_out: Evaluation | Unavailable
    tables: Mapping[str, ReleasedTable] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        """Return the project."""
        return self.design.project


def plan_document(of: PlanContents) -> Document:
    """Return the statistical analysis plan of a project as a document."""
    project = of.project
    sections = tuple(tuple(section) for section in _sections(of))
    known = [part for section in sections for part in section]
    return Document(
        title=f"Statistical analysis plan: {project.title}",
        slug=project.slug,
        question=project.question,
        byline=byline(project),
        banner=banner(of.design),
        face=(BLIND, face_whom(of.design)),
        sections=sections,
        annexes=(tuple(_shells(of, known)), tuple(_made_of(of))),
        ends_with=ENDS_WITH.format(slug=project.slug),
    )


def _sections(of: PlanContents) -> Iterator[Iterator[Part]]:
    yield _background(of.design)
    yield _design(of.design)
    if of.project.only_describes:
        yield from _described(of)
        return
    yield _one("What exactly is estimated?", estimands(of.design))
    sample = list(_sample(of.design))
    yield iter(sample)
    yield _outcomes(of.design, sample)
    yield _analysis(of)
    yield _missing(of)
    yield _subgroups(of.design)
    yield _checks(of)
    yield _power(of.power)
    yield _conclusions(of.project)


def _described(of: PlanContents) -> Iterator[Iterator[Part]]:
    """Yield the sections of a plan that describes: what has no meaning without an effect is named, and left out."""
    yield _one("What exactly is described?", estimands(of.design))
    in_full = plans_in_full(of.design).parts
    yield _one("What is looked at?", *in_full)
    yield _checks(of)
    yield _one("What does this plan leave out, and why?", Prose(LEFT_OUT, "list"))


LEFT_OUT: Final = (
    "No effect is estimated: there is no comparator, no test and no least detectable effect.",
    "Missing results could move no effect; what is not published or was not answered is counted and said.",
    "There are no subgroups or families of outcomes, no specification curve and no rating of the evidence.",
    "What is found is put in words of change and of targets met or missed, and never as what the programme did.",
)
"""What a plan that describes has not, with the reasons."""


def _one(heading: str, *parts: Part) -> Iterator[Part]:
    yield Heading(1, heading)
    yield from parts


def _background(design: ProjectDesign) -> Iterator[Part]:
    yield Heading(1, "Why is this evaluated?")
    yield question(design)
    yield programme(design)
    if sources(design).sentences:
        yield sources(design)


def _design(design: ProjectDesign) -> Iterator[Part]:
    yield Heading(1, "What is the design?")
    plans = in_plan_order(design)
    whose = "its answer" if plans[0].analysis.describes else "its answer on the primary outcome"
    primary = f"{title_of(plans[0])} is the primary analysis: {whose} is the headline."
    beside = [lower_first(title_of(plan)) for plan in plans[1:]]
    more = (f"Beside it stand: {listed(beside, 9)}.",) if beside else ()
    yield Prose((as_sentence(primary), *more))
    exposure = design.project.exposure
    if exposure.pre:
        partial = (
            f" {years_text(exposure.partial)}, with part of the programme, is left out." if exposure.partial else ""
        )
        yield Prose(
            (
                f"Years before: {years_text(exposure.pre)}. Years after: {years_text(exposure.post)}.{partial}",
                "A year is the summer in which its tests are taken.",
            )
        )


def in_plan_order(design: ProjectDesign) -> list[AnalysisPlan]:
    """Return the plans of all analyses, the primary one first."""
    return sorted(design.plans, key=lambda plan: not plan.analysis.primary)


def _sample(design: ProjectDesign) -> Iterator[Part]:
    yield Heading(1, "Who is in the sample, and who is lost on the way?")
    yield from (
        Heading(max(part.level, 2), part.text) if isinstance(part, Heading) else part
        for part in plans_in_full(design).parts
    )


def _outcomes(design: ProjectDesign, shown: list[Part]) -> Iterator[Part]:
    yield Heading(1, "Which outcomes are measured?")
    yield outcomes_table(design.project)
    compared = measures_compared(design.primary)
    if compared not in shown:
        yield compared


def outcomes_table(project: Project) -> ReleasedTable:
    """Return every outcome with its role and its unit, in the order of the project file."""
    columns = (Column("outcome", "Outcome"), Column("role", "Role"), Column("unit", "Unit"), Column("code", "Measure"))
    rows = tuple(
        (measure_label(project, one.code), ROLES.get(one.role, one.role), measure_unit(project, one.code), one.code)
        for one in project.outcomes
    )
    table = Table(caption="Outcomes", columns=columns, rows=rows)
    return release(table, project.disclosure.threshold)


def _analysis(of: PlanContents) -> Iterator[Part]:
    plans = in_plan_order(of.design)
    yield Heading(1, "How will the effect be estimated, and how sure will it be?")
    for plan in plans:
        yield Heading(2, title_of(plan))
        written, *words = said_by_kind("equation", plan, _no_equation)
        yield Prose((written,))
        yield from (Prose((text,)) for text in words)
        judged = [one for one in of.power.analyses if one.analysis == plan.analysis.name]
        if judged and judged[0].why:
            yield Prose((f"Inference: {judged[0].leads}. {as_sentence(judged[0].why)}",))
    level = of.project.inference.level
    yield Prose(
        (
            f"Intervals are at {100 * level:.4g}%, tests two-sided. {randomness(of.provenance).sentences[0]}",
            disclosure(of.design).sentences[0],
        )
    )


def _no_equation(plan: AnalysisPlan) -> tuple[str, ...]:
    return (as_sentence(capital(plan.label)),)


def _missing(of: PlanContents) -> Iterator[Part]:
    yield Heading(1, "What if results are missing?")
    chosen = of.project.missing
    said = [
        "The answer is that of the results that are published; who lacks one is counted by arm and by reason.",
        f"Beside it stand {_BOUNDS[chosen.bounds]}." if _BOUNDS.get(chosen.bounds) else "",
        f"Results are imputed {chosen.imputation.draws} times, each gap with the result of one of the five schools "
        "whose results are predicted most alike."
        if chosen.imputation
        else "Nothing is imputed.",
        "Said is also by how much the treated schools' missing results would have to differ from those imputed for the "
        "interval to reach zero (tipping point)."
        if chosen.tipping and chosen.imputation
        else "",
        "What cohorts too small to publish may have had is filled in at worst and at best."
        if chosen.suppressed == "worst-best"
        else "",
    ]
    yield Prose(tuple(text for text in said if text), "list")
    if isinstance(of.laid_out, Unavailable):
        return
    for results in of.laid_out.analyses:
        if isinstance(results.missing, Unavailable):
            yield Prose((f"“{results.analysis.name}”: {as_sentence(results.missing.reason)}",))


def _subgroups(design: ProjectDesign) -> Iterator[Part]:
    yield Heading(1, "Which subgroups, and how many tests?")
    planned = [part for part in subgroups_planned(design).parts if not isinstance(part, Heading)]
    yield from planned or [Prose(("No subgroups and no families of outcomes are planned.",))]
    aimed = [one for one in design.project.outcomes if one.role in ("primary", "secondary")]
    if len(aimed) > 1:
        yield Prose(
            (
                "The primary outcome is tested at the level above. p-values of the outcomes that the programme was to "
                "move are printed as they are and, where they can be, adjusted for how many there are.",
            )
        )


def _checks(of: PlanContents) -> Iterator[Part]:
    yield Heading(1, "What will be checked, and by which thresholds?")
    if isinstance(of.laid_out, Unavailable):
        yield Prose((of.laid_out.reason,))
    else:
        yield checks_planned(of.laid_out)
    yield from (part for part in choices_planned(of.design).parts if not isinstance(part, Heading))


def _power(report: PowerReport) -> Iterator[Part]:
    yield Heading(1, "How small a difference could be detected?")
    yield power_words(report)
    yield power_of_analyses(report)
    if report.outcomes:
        yield power(report)
        yield power_units(report)
        yield power_simulated(report)
        yield power_two_level(report)


def _conclusions(project: Project) -> Iterator[Part]:
    yield Heading(1, "What would count as which conclusion?")
    yield conclusions(project, lower_first(measure_label(project, project.primary.code)))
    yield cannot_say()


def _shells(of: PlanContents, known: list[Part]) -> Iterator[Part]:
    yield Heading(1, "Annex A. The tables of results, as they will be filled")
    if isinstance(of.laid_out, Unavailable):
        yield Prose((of.laid_out.reason,))
        return
    yield Prose(
        (
            "These are the report's own tables, made by what makes those, with every result left blank. They are laid "
            "out on made-up results, drawn from the years before: where a real result is missing, a row can be.",
        )
    )
    yield from shells(of.tables, known).values()


def _made_of(of: PlanContents) -> Iterator[Part]:
    yield Heading(1, "Annex B. Dates, authors, choices, files and versions")
    yield Prose(tuple(map(as_sentence, (*byline(of.project), *_dates(of.project)))))
    yield parameters(of.provenance)
    yield _files(of)
    yield _versions(of)


def _files(of: PlanContents) -> ReleasedTable:
    """Return the files that are read, without their SHA-256: those of outcomes would make the plan depend on them."""
    rows = tuple((one.path,) for one in of.provenance.inputs) or (("None",),)
    notes = ("The lock holds the SHA-256 of each. Of files with outcomes the bytes are hashed and no cell is read.",)
    table = Table(
        caption="Files of the project and of the data", columns=(Column("file", "File"),), rows=rows, notes=notes
    )
    return release(table, of.provenance.threshold)


def _versions(of: PlanContents) -> ReleasedTable:
    """Return the versions as the report gives them, the code by its content."""
    found = versions(of.provenance)
    rows = (("Code of the kit, SHA-256", of.code), *found.table.rows[1:])
    return release(replace(found.table, caption="Code and versions", rows=rows), found.threshold)


def _dates(project: Project) -> tuple[str, ...]:
    facts = project.programme
    return (
        f"The programme: {day_text(facts.start)} to {day_text(facts.end)}",
        "When this plan was locked stands in plan.lock.json, which `evalkit lock` writes",
    )
