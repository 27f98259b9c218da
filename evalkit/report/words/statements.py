"""What a report says on its face: whom it is about, what the numbers rest on, and what they cannot carry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from evalkit.core.formats import as_sentence, count, level_text, mean_of, number, visible, years_text
from evalkit.core.quantities import Unavailable
from evalkit.core.words import possessive
from evalkit.design.project.labels import LIST_LABEL, MATCHED, MATCHED_WITHOUT_OUTCOMES, age_of_lists
from evalkit.design.project.plan import BalanceRow, DesignStage
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.estimate.effect import Effect, EffectSize
from evalkit.report.border.parts import Prose
from evalkit.report.words.names import (
    clustered,
    has_several_areas,
    is_listed,
    one_per_design,
    subject,
    surest,
    treated_areas,
)

NOT_PRE_REGISTERED = "These choices were made with the data already public: the design was not pre-registered."


def synthetic_banner(place: str) -> str:
    """Return what stands above everything that was made from synthetic data."""
    return (
        "SYNTHETIC DATA. Every result here comes from an invented England that this kit makes for practice and "
        f"testing, and says nothing about {place} or any real school. What the project file says of the programme "
        "(dates, cost, claims, other programmes) is given as written there."
    )


def whom(stage: DesignStage | AreasResults) -> str:
    """Return whom the evaluation is about: a whole area with the dilution this implies, or named schools."""
    place = stage.project.programme.place
    if is_listed(stage):
        where = treated_areas(stage)
        whole = "the whole of these areas" if has_several_areas(stage) else "the whole area"
        return f"This report is about the schools listed as having taken part, in {where}, not about {whole}."
    return (
        f"This report evaluates the whole of {place}: every eligible school counts, whether or not it took part "
        "(“area-level intention to treat”), so that schools that did not take part dilute any effect. "
        f"{stage.project.participants.whole_area_reason}"
    )


def estimand(stage: DesignStage) -> dict[str, str]:
    """Return what is estimated where areas are compared, by the rows of the estimand table."""
    project, exposure = stage.project, stage.project.exposure
    return {
        "population": _population(stage),
        "comparator": "Schools of the areas that the Department for Education lists as similar (statistical "
        f"neighbours, list of {LIST_LABEL[project.pool.neighbours]}).",
        "summary": f"The mean change to {mean_of(exposure.post)} from {mean_of(exposure.pre)}, less the same change of "
        f"the comparison, {'each pupil' if project.estimation.weights == 'pupils' else 'each school'} weighing alike"
        f"{_left_out(exposure.partial)}.",
        "leavers": "Schools without a published result in every one of these years are left out, and counted by "
        "reason; a school that became an academy is followed as the same school.",
    }


def _population(stage: DesignStage) -> str:
    if is_listed(stage):
        return f"The schools listed as having taken part, in {treated_areas(stage)}, with results in every year."
    return (
        f"All eligible schools of {stage.project.programme.place}, whether or not they took part: an effect on some of "
        "them is diluted."
    )


def _left_out(partial: Sequence[int]) -> str:
    return f"; {years_text(sorted(partial))}, with part of the programme, is left out" if partial else ""


def how_to_read(evaluation: AreasResults) -> Prose:
    """Return what the numbers rest on: permutation, clustering, neighbours, effect sizes, months."""
    sentences = (
        _permutation(evaluation),
        _clustering_by_school(evaluation),
        _clustering_by_area(evaluation),
        _lists(evaluation),
        *_effect_size(evaluation),
    )
    return Prose(tuple(sentence for sentence in sentences if sentence), "list")


def areas_compared(design: DesignStage) -> Prose:
    """Return how old the neighbour lists are beside the programme."""
    return Prose((_lists(design),))


def matched_designs(evaluation: AreasResults) -> Prose:
    """Return how the two matched designs differ in what they assume, and how regression to the mean pulls each."""
    who = subject(evaluation)
    sentences = (
        _matched_estimates(evaluation),
        "They rest on different assumptions, and neither checks the other.",
        "With earlier outcomes among the matching variables, the assumption is ignorability: that "
        "schools alike in their "
        "noisy earlier scores, cohort size and region would have moved alike.",
        regression_to_the_mean(evaluation.design),
        "Without earlier outcomes among them, the assumption is parallel trends: that, whatever their "
        "level, the schools would "
        f"have moved in parallel. If {who} had been chosen because scores there happened to be low, their own recovery "
        "would push that estimate up.",
    )
    return Prose(tuple(sentence for sentence in sentences if sentence))


def regression_to_the_mean(design: DesignStage) -> str:
    """Return which way regression to the mean pushes the estimate from schools matched on earlier outcomes."""
    rows = [row for row in design.balance if _is_earlier_outcome(row, design)]
    whose = "The listed schools" if is_listed(design) else f"{possessive(design.project.programme.place)} schools"
    if not rows:
        return "Which way regression to the mean pushes it cannot be said: balance on earlier outcomes is not given."
    treated = sum(row.mean_treated for row in rows) / len(rows)
    pool = sum(row.mean_comparison_before for row in rows) / len(rows)
    below = treated < pool
    stands, moves, pushes = ("lower", "rise", "down") if below else ("higher", "fall", "up")
    return (
        f"{whose} scored {stands} than the pool before the programme ({number(treated)} against "
        f"{number(pool)} on "
        f"average), so schools matched to them are {stands} than usual partly by chance; they tend to "
        f"{moves} back towards "
        f"their own mean, which pushes this estimate {pushes}."
    )


def _is_earlier_outcome(row: BalanceRow, design: DesignStage) -> bool:
    main = design.project.primary.code
    return row.outcome == main and row.design == MATCHED and row.covariate.startswith((main, "pre_"))


def _matched_estimates(evaluation: AreasResults) -> str:
    effects = {effect.design: effect for effect in one_per_design(evaluation, evaluation.project.primary.code)}
    first, second = effects.get(MATCHED), effects.get(MATCHED_WITHOUT_OUTCOMES)
    if first is None or second is None:
        return ""
    return (
        f"Against schools matched on earlier outcomes too the estimate is {_value(first)}; against schools matched "
        f"without them it is {_value(second)}."
    )


def _value(effect: Effect) -> str:
    if isinstance(effect.estimate, Unavailable):
        return f"not available ({effect.estimate.reason.rstrip('.')})"
    return visible(effect.estimate)


def day_text(day: date) -> str:
    """Return a day as prose gives it: `1 February 2018`."""
    return f"{day.day} {day:%B %Y}"


def _permutation(evaluation: AreasResults) -> str:
    place = evaluation.project.programme.place
    main = evaluation.main_effect
    detail = main.permutation if main else None
    if detail is None and (is_listed(evaluation) or (main is not None and main.sets is not None)):
        return ""  # the headline has said it
    if detail is None:
        reason = (
            main.p_value.reason if main and isinstance(main.p_value, Unavailable) else "No area permutation was made."
        )
        return f"There is no comparison with the spread of changes across areas. {as_sentence(reason)}"
    return (
        f"The permutation compares {possessive(place)} change with the spread of changes across "
        f"{count(detail.n_areas)} areas, each "
        f"analysed the same way as if the programme had been there. It is exact only if any of these areas "
        f"had been as likely to be chosen as {place} (“exchangeability”). Its interval holds every effect that the "
        "test "
        f"does not reject at {level_text(1 - evaluation.project.inference.level)[:-1]} per cent, and "
        f"the smallest p-value it can give is {number(detail.smallest_p, 3)}."
    )


def _clustering_by_school(evaluation: AreasResults) -> str:
    effect = clustered(evaluation, "school")
    start = "A standard error clustered by school covers school sampling only; it excludes area shocks."
    if effect is None or isinstance(effect.std_error, Unavailable):
        return start
    return (
        f"{start} The one for the main estimate ({number(effect.std_error)}) is shown without a p-value for "
        f"that reason."
    )


def _clustering_by_area(evaluation: AreasResults) -> str:
    effect = clustered(evaluation, "local_authority")
    reason = effect.std_error.reason if effect and isinstance(effect.std_error, Unavailable) else ""
    default = (
        "With one treated local authority, nothing in its own schools tells a shock to that area from the programme."
    )
    if effect is not None and not reason:
        return (
            f"The interval clustered by local authority rests on {count(effect.n_treated_clusters)} treated areas. "
            f"{effect.method.partition('Clustered by local authority: ')[2]}"
        )
    return f"Clustering by local authority is unavailable. {as_sentence(reason or default)}"


def _lists(stage: DesignStage | AreasResults) -> str:
    return age_of_lists(stage.project)


def _effect_size(evaluation: AreasResults) -> tuple[str, ...]:
    main = surest(evaluation)
    size = main.effect_size if main else None
    if size is None:
        return ()
    if isinstance(size.sd_used, Unavailable):
        none = "An effect size in standard deviations between all pupils cannot be given."
        return (f"{none} {as_sentence(size.sd_used.reason)}", *_conditional(size))
    named = f"Effect sizes divide by {number(size.sd_used)} ({size.sd_name})."
    months = (
        "Months of progress are illustrative: they translate an effect size by a published table and add nothing to it."
    )
    return (named, *_conditional(size), *((months,) if size.months else ()))


def _conditional(size: EffectSize) -> tuple[str, ...]:
    """Return what the effect size is by the spread of pupils given prior attainment, and that it is another one."""
    if isinstance(size.sd_conditional, Unavailable) or isinstance(size.hedges_g_conditional, Unavailable):
        return ()
    return (
        f"Divided by {number(size.sd_conditional)} ({size.sd_conditional_name}) the effect size is "
        f"{number(size.hedges_g_conditional)}; effect sizes of trials by the Education Endowment Foundation (EEF) do "
        "not divide by such a standard deviation.",
    )
