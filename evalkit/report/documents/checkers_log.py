"""The log of a release in the form that output checkers in the UK read: results.json, config.json and checksums.

It is the form of acro and of the SACRO viewer: one entry for each output, with its status, what was suppressed in which
cells, and the SHA-256 of each file in `checksums/`.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from evalkit.core.disclosure import DOMINANT, FEWEST_DF, WITHIN_PERCENT
from evalkit.core.plain import json_text
from evalkit.report.border.disclosure import suppressed
from evalkit.report.border.release import REASONS, Withheld
from evalkit.report.documents.leaving import Leaving

ACRO_VERSION: Final = "0.4.12"
"""The version of acro whose form this is."""
LOG: Final = "results.json"
CONFIG: Final = "config.json"
CHECKSUMS: Final = "checksums"
_MARKS: Final = (suppressed(0).reason.partition("0")[0], "Withheld")


def checkers_log(files: Mapping[str, bytes], leaving: Leaving, *, fewest: int, command: str, time: str) -> bytes:
    """Return the entries of all files of a release, in their order, as results.json.

    Tables pass where nothing in them is suppressed, and are to be reviewed where something is; documents and pictures
    are to be reviewed, as every output of a kind for which there is no rule. Nothing fails: that would not be there.
    """
    by_table: dict[str, list[Withheld]] = {}
    for one in leaving.withheld:
        by_table.setdefault(one.table, []).append(one)
    results = {}
    for at, (name, content) in enumerate(files.items()):
        uid = f"output_{at}"
        of_table = by_table.get(name.partition("/")[2], []) if name.endswith(".csv") else []
        results[uid] = _entry(uid, name, content, of_table, fewest) | {"command": command, "timestamp": time}
    return (json_text({"version": ACRO_VERSION, "results": results}, indent=4) + "\n").encode("utf-8")


def _entry(uid: str, name: str, content: bytes, withheld: list[Withheld], fewest: int) -> dict[str, Any]:
    is_table = name.endswith(".csv")
    header, *rows = _rows(content) if is_table else [[]]
    cells = _suppressed_cells(rows)
    status = "review" if cells or not is_table else "pass"
    counted = f"; threshold: {len(cells)} cells suppressed; " if cells else ""
    sdc = {
        "summary": {
            "suppressed": bool(cells),
            "negative": 0,
            "missing": 0,
            "threshold": len(cells),
            "p-ratio": 0,
            "nk-rule": 0,
            "all-values-are-same": 0,
        },
        "cells": {
            "negative": [],
            "missing": [],
            "threshold": cells,
            "p-ratio": [],
            "nk-rule": [],
            "all-values-are-same": [],
        },
    }
    why = Counter(one.why for one in withheld)
    return {
        "uid": uid,
        "status": status,
        "type": "table" if is_table else "custom",
        "properties": {"method": "evalkit"} if is_table else {},
        "files": [{"name": name, "sdc": sdc if is_table else {}}],
        "outcome": _outcome(header, rows) if cells else {},
        "summary": f"{status}{counted}",
        "comments": [f"{n} withheld: {REASONS[one]}." for one, n in why.items()],
        "exception": f"Suppressed by evalkit before release: counts under {fewest}, and what tells them."
        if cells
        else "",
    }


def _rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8"))))


def _suppressed_cells(rows: Sequence[Sequence[str]]) -> list[list[int]]:
    """Return row and column of each suppressed cell, counted from 0 without the header and the names of the rows."""
    return [[r, c] for r, row in enumerate(rows) for c, cell in enumerate(row[1:]) if cell.startswith(_MARKS)]


def _outcome(header: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, dict[str, str]]:
    """Return for each column and row whether its cell was suppressed, as acro tells it."""
    return {
        key: {f"{r}: {row[0]}": "threshold; " if row[c].startswith(_MARKS) else "ok" for r, row in enumerate(rows)}
        for c, key in enumerate(header)
        if c
    }


def checkers_config(fewest: int) -> bytes:
    """Return the limits of a release, by acro's names."""
    n, share = DOMINANT
    limits = {
        "safe_threshold": fewest,
        "safe_dof_threshold": FEWEST_DF,
        "safe_nk_n": n,
        "safe_nk_k": share,
        "safe_pratio_p": WITHIN_PERCENT / 100,
        "check_missing_values": False,
        "survival_safe_threshold": fewest,
        "zeros_are_disclosive": True,
    }
    return (json_text(limits, indent=4) + "\n").encode("utf-8")


def checksums(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return a file with the SHA-256 of each file, in hexadecimal digits, in the folder of checksums."""
    return {f"{CHECKSUMS}/{name}.txt": hashlib.sha256(content).hexdigest().encode() for name, content in files.items()}
