"""Effects of an analysis by synthetic control in the form that every kind gives them, and what could be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalkit.core.formats import number, p_equals, visible
from evalkit.core.project import Project
from evalkit.core.quantities import Estimand, Quantity, Unavailable
from evalkit.core.words import counted, listed
from evalkit.diagnose.finding import (
    Finding,
    FindingKind,
    Verdict,
    banded,
    design_fact,
    not_assessable,
    statement,
)
from evalkit.diagnose.kinds.area_checks import breaks_finding, source_finding
from evalkit.diagnose.kinds.synthetic import SyntheticFindings, SyntheticOutcomeResults, treated_names
from evalkit.estimate.effect import Effect
from evalkit.estimate.synthetic.placebos import LeaveOneDonorOut
from evalkit.estimate.synthetic.result import ONE_DONOR, POOR_FIT
from evalkit.estimate.synthetic.study import AreaStudy

METHOD_NAMES: Final = {
    "sc": "synthetic control",
    "augmented": "ridge-augmented synthetic control",
    "sdid": "synthetic difference-in-differences",
}
_CLOSE_FIT: Final = POOR_FIT / 2
_LEAST_P: Final = 0.05
_LOST: Final = (0.1, 0.2)
"""Shares of donors that lack a later year above which caution is due, and serious doubt."""

# Effects.


def effects_of_outcome(found: SyntheticOutcomeResults, method: str) -> Iterator[Effect]:
    """Yield the effect by the method that is quoted, marked as the main one, and by the others beside it."""
    yield _effect(found, method, found.quoted.estimate, is_main=True)
    for name, estimate in found.beside.items():
        yield _effect(found, name, estimate, is_main=False)


_ONLY_QUOTED: Final = Unavailable("A p-value is given for the quoted method; the others show whether it depends on it.")


def _effect(found: SyntheticOutcomeResults, method: str, estimate: Quantity, *, is_main: bool) -> Effect:
    quoted = found.quoted
    return Effect(
        outcome=found.code,
        role=found.role,
        design=method if found.pooled is None else f"{method}, pooled" if is_main else method,
        estimand=Estimand.AREA_ITT,
        period="post",
        estimate=estimate,
        std_error=quoted.std_error if is_main else _ONLY_QUOTED,
        interval=quoted.interval if is_main else _ONLY_QUOTED,
        p_value=quoted.p_value if is_main else _ONLY_QUOTED,
        p_value_one_sided=quoted.p_value_one_sided if is_main else _ONLY_QUOTED,
        inference="permutation",
        cluster_level="local_authority",
        n_treated=len(found.plan.starts),
        n_comparison=found.n_donors,
        n_treated_clusters=len(found.plan.starts),
        method=METHOD_NAMES.get(method, method),
        is_main=is_main,
    )


def estimand_of(project: Project, found: SyntheticFindings) -> str:
    """Return what is estimated, in words."""
    primary = found.primary
    whom = treated_names(primary)
    when = f"from {min(primary.plan.starts.values())} on"
    if len(set(primary.plan.starts.values())) > 1:
        when = "from their own starts on, over the years since the start that all of them have"
    return (
        f"The average effect of {project.programme.name} on {primary.label} in {whom} {when}: what was measured there "
        "less what would have been without the programme."
    )


# What could be wrong.


def findings_of(found: SyntheticFindings) -> tuple[Finding, ...]:
    """Return what could be wrong with the primary outcome's effect, each check named and judged."""
    primary = found.primary
    checks = [
        *source_finding(primary.source),
        _breaks(primary),
        _fit(primary),
        _least_p(primary),
        *_lost_later(primary),
        *_one_donor(primary),
    ]
    if not isinstance(primary.quoted.estimate, Unavailable):
        checks += [_in_time(primary), *_without_donor(primary), *_without_area(primary), *_methods(primary)]
    checks += [_placebo(one) for one in found.outcomes if one.role == "placebo"]
    return tuple(checks)


def _breaks(found: SyntheticOutcomeResults) -> Finding:
    """Return whether how the outcome is made changed among the years used: weights are fitted across such a change."""
    left = found.source.stopped if found.source is not None else ()
    return breaks_finding(found.breaks, left, is_unknown=found.is_own and not found.breaks)


def _fit(found: SyntheticOutcomeResults) -> Finding:
    """Return how closely donors follow the treated areas before the start."""
    name = "fit_before"
    if found.pooled is not None:
        control = found.pooled.control
        sentence = (
            f"Before their starts the synthetic series miss those of the areas by {number(control.pre_ratio)} standard "
            f"deviations of the donors' outcomes (root mean square), and their mean by {number(control.mean_ratio)}; "
            f"with weights that follow each area by itself it would be {number(control.alone_ratio)} of the areas."
        )
        verdict, placebos = banded(control.pre_ratio, _CLOSE_FIT, POOR_FIT), found.pooled.placebos
        if verdict is Verdict.REASSURING and 2 * placebos.n_floored > len(placebos.ratios):
            verdict = Verdict.CAUTION
            sentence += _says_little(placebos.n_floored, counted(len(placebos.ratios), "set"), found)
        return design_fact(name, verdict, control.pre_ratio, sentence)
    if isinstance(found.study, Unavailable):
        return not_assessable(name, found.study.reason, FindingKind.DESIGN_FACT)
    fit = found.study.synthetic.pre_fit
    if isinstance(fit.ratio, Unavailable):
        verdict = Verdict.SERIOUS if fit.is_poor else Verdict.REASSURING
    else:
        verdict = banded(fit.ratio, _CLOSE_FIT, POOR_FIT)
    space = found.study.space
    if verdict is Verdict.REASSURING and 2 * space.n_floored > len(space.ratios):
        told = fit.sentence + _says_little(space.n_floored, counted(len(space.ratios), "placebo"), found)
        return design_fact(name, Verdict.CAUTION, fit.ratio, told)
    return design_fact(name, verdict, fit.ratio, fit.sentence)


def _says_little(n_close: int, of_all: str, found: SyntheticOutcomeResults) -> str:
    """Return why a close fit is no evidence where most placebos are followed as closely."""
    return (
        f" That says little: {n_close:,} of {of_all} are followed more closely than areas change from year to year, as "
        f"{counted(found.n_donors, 'donor')} follow almost anything over {counted(found.plan.n_before, 'year')}."
    )


def _least_p(found: SyntheticOutcomeResults) -> Finding:
    """Return whether any result at all could be called unusual."""
    name, p = "least_p", found.quoted.p_value
    if isinstance(p, Unavailable):
        return not_assessable(name, f"No p-value is given. {p.reason}", FindingKind.DESIGN_FACT)
    least = found.least_p
    verdict = Verdict.CAUTION if least > _LEAST_P else Verdict.REASSURING
    sentence = (
        f"The least p-value that could come out is {p_equals(least).removeprefix('p = ')}, from {found.ranked_among}."
    )
    if region := _one_region(found):
        verdict = Verdict.CAUTION
        sentence += (
            f" The treated areas all lie in one region ({region}), and what happened there happened to all of them: "
            "sets of donors from anywhere differ less than such areas do, so that the p-value is too small. Sets of "
            "areas that border each other (`placebo: connected`) say how far such areas move together."
        )
    return design_fact(name, verdict, least, sentence)


def _one_region(found: SyntheticOutcomeResults) -> str:
    """Return the region of several treated areas that are judged by areas from anywhere; empty where they are not."""
    plan = found.plan
    regions = {plan.before.regions.get(area, "") for area in plan.starts}
    return regions.pop() if len(plan.starts) > 1 and len(regions) == 1 and plan.borders is None else ""


def _lost_later(found: SyntheticOutcomeResults) -> Iterator[Finding]:
    lost, n = found.lost_later, len(found.plan.donors)
    if not lost:
        return
    share = len(lost) / n
    sentence = (
        f"{counted(len(lost), 'donor')} of {n:,} named in the plan lack a year after the start and are left out "
        f"({listed(list(lost), 5)})."
    )
    yield design_fact("donors_lost", banded(share, *_LOST), share, sentence)


def _one_donor(found: SyntheticOutcomeResults) -> Iterator[Finding]:
    if isinstance(found.study, Unavailable) or isinstance(found.quoted.estimate, Unavailable):
        return
    weights = found.study.synthetic.weight_of
    heaviest = max(weights, key=lambda donor: weights[donor])
    share = weights[heaviest]
    verdict = Verdict.CAUTION if share > ONE_DONOR else Verdict.REASSURING
    n = sum(weight > 1e-6 for weight in weights.values())
    sentence = f"{counted(n, 'donor')} carry weight, {heaviest} the most ({number(100 * share, 0)}%)."
    yield design_fact("one_donor", verdict, share, sentence)


def _in_time(found: SyntheticOutcomeResults) -> Finding:
    """Return what a start that was none would have found."""
    name = "start_put_back"
    if isinstance(found.study, Unavailable):
        return not_assessable(
            name, "A start put back is tried for one start alone, not for areas with starts of their own."
        )
    time = found.study.time
    if isinstance(time, Unavailable):
        return not_assessable(name, time.reason, FindingKind.FALSIFICATION)
    if isinstance(time.estimate, Unavailable) or isinstance(time.p_value, Unavailable):
        reason = time.estimate if isinstance(time.estimate, Unavailable) else time.p_value
        assert isinstance(reason, Unavailable)
        return not_assessable(name, f"A start put back to {time.start}: {reason.reason}", FindingKind.FALSIFICATION)
    sentence = (
        f"A start put back to {time.start}, when there was no programme yet, finds {visible(time.estimate)} "
        f"{found.unit} ({p_equals(time.p_value)})."
    )
    return Finding(
        name,
        _ranked(time.p_value),
        time.estimate,
        sentence,
        FindingKind.FALSIFICATION,
        time.p_value,
        found.quoted.n_ranked,
    )


def _ranked(p_value: float) -> Verdict:
    return Verdict.SERIOUS if p_value <= 0.05 else Verdict.CAUTION if p_value <= 0.20 else Verdict.REASSURING


def _without_donor(found: SyntheticOutcomeResults) -> Iterator[Finding]:
    left = found.pooled.left_out if found.pooled is not None else _left_out(found.study)
    estimate = found.quoted.estimate
    if isinstance(left, Unavailable) or isinstance(estimate, Unavailable):
        return
    sentence = (
        f"Without one donor the effect lies between {visible(left.lowest)} and {visible(left.highest)}; it moves most, "
        f"to {visible(left.without_influential)}, without {left.influential}."
    )
    yield statement("without_one_donor", left.without_influential - estimate, sentence)


def _left_out(study: AreaStudy | Unavailable) -> LeaveOneDonorOut | Unavailable:
    return study if isinstance(study, Unavailable) else study.left_out


def _without_area(found: SyntheticOutcomeResults) -> Iterator[Finding]:
    estimate = found.quoted.estimate
    if found.pooled is None or isinstance(estimate, Unavailable) or not found.pooled.without_area:
        return
    without = found.pooled.without_area
    largest = max(without, key=lambda area: abs(without[area] - estimate))
    sentence = (
        f"Without {largest} the effect is {visible(without[largest])} in place of {visible(estimate)}: no other "
        "treated area moves it more."
    )
    yield statement("without_one_area", without[largest] - estimate, sentence)


def _methods(found: SyntheticOutcomeResults) -> Iterator[Finding]:
    known = {name: one for name, one in found.beside.items() if not isinstance(one, Unavailable)}
    if not known or isinstance(found.quoted.estimate, Unavailable):
        return
    told = listed([f"{visible(one)} by {METHOD_NAMES.get(name, name)}" for name, one in known.items()])
    estimates = [found.quoted.estimate, *known.values()]
    yield statement(
        "methods", max(estimates) - min(estimates), f"The effect is {visible(found.quoted.estimate)} as quoted, {told}."
    )


def _placebo(found: SyntheticOutcomeResults) -> Finding:
    quoted, name = found.quoted, "placebo_outcome"
    if isinstance(quoted.p_value, Unavailable) or isinstance(quoted.estimate, Unavailable):
        reason = quoted.p_value.reason if isinstance(quoted.p_value, Unavailable) else "There is no estimate."
        return not_assessable(name, f"{found.label}: {reason}", FindingKind.FALSIFICATION)
    sentence = (
        f"{found.label}, which the programme should not move, lay {visible(quoted.estimate)} {found.unit} from the "
        f"synthetic series ({p_equals(quoted.p_value)})."
    )
    return Finding(
        name,
        _ranked(quoted.p_value),
        quoted.estimate,
        sentence,
        FindingKind.FALSIFICATION,
        quoted.p_value,
        quoted.n_ranked,
    )
