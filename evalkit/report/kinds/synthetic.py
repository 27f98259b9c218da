"""What documents show of a synthetic control: who was followed, the series, the gap among placebos, how it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from evalkit.core.formats import Precision, as_sentence, decimals_for, level_text, number, p_equals
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted, listed
from evalkit.design.analysis_plan import AnalysisPlan, details_of
from evalkit.design.kinds.synthetic import SyntheticOutcome, SyntheticPlan, notes_of
from evalkit.diagnose.evaluation import AnalysisResults
from evalkit.diagnose.kinds.synthetic import (
    PooledStudy,
    SyntheticFindings,
    SyntheticOutcomeResults,
    treated_names,
)
from evalkit.diagnose.kinds.synthetic_checks import METHOD_NAMES
from evalkit.estimate.synthetic.study import AreaStudy
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure, Heading, Part, Parts, Prose, sentences
from evalkit.report.border.table import Column, measured
from evalkit.report.tables import synthetic as of_areas
from evalkit.report.tables.data import plain
from evalkit.report.tables.matched import match_findings_table
from evalkit.report.words.names import capital
from evalkit.report.words.synth import how_unusual

_MOST_IDS: Final = 8
_WEIGHTED: Final = {
    "sc": "Donors are weighted so that their average follows the outcome in every year before the start (Abadie, "
    "Diamond and Hainmueller, 2010); weights are not negative and sum to one.",
    "augmented": "Donors are weighted as by a synthetic control, and what it misses before the start is predicted "
    "away by ridge regression (Ben-Michael, Feller and Rothstein, 2021); weights sum to one, and may be negative.",
    "sdid": "Donors are weighted to be parallel to the treated series before the start, and years before the start to "
    "be like those after it (Arkhangelsky and others, 2021).",
}
_POOLED: Final = (
    "Each treated area has weights of its own, over donors that never start; they are found together, so that the mean "
    "of the areas is followed as well as each (Ben-Michael, Feller and Rothstein, 2022)."
)
_ONE_SHOCK: Final = (
    "Anything else that happened to the treated alone, and to no donor, at the time of the start cannot be told from "
    "the programme."
)


def synthetic_of(results: AnalysisResults) -> SyntheticFindings:
    """Return what the kind's own pipeline found."""
    return details_of(results, SyntheticFindings)


def plan_of(plan: AnalysisPlan) -> SyntheticPlan:
    """Return the kind's own plan."""
    return details_of(plan, SyntheticPlan)


# What stands in the front, the summary and the body.


def units(plan: AnalysisPlan) -> str:
    """Return what the effects of this kind count, in the plural."""
    return "areas"


def _names(one: SyntheticOutcome, most: int = _MOST_IDS) -> str:
    return listed([one.before.series.name(area) for area in one.before.treated], most)


def _when(one: SyntheticOutcome) -> str:
    years = sorted(set(one.starts.values()))
    if len(years) == 1:
        return f"from {years[0]} on"
    return f"from their own starts on ({listed([str(year) for year in years], 12)})"


def whom(plan: AnalysisPlan) -> str:
    """Return whom the evaluation is about, in a sentence."""
    first = plan_of(plan).outcomes[plan.project.primary.code]
    return (
        f"About {_names(first)}, {_when(first)}, compared with an average of up to "
        f"{counted(len(first.donors), 'other area')}."
    )


def estimand(plan: AnalysisPlan) -> dict[str, str]:
    """Return the rows of the estimand table that this kind has words of its own for."""
    found = plan_of(plan)
    first = found.outcomes[plan.project.primary.code]
    over = "years from the start on" if first.how != "pooled" else "years since the start that all of them have"
    return {
        "population": f"{capital(_names(first, 12))}, whole.",
        "treatment": f"{plan.project.programme.name}, {_when(first)}.",
        "comparator": (
            f"An average of {len(first.donors):,} areas without the programme, by weights that follow the treated "
            f"{'area' if first.how == 'one' else 'areas'} in {_years(first)}."
        ),
        "summary": f"The mean, over the {over}, of what was measured less that average.",
        "leavers": "Areas that lack a year are no donors.",
    }


def _years(one: SyntheticOutcome) -> str:
    years = one.before.series.periods
    return str(years[0]) if len(years) == 1 else f"the {len(years)} years {years[0]} to {years[-1]}"


def would_have(results: AnalysisResults) -> str:
    """Return what the answer rests on."""
    return "would have gone on moving as the weighted average of donors did"


def answer(results: AnalysisResults) -> Prose:
    """Return the answer in a sentence or two, no stronger than what judges it allows."""
    return Prose((headline(synthetic_of(results).primary),), "headline")


def headline(one: SyntheticOutcomeResults) -> str:
    """Return the effect in a sentence that claims no more than the design allows."""
    quoted, who = one.quoted, treated_names(one)
    if isinstance(quoted.estimate, Unavailable):
        return f"{one.label}, {who}: no effect can be given. {as_sentence(quoted.estimate.reason)}"
    made = precision_of(one)
    size = made.number(abs(quoted.estimate))
    apart = f"{size} {one.unit} {'higher' if quoted.estimate > 0 else 'lower'} than"
    if size == made.number(0.0):
        apart = "as high as"
    beside = "its synthetic counterpart" if one.plan.how == "one" else "their synthetic counterparts"
    alike = (
        "it would have moved as the weighted donors did" if one.plan.how == "one" else "they would have moved as theirs"
    )
    told = f"{one.label}: {_when(one.plan)} {who} stood {apart} {beside}{_sure(one, made)}"
    return f"{told}, an effect if without the programme {alike}. {_unsure(one)}".strip()


def _sure(one: SyntheticOutcomeResults, made: Precision) -> str:
    quoted = one.quoted
    parts = []
    if isinstance(quoted.interval, Interval):
        parts.append(f"{level_text(quoted.interval.level)} interval {made.interval(quoted.interval)}")
    if not isinstance(quoted.p_value, Unavailable):
        parts.append(f"placebo {p_equals(quoted.p_value)}")
    return f" ({', '.join(parts)})" if parts else ""


def _unsure(one: SyntheticOutcomeResults) -> str:
    """Return what keeps a reader from taking the estimate for a finding, where something does."""
    p, interval = one.quoted.p_value, one.quoted.interval
    if isinstance(p, Unavailable):
        return f"How unusual that is cannot be given. {as_sentence(p.reason)}"
    among = one.ranked_among
    if p > 0.10:
        return f"That is not unusual among {among}."
    if isinstance(interval, Interval) and 0.0 in interval:
        return f"The error after the start is unusual among {among}, the gap is not: the interval includes zero."
    return ""


def precision_of(one: SyntheticOutcomeResults) -> Precision:
    """Return how finely the numbers of an outcome are written."""
    if isinstance(one.study, AreaStudy):
        return Precision.of(one.study.space.std_error, one.study.synthetic.pre_fit.spread / 20)
    if one.pooled is not None:
        gaps = one.pooled.placebos.estimates
        return Precision.of(float(gaps.std()) if len(gaps) else one.pooled.control.spread / 20)
    return Precision.of(max((abs(mean.treated) for mean in one.means), default=1.0) / 20)


def summary_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the treated series beside the synthetic one, drawn."""
    return (series_figure(results),)


def comparison(results: AnalysisResults) -> Prose:
    """Return who was compared with whom."""
    one, plan = synthetic_of(results).primary, plan_of(results.plan)
    who = treated_names(one)
    if isinstance(one.quoted.estimate, Unavailable) and one.pooled is None and isinstance(one.study, Unavailable):
        return sentences(
            f"{capital(who)} could be compared with {counted(len(one.plan.donors), 'other area')}; no weights are made."
        )
    verb = "is" if one.plan.how == "one" else "are"
    average = "weighted averages" if one.pooled is not None else "a weighted average"
    many = f"{capital(who)} {verb} compared with {average} of {_weighing(one)}."
    how = _POOLED if one.pooled is not None else _WEIGHTED[plan.choices.method]
    return sentences(many, how, _followed_beside(one.plan))


def _weighing(one: SyntheticOutcomeResults) -> str:
    """Return how many donors there are and which weigh most."""
    if isinstance(one.study, Unavailable):
        return counted(one.n_donors, "donor")
    weights = one.study.synthetic.weight_of
    heavy = sorted((donor for donor in weights if weights[donor] > 1e-3), key=lambda donor: -weights[donor])
    told = listed([f"{donor} ({number(100 * weights[donor], 0)}%)" for donor in heavy[:4]], 4)
    return f"{counted(one.n_donors, 'donor')}, of which {len(heavy):,} have weight, most of it {told}"


def _followed_beside(one: SyntheticOutcome) -> str:
    names = list(map(str, one.features.columns))
    return f"Beside the outcome the weights follow {listed(names)}, each as much as one year." if names else ""


def certainty(results: AnalysisResults) -> Prose:
    """Return how sure the answer is, and why."""
    found = synthetic_of(results)
    one = found.primary
    told = [as_sentence(results.reason), *_fit_and_placebos(one)]
    if isinstance(one.quoted.interval, Interval) and plan_of(results.plan).choices.method != "sdid":
        told.append(
            "The p-value ranks how much larger the error is after the start than before it; the interval ranks the gap "
            "itself, and donors that are followed badly make it wide. The two can disagree."
        )
    elif isinstance(one.quoted.interval, Unavailable) and not isinstance(one.quoted.estimate, Unavailable):
        told.append(f"No interval: {as_sentence(one.quoted.interval.reason)}")
    return Prose(tuple(dict.fromkeys(told)), "list")


def _fit_and_placebos(one: SyntheticOutcomeResults) -> Iterator[str]:
    if isinstance(one.study, AreaStudy):
        yield as_sentence(one.study.synthetic.pre_fit.sentence)
        yield from how_unusual(_as_shown(one), precision_of(one)).sentences
        yield from one.study.space.notes
    elif one.pooled is not None:
        yield from map(as_sentence, one.pooled.control.notes)


def _as_shown(one: SyntheticOutcomeResults) -> AreaStudy:
    """Return a study with conformal inference only where there are periods enough for it."""
    from dataclasses import replace

    assert isinstance(one.study, AreaStudy)
    shown, moved = one.conformal, one.study.conformal
    if not isinstance(shown, Unavailable):
        return one.study
    return replace(one.study, conformal=replace(moved, p_value=shown, interval=shown, by_period=(), notes=()))


def limits(results: AnalysisResults) -> Prose:
    """Return what the analysis cannot do."""
    one = synthetic_of(results).primary
    if one.plan.refused:
        return Prose((as_sentence(one.plan.refused), _only_before(one.plan)), "list")
    told = [
        _ONE_SHOCK,
        "A donor that the programme reached, or that had a programme of its own, hides part of an effect or makes one.",
    ]
    n_disjoint = one.study.space.n_disjoint if isinstance(one.study, AreaStudy) else None
    if n_disjoint is not None:
        told.append(
            f"At most {counted(n_disjoint, 'set')} of areas that lie together as the treated do and have none in "
            f"common can be found: no result could have a p-value below 1/{n_disjoint + 1}, whatever happened."
        )
    elif one.plan.how != "one":
        told.append(
            "Placebos are sets of donors from anywhere. Treated areas that lie together also move together, so that a "
            "p-value from such sets may be too small."
        )
    if len(one.plan.donors) + 1 < 20:
        told.append("With so few donors no result can have a p-value of 0.05.")
    return Prose(tuple(told), "list")


def _only_before(plan: SyntheticOutcome) -> str:
    """Return what may be asked of a series with few years before."""
    years = counted(plan.n_before, "year")
    shows = "one year shows nothing of that" if plan.n_before == 1 else "so few years show little of that"
    return (
        f"With {years} before the start the change since then can be compared with that of other areas, by an analysis "
        f"of another kind. Such a difference-in-differences rests on areas that would have moved alike, and {shows}."
    )


# The plan, before outcomes.


def equation(plan: AnalysisPlan) -> tuple[str, ...]:
    """Return the estimate as an equation, and what its letters mean."""
    return (
        "T = (1/n₁) Σ_{t ≥ t₀} (xₜ − Σⱼ wⱼ Xₜⱼ)",
        "xₜ: the treated area in year t; Xₜⱼ: donor j; wⱼ: its weight, of the years before alone; t₀: the first "
        f"treated year, n₁ the years from it on. Method: {plan_of(plan).choices.method}.",
    )


def design_parts(plan: AnalysisPlan) -> tuple[Part, ...]:
    """Return who is followed, who may be a donor, and with what weight by the years before, of the plan."""
    return tuple(_design(plan_of(plan), plan.project.primary.code))


def design_shown(plan: AnalysisPlan) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(design_parts(plan))


def _design(plan: SyntheticPlan, primary: str) -> Iterator[Part]:
    yield areas_table(plan)
    first = plan.outcomes[primary]
    how = _POOLED if first.how == "pooled" else _WEIGHTED[plan.choices.method]
    yield sentences(
        "" if first.refused else how,
        _followed_beside(first),
        "" if first.partial_year is None else f"{first.partial_year} counts as neither before nor after.",
        as_sentence(first.refused) if first.refused else "",
        *plan.cautions,
    )
    if first.weights is not None:
        yield locked_weights(first)
    notes = tuple(notes_of(first.dropped))
    if notes:
        yield Prose(notes, "list")


def areas_table(plan: SyntheticPlan) -> ReleasedTable:
    """Return, for each outcome, who is followed from when and how many donors there may be."""
    columns = (
        Column("outcome", "Outcome"),
        Column("treated", "Treated"),
        Column("start", "First treated year"),
        Column("before", "Years before", "count"),
        Column("donors", "Possible donors", "count"),
    )
    rows = [
        (
            one.before.label,
            _names(one),
            listed([str(year) for year in sorted(set(one.starts.values()))], 12),
            one.n_before,
            len(one.donors),
        )
        for one in plan.outcomes.values()
    ]
    return plain("Who is followed, and from whom the comparison is made", columns, rows)


def locked_weights(one: SyntheticOutcome) -> ReleasedTable:
    """Return the weights by the years before the start alone."""
    weights = {one.before.series.name(area): weight for area, weight in (one.weights or {}).items()}
    heavy = sorted((area for area in weights if abs(weights[area]) > 1e-6), key=lambda area: -abs(weights[area]))
    columns = (Column("donor", "Donor"), Column("weight", "Weight", "number", decimals=3))
    rows = [(area, weights[area]) for area in heavy[:15]]
    more = len(heavy) - 15
    notes = ("Found before any outcome after the start was read.", f"{more} more weigh less." if more > 0 else "")
    return plain("Weights by the years before the start", columns, rows, notes)


# The answer.


def answer_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return the answer in a sentence, the effect on every outcome, and the gap among those of placebos."""
    found = synthetic_of(results)
    figure = gaps_figure(results)
    return (sentences(headline(found.primary)), outcomes_table(found), *((figure,) if figure is not None else ()))


def answer_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(answer_parts(results))


def outcomes_table(found: SyntheticFindings) -> ReleasedTable:
    """Return the effect on each outcome, with what judges it."""
    intervals = [one.quoted.interval for one in found.outcomes if isinstance(one.quoted.interval, Interval)]
    level = level_text(intervals[0].level) if intervals else "95%"
    sizes = [(one.upper - one.lower) / 4 for one in intervals]
    estimates = [abs(e) for one in found.outcomes if not isinstance(e := one.quoted.estimate, Unavailable)]
    made = Precision(decimals_for(*(sizes or estimates)))
    columns = (
        Column("outcome", "Outcome"),
        measured("effect", "Effect", "estimate", made),
        measured("interval", f"{level} interval", "interval", made),
        Column("p", "Placebo p", "p"),
        Column("ranked", "Ranked among, the treated counted", "count"),
        Column("donors", "Donors", "count"),
        Column("before", "Years before", "count"),
    )
    rows = [
        (
            f"{one.label} ({one.unit})",
            one.quoted.estimate,
            one.quoted.interval,
            one.quoted.p_value,
            one.quoted.n_ranked,
            one.n_donors,
            one.plan.n_before,
        )
        for one in found.outcomes
    ]
    return plain("The effect from the start on", columns, rows)


def series_figure(results: AnalysisResults) -> Figure:
    """Return the treated series and the synthetic one; means alone where no weights are made."""
    from evalkit.report.figures import areas, synthetic

    one = synthetic_of(results).primary
    if isinstance(one.study, AreaStudy):
        return areas.synthetic_plot(one.study.synthetic)
    if one.pooled is not None:
        return synthetic.pooled_plot(one.pooled, one.label, one.unit)
    return synthetic.means_plot(one, treated_names(one) if one.plan.how == "one" else "mean of the treated areas")


def gaps_figure(results: AnalysisResults) -> Figure | None:
    """Return the gap among those of placebos, None where there are none, or the series' figure shows them."""
    from evalkit.report.figures.areas import gaps_plot

    one = synthetic_of(results).primary
    return gaps_plot(one.study.synthetic, one.study.space) if isinstance(one.study, AreaStudy) else None


def years_shown(results: AnalysisResults) -> Parts:
    """Return the primary outcome year by year, or by time since the start, and the weights behind it."""
    return Parts(tuple(_years_and_weights(synthetic_of(results).primary)))


def _years_and_weights(one: SyntheticOutcomeResults) -> Iterator[Part]:
    if one.pooled is not None:
        yield by_event_time(one.pooled, precision_of(one))
        yield by_area(one.pooled, precision_of(one))
    elif isinstance(one.study, AreaStudy):
        moved = one.conformal
        yield of_areas.gaps(one.study.synthetic, None if isinstance(moved, Unavailable) else moved, precision_of(one))
        yield of_areas.donor_weights(one.study.synthetic)
    else:
        yield means_table(one)


def means_table(one: SyntheticOutcomeResults) -> ReleasedTable:
    """Return what was measured, year by year."""
    made = precision_of(one)
    columns = (
        Column("year", "Year"),
        measured("treated", "Treated, mean", "estimate", made),
        measured("donors", "Donors, plain mean", "estimate", made),
    )
    rows = [(str(mean.year), mean.treated, mean.donors) for mean in one.means]
    note = f"The programme began in {min(one.plan.starts.values())}. Donors here have every year."
    return plain("What was measured", columns, rows, (note,))


def by_event_time(pooled: PooledStudy, made: Precision) -> ReleasedTable:
    """Return the mean gap by time since the start, over the areas that have it."""
    columns = (
        Column("time", "Years since the start", "label"),
        measured("gap", "Mean gap", "estimate", made),
        Column("areas", "Areas", "count"),
    )
    rows = [(str(one.event_time), one.gap, one.n_areas) for one in pooled.control.by_event_time]
    n = pooled.control.fit.n_leads
    note = f"The effect that is quoted is the mean of years 0 to {n - 1}, which all areas have."
    return plain("By time since the start", columns, rows, (note,))


def by_area(pooled: PooledStudy, made: Precision) -> ReleasedTable:
    """Return each treated area's own effect, how closely it is followed, and what the mean is without it."""
    columns = (
        Column("area", "Area"),
        Column("start", "First treated year"),
        measured("effect", "Own effect", "estimate", made),
        Column("fit", "Error before, in donors' SDs", "number"),
        measured("without", "Mean effect without it", "estimate", made),
        Column("weights", "Donors that weigh most"),
    )
    none = pooled.control.estimate
    rows = [
        (
            str(one.area),
            str(one.start),
            none if isinstance(none, Unavailable) else one.estimate,
            one.pre_ratio,
            none if isinstance(none, Unavailable) else pooled.without_area[one.area],
            _heaviest(one.weights),
        )
        for one in pooled.control.by_area
    ]
    note = "An area's own effect is its mean gap over all its years from its start on, less sure than the mean of all."
    return plain("By area", columns, rows, (note,))


def _heaviest(weights: dict[object, float]) -> str:
    heavy = sorted((donor for donor in weights if weights[donor] > 5e-3), key=lambda donor: -weights[donor])[:3]
    return listed([f"{donor} ({number(100 * weights[donor], 0)}%)" for donor in heavy], 3)


# What could be wrong.


def review_parts(results: AnalysisResults) -> tuple[Part, ...]:
    """Return what could be wrong: the weights, the placebos, one donor or area left out, other methods."""
    return tuple(_review(results))


def review_shown(results: AnalysisResults) -> Parts:
    """Return the same as what one cell of a notebook shows."""
    return Parts(review_parts(results))


def _review(results: AnalysisResults) -> Iterator[Part]:
    one = synthetic_of(results).primary
    yield from _years_and_weights(one)
    if isinstance(one.study, AreaStudy):
        yield of_areas.placebo_in_space(one.study.space)
        if not isinstance(one.study.left_out, Unavailable):
            yield of_areas.without_each_donor(one.study.left_out)
        if not isinstance(one.conformal, Unavailable):
            yield of_areas.conformal(one.conformal)
        if one.study.synthetic.notes:
            yield Prose(tuple(map(as_sentence, one.study.synthetic.notes)), "list")
    if one.pooled is not None and not isinstance(one.pooled.left_out, Unavailable):
        yield of_areas.without_each_donor(one.pooled.left_out)
    if one.beside:
        yield methods_table(one, plan_of(results.plan).choices.method)
    yield Heading(3, "What was left out, and why?")
    yield _lost(one)


def _lost(one: SyntheticOutcomeResults) -> Prose:
    dropped = one.plan.dropped
    if isinstance(one.study, AreaStudy):
        dropped = one.study.synthetic.design.dropped
    elif one.pooled is not None:
        dropped = one.pooled.control.design.dropped
    notes = tuple(notes_of(dropped))
    return Prose(notes, "list") if notes else sentences("Nothing.")


def methods_table(one: SyntheticOutcomeResults, method: str) -> ReleasedTable:
    """Return the effect by the method that is quoted and by the others."""
    known = [abs(e) for e in one.beside.values() if not isinstance(e, Unavailable)]
    columns = (
        Column("method", "Method"),
        measured("effect", "Effect", "estimate", Precision(decimals_for(*known))),
    )
    rows = [(f"{METHOD_NAMES[method]} (quoted)", one.quoted.estimate)]
    rows += [(METHOD_NAMES.get(name, name), estimate) for name, estimate in one.beside.items()]
    return plain("The effect by other ways of weighting donors", columns, rows)


# Files.


def tables(results: AnalysisResults) -> dict[str, ReleasedTable]:
    """Return every table of the analysis by the name of its file."""
    found, plan = synthetic_of(results), plan_of(results.plan)
    one = found.primary
    made = {
        "areas": areas_table(plan),
        "outcomes": outcomes_table(found),
        "findings": match_findings_table(results.findings, "schools"),
    }
    if one.plan.weights is not None:
        made["weights_before"] = locked_weights(one.plan)
    if one.pooled is not None:
        made["by_event_time"] = by_event_time(one.pooled, precision_of(one))
        made["by_area"] = by_area(one.pooled, precision_of(one))
    elif isinstance(one.study, AreaStudy):
        made["gaps"] = of_areas.gaps(one.study.synthetic, None, precision_of(one))
        made["weights"] = of_areas.donor_weights(one.study.synthetic)
    else:
        made["means"] = means_table(one)
    if one.beside:
        made["methods"] = methods_table(one, plan.choices.method)
    return made


def figures(results: AnalysisResults) -> dict[str, Callable[[], Figure | None]]:
    """Return what draws each figure of the analysis, by the name of its files."""
    return {"series": partial(series_figure, results), "gaps": partial(gaps_figure, results)}
