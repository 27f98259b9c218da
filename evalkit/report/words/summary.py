"""The page a commissioner reads first: the answer, who was compared, how sure it is and why, what it cost."""

from __future__ import annotations

from evalkit.core.formats import as_sentence, count, interval_text, lower_first, number, p_equals, pounds, visible
from evalkit.core.quantities import Interval, IntervalOrReason, Unavailable
from evalkit.core.words import counted, listed, possessive
from evalkit.data.published.school_lists import ROLL_YEAR
from evalkit.design.project.labels import (
    LEAD,
    LIST_LABEL,
    NEIGHBOURS,
    OWN_AREA,
    SETS_LIKE,
    SETS_SIMPLE,
    TREND_ADJUSTED,
    WHOLE_AREA,
)
from evalkit.diagnose.project.checks_trend import SHOCK
from evalkit.diagnose.project.evaluation import AreasResults, CostSummary
from evalkit.estimate.effect import Effect
from evalkit.report.border.parts import Prose
from evalkit.report.words.names import (
    clustered,
    is_invented,
    is_listed,
    months_long,
    one_per_design,
    phase,
    subject,
    surest,
    treated_areas,
)
from evalkit.report.words.sentences import PLAIN, given_baseline, points, rose

_MOST_NAMES = 6


def summary_answer(evaluation: AreasResults) -> Prose:
    """Return the answer in one sentence, no stronger than the interval allows, and what it cannot say."""
    is_told = not isinstance(evaluation.headline.estimate, Unavailable)
    return Prose((_answer(evaluation), *((_cause(evaluation),) if is_told else ())), "headline")


def _answer(evaluation: AreasResults) -> str:
    facts, who = evaluation.headline, _who(evaluation)
    what = lower_first(facts.measure_label)
    if isinstance(facts.estimate, Unavailable):
        return f"The data do not show how {what} changed in {who}: {lower_first(facts.estimate.reason).rstrip('.')}."
    best = f"{points(facts.estimate)} {'less' if facts.estimate < 0 else 'more'}"
    if not isinstance(facts.interval, Interval):
        return (
            f"The data do not show whether {what} rose by more in {who} than in similar areas: the best estimate is "
            f"{best}, and how far chance could have moved it is not known."
        )
    if facts.interval_contains_zero:
        return (
            f"The data do not show whether {what} rose by more in {who} than in similar areas: the best estimate is "
            f"{best}, but anything from {_ends(facts.interval)} fits the data."
        )
    size = points(facts.estimate)
    if not rose(evaluation):
        side = "below" if facts.estimate < 0 else "above"
        start = f"The change in {what} in {who} was {size} {side} that of similar areas"
    else:
        start = f"{facts.measure_label} in {who} rose by {best} than in similar areas"
    return f"{start}; anything from {_ends(facts.interval)} fits the data."


def _ends(interval: Interval) -> str:
    """Return both ends of an interval in words: `0.09 less to 1.97 more`."""
    ends = (interval.lower, interval.upper)
    if min(ends) < 0 < max(ends):
        return " to ".join(f"{visible(abs(end))} {'less' if end < 0 else 'more'}" for end in ends)
    nearest, furthest = sorted(ends, key=abs)
    return f"{visible(abs(nearest))} to {visible(abs(furthest))} {'less' if furthest < 0 else 'more'}"


def _who(evaluation: AreasResults) -> str:
    n = evaluation.headline.n_schools
    schools = f"{count(n)} {phase(evaluation.project, n)}"
    return (
        f"the {schools} of the programme"
        if is_listed(evaluation)
        else f"{possessive(evaluation.headline.place)} {schools}"
    )


def _cause(evaluation: AreasResults) -> str:
    where = "these schools" if is_listed(evaluation) else evaluation.headline.place
    return f"Whatever else changed in {where} over these years is part of that number."


def summary_comparison(evaluation: AreasResults) -> Prose:
    """Return who was compared with whom: schools, areas and years."""
    main, exposure = surest(evaluation), evaluation.project.exposure
    facts = evaluation.headline
    n = main.n_comparison if main else 0
    partial = (
        f"; {listed([str(year) for year in exposure.partial])}, with part of the programme, is left out"
        if exposure.partial
        else ""
    )
    participants = evaluation.project.participants
    return Prose(
        (
            f"{_treated(evaluation)} are compared with {count(n)} in {_areas(evaluation)}.",
            *(() if is_listed(evaluation) else (participants.whole_area_reason,)),
            f"The change compared is from {facts.pre_label} to {facts.post_label}{partial}.",
        )
    )


def _treated(evaluation: AreasResults) -> str:
    n = evaluation.headline.n_schools
    schools = f"{count(n)} {phase(evaluation.project, n)}"
    if is_listed(evaluation):
        who = schools if n >= _n_listed(evaluation) else f"{schools} analysed, of {count(_n_listed(evaluation))}"
        return f"The {who} listed as taking part, in {treated_areas(evaluation)},"
    return f"All {schools} of {evaluation.headline.place} with results count as treated and"


def _n_listed(evaluation: AreasResults) -> int:
    """Return how many schools with results at the primary outcome's key stage are listed as taking part."""
    return evaluation.flow.count(evaluation.project.primary.code, "treated", "listed")


def _areas(evaluation: AreasResults) -> str:
    areas = evaluation.design.areas
    names = [name for _, name in areas[0].comparison] if areas else []
    label = LIST_LABEL[evaluation.project.pool.neighbours]
    return (
        f"{counted(len(names), 'area')} that the Department for Education (DfE) lists as similar (its statistical "
        f"neighbours, {label}: {listed(names, _MOST_NAMES)})"
    )


def summary_certainty(evaluation: AreasResults) -> Prose:
    """Return how sure the answer is and why, in a few short sentences."""
    told = (
        _rank(evaluation),
        given_baseline(evaluation),
        _others(evaluation),
        _placebo(evaluation),
        _earlier(evaluation),
        _least(evaluation),
        _security(evaluation),
    )
    return Prose(tuple(sentence for sentence in told if sentence), "list")


def _rank(evaluation: AreasResults) -> str:
    facts = evaluation.headline
    if isinstance(facts.estimate, Unavailable):
        return ""
    main = evaluation.main_effect
    if is_listed(evaluation) or (main is not None and main.sets is not None):
        return _of_listed(evaluation)
    n, k, p = facts.n_areas, facts.n_as_large, facts.p_value
    if isinstance(n, Unavailable) or isinstance(k, Unavailable) or isinstance(p, Unavailable):
        return f"{possessive(facts.place)} change could not be set against that of other areas."
    allowing = "" if evaluation.project.inference.statistic == PLAIN else " for their school sampling error"
    if k == 1:
        return (
            f"Of {count(int(n))} areas only {facts.place} itself changed that much in either direction{allowing} "
            f"({p_equals(p)})."
        )
    return (
        f"{count(int(k))} of {count(int(n))} areas, {facts.place} among them, changed at least as much in either "
        f"direction{allowing} ({p_equals(p)})."
    )


def _others(evaluation: AreasResults) -> str:
    """Return over what the other comparisons of the table of estimates range, and for how many chance would do.

    The earlier trend continued is no comparison with other schools, and has its own sentence; other draws of sets, all
    schools of the area and those beside the listed ones answer other questions.
    """
    main = evaluation.project.primary.code
    aside = (NEIGHBOURS, TREND_ADJUSTED, SETS_SIMPLE, SETS_LIKE, WHOLE_AREA, OWN_AREA)
    others = [effect for effect in one_per_design(evaluation, main) if effect.design not in aside]
    known = [effect.estimate for effect in others if isinstance(effect.estimate, float)]
    if isinstance(evaluation.headline.estimate, Unavailable) or not known:
        return ""
    ends = [effect.interval for effect in others if isinstance(effect.interval, Interval)]
    start = f"Other reasonable comparisons give {visible(min(known))} to {visible(max(known))}"
    if len(known) == 1:
        start = f"Another reasonable comparison gives {visible(known[0])}"
    if not ends:
        return f"{start}, without intervals."
    return f"{start}; {_by_chance(sum(0.0 in interval for interval in ends), len(ends), len(known))}."


def _by_chance(n_could: int, n_with: int, n_all: int) -> str:
    """Return for how many of the comparisons with an interval chance alone could have made the difference.

    >>> _by_chance(6, 8, 8)
    'chance alone could explain 6 of these 8, and hardly the other 2'
    """
    of = f"the {count(n_with)} with an interval" if n_with < n_all else f"these {count(n_all)}"
    if n_with == 1:
        return f"chance alone {'could' if n_could else 'would hardly'} explain {'it' if n_all == 1 else of}"
    if n_could in (0, n_with):
        return f"chance alone {'could' if n_could else 'would hardly'} explain {'each' if n_could else 'any'} of {of}"
    return f"chance alone could explain {count(n_could)} of {of}, and hardly the other {count(n_with - n_could)}"


def _of_listed(evaluation: AreasResults) -> str:
    """Return what the interval of listed schools rests on, or why there is none."""
    effect = surest(evaluation)
    if effect is None or isinstance(effect.interval, Unavailable):
        return _no_interval(evaluation, effect)
    p = "" if isinstance(effect.p_value, Unavailable) else f" ({p_equals(effect.p_value)})"
    if effect.sets is not None:
        others = counted(effect.sets.n_areas - effect.sets.n_treated_areas, "other area")
        what = "draws of whole areas among" if effect.sets.is_whole else "sets drawn in"
        return f"The interval allows for what happens to whole areas, and rests on {what} {others}{p}."
    return (
        f"The interval allows for what happens to whole areas, and rests on the "
        f"{counted(effect.n_treated_clusters, 'area')} the schools lie in{p}."
    )


def _no_interval(evaluation: AreasResults, effect: Effect | None) -> str:
    """Return why listed schools have no interval: by sets where they were drawn, else by areas as clusters."""
    by_area = clustered(evaluation, "local_authority")
    leading = effect if effect is not None and effect.sets is not None else by_area or effect
    if leading is None or leading.inference == "permutation" or not isinstance(leading.interval, Unavailable):
        return "No interval is given: the schools are part of one area, and none can allow for what happens to an area."
    p = "" if isinstance(leading.p_value, Unavailable) else f" Without it, {p_equals(leading.p_value)}."
    return f"No interval is given. {as_sentence(leading.interval.reason)}{p}"


def _placebo(evaluation: AreasResults) -> str:
    facts = evaluation.headline
    placebo = facts.placebo_estimate
    if isinstance(placebo, Unavailable) or isinstance(facts.estimate, Unavailable) or not facts.placebo_label:
        return ""
    code = next((outcome.code for outcome in evaluation.project.outcomes if outcome.role == "placebo"), "")
    effect = surest(evaluation, code)
    interval = effect.interval if effect else Unavailable("No estimate was made.")
    start = (
        f"{facts.placebo_label}, not aimed at, {_gained(placebo)} {points(placebo)} on similar areas{_reach(interval)}"
    )
    doubt = "too uncertain to tell from none" if isinstance(interval, Interval) else "how uncertain is not known"
    if isinstance(interval, Interval) and 0.0 not in interval:
        doubt = "more than chance would"
    return f"{start}, {doubt}. {SHOCK.format(lower_first(facts.placebo_label))}"


def _gained(value: float) -> str:
    return "lost" if value < 0 else "gained"


def _reach(interval: IntervalOrReason) -> str:
    """Return an interval in brackets, or nothing where there is none."""
    return f" ({interval_text(interval)})" if isinstance(interval, Interval) else ""


def _reach_of(evaluation: AreasResults, design: str, period: str = "post") -> str:
    effect = evaluation.effect(evaluation.project.primary.code, design, period)
    return _reach(effect.interval) if effect else ""


def _earlier(evaluation: AreasResults) -> str:
    facts, pre = evaluation.headline, evaluation.project.exposure.pre
    if isinstance(facts.estimate, Unavailable):
        return ""
    if isinstance(facts.lead, Unavailable):
        return f"How {subject(evaluation)} moved before the programme cannot be seen."
    who = subject(evaluation)
    start = (
        f"From {facts.lead_label}, before the programme, {who} had {_gained(facts.lead)} "
        f"{points(facts.lead)} on similar areas{_reach_of(evaluation, LEAD, str(max(pre)))}"
    )
    if isinstance(facts.adjusted, Unavailable):
        return f"{start}."
    return f"{start}; had that gone on, {visible(facts.adjusted)}{_reach_of(evaluation, TREND_ADJUSTED)} would be left."


def _least(evaluation: AreasResults) -> str:
    entry = next((d for d in evaluation.detectable if d.outcome == evaluation.project.primary.code), None)
    if entry is None or (isinstance(entry.realised, Unavailable) and isinstance(entry.at_design, Unavailable)):
        return "The least effect that could have been detected cannot be given."
    least = max(value for value in (entry.realised, entry.at_design) if not isinstance(value, Unavailable))
    return (
        f"True effects under {points(least)} would often be missed; larger ones are detected at least four times in "
        "five."
    )


def _security(evaluation: AreasResults) -> str:
    rating = evaluation.rating
    if isinstance(rating.value, Unavailable):
        return "No rating of security is given, as the least detectable effect is not known."
    return (
        f"Security of the evidence, by this kit's reading of published criteria: {rating.label} (not a rating by the "
        "EEF)."
    )


def cost_in_short(evaluation: AreasResults) -> Prose:
    """Return the cost in all, for each school and pupil, and for a unit of effect only where that can be given."""
    summary = evaluation.cost
    if summary is None:
        return Prose(("The project file states no cost.",))
    start = "The project file says that the programme cost" if is_invented(evaluation) else "The programme cost"
    schools = (
        f"{start} {pounds(summary.total_gbp)}: {pounds(summary.per_school_gbp)} for each of the "
        f"{count(summary.schools)} schools it was spent on."
    )
    return Prose((schools, _by_pupil(evaluation, summary), _by_effect(summary)))


def _by_pupil(evaluation: AreasResults, summary: CostSummary) -> str:
    each, yearly, n = summary.per_pupil_gbp, summary.per_pupil_year_gbp, summary.n_pupils
    lacking = next((quantity for quantity in (n, each, yearly) if isinstance(quantity, Unavailable)), None)
    if lacking or isinstance(each, Unavailable) or isinstance(yearly, Unavailable) or isinstance(n, Unavailable):
        return as_sentence(lacking.reason if lacking else "No cost for each pupil is given")
    start = (
        f"With the mean roll of the listed schools ({number(n / summary.n_pupil_schools, 0)} pupils in {ROLL_YEAR})"
        if is_listed(evaluation)
        else f"Spread over the {count(n)} pupils of all {count(summary.n_pupil_schools)} schools of "
        f"{evaluation.headline.place} (on roll in {ROLL_YEAR})"
    )
    start = (
        f"{start} that is {_pounds(each)} a pupil, or {_pounds(yearly)} a year over {months_long(summary.years)} months"
    )
    if isinstance(summary.band, Unavailable):
        return f"{start}. {as_sentence(summary.band.reason)}"
    return f"{start}: {summary.band} on the EEF Toolkit's cost scale."


def _pounds(amount: float) -> str:
    """Return pounds as prose gives them, with pence under ten pounds."""
    return f"£{number(amount)}" if abs(amount) < 10 else pounds(amount)


def _by_effect(summary: CostSummary) -> str:
    ratio, ends = summary.per_tenth_sd_gbp, summary.per_tenth_sd_interval
    if isinstance(ratio, Unavailable) or isinstance(ends, Unavailable):
        return "The evidence supports no cost for a given gain."
    return (
        f"A tenth of a standard deviation cost {pounds(ratio)} a school ({pounds(ends.lower)} to "
        f"{pounds(ends.upper)} over the interval)."
    )
