"""What other defensible choices would have given: the specification curve in words and tables, planned and made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from evalkit.core.formats import level_text, lower_first, number_or_reason, p_equals, p_text, visible
from evalkit.core.project import Project
from evalkit.core.quantities import Unavailable
from evalkit.core.words import counted, listed
from evalkit.design.analysis_plan import ProjectDesign
from evalkit.diagnose.curve.specification_curve import OptionShare, Specification, SpecificationCurve
from evalkit.diagnose.evaluation import Evaluation
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Heading, Parts, Prose
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.tables.analyses import of_project
from evalkit.report.words.names import choice_words, measure_label, measure_unit

MOST_SHOWN: Final = 48
"""Specifications that a page lists; a file holds all of them."""


def curve_words(project: Project, curve: SpecificationCurve) -> Prose:
    """Return what a specification curve says: how many combinations, judged together, where the locked one stands."""
    return Prose(tuple(_said(project, curve)), "list")


def _said(project: Project, curve: SpecificationCurve) -> Iterator[str]:
    number, outcome = len(curve.specifications), lower_first(_label(project, curve))
    yield (
        f"Chosen otherwise could have been: {listed([lower_first(choice_words(one)) for one in curve.choices], 20)}. "
        "Every combination that the project file does not call impossible is estimated, with equal weight: "
        f"{counted(number, 'estimate')} of the effect on {outcome}."
    )
    if isinstance(curve.median, Unavailable) or isinstance(curve.p_value, Unavailable):
        why = curve.median.reason if isinstance(curve.median, Unavailable) else ""
        yield f"They are not judged together. {why}"
        return
    yield _judged(curve, curve.median, curve.p_value)
    yield _locked(project, curve)
    if isinstance(curve.share_of_sign, float) and isinstance(curve.share_unlikely, float):
        yield (
            f"{level_text(curve.share_of_sign)} of the estimates have the sign of the locked one, and "
            f"{level_text(curve.share_unlikely)} have a p-value of their own of at most {curve.alpha:.2g}. These "
            "shares describe; the p-value of the median alone decides."
        )
    if curve.n_failed:
        has = "has" if curve.n_failed == 1 else "have"
        yield f"{counted(curve.n_failed, 'combination')} {has} no estimate, for the reasons in the list."
    if curve.n_alike:
        gives = "gives" if curve.n_alike == 1 else "give"
        yield f"{counted(curve.n_alike, 'combination')} {gives} in every area what an earlier one gives."


def _judged(curve: SpecificationCurve, median: float, p: float) -> str:
    among = f"{curve.n_sets:,} sets of schools" if curve.n_sets else f"{curve.n_areas:,} areas, the treated counted"
    told = "can be told from" if p <= curve.alpha else "cannot be told from"
    return (
        f"Judged together: the median combination lies {visible(abs(median))} standard deviations "
        f"{'above' if median >= 0 else 'below'} zero, and {p_equals(p)} is the share of medians as far from it when "
        f"the same combinations are estimated in {among}. The curve as a whole {told} what is "
        "found where nothing was done."
    )


def _locked(project: Project, curve: SpecificationCurve) -> str:
    one = curve.locked
    if isinstance(one.estimate, Unavailable) or isinstance(one.p_value, Unavailable):
        return f"The choices of the project file have no estimate: {number_or_reason(one.estimate)}"
    values = sorted(each.estimate for each in curve.estimated if isinstance(each.estimate, float))
    below = sum(value < one.estimate for value in values) / len(values)
    return (
        f"The choices of the project file give {visible(one.estimate)} {_unit(project, curve)} "
        f"({p_equals(one.p_value)}, among the areas or sets that have every combination); the estimates run from "
        f"{visible(values[0])} to {visible(values[-1])}, and {level_text(below)} of them are smaller."
    )


def _label(project: Project, curve: SpecificationCurve) -> str:
    return measure_label(replace(project, families=(), analyses=()), curve.outcome)


def _unit(project: Project, curve: SpecificationCurve) -> str:
    return measure_unit(project, curve.outcome)


def option_shares(project: Project, curve: SpecificationCurve) -> ReleasedTable:
    """Return what each option of each choice does to the standardised effect, and its choice's share of variance."""
    columns = (
        Column("choice", "Choice"),
        Column("option", "Option"),
        Column("n", "Combinations", "count"),
        Column("move", "Mean z less the mean of all", "number"),
        Column("share", "Share of variance, %", "number", decimals=1),
    )
    rows = tuple(_share_row(one) for one in curve.contributions)
    notes = (
        "z is the estimate over its standard deviation among areas or sets. The share of variance is the sum of "
        "squares between the options of a choice over that of all estimates; choices that are crossed unevenly "
        "share some.",
    )
    table = Table(caption="What each choice contributes", columns=columns, rows=rows, notes=notes, panel_by="choice")
    return of_project(project, table)


def _share_row(one: OptionShare) -> tuple[Cell, ...]:
    return choice_words(one.choice), one.option, one.n, one.move, 100 * one.share


def specification_ledger(project: Project, curve: SpecificationCurve, most: int = 0) -> ReleasedTable:
    """Return every combination with its estimate, z and p; of more than `most` those at the ends and the locked one."""
    shown = curve.specifications if not most else _shown(curve, most)
    several = len({one.analysis for one in curve.specifications}) > 1
    columns = (
        Column("number", "No.", "number", decimals=0),
        *((Column("analysis", "Analysis"),) if several else ()),
        *(Column(name.replace(".", "_"), choice_words(name)) for name in curve.choices),
        Column("estimate", f"Estimate ({_unit(project, curve)})", "estimate"),
        Column("z", "z", "number"),
        Column("p", "p", "p"),
        Column("remark", "Remark"),
    )
    rows = tuple(
        (
            float(one.number),
            *((one.analysis,) if several else ()),
            *(option or "–" for option in one.options),
            one.estimate,
            one.statistic,
            one.p_value,
            _remark(one),
        )
        for one in shown
    )
    left = len(curve.specifications) - len(shown)
    notes = (
        (f"{counted(left, 'combination')} more in `specification_ledger.csv`, between those shown.",) if left else ()
    )
    return of_project(
        project,
        Table(
            caption=f"Every combination of choices: {_label(project, curve)}", columns=columns, rows=rows, notes=notes
        ),
    )


def _remark(one: Specification) -> str:
    said = ["locked"] if one.is_locked else []
    return ", ".join([*said, *([f"as no. {one.same_as}"] if one.same_as != one.number else [])]) or "–"


def _shown(curve: SpecificationCurve, most: int) -> tuple[Specification, ...]:
    """Return the smallest and the largest estimates and the locked one, in the order of the ledger."""
    if len(curve.specifications) <= most:
        return curve.specifications
    ordered = sorted(curve.estimated, key=lambda one: (_value(one), one.number))
    ends = [*ordered[: most // 2], *ordered[len(ordered) - most // 2 :], curve.locked]
    numbers = {one.number for one in ends}
    return tuple(one for one in curve.specifications if one.number in numbers)


def _value(one: Specification) -> float:
    return one.estimate if isinstance(one.estimate, float) else 0.0


def curve_tables(evaluation: Evaluation) -> dict[str, ReleasedTable]:
    """Return the tables of the specification curve by the names of their files; none where there is none."""
    curve = evaluation.curve
    if curve is None:
        return {}
    found = {"specification_ledger": specification_ledger(evaluation.project, curve)}
    if curve.contributions:
        found["specification_options"] = option_shares(evaluation.project, curve)
    return found


# Before outcomes.


def choices_planned(design: ProjectDesign) -> Parts:
    """Return which choices will be made otherwise as well, and how all of them will be judged, before outcomes."""
    project = design.project
    if project.choices is None:
        return Parts(())
    said = [
        f"{choice_words(name)}: {listed([_option(one) for one in options], 20)}."
        for name, options in project.choices.vary.items()
    ]
    if project.choices.impossible:
        barred = [
            " with ".join(f"{lower_first(choice_words(name))} {_option(value)}" for name, value in one.items())
            for one in project.choices.impossible
        ]
        said.append(f"Left out as making no sense: {'; '.join(barred)}.")
    said.append(
        "Every other combination is estimated with equal weight, and the median of the standardised estimates is "
        "placed among those of areas or sets without a programme: that one p-value decides "
        f"(at {p_text(1 - project.inference.level)})."
    )
    return Parts((Heading(2, "Which choices will be made otherwise as well?"), Prose(tuple(said), "list")))


def _option(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return listed([str(one) for one in value], 20) if value else "none"
    return str(value).replace("_", " ")
