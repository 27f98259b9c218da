"""Texts of data as they may reach a terminal, a document, a spreadsheet or JSON: the one place that cleans them."""

from __future__ import annotations

import re
from typing import Final

_ESCAPE: Final = re.compile(
    "\x1b(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?|[ -/]*[0-~]?)|\x9b[0-?]*[ -/]*[@-~]"
)
"""A command to a terminal: ESC [ … letter, ESC ] … BEL, and what else begins with ESC; nothing of it is a text."""
_SPACED: Final = re.compile("\r\n|[\r\x85\u2028\u2029]")
"""Ends of lines of other systems: a carriage return alone writes over what stands on the line."""
_HIDDEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""Control characters, marks that turn the order of reading round, and halves of characters."""
_IN_JSON: Final = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ANY: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes as the beginning of a formula, wide forms of these signs included."""
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def cleaned(text: str) -> str:
    """Return a text without control characters, commands to a terminal and marks that reverse the order of reading.

    Ends of lines and tabulators stay; other separators of lines become a blank.
    """
    if not _ANY.search(text):
        return text
    return _HIDDEN.sub("", _SPACED.sub(_end_of_line, _ESCAPE.sub("", text)))


def _end_of_line(found: re.Match[str]) -> str:
    return "\n" if found.group() == "\r\n" else " "


def escaped(json: str) -> str:
    """Return JSON with every character as `\\u…` that a terminal would obey: the values stay what they are."""
    return _IN_JSON.sub(lambda found: f"\\u{ord(found.group()):04x}", json)


def csv_safe(text: str) -> str:
    """Return a text as a cell of a CSV file: an apostrophe before what a spreadsheet would run as a formula.

    Numbers stay numbers, the negative ones too.
    """
    shown = cleaned(text)
    return f"'{shown}" if _is_formula(text) or _is_formula(shown) else shown


def _is_formula(text: str) -> bool:
    return text.lstrip(" ").startswith(_FORMULA) and not _NUMBER.fullmatch(text.strip())
