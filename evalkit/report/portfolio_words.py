"""Sentences of the portfolio: what is here, what was pooled, how sure, and why something was not."""

from __future__ import annotations

from evalkit.core.formats import careful, interval_text, level_text, lower_first, number, p_text
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted, listed
from evalkit.data.measures import MEASURES
from evalkit.diagnose.pooling_rules import FEW, FEW_LABEL, FEWEST
from evalkit.diagnose.portfolio import Group, Portfolio
from evalkit.diagnose.project_record import ProjectRecord
from evalkit.estimate.random_effects import RandomEffects

SD_UNIT = "standard deviations of pupils"


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


def face(portfolio: Portfolio) -> tuple[str, ...]:
    """Return what stands at the top: how many projects, of what kind, pooled or not, failed or not read."""
    done = f"{counted(len(portfolio.projects), 'finished evaluation')}{_kinds(portfolio)}."
    n = sum(isinstance(group.pooled, RandomEffects) for group in portfolio.groups)
    few = sum(group.is_few for group in portfolio.groups)
    label = f", {few} of them from fewer than {FEW} projects" if few else ""
    results = f"{counted(n, 'pooled result')}{label}." if n else "Nothing could be pooled; the reasons are given below."
    failed = f"{counted(len(portfolio.failed), 'project')} whose last run failed." if portfolio.failed else ""
    unread = f"{counted(len(portfolio.unread), 'folder')} not counted, with reasons." if portfolio.unread else ""
    return tuple(sentence for sentence in (done, results, failed, unread) if sentence)


def _kinds(portfolio: Portfolio) -> str:
    real, synthetic = len(portfolio.of_kind("real")), len(portfolio.of_kind("synthetic"))
    if real and synthetic:
        return f" ({real} on published data, {synthetic} on synthetic data)"
    return " on published data" if real else " on synthetic data" if synthetic else ""


def group_titles(portfolio: Portfolio) -> tuple[str, ...]:
    """Return the name of each group in order; groups that differ in their comparison alone are numbered."""
    names = [(group.key.data_kind, _title(group)) for group in portfolio.groups]
    return tuple(
        f"{name[1]}, comparison {names[:at].count(name) + 1}" if names.count(name) > 1 else name[1]
        for at, name in enumerate(names)
    )


def caption_title(group: Group, title: str) -> str:
    """Return a group's name with its kind of data, where that is synthetic."""
    return title if group.key.data_kind == "real" else f"{title} (synthetic data)"


def _title(group: Group) -> str:
    if group.key.scale == "sds":
        return "Primary outcomes together, as effect sizes"
    known = MEASURES.get(group.key.what)
    label = known.label if known else group.key.what
    return label if group.key.is_aimed_at else f"{label}, where it was not aimed at"


def group_unit(group: Group) -> str:
    """Return the unit of a group's estimates."""
    if group.key.scale == "sds":
        return SD_UNIT
    known = MEASURES.get(group.key.what)
    return known.unit if known else "points"


def group_about(group: Group) -> tuple[str, ...]:
    """Return what the estimates of a group have in common, and what a pooled placebo is for."""
    kind = "published" if group.key.data_kind == "real" else "synthetic"
    common = f"Estimates have in common: {kind} data; {lower_first(group.key.comparison.label)}."
    said = [common]
    if group.key.scale == "sds":
        said.append(f"All are divided by the same kind of standard deviation: {lower_first(group.key.what)}.")
    if not group.key.is_aimed_at:
        said.append(
            "No programme aimed at this outcome, so its average should be near zero: what moves it may have moved the "
            "others too."
        )
    return tuple(said)


def refused_parts(group: Group) -> str:
    """Return which phases, themes and regions have too few projects for a result of their own, or an empty text."""
    refused = [part for part in group.parts if isinstance(part.pooled, Unavailable)]
    if not refused:
        return ""
    named = listed([f"{part.value} ({part.n})" for part in refused], 20)
    return f"Not pooled by itself, as there are fewer than {FEWEST} projects of it: {named}."


def group_result(group: Group) -> tuple[str, ...]:
    """Return what the pooled result says and what it cannot, or why there is none."""
    found = group.pooled
    if isinstance(found, Unavailable):
        return (found.reason,)
    parts = (
        _mean(group, found),
        _next(found),
        _spread(found),
        _error(found),
        _dependence(group),
        "The average can be read as an effect only if, without the programmes, each place would have moved as its "
        "comparison areas did.",
    )
    return tuple(part for part in parts if part)


def _mean(group: Group, found: RandomEffects) -> str:
    few = f"{FEW_LABEL.capitalize()}. " if group.is_few else ""
    zero = " The interval contains zero." if 0.0 in found.interval else ""
    return (
        f"{few}Over {counted(found.n, 'project')} the average is {careful(found.estimate)} {group_unit(group)} "
        f"({level_text(found.level)} interval {interval_text(found.interval)}, t with "
        f"{counted(found.df, 'degree')} of freedom; {_p(found.p_value)}).{zero}"
    )


def _p(value: float) -> str:
    text = p_text(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _next(found: RandomEffects) -> str:
    if not isinstance(found.prediction, Interval):
        return found.prediction.reason
    return (
        f"The effect of one more project like these would lie between {careful(found.prediction.lower)} and "
        f"{careful(found.prediction.upper)} ({level_text(found.level)} prediction interval, t with "
        f"{counted(found.prediction_df, 'degree')} of freedom)."
    )


def _spread(found: RandomEffects) -> str:
    interval = found.tau2_interval
    reach = (
        f"{level_text(interval.level)} interval {interval_text(interval)}"
        if isinstance(interval, Interval)
        else f"no interval: {lower_first(interval.reason).rstrip('.')}"
    )
    q = f"Q = {number(found.q)} on {counted(found.q_df, 'degree')} of freedom, {_p(found.q_p)}"
    return (
        f"Effects differ between projects with an SD of {number(found.tau)} (variance {number(found.tau2, 3)}; "
        f"{reach}), {number(100 * found.i2, 0)}% of all variance (I²; {q})."
    )


def _error(found: RandomEffects) -> str:
    if found.error_kind == "Hartung–Knapp":
        return ""
    return (
        f"The Hartung–Knapp error ({number(found.hartung_knapp, 3)}) is smaller than the one the estimates' own errors "
        f"allow if all effects were one ({number(found.fixed_std_error, 3)}): that one is used."
    )


def _dependence(group: Group) -> str:
    if not group.overlaps:
        return ""
    sharing = [pair for pair in group.overlaps if pair.shared]
    crossed = [pair for pair in group.overlaps if pair.crossed]
    share = max((pair.share for pair in sharing), default=0.0)
    said = (
        f"{len(sharing)} of {counted(group.n_pairs, 'pair')} of projects share comparison areas (up to "
        f"{number(100 * share, 0)}% of the smaller set)"
        if sharing
        else ""
    )
    other = f"in {counted(len(crossed), 'pair')} one is compared with the other's treated area" if crossed else ""
    both = " and ".join(part for part in (said, other) if part)
    return (
        f"{both[:1].upper()}{both[1:]}, so these estimates are not independent. The interval takes them as "
        "independent and may be too narrow."
    )


def how_pooled() -> tuple[str, ...]:
    """Return the rules of pooling."""
    return (
        "Random effects: the variance between projects by restricted maximum likelihood; the standard error by Hartung "
        "and Knapp, never less than the fixed-effect one; t with one degree of freedom fewer than projects; a "
        "prediction interval with two fewer.",
        "Pooled are only estimates whose errors allow for what happens to a whole area. For a permutation the error is "
        "how much areas without the programme moved; an error clustered by school is never pooled.",
        "One estimate for each project and outcome: that against its main comparison. Comparisons are never mixed, nor "
        "are units, kinds of standard deviation, outcomes aimed at and not, or real and synthetic data.",
        "Two projects with the same treated area in the same year are not pooled: they share what happened there.",
        f"Below {FEWEST} projects nothing is pooled; below {FEW} the result is labelled “{FEW_LABEL}”.",
        "Results by phase, theme or region compare projects that differ in more than that: a difference between them "
        "is not an effect of it.",
        "Squares are as large as their weight; lines are the intervals of the projects' own reports; the diamond is "
        "the average with its interval, the line below it the prediction interval.",
    )


def place_label(project: ProjectRecord, projects: tuple[ProjectRecord, ...]) -> str:
    """Return a project's place, with its slug where another project has the same place."""
    is_shared = sum(other.place == project.place for other in projects) > 1
    return f"{project.place} ({project.slug})" if is_shared else project.place
