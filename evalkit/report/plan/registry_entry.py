"""A draft entry for the Evaluation Registry, filled from the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.core.formats import as_sentence
from evalkit.core.words import listed
from evalkit.report.kinds.kind_module import said_by_kind
from evalkit.report.words.answers import title_of
from evalkit.report.words.front import banner, byline, face_whom, programme, question
from evalkit.report.words.names import ROLES, measure_label, measure_unit
from evalkit.report.words.statements import day_text

if TYPE_CHECKING:
    from evalkit.report.plan.document import PlanContents

TO_FILL = "«to be filled in»"


def registry_entry(of: PlanContents) -> str:
    """Return the draft as Markdown: what the plan knows is filled in, the rest is marked `«to be filled in»`."""
    project, facts = of.project, of.project.programme
    plans = sorted(of.design.plans, key=lambda plan: not plan.analysis.primary)
    outcomes = [
        f"- {measure_label(project, one.code)} ({measure_unit(project, one.code)}): "
        f"{ROLES.get(one.role, one.role).lower()}"
        for one in project.outcomes
    ]
    parts = {
        "Title": project.title,
        "Status": "Planned",
        "Type": "Description, without an estimate of an effect" if project.only_describes else "Impact evaluation",
        "Commissioned by": project.commissioner or TO_FILL,
        "Who evaluates": "; ".join(line.removeprefix("By ") for line in byline(project) if line.startswith("By "))
        or TO_FILL,
        "Programme": programme(of.design).text,
        "Dates of the programme": f"{day_text(facts.start)} to {day_text(facts.end)}",
        "Question": question(of.design).text,
        "Whom it is about": face_whom(of.design),
        "Design": "\n\n".join(as_sentence(title_of(plan)) for plan in plans),
        "Estimate": "\n\n".join(said_by_kind("equation", plans[0], lambda plan: (as_sentence(plan.label),))),
        "Outcomes": "\n".join(outcomes) or "None: nothing is estimated, and what is described stands in the plan.",
        "Data": "Published files of the Department for Education."
        if project.reads_published
        else f"Tables of the project's own: {listed([*project.data.tables], 9)}.",
        "First data collection": TO_FILL,
        "Expected publication": TO_FILL,
        "Protocol": "The statistical analysis plan (plan.pdf), with the seal in plan.lock.json once it is locked.",
        "Contact": "; ".join(author.contact for author in project.authors if author.contact) or TO_FILL,
    }
    made_up = banner(of.design)
    head = (
        "# Draft entry for the Evaluation Registry\n\n"
        "Read it before it is sent: the registry's form decides what is asked."
    )
    return (
        "\n\n".join([head, *filter(None, [made_up]), *(f"## {name}\n\n{text}" for name, text in parts.items())]) + "\n"
    )
