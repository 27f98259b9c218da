"""The plan of an analysis of ordered categories: which there are, where everyone stood, and who is compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.core.arrays import Ints
from evalkit.core.errors import DesignError
from evalkit.core.project import Exposure, Pool, Project
from evalkit.core.project_parts import CONFIG
from evalkit.core.shown import Shown
from evalkit.core.words import counted, listed
from evalkit.data.flow import LeftOut
from evalkit.data.measures import measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import exclusion_reasons
from evalkit.design.project.listed import Against, SetAgainst, set_against


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionsOptions:
    """What an analysis of the kind `transitions` may say for itself; what it does not say is the project's."""

    __pydantic_config__: ClassVar = CONFIG
    categories: dict[str, str] = field(default_factory=dict)
    """The categories, the best first: from the number that stands in the table to what it means."""
    against: Against = "neighbours"
    """Whom participants are set against: statistical neighbours of their areas, or all other areas."""
    exposure: Exposure | None = None
    """Which years are before, partial and after; the last before and the last after are compared."""
    pool: Pool | None = None
    """Which schools may be compared."""

    @property
    def numbers(self) -> tuple[float, ...]:
        """Return the numbers of the categories, the best first."""
        return tuple(float(one) for one in self.categories)

    def positions(self, values: pd.Series, what: str) -> pd.Series:
        """Return the place of each value among the categories, 0 the best; raise `DesignError` for any other value."""
        place = {number: at for at, number in enumerate(self.numbers)}
        odd = sorted({value for value in values if value not in place})
        if odd:
            raise DesignError(
                f"{what} holds {listed([f'{one:g}' for one in odd], 5)}, which is none of the categories "
                f"{listed(list(self.categories), 12)}. Name every one under `categories`, the best first."
            )
        return values.map(place).astype("int64")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TransitionsOutcome:
    """Where everyone stood before, for one outcome.

    `before` are positions among the categories by unit, `participants` those analysed, `against` whom they are set
    against; `left_out` participants without a category before; `too_few` why nothing is estimated, or an empty text.
    """

    code: str
    stage: str
    before: pd.Series
    participants: pd.Index
    against: SetAgainst
    left_out: tuple[LeftOut, ...]
    too_few: str

    def counts(self, n_categories: int) -> Ints:
        """Return how many participants stood in each category before."""
        own = self.before.reindex(self.participants).to_numpy(dtype=np.int64)
        return np.bincount(own, minlength=n_categories).astype(np.int64)

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data."""
        text = "\n".join(f"{unit} {place}" for unit, place in self.before.items())
        return {
            "participants": sorted(map(str, self.participants)),
            "before_sha256": hashlib.sha256(text.encode()).hexdigest(),
            **self.against.record(),
            "left_out": {one.reason: len(one.units) for one in self.left_out},
            "not_estimated": self.too_few,
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class TransitionsPlan(Shown):
    """The plan of every outcome, and the choices behind it."""

    project: Project
    options: TransitionsOptions
    outcomes: Mapping[str, TransitionsOutcome]
    labels: Mapping[str, str]

    @property
    def years(self) -> tuple[int, int]:
        """Return the last year before and the last one after, which are compared."""
        return max(self.project.exposure.pre), max(self.project.exposure.post)

    @property
    def primary(self) -> TransitionsOutcome:
        """Return the plan of the primary outcome."""
        return self.outcomes[self.project.primary.code]

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data."""
        return {
            "categories": dict(self.options.categories),
            "outcomes": {code: outcome.record() for code, outcome in self.outcomes.items()},
        }


def transitions_plan(project: Project, options: TransitionsOptions, intake: ProjectData) -> TransitionsPlan:
    """Decide who is compared, from the categories before the programme; raise `DesignError` where nobody is left."""
    return TransitionsPlan(
        project=project,
        options=options,
        outcomes={one.code: _outcome(project, options, intake, one.code) for one in project.outcomes},
        labels={one.code: measure_of(project, one.code).label for one in project.outcomes},
    )


def _outcome(project: Project, options: TransitionsOptions, intake: ProjectData, code: str) -> TransitionsOutcome:
    known, year = measure_of(project, code), max(project.exposure.pre)
    records = intake.records[known.key_stage]
    reasons = exclusion_reasons(records, code, (year,), project.pool.minor_groups)
    values = records.values[code].loc[reasons.index[reasons == ""], year].sort_index()
    before = options.positions(values, f"{known.label} in {year}")
    listed_units = pd.Index(sorted(intake.treated.schools.get(known.key_stage, ())), dtype=object)
    participants = listed_units[listed_units.isin(before.index)]
    if not len(participants) and code == project.primary.code:
        raise DesignError(
            f"{known.label}: no participant has a category in {year}. Run `evalkit check {project.slug}` to see why "
            "each was left out."
        )
    # sets like the list need higher to be better
    against = set_against(project, options.against, intake, records, code, reasons, before=-before.astype(float))
    few = len(participants) < project.pool.minimum_treated
    return TransitionsOutcome(
        code=code,
        stage=known.key_stage,
        before=before,
        participants=participants,
        against=against,
        left_out=tuple(_left_out(reasons.reindex(listed_units))),
        too_few=f"{counted(len(participants), 'participant')}: too few for an estimate (the project asks for at least "
        f"{project.pool.minimum_treated})"
        if few
        else "",
    )


def _left_out(reasons: pd.Series) -> Iterator[LeftOut]:
    own = reasons.fillna("it is not among the units of the outcome's records")
    for reason in sorted(set(own) - {""}):
        units = tuple(map(str, own.index[own == reason]))
        yield LeftOut(reason, units, len(units))
