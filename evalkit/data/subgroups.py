"""By what an analysis may be made for subgroups: of pupils by published breakdowns, of schools by what they were."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Final

from evalkit.core.errors import DataError
from evalkit.core.project import Analysis, Project
from evalkit.core.words import did_you_mean, listed
from evalkit.data.measures import MEASURES, Measure

OF_SCHOOLS: Final = {"type": "minor_group", "region": "region"}
"""What parts schools by the school lists, with the column of the records that holds it."""
WORDS: Final = {
    "disadvantaged": "Disadvantaged pupils and others",
    "prior_attainment": "Pupils by prior attainment",
    "sex": "Girls and boys",
    "type": "Schools by type",
    "region": "Schools by region",
}
MOST_SUBGROUPS: Final = 6
"""Subgroups that one `by` may make: a column with more values is no grouping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """One subgroup: `by` what, its name among the others, words for it, and the measure that stands for each outcome.

    `outcomes` has by code of an outcome that of its breakdown; a subgroup of schools has the outcomes as they are.
    """

    by: str
    name: str
    words: str
    outcomes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleOf:
    """The pupils of an own table whose `column` has a value."""

    table: str
    column: str
    value: float

    @property
    def words(self) -> str:
        """Return them in words.

        >>> PeopleOf(table="pupils", column="ever_fsm", value=1.0).words
        'ever fsm = 1'
        """
        return f"{self.column.replace('_', ' ')} = {self.value:g}"


def by_words(by: str, are_pupils: bool = False) -> str:
    """Return what parts subgroups, in words; a column of an own table by its name, which may part pupils."""
    who = "Pupils" if are_pupils else "Schools"
    return WORDS.get(by, f"{who} by {by.partition('.')[2].replace('_', ' ') or by}")


def is_of_pupils(by: str) -> bool:
    """Return whether subgroups are of pupils, by published breakdowns, and not of schools."""
    return by in breakdowns()


def breakdowns() -> tuple[str, ...]:
    """Return every `by` of pupils that the measure registry knows."""
    return tuple(dict.fromkeys(known.by for known in MEASURES.values() if known.by))


def measures_by(code: str, by: str) -> tuple[Measure, ...]:
    """Return the measures that part the pupils of a measure, in the order of the registry; none where there are none.

    >>> [found.code for found in measures_by("READPROG", "sex")]
    ['READPROG_B', 'READPROG_G']
    """
    return tuple(known for known in MEASURES.values() if known.of == code and known.by == by)


def breakdowns_read(project: Project) -> dict[str, tuple[int, ...]]:
    """Return the published breakdowns that analyses ask for by `by`, with the summers in which they are needed."""
    needed: dict[str, set[int]] = {}
    for analysis in project.analyses:
        exposure = project.exposure_of(analysis)
        years = set(exposure.years) if analysis.uses_exposure else set()
        for by in project.by_of(analysis):
            for outcome in project.outcomes_of(analysis):
                for found in measures_by(outcome.code, by):
                    if years <= set(found.years):
                        needed.setdefault(found.code, set()).update(years)
    return {code: tuple(sorted(years)) for code, years in needed.items()}


# What can be said from the project file alone.


def faults(project: Project, analysis: Analysis) -> Iterator[str]:
    """Yield what is wrong with what an analysis is parted by, each in a sentence that says what next."""
    known = [*breakdowns(), *OF_SCHOOLS]
    named = project.by_of(analysis)
    for at, by in enumerate(named):
        if by in named[:at]:
            yield f"`{by}` is named twice"
        elif is_of_pupils(by):
            yield from _breakdown_faults(project, analysis, by)
        elif by == "phase":
            yield "the schools of one outcome are of one phase; name a column of an own table, as table.column, instead"
        elif "." in by and by.partition(".")[0] in project.data.tables:
            if any(one.code == by for one in project.outcomes):
                yield f"'{by}' is an outcome; part schools by what was known before the programme"
        elif by not in OF_SCHOOLS:
            tables = [f"{name}.column" for name in project.data.tables] or ["table.column of an own table"]
            yield f"nothing is known of '{by}'.{did_you_mean(by, known)} There are: {listed([*known, *tables], 20)}"


def _breakdown_faults(project: Project, analysis: Analysis, by: str) -> Iterator[str]:
    """Yield why an outcome that is parted cannot be: no breakdown exists, or not in each of its summers."""
    outcomes = project.outcomes_of(analysis)
    parts = {one.code: measures_by(one.code, by) for one in outcomes}
    if not any(parts.values()):
        yield f"no breakdown by {by} is published of {listed([*parts])}. Take another outcome or leave `{by}` out"
    elif analysis.uses_exposure:
        years = project.exposure_of(analysis).years
        for code, found in parts.items():
            lacking = [year for year in years if any(year not in one.years for one in found)]
            if lacking:
                common = reduce(set.intersection, (set(one.years) for one in found))
                yield (
                    f"{listed([one.code for one in found])} {'is' if len(found) == 1 else 'are'} not known for "
                    f"{listed([str(year) for year in lacking])}; summers with all of them: "
                    f"{listed([str(year) for year in sorted(common)], 20)}. Give this analysis an `exposure` of those, "
                    f"or `outcomes` without {code}"
                )


# The subgroups of a breakdown.


def pupil_subgroups(project: Project, by: str) -> tuple[Subgroup, ...]:
    """Return the subgroups of pupils of a project as one analysis sees it."""
    by_words: dict[str, list[tuple[str, str]]] = {}
    for outcome in project.outcomes:
        for found in measures_by(outcome.code, by):
            by_words.setdefault(found.subgroup, []).append((outcome.code, found.code))
    return tuple(
        Subgroup(by=by, name=pairs[0][1].removeprefix(f"{pairs[0][0]}_"), words=words, outcomes=tuple(pairs))
        for words, pairs in by_words.items()
    )


# Where a file lacks one.


@contextmanager
def telling_who_asks(breakdowns: Collection[str]) -> Iterator[None]:
    """Add to what is said of a column that lacks that `by` asks for it."""
    try:
        yield
    except DataError as problem:
        lacking = [code for code in breakdowns if code in str(problem)]
        if not lacking:
            raise
        told = "The breakdown " if len(lacking) == 1 else "The breakdowns "
        raise DataError(
            f"{problem}\n{told}{listed(lacking)}: `by` in the project file asks for it. Leave it out of `by`, give the "
            "analysis `outcomes` that have it, or put a table there with it."
        ) from None
