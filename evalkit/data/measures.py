"""The measure registry: what each published measure is, when it exists, and where its series breaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from evalkit.core.errors import ProjectError
from evalkit.core.words import did_you_mean, listed

BreakKind = Literal["level", "year-common"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A change in how a measure is made, between one summer and the next.

    A `level` break makes a change within one arm meaningless: it is refused. A `year-common`
    break moves every school by a rule of the year: a difference-in-differences may cross it if
    the rule acts equally on both arms; `sentence` says so and `bound` (in points, or None) how far off that could be.
    """

    before: int
    after: int
    kind: BreakKind
    sentence: str
    bound: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A published measure. `column` is its name in the tables, `pupils` the column that counts those it rests on."""

    code: str
    label: str
    unit: str
    direction: Literal["higher is better", "lower is better"]
    key_stage: Literal["KS2", "KS4"]
    years: tuple[int, ...]
    breaks: tuple[Break, ...] = ()

    @property
    def pupils(self) -> str:
        """Return the column that counts the pupils the measure covers."""
        return "TELIG" if self.key_stage == "KS2" else "TPUP"

    @property
    def limits(self) -> tuple[str, str, str] | None:
        """Return the columns with the published confidence limits and the coverage; None where none are published."""
        if self.key_stage == "KS4":  # of Progress 8 alone; limits of one measure say nothing of another's SD
            return ("P8CILOW", "P8CIUPP", "P8MEACOV") if self.code == "P8MEA" else None
        return f"{self.code}_LOWER", f"{self.code}_UPPER", f"{self.code.removesuffix('PROG')}COV"

    @property
    def unbroken_years(self) -> tuple[int, ...]:
        """Return the years that can be followed to the last one: those after the last level break."""
        first = max((b.after for b in self.breaks if b.kind == "level"), default=min(self.years))
        return tuple(year for year in self.years if year >= first)

    def breaks_within(self, years: tuple[int, ...]) -> tuple[Break, ...]:
        """Return the breaks that lie between the first and the last of the years."""
        return tuple(b for b in self.breaks if min(years) <= b.before and b.after <= max(years))


_TESTED: Final = (2016, 2017, 2018, 2019)
_UNTESTED: Final = (2020, 2021)
_CAP: Final = (
    "From 2018 the progress score of a pupil with an extremely low score is capped, which raises the scores of "
    "schools with such pupils a little. The difference between areas may cross this change only if it acts alike on "
    "both."
)
_PROGRESS_CAP: Final = Break(before=2017, after=2018, kind="year-common", sentence=_CAP)
_WRITING: Final = Break(
    before=2017,
    after=2018,
    kind="year-common",
    sentence="The framework for teacher assessment of writing changed in 2018, and DfE says results are not directly "
    "comparable with 2016 and 2017. The difference between areas may cross this change only if teachers in both "
    "applied it alike; no bound on the error can be had from published data.",
)
_REVISED_TESTS: Final = Break(
    before=2015,
    after=2016,
    kind="level",
    sentence="Tests, curriculum and scale changed in 2016: figures are not comparable with earlier years.",
)


def _progress(code: str, subject: str, *more: Break) -> Measure:
    return Measure(
        code=code,
        label=f"{subject} progress",
        unit="progress points",
        direction="higher is better",
        key_stage="KS2",
        years=_TESTED,
        breaks=(_REVISED_TESTS, _PROGRESS_CAP, *more),
    )


MEASURES: Final[dict[str, Measure]] = {
    measure.code: measure
    for measure in (
        _progress("READPROG", "Reading"),
        _progress("WRITPROG", "Writing", _WRITING),
        _progress("MATPROG", "Maths"),
        Measure(
            code="P8MEA",
            label="Progress 8",
            unit="Progress 8 points",
            direction="higher is better",
            key_stage="KS4",
            years=_TESTED,
            breaks=(
                Break(
                    before=2016,
                    after=2017,
                    kind="year-common",
                    sentence="GCSEs in English and mathematics were graded 9 to 1 for the first time in 2017, and "
                    "point scores were rescaled. The difference between areas may cross this change only if it acts "
                    "alike on both.",
                ),
                _PROGRESS_CAP,
            ),
        ),
        Measure(
            code="ATT8SCR",
            label="Attainment 8",
            unit="Attainment 8 points",
            direction="higher is better",
            key_stage="KS4",
            years=_TESTED,
            breaks=(
                Break(
                    before=2016,
                    after=2017,
                    kind="level",
                    sentence="Attainment 8 points were rescaled in 2017 for GCSEs graded 9 to 1: 2016 is not "
                    "comparable.",
                ),
            ),
        ),
    )
}
"""Every measure this version reads, by the name DfE gives it."""

TEACHER_ASSESSED: Final = frozenset({"WRITPROG"})
"""Measures that rest on what a school's own teachers judged."""


def measure(code: str) -> Measure:
    """Return a measure of the registry; raise `ProjectError` with the nearest known name otherwise."""
    if code not in MEASURES:
        raise ProjectError(
            f"'{code}' is not a measure this kit knows.{did_you_mean(code, MEASURES)} Known: {', '.join(MEASURES)}."
        )
    return MEASURES[code]


def absent_years(codes: Sequence[str], years: Iterable[int]) -> str:
    """Return what is said where measures are not at hand for some of the years; empty where they are for all."""
    known = MEASURES[codes[0]].years
    absent = sorted(set(years) - set(known))
    untested = [str(year) for year in absent if year in _UNTESTED]
    other_years = [str(year) for year in absent if year not in _UNTESTED]
    parts = []
    if untested:
        do = "does" if len(codes) == 1 else "do"
        summers = "there were no national tests or exams in the summers of 2020 and 2021"
        parts.append(f"{listed(codes)} {do} not exist for {listed(untested)}: {summers}")
    if other_years:
        parts.append(f"this kit does not know {listed(codes)} for {listed(other_years)}")
    who = "It" if other_years else "This kit"
    return f"{'; '.join(parts)}. {who} knows {codes[0]} for {listed([str(year) for year in known])}" if parts else ""


def require_years(code: str, years: tuple[int, ...]) -> None:
    """Raise `ProjectError` where a measure is not at hand for one of the years, or a level break lies between them."""
    known = measure(code)
    if said := absent_years([code], years):
        raise ProjectError(f"{known.label}: {said}.\nChange `exposure` in the project file.")
    for found in known.breaks_within(years):
        if found.kind == "level":
            raise ProjectError(f"{code} cannot be followed from {min(years)} to {max(years)}: {found.sentence}")
