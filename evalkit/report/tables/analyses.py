"""Tables over all analyses of a project: what each estimates, what each gives, how sure, and what could be wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from evalkit.core.formats import as_sentence, level_text, mean_of
from evalkit.core.project import Project
from evalkit.core.quantities import Unavailable
from evalkit.core.words import listed
from evalkit.data.published.list_rule import rule_words
from evalkit.design.analysis_plan import AnalysisPlan, ProjectDesign
from evalkit.diagnose.evaluation import Evaluation
from evalkit.diagnose.finding import Finding, FindingKind, Verdict, released_finding
from evalkit.estimate.effect import Effect
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.kinds.kind_module import ESTIMAND_ROWS, said_by_kind
from evalkit.report.words.answers import in_order, main_effects
from evalkit.report.words.names import (
    ROLES,
    capital,
    effect_unit,
    finding_label,
    measure_label,
    measure_unit,
    units_counted,
    units_of,
)
from evalkit.report.words.statements import day_text

_GRAVE: Final = (Verdict.SERIOUS, Verdict.CAUTION)
_NO_FINDING: Final = Unavailable("None.")


def of_project(project: Project, table: Table) -> ReleasedTable:
    """Return a table released at the project's threshold."""
    return release(table, project.disclosure.threshold)


# What each analysis estimates.


def estimands(design: ProjectDesign) -> ReleasedTable:
    """Return what is estimated: population, treatment, comparator, outcome, summary, leavers and converters.

    What all analyses share is said once; what differs is said of each by its name.
    """
    plans = sorted(design.plans, key=lambda plan: not plan.analysis.primary)
    said = {plan.analysis.name: _estimand(plan) for plan in plans}
    rows = tuple(row for key, words in ESTIMAND_ROWS.items() for row in _estimand_rows(key, words, said))
    columns = (Column("attribute", "Attribute"), Column("value", "In this evaluation"))
    caption = "What is described" if design.project.only_describes else "What is estimated"
    return of_project(design.project, Table(caption=caption, columns=columns, rows=rows))


def _estimand_rows(key: str, words: str, said: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[Cell, ...]]:
    by_value: dict[str, list[str]] = {}
    for name, values in said.items():
        by_value.setdefault(values[key], []).append(f"“{name}”")
    for value, names in by_value.items():
        yield words if len(by_value) == 1 else f"{words}, {listed(names, 9)}", value


def _estimand(plan: AnalysisPlan) -> dict[str, str]:
    """Return every row of an analysis: in the words of its kind, the others from the project file."""
    own: Mapping[str, str] = said_by_kind("estimand", plan, lambda _: {})
    return {**(_described(plan) if plan.analysis.describes else _common(plan.project, plan.label)), **own}


def _described(plan: AnalysisPlan) -> dict[str, str]:
    """Return the rows of an analysis that describes: nobody is compared, and no effect is estimated."""
    facts = plan.project.programme
    return {
        "population": f"What is published or was gathered of {facts.place}.",
        "treatment": f"{facts.name}, from {day_text(facts.start)} to {day_text(facts.end)}; nothing is put down to it.",
        "comparator": "None: what stands beside is shown, and no difference from it is an effect.",
        "outcome": as_sentence(capital(plan.label)),
        "summary": "What was measured, as it was.",
        "leavers": "Does not apply: units are not followed from before to after.",
    }


def _common(project: Project, label: str) -> dict[str, str]:
    facts, units = project.programme, units_of(project)
    others = [measure_label(project, one.code) for one in project.outcomes if one.code != project.primary.code]
    beside = f"; beside it: {listed(others, 9)}" if others else ""
    before, after = project.exposure.pre, project.exposure.post
    change = f", from {mean_of(before)} to {mean_of(after)}" if before and after else ""
    return {
        "population": _population(project, units),
        "treatment": f"{facts.name}, from {day_text(facts.start)} to {day_text(facts.end)}, as it was carried out.",
        "comparator": as_sentence(label),
        "outcome": f"{measure_label(project, project.primary.code)} ({measure_unit(project, project.primary.code)})"
        f"{beside}.",
        "summary": f"The average difference over the treated {units}{change}.",
        "leavers": f"{capital(units)} without a result in every year that is compared are left out, and counted; one "
        "that changed its legal identity is followed as the same.",
    }


def _population(project: Project, units: str) -> str:
    if not project.participants.is_listed:
        return f"Every eligible one of the {units} of {project.programme.place}, whether or not it took part."
    draw = project.participants.draw
    if draw is not None:
        return f"{draw.n} {units}, drawn at random for this example."
    rule = project.participants.rule
    if rule is not None and project.participants.areas:
        return f"The {units} that the rule lists in {project.programme.place}: {rule_words(rule)}."
    return f"The {units} listed as having taken part in {project.programme.place}."


# What each analysis gives.


def answers(evaluation: Evaluation) -> ReleasedTable:
    """Return the effect by which each analysis is quoted for each outcome, the primary analysis first."""
    level = level_text(evaluation.project.inference.level)
    units = capital(units_counted(evaluation.project, evaluation.design.plans))
    columns = (
        Column("outcome", "Outcome"),
        Column("analysis", "Analysis"),
        Column("n_treated", f"{units} treated", "school_count"),
        Column("n_comparison", f"{units} compared", "school_count"),
        Column("estimate", "Estimate", "estimate"),
        Column("interval", f"{level} interval", "interval"),
        Column("p_value", "p, two-sided", "p"),
    )
    rows = tuple(_answer_rows(evaluation))
    notes = (
        "Each analysis is quoted by one effect for each outcome; the first is the primary one.",
        *(
            f"“{results.analysis.name}”: {results.plan.label}; uncertainty by {results.recommended.replace('_', ' ')}."
            for results in in_order(evaluation)
            if not results.analysis.describes
        ),
        *(
            f"“{one.analysis.name}” describes and gives no effect."
            for one in evaluation.analyses
            if one.analysis.describes
        ),
    )
    table = Table(caption="The answer of each analysis", columns=columns, rows=rows, notes=notes, panel_by="outcome")
    return of_project(evaluation.project, table)


def _answer_rows(evaluation: Evaluation) -> Iterator[tuple[Cell, ...]]:
    for code in outcomes_shown(evaluation):
        for results in in_order(evaluation):
            for effect in main_effects(results):
                if effect.outcome == code:
                    yield outcome_words(evaluation.project, effect), results.analysis.name, *_cells(effect)


def outcomes_shown(evaluation: Evaluation) -> list[str]:
    """Return the codes of the outcomes with an effect: in the order of the project file, and then the others."""
    found = dict.fromkeys(effect.outcome for one in in_order(evaluation) for effect in main_effects(one))
    order = [outcome.code for outcome in evaluation.project.outcomes]
    return sorted(found, key=lambda code: order.index(code) if code in order else len(order))


def outcome_words(project: Project, effect: Effect) -> str:
    """Return what names an outcome in a table over all: its label, its role and its unit."""
    unit = effect_unit(project, effect)
    return f"{measure_label(project, effect.outcome)} ({unit}): {ROLES.get(effect.role, effect.role).lower()}"


def _cells(effect: Effect) -> tuple[Cell, ...]:
    return effect.n_treated, effect.n_comparison, effect.estimate, effect.interval, effect.p_value


def inferences(evaluation: Evaluation) -> ReleasedTable:
    """Return which inference each analysis is quoted by, and why it is that one."""
    columns = (Column("analysis", "Analysis"), Column("recommended", "Inference"), Column("reason", "Why this one"))
    rows = tuple(
        (results.analysis.name, capital(results.recommended.replace("_", " ")), as_sentence(results.reason))
        for results in in_order(evaluation)
        if not results.analysis.describes
    )
    table = Table(caption="How the uncertainty of each analysis is measured", columns=columns, rows=rows)
    return of_project(evaluation.project, table)


# What could be wrong.


def grave_findings(evaluation: Evaluation) -> ReleasedTable:
    """Return the checks of every analysis that are serious or a caution, the gravest first."""
    return _findings(evaluation, "What could be wrong", lambda finding: finding.verdict in _GRAVE)


def other_findings(evaluation: Evaluation) -> ReleasedTable:
    """Return every other check: what reassures, what says little, what could not be assessed, and statements."""
    return _findings(evaluation, "The other checks", lambda finding: finding.verdict not in _GRAVE)


_ORDER: Final = (*_GRAVE, Verdict.NOT_ASSESSABLE, Verdict.UNINFORMATIVE, Verdict.REASSURING, Verdict.NO_VERDICT)


def _findings(evaluation: Evaluation, caption: str, is_shown: Callable[[Finding], bool]) -> ReleasedTable:
    several = len(evaluation.analyses) > 1
    columns = (
        *((Column("analysis", "Analysis"),) if several else ()),
        Column("check", "Check"),
        Column("verdict", "Verdict"),
        Column("sentence", "What it says"),
    )
    threshold = evaluation.project.disclosure.threshold
    rows: list[tuple[Cell, ...]] = []
    for results in in_order(evaluation):
        shown = sorted(filter(is_shown, results.findings), key=lambda finding: _ORDER.index(finding.verdict))
        name = (results.analysis.name,) if several else ()
        rows += [(*name, *_finding_cells(released_finding(finding, threshold))) for finding in shown]
        rows += [] if shown else [(*name, "None", *(_NO_FINDING,) * 2)]
    notes = _NOTES if caption.startswith("What") else ()
    table = Table(
        caption=caption, columns=columns, rows=tuple(rows), notes=notes, panel_by="analysis" if several else ""
    )
    return of_project(evaluation.project, table)


_NOTES: Final = ("No verdict depends on how large the effect turned out. Every other check stands in the annexes.",)


def _finding_cells(finding: Finding) -> tuple[Cell, ...]:
    kind = "" if finding.kind is FindingKind.STATEMENT else f" ({finding.kind})"
    return f"{finding_label(finding.name)}{kind}", capital(str(finding.verdict)), str(finding.sentence)
