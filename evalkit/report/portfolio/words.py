"""Sentences of the portfolio: what is here, what was pooled, how sure, and why something was not."""

from __future__ import annotations

from typing import Final

from evalkit.core.draws import N_DRAWS
from evalkit.core.formats import interval_text, level_text, lower_first, number, p_text, span_text, visible
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted, listed
from evalkit.diagnose.portfolio.pooling_rules import FEW, FEW_LABEL, FEWEST, STALE
from evalkit.diagnose.portfolio.portfolio import Group, Portfolio
from evalkit.diagnose.portfolio.project_record import ProjectRecord, outcome_label, outcome_unit
from evalkit.estimate.areas.placebo_pool import ALIKE, ALL_NEED, EACH_NEEDS, PER_PROJECT, PlaceboPool
from evalkit.estimate.areas.random_effects import RandomEffects


def banner(portfolio: Portfolio) -> str:
    """Return the warning about synthetic data, or an empty text where there is none."""
    synthetic, all_of_them = portfolio.of_kind("synthetic"), len(portfolio.projects)
    if not synthetic:
        return ""
    if len(synthetic) == all_of_them:
        return (
            "SYNTHETIC DATA. Every number here comes from an invented England that this kit makes for practice and "
            "testing. Nothing here says anything about any real place or school."
        )
    named = listed([project.slug for project in synthetic], 12)
    are = "comes" if len(synthetic) == 1 else "come"
    return (
        f"PARTLY SYNTHETIC DATA. {counted(len(synthetic), 'project')} of {all_of_them} ({named}) {are} from an "
        "invented England made for practice. They say nothing about any real place and are never pooled with the rest."
    )


def portfolio_front_matter(portfolio: Portfolio) -> tuple[str, ...]:
    """Return what stands at the top: how many projects, of what kind, pooled or not, failed or not read."""
    done = f"{counted(len(portfolio.projects), 'finished evaluation')}{_kinds(portfolio)}."
    n = sum(isinstance(group.pooled, PlaceboPool) for group in portfolio.groups)
    few = sum(group.is_few for group in portfolio.groups)
    label = f", {few} of them from fewer than {FEW} projects" if few else ""
    results = f"{counted(n, 'pooled result')}{label}." if n else "Nothing could be pooled; the reasons are given below."
    stale = [project for project in portfolio.projects if project.vintage.state in STALE]
    old = f"{counted(len(stale), 'report')} of projects that have changed since or are gone, marked." if stale else ""
    failed = f"{counted(len(portfolio.failed), 'project')} whose last run failed." if portfolio.failed else ""
    unread = f"{counted(len(portfolio.unread), 'folder')} not counted, with reasons." if portfolio.unread else ""
    return tuple(sentence for sentence in (done, results, old, failed, unread) if sentence)


def _kinds(portfolio: Portfolio) -> str:
    real, synthetic = len(portfolio.of_kind("real")), len(portfolio.of_kind("synthetic"))
    if real and synthetic:
        return f" ({real} on published data, {synthetic} on synthetic data)"
    return " on published data" if real else " on synthetic data" if synthetic else ""


def group_titles(portfolio: Portfolio) -> tuple[str, ...]:
    """Return the name of each group in order: with its years where others have other ones, numbered where the
    comparison alone differs."""
    plain = [(group.key.data_kind, _title(group), group_years(group)) for group in portfolio.groups]
    years = {name: {other[2] for other in plain if other[:2] == name} for name in {one[:2] for one in plain}}
    names = [(kind, f"{title}, {when}" if len(years[kind, title]) > 1 else title) for kind, title, when in plain]
    return tuple(
        f"{name[1]}, comparison {names[:at].count(name) + 1}" if names.count(name) > 1 else name[1]
        for at, name in enumerate(names)
    )


def group_years(group: Group) -> str:
    """Return the years of a group in words: `2016 to 2017, then 2019`."""
    before, after = (span_text(years) for years in (group.key.pre, group.key.post))
    return f"{before}, then {after}"


def caption_title(group: Group, title: str) -> str:
    """Return a group's name with its kind of data, where that is synthetic."""
    return title if group.key.data_kind == "real" else f"{title} (synthetic data)"


def _title(group: Group) -> str:
    label = outcome_label(group.key.what)
    return f"{label}, where it was not aimed at" if group.key.part_played == "placebo" else label


def group_unit(group: Group) -> str:
    """Return the unit of a group's estimates."""
    return outcome_unit(group.key.what)


def group_about(group: Group) -> tuple[str, ...]:
    """Return what the estimates of a group have in common, and what a pooled placebo or contrast is for."""
    kind = "published" if group.key.data_kind == "real" else "synthetic"
    alike = f"{kind} data; the years {group_years(group)}; {lower_first(group.key.comparison.label)}"
    common = f"Estimates have in common: {alike}."
    return (common, _ABOUT[group.key.part_played]) if _ABOUT[group.key.part_played] else (common,)


_ABOUT: Final = {
    "aimed at": "",
    "contrast": (
        "What moved both outcomes alike is not in this difference. Read it beside the outcome aimed at and the one "
        "that was not."
    ),
    "placebo": (
        "No programme aimed at this outcome, so its average should be near zero: what moves it may have moved the "
        "others too."
    ),
}
"""What is said of a pool by the part its outcome plays."""


def refused_parts(group: Group) -> str:
    """Return which phases, themes and regions have too few projects for a result of their own, or an empty text."""
    refused = [part for part in group.parts if isinstance(part.pooled, Unavailable)]
    if not refused:
        return ""
    named = listed([f"{part.value} ({part.n})" for part in refused], 20)
    return f"Not pooled by itself, as there are fewer than {FEWEST} projects of it: {named}."


def group_result(group: Group) -> tuple[str, ...]:
    """Return what the pooled result says and what it cannot, or why there is none."""
    pooled = group.pooled
    if isinstance(pooled, Unavailable):
        return (pooled.reason,)
    parts = (
        _mean(group, pooled),
        _drawn(pooled, group),
        _raw(pooled, group),
        _next(pooled),
        _spread(pooled.mean),
        _dependence(group),
        "The average can be read as an effect only if, without the programmes, each place would have moved as areas "
        "like it did.",
    )
    return tuple(part for part in parts if part)


def _mean(group: Group, pooled: PlaceboPool) -> str:
    few = f"{FEW_LABEL.capitalize()}. " if group.is_few else ""
    test = pooled.test
    start = f"{few}Over {counted(pooled.mean.n, 'project')} the average given the baseline is {visible(test.estimate)} "
    if isinstance(test.interval, Interval) and isinstance(test.p_value, float):
        zero = " The interval contains zero." if 0.0 in test.interval else ""
        level = level_text(test.interval.level)
        return (
            f"{start}{group_unit(group)} ({level} interval {interval_text(test.interval)}; {_p(test.p_value)}).{zero}"
        )
    if isinstance(test.interval, Interval) or isinstance(test.p_value, float):
        p = _p(test.p_value) if isinstance(test.p_value, float) else ""
        reason = test.interval.reason if isinstance(test.interval, Unavailable) else ""
        return f"{start}{group_unit(group)} ({p}). Its interval is not given. {reason}"
    return f"{start}{group_unit(group)}. Its p-value and interval are not given. {test.p_value.reason}"


def _drawn(pooled: PlaceboPool, group: Group) -> str:
    """Return what the areas without a programme gave, where sets of them were drawn."""
    test = pooled.test
    if isinstance(test.centre, Unavailable) or isinstance(test.factor, Unavailable):
        return ""
    return (
        f"Interval and p-value come from {test.n_draws:,} sets of {pooled.mean.n} of {test.n_alike} areas without a "
        f"programme, each {test.alike} as its project, pooled alike. Such sets average {visible(test.centre)} "
        f"{group_unit(group)}, which is taken off; their deviations are widened by {number(test.factor)}."
    )


def _raw(pooled: PlaceboPool, group: Group) -> str:
    return (
        f"As they are in the reports, not given the baseline, the estimates average {visible(pooled.raw.estimate)} "
        f"{group_unit(group)}."
    )


def _p(value: float) -> str:
    text = p_text(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _next(pooled: PlaceboPool) -> str:
    prediction, mean = pooled.prediction, pooled.mean
    if not isinstance(prediction, Interval):
        return prediction.reason
    return (
        f"The effect of one more project like these would lie between {visible(prediction.lower)} and "
        f"{visible(prediction.upper)} ({level_text(mean.level)} prediction interval, t with "
        f"{counted(mean.prediction_df, 'degree')} of freedom)."
    )


def _spread(pooled: RandomEffects) -> str:
    interval = pooled.tau2_interval
    reach = (
        f"{level_text(interval.level)} interval {interval_text(interval)}"
        if isinstance(interval, Interval)
        else f"no interval: {lower_first(interval.reason).rstrip('.')}"
    )
    q = f"Q = {number(pooled.q)} on {counted(pooled.q_df, 'degree')} of freedom, {_p(pooled.q_p)}"
    return (
        f"Effects differ between projects with an SD of {number(pooled.tau)} (variance {number(pooled.tau2, 3)}; "
        f"{reach}), {number(100 * pooled.i2, 0)}% of all variance (I²; {q})."
    )


def _dependence(group: Group) -> str:
    if not group.overlaps:
        return ""
    sharing = [pair for pair in group.overlaps if pair.shared]
    crossed = [pair for pair in group.overlaps if pair.crossed]
    share = max((pair.share for pair in sharing), default=0.0)
    sharing_words = (
        f"{len(sharing)} of {counted(group.n_pairs, 'pair')} of projects share comparison areas (up to "
        f"{number(100 * share, 0)}% of the smaller set)"
        if sharing
        else ""
    )
    other = f"in {counted(len(crossed), 'pair')} one is compared with the other's treated area" if crossed else ""
    both = " and ".join(part for part in (sharing_words, other) if part)
    return (
        f"{both[:1].upper()}{both[1:]}, so these estimates are not independent. The drawn sets share areas as the "
        "projects do, so that interval and p-value allow for what is shared; the spread between projects does not."
    )


def how_pooled() -> tuple[str, ...]:
    """Return the rules of pooling."""
    return (
        "Each project enters with its estimate given the baseline: what is left of it by the line of effects on gaps "
        "to the neighbours before, fitted to areas without a programme. Areas that stood low gain on others by "
        "themselves.",
        "Its error is the root mean square of what is left of areas without a programme in the same third by schools.",
        "One estimate for each project and outcome: that against its main comparison. One outcome or contrast, one "
        "estimand, one set of years, one comparison a pool; outcomes aimed at and not, real and synthetic data are "
        "never mixed.",
        f"The p-value and the interval are the rank of the average among {N_DRAWS:,} sets of areas without a "
        f"programme, one for each project, none twice, pooled by the same rule, about the sets' own mean. Stand-ins "
        f"are areas {ALIKE[0][2]} as the project. Where fewer than {EACH_NEEDS} are for a project, or fewer than "
        f"{ALL_NEED} for all, they are {'; '.join(words for _, _, words in ALIKE[1:])}: the first that is enough.",
        "Deviations of the sets are widened for the errors of their mean and of the line; by Student's t over the "
        "normal quantile, because their spread is known from so few areas; and where areas as far from their "
        "neighbours as the projects scatter more than the stand-ins. The interval is that of the average of these "
        "very projects: what another one would do is the prediction interval.",
        f"With fewer than {PER_PROJECT} areas without a programme for each project, or too few alike, p-value and "
        "interval are withheld. No area in which any project of this page lies stands in.",
        "Random effects give the average, the spread and the prediction interval: variance between projects by "
        "restricted maximum likelihood; error of Hartung and Knapp, never less than the fixed-effect one; the "
        "prediction interval by t with two degrees of freedom fewer than projects. These take estimates to be "
        "independent.",
        "Projects of listed schools have no whole area that could stand in for them, and are not pooled.",
        "A report is left out whose project has changed since or is gone.",
        "Two projects with the same treated area in the same year are not pooled: they share what happened there.",
        f"Below {FEWEST} projects nothing is pooled; below {FEW} the result is labelled “{FEW_LABEL}”.",
        "Results by phase, theme or region compare projects that differ in more than that: a difference between them "
        "is not an effect of it.",
        "Squares are as large as their weight; lines reach 1.96 errors to both sides; the diamond is "
        "the average with its interval, the line below it the prediction interval.",
    )


def place_label(project: ProjectRecord, projects: tuple[ProjectRecord, ...]) -> str:
    """Return a project's place, with its slug where another project has the same place."""
    is_shared = sum(other.place == project.place for other in projects) > 1
    return f"{project.place} ({project.slug})" if is_shared else project.place
