"""Project files and claims: read, checked whole, and every complaint in one message."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from evalkit.core.errors import DesignError, ProjectError
from evalkit.core.project import Claim, Project
from evalkit.core.words import did_you_mean
from evalkit.data.measures import MEASURES
from evalkit.run.processes.failure import environment_faults
from evalkit.run.project.analyses import (
    DERIVED,
    REQUIRED,
    analysis_options,
    options_data,
    replaced,
    require_version,
    reserved_keys,
    with_common_keys,
    with_defaults,
    with_kinds,
    with_options,
)
from evalkit.run.project.complaints import complaint_of, shown_value
from evalkit.run.project.measures_file import use_measures_beside
from evalkit.run.project.plain_yaml import Complaint, Place, PlainYaml, read_plain_yaml, shown_name, where
from evalkit.run.project.project_rules import project_complaints, too_long_claim

_PLACEHOLDER: Final = re.compile("«[^«»]*»?|»")
"""What `evalkit new` writes where a value is to be filled in, or what is left of it."""

_MARKS: Final = ("'", '"', "“", "”", "‘", "’")


@cache
def _projects() -> TypeAdapter[Project]:
    return TypeAdapter(Project)


@cache
def _claims() -> TypeAdapter[tuple[Claim, ...]]:
    return TypeAdapter(tuple[Claim, ...])


def load_project(path: Path) -> Project:
    """Read a project file; raise one `ProjectError` or `DesignError` with every complaint about it."""
    return project_of(read_plain_yaml(path), path.parent)


def project_of(read: PlainYaml, folder: Path) -> Project:
    """Return the project that a file's data describe; `folder` is where the file lies, errors are `load_project`'s."""
    project, complaints = _examined(read, folder)
    if complaints:
        only_design = all(complaint.is_design for complaint in complaints)
        raise (DesignError if only_design else ProjectError)(_message(read, complaints))
    return project


def examined_project(path: Path) -> tuple[Project, tuple[Complaint, ...], list[str]]:
    """Return a project whose values are of the right types, what else is wrong with it, and the same in sentences.

    Raise `ProjectError` as `load_project` does where a value is of another type, or a key is missing or unknown.
    """
    read = read_plain_yaml(path)
    project, complaints = _examined(read, path.parent)
    return project, tuple(complaints), [_told(read, complaint) for complaint in complaints]


def _examined(read: PlainYaml, folder: Path) -> tuple[Project, list[Complaint]]:
    require_version(read)
    use_measures_beside(folder)
    options, against_options = analysis_options(read.data)
    told = [*reserved_keys(read.data), *against_options]
    common = replaced(read, with_common_keys(read.data))
    project = with_defaults(with_options(_validated(_projects(), common, Project, told), options))
    # a kind says nothing against an analysis whose own keys could not be read
    unread = {complaint.place[1] for complaint in told if complaint.place[:1] == ("analyses",)}
    return project, [*told, *project_complaints(project, folder, unread)]


def load_claims(path: Path, own: Collection[str] = ()) -> tuple[Claim, ...]:
    """Read a file of claims: a list, each with its quotation, what of it is looked at, and a measure or a reason.

    A measure is one of the registry, or one of the project's `own` outcomes.
    """
    read = read_plain_yaml(path)
    claims: tuple[Claim, ...] = _validated(_claims(), read, Claim)
    complaints = [text for i, claim in enumerate(claims) for text in _claim_complaints(i, claim, own)]
    if complaints:
        raise ProjectError(_message(read, complaints))
    return claims


def claims_of(project: Project, folder: Path) -> tuple[Claim, ...]:
    """Return a project's claims, none where it names no file; raise `ProjectError` for one about another measure."""
    if project.claims is None:
        return ()
    claims = load_claims(folder / project.claims, [one.code for one in project.outcomes if one.is_own])
    analysed = {outcome.code for outcome in project.outcomes}
    for claim in claims:
        if claim.measure is not None and claim.measure not in analysed:
            raise ProjectError(
                f"{shown_name(folder / project.claims)}: the claim '{claim.part[:60]}' names {claim.measure}, "
                "which is not among the project's outcomes. Add it to `outcomes`, or give a `reason` instead."
            )
    return claims


def reference_of(project: Project, folder: Path) -> bytes | None:
    """Return the reference document of a project, None where it names none; raise `InputError` for any other file."""
    if project.reference_document is None:
        return None
    from evalkit.report.documents.word_reference import require_reference

    path = folder / project.reference_document
    with environment_faults(f"reading {path.name}"):
        content = path.read_bytes()
    require_reference(content, shown_name(path))
    return content


_UNTOLD: Final[Any] = {"data": {"folder"}, "analyses": {"__all__": set(DERIVED)}}
"""What is not part of a project as plain data: where its files lie, and what of an analysis follows from the rest."""


def project_data(project: Project) -> dict[str, object]:
    """Return a project as plain data, every default filled in, without where its data are.

    What is made from it is released, and is the same wherever the same files lie.
    """
    data: dict[str, Any] = _projects().dump_python(project, mode="json", exclude=_UNTOLD)
    for told, analysis in zip(data["analyses"], project.analyses, strict=True):
        told |= options_data(analysis)
    return data


def project_schema() -> dict[str, object]:
    """Return the JSON Schema of a project file, with a description of every key, for editors."""
    return _finished(with_kinds(_projects().json_schema()), "evalkit project file")


def claims_schema() -> dict[str, object]:
    """Return the JSON Schema of a file of claims."""
    return _finished(_claims().json_schema(), "evalkit claims file")


def schema_text(schema: dict[str, object]) -> str:
    """Return a schema as the file that is committed."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _finished(schema: dict[str, Any], title: str) -> dict[str, object]:
    """Return a schema with its heading, and with the codes of measures where one is asked for."""
    codes = [{"const": code, "description": f"{item.label} ({item.key_stage})"} for code, item in MEASURES.items()]
    published, own = {"$ref": "#/$defs/PublishedMeasure"}, {"type": "string", "pattern": r"^[^.]+\..+$"}
    if "Outcome" in schema.get("$defs", {}):
        schema["$defs"]["PublishedMeasure"] = {"anyOf": codes}
        schema["$defs"]["Outcome"]["properties"]["measure"]["anyOf"] = [published, {"type": "null"}]
        for key in ("measure", "minus"):
            schema["$defs"]["TripleDifference"]["properties"][key]["anyOf"] = [published, own]
    if "PlanRules" in schema.get("$defs", {}):
        plan = schema["properties"]["plan"]
        schema["properties"]["plan"] = {"anyOf": [{"const": REQUIRED}, plan], "description": plan["description"]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


def _claim_complaints(i: int, claim: Claim, own: Collection[str]) -> list[Complaint]:
    complaints = []
    if not (claim.quote and claim.part and claim.source):
        complaints.append(Complaint((i,), "a claim needs its quotation, what of it is looked at, and its source"))
    if claim.quote[:1] in _MARKS or claim.quote[-1:] in _MARKS:
        complaints.append(
            Complaint((i, "quote"), "give the words without quotation marks around them; the report sets them")
        )
    if claim.measure is not None and claim.measure not in MEASURES and claim.measure not in own:
        near = did_you_mean(claim.measure, [*MEASURES, *own])
        complaints.append(Complaint((i, "measure"), f"'{claim.measure}' is not a measure this kit knows.{near}"))
    if claim.measure is None and not claim.reason:
        complaints.append(
            Complaint((i,), "without a measure, `reason` must say why these data cannot speak to the claim")
        )
    return [*complaints, *too_long_claim(i, claim)]


def _validated(adapter: TypeAdapter[Any], read: PlainYaml, kind: type, found: Sequence[Complaint] = ()) -> Any:
    """Return the value; raise `ProjectError` where it is none, with every complaint, those found before among them.

    With complaints found before and a value that is right the value is returned, so that more can be said of it.
    """
    left = list(_placeholders(read.data, ()))
    places, value = {complaint.place for complaint in (*left, *found)}, None
    left += [complaint for complaint in found if complaint.place not in {one.place for one in left}]
    try:
        value = adapter.validate_json(json.dumps(read.data), strict=True)
        complaints = []
    except ValidationError as problem:
        errors = problem.errors(include_url=False)
        complaints = [complaint_of(details, kind) for details in errors if details["loc"] not in places]
    if value is None or any(complaint not in found for complaint in left):
        raise ProjectError(_message(read, [*left, *complaints])) from None
    return value


def _placeholders(value: object, place: Place) -> Iterator[Complaint]:
    """Yield every value that is still the template's, in the order of the file."""
    if isinstance(value, str) and (mark := _PLACEHOLDER.search(value)):
        yield Complaint(place, f"{shown_value(mark[0])} is still to be filled in; write the value in its place")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _placeholders(inner, (*place, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _placeholders(inner, (*place, i))


def _message(read: PlainYaml, complaints: Sequence[Complaint]) -> str:
    shown = [_told(read, complaint) for complaint in complaints]
    if len(shown) == 1:
        return f"{read.name}: {shown[0]}"
    return f"{read.name}: {len(shown)} things need correcting.\n" + "\n".join(f"  - {text}" for text in shown)


def _told(read: PlainYaml, complaint: Complaint) -> str:
    return f"{_where(read, complaint.place)}{_sentence(complaint.text)}"


def _sentence(text: str) -> str:
    return text if text.endswith(("?", ".")) else f"{text}."


def _where(read: PlainYaml, place: Place) -> str:
    line = read.line(place)
    return f"{where(place) or 'the file'}{f' (line {line})' if line else ''}: "
