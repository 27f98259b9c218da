"""Results of a survey: who answered, what was answered, how reliable its scales are, and what became otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import stream
from evalkit.core.errors import DataError
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.sentence import Sentence, count
from evalkit.core.shown import Shown
from evalkit.core.words import counted, listed
from evalkit.data.own_tables.survey_answers import Answers, Item, Scale, answers_of
from evalkit.data.published.project_data import ProjectData
from evalkit.design.kinds.survey import SurveyPlan
from evalkit.diagnose.finding import Finding, Verdict, banded, design_fact, not_assessable, statement
from evalkit.estimate.survey.change_arrays import (
    Change,
    ChangeApart,
    OneWaveOnly,
    Wave,
    WaveMean,
    change_apart,
    change_between,
    linked_change,
    one_wave_only,
    wave_mean,
)
from evalkit.estimate.survey.reliability_arrays import (
    FEWEST_SCHOOLS,
    Kappa,
    OneWay,
    OverSchools,
    RaterIccs,
    Reliability,
    one_way_icc,
    over_schools,
    rater_iccs,
    reliability,
    weighted_kappa,
)

PARTICIPANTS: Final = "participants"
OTHERS: Final = "others"
SURVEYED: Final = "surveyed"
LOW_RESPONSE: Final = (0.60, 0.40)
"""Shares that answered below which there is a caution, and it is serious: conventions."""
LOW_RELIABILITY: Final = (0.70, 0.50)
"""Of alpha: below the first a scale is too noisy to compare groups (Nunnally, 1978); below the second serious."""
AT_THE_ENDS: Final = 0.15
"""Share of respondents at the lowest or highest score above which a scale has no room (Terwee and others, 2007)."""
_PAIR: Final = 2
UNEVEN_RESPONSE: Final = (0.10, 0.20)
"""Points by which the share that answered may differ between waves: a caution, and serious."""


# Who answered, and what.


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDifference:
    """A number known of everyone asked: its mean among those who answered and among those who did not."""

    column: str
    responded: Quantity
    not_responded: Quantity
    n_responded: int
    n_not_responded: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Response:
    """Who was asked in a wave and who answered, by school (shape (S,)), and what is known of both."""

    asked: Ints
    responded: Ints
    known: tuple[KnownDifference, ...]

    @property
    def rate(self) -> float:
        """Return the share of those asked who answered."""
        return float(self.responded.sum()) / max(int(self.asked.sum()), 1)

    @property
    def n_schools(self) -> int:
        """Return the schools in which somebody answered."""
        return int((self.responded > 0).sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ItemWave:
    """One item in one wave: how many gave each point (as it was put, not turned round), and how many answered."""

    item: Item
    wave: int
    counts: Ints
    n_responded: int
    mean: Quantity
    sd: Quantity

    @property
    def n(self) -> int:
        """Return how many answered it."""
        return int(self.counts.sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScaleWave:
    """One scale in one wave.

    `n` have a score, `n_lowest` and `n_highest` of them the lowest or highest there is; `school_n` and `school_mean`
    are by school, shape (S,), NaN where nobody has a score.
    """

    wave: int
    n: int
    mean: WaveMean | Unavailable
    sd: Quantity
    reliability: Reliability
    over_schools: OverSchools
    icc: OneWay
    n_lowest: int
    n_highest: int
    school_n: Ints
    school_mean: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Changed:
    """The change of a scale in one group of schools, and who was in one wave only."""

    change: Change | Unavailable
    only: OneWaveOnly


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScaleResults:
    """What was found of one scale; `changes` by group of schools, `apart` their difference where there are two."""

    scale: Scale
    waves: tuple[ScaleWave, ...]
    items: tuple[ItemWave, ...]
    changes: Mapping[str, Changed]
    apart: ChangeApart | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Agreement:
    """How far raters agree on a scale in one wave.

    `crossed` where the same raters rated every school, else `one_way`; `kappas` of each item, quadratic weights, where
    there are two raters.
    """

    scale: Scale
    wave: int
    crossed: RaterIccs | None
    one_way: OneWay | None
    kappas: tuple[tuple[Item, Kappa], ...]
    n_raters: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SurveyFindings(Shown):
    """Everything that a survey gives: response, scales and items, change, raters.

    `names` are the schools' by position; `groups` the schools of each group, shape (S,); `unknown` schools that no
    published file knows; `recurring` people whose number stands in both waves.
    """

    plan: SurveyPlan
    names: tuple[str, ...]
    groups: Mapping[str, Bools]
    unknown: tuple[str, ...]
    recurring: int
    response: tuple[Response, ...]
    scales: tuple[ScaleResults, ...]
    agreement: tuple[Agreement, ...]
    n_all: int | None

    @property
    def main_group(self) -> str:
        """Return the group of schools that the survey is about: participants, where there are any among them."""
        return next(iter(self.groups))

    def label(self, wave: int) -> str:
        """Return what reports call a wave, by its position."""
        return self.plan.labels[wave]


def survey_findings(plan: SurveyPlan, intake: ProjectData) -> SurveyFindings:
    """Return the results of a survey.

    Raises
    ------
    DataError
        Where an answer is no point of its scale, waves are not those of the table, or more schools answered than the
        change is to speak of.
    """
    table = plan.options.answers
    file = plan.project.data.tables[table].file
    rows, schools = intake.people[table], intake.records[table].schools
    answers = answers_of(rows, plan.scales, plan.waves, file, plan.known)
    groups = _groups(answers.units, set(intake.treated.schools.get(table, ())))
    n_all = _n_all(plan, answers, groups)
    return SurveyFindings(
        plan=plan,
        names=tuple(map(str, schools["name"].reindex(answers.units))),
        groups=groups,
        unknown=tuple(_unknown(schools)),
        recurring=_recurring(answers),
        response=tuple(_response(answers, wave) for wave in range(len(plan.waves))),
        scales=tuple(_scale(plan, answers, scale, groups, n_all) for scale in plan.scales),
        agreement=tuple(_agreement(plan, intake)) if plan.options.ratings else (),
        n_all=n_all,
    )


def _unknown(schools: pd.DataFrame) -> Iterator[str]:
    """Yield the ids that look like URNs and that no published file knows, where others are known."""
    known = schools["area"].notna()
    if known.any():
        yield from map(str, schools.index[~known])


def _groups(units: pd.Index, participants: set[str]) -> dict[str, Bools]:
    """Return which schools take part and which do not; one group where all are of one side."""
    took_part = units.isin(list(participants))
    if took_part.all() or not took_part.any():
        return {PARTICIPANTS if took_part.all() else SURVEYED: np.ones(len(units), dtype=bool)}
    return {PARTICIPANTS: np.asarray(took_part), OTHERS: np.asarray(~took_part)}


def _n_all(plan: SurveyPlan, answers: Answers, groups: Mapping[str, Bools]) -> int | None:
    """Return how many schools the change of the main group is to speak of, None where they are many more."""
    asked = plan.options.of_schools
    n = plan.n_listed if asked is None and PARTICIPANTS in groups else asked
    first = next(iter(groups.values()))
    seen = len(np.unique(answers.school[answers.responded & first[answers.school]]))
    if n is not None and n < seen:
        raise DataError(
            f"{counted(seen, 'school')} answered, and `of_schools` says that there are {n}. Write how many schools the "
            "change is to speak of, those surveyed among them."
        )
    return n


def _recurring(answers: Answers) -> int:
    waves = [np.unique(answers.person[answers.wave == wave]) for wave in np.unique(answers.wave)]
    return len(np.intersect1d(waves[0], waves[1])) if len(waves) > 1 else 0


def _response(answers: Answers, wave: int) -> Response:
    of, n = answers.wave == wave, len(answers.units)
    responded = answers.responded
    return Response(
        asked=np.bincount(answers.school[of], minlength=n),
        responded=np.bincount(answers.school[of & responded], minlength=n),
        known=tuple(_known(name, values[of], responded[of]) for name, values in answers.known.items()),
    )


def _known(column: str, values: Floats, responded: Bools) -> KnownDifference:
    sides = [values[np.isfinite(values) & side] for side in (responded, ~responded)]
    means = [float(side.mean()) if len(side) else Unavailable("Nobody.") for side in sides]
    return KnownDifference(
        column=column,
        responded=means[0],
        not_responded=means[1],
        n_responded=len(sides[0]),
        n_not_responded=len(sides[1]),
    )


# Scales and their items.


def _scale(
    plan: SurveyPlan, answers: Answers, scale: Scale, groups: Mapping[str, Bools], n_all: int | None
) -> ScaleResults:
    waves = range(len(plan.waves))
    score = answers.score(scale.name)
    has_two = plan.has_two_waves
    changes = {
        name: _changed(plan, answers, score, scale, (group, n_all if group is next(iter(groups.values())) else None))
        for name, group in groups.items()
        if has_two
    }
    return ScaleResults(
        scale=scale,
        waves=tuple(_scale_wave(plan, answers, scale, score, wave) for wave in waves),
        items=tuple(_item(answers, scale, at, wave) for at in range(len(scale.items)) for wave in waves),
        changes=changes,
        apart=_apart(plan, answers, score, groups) if has_two and len(groups) > 1 else None,
    )


def _item(answers: Answers, scale: Scale, at: int, wave: int) -> ItemWave:
    of = (answers.wave == wave) & answers.responded
    values = answers.values[scale.name][of, at]
    values = values[np.isfinite(values)]
    counts = np.array([int((values == point).sum()) for point in scale.numbers], dtype=np.int64)
    return ItemWave(
        item=scale.items[at],
        wave=wave,
        counts=counts[::-1] if scale.items[at].reversed else counts,
        n_responded=int(of.sum()),
        mean=float(values.mean()) if len(values) else Unavailable("Nobody answered it."),
        sd=float(values.std(ddof=1)) if len(values) > 1 else Unavailable("Fewer than two answered it."),
    )


def _scale_wave(plan: SurveyPlan, answers: Answers, scale: Scale, score: Floats, wave: int) -> ScaleWave:
    level, n_schools = plan.project.inference.level, len(answers.units)
    held = (answers.wave == wave) & np.isfinite(score)
    values, school = score[held], answers.school[held]
    items = answers.values[scale.name][held]
    complete = np.isfinite(items).all(axis=1)
    place = np.unique(school[complete], return_inverse=True)[1].astype(np.int64)
    rng = stream(plan.project.seed, f"survey: schools of {scale.name} in {plan.waves[wave]}")
    low, high = scale.span
    return ScaleWave(
        wave=wave,
        n=len(values),
        mean=wave_mean(Wave(values, school), level=level) if len(values) > 1 else Unavailable("Nobody has a score."),
        sd=float(values.std(ddof=1)) if len(values) > 1 else Unavailable("Fewer than two have a score."),
        reliability=reliability(items[complete], level),
        over_schools=over_schools(items[complete], place, rng, plan.options.draws, level),
        icc=one_way_icc(values, np.unique(school, return_inverse=True)[1], level),
        n_lowest=int((values <= low).sum()),
        n_highest=int((values >= high).sum()),
        school_n=np.bincount(school, minlength=n_schools),
        school_mean=Wave(values, school).means(n_schools),
    )


def _waves(answers: Answers, score: Floats, group: Bools) -> list[Wave]:
    held = np.isfinite(score) & group[answers.school]
    return [Wave(score[of], answers.school[of]) for wave in (0, 1) for of in [held & (answers.wave == wave)]]


def _changed(plan: SurveyPlan, answers: Answers, score: Floats, scale: Scale, of: tuple[Bools, int | None]) -> Changed:
    (group, n_all), level = of, plan.project.inference.level
    first, second = _waves(answers, score, group)
    only = one_wave_only(first, second, scale.span)
    if not plan.options.linked:
        return Changed(change=change_between(first, second, n_all, level), only=only)
    before, after, school = _linked(answers, score, group)
    return Changed(change=linked_change(before, after, school, n_all, level), only=only)


def _linked(answers: Answers, score: Floats, group: Bools) -> tuple[Floats, Floats, Ints]:
    """Return the scores of people with one in each wave at the same school, and their school."""
    held = np.isfinite(score) & group[answers.school]
    frames = [
        pd.DataFrame({"score": score[of]}, index=pd.MultiIndex.from_arrays([answers.person[of], answers.school[of]]))
        for wave in (0, 1)
        for of in [held & (answers.wave == wave)]
    ]
    both = frames[0].join(frames[1], how="inner", lsuffix="_before", rsuffix="_after").sort_index()
    school = both.index.get_level_values(1).to_numpy(dtype=np.int64)
    return both["score_before"].to_numpy(), both["score_after"].to_numpy(), school


def _apart(plan: SurveyPlan, answers: Answers, score: Floats, groups: Mapping[str, Bools]) -> ChangeApart | None:
    n, own = len(answers.units), list[Floats]()
    for group in groups.values():
        if plan.options.linked:
            before, after, school = _linked(answers, score, group)
            moved = Wave(after - before, school).means(n)
        else:
            first, second = _waves(answers, score, group)
            moved = second.means(n) - first.means(n)
        own.append(moved[np.isfinite(moved)])
    return change_apart(own[0], own[1], plan.project.inference.level) if all(map(len, own)) else None


# Raters.


def _agreement(plan: SurveyPlan, intake: ProjectData) -> Iterator[Agreement]:
    table = plan.options.ratings
    file, rows = plan.project.data.tables[table].file, intake.people[table]
    waves = tuple(wave for wave in plan.waves if wave in rows.period)
    if not waves:
        raise DataError(f"{file}: there is no rating of a wave that `waves` names. Correct the years, or the table.")
    chosen = rows.chosen(np.isin(rows.period, waves))
    ratings = answers_of(chosen, plan.scales, waves, file, (plan.options.rater,))
    for at, year in enumerate(waves):
        _refuse_second_ratings(ratings, ratings.wave == at, plan, file)
        for scale in plan.scales:
            yield _agreed(plan, ratings, scale, (at, plan.waves.index(year)))


def _refuse_second_ratings(ratings: Answers, of: Bools, plan: SurveyPlan, file: str) -> None:
    rater = ratings.known[plan.options.rater][of]
    if not np.isfinite(rater).all():
        raise DataError(f"{file}: the column '{plan.options.rater}' is empty in some row. Number every rater.")
    twice = pd.MultiIndex.from_arrays([ratings.school[of], rater]).duplicated()
    if twice.any():
        n = int(twice.sum())
        raise DataError(f"{file}: a rater rated a school twice in a wave ({counted(n, 'such row')}). Keep one.")


def _wide(ratings: Answers, of: Bools, values: Floats, rater: str) -> pd.DataFrame:
    """Return values of some rows by school and rater, missing where there is none."""
    held = of & np.isfinite(values)
    columns = {"school": ratings.school[held], "rater": ratings.known[rater][held], "value": values[held]}
    return pd.DataFrame(columns).pivot(index="school", columns="rater", values="value")


def _agreed(plan: SurveyPlan, ratings: Answers, scale: Scale, wave: tuple[int, int]) -> Agreement:
    level, of = plan.project.inference.level, ratings.wave == wave[0]
    score, rater = ratings.score(scale.name), plan.options.rater
    wide = _wide(ratings, of, score, rater)
    n_raters, both = wide.shape[1], wide.dropna()
    if min(n_raters, len(both)) < _PAIR:
        held = of & np.isfinite(score)
        alone = one_way_icc(score[held], np.unique(ratings.school[held], return_inverse=True)[1], level)
        return Agreement(scale=scale, wave=wave[1], crossed=None, one_way=alone, kappas=(), n_raters=n_raters)
    kappas = tuple(_kappas(ratings, scale, of, (rater, level))) if n_raters == _PAIR else ()
    crossed = rater_iccs(both.to_numpy(dtype=float), level)
    return Agreement(scale=scale, wave=wave[1], crossed=crossed, one_way=None, kappas=kappas, n_raters=n_raters)


def _kappas(ratings: Answers, scale: Scale, of: Bools, by: tuple[str, float]) -> Iterator[tuple[Item, Kappa]]:
    rater, level = by
    for at, item in enumerate(scale.items):
        both = _wide(ratings, of, ratings.values[scale.name][:, at], rater).dropna()
        first, second = (np.searchsorted(scale.numbers, both[one].to_numpy()).astype(np.int64) for one in both.columns)
        yield item, weighted_kappa(first, second, len(scale.numbers), "quadratic", level)


# What could be wrong.


def findings_of(found: SurveyFindings) -> tuple[Finding, ...]:
    """Return what a reader must weigh: who answered, how reliable the scales are, who was in one wave only."""
    return tuple(
        one for part in (_of_response, _of_schools, _of_reliability, _of_room, _of_identity) for one in part(found)
    )


def _of_response(found: SurveyFindings) -> Iterator[Finding]:
    rates = [one.rate for one in found.response]
    if all(int(one.asked.sum()) == int(one.responded.sum()) for one in found.response):
        yield not_assessable(
            "survey_response",
            "Everyone in the table answered. Give whoever was asked and did not answer a row with empty items, so that "
            "response can be told.",
        )
        return
    low = min(rates)
    verdict = Verdict.REASSURING if low >= LOW_RESPONSE[0] else Verdict.CAUTION
    verdict = Verdict.SERIOUS if low < LOW_RESPONSE[1] else verdict
    parts = listed([f"{100 * rate:.0f}% in {found.label(at)}" for at, rate in enumerate(rates)])
    text = f"Of those asked {parts} answered. What the others would have said is not known."
    yield design_fact("survey_response", verdict, low, text)
    if len(rates) > 1:
        gap = abs(rates[1] - rates[0])
        text = (
            f"The share that answered differs by {100 * gap:.0f} points between the waves: part of a change may be who "
            "answered."
        )
        yield design_fact("survey_response_gap", banded(gap, *UNEVEN_RESPONSE), gap, text)


def _of_schools(found: SurveyFindings) -> Iterator[Finding]:
    if not found.plan.has_two_waves:
        return
    only = found.scales[0].changes[found.main_group].only
    change = found.scales[0].changes[found.main_group].change
    n = 0 if isinstance(change, Unavailable) else change.n_schools
    lost = only.first + only.second
    share = lost / max(lost + n, 1)
    text = (
        f"{counted(n, 'school')} answered in both waves, {only.first} in the first alone and {only.second} in the "
        "second alone. Bounds say what these could do to the change."
    )
    yield design_fact("survey_one_wave", banded(share, 0.05, 0.20), share, text)
    if n < FEWEST_SCHOOLS:
        text = f"Fewer than {FEWEST_SCHOOLS} schools answered in both waves, so that no change has an interval."
        yield design_fact("survey_schools", Verdict.SERIOUS, float(n), text)


def _of_reliability(found: SurveyFindings) -> Iterator[Finding]:
    alphas = {
        f"{one.scale.label} in {found.label(wave.wave)}": wave.reliability.alpha
        for one in found.scales
        for wave in one.waves
    }
    known = {name: alpha for name, alpha in alphas.items() if not isinstance(alpha, Unavailable)}
    if not known:
        text = "No scale has an alpha: too few complete answers, or scales of one item."
        yield not_assessable("survey_reliability", text)
        return
    least = min(known, key=lambda name: known[name])
    alpha = known[least]
    verdict = Verdict.REASSURING if alpha >= LOW_RELIABILITY[0] else Verdict.CAUTION
    verdict = Verdict.SERIOUS if alpha < LOW_RELIABILITY[1] else verdict
    text = f"The least reliable scale is {least}, with an alpha of {alpha:.2f}."
    yield design_fact("survey_reliability", verdict, alpha, text)
    backwards = [
        item.text
        for one in found.scales
        for wave in one.waves
        for item, rest in zip(one.scale.items, wave.reliability.item_rest, strict=True)
        if np.isfinite(rest) and rest < 0
    ]
    if backwards:
        names = listed([f"'{text}'" for text in dict.fromkeys(backwards)], 5)
        text = f"Whoever is high on the rest of its scale is low on {names}: is it reversed and not marked so?"
        yield design_fact("survey_items", Verdict.CAUTION, float(len(set(backwards))), text)


def _of_room(found: SurveyFindings) -> Iterator[Finding]:
    for one in found.scales:
        for wave in one.waves:
            for n, end in ((wave.n_lowest, "lowest"), (wave.n_highest, "highest")):
                share = n / wave.n if wave.n else 0.0
                if share > AT_THE_ENDS:
                    text = Sentence(
                        "{n} of {all} have the " + end + " score that there is in " + one.scale.label.replace("{", "(")
                        + f" ({found.label(wave.wave)}): the scale cannot tell these apart, nor move further.",
                        n=count(n, "people"),
                        all=count(wave.n, "people", "respondent"),
                    )  # fmt: skip
                    yield design_fact("survey_room", Verdict.CAUTION, share, text)


def _of_identity(found: SurveyFindings) -> Iterator[Finding]:
    if found.unknown:
        n = len(found.unknown)
        text = (
            f"{counted(n, 'school')} of the answers {'is' if n == 1 else 'are'} in no published file "
            f"({listed(list(found.unknown), 6)}): a school under another number would stand in one wave only."
        )
        yield design_fact("survey_unknown_schools", Verdict.CAUTION, float(n), text)
    if found.recurring and not found.plan.options.linked:
        text = Sentence(
            "{n} stand in both waves under the same number. If they are the same people, `linked: true` compares each "
            "with himself; if not, nothing is wrong.",
            n=count(found.recurring, "people", "person", "people"),
        )
        yield statement("survey_recurring", float(found.recurring), text)
