"""Published scales as rules: each a function of the facts of a design, none of which is its estimate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalkit.core.formats import visible
from evalkit.core.plan_lock import NO_REASON, PlanKept
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.words import listed
from evalkit.diagnose.appraisal.judgement import MARYLAND, ROBINS, WWC, DesignFacts, Judgement
from evalkit.diagnose.finding import Finding, FindingKind, Verdict
from evalkit.diagnose.matched.balance_registry import ADJUSTABLE, SATISFIED, WwcClass, wwc_class

BASELINE: Final = ("balance", "baseline", "baseline_balance")
"""Checks whose statistic is the largest difference before the programme, in standard deviations."""
TRENDS: Final = (
    "pre_trend",
    "placebo_start",
    "before_the_start",
    "before_the_programme",
    "trend_before",
    "steadiness_before",
    "fit_before",
    "start_put_back",
)
COMPARABLE: Final = (*BASELINE, *TRENDS, "overlap", "dose_follows_need")
"""Checks that could show that treated and compared were not comparable before the programme."""
LOST: Final = ("attrition", "left_out", "units_lost")
SPREAD: Final = ("contamination", "partial_take_up")
MEASUREMENT: Final = ("breaks", "score_cap")
CLASSIFIED: Final = ("first_year", "areas_unknown")
_MANY_AREAS: Final = 20
"""Treated areas from which a shock to one of them is no longer most of the estimate: the kit's own line."""
_ORDER: Final = ("low", "moderate", "serious", "critical")
_OF_VERDICT: Final = {Verdict.REASSURING: "low", Verdict.CAUTION: "moderate", Verdict.SERIOUS: "serious"}


def checks_of(facts: DesignFacts, names: tuple[str, ...], *verdicts: Verdict) -> list[Finding]:
    """Return the checks of some names that have one of some verdicts."""
    return [one for one in facts.findings if one.name in names and one.verdict in verdicts]


def _named(findings: list[Finding]) -> str:
    return listed(list(dict.fromkeys(one.name.replace("_", " ") for one in findings)))


# The Maryland Scientific Methods Scale, as the What Works Centre for Local Economic Growth uses it.

_MARYLAND_RULE: Final = (
    "1 without a comparison group or without results before; 2 with both, or where participants are compared by dose; "
    "3 where in addition a check of earlier levels or trends was made that could have failed, and none is serious. "
    "Without random allocation or its like the kit gives no 4 or 5."
)


def maryland(facts: DesignFacts) -> Judgement:
    """Return the level of a design on the Maryland scale: 1, 2 or 3 (Sherman and others, 1997).

    The levels are those of the What Works Centre for Local Economic Growth, where a change before and after without a
    comparison is level 1. Nothing that the kit estimates is allocated at random, so that no design has 4 or 5.
    """
    level, why = _level(facts)
    return Judgement(scale=MARYLAND, domain="Design", judgement=f"level {level}", sentence=why, rule=_MARYLAND_RULE)


def _level(facts: DesignFacts) -> tuple[int, str]:
    if facts.against is None:
        return 1, "A change is set against nothing: there is no comparison group."
    if not facts.has_before:
        return 1, "Groups are compared after the programme alone."
    if facts.against == "doses":
        return 2, "Participants that had more are compared with participants that had less; all of them took part."
    serious = checks_of(facts, COMPARABLE, Verdict.SERIOUS)
    if serious:
        return 2, f"Changes are compared with those of others, but these were not shown to be like: {_named(serious)}."
    shown = checks_of(facts, COMPARABLE, Verdict.REASSURING, Verdict.CAUTION)
    if not shown:
        return 2, "Changes are compared with those of others, and no check could show whether these were comparable."
    return 3, f"Changes are compared with those of others that were comparable before by: {_named(shown)}."


# ROBINS-I of 2016, domain by domain.

_V2: Final = "The domains are those of Sterne and others (2016); the second version is a draft (November 2025)."


def robins(facts: DesignFacts) -> tuple[Judgement, ...]:
    """Return the seven domains of ROBINS-I (Sterne and others, 2016) and the overall risk of bias."""
    made = tuple(domain(facts) for domain in _DOMAINS)
    return (*made, _overall(made))


def _of(domain: str, judgement: str, sentence: str, rule: str) -> Judgement:
    return Judgement(scale=ROBINS, domain=domain, judgement=judgement, sentence=sentence, rule=rule)


def _confounding(facts: DesignFacts) -> Judgement:
    serious = checks_of(facts, COMPARABLE, Verdict.SERIOUS)
    shown = checks_of(facts, COMPARABLE, Verdict.REASSURING, Verdict.CAUTION)
    rule = (
        "Critical without a comparison group, or where two or more checks of comparability are serious; moderate where "
        f"checks were made, none is serious and the treated lie in {_MANY_AREAS} areas or more; else serious."
    )
    judgement = "serious"
    if facts.against is None:
        judgement, why = "critical", "Nothing tells the programme from whatever else changed."
    elif len(serious) > 1:
        judgement, why = "critical", f"Treated and compared differed before the programme: {_named(serious)}."
    elif serious:
        why = f"Treated and compared differed before the programme: {_named(serious)}."
    elif shown and (facts.n_treated_areas or 0) >= _MANY_AREAS:
        judgement, why = "moderate", f"Not allocated at random; comparable before by: {_named(shown)}."
    else:
        why = (
            "The programme was not allocated at random, and anything else that changed in the same areas at the same "
            "time is in the estimate."
        )
    return _of("Confounding", judgement, why, rule)


def _selection(facts: DesignFacts) -> Judgement:
    serious = checks_of(facts, LOST, Verdict.SERIOUS)
    rule = (
        "Who is analysed depends on results published after the start, moderate at best; serious where those left out "
        "for it are a serious finding."
    )
    if serious:
        return _of("Selection of participants", "serious", f"Many could not be analysed: {_named(serious)}.", rule)
    who = "Every eligible school of the area counts" if facts.counts_whole_area else "All that are listed count"
    why = f"{who}, but only those still there with results after the start are analysed."
    return _of("Selection of participants", "moderate", why, rule)


def _classification(facts: DesignFacts) -> Judgement:
    unsure = checks_of(facts, CLASSIFIED, Verdict.CAUTION, Verdict.SERIOUS)
    rule = "Low where the list of the treated is given; moderate where a start or an area had to be assumed."
    if unsure:
        return _of("Classification of interventions", "moderate", f"Assumed in part: {_named(unsure)}.", rule)
    if facts.counts_whole_area:
        why = (
            "The whole area counts as treated, which is the question asked; of the schools that took part it says "
            "nothing, and for them this would be serious."
        )
    else:
        why = "Participants come from a list supplied to this evaluation."
    return _of("Classification of interventions", "low", why, rule)


def _deviations(facts: DesignFacts) -> Judgement:
    rule = "As the check of spill-over or of take-up has it where that finds something; else there is no information."
    found = checks_of(facts, SPREAD, Verdict.CAUTION, Verdict.SERIOUS)
    if not found:
        why = "What was delivered in each school, and what comparison schools received, is not in these data."
        return _of("Deviations from intended interventions", "no information", why, rule)
    worst = _worst([_OF_VERDICT[one.verdict] for one in found])
    why = f"Not everyone had what the comparison supposes: {_named(found)}."
    return _of("Deviations from intended interventions", worst, why, rule)


def _missing(facts: DesignFacts) -> Judgement:
    found = checks_of(facts, LOST, *_OF_VERDICT)
    rule = "As the worst check of those lost has it: low, moderate for a caution, serious; no information without one."
    if not found:
        return _of("Missing data", "no information", "No check says how many results are lacking.", rule)
    worst = _worst([_OF_VERDICT[one.verdict] for one in found])
    return _of("Missing data", worst, f"By the checks of what was lost: {_named(found)}.", rule)


_MEASURED: Final = {
    "outside": ("low", "The primary outcome comes from tests or exams set and marked outside the schools."),
    "teachers": ("moderate", "The primary outcome is assessed by teachers who knew of the programme."),
    "own table": ("no information", "The primary outcome is from a table of the evaluators' own."),
}


def _measurement(facts: DesignFacts) -> Judgement:
    judgement, why = _MEASURED[facts.measured]
    rule = (
        "Low for tests and exams marked outside, moderate where teachers assess or the measure changed between years, "
        "no information for a table of the evaluators' own."
    )
    broken = checks_of(facts, MEASUREMENT, Verdict.CAUTION, Verdict.SERIOUS)
    if broken:
        judgement = _worst([judgement, *(_OF_VERDICT[one.verdict] for one in broken)])
        why = f"{why} How it is made changed between the years compared: {_named(broken)}."
    return _of("Measurement of outcomes", judgement, why, rule)


_REPORTED_RULE: Final = (
    "Low where the plan was locked before results were at hand and nothing differs; moderate where results were at "
    "hand by then, or all that differs has a reason; serious without a lock, where outcomes were read first, or where "
    "something differs without a reason."
)


def reported_result(kept: PlanKept) -> Judgement:
    """Return the risk that the result was selected among several, from the lock and what differs from it."""
    judgement, why = _reported(kept)
    return _of("Selection of the reported result", judgement, why, _REPORTED_RULE)


def _reported(kept: PlanKept) -> tuple[str, str]:
    if kept.lock is None:
        return "serious", "The plan was not locked: nothing shows that outcomes and comparisons were chosen first."
    if kept.lock.reports:
        return "serious", "The plan was locked after outcomes had been read."
    if any(one.reason == NO_REASON for one in kept.deviations):
        return "serious", "The plan was locked, and something differs from it without a reason."
    if kept.deviations:
        return "moderate", "The plan was locked before outcomes were read; what differs from it has a reason."
    if kept.lock.at_hand:
        return "moderate", "The plan was locked and kept, but results after the start were at hand by then."
    return "low", "The plan was locked before outcomes were read, and kept."


_DOMAINS: Final = (
    _confounding,
    _selection,
    _classification,
    _deviations,
    _missing,
    _measurement,
    lambda facts: reported_result(facts.kept),
)


def _worst(judgements: list[str]) -> str:
    known = [one for one in judgements if one in _ORDER]
    return max(known, key=_ORDER.index) if known else "no information"


def _overall(made: tuple[Judgement, ...]) -> Judgement:
    worst = _worst([one.judgement for one in made])
    unknown = [one.domain for one in made if one.judgement == "no information"]
    if unknown and worst in ("low", "moderate"):
        worst = "no information"
    rule = "That of the worst domain; no information where none is serious and one of them has none."
    return _of("Overall", worst, _V2, rule)


# The What Works Clearinghouse: what the kit can say of a design that was not allocated at random.

_CATEGORIES: Final = {
    WwcClass.SATISFIED: "satisfied",
    WwcClass.NEEDS_ADJUSTMENT: "adjust",
    WwcClass.NOT_SATISFIED: "fails",
}
"""The words of results.json."""
_MEANING: Final = {
    WwcClass.SATISFIED: f"At most {SATISFIED} satisfies the standard.",
    WwcClass.NEEDS_ADJUSTMENT: f"From {SATISFIED} to {ADJUSTABLE} the standard asks for statistical adjustment.",
    WwcClass.NOT_SATISFIED: f"Above {ADJUSTABLE} no adjustment satisfies the standard: the arms began too far apart.",
}
_BASELINE_RULE: Final = (
    f"The largest difference before: up to {SATISFIED} SD satisfied, up to {ADJUSTABLE} to be adjusted for, above that "
    "it fails."
)
_STANDING_RULE: Final = (
    "Does not meet the standards where one area alone is treated, there is no comparison group, or the baseline fails; "
    "could meet them with reservations where the baseline is known and does not fail; never without reservations, "
    "which asks for random allocation. The bounds on attrition are of such trials and are not used. The rule on single "
    "areas stands as the kit understands it (unverified)."
)


def baseline_category(smd: Quantity) -> str:
    """Return the What Works Clearinghouse's category of a baseline difference in standard deviations.

    >>> baseline_category(-0.2)
    'adjust'
    """
    return "not known" if isinstance(smd, Unavailable) else _CATEGORIES[wwc_class(smd)]


def wwc(facts: DesignFacts) -> Iterator[Judgement]:
    """Yield the category of the baseline, and the standing of the design as far as it follows from these facts."""
    worst = _largest(facts)
    if worst is None:
        category, why = "not known", "No baseline could be compared."
    else:
        category = baseline_category(worst)
        why = f"The largest difference before the programme is {visible(worst)} SD. {_MEANING[wwc_class(worst)]}"
    yield Judgement(scale=WWC, domain="Baseline", judgement=category, sentence=why, rule=_BASELINE_RULE)
    standing, why = _standing(facts, category)
    yield Judgement(scale=WWC, domain="Design", judgement=standing, sentence=why, rule=_STANDING_RULE)


def _largest(facts: DesignFacts) -> float | None:
    known = [abs(one.statistic) for one in facts.findings if one.name in BASELINE and isinstance(one.statistic, float)]
    return max(known) if known else None


def _standing(facts: DesignFacts, category: str) -> tuple[str, str]:
    fails = "does not meet the standards"
    if facts.against != "untreated":
        return fails, "There is no group without the programme."
    if facts.n_treated_areas == 1:
        return fails, "One area alone is treated: the programme cannot be told from the area."
    if category == "fails":
        return fails, "The arms began too far apart."
    if category == "not known":
        return "not known", "Without a baseline in standard deviations its standing is not known."
    return "could meet them with reservations", "Not allocated at random; a reviewer would decide."


def n_serious_facts(facts: DesignFacts) -> int:
    """Return how many design facts are serious: with the joint test, all that an indicative rating counts."""
    return sum(one.kind is FindingKind.DESIGN_FACT and one.verdict is Verdict.SERIOUS for one in facts.findings)
