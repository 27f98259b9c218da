"""Every released file of a project but its notebooks and manifest; results.json as plain data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from evalkit.core.disclosure import few
from evalkit.core.plain import json_text, plain
from evalkit.core.project import Project
from evalkit.core.quantities import Unavailable
from evalkit.diagnose.project.evaluation import AreaDistribution, ClaimCheck, Evaluation, Headline
from evalkit.estimate.effect import Effect, EffectSize, PermutationDetail
from evalkit.report.border.disclosure import ReleasedTable, release_record
from evalkit.report.border.parts import Figure
from evalkit.report.documents.document import read_document
from evalkit.report.documents.html import report_html
from evalkit.report.documents.pdf import pdf_report, summary_pdf
from evalkit.report.documents.word import word_report
from evalkit.report.figures.area_map import area_map
from evalkit.report.figures.choices import choices_plot, specification_curve
from evalkit.report.figures.design import love_plot, participant_flow
from evalkit.report.figures.main_effect import interval_plot, permutation_plot
from evalkit.report.figures.years import event_study_plot, trajectories_plot
from evalkit.report.tables import design as of_design
from evalkit.report.tables import effects as of_effects
from evalkit.report.tables import outcomes as of_outcomes
from evalkit.report.tables import review as of_review
from evalkit.report.tables.checklist import checklist
from evalkit.report.tables.effects import inference, key_numbers
from evalkit.report.templates import packaged
from evalkit.report.words.names import NO_MONTHS, school_sd_name

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
_NO_COST = Unavailable("The project file states no cost.")
_NO_MEASURE = Unavailable("No outcome of this project bears on it.")
_NO_RANK = Unavailable("No area permutation was made.")
_OF_CONTRAST = Unavailable("No standard deviation of the difference between two outcomes is known to divide by.")
_BESIDE = Unavailable("Effect sizes are given for the main comparisons only, not for variants of them.")
_RANK = ("permutation_rank", "n_areas", "smallest_p", "studentised_p")
_NO_END = Unavailable("No interval, so no months of progress at its end.")


def results_record(evaluation: Evaluation) -> dict[str, Any]:
    """Return all results as plain data: the content of results.json."""
    design = evaluation.design
    record = {
        "schema_version": SCHEMA_VERSION,
        "project": evaluation.project.slug,
        "data_kind": design.data_kind,
        "headline": _headline_record(evaluation.headline),
        "effects": [effect_record(effect, evaluation.project) for effect in evaluation.effects],
        "balance": plain(design.balance),
        "flow": plain(evaluation.flow.rows),
        "findings": plain(evaluation.findings),
        "outcomes": plain(evaluation.outcomes),
        "trajectories": plain(evaluation.trajectories),
        "areas": plain(design.areas),
        "distributions": [_distribution_record(one, evaluation.project) for one in evaluation.distributions],
        "bands": plain(evaluation.bands),
        "matches": plain(design.matches),
        "identity": plain(design.identity),
        "participants": plain(design.participants),
        "conversions": plain(evaluation.conversions),
        "detectable": plain(evaluation.detectable),
        "attrition": plain(evaluation.attrition),
        "intraclass": plain(evaluation.intraclass),
        "rating": plain(evaluation.rating),
        "judgements": plain(evaluation.judgements),
        "claims": [_claim_record(check) for check in evaluation.claims],
        "cost": plain(evaluation.cost or _NO_COST),
        "limits": plain(evaluation.limits),
    }
    return release_record(record, evaluation.project.disclosure.threshold)


def results_json(evaluation: Evaluation) -> bytes:
    """Return results.json as it is written."""
    return (json_text(results_record(evaluation), indent=1) + "\n").encode("utf-8")


def results_schema() -> dict[str, Any]:
    """Return the JSON Schema of results.json."""
    text = packaged("results.schema.json")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _headline_record(headline: Headline) -> dict[str, Any]:
    counts = {key: getattr(headline, key) for key in ("n_areas", "n_as_large")}
    record: dict[str, Any] = plain(headline)
    return record | {key: plain(n) if isinstance(n, Unavailable) else int(n) for key, n in counts.items()}


def _distribution_record(distribution: AreaDistribution, project: Project) -> dict[str, Any]:
    """Return the changes of all areas, and where they stood before; numbers of few schools stay in."""
    record: dict[str, Any] = {
        key: plain(getattr(distribution, key))
        for key in ("outcome", "design", "areas", "names", "effects", "treated_area")
    }
    if distribution.before is None:
        return record
    threshold = project.disclosure.threshold
    schools = [plain(n if n >= threshold else _few_schools(threshold)) for n in distribution.before.n_schools]
    return {**record, **plain(distribution.before), "n_schools": schools}


def _few_schools(threshold: int) -> Unavailable:
    return Unavailable(few(threshold, "schools"))


def _claim_record(check: ClaimCheck) -> dict[str, Any]:
    claim = check.claim
    held = {field.name: getattr(claim, field.name) for field in fields(claim)}
    if claim.measure is None:
        held["measure"] = Unavailable(claim.reason) if claim.reason else _NO_MEASURE
    return {"claim": plain(held), "verdict": check.verdict, "sentence": check.sentence}


def effect_record(effect: Effect, project: Project) -> dict[str, Any]:
    """Return one effect as plain data; permuted effects after the programme carry effect sizes and their rank."""
    record = {key: plain(getattr(effect, key)) for key in _PLAIN}
    lacks = isinstance(effect.estimate, Unavailable)
    is_main = effect.period == "post" and (effect.inference == "permutation" or lacks)
    if effect.effect_size is not None or is_main:
        record |= _size_record(effect.effect_size or _no_size(effect))
        record["school_sd_name"] = school_sd_name(project)
    if effect.permutation is not None:
        record |= _permutation_record(effect.permutation)
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

TABLES: Final[dict[str, Callable[[Evaluation], ReleasedTable]]] = {
    "areas": lambda evaluation: of_design.areas(evaluation.design),
    "flow": of_design.flow,
    "flow_before": lambda evaluation: of_design.flow_before(evaluation.design),
    "identity": lambda evaluation: of_design.identity(evaluation.design),
    "participants": lambda evaluation: of_design.participants(evaluation.design),
    "matches": lambda evaluation: of_design.matches(evaluation.design),
    "balance": lambda evaluation: of_design.balance(evaluation.design),
    "measures": lambda evaluation: of_design.measures(evaluation.design),
    "choices": of_design.choices,
    "contamination": of_design.contamination,
    "key_numbers": key_numbers,
    "outcomes": of_outcomes.outcomes,
    "outcome_results": of_outcomes.outcome_results,
    "intraclass": of_outcomes.intraclass,
    "attrition": of_outcomes.attrition,
    "effects": of_effects.effects,
    "other_effects": of_effects.other_effects,
    "event_study": of_effects.event_study,
    "inference": inference,
    "effect_sizes": of_effects.effect_sizes,
    "findings": of_review.findings,
    "judgements": of_review.judgements,
    "claims": of_review.claims,
    "conversions": of_review.conversions,
    "detectable": of_review.detectable,
    "cost": of_review.cost,
    "checklist": checklist,
}
FIGURES: Final[dict[str, Callable[[Evaluation], Figure | None]]] = {
    "interval": interval_plot,
    "trajectories": trajectories_plot,
    "event_study": event_study_plot,
    "permutation": permutation_plot,
    "choices": choices_plot,
    "balance": lambda evaluation: love_plot(evaluation.design),
    "flow": participant_flow,
    "specifications": specification_curve,
    "map": lambda evaluation: area_map(evaluation.design),
}


def released_files(
    evaluation: Evaluation, notebooks: Sequence[Mapping[str, Any]], reference: bytes | None = None
) -> dict[str, bytes]:
    """Return path and content of the documents, results.json, the tables as CSV and the figures as PNG and SVG.

    `notebooks` are the executed notebooks in the order of the report, as nbformat reads them; `reference` is the
    .docx in whose look the Word document is made.
    """
    document = read_document(evaluation, notebooks)
    released = {
        "report.html": report_html(document).encode("utf-8"),
        "report.docx": word_report(document, reference),
        "report.pdf": pdf_report(document),
        "summary.pdf": summary_pdf(document),
        "results.json": results_json(evaluation),
    }
    for name, table in TABLES.items():
        released[f"tables/{name}.csv"] = table(evaluation).to_csv().encode("utf-8")
    shown = {part.name: part for part in document.parts if isinstance(part, Figure)}
    for name, drawing in FIGURES.items():
        released |= _figure_files(name, shown[name] if name in shown else drawing(evaluation))
    return released


def _figure_files(name: str, figure: Figure | None) -> dict[str, bytes]:
    """Return the files of a figure, none where there is nothing to draw: a map without boundaries."""
    if figure is None:
        return {}
    return {
        f"figures/{name}.png": figure.png,
        f"figures/{name}.svg": figure.svg,
        f"figures/{name}.csv": figure.data.to_csv().encode("utf-8"),
    }
