"""The result of `evalkit synth` as one JSON object; what cannot be given is `{"unavailable": reason}`."""

from __future__ import annotations

import json
from typing import Any

from evalkit.core.quantities import Unavailable
from evalkit.core.words import escaped
from evalkit.estimate.synthetic.conformal import Conformal
from evalkit.run.tables.did_json import plain_value
from evalkit.run.tables.synth_answer import SynthAnswer

Json = dict[str, Any]


def synth_json(answer: SynthAnswer) -> str:
    """Return everything that was found, as text."""
    return escaped(json.dumps(synth_record(answer), indent=2, ensure_ascii=False, allow_nan=False))


def synth_record(answer: SynthAnswer) -> Json:
    """Return everything that was found, as plain lists, texts and numbers."""
    found = answer.found
    return {
        "estimate": plain_value(found.estimate),
        "weights": {str(donor): weight for donor, weight in found.weight_of.items()},
        "pre_rmse": plain_value(found.pre_rmse),
        "placebo_p": plain_value(answer.space.p_value),
        "gap": [
            {
                "period": row.period,
                "treated": plain_value(row.treated),
                "synthetic": plain_value(row.synthetic),
                "gap": plain_value(row.gap),
            }
            for row in found.gaps
        ],
        "interval": plain_value(answer.interval),
        "interval_from": answer.interval_from,
        "std_error": plain_value(answer.space.std_error),
        "placebo": _placebo(answer),
        "conformal": _conformal(answer.conformal),
        "placebo_in_time": _in_time(answer),
        "leave_one_out": _left_out(answer),
    } | _settings(answer)


def _placebo(answer: SynthAnswer) -> Json:
    space = answer.space
    return {
        "ratio": plain_value(space.ratio),
        "n_placebos": len(space.ratios),
        "is_complete": space.is_complete,
        "least_error_counted": plain_value(space.floor),
        "n_below_it": space.n_floored,
    }


def _conformal(found: Conformal) -> Json:
    period = {} if found.period is None else {"period": found.period}
    record = {
        "p_value": plain_value(found.p_value),
        "interval": plain_value(found.interval),
        "n_periods": found.n_periods,
    }
    if found.period is not None:
        return period | record
    return record | {"by_period": [_conformal(one) for one in found.by_period]}


def _in_time(answer: SynthAnswer) -> Json:
    found = answer.time
    if isinstance(found, Unavailable):
        return {"unavailable": found.reason}
    numbers = {name: plain_value(getattr(found, name)) for name in ("estimate", "pre_rmse", "p_value")}
    return {"start": found.start, **numbers}


def _left_out(answer: SynthAnswer) -> Json:
    found = answer.left_out
    if isinstance(found, Unavailable):
        return {"unavailable": found.reason}
    return {
        "lowest": plain_value(found.lowest),
        "highest": plain_value(found.highest),
        "influential": str(found.influential),
        "without_influential": plain_value(found.without_influential),
    }


def _settings(answer: SynthAnswer) -> Json:
    """Return how the result was made, and what a reader must know of it."""
    request, found = answer.request, answer.found
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
            "ratio": plain_value(found.pre_fit.ratio),
            "spread": plain_value(found.pre_fit.spread),
            "is_poor": found.pre_fit.is_poor,
            "sentence": found.pre_fit.sentence,
        },
        "tuning": {name: plain_value(value) for name, value in fit.tuning.items()},
    }
    if fit.time_weights is not None:
        before = design.periods[: design.n_pre]
        settings["time_weights"] = {
            str(period): float(weight) for period, weight in zip(before, fit.time_weights, strict=True)
        }
    settings["dropped"] = [{"reason": lost.reason, "units": list(lost.units)} for lost in design.dropped]
    return settings | {"level": request.level, "seed": request.seed, "notes": list(answer.notes)}
