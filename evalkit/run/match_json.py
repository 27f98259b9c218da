"""The result of `evalkit match` as one JSON object; what cannot be given is `{"unavailable": reason}`."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.covariate_balance import CovariateBalance
from evalkit.diagnose.finding import Finding
from evalkit.estimate.matched_effect import MatchedEffect
from evalkit.run.did_json import given
from evalkit.run.match_answer import MatchAnswer

Json = dict[str, Any]


def match_json(answer: MatchAnswer) -> str:
    """Return everything that was found, as text."""
    return json.dumps(match_record(answer), indent=2, ensure_ascii=False, allow_nan=False)


def match_record(answer: MatchAnswer) -> Json:
    """Return everything that was found, as plain lists, texts and numbers."""
    design = answer.design
    ids = [str(unit) for unit in design.baseline.units.index]
    record: Json = {
        "n": _counts(answer),
        "estimand": str(design.estimand),
        "total_distance": given(design.total_distance),
        "pairs": _pairs(answer, ids),
        "weights": dict(zip(ids, design.weights.tolist(), strict=True)),
        "balance": [_balance(row) for row in answer.balance.covariates],
        "effect": _effect(answer.effect),
    }
    if answer.unadjusted is not None:
        record["unadjusted_effect"] = _effect(answer.unadjusted)
    record["score_balance"] = next(
        (_balance(row) for row in answer.balance.rows if row.is_score),
        {"unavailable": "No score was used."},
    )
    record["method"] = answer.request.method
    record["unmatched"] = list(answer.unmatched)
    record["findings"] = [_finding(finding) for finding in answer.findings]
    record["sensitivity"] = _sensitivity(answer)
    record["notes"] = [*design.notes, *answer.reading]
    return record | _settings(answer)


def _counts(answer: MatchAnswer) -> Json:
    design = answer.design
    n_treated = int(design.baseline.is_treated.sum())
    return {
        "treated": n_treated,
        "comparison": len(design.weights) - n_treated,
        "treated_matched": design.n_treated,
        "comparison_matched": design.n_comparison,
        "effective_comparison": design.effective_comparison,
        "effective_treated": design.effective_treated,
        "discarded": int(design.discarded.sum()),
    }


def _pairs(answer: MatchAnswer, ids: list[str]) -> list[list[Any]]:
    pairs = answer.design.pairs
    if pairs is None:
        return []
    columns = (pairs.treated.tolist(), pairs.comparison.tolist(), pairs.distance.tolist())
    return [[ids[a], ids[b], distance] for a, b, distance in zip(*columns, strict=True)]


def _balance(row: CovariateBalance) -> Json:
    return {
        "covariate": row.covariate,
        "smd_before": given(row.before.smd),
        "smd_after": given(row.after.smd),
        "variance_ratio_after": given(row.after.variance_ratio),
        "ecdf_mean_after": given(row.after.ecdf_mean),
        "denominator": given(row.denominator),
        "denominator_rule": row.denominator_rule,
        "mean_treated_after": row.after.mean_treated,
        "mean_comparison_before": row.before.mean_comparison,
        "mean_comparison_after": row.after.mean_comparison,
        "variance_ratio_before": given(row.before.variance_ratio),
        "ecdf_max_after": given(row.after.ecdf_max),
        "pair_distance_after": given(row.after.pair_distance),
        "wwc_g": given(row.after.wwc_g),
        "wwc": given(row.wwc) if isinstance(row.wwc, Unavailable) else str(row.wwc),
    }


def _effect(effect: MatchedEffect | Unavailable) -> Json:
    if isinstance(effect, Unavailable):
        return {"unavailable": effect.reason}
    estimate = effect.estimate
    return {
        "estimate": given(estimate.value),
        "std_error": given(estimate.std_error),
        "interval": given(effect.interval),
        "inference": effect.inference,
        "df": {"unavailable": "The normal distribution is used."} if estimate.df is None else given(estimate.df),
        "p_value": given(estimate.p_value),
        "method": effect.method,
        "adjusted_for": list(effect.adjusted_for),
        "notes": list(effect.notes),
    }


def _finding(finding: Finding) -> Json:
    return {
        "name": finding.name,
        "verdict": str(finding.verdict),
        "statistic": given(finding.statistic),
        "sentence": finding.sentence,
    }


_MEASURES = ("hidden_bias", "e_value", "robustness", "selection")


def _sensitivity(answer: MatchAnswer) -> Json:
    found = answer.sensitivity
    if isinstance(found, Unavailable):
        return {"unavailable": found.reason}
    record = {}
    for name, sentence in zip(_MEASURES, found.sentences, strict=True):
        measure = _nested(getattr(found, name))
        record[name] = measure if "unavailable" in measure else {"sentence": sentence, **measure}
    return record


def _nested(value: Any) -> Any:
    """Return a noun as JSON has it, part by part."""
    if isinstance(value, Unavailable | Interval):
        return given(value)
    if is_dataclass(value):
        return {part.name: _nested(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, tuple | list):
        return [_nested(part) for part in value]
    return given(value)


def _settings(answer: MatchAnswer) -> Json:
    request = answer.request
    return {
        "file": request.file.name,
        "covariates": list(request.on),
        "option": {key: _plain(value) for key, value in asdict(answer.design.option).items()},
        "level": request.level,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return list(value) if isinstance(value, tuple) else value
