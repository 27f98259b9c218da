"""The result of `evalkit did` as a text for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalkit.core.formats import MINUS, as_sentence, level_text
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.words import cleaned, counted, listed
from evalkit.design.clusters import conservative_rows, conservative_sentence
from evalkit.diagnose.cross_checks import CrossChecks
from evalkit.estimate.staggered.cells import METHODS
from evalkit.estimate.staggered.pre_test import NO_PROOF, PreTest
from evalkit.estimate.staggered.results import Reported, ReportedCell, StaggeredResults
from evalkit.run.tables.did_answer import DidAnswer, TwoWayAnswer
from evalkit.run.tables.did_counts import clusters_of, counts_of, losses_of, told_answer
from evalkit.run.tables.did_layout import Footnotes, Writer, aligned, count_of, wrapped
from evalkit.run.tables.did_notes import did_notes
from evalkit.run.tables.did_text_two_way import two_way_lines

_MOST_IDS = 10


def did_text(answer: DidAnswer) -> str:
    """Return everything that was found, in sentences and aligned tables."""
    return cleaned("\n".join(_lines(told_answer(answer))))


def _lines(answer: DidAnswer) -> Iterator[str]:
    yield from _design_lines(answer)
    yield from _loss_lines(answer)
    found = answer.results
    if isinstance(found, TwoWayAnswer):
        yield from _effect_lines(answer, found.effect.estimate.value, found.effect.inference.interval)
        yield from wrapped(_conservative(answer), "  ")
        yield from two_way_lines(found, answer.request.level)
    else:
        yield from _effect_lines(answer, found.simple.estimate, found.simple.interval)
        if found.simple.method != "cluster-robust" and isinstance(found.simple.interval, Interval):
            yield from wrapped(f"That interval is from {answer.inference.method}. {answer.inference.note}", "  ")
            yield from wrapped(_conservative(answer), "  ")
        yield from _table_lines(answer, found)
        yield from _pre_test_lines(found)
    if answer.checks:
        yield from _check_lines(answer.checks)
    yield from _inference_lines(answer)
    notes = did_notes(answer)
    if notes:
        yield "\nNotes"
        for note in notes:
            yield from wrapped(as_sentence(note), "  - ")


def _design_lines(answer: DidAnswer) -> Iterator[str]:
    request, counts = answer.request, counts_of(answer)
    yield f"{request.file.name}: the effect on '{request.parts['outcome']}', {_method(answer)}"
    yield "\nWho is compared with whom"
    first, last = answer.periods[0], answer.periods[-1]
    yield from wrapped(
        f"{count_of(counts.n_units, counts.noun)} in {counted(len(answer.periods), 'period')} ({first} to {last}): "
        f"{count_of(counts.n_treated, counts.noun)} treated, in {counted(len(answer.cohorts), 'cohort')} "
        f"({listed([str(cohort) for cohort in answer.cohorts], 12)}), and {count_of(counts.n_comparison, counts.noun)} "
        "never treated within these periods.",
        "  ",
    )
    yield from wrapped(as_sentence(_comparison(answer)), "  ")
    gaps = [str(t) for s, t in zip(answer.periods, answer.periods[1:], strict=False) if t - s > 1]
    if gaps:
        yield from wrapped(
            f"Periods are not consecutive: there is a gap before {listed(gaps)}. Event time counts calendar periods; "
            "changes over a gap are changes between the periods on its sides.",
            "  ",
        )


def _method(answer: DidAnswer) -> str:
    found = answer.results
    if isinstance(found, TwoWayAnswer):
        return "two-way fixed effects"
    if answer.request.estimator in ("group-time", "all"):
        return f"difference-in-differences by cohort and period ({METHODS[answer.request.method]})"
    return found.method


def _comparison(answer: DidAnswer) -> str:
    """Return in a sentence whom treated units are compared with, and what is adjusted for."""
    request = answer.request
    compared = {
        "never": "units never treated",
        "not-yet": "units never treated or not treated yet",
    }[request.comparison]
    sentence = {
        "imputation": "Treated observations are compared with what untreated observations predict for them",
        "two-stage": "Treated observations are compared with what untreated observations predict for them",
        "sun-abraham": "Each cohort is compared with units never treated, or where there are none with the last cohort",
        "twfe": "All units are compared with each other in one regression, those already treated included",
    }.get(request.estimator, f"Each cohort is compared with {compared}, from its last period before the start")
    if request.covariates:
        sentence += f", adjusted for {listed(list(request.covariates))}"
    if request.anticipation:
        sentence += f"; the programme may act {counted(request.anticipation, 'period')} before the start"
    return sentence


def _loss_lines(answer: DidAnswer) -> Iterator[str]:
    losses = losses_of(answer)
    yield "\nLeft out"
    if not losses:
        yield "  Nothing: every row of the table is used where it can be."
    for loss in losses:
        ids = "" if isinstance(loss.units, Unavailable) else f": {listed(list(loss.units), _MOST_IDS)}"
        owner = counts_of(answer).noun if isinstance(loss.units, Unavailable) else "unit"
        yield from wrapped(
            f"{count_of(loss.n_rows, 'row')} of {count_of(loss.n_units, owner)} ({loss.reason}){ids}", "  - "
        )


def _effect_lines(answer: DidAnswer, estimate: Quantity, interval: IntervalOrReason) -> Iterator[str]:
    yield "\nThe overall effect"
    yield from wrapped(effect_sentence(answer, estimate, interval), "  ")


def effect_sentence(answer: DidAnswer, estimate: Quantity, interval: IntervalOrReason) -> str:
    """Return the overall effect in a sentence that claims no more than the design allows."""
    if isinstance(estimate, Unavailable):
        return f"It cannot be given. {as_sentence(estimate.reason)}"
    size = (interval.upper - interval.lower) / 4 if isinstance(interval, Interval) else abs(estimate)
    writer = Writer.for_errors(size, abs(estimate))
    shown = writer.number(abs(estimate))
    said = f"{shown} {'lower' if estimate < 0 else 'higher'} than expected"
    if shown == writer.number(0.0):
        said = "as expected"
    level = level_text(answer.request.level)
    around = f" ({level} interval {writer.interval(interval)})" if isinstance(interval, Interval) else ""
    outcome = answer.request.parts["outcome"]
    sentence = f"In treated units '{outcome}' was {said}{around}, {_condition(answer)}."
    if isinstance(interval, Unavailable):
        return f"{sentence} How uncertain this is cannot be given. {as_sentence(interval.reason)}"
    if 0.0 in interval:
        sentence += " The interval includes zero: the table does not tell which sign the effect has."
    return sentence


def _condition(answer: DidAnswer) -> str:
    """Return what must hold for the number to be an effect."""
    others = "comparison units with the same covariates" if answer.request.covariates else "the comparison units"
    condition = f"if without the programme they would have moved as {others} did"
    if isinstance(answer.results, TwoWayAnswer):
        condition += ", and the effect is the same in every cohort and period"
    return condition


def _table_lines(answer: DidAnswer, found: StaggeredResults) -> Iterator[str]:
    writer = Writer.for_errors(found.simple.std_error, found.simple.estimate)
    level = level_text(found.level)
    yield from _part_table(
        "By time since the start", "event time", found.event_study.parts, found.event_study.overall, writer, level
    )
    yield from _part_table("By cohort", "cohort", found.by_cohort.parts, found.by_cohort.overall, writer, level)
    yield from _part_table("By period", "period", found.calendar.parts, found.calendar.overall, writer, level)
    yield "\nBy cohort and period"
    notes = Footnotes()
    rows = [
        [
            str(cell.cohort),
            str(cell.period),
            *(writer.cell(value, notes) for value in (cell.estimate, cell.std_error, cell.interval)),
        ]
        for cell in found.group_time
    ]
    yield from aligned(["cohort", "period", "effect", "std. error", f"{level} interval"], rows, 2)
    yield from _made_by(found.group_time)
    yield from notes.lines()


def _made_by(rows: Sequence[Reported | ReportedCell]) -> Iterator[str]:
    """Yield by which inference intervals are, where few clusters carry some of them."""
    methods = list(dict.fromkeys(row.method for row in rows if isinstance(row.interval, Interval)))
    if methods and methods != ["cluster-robust"]:
        freedom = [row.df for row in rows if row.method.startswith("CR2") and row.df is not None]
        spread = f" ({min(freedom):.1f} to {max(freedom):.1f})" if freedom else ""
        yield from wrapped(f"Intervals by {listed(methods)}{spread}. {conservative_rows(rows)}", "  ")


def _part_table(
    title: str, label: str, parts: Sequence[Reported], overall: Reported, writer: Writer, level: str
) -> Iterator[str]:
    yield f"\n{title}"
    notes, has_band = Footnotes(), any(part.band is not None for part in parts)
    rows = []
    for part in (*parts, overall):
        mean = "0 and on" if has_band else "all"
        name = mean if part is overall else str(part.label).replace("-", MINUS)
        values = [part.estimate, part.std_error, part.interval] + ([part.band] if has_band else [])
        rows.append([name, *(writer.cell(value, notes) for value in values)])
    header = [label, "effect", "std. error", f"{level} interval"] + ([f"{level} band"] if has_band else [])
    yield from aligned(header, rows)
    if any(isinstance(part.band, Interval) for part in parts):
        yield from wrapped(
            f"All intervals of the band hold together with a probability of {level}, if the errors are right.", "  "
        )
    yield from _made_by([*parts, overall])
    yield from notes.lines()


def _pre_test_lines(found: StaggeredResults) -> Iterator[str]:
    yield "\nBefore the start"
    test = found.pre_test
    said = as_sentence(test.reason) if isinstance(test, Unavailable) else test.sentence
    yield from wrapped(said, "  ")
    if isinstance(test, PreTest) and test.note:
        yield from wrapped(test.note, "  ")
    yield from wrapped(NO_PROOF, "  ")


def _check_lines(checks: CrossChecks) -> Iterator[str]:
    yield "\nThe overall effect by every estimator"
    notes = Footnotes()
    first = checks.rows[0]
    writer = Writer.for_errors(first.std_error, first.estimate)
    rows = [
        [row.estimator, *(writer.cell(value, notes) for value in (row.estimate, row.std_error, row.interval))]
        for row in checks.rows
    ]
    yield from aligned(["estimator", "effect", "std. error", f"{level_text(checks.level)} interval"], rows)
    yield from notes.lines()
    yield "  What each compares:"
    for row in checks.rows:
        yield from wrapped(row.compares, f"  - {row.estimator}: ", "      ")


def _conservative(answer: DidAnswer) -> str:
    """Return that the overall effect's interval is conservative, with its half-length, or an empty text."""
    made = answer.inference
    return conservative_sentence(made.interval, answer.request.level, made.df, made.n_ranked)


def _inference_lines(answer: DidAnswer) -> Iterator[str]:
    clusters, advice = clusters_of(answer), answer.recommendation
    yield "\nStandard errors"
    kind = "bootstrap of whole clusters" if answer.request.are_clusters_drawn else "multiplier bootstrap"
    draws = f", by a {kind} of {answer.request.n_draws:,} draws" if answer.request.n_draws else ""
    yield from wrapped(f"Clustered by {answer.clustered_by}{draws}. {answer.assumes}", "  ")
    reason = "" if clusters.is_few else " " + as_sentence(advice.reason)
    named = "none" if advice.inference == "unavailable" else advice.inference
    yield from wrapped(
        f"Recommended for {count_of(clusters.n_treated, 'treated cluster')} and "
        f"{count_of(clusters.n_comparison, 'comparison cluster')}: {named}.{reason}{_followed(answer)}",
        "  ",
    )


def _followed(answer: DidAnswer) -> str:
    """Return where the overall effect's interval is not of the kind recommended."""
    supported, made = answer.recommendation.inference, answer.inference
    if supported in ("unavailable", made.method):
        return " The overall effect has no interval of it." if isinstance(made.interval, Unavailable) else ""
    if isinstance(made.interval, Unavailable):
        return " The overall effect has no interval of it."
    return f" The interval of the overall effect is from {made.method}" + (
        ", which compares in the same way but takes no account of size." if supported == "Conley–Taber" else "."
    )
