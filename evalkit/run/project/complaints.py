"""What is wrong with a value of a project file, in words that a person can act on."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Sequence
from typing import Any, Final

from pydantic_core import ErrorDetails

from evalkit.core.words import did_you_mean
from evalkit.run.project.plain_yaml import Complaint

_EXPECTED: Final = {
    "int": "a whole number",
    "float": "a number",
    "string": "text",
    "bool": "true or false",
    "tuple": "a list",
    "dataclass": "keys with values, indented below it",
    "date": "a date like 2018-02-01",
}


def complaint_of(details: ErrorDetails, kind: type) -> Complaint:
    """Return what is wrong with a value, from what pydantic says of it."""
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
        return Complaint(place, f"expected {expected}, found {shown_value(typed)}.{near}")
    expected = _EXPECTED.get(details["type"].split("_")[0], details["msg"])
    return Complaint(place, f"expected {expected}, found {shown_value(typed)}")


def shown_value(value: object) -> str:
    """Return a value as a message names it."""
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
