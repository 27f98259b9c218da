"""What a project file says of its analyses: their kinds, the options of each, and what later versions will read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from evalkit.core.errors import ProjectError
from evalkit.core.project import Analysis, Exposure, Programme, Project, default_exposure, first_summer
from evalkit.core.words import did_you_mean, listed
from evalkit.data.measures import MEASURES, is_of_areas
from evalkit.run.kinds.names import KINDS
from evalkit.run.kinds.registry import RESERVED, Kind, kind_of
from evalkit.run.project.complaints import complaint_of
from evalkit.run.project.plain_yaml import Complaint, Place, PlainYaml

VERSION: Final = 2
REQUIRED: Final = "required"
"""What `plan` says for short where its lock is required."""
DERIVED: Final = ("options", "uses_exposure", "describes", "exposure", "columns")
"""What of an analysis is its kind's, or is taken from its options, and never a key of every kind."""
COMMON: Final = tuple(field.name for field in fields(Analysis) if field.name not in DERIVED)
"""Keys that an analysis of every kind may have."""


def require_version(read: PlainYaml) -> None:
    """Raise `ProjectError` for a project file of the first version, with the command that brings it to this one."""
    data = read.data
    if isinstance(data, dict) and data.get("schema_version") == 1:
        raise ProjectError(
            f"{read.name}: this project file is of version 1, and evalkit reads version {VERSION}. "
            "`evalkit migrate FILE` prints it as it should be now; with --write it keeps the old one as .v1.yml."
        )


def reserved_keys(data: object) -> Iterator[Complaint]:
    """Yield a complaint for each key that a later version will read."""
    if not isinstance(data, dict):
        return
    for keys in RESERVED:
        for place in _places(data, keys, ()):
            text = f"`{keys[-1]}` is reserved for a later version of evalkit, which will read it. Leave it out for now"
            yield Complaint(place, text)


def _places(value: object, keys: tuple[str, ...], place: Place) -> Iterator[Place]:
    if isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _places(inner, keys, (*place, i))
    elif isinstance(value, dict) and keys[0] in value:
        if len(keys) == 1:
            yield (*place, keys[0])
        else:
            yield from _places(value[keys[0]], keys[1:], (*place, keys[0]))


def with_common_keys(data: object) -> object:
    """Return the data of a project file in which analyses have the keys of every kind alone, and none is reserved.

    `plan: required` stands in full.
    """
    if not isinstance(data, dict):
        return data
    kept = dict(data)
    if kept.get("plan") == REQUIRED:
        kept["plan"] = {REQUIRED: True}
    if isinstance(kept.get("analyses"), list):
        kept["analyses"] = [_common(one) if isinstance(one, dict) else one for one in kept["analyses"]]
    return kept


def _common(analysis: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in analysis.items() if key in COMMON}


def replaced(read: PlainYaml, data: object) -> PlainYaml:
    """Return what was read with other data in the same lines."""
    return PlainYaml(data, read.lines, read.name)


@cache
def _adapter(options: type) -> TypeAdapter[Any]:
    return TypeAdapter(options)


def analysis_options(data: object) -> tuple[list[object], list[Complaint]]:
    """Return the options of every analysis, and what is wrong with them."""
    mapping: Mapping[str, Any] = data if isinstance(data, dict) else {}
    analyses = mapping.get("analyses")
    options: list[object] = []
    complaints: list[Complaint] = []
    for i, one in enumerate(analyses if isinstance(analyses, list) else []):
        made, found = _options(mapping, i, one) if isinstance(one, dict) else (None, [])
        options.append(made)
        complaints += found
    return options, complaints


def _options(project: Mapping[str, Any], at: int, analysis: Mapping[str, object]) -> tuple[object, list[Complaint]]:
    name = analysis.get("kind")
    if not isinstance(name, str):
        return None, []  # told with the keys of every kind
    if name not in KINDS:
        text = (
            f"'{name}' is not a kind of analysis this kit knows.{did_you_mean(name, KINDS)} Known: {listed([*KINDS])}"
        )
        return None, [Complaint(("analyses", at, "kind"), text)]
    kind = kind_of(name)
    own = {key: value for key, value in analysis.items() if key not in COMMON and ("analyses", key) not in RESERVED}
    try:
        return _adapter(kind.options).validate_json(json.dumps(_inherited(kind, project, own)), strict=True), []
    except ValidationError as problem:
        return None, [_complaint(kind, at, details) for details in problem.errors(include_url=False)]


def _inherited(kind: Kind, project: Mapping[str, Any], own: Mapping[str, object]) -> dict[str, object]:
    """Return an analysis's options, each that is a group of keys filled up from the project's group of that name."""
    filled = {
        key: {**project[key], **value}
        for key, value in own.items()
        if key in kind.inherits and isinstance(value, dict) and isinstance(project.get(key), dict)
    }
    return {**own, **filled}


def _complaint(kind: Kind, at: int, details: ErrorDetails) -> Complaint:
    found = complaint_of(details, kind.options)
    if details["type"] == "unexpected_keyword_argument" and len(details["loc"]) == 1:
        return Complaint(("analyses", at, *found.place), _unknown_option(kind, str(details["loc"][0])))
    return Complaint(("analyses", at, *found.place), found.text)


def options_data(analysis: Analysis) -> dict[str, object]:
    """Return what an analysis says for itself as plain data, the defaults of its kind filled in."""
    if analysis.options is None:
        return {}
    kind: type = type(analysis.options)
    found: dict[str, object] = _adapter(kind).dump_python(analysis.options, mode="json")
    return {key: value for key, value in found.items() if value is not None}


def with_kinds(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a project file with the keys that each kind of analysis has for itself."""
    parts: dict[str, Any] = schema["$defs"]
    common = parts.pop("Analysis")
    shared = {key: common["properties"][key] for key in COMMON}
    for name in KINDS:
        kind = kind_of(name)
        own = _adapter(kind.options).json_schema()
        parts |= own.pop("$defs", {})
        parts[_part_of(name)] = {
            **common,
            "description": f"One analysis: {kind.label}.",
            "title": f"Analysis of the kind {name}",
            "properties": {
                **shared,
                "kind": {"const": name, "description": shared["kind"]["description"]},
                **own["properties"],
            },
            "required": [*common["required"], *own.get("required", [])],
        }
    schema["properties"]["analyses"]["items"] = {"oneOf": [{"$ref": f"#/$defs/{_part_of(name)}"} for name in KINDS]}
    return schema


def _part_of(kind: str) -> str:
    """Return the name of a kind's analysis in the schema: never that of its options, which another kind may hold."""
    return f"Analysis_{kind}"


def _unknown_option(kind: Kind, key: str) -> str:
    known = [*COMMON, *(field.name for field in fields(kind.options))]
    others = [name for name in KINDS if name != kind.name and key in {f.name for f in fields(kind_of(name).options)}]
    belongs = f" It belongs to the kind{'s' if len(others) > 1 else ''} {listed(others)}." if others else ""
    return f"an analysis of the kind `{kind.name}` has no such key.{belongs or did_you_mean(key, known)}"


def with_options(project: Project, options: Sequence[object]) -> Project:
    """Return the project whose analyses have their options, and what follows from these and from their kinds."""
    with_own = [_with_options(project, one, options[i]) for i, one in enumerate(project.analyses)]
    return replace(project, analyses=tuple(with_own))


def _with_options(project: Project, analysis: Analysis, options: object) -> Analysis:
    if analysis.kind not in KINDS:
        return analysis
    exposure, by = getattr(options, "exposure", None), project.by_of(analysis)
    return replace(
        analysis,
        options=options,
        uses_exposure=kind_of(analysis.kind).uses_exposure and not kind_of(analysis.kind).describes,
        describes=kind_of(analysis.kind).describes,
        exposure=exposure if isinstance(exposure, Exposure) else None,
        columns=tuple(
            dict.fromkeys(
                (
                    *_columns_named(options, project),
                    *_columns_named(getattr(options, "named_columns", ()), project),
                    *_columns_named(by, project),
                )
            )
        ),
    )


def _columns_named(value: object, project: Project) -> Iterator[str]:
    """Yield each `table.column` of an own table that stands anywhere in options."""
    if isinstance(value, str):
        table, dot, column = value.partition(".")
        if dot and column and table in project.data.tables and not _came_after(value, project):
            yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _columns_named(one, project)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _columns_named(getattr(value, field.name), project)


def _came_after(code: str, project: Project) -> bool:
    """Return whether a column is an outcome of a table with one row a unit, which is known after the programme only."""
    return any(one.code == code and project.data.tables[str(one.table)].period is None for one in project.outcomes)


def with_defaults(project: Project) -> Project:
    """Return the project with the years before and after filled in where the file names none and they can be told.

    They are those that all outcomes published of schools have, parted by the programme's first and last day: of summers
    that run on without a gap those among which it starts, as no one means to cross years without tests unasked.
    """
    if project.exposure != Exposure():
        return project
    of_schools = [one for one in project.outcomes if not is_of_areas(one.code)]
    published = [MEASURES[one.code].years for one in of_schools if one.code in MEASURES]
    if not published or len(published) < len(of_schools):
        return project
    years = sorted(set.intersection(*map(set, published)))
    return replace(project, exposure=default_exposure(project.programme, _run_of(years, project.programme)))


def _run_of(years: Sequence[int], programme: Programme) -> Sequence[int]:
    """Return the summers without a gap among which a programme starts, all of them where it starts in the gap."""
    runs: list[list[int]] = []
    for year in years:
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return next((run for run in runs if first_summer(programme.start) in run), years)
