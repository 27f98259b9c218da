"""What `evalkit did` found, what of it may be told, and the sentences around its tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from evalkit.core.formats import Precision, as_sentence, level_text
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.questions import DidQuestion
from evalkit.core.sentence import Count, Derived, Sentence, count
from evalkit.core.words import counted, listed
from evalkit.design.clusters import conservative_sentence
from evalkit.estimate.bounds.violation_bounds import ViolationBounds
from evalkit.estimate.staggered.cells import METHODS
from evalkit.estimate.staggered.results import Reported, ReportedCell, StaggeredResults
from evalkit.report.border.parts import Prose, sentences
from evalkit.report.border.told_effects import OF_FEW, rests_on_few, told_effects

if TYPE_CHECKING:
    from evalkit.data.flow import LeftOut
    from evalkit.design.clusters import ClusterCounts, Recommendation
    from evalkit.diagnose.cross_checks import CrossChecks
    from evalkit.estimate.effect import Inference
    from evalkit.estimate.two_way.bacon import BaconDecomposition
    from evalkit.estimate.two_way.two_way import TwoWayEffect, TwoWayEventStudy

_MOST_IDS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoWayAnswer:
    """The classic two-way effect, what it is an average of, and its event study."""

    effect: TwoWayEffect
    bacon: BaconDecomposition | Unavailable
    event_study: TwoWayEventStudy | Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class DidAnswer:
    """Everything one run of `evalkit did` found.

    Attributes
    ----------
    results : StaggeredResults, or TwoWayAnswer for `--estimator twfe`
    left_out : rows of the table without an outcome, covariate or weight
    dropped : units left out by the design, with the reason
    inference : the recommended inference on the overall effect, carried out
    clustered_by : what errors are clustered by, in a word
    assumes : what the errors take as independent
    names_units : whether ids are those of units or groups, and may be listed
    reading : how periods were numbered, and which codes stood in the place of numbers
    bounds : the mean effect over times if trends are not parallel, where that was asked for
    """

    question: DidQuestion
    results: StaggeredResults | TwoWayAnswer
    checks: CrossChecks | None
    left_out: tuple[LeftOut, ...]
    dropped: tuple[LeftOut, ...]
    periods: tuple[int, ...]
    cohorts: tuple[int, ...]
    n_rows: int
    clustered_by: str
    clusters: ClusterCounts
    recommendation: Recommendation
    inference: Inference
    assumes: str
    names_units: bool
    reading: tuple[str, ...] = ()
    bounds: ViolationBounds | Unavailable | None = None

    @property
    def overall(self) -> tuple[Quantity, IntervalOrReason]:
        """Return the overall effect with its interval."""
        if isinstance(self.results, TwoWayAnswer):
            return self.results.effect.estimate.value, self.results.effect.inference.interval
        return self.results.simple.estimate, self.results.simple.interval


def told_answer(answer: DidAnswer) -> DidAnswer:
    """Return an answer without estimates that rest on too few people, or would let such an estimate be worked out."""
    if isinstance(answer.results, TwoWayAnswer):
        return answer
    results = told_effects(answer.results)
    if not rests_on_few(results) or not isinstance(results.simple.estimate, Unavailable):
        return replace(answer, results=results)
    bare = replace(answer.inference, df=None, n_ranked=None, note="")  # each would tell how many are treated
    inference = replace(bare, std_error=OF_FEW, interval=OF_FEW, p_value=OF_FEW)
    return replace(answer, results=results, inference=inference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many were analysed, as typed counts; of repeated cross-sections these are observations, of panels units."""

    treated: Count
    comparison: Count

    @property
    def n(self) -> int:
        """Return how many were analysed."""
        return self.treated.n + self.comparison.n

    @property
    def every(self) -> Derived:
        """Return how many were analysed, in words that are withheld where they would tell a part of it."""
        least = min(self.treated, self.comparison, key=lambda part: part.n or self.n)
        noun = self.treated.noun
        return Derived(counted(self.n, noun), least, f"a withheld number of {noun}s")


def counts_of(answer: DidAnswer) -> Counts:
    """Return how many were analysed, treated, and never treated."""
    results = answer.results
    if isinstance(results, TwoWayAnswer):
        n_treated = results.effect.n_treated_units
        n_comparison = results.effect.n_units - n_treated
    else:
        n_treated, n_comparison = results.n_treated, results.n_comparison
    noun = "observation" if answer.question.is_cross_section else "unit"
    return Counts(treated=count(n_treated, noun=noun), comparison=count(n_comparison, noun=noun))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """How many clusters are treated and compared, as typed counts: clusters may be people."""

    treated: Count
    comparison: Count

    def are_few(self, fewest: int) -> bool:
        """Return whether they are people, too few to be counted."""
        return not (self.treated.is_told(fewest) and self.comparison.is_told(fewest))


def clusters_of(answer: DidAnswer) -> Clusters:
    """Return the numbers of clusters."""
    are_people = not answer.names_units and answer.clustered_by in ("row", answer.question.parts["unit"])
    kind: Final = "people" if are_people else "clusters"
    return Clusters(
        treated=count(answer.clusters.n_treated, kind, "treated cluster"),
        comparison=count(answer.clusters.n_comparison, kind, "comparison cluster"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What was left out for one reason; `units` are None where ids are of people, which nobody lists."""

    reason: str
    n_units: Count
    n_rows: Count
    units: tuple[str, ...] | None


def losses_of(answer: DidAnswer) -> tuple[Loss, ...]:
    """Return everything that was left out, by reason: first rows of the table, then units of the design."""
    losses: tuple[LeftOut, ...] = (*answer.left_out, *answer.dropped)
    owner = "unit" if answer.names_units else counts_of(answer).treated.noun
    return tuple(
        Loss(
            reason=lost.reason,
            n_units=count(len(lost.units), "clusters" if answer.names_units else "people", owner),
            n_rows=count(lost.n_rows, "people", "row"),
            units=lost.units if answer.names_units else None,
        )
        for lost in losses
    )


def title(answer: DidAnswer) -> str:
    """Return what was estimated, of which file, and how."""
    return f"{answer.question.file.name}: the effect on '{answer.question.parts['outcome']}', {_method(answer)}"


def _method(answer: DidAnswer) -> str:
    results = answer.results
    if isinstance(results, TwoWayAnswer):
        return "two-way fixed effects"
    if answer.question.estimator in ("group-time", "all"):
        return f"difference-in-differences by cohort and period ({METHODS[answer.question.method]})"
    return results.method


def face(answer: DidAnswer) -> tuple[str, ...]:
    """Return the overall effect in a sentence, and what its interval is where few clusters carry it."""
    results, made = answer.results, answer.inference
    told = [effect_sentence(answer)]
    is_large = isinstance(results, StaggeredResults) and results.simple.method == "cluster-robust"
    if isinstance(results, StaggeredResults) and not is_large and isinstance(results.simple.interval, Interval):
        told.append(f"That interval is from {made.method}. {made.note}".strip())
    if not is_large:
        told.append(conservative_sentence(made.interval, answer.question.level, made.df, made.n_ranked))
    return tuple(sentence for sentence in told if sentence)


def effect_sentence(answer: DidAnswer) -> str:
    """Return the overall effect in a sentence that claims no more than the design allows."""
    estimate, interval = answer.overall
    if isinstance(estimate, Unavailable):
        return f"The overall effect cannot be given. {as_sentence(estimate.reason)}"
    size = (interval.upper - interval.lower) / 4 if isinstance(interval, Interval) else abs(estimate)
    made = Precision.of(size, abs(estimate))
    shown = made.number(abs(estimate))
    compared_size = f"{shown} {'lower' if estimate < 0 else 'higher'} than expected"
    if shown == made.number(0.0):
        compared_size = "as expected"
    around = (
        f" ({level_text(answer.question.level)} interval {made.interval(interval)})"
        if isinstance(interval, Interval)
        else ""
    )
    sentence = (
        f"In treated units '{answer.question.parts['outcome']}' was {compared_size}{around}, {_condition(answer)}."
    )
    if isinstance(interval, Unavailable):
        return f"{sentence} How uncertain this is cannot be given. {as_sentence(interval.reason)}"
    if 0.0 in interval:
        sentence += " The interval includes zero: the table does not tell which sign the effect has."
    return sentence


def _condition(answer: DidAnswer) -> str:
    """Return what must hold for the number to be an effect."""
    others = "comparison units with the same covariates" if answer.question.covariates else "the comparison units"
    condition = f"if without the programme they would have moved as {others} did"
    if isinstance(answer.results, TwoWayAnswer):
        condition += ", and the effect is the same in every cohort and period"
    return condition


def who_is_compared(answer: DidAnswer) -> Prose:
    """Return how many units are treated when, whom they are compared with, and where periods are missing."""
    counts, periods = counts_of(answer), answer.periods
    many = Sentence(
        "{every} in {periods} ({first} to {last}): {treated} treated, in {cohorts} ({which}), and {comparison} never "
        "treated within these periods.",
        every=counts.every,
        periods=counted(len(periods), "period"),
        first=str(periods[0]),
        last=str(periods[-1]),
        treated=counts.treated,
        cohorts=counted(len(answer.cohorts), "cohort"),
        which=listed([str(cohort) for cohort in answer.cohorts], 12),
        comparison=counts.comparison,
    )
    return sentences(many, as_sentence(_comparison(answer)), _gaps(periods))


def _gaps(periods: tuple[int, ...]) -> str:
    after = [str(later) for one, later in pairwise(periods) if later - one > 1]
    if not after:
        return ""
    return (
        f"Periods are not consecutive: there is a gap before {listed(after)}. Event time counts calendar periods; "
        "changes over a gap are changes between the periods on its sides."
    )


def _comparison(answer: DidAnswer) -> str:
    """Return in a sentence whom treated units are compared with, and what is adjusted for."""
    question = answer.question
    compared = {
        "never": "units never treated",
        "not-yet": "units never treated or not treated yet",
    }[question.comparison]
    sentence = {
        "imputation": "Treated observations are compared with what untreated observations predict for them",
        "two-stage": "Treated observations are compared with what untreated observations predict for them",
        "sun-abraham": "Each cohort is compared with units never treated, or where there are none with the last cohort",
        "twfe": "All units are compared with each other in one regression, those already treated included",
    }.get(question.estimator, f"Each cohort is compared with {compared}, from its last period before the start")
    if question.covariates:
        sentence += f", adjusted for {listed(list(question.covariates))}"
    if question.anticipation:
        sentence += f"; the programme may act {counted(question.anticipation, 'period')} before the start"
    return sentence


def left_out(answer: DidAnswer) -> Prose:
    """Return what was left out and why, ids only where they are not those of people."""
    losses = losses_of(answer)
    if not losses:
        return sentences("Nothing: every row of the table is used where it can be.")
    return Prose(tuple(map(_loss, losses)), "list")


def _loss(loss: Loss) -> str:
    ids = "" if loss.units is None else f": {listed(list(loss.units), _MOST_IDS)}"
    return Sentence(
        "{rows} of {units} ({reason}){ids}", rows=loss.n_rows, units=loss.n_units, reason=loss.reason, ids=ids
    )


def standard_errors(answer: DidAnswer) -> Prose:
    """Return what errors are clustered by, which inference the clusters support, and whether it was followed."""
    clusters, advice, question = clusters_of(answer), answer.recommendation, answer.question
    kind = "bootstrap of whole clusters" if question.are_clusters_drawn else "multiplier bootstrap"
    draws = f", by a {kind} of {question.n_draws:,} draws" if question.n_draws else ""
    named = "none" if advice.inference == "unavailable" else advice.inference
    recommended = Sentence(
        "Recommended for {treated} and {comparison}: {named}.",
        treated=clusters.treated,
        comparison=clusters.comparison,
        named=named,
    )
    reason = "" if clusters.are_few(question.fewest) else as_sentence(advice.reason)
    return sentences(
        f"Clustered by {answer.clustered_by}{draws}.", answer.assumes, recommended, reason, _followed(answer)
    )


def _followed(answer: DidAnswer) -> str:
    """Return where the overall effect's interval is not of the kind recommended."""
    supported, made = answer.recommendation.inference, answer.inference
    if isinstance(made.interval, Unavailable):
        return "The overall effect has no interval of it."
    if supported in ("unavailable", made.method):
        return ""
    return f"The interval of the overall effect is from {made.method}" + (
        ", which compares in the same way but takes no account of size." if supported == "Conley–Taber" else "."
    )


def notes(answer: DidAnswer) -> tuple[str, ...]:
    """Return every note once, the most important first, how the file was read at the end."""
    return tuple(dict.fromkeys([*_notes(answer), *answer.reading]))


def _notes(answer: DidAnswer) -> Iterator[str]:
    results = answer.results
    if isinstance(results, TwoWayAnswer):
        yield results.effect.meaning
        return
    caution = _caution(answer, results)
    if caution:
        yield caution
    if not results.n_comparison:
        yield "No unit is never treated within these periods: units that start later serve as comparison until then."
    yield from results.notes
    yield from (one.note for one in _reported(results) if one.note)
    yield from (cell.note for cell in results.group_time if cell.note)
    lacking = {cell for one in _reported(results) for cell in one.lacking}
    if lacking:
        yield (
            f"{len(lacking)} of {len(results.group_time)} effects by cohort and period have no estimate, and averages "
            "are over those that have one; the reasons stand beside them."
        )


def _reported(results: StaggeredResults) -> Iterator[Reported]:
    """Yield every summary, the overall ones first."""
    sets = (results.by_cohort, results.event_study, results.calendar)
    yield results.simple
    yield from (one.overall for one in sets)
    yield from (part for one in sets for part in one.parts)


def _caution(answer: DidAnswer, results: StaggeredResults) -> str:
    """Return what to think of intervals where few clusters carry some numbers, or an empty text."""
    rows: list[Reported | ReportedCell] = [*_reported(results), *results.group_time]
    if all(row.method == "cluster-robust" for row in rows):
        return ""
    parts = [
        "Few clusters carry some of these numbers, or a few of them most of the weight: every interval is by the "
        "inference that the clusters behind that number support"
    ]
    methods = list(dict.fromkeys(row.method for row in rows if row.method not in ("cluster-robust", "unavailable")))
    if methods:
        parts.append(f" ({listed(methods)})")
    parts.append(", and where none holds its level there is a reason instead.")
    if isinstance(answer.inference.interval, Unavailable):
        parts.append(f" The overall effect has no interval: {answer.inference.interval.reason}")
    return "".join(parts)
