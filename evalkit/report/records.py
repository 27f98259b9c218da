"""results.json: every result as plain data, with a reason wherever a number cannot be given."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from importlib.resources import files
from typing import Any, Final

from evalkit.core.errors import EvalkitError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.evaluation import Evaluation
from evalkit.estimate.effect import Effect, EffectSize, PermutationDetail
from evalkit.report.disclosure import release_record

SCHEMA_VERSION: Final = 1
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
_NO_MONTHS = Unavailable(
    "Months of progress need an effect size in pupil-level standard deviations, which cannot be given."
)
_NO_END = Unavailable("No interval, so no months of progress at its end.")


def results_record(evaluation: Evaluation) -> dict[str, Any]:
    """Return all results as plain data: the content of results.json."""
    design = evaluation.design
    record = {
        "schema_version": SCHEMA_VERSION,
        "project": evaluation.project.slug,
        "data_kind": design.data_kind,
        "headline": plain(evaluation.headline),
        "effects": [effect_record(effect) for effect in evaluation.effects],
        "balance": plain(design.balance),
        "flow": plain(evaluation.flow.rows),
        "findings": plain(evaluation.findings),
        "outcomes": plain(evaluation.outcomes),
        "trajectories": plain(evaluation.trajectories),
        "areas": plain(design.areas),
        "distributions": plain(evaluation.distributions),
        "matches": plain(design.matches),
        "identity": plain(design.identity),
        "participants": plain(design.participants),
        "conversions": plain(evaluation.conversions),
        "detectable": plain(evaluation.detectable),
        "judgements": plain(evaluation.judgements),
        "claims": plain(evaluation.claims),
        "cost": plain(evaluation.cost),
        "limits": plain(evaluation.limits),
    }
    return release_record(record, evaluation.project.disclosure.threshold)


def results_json(evaluation: Evaluation) -> bytes:
    """Return results.json as it is written."""
    text = json.dumps(results_record(evaluation), indent=1, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def results_schema() -> dict[str, Any]:
    """Return the JSON Schema of results.json."""
    text = files("evalkit.report").joinpath("results.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def effect_record(effect: Effect) -> dict[str, Any]:
    """Return one effect as plain data; the main ones carry effect sizes and their rank among areas."""
    record = {key: plain(getattr(effect, key)) for key in _PLAIN}
    if effect.effect_size is not None:
        record |= _size_record(effect.effect_size)
    if effect.permutation is not None:
        record |= _permutation_record(effect.permutation)
    return record


def _size_record(size: EffectSize) -> dict[str, Any]:
    return {
        "hedges_g": plain(size.hedges_g),
        "hedges_g_interval": plain(size.hedges_g_interval),
        "hedges_g_school": plain(size.hedges_g_school),
        "sd_used": plain(size.sd_used),
        "sd_name": size.sd_name,
        "school_sd": plain(size.school_sd),
        "months_progress": _months_record(size),
    }


def _months_record(size: EffectSize) -> Any:
    months = size.months
    if months is None:
        return plain(size.hedges_g if isinstance(size.hedges_g, Unavailable) else _NO_MONTHS)
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


def plain(value: object) -> Any:
    """Return any noun as plain data; raise where a number is not finite."""
    if isinstance(value, Unavailable):
        return {"unavailable": value.reason}
    if isinstance(value, Interval):
        return {"lower": plain(value.lower), "upper": plain(value.upper), "level": plain(value.level)}
    if isinstance(value, Enum):
        return plain(value.value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: object) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        if not math.isfinite(value):
            raise EvalkitError("A result is not a finite number and gives no reason; please report this.")
        return float(value)
    if hasattr(value, "__index__"):
        return int(value)
    raise EvalkitError(
        f"A result of type {type(value).__name__} cannot be written to results.json; please report this."
    )
