"""The properties of the features of GeoJSON, or a list of records in JSON, as rows of text."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pyarrow as pa

from evalkit.core.errors import DataError
from evalkit.data.files.members import Member, told
from evalkit.data.own_tables.csv_records import opened

MOST_BYTES: Final = 300_000_000
"""Bytes of JSON once unpacked, for whoever reads it; outlines of all authorities to the metre have some 130 million."""
_OUTLINE: Final = re.compile(rb'("coordinates"\s*:\s*)\[[\[\]\d\s,.eE+\-]*\]')


def json_content(member: Member) -> Any:
    """Return what a JSON file holds, the coordinates of outlines left out: raise `DataError` where it is none."""
    with told(member.name), opened(member) as stream:
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise DataError(
            f"{member.name}: the file has more than {MOST_BYTES // 1_000_000} MB of JSON. Take a more generalised "
            "version of the outlines."
        )
    return _parsed(member.name, _OUTLINE.sub(rb"\1[]", content))


def json_table(name: str, content: Any) -> pa.Table:
    """Return the properties of each feature, or each record, as text; raise `DataError` where there are none."""
    rows = _rows(name, content)
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: pa.array([_text(row, name) for row in rows], pa.string()) for name in names})


def _parsed(name: str, content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise DataError(f"{name}: the file is not in UTF-8, as JSON is. Download it again.") from None
    except json.JSONDecodeError as problem:
        raise DataError(
            f"{name}: line {problem.lineno:,}: the file is no JSON, or is cut short ({problem.msg}). Download it again."
        ) from None
    except RecursionError:
        raise DataError(f"{name}: the file is nested too deeply for data. Download it again.") from None


def _rows(name: str, content: Any) -> list[dict[str, Any]]:
    if isinstance(content, dict) and isinstance(content.get("features"), list):
        found = [one.get("properties") if isinstance(one, dict) else None for one in content["features"]]
        return [row if isinstance(row, dict) else {} for row in found]
    if isinstance(content, list) and content and all(isinstance(row, dict) for row in content):
        return content
    raise DataError(f"{name}: the JSON holds neither features nor a list of records, so it is no table.")


def _text(row: dict[str, Any], name: str) -> str | None:
    if name not in row:
        return None
    cell = row[name]
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return json.dumps(cell, ensure_ascii=False)
