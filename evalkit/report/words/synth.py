"""What `evalkit synth` found, and the sentences around its tables: one or few treated areas and their synthetic one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evalkit.core.formats import Precision, as_sentence, level_text, p_equals
from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable
from evalkit.core.sentence import Count, Sentence, count
from evalkit.core.words import counted, listed
from evalkit.estimate.synthetic.study import AreaStudy
from evalkit.report.border.parts import Prose, sentences

if TYPE_CHECKING:
    from evalkit.core.questions import SynthQuestion
    from evalkit.estimate.synthetic.conformal import Conformal
    from evalkit.estimate.synthetic.placebos import LeaveOneDonorOut, PlaceboInTime
    from evalkit.estimate.synthetic.result import SyntheticControl

_MOST_IDS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthAnswer(AreaStudy):
    """Everything one run of `evalkit synth` found, and what it was asked."""

    question: SynthQuestion

    @property
    def interval(self) -> IntervalOrReason:
        """Return the interval of the method: from placebos for synthetic DiD, else the conformal one."""
        return self.space.interval if self.question.method == "sdid" else self.conformal.interval

    @property
    def interval_from(self) -> str:
        """Return in words where the interval comes from."""
        if self.question.method == "sdid":
            return "estimate and the standard deviation of placebo estimates"
        return "conformal inference by moving blocks, for an effect that is the same in every period"

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a reader must know beside the numbers."""
        return (*self.synthetic.notes, *self.space.notes, *self.conformal.notes)

    @property
    def precision(self) -> Precision:
        """Return how finely its numbers are written."""
        return Precision.of(self.space.std_error, self.synthetic.pre_fit.spread / 20)


def title(answer: SynthAnswer) -> str:
    """Return what was estimated, of which file, and how."""
    return f"{answer.question.file.name}: the effect on '{answer.question.outcome}', {answer.synthetic.method.name}"


def who_is_compared(answer: SynthAnswer) -> Prose:
    """Return which areas are treated from when, how many donors there are, and who was left out."""
    design = answer.synthetic.design
    return sentences(
        Sentence(
            "{who}, treated from {start} on, and {donors}, in {periods} ({first} to {last}), {before} of them before "
            "the start.",
            who=listed([str(area) for area in design.treated], _MOST_IDS),
            start=str(design.start),
            donors=_areas(len(design.donors), "donor"),
            periods=counted(len(design.periods), "period"),
            first=str(design.periods[0]),
            last=str(design.periods[-1]),
            before=str(design.n_pre),
        ),
        *(
            Sentence(
                "{areas} left out ({reason}): {which}.",
                areas=_areas(len(lost.units), "area"),
                reason=lost.reason,
                which=listed(list(lost.units), _MOST_IDS),
            )
            for lost in design.dropped
        ),
    )


def _areas(n: int, noun: str) -> Count:
    return count(n, "areas", noun)


def effect_sentence(
    synthetic: SyntheticControl, made: Precision, interval: IntervalOrReason | None = None, interval_from: str = ""
) -> str:
    """Return the effect in a sentence bounded by what it assumes, with its interval where one is known.

    Without an interval the sentence names the method.
    """
    estimate, design = synthetic.estimate, synthetic.design
    if isinstance(estimate, Unavailable):
        return f"No estimate is shown. {estimate.reason}"
    one = len(design.treated) == 1
    size = made.number(abs(estimate))
    apart = f"{size} {'higher' if estimate > 0 else 'lower'} than in the synthetic one"
    if size == made.number(0.0):
        apart = "as in the synthetic one"
    around = f" ({synthetic.method.name})" if interval is None else ""
    if isinstance(interval, Interval):
        around = f" ({level_text(interval.level)} interval {made.interval(interval)}, from {interval_from})"
    return (
        f"From {design.start} on '{design.outcome}' in the treated area{'' if one else 's'} "
        f"{'was' if design.n_post == 1 else 'was on average'} {apart}{around}, an effect if without the programme "
        f"{'it' if one else 'they'} would have moved as the weighted donors did."
    )


def face(answer: SynthAnswer) -> tuple[str, ...]:
    """Return the effect in a sentence."""
    return (effect_sentence(answer.synthetic, answer.precision, answer.interval, answer.interval_from),)


def how_unusual(answer: AreaStudy, made: Precision) -> Prose:
    """Return how the effect compares with placebos, and how much it rests on single donors."""
    return Prose(tuple(map(as_sentence, _inference(answer, made))), "list")


def _inference(answer: AreaStudy, made: Precision) -> Iterator[str]:
    if isinstance(answer.synthetic.estimate, Unavailable):
        yield "No inference is made without an estimate"
        return
    yield from dict.fromkeys([_space(answer), _conformal(answer.conformal)])
    yield answer.time.reason if isinstance(answer.time, Unavailable) else time_sentence(answer.time, made)
    yield _left_out(answer.left_out, made)


def _space(answer: AreaStudy) -> str:
    space = answer.space
    if isinstance(space.p_value, Unavailable):
        return space.p_value.reason
    size = len(answer.synthetic.design.treated)
    return Sentence(
        "Placebo areas: {p}, the share of the {who}, each as if treated, and of the treated {area}, whose error after "
        "the start is at least as many times that before it",
        p=p_equals(space.p_value),
        who=count(len(space.ratios), "areas", *(("donor", "donors") if size == 1 else _sets(size))),
        area="area" if size == 1 else "areas",
    )


def _sets(size: int) -> tuple[str, str]:
    return f"set of {size} donors", f"sets of {size} donors"


def _conformal(test: Conformal) -> str:
    if isinstance(test.p_value, Unavailable):
        return test.p_value.reason
    rest = "" if isinstance(test.interval, Interval) else f". No interval: {test.interval.reason}"
    return f"Conformal inference over {test.n_periods} periods: {p_equals(test.p_value)} of no effect{rest}"


def _left_out(left: LeaveOneDonorOut | Unavailable, made: Precision) -> str:
    if isinstance(left, Unavailable):
        return left.reason
    return (
        f"One donor left out: the estimate lies between {made.number(left.lowest)} and {made.number(left.highest)}; it "
        f"moves most without {left.influential} (to {made.number(left.without_influential)})"
    )


def time_sentence(placebo: PlaceboInTime, made: Precision) -> str:
    """Return what a start that was none would have found."""
    if isinstance(placebo.estimate, Unavailable):
        return f"A start put back to {placebo.start}: {placebo.estimate.reason}"
    p = "" if isinstance(placebo.p_value, Unavailable) else f", {p_equals(placebo.p_value)}"
    return f"A start put back to {placebo.start}, where there was no programme yet: {made.number(placebo.estimate)}{p}"
