"""Every released file of a project but its notebooks and manifest; results.json as plain data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from evalkit.core.plain import plain, plain_or_reason
from evalkit.core.plan_lock import PlanKept
from evalkit.core.project import Project
from evalkit.core.quantities import Unavailable
from evalkit.diagnose.curve.specification_curve import SpecificationCurve
from evalkit.diagnose.evaluation import AnalysisResults, Evaluation, LastingResults, SubgroupResults
from evalkit.diagnose.finding import released_finding
from evalkit.diagnose.missing.results import MissingResults
from evalkit.estimate.effect import PLACED, Effect, EffectSize, PermutationDetail
from evalkit.report.border.disclosure import ReleasedTable, release_record
from evalkit.report.border.parts import Figure
from evalkit.report.documents.contents import PARTS, Contents, contents_json, drawn
from evalkit.report.documents.document import ExecutedNotebook, read_document
from evalkit.report.documents.leaving import contents_together
from evalkit.report.figures.analyses import analyses_plot
from evalkit.report.kinds.kind_module import kind_module
from evalkit.report.tables import analyses
from evalkit.report.tables.curve import curve_tables
from evalkit.report.tables.missing import missing_tables
from evalkit.report.tables.subgroups import evaluation_tables
from evalkit.report.templates import packaged
from evalkit.report.words.judged import judgement_tables
from evalkit.report.words.names import NO_MONTHS, school_sd_name
from evalkit.report.words.plan_kept import NOT_LOCKED, lock_sentence

# results.json: every result as plain data, with a reason wherever a number cannot be given.

SCHEMA_VERSION: Final = 2
_PLAIN = (
    "outcome",
    "role",
    "design",
    "estimand",
    "period",
    "estimate",
    "std_error",
    "interval",
    "p_value",
    "p_value_one_sided",
    "inference",
    "cluster_level",
    "n_treated",
    "n_comparison",
    "n_treated_clusters",
    "method",
)
_NO_RANK = Unavailable("No area permutation was made.")
_OF_CONTRAST = Unavailable("No standard deviation of the difference between two outcomes is known to divide by.")
_BESIDE = Unavailable("Effect sizes are given for the main comparisons only, not for variants of them.")
_RANK = ("permutation_rank", "n_areas", "smallest_p", "studentised_p")
_NO_END = Unavailable("No interval, so no months of progress at its end.")


def results_record(evaluation: Evaluation) -> dict[str, Any]:
    """Return all results as plain data: the content of results.json.

    Every analysis has its entry; what else the primary one gives stands at the top.
    """
    record = {
        "schema_version": SCHEMA_VERSION,
        "project": evaluation.project.slug,
        "data_kind": evaluation.data_kind,
        "plan_lock": _plan_record(evaluation.kept),
        "analyses": [_analysis_record(results) for results in evaluation.analyses],
        **kind_record(evaluation.primary),
        **({"families": plain(evaluation.families)} if evaluation.families else {}),
        **({} if evaluation.curve is None else {"specification_curve": _curve_record(evaluation.curve)}),
    }
    return release_record(record, evaluation.project.disclosure.threshold)


def _plan_record(kept: PlanKept) -> Any:
    """Return the lock of the plan and each field that differs from it; without a lock that it was not locked."""
    if kept.lock is None:
        return plain(Unavailable(NOT_LOCKED))
    return plain_or_reason({"sentence": lock_sentence(kept), **plain_or_reason(kept)})


def _curve_record(curve: SpecificationCurve) -> dict[str, Any]:
    """Return a specification curve without its ledger, which is a file of its own."""
    record: dict[str, Any] = plain(replace(curve, specifications=(curve.locked,)))
    locked = record.pop("specifications")[0]
    numbers = {"specifications": len(curve.specifications), "failed": curve.n_failed, "alike": curve.n_alike}
    return {**record, **numbers, "locked": locked}


def _analysis_record(results: AnalysisResults) -> dict[str, Any]:
    return {
        "name": results.analysis.name,
        "kind": results.analysis.kind,
        "primary": results.analysis.primary,
        **({"describes": True} if results.analysis.describes else {}),
        "estimand": results.estimand,
        "inference": {"recommended": results.recommended, "reason": results.reason},
        "effects": [_marked(effect, results) for effect in results.effects],
        "findings": _findings(results),
        "missing": _missing_record(results.missing),
        "judgements": plain(results.judgements),
        **results.extra,
        **_subgroups_of(results),
        **({} if results.lasting is None else {"lasting": _lasting_record(results.lasting, results.project)}),
    }


def _subgroups_of(results: AnalysisResults) -> dict[str, Any]:
    found = [_subgroup_record(one, results.project) for one in results.subgroups]
    return {"subgroups": found} if found else {}


def _subgroup_record(found: SubgroupResults, project: Project) -> dict[str, Any]:
    """Return the effects in the subgroups of one `by`, on their own and on the common sample, and how they differ."""

    return {
        "by": found.by,
        "effects": [
            {
                "outcome": one.outcome,
                "subgroup": one.words,
                "effect": _effect_or_reason(one.effect, project),
                **({} if one.common is None else {"common_sample": _effect_or_reason(one.common, project)}),
            }
            for one in found.effects
        ],
        "differences": [
            {
                "outcome": one.outcome,
                "subgroup": one.first,
                "minus": one.second,
                **plain(one.difference),
                **({} if one.p_adjusted is None else {"p_adjusted": plain(one.p_adjusted)}),
            }
            for one in found.interactions
        ],
        "left_out": list(found.left_out),
    }


def _effect_or_reason(effect: Effect | Unavailable, project: Project) -> Any:
    return plain(effect) if isinstance(effect, Unavailable) else effect_record(effect, project)


def _lasting_record(found: LastingResults | Unavailable, project: Project) -> Any:
    """Return the effects while the programme ran and after its end, and how they differ; or why there are none."""
    if isinstance(found, Unavailable):
        return plain(found)
    return {
        "during": list(found.during),
        "after": list(found.after),
        "effects": [
            {"outcome": one.outcome, "years": one.words, "effect": _effect_or_reason(one.effect, project)}
            for one in found.effects
        ],
        "differences": [
            {"outcome": one.outcome, "years": one.first, "minus": one.second, **plain(one.difference)}
            for one in found.differences
        ],
    }


def _missing_record(found: MissingResults | Unavailable) -> Any:
    """Return what missing results could do, outcome by outcome, with what the project declares of it."""
    if isinstance(found, Unavailable):
        return plain(found)
    return {"declared": plain_or_reason(found.choices), "outcomes": plain(found.outcomes)}


def _marked(effect: Effect, results: AnalysisResults) -> dict[str, Any]:
    main = {"main": True} if effect.is_main else {}
    return {"analysis": results.analysis.name, **main, **effect_record(effect, results.project)}


def kind_record(results: AnalysisResults) -> dict[str, Any]:
    """Return what stands at the top of results.json of the primary analysis: what its kind shows, or its effects."""
    module = kind_module(results.plan)
    if module is not None and hasattr(module, "record"):
        found: dict[str, Any] = module.record(results)
        return found
    effects = [effect_record(effect, results.project) for effect in results.effects]
    return {"effects": effects, "findings": _findings(results)}


def _findings(results: AnalysisResults) -> Any:
    """Return findings as plain data, counts of few people in their sentences withheld as on every page."""
    threshold = results.project.disclosure.threshold
    return plain(tuple(released_finding(finding, threshold) for finding in results.findings))


def results_schema() -> dict[str, Any]:
    """Return the JSON Schema of results.json."""
    text = packaged("results.schema.json")
    schema: dict[str, Any] = json.loads(text)
    return schema


def effect_record(effect: Effect, project: Project) -> dict[str, Any]:
    """Return one effect as plain data; permuted effects after the programme carry effect sizes and their rank."""
    record = {key: plain(getattr(effect, key)) for key in _PLAIN}
    record |= {"unit": effect.unit} if effect.unit else {}
    lacks = isinstance(effect.estimate, Unavailable)
    is_main = effect.period == "post" and (effect.inference in PLACED or lacks)
    if effect.effect_size is not None or is_main:
        record |= _size_record(effect.effect_size or _no_size(effect))
        record["school_sd_name"] = school_sd_name(project)
    if effect.family:
        record["family"] = effect.family
    if effect.p_adjusted is not None:
        record["p_adjusted"] = plain(effect.p_adjusted)
    if effect.is_exploratory:
        record["exploratory"] = True
    if effect.permutation is not None:
        record |= _permutation_record(effect.permutation)
    elif effect.sets is not None:
        record |= {"sets": plain(effect.sets), "n_areas": effect.sets.n_areas}
    elif is_main:
        record |= dict.fromkeys(_RANK, plain(effect.p_value if isinstance(effect.p_value, Unavailable) else _NO_RANK))
    return record


def _no_size(effect: Effect) -> EffectSize:
    """Return an effect size of which nothing can be given, with the reason."""
    why = _OF_CONTRAST if effect.role == "contrast" else _BESIDE
    none = effect.estimate if isinstance(effect.estimate, Unavailable) else why
    return EffectSize(
        hedges_g=none,
        hedges_g_interval=none,
        sd_used=none,
        sd_name="none",
        hedges_g_conditional=none,
        hedges_g_conditional_interval=none,
        sd_conditional=none,
        sd_conditional_name="none",
        hedges_g_school=none,
        school_sd=none,
        months=None,
    )


def _size_record(size: EffectSize) -> dict[str, Any]:
    return {
        "hedges_g": plain(size.hedges_g),
        "hedges_g_interval": plain(size.hedges_g_interval),
        "hedges_g_school": plain(size.hedges_g_school),
        "sd_used": plain(size.sd_used),
        "sd_name": size.sd_name,
        "hedges_g_conditional": plain(size.hedges_g_conditional),
        "hedges_g_conditional_interval": plain(size.hedges_g_conditional_interval),
        "sd_conditional": plain(size.sd_conditional),
        "sd_conditional_name": size.sd_conditional_name,
        "school_sd": plain(size.school_sd),
        "months_progress": _months_record(size),
    }


def _months_record(size: EffectSize) -> Any:
    months = size.months
    if months is None:
        return plain(size.hedges_g if isinstance(size.hedges_g, Unavailable) else NO_MONTHS)
    return {
        "estimate": months.estimate,
        "lower": plain(_NO_END if months.lower is None else months.lower),
        "upper": plain(_NO_END if months.upper is None else months.upper),
        "table": months.table,
        "note": "illustrative",
    }


def _permutation_record(detail: PermutationDetail) -> dict[str, Any]:
    return {
        "permutation_rank": detail.rank,
        "n_areas": detail.n_areas,
        "smallest_p": plain(detail.smallest_p),
        "studentised_p": plain(detail.studentised_p),
    }


# Every released file of a project but its notebooks and manifest.


def released_files(
    evaluation: Evaluation, notebooks: Sequence[ExecutedNotebook], reference: bytes | None = None
) -> dict[str, bytes]:
    """Return path and content of the documents, results.json, the tables as CSV and the figures as PNG and SVG.

    `notebooks` are the executed notebooks in the order of the report; `reference` is the
    .docx in whose look the Word document is made. What tables tell together is withheld in all of them; `parts.json`
    holds what all is drawn from.
    """
    made = contents_of(evaluation, notebooks)
    together = contents_together(made, made.threshold).contents
    return {**drawn(together, reference), PARTS: contents_json(together)}


def contents_of(evaluation: Evaluation, notebooks: Sequence[ExecutedNotebook]) -> Contents:
    """Return what the documents and files of an evaluation are drawn from."""
    document = read_document(evaluation, notebooks)
    shown = {part.name: part for part in document.parts if isinstance(part, Figure)}
    figures: dict[str, Figure | None] = {}
    if not evaluation.project.only_describes:
        figures["analyses"] = shown["analyses"] if "analyses" in shown else analyses_plot(evaluation)
    for results in evaluation.analyses:
        figures |= _figures_of(results, shown)
    return Contents(
        document=document,
        tables=tables_of(evaluation),
        figures={name: figure for name, figure in figures.items() if figure is not None},
        results=results_record(evaluation),
        threshold=evaluation.project.disclosure.threshold,
    )


def tables_of(evaluation: Evaluation) -> dict[str, ReleasedTable]:
    """Return every table of an evaluation by the name of its file: those over all analyses, then those of each."""
    of_effects = () if evaluation.project.only_describes else _OF_EFFECTS
    tables = {name: table(evaluation) for name, table in _TABLES.items() if name in ("estimands", *of_effects)}
    tables |= {**evaluation_tables(evaluation), **curve_tables(evaluation)}
    for results in evaluation.analyses:
        tables |= _tables_of(results)
    return tables


_TABLES: Final[Mapping[str, Callable[[Evaluation], ReleasedTable]]] = {
    "estimands": lambda evaluation: analyses.estimands(evaluation.design),
    "answers": analyses.answers,
    "inferences": analyses.inferences,
}
"""The tables over all analyses of a project, by the names of their files."""
_OF_EFFECTS: Final = ("answers", "inferences")
"""Those of them that a project without an effect has not."""


def _of_analysis(results: AnalysisResults) -> str:
    """Return what stands before the names of an analysis's files; those of the primary one bear their names alone."""
    return "" if results.analysis.primary else f"{results.analysis.name}/"


def _tables_of(results: AnalysisResults) -> dict[str, ReleasedTable]:
    module = kind_module(results.plan)
    made = module.tables(results) if module and hasattr(module, "tables") else {}
    every = {**made, **missing_tables(results), **judgement_tables(results)}
    return {f"{_of_analysis(results)}{name}": table for name, table in every.items()}


def _figures_of(results: AnalysisResults, shown: Mapping[str, Figure]) -> dict[str, Figure | None]:
    """Return the figures of an analysis, None where there is nothing to draw: a map without boundaries.

    A figure that the document shows is not drawn a second time.
    """
    module = kind_module(results.plan)
    drawings = module.figures(results) if module and hasattr(module, "figures") else {}
    named = {f"{_of_analysis(results)}{name}": drawing for name, drawing in drawings.items()}
    return {name: shown[name] if name in shown else drawing() for name, drawing in named.items()}
