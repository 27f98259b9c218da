"""Texts: those of data made fit for a terminal, a document or JSON, and small helpers for messages that people read."""

from __future__ import annotations

TYPE_CHECKING = False  # as in `evalkit.run.commands.catalogue`: refusing an option loads nothing that it can do without
if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Sequence
    from typing import Final

# Texts of data as they may reach a terminal, a document, a spreadsheet or JSON: the one place that cleans them.

_ESCAPE: Final = (
    "\x1b(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?|[ -/]*[0-~]?)|\x9b[0-?]*[ -/]*[@-~]"
)
"""A command to a terminal: ESC [ … letter, ESC ] … BEL, and what else begins with ESC; nothing of it is a text."""
_SPACED: Final = "\r\n|[\r\x85\u2028\u2029]"
"""Ends of lines of other systems: a carriage return alone writes over what stands on the line."""
_HIDDEN: Final = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
"""Control characters, marks that turn the order of reading round, and halves of characters."""
_IN_JSON: Final = "[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
_ANY: Final = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes as the beginning of a formula, wide forms of these signs included."""
_NUMBER: Final = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"


def cleaned(text: str) -> str:
    """Return a text without control characters, commands to a terminal and marks that reverse the order of reading.

    Ends of lines and tabulators stay; other separators of lines become a blank.
    """
    if text.isprintable():  # as nearly all are; what looks at the others takes its time to load
        return text
    import re

    if not re.search(_ANY, text):
        return text
    return re.sub(_HIDDEN, "", re.sub(_SPACED, _end_of_line, re.sub(_ESCAPE, "", text)))


def _end_of_line(match: re.Match[str]) -> str:
    return "\n" if match.group() == "\r\n" else " "


def escaped(json: str) -> str:
    """Return JSON with every character as `\\u…` that a terminal would obey: the values stay what they are."""
    import re

    return re.sub(_IN_JSON, lambda found: f"\\u{ord(found.group()):04x}", json)


def csv_safe(text: str) -> str:
    """Return a text as a cell of a CSV file: an apostrophe before what a spreadsheet would run as a formula.

    Numbers stay numbers, the negative ones too.
    """
    shown = cleaned(text)
    return f"'{shown}" if _is_formula(text) or _is_formula(shown) else shown


def _is_formula(text: str) -> bool:
    if not text.lstrip(" ").startswith(_FORMULA):
        return False
    import re

    return not re.fullmatch(_NUMBER, text.strip())


# Small helpers for messages that people read.


LONGEST_WORD: Final = 400
"""Letters of a word that is compared with others, or told among them; a damaged cell can have many more."""


def nearest(word: str, known: Iterable[str], n: int = 1) -> list[str]:
    """Return up to `n` known words that look most like `word`, best first.

    One that differs only in a trailing `.0`, blanks, case or leading zeros comes first. Numbers are near where one
    digit is wrong, too many or too few, or two have changed places: more in common says nothing about ids.
    """
    texts = sorted(text for text in known if len(text) <= LONGEST_WORD)
    if len(word) > LONGEST_WORD:
        return []  # a damaged cell, which to compare takes its time
    plain = _plain(word)
    same = [text for text in texts if _plain(text) == plain]
    slips = [] if same else [text for text in texts if _is_one_slip(plain, _plain(text))]
    if plain.isdigit() or (n == 1 and len(same or slips) == 1):
        return (same or slips)[:n]
    from difflib import get_close_matches  # which takes its time to load

    close_words = get_close_matches(word, texts, n=n, cutoff=0.5)
    return [*same, *(text for text in close_words if text not in same)][:n]


def _plain(word: str) -> str:
    """Return a word without what makes no difference between two ids."""
    text = word.strip().lower()
    whole, dot, decimals = text.rpartition(".")
    text = whole if dot and decimals and not decimals.strip("0") else text
    return text.lstrip("0") or text[-1:]


def _is_one_slip(word: str, known_word: str) -> bool:
    """Return whether one digit, or the order of two neighbours, is all that differs between two numbers."""
    if len(word) == len(known_word):
        at = [place for place, (a, b) in enumerate(zip(word, known_word, strict=True)) if a != b]
        return len(at) == 1 or (
            at[1:] == [at[0] + 1] and word[at[0]] + word[at[1]] == known_word[at[1]] + known_word[at[0]]
        )
    short, long = sorted((word, known_word), key=len)
    return any(long[:place] + long[place + 1 :] == short for place in range(len(long)))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean '…'?`, or an empty text when nothing is near."""
    close = nearest(word, known)
    return f" Did you mean '{close[0]}'?" if close else ""


def slip_of(word: str, known: Iterable[str]) -> str:
    """Return the known word from which this one differs by one slip of the hand, empty where there is none.

    >>> slip_of("Liverpol", ["Liverpool", "Manchester"]), slip_of("Winchester", ["Liverpool", "Manchester"])
    ('Liverpool', '')
    """
    return next((text for text in sorted(known) if _is_one_slip(_plain(word), _plain(text))), "")


def listed(words: Sequence[str], most: int = 8) -> str:
    """Return words as a list in prose, cut after `most` with the number left.

    Where one of them holds a comma, semicolons part them.

    >>> listed(["Bristol, City of", "Milton Keynes", "Bournemouth, Christchurch and Poole"])
    'Bristol, City of; Milton Keynes; and Bournemouth, Christchurch and Poole'
    """
    shown = [word if len(word) <= LONGEST_WORD else f"{word[:40]}…" for word in words[:most]]
    if len(shown) < 2 and len(words) <= most:
        return shown[0] if shown else "none"
    comma, last = ("; ", "; and ") if any(", " in word for word in shown) else (", ", " and ")
    if len(words) > most:
        return comma.join(shown) + f"{last}{len(words) - most} more"
    return comma.join(shown[:-1]) + last + shown[-1]


def counted(n: int, singular: str, plural: str | None = None) -> str:
    """Return a count with its noun in the right number: `1 school`, `2 schools`."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def shown_cell(text: object) -> str:
    """Return a cell as a message quotes it, cut where it is long."""
    shown = str(text)
    return repr(shown if len(shown) <= 40 else shown[:37] + "...")


def possessive(name: str) -> str:
    """Return a name as the owner of something: `Knowsley's`, `St. Helens'`."""
    return f"{name}'" if name.endswith("s") else f"{name}'s"
