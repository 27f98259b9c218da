"""Executed notebooks as they are released: the same bytes from the same inputs, and nothing of this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from evalkit.report.border.markup import PART_MIME

_ADDRESS: Final = re.compile(r"\b0x[0-9a-f]{6,16}\b")
_KERNEL_FILE: Final = re.compile(r"ipykernel_\d+")
"""The folder of a cell's code in a warning: it bears the number of the process."""
_KEPT_METADATA: Final = ("tags",)


def tidy(notebook: Mapping[str, Any], parameters: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    """Return an executed notebook without ids, times and paths that differ between runs or machines.

    `parameters` are shown in the injected cell in place of the real ones; `names` says what to
    write for each path of this machine, wherever it stands.
    """
    cells = [_cell(number, cell, parameters) for number, cell in enumerate(notebook["cells"], start=1)]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    plain = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    cleaned: dict[str, Any] = _renamed(json.loads(json.dumps(plain)), _in_order(names))
    return cleaned


def notebook_bytes(notebook: Mapping[str, Any]) -> bytes:
    """Return a notebook as a file, without the records that only the documents are made from."""
    released = {**notebook, "cells": [_without_parts(cell) for cell in notebook["cells"]]}
    return (json.dumps(released, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode("utf-8")


def _without_parts(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    if not cell.get("outputs"):
        return cell
    outputs = [
        {**output, "data": {key: value for key, value in output["data"].items() if key != PART_MIME}}
        if "data" in output
        else output
        for output in cell["outputs"]
    ]
    return {**cell, "outputs": outputs}


def _cell(number: int, cell: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    metadata = {key: cell["metadata"][key] for key in _KEPT_METADATA if key in cell["metadata"]}
    kept = {"id": f"cell-{number:02d}", "cell_type": cell["cell_type"], "metadata": metadata, "source": cell["source"]}
    if cell["cell_type"] != "code":
        return kept
    if "injected-parameters" in metadata.get("tags", []):
        kept["source"] = "# Parameters\n" + "\n".join(
            f"{key} = {json.dumps(value)}" for key, value in parameters.items()
        )
    return {**kept, "execution_count": cell["execution_count"], "outputs": _joined(map(_output, cell["outputs"]))}


def _joined(outputs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return outputs with neighbouring pieces of one stream as one: where a kernel cuts them depends on its load."""
    joined: list[dict[str, Any]] = []
    for output in outputs:
        before = joined[-1] if joined else {}
        if output["output_type"] == before.get("output_type") == "stream" and output["name"] == before["name"]:
            joined[-1] = {**before, "text": before["text"] + output["text"]}
        else:
            joined.append(output)
    return joined


def _output(output: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in output.items() if key != "transient"}
    if "metadata" in kept:
        kept["metadata"] = {}
    if "text/plain" in kept.get("data", {}):
        text = kept["data"]["text/plain"]
        kept["data"] = {**kept["data"], "text/plain": _ADDRESS.sub("0x…", "".join(text))}
    if "text" in kept:
        kept["text"] = _KERNEL_FILE.sub("ipykernel", "".join(kept["text"]))
    return kept


def _in_order(names: Mapping[str, str]) -> list[tuple[str, re.Pattern[str], str]]:
    """Return the replacements, longer paths first, so that a folder does not cut a path below it in two.

    A path is one only where no letter, digit, `+` or `/` stands before it, as in an encoded image.
    """
    paths = sorted((path for path in names if len(path) > 1), key=len, reverse=True)
    return [(path, re.compile(rf"(?<![\w+/.~-]){re.escape(path)}(?![\w-])"), names[path]) for path in paths]


def _renamed(value: Any, names: list[tuple[str, re.Pattern[str], str]]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if isinstance(value, str):
        for path, whole, name in names:
            if path in value:  # long texts, pictures among them, hold none
                value = whole.sub(name, value)
    return value
