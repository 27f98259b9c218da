"""Measures that are published of authorities, as records of a project: where each stands, its years, its values.

Which file a measure is read from, and in which years, is decided by what labels say; values are read of the years asked
for and of no others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.errors import DataError, MissingData
from evalkit.core.formats import years_text
from evalkit.core.words import counted, listed
from evalkit.data.areas.authorities import Authority, authorities, code_of_gss
from evalkit.data.areas.exclusions import read_exclusions
from evalkit.data.areas.lait import NOT_LOOKED_AT, lait_years, read_lait
from evalkit.data.areas.ofsted_shares import read_ofsted_shares, share_years
from evalkit.data.areas.regions import NOT_KNOWN, region_of
from evalkit.data.areas.series import AreaSeries
from evalkit.data.files.members import Member
from evalkit.data.files.raw_table import RawTable
from evalkit.data.flow import CountedCase
from evalkit.data.layouts.ees import AREA_LEVEL, LEVEL, ees_filters, read_ees_areas
from evalkit.data.measures import AREAS, AreaPlace, Break, Measure, area_measures
from evalkit.data.own_tables.area_units import described_areas
from evalkit.data.own_tables.ees_periods import IDENTIFIER, PERIOD, ees_period
from evalkit.data.own_tables.year_labels import read_year_label
from evalkit.data.published.codes import NO_ROW
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.records import SchoolRecords
from evalkit.data.published.sources import Sources
from evalkit.data.published.tables import read_table

TITLES: Final = {
    "lait": "Local Authority Interactive Tool",
    "ees": "Explore Education Statistics",
    "exclusions": "statistical releases on exclusions",
    "ofsted-history": "history of Ofsted's ratings",
}
_NO_VALUE: Final = "no value is published"
_BEFORE_REFORM: Final = " (Pre LGR 2009)"
"""What the releases put after the names of the counties that were divided in 2009."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaFile:
    """A file that holds a measure of authorities: where in it, and the years that its labels name."""

    place: AreaPlace
    member: Member
    years: tuple[int, ...]

    def __str__(self) -> str:
        where = "".join(f", {column} {value}" for column, value in self.place.where)
        span = years_text(self.years)
        return f"{self.member.name} ({TITLES[self.place.layout]}, {self.place.column}{where}; {span})"


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaSource:
    """Where a measure of authorities was read from: its file, the place in it, and what a reader must know of it.

    `stopped` says of years at hand that a change in how the measure is made keeps out of the series.
    """

    file: str
    layout: str
    column: str
    where: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Return in a sentence where it was read."""
        rows = f", rows with {listed([f'{column} {value}' for column, value in self.where])}" if self.where else ""
        return f"Read of {self.file} ({TITLES[self.layout]}, {self.column}{rows})."

    def record(self) -> dict[str, object]:
        """Return what is locked of it, as plain data; notes may grow with the years read."""
        return {"file": self.file, "layout": self.layout, "column": self.column, "where": dict(self.where)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AreaData:
    """Records of authorities, a row for each by its code, and where each measure was read from."""

    records: SchoolRecords
    sources: Mapping[str, AreaSource]


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaYears:
    """The years of one measure that are read of one file; what is said of other files, and of years not read.

    The breaks of a measure stand in the order of years.
    """

    known: Measure
    file: AreaFile
    years: tuple[int, ...]
    notes: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()


# Where a measure stands.


def area_files(sources: Sources, known: Measure) -> tuple[AreaFile, ...]:
    """Return the files that hold a measure of authorities, in the order in which its places are read.

    Raises
    ------
    DataError
        Where two files hold it in the same place, so that it is not clear which is meant.
    """
    found: list[AreaFile] = []
    for place in known.places:
        at = [
            AreaFile(place=place, member=member, years=years)
            for member in sources.areas.get(place.layout, ())
            if (years := tuple(year for year in _years_at(place, member) if year in known.years))
        ]
        if len(at) > 1:
            names = listed([one.member.name for one in at])
            raise DataError(
                f"{sources.folder}: {names} all hold {known.code}, so it is not clear which to read. Keep the one that "
                "this evaluation should read."
            )
        found += at
    return tuple(found)


def area_file(sources: Sources, known: Measure, first: int) -> AreaFile:
    """Return the file that a project reads a measure of: the first with years on both sides of the first treated one.

    Where none has, the first with a year before is taken, and then any: whoever reads it says what is missing.

    Raises
    ------
    MissingData
        Where no file holds it, with what would and what is at hand.
    """
    held = area_files(sources, known)
    if not held:
        raise MissingData(_nowhere(sources, known))
    before = [one for one in held if min(one.years) < first]
    both = [one for one in before if max(one.years) >= first]
    return (both or before or held)[0]


def _nowhere(sources: Sources, known: Measure) -> str:
    wanted = [
        f"{TITLES[one.layout]}: {one.column}" + "".join(f", {column} {value}" for column, value in one.where)
        for one in known.places
    ]
    files = [f"{one.name} ({TITLES[layout]})" for layout, members in sources.areas.items() for one in members]
    there = [code for code, other in area_measures().items() if code != known.code and _is_at_hand(sources, other)]
    at_hand = f"At hand with measures of authorities: {listed(files, 8)}." if files else "No file there is of the kind."
    other = f" Of those that this kit knows they hold {listed(there, 24)}." if there else ""
    return (
        f"{sources.folder}: no file holds {known.code} ({known.label}), which the project names.\nIt is read from: "
        f"{'; '.join(wanted)}.\n{at_hand}{other}\nPut the file there, name another outcome, or give the series as a "
        "table of your own (docs/how-to/area-series.md)."
    )


def _is_at_hand(sources: Sources, known: Measure) -> bool:
    try:
        return bool(area_files(sources, known))
    except DataError:
        return True  # held twice, which whoever asks for it is told


def _years_at(place: AreaPlace, member: Member) -> tuple[int, ...]:
    """Return the years that a file has of a place, by its labels; none where it does not hold it."""
    stat = member.path.stat()
    return _years_kept(place, member, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=4096)
def _years_kept(place: AreaPlace, member: Member, size: int, changed: int) -> tuple[int, ...]:
    if place.layout == "lait":
        return _lait_kept(_plain(member), size, changed).get(place.column, ())
    if place.layout == "ofsted-history":
        return share_years(_plain(member))
    if place.layout == "exclusions":
        return _exclusion_years(place, member)
    return _ees_years(place, member)


@lru_cache(maxsize=16)
def _lait_kept(path: Path, size: int, changed: int) -> dict[str, tuple[int, ...]]:
    return lait_years(path)


def _plain(member: Member) -> Path:
    """Return the path of a file that must not lie in an archive."""
    if member.inner:
        raise DataError(f"{member.name}: unpack this archive: measures of authorities are not read from one.")
    return member.path


def _exclusion_years(place: AreaPlace, member: Member) -> tuple[int, ...]:
    if place.column not in RawTable(member).peek.columns:
        return ()
    frame = read_table(_plain(member), ["year", *(column for column, _ in place.where)]).drop_duplicates()
    rows = _is_chosen(frame, place)
    return tuple(sorted({read_year_label(str(label), member.name).year for label in frame.loc[rows, "year"]}))


def _ees_years(place: AreaPlace, member: Member) -> tuple[int, ...]:
    """Return the school years that a long file has of a place; none where it parts its rows by anything else."""
    table = RawTable(member)
    there = {str(column).strip().casefold(): str(column) for column in table.peek.columns}
    asked = [PERIOD, IDENTIFIER, LEVEL, *(column for column, _ in place.where)]
    if place.column not in table.peek.columns or not all(column in there for column in asked):
        return ()
    beside = {column.strip().casefold() for column in ees_filters(table)} - set(asked)
    if beside:
        return ()
    frame = table.counts([there[column] for column in asked])
    frame.columns = pd.Index([*asked, "n"])
    is_area = frame[LEVEL].fillna("").astype(str).str.strip() == AREA_LEVEL
    rows = frame[is_area & _is_chosen(frame, place)]
    periods = {ees_period(str(one), str(kind)) for one, kind in rows[[PERIOD, IDENTIFIER]].to_numpy().tolist()}
    return tuple(sorted({period.year for period in periods if period.step is None}))


def _is_chosen(frame: pd.DataFrame, place: AreaPlace) -> pd.Series:
    keep = pd.Series(True, index=frame.index)
    for column, value in place.where:
        keep &= frame[column].fillna("").astype(str).str.strip() == value
    return keep


# Which years of it are read.


def area_years(sources: Sources, known: Measure, first: int) -> AreaYears:
    """Return which years of a measure a project may read, first treated in `first`, and what is said of the others.

    A break of level stops the series: years on its other side than the last year before the start are not read.
    """
    file = area_file(sources, known, first)
    followed = followed_years(file.years, known.breaks, first)
    rest = [one for one in area_files(sources, known) if one != file]
    notes = (f"Also at hand, and not read: {listed([str(one) for one in rest], 3)}.",) if rest else ()
    stopped = tuple(_stopped(known, file.years, followed))
    return AreaYears(known=known, file=file, years=followed, notes=notes, stopped=stopped)


def followed_years(years: Sequence[int], breaks: Sequence[Break], first: int) -> tuple[int, ...]:
    """Return the years that can be compared with the last one before `first`: no break of level lies between.

    >>> from evalkit.data.measures import Break
    >>> new_tests = Break(before=2019, after=2022, kind="level", sentence="New tests.")
    >>> followed_years((2018, 2019, 2022, 2023), (new_tests,), 2019), followed_years((2019, 2022), (new_tests,), 2023)
    ((2018, 2019), (2022,))
    """
    levels = [one for one in breaks if one.kind == "level"]
    base = max((year for year in years if year < first), default=min(years, default=first))
    low = max((one.after for one in levels if one.after <= base), default=0)
    high = min((one.before for one in levels if one.before >= base), default=max(years, default=0))
    return tuple(year for year in years if low <= year <= high)


def _stopped(known: Measure, years: Sequence[int], followed: Sequence[int]) -> Iterator[str]:
    """Yield what is said of years at hand that the nearest break of level on either side keeps out."""
    levels = [one for one in known.breaks if one.kind == "level"] if followed else []
    earlier = [one for one in levels if one.before < min(followed)]
    later = [one for one in levels if one.after > max(followed)]
    for one in (*earlier[-1:], *later[:1]):
        lost = [year for year in years if (year < min(followed)) == (one in earlier) and year not in followed]
        if lost:
            yield f"{years_text(lost)} {'is' if len(lost) == 1 else 'are'} not compared: {one.sentence}"


# The records.


def area_records(
    sources: Sources, plans: Sequence[AreaYears], years: Collection[int], areas: NeighbourTable
) -> AreaData:
    """Return the records of measures of authorities in some years alone.

    Every unit is an authority by DfE's code. Values of other years are not looked at.

    Raises
    ------
    DataError
        If a file cannot be read, names an authority that there never was, or holds a measure in another unit.
    MissingData
        If a file that says where schools lie is needed and not there.
    """
    read = {one.known.code: tuple(year for year in one.years if year in years) for one in plans}
    series = {
        one.known.code: _coded(_series(sources, one.file, read[one.known.code], one.known), one.file)
        for one in plans
        if read[one.known.code]
    }
    columns = sorted({year for some in read.values() for year in some})
    codes = sorted({int(str(area)) for one in series.values() for area in one.areas})
    frame = described_areas({str(code): str(code) for code in codes}, _with_former(areas, codes))
    frame = frame.drop(columns="is_known")
    values = {code: _wide(series.get(code), frame.index, columns) for code in read}
    reasons = {code: _reasons(found, series.get(code)) for code, found in values.items()}
    names = {str(frame.at[unit, "name"]): str(unit) for unit in frame.index}
    records = SchoolRecords(
        AREAS,
        frame,
        values,
        reasons,
        pd.DataFrame(np.nan, index=frame.index, columns=columns),
        tuple(columns),
        {**names, **{str(unit): str(unit) for unit in frame.index}},
        tuple(CountedCase(f"{AREAS}: {code}, authorities with a value", _n_with(values[code])) for code in read),
    )
    told = {one.known.code: _source(one, series.get(one.known.code), read[one.known.code]) for one in plans}
    return AreaData(records=records, sources=told)


def _n_with(values: pd.DataFrame) -> int:
    return int(values.notna().any(axis=1).sum())


def _source(plan: AreaYears, series: AreaSeries | None, years: Sequence[int]) -> AreaSource:
    notes = [*plan.notes]
    if series is not None:
        notes += [note for note in series.notes if note != NOT_LOOKED_AT and not note.startswith(_COUNTED)]
        seen = [series.periods.index(year) for year in years if year in series.periods]
        lacking = int(np.isnan(series.values[:, seen]).sum())
        if lacking:
            notes.append(
                f"Of {counted(len(seen) * len(series.areas), 'value')} of authorities {lacking:,} are no number: "
                "suppressed, not published, or of an authority that there was not in that year. Such an area lacks "
                "that year."
            )
    place = plan.file.place
    return AreaSource(
        file=plan.file.member.name,
        layout=place.layout,
        column=place.column,
        where=place.where,
        notes=tuple(notes),
        stopped=plan.stopped,
    )


_COUNTED: Final = ("In '", "Areas of which a value is suppressed")
"""How the sentences of readers begin that tell what one of missing values tells here."""


def _wide(series: AreaSeries | None, units: pd.Index, years: Sequence[int]) -> pd.DataFrame:
    wide = pd.DataFrame(np.nan, index=units, columns=list(years), dtype=float)
    if series is not None:
        found = pd.DataFrame(series.values, index=series.areas, columns=list(series.periods))
        wide.loc[found.index, found.columns] = found
    return wide


def _reasons(values: pd.DataFrame, series: AreaSeries | None) -> pd.DataFrame:
    """Return why each value is missing: no value published of an area of the file, or no row of it."""
    known = set() if series is None else set(series.areas)
    why = np.where(np.isin(np.array(values.index, dtype=object), list(known)), _NO_VALUE, NO_ROW)[:, None]
    cells = np.where(values.isna().to_numpy(), np.broadcast_to(why, values.shape), "")
    return pd.DataFrame(cells, index=values.index, columns=values.columns, dtype=object)


def _series(sources: Sources, file: AreaFile, years: Sequence[int], known: Measure) -> AreaSeries:
    """Return one measure of a file in some years, in the unit that it should have."""
    name = file.member.name.rpartition("/")[2]
    try:
        series = _READERS[file.place.layout](sources, file, years)
    except MissingData:
        raise
    except DataError as problem:
        raise problem if name in str(problem) else DataError(f"{name}: {known.code}: {problem}") from None
    if known.typical is not None:
        _require_unit(series, file, known)
    return series


def _of_lait(sources: Sources, file: AreaFile, years: Sequence[int]) -> AreaSeries:
    return read_lait(_plain(file.member), file.place.column, years=years)


def _of_exclusions(sources: Sources, file: AreaFile, years: Sequence[int]) -> AreaSeries:
    school_type = dict(file.place.where).get("school_type", "Total")
    return read_exclusions(_plain(file.member), file.place.column, school_type, years=years)


def _of_ees(sources: Sources, file: AreaFile, years: Sequence[int]) -> AreaSeries:
    path = file.member.path / file.member.inner if file.member.inner else file.member.path
    return read_ees_areas(path, file.place.column, where=dict(file.place.where), years=years)


def _of_ratings(sources: Sources, file: AreaFile, years: Sequence[int]) -> AreaSeries:
    spine = sources.spine
    if spine is None:
        raise MissingData(
            f"{sources.folder}: gias/england_spine_….csv is not there. It says in which authority each inspected "
            "school lies; data/README.md says where it comes from."
        )
    return read_ofsted_shares(_plain(file.member), _plain(spine) if isinstance(spine, Member) else spine, years)


_READERS: Final[Mapping[str, Callable[[Sources, AreaFile, Sequence[int]], AreaSeries]]] = {
    "lait": _of_lait,
    "exclusions": _of_exclusions,
    "ees": _of_ees,
    "ofsted-history": _of_ratings,
}


def _require_unit(series: AreaSeries, file: AreaFile, known: Measure) -> None:
    """Raise `DataError` where the middle authority of a year has a value that the measure has in another unit alone."""
    assert known.typical is not None
    low, high = known.typical
    for at, year in enumerate(series.periods):
        middle = float(np.nanmedian(series.values[:, at]))
        if not low <= middle <= high:
            raise DataError(
                f"{file.member.name}: the middle authority has {middle:.4g} of {known.code} in {year}; in {known.unit} "
                f"it lies between {low:g} and {high:g}. The file has another unit, or is of another measure: check "
                f"that '{file.place.column}' of it is {known.label}."
            )


# Which authority a row is of.


def _coded(series: AreaSeries, file: AreaFile) -> AreaSeries:
    """Return a series whose areas are texts of DfE's codes, in the order of the codes."""
    codes = [_code(area, series.periods) for area in series.areas]
    unknown = [str(area) for area, code in zip(series.areas, codes, strict=True) if code is None]
    if unknown:
        raise DataError(
            f"{file.member.name}: {listed(unknown, 5)} {'is' if len(unknown) == 1 else 'are'} no local authority since "
            "2002. Correct the name or code, or download the file again."
        )
    order = np.argsort([code for code in codes if code is not None], kind="stable")
    ids = pd.Index([str(codes[at]) for at in order], dtype=object)
    if not ids.is_unique:
        twice = ids[ids.duplicated()][0]
        raise DataError(f"{file.member.name}: two of its areas are the authority {twice}. Keep one of them.")
    return replace(series, areas=ids, values=series.values[order], names={})


def _code(area: object, years: Sequence[int]) -> int | None:
    """Return DfE's code of an area that is told by it, by its GSS code or by its name; None for what is none."""
    text = str(area).strip()
    if text.isdigit():
        return int(text)
    if (code := code_of_gss(text)) is not None:
        return code
    called = _by_name().get(_letters(text.removesuffix(_BEFORE_REFORM)), ())
    held = [one.code for one in called if _held(one, years)] or [one.code for one in called]
    return held[0] if held else None


def _held(one: Authority, years: Sequence[int]) -> bool:
    return (one.first is None or one.first.year <= max(years)) and (one.until is None or one.until.year > min(years))


@lru_cache(maxsize=1)
def _by_name() -> dict[str, tuple[Authority, ...]]:
    found: dict[str, tuple[Authority, ...]] = {}
    for one in authorities():
        key = _letters(one.name)
        found[key] = (*found.get(key, ()), one)
    return found


def _letters(name: str) -> str:
    """Return a name without case, marks, the word County, or where the word City stands in it."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.casefold()).split()
    return " ".join(sorted(word for word in words if word not in ("county", "city", "of", "the", "and", "upon")))


def _with_former(areas: NeighbourTable, codes: Sequence[int]) -> NeighbourTable:
    """Return a list of neighbours with names and regions of authorities that it does not have, former ones say."""
    names = {one.code: one.name for one in authorities() if one.code in codes}
    regions = {code: found for code in codes if (found := region_of((code,))) != NOT_KNOWN}
    return replace(areas, names=names | areas.names, regions=regions | areas.regions)
