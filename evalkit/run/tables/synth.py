"""From what `evalkit synth` is asked and its table to an answer, and from the answer to all that is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from evalkit.core.formats import as_sentence
from evalkit.core.quantities import Unavailable
from evalkit.data.areas.series import AreaRoles, read_area_file
from evalkit.design.panel.area_design import AreaDesign, area_design
from evalkit.estimate.synthetic.conformal import conformal
from evalkit.estimate.synthetic.control import augmented_control, synthetic_control, synthetic_did
from evalkit.estimate.synthetic.placebos import PlaceboOptions, leave_one_donor_out, placebo_in_space, placebo_in_time
from evalkit.estimate.synthetic.result import SyntheticControl
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Document, Heading, Part, Prose, sentences
from evalkit.report.tables import synthetic
from evalkit.report.words import synth as words
from evalkit.report.words.synth import SynthAnswer
from evalkit.run.console import Progress
from evalkit.run.processes.executors import executor_at
from evalkit.run.tables.synth_json import synth_record
from evalkit.run.tables.synth_options import SynthRequest
from evalkit.run.tables.written import CommandAnswer

_VERBS: dict[str, Callable[[AreaDesign], SyntheticControl]] = {
    "sc": synthetic_control,
    "augmented": augmented_control,
    "sdid": synthetic_did,
}


def synth_answer(request: SynthRequest, progress: Progress) -> SynthAnswer:
    """Read the table and estimate what was asked; raise `InputError` where that cannot be done."""
    question = request.question
    roles = AreaRoles(unit=question.unit, period=question.period, outcome=question.outcome)
    with progress.step(f"reading {question.file.name}"):
        series = read_area_file(question.file, roles)
        start = series.scale.number(question.start, "--start")
        design = area_design(series, question.treated, start, question.excluded)
    with progress.step(f"estimating ({question.method}) and every placebo"), executor_at(request.where) as executor:
        options = PlaceboOptions(seed=question.seed, level=question.level, executor=executor)
        found = _VERBS[question.method](design)
        return SynthAnswer(
            question=question,
            synthetic=found,
            space=placebo_in_space(found, options),
            time=found.estimate if isinstance(found.estimate, Unavailable) else placebo_in_time(found, options),
            conformal=conformal(found, question.level),
            left_out=leave_one_donor_out(found),
        )


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
    yield words.how_unusual(answer)
    if answer.notes:
        yield Heading(1, "Notes")
        yield Prose(tuple(dict.fromkeys(map(as_sentence, answer.notes))), "list")


def _gaps(answer: SynthAnswer) -> ReleasedTable:
    return synthetic.gaps(answer.synthetic, answer.conformal, answer.precision)
