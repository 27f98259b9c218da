"""What missing results could do to an analysis of any kind: every outcome that it gives, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from evalkit.core.formats import interval_text, visible
from evalkit.core.missing import Missing
from evalkit.core.project import Project
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.shown import Shown
from evalkit.core.words import listed
from evalkit.data.measures import measure_of
from evalkit.diagnose.finding import DIFFERENTIAL, Finding, FindingKind, banded, design_fact, not_assessable, statement
from evalkit.diagnose.missing.extremes import SMALL_SCHOOLS
from evalkit.diagnose.missing.sample import Judged, MissingSample
from evalkit.diagnose.missing.what_if import HOLDS_ZERO, ArmLosses, MissingOutcome, WhatIf, what_if
from evalkit.estimate.effect import Effect

ATTRITION: Final = "missing_after"
RESULTS: Final = "missing_results"
NOTHING_MISSING: Final = "Nothing that was declared changes the estimate: no {one} with a result before lacks one."
_NAMES: Final = {"imputed": "imputed", "worst": "at worst", "best": "at best", "bounds": "trimmed"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MissingResults(Shown):
    """What missing results could do to each outcome that an analysis estimates, under what the project declares."""

    project: Project
    choices: Missing
    outcomes: tuple[MissingOutcome, ...]

    @property
    def primary(self) -> MissingOutcome | None:
        """Return that of the primary outcome, None where it is not estimated."""
        return next((one for one in self.outcomes if one.outcome == self.project.primary.code), None)


def missing_results(
    project: Project, samples: Iterable[MissingSample], effects: Iterable[Effect]
) -> MissingResults | Unavailable:
    """Return what missing results could do, each analysis judged by the inference that it is quoted by."""
    main = {one.outcome: one for one in effects if one.is_main}
    found = []
    for sample in samples:
        effect = main.get(sample.outcome)
        if effect is not None and not isinstance(effect.estimate, Unavailable):
            level = project.inference.level
            found.append(what_if(sample, Judged.of(effect), project.missing, project.seed, level))
    if not found:
        return Unavailable("No outcome that the programme aimed at is estimated: missing results move no answer.")
    return MissingResults(project=project, choices=project.missing, outcomes=tuple(found))


def missing_findings(found: MissingResults | Unavailable, beside: Iterable[Finding]) -> Iterator[Finding]:
    """Yield what is said of missing results of the primary outcome.

    How far the arms differ in the share lost is a fact of the design, held against fixed thresholds; it is left to the
    kind's own check of attrition among those `beside`, where there is one. What the estimate would be is a statement:
    no verdict depends on how large an effect is.
    """
    if isinstance(found, Unavailable) or found.primary is None:
        reason = found.reason if isinstance(found, Unavailable) else "The primary outcome is not estimated."
        yield not_assessable(RESULTS, reason)
        return
    if not any(one.name == "attrition" for one in beside):
        yield _lost(found.primary)
    yield _statement(found.project, found.primary)


def _lost(found: MissingOutcome) -> Finding:
    if isinstance(found.differential, Unavailable):
        return not_assessable(ATTRITION, found.differential.reason, FindingKind.DESIGN_FACT)
    shares = [one.share_lost for one in found.losses]
    treated, comparison = (visible(100 * one, 1) for one in shares if isinstance(one, float))
    sentence = (
        f"Of those with a result in every year before, {treated}% of the {found.words.treated} and {comparison}% of "
        f"the {found.words.comparison} {found.words.many} lack one afterwards."
    )
    apart = abs(found.differential)
    return design_fact(ATTRITION, banded(apart, *DIFFERENTIAL), apart, sentence)


def _statement(project: Project, found: MissingOutcome) -> Finding:
    """Say between which numbers the estimate lies, how far the intervals reach together, and what would tip them."""
    ends: list[float] = []
    reach: list[float] = []
    named = []
    for row in found.rows:
        own = _ends(row)
        ends += own
        if isinstance(row.interval, Interval):
            reach += [row.interval.lower, row.interval.upper]
        if own and row.assumption in _NAMES:
            only = "suppressed ones " if row.assumption == "worst" and found.words.end == SMALL_SCHOOLS.row else ""
            named.append(only + _NAMES[row.assumption])
    published = found.rows[0].estimate
    if not named or isinstance(published, Unavailable) or not any(_is_incomplete(one) for one in found.losses):
        nothing = _why_nothing(found)
        return statement(RESULTS, Unavailable(nothing), nothing)
    unit = found.words.unit or measure_of(project, found.outcome).unit
    apart = max(abs(one - published) for one in ends)
    sentence = (
        f"With missing results {listed(named)}, the estimate lies between {visible(min(ends))} and "
        f"{visible(max(ends))} {unit}, where the published ones give {visible(published)}"
    )
    if reach:
        level = next(row.interval.level for row in found.rows if isinstance(row.interval, Interval))
        sentence += f"; all intervals together reach from {interval_text(Interval(min(reach), max(reach), level))}"
    return statement(RESULTS, apart, f"{sentence}. {_tipping_words(found, unit)}".strip())


def _why_nothing(found: MissingOutcome) -> str:
    """Return why no row stands beside the answer: nothing is missing, or what cannot be said and why."""
    reasons = [row.lower.reason for row in found.rows if isinstance(row.lower, Unavailable)]
    if not any(_is_incomplete(one) for one in found.losses):
        return NOTHING_MISSING.format(one=found.words.one)
    return " ".join(dict.fromkeys(reasons)) or "The project leaves out what could be said of missing results."


def _is_incomplete(one: ArmLosses) -> bool:
    """Return whether somebody of an arm lacks a result; what is not told is of somebody."""
    counts = (*one.lost.values(), one.lacking_before)
    return any(isinstance(n, Unavailable) or n > 0 for n in counts)


def _ends(row: WhatIf) -> list[float]:
    return [end for end in (row.lower, row.upper) if not isinstance(end, Unavailable)]


def _tipping_words(found: MissingOutcome, unit: str) -> str:
    shift = found.tipping.shift
    if isinstance(shift, Unavailable):
        return HOLDS_ZERO if shift.reason == HOLDS_ZERO else ""
    lower = "below" if shift < 0 else "above"
    return (
        f"The interval of imputed results would reach zero if the missing results of the {found.words.treated} "
        f"{found.words.many} lay {visible(abs(shift))} {found.words.result_unit or unit} {lower} what is imputed."
    )


def with_findings(beside: tuple[Finding, ...], found: MissingResults | Unavailable) -> tuple[Finding, ...]:
    """Return the findings of an analysis with those of missing results."""
    return (*beside, *missing_findings(found, beside))
