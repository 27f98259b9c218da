"""The result of `evalkit match` as one JSON object; what cannot be given is `{"unavailable": reason}`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from evalkit.core.disclosure import CONTAINS_PEOPLE
from evalkit.core.plain import json_text
from evalkit.core.plain import plain_or_reason as given
from evalkit.core.quantities import Unavailable
from evalkit.core.sentence import count
from evalkit.diagnose.finding import Finding
from evalkit.diagnose.matched.balance import CovariateBalance
from evalkit.estimate.matched.matched_effect import MatchedEffect
from evalkit.report.border.disclosure import told
from evalkit.run.tables.match_answer import MatchAnswer
from evalkit.run.tables.match_border import FEW, ToldMatch, told_match

Json = dict[str, Any]


def match_json(answer: MatchAnswer) -> str:
    """Return everything that was found, as text."""
    return json_text(match_record(answer))


def match_record(found: MatchAnswer) -> Json:
    """Return everything that may be told, as plain lists, texts and numbers; it lists the units, and says so."""
    match = told_match(found)
    answer = match.answer
    design = answer.design
    ids = [str(unit) for unit in design.baseline.units.index]
    record: Json = {
        "n": _counts(match),
        "estimand": str(design.estimand),
        "total_distance": given(match.withheld or design.total_distance),
        "pairs": _pairs(answer, ids),
        "weights": dict(zip(ids, design.weights.tolist(), strict=True)),
        "balance": [_balance(row) for row in answer.balance.covariates]
        if match.withheld is None
        else given(match.withheld),
        "effect": _effect(answer.effect, match.is_difference_few),
    }
    if answer.unadjusted is not None:
        record["unadjusted_effect"] = _effect(answer.unadjusted, match.is_difference_few)
    record["score_balance"] = next(
        (_balance(row) for row in answer.balance.rows if row.is_score),
        given(match.withheld or Unavailable("No score was used.")),
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
        **{arm: given(match.told(counts.n)) for arm, counts in arms.items()},
        **{f"{arm}_matched": given(match.told(counts.used)) for arm, counts in arms.items()},
        **{
            f"effective_{arm}": given(n if arms[arm].used.is_told(match.fewest) else match.told(arms[arm].used))
            for arm, n in worth.items()
        },
        "discarded": given(match.told(discarded)),
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
        "mean_treated_after": given(row.after.mean_treated),
        "mean_comparison_before": given(row.before.mean_comparison),
        "mean_comparison_after": given(row.after.mean_comparison),
        "variance_ratio_before": given(row.before.variance_ratio),
        "ecdf_max_after": given(row.after.ecdf_max),
        "pair_distance_after": given(row.after.pair_distance),
        "wwc_g": given(row.after.wwc_g),
        "wwc": given(row.wwc) if isinstance(row.wwc, Unavailable) else str(row.wwc),
    }


def _effect(effect: MatchedEffect | Unavailable, is_few: bool = False) -> Json:
    if isinstance(effect, Unavailable):
        return {"unavailable": effect.reason}
    estimate = effect.estimate
    df = FEW if is_few else estimate.df
    return {
        "estimate": given(estimate.value),
        "std_error": given(estimate.std_error),
        "interval": given(effect.interval),
        "inference": effect.inference,
        "df": {"unavailable": "The normal distribution is used."} if estimate.df is None else given(df),
        "p_value": given(estimate.p_value),
        "method": effect.method,
        "assumes": effect.assumes,
        "adjusted_for": list(effect.adjusted_for),
        "notes": list(effect.notes),
    }


def _finding(finding: Finding) -> Json:
    return {
        "name": finding.name,
        "verdict": str(finding.verdict),
        "statistic": given(finding.statistic),
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
        measure = given(getattr(found, name))
        if match.fewest:
            sentence = told(sentence, match.fewest)
            measure = {key: value if key not in _COUNTS else _few_of(value, match) for key, value in measure.items()}
        record[name] = measure if "unavailable" in measure else {"sentence": sentence, **measure}
    return record


def _few_of(n: int, match: ToldMatch) -> Any:
    """Return a count of pairs, or degrees of freedom, unless it is small or tells how many are not used."""
    return given(FEW if match.is_difference_few or 0 < n < match.fewest else n)


def _settings(answer: MatchAnswer) -> Json:
    request = answer.request
    return {
        "file": request.file.name,
        "covariates": list(request.on),
        "option": given(asdict(answer.design.option)),
        "level": request.level,
    }
