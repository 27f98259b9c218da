"""The result of `evalkit match` as one JSON object; what cannot be given is `{"unavailable": reason}`."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from evalkit.core.disclosure import CONTAINS_PEOPLE
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.sentence import count
from evalkit.core.words import escaped
from evalkit.diagnose.finding import Finding
from evalkit.diagnose.matched.balance import CovariateBalance
from evalkit.estimate.matched.matched_effect import MatchedEffect
from evalkit.report.border.disclosure import told
from evalkit.run.tables.did_json import plain_value
from evalkit.run.tables.match_answer import MatchAnswer
from evalkit.run.tables.match_border import FEW, ToldMatch, told_match

Json = dict[str, Any]


def match_json(answer: MatchAnswer) -> str:
    """Return everything that was found, as text."""
    return escaped(json.dumps(match_record(answer), indent=2, ensure_ascii=False, allow_nan=False))


def match_record(found: MatchAnswer) -> Json:
    """Return everything that may be told, as plain lists, texts and numbers; it lists the units, and says so."""
    match = told_match(found)
    answer = match.answer
    design = answer.design
    ids = [str(unit) for unit in design.baseline.units.index]
    record: Json = {
        "n": _counts(match),
        "estimand": str(design.estimand),
        "total_distance": plain_value(match.withheld or design.total_distance),
        "pairs": _pairs(answer, ids),
        "weights": dict(zip(ids, design.weights.tolist(), strict=True)),
        "balance": [_balance(row) for row in answer.balance.covariates]
        if match.withheld is None
        else plain_value(match.withheld),
        "effect": _effect(answer.effect, match.is_difference_few),
    }
    if answer.unadjusted is not None:
        record["unadjusted_effect"] = _effect(answer.unadjusted, match.is_difference_few)
    record["score_balance"] = next(
        (_balance(row) for row in answer.balance.rows if row.is_score),
        plain_value(match.withheld or Unavailable("No score was used.")),
    )
    record["method"] = answer.request.method
    record["unmatched"] = list(answer.unmatched)
    record["findings"] = [_finding(finding) for finding in answer.findings]
    record["sensitivity"] = _sensitivity(match)
    record["notes"] = [*design.notes, *answer.reading]
    if match.hidden_covariates:
        record["withheld_covariates"] = list(match.hidden_covariates)
    says_so = {"contains_people": CONTAINS_PEOPLE} if match.fewest else {}
    return record | _settings(answer) | says_so


def _counts(match: ToldMatch) -> Json:
    design = match.answer.design
    discarded = count(int(design.discarded.sum()), among=len(design.weights))
    worth = {"comparison": design.effective_comparison, "treated": design.effective_treated}
    arms = {"treated": match.treated, "comparison": match.comparison}
    return {
        **{arm: plain_value(match.told(counts.n)) for arm, counts in arms.items()},
        **{f"{arm}_matched": plain_value(match.told(counts.used)) for arm, counts in arms.items()},
        **{
            f"effective_{arm}": plain_value(n if arms[arm].used.is_told(match.fewest) else match.told(arms[arm].used))
            for arm, n in worth.items()
        },
        "discarded": plain_value(match.told(discarded)),
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
        "smd_before": plain_value(row.before.smd),
        "smd_after": plain_value(row.after.smd),
        "variance_ratio_after": plain_value(row.after.variance_ratio),
        "ecdf_mean_after": plain_value(row.after.ecdf_mean),
        "denominator": plain_value(row.denominator),
        "denominator_rule": row.denominator_rule,
        "mean_treated_after": plain_value(row.after.mean_treated),
        "mean_comparison_before": plain_value(row.before.mean_comparison),
        "mean_comparison_after": plain_value(row.after.mean_comparison),
        "variance_ratio_before": plain_value(row.before.variance_ratio),
        "ecdf_max_after": plain_value(row.after.ecdf_max),
        "pair_distance_after": plain_value(row.after.pair_distance),
        "wwc_g": plain_value(row.after.wwc_g),
        "wwc": plain_value(row.wwc) if isinstance(row.wwc, Unavailable) else str(row.wwc),
    }


def _effect(effect: MatchedEffect | Unavailable, is_few: bool = False) -> Json:
    if isinstance(effect, Unavailable):
        return {"unavailable": effect.reason}
    estimate = effect.estimate
    df = FEW if is_few else estimate.df
    return {
        "estimate": plain_value(estimate.value),
        "std_error": plain_value(estimate.std_error),
        "interval": plain_value(effect.interval),
        "inference": effect.inference,
        "df": {"unavailable": "The normal distribution is used."} if estimate.df is None else plain_value(df),
        "p_value": plain_value(estimate.p_value),
        "method": effect.method,
        "assumes": effect.assumes,
        "adjusted_for": list(effect.adjusted_for),
        "notes": list(effect.notes),
    }


def _finding(finding: Finding) -> Json:
    return {
        "name": finding.name,
        "verdict": str(finding.verdict),
        "statistic": plain_value(finding.statistic),
        "sentence": finding.sentence,
        "kind": str(finding.kind),
    }


_MEASURES = ("hidden_bias", "e_value", "robustness", "selection")


_COUNTS = ("n_pairs", "n_ties", "df")
"""What a measure keeps that counts units, or tells their number."""


def _sensitivity(match: ToldMatch) -> Json:
    found = match.answer.sensitivity
    if isinstance(found, Unavailable):
        return {"unavailable": found.reason}
    record = {}
    for name, sentence in zip(_MEASURES, found.sentences, strict=True):
        measure = _nested(getattr(found, name))
        if match.fewest:
            sentence = told(sentence, match.fewest)
            measure = {key: value if key not in _COUNTS else _few_of(value, match) for key, value in measure.items()}
        record[name] = measure if "unavailable" in measure else {"sentence": sentence, **measure}
    return record


def _few_of(n: int, match: ToldMatch) -> Any:
    """Return a count of pairs, or degrees of freedom, unless it is small or tells how many are not used."""
    return plain_value(FEW if match.is_difference_few or 0 < n < match.fewest else n)


def _nested(value: Any) -> Any:
    """Return a noun as JSON has it, part by part."""
    if isinstance(value, Unavailable | Interval):
        return plain_value(value)
    if is_dataclass(value):
        return {part.name: _nested(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, tuple | list):
        return [_nested(part) for part in value]
    return plain_value(value)


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
