"""Which years a project reads: those before its programme, and all that are read after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from evalkit.core.project import Project, summer_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Years:
    """The years whose scores may be read before the programme (`before`), and all that are read after it (`every`)."""

    before: tuple[int, ...]
    every: tuple[int, ...]


def years_of(project: Project, available: Iterable[int], start: date | None = None) -> Years:
    """Return the years that a project's analyses ask for.

    An analysis by `exposure` asks for the years named there. Another asks for every year `available`, and before the
    programme for the summers of school years before that of the first start: `start`, or the programme's own first day.
    """
    named = [project.exposure_of(analysis) for analysis in project.analyses if analysis.uses_exposure]
    before = {year for exposure in named for year in exposure.pre}
    every = {year for exposure in named for year in exposure.years}
    if project.uses_all_years:
        first = summer_of(start or project.programme.start)
        every |= set(available)
        before |= {year for year in every if year < first}
    return Years(before=tuple(sorted(before)), every=tuple(sorted(every)))
