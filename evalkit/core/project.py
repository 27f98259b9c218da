"""A project: every analytical choice of one evaluation, in one place a reviewer can read.

The classes are plain frozen dataclasses. `evalkit.run` parses and validates the
YAML text into them; the attribute docstrings become the JSON Schema's descriptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, ClassVar, Final, Literal

from evalkit.core.draws import LEVEL
from evalkit.core.formats import as_sentence
from evalkit.core.missing import Missing
from evalkit.core.project_parts import CONFIG, Author, Choices, Cost, Disclosure, Family, OwnNotebook, PlanRules, Source

Role = Literal["primary", "secondary", "placebo"]
AIMED_AT: Final = ("primary", "secondary")
"""Roles of the outcomes that the programme was to move: their p-values are adjusted for how many there are."""
NeighbourList = Literal["april_2021", "may_2025"]
MatchingCovariate = Literal["pre_outcomes", "cohort_size", "fsm_share_2223"]

DAY_OF_TESTS: Final = (5, 15)
"""Month and day that stand for a summer's results: key stage 2 is tested in the second week of May, GCSEs from then."""

OWN_GROUP: Final = "own"
"""What stands for the school group of a unit that an own table names and no published file knows."""

NO_SCHOOLS_NAMED: Final = "The project names no schools, so the effect is that on all schools of {}."
"""What a report says of participation where the project file gives no reason for evaluating a whole area."""


def day_of_tests(year: int) -> date:
    """Return the day that stands for the tests of a summer."""
    return date(year, *DAY_OF_TESTS)


def first_summer(start: date) -> int:
    """Return the first summer whose tests came on or after the first day of a programme.

    The one rule of what is before: earlier summers are, whatever the calendar year. A programme that
    starts in September 2017 has the summers to 2017 before it, and 2018 is the first that it can have changed.
    """
    return start.year if start <= day_of_tests(start.year) else start.year + 1


_SEPTEMBER: Final = 9


def summer_of(day: date) -> int:
    """Return the summer of the school year that a day belongs to: 2018 from September 2017 to August 2018.

    The first treated summer of a participant that starts on that day. A start after the tests, in June say, belongs to
    the summer whose tests were over already: what is before it is still never later than `first_summer` has it.
    """
    return day.year + (day.month >= _SEPTEMBER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What was done, where, when and for how much."""

    __pydantic_config__: ClassVar = CONFIG
    name: str
    """Name of the programme."""
    place: str
    """Short name of the place, as the headline should call it."""
    funder: str
    """Who paid."""
    aim: str
    """What the programme set out to change, in a phrase."""
    theme: str = ""
    """What kind of programme it is, in a word or two, such as `literacy`: a portfolio sets like programmes together."""
    start: date
    """First day of the programme (yyyy-mm-dd)."""
    end: date
    """Last day of the programme (yyyy-mm-dd)."""
    description: str = ""
    """One paragraph a commissioner would recognise."""
    sources: tuple[Source, ...] = ()
    """Documents that describe the programme."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A made-up list of participants for an example: so many schools drawn at random of one area."""

    __pydantic_config__: ClassVar = CONFIG
    n: int
    """How many schools are drawn, of those with a result of the primary outcome in every year before."""
    of: int | str
    """DfE code or name of the area they are drawn of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRule:
    """The rule by which schools were listed: so many with the lowest, or highest, results before the programme."""

    __pydantic_config__: ClassVar = CONFIG
    of: str
    """Measure by whose mean schools were listed; an outcome of the project."""
    years: tuple[int, ...]
    """Summers of that mean, all before the programme."""
    lowest: float | None = None
    """Share (0.2) or number (10) of schools listed from the lowest on."""
    highest: float | None = None
    """The same from the highest on."""
    within: Literal["area", "england"] = "area"
    """Whether the share or number is of each area's schools, or of all England's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participants:
    """Which schools were in the programme: those of a file, of whole local authorities, by a rule, or made up."""

    __pydantic_config__: ClassVar = CONFIG
    file: str | None = None
    """CSV beside the project file: the unit (URN; LAESTAB and name; or a table's id), optional start, dose, group."""
    trust: str | int | None = None
    """A group of `file`, which then is GIAS's list of members of groups: its name, Group UID or Group ID."""
    areas: tuple[int | str, ...] = ()
    """DfE codes or names of areas of which every eligible school counts: an area-level intention to treat."""
    rule: ListRule | None = None
    """How schools were listed: with `areas` it lists those of these areas; with `file` the file says who they are."""
    draw: Draw | None = None
    """A made-up list for an example; every page says that it is one."""
    first_year: Literal["full", "partial"] = "full"
    """Whether the summer of the school year in which a participant starts counts as treated (`full`) or the next."""
    known_participants: str = ""
    """What is known about how many of the area's schools took part, in words, with the dilution this implies."""
    why_whole_area: str = ""
    """Why a whole area is evaluated and not the schools that took part; one sentence, printed in reports."""

    @property
    def is_listed(self) -> bool:
        """Return whether schools take part one by one, rather than areas with all their schools."""
        return not self.areas or self.rule is not None

    @property
    def made_up(self) -> str:
        """Return the sentence that every page carries where the list is an example's; an empty text elsewhere."""
        if self.draw is None:
            return ""
        return (
            f"The list of participating schools is made up: {self.draw.n} schools drawn at random of {self.draw.of}, "
            "as an example. No result here is that of a programme."
        )

    @property
    def whole_area_reason(self) -> str:
        """Return the sentence that says why a whole area counts as treated."""
        if self.why_whole_area:
            return as_sentence(self.why_whole_area)
        return NO_SCHOOLS_NAMED.format("the area" if len(self.areas) < 2 else "these areas")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Summers before, during and after the programme; a year is the summer of the tests (the middle of May)."""

    __pydantic_config__: ClassVar = CONFIG
    pre: tuple[int, ...] = ()
    """Years whose tests came before the programme's first day; their mean is what change is measured from."""
    partial: tuple[int, ...] = ()
    """Years in which schools were exposed for part of the year; shown, never part of the headline."""
    post: tuple[int, ...] = ()
    """Years whose tests came after most of a school year of the programme, or later; their mean is the outcome."""

    @property
    def years(self) -> tuple[int, ...]:
        """Return every year named, earliest first."""
        return tuple(sorted((*self.pre, *self.partial, *self.post)))


MOST_OF_A_YEAR: Final = 240
"""Days before a summer's tests from which on the programme counts as having run for most of a school year."""


def default_exposure(programme: Programme, years: Sequence[int]) -> Exposure:
    """Return which of some summers were before a programme, partly exposed to it, and after most of a year of it."""
    before = [year for year in years if year < first_summer(programme.start)]
    later = [year for year in years if year >= first_summer(programme.start)]
    whole = [year for year in later if (day_of_tests(year) - programme.start).days >= MOST_OF_A_YEAR]
    partial = [year for year in later if year not in whole]
    return Exposure(pre=tuple(before), partial=tuple(partial), post=tuple(whole))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBreak:
    """A change in how an evaluator's own measure is made, between one period and the next."""

    __pydantic_config__: ClassVar = CONFIG
    before: int
    """Last period before the change."""
    after: int
    """First period after it."""
    kind: Literal["level", "year-common"] = "level"
    """`level`: never compared across. `year-common`: every unit moved alike, so that differences may cross it."""
    sentence: str
    """What changed, in a sentence that the report prints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is measured, and the part it plays: a measure of the registry, or a column of an own table."""

    __pydantic_config__: ClassVar = CONFIG
    role: Role
    """`primary` (exactly one), `secondary`, or `placebo` (the programme should not move it)."""
    measure: str | None = None
    """Code of a published measure as DfE names it, for example READPROG."""
    table: str | None = None
    """Name of an own table under `data.tables`, in the place of `measure`."""
    column: str | None = None
    """Column of that table."""
    label: str = ""
    """What an own column is called in reports."""
    unit: str = "points"
    """What an own column is measured in, for example months."""
    direction: Literal["higher", "lower"] = "higher"
    """Which way an own column is better."""
    sd: float | None = None
    """Pupil-level standard deviation by which effects on an own column are standardised, where it is known."""
    breaks: tuple[OwnBreak, ...] = ()
    """Changes in how an own column was made."""

    @property
    def code(self) -> str:
        """Return the measure's code, `table.column` of an own one: the name of an outcome everywhere else."""
        return self.measure if self.measure is not None else f"{self.table}.{self.column}"

    @property
    def is_own(self) -> bool:
        """Return whether the outcome is a column of an own table."""
        return self.measure is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One analysis of a project: its kind, its outcomes, and what only its kind may say of it.

    `options` is the kind's own option object, valid if it exists.
    """

    __pydantic_config__: ClassVar = CONFIG
    name: str
    """Short name: lower-case letters, digits and hyphens; it stands in results and headings."""
    kind: str
    """What kind of analysis it is, such as `areas`, `matched` or `staggered`."""
    primary: bool = False
    """Whether the report's headline is this analysis's; true of exactly one."""
    outcomes: tuple[str, ...] = ()
    """Codes of the outcomes it takes; all of the project's where it names none."""
    by: str | tuple[str, ...] | None = None
    """Subgroups for which it is made as well: one of `by` below, or several; the project's where it names none."""
    families: tuple[Family, ...] = ()
    """Families of its own outcomes, beside those of the project."""
    options: Any = None
    """What only this kind may say; in the file these keys stand beside the others."""
    uses_exposure: bool = True
    """Whether its years before and after are those of `exposure`; as its kind has it, never in the file."""
    describes: bool = False
    """Whether it describes and gives no effect; as its kind has it, never in the file."""
    exposure: Exposure | None = None
    """Its own years before and after, where its options have any; taken from them, never in the file."""
    columns: tuple[str, ...] = ()
    """Columns of own tables that its options name, as `table.column`; taken from them, never in the file."""

    @property
    def needs_exposure(self) -> bool:
        """Return whether it takes the project's own years before and after."""
        return self.uses_exposure and self.exposure is None


@dataclass(frozen=True, slots=True, kw_only=True)
class TripleDifference:
    """A triple difference: one outcome less another, within the same school."""

    __pydantic_config__: ClassVar = CONFIG
    measure: str
    """The outcome the programme aimed at."""
    minus: str
    """The outcome it did not aim at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Which schools may be compared, decided before outcomes."""

    __pydantic_config__: ClassVar = CONFIG
    minor_groups: tuple[str, ...] = ("Maintained School", "Academy")
    """School groups of the 2017/18 school list that count as mainstream and state-funded."""
    require_all_years: bool = True
    """Whether a school needs a published outcome in every year named in `exposure`."""
    neighbours: NeighbourList = "april_2021"
    """Statistical-neighbour list of the main comparison."""
    alternative_neighbours: NeighbourList = "may_2025"
    """Statistical-neighbour list shown beside it."""
    minimum_area_schools: int = 5
    """Fewest analysed schools with which an area enters the permutation."""
    minimum_treated: int = 10
    """Fewest treated schools with which an effect is estimated at all."""
    exclude_areas: tuple[int, ...] = ()
    """Areas never used for comparison, by DfE code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Nearest-neighbour matching on what was known before the programme."""

    __pydantic_config__: ClassVar = CONFIG
    ratio: int = 5
    """Comparison schools for each treated school."""
    covariates: tuple[MatchingCovariate, ...] = ("pre_outcomes", "cohort_size")
    """What schools are matched on. `fsm_share_2223` is a proxy measured after the programme, off by default."""
    exact_region: bool = True
    """Whether a match must lie in the same region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimation:
    """How the effect is measured."""

    __pydantic_config__: ClassVar = CONFIG
    base: Literal["mean_of_pre_years"] = "mean_of_pre_years"
    """What change is measured from, in the headline and in the event study alike."""
    weights: Literal["schools", "pupils"] = "schools"
    """`schools`: each weighs one. `pupils`: mean cohort size before the programme. The other is shown beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceChoices:
    """How uncertain the effect is."""

    __pydantic_config__: ClassVar = CONFIG
    level: float = LEVEL
    """Level of every interval."""
    statistic: Literal["unstudentised", "studentised"] = "unstudentised"
    """Statistic of the area permutation; the other one is printed beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSizes:
    """How effects are standardised."""

    __pydantic_config__: ClassVar = CONFIG
    months_table: Literal["toolkit", "trial"] = "toolkit"
    """Months-of-progress table: EEF `toolkit` (published), or `trial` (unverified)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contamination:
    """Another programme in areas that serve as comparison."""

    __pydantic_config__: ClassVar = CONFIG
    areas: tuple[int, ...]
    """DfE codes of the areas."""
    programme: str
    """What else happened there."""
    source: str
    """Where this is stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTable:
    """A table of the evaluator's own, beside the project file."""

    __pydantic_config__: ClassVar = CONFIG
    file: str
    """CSV (also .csv.gz) or Parquet file beside the project file."""
    unit: str
    """Column with the unit: a URN or LAESTAB of a school, or an id of the table's own."""
    period: str | None = None
    """Column with the period of each row; without one the table has one row for each unit."""
    area: str | None = None
    """Column with the local authority of each unit, where the published files do not know the unit."""
    name: str | None = None
    """Column with the name of each unit, where the published files do not know it."""
    pupils: str | None = None
    """Column with the pupils that a row rests on, for weights and for disclosure control."""
    person: str | None = None
    """Column with the person of each row, where rows are people (pupils): `unit` is then the school each is in."""
    where: dict[str, str | int | tuple[str | int, ...]] = field(default_factory=dict)
    """Which rows count: from a column to the value, or the values, that its cells must have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectTables:
    """Where the data of a project are: published files, and tables of the evaluator's own."""

    __pydantic_config__: ClassVar = CONFIG
    folder: str | None = None
    """Folder of published files, relative to the project file; it is only read. `--data` comes before it."""
    kind: Literal["real", "synthetic"] = "real"
    """What the own tables hold: `synthetic` where they are made up, which every page then says."""
    tables: dict[str, OwnTable] = field(default_factory=dict)
    """Own tables by name."""
    borders: str | None = None
    """CSV beside the project file whose first two columns are two areas that border each other (codes, names or ids);
    without it borders are those of the outlines among the published files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Every analytical choice of one evaluation."""

    __pydantic_config__: ClassVar = CONFIG
    schema_version: Literal[2]
    """Version of this format."""
    slug: str
    """Short name: lower-case letters, digits and hyphens; also the name of the outputs folder."""
    title: str
    """Title of the report."""
    question: str
    """The evaluation question, as the commissioner would ask it."""
    programme: Programme
    """What was done, where, when."""
    participants: Participants = field(default_factory=Participants)
    """Which schools took part; a project of analyses that describe alone may leave it out."""
    outcomes: tuple[Outcome, ...] = ()
    """Outcomes and their roles; none where every analysis describes and none gives an effect."""
    analyses: tuple[Analysis, ...]
    """What is done with them; exactly one analysis is primary, and the headline is its."""
    authors: tuple[Author, ...] = ()
    """Who answers for the report; it says so where none are named."""
    commissioner: str = ""
    """Who asked for the evaluation."""
    date: str = ""
    """Date of the report as it should stand on its face, such as 2026-11-30; left out where none is given."""
    by: str | tuple[str, ...] = ()
    """Subgroups: disadvantaged, prior_attainment, sex (of pupils); type, region, table.column (of schools)."""
    families: tuple[Family, ...] = ()
    """Outcomes judged together; where any are declared, what is in none and not primary is exploratory."""
    exposure: Exposure = field(default_factory=Exposure)
    """Which years are before, partial and after; by default by the programme's first and last day."""
    contrasts: tuple[TripleDifference, ...] = ()
    """Triple differences."""
    choices: Choices | None = None
    """What could have been chosen otherwise: a specification curve of all combinations."""
    pool: Pool = field(default_factory=Pool)
    """Which schools may be compared."""
    matching: Matching = field(default_factory=Matching)
    """How schools are matched."""
    estimation: Estimation = field(default_factory=Estimation)
    """How the effect is measured."""
    inference: InferenceChoices = field(default_factory=InferenceChoices)
    """How uncertain it is."""
    effect_sizes: EffectSizes = field(default_factory=EffectSizes)
    """How effects are standardised."""
    missing: Missing = field(default_factory=Missing)
    """What stands beside every analysis where outcomes are missing."""
    cost: Cost | None = None
    """What the programme cost."""
    contamination: tuple[Contamination, ...] = ()
    """Other programmes in comparison areas, as far as known."""
    claims: str | None = None
    """YAML file beside the project file with claims made about the programme."""
    reference_document: str | None = None
    """Word document (.docx) beside the project file in whose styles, header and footer report.docx is made."""
    data: ProjectTables = field(default_factory=ProjectTables)
    """Where the data are: the folder of published files, on which no number depends, and own tables."""
    notebooks: tuple[OwnNotebook, ...] = ()
    """Notebooks of the evaluator's own that become chapters of the report."""
    plan: PlanRules = field(default_factory=PlanRules)
    """The analysis plan: whether outcomes wait for its lock (`plan: required`), and why it was deviated from."""
    disclosure: Disclosure = field(default_factory=Disclosure)
    """What may leave the project."""
    seed: int = 1
    """Seed of every random draw."""

    @property
    def primary(self) -> Outcome:
        """Return the primary outcome; the first one where an analysis takes others only."""
        assert self.outcomes, "a project without outcomes only describes, and nothing asks it for one"
        return next((outcome for outcome in self.outcomes if outcome.role == "primary"), self.outcomes[0])

    @property
    def primary_analysis(self) -> Analysis:
        """Return the analysis that the headline is of."""
        return next(analysis for analysis in self.analyses if analysis.primary)

    @property
    def only_describes(self) -> bool:
        """Return whether every analysis describes, so that the project has no effect and says of none."""
        return bool(self.analyses) and all(analysis.describes for analysis in self.analyses)

    def exposure_of(self, analysis: Analysis) -> Exposure:
        """Return the years before and after of an analysis: its own, or else the project's."""
        return analysis.exposure if analysis.exposure is not None else self.exposure

    def parted_by_end(self, analysis: Analysis) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return an analysis's years after the start: those to the summer of the programme's last day, those later."""
        last = summer_of(self.programme.end)
        post = sorted(self.exposure_of(analysis).post)
        return tuple(year for year in post if year <= last), tuple(year for year in post if year > last)

    def by_of(self, analysis: Analysis) -> tuple[str, ...]:
        """Return by what an analysis is made for subgroups: its own `by`, or else the project's."""
        named = self.by if analysis.by is None else analysis.by
        return (named,) if isinstance(named, str) else named

    @property
    def exploratory(self) -> frozenset[str]:
        """Return the outcomes in no family, neither primary nor placebo, by code; none where no family is declared."""
        families = [*self.families, *(one for analysis in self.analyses for one in analysis.families)]
        declared = {code for one in families for code in one.outcomes}
        rest = (one.code for one in self.outcomes if one.role == "secondary" and one.code not in declared)
        return frozenset(rest) if families else frozenset()

    @property
    def uses_all_years(self) -> bool:
        """Return whether an analysis takes every year that its outcomes have, whatever `exposure` says."""
        return any(not analysis.uses_exposure for analysis in self.analyses)

    @property
    def reads_published(self) -> bool:
        """Return whether published files are needed: an outcome is a measure of theirs, or an analysis reads them."""
        reading = (bool(getattr(analysis.options, "reads_published", False)) for analysis in self.analyses)
        return any(not outcome.is_own for outcome in self.outcomes) or any(reading)

    @property
    def needs_borders(self) -> bool:
        """Return whether an analysis draws sets of areas that border each other."""
        return any(getattr(analysis.options, "needs_borders", False) for analysis in self.analyses)

    def own_outcomes(self, table: str) -> tuple[Outcome, ...]:
        """Return the outcomes that are columns of an own table."""
        return tuple(one for one in self.outcomes if one.is_own and one.table == table)

    def columns_of(self, table: str) -> tuple[str, ...]:
        """Return the columns of an own table that analyses name beside its outcomes, each once."""
        named = [one.partition(".") for analysis in self.analyses for one in analysis.columns]
        return tuple(dict.fromkeys(column for name, _, column in named if name == table))

    def outcomes_of(self, analysis: Analysis) -> tuple[Outcome, ...]:
        """Return the outcomes of an analysis, in the order of the file; one that describes has none."""
        if analysis.describes:
            return ()
        return tuple(one for one in self.outcomes if not analysis.outcomes or one.code in analysis.outcomes)

    def of_analysis(self, analysis: Analysis, **changes: Any) -> Project:
        """Return the project as one analysis sees it: its outcomes, and what it says otherwise for itself."""
        outcomes = self.outcomes_of(analysis)
        codes = {one.code for one in outcomes}
        contrasts = tuple(one for one in self.contrasts if {one.measure, one.minus} <= codes)
        return replace(self, **{"outcomes": outcomes, "contrasts": contrasts} | changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something said about the programme that data could bear on."""

    __pydantic_config__: ClassVar = CONFIG
    quote: str
    """What was said, word for word and without quotation marks around it."""
    part: str
    """What of it is looked at here, in a phrase."""
    source: str
    """Who made it, where and when."""
    measure: str | None = None
    """Measure that bears on it, or nothing if these data cannot speak to it."""
    reason: str = ""
    """Why these data cannot speak to it, where there is no measure."""
    note: str = ""
    """What a reader should know of where it comes from; printed above the claims."""
