"""Which published files a folder holds: each told by its content, whatever its name and wherever it lies."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from evalkit.core.errors import DataError
from evalkit.core.manifest import DataKind
from evalkit.core.words import listed
from evalkit.data.files.layout import STAGES
from evalkit.data.files.members import Member, members, told
from evalkit.data.files.raw_table import Peek, RawTable
from evalkit.data.files.signature import form_of
from evalkit.data.layouts.ees_schools import is_information, results_of
from evalkit.data.layouts.file_names import stage_by_name, summer_by_name
from evalkit.data.layouts.performance_tables import TableIdentity, identity_of, key_stage_of
from evalkit.data.measures import ABSENCE

SYNTHETIC_MARK: Final = "SYNTHETIC.json"
NONE_MARK: Final = "NO-PUBLISHED-FILES.json"
"""Marks the folder that stands for published files where a project reads none."""
_LISTS: Final = {"april_2021": "2021", "may_2025": "2025"}
"""Statistical-neighbour lists by name, and the year by which a workbook's name says which it is."""
_EXPECTED: Final = {"april_2021": "sn_april_2021.xlsx", "may_2025": "sn_may_2025.xlsx"}
_NEIGHBOUR_SHEET: Final = b"LA SN Groups"


@dataclass(frozen=True, slots=True)
class TableFile:
    """A wide performance table: its file, and the authority whose schools it lists, None where it is of England."""

    file: Member
    area: int | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sources:
    """The published files in a folder, by what they are.

    `panels` are assembled England panels by key stage. `tables` are wide performance tables by key stage and summer:
    England's where it is there, otherwise those of single authorities, side by side; under `ABS` those of absence.
    `ees` are long files of schools' results (Explore Education Statistics) by key stage, `ees_pupils` those that count
    the pupils of key stage 2. `establishments` is an extract of Get Information about Schools, `cuts` are others that
    do not say the type of a school: who it is and where, and no more. `areas` are files with measures of authorities by
    layout: `lait`, `ees`, `exclusions`, `ofsted-history`. `boundaries` are outlines of areas for the map,
    which no result needs. `refused` has by key stage why tables cannot be used, which stops whoever asks for one;
    `unreadable` what is wrong with tables of which not even the columns can be read, told where something is missing.
    """

    folder: Path
    kind: DataKind = "real"
    panels: Mapping[str, Path] = field(default_factory=dict)
    tables: Mapping[str, Mapping[int, tuple[TableFile, ...]]] = field(default_factory=lambda: {"KS2": {}, "KS4": {}})
    ees: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)
    ees_pupils: tuple[Member, ...] = ()
    links: Path | Member | None = None
    spine: Path | Member | None = None
    establishments: Path | Member | None = None
    cuts: tuple[Path | Member, ...] = ()
    neighbours: Mapping[str, Path] = field(default_factory=dict)
    covariates: Mapping[str, Path] = field(default_factory=dict)
    areas: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)
    boundaries: tuple[Path | Member, ...] = ()
    refused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()

    @property
    def is_none(self) -> bool:
        """Return whether no published file is read."""
        return not (self.panels or self.neighbours or self.ees or self.areas or any(self.tables.values()))

    def has_england(self, stage: str) -> bool:
        """Return whether the results of a key stage are of all England in some summer."""
        of_england = (one.area is None for files in self.tables.get(stage, {}).values() for one in files)
        return stage in self.panels or bool(self.ees.get(stage)) or any(of_england)

    @property
    def outline_files(self) -> tuple[Path, ...]:
        """Return the files that hold outlines of areas."""
        return tuple(map(_path, self.boundaries))

    def files(self) -> tuple[Path, ...]:
        """Return every file that a run may read, in a fixed order; an archive stands for what is in it."""
        tables = [
            one.file.path for years in self.tables.values() for of_year in years.values() for one in of_year
        ]  # fmt: skip
        long = [one.path for files in (*self.ees.values(), self.ees_pupils, *self.areas.values()) for one in files]
        single = [_path(one) for one in (self.links, self.spine, self.establishments, *self.cuts) if one]
        mapped = [
            *map(_path, self.boundaries),
            *self.panels.values(),
            *self.neighbours.values(),
            *self.covariates.values(),
        ]
        mark = [self.folder / SYNTHETIC_MARK] if self.kind == "synthetic" else []
        return tuple(sorted({*tables, *long, *single, *mapped, *mark}))


def no_sources(folder: Path) -> Sources:
    """Return the sources of a project that reads nothing but tables of its own."""
    return Sources(folder=folder)


def find_sources(folder: Path) -> Sources:
    """Look into a folder of published files; raise `DataError` where it cannot be one.

    Only the beginning of each file is read. A file that a project needs and that is not there is missed when it is
    read, by name; so is one that is not what its name says.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder. `--data` takes a folder of published files.")
    if (folder / NONE_MARK).exists():
        return no_sources(folder)
    found = _Found.of(folder)
    stages = {stage: _resolved(found.tables.get(stage, ())) for stage in ("KS2", "KS4", ABSENCE)}
    refused = {stage: (*found.refused.get(stage, ()), *ties) for stage, (_, ties) in stages.items()}
    panels = {stage: paths for stage in ("KS2", "KS4") if (paths := found.path(folder, f"panel {stage}"))}
    tables = {stage: by_year for stage, (by_year, _) in stages.items()}
    ees = {stage: files for stage in ("KS2", "KS4") if (files := tuple(found.files.get(f"ees {stage}", ())))}
    areas = {layout: files for layout in _OF_AREAS if (files := tuple(found.files.get(f"areas {layout}", ())))}
    if not (panels or ees or areas or any(tables.values()) or any(refused.values())):
        raise DataError(
            f"{folder}: no results were found. Expected DfE's performance tables (of England or of an authority), "
            "school-level results of Explore Education Statistics, an assembled panel, or measures of authorities (the "
            "interactive tool's table, say); data/README.md says what "
            f"each is, and `evalkit check` what every file is.{told_unreadable(found.unreadable)}"
        )
    # tables of absence are of England always, and say nothing of whether the results are
    results = [one for stage in ("KS2", "KS4") for of in tables[stage].values() for one in of]
    whole = bool(panels or ees) or any(one.area is None for one in results)
    return Sources(
        folder=folder,
        kind=_kind(folder),
        panels=panels,
        tables=tables,
        ees=ees,
        ees_pupils=tuple(found.files.get("ees pupils", ())),
        links=found.one(folder, "links"),
        spine=found.one(folder, "spine"),
        establishments=found.one(folder, "establishments"),
        cuts=tuple(found.files.get("cut", ())),
        neighbours=_neighbour_lists(folder, found, whole),
        covariates={stage: path for stage in ("KS2", "KS4") if (path := found.path(folder, f"covariates {stage}"))},
        areas=areas,
        boundaries=tuple(one if one.inner else one.path for one in found.files.get("boundaries", [])),
        refused={stage: reasons for stage, reasons in refused.items() if reasons},
        unreadable=tuple(found.unreadable),
    )


def told_unreadable(problems: Sequence[str]) -> str:
    """Return the lines that tell of files that cannot be read, where something else is missing; empty without any."""
    if not problems:
        return ""
    more = f"\nand {len(problems) - _MOST_TOLD} more; `evalkit check --data DIR` lists every file." * (
        len(problems) > _MOST_TOLD
    )
    return "\nThe folder also holds, and perhaps this is it: " + "\n".join(problems[:_MOST_TOLD]) + more


_MOST_TOLD: Final = 3


@dataclass(frozen=True, slots=True)
class _Found:
    """Files by what they are; `tables` by key stage with what each is of, `refused` with the reason."""

    files: dict[str, list[Member]]
    tables: dict[str, list[tuple[TableIdentity, Member]]]
    refused: dict[str, list[str]]
    unreadable: list[str]

    @classmethod
    def of(cls, folder: Path) -> _Found:
        found = cls({}, {}, {}, [])
        for member in members(folder):
            if member.problem:
                found.unreadable.append(f"{member.name}: {member.problem}")
                continue
            kind = _kind_of(member, *_facts(member))
            if isinstance(kind, _Fault) and kind.stage:
                found.refused.setdefault(kind.stage, []).append(kind.reason)
            elif isinstance(kind, _Fault):
                found.unreadable.append(kind.reason)
            elif isinstance(kind, TableIdentity):
                found.tables.setdefault(kind.key_stage, []).append((kind, member))
            elif kind:
                found.files.setdefault(kind, []).append(member)
        return found

    def one(self, folder: Path, kind: str) -> Member | None:
        """Return the file of a kind; of several the latest cut by its contents, then by the date in its name.

        Raise `DataError` where neither tells.
        """
        files = self.files.get(kind, [])
        if len(files) > 1:
            cuts = [(_last_day(kind, one, *_facts(one)), _dated(one)) for one in files]
            files = [one for one, cut in zip(files, cuts, strict=True) if cut == max(cuts)]
        if len(files) > 1:
            names = " and ".join(one.name.rpartition("/")[2] for one in files)
            raise DataError(f"{folder}: {names} are the same kind of file. Keep the one this evaluation should read.")
        return files[0] if files else None

    def path(self, folder: Path, kind: str) -> Path | None:
        """Return the path of a kind of file that must not lie in an archive."""
        file = self.one(folder, kind)
        if file is not None and file.inner:
            raise DataError(f"{file.name}: unpack this archive: a file assembled from others is not read from one.")
        return file.path if file else None


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why a file cannot be used; `stage` is the key stage of a wide table, empty where the file is not known."""

    reason: str
    stage: str = ""


def _facts(member: Member) -> tuple[int, int]:
    """Return the size and the time of change by which what is known of a file is kept."""
    stat = member.path.stat()
    return stat.st_size, stat.st_mtime_ns


_LAYOUTS: Final = {"links": "gias-links", "spine": "gias-spine", "establishments": "gias"}


@lru_cache(maxsize=64)
def _last_day(kind: str, member: Member, size: int, changed: int) -> str:
    """Return the last day in a list of schools, as `evalkit check` tells its cut; empty where it has none."""
    from evalkit.data.layouts.gias import LAYOUTS

    layout = next((one for one in LAYOUTS if one.name == _LAYOUTS.get(kind)), None)
    return layout.contents(RawTable(member)).as_of if layout else ""


_DATE: Final = re.compile(r"(?<!\d)20\d\d(?:[01]\d[0-3]\d)?(?!\d)")


def _dated(file: Member) -> str:
    """Return the day or year that a file's name says, as text that sorts; empty where it says none."""
    found = _DATE.findall(file.name.rpartition("/")[2])
    return max(found, default="").ljust(8, "0") if found else ""


# What a file is.

_HEADERS: Final[dict[str, frozenset[str]]] = {
    "panel KS2": frozenset({"school_id", "urn", "year", "minorgroup_spine1718", "telig"}),
    "panel KS4": frozenset({"school_id", "urn", "year", "minorgroup_spine1718", "tpup"}),
    "links": frozenset({"urn", "linkurn", "linktype"}),
    "spine": frozenset({"urn", "laestab", "minorgroup", "isprimary", "otherurn"}),
    "establishments": frozenset({"urn", "la (code)", "establishmentnumber", "typeofestablishment (name)"}),
    "cut": frozenset({"urn", "la (code)", "establishmentnumber", "establishmentname"}),
}
_OF_AREAS: Final = {
    "lait": frozenset({"short desc", "years", "la and regions", "values", "la number"}),
    "exclusions": frozenset({"year", "la_name", "school_type", "perm_excl_rate", "fixed_excl_rate"}),
    "ofsted-history": frozenset({"urn", "rating", "inspection date"}),
    "ees": frozenset({"time_period", "time_identifier", "geographic_level", "la_name"}),
}
"""Layouts of files with measures of authorities, and the columns by which they are told."""
_OF_SCHOOLS: Final = frozenset({"school_urn", "urn", "school_laestab", "laestab", "school_name", "estab"})
"""Columns of long files whose rows are of schools, though they name the authority of each."""
_NEIGHBOURS: Final = (frozenset({"la num", "sn1"}), frozenset({"old_la_code", "sn_1"}))
_COVARIATES: Final = frozenset({"school_id", "fsm6_pct_2223"})
_HEAD_BYTES: Final = 1 << 17


@lru_cache(maxsize=4096)
def _kind_of(member: Member, size: int, changed: int) -> str | TableIdentity | _Fault:
    """Return what a file is, by its beginning; an empty text where it is nothing that a project reads.

    Kept by its size and time of change: every command asks.
    """
    if member.suffix == ".geojson":
        return "boundaries"
    if member.suffix == ".xlsx" and _is_neighbour_list(member):
        return "neighbours"
    try:
        form = "csv" if member.suffix == ".csv" else form_of(member)
        if form == "csv":
            return _kind_by_columns(member, _columns(member))
        if form == "geojson":
            return "boundaries" if _is_of_features(member) else ""
        if form == "parquet" and _columns_of(member) >= _OF_AREAS["lait"]:
            return "areas lait"
        return _Fault(why) if form != "other" and (why := _why_not_read(member)) else ""
    except DataError as problem:
        return _Fault(str(problem)) if member.suffix == ".csv" else ""


def _kind_by_columns(member: Member, columns: tuple[str, ...]) -> str | TableIdentity | _Fault:
    names = frozenset(name.strip().casefold() for name in columns)
    if names >= _COVARIATES:
        return f"covariates {_stage_in(member.name)}"
    if any(needed <= names for needed in _NEIGHBOURS):
        return "neighbours"
    for kind, needed in _HEADERS.items():
        if needed <= names:
            return kind
    if "rectype" in names:
        return _table_kind(member, columns)
    if names >= _OF_ABSENCE:
        return _absence_kind(member)
    stage = results_of(columns)
    if stage or is_information(columns):
        return f"ees {stage}" if stage else "ees pupils"
    if names & _OF_SCHOOLS and "time_period" in names:
        return ""
    return next((f"areas {layout}" for layout, needed in _OF_AREAS.items() if needed <= names), "")


_OF_ABSENCE: Final = frozenset({"la", "estab", "urn", "perctot"})


def _absence_kind(member: Member) -> TableIdentity | _Fault:
    summer = summer_by_name(member.name)
    if summer is None:
        text = "neither the file nor its name says the year of the absence in it. Name it such as 2018-2019_abs.csv"
        return _Fault(f"{member.name}: {text}.", ABSENCE)
    return TableIdentity(key_stage=ABSENCE, summer=summer, area=None, stage=stage_by_name(member.name))


def _columns_of(member: Member) -> frozenset[str]:
    return frozenset(name.strip().casefold() for name in RawTable(member).peek.columns)


def _is_of_features(member: Member) -> bool:
    with told(member.name), member.open() as stream:
        return b'"FeatureCollection"' in stream.read(_HEAD_BYTES)


def _why_not_read(member: Member) -> str:
    """Return why a workbook or Parquet file is not read, where it is a table that is read as CSV; else nothing."""
    for sheet in RawTable(member).sheets():
        names = {name.strip().casefold() for name in sheet.peek.columns}
        if "rectype" in names or results_of(tuple(names)) or any(needed <= names for needed in _HEADERS.values()):
            return f"{member.name}: a project reads this table as CSV alone. Download it as CSV."
    return ""


def _table_kind(member: Member, columns: tuple[str, ...]) -> str | TableIdentity | _Fault:
    stage = key_stage_of(Peek(name=member.name, form="csv", columns=columns, rows=()))
    if stage is None:
        return ""
    try:
        return identity_of(RawTable(member).peek)
    except DataError as problem:
        return _Fault(str(problem), stage)


def _columns(member: Member) -> tuple[str, ...]:
    """Return the cells of a file's first row; raise `DataError` where it cannot be read."""
    try:
        with member.open() as stream:
            start = stream.read(_HEAD_BYTES)
        if start and b"\0" not in start:
            return tuple(next(csv.reader(io.StringIO(start.decode("utf-8-sig", errors="replace"))), ()))
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, csv.Error, RuntimeError, NotImplementedError):
        pass  # what reads the whole table says what is wrong
    return RawTable(member).peek.columns


def _is_neighbour_list(member: Member) -> bool:
    try:
        with member.open() as stream, zipfile.ZipFile(io.BytesIO(stream.read())) as book:
            return _NEIGHBOUR_SHEET in book.read("xl/workbook.xml")
    except (OSError, KeyError, EOFError, zlib.error, zipfile.BadZipFile):
        return False


def _stage_in(name: str) -> str:
    return next((stage for stage in ("KS2", "KS4") if stage.lower() in name.lower()), "")


def _neighbour_lists(folder: Path, found: _Found, whole: bool) -> dict[str, Path]:
    """Return the lists by name; with results of England both are named, so that one that lacks is missed by name."""
    lists = {name: folder / "lait" / file for name, file in _EXPECTED.items()} if whole else {}
    for name, year in _LISTS.items():
        listed_in = [one for one in found.files.get("neighbours", []) if _list_of(one) == name]
        # a workbook has the authorities of former days too; the same list as CSV stands in for it
        files = [one for one in listed_in if one.suffix == ".xlsx"] or listed_in
        if len(files) > 1:
            raise DataError(f"{folder}: {_names(files)} are both lists of statistical neighbours of {year}. Keep one.")
        if files and not files[0].inner:
            lists[name] = files[0].path
    return lists


def _list_of(member: Member) -> str:
    """Return which list a file is: by the year in its name, which its reader holds against its content, or by that."""
    file = member.name.rpartition("/")[2]
    named = next((name for name, year in _LISTS.items() if year in file), "")
    return named or _list_by_content(member, *_facts(member))


@lru_cache(maxsize=64)
def _list_by_content(member: Member, size: int, changed: int) -> str:
    from evalkit.data.published.neighbours import name_of_list, neighbours_of

    try:
        return name_of_list(neighbours_of(member))
    except DataError:  # `evalkit check` says what is wrong with it
        return ""


# Of several tables, which is used.


def _resolved(
    tables: Iterable[tuple[TableIdentity, Member]],
) -> tuple[dict[int, tuple[TableFile, ...]], tuple[str, ...]]:
    """Return the tables of each summer, and why where two are of one thing.

    Of two stages the later is used; England's table stands for those of its authorities.
    """
    by_subject: dict[str, list[tuple[TableIdentity, Member]]] = {}
    for identity, member in tables:
        by_subject.setdefault(identity.subject, []).append((identity, member))
    used: dict[int, list[TableFile]] = {}
    ties = []
    for subject, rivals in by_subject.items():
        last = max(STAGES.index(identity.stage) for identity, _ in rivals)
        latest = [(identity, member) for identity, member in rivals if STAGES.index(identity.stage) == last]
        if len(latest) > 1:
            names = _names([member for _, member in latest])
            ties.append(f"{names} are both the performance table {subject}. Keep the one this evaluation should read.")
        identity, member = latest[0]
        used.setdefault(identity.summer, []).append(TableFile(member, identity.area))
    return {year: tuple(_england_or_all(files)) for year, files in sorted(used.items())}, tuple(ties)


def _england_or_all(files: list[TableFile]) -> Iterator[TableFile]:
    of_england = [one for one in files if one.area is None]
    yield from of_england or sorted(files, key=lambda one: one.area or 0)


def _names(files: list[Member]) -> str:
    return listed([one.name for one in files])


def _path(file: Path | Member) -> Path:
    return file.path if isinstance(file, Member) else file


def _kind(folder: Path) -> DataKind:
    mark = folder / SYNTHETIC_MARK
    if not mark.exists():
        return "real"
    try:
        content = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = {}
    if not isinstance(content, dict) or content.get("kind") != "synthetic":
        raise DataError(
            f"{mark.name}: the file should say that these data are synthetic, and does not. Generate them again."
        )
    return "synthetic"
