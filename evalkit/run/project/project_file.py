"""Project files and claims: read, checked whole, and every complaint in one message."""

from __future__ import annotations

import dataclasses
import json
import re
import types
import typing
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from evalkit.core.errors import DesignError, ProjectError
from evalkit.core.project import Claim, Project
from evalkit.core.words import did_you_mean
from evalkit.data.measures import MEASURES
from evalkit.run.processes.failure import environment_faults
from evalkit.run.project.plain_yaml import Complaint, Place, PlainYaml, read_plain_yaml, shown_name, where
from evalkit.run.project.project_rules import project_complaints, too_long_claim

_EXPECTED: Final = {
    "int": "a whole number",
    "float": "a number",
    "string": "text",
    "bool": "true or false",
    "tuple": "a list",
    "dataclass": "keys with values, indented below it",
    "date": "a date like 2018-02-01",
}

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
    read = read_plain_yaml(path)
    project: Project = _validated(_projects(), read, Project)
    complaints = project_complaints(project, path.parent)
    if complaints:
        only_design = all(complaint.is_design for complaint in complaints)
        raise (DesignError if only_design else ProjectError)(_message(read, complaints))
    return project


def load_claims(path: Path) -> tuple[Claim, ...]:
    """Read a file of claims: a list, each with its quotation, what of it is looked at, and a measure or a reason."""
    read = read_plain_yaml(path)
    claims: tuple[Claim, ...] = _validated(_claims(), read, Claim)
    complaints = [text for i, claim in enumerate(claims) for text in _claim_complaints(i, claim)]
    if complaints:
        raise ProjectError(_message(read, complaints))
    return claims


def claims_of(project: Project, folder: Path) -> tuple[Claim, ...]:
    """Return a project's claims, none where it names no file; raise `ProjectError` for one about another measure."""
    if project.claims is None:
        return ()
    claims = load_claims(folder / project.claims)
    analysed = {outcome.measure for outcome in project.outcomes}
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


def project_data(project: Project) -> dict[str, object]:
    """Return a project as plain data, every default filled in, without where its data are.

    What is made from it is released, and is the same wherever the same files lie.
    """
    data: dict[str, object] = _projects().dump_python(project, mode="json", exclude={"data"})
    return data


def project_schema() -> dict[str, object]:
    """Return the JSON Schema of a project file, with a description of every key, for editors."""
    return _finished(_projects().json_schema(), "evalkit project file")


def claims_schema() -> dict[str, object]:
    """Return the JSON Schema of a file of claims."""
    return _finished(_claims().json_schema(), "evalkit claims file")


def schema_text(schema: dict[str, object]) -> str:
    """Return a schema as the file that is committed."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _finished(schema: dict[str, Any], title: str) -> dict[str, object]:
    known = [{"const": code, "description": f"{item.label} ({item.key_stage})"} for code, item in MEASURES.items()]
    for name, keys in (("Outcome", ("measure",)), ("TripleDifference", ("measure", "minus"))):
        for key in keys if name in schema.get("$defs", {}) else ():
            schema["$defs"][name]["properties"][key]["anyOf"] = known
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


def _claim_complaints(i: int, claim: Claim) -> list[Complaint]:
    complaints = []
    if not (claim.quote and claim.part and claim.source):
        complaints.append(Complaint((i,), "a claim needs its quotation, what of it is looked at, and its source"))
    if claim.quote[:1] in _MARKS or claim.quote[-1:] in _MARKS:
        complaints.append(
            Complaint((i, "quote"), "give the words without quotation marks around them; the report sets them")
        )
    if claim.measure is not None and claim.measure not in MEASURES:
        near = did_you_mean(claim.measure, MEASURES)
        complaints.append(Complaint((i, "measure"), f"'{claim.measure}' is not a measure this kit knows.{near}"))
    if claim.measure is None and not claim.reason:
        complaints.append(
            Complaint((i,), "without a measure, `reason` must say why these data cannot speak to the claim")
        )
    return [*complaints, *too_long_claim(i, claim)]


def _validated(adapter: TypeAdapter[Any], read: PlainYaml, kind: type) -> Any:
    left = list(_placeholders(read.data, ()))
    places = {complaint.place for complaint in left}
    try:
        value = adapter.validate_json(json.dumps(read.data), strict=True)
        complaints = []
    except ValidationError as problem:
        errors = problem.errors(include_url=False)
        complaints = [_complaint(details, kind) for details in errors if details["loc"] not in places]
    if left or complaints:
        raise ProjectError(_message(read, [*left, *complaints])) from None
    return value


def _placeholders(value: object, place: Place) -> Iterator[Complaint]:
    """Yield every value that is still the template's, in the order of the file."""
    if isinstance(value, str) and (mark := _PLACEHOLDER.search(value)):
        yield Complaint(place, f"{_shown(mark[0])} is still to be filled in; write the value in its place")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _placeholders(inner, (*place, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _placeholders(inner, (*place, i))


def _complaint(details: ErrorDetails, kind: type) -> Complaint:
    place, key = details["loc"], str(details["loc"][-1]) if details["loc"] else ""
    typed = details["input"]
    if details["type"] == "unexpected_keyword_argument":
        return Complaint(place, f"there is no such key here.{did_you_mean(key, known_keys(kind, place[:-1]))}")
    if details["type"] == "missing":
        return Complaint(place, "this key is missing")
    if details["type"] == "literal_error":
        expected = str(details.get("ctx", {}).get("expected", "another value"))
        words = expected.replace(" or ", ", ").replace("'", "").split(", ")
        near = did_you_mean(typed, words) if isinstance(typed, str) else ""
        return Complaint(place, f"expected {expected}, found {_shown(typed)}.{near}")
    expected = _EXPECTED.get(details["type"].split("_")[0], details["msg"])
    return Complaint(place, f"expected {expected}, found {_shown(typed)}")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "keys with values"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= 58 else f"'{value[:56]}…'"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def known_keys(kind: type, place: Sequence[str | int]) -> list[str]:
    """Return the keys that may stand at a place of a file of this kind."""
    for step in place:
        if isinstance(step, str):
            kind = _held(typing.get_type_hints(kind).get(step, str))
    return [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []


def _held(hint: Any) -> type:
    """Return the class of which a value, or each member of a list, is."""
    inner = [part for part in typing.get_args(hint) if part not in (Ellipsis, types.NoneType)]
    return _held(inner[0]) if inner and typing.get_origin(hint) in (tuple, typing.Union, types.UnionType) else hint


def _message(read: PlainYaml, complaints: Sequence[Complaint]) -> str:
    shown = [f"{_where(read, complaint.place)}{_sentence(complaint.text)}" for complaint in complaints]
    if len(shown) == 1:
        return f"{read.name}: {shown[0]}"
    return f"{read.name}: {len(shown)} things need correcting.\n" + "\n".join(f"  - {text}" for text in shown)


def _sentence(text: str) -> str:
    return text if text.endswith(("?", ".")) else f"{text}."


def _where(read: PlainYaml, place: Place) -> str:
    line = read.line(place)
    return f"{where(place) or 'the file'}{f' (line {line})' if line else ''}: "
