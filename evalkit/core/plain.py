"""Any noun as the plain data of JSON: the one place that says how a number, an interval or a reason is written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any, Final

from evalkit.core.errors import EvalkitError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import escaped

NOT_FINITE: Final = Unavailable("The calculation gave no finite number.")
"""What stands in the place of a number that is none, where a reason may stand there."""


def plain(value: object) -> Any:
    """Return any noun as plain data; raise `EvalkitError` where a number is not finite or nothing stands there.

    >>> plain((Unavailable("No error."), 1.5))
    [{'unavailable': 'No error.'}, 1.5]
    """
    return _plain(value, is_strict=True)


def plain_or_reason(value: object) -> Any:
    """Return any noun as plain data; a number that is not finite becomes a reason, and None stays nothing.

    >>> plain_or_reason({"df": None, "p": float("nan")})
    {'df': None, 'p': {'unavailable': 'The calculation gave no finite number.'}}
    """
    return _plain(value, is_strict=False)


def json_text(record: object, indent: int | None = 2) -> str:
    """Return plain data as JSON: every value in full, and no character in it that a terminal would obey."""
    return escaped(json.dumps(record, indent=indent, ensure_ascii=False, allow_nan=False))


def _plain(value: object, is_strict: bool) -> Any:
    if isinstance(value, Unavailable):
        return {"unavailable": value.reason}
    if isinstance(value, Interval):
        return {"lower": float(value.lower), "upper": float(value.upper), "level": value.level}
    if isinstance(value, Enum):
        return _plain(value.value, is_strict)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name), is_strict) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item, is_strict) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, is_strict) for item in value]
    if getattr(value, "ndim", 0):
        return [_plain(item, is_strict) for item in value.tolist()]  # type: ignore[attr-defined]
    return _strict(value) if is_strict else _lenient(value)


def _strict(value: object) -> Any:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        if not math.isfinite(value):
            raise EvalkitError("A result is not a finite number and gives no reason; please report this.")
        return float(value)
    if hasattr(value, "__index__"):
        return int(value)
    raise EvalkitError(f"A result of type {type(value).__name__} cannot be written as JSON; please report this.")


def _lenient(value: object) -> Any:
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, date):
        return value.isoformat()
    number = float(value)  # type: ignore[arg-type]
    return number if math.isfinite(number) else {"unavailable": NOT_FINITE.reason}
