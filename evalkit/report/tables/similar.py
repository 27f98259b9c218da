"""Lists of similar schools and areas that a headteacher can read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from evalkit.core.disclosure import FEWEST_PUBLISHED
from evalkit.core.errors import DesignError
from evalkit.core.formats import number
from evalkit.core.quantities import Unavailable
from evalkit.core.sentence import Sentence, count
from evalkit.core.words import counted, did_you_mean, listed
from evalkit.data.profiles import Profiles
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.design.similar import CLOSENESS, NOT_CLOSE, SimilarUnits, pupil_counts, similar_units, small_count_value
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Prose
from evalkit.report.border.table import Cell, Column, Kind, Table
from evalkit.report.tables.data import plain

OWN: Final = "this one"
"""What stands in the place of a rank in the row of the unit the list is for."""


def similar(
    found: SimilarUnits, unit: object, pupils: Sequence[str] = (), threshold: int = FEWEST_PUBLISHED
) -> ReleasedTable:
    """Return the list of one unit: itself in the first row, then the others by rank, with how close each is.

    `pupils` names characteristics that are counts of pupils; those under the threshold are withheld, and so are the
    distances of their units. A list that was made with such counts as they are (not named in `SimilarOptions.pupils`,
    or with a lower `fewest`) is made again with one stand-in for all of them, as they could be worked out of it.
    """
    profiles, pupils = found.profiles, tuple(dict.fromkeys((*found.option.pupils, *pupils)))
    unknown = [name for name in pupils if name not in profiles.characteristics]
    if unknown:
        raise DesignError(
            f"'{unknown[0]}' is no characteristic that is compared on."
            f"{did_you_mean(unknown[0], [str(name) for name in profiles.characteristics])}"
        )
    own = profiles.position(unit)
    found.of(unit)  # a list that nobody asked for is no list, however it would be made
    option = replace(found.option, pupils=pupils, fewest=max(threshold, found.option.fewest))
    if pupils and option != found.option:
        found = similar_units(profiles, option, profiles.units[own])
    listing = found.of(unit)
    columns = _columns(found, pupils)
    rows = [_row(found, own, (OWN, 0.0, ""), pupils)]
    rows += [_row(found, one.position, (one.rank, one.distance, one.closeness), pupils) for one in listing]
    table = Table(
        caption=f"Most like {_called(profiles, own)}",
        columns=columns,
        rows=_withheld(rows, columns, threshold),
        notes=_notes(found, own, len(listing)),
    )
    return release(table, threshold)


def published_neighbours(table: NeighbourTable, area: int | str) -> ReleasedTable:
    """Return DfE's statistical neighbours of an area, nearest first, with how close DfE calls each."""
    found = table.ranked(area)
    columns = (
        Column("rank", "Rank", "count"),
        Column("code", "DfE code"),
        Column("name", "Local authority"),
        Column("region", "Region"),
        Column("closeness", "How close"),
    )
    none = Unavailable("The workbook gives this area no neighbours.")
    rows: tuple[tuple[Cell, ...], ...] = tuple((n.rank, str(n.code), n.name, n.region, n.closeness) for n in found)
    caption = f"Statistical neighbours of {table.name_of(area)}, as DfE lists them"
    empty: tuple[Cell, ...] = ("None", none, none, none, none)
    return release(Table(caption=caption, columns=columns, rows=rows or (empty,)), FEWEST_PUBLISHED)


def _columns(found: SimilarUnits, pupils: Sequence[str]) -> tuple[Column, ...]:
    profiles = found.profiles
    named = () if profiles.names is None else (Column("name", "Name"),)
    labels = [*_told_apart(found), *map(str, profiles.shown)]
    return (
        Column("rank", "Rank"),
        Column("id", "Id"),
        *named,
        *(Column(_key(name), name) for name in labels),
        *(Column(_key(name), name, _kind(profiles, name, pupils)) for name in map(str, profiles.characteristics)),
        Column("closeness", "How close"),
        Column("distance", "Distance (SDs)", "number"),
    )


def _key(name: str) -> str:
    """Return a column's key in CSV: its name, marked where the table has a column of that name itself."""
    return f"{name} (given)" if name in ("rank", "id", "name", "closeness", "distance") else name


def _kind(profiles: Profiles, name: str, pupils: Sequence[str]) -> Kind:
    values = profiles.characteristics[name]
    if name in pupils:
        return "pupil_count"
    if not _is_number(profiles, name):
        return "text"
    return "count" if (values == values.round()).all() else "number"


def _is_number(profiles: Profiles, name: str) -> bool:
    return profiles.characteristics[name].dtype.kind in "iuf"


def _told_apart(found: SimilarUnits) -> tuple[str, ...]:
    """Return the labels that differ between listed units and stand nowhere else in the table."""
    profiles = found.profiles
    elsewhere = (*map(str, profiles.characteristics), *map(str, profiles.shown))
    return tuple(name for name in found.option.not_same if name not in elsewhere)


def _row(found: SimilarUnits, at: int, place: tuple[Cell, float, str], pupils: Sequence[str]) -> tuple[Cell, ...]:
    profiles, (rank, distance, word) = found.profiles, place
    return (
        rank,
        str(profiles.units[at]),
        *(() if profiles.names is None else (str(profiles.names.iloc[at]),)),
        *(str(profiles.labels[name].iloc[at]) for name in _told_apart(found)),
        *(str(profiles.shown[name].iloc[at]) for name in profiles.shown),
        *(_value(profiles, str(name), at, pupils) for name in profiles.characteristics),
        word,
        distance,
    )


def _value(profiles: Profiles, name: str, at: int, pupils: Sequence[str]) -> Cell:
    value = profiles.characteristics[name].iloc[at]
    if name in pupils:
        return int(pupil_counts(profiles.characteristics[name].iloc[at : at + 1])[0])
    if not _is_number(profiles, name):
        return str(value)
    kind = _kind(profiles, name, pupils)
    return float(value) if kind == "number" else int(value)


def _withheld(
    rows: Sequence[tuple[Cell, ...]], columns: Sequence[Column], threshold: int
) -> tuple[tuple[Cell, ...], ...]:
    """Return the rows without distances that are from a stand-in: all of them where it is the unit's own count."""
    counts = [at for at, column in enumerate(columns) if column.kind == "pupil_count"]

    def is_small(row: tuple[Cell, ...]) -> bool:
        return any(isinstance(cell := row[at], int) and cell < threshold for at in counts)

    stand_in = Unavailable("Withheld, as a small count of pupils is part of it.")
    return tuple((*row[:-1], stand_in) if is_small(row) or is_small(rows[0]) else row for row in rows)


def _called(profiles: Profiles, at: int) -> str:
    name = "" if profiles.names is None else str(profiles.names.iloc[at])
    return name or str(profiles.units[at])


def _notes(found: SimilarUnits, own: int, n_listed: int) -> tuple[str, ...]:
    profiles, option = found.profiles, found.option
    parts = [
        f"{one.name} ({'category' if one.sd is None else f'SD {number(one.sd)}'}"
        f"{'' if one.weight == 1 else f', weight {one.weight:g}'})"
        for one in found.characteristics
    ]
    steps = [f"{word} up to {most:g}" for most, word in CLOSENESS]
    shared = [f"{name} ({profiles.labels[name].iloc[own]})" for name in option.same]
    kept = f" Only units with the same {listed(shared)} are listed." if option.same else ""
    kept += f" Units with the same {listed(list(option.not_same))} are not listed." if option.not_same else ""
    other = " A different category counts as one SD." if any(one.sd is None for one in found.characteristics) else ""
    within = " (the SD within those groups)" if option.sd_within_same and option.same else ""
    return (
        f"Compared on {listed(parts, 40)}.{kept}",
        f"The distance is the typical difference over these characteristics, in their SDs{within}: "
        f"{listed(steps)}, {NOT_CLOSE} beyond.{other}",
        *_stand_in_note(found),
        *_short_note(option.n, n_listed),
        *_lacking_note(profiles),
        "Units on the list are alike in these characteristics; they may differ in anything else.",
    )


def _stand_in_note(found: SimilarUnits) -> tuple[str, ...]:
    option = found.option
    if not option.pupils:
        return ()
    return (
        f"Counts of pupils under {option.fewest} ({listed(list(option.pupils), 12)}) enter distances and SDs as "
        f"{small_count_value(option.fewest):g}, whatever they are, so that none can be worked out.",
    )


def _short_note(n: int, n_listed: int) -> tuple[str, ...]:
    return (f"Only {counted(n_listed, 'unit')} may stand on the list; {n} were asked for.",) if n_listed < n else ()


def _lacking_note(profiles: Profiles) -> tuple[str, ...]:
    if not len(profiles.left_out):
        return ()
    lacking = [f"{name} {n:,}" for name, n in profiles.lacking]
    return (
        f"{counted(len(profiles.left_out), 'unit')} of {len(profiles.left_out) + len(profiles.units):,} could not be "
        f"compared, as something is missing: {listed(lacking, 20)}.",
    )


def similar_list(found: SimilarUnits) -> ReleasedTable:
    """Return the list of the first unit asked for, with how close each other unit is, in a word."""
    profiles = found.profiles
    own = profiles.units[int(found.asked[0])]
    named = () if profiles.names is None else (Column("name", "Name"),)
    columns = (Column("rank", "Rank"), Column("id", "Id"), *named, Column("closeness", "How close"))
    rows = [
        (
            str(one.rank),
            str(profiles.units[one.position]),
            *(() if profiles.names is None else (str(profiles.names.iloc[one.position]),)),
            one.closeness,
        )
        for one in found.of(own)
    ]
    more = len(found.asked) - 1
    notes = (
        f"One of {more + 1:,} lists; .pairs() has them all." if more else "",
        "evalkit.report.tables.similar.similar shows the characteristics, and withholds small counts of pupils.",
    )
    return plain(f"Most like {own}", columns, rows, notes)


# What can be said of the lists of many units together.


def closest(found: SimilarUnits) -> ReleasedTable:
    """Return for how many units the one most like them is very close, close, somewhat close and not close."""
    first = found.distance[:, 0][found.positions[:, 0] >= 0]
    words = [*(word for _, word in CLOSENESS), NOT_CLOSE]
    steps = np.bincount(np.searchsorted([most for most, _ in CLOSENESS], first), minlength=len(words))
    rows = tuple(zip(words, steps.tolist(), strict=True))
    columns = (Column("closeness", "How close"), Column("n_units", "Units", "count"))
    return plain("How close the most similar unit is", columns, rows)


def list_losses(found: SimilarUnits) -> Prose:
    """Return how many lists are shorter than asked for, and how many units have none, with the reasons."""
    return Prose(tuple(_losses(found)), "list")


def _losses(found: SimilarUnits) -> Iterator[str]:
    if found.n_short:
        n = count(found.n_short, "schools", "list")
        yield Sentence("{n} shorter than asked for: too few units may stand there.", n=n)
    if len(found.profiles.left_out):
        n = count(len(found.profiles.left_out), "schools", "unit")
        yield Sentence("{n} left out, as a characteristic or label is missing.", n=n)
