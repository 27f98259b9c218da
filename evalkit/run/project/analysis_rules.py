"""What a project file may say of its analyses, its own tables and its own notebooks, beyond the types of values."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.project import Analysis, Outcome, OwnTable, Project
from evalkit.core.project_parts import Family
from evalkit.core.words import did_you_mean, listed
from evalkit.data.measures import AREAS, STAGES, is_of_areas
from evalkit.data.subgroups import faults
from evalkit.run.kinds.names import KINDS
from evalkit.run.kinds.registry import kind_of
from evalkit.run.kinds.variations import choice_complaints
from evalkit.run.project.plain_yaml import Complaint, Place
from evalkit.run.project.workspace import NOTEBOOKS, complaint_about, is_slug

_TABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,40}")
_SUFFIXES: Final = (".csv", ".csv.gz", ".parquet", ".pq")
_PARTS: Final = ("unit", "period", "area", "name", "pupils", "person")
"""Keys of an own table that name a column each."""


def analysis_complaints(project: Project, folder: Path, unread: Collection[object] = ()) -> Iterator[Complaint]:
    """Yield what is wrong with a project's analyses, own tables, own outcomes and own notebooks.

    Against analyses at the places `unread` their kinds are not asked: their own keys could not be read.
    """
    yield from _tables(project, folder)
    against_outcomes = [*_own_outcomes(project)]
    yield from against_outcomes
    yield from _analyses(project, range(len(project.analyses)) if against_outcomes else unread)
    yield from (Complaint(("families", *place), text) for place, text in family_faults(project, project.families))
    yield from _notebooks(project, folder)
    if not unread and all(one.kind in KINDS for one in project.analyses):
        yield from choice_complaints(project)


# Analyses.


def _analyses(project: Project, unread: Collection[object]) -> Iterator[Complaint]:
    analyses = project.analyses
    primary = [f"'{one.name}'" for one in analyses if one.primary]
    if len(primary) != 1:
        found = f"found {listed(primary)}" if primary else "found none"
        yield Complaint(("analyses",), f"exactly one analysis has `primary: true`, and the headline is its; {found}")
    names = [one.name for one in analyses]
    for i, one in enumerate(analyses):
        if not is_slug(one.name):
            rule = "lower-case letters, digits and hyphens, beginning and ending with a letter or digit"
            yield Complaint(("analyses", i, "name"), f"'{one.name[:70]}' cannot name an analysis. Use {rule}")
        if one.name in names[:i]:
            yield Complaint(("analyses", i, "name"), f"two analyses are called '{one.name}'; name each otherwise")
        yield from (Complaint(("analyses", i, *place), text) for place, text in _outcomes_named(project, one))
        yield from _parted(project, i)
        yield from _of_areas(project, i)
        against = family_faults(project, one.families, one)
        yield from (Complaint(("analyses", i, "families", *place), text) for place, text in against)
        for told in () if i in unread else kind_of(one.kind).complaints(project, one):
            is_whole = told.place[:1] == ("analyses",)
            yield told if is_whole else replace(told, place=("analyses", i, *told.place))


def _parted(project: Project, at: int) -> Iterator[Complaint]:
    """Yield what is wrong with the subgroups of an analysis, at its own `by` or at the project's."""
    analysis = project.analyses[at]
    place: Place = ("by",) if analysis.by is None else ("analyses", at, "by")
    yield from (Complaint(place, text) for text in faults(project, analysis))


def _of_areas(project: Project, at: int) -> Iterator[Complaint]:
    """Yield why an analysis cannot take outcomes that are published of authorities, or part them."""
    analysis = project.analyses[at]
    codes = [one.code for one in project.outcomes_of(analysis) if not one.is_own and is_of_areas(one.code)]
    if not codes or analysis.kind not in KINDS:
        return
    place: Place = ("analyses", at, "outcomes" if analysis.outcomes else "kind")
    taking = listed([f"`{name}`" for name in KINDS if kind_of(name).takes_areas])
    what = f"{listed(codes)} {'is' if len(codes) == 1 else 'are'} published of authorities, with no value of any school"
    if not kind_of(analysis.kind).takes_areas:
        yield Complaint(
            place,
            f"{what}, and `{analysis.kind}` compares the schools or pupils of an arm. Evaluate it by {taking}, or name "
            "under `outcomes` of this analysis what schools have",
        )
    elif project.by_of(analysis):
        yield Complaint(
            place, f"{what}, so that it has no subgroups. Leave `by` out, or say `by: []` for this analysis"
        )


def family_faults(
    project: Project, families: Sequence[Family], own: Analysis | None = None
) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with declared families, those of the project or of its analysis `own`."""
    codes, names = [one.code for one in project.outcomes], [one.name for one in project.analyses]
    stand_in: set[tuple[str, str]] = set()
    for at, family in enumerate(families):
        if not family.name.strip() or family.name in [one.name for one in families[:at]]:
            yield (at, "name"), "a family has a name, and no other has the same"
        if own is not None and family.analyses:
            yield (at, "analyses"), "a family of an analysis is of that alone. Declare it at the top, or leave this out"
        for name in (one for one in family.analyses if one not in names):
            yield (
                (at, "analyses"),
                f"no analysis is called '{name}'.{did_you_mean(name, names)} There are: {listed(names)}",
            )
        for code in (one for one in family.outcomes if one not in codes):
            yield (at, "outcomes"), f"'{code}' is not among the outcomes: {listed(codes)}.{did_you_mean(code, codes)}"
        primary = [one.name for one in project.analyses if one.primary][:1]
        of = [own.name] if own is not None else [*(family.analyses or primary)]
        tests = [
            (one.name, code)
            for one in project.analyses
            if one.name in of
            for code in family.outcomes
            if code in [outcome.code for outcome in project.outcomes_of(one)]
        ]
        if len(tests) < 2:
            yield (
                (at,),
                "fewer than two effects are in it: there is nothing to judge together. Name more outcomes",
            )
        for name, code in tests:
            if (name, code) in stand_in:
                yield (at, "outcomes"), f"{code} of '{name}' stands in two families, or twice in one; put it in one"
            stand_in.add((name, code))


def _outcomes_named(project: Project, analysis: Analysis) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with the outcomes that an analysis names."""
    codes = [one.code for one in project.outcomes]
    if analysis.describes:
        for key in ("outcomes", "by", "families"):
            if getattr(analysis, key):
                yield (key,), f"`{analysis.kind}` describes and gives no effect: it has no `{key}`. Leave it out"
        return
    for at, code in enumerate(analysis.outcomes):
        if code not in codes:
            near = did_you_mean(code, codes)
            yield ("outcomes", at), f"'{code}' is not among the project's outcomes: {listed(codes)}.{near}"
        elif code in analysis.outcomes[:at]:
            yield ("outcomes", at), f"{code} is listed twice"
    primary = [one.code for one in project.outcomes if one.role == "primary"]
    if analysis.primary and analysis.outcomes and len(primary) == 1 and primary[0] not in analysis.outcomes:
        yield (
            ("outcomes",),
            f"the primary analysis must take the primary outcome, {primary[0]}, which the headline is of",
        )


# Tables of the project's own, and outcomes that are columns of them.


def _tables(project: Project, folder: Path) -> Iterator[Complaint]:
    for name, table in project.data.tables.items():
        place = ("data", "tables", name)
        if not _TABLE.fullmatch(name) or name in (*STAGES, AREAS):
            text = "name a table by letters, digits, - and _, beginning with a letter, and not KS2, KS4, ABS or AREA"
            yield Complaint(place, f"'{name[:50]}' cannot name a table: {text}")
        if complaint := complaint_about(folder, table.file):
            yield Complaint((*place, "file"), complaint)
        elif not table.file.lower().endswith(_SUFFIXES):
            text = f"'{table.file}' is not a table this kit reads; save it as CSV (.csv, .csv.gz) or Parquet"
            yield Complaint((*place, "file"), text)
        else:
            yield from _columns(project, folder, name, table)
        chosen_by = [one.column for one in project.outcomes if one.table == name and one.column in table.where]
        if chosen_by:
            text = (
                f"rows cannot be chosen by '{chosen_by[0]}', which is an outcome; choose them by what is known before"
            )
            yield Complaint((*place, "where"), text)
        if table.person and project.disclosure.threshold < FEWEST_PEOPLE:
            text = (
                f"rows of '{name}' are people (`person`), of whom no count under {FEWEST_PEOPLE} may leave. Write "
                f"`threshold: {FEWEST_PEOPLE}` under `disclosure`, or more"
            )
            yield Complaint(("disclosure", "threshold"), text)
        if table.person and table.pupils:
            yield Complaint((*place, "pupils"), "each row is one person, so there is no column of how many it rests on")
        named = [key for key in _PARTS if getattr(table, key)]
        for key in named:
            same = next((one for one in named if one != key and getattr(table, one) == getattr(table, key)), None)
            if same is not None and named.index(same) < named.index(key) and (same, key) != ("unit", "name"):
                text = f"the column '{getattr(table, key)}' is named as `{same}` and as `{key}`; name one for each"
                yield Complaint((*place, key), text)


def _columns(project: Project, folder: Path, name: str, table: OwnTable) -> Iterator[Complaint]:
    """Yield a complaint for each column that a project names and a table lacks."""
    header = _header(folder / table.file)
    if header is None:
        return  # what is wrong with the file is told where it is read
    place: Place = ("data", "tables", name)
    wanted: list[tuple[Place, str]] = [((*place, key), getattr(table, key)) for key in _PARTS if getattr(table, key)]
    wanted += [((*place, "where"), column) for column in table.where]
    wanted += [
        (("outcomes", i, "column"), one.column)
        for i, one in enumerate(project.outcomes)
        if one.is_own and one.table == name and one.column
    ]
    wanted += [
        (("analyses", i), code.partition(".")[2])
        for i, one in enumerate(project.analyses)
        for code in one.columns
        if code.partition(".")[0] == name
    ]
    for at, column in wanted:
        if column not in header:
            text = f"{table.file} has no column '{column}'.{did_you_mean(column, header)} It has: {listed(header, 20)}"
            yield Complaint(at, text)


def _header(path: Path) -> list[str] | None:
    """Return the columns of a table, None where they cannot be told."""
    try:
        if path.name.lower().endswith((".parquet", ".pq")):
            from pyarrow import parquet

            return list(parquet.read_schema(path).names)
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file), None)
    except (OSError, ValueError, csv.Error, EOFError):
        return None


def _own_outcomes(project: Project) -> Iterator[Complaint]:
    for i, outcome in enumerate(project.outcomes):
        place: Place = ("outcomes", i)
        if outcome.measure is not None:
            yield from (Complaint((*place, key), text) for key, text in _told_of_published(outcome))
        elif outcome.table is None and outcome.column is None:
            yield Complaint(
                place, "name a published measure as `measure`, or a `table` of the project's and a `column`"
            )
        elif outcome.table is None or outcome.column is None:
            lacks = "table" if outcome.table is None else "column"
            yield Complaint(place, f"an outcome of an own table has both `table` and `column`; `{lacks}` is missing")
        elif outcome.table not in project.data.tables:
            near = did_you_mean(outcome.table, project.data.tables)
            known = listed([*project.data.tables]) if project.data.tables else "none"
            text = f"there is no table '{outcome.table}' under `data.tables`.{near} Known: {known}"
            yield Complaint((*place, "table"), text)
        yield from (Complaint((*place, *where), text) for where, text in own_faults(outcome))


def own_faults(outcome: Outcome) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with how an own outcome is described, each with its place within the outcome."""
    if outcome.sd is not None and not 0 < outcome.sd < 1e12:
        yield ("sd",), f"a standard deviation is a number above 0; found {outcome.sd:g}"
    for at, one in enumerate(outcome.breaks):
        if one.after <= one.before:
            text = f"a break lies between one period and a later one, not between {one.before} and {one.after}"
            yield ("breaks", at), text


def _told_of_published(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Yield the keys of own outcomes that stand at a published measure, which has its own."""
    if outcome.table is not None or outcome.column is not None:
        yield "measure", "name either a published `measure` or a `table` and `column` of the project's, not both"
    defaults = {"label": "", "unit": "points", "direction": "higher", "sd": None, "breaks": ()}
    for key, default in defaults.items():
        if getattr(outcome, key) != default:
            yield key, f"`{key}` is for columns of own tables; the kit knows what {outcome.measure} is"


# Notebooks of the evaluator's own.


def _notebooks(project: Project, folder: Path) -> Iterator[Complaint]:
    known = [*NOTEBOOKS, *dict.fromkeys(f"2_{one.kind}" for one in project.analyses)]
    files: Sequence[str] = [one.file for one in project.notebooks]
    for i, one in enumerate(project.notebooks):
        place: Place = ("notebooks", i)
        if complaint := complaint_about(folder, one.file):
            yield Complaint((*place, "file"), complaint)
        elif not one.file.lower().endswith(".ipynb"):
            yield Complaint((*place, "file"), f"'{one.file}' is not a notebook (.ipynb)")
        if one.file in files[:i]:
            yield Complaint((*place, "file"), f"{one.file} is listed twice")
        if not one.title:
            yield Complaint((*place, "title"), "the text is empty; it is the heading of the chapter")
        if one.after and one.after.removesuffix(".ipynb") not in known:
            text = f"no notebook of this project is called '{one.after}'.{did_you_mean(one.after, known)}"
            yield Complaint((*place, "after"), f"{text} Known: {listed(known)}")
