"""The answer of `evalkit synth` as plain data; what cannot be given is `{"unavailable": reason}`."""

from __future__ import annotations

from typing import Any

from evalkit.core.plain import plain_or_reason as given
from evalkit.core.quantities import Unavailable
from evalkit.estimate.synthetic.conformal import Conformal
from evalkit.report.words.synth import SynthAnswer

Json = dict[str, Any]


def synth_record(answer: SynthAnswer) -> Json:
    """Return everything that was found, as plain lists, texts and numbers."""
    found = answer.synthetic
    return {
        "estimate": given(found.estimate),
        "weights": {str(donor): weight for donor, weight in found.weight_of.items()},
        "pre_rmse": given(found.pre_rmse),
        "placebo_p": given(answer.space.p_value),
        "gap": [
            {
                "period": row.period,
                "treated": given(row.treated),
                "synthetic": given(row.synthetic),
                "gap": given(row.gap),
            }
            for row in found.gaps
        ],
        "interval": given(answer.interval),
        "interval_from": answer.interval_from,
        "std_error": given(answer.space.std_error),
        "placebo": _placebo(answer),
        "conformal": _conformal(answer.conformal),
        "placebo_in_time": _in_time(answer),
        "leave_one_out": _left_out(answer),
    } | _settings(answer)


def _placebo(answer: SynthAnswer) -> Json:
    space = answer.space
    return {
        "ratio": given(space.ratio),
        "n_placebos": len(space.ratios),
        "is_complete": space.is_complete,
        "least_error_counted": given(space.floor),
        "n_below_it": space.n_floored,
    }


def _conformal(found: Conformal) -> Json:
    period = {} if found.period is None else {"period": found.period}
    record = {"p_value": given(found.p_value), "interval": given(found.interval), "n_periods": found.n_periods}
    if found.period is not None:
        return period | record
    return record | {"by_period": [_conformal(one) for one in found.by_period]}


def _in_time(answer: SynthAnswer) -> Json:
    found = answer.time
    if isinstance(found, Unavailable):
        return {"unavailable": found.reason}
    numbers = {name: given(getattr(found, name)) for name in ("estimate", "pre_rmse", "p_value")}
    return {"start": found.start, **numbers}


def _left_out(answer: SynthAnswer) -> Json:
    found = answer.left_out
    if isinstance(found, Unavailable):
        return {"unavailable": found.reason}
    return {
        "lowest": given(found.lowest),
        "highest": given(found.highest),
        "influential": str(found.influential),
        "without_influential": given(found.without_influential),
    }


def _settings(answer: SynthAnswer) -> Json:
    """Return how the result was made, and what a reader must know of it."""
    question, found = answer.question, answer.synthetic
    design, fit = found.design, found.fit
    settings: Json = {
        "method": found.method.name,
        "treated": [str(area) for area in design.treated],
        "start": design.start,
        "n": {
            "treated": len(design.treated),
            "donors": len(design.donors),
            "donors_with_weight": int((abs(found.weights) > 1e-6).sum()),
            "pre_periods": design.n_pre,
            "post_periods": design.n_post,
        },
        "fit": {
            "ratio": given(found.pre_fit.ratio),
            "spread": given(found.pre_fit.spread),
            "is_poor": found.pre_fit.is_poor,
            "sentence": found.pre_fit.sentence,
        },
        "tuning": {name: given(value) for name, value in fit.tuning.items()},
    }
    if fit.time_weights is not None:
        before = design.periods[: design.n_pre]
        settings["time_weights"] = {
            str(period): float(weight) for period, weight in zip(before, fit.time_weights, strict=True)
        }
    settings["dropped"] = [{"reason": lost.reason, "units": list(lost.units)} for lost in design.dropped]
    return settings | {"level": question.level, "seed": question.seed, "notes": list(answer.notes)}
