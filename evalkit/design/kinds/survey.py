"""The plan of a survey: its items and scales, its waves, and of which schools the change is to speak."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

from evalkit.core.plain import plain
from evalkit.core.project import Project
from evalkit.core.project_parts import CONFIG
from evalkit.core.shown import Shown
from evalkit.data.own_tables.survey_answers import Scale
from evalkit.data.published.project_data import ProjectData


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyOptions:
    """What an analysis of the kind `survey` may say for itself."""

    __pydantic_config__: ClassVar = CONFIG
    answers: str = ""
    """Table of `data.tables` with a row for each person asked and wave; its `person` and `period` are named there."""
    scales: tuple[Scale, ...] = ()
    """The scales of the questionnaire, or the areas of the audit tool, each with its items."""
    points: dict[str, str] = field(default_factory=dict)
    """The points of all scales that name none of their own, the lowest first: {1: Strongly disagree, …}."""
    waves: dict[str, str] = field(default_factory=dict)
    """One or two waves, the earlier first: from the year in the table to what reports call it."""
    linked: bool = False
    """Whether the same people answered in both waves, under the same number: then each is compared with himself."""
    of_schools: int | None = None
    """How many schools the change is to speak of, those surveyed among them; by default those that took part, where
    they are listed and all schools surveyed are among them, and else many more than were surveyed."""
    known: tuple[str, ...] = ()
    """Numbers known of everyone asked (table.column), by which those who answered are set beside those who did not."""
    ratings: str = ""
    """Table of `data.tables` with a row for each school, rater and wave and the same items: how far raters agree. Its
    `person` is the number of the row."""
    rater: str = "rater"
    """Column of that table with the rater, as a number."""
    draws: int = 999
    """Draws of schools for the intervals of alpha and omega."""

    @property
    def named_columns(self) -> tuple[str, ...]:
        """Return the columns of own tables that the scales are of, as `table.column`."""
        tables = [table for table in (self.answers, self.ratings) if table]
        items = tuple(f"{table}.{column}" for table in tables for scale in self.scales for column in scale.columns)
        return (*items, f"{self.ratings}.{self.rater}") if self.ratings else items

    @property
    def full_scales(self) -> tuple[Scale, ...]:
        """Return the scales, each with the points of its items."""
        return tuple(scale if scale.points else replace(scale, points=self.points) for scale in self.scales)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class SurveyPlan(Shown):
    """What is asked, when, and of whom.

    Attributes
    ----------
    scales : the scales with their points
    waves : the year of each wave, the earlier first
    labels : what reports call each wave
    n_listed : schools that are listed as participants, None where whole areas take part
    """

    project: Project
    options: SurveyOptions
    scales: tuple[Scale, ...]
    waves: tuple[int, ...]
    labels: tuple[str, ...]
    n_listed: int | None

    @property
    def has_two_waves(self) -> bool:
        """Return whether there is a change to tell."""
        return len(self.waves) > 1

    @property
    def known(self) -> tuple[str, ...]:
        """Return the columns known of everyone asked."""
        return tuple(name.partition(".")[2] for name in self.options.known)

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data."""
        return {
            "scales": [plain(scale) for scale in self.scales],
            "waves": dict(zip(map(str, self.waves), self.labels, strict=True)),
            "linked": self.options.linked,
            "of_schools": self.options.of_schools,
            "schools_listed": self.n_listed,
            "raters": bool(self.options.ratings),
            "known": list(self.known),
        }


def survey_plan(project: Project, options: SurveyOptions, intake: ProjectData) -> SurveyPlan:
    """Return what will be told of a survey: nothing in it depends on an answer."""
    waves = sorted((int(year), label) for year, label in options.waves.items())
    listed = {school.school or school.urn for school in intake.treated.matched}
    return SurveyPlan(
        project=project,
        options=options,
        scales=options.full_scales,
        waves=tuple(year for year, _ in waves),
        labels=tuple(label for _, label in waves),
        n_listed=len(listed) or None,
    )


# What can be said against the options from the project file alone.


def survey_faults(project: Project, options: SurveyOptions) -> Iterator[tuple[str, str]]:
    """Yield what cannot be right whatever the answers are: the key, and what is wrong with it."""
    yield from _of_tables(project, options)
    yield from _of_waves(options)
    yield from _of_scales(options)
    if options.of_schools is not None and options.of_schools < 1:
        yield "of_schools", f"a number of schools, those surveyed among them, not {options.of_schools}"
    if options.draws < 99:
        yield "draws", f"at least 99 draws, 999 for a report, not {options.draws}"
    for name in options.known:
        if name.partition(".")[0] != options.answers:
            yield "known", f"'{name}' is no column of the table of answers. Write it as {options.answers}.column"


def _of_tables(project: Project, options: SurveyOptions) -> Iterator[tuple[str, str]]:
    tables = project.data.tables
    for key, name in (("answers", options.answers), ("ratings", options.ratings)):
        if not name and key == "ratings":
            continue
        if name not in tables:
            yield key, f"name a table of `data.tables` with a row for each person asked; there is no '{name}'"
            continue
        if tables[name].person is None:
            whose = "each person asked" if key == "answers" else "each rating"
            yield key, f"name the column of the number of {whose} as `person` of the table '{name}'"
        if tables[name].period is None:
            yield key, f"name the column of the wave, a year, as `period` of the table '{name}'"


def _of_waves(options: SurveyOptions) -> Iterator[tuple[str, str]]:
    if not 1 <= len(options.waves) <= 2:
        text = "name one or two waves: from the year in the table to what it is called, {2008: Spring 2008, 2009: …}"
        yield "waves", text
    odd = [year for year in options.waves if not year.isdigit()]
    if odd:
        yield "waves", f"'{odd[0]}' is no year; a wave is a year as in the table's `period`"
    if options.linked and len(options.waves) == 1:
        yield "linked", "with one wave nobody is found again. Leave it out"


def _of_scales(options: SurveyOptions) -> Iterator[tuple[str, str]]:
    if not options.scales:
        yield "scales", "name the scales of the questionnaire, each with its items"
    names = [scale.name for scale in options.scales]
    columns = [column for scale in options.scales for column in scale.columns]
    for what, found in (("scales are called", names), ("items are of the column", columns)):
        twice = [one for one in dict.fromkeys(found) if found.count(one) > 1]
        if twice:
            yield "scales", f"two {what} '{twice[0]}'; give each one of its own"
    for scale in options.full_scales:
        if not scale.items:
            yield "scales", f"the scale '{scale.name}' has no items"
        yield from _of_points(scale)


def _of_points(scale: Scale) -> Iterator[tuple[str, str]]:
    key = "points"
    if len(scale.points) < 2:
        yield key, f"the scale '{scale.name}' has no points: name them, the lowest first, {{1: Not yet, 2: …}}"
        return
    odd = [point for point in scale.points if not _is_number(point)]
    if odd:
        yield key, f"'{odd[0]}' of the scale '{scale.name}' is no number; a table holds points as numbers"
    elif any(later <= earlier for earlier, later in zip(scale.numbers[:-1], scale.numbers[1:], strict=True)):
        yield key, f"the points of the scale '{scale.name}' do not rise; name them from the lowest to the highest"


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False
