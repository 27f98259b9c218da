"""From what `evalkit synth` is asked and its table to an answer, and from the answer to all that is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from typing import Any

from evalkit.core.formats import as_sentence
from evalkit.core.plain import plain_or_reason as given
from evalkit.core.quantities import Unavailable
from evalkit.core.questions import SynthQuestion
from evalkit.data.areas.series import AreaRoles, read_area_file
from evalkit.design.panel.area_design import area_design
from evalkit.estimate.synthetic.conformal import Conformal
from evalkit.estimate.synthetic.placebos import PlaceboOptions
from evalkit.estimate.synthetic.study import AreaStudy, area_study
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Document, Heading, Part, Prose, sentences
from evalkit.report.tables import synthetic
from evalkit.report.words import synth as words
from evalkit.report.words.synth import SynthAnswer
from evalkit.run.console import Progress
from evalkit.run.processes.executors import executor_at
from evalkit.run.tables.written import CommandAnswer, TableRequest


def synth_answer(request: TableRequest[SynthQuestion], progress: Progress) -> SynthAnswer:
    """Read the table and estimate what was asked; raise `InputError` where that cannot be done."""
    question = request.question
    roles = AreaRoles(unit=question.unit, period=question.period, outcome=question.outcome)
    with progress.step(f"reading {question.file.name}"):
        series = read_area_file(question.file, roles)
        start = series.scale.number(question.start, "--start")
        design = area_design(series, question.treated, start, question.excluded)
    with progress.step(f"estimating ({question.method}) and every placebo"), executor_at(request.where) as executor:
        options = PlaceboOptions(seed=question.seed, level=question.level, executor=executor)
        study = area_study(design, question.method, options)
        return SynthAnswer(question=question, **{one.name: getattr(study, one.name) for one in fields(study)})


def synth_told(answer: SynthAnswer) -> CommandAnswer:
    """Return everything that is told of an answer, as a document, as CSV and as plain data."""
    return CommandAnswer(
        document=partial(_document, answer),
        csv=lambda: _gaps(answer).to_csv(),
        record=lambda: synth_record(answer),
    )


def _document(answer: SynthAnswer, has_figures: bool) -> Document:
    parts = tuple(_parts(answer, has_figures))
    return Document(title=words.title(answer), face=words.face(answer), sections=(parts,))


def _parts(answer: SynthAnswer, has_figures: bool) -> Iterator[Part]:
    """Yield who is compared, the fit, the effect period by period, the donors, and how unusual it all is."""
    yield Heading(1, "Who is compared with whom")
    yield words.who_is_compared(answer)
    yield Heading(1, "The fit before the start")
    yield sentences(answer.synthetic.pre_fit.sentence)
    yield Heading(1, "The effect")
    if has_figures:
        from evalkit.report.figures.areas import gaps_plot, synthetic_plot

        yield synthetic_plot(answer.synthetic)
        yield gaps_plot(answer.synthetic, answer.space)
    yield _gaps(answer)
    yield synthetic.donor_weights(answer.synthetic)
    yield Heading(1, "How unusual it is")
    yield words.how_unusual(answer, answer.precision)
    if answer.notes:
        yield Heading(1, "Notes")
        yield Prose(tuple(dict.fromkeys(map(as_sentence, answer.notes))), "list")


def _gaps(answer: SynthAnswer) -> ReleasedTable:
    return synthetic.gaps(answer.synthetic, answer.conformal, answer.precision)


# The answer as plain data; what cannot be given is `{"unavailable": reason}`.

Json = dict[str, Any]


def synth_record(answer: SynthAnswer) -> Json:
    """Return everything that was found, as plain lists, texts and numbers."""
    quoted = {"interval": given(answer.interval), "interval_from": answer.interval_from}
    how = {"level": answer.question.level, "seed": answer.question.seed, "notes": list(answer.notes)}
    return study_record(answer, quoted) | how


def study_record(study: AreaStudy, quoted: Json) -> Json:
    """Return what one way of weighting donors gave as plain data; `quoted` is the interval that goes with it."""
    found = study.synthetic
    return {
        "estimate": given(found.estimate),
        "weights": {str(donor): weight for donor, weight in found.weight_of.items()},
        "pre_rmse": given(found.pre_rmse),
        "placebo_p": given(study.space.p_value),
        "gap": [
            {
                "period": row.period,
                "treated": given(row.treated),
                "synthetic": given(row.synthetic),
                "gap": given(row.gap),
            }
            for row in found.gaps
        ],
        **quoted,
        "std_error": given(study.space.std_error),
        "placebo": _placebo(study),
        "conformal": _conformal(study.conformal),
        "placebo_in_time": _in_time(study),
        "leave_one_out": _left_out(study),
    } | _settings(study)


def _placebo(study: AreaStudy) -> Json:
    space = study.space
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


def _in_time(study: AreaStudy) -> Json:
    found = study.time
    if isinstance(found, Unavailable):
        return {"unavailable": found.reason}
    numbers = {name: given(getattr(found, name)) for name in ("estimate", "pre_rmse", "p_value")}
    return {"start": found.start, **numbers}


def _left_out(study: AreaStudy) -> Json:
    found = study.left_out
    if isinstance(found, Unavailable):
        return {"unavailable": found.reason}
    return {
        "lowest": given(found.lowest),
        "highest": given(found.highest),
        "influential": str(found.influential),
        "without_influential": given(found.without_influential),
    }


def _settings(study: AreaStudy) -> Json:
    """Return how the result was made, and who was left out."""
    found = study.synthetic
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
    return settings
