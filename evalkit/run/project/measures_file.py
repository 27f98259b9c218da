"""Measures that a project defines itself: `measures.yml` beside its project file, in the form of the kit's registry.

Each is a column of the performance tables of which the kit says nothing. All that is wrong is told at once, with lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

from evalkit.core.errors import ProjectError
from evalkit.core.manifest import MEASURES_FILE
from evalkit.core.words import did_you_mean, listed
from evalkit.data.measures import (
    AREAS,
    STAGES,
    AreaLayout,
    Direction,
    Measure,
    is_of_kit,
    measure_of_entry,
    named_parts,
    part_of_entry,
    use_beside,
)
from evalkit.run.project.complaints import shown_value
from evalkit.run.project.plain_yaml import Complaint, Place, PlainYaml, read_plain_yaml, where

SCHEMA_VERSION: Final = 2
_PARTS: Final = ("breaks", "absences")
_NEEDED_OF_PARTS: Final = {"breaks": ("before", "after", "kind", "sentence"), "absences": ("years", "kind", "sentence")}
_TEXTS: Final = (
    "code", "label", "unit", "key_stage", "source", "direction", "pupils", "subgroup", "small_numbers", "unadjusted",
)  # fmt: skip
_LISTS: Final = ("years", "breaks", "absences", "limits", "places", "typical")
_STAGES: Final = (*STAGES, AREAS)
_NEEDED: Final = ("code", "label", "unit", "direction", "key_stage", "years", "sd", "source")
_KEYS: Final = (*_TEXTS, *_LISTS, "teacher_assessed", "sd", "ees")


def use_measures_beside(folder: Path) -> None:
    """Let the registry hold the measures that a project's folder defines, and no other project's.

    Raises
    ------
    ProjectError
        If something is wrong with the file, with every complaint about it.
    """
    path = folder / MEASURES_FILE
    use_beside(load_measures(path) if path.is_file() else {})


def load_measures(path: Path) -> dict[str, Measure]:
    """Return the measures of a file by code; raise `ProjectError` with every complaint about it."""
    read = read_plain_yaml(path)
    found, complaints = _examined(read.data)
    if complaints:
        raise ProjectError(_message(read, complaints))
    return found


def _examined(data: object) -> tuple[dict[str, Measure], list[Complaint]]:
    if not isinstance(data, dict):
        return {}, [Complaint((), "expected keys with values: schema_version and measures")]
    complaints = [*_against_top(data)]
    parts: dict[str, dict[str, Any]] = {}
    for key in _PARTS:
        parts[key] = {}
        for name, entry in _entries(data.get(key, {})):
            if lacking := [needed for needed in _NEEDED_OF_PARTS[key] if entry.get(needed) in (None, "", [])]:
                complaints.append(Complaint((key, name), f"{listed(lacking)} must be given"))
                continue
            try:
                parts[key][name] = part_of_entry(key, name, entry)
            except ValueError as problem:
                complaints.append(Complaint((key, name), str(problem).partition(": ")[2]))
    measures: dict[str, Measure] = {}
    entries = data.get("measures", [])
    named = named_parts(parts)
    for at, entry in enumerate(entries if isinstance(entries, list) else ()):
        against = [*_against(("measures", at), entry, measures)]
        complaints += against
        if not against:
            try:
                made = measure_of_entry(entry, named)
                measures[made.code] = made
            except ValueError as problem:
                complaints.append(Complaint(("measures", at), str(problem).partition(": ")[2]))
    return measures, complaints


def _entries(value: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, dict):
        yield from ((name, entry if isinstance(entry, dict) else {}) for name, entry in value.items())


def _against_top(data: Mapping[str, Any]) -> Iterator[Complaint]:
    known = ("schema_version", "measures", *_PARTS)
    for key in data:
        if key not in known:
            yield Complaint((key,), f"there is no such key here.{did_you_mean(key, known)}")
    if data.get("schema_version") != SCHEMA_VERSION:
        yield Complaint(("schema_version",), f"write `schema_version: {SCHEMA_VERSION}`")
    if not (isinstance(data.get("measures"), list) and data["measures"]):
        yield Complaint(("measures",), "expected a list of measures, each beginning with a dash")
    for key in _PARTS:
        if not isinstance(data.get(key, {}), dict):
            yield Complaint((key,), "expected names, each with its keys below it")


def _against(place: Place, entry: object, before: Mapping[str, Measure]) -> Iterator[Complaint]:
    """Yield everything that can be said against an entry from what stands in it alone."""
    if not isinstance(entry, dict):
        yield Complaint(place, f"expected keys with values, found {shown_value(entry)}")
        return
    for key in entry:
        if key not in _KEYS:
            yield Complaint((*place, key), f"there is no such key here.{did_you_mean(key, _KEYS)}")
    lacking = [key for key in _NEEDED if entry.get(key) in (None, "", [])]
    if lacking:
        yield Complaint(place, f"{listed(lacking)} must be given")
    for key in (*_TEXTS, *_LISTS):
        value, kind = entry.get(key), (str if key in _TEXTS else list)
        if value is not None and not isinstance(value, kind):
            yield Complaint(
                (*place, key), f"expected {'text' if kind is str else 'a list'}, found {shown_value(value)}"
            )
    yield from _against_values(place, entry, before)


def _against_values(place: Place, entry: Mapping[str, Any], before: Mapping[str, Measure]) -> Iterator[Complaint]:
    code, stage, years = entry.get("code"), entry.get("key_stage"), entry.get("years")
    if isinstance(code, str) and is_of_kit(code):
        yield Complaint((*place, "code"), f"{code} is a measure of the kit: name it as an outcome without defining it")
    elif isinstance(code, str) and code in before:
        yield Complaint((*place, "code"), f"{code} stands here a second time")
    elif isinstance(code, str) and not code.replace("_", "").isalnum():
        yield Complaint((*place, "code"), f"a code is the name of its column, of letters, digits and _, not '{code}'")
    if isinstance(stage, str) and stage not in _STAGES:
        yield Complaint((*place, "key_stage"), f"expected {', '.join(_STAGES[:-1])} or {_STAGES[-1]}, found '{stage}'")
    yield from _against_places(place, entry)
    if isinstance(years, list) and not _are_summers(years):
        yield Complaint((*place, "years"), "expected summers in order, as [2016, 2017]")
    direction = entry.get("direction")
    if isinstance(direction, str) and direction not in get_args(Direction):
        yield Complaint((*place, "direction"), f"expected {' or '.join(get_args(Direction))}, found '{direction}'")
    ees = entry.get("ees", {"columns": []})
    if not (isinstance(ees, dict) and isinstance(ees.get("columns"), list)):
        yield Complaint((*place, "ees"), "expected `columns`, a list of names, and `subject` or `breakdown` below it")
    if not isinstance(entry.get("teacher_assessed", False), bool):
        yield Complaint((*place, "teacher_assessed"), "expected true or false")


def _against_places(place: Place, entry: Mapping[str, Any]) -> Iterator[Complaint]:
    """Yield what is wrong with where a measure of authorities is said to stand."""
    places, typical = entry.get("places"), entry.get("typical")
    if (entry.get("key_stage") == AREAS) != bool(places):
        yield Complaint(
            (*place, "places"), f"a measure of authorities (key stage {AREAS}), and no other, says where it stands"
        )
    for at, one in enumerate(places if isinstance(places, list) else ()):
        at_place = (*place, "places", at)
        if not isinstance(one, dict) or {*one} - {"where"} != {"layout", "column"}:
            yield Complaint(at_place, "expected `layout` and `column`, and `where` with columns and their values")
        elif one["layout"] not in get_args(AreaLayout):
            known = listed([*get_args(AreaLayout)])
            yield Complaint((*at_place, "layout"), f"authorities are read of {known}, not '{one['layout']}'")
        elif not isinstance(one["column"], str) or not isinstance(one.get("where", {}), dict):
            yield Complaint(at_place, "expected a name as `column`, and below `where` columns with a value each")
    numbers = [one for one in typical if isinstance(one, int | float)] if isinstance(typical, list) else [0, 1]
    if len(numbers) != 2 or not numbers[0] < numbers[1]:
        yield Complaint((*place, "typical"), "expected two numbers, the lower first")


def _are_summers(years: Sequence[object]) -> bool:
    whole = [year for year in years if isinstance(year, int) and not isinstance(year, bool) and 1990 <= year <= 2100]
    return len(whole) == len(years) and whole == sorted(set(whole))


def _message(read: PlainYaml, complaints: Sequence[Complaint]) -> str:
    shown = [f"{_where(read, one.place)}{one.text}{'' if one.text.endswith(('?', '.')) else '.'}" for one in complaints]
    if len(shown) == 1:
        return f"{read.name}: {shown[0]}"
    return f"{read.name}: {len(shown)} things need correcting.\n" + "\n".join(f"  - {text}" for text in shown)


def _where(read: PlainYaml, place: Place) -> str:
    line = read.line(place)
    return f"{where(place) or 'the file'}{f' (line {line})' if line else ''}: "
