"""The measure registry: what each published measure is, when it exists, and where its series breaks.

Measures are data: `measures.yml` beside this file holds them, and this file says what its keys mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Final, Literal, get_args

import yaml

from evalkit.core.errors import ProjectError
from evalkit.core.formats import lower_first, years_text
from evalkit.core.project import Outcome, Project, TripleDifference
from evalkit.core.words import did_you_mean, listed

BreakKind = Literal["level", "year-common"]
Direction = Literal["higher is better", "lower is better"]
HIGHER: Final[Direction] = "higher is better"
LOWER: Final[Direction] = "lower is better"
ABSENCE: Final = "ABS"
"""What stands for the key stage of absence, which is of every school."""
STAGES: Final = ("KS2", "KS4", ABSENCE)
"""Key stages with published records of schools; others are of authorities, or of a table of the project's own."""
AREAS: Final = "AREA"
"""What stands for the key stage of measures that are published of authorities: their rows are no schools."""


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

    def __post_init__(self) -> None:
        if self.kind not in get_args(BreakKind):
            raise ValueError(f"a break is of kind {' or '.join(get_args(BreakKind))}, not '{self.kind}'")
        if self.before >= self.after:
            raise ValueError(f"a break lies between a summer and a later one, not {self.before} and {self.after}")


AbsenceKind = Literal["never", "not_here"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Summers in which a measure has no results, and why.

    `never`: they do not exist, anywhere. `not_here`: the files that publish other summers do not hold them, so that
    they are missed by that sentence where no other file has them.
    """

    years: tuple[int, ...]
    kind: AbsenceKind
    sentence: str

    def __post_init__(self) -> None:
        if self.kind not in get_args(AbsenceKind):
            raise ValueError(f"an absence is of kind {' or '.join(get_args(AbsenceKind))}, not '{self.kind}'")


@dataclass(frozen=True, slots=True, kw_only=True)
class EesCell:
    """Where a measure stands in the long tables of Explore Education Statistics.

    `columns` are the names that its column has had, that of the latest release first; `subject` is what stands in the
    column of that name, empty where there is none; `breakdown` are the pupils, by the name they have there.
    """

    columns: tuple[str, ...]
    subject: str = ""
    breakdown: str = "Total"


AreaLayout = Literal["lait", "ees", "exclusions", "ofsted-history"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaPlace:
    """Where a measure of authorities stands: in files of a layout, under a name, in the rows that `where` chooses.

    `column` is a column, in the interactive tool's table what `Short Desc` holds; of a history of ratings no column is
    read, the share of schools judged good or better being worked out of it. `where` are columns of filters with the
    value of each, as pairs.
    """

    layout: AreaLayout
    column: str
    where: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.layout not in get_args(AreaLayout):
            raise ValueError(f"authorities are read of {', '.join(get_args(AreaLayout))}, not '{self.layout}'")


SdKind = Literal["scaled_scores", "share", "stated", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SdRule:
    """Where the standard deviation of pupils comes from by which effects on a measure are standardised.

    It is the unconditional one, between all pupils of England. `scaled_scores`: from the shares of pupils at 100 and
    110 points (`columns`: expected, higher), scores being normal. `share`: of a yes or no, from the share itself (the
    one column). `stated`: `value`, in points. `none`: it cannot be had, for the `reason`.
    """

    kind: SdKind
    columns: tuple[str, ...] = ()
    value: float | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.kind not in get_args(SdKind):
            raise ValueError(f"a standard deviation is given as {', '.join(get_args(SdKind))}, not '{self.kind}'")
        if len(self.columns) != {"scaled_scores": 2, "share": 1}.get(self.kind, 0):
            raise ValueError(f"'{self.kind}' does not take {len(self.columns)} columns")
        if (self.kind == "stated") != (self.value is not None and self.value > 0):
            raise ValueError("a stated standard deviation is a number above 0")
        if (self.kind == "none") != bool(self.reason):
            raise ValueError("where no standard deviation can be had, and only there, a reason says why")


UNKNOWN_SD: Final = SdRule(kind="none", reason="the project file states no standard deviation of this outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measure of schools, or one that is published of authorities.

    Attributes
    ----------
    code : its name in the tables, or table.column of a project's own
    label, unit, direction : words for readers
    key_stage : the records that hold it: KS2, KS4, ABS, AREA, or the name of a project's own table
    years : summers for which it is published; empty for one of a project's own, which its table decides
    breaks : changes in how it is made
    pupils : column that counts the pupils it rests on
    limits : columns with the published confidence limits and the coverage; None where none are published
    unadjusted : column with the score before extreme scores were capped
    teacher_assessed : whether it rests on what a school's own teachers judged
    subgroup : the pupils it is about, in words; empty where it is about all
    of, by : of a subgroup, the code of the measure about all pupils, and what parts them: `disadvantaged`, `sex`
    sd : where the standard deviation of pupils comes from
    absences : summers without results, and why
    small_numbers : what is published of few pupils, in words
    ees : where it stands in long tables of open data, None where it is not among them
    source : who publishes a measure of authorities, or says so of one that a project defines beside the kit's
    places : of a measure of authorities, where it stands, those read first first; none of a measure of schools
    typical : of a measure of authorities, between which values the middle one of a year lies in the unit that it has
    """

    code: str
    label: str
    unit: str
    direction: Direction = HIGHER
    key_stage: str
    years: tuple[int, ...]
    breaks: tuple[Break, ...] = ()
    pupils: str = ""
    limits: tuple[str, str, str] | None = None
    unadjusted: str | None = None
    teacher_assessed: bool = False
    subgroup: str = ""
    of: str = ""
    by: str = ""
    sd: SdRule = UNKNOWN_SD
    absences: tuple[Absence, ...] = ()
    small_numbers: str = ""
    ees: EesCell | None = None
    source: str = ""
    places: tuple[AreaPlace, ...] = ()
    typical: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if bool(self.places) != (self.key_stage == AREAS):
            raise ValueError(f"a measure of authorities (key stage {AREAS}), and no other, has places where it stands")
        if self.typical is not None and not (len(self.typical) == 2 and self.typical[0] < self.typical[1]):
            raise ValueError("what is typical are two numbers, the lower first")
        if not (self.code and self.label and self.unit and self.key_stage):
            raise ValueError("a measure needs a code, a label, a unit and a key stage or table")
        if self.direction not in get_args(Direction):
            raise ValueError(f"a direction is {' or '.join(get_args(Direction))}, not '{self.direction}'")
        if self.limits is not None and len(self.limits) != 3:
            raise ValueError("limits are three columns: lower, upper and coverage")
        never = {year for one in self.absences if one.kind == "never" for year in one.years}
        if never & set(self.years):
            raise ValueError(f"{min(never & set(self.years))} is a year of the measure and one without it")

    @property
    def is_of_areas(self) -> bool:
        """Return whether it is published of authorities, and of no school."""
        return self.key_stage == AREAS

    @property
    def said(self) -> str:
        """Return the label as it stands within a sentence."""
        return lower_first(self.label)

    @property
    def unbroken_years(self) -> tuple[int, ...]:
        """Return the years that can be followed to the last one: those after the last level break."""
        first = max((b.after for b in self.breaks if b.kind == "level"), default=0)
        return tuple(year for year in self.years if year >= first)

    def breaks_within(self, years: tuple[int, ...]) -> tuple[Break, ...]:
        """Return the breaks that lie between the first and the last of the years."""
        return tuple(b for b in self.breaks if min(years) <= b.before and b.after <= max(years))

    def why_absent(self, year: int, kind: AbsenceKind) -> str:
        """Return why there are no results of a summer, empty where no such reason is known."""
        return next((one.sentence for one in self.absences if year in one.years and one.kind == kind), "")


# From the file to measures: every key known, every name of a break or subgroup one that the file defines.


class _Registry(Mapping[str, Measure]):
    """Every measure this version reads, by the name DfE gives it; the file is read when first asked.

    Beside them stand those that the project at hand defines itself: a process evaluates one project at a time.
    """

    def __init__(self) -> None:
        self.beside: Mapping[str, Measure] = {}

    def __getitem__(self, code: str) -> Measure:
        return self.beside[code] if code in self.beside else _registered()[code]

    def __iter__(self) -> Iterator[str]:
        yield from _registered()
        yield from self.beside

    def __len__(self) -> int:
        return len(_registered()) + len(self.beside)


_REGISTRY: Final = _Registry()
MEASURES: Final[Mapping[str, Measure]] = _REGISTRY
"""Every measure this version reads, by the name DfE gives it, and those of the project at hand."""


def use_beside(measures: Mapping[str, Measure]) -> None:
    """Let the registry hold a project's own definitions beside the kit's; those of the project before it go.

    Raises
    ------
    ValueError
        If a code is one of the kit's: what it means is then not the project's to say.
    """
    taken = sorted(set(measures) & set(_registered()))
    if taken:
        raise ValueError(f"{taken[0]} is a measure of the kit")
    _REGISTRY.beside = dict(measures)


def beside() -> tuple[Measure, ...]:
    """Return the measures that the project at hand defines beside the kit's."""
    return tuple(_REGISTRY.beside.values())


def is_of_kit(code: str) -> bool:
    """Return whether a code is that of a measure of the kit, whatever project is at hand."""
    return code in _registered()


@cache
def _registered() -> dict[str, Measure]:
    return read_registry(_registry_text())


def area_measures() -> dict[str, Measure]:
    """Return every measure that is published of authorities, by code; those of the project at hand last."""
    return {code: found for code, found in MEASURES.items() if found.is_of_areas}


def is_of_areas(code: str) -> bool:
    """Return whether a code is that of a measure that is published of authorities, and of no school."""
    return code in MEASURES and MEASURES[code].is_of_areas


def _registry_text() -> str:
    return resources.files("evalkit.data").joinpath("measures.yml").read_text(encoding="utf-8")


def read_registry(text: str) -> dict[str, Measure]:
    """Return the measures that a registry in YAML defines, by code.

    Raises
    ------
    ValueError
        With the place, where a key is unknown or missing, a break or a subgroup is not defined, a code stands twice,
        or a value cannot be.
    """
    data = _loaded(text)
    named = _named_parts(data)
    measures: dict[str, Measure] = {}
    for entry in (*data["measures"], *data["area_measures"]):
        for found in _of_entry(dict(entry), named, data["subgroups"]):
            if found.code in measures:
                raise ValueError(f"measure {found.code}: this code stands twice")
            measures[found.code] = found
    return measures


def _loaded(text: str) -> dict[str, Any]:
    """Return what a registry in YAML holds, with every key that there should be."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where it was built
    data: dict[str, Any] = yaml.load(text, loader)
    keys = ("schema_version", "absences", "small_numbers", "breaks", "subgroups", "area_measures", "measures")
    _require_keys("the registry", data, keys)
    return data


_LISTS: Final = ("breaks", "absences")


def _named_parts(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what measures name by a key: breaks, absences and rules of small numbers."""
    return {
        "breaks": {name: _made(Break, f"break {name}", entry) for name, entry in data["breaks"].items()},
        "absences": {name: _made(Absence, f"absence {name}", entry) for name, entry in data["absences"].items()},
        "small_numbers": data["small_numbers"],
    }


def _of_entry(
    entry: dict[str, Any], named: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Any]
) -> Iterator[Measure]:
    """Yield the measure of an entry, then one for each of its subgroups; `named` is what an entry names by a key."""
    where = f"measure {entry.get('code', entry)}"
    subgroups = entry.pop("subgroups", None)
    for key in _LISTS:
        entry[key] = [_called(where, key, name, named[key]) for name in entry.get(key, ())]
    if "small_numbers" in entry:
        entry["small_numbers"] = _called(where, "small_numbers", entry["small_numbers"], named["small_numbers"])
    if "ees" in entry:
        entry["ees"] = _made(EesCell, f"{where}, ees", entry["ees"])
    if "places" in entry:
        entry["places"] = [_place(f"{where}, places", one) for one in entry["places"]]
    entry["sd"] = _sd_rule(where, entry.get("sd"))
    whole: Measure = _made(Measure, where, entry)
    yield whole
    if subgroups is not None:
        yield from _of_subgroups(where, whole, subgroups, groups.get(whole.key_stage, {}))


def _place(where: str, entry: Mapping[str, Any]) -> AreaPlace:
    chosen = tuple((str(column), str(value)) for column, value in dict(entry.get("where", {})).items())
    found: AreaPlace = _made(AreaPlace, where, {**entry, "where": chosen})
    return found


_KEY_WORDS: Final = {"breaks": "break", "absences": "absence", "small_numbers": "rule of small numbers"}


def _called(where: str, key: str, name: str, known: Mapping[str, Any]) -> Any:
    if name not in known:
        raise ValueError(f"{where}: there is no {_KEY_WORDS[key]} '{name}'.{did_you_mean(name, known)}")
    return known[name]


def _of_subgroups(
    where: str, whole: Measure, wanted: Mapping[str, Any], groups: Mapping[str, Any]
) -> Iterator[Measure]:
    """Yield a measure for each subgroup: no limits, as theirs say nothing of all pupils' spread."""
    _require_keys(f"{where}, subgroups", wanted, ("codes", "years"))
    for code in wanted["codes"]:
        if code not in groups:
            raise ValueError(
                f"{where}: there is no subgroup '{code}' of {whole.key_stage}.{did_you_mean(code, groups)}"
            )
        group: _Subgroup = _made(_Subgroup, f"subgroup {code}", groups[code])
        in_open_data = whole.ees is not None and bool(group.ees)
        yield replace(
            whole,
            code=f"{whole.code}_{code}",
            label=f"{whole.label} ({group.words})",
            years=tuple(year for year in wanted["years"] if year <= group.last),
            pupils=group.pupils,
            limits=None,
            unadjusted=None,
            subgroup=group.words,
            of=whole.code,
            by=group.by,
            ees=replace(whole.ees, breakdown=group.ees) if whole.ees and in_open_data else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subgroup:
    """A group of pupils: words for it, the column that counts it, its name in open data, the last summer it exists.

    `by` is what parts pupils into this group and the others that say the same: `disadvantaged`, `prior_attainment`.
    """

    words: str
    pupils: str
    by: str = ""
    ees: str = ""
    last: int = 9999


def _sd_rule(where: str, given: object) -> SdRule:
    if not (isinstance(given, dict) and len(given) == 1):
        raise ValueError(f"{where}: `sd` is one key with its value, such as share: PTREAD_EXP")
    kind, value = next(iter(given.items()))
    held: dict[str, dict[str, object]] = {
        "scaled_scores": {"columns": tuple(value) if isinstance(value, list) else ()},
        "share": {"columns": (value,)},
        "stated": {"value": value},
        "none": {"reason": value},
    }
    rule: SdRule = _made(SdRule, f"{where}, sd", {"kind": kind, **held.get(kind, {})})
    return rule


def _made(kind: Any, where: str, entry: Mapping[str, Any]) -> Any:
    """Return a record of the file as the class that checks it; lists become tuples."""
    known = kind.__dataclass_fields__
    unknown = [key for key in entry if key not in known]
    if unknown:
        raise ValueError(f"{where}: there is no key '{unknown[0]}'.{did_you_mean(unknown[0], known)}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    try:
        return kind(**values)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{where}: {problem}") from None


def _require_keys(where: str, data: object, keys: Sequence[str]) -> None:
    if not isinstance(data, dict) or set(data) != set(keys):
        raise ValueError(f"{where}: exactly the keys {listed(list(keys))} stand here")


def named_parts(own: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the breaks, absences and rules of small numbers of the kit, and those that a project defines itself."""
    kit = _named_parts(_loaded(_registry_text()))
    return {key: {**of_kit, **own.get(key, {})} for key, of_kit in kit.items()}


def part_of_entry(key: str, name: str, entry: Mapping[str, Any]) -> Break | Absence:
    """Return a break or an absence as a project defines it; raise `ValueError` for what it cannot be."""
    kind = {"breaks": Break, "absences": Absence}[key]
    found: Break | Absence = _made(kind, f"{_KEY_WORDS[key]} {name}", entry)
    return found


def measure_of_entry(entry: Mapping[str, Any], named: Mapping[str, Mapping[str, Any]]) -> Measure:
    """Return a measure as a project defines it; raise `ValueError` for what it cannot be."""
    return next(_of_entry(dict(entry), named, {}))


# What the registry answers.


def known_codes() -> str:
    """Return the codes that a message names: those about all pupils, and how subgroups are written."""
    whole = [code for code, found in MEASURES.items() if not found.subgroup and not found.is_of_areas]
    areas = ", ".join(area_measures())
    return f"{', '.join(whole)}; many also for a group of pupils, as in READPROG_FSM6CLA1A; of authorities {areas}"


def measure(code: str) -> Measure:
    """Return a measure of the registry; raise `ProjectError` with the nearest known name otherwise."""
    if code not in MEASURES:
        raise ProjectError(
            f"'{code}' is not a measure this kit knows.{did_you_mean(code, MEASURES)} Known: {known_codes()}."
        )
    return MEASURES[code]


def absent_years(codes: Sequence[str], years: Iterable[int]) -> str:
    """Return what is said where measures are not at hand for some of the years; empty where they are for all.

    That a measure does not exist is said of summers without it alone; of others, that this kit does not know it.
    """
    known = MEASURES[codes[0]]
    absent = sorted(set(years) - set(known.years))
    reasons: dict[str, list[str]] = {}
    for year in absent:
        reasons.setdefault(known.why_absent(year, "never"), []).append(str(year))
    other_years = reasons.pop("", [])
    do = "does" if len(codes) == 1 else "do"
    parts = [
        f"{listed(codes)} {do} not exist for {listed(found)}: {sentence}" for sentence, found in reasons.items()
    ]  # fmt: skip
    if other_years:
        parts.append(f"this kit does not know {listed(codes)} for {listed(other_years)}")
    who = "It" if other_years else "This kit"
    knows = years_text(known.years)
    return f"{'; '.join(parts)}. {who} knows {codes[0]} for {knows}" if parts else ""


def require_years(code: str, years: tuple[int, ...]) -> None:
    """Raise `ProjectError` where a measure is not at hand for one of the years, or a level break lies between them."""
    known = measure(code)
    if said := absent_years([code], years):
        raise ProjectError(f"{known.label}: {said}.\nChange `exposure` in the project file.")
    require_unbroken(known, years)


def require_unbroken(known: Measure, years: tuple[int, ...]) -> None:
    """Raise `ProjectError` where a level break lies between the years; those of a project's own measure alike."""
    for found in known.breaks_within(years):
        if found.kind == "level":
            raise ProjectError(f"{known.code} cannot be followed from {min(years)} to {max(years)}: {found.sentence}")


def without_tables(key_stage: str) -> frozenset[int]:
    """Return the summers of a key stage with results of which no performance table was published."""
    of_stage = (one for one in MEASURES.values() if one.key_stage == key_stage)
    return frozenset(year for one in of_stage for gap in one.absences if gap.kind == "not_here" for year in gap.years)


# A project's own outcomes beside the published ones.


def measure_of(project: Project, code: str) -> Measure:
    """Return the measure of a project's outcome: of the registry, of a column of its own table, or of two's difference.

    An own measure's `key_stage` is the name of its table, which names its records; its `years` are empty, as they are
    those of the table. Raises `ProjectError` for a code that is neither.
    """
    own = next((outcome for outcome in project.outcomes if outcome.is_own and outcome.code == code), None)
    if own is not None or code in MEASURES:
        return measure(code) if own is None else own_measure(own)
    contrast = next((one for one in project.contrasts if contrast_code(one) == code), None)
    if contrast is None:
        return measure(code)  # says that there is none
    return _difference(measure_of(project, contrast.measure), measure_of(project, contrast.minus), code)


def contrast_code(contrast: TripleDifference) -> str:
    """Return the code of a triple difference among outcomes."""
    return f"{contrast.measure}-{contrast.minus}"


def marked(project: Project, code: str, label: str) -> str:
    """Return the label of an outcome, or of a difference from one, that says so where it is exploratory."""
    return f"{label} (exploratory)" if code.partition("-")[0] in project.exploratory else label


def _difference(first: Measure, second: Measure, code: str) -> Measure:
    """Return the measure that one less another is: in the unit of the first, broken where either is."""
    return replace(
        first,
        code=code,
        label=f"{first.label} minus {second.said}",
        years=tuple(year for year in first.years if year in second.years),
        breaks=tuple(dict.fromkeys((*first.breaks, *second.breaks))),
        limits=None,
        unadjusted=None,
        sd=SdRule(kind="none", reason="none of the difference between two outcomes is known"),
        absences=(),
        ees=None,
    )


def own_measure(outcome: Outcome) -> Measure:
    """Return the measure that an outcome of a project's own table is, as the project file describes it."""
    breaks = (Break(before=one.before, after=one.after, kind=one.kind, sentence=one.sentence) for one in outcome.breaks)
    return Measure(
        code=outcome.code,
        label=outcome.label or str(outcome.column),
        unit=outcome.unit,
        direction=HIGHER if outcome.direction == "higher" else LOWER,
        key_stage=str(outcome.table),
        years=(),
        breaks=tuple(breaks),
        sd=UNKNOWN_SD if outcome.sd is None else SdRule(kind="stated", value=outcome.sd),
    )
